"""The reference evaluator: slow, obviously right, and the oracle for ever.

It walks the query tree over tokens. What a term looks for is its leaf: it
occurs in an entry where the tokens of one of its patterns stand in a row
within one value of one of its fields; the last one may be a prefix. Patterns
of stems are compared with the stems of title and summary.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum
from functools import lru_cache

from newsletter.matching.occurrence import (
    Document,
    Wording,
    document_of,
    documents,
    fields_of,
    occurs,
    places,
    prominence,
)
from newsletter.matching.terms import ANYWHERE, Leaf
from newsletter.matching.tree import positive_terms
from newsletter.model import (
    NO_ACRONYMS,
    Acronyms,
    And,
    Candidate,
    Field,
    Match,
    Mute,
    Not,
    Order,
    Profile,
    Query,
    Ranking,
    Reasons,
    ScorePart,
    Term,
)

__all__ = [
    "Document",
    "Objection",
    "ObjectionKind",
    "documents",
    "entry_millis",
    "explain",
    "has_votes",
    "holds",
    "match_profile",
    "muting",
    "objection",
    "rank",
    "term_millis",
    "weighed_terms",
    "worth_of",
]

#: The same digits on every machine.
_CONTEXT = Context(prec=28, rounding=ROUND_HALF_EVEN)


class ObjectionKind(StrEnum):
    """Why an entry does not concern a profile."""

    #: No interest asks for it.
    UNMATCHED = "unmatched"
    #: A mute leaves it out.
    MUTED = "muted"
    #: It has less than ``min_votes``.
    FEW_VOTES = "few votes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """Why an entry does not concern a profile, and what says so."""

    kind: ObjectionKind
    #: The mute, as written; empty: it is none.
    mute: str = ""


def match_profile(
    profile: Profile,
    candidates: Sequence[Candidate],
    *,
    as_of: datetime,
    ranking: Ranking,
    documents: Sequence[Document] | None = None,
    acronyms: Acronyms = NO_ACRONYMS,
) -> tuple[Match, ...]:
    """Return all that *profile* matches, in its order, best first.

    Less what a mute or ``min_votes`` leaves out; not cut to ``max_items``.

    Args:
        profile: Without interests, everything matches.
        candidates: Distinct entries.
        as_of: What freshness counts from.
        ranking: What each place is worth.
        documents: *candidates* tokenised; made here where it is None.
        acronyms: Short forms that find their long ones, in a profile with stems.
    """
    tokenised = documents if documents is not None else _documents(candidates)
    wording = Wording(stem=profile.stem, acronyms=acronyms)
    found = [
        _match(
            profile, candidate, document, wording=wording, as_of=as_of, ranking=ranking
        )
        for candidate, document in zip(candidates, tokenised, strict=True)
        if _concerns(profile, candidate, document, wording)
    ]
    return tuple(sorted(found, key=lambda match: rank(profile.order, match)))


#: ``match_profile`` has an argument of that name.
_documents = documents
#: To the letter.
_LITERAL = Wording()


def explain(
    profile: Profile,
    candidate: Candidate,
    *,
    as_of: datetime,
    ranking: Ranking,
    acronyms: Acronyms = NO_ACRONYMS,
) -> Match:
    """Return the match of one candidate, score and reasons, matching or not."""
    return _match(
        profile,
        candidate,
        document_of(candidate),
        wording=Wording(stem=profile.stem, acronyms=acronyms),
        as_of=as_of,
        ranking=ranking,
    )


def holds(query: Query, document: Document, wording: Wording = _LITERAL) -> bool:
    """Tell whether *query* is true of *document*."""
    if isinstance(query, Term):
        return occurs(wording.leaf(query), document)
    if isinstance(query, Not):
        return not holds(query.operand, document, wording)
    values = (holds(operand, document, wording) for operand in query.operands)
    return all(values) if isinstance(query, And) else any(values)


def objection(
    profile: Profile,
    candidate: Candidate,
    document: Document,
    *,
    acronyms: Acronyms = NO_ACRONYMS,
) -> Objection | None:
    """Return why *candidate* does not concern *profile*. None: it does.

    What no interest asks for is not said to be muted or short of votes.
    """
    wording = Wording(stem=profile.stem, acronyms=acronyms)
    if not _is_wanted(profile, document, wording):
        return Objection(kind=ObjectionKind.UNMATCHED)
    mute = muting(profile, document, wording)
    if mute is not None:
        return Objection(kind=ObjectionKind.MUTED, mute=mute.query)
    if not has_votes(profile, candidate):
        return Objection(kind=ObjectionKind.FEW_VOTES)
    return None


def _concerns(
    profile: Profile, candidate: Candidate, document: Document, wording: Wording
) -> bool:
    # As ``objection``, cheapest first: this runs for every reader and entry.
    return (
        has_votes(profile, candidate)
        and muting(profile, document, wording) is None
        and _is_wanted(profile, document, wording)
    )


def has_votes(profile: Profile, candidate: Candidate) -> bool:
    """Tell whether *candidate* has as many votes as *profile* asks for."""
    return (candidate.votes or 0) >= profile.min_votes


def muting(profile: Profile, document: Document, wording: Wording) -> Mute | None:
    """Return the first mute that holds. None: none does."""
    mutes = profile.mutes
    return next((m for m in mutes if holds(m.tree, document, wording)), None)


def _is_wanted(profile: Profile, document: Document, wording: Wording) -> bool:
    interests = profile.interests
    return not interests or any(holds(i.tree, document, wording) for i in interests)


def rank(order: Order, match: Match) -> tuple[float, ...]:
    """Return what *match* is sorted by: the best has the smallest."""
    candidate = match.candidate
    votes, listed = candidate.votes or 0, candidate.listed_at.timestamp()
    relevance = (-match.score, -votes, -listed, candidate.entry_id)
    if order is Order.VOTES:
        return (-votes, *relevance)
    return (-listed, *relevance) if order is Order.NEWEST else relevance


# --- score and reasons ----------------------------------------------------------


def _match(
    profile: Profile,
    candidate: Candidate,
    document: Document,
    *,
    wording: Wording,
    as_of: datetime,
    ranking: Ranking,
) -> Match:
    terms = weighed_terms(profile, acronyms=wording.acronyms)
    leaves = [wording.leaf(term) for term, _ in terms]
    parts: list[ScorePart] = []
    for (term, weight), leaf in zip(terms, leaves, strict=True):
        parts += _parts(term.text, leaf, weight, document, ranking)
    reasons = Reasons(
        interests=tuple(
            i.label for i in profile.interests if holds(i.tree, document, wording)
        ),
        parts=tuple(parts),
        votes_millis=_votes(candidate.votes or 0, ranking.votes),
        freshness_millis=_freshness(
            as_of - candidate.listed_at, ranking.half_life, ranking.freshness
        ),
        title_places=places(leaves, candidate.version.title, Field.TITLE),
        summary_places=places(leaves, candidate.version.summary, Field.SUMMARY),
    )
    score = sum(part.millis for part in parts)
    return Match(
        candidate=candidate,
        score=score + reasons.votes_millis + reasons.freshness_millis,
        reasons=reasons,
    )


def weighed_terms(
    profile: Profile, *, acronyms: Acronyms = NO_ACRONYMS
) -> tuple[tuple[Term, Decimal], ...]:
    """Return each distinct positive term with its greatest weight, as first met.

    Terms are the same where their leaves are; a term's weight is its own times
    its interest's.
    """
    wording = Wording(stem=profile.stem, acronyms=acronyms)
    found: dict[Leaf, tuple[Term, Decimal]] = {}
    for interest in profile.interests:
        for term in positive_terms(interest.tree):
            leaf = wording.leaf(term)
            weight = interest.weight * term.weight
            if leaf not in found or weight > found[leaf][1]:
                found[leaf] = (term, weight)
    return tuple(found.values())


def _parts(
    text: str, leaf: Leaf, weight: Decimal, document: Document, ranking: Ranking
) -> Iterator[ScorePart]:
    """Yield a term's share by field; together they are the leaf's worth.

    The product over all fields is rounded once; the shares before the last
    are rounded by themselves, and the last one is what remains.
    """
    worth = worth_of(leaf, document, ranking)
    left = _millis(weight * sum(worth.values(), Decimal(0)))
    fields = list(worth)
    for field in fields:
        share = left if field == fields[-1] else _millis(weight * worth[field])
        left -= share
        yield ScorePart(field=field, term=text, millis=share)


def worth_of(
    leaf: Leaf, document: Document, ranking: Ranking
) -> Mapping[Field, Decimal]:
    """Return what *leaf* is worth in *document*, before weights, by field.

    Nothing where it does not occur.
    """
    found = {field: _worth(field, ranking) for field in fields_of(leaf, document)}
    if not ranking.frequency or not found or leaf.fields[0] not in ANYWHERE:
        return found
    weights = {field: int(100 * _worth(field, ranking)) for field in ANYWHERE}
    often = prominence(leaf, document, weights)
    return {
        field: worth + ranking.frequency * (Decimal(often.get(field, 0)) / 1000 - worth)
        for field, worth in found.items()
    }


def _worth(field: Field, ranking: Ranking) -> Decimal:
    return {
        Field.TITLE: ranking.title,
        Field.SUMMARY: ranking.summary,
        Field.AUTHOR: ranking.author,
        Field.CATEGORY: ranking.category,
        Field.SOURCE: ranking.source,
    }[field]


def _millis(value: Decimal) -> int:
    return int((value * 1000).to_integral_value(ROUND_HALF_EVEN))


@lru_cache(maxsize=4096)
def _votes(votes: int, weight: Decimal) -> int:
    if not weight:
        return 0
    return _millis(_CONTEXT.multiply(weight, _CONTEXT.log10(Decimal(1 + votes))))


@lru_cache(maxsize=4096)
def _freshness(age: timedelta, half_life: timedelta, weight: Decimal) -> int:
    halvings = _CONTEXT.divide(
        Decimal(max(age, timedelta(0)) // timedelta(microseconds=1)),
        Decimal(half_life // timedelta(microseconds=1)),
    )
    return _millis(_CONTEXT.divide(weight, _CONTEXT.power(Decimal(2), halvings)))


def entry_millis(candidate: Candidate, *, as_of: datetime, ranking: Ranking) -> int:
    """Return what *candidate* is worth to every profile: votes and freshness."""
    votes = _votes(candidate.votes or 0, ranking.votes)
    age = as_of - candidate.listed_at
    return votes + _freshness(age, ranking.half_life, ranking.freshness)


def term_millis(weight: Decimal, fields: Collection[Field], ranking: Ranking) -> int:
    """Return what a term of that weight is worth that occurs in *fields*."""
    worth = (_worth(field, ranking) for field in fields)
    return _millis(weight * sum(worth, Decimal(0)))
