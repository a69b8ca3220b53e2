"""What a profile would have brought, and what would have brought more or less.

Nothing is decided here: every figure is the evaluator's that weighs issues.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from newsletter.matching import documents, match_profile
from newsletter.matching.account import NearMiss, Share, account
from newsletter.matching.occurrence import Document, Wording
from newsletter.matching.reference import holds
from newsletter.matching.suggesting import Suggestion, suggest
from newsletter.matching.tree import positive_terms
from newsletter.model import Acronyms, Candidate, Match, Profile, Ranking, Term
from newsletter.ports import Entries

#: Titles that stand beside a near miss.
TITLES = 3
#: Terms of an interest that is one of several.
FEWER = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearly:
    """What would match as well without one piece of the profile."""

    #: The piece as it stands: ``AND robot*``, ``the mute survey``.
    what: str
    #: The interest that it is a piece of; empty: of none.
    within: str
    more: int
    #: The newest of them, at most three.
    titles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackTest:
    """What a profile would have brought."""

    #: Distinct entries listed in these days.
    weighed: int
    days: int
    #: Matches by the UTC day of their listing, every day present.
    per_day: Mapping[date, int]
    #: In rank order.
    matches: tuple[Match, ...]
    #: What each interest brought and each mute took away, in profile order.
    interests: tuple[Share, ...]
    mutes: tuple[Share, ...]
    #: The greatest first.
    nearly: tuple[Nearly, ...]
    #: Of each interest: terms that may be added to it.
    suggested: tuple[tuple[Suggestion, ...], ...]
    #: Where nothing matched: the terms that do not occur at all.
    absent: tuple[str, ...]


def back_test(
    profile: Profile,
    *,
    entries: Entries,
    as_of: datetime,
    days: int,
    ranking: Ranking,
    acronyms: Acronyms,
    source_order: Sequence[str],
) -> BackTest:
    """Weigh all that was listed in the *days* before *as_of* for *profile*."""
    start = as_of - timedelta(days=days)
    candidates = entries.listed_between(
        start, as_of + timedelta(microseconds=1), source_order=source_order
    )
    tokens = documents(candidates)
    matches = match_profile(
        profile,
        candidates,
        as_of=as_of,
        ranking=ranking,
        documents=tokens,
        acronyms=acronyms,
    )
    ids = {match.candidate.entry_id for match in matches}
    matched = frozenset(n for n, c in enumerate(candidates) if c.entry_id in ids)
    parts = account(profile, candidates, tokens, matched, acronyms=acronyms)
    counted = Counter(match.candidate.listed_at.date() for match in matches)
    every = (start.date() + timedelta(days=n) for n in range(days + 1))
    return BackTest(
        weighed=len(candidates),
        days=days,
        per_day={day: counted[day] for day in every},
        matches=matches,
        interests=parts.interests,
        mutes=parts.mutes,
        nearly=tuple(_nearly(miss, candidates) for miss in parts.near_misses),
        suggested=_suggested(profile, parts.interests, tokens),
        absent=_absent(profile, tokens, acronyms) if tokens and not matches else (),
    )


def _nearly(miss: NearMiss, candidates: Sequence[Candidate]) -> Nearly:
    missed = sorted((candidates[n] for n in miss.places), key=_newest_first)
    return Nearly(
        what=miss.what,
        within=miss.within,
        more=len(missed),
        titles=tuple(candidate.version.title for candidate in missed[:TITLES]),
    )


def _newest_first(candidate: Candidate) -> tuple[float, int]:
    return -candidate.listed_at.timestamp(), candidate.entry_id


def _suggested(
    profile: Profile, brought: Sequence[Share], tokens: Sequence[Document]
) -> tuple[tuple[Suggestion, ...], ...]:
    trees = [i.tree for i in profile.interests] + [m.tree for m in profile.mutes]
    known = tuple(
        term
        for tree in trees
        for is_positive in (True, False)
        for term in positive_terms(tree, positive=is_positive)
    )
    found = suggest(
        tokens, [share.places for share in brought], [known for _ in brought]
    )
    most = FEWER if len(brought) > 1 else None
    return tuple(terms[:most] for terms in found)


def _absent(
    profile: Profile, tokens: Sequence[Document], acronyms: Acronyms
) -> tuple[str, ...]:
    """Return the positive terms that occur nowhere, each once, as written."""
    terms: dict[str, Term] = {}
    for interest in profile.interests:
        for term in positive_terms(interest.tree):
            scope = f"{term.field}:" if term.field else ""
            terms.setdefault(scope + term.text, term)
    wording = Wording(stem=profile.stem, acronyms=acronyms)
    return tuple(
        written
        for written, term in terms.items()
        if not any(holds(term, document, wording) for document in tokens)
    )
