"""A batch: the entries that a run weighs, as columns.

One entry may stand in several columns: readers with different cursors see it
with different ``listed_at``, sources and votes. A *window* is a mask over the
columns; it holds each entry at most once. Texts that columns share are read
once.

    column   0 A (listed Monday)   1 A (listed Tuesday too)   2 B
    masks    monday  [1 0 0]       tuesday  [0 1 1]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from newsletter.matching.compiling import ORDERS
from newsletter.matching.keys import (
    FIELD_BITS,
    Bytes,
    Ints,
    Numbers,
    Small,
    pointers,
)
from newsletter.matching.reference import entry_millis
from newsletter.matching.stems import stem
from newsletter.matching.tokens import tokenize
from newsletter.model import Candidate, Field, Order, Ranking

#: Gives the stems of some words in a language, one for each.
Stemmed = Callable[[Sequence[str], str], Sequence[str]]


def in_stems(words: Sequence[str], language: str) -> Sequence[str]:
    """Return the stem of each of *words*; with "none" the word itself."""
    return [stem(word, language) for word in words]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Texts:
    """The distinct texts of a batch as numbers of words, and who uses them."""

    words: tuple[str, ...]
    #: Text *i* is ``tokens[ptr[i] : ptr[i + 1]]``.
    ptr: Ints
    tokens: Small
    #: Text *i* is used by columns and as fields ``[use_ptr[i], use_ptr[i + 1])``.
    use_ptr: Ints
    use_column: Small
    use_field: Bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Candidates as columns, with all that does not depend on a profile."""

    candidates: tuple[Candidate, ...]
    ranking: Ranking
    texts: Texts
    stemmed: Stemmed
    #: What a column is worth to everyone: votes and freshness, in thousandths.
    millis: Ints
    #: What is sorted by first, by place in ``Order``: (orders, columns), rising.
    primary: Small
    #: What is sorted by last: a permutation of the columns; its inverse.
    tie: Small
    at_tie: Small
    #: Unknown votes are none.
    votes: Ints
    seen_before: Bytes

    @property
    def columns(self) -> int:
        """Return how many there are."""
        return len(self.candidates)


def make_batch(
    candidates: Sequence[Candidate],
    *,
    as_of: datetime,
    ranking: Ranking,
    stemmed: Stemmed = in_stems,
) -> Batch:
    """Return *candidates* as the columns of a batch, their words read.

    Args:
        candidates: The same entry may come several times.
        as_of: What freshness counts from.
        ranking: What each place is worth.
        stemmed: Where the stems of profiles' languages come from.
    """
    votes = np.array([c.votes or 0 for c in candidates], np.int64)
    listed = np.array([c.listed_at.timestamp() for c in candidates], np.float64)
    entries = np.array([c.entry_id for c in candidates], np.int64)
    order = np.lexsort((entries, -listed, -votes)).astype(np.int32)
    tie = np.empty(len(candidates), np.int32)
    tie[order] = np.arange(len(candidates), dtype=np.int32)
    first = {
        Order.RELEVANCE: np.zeros(len(candidates), np.int32),
        Order.VOTES: _ranks(-votes),
        Order.NEWEST: _ranks(-listed),
    }
    return Batch(
        candidates=tuple(candidates),
        ranking=ranking,
        texts=_texts(candidates),
        stemmed=stemmed,
        millis=np.array(
            [entry_millis(c, as_of=as_of, ranking=ranking) for c in candidates],
            np.int64,
        ),
        primary=np.array([first[order] for order in ORDERS]),
        tie=tie,
        at_tie=order,
        votes=votes,
        seen_before=np.array([c.seen_before for c in candidates], np.uint8),
    )


def _ranks(values: Numbers | np.ndarray[tuple[int], np.dtype[np.float64]]) -> Small:
    """Return the place of each value among the distinct ones."""
    return np.unique(values, return_inverse=True)[1].astype(np.int32)


def _texts(candidates: Sequence[Candidate]) -> Texts:
    uses: dict[str, list[tuple[int, int]]] = {}
    for column, candidate in enumerate(candidates):
        for field, text in _values(candidate):
            uses.setdefault(text, []).append((column, FIELD_BITS[field]))
    words: dict[str, int] = {}
    tokens: list[int] = []
    lengths = []
    for text in uses:
        found = tokenize(text)
        lengths.append(len(found))
        tokens += [words.setdefault(token, len(words)) for token in found]
    flat = [use for group in uses.values() for use in group]
    return Texts(
        words=tuple(words),
        ptr=pointers(np.array(lengths, np.int64)),
        tokens=np.array(tokens, np.int32),
        use_ptr=pointers(np.array([len(g) for g in uses.values()], np.int64)),
        use_column=np.array([column for column, _ in flat], np.int32),
        use_field=np.array([bit for _, bit in flat], np.uint8),
    )


def _values(candidate: Candidate) -> Iterator[tuple[Field, str]]:
    """Yield what is searched: each value of each field."""
    version = candidate.version
    yield Field.TITLE, version.title
    yield Field.SUMMARY, version.summary
    for name in version.authors:
        yield Field.AUTHOR, name
    for name in version.categories:
        yield Field.CATEGORY, name
    for listing in candidate.sources:
        yield Field.SOURCE, listing.source
