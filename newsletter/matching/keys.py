"""Sixty-four bits that stand for a pattern, the same on every machine.

    word    s := mixed(s XOR letter), letter by letter, from the language's seed
    phrase  S := mixed(S * odd + word), word by word, from 0
    key     S; of a prefix, mixed(S XOR PREFIX)

The states on the way are those of all prefixes, so one pass over a word gives
them all, and a phrase's key grows with every word of a text. Chunks hold keys
in place of strings, and nothing else decides what occurs: a wrong match needs
two different patterns with one key. A batch looks up a million words, prefixes
and phrases among a million patterns: the chance is 10^12 in 2^64, once in
eighteen million batches. The reasons of what is shown are made from strings.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from newsletter.matching.terms import Leaf, Pattern
from newsletter.model import Field

Keys: TypeAlias = NDArray[np.uint64]
Ints: TypeAlias = NDArray[np.int64]
Small: TypeAlias = NDArray[np.int32]
Bytes: TypeAlias = NDArray[np.uint8]
#: Whatever width an array was stored in.
Numbers: TypeAlias = NDArray[np.integer]

#: The bit of each field; a set of fields is their sum.
FIELD_BITS = {field: 1 << place for place, field in enumerate(Field)}
#: So many sets of fields there are.
FIELD_SETS = 1 << len(FIELD_BITS)
#: A pattern longer than this is begun only where its first words stand.
OPENING = 3

_ODD = np.uint64(0x9E3779B97F4A7C15)
_PREFIX = np.uint64(0x5052454649580001)
_FACTORS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))


def mixed(values: Keys) -> Keys:
    """Return *values*, each bit of them spread over all (splitmix64's last step)."""
    found = values ^ (values >> _SHIFTS[0])
    found *= _FACTORS[0]
    found ^= found >> _SHIFTS[1]
    found *= _FACTORS[1]
    found ^= found >> _SHIFTS[2]
    return found


def followed(states: Keys, words: Keys) -> Keys:
    """Return the states of phrases when a word is added to each."""
    return mixed(states * _ODD + words)


def prefix_keys(states: Keys) -> Keys:
    """Return the keys of phrases whose last word may go on."""
    return mixed(states ^ _PREFIX)


def word_states(words: Sequence[str], language: str) -> tuple[Keys, Ints]:
    """Return the state after each letter of each word, and where words begin.

    Word *i* has the states ``[ptr[i], ptr[i + 1])``; its own is the last one.
    """
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    ptr = pointers(lengths)
    text = "".join(words).encode("utf-32-le", "surrogatepass")
    letters = np.frombuffer(text, np.uint32).astype(np.uint64)
    order = np.argsort(-lengths, kind="stable")
    starts, rising = ptr[:-1][order], np.sort(lengths)
    states = np.full(len(words), _seed(language), np.uint64)
    found = np.empty(len(letters), np.uint64)
    for place in range(int(lengths.max(initial=0))):
        alive = len(words) - int(np.searchsorted(rising, place, side="right"))
        at = starts[:alive] + place
        states[:alive] = mixed(states[:alive] ^ letters[at])
        found[at] = states[:alive]
    return found, ptr


def whole_words(words: Sequence[str], language: str) -> Keys:
    """Return the state of each word, none of them empty."""
    states, ptr = word_states(words, language)
    return states[ptr[1:] - 1]


def pointers(lengths: Numbers) -> Ints:
    """Return where each of some runs begins, and the end of the last."""
    found = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=found[1:])
    return found


def pattern_keys(patterns: Sequence[Pattern]) -> tuple[Keys, Keys, Keys]:
    """Return the key of each pattern, and what leads to them in a text.

    Returns:
        Keys; the states of all words but the last of phrases that end in a
        prefix; the states of the first ``OPENING`` words of longer patterns.
        Both sorted, each once.
    """
    words = _words_of(patterns)
    lengths = np.array([len(p.tokens) for p in patterns], np.int64)
    is_prefix = np.array([p.prefix for p in patterns], bool)
    ptr = pointers(lengths)
    states = np.zeros(len(patterns), np.uint64)
    heads, openings = [states[:0]], [states[:0]]
    for place in range(int(lengths.max(initial=0))):
        if place:
            heads.append(states[is_prefix & (lengths == place + 1)])
        if place == OPENING:
            openings.append(states[lengths > OPENING])
        at = np.flatnonzero(lengths > place)
        states[at] = followed(states[at], words[ptr[at] + place])
    keys = np.where(is_prefix, prefix_keys(states), states)
    return keys, np.unique(np.concatenate(heads)), np.unique(np.concatenate(openings))


def _words_of(patterns: Sequence[Pattern]) -> Keys:
    """Return the states of all words of *patterns*, one after the other."""
    places: dict[str, dict[str, int]] = {}
    for pattern in patterns:
        known = places.setdefault(pattern.stem, {})
        for token in pattern.tokens:
            known.setdefault(token, len(known))
    states = {
        language: whole_words(list(known), language)
        for language, known in places.items()
    }
    parts = [
        states[p.stem][[places[p.stem][token] for token in p.tokens]] for p in patterns
    ]
    return np.concatenate([np.zeros(0, np.uint64), *parts])


def leaf_keys(ptr: Ints, patterns: Keys, fields: Bytes) -> Keys:
    """Return what names each leaf: a set of patterns in a set of fields.

    Args:
        ptr: Leaf *i* has the patterns ``[ptr[i], ptr[i + 1])``, at least one.
        patterns: Their keys, in any order within a leaf.
        fields: The field bits of each leaf.
    """
    if not len(fields):
        return np.zeros(0, np.uint64)
    # mixed twice: the key of a sum is not the sum of keys.
    sums = np.add.reduceat(mixed(patterns), ptr[:-1])
    return mixed(sums * _ODD + fields.astype(np.uint64))


def field_bits(leaf: Leaf) -> int:
    """Return the fields of *leaf* as bits."""
    return sum(FIELD_BITS[field] for field in leaf.fields)


def _seed(language: str) -> np.uint64:
    digest = blake2b(language.encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))
