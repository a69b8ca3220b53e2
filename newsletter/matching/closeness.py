"""What comes close to a profile without matching it: BM25 over its words.

    "state space model"  ->  state, space, model: each word by itself
    closeness            ->  the sum of what those that occur are worth here

For issues that are to be filled up. The rarer a word is in the window, the
more it is worth; one that stands in half of all entries or more is worth
nothing, so that "of" and "model" alone bring nobody closer. What shares a word
with an interest comes the closer, the more it has of the words that usually
stand beside the interest's own (related.py). All arithmetic is in whole
numbers: the same on every machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import cached_property, lru_cache

from newsletter.matching.occurrence import Document, Wording, document_of, places
from newsletter.matching.reference import has_votes, holds, muting
from newsletter.matching.related import NO_ARCHIVE, Archive
from newsletter.matching.stems import stems
from newsletter.matching.terms import ANYWHERE, Leaf, Pattern, spelling_of
from newsletter.matching.tree import positive_terms
from newsletter.model import (
    NO_ACRONYMS,
    Acronyms,
    Candidate,
    Field,
    Interest,
    Match,
    Profile,
    Reasons,
    ScorePart,
    Term,
)

#: A word of a title counts as so many of a summary.
_TITLE = 2
#: BM25's k1 = 1.2 and b = 0.75, over a common denominator of ten: tf · (k1 + 1)
#: / (tf + k1 · (1 - b) + k1 · b · length / mean) = 22 tf / (10 tf + 3 + 9 …).
_GAIN, _TF, _EVEN, _LONG = 22, 10, 3, 9
_CONTEXT = Context(prec=28, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A candidate that comes close, and the words that it shares."""

    candidate: Candidate
    parts: tuple[ScorePart, ...]


def closest(
    profile: Profile,
    candidates: Sequence[Candidate],
    *,
    documents: Sequence[Document],
    acronyms: Acronyms = NO_ACRONYMS,
    archive: Archive = NO_ARCHIVE,
) -> tuple[Near, ...]:
    """Return what does not match *profile* but shares words with it, closest first.

    Never what is muted, has too few votes, or what an interest itself leaves
    out by a minus or NOT. An entry is as close as it is to the nearest interest.

    Args:
        profile: Without interests, nothing is close.
        candidates: All of the window; rare is what is rare among them.
        documents: *candidates* tokenised.
        acronyms: As for ``match_profile``.
        archive: What related words are learned from.
    """
    wording = Wording(stem=profile.stem, acronyms=acronyms)
    asked = [
        _Asked(
            interest=interest,
            own=_words(interest, wording),
            related=_related(interest, wording, archive),
        )
        for interest in profile.interests
    ]
    window = _Window(documents=documents)
    found: list[Near] = []
    for number, document in enumerate(documents):
        candidate = candidates[number]
        if not has_votes(profile, candidate):
            continue
        parts = max(
            (
                one.parts(window, number)
                for one in asked
                if not _leaves_out(one.interest, document, wording)
            ),
            key=_sum,
            default=(),
        )
        if not _sum(parts) or _concerns(profile, document, wording):
            continue
        found.append(Near(candidate=candidate, parts=parts))
    return tuple(sorted(found, key=_rank))


