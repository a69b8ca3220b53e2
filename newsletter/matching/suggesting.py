"""Terms that what a query matched has more often than all the rest.

Log-odds with an informative Dirichlet prior (Monroe, Colaresi and Quinn 2008,
"Fightin' Words", equations 16, 19 and 22), over entries: of a word, or a
phrase of two or three, y of the n matched entries have it, and r of the m
others. The prior a is PRIOR times the share of the archive that has it.

    delta = ln((y + a) / (n + A - y - a)) - ln((r + a) / (m + A - r - a))
    z     = delta / sqrt(1 / (y + a) + 1 / (r + a))            A = PRIOR

Left out is what stands nowhere else, since it would bring nothing, and what
would bring far more than it has in common with the matches.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, log, sqrt

from newsletter.matching.phrases import (
    LONGEST,
    Words,
    joined,
    phrases_of,
    singular_of,
    texts,
)
from newsletter.matching.reference import Document
from newsletter.model import Term

#: The weight of the prior, in entries.
PRIOR = 10.0
#: How many terms are suggested.
SUGGESTED = 10
#: In so many matched entries a term must stand, at least; what one says is chance.
FEWEST = 2
#: And in such a share of them.
LEAST_SHARE = 0.04
#: What would bring more than so many others for each that has it is too wide.
WIDEST = 15
#: Where a phrase has so much of the entries of a part of it, the part is left out.
PART = 0.1
#: Where two that overlap share so much of their entries, one is left out.
SAME = 0.7
#: So many are looked at for each that is wanted; the rest is too alike.
_SPARE = 6
#: A shorter singular begins too many other words to be written as a prefix.
_SHORTEST_PREFIX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A term that may be added to a query."""

    #: As one writes it: ``"linear attention*"``.
    text: str
    #: By how many standard errors it is more frequent than in the rest.
    z: float
    #: In how many of the matched entries it stands, in singular or plural.
    matched: int
    #: In how many of the others.
    others: int


def log_odds(
    matched: int, others: int, *, of_matched: int, of_others: int, prior: float = PRIOR
) -> float:
    """Return z of a term: the greater, the more it marks what was matched.

    Args:
        matched: How many matched entries have it.
        others: How many others have it; of the two, one at least is above 0.
        of_matched: How many entries were matched.
        of_others: How many were not.
        prior: The weight of the prior, in entries.
    """
    if matched + others == of_matched + of_others:
        return 0.0  # What every entry has marks none.
    a = prior * (matched + others) / (of_matched + of_others)
    y, r = matched + a, others + a
    delta = log(y / (of_matched + prior - y)) - log(r / (of_others + prior - r))
    return delta / sqrt(1 / y + 1 / r)


def suggest(
    documents: Sequence[Document],
    groups: Sequence[frozenset[int]],
    known: Sequence[Sequence[Term]],
    *,
    limit: int = SUGGESTED,
) -> tuple[tuple[Suggestion, ...], ...]:
    """Return for each of *groups* the terms that mark it, the greatest z first.

    The archive is gone through once, however many groups there are.

    Args:
        documents: The archive.
        groups: Places in *documents*: what each query matched.
        known: For each group the terms that its query has, whatever their sign;
            neither they, nor their parts, nor what has them within is suggested.
        limit: The most for each group.
    """
    matched = frozenset[int]().union(*groups)
    if not matched:
        return tuple(() for _ in groups)
    said = {place: frozenset(phrases_of(documents[place])) for place in matched}
    counts = _count(documents, said, _often_enough(said, groups))
    return tuple(
        _Group(
            counts=counts, size=len(group), inside=counts.of(group), known=terms
        ).chosen(limit)
        for group, terms in zip(groups, known, strict=True)
    )


