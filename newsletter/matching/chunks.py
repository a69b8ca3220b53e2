"""Compiled profiles: some thousands of them as integer arrays, and as bytes.

    (mamba^2 OR robot*) AND NOT survey

    leaves   1 mamba   2 robot*   3 survey          node 0 never occurs
    gains    (1, 2.0) (2, 1.0)                      what is worth something
    gates    g0 = 1 OR 2     g1 = NOT g0 OR 3       OR only, edges may be inverted
    root     NOT g1                                 AND is NOT OR NOT

An edge is ``2 * node``, plus 1 where it is inverted; nodes are the never, the
leaves, then the gates of the row, each after those that it asks. A chunk is
self-contained: it names its leaves by keys of their patterns (keys.py), so it
is loaded without any other, and without reading a query.

    bytes    magic, version, sizes and widths of the arrays, checksum; the arrays

Arrays are stored in the narrowest width that holds them and used in place.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np

from newsletter.matching.keys import Bytes, Ints, Keys, Numbers

#: Raised when the same profiles would give other bytes than before.
COMPILER_VERSION = 2
#: What one chunk should hold: the work of a chunk then fits a processor's cache.
CHUNK_ROWS = 4096
#: Weights are whole ten-thousandths: two decimals of interest times two of term.
WEIGHT_UNITS = 10_000

_MAGIC = b"NLCHUNK\n"
#: Magic, version, checksum and size of all that follows.
_HEAD = struct.Struct("<8sIIQ")
_SIZE = struct.Struct("<Q")
_WIDTHS: tuple[type[np.unsignedinteger], ...] = (
    np.uint8,
    np.uint16,
    np.uint32,
    np.uint64,
)


class Kind(IntEnum):
    """How a row's matches are found."""

    #: It matches where any of its gains occurs: no circuit.
    PLAIN = 0
    #: The circuit decides, of what has a gain.
    CIRCUIT = 1
    #: The circuit decides, also of what has no gain.
    OPEN = 2
    #: The same, and there are no interests: everything but what mutes leave out.
    EVERYTHING = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrays:
    """The arrays of a chunk; a ``…_ptr`` has one more item than what it divides."""

    #: Distinct weights of gains, in ten-thousandths, rising.
    weights: Numbers
    #: Leaves, in the order of their keys: patterns and fields.
    leaf_ptr: Numbers
    leaf_patterns: Keys
    leaf_fields: Bytes
    #: What leads to patterns in a text (keys.pattern_keys).
    heads: Keys
    openings: Keys
    #: Gains by row, as ``weighed_terms`` has them: node of the leaf, weight.
    gain_ptr: Numbers
    gain_node: Numbers
    gain_weight: Numbers
    #: Gates by row, edges by gate; a gate's level is 1 + that of those it asks.
    gate_ptr: Numbers
    gate_level: Numbers
    edge_ptr: Numbers
    edges: Numbers
    #: By row: the edge that decides; 0 for plain ones.
    root: Numbers
    kind: Bytes
    #: The edges of single interests, of rows with more than one.
    interest_ptr: Numbers
    interests: Numbers
    #: By row, as the profile has them; order is a place in ``Order``.
    max_items: Numbers
    min_votes: Numbers
    order: Numbers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chunk:
    """Compiled profiles, one a row."""

    arrays: Arrays
    #: Whose stems its patterns compare; sorted.
    languages: tuple[str, ...]
    #: Tokens of its longest pattern.
    longest: int

    @property
    def rows(self) -> int:
        """Return how many profiles it holds."""
        return len(self.arrays.kind)

    @property
    def leaves(self) -> int:
        """Return how many distinct leaves it holds."""
        return len(self.arrays.leaf_fields)

    @property
    def nbytes(self) -> int:
        """Return the bytes of its arrays."""
        return sum(array.nbytes for _, array in _named(self.arrays))


def narrow(values: Numbers) -> Numbers:
    """Return *values* (none negative) in the narrowest width that holds them."""
    most = int(values.max(initial=0))
    return values.astype(next(w for w in _WIDTHS if most <= np.iinfo(w).max))


def chunk_to_bytes(chunk: Chunk) -> bytes:
    """Return *chunk* as bytes, the same for the same profiles."""
    arrays = [array for _, array in _named(chunk.arrays)]
    head = json.dumps(
        {
            "languages": chunk.languages,
            "longest": chunk.longest,
            "arrays": [(array.dtype.itemsize, len(array)) for array in arrays],
        }
    ).encode()
    head += b" " * (-len(head) % 8)
    size = _SIZE.pack(len(head))
    body = b"".join([size, head, *(_padded(array) for array in arrays)])
    return _HEAD.pack(_MAGIC, COMPILER_VERSION, zlib.crc32(body), len(body)) + body


def chunk_from_bytes(data: bytes) -> Chunk:
    """Return the chunk that ``chunk_to_bytes`` wrote; its arrays lie in *data*.

    Raises:
        ValueError: It wrote no such thing, another version did, or it is
            damaged; compile the profiles anew.
    """
    if len(data) < _HEAD.size:
        raise ValueError("compiled profiles are cut off; compile them anew")
    magic, version, checksum, size = _HEAD.unpack_from(data)
    if magic != _MAGIC:
        raise ValueError("these bytes are no compiled profiles")
    if version != COMPILER_VERSION:
        raise ValueError(
            f"profiles compiled by version {version}; this is version "
            f"{COMPILER_VERSION}: compile them anew"
        )
    body = memoryview(data)[_HEAD.size :]
    if len(body) != size or zlib.crc32(body) != checksum:
        raise ValueError("compiled profiles are damaged; compile them anew")
    end = _SIZE.size + _SIZE.unpack_from(body)[0]
    head = json.loads(bytes(body[_SIZE.size : end]))
    return Chunk(
        arrays=_arrays(body[end:], head["arrays"]),
        languages=tuple(head["languages"]),
        longest=head["longest"],
    )


def _arrays(body: memoryview, shapes: list[tuple[int, int]]) -> Arrays:
    found: dict[str, Numbers] = {}
    at = 0
    for field, (width, count) in zip(fields(Arrays), shapes, strict=True):
        found[field.name] = np.frombuffer(body, f"<u{width}", count, at)
        at += width * count + -width * count % 8
    return Arrays(**found)  # type: ignore[arg-type] # keys are as wide as they were


def _named(arrays: Arrays) -> Iterator[tuple[str, Numbers]]:
    for field in fields(arrays):
        yield field.name, getattr(arrays, field.name)


def _padded(array: Numbers) -> bytes:
    data = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    return data + b"\0" * (-len(data) % 8)


def runs(ptr: Numbers, rows: Numbers) -> tuple[Ints, Ints]:
    """Return the places of some rows' items, and whose each of them is.

    Args:
        ptr: Row *i* has the items ``[ptr[i], ptr[i + 1])``.
        rows: Some rows.

    Returns:
        Places of items, row after row; for each its place in *rows*.
    """
    first = ptr[rows].astype(np.int64)
    counts = ptr[rows + 1] - first
    owner = np.repeat(np.arange(len(rows)), counts)
    before = first - (np.cumsum(counts) - counts)
    return np.arange(len(owner)) + before[owner], owner
