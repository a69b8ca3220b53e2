"""Compiled profiles as bytes; keys; the one table of all chunks."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.matching.book import open_book, sieve_of
from newsletter.matching.chunks import (
    COMPILER_VERSION,
    Arrays,
    chunk_from_bytes,
    chunk_to_bytes,
    narrow,
)
from newsletter.matching.compiling import compile_profiles
from newsletter.matching.keys import (
    followed,
    leaf_keys,
    pattern_keys,
    prefix_keys,
    word_states,
)
from newsletter.matching.terms import Pattern
from tests.support.made_up import Maker

PROFILES = [Maker(chance=Random(3)).profile() for _ in range(100)]  # noqa: S311 - no secret


def test_a_chunk_is_the_same_after_writing_and_reading() -> None:
    chunk = compile_profiles(PROFILES)
    data = chunk_to_bytes(chunk)
    again = chunk_from_bytes(data)
    for name in Arrays.__slots__:
        one, other = getattr(chunk.arrays, name), getattr(again.arrays, name)
        assert one.dtype == other.dtype, name
        assert one.tolist() == other.tolist(), name
    assert (again.languages, again.longest) == (chunk.languages, chunk.longest)
    assert (again.rows, again.leaves) == (100, chunk.leaves)
    assert chunk_to_bytes(again) == data == chunk_to_bytes(compile_profiles(PROFILES))


def test_a_chunk_of_nobody_can_be_written() -> None:
    again = chunk_from_bytes(chunk_to_bytes(compile_profiles([])))
    assert (again.rows, again.leaves, again.longest) == (0, 0, 0)


def test_every_damaged_byte_is_noticed() -> None:
    data = chunk_to_bytes(compile_profiles(PROFILES[:2]))
    for place in range(len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 0x40
        with pytest.raises(ValueError, match=r"compile"):
            chunk_from_bytes(bytes(damaged))


@pytest.mark.parametrize("end", [0, 1, 20, 30, -1])
def test_what_is_cut_off_is_noticed(end: int) -> None:
    data = chunk_to_bytes(compile_profiles(PROFILES[:2]))
    with pytest.raises(ValueError, match="compile"):
        chunk_from_bytes(data[:end])


def test_another_version_says_what_to_do() -> None:
    data = bytearray(chunk_to_bytes(compile_profiles([])))
    data[8] = COMPILER_VERSION + 1
    with pytest.raises(ValueError, match="compile them anew"):
        chunk_from_bytes(bytes(data))


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_the_narrowest_width_holds_all(numbers: list[int]) -> None:
    values = np.array(numbers, np.uint64)
    found = narrow(values)
    assert found.tolist() == numbers
    wider = [w for w in (1, 2, 4, 8) if max(numbers, default=0) < 1 << 8 * w]
    assert found.dtype.itemsize == wider[0]


WORDS = st.text(st.characters(codec="utf-32"), min_size=1, max_size=8)


@given(st.lists(st.tuples(st.lists(WORDS, min_size=1, max_size=6), st.booleans())))
def test_keys_of_patterns_are_those_that_a_text_leads_to(
    given_patterns: list[tuple[list[str], bool]],
) -> None:
    patterns = [Pattern(tuple(tokens), prefix) for tokens, prefix in given_patterns]
    keys, heads, openings = pattern_keys(patterns)
    for key, pattern in zip(keys, patterns, strict=True):
        state = np.zeros(1, np.uint64)
        for place, token in enumerate(pattern.tokens):
            if pattern.prefix and place and place == len(pattern.tokens) - 1:
                assert state[0] in heads
            if place == 3:
                assert state[0] in openings
            # A longer word begins with the states of a shorter one.
            states, _ = word_states([token + "x"], pattern.stem)
            state = followed(state, states[len(token) - 1 : len(token)])
        assert key == (prefix_keys(state) if pattern.prefix else state)[0]
    assert len(set(keys.tolist())) == len(set(patterns))


def test_languages_and_prefixes_tell_keys_apart() -> None:
    patterns = [
        Pattern(("model",)),
        Pattern(("model",), prefix=True),
        Pattern(("model",), stem="english"),
        Pattern(("mode", "l")),
    ]
    assert len(set(pattern_keys(patterns)[0].tolist())) == 4


def test_a_leaf_is_named_by_its_patterns_in_any_order_and_its_fields() -> None:
    keys = np.array([5, 7, 7, 5, 5], np.uint64)
    names = leaf_keys(np.array([0, 2, 4, 5]), keys, np.array([3, 3, 3], np.uint8))
    assert names[0] == names[1] != names[2]
    other = leaf_keys(np.array([0, 2, 4, 5]), keys, np.array([3, 1, 3], np.uint8))
    assert other[0] == names[0]
    assert other[1] != names[1]


@given(st.sets(st.integers(0, 2**64 - 1)), st.lists(st.integers(0, 2**64 - 1)))
def test_a_sieve_finds_what_is_in_it(inside: set[int], others: list[int]) -> None:
    keys = np.array(sorted(inside), np.uint64)
    wanted = [*inside, *others]
    places, found = sieve_of(keys).places(np.array(wanted, np.uint64))
    assert places.tolist() == [n for n, key in enumerate(wanted) if key in inside]
    assert keys[found].tolist() == [key for key in wanted if key in inside]


def test_chunks_share_what_they_look_for() -> None:
    one, two = compile_profiles(PROFILES[:50]), compile_profiles(PROFILES[50:])
    book = open_book([one, two])
    assert book.starts.tolist() == [0, 50, 100]
    assert len(book.fields) - 1 == compile_profiles(PROFILES).leaves
    assert len(book.fields) - 1 < one.leaves + two.leaves
    for chunk, numbers in zip(book.chunks, book.numbers, strict=True):
        assert book.fields[numbers[1:]].tolist() == chunk.arrays.leaf_fields.tolist()
    assert book.nbytes > one.nbytes + two.nbytes
