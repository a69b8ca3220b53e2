"""Many readers' windows out of one read of the store.

    wide read:    all entries that any due reader's window may hold,
                  with every listing of each          e7: seq 3, 9   e8: seq 5
    window (4,9]: e7 as listed by 9, seen before (3); e8
    window (0,9]: e7 as listed by 9 or 3, the newer;  e8

An entry looks different from window to window in two ways only: the newest
``listed_at`` within it, and whether it was released before it. Each look is a
*column*; a window is the columns that it holds, and many windows hold the same.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import accumulate

from newsletter.model import Candidate, Window

#: An empty view, and who has it weighs nothing.
NOTHING = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One released listing: whose it is, and where it stands in the order."""

    entry_id: int
    seq: int
    listed_at: datetime
    released_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WideRead:
    """What one read of the store brought."""

    #: Every window within these bounds, of the same ``until``, can be told.
    bounds: Window
    #: As of ``bounds``, by entry id.
    candidates: tuple[Candidate, ...]
    #: Every listing of these entries with seq <= ``until``, by seq.
    places: tuple[Place, ...]

    def holds(self, window: Window) -> bool:
        """Tell whether *window*'s candidates can be told from this read."""
        bounds = self.bounds
        if window.until != bounds.until or window.after < bounds.after:
            return False
        if bounds.not_before is None:
            return True
        return window.not_before is not None and window.not_before >= bounds.not_before


@dataclass(slots=True)
class Columns:
    """The looks of a wide read's entries, and the windows that hold them.

    Grows as it is asked for windows; a column keeps its number.
    """

    read: WideRead
    #: By column.
    candidates: list[Candidate] = field(default_factory=list)
    #: By view: the columns that it holds, by entry id; each entry once.
    views: list[tuple[int, ...]] = field(default_factory=lambda: [()])
    _numbers: dict[tuple[int, datetime, bool], int] = field(default_factory=dict)
    _known: dict[tuple[int, int], int] = field(default_factory=dict)
    _by_entry: dict[int, Candidate] = field(init=False)
    _seqs: list[int] = field(init=False)
    _releases: list[datetime] = field(init=False)
    #: By place: the earliest release from there on.
    _earliest: list[datetime] = field(init=False)

    def __post_init__(self) -> None:
        """Index the read's places."""
        places = self.read.places
        self._by_entry = {c.entry_id: c for c in self.read.candidates}
        self._seqs = [place.seq for place in places]
        self._releases = sorted({place.released_at for place in places})
        backwards = accumulate((p.released_at for p in reversed(places)), min)
        self._earliest = [*backwards][::-1]

    def view(self, window: Window) -> int:
        """Return the number of the view that *window* has.

        Args:
            window: Within the read's bounds, or one that ends where it begins.
        """
        start = bisect_right(self._seqs, window.after)
        if start == len(self._seqs):
            return NOTHING
        key = (start, self._limit(start, window.not_before))
        if key not in self._known:
            self._known[key] = len(self.views)
            self.views.append(self._columns_of(*key))
        return self._known[key]

    def _limit(self, start: int, not_before: datetime | None) -> int:
        """Return which release is the first that counts; 0: all do.

        The places from *start* on decide: what was released long ago limits
        nothing where the window holds only what is newer.
        """
        if not_before is None or not_before <= self._earliest[start]:
            return 0
        return bisect_left(self._releases, not_before)

    def _columns_of(self, start: int, limit: int) -> tuple[int, ...]:
        """Return the columns of the places from *start* on, released late enough."""
        places = self.read.places
        newest: dict[int, datetime] = {}
        least = self._releases[limit] if limit < len(self._releases) else None
        for place in places[start:]:
            if least is not None and place.released_at >= least:
                known = newest.get(place.entry_id, place.listed_at)
                newest[place.entry_id] = max(known, place.listed_at)
        before = {place.entry_id for place in places[:start]}
        return tuple(
            self._column(entry, newest[entry], entry in before)
            for entry in sorted(newest)
        )

    def _column(self, entry_id: int, listed_at: datetime, seen_before: bool) -> int:  # noqa: FBT001 - a part of the column's name
        key = (entry_id, listed_at, seen_before)
        if key not in self._numbers:
            self._numbers[key] = len(self.candidates)
            look = replace(
                self._by_entry[entry_id], listed_at=listed_at, seen_before=seen_before
            )
            self.candidates.append(look)
        return self._numbers[key]


def bounds_of(windows: Sequence[Window]) -> Window:
    """Return the least window that holds all of *windows*, of one ``until``."""
    limits = [window.not_before for window in windows]
    known = [limit for limit in limits if limit is not None]
    return Window(
        after=min(window.after for window in windows),
        until=windows[0].until,
        not_before=min(known) if len(known) == len(limits) else None,
    )
