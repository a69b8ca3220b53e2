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
