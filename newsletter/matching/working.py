"""The due rows of one chunk against one block of columns, made ready.

Both ways of ranking (ranking.py with numpy, kernel.py compiled) take this and
nothing else. Numbers of leaves are rows of the block here, so that what does
not occur in it is 0; arrays have one width, whatever the chunk stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from newsletter.matching.batch import Batch
from newsletter.matching.chunks import Arrays, runs
from newsletter.matching.finding import WORD_BITS, Block, Found, mask_bits
from newsletter.matching.keys import Bytes, Ints, Keys, Numbers, Small, pointers
from newsletter.matching.scoring import worths


class Work(NamedTuple):
    """What is asked of a block; the compiled way wants a named tuple of arrays.

    A *row* is a due one: all is cut to those, in their order.
    """

    #: By row: ``Kind``.
    kind: Bytes
    #: By row: gains that occur, as row of the block and weight.
    gain_ptr: Small
    gain_row: Small
    gain_weight: Small
    #: (weights, codes), in thousandths.
    worths: Ints
    #: By row: gates, and their edges; see ``renamed``.
    gate_ptr: Small
    gate_level: Bytes
    edge_ptr: Small
    edges: Small
    #: By row: the edge that decides.
    root: Small
    #: The block's postings and bits.
    ptr: Small
    postings: Small
    bits: Keys
    #: Sets of columns that may match, as bits; which one a row has.
    allowed: Keys
    of_allowed: Small
    #: By column: thousandths for everyone; what is sorted by last.
    millis: Ints
    tie: Small
    #: (orders, columns): what is sorted by first; which one a row has.
    primary: Small
    of_order: Small
    #: How many of the best a row wants.
    of_limit: Ints


class Piece(NamedTuple):
    """What a block has for some rows: the best columns, row after row."""

    #: Row *i* has ``column[ptr[i] : ptr[i + 1]]``, the best first.
    ptr: Ints
    #: As place in the batch's ``at_tie``.
    tie: Small
    score: Ints
    #: How many match, shown or not.
    matches: Ints


class Asked(NamedTuple):
    """The due rows of one chunk, and what each may see."""

    rows: Ints
    #: By due row: a row of ``masks``.
    window: Ints
    limit: Ints
    #: Due row *i* never gets ``out[out_ptr[i] : out_ptr[i + 1]]``.
    out_ptr: Ints
    out: Ints


def make_work(
    found: Found,
    place: int,
    block: Block,
    asked: Asked,
    masks: NDArray[np.bool_],
) -> Work:
    """Return the work of a chunk's due rows on one block.

    Args:
        found: The book and the batch.
        place: Which chunk of the book.
        block: One of *found*.
        asked: The due rows.
        masks: (windows, columns of the batch).
    """
    chunk, batch, rows = found.book.chunks[place], found.batch, asked.rows
    arrays = chunk.arrays
    gains, gain_ptr = _cut(arrays.gain_ptr, rows)
    numbers = found.book.numbers[place]
    gain_row = found.row[numbers[arrays.gain_node[gains]]]
    live = gain_row > 0
    before = np.append(np.int32(0), np.cumsum(live, dtype=np.int32))
    gates, gate_ptr = _cut(arrays.gate_ptr, rows)
    edges, edge_ptr = _cut(arrays.edge_ptr, gates)
    allowed, of_allowed = _allowed(arrays, batch, block, asked, masks)
    here = slice(block.first, block.first + block.columns)
    return Work(
        kind=arrays.kind[rows],
        gain_ptr=before[gain_ptr],
        gain_row=gain_row[live],
        gain_weight=arrays.gain_weight[gains][live].astype(np.int32),
        worths=worths(found, chunk),
        gate_ptr=gate_ptr.astype(np.int32),
        gate_level=arrays.gate_level[gates].astype(np.uint8),
        edge_ptr=edge_ptr.astype(np.int32),
        edges=renamed(arrays.edges[edges], found, place),
        root=renamed(arrays.root[rows], found, place),
        ptr=block.ptr,
        postings=block.postings,
        bits=block.bits,
        allowed=allowed,
        of_allowed=of_allowed,
        millis=batch.millis[here],
        tie=batch.tie[here],
        primary=np.ascontiguousarray(batch.primary[:, here]),
        of_order=arrays.order[rows].astype(np.int32),
        of_limit=asked.limit,
    )


def _cut(ptr: Numbers, rows: Ints) -> tuple[Ints, Numbers]:
    """Return the places of some rows' items, and where among them each row begins."""
    count = len(ptr) - 1
    if len(rows) == count and (rows == np.arange(count)).all():
        return np.arange(int(ptr[-1])), ptr
    at, _ = runs(ptr, rows)
    return at, pointers(np.diff(ptr)[rows])


