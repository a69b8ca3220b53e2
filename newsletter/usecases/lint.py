"""What a profile brought lately, and what in it is of no use.

Nothing here decides what a query means: each interest and each mute is weighed
by itself, by the evaluator that weighs issues, over the entries of some days.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from functools import cached_property

from newsletter.matching import Document, documents, match_profile
from newsletter.matching.tree import positive_terms, to_text
from newsletter.model import (
    NO_ACRONYMS,
    Acronyms,
    Candidate,
    Field,
    Interest,
    Match,
    Mute,
    Profile,
    Ranking,
    Term,
)

#: An interest that matches more of everything than this hides the others.
TOO_MUCH = 1 / 3
#: Below so many entries nothing can be said of shares.
ENOUGH = 30
#: Titles that are shown of an interest.
BEST = 3
#: Letters that a prefix may lose against the word that was written.
SHORTER = 4
_SHORTEST_PREFIX = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What one interest or mute matched."""

    query: str
    #: Shown as its name.
    label: str
    is_mute: bool
    matched: int
    #: Titles, best first.
    best: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something about a profile that its owner may want to change."""

    about: str
    what: str
    #: What to do.
    cure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lint:
    """What a profile did over some days."""

    #: Distinct entries of these days.
    weighed: int
    #: What the whole profile matched.
    matched: int
    brought: tuple[Brought, ...]
    remarks: tuple[Remark, ...]


def lint(
    profile: Profile,
    candidates: Sequence[Candidate],
    *,
    as_of: datetime,
    ranking: Ranking,
    sources: Sequence[str],
    acronyms: Acronyms = NO_ACRONYMS,
) -> Lint:
    """Return what *profile* matched among *candidates*, and what is odd about it.

    Args:
        profile: Whose interests and mutes are weighed one by one.
        candidates: The entries of some days.
        as_of: What freshness counts from.
        ranking: What a place is worth.
        sources: Names of the sources that there are.
        acronyms: Short forms that find their long ones.
    """
    return _Linter(
        profile=profile,
        candidates=tuple(candidates),
        as_of=as_of,
        ranking=ranking,
        sources=tuple(sources),
        acronyms=acronyms,
    ).run()


@dataclass(frozen=True, kw_only=True)
class _Linter:
    profile: Profile
    candidates: tuple[Candidate, ...]
    as_of: datetime
    ranking: Ranking
    sources: tuple[str, ...]
    acronyms: Acronyms
    #: Entry ids that each query matched.
    found: dict[str, frozenset[int]] = field(default_factory=dict)

    @cached_property
    def tokens(self) -> tuple[Document, ...]:
        return documents(self.candidates)

    def run(self) -> Lint:
        """Weigh everything once."""
        brought = [self._brought(i) for i in self.profile.interests]
        brought += [self._brought(m) for m in self.profile.mutes]
        remarks = [
            *self._of_interests(),
            *self._of_mutes(),
            *self._of_limits(),
        ]
        return Lint(
            weighed=len(self.candidates),
            matched=len(self._matches(self.profile)),
            brought=tuple(brought),
            remarks=tuple(remarks) if self.candidates else (),
        )

    def _matches(self, profile: Profile) -> tuple[Match, ...]:
        return match_profile(
            profile,
            self.candidates,
            as_of=self.as_of,
            ranking=self.ranking,
            documents=self.tokens,
            acronyms=self.acronyms,
        )

    def _alone(self, query: Interest | Mute) -> Profile:
        interest = Interest(query=query.query, tree=query.tree)
        return Profile(interests=(interest,), stem=self.profile.stem)

    def _brought(self, query: Interest | Mute) -> Brought:
        matches = self._matches(self._alone(query))
        self.found[query.query] = frozenset(m.candidate.entry_id for m in matches)
        is_mute = isinstance(query, Mute)
        return Brought(
            query=query.query,
            label=query.query if isinstance(query, Mute) else query.label,
            is_mute=is_mute,
            matched=len(matches),
            best=tuple(m.candidate.version.title for m in matches[:BEST]),
        )

    # --- interests ---

    def _of_interests(self) -> Iterator[Remark]:
        first: dict[str, str] = {}
        for interest in self.profile.interests:
            earlier = first.setdefault(_sense(interest), interest.query)
            if earlier is not interest.query:
                yield Remark(
                    about=interest.query,
                    what=f"says the same as {earlier}",
                    cure="leave one of the two out",
                )
                continue
            found = self.found[interest.query]
            yield from self._of_terms(interest, is_silent=not found)
            if found:
                yield from self._of_share(interest, found)
                yield from self._of_cover(interest, found)

    def _of_terms(self, interest: Interest, *, is_silent: bool) -> Iterator[Remark]:
        """Say which terms never occur, or that they never do so together."""
        absent = [t for t in positive_terms(interest.tree) if not self._occurs(t)]
        for term in absent:
            yield Remark(
                about=interest.query,
                what=f"{_written(term)} does not occur",
                cure=self._instead(term),
            )
        if is_silent and not absent:
            yield Remark(
                about=interest.query,
                what="matched nothing: its terms occur, never together",
                cure="ask for less at once (OR instead of AND)",
            )

    def _of_share(self, interest: Interest, found: frozenset[int]) -> Iterator[Remark]:
        share = len(found) / len(self.candidates)
        if len(self.candidates) >= ENOUGH and share > TOO_MUCH:
            yield Remark(
                about=interest.query,
                what=f"matched {share:.0%} of everything",
                cure="ask for more at once (AND), or for a phrase in quotes",
            )

    def _of_cover(self, interest: Interest, found: frozenset[int]) -> Iterator[Remark]:
        for other in self.profile.interests:
            if other is not interest and found < self.found[other.query]:
                yield Remark(
                    about=interest.query,
                    what=f"all that it matched is matched by {other.query} too",
                    cure="it still ranks higher what both match; else leave it out",
                )
                return

    # --- mutes and limits ---

    def _of_mutes(self) -> Iterator[Remark]:
        for mute in self.profile.mutes:
            if not self.found[mute.query]:
                yield Remark(
                    about=mute.query,
                    what="this mute matched nothing",
                    cure="nothing to do, unless it is misspelt",
                )
        muted: frozenset[int] = frozenset().union(
            *(self.found[mute.query] for mute in self.profile.mutes)
        )
        for interest in self.profile.interests:
            found = self.found[interest.query]
            if found and found <= muted:
                yield Remark(
                    about=interest.query,
                    what="all that it matched is muted",
                    cure="make the mutes narrower, or leave the interest out",
                )

    def _of_limits(self) -> Iterator[Remark]:
        most = max((c.votes or 0 for c in self.candidates), default=0)
        if self.profile.min_votes > most:
            yield Remark(
                about=f"min_votes = {self.profile.min_votes}",
                what=f"nothing had so many votes; the most were {most}",
                cure="lower it, or follow a source that has votes",
            )

    # --- terms ---

    def _occurs(self, term: Term) -> bool:
        alone = Profile(interests=(_as_interest(term),), stem=self.profile.stem)
        return bool(self._matches(alone))

    def _instead(self, term: Term) -> str:
        """Return what to write instead of a term that never occurs."""
        if term.field is Field.SOURCE:
            return f"the sources are {', '.join(self.sources) or 'none'}"
        near = self._prefix(term) or self._near(term)
        return f"did you mean {near}?" if near else "look at its spelling, or wait"

    def _prefix(self, term: Term) -> str | None:
        """Return the shortest cut of a word that does occur: diffusing, diffus*."""
        word = term.tokens[-1]
        if term.prefix or not word.isalpha():
            return None
        for cut in range(SHORTER + 1):
            stem = word[: len(word) - cut]
            if len(stem) < _SHORTEST_PREFIX:
                return None
            wider = Term(
                text=f"{stem}*",
                tokens=(*term.tokens[:-1], stem),
                field=term.field,
                prefix=True,
            )
            if self._occurs(wider):
                return _written(wider)
        return None

    def _near(self, term: Term) -> str | None:
        """Return a word that is spelt nearly like it and does occur."""
        if len(term.tokens) != 1:
            return None
        found = get_close_matches(term.tokens[0], self._vocabulary, n=1, cutoff=0.8)
        return _scoped(term, found[0]) if found else None

    @cached_property
    def _vocabulary(self) -> tuple[str, ...]:
        words: dict[str, None] = {}
        for candidate in self.candidates:
            for (
                word
            ) in f"{candidate.version.title} {candidate.version.summary}".split():
                words[word.strip(".,;:!?()[]\"'").casefold()] = None
        return tuple(word for word in words if word)


def _sense(interest: Interest) -> str:
    """Return what is equal for interests that mean the same."""
    return to_text(interest.tree).casefold()


def _as_interest(term: Term) -> Interest:
    return Interest(query=term.text, tree=term)


def _scoped(term: Term, text: str) -> str:
    return f"{term.field}:{text}" if term.field else text


def _written(term: Term) -> str:
    """Return a term as one writes it."""
    text = " ".join(term.tokens) + ("*" if term.prefix else "")
    if term.exact:
        return _scoped(term, f'"{text}"=')
    return _scoped(term, f'"{text}"' if len(term.tokens) > 1 else text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What another profile would change."""

    #: Keys whose values differ: (key, before, after).
    keys: tuple[tuple[str, str, str], ...]
    #: Titles that would come as well, best first.
    gained: tuple[str, ...]
    #: Titles that would come no more, best first.
    lost: tuple[str, ...]
    #: Matches of both.
    kept: int


