"""An issue's way from ready to its end, within an open transaction.

    lease -> (rendered, signed) -> mark_inflight, committed -> bytes -> record

Rows of readers are locked before rows of issues, here as everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    insert,
    or_,
    select,
    update,
)

from newsletter.errors import ConflictError
from newsletter.ledger import check_move
from newsletter.model import (
    FailReason,
    IssueState,
    LedgerRow,
    Outcome,
    SubscriberStatus,
)
from newsletter.storage import members
from newsletter.storage.addresses import AddressHasher, address_key
from newsletter.storage.codec import ledger_row
from newsletter.storage.database import blocks
from newsletter.storage.schema import IS_OPEN, attempts, issues, subscribers

_NO_LEASE = {"lease_holder": None, "lease_until": None}
#: Why an issue is due again that was unknown or held.
RELEASED = "a person decided to send it again"
#: Why an issue is unknown after a crash.
GONE = "the process that was sending it ended before the server's answer was kept"


def lease(
    connection: Connection, n: int, *, holder: str, now: datetime, until: datetime
) -> tuple[LedgerRow, ...]:
    """Take up to *n* issues that are to be delivered now, oldest first."""
    is_due = or_(
        issues.c.state != IssueState.RETRY,
        issues.c.retry_at <= now,
    )
    _drop_erased(connection, now=now)
    rows = connection.execute(
        select(issues)
        .where(IS_OPEN, is_due, _is_free(now))
        .order_by(issues.c.prepared_at, issues.c.key)
        .limit(n)
        .with_for_update(skip_locked=True)
    ).all()
    for block in blocks(row.key for row in rows):
        connection.execute(
            update(issues)
            .where(issues.c.key.in_(block))
            .values(lease_holder=holder, lease_until=until)
        )
    return tuple(ledger_row(row) for row in rows)


def _drop_erased(connection: Connection, *, now: datetime) -> None:
    """End what was on its way to a reader whose data were erased meanwhile."""
    query = select(issues.c.key).where(IS_OPEN, issues.c.address == "", _is_free(now))
    keys = connection.scalars(query.with_for_update(skip_locked=True)).all()
    _move(connection, keys, IssueState.FAILED, FailReason.SUPPRESSED, now=now)


def _is_free(now: datetime) -> ColumnElement[bool]:
    return or_(issues.c.lease_until.is_(None), issues.c.lease_until <= now)


def renew(connection: Connection, *, holder: str, until: datetime) -> None:
    """Keep what *holder* has."""
    connection.execute(
        update(issues)
        .where(IS_OPEN, issues.c.lease_holder == holder)
        .values(lease_until=until)
    )


def give_up(connection: Connection, *, now: datetime) -> tuple[LedgerRow, ...]:
    """Make unknown what was on its way when its holder went away."""
    lost = and_(issues.c.state == IssueState.INFLIGHT, _is_free(now))
    rows = connection.execute(
        select(issues)
        .where(IS_OPEN, lost)
        .order_by(issues.c.prepared_at, issues.c.key)
        .with_for_update(skip_locked=True)
    ).all()
    keys = [row.key for row in rows]
    _move(connection, keys, IssueState.UNKNOWN, GONE, now=now)
    found: list[LedgerRow] = []
    for block in blocks(keys):
        query = select(issues).where(issues.c.key.in_(block))
        found += map(ledger_row, connection.execute(query))
    return tuple(found)


def mark_inflight(
    connection: Connection,
    keys: Sequence[str],
    *,
    holder: str,
    now: datetime,
    hasher: AddressHasher,
) -> frozenset[str]:
    """Note that the first byte may follow; return the keys that may go."""
    may: set[str] = set()
    for block in blocks(keys):
        leaving = _leaving(connection, block, hasher)
        held = and_(issues.c.lease_holder == holder, issues.c.lease_until > now)
        rows = connection.execute(
            select(issues)
            .where(issues.c.key.in_(block), IS_OPEN, held)
            .with_for_update()
        ).all()
        going = [row for row in rows if row.key not in leaving]
        may.update(row.key for row in going)
        connection.execute(
            update(issues)
            .where(issues.c.key.in_([row.key for row in going]))
            .values(
                state=IssueState.INFLIGHT,
                attempts=issues.c.attempts + 1,
                retry_at=None,
                updated_at=now,
            )
        )
        gone = [row.key for row in rows if row.key in leaving]
        _move(connection, gone, IssueState.FAILED, FailReason.SUPPRESSED, now=now)
    return frozenset(may)


def _leaving(
    connection: Connection, keys: Sequence[str], hasher: AddressHasher
) -> frozenset[str]:
    """Return which issues may not go: their reader left, or must get no mail.

    The readers' rows are held, so that whoever leaves from here on has their
    leaving committed after this.
    """
    rows = connection.execute(
        select(issues.c.key, issues.c.address, subscribers.c.status)
        .join(subscribers, subscribers.c.id == issues.c.subscriber_id)
        .where(issues.c.key.in_(keys))
        .order_by(subscribers.c.id)
        .with_for_update(read=True, of=subscribers)
    ).all()
    mailboxes = {row.key: address_key(row.address) for row in rows}
    forbidden = members.suppressed(connection, hasher, set(mailboxes.values()))
    return frozenset(
        row.key
        for row in rows
        if row.status != SubscriberStatus.ACTIVE or mailboxes[row.key] in forbidden
    )


def record(
    connection: Connection, outcomes: Sequence[Outcome], *, holder: str
) -> tuple[str, ...]:
    """Write what became of leased issues; return why others were refused."""
    rows: dict[str, Row[Any]] = {}
    for block in blocks(outcome.key for outcome in outcomes):
        query = select(issues).where(issues.c.key.in_(block)).with_for_update()
        rows |= {row.key: row for row in connection.execute(query)}
    refused = []
    for outcome in outcomes:
        why = _why_refused(outcome, rows.get(outcome.key), holder)
        if why is None:
            # What a server says may name whom we have erased.
            is_erased = not rows[outcome.key].address
            _settle(connection, replace(outcome, reason=None) if is_erased else outcome)
        else:
            refused.append(f"issue {outcome.key} {why}")
    return tuple(refused)


def _why_refused(outcome: Outcome, row: Row[Any] | None, holder: str) -> str | None:
    """Return why *outcome* cannot be written; None: it can."""
    if row is None:
        return "is not in the ledger"
    if row.lease_holder != holder:
        return f"is {row.state} and not leased by {holder}"
    try:
        check_move(row.state, outcome.state)
    except ConflictError as error:
        return str(error)
    return None


def _settle(connection: Connection, outcome: Outcome) -> None:
    is_retry = outcome.state == IssueState.RETRY
    connection.execute(
        update(issues)
        .where(issues.c.key == outcome.key)
        .values(
            state=outcome.state,
            reason=outcome.reason,
            # Without a time it is due at once, rather than never.
            retry_at=(outcome.retry_at or outcome.at) if is_retry else None,
            attempts=issues.c.attempts - (0 if outcome.charged else 1),
            updated_at=outcome.at,
            **_NO_LEASE,
        )
    )
    connection.execute(
        insert(attempts).values(
            issue_key=outcome.key,
            at=outcome.at,
            state=outcome.state,
            code=outcome.code,
            reason=outcome.reason,
        )
    )


def resolve(connection: Connection, key: str, *, repeat: bool, at: datetime) -> None:
    """Take an issue on that waits for a person, or end it."""
    query = select(issues.c.state, issues.c.address).where(issues.c.key == key)
    row = connection.execute(query.with_for_update()).first()
    state, address = (None, None) if row is None else (row.state, row.address)
    if repeat and address == "":
        raise ConflictError(f"issue {key} was to a reader whose data were erased")
    if state not in {IssueState.UNKNOWN, IssueState.HELD}:
        raise ConflictError(
            f"issue {key} is {state or 'not in the ledger'}; only one that is unknown "
            "or held can be resolved"
        )
    if not repeat:
        _move(connection, [key], IssueState.FAILED, FailReason.DROPPED, now=at)
    elif state == IssueState.HELD:
        _move(connection, [key], IssueState.READY, RELEASED, now=at)
    else:
        _move(connection, [key], IssueState.RETRY, RELEASED, now=at)


def expire(connection: Connection, prepared_before: datetime, *, now: datetime) -> int:
    """Fail what is too old to be of use; what is being worked on is left alone."""
    waits = issues.c.state.in_([IssueState.READY, IssueState.RETRY])
    rows = connection.execute(
        select(issues.c.key)
        .where(IS_OPEN, waits, issues.c.prepared_at < prepared_before, _is_free(now))
        .with_for_update(skip_locked=True)
    )
    keys = [row.key for row in rows]
    _move(connection, keys, IssueState.FAILED, FailReason.EXPIRED, now=now)
    return len(keys)


def _move(
    connection: Connection,
    keys: Sequence[str],
    state: IssueState,
    reason: str,
    *,
    now: datetime,
) -> None:
    """Move issues for a reason of our own: no server said anything."""
    for block in blocks(keys):
        connection.execute(
            update(issues)
            .where(issues.c.key.in_(block))
            .values(
                state=state,
                reason=str(reason),
                retry_at=now if state is IssueState.RETRY else None,
                updated_at=now,
                **_NO_LEASE,
            )
        )
        connection.execute(
            insert(attempts),
            [
                {
                    "issue_key": key,
                    "at": now,
                    "state": state,
                    "reason": str(reason),
                }
                for key in block
            ],
        )
