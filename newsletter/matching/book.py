"""Loaded chunks, and the one table of all that their profiles look for.

A day's text is searched once for all chunks. So at loading the leaves of every
chunk, sorted by key, are merged into one table by numpy; a chunk keeps where
in it each of its leaves stands. Chunks know nothing of one another, so one of
them can be written, loaded and replaced alone; the price is the merging at
loading, and that a leaf of many chunks is stored in each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from newsletter.matching.chunks import Chunk, runs
from newsletter.matching.keys import Bytes, Ints, Keys, Small, leaf_keys, pointers

#: Slots of the sieve for each pattern: an eighth of what is not there passes.
_SLOTS = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sieve:
    """A sorted set of keys that tells soon, of most, that they are not in it."""

    keys: Keys
    slots: NDArray[np.bool_]

    def places(self, wanted: Keys) -> tuple[Ints, Ints]:
        """Return which of *wanted* are in the set, and where: places in both."""
        mask = np.uint64(len(self.slots) - 1)
        maybe = np.flatnonzero(self.slots[(wanted & mask).astype(np.int64)])
        at = np.searchsorted(self.keys, wanted[maybe])
        at = np.minimum(at, max(len(self.keys) - 1, 0))
        found = self.keys[at] == wanted[maybe] if len(self.keys) else at < 0
        return maybe[found], at[found]


def sieve_of(keys: Keys) -> Sieve:
    """Return the set of *keys*, which are sorted and distinct."""
    slots = np.zeros(1 << max(8, (len(keys) * _SLOTS).bit_length()), np.bool_)
    slots[(keys & np.uint64(len(slots) - 1)).astype(np.int64)] = True
    return Sieve(keys=keys, slots=slots)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Book:
    """Profiles in the order of their chunks: row numbers count through all.

    Immutable, so threads may share it. Leaves are numbered from 1, here and in
    chunks; 0 never occurs.
    """

    chunks: tuple[Chunk, ...]
    #: The first row of each chunk, and the end of the last.
    starts: Ints
    #: By chunk: the number here of each of its leaves; 0 for 0.
    numbers: tuple[Small, ...]
    languages: tuple[str, ...]
    longest: int
    #: Fields of each leaf; item 0 is nobody's.
    fields: Bytes
    patterns: Sieve
    #: Pattern *i* is asked for by ``users[user_ptr[i] : user_ptr[i + 1]]``.
    user_ptr: Ints
    users: Small
    heads: Sieve
    openings: Sieve

    @property
    def rows(self) -> int:
        """Return how many profiles it holds."""
        return int(self.starts[-1])

    @property
    def nbytes(self) -> int:
        """Return the bytes of all its arrays, its chunks' too."""
        sieves = (self.patterns, self.heads, self.openings)
        return (
            sum(chunk.nbytes for chunk in self.chunks)
            + sum(numbers.nbytes for numbers in self.numbers)
            + sum(sieve.keys.nbytes + sieve.slots.nbytes for sieve in sieves)
            + self.fields.nbytes
            + self.user_ptr.nbytes
            + self.users.nbytes
        )


def open_book(chunks: Sequence[Chunk]) -> Book:
    """Return *chunks* with their leaves merged."""
    keys = [_keys(chunk) for chunk in chunks]
    table = _distinct([key for key, _ in keys])
    fields = np.zeros(len(table) + 1, np.uint8)
    home = np.zeros(len(table), np.int32)
    numbers = []
    for place, (chunk, (key, _)) in enumerate(zip(chunks, keys, strict=True)):
        found = np.zeros(len(key) + 1, np.int32)
        found[1:] = np.searchsorted(table, key) + 1
        fields[found[1:]] = chunk.arrays.leaf_fields
        home[found[1:] - 1] = place
        numbers.append(found)
    patterns, user_ptr, users = _patterns(chunks, keys, numbers, home)
    return Book(
        chunks=tuple(chunks),
        starts=pointers(np.array([chunk.rows for chunk in chunks], np.int64)),
        numbers=tuple(numbers),
        languages=tuple(sorted({x for chunk in chunks for x in chunk.languages})),
        longest=max((chunk.longest for chunk in chunks), default=0),
        fields=fields,
        patterns=sieve_of(patterns),
        user_ptr=user_ptr,
        users=users,
        heads=sieve_of(_distinct([chunk.arrays.heads for chunk in chunks])),
        openings=sieve_of(_distinct([chunk.arrays.openings for chunk in chunks])),
    )


def _keys(chunk: Chunk) -> tuple[Keys, Ints]:
    ptr = chunk.arrays.leaf_ptr.astype(np.int64)
    arrays = chunk.arrays
    return leaf_keys(ptr, arrays.leaf_patterns, arrays.leaf_fields), ptr


def _patterns(
    chunks: Sequence[Chunk],
    keys: Sequence[tuple[Keys, Ints]],
    numbers: Sequence[Small],
    home: Small,
) -> tuple[Keys, Ints, Small]:
    """Return the distinct patterns, and which leaves ask for each."""
    asked, askers = [np.zeros(0, np.uint64)], [np.zeros(0, np.int32)]
    for place, (chunk, (_, ptr)) in enumerate(zip(chunks, keys, strict=True)):
        # A leaf's patterns are read in one of the chunks that have it.
        here = np.flatnonzero(home[numbers[place][1:] - 1] == place)
        at, owner = runs(ptr, here)
        asked.append(chunk.arrays.leaf_patterns[at])
        askers.append(numbers[place][1:][here][owner])
    flat, leaves = np.concatenate(asked), np.concatenate(askers)
    order = np.argsort(flat, kind="stable")
    flat = flat[order]
    first = np.flatnonzero(np.diff(flat, prepend=flat[:1] + np.uint64(1)))
    return flat[first], np.append(first, len(flat)), leaves[order]


def _distinct(parts: Sequence[Keys]) -> Keys:
    """Return the distinct of many keys, sorted."""
    flat = np.concatenate([np.zeros(0, np.uint64), *parts])
    flat.sort()
    found: Keys = flat[np.diff(flat, prepend=flat[:1] + np.uint64(1)) != 0]
    return found
