"""Entries, their versions, listings and sightings, and the order of release."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import (
    BigInteger,
    bindparam,
    func,
    select,
    type_coerce,
    update,
)

from newsletter import identity
from newsletter import release as release_stage
from newsletter.identity import Named
from newsletter.model import (
    Candidate,
    EntryVersion,
    ListingState,
    PutReport,
    Window,
)
from newsletter.ports import Released, Shown
from newsletter.storage import joins
from newsletter.storage.arrivals import Arrivals
from newsletter.storage.database import Database, blocks
from newsletter.storage.foreseeing import ForeseenRelease, read_pending
from newsletter.storage.handful import Handful
from newsletter.storage.putting import Putting
from newsletter.storage.schema import IS_WAITING, listings, lock, meta
from newsletter.storage.windows import (
    read_listed,
    read_versions,
    read_wide,
    read_window,
)
from newsletter.windows import WideRead

#: Microseconds; what a stored instant counts.
TICKS_A_DAY = 86_400_000_000
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlEntries:
    """Entries in tables; see ports.Entries. Safe from any thread."""

    database: Database

    def put(self, polls: Sequence[Shown], *, as_of: datetime) -> tuple[PutReport, ...]:
        """See ports.Entries."""
        with self.database.write() as connection:
            lock(connection, "seq")
            named = [identity.name_all(shown.listings) for shown in polls]
            handful = Handful(bare=connection)
            handful.look_up([one for every in named for one in every])
            reports = tuple(
                _put(handful, shown, of_poll, as_of)
                for shown, of_poll in zip(polls, named, strict=True)
            )
            handful.write()
            return reports

    # --- the order of release ---

    def release(self, *, as_of: datetime, settle: Mapping[str, timedelta]) -> int:
        """See ports.Entries."""
        with self.database.write() as connection:
            last = int(lock(connection, "seq"))
            due = release_stage.due(
                read_pending(connection), as_of=as_of, settle=settle
            )
            if not due:
                return 0
            connection.execute(
                update(listings)
                .where(listings.c.id == bindparam("listing"))
                .values(
                    seq=bindparam("place"),
                    state=ListingState.RELEASED,
                    released_at=as_of,
                ),
                [
                    {"listing": listing, "place": last + n}
                    for n, listing in enumerate(due, 1)
                ],
            )
            # A counter and not the greatest seq: a place is never given twice,
            # though the listing that had it may be gone.
            connection.execute(
                update(meta)
                .where(meta.c.key == "seq")
                .values(value=str(last + len(due)))
            )
        return len(due)

    def held(self) -> Mapping[str, int]:
        """See ports.Entries."""
        query = (
            select(listings.c.source, func.count().label("held"))
            .where(IS_WAITING, listings.c.state == ListingState.HELD)
            .group_by(listings.c.source)
        )
        with self.database.read() as connection:
            return {row.source: row.held for row in connection.execute(query)}

    def release_held(self, source: str) -> int:
        """See ports.Entries."""
        return self._move_held(source, ListingState.PENDING)

    def drop_held(self, source: str) -> int:
        """See ports.Entries."""
        return self._move_held(source, ListingState.DROPPED)

    def listed_days(self, since: date) -> Mapping[str, Mapping[date, int]]:
        """See ports.Entries."""
        day = type_coerce(listings.c.listed_at, BigInteger) // TICKS_A_DAY
        start = datetime.combine(since, time.min, tzinfo=UTC)
        query = (
            select(listings.c.source, day.label("day"), func.count().label("many"))
            .where(listings.c.listed_at >= start)
            .group_by(listings.c.source, day)
        )
        found: dict[str, dict[date, int]] = {}
        with self.database.read() as connection:
            for row in connection.execute(query):
                of_source = found.setdefault(row.source, {})
                of_source[_EPOCH + timedelta(days=row.day)] = row.many
        return found

    def _move_held(self, source: str, state: ListingState) -> int:
        is_held = listings.c.state == ListingState.HELD
        with self.database.write() as connection:
            lock(connection, "seq")
            moved = connection.execute(
                update(listings)
                .where(IS_WAITING, is_held, listings.c.source == source)
                .values(state=state)
            )
            return moved.rowcount

    def foresee(self, *, as_of: datetime, settle: Mapping[str, timedelta]) -> Released:
        """See ports.Entries."""
        with self.database.read() as connection:
            pending = read_pending(connection)
        due = frozenset(release_stage.due(pending, as_of=as_of, settle=settle))
        if not due:
            return self
        newest: dict[str, datetime] = {}
        for listing in pending:
            if listing.id in due:
                least = newest.get(listing.source, listing.listed_at)
                newest[listing.source] = max(least, listing.listed_at)
        return ForeseenRelease(released=self, as_of=as_of, newest=newest)

    def seq_at(self, instant: datetime) -> int:
        """See ports.Entries."""
        query = select(func.max(listings.c.seq)).where(
            listings.c.released_at <= instant
        )
        with self.database.read() as connection:
            return connection.scalar(query) or 0

    def first_release_at(self) -> datetime | None:
        """See ports.Entries."""
        with self.database.read() as connection:
            query = select(func.min(listings.c.released_at))
            first: datetime | None = connection.scalar(query)
        return first

    # --- reading ---

    def window(
        self, window: Window, *, source_order: Sequence[str]
    ) -> tuple[Candidate, ...]:
        """See ports.Entries."""
        with self.database.read() as connection:
            return read_window(connection, window, source_order=source_order)

    def wide(self, bounds: Window, *, source_order: Sequence[str]) -> WideRead:
        """See ports.Entries."""
        with self.database.read() as connection:
            return read_wide(connection, bounds, source_order=source_order)

    def versions(self, ids: Iterable[int]) -> Mapping[int, EntryVersion]:
        """See ports.Entries."""
        found: dict[int, EntryVersion] = {}
        with self.database.read() as connection:
            for block in blocks(ids):
                found |= read_versions(connection, block)
        return found

    def aliases_of(self, entry_ids: Iterable[int]) -> Mapping[int, frozenset[int]]:
        """See ports.Entries."""
        with self.database.read() as connection:
            return joins.aliases_of(connection, entry_ids)

    def listed_between(
        self, start: datetime, end: datetime, *, source_order: Sequence[str]
    ) -> tuple[Candidate, ...]:
        """See ports.Entries."""
        with self.database.read() as connection:
            return read_listed(connection, start, end, source_order=source_order)


def _put(
    handful: Handful, shown: Shown, named: Sequence[Named], as_of: datetime
) -> PutReport:
    arrivals = Arrivals(
        handful=handful,
        source=shown.source,
        as_of=as_of,
        seen_at=shown.seen_at,
        first=shown.first,
    )
    return Putting(handful=handful, arrivals=arrivals).run(named)