# --- counting -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    """What stands in matched entries, and how often in the whole archive."""

    entries: int
    #: Matched entry -> what stands in it, in the singular.
    inside: dict[int, frozenset[Words]]
    #: Singular -> how many entries of the archive have it in any form.
    often: Counter[Words]
    #: Form -> how many entries of the archive have it.
    forms: Counter[Words]
    #: Singular -> its forms.
    forms_of: dict[Words, set[Words]]

    def of(self, group: frozenset[int]) -> dict[Words, set[int]]:
        """Return which entries of *group* have each term."""
        found: defaultdict[Words, set[int]] = defaultdict(set)
        for place in group:
            for words in self.inside[place]:
                found[words].add(place)
        return found

    def text(self, words: Words) -> str:
        """Return a term as one writes it, both forms at once where there are two."""
        forms = sorted(self.forms_of[words], key=lambda f: (-self.forms[f], f))
        star = len(forms) > 1 and len(words[-1]) >= _SHORTEST_PREFIX
        written = joined(words if star else forms[0]) + ("*" if star else "")
        return f'"{written}"' if len(words) > 1 else written


def _fewest(size: int) -> int:
    """Return in how many of *size* matched entries a term must stand."""
    return max(FEWEST, ceil(LEAST_SHARE * size))


def _often_enough(
    said: Mapping[int, frozenset[Words]], groups: Sequence[frozenset[int]]
) -> dict[Words, Words]:
    """Return form -> singular of what stands in enough entries of some group."""
    singular = {form: singular_of(form) for forms in said.values() for form in forms}
    enough: set[Words] = set()
    for group in groups:
        times = Counter(
            one for place in group for one in {singular[form] for form in said[place]}
        )
        fewest = _fewest(len(group))
        enough |= {one for one, number in times.items() if number >= fewest}
    return {form: one for form, one in singular.items() if one in enough}


def _count(
    documents: Sequence[Document],
    said: Mapping[int, frozenset[Words]],
    singular: Mapping[Words, Words],
) -> _Counts:
    often, forms = _count_all(documents, singular)
    forms_of: defaultdict[Words, set[Words]] = defaultdict(set)
    for form, one in singular.items():
        forms_of[one].add(form)
    return _Counts(
        entries=len(documents),
        inside={
            place: frozenset(singular[form] for form in forms if form in singular)
            for place, forms in said.items()
        },
        often=often,
        forms=forms,
        forms_of=forms_of,
    )


def _count_all(
    documents: Sequence[Document], singular: Mapping[Words, Words]
) -> tuple[Counter[Words], Counter[Words]]:
    """Return how many of *documents* have each singular, and each form."""
    words = frozenset(form[0] for form in singular if len(form) == 1)
    triples = frozenset(form for form in singular if len(form) == LONGEST)
    # Where a triple does not begin it does not stand: few entries need the last look.
    beginnings = frozenset(form[:-1] for form in triples)
    pairs = beginnings | {form for form in singular if len(form) == LONGEST - 1}
    spoken: Counter[str] = Counter()
    phrases: Counter[Words] = Counter()
    twice = _Twice(singular)
    for document in documents:
        here = words.intersection(document.words)
        longer: set[Words] = set()
        for text in texts(document):
            found = pairs.intersection(pairwise(text))
            longer |= found
            if not beginnings.isdisjoint(found):
                longer |= triples.intersection(_triples(text))
        spoken.update(here)
        phrases.update(longer)
        twice.add(here, longer)
    forms: Counter[Words] = Counter()
    forms.update({(word,): number for word, number in spoken.items()})
    forms.update({form: n for form, n in phrases.items() if form in singular})
    often: Counter[Words] = Counter()
    for form, number in forms.items():
        often[singular[form]] += number
    often.subtract(twice.times)
    return often, forms


