"""The reference evaluator: slow, obviously right, and the oracle for ever.

It walks the query tree over tokens. A term occurs in an entry where its
tokens stand in a row within one value of one of its fields; the last one may
be a prefix.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum
from functools import lru_cache

from newsletter.matching.tokens import token_spans, tokenize
from newsletter.matching.tree import positive_terms
from newsletter.model import (
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

#: Where a term without a field may occur.
_ANYWHERE = (Field.TITLE, Field.SUMMARY)
#: The same digits on every machine.
_CONTEXT = Context(prec=28, rounding=ROUND_HALF_EVEN)

_Tokens = tuple[str, ...]
_Places = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A candidate's tokens: for each field its values, each a tuple of tokens."""

    values: Mapping[Field, tuple[_Tokens, ...]]
    #: Every token of title and summary, to tell soon what cannot occur.
    words: frozenset[str]


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


def documents(candidates: Sequence[Candidate]) -> tuple[Document, ...]:
    """Return *candidates* tokenised, in their order; share it between profiles."""
    return tuple(_document(candidate) for candidate in candidates)


def _document(candidate: Candidate) -> Document:
    version = candidate.version
    title, summary = tokenize(version.title), tokenize(version.summary)
    return Document(
        values={
            Field.TITLE: (title,),
            Field.SUMMARY: (summary,),
            Field.AUTHOR: tuple(tokenize(name) for name in version.authors),
            Field.CATEGORY: tuple(tokenize(name) for name in version.categories),
            Field.SOURCE: tuple(tokenize(s.source) for s in candidate.sources),
        },
        words=frozenset(title + summary),
    )


def match_profile(
    profile: Profile,
    candidates: Sequence[Candidate],
    *,
    as_of: datetime,
    ranking: Ranking,
    documents: Sequence[Document] | None = None,
) -> tuple[Match, ...]:
    """Return all that *profile* matches, in its order, best first.

    Less what a mute or ``min_votes`` leaves out; not cut to ``max_items``.

    Args:
        profile: Without interests, everything matches.
        candidates: Distinct entries.
        as_of: What freshness counts from.
        ranking: What each place is worth.
        documents: *candidates* tokenised; made here where it is None.
    """
    tokenised = documents if documents is not None else _documents(candidates)
    found = [
        _match(profile, candidate, document, as_of=as_of, ranking=ranking)
        for candidate, document in zip(candidates, tokenised, strict=True)
        if _concerns(profile, candidate, document)
    ]
    return tuple(sorted(found, key=lambda match: rank(profile.order, match)))


#: ``match_profile`` has an argument of that name.
_documents = documents


def explain(
    profile: Profile, candidate: Candidate, *, as_of: datetime, ranking: Ranking
) -> Match:
    """Return the match of one candidate, score and reasons, matching or not."""
    document = _document(candidate)
    return _match(profile, candidate, document, as_of=as_of, ranking=ranking)


def holds(query: Query, document: Document) -> bool:
    """Tell whether *query* is true of *document*."""
    if isinstance(query, Term):
        return any(True for _ in _fields_of(query, document))
    if isinstance(query, Not):
        return not holds(query.operand, document)
    values = (holds(operand, document) for operand in query.operands)
    return all(values) if isinstance(query, And) else any(values)


def objection(
    profile: Profile, candidate: Candidate, document: Document
) -> Objection | None:
    """Return why *candidate* does not concern *profile*. None: it does.

    What no interest asks for is not said to be muted or short of votes.
    """
    if not _is_wanted(profile, document):
        return Objection(kind=ObjectionKind.UNMATCHED)
    mute = _muting(profile, document)
    if mute is not None:
        return Objection(kind=ObjectionKind.MUTED, mute=mute.query)
    if not _has_votes(profile, candidate):
        return Objection(kind=ObjectionKind.FEW_VOTES)
    return None


def _concerns(profile: Profile, candidate: Candidate, document: Document) -> bool:
    # As ``objection``, cheapest first: this runs for every reader and entry.
    return (
        _has_votes(profile, candidate)
        and _muting(profile, document) is None
        and _is_wanted(profile, document)
    )


def _has_votes(profile: Profile, candidate: Candidate) -> bool:
    return (candidate.votes or 0) >= profile.min_votes


def _muting(profile: Profile, document: Document) -> Mute | None:
    """Return the first mute that holds. None: none does."""
    return next((m for m in profile.mutes if holds(m.tree, document)), None)


def _is_wanted(profile: Profile, document: Document) -> bool:
    interests = profile.interests
    return not interests or any(holds(i.tree, document) for i in interests)


