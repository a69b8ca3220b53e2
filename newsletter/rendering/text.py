"""Lines of the text part: wrapped by what a terminal shows, links whole."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

WIDTH = 78
_URL = re.compile(r"\S*(?:https?://|mailto:)\S*")
_WIDE = frozenset("WF")
#: They turn or keep the order, and take no column.
_UNSEEN = frozenset("\u200e\u200f\u2068\u2069")
#: Characters; texts that are not longer are looked up before they are wrapped.
_SHORT = 1000


def columns(text: str) -> int:
    """Return how many columns *text* takes in a terminal (UAX 11)."""
    return len(text) if text.isascii() else sum(map(_column, text))


def _column(character: str) -> int:
    if character in _UNSEEN or unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1


def wrap(text: str, indent: int = 0, first: str = "") -> str:
    """Return *text* in lines of at most 78 columns; a link is never broken.

    Args:
        text: White space counts as one space.
        indent: Spaces before each line.
        first: Stands before the first line, within the indent where it fits.
    """
    line, others = (_known if len(text) <= _SHORT else _wrapped)(text, indent)
    lead = first.ljust(indent) if first else " " * indent
    return f"{lead}{line}".rstrip() + others


def _wrapped(text: str, indent: int) -> tuple[str, str]:
    """Return the first line without its lead, and the others with theirs."""
    room = WIDTH - indent
    words = text.split()
    if text.isascii() and len(max(words, key=len, default="")) <= room:
        lines = _lines_of(words, room)
    else:
        lines = _lines_of_pieces(text, room)
    margin = " " * indent
    return lines[0], "".join([f"\n{margin}{line}" for line in lines[1:]])


def _lines_of(words: list[str], room: int) -> list[str]:
    """Return lines of words that fit, each character one column wide."""
    lines = [""]
    for word in words:
        if not lines[-1]:
            lines[-1] = word
        elif len(lines[-1]) + 1 + len(word) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _lines_of_pieces(text: str, room: int) -> list[str]:
    lines = [""]
    taken = 0
    for glue, piece in _pieces(text, room):
        width = columns(piece)
        if not lines[-1]:
            lines[-1], taken = piece, width
        elif taken + len(glue) + width <= room:
            lines[-1] += glue + piece
            taken += len(glue) + width
        else:
            lines.append(piece)
            taken = width
    return lines


_known = lru_cache(maxsize=2048)(_wrapped)


def _pieces(text: str, room: int) -> Iterator[tuple[str, str]]:
    """Yield what must not be broken, with what joins it to the one before."""
    for word in text.split():
        if _URL.fullmatch(word) or (word.isascii() and len(word) <= room):
            yield " ", word
        else:
            yield from _parts(word, room)


def _parts(word: str, room: int) -> Iterator[tuple[str, str]]:
    """Yield a word's parts: scripts without spaces break after any character."""
    glue, part, width = " ", "", 0
    for character in word:
        column = _column(character)
        breaks = column > 1 or width + column > room
        if part and breaks and column:
            yield glue, part
            glue, part, width = "", "", 0
        part += character
        width += column
    yield glue, part