def compare(
    before: Profile,
    after: Profile,
    candidates: Sequence[Candidate],
    *,
    as_of: datetime,
    ranking: Ranking,
    acronyms: Acronyms = NO_ACRONYMS,
) -> Difference:
    """Return what changes where *after* takes the place of *before*."""
    tokens = documents(candidates)

    def matched(profile: Profile) -> Mapping[int, str]:
        found = match_profile(
            profile,
            candidates,
            as_of=as_of,
            ranking=ranking,
            documents=tokens,
            acronyms=acronyms,
        )
        return {m.candidate.entry_id: m.candidate.version.title for m in found}

    old, new = matched(before), matched(after)
    return Difference(
        keys=tuple(_keys(before, after)),
        gained=tuple(title for n, title in new.items() if n not in old),
        lost=tuple(title for n, title in old.items() if n not in new),
        kept=len(old.keys() & new.keys()),
    )


def _keys(before: Profile, after: Profile) -> Iterator[tuple[str, str, str]]:
    for key in ("interests", "mutes"):
        yield from _queries(key, getattr(before, key), getattr(after, key))
    for key in (
        "order",
        "sections",
        "max_items",
        "min_votes",
        "stem",
        "fill",
        "skip_empty",
    ):
        old, new = getattr(before, key), getattr(after, key)
        if old != new:
            yield key, str(old), str(new)


def _queries(
    key: str, before: Sequence[Interest | Mute], after: Sequence[Interest | Mute]
) -> Iterator[tuple[str, str, str]]:
    """Yield queries that went, and queries that came."""
    for query in before:
        if query not in after:
            yield key, _told(query), ""
    for query in after:
        if query not in before:
            yield key, "", _told(query)
    if set(before) == set(after) and tuple(before) != tuple(after):
        old, new = (", ".join(map(_told, queries)) for queries in (before, after))
        yield f"order of {key}", old, new


def _told(query: Interest | Mute) -> str:
    if isinstance(query, Mute):
        return query.query
    name = f" ({query.name})" if query.name else ""
    weight = f" ^{query.weight}" if query.weight != 1 else ""
    return f"{query.query}{name}{weight}"
