"""What a leaf is worth in a column: the one place where that is decided.

A posting bears a code; what a term of some weight is worth there is a whole
number of thousandths from a table, by weight and code. Today the code is the
set of fields in which the leaf occurs, and the table is the reference's own.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from newsletter.matching.chunks import WEIGHT_UNITS, Chunk
from newsletter.matching.finding import Found
from newsletter.matching.keys import FIELD_BITS, FIELD_SETS, Ints
from newsletter.matching.reference import term_millis
from newsletter.model import Ranking

#: Bits of a term's worth: with row and column it is sorted as one number of 64.
WORTH_BITS = 36


def worths(found: Found, chunk: Chunk) -> Ints:
    """Return what each weight of *chunk* is worth for each code: (weights, codes).

    Raises:
        ValueError: A worth is beyond 68 million points.
    """
    rows = []
    for units in chunk.arrays.weights.tolist():
        row = found.worths.get(units)
        if row is None:
            row = found.worths[units] = _row(units, found.batch.ranking)
        rows.append(row)
    return np.array(rows, np.int64).reshape(-1, FIELD_SETS)


def _row(units: int, ranking: Ranking) -> Ints:
    weight = Decimal(units) / WEIGHT_UNITS
    row = [
        term_millis(weight, [f for f, bit in FIELD_BITS.items() if bit & code], ranking)
        for code in range(FIELD_SETS)
    ]
    if max(row) >> WORTH_BITS:
        raise ValueError(
            f"a term of weight {weight} is worth {max(row)} thousandths, more than "
            "scores are made for; make the weights of the ranking smaller"
        )
    return np.array(row, np.int64)
