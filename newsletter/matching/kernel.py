"""The same as ranking.py, row by row: compiled where numba is installed.

For one row: its circuit over bits; its gains added up in an array of columns;
what may match is put in its place among the best. Nothing is sorted that is
not shown, and a thread runs beside others. Without numba (the extra ``fast``)
the functions here are plain Python, too slow for more than tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np

from newsletter.matching.chunks import Kind
from newsletter.matching.finding import CODE_BITS, WORD_BITS
from newsletter.matching.keys import Bytes, Ints, Keys, Small, pointers
from newsletter.matching.working import Piece, Work

try:
    from numba import njit
except ImportError:
    #: The compiled way is there.
    IS_COMPILED = False
else:
    IS_COMPILED = True

_Function = TypeVar("_Function", bound=Callable[..., Any])

_PLAIN, _OPEN = int(Kind.PLAIN), int(Kind.OPEN)
_CODE = (1 << CODE_BITS) - 1
_SHIFT, _MASK = WORD_BITS.bit_length() - 1, WORD_BITS - 1
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_NONE = np.uint64(0)
_ONE = np.uint64(1)


def compiled(function: _Function) -> _Function:
    """Return *function* compiled, where numba is there; its code is kept on disk."""
    if not IS_COMPILED:
        return function
    try:
        found = njit(nogil=True, cache=True)(function)
    except RuntimeError:
        # Nowhere to keep it: a folder that cannot be written to, and no home.
        found = njit(nogil=True)(function)
    return cast("_Function", found)


def rank_compiled(work: Work) -> Piece:
    """Return the best columns of every due row."""
    limit = np.minimum(work.of_limit, len(work.millis))
    start = pointers(limit)
    tie = np.zeros(start[-1], np.int32)
    score = np.zeros(start[-1], np.int64)
    matches = np.zeros(len(limit), np.int64)
    gates = int(np.diff(work.gate_ptr).max(initial=0))
    _rank(work, start, (tie, score, matches), gates)
    counts = np.minimum(matches, limit)
    if counts.sum() < len(tie):
        first = np.arange(len(tie)) - np.repeat(start[:-1], limit)
        kept = first < np.repeat(counts, limit)
        tie, score = tie[kept], score[kept]
    return Piece(ptr=pointers(counts), tie=tie, score=score, matches=matches)


@compiled
def _rank(
    work: Work, start: Ints, filled: tuple[Small, Ints, Ints], gates: int
) -> None:
    """Fill tie, score and matches; a row's best begin at its *start*."""
    tie, score, matches = filled
    columns = len(work.millis)
    values = np.empty((gates + 1, work.bits.shape[1]), np.uint64)
    may = np.empty(work.bits.shape[1], np.uint64)
    sums = np.zeros(columns, np.int64)
    is_met = np.zeros(columns, np.uint8)
    met = np.empty(columns, np.int32)
    first = np.empty(columns, np.int32)
    for row in range(len(work.kind)):
        count = _add_gains(work, row, sums, is_met, met)
        is_open = work.kind[row] >= _OPEN
        if not (count or is_open):
            continue
        _may_match(work, row, values, may)
        if is_open:
            for column in range(columns):
                if not is_met[column]:
                    met[count] = column
                    count += 1
        here = slice(start[row], start[row + 1])
        matches[row] = _choose(
            met[:count],
            may,
            (sums, work.millis, work.primary[work.of_order[row]], work.tie),
            (first, score[here], tie[here]),
        )
        for place in range(count):
            sums[met[place]] = 0
            is_met[met[place]] = 0


@compiled
def _choose(
    met: Small,
    may: Keys,
    worth: tuple[Ints, Ints, Small, Small],
    best: tuple[Small, Ints, Small],
) -> int:
    """Put what may match in its place among the *best*; return how many did.

    Args:
        met: Columns, each once.
        may: Which of them may match, as bits.
        worth: By column: gains; for everyone; what is sorted by first, and last.
        best: Filled with what is sorted by first, the score, and last.
    """
    sums, millis, primary, last = worth
    first, score, tie = best
    room = len(score)
    found = 0
    for place in range(len(met)):
        column = met[place]
        word = may[column >> _SHIFT] >> np.uint64(column & _MASK)
        if (word & _ONE) == _NONE:
            continue
        one, two, three = primary[column], sums[column] + millis[column], last[column]
        at = min(found, room)
        found += 1
        while at:
            above = at - 1
            if one != first[above]:
                is_better = one < first[above]
            elif two != score[above]:
                is_better = two > score[above]
            else:
                is_better = three < tie[above]
            if not is_better:
                break
            if at < room:
                first[at], score[at], tie[at] = first[above], score[above], tie[above]
            at = above
        if at < room:
            first[at], score[at], tie[at] = one, two, three
    return found


@compiled
def _may_match(work: Work, row: int, values: Keys, may: Keys) -> None:
    """Set *may* to the columns that a row may show; *values* is room for gates."""
    may[:] = work.allowed[work.of_allowed[row]]
    if work.kind[row] == _PLAIN:
        return
    begin = work.gate_ptr[row]
    for gate in range(begin, work.gate_ptr[row + 1]):
        values[gate - begin] = _NONE
        for place in range(work.edge_ptr[gate], work.edge_ptr[gate + 1]):
            _join(work.edges[place], work.bits, values, values[gate - begin])
    room = values[len(values) - 1]
    room[:] = _NONE
    _join(work.root[row], work.bits, values, room)
    for word in range(len(may)):
        may[word] &= room[word]


@compiled
def _join(edge: int, bits: Keys, values: Keys, into: Keys) -> None:
    """Set in *into* where *edge* holds."""
    flip = _ALL if edge & 1 else _NONE
    if edge >= 0:
        if edge > 1 or flip:
            for word in range(len(into)):
                into[word] |= bits[edge >> 1, word] ^ flip
    else:
        gate = (-2 - edge) >> 1
        for word in range(len(into)):
            into[word] |= values[gate, word] ^ flip


@compiled
def _add_gains(work: Work, row: int, sums: Ints, is_met: Bytes, met: Small) -> int:
    """Add up what a row's gains are worth; return how many columns have any."""
    count = 0
    for gain in range(work.gain_ptr[row], work.gain_ptr[row + 1]):
        leaf = work.gain_row[gain]
        weight = work.gain_weight[gain]
        for place in range(work.ptr[leaf], work.ptr[leaf + 1]):
            posting = work.postings[place]
            column = posting >> CODE_BITS
            if not is_met[column]:
                is_met[column] = 1
                met[count] = column
                count += 1
            sums[column] += work.worths[weight, posting & _CODE]
    return count
