"""Many profiles against many windows: what is asked, and what answers it.

A *book* holds profiles; it makes a batch of *columns* (entries, as some
windows see them) and *views* (which columns a window holds) ready to be asked
of. What it answers is what the reference evaluator finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from newsletter.composing import MORE_TITLES, compose
from newsletter.model import (
    Candidate,
    IssueItem,
    Match,
    Profile,
    Ranking,
    Reasons,
    Sections,
    Selection,
)
from newsletter.selecting import item_of
from newsletter.windows import Columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What composing needs of a profile."""

    max_items: int
    sections: Sections = Sections.NONE
    skip_empty: bool = True
    fill: bool = False

    @classmethod
    def of(cls, profile: Profile) -> Limits:
        """Return the limits of *profile*."""
        return cls(
            max_items=profile.max_items,
            sections=profile.sections,
            skip_empty=profile.skip_empty,
            fill=profile.fill,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What does a profile find in a view?"""

    profile_hash: str
    view: int
    #: Columns of the view that are left out: the reader got these entries before.
    excluded: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How many columns match, and which are the best."""

    matched: int
    #: Best first: the cards and the titles after them, or all where they are fewer.
    columns: tuple[int, ...]


class Weighed(Protocol):
    """A batch of columns and views, ready to be asked of."""

    def before(self, asks: Sequence[Ask]) -> Sequence[tuple[int, ...]]:
        """Return for each the matching columns that were seen before."""

    def best(self, asks: Sequence[Ask]) -> Sequence[Found]:
        """Return for each what ``match_profile`` finds, less what is excluded."""

    def interests(
        self, profile_hash: str, columns: Sequence[int]
    ) -> Sequence[int | None]:
        """Return for each column the profile's first interest that holds, by place."""


class Book(Protocol):
    """Profiles that can be weighed against a batch."""

    def limits(self, hashes: Iterable[str]) -> Mapping[str, Limits]:
        """Open the profiles of those hashes; unknown ones are left out.

        A batch may then be asked about them.
        """

    def profile(self, profile_hash: str) -> Profile:
        """Return an opened profile as it was written."""

    def weigh(
        self,
        candidates: Sequence[Candidate],
        views: Sequence[Sequence[int]],
        *,
        as_of: datetime,
        ranking: Ranking,
    ) -> Weighed:
        """Return *candidates* as the columns of a batch.

        Args:
            candidates: One a column; an entry may stand in several.
            views: Columns that are weighed together, each entry once.
            as_of: What freshness counts from.
            ranking: What each place is worth.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """What an issue shows, by the ledger's references."""

    #: Cards in reading order, each with the heading that it stands under.
    items: tuple[IssueItem, ...] = ()
    headings: tuple[str, ...] = ()
    #: The titles after them.
    more: tuple[IssueItem, ...] = ()
    #: The first card's title. None: there is no card.
    best: str | None = None


class Batch:
    """Columns and views as they were weighed, and what is shown of them."""

    def __init__(
        self, columns: Columns, book: Book, *, as_of: datetime, ranking: Ranking
    ) -> None:
        """Have *columns* weighed as they are now; those to come are not in it."""
        self.columns = columns
        self.candidates = tuple(columns.candidates)
        self.weighed = book.weigh(
            self.candidates, columns.views, as_of=as_of, ranking=ranking
        )
        #: By view: whether an entry of it was released before.
        self.has_old = [
            any(self.candidates[column].seen_before for column in view)
            for view in columns.views
        ]
        self._book = book
        self._items = [item_of(candidate) for candidate in self.candidates]
        self._numbers = {id(c): number for number, c in enumerate(self.candidates)}

    @property
    def is_whole(self) -> bool:
        """Tell whether no column or view came since."""
        known = (len(self.candidates), len(self.has_old))
        return known == (len(self.columns.candidates), len(self.columns.views))

    def refer(self, ask: Ask, limits: Limits, columns: Sequence[int]) -> References:
        """Return what of *columns*, best first, an issue shows.

        The same as composing and ``selecting.refer`` make of the matches.
        """
        if limits.sections is not Sections.NONE:
            return self._in_sections(ask, limits, columns)
        shown = columns[: limits.max_items]
        items = self._items
        return References(
            items=tuple([items[column] for column in shown]),
            headings=("",) * len(shown),
            more=tuple([items[column] for column in self._rest(limits, columns)]),
            best=self.candidates[shown[0]].version.title if shown else None,
        )

    @staticmethod
    def _rest(limits: Limits, columns: Sequence[int]) -> Sequence[int]:
        return columns[limits.max_items : limits.max_items + MORE_TITLES]

    def _in_sections(
        self, ask: Ask, limits: Limits, columns: Sequence[int]
    ) -> References:
        profile = self._book.profile(ask.profile_hash)
        firsts: Sequence[int | None] = [None] * len(columns)
        if limits.sections is Sections.INTEREST:
            firsts = self.weighed.interests(ask.profile_hash, columns)
        matches = [
            self._match(profile, column, first)
            for column, first in zip(columns, firsts, strict=True)
        ]
        composed = compose(matches, profile=profile, new=len(matches))
        if not isinstance(composed, Selection):
            return References()
        return References(
            items=tuple(self._item(match) for match in composed.matches),
            headings=tuple(
                section.heading
                for section in composed.sections
                for _ in section.matches
            ),
            more=tuple(self._item(match) for match in composed.more),
            best=next((m.candidate.version.title for m in composed.matches), None),
        )

    def _match(self, profile: Profile, column: int, first: int | None) -> Match:
        """Return as much of a match as composing looks at."""
        labels = () if first is None else (profile.interests[first].label,)
        return Match(
            candidate=self.candidates[column],
            score=0,
            reasons=Reasons(interests=labels),
        )

    def _item(self, match: Match) -> IssueItem:
        return self._items[self._numbers[id(match.candidate)]]