class _Twice:
    """Counts the entries that have both forms of a term: they have it but once."""

    def __init__(self, singular: Mapping[Words, Words]) -> None:
        """Take form -> singular."""
        self.times: Counter[Words] = Counter()
        both = {f: one for f, one in singular.items() if f != one and one in singular}
        #: Plural -> singular.
        self._words = {f[0]: one[0] for f, one in both.items() if len(f) == 1}
        self._plurals = frozenset(self._words)
        self._longer = {f: one for f, one in both.items() if len(f) > 1}
        self._longer_plurals = frozenset(self._longer)

    def add(self, words: AbstractSet[str], longer: AbstractSet[Words]) -> None:
        """Take in what stands in an entry."""
        for word in self._plurals & words:
            if (one := self._words[word]) in words:
                self.times[one,] += 1
        for phrase in self._longer_plurals & longer:
            if (whole := self._longer[phrase]) in longer:
                self.times[whole] += 1


def _triples(text: Words) -> Iterable[Words]:
    return zip(text, text[1:], text[2:], strict=False)


# --- choosing -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """What one query matched."""

    counts: _Counts
    size: int
    #: Term, in the singular -> the matched entries that have it.
    inside: dict[Words, set[int]]
    known: Sequence[Term]

    def chosen(self, limit: int) -> tuple[Suggestion, ...]:
        """Return the best, each but once."""
        z = {
            words: self._z(words)
            for words, places in self.inside.items()
            if len(places) >= _fewest(self.size)
            and 0 < self._others(words) <= WIDEST * len(places)
        }
        ranked = sorted((w for w in z if z[w] > 0), key=lambda w: (-z[w], w))
        kept: list[Words] = []
        for words in [w for w in ranked if self._is_new(w)][: limit * _SPARE]:
            self._take(words, kept)
        kept.sort(key=lambda words: (-z[words], words))
        return tuple(self._suggestion(words, z[words]) for words in kept[:limit])

    def _others(self, words: Words) -> int:
        return self.counts.often[words] - len(self.inside[words])

    def _z(self, words: Words) -> float:
        return log_odds(
            len(self.inside[words]),
            self._others(words),
            of_matched=self.size,
            of_others=self.counts.entries - self.size,
        )

    def _is_new(self, words: Words) -> bool:
        """Tell whether the query has neither *words*, nor a part, nor more of them."""
        forms = self.counts.forms_of[words] | {words}
        return not any(
            _is_within(term, form) or _is_part(form, term.tokens)
            for term in self.known
            for form in forms
        )

    def _take(self, words: Words, kept: list[Words]) -> None:
        """Keep *words*, unless what is kept says the same; the longest wins."""
        alike = [other for other in kept if self._is_alike(words, other)]
        if not any(len(other) >= len(words) for other in alike):
            kept[:] = [*(other for other in kept if other not in alike), words]

    def _is_alike(self, one: Words, other: Words) -> bool:
        """Tell whether one is within the other, or both are of a longer phrase."""
        places, others = self.inside[one], self.inside[other]
        share = len(places & others) / max(len(places), len(others))
        short, long = sorted((one, other), key=len)
        if _is_part(short, long):
            return share >= PART
        return share >= SAME and _laps(one, other)

    def _suggestion(self, words: Words, z: float) -> Suggestion:
        return Suggestion(
            text=self.counts.text(words),
            z=z,
            matched=len(self.inside[words]),
            others=self._others(words),
        )


def _is_part(short: Words, long: Words) -> bool:
    """Tell whether *short* stands in a row within *long*."""
    size = len(short)
    return any(long[n : n + size] == short for n in range(len(long) - size + 1))


def _laps(one: Words, other: Words) -> bool:
    """Tell whether one goes on where the other begins."""
    sizes = range(1, min(len(one), len(other)))
    return any(one[-n:] == other[:n] or other[-n:] == one[:n] for n in sizes)


def _is_within(term: Term, words: Words) -> bool:
    """Tell whether *term* occurs in *words*, whatever its field."""
    *head, last = term.tokens
    for n in range(len(words) - len(head)):
        end = words[n + len(head)]
        fits = end.startswith(last) if term.prefix else end == last
        if fits and list(words[n : n + len(head)]) == head:
            return True
    return False
