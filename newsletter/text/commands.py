"""Commands that do something of their own with their arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol
from unicodedata import normalize

from newsletter.text.scripts import subscript, superscript
from newsletter.text.tables import DOUBLE_STRUCK

_SUM = re.compile(r"\S\s*[+\-\u2212±/]\s*\S")
_SIMPLE = re.compile(r"[\w.∞]+|\(.*\)")


class Reader(Protocol):
    """What a command needs of the one who reads: the next argument."""

    def argument(self, *, math: bool, depth: int) -> str:
        """Read a group, a command, or one character."""

    def raw_argument(self) -> str:
        """Read a group in which nothing means anything."""

    def quoted(self) -> str:
        """Read what stands between two equal signs."""

    def optional(self) -> None:
        """Pass over ``[…]``."""


class Command(Protocol):
    """What a command does with the arguments that follow it."""

    def __call__(self, reader: Reader, *, math: bool, depth: int) -> str:
        """Read the arguments; return what they look like."""


def _fraction(reader: Reader, *, math: bool, depth: int) -> str:
    over = reader.argument(math=math, depth=depth)
    under = reader.argument(math=math, depth=depth)
    return f"{_operand(over)}/{_operand(under)}"


def _root(reader: Reader, *, math: bool, depth: int) -> str:
    reader.optional()
    inner = reader.argument(math=math, depth=depth)
    return f"√{_operand(inner)}"


def _operand(text: str) -> str:
    """Return *text*, in brackets where it is a sum."""
    text = text.strip()
    is_sum = _SUM.search(text) and not _SIMPLE.fullmatch(text)
    return f"({text})" if is_sum else text


def _choose(reader: Reader, *, math: bool, depth: int) -> str:
    over = reader.argument(math=math, depth=depth)
    under = reader.argument(math=math, depth=depth)
    return f"({over} choose {under})"


def _raised(reader: Reader, *, math: bool, depth: int) -> str:
    return superscript(reader.argument(math=math, depth=depth))


def _lowered(reader: Reader, *, math: bool, depth: int) -> str:
    return subscript(reader.argument(math=math, depth=depth))


def _negated(reader: Reader, *, math: bool, depth: int) -> str:
    argument = reader.argument(math=math, depth=depth)
    return normalize("NFC", argument[:1] + "\u0338") + argument[1:] if argument else ""


def _double_struck(reader: Reader, *, math: bool, depth: int) -> str:
    return reader.argument(math=math, depth=depth).translate(DOUBLE_STRUCK)


def _bra(reader: Reader, *, math: bool, depth: int) -> str:
    return f"⟨{reader.argument(math=math, depth=depth)}|"


def _ket(reader: Reader, *, math: bool, depth: int) -> str:
    return f"|{reader.argument(math=math, depth=depth)}⟩"


def _bracket(reader: Reader, *, math: bool, depth: int) -> str:
    return f"⟨{reader.argument(math=math, depth=depth)}⟩"


def _address(reader: Reader, *, math: bool, depth: int) -> str:
    del math, depth
    return reader.raw_argument()


def _verbatim(reader: Reader, *, math: bool, depth: int) -> str:
    del math, depth
    return reader.quoted()


def _aside(reader: Reader, *, math: bool, depth: int) -> str:
    return f" ({reader.argument(math=math, depth=depth)})"


def _second(reader: Reader, *, math: bool, depth: int) -> str:
    reader.raw_argument()
    return reader.argument(math=math, depth=depth)


SPECIAL: Mapping[str, Command] = {
    **dict.fromkeys(("frac", "dfrac", "tfrac", "nicefrac", "sfrac"), _fraction),
    **dict.fromkeys(("binom", "dbinom", "tbinom"), _choose),
    **dict.fromkeys(("url", "path", "nolinkurl"), _address),
    **dict.fromkeys(("href", "textcolor", "colorbox"), _second),
    "bra": _bra,
    "footnote": _aside,
    "braket": _bracket,
    "ket": _ket,
    "mathbb": _double_struck,
    "not": _negated,
    "sqrt": _root,
    "textsubscript": _lowered,
    "textsuperscript": _raised,
    "verb": _verbatim,
}
