"""Text as it may stand in a mail: cut at a word, highlighted, free of controls.

The places of highlights are offsets into the text as matching saw it, so a
text is cut into runs first and cleaned after.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
#: What ends or hides a line in a mail, and half characters that no encoding takes.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SPACED = re.compile(" {2,}")
#: Overrides and isolates would turn the text that follows them.
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_BROKEN = re.compile("[\ud800-\udfff\ufffe\uffff]")
#: Where a line may end: not at a no-break space.
_SPACES = frozenset(" \t\n")
_ZWJ = "\u200d"
_JOINERS = frozenset("\u200d\ufe0e\ufe0f")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A piece of text that is highlighted as a whole or not at all."""

    text: str
    hit: bool = False


def clean(text: str) -> str:
    """Return *text* on one line, without controls and bidi overrides."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text
    text = _BROKEN.sub("\N{REPLACEMENT CHARACTER}", _BIDI.sub("", text))
    return _SPACED.sub(" ", _CONTROLS.sub(" ", text))


def cut(text: str, limit: int) -> str:
    """Return *text* cleaned and cut to at most *limit* characters and an ellipsis."""
    # Only as much of a huge text is cleaned as could be shown.
    return _cut(text[: 4 * limit + 400], limit)


@lru_cache(maxsize=2048)
def _cut(text: str, limit: int) -> str:
    return plain(runs(clean(text).strip(), (), limit))


def runs(text: str, places: Iterable[tuple[int, int]], limit: int) -> tuple[Run, ...]:
    """Return the first *limit* characters of *text* as runs, highlights told apart.

    Args:
        text: As matching saw it.
        places: (start, end) offsets into *text*, sorted and disjoint.
        limit: 0 gives no runs at all.
    """
    if limit <= 0:
        return ()
    places = [(start, end) for start, end in places if start < end]
    end = _cut_at(text, places, limit)
    found: list[Run] = []
    at = 0
    for start, stop in places:
        if start >= end:
            break
        found += (
            Run(text=text[at:start]),
            Run(text=text[start : min(stop, end)], hit=True),
        )
        at = min(stop, end)
    found.append(Run(text=text[at:end]))
    if end < len(text) and not text[end:].isspace():
        found.append(Run(text=ELLIPSIS))
    cleaned = (Run(text=clean(run.text), hit=run.hit) for run in found)
    return tuple(run for run in cleaned if run.text)


def plain(pieces: Iterable[Run]) -> str:
    """Return the text of runs without their highlights."""
    return "".join(run.text for run in pieces)


def _cut_at(text: str, places: Sequence[tuple[int, int]], limit: int) -> int:
    """Return where to cut: before a word, and not inside a highlight."""
    if len(text) <= limit:
        return len(text)
    least = limit // 2
    end = limit
    if text[end] not in _SPACES:
        end = next(
            (i for i in range(limit - 1, least, -1) if text[i] in _SPACES), limit
        )
    for start, stop in places:
        if least < start < end < stop:
            end = start
    while least < end and (_joins(text[end]) or text[end - 1] == _ZWJ):
        end -= 1
    return len(text[:end].rstrip())


def _joins(character: str) -> bool:
    """Tell a mark that belongs to the character before it."""
    return character in _JOINERS or unicodedata.combining(character) != 0
