"""What each interest and each mute of a profile does, and what it nearly did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from newsletter.matching.dropping import Dropping, Path
from newsletter.matching.occurrence import Document, Wording
from newsletter.matching.reference import holds
from newsletter.model import (
    NO_ACRONYMS,
    Acronyms,
    Candidate,
    Interest,
    Mute,
    Profile,
    Query,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one interest brought, or one mute took away."""

    #: The interest's name, else the query.
    label: str
    #: Places in the archive; of a mute, what would match without any mute.
    places: frozenset[int]
    #: For how many of them no other interest, or no other mute, does the same.
    alone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """One piece of a profile that alone kept entries out."""

    #: As it stands: ``AND robot*``, ``NOT survey``, ``the mute survey``.
    what: str
    #: The label of the interest that it is a piece of; empty: it is of none.
    within: str = ""
    #: What the profile would match as well: places in the archive.
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a profile's parts did over an archive."""

    interests: tuple[Share, ...]
    mutes: tuple[Share, ...]
    #: The greatest first; none without entries.
    near_misses: tuple[NearMiss, ...]


def account(
    profile: Profile,
    candidates: Sequence[Candidate],
    documents: Sequence[Document],
    matched: frozenset[int],
    *,
    acronyms: Acronyms = NO_ACRONYMS,
) -> Account:
    """Return what the parts of *profile* did, each counted exactly.

    Args:
        profile: Interests, mutes and ``min_votes``.
        candidates: The archive.
        documents: *candidates*, tokenised.
        matched: Places in *candidates*: what the profile matches.
        acronyms: Short forms that find their long ones, in a profile with stems.
    """
    found = _Accountant(
        profile=profile,
        wording=Wording(stem=profile.stem, acronyms=acronyms),
        droppings=tuple(Dropping.of(i.tree) for i in profile.interests),
    )
    for place, document in enumerate(documents):
        if place in matched:
            found.add_matched(place, document)
        else:
            votes = candidates[place].votes or 0
            found.add(place, document, lacks_votes=votes < profile.min_votes)
    return found.account()


#: A piece (its interest, then its path), a mute, or (None) ``min_votes``.
_Obstacle = Path | int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Accountant:
    profile: Profile
    wording: Wording
    #: Of each interest.
    droppings: tuple[Dropping, ...]
    #: Entry -> which interests brought it, which mutes took it away.
    brought: dict[int, list[int]] = field(default_factory=dict)
    muted: dict[int, list[int]] = field(default_factory=dict)
    missed: defaultdict[_Obstacle, list[int]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def add(self, place: int, document: Document, *, lacks_votes: bool) -> None:
        """Take in an entry that is not matched."""
        mutes = self._true_of(document, self.profile.mutes)
        obstacles = len(mutes) + lacks_votes
        if not obstacles:
            for obstacle in self._pieces(document):
                self.missed[obstacle].append(place)
        elif self._is_wanted(document):
            if not lacks_votes:
                self.muted[place] = mutes
            if obstacles == 1:
                self.missed[mutes[0] if mutes else None].append(place)

    def add_matched(self, place: int, document: Document) -> None:
        """Take in an entry that is matched."""
        self.brought[place] = self._true_of(document, self.profile.interests)

    def account(self) -> Account:
        """Return what came of all entries."""
        missed = sorted(
            self.missed.items(), key=lambda item: (-len(item[1]), _standing(item[0]))
        )
        return Account(
            interests=_shares([i.label for i in self.profile.interests], self.brought),
            mutes=_shares([m.query for m in self.profile.mutes], self.muted),
            near_misses=tuple(self._near_miss(*item) for item in missed),
        )

    def _pieces(self, document: Document) -> Iterator[_Obstacle]:
        for n, dropping in enumerate(self.droppings):
            if dropping.pieces:
                for path in dropping.culprits(partial(self._holds, document)):
                    yield (n, *path)

    def _holds(self, document: Document, query: Query) -> bool:
        return holds(query, document, self.wording)

    def _true_of(
        self, document: Document, queries: Sequence[Interest | Mute]
    ) -> list[int]:
        """Return which of *queries* are true of an entry."""
        return [n for n, each in enumerate(queries) if self._holds(document, each.tree)]

    def _is_wanted(self, document: Document) -> bool:
        interests = self.profile.interests
        return not interests or any(
            self._holds(document, each.tree) for each in interests
        )

    def _near_miss(self, obstacle: _Obstacle, places: Sequence[int]) -> NearMiss:
        within = ""
        if obstacle is None:
            what = f"min_votes = {self.profile.min_votes}"
        elif isinstance(obstacle, int):
            what = f"the mute {self.profile.mutes[obstacle].query}"
        else:
            interest, *path = obstacle
            within = self.profile.interests[interest].label
            pieces = self.droppings[interest].pieces
            what = next(piece.text for piece in pieces if piece.path == tuple(path))
        return NearMiss(what=what, within=within, places=tuple(places))


def _standing(obstacle: _Obstacle) -> tuple[int, Path]:
    """Return where an obstacle stands in its profile, to be sorted by."""
    if obstacle is None:
        return 2, ()
    return (1, (obstacle,)) if isinstance(obstacle, int) else (0, obstacle)


def _shares(
    labels: Sequence[str], by_place: Mapping[int, Sequence[int]]
) -> tuple[Share, ...]:
    return tuple(
        Share(
            label=label,
            places=frozenset(p for p, which in by_place.items() if n in which),
            alone=sum(list(which) == [n] for which in by_place.values()),
        )
        for n, label in enumerate(labels)
    )
