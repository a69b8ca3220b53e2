"""Readers come and go: the file, and the commands about one reader."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from newsletter.errors import ConflictError
from newsletter.model import (
    Origin,
    ReconcileReport,
    Subscriber,
    SubscriberSpec,
    SubscriberStatus,
)
from newsletter.ports import Clock, Subscribers

#: What ``reactivate`` cannot bring back: the address is gone with the data.
_GONE = frozenset({SubscriberStatus.ERASED})


def reconcile(
    specs: Sequence[SubscriberSpec] | None,
    *,
    subscribers: Subscribers,
    clock: Clock,
    as_of: datetime,
) -> ReconcileReport:
    """Make the readers of the file be those of *specs*.

    None means that there is no file. A file that vanished is a file that lost
    all its readers: the guard of a third answers that.
    """
    return subscribers.reconcile(specs or (), as_of=as_of, at=clock.now())


def add(
    spec: SubscriberSpec, *, reason: str, subscribers: Subscribers, clock: Clock
) -> Subscriber:
    """Take in a reader by command.

    Args:
        spec: Who they are and what they want.
        reason: Why an address that left may get mail again; empty: it did not.
        subscribers: Where they go.
        clock: When.

    Raises:
        ConflictError: The address is a reader's, or must get no mail.
    """
    now = clock.now()
    return subscribers.add(
        spec,
        origin=Origin.COMMAND,
        consent="by command",
        reason=reason,
        as_of=now,
        at=now,
    )


def rewrite(
    name: str, spec: SubscriberSpec, *, subscribers: Subscribers, clock: Clock
) -> tuple[Subscriber, bool]:
    """Give a reader the profile of *spec*; tell whether anything changed.

    Raises:
        NotFoundError: There is no such reader.
        ConflictError: They are the file's, or their data were erased.
    """
    before = subscribers.get(name)
    check_may_rewrite(before)
    now = clock.now()
    after = subscribers.rewrite(
        before.id, spec, origin=Origin.COMMAND, as_of=now, at=now
    )
    return after, after.version != before.version


def check_may_rewrite(reader: Subscriber) -> None:
    """Look whether a command may change a reader's profile.

    Raises:
        ConflictError: It is the file's to say.
    """
    if reader.origin is Origin.FILE:
        raise ConflictError(
            f"{reader.address} is named in subscribers.toml; change the profile there,"
            " and the next run takes it (`newsletter profile check` and `diff` try a"
            " change out)"
        )


def pause(
    name: str, *, reason: str, subscribers: Subscribers, clock: Clock
) -> Subscriber:
    """Stop mail to a reader until they are reactivated.

    Raises:
        NotFoundError: There is none.
        ConflictError: They get no mail anyway.
    """
    reader = subscribers.get(name)
    if reader.status is not SubscriberStatus.ACTIVE:
        raise ConflictError(
            f"{name} gets no mail anyway: {reader.status}"
            + (f" ({reader.status_reason})" if reader.status_reason else "")
        )
    return _change(
        name, SubscriberStatus.PAUSED, reason, subscribers=subscribers, clock=clock
    )


def erase(
    name: str, *, reason: str, subscribers: Subscribers, clock: Clock
) -> Subscriber:
    """Remove all that tells who a reader is; the address gets no mail again.

    Raises:
        NotFoundError: There is none.
        ConflictError: They were erased before.
    """
    return _change(
        name, SubscriberStatus.ERASED, reason, subscribers=subscribers, clock=clock
    )


def unsubscribe(
    name: str, *, reason: str, subscribers: Subscribers, clock: Clock
) -> Subscriber:
    """Stop mail to the reader of that address or public id, for good.

    Raises:
        NotFoundError: There is none.
        ConflictError: Their data were erased.
    """
    return _change(
        name,
        SubscriberStatus.UNSUBSCRIBED,
        reason,
        subscribers=subscribers,
        clock=clock,
    )


def reactivate(
    name: str, *, reason: str, subscribers: Subscribers, clock: Clock
) -> Subscriber:
    """Let mail go again to a reader who had left, as if they joined anew.

    Raises:
        NotFoundError: There is none.
        ConflictError: Their data were erased, or they are active.
    """
    if subscribers.get(name).status is SubscriberStatus.ACTIVE:
        raise ConflictError(f"{name} is active already; nothing to do")
    return _change(
        name, SubscriberStatus.ACTIVE, reason, subscribers=subscribers, clock=clock
    )


def _change(
    name: str,
    status: SubscriberStatus,
    reason: str,
    *,
    subscribers: Subscribers,
    clock: Clock,
) -> Subscriber:
    subscriber = subscribers.get(name)
    if subscriber.status in _GONE:
        raise ConflictError(
            f"{name} was erased: there is no address to write to. "
            "Add the reader anew instead"
        )
    now = clock.now()
    return subscribers.set_status(
        subscriber.id,
        status,
        reason=reason,
        origin=Origin.COMMAND,
        as_of=now,
        at=now,
    )
