"""Words that stand beside an interest's own, learned from what it matched before.

    "reinforcement learning"  ->  reward, grpo, policy, rollout, …

Of the entries that were listed lately, some match an interest. A word that
stands in more of these than chance would bring is related to the interest: it
helps to tell which of the entries that share a word with it are closest. The
weight of evidence is that of Robertson and Spärck Jones (1976), the entries
that match being taken for the relevant ones. All arithmetic is in whole
numbers: the same on every machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache

from newsletter.matching.occurrence import Document, Wording
from newsletter.matching.reference import holds
from newsletter.matching.stems import stem
from newsletter.matching.stopwords import STOP_WORDS
from newsletter.matching.terms import ANYWHERE
from newsletter.matching.tree import positive_terms
from newsletter.model import Interest

#: Entries that are looked at, the newest: a window's, and those before it.
LOOKED_AT = 2000
#: Words that are learned of one interest.
MOST = 16
#: So many entries must match an interest, and so many of them bear a word.
LEAST_MATCHES, LEAST_WITH = 5, 3
#: Interests of which it is remembered what was learned; readers share many.
MOST_KNOWN = 2000
#: Shorter words, and single characters of Chinese or Japanese, tell nothing.
_SHORTEST = 3
_CONTEXT = Context(prec=28, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """A word that stands beside an interest's own."""

    #: As profiles with these stems compare it.
    token: str
    #: As it is mostly written.
    text: str
    #: Of a hundred entries that match the interest, so many bear it.
    percent: int


@dataclass(frozen=True, slots=True)
class Archive:
    """What was listed lately, tokenised; readers share what is learned from it."""

    documents: Sequence[Document] = ()
    _often: dict[str, Counter[str]] = field(default_factory=dict)
    _known: dict[tuple[Interest, Wording], tuple[Related, ...]] = field(
        default_factory=dict
    )

    def related(self, interest: Interest, wording: Wording) -> tuple[Related, ...]:
        """Return the words most related to *interest*, at most ``MOST``.

        Args:
            interest: Its whole query decides what matches.
            wording: How its terms are read; related words are read the same.
        """
        if not self.documents:
            return ()
        known = self._known.get((interest, wording))
        if known is None:
            known = self._learn(interest, wording)
            if len(self._known) >= MOST_KNOWN:
                # As many as there are readers: memory stays what it is.
                self._known.clear()
            self._known[interest, wording] = known
        return known

    def _learn(self, interest: Interest, wording: Wording) -> tuple[Related, ...]:
        matching = [d for d in self.documents if holds(interest.tree, d, wording)]
        if len(matching) < LEAST_MATCHES:
            return ()
        language, own = wording.stem, _own(interest, wording)
        often = self._often_in(language)
        counted = _count(matching, language)
        worths = {
            token: with_it
            * _evidence(with_it, len(matching), often[token], len(self.documents))
            for token, with_it in counted.items()
            if with_it >= LEAST_WITH and token not in own and _tells(token, language)
        }
        best = sorted((-worth, token) for token, worth in worths.items() if worth > 0)
        chosen = [token for _, token in best[:MOST]]
        written = _writings(matching, frozenset(chosen), language)
        return tuple(
            Related(
                token=token,
                text=written[token],
                percent=100 * counted[token] // len(matching),
            )
            for token in chosen
        )

    def _often_in(self, language: str) -> Counter[str]:
        """Return in how many documents each word stands."""
        if language not in self._often:
            self._often[language] = _count(self.documents, language)
        return self._often[language]


#: Nothing was listed before.
NO_ARCHIVE = Archive()


def _own(interest: Interest, wording: Wording) -> frozenset[str]:
    """Return the words that *interest* asks for itself."""
    return frozenset(
        token
        for term in positive_terms(interest.tree)
        for pattern in wording.leaf(term).patterns
        for token in pattern.tokens
    )


def _count(documents: Sequence[Document], language: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for document in documents:
        found.update(document.in_stems(language).words)
    return found


@lru_cache(maxsize=64)
def _unsaying(language: str) -> frozenset[str]:
    """Return the words that say nothing, as *language* stems them."""
    return frozenset(stem(word, language) for word in STOP_WORDS)


def _tells(token: str, language: str) -> bool:
    return (
        len(token) >= _SHORTEST
        and not token.isdigit()
        and token not in _unsaying(language)
    )


@lru_cache(maxsize=1 << 14)
def _evidence(with_it: int, matching: int, often: int, entries: int) -> int:
    """Return the weight of evidence in thousandths: a logarithm of odds over odds.

    Args:
        with_it: Entries that match and bear the word.
        matching: Entries that match.
        often: Entries that bear the word.
        entries: All.
    """
    # Each count and a half, so that none is nothing: twice that, to be whole.
    others = often - with_it
    odds = Decimal((2 * with_it + 1) * (2 * (entries - matching - others) + 1))
    base = Decimal((2 * (matching - with_it) + 1) * (2 * others + 1))
    evidence = _CONTEXT.ln(_CONTEXT.divide(odds, base))
    return int((evidence * 1000).to_integral_value(ROUND_HALF_EVEN))


def _writings(
    documents: Sequence[Document], tokens: frozenset[str], language: str
) -> Mapping[str, str]:
    """Return how each of *tokens* is mostly written."""
    found: dict[str, Counter[str]] = {token: Counter() for token in tokens}
    for written in _written(documents):
        token = stem(written, language)
        if token in found:
            found[token][written] += 1
    return {
        token: min(spelt, key=lambda word: (-spelt[word], word))
        for token, spelt in found.items()
    }


def _written(documents: Sequence[Document]) -> Iterator[str]:
    for document in documents:
        for each in ANYWHERE:
            for value in document.values[each]:
                yield from value