def explain_close(
    profile: Profile,
    candidate: Candidate,
    parts: tuple[ScorePart, ...],
    *,
    acronyms: Acronyms = NO_ACRONYMS,
) -> Match:
    """Return why *candidate* is close, as its window had it.

    Args:
        profile: Whose interests it is close to.
        candidate: The entry.
        parts: What ``closest`` gave it then.
        acronyms: As then.
    """
    wording = Wording(stem=profile.stem, acronyms=acronyms)
    shared = {part.term for part in parts}
    document = document_of(candidate)
    near, leaves = [], []
    for interest in profile.interests:
        words = [w for w in _words(interest, wording) if w.text in shared]
        if words and not _leaves_out(interest, document, wording):
            near.append(interest.label)
            leaves += [word.leaf for word in words]
    version = candidate.version
    return Match(
        candidate=candidate,
        score=_sum(parts),
        reasons=Reasons(
            interests=tuple(near),
            parts=parts,
            title_places=places(leaves, version.title, Field.TITLE),
            summary_places=places(leaves, version.summary, Field.SUMMARY),
            is_close=True,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """One word of an interest."""

    #: As readers see it: as it was typed, or as its other form is spelt.
    text: str
    pattern: Pattern
    fields: tuple[Field, ...]
    weight: Decimal

    @property
    def leaf(self) -> Leaf:
        return Leaf(patterns=(self.pattern,), fields=self.fields)


@lru_cache(maxsize=1 << 12)
def _words(interest: Interest, wording: Wording) -> tuple[_Word, ...]:
    """Return the distinct words that *interest* asks for, each at its greatest weight.

    Of a short form also those of the long one, and the other way round. Names
    of authors, categories and sources are no words.
    """
    found: dict[tuple[Pattern, tuple[Field, ...]], _Word] = {}
    for term in positive_terms(interest.tree):
        leaf = wording.leaf(term)
        if leaf.fields[0] not in ANYWHERE:
            continue
        for word in _divided(term, leaf, interest.weight * term.weight, wording):
            known = found.get((word.pattern, word.fields))
            if known is None or word.weight > known.weight:
                found[word.pattern, word.fields] = word
    return tuple(found.values())


def _divided(
    term: Term, leaf: Leaf, weight: Decimal, wording: Wording
) -> Iterator[_Word]:
    """Yield the words of every pattern of *leaf*."""
    for pattern in leaf.patterns:
        last = len(pattern.tokens) - 1
        is_typed = stems(term.tokens, pattern.stem) == pattern.tokens
        others = spelling_of(pattern, acronyms=wording.acronyms)
        typed = term.tokens if is_typed else others
        for place, token in enumerate(pattern.tokens):
            is_prefix = pattern.prefix and place == last
            yield _Word(
                text=typed[place] + "*" * is_prefix,
                pattern=Pattern((token,), is_prefix, pattern.stem),
                fields=leaf.fields,
                weight=weight,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """An interest, its words, and those that stand beside them."""

    interest: Interest
    own: Sequence[_Word]
    related: Sequence[_Word]

    def parts(self, window: _Window, number: int) -> tuple[ScorePart, ...]:
        """Return what the entry *number* shares; without a word of its own, nothing."""
        parts = tuple(_parts(self.own, window, number))
        return (*parts, *_parts(self.related, window, number)) if parts else ()


def _related(
    interest: Interest, wording: Wording, archive: Archive
) -> tuple[_Word, ...]:
    """Return the words that are related to *interest*.

    Each counts half of what a word of one's own does, and the less, the less
    often it stands beside them.
    """
    return tuple(
        _Word(
            text=each.text,
            pattern=Pattern((each.token,), stem=wording.stem),
            fields=ANYWHERE,
            weight=interest.weight * Decimal(each.percent // 2) / 100,
        )
        for each in archive.related(interest, wording)
    )


def _leaves_out(interest: Interest, document: Document, wording: Wording) -> bool:
    """Tell whether a term occurs that *interest* does not want."""
    unwanted = positive_terms(interest.tree, positive=False)
    return any(holds(term, document, wording) for term in unwanted)


def _concerns(profile: Profile, document: Document, wording: Wording) -> bool:
    """Tell whether *document* matches or is muted: it is not close then."""
    return muting(profile, document, wording) is not None or any(
        holds(interest.tree, document, wording) for interest in profile.interests
    )


# --- what a word is worth ---------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Window:
    """Counts over the entries of a window."""

    documents: Sequence[Document]

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """Return each entry's words, those of the title twice."""
        return tuple(
            sum(_factor(f) * len(v) for f in ANYWHERE for v in document.values[f])
            for document in self.documents
        )

    @cached_property
    def total(self) -> int:
        """Return the words of all entries."""
        return sum(self.lengths)

    @cached_property
    def _known(self) -> dict[Leaf, Mapping[int, Counter[Field]]]:
        return {}

    def occurrences(self, word: _Word) -> Mapping[int, Counter[Field]]:
        """Return how often *word* stands where, by the place of the entry."""
        if word.leaf not in self._known:
            self._known[word.leaf] = dict(self._count(word))
        return self._known[word.leaf]

    def _count(self, word: _Word) -> Iterator[tuple[int, Counter[Field]]]:
        (token,), is_prefix = word.pattern.tokens, word.pattern.prefix
        for number, plain in enumerate(self.documents):
            document = plain.in_stems(word.pattern.stem)
            if not is_prefix and token not in document.words:
                continue
            counted = Counter(
                {f: _often(token, document.values[f], is_prefix) for f in word.fields}
            )
            if counted.total():
                yield number, counted


def _often(token: str, values: Iterable[Sequence[str]], is_prefix: bool) -> int:  # noqa: FBT001 - a pattern's own
    if is_prefix:
        return sum(each.startswith(token) for value in values for each in value)
    return sum(value.count(token) for value in values)


def _parts(words: Iterable[_Word], window: _Window, number: int) -> Iterator[ScorePart]:
    """Yield what each of *words* that occurs is worth in the entry *number*."""
    for word in words:
        where = window.occurrences(word)
        if number not in where:
            continue
        rarity = _rarity(len(window.documents), len(where))
        often = sum(_factor(f) * many for f, many in where[number].items())
        length = window.lengths[number] * len(window.documents)
        share = _GAIN * often * window.total * _hundredths(word.weight) * rarity
        even = (_TF * often + _EVEN) * window.total + _LONG * length
        millis = share // (even * _hundredths(Decimal(1)))
        if millis:
            first = next(f for f in word.fields if where[number][f])
            yield ScorePart(field=first, term=word.text, millis=millis)


@lru_cache(maxsize=1 << 12)
def _rarity(entries: int, with_it: int) -> int:
    """Return ln((N - n + ½) / (n + ½)) in thousandths, 0 where that is negative."""
    without = entries - with_it
    if without <= with_it:
        return 0
    odds = _CONTEXT.divide(Decimal(2 * without + 1), Decimal(2 * with_it + 1))
    return int((_CONTEXT.ln(odds) * 1000).to_integral_value(ROUND_HALF_EVEN))


def _factor(field: Field) -> int:
    return _TITLE if field is Field.TITLE else 1


def _hundredths(weight: Decimal) -> int:
    """Return a product of two weights, each of two decimals, as a whole number."""
    return int(weight * 10_000)


def _sum(parts: Iterable[ScorePart]) -> int:
    return sum(part.millis for part in parts)


def _rank(near: Near) -> tuple[float, ...]:
    candidate = near.candidate
    votes, listed = candidate.votes or 0, candidate.listed_at.timestamp()
    return (-_sum(near.parts), -votes, -listed, candidate.entry_id)
