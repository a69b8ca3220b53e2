"""What of a book occurs in a batch: searched for once, for all its chunks.

    words      each distinct one, and each of its prefixes, is looked up once
    phrases    at each position, a word longer each time, while anything begins so
    postings   for each leaf that occurs: columns, and the fields where it does
    bits       the same as a bitset over columns, for the circuits

Keys are computed for all positions at once; a sieve drops most of those that
nobody asks for before they are searched in the table of patterns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from newsletter.matching.batch import Batch, Texts
from newsletter.matching.book import Book
from newsletter.matching.chunks import runs
from newsletter.matching.keys import (
    FIELD_SETS,
    OPENING,
    Bytes,
    Ints,
    Keys,
    Small,
    followed,
    pointers,
    prefix_keys,
    word_states,
)

#: Columns that are evaluated together: what is touched fits a processor's cache.
BLOCK_COLUMNS = 4096
WORD_BITS = 64
#: Of a posting, for the code of its worth: any set of fields.
CODE_BITS = (FIELD_SETS - 1).bit_length()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """A run of columns: where each leaf occurs. Row 0 occurs nowhere."""

    #: The first column, and how many there are.
    first: int
    columns: int
    #: Row *i* has the postings ``[ptr[i], ptr[i + 1])``.
    ptr: Small
    #: By posting: ``column << CODE_BITS | code``: where, counted from *first*, and
    #: in which fields, as a code of its worth (scoring.worths). Together, since
    #: the two are wanted together.
    postings: Small
    #: By row, a bit a column.
    bits: Keys


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """A book, a batch, and what of the one occurs in the other."""

    book: Book
    batch: Batch
    #: By leaf of the book: its row in every block; 0: it occurs nowhere.
    row: Small
    blocks: tuple[Block, ...]
    #: What a term of a weight is worth, by weight: ``scoring.worths``.
    worths: dict[int, Ints] = field(default_factory=dict)


def find(book: Book, batch: Batch, *, block_columns: int = BLOCK_COLUMNS) -> Found:
    """Return where the leaves of *book* occur in *batch*.

    Args:
        book: All that may be asked about.
        batch: The columns.
        block_columns: How many are evaluated together, up to ``BLOCK_COLUMNS``;
            changes no result.
    """
    size = min(block_columns, BLOCK_COLUMNS)
    pattern, text = _occurrences(book, batch)
    leaf, column, bits = _postings(book, batch, pattern, text)
    new = np.diff(leaf, prepend=-1) != 0
    leaves, row = leaf[new], np.cumsum(new) - 1
    rows = np.zeros(len(book.fields), np.int32)
    rows[leaves] = np.arange(1, len(leaves) + 1)
    blocks = tuple(
        _block(
            first,
            min(size, batch.columns - first),
            len(leaves) + 1,
            (row + 1, column, bits),
        )
        for first in range(0, max(batch.columns, 1), size)
    )
    return Found(book=book, batch=batch, row=rows, blocks=blocks)


def _block(
    first: int, columns: int, rows: int, postings: tuple[Ints, Ints, Bytes]
) -> Block:
    row, column, code = postings
    if len(row) and (first or columns <= int(column.max())):
        here = (column >= first) & (column < first + columns)
        row, column, code = row[here], column[here] - first, code[here]
    width = max(-(-columns // WORD_BITS), 1)
    bits = np.zeros(rows * width, np.uint64)
    shifted = np.uint64(1) << (column % WORD_BITS).astype(np.uint64)
    # Postings are distinct, so that adding their bits is joining them.
    np.add.at(bits, row * width + column // WORD_BITS, shifted)
    return Block(
        first=first,
        columns=columns,
        ptr=pointers(np.bincount(row, minlength=rows)).astype(np.int32),
        postings=(column << CODE_BITS | code).astype(np.int32),
        bits=bits.reshape(rows, width),
    )


def _postings(
    book: Book, batch: Batch, pattern: Ints, text: Ints
) -> tuple[Ints, Ints, Bytes]:
    """Return where leaves occur: leaf, column, field bits; sorted, each pair once."""
    at, owner = runs(book.user_ptr, pattern)
    leaf, text = book.users[at], text[owner]
    at, owner = runs(batch.texts.use_ptr, text)
    leaf = leaf[owner].astype(np.int64)
    bits = batch.texts.use_field[at] & book.fields[leaf]
    there = bits != 0
    cell = leaf[there] * max(batch.columns, 1) + batch.texts.use_column[at[there]]
    # Eight bits for the fields: a leaf in a column is below 2 ** 55.
    packed = cell << 8 | bits[there]
    packed.sort()
    cell = packed >> 8
    new = np.flatnonzero(np.diff(cell, prepend=-1))
    if len(new):
        joined = np.bitwise_or.reduceat((packed & 0xFF).astype(np.uint8), new)
    else:
        joined = np.zeros(0, np.uint8)
    leaf, column = np.divmod(cell[new], max(batch.columns, 1))
    return leaf, column, joined


# --- which patterns stand in which texts ------------------------------------------


def _occurrences(book: Book, batch: Batch) -> tuple[Ints, Ints]:
    """Return pairs of pattern and text, each once."""
    texts = batch.texts
    pairs = [np.zeros(0, np.int64)]
    for language in book.languages:
        stems, number = _stems(batch, language)
        states, ptr = word_states(stems, language)
        search = _Search(book, texts, number[texts.tokens], states, ptr)
        pairs += search.words()
        pairs += search.phrases()
    joined = distinct(np.concatenate(pairs))
    pattern, text = np.divmod(joined, max(len(texts.ptr), 1))
    return pattern, text


def _stems(batch: Batch, language: str) -> tuple[list[str], Small]:
    """Return the distinct stems of a batch's words, and the number of each word's."""
    numbers: dict[str, int] = {}
    stems = batch.stemmed(batch.texts.words, language)
    found = [numbers.setdefault(stem, len(numbers)) for stem in stems]
    return list(numbers), np.array(found, np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """Looks for a book's patterns in a stream of words."""

    book: Book
    texts: Texts
    #: By position in all texts, the number of its word.
    tokens: Small
    #: Of each word, the state after each letter.
    states: Keys
    ptr: Ints

    def words(self) -> Iterator[Ints]:
        """Yield pairs for patterns of one word, or its beginning."""
        text = np.repeat(np.arange(len(self.texts.ptr) - 1), np.diff(self.texts.ptr))
        words = len(self.ptr) - 1
        # Every word once for each text; a word is below 2 ** 31, and so a text.
        pairs = distinct(self.tokens.astype(np.int64) << 32 | text)
        word_ptr = np.searchsorted(pairs >> 32, np.arange(words + 1))
        texts = pairs & 0xFFFFFFFF
        whole = followed(np.zeros(words, np.uint64), self.states[self.ptr[1:] - 1])
        of = np.repeat(np.arange(words), np.diff(self.ptr))
        begun = prefix_keys(followed(np.zeros(len(of), np.uint64), self.states))
        for keys, word in ((whole, np.arange(words)), (begun, of)):
            place, pattern = self.book.patterns.places(keys)
            at, owner = runs(word_ptr, word[place])
            yield self._pairs(pattern[owner], texts[at])

    def phrases(self) -> Iterator[Ints]:
        """Yield pairs for patterns of several words."""
        at, end = self._positions()
        whole = self.states[self.ptr[1:] - 1]
        states = followed(np.zeros(len(at), np.uint64), whole[self.tokens[at]])
        for length in range(2, self.book.longest + 1):
            if length == OPENING + 1:
                known, _ = self.book.openings.places(states)
                at, end, states = at[known], end[known], states[known]
            inside = at + length - 1 < end
            at, end, states = at[inside], end[inside], states[inside]
            head, _ = self.book.heads.places(states)
            yield self._begun(at[head], states[head], length)
            states = followed(states, whole[self.tokens[at + length - 1]])
            place, pattern = self.book.patterns.places(states)
            yield self._pairs(pattern, self._text(at[place]))

    def _positions(self) -> tuple[Ints, Ints]:
        """Return every position, and where its text ends."""
        counts = np.diff(self.texts.ptr)
        return np.arange(len(self.tokens)), np.repeat(self.texts.ptr[1:], counts)

    def _begun(self, at: Ints, states: Keys, length: int) -> Ints:
        """Return pairs for phrases whose last word is the beginning of a word."""
        place, owner = runs(self.ptr, self.tokens[at + length - 1].astype(np.int64))
        keys = prefix_keys(followed(states[owner], self.states[place]))
        found, pattern = self.book.patterns.places(keys)
        return self._pairs(pattern, self._text(at[owner[found]]))

    def _text(self, at: Ints) -> Ints:
        return np.searchsorted(self.texts.ptr, at, side="right") - 1

    def _pairs(self, pattern: Ints, text: Ints) -> Ints:
        return pattern * len(self.texts.ptr) + text


def mask_bits(masks: NDArray[np.bool_], first: int, columns: int) -> Keys:
    """Return a run of columns of some masks as bits, a row each."""
    width = max(-(-columns // WORD_BITS), 1)
    padded = np.zeros((len(masks), width * WORD_BITS), np.uint8)
    padded[:, :columns] = masks[:, first : first + columns]
    return np.packbits(padded, axis=1, bitorder="little").view("<u8").astype(np.uint64)


def distinct(values: Ints) -> Ints:
    """Return the distinct of some numbers (none negative), sorted; changes them."""
    values.sort()
    found: Ints = values[np.diff(values, prepend=-1) != 0]
    return found
