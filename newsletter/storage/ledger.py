"""The durable record of every issue's way: writing a preparation, looking back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)

from newsletter.errors import ConflictError, NotFoundError
from newsletter.model import (
    Edition,
    FailReason,
    IssueRecord,
    IssueState,
    LedgerRow,
    Outcome,
    Subscriber,
)
from newsletter.ports import Draft, Question
from newsletter.storage import dispatch, preparing
from newsletter.storage.addresses import AddressHasher
from newsletter.storage.codec import (
    issue_row,
    item_entries,
    ledger_row,
    name_of,
    pack_edition,
    unpack_edition,
)
from newsletter.storage.database import Database
from newsletter.storage.joins import roots_of
from newsletter.storage.schema import (
    IS_ACTIVE,
    IS_OPEN,
    IS_TROUBLE,
    editions,
    issues,
    lock,
    subscribers,
)

#: Why an issue fails that nobody has to look at: somebody wanted it so.
_WANTED = (FailReason.SUPPRESSED.value, FailReason.DROPPED.value)
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlLedger:
    """Issues in tables; see ports.Ledger. Safe from any thread."""

    database: Database
    hasher: AddressHasher

    def put_edition(self, edition: Edition) -> str:
        """See ports.Ledger."""
        content = pack_edition(edition)
        name = name_of(content)
        known = select(editions.c.hash).where(editions.c.hash == name)
        with self.database.write() as connection:
            lock(connection, "readers")
            if connection.scalar(known) is None:
                connection.execute(insert(editions).values(hash=name, content=content))
        return name

    def edition(self, edition_hash: str) -> Edition:
        """See ports.Ledger.

        Raises:
            NotFoundError: There is none.
        """
        query = select(editions.c.content).where(editions.c.hash == edition_hash)
        with self.database.read() as connection:
            content = connection.scalar(query)
        if content is None:
            raise NotFoundError(f"no edition has the hash {edition_hash}")
        return unpack_edition(content)

    # --- preparing ---

    def prepare(
        self,
        subscriber: Subscriber,
        *,
        record: IssueRecord | None,
        cursor: int,
        next_slot: datetime | None,
        skipped: Sequence[date],
        left_out: bool,
        at: datetime,
    ) -> bool:
        """See ports.Ledger.

        Raises:
            ConflictError: The slot has an issue already.
        """
        as_read = subscribers.c.version == subscriber.version
        moved = (
            update(subscribers)
            .where(subscribers.c.id == subscriber.id, IS_ACTIVE, as_read)
            .values(
                cursor=cursor,
                next_slot=next_slot,
                skipped=skipped,
                left_out=left_out,
                version=subscribers.c.version + 1,
            )
        )
        with self.database.write() as connection:
            if not connection.execute(moved).rowcount:
                return False
            if record is not None:
                _add(connection, record, at)
        return True

    def shown(
        self, subscriber_id: int, entry_ids: Iterable[int], *, since: datetime
    ) -> frozenset[int]:
        """See ports.Ledger."""
        asked = frozenset(entry_ids)
        query = select(issues.c["items"]).where(
            issues.c.subscriber_id == subscriber_id, issues.c.slot >= since
        )
        with self.database.read() as connection:
            cards = {
                entry
                for items in connection.scalars(query)
                for entry in item_entries(items)
            }
            roots = roots_of(connection, asked | cards)
        shown = {roots[entry] for entry in cards}
        return frozenset(entry for entry in asked if roots[entry] in shown)

    def prepare_all(self, drafts: Sequence[Draft], *, at: datetime) -> frozenset[int]:
        """See ports.Ledger."""
        with self.database.write() as connection:
            return preparing.write(connection, drafts, at=at)

    def shown_to(
        self, questions: Mapping[int, Question]
    ) -> Mapping[int, frozenset[int]]:
        """See ports.Ledger."""
        with self.database.read() as connection:
            return preparing.shown(connection, questions)

    def taken(self, slots: Mapping[int, datetime]) -> frozenset[int]:
        """See ports.Ledger."""
        with self.database.read() as connection:
            return frozenset(preparing.taken(connection, slots))

    def last_slots(self, subscriber_ids: Iterable[int]) -> Mapping[int, datetime]:
        """See ports.Ledger."""
        with self.database.read() as connection:
            return preparing.last_slots(connection, subscriber_ids)

    def is_taken(self, subscriber_id: int, slot: datetime) -> bool:
        """See ports.Ledger."""
        with self.database.read() as connection:
            return _is_taken(connection, subscriber_id, slot)

    def keys_of(self, subscriber_id: int) -> tuple[str, ...]:
        """See ports.Ledger."""
        query = select(issues.c.key).where(issues.c.subscriber_id == subscriber_id)
        with self.database.read() as connection:
            return tuple(connection.scalars(query.order_by(issues.c.slot)))

    def last_slot(self, subscriber_id: int) -> datetime | None:
        """See ports.Ledger."""
        query = select(func.max(issues.c.slot)).where(
            issues.c.subscriber_id == subscriber_id
        )
        with self.database.read() as connection:
            last: datetime | None = connection.scalar(query)
        return last

    # --- delivering ---

    def lease(
        self, n: int, *, holder: str, now: datetime, until: datetime
    ) -> tuple[LedgerRow, ...]:
        """See ports.Ledger."""
        with self.database.write() as connection:
            return dispatch.lease(connection, n, holder=holder, now=now, until=until)

    def renew(self, *, holder: str, until: datetime) -> None:
        """See ports.Ledger."""
        with self.database.write() as connection:
            dispatch.renew(connection, holder=holder, until=until)

    def give_up(self, *, now: datetime) -> tuple[LedgerRow, ...]:
        """See ports.Ledger."""
        with self.database.write() as connection:
            return dispatch.give_up(connection, now=now)

    def mark_inflight(
        self, keys: Sequence[str], *, holder: str, now: datetime
    ) -> frozenset[str]:
        """See ports.Ledger."""
        with self.database.write() as connection:
            return dispatch.mark_inflight(
                connection, keys, holder=holder, now=now, hasher=self.hasher
            )

    def record(self, outcomes: Sequence[Outcome], *, holder: str) -> None:
        """See ports.Ledger.

        What is allowed is written even where something else is refused: that
        a mail was accepted is a fact, and forgetting it would repeat it.
        """
        with self.database.write() as connection:
            refused = dispatch.record(connection, outcomes, holder=holder)
        if refused:
            raise ConflictError("; ".join(refused))

    def resolve(self, key: str, *, repeat: bool, at: datetime) -> None:
        """See ports.Ledger."""
        with self.database.write() as connection:
            dispatch.resolve(connection, key, repeat=repeat, at=at)

    def expire(self, *, prepared_before: datetime, now: datetime) -> int:
        """See ports.Ledger."""
        with self.database.write() as connection:
            return dispatch.expire(connection, prepared_before, now=now)

    # --- looking back ---

    def find(self, key: str) -> LedgerRow:
        """See ports.Ledger."""
        # "g" follows every hexadecimal digit, in any collation.
        begins = and_(issues.c.key >= key, issues.c.key < f"{key}g")
        rows = self._rows(select(issues).where(begins)) if _is_hex(key) else ()
        if not rows:
            raise NotFoundError(
                f"no issue's key begins with {key!r}; `newsletter status` shows keys"
            )
        if len(rows) > 1:
            raise ConflictError(
                f"several issues' keys begin with {key!r}; give more of it"
            )
        return rows[0]

    def recent(self, *, limit: int = 50) -> tuple[LedgerRow, ...]:
        """See ports.Ledger."""
        newest = issues.c.prepared_at.desc()
        return self._rows(select(issues).order_by(newest, issues.c.key), limit=limit)

    def issues_of(
        self, subscriber_id: int, *, limit: int = 50
    ) -> tuple[LedgerRow, ...]:
        """See ports.Ledger."""
        query = select(issues).where(issues.c.subscriber_id == subscriber_id)
        return self._rows(query.order_by(issues.c.slot.desc()), limit=limit)

    def counts(self) -> Mapping[IssueState, int]:
        """See ports.Ledger."""
        query = select(issues.c.state, func.count().label("issues"))
        with self.database.read() as connection:
            rows = connection.execute(query.group_by(issues.c.state))
            return {row.state: row.issues for row in rows}

    def waiting(self, *, limit: int = 50) -> tuple[LedgerRow, ...]:
        """See ports.Ledger."""
        query = select(issues).where(IS_OPEN, issues.c.state != IssueState.READY)
        return self._rows(
            query.order_by(issues.c.prepared_at, issues.c.key), limit=limit
        )

    def troubles(self, *, limit: int = 50) -> tuple[LedgerRow, ...]:
        """See ports.Ledger."""
        is_wanted = and_(
            issues.c.state == IssueState.FAILED,
            issues.c.reason.in_(_WANTED),
        )
        newest = issues.c.updated_at.desc()
        query = select(issues).where(
            IS_TROUBLE, or_(issues.c.reason.is_(None), not_(is_wanted))
        )
        return self._rows(query.order_by(newest, issues.c.key), limit=limit)

    def _rows(self, query: Select[Any], *, limit: int = 2) -> tuple[LedgerRow, ...]:
        with self.database.read() as connection:
            return tuple(
                ledger_row(row) for row in connection.execute(query.limit(limit))
            )


def _is_hex(key: str) -> bool:
    return bool(key) and set(key) <= _HEX


def _is_taken(connection: Connection, subscriber_id: int, slot: datetime) -> bool:
    is_it: ColumnElement[bool] = and_(
        issues.c.subscriber_id == subscriber_id, issues.c.slot == slot
    )
    return connection.scalar(select(issues.c.key).where(is_it)) is not None


def _add(connection: Connection, record: IssueRecord, at: datetime) -> None:
    """Add an issue, ready to be delivered; its reader's row is ours by now."""
    if _is_taken(connection, record.subscriber_id, record.slot):
        raise ConflictError(
            f"reader {record.public_id} has an issue for {record.slot:%Y-%m-%d %H:%M} "
            "UTC already; nothing was written"
        )
    connection.execute(
        insert(issues).values(
            state=IssueState.READY, attempts=0, updated_at=at, **issue_row(record)
        )
    )