def rank(order: Order, match: Match) -> tuple[float, ...]:
    """Return what *match* is sorted by: the best has the smallest."""
    candidate = match.candidate
    votes, listed = candidate.votes or 0, candidate.listed_at.timestamp()
    relevance = (-match.score, -votes, -listed, candidate.entry_id)
    if order is Order.VOTES:
        return (-votes, *relevance)
    return (-listed, *relevance) if order is Order.NEWEST else relevance


# --- occurrence -----------------------------------------------------------------


def _fields_of(term: Term, document: Document) -> Iterator[Field]:
    """Yield the fields where *term* occurs."""
    last = 1 if term.prefix else 0
    whole = term.tokens[: len(term.tokens) - last]
    if term.field is None and not document.words.issuperset(whole):
        return
    for field in (term.field,) if term.field else _ANYWHERE:
        if any(_occurs(term, tokens) for tokens in document.values[field]):
            yield field


def _occurs(term: Term, tokens: _Tokens) -> bool:
    return any(True for _ in _starts(term, tokens))


def _starts(term: Term, tokens: _Tokens) -> Iterator[int]:
    """Yield where *term* begins in *tokens*."""
    wanted = term.tokens
    head, last = wanted[:-1], wanted[-1]
    for start in range(len(tokens) - len(head)):
        end = tokens[start + len(head)]
        fits = end.startswith(last) if term.prefix else end == last
        if fits and tokens[start : start + len(head)] == head:
            yield start


# --- score and reasons ----------------------------------------------------------


def _match(
    profile: Profile,
    candidate: Candidate,
    document: Document,
    *,
    as_of: datetime,
    ranking: Ranking,
) -> Match:
    terms = weighed_terms(profile)
    parts: list[ScorePart] = []
    for term, weight in terms:
        parts += _parts(term, weight, document, ranking)
    reasons = Reasons(
        interests=tuple(i.label for i in profile.interests if holds(i.tree, document)),
        parts=tuple(parts),
        votes_millis=_votes(candidate.votes or 0, ranking.votes),
        freshness_millis=_freshness(
            as_of - candidate.listed_at, ranking.half_life, ranking.freshness
        ),
        title_places=_places(terms, candidate.version.title, Field.TITLE),
        summary_places=_places(terms, candidate.version.summary, Field.SUMMARY),
    )
    score = sum(part.millis for part in parts)
    return Match(
        candidate=candidate,
        score=score + reasons.votes_millis + reasons.freshness_millis,
        reasons=reasons,
    )


def weighed_terms(profile: Profile) -> tuple[tuple[Term, Decimal], ...]:
    """Return each distinct positive term with its greatest weight, as first met.

    Terms are the same where tokens, field and prefix are; a term's weight is
    its own times its interest's.
    """
    found: dict[tuple[object, ...], tuple[Term, Decimal]] = {}
    for interest in profile.interests:
        for term in positive_terms(interest.tree):
            name = (term.tokens, term.field, term.prefix)
            weight = interest.weight * term.weight
            if name not in found or weight > found[name][1]:
                found[name] = (term, weight)
    return tuple(found.values())


def _parts(
    term: Term, weight: Decimal, document: Document, ranking: Ranking
) -> Iterator[ScorePart]:
    """Yield the term's share by field.

    The product over all fields is rounded once; the shares before the last
    are rounded by themselves, and the last one is what remains.
    """
    worth = {field: _worth(field, ranking) for field in _fields_of(term, document)}
    left = _millis(weight * sum(worth.values(), Decimal(0)))
    fields = list(worth)
    for field in fields:
        share = left if field == fields[-1] else _millis(weight * worth[field])
        left -= share
        yield ScorePart(field=field, term=term.text, millis=share)


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


def _places(terms: Sequence[tuple[Term, Decimal]], text: str, field: Field) -> _Places:
    """Return where *terms* occur in *text*: sorted, disjoint, touching ones merged."""
    here = [term for term, _ in terms if term.field in {None, field}]
    if not here:
        return ()
    spans = token_spans(text)
    tokens = tuple(token for token, _, _ in spans)
    found = sorted(
        (spans[start][1], spans[start + len(term.tokens) - 1][2])
        for term in here
        for start in _starts(term, tokens)
    )
    merged: list[tuple[int, int]] = []
    for start, end in found:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def entry_millis(candidate: Candidate, *, as_of: datetime, ranking: Ranking) -> int:
    """Return what *candidate* is worth to every profile: votes and freshness."""
    votes = _votes(candidate.votes or 0, ranking.votes)
    age = as_of - candidate.listed_at
    return votes + _freshness(age, ranking.half_life, ranking.freshness)


def term_millis(weight: Decimal, fields: Collection[Field], ranking: Ranking) -> int:
    """Return what a term of that weight is worth that occurs in *fields*."""
    worth = (_worth(field, ranking) for field in fields)
    return _millis(weight * sum(worth, Decimal(0)))
