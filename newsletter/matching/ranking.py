"""The best columns of many rows at once, with numpy alone.

    truth    circuits, level by level: a gather and an OR over runs of edges
    cells    every (row, column, worth) as one number, sorted, runs summed
    best     every match as one number (row, first, score, last), sorted, cut

All numbers are whole; what does not fit 64 bits together is sorted by columns.
"""

from __future__ import annotations

import numpy as np

from newsletter.matching.chunks import Kind, runs
from newsletter.matching.finding import CODE_BITS, WORD_BITS
from newsletter.matching.keys import FIELD_SETS, Ints, Keys, Numbers
from newsletter.matching.scoring import WORTH_BITS
from newsletter.matching.working import Piece, Work

_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
#: Rows taken together; with a block's columns and a worth they fit 63 bits.
_ROWS = 4096


def rank_plainly(work: Work) -> Piece:
    """Return the best columns of every due row."""
    parts = [
        _rank(work, np.arange(first, min(first + _ROWS, len(work.kind))))
        for first in range(0, len(work.kind), _ROWS)
    ]
    counts = np.concatenate([np.diff(part.ptr) for part in parts])
    return Piece(
        ptr=np.concatenate([[0], np.cumsum(counts)]),
        tie=np.concatenate([part.tie for part in parts]),
        score=np.concatenate([part.score for part in parts]),
        matches=np.concatenate([part.matches for part in parts]),
    )


def _rank(work: Work, due: Ints) -> Piece:
    """Return the best columns of some due rows, given by place."""
    may = _may_match(work, due)
    row, column, score = _cells(work, due, may)
    word = may[row, column // WORD_BITS]
    fits = (word >> (column % WORD_BITS).astype(np.uint64) & np.uint64(1)).astype(bool)
    row, column = row[fits], column[fits]
    score = score[fits] + work.millis[column]
    matches = np.bincount(row, minlength=len(due))
    row, tie, score = _sorted(work, due, row, column, score)
    limit = work.of_limit[due]
    before = np.cumsum(matches) - matches
    kept = np.arange(len(row)) - before[row] < limit[row]
    return Piece(
        ptr=np.concatenate([[0], np.cumsum(np.minimum(matches, limit))]),
        tie=tie[kept].astype(np.int32),
        score=score[kept],
        matches=matches,
    )


def _may_match(work: Work, due: Ints) -> Keys:
    """Return the columns that each row may show: where its circuit holds, if any."""
    found = work.allowed[work.of_allowed[due]]
    some = np.flatnonzero(work.kind[due] != Kind.PLAIN)
    if len(some):
        rows = due[some]
        found[some] &= edge_bits(work, rows, work.root[rows], np.arange(len(rows)))
    return found


def edge_bits(work: Work, rows: Ints, edges: Numbers, owner: Ints) -> Keys:
    """Return where edges of some rows hold.

    Args:
        work: Of a chunk.
        rows: Rows; their gates are evaluated.
        edges: Edges to leaves, or to gates of those rows.
        owner: By edge, whose it is: a place in *rows*.
    """
    gates, gate_owner = runs(work.gate_ptr, rows)
    # Where in *gates* the gates of a row begin.
    start = np.searchsorted(gate_owner, np.arange(len(rows)))
    at, user = runs(work.edge_ptr, gates)
    place = _places(work, work.edges[at], start[gate_owner[user]])
    values = np.concatenate(
        [work.bits, np.empty((len(gates), work.bits.shape[1]), np.uint64)]
    )
    levels = work.gate_level[gates]
    edge_levels = levels[user]
    for level in range(1, int(levels.max(initial=0)) + 1):
        here = edge_levels == level
        asked = _values(values, place[here], work.edges[at[here]])
        of = user[here]
        new = np.flatnonzero(np.diff(of, prepend=-1))
        values[len(work.bits) + of[new]] = np.bitwise_or.reduceat(asked, new)
    return _values(values, _places(work, edges, start[owner]), edges)


def _places(work: Work, edges: Numbers, start: Ints) -> Ints:
    """Return where the values of edges stand: leaves first, then gates."""
    gates = len(work.bits) + start + (-2 - edges.astype(np.int64) >> 1)
    return np.where(edges >= 0, edges >> 1, gates)


def _values(values: Keys, places: Ints, edges: Numbers) -> Keys:
    # Also for gates the last bit says inverted: -2 - 2 * g - 1 is odd.
    found = values[places]
    found[(edges & 1).astype(bool)] ^= _ALL
    return found


def _cells(work: Work, due: Ints, may: Keys) -> tuple[Ints, Ints, Ints]:
    """Return where rows have gains, and what they are worth together.

    Of open rows also where they have none, but may match.

    Returns:
        Places in *due*, columns, thousandths; sorted, each pair once.
    """
    gain, owner = runs(work.gain_ptr, due)
    at, of = runs(work.ptr, work.gain_row[gain])
    shift = max(len(work.millis).bit_length(), 1)
    posting = work.postings[at]
    cell = (owner << shift)[of] | posting >> CODE_BITS
    worth = work.worths[work.gain_weight[gain][of], posting & (FIELD_SETS - 1)]
    packed = cell << WORTH_BITS | worth
    nothing = _open_cells(work, due, may, shift) << WORTH_BITS
    packed = np.concatenate([packed, nothing])
    packed.sort()
    cell = packed >> WORTH_BITS
    new = np.flatnonzero(np.diff(cell, prepend=-1))
    if not len(new):
        return cell, cell, cell
    score = np.add.reduceat(packed & ((1 << WORTH_BITS) - 1), new)
    cell = cell[new]
    return cell >> shift, cell & ((1 << shift) - 1), score


def _open_cells(work: Work, due: Ints, may: Keys, shift: int) -> Ints:
    wide = np.flatnonzero(work.kind[due] >= Kind.OPEN)
    bits = np.unpackbits(
        may[wide].astype("<u8").view(np.uint8), axis=1, bitorder="little"
    )
    row, column = np.nonzero(bits)
    return wide[row] << shift | column


def _sorted(
    work: Work, due: Ints, row: Ints, column: Ints, score: Ints
) -> tuple[Ints, Ints, Ints]:
    """Return matches in order, by row, the best first: row, tie, score."""
    primary = work.primary[work.of_order[due][row], column].astype(np.int64)
    tie = work.tie[column].astype(np.int64)
    most = score.max(initial=0)
    parts = (row, primary, most - score, tie)
    widths = [int(part.max(initial=0)).bit_length() for part in parts]
    if sum(widths) >= WORD_BITS:
        order = np.lexsort(parts[::-1])
        return row[order], tie[order], score[order]
    packed = np.zeros(len(row), np.int64)
    for part, width in zip(parts, widths, strict=True):
        packed = packed << width | part
    packed.sort()
    _, _, falling, last = widths
    tie = packed & ((1 << last) - 1)
    score = most - (packed >> last & ((1 << falling) - 1))
    return packed >> sum(widths[1:]), tie, score
