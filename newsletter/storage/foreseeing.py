"""What releasing would come to, computed instead of done.

All that is due at one instant gets the next places in one go, so in every
window it stands together, at the end: which of its places each listing gets
decides nothing. Of one source, what is due is what was listed up to some
instant (see release.due), so a handful of conditions names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from newsletter.model import Candidate, ListingState, PendingListing, Window
from newsletter.ports import Released
from newsletter.storage.database import Database
from newsletter.storage.schema import IS_WAITING, listings
from newsletter.storage.windows import read_window

_IS_PENDING = and_(IS_WAITING, listings.c.state == ListingState.PENDING)


def read_pending(connection: Connection) -> list[PendingListing]:
    """Return the listings that wait for their time."""
    query = select(listings.c.id, listings.c.source, listings.c.listed_at)
    return [
        PendingListing(id=row.id, source=row.source, listed_at=row.listed_at)
        for row in connection.execute(query.where(_IS_PENDING))
    ]


class _Stored(Released, Protocol):
    """What was really released, and where that is."""

    @property
    def database(self) -> Database: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeseenRelease:
    """Implements ports.Released as if what is due had been released."""

    released: _Stored
    as_of: datetime
    #: Per source that has something due: when its last one was listed.
    newest: Mapping[str, datetime]

    def seq_at(self, instant: datetime) -> int:
        """See ports.Released; all that is due has one place, the next."""
        last = self.released.seq_at(instant)
        return last + 1 if instant >= self.as_of else last

    def first_release_at(self) -> datetime | None:
        """See ports.Released."""
        first = self.released.first_release_at()
        return self.as_of if first is None else min(first, self.as_of)

    def window(
        self, window: Window, *, source_order: Sequence[str]
    ) -> tuple[Candidate, ...]:
        """See ports.Released."""
        with self.released.database.read() as connection:
            return read_window(
                connection, window, source_order=source_order, foreseen=self._is_due()
            )

    def _is_due(self) -> ColumnElement[bool]:
        is_ripe = (
            and_(listings.c.source == source, listings.c.listed_at <= newest)
            for source, newest in self.newest.items()
        )
        return and_(_IS_PENDING, or_(*is_ripe))
