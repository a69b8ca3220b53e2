"""The engine: many profiles against a batch, exactly what the reference finds.

    compile_profiles -> Chunk      when profiles are saved
    open_book(chunks) -> Book      when a run begins
    make_batch(candidates) -> Batch, find(book, batch) -> Found
    best, matched, reasons         of the rows that are due

Not imported by ``newsletter.matching`` itself: numpy is for those who prepare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from newsletter.matching.chunks import Kind, runs
from newsletter.matching.finding import CODE_BITS, WORD_BITS, Found
from newsletter.matching.kernel import IS_COMPILED, rank_compiled
from newsletter.matching.keys import FIELD_SETS, Bytes, Ints, Numbers, Small, pointers
from newsletter.matching.ranking import edge_bits, rank_plainly
from newsletter.matching.working import (
    Asked,
    Piece,
    Work,
    joined,
    make_work,
    renamed,
)

#: A posting's bits, for one beside the number of its row.
WIDE = 32
#: Ranks the due rows of a chunk in one block of columns.
Ranker = Callable[[Work], Piece]
RANKER: Ranker = rank_compiled if IS_COMPILED else rank_plainly


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Windows:
    """Which columns each due row sees."""

    #: (windows, columns); a window holds each entry at most once.
    masks: NDArray[np.bool_]
    #: By due row: a row of *masks*.
    of_row: Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """Columns left out for single rows, as repeats."""

    #: Due row *i* has ``column[ptr[i] : ptr[i + 1]]``.
    ptr: Ints
    column: Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Best:
    """The best columns of each due row, in its order."""

    #: How many match, shown or not.
    matches: Ints
    #: Due row *i* has ``column[ptr[i] : ptr[i + 1]]``.
    ptr: Ints
    column: Small
    #: In thousandths.
    score: Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Why:
    """Why each of some columns is shown to a row."""

    #: The first interest that holds. -1: none does.
    interest: Ints
    #: Card *i* has ``term[ptr[i] : ptr[i + 1]]``, places in ``weighed_terms``.
    ptr: Ints
    term: Ints
    #: By term: the fields where it occurs, as ``keys.FIELD_BITS``.
    fields: Bytes


def best(
    found: Found,
    *,
    rows: Ints,
    windows: Windows,
    excluded: Columns | None = None,
    limit: Numbers | int | None = None,
    threads: int = 1,
    ranker: Ranker = RANKER,
) -> Best:
    """Return how many columns match each of *rows*, and the best of them in order.

    Rows that are not asked for cost nothing.

    Args:
        found: The book and the batch.
        rows: Rows of the book that are due, in any order.
        windows: What each of them sees.
        excluded: What single ones do not get: they are no matches either.
        limit: How many of the best; None: as many as the profile shows.
        threads: Chunks at once; more than one helps the compiled way alone.
        ranker: One of the two ways; they find the same.
    """
    order = np.argsort(rows, kind="stable")
    limits = None if limit is None else np.broadcast_to(limit, rows.shape)
    asked = _Due(rows=rows, windows=windows, excluded=excluded, limit=limits)

    def ranked(job: tuple[int, Asked]) -> Piece:
        place, asked = job
        work = [
            make_work(found, place, block, asked, windows.masks)
            for block in found.blocks
        ]
        return joined([ranker(each) for each in work], work, found.batch)

    if threads > 1:
        with ThreadPoolExecutor(threads) as pool:
            pieces = list(pool.map(ranked, _by_chunk(found, asked, order)))
    else:
        pieces = [ranked(job) for job in _by_chunk(found, asked, order)]
    return _unsorted(found, pieces, order)


def matched(
    found: Found,
    *,
    rows: Ints,
    windows: Windows,
    threads: int = 1,
    ranker: Ranker = RANKER,
) -> Columns:
    """Return the matches of *rows* that were released before: possible repeats.

    Args:
        found: As for ``best``; so are the others.
        rows: Rows of the book that are due, in any order.
        windows: What each of them sees.
        threads: Chunks at once.
        ranker: One of the two ways.
    """
    masks = windows.masks & found.batch.seen_before.astype(bool)
    ptr = np.zeros(len(rows) + 1, np.int64)
    if not masks.any():
        return Columns(ptr=ptr, column=np.zeros(0, np.int64))
    seen = masks.any(axis=1)[windows.of_row]
    some = np.flatnonzero(seen)
    asked = Windows(masks=masks, of_row=windows.of_row[some])
    counted = best(
        found, rows=rows[some], windows=asked, limit=0, threads=threads, ranker=ranker
    )
    any_ = np.flatnonzero(counted.matches)
    some = some[any_]
    listed = best(
        found,
        rows=rows[some],
        windows=Windows(masks=masks, of_row=windows.of_row[some]),
        limit=counted.matches[any_],
        threads=threads,
        ranker=ranker,
    )
    counts = np.zeros(len(rows), np.int64)
    counts[some] = np.diff(listed.ptr)
    return Columns(ptr=pointers(counts), column=listed.column.astype(np.int64))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Due:
    """What ``best`` was asked for."""

    rows: Ints
    windows: Windows
    excluded: Columns | None
    limit: Numbers | None


def _by_chunk(found: Found, due: _Due, order: Ints) -> Iterator[tuple[int, Asked]]:
    """Yield every chunk that has due rows, and these; *order* sorts the rows."""
    starts = found.book.starts
    ends = np.searchsorted(due.rows[order], starts)
    none = Columns(ptr=np.zeros(len(order) + 1, np.int64), column=ends[:0])
    out = due.excluded or none
    for place, (first, last) in enumerate(pairwise(ends.tolist())):
        if first == last:
            continue
        here = order[first:last]
        rows = due.rows[here] - starts[place]
        at, _ = runs(out.ptr, here)
        shown = found.book.chunks[place].arrays.max_items
        limit = shown[rows] if due.limit is None else due.limit[here]
        yield (
            place,
            Asked(
                rows=rows,
                window=due.windows.of_row[here],
                limit=limit.astype(np.int64),
                out_ptr=pointers(np.diff(out.ptr)[here]),
                out=out.column[at],
            ),
        )


def _unsorted(found: Found, pieces: list[Piece], order: Ints) -> Best:
    """Return *pieces* as one, rows in the order in which they were asked for."""
    nothing = np.zeros(0, np.int64)
    counts = np.concatenate([nothing, *(np.diff(p.ptr) for p in pieces)])
    tie = np.concatenate([nothing.astype(np.int32), *(p.tie for p in pieces)])
    score = np.concatenate([nothing, *(p.score for p in pieces)])
    matches = np.concatenate([nothing, *(p.matches for p in pieces)])
    if (np.diff(order) < 0).any():
        asked = np.empty_like(order)
        asked[order] = np.arange(len(order))
        at, _ = runs(pointers(counts), asked)
        counts, matches = counts[asked], matches[asked]
        tie, score = tie[at], score[at]
    return Best(
        matches=matches,
        ptr=pointers(counts),
        column=found.batch.at_tie[tie],
        score=score,
    )


# --- reasons ----------------------------------------------------------------------


def reasons(found: Found, *, rows: Ints, columns: Ints) -> Why:
    """Return why *columns* are shown to *rows*, pair by pair.

    Args:
        found: The book and the batch.
        rows: A row of the book for each card.
        columns: A column of the batch for each card.
    """
    book = found.book
    interest = np.full(len(rows), -1, np.int64)
    parts: list[tuple[Ints, Ints, Bytes]] = []
    where = np.searchsorted(book.starts, rows, side="right") - 1
    block = columns // max(found.blocks[0].columns, 1)
    for place, number in np.unique(np.stack([where, block]), axis=1).T.tolist():
        cards = np.flatnonzero((where == place) & (block == number))
        local = rows[cards] - book.starts[place]
        here = columns[cards] - found.blocks[number].first
        several = np.unique(local)
        work = _work_of(found, place, number, several)
        arrays = book.chunks[place].arrays
        gain_ptr = arrays.gain_ptr.astype(np.int64)
        gain, card = runs(gain_ptr, local)
        row = found.row[book.numbers[place]][arrays.gain_node[gain]]
        hit, fields = _occurring(work, row, here[card])
        term = (gain - gain_ptr[local][card])[hit]
        parts.append((cards[card[hit]], term, fields))
        interest[cards] = np.where(arrays.kind[local] == Kind.EVERYTHING, -1, 0)
        at, _ = runs(arrays.interest_ptr, several)
        ptr = pointers(np.diff(arrays.interest_ptr)[several])
        edges = renamed(arrays.interests[at], found, place)
        row = np.searchsorted(several, local)
        many = np.flatnonzero(np.diff(ptr)[row] > 0)
        if len(many):
            interest[cards[many]] = _first_interests(
                work, (ptr, edges), row[many], here[many]
            )
    return _why(interest, parts)


def _why(interest: Ints, parts: list[tuple[Ints, Ints, Bytes]]) -> Why:
    """Return what was found of single chunks as one, in the order of the cards."""
    card = np.concatenate([interest[:0], *(p[0] for p in parts)])
    order = np.argsort(card, kind="stable")
    return Why(
        interest=interest,
        ptr=pointers(np.bincount(card, minlength=len(interest))),
        term=np.concatenate([interest[:0], *(p[1] for p in parts)])[order],
        fields=np.concatenate([np.zeros(0, np.uint8), *(p[2] for p in parts)])[order],
    )


def _work_of(found: Found, place: int, number: int, rows: Ints) -> Work:
    """Return the work of some rows of a chunk that see everything."""
    nothing = np.zeros(len(rows), np.int64)
    asked = Asked(
        rows=rows,
        window=nothing,
        limit=nothing,
        out_ptr=pointers(nothing),
        out=nothing[:0],
    )
    masks = np.ones((1, found.batch.columns), np.bool_)
    return make_work(found, place, found.blocks[number], asked, masks)


def _occurring(work: Work, rows: Ints | Small, columns: Ints) -> tuple[Ints, Bytes]:
    """Return which rows of a block occur in which columns, pair by pair: fields too."""
    postings = np.repeat(np.arange(len(work.ptr) - 1), np.diff(work.ptr)) << WIDE
    postings |= work.postings
    wanted = rows.astype(np.int64) << WIDE | columns << CODE_BITS
    # No code is 0: a posting is above its column, and below the next.
    at = np.minimum(np.searchsorted(postings, wanted), len(postings) - 1)
    if not len(postings):
        return at[:0], np.zeros(0, np.uint8)
    hit = np.flatnonzero(postings[at] >> CODE_BITS == wanted >> CODE_BITS)
    return hit, (postings[at[hit]] & (FIELD_SETS - 1)).astype(np.uint8)


def _first_interests(
    work: Work, interests: tuple[Ints, Small], rows: Ints, columns: Ints
) -> Ints:
    """Return the first interest that holds for each card, of rows with several.

    Args:
        work: Of the chunk.
        interests: By row, edges: where they begin, and all of them.
        rows: By card, its row.
        columns: By card, the column of the block.
    """
    ptr, edges = interests
    distinct, place = np.unique(rows, return_inverse=True)
    at, owner = runs(ptr, distinct)
    bits = edge_bits(work, distinct, edges[at], owner)
    first = pointers(np.diff(ptr)[distinct])
    at, card = runs(first, place)
    column = columns[card]
    word = bits[at, column // WORD_BITS] >> (column % WORD_BITS).astype(np.uint64)
    holds = (word & np.uint64(1)).astype(bool)
    found = np.full(len(rows), len(edges), np.int64)
    np.minimum.at(found, card[holds], (at - first[place][card])[holds])
    return np.where(found < len(edges), found, -1)