def renamed(edges: Numbers, found: Found, place: int) -> Small:
    """Return a chunk's edges with a row of the block for each leaf.

    To leaves: ``2 * row``, plus 1 where inverted; to gate *g* of the row:
    ``-2 - 2 * g``, less 1 where inverted.
    """
    numbers = found.book.numbers[place]
    wide = edges.astype(np.int32)
    node = wide >> 1
    gate = node - len(numbers)
    inverted = wide & 1
    leaf = found.row[numbers[np.where(gate < 0, node, 0)]] << 1 | inverted
    return np.where(gate < 0, leaf, -2 - 2 * gate - inverted).astype(np.int32)


def _allowed(
    arrays: Arrays,
    batch: Batch,
    block: Block,
    asked: Asked,
    masks: NDArray[np.bool_],
) -> tuple[Keys, Small]:
    """Return sets of columns, and which one each due row has.

    A set is a window, less what has too few votes; rows that leave out more
    have a set of their own.
    """
    least = arrays.min_votes[asked.rows].astype(np.int64)
    few, of_few = np.unique(least, return_inverse=True)
    both, of_both = np.unique(asked.window * len(few) + of_few, return_inverse=True)
    window, votes = np.divmod(both, len(few))
    enough = batch.votes >= few[:, np.newaxis]
    first, columns = block.first, block.columns
    allowed = mask_bits(masks[window], first, columns)
    allowed &= mask_bits(enough, first, columns)[votes]
    picky = np.flatnonzero(np.diff(asked.out_ptr))
    if not len(picky):
        return allowed, of_both.astype(np.int32)
    own = allowed[of_both[picky]]
    at, owner = runs(asked.out_ptr, picky)
    out = asked.out[at] - first
    here = (out >= 0) & (out < columns)
    out, owner = out[here], owner[here]
    gone = np.zeros_like(own)
    shifted = np.uint64(1) << (out % WORD_BITS).astype(np.uint64)
    np.bitwise_or.at(gone, (owner, out // WORD_BITS), shifted)
    of_both[picky] = len(allowed) + np.arange(len(picky))
    return np.concatenate([allowed, own & ~gone]), of_both.astype(np.int32)


def joined(pieces: Sequence[Piece], work: Sequence[Work], batch: Batch) -> Piece:
    """Return the best over all blocks: *pieces* of the same rows, in block order."""
    if len(pieces) == 1:
        return pieces[0]
    row = np.concatenate(
        [np.repeat(np.arange(len(p.ptr) - 1), np.diff(p.ptr)) for p in pieces]
    )
    tie = np.concatenate([p.tie for p in pieces])
    score = np.concatenate([p.score for p in pieces])
    primary = batch.primary[work[0].of_order[row], batch.at_tie[tie]]
    order = np.lexsort((tie, -score, primary, row))
    row, tie, score = row[order], tie[order], score[order]
    ptr = np.searchsorted(row, np.arange(len(work[0].kind) + 1))
    kept = np.arange(len(row)) - ptr[row] < work[0].of_limit[row]
    counts = np.minimum(np.diff(ptr), work[0].of_limit)
    return Piece(
        ptr=np.concatenate([[0], np.cumsum(counts)]),
        tie=tie[kept],
        score=score[kept],
        matches=np.sum([p.matches for p in pieces], axis=0),
    )
