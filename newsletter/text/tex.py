r"""TeX as it occurs in titles and abstracts, as readable Unicode.

    $\ell_0$  ->  ℓ₀        \textbf{de}pth  ->  depth       Tak\'a\v{c}  ->  Takáč
    28.82\%   ->  28.82%    360^circ        ->  360°        $5 and $10  ->  $5 and $10

The structure is read here, in one pass and at bounded depth, since what
arrives is cut off, unbalanced and half prose; what each symbol looks like
comes from pylatexenc.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol
from unicodedata import normalize

from pylatexenc.latex2text import LatexNodes2Text

from newsletter.text.scripts import subscript, superscript
from newsletter.text.tables import (
    ACCENTS,
    DOUBLE_STRUCK,
    LITERAL,
    NOTHING,
    SILENT,
    SPACES,
    STYLES,
    SWITCHES,
    WORDS,
)

#: Longer text is left as it is: it is no title and no abstract.
MAX_CHARS = 100_000
MAX_DEPTH = 40
#: The most that stands between two dollars.
MAX_MATH = 2_000

#: What makes a look worth while.
_SIGNS = re.compile(r"[\\$^~`{}]|_\{|''|--")
_COMMAND = re.compile(r"\\(?:([A-Za-z]+)\*?|(.))", re.DOTALL)
_SUM = re.compile(r"\S\s*[+\-\u2212±/]\s*\S")
_SIMPLE = re.compile(r"[\w.∞]+|\(.*\)")
#: An operator that HTML or a bare file has lost the backslash of.
_BARE_SCRIPT = re.compile(
    r"\^(?:\{([^{}$]{1,40})\}|text(?:bf|it|rm)\{([^{}]*)\}|(circ)(?![a-z])|(\d))"
)
_BARE_SUB = re.compile(r"_\{([^{}$]{1,40})\}")
_TIE = re.compile(r"(?<=[\w.)}\]])~(?=[\w\\$(])")
_WITHIN = re.compile(r"(?<=[⟨(\[])\s+|\s+(?=[⟩)\]])")
_URL = re.compile(r"https?://\S+")
_GREEK = re.compile(r"\{([A-Za-z]{2,8})\}")


def unwind(text: str) -> str:
    """Return *text* with its TeX unwound; untouched where there is none."""
    if len(text) > MAX_CHARS or not _SIGNS.search(text):
        return text
    return normalize("NFC", _Reader(text).read(math=False, depth=0))


@lru_cache(maxsize=2048)
def _symbol(name: str) -> str | None:
    """Return what a command without argument looks like; None: nobody knows it."""
    shown = str(LatexNodes2Text().latex_to_text(f"\\{name} ")).strip()
    return shown if shown and "\\" not in shown else None


@dataclass(slots=True)
class _Reader:
    """Reads TeX from left to right; never fails, whatever is missing."""

    text: str
    at: int = 0

    def read(self, *, math: bool, depth: int, until: str = "") -> str:
        """Return what stands up to *until* (a sign or a command), which is eaten."""
        out: list[str] = []
        while self.at < len(self.text):
            if until and self.text.startswith(until, self.at):
                self.at += len(until)
                break
            out.append(self._next(math=math, depth=depth, before=out))
        return "".join(out)

    def _next(self, *, math: bool, depth: int, before: list[str]) -> str:
        sign = self.text[self.at]
        if depth > MAX_DEPTH:
            self.at += 1
            return "" if sign in "{}\\" else sign
        if sign == "\\":
            return self._command(math=math, depth=depth)
        if sign == "$":
            return self._dollar(math=math, depth=depth)
        if sign == "{":
            return self._group(math=math, depth=depth)
        if math:
            return self._math(sign, depth)
        return self._prose(sign, before)

    # --- in math and out of it ---

    def _math(self, sign: str, depth: int) -> str:
        self.at += 1
        if sign in "^_":
            argument = self.argument(math=True, depth=depth)
            return superscript(argument) if sign == "^" else subscript(argument)
        if sign == "'":
            return "\u2032"
        return {"~": " ", "}": "", "&": " "}.get(sign, sign)

    def _prose(self, sign: str, before: list[str]) -> str:
        text, at = self.text, self.at
        if sign == "h" and (found := _URL.match(text, at)):
            # An address is what it is, tilde, underscore and all; but not
            # the bracket of a command that it stands in.
            url = found[0].partition("}")[0].partition("\\")[0]
            self.at += len(url)
            return url
        if sign == "^" and (found := _BARE_SCRIPT.match(text, at)) and at:
            self.at = found.end()
            return superscript(next(g for g in found.groups() if g is not None))
        if sign == "_" and (found := _BARE_SUB.match(text, at)):
            self.at = found.end()
            return subscript(found[1])
        if sign == "~" and _TIE.match(text, at):
            self.at += 1
            return " "
        return self._quotes_and_dashes(sign, before)

    def _quotes_and_dashes(self, sign: str, before: list[str]) -> str:
        text, at = self.text, self.at
        two = text[at : at + 2]
        if two == "``":
            self.at += 2
            return "“"
        if two == "''":
            self.at += 2
            said = "".join(before)
            if said.count("“") > said.count("”"):
                return "”"
            return '"' if '"' in said else "''"
        if two == "--":
            run = re.compile("-+").match(text, at)
            length = len(run[0]) if run else 2
            self.at += length
            inside = at > 0 and not text[at - 1].isspace()
            inside &= not text[self.at : self.at + 1].isspace() and self.at < len(text)
            if inside and length <= 3:  # noqa: PLR2004 - longer ones are rules
                return "\u2013" if length == 2 else "—"  # noqa: PLR2004 - TeX's en dash
            return "—" if length == 3 else "-" * length  # noqa: PLR2004 - TeX's em dash
        self.at += 1
        return sign

    def _dollar(self, *, math: bool, depth: int) -> str:
        """Read ``$…$`` where it is math; a dollar of money stays."""
        text, at = self.text, self.at
        if math:
            self.at += 1
            return ""
        fence = "$$" if text.startswith("$$", at) else "$"
        start = at + len(fence)
        end = text.find(fence, start, start + MAX_MATH)
        while end > 0 and text[end - 1] == "\\":
            end = text.find(fence, end + 1, start + MAX_MATH)
        if end < 0 or not _is_math(text[start:end], text[end + len(fence) :][:1]):
            self.at += 1
            return "$"
        inner = _Reader(text[start:end]).read(math=True, depth=depth + 1)
        self.at = end + len(fence)
        return _WITHIN.sub("", inner.strip())

    def _group(self, *, math: bool, depth: int) -> str:
        """Read ``{…}``; in prose its brackets stay unless it is TeX's."""
        if not math:
            greek = _GREEK.match(self.text, self.at)
            if greek and (symbol := _greek(greek[1])):
                self.at = greek.end()
                return symbol
            if "\\" not in self.text:
                self.at += 1
                return "{"
        self.at += 1
        return self.read(math=math, depth=depth + 1, until="}")

    # --- commands ---

    def _command(self, *, math: bool, depth: int) -> str:
        found = _COMMAND.match(self.text, self.at)
        if found is None:
            self.at += 1
            return ""
        name, sign = found[1], found[2]
        self.at = found.end()
        if name is None:
            return self._sign(sign, math=math, depth=depth)
        if name in ACCENTS and self._takes_accent(name):
            return self._accent(name, math=math, depth=depth)
        special = _SPECIAL.get(name)
        if special is not None:
            return special(self, math=math, depth=depth)
        return self._named(name, math=math, depth=depth)

    def _sign(self, sign: str, *, math: bool, depth: int) -> str:
        if sign in LITERAL:
            return sign
        if sign in "([":
            closing = "\\)" if sign == "(" else "\\]"
            return self.read(math=True, depth=depth + 1, until=closing).strip()
        if not math and sign in ACCENTS:
            return self._accent(sign, math=math, depth=depth)
        if sign in NOTHING or sign in ")]":
            return ""
        return SPACES.get(sign, " " if sign == "\\" else sign)

    def _takes_accent(self, name: str) -> bool:
        """A letter command is an accent only where an argument follows."""
        if len(name) > 1:
            return True
        return bool(
            re.compile(r"\s*(?:\{|\\[ij]|[A-Za-z](?![A-Za-z]{3}))").match(
                self.text, self.at
            )
        )

    def _accent(self, name: str, *, math: bool, depth: int) -> str:
        argument = self.argument(math=math, depth=depth)
        if not argument.strip():
            return argument
        letter = {"\u0131": "i", "\u0237": "j"}.get(argument[0], argument[0])
        return normalize("NFC", letter + ACCENTS[name]) + argument[1:]

    def _named(self, name: str, *, math: bool, depth: int) -> str:
        if name in STYLES:
            self.optional()
            return self.argument(math=math and not name.startswith("text"), depth=depth)
        if name in SILENT:
            self.optional()
            while self.text.startswith("{", self.at):
                self.argument(math=False, depth=depth)
            return ""
        if name in SWITCHES:
            self._spaces()
            return ""
        symbol = WORDS.get(name) or _symbol(name)
        if symbol is not None and not self.text.startswith("{", self.at):
            return self._symbol_of(name, symbol, math=math)
        if symbol is not None:
            return symbol
        return self._unknown(name, math=math, depth=depth)

    def _symbol_of(self, name: str, symbol: str, *, math: bool) -> str:
        """Eat the space that ends a command's name, as TeX does.

        Not where a space stands before it as well: then both are the writer's.
        """
        start = self.at - len(name) - 1
        is_spaced = start > 0 and self.text[start - 1].isspace()
        if symbol.isalpha() and len(symbol) > 1 and self._letter_follows():
            # log n, sup x: a name and its argument, which TeX sets apart.
            self._spaces()
            return f"{symbol} "
        if symbol.isalpha() or (math and not is_spaced):
            self._spaces()
        return symbol

    def _letter_follows(self) -> bool:
        rest = self.text[self.at : self.at + 2]
        return rest[:1].isspace() and rest[1:].isalnum()

    def _unknown(self, name: str, *, math: bool, depth: int) -> str:
        """Keep an author's own macro by its name, its argument after a space."""
        if not self.text.startswith("{", self.at):
            return name
        argument = self.argument(math=math, depth=depth)
        return f"{name} {argument}" if argument.strip() else name

    def optional(self) -> None:
        """Pass over ``[…]``, where it ends soon."""
        if self.text.startswith("[", self.at):
            end = self.text.find("]", self.at, self.at + 200)
            self.at = end + 1 if end > 0 else self.at

    def _spaces(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def argument(self, *, math: bool, depth: int) -> str:
        """Read a command's argument: a group, a command, or one character."""
        self._spaces()
        if self.at >= len(self.text) or depth > MAX_DEPTH:
            return ""
        sign = self.text[self.at]
        if sign == "{":
            self.at += 1
            return self.read(math=math, depth=depth + 1, until="}")
        if sign == "\\":
            return self._command(math=math, depth=depth + 1)
        self.at += 1
        return "" if sign in "$}" else sign

    def raw_argument(self) -> str:
        """Read an address: nothing in it means anything."""
        self._spaces()
        if not self.text.startswith("{", self.at):
            return ""
        end = self.text.find("}", self.at)
        start, self.at = self.at + 1, (end + 1 if end > 0 else len(self.text))
        return self.text[start : end if end > 0 else None]


def _is_math(inner: str, following: str) -> bool:
    """Tell math from money: tight within its dollars, and no digit after them."""
    if not inner.strip() or following.isdigit():
        return False
    if "\\" in inner or "^" in inner or "_" in inner:
        return True
    return not inner[-1].isspace() and not inner[0].isspace()


def _greek(name: str) -> str | None:
    """Return the Greek letter of that name, as preprint servers write ``{Delta}``."""
    symbol = _symbol(name)
    is_letter = (
        symbol is not None and len(symbol) == 1 and "\u0370" <= symbol <= "\u03ff"
    )
    return symbol if is_letter else None


def _fraction(reader: _Reader, *, math: bool, depth: int) -> str:
    over = reader.argument(math=math, depth=depth)
    under = reader.argument(math=math, depth=depth)
    return f"{_operand(over)}/{_operand(under)}"


def _root(reader: _Reader, *, math: bool, depth: int) -> str:
    reader.optional()
    inner = reader.argument(math=math, depth=depth)
    return f"√{_operand(inner)}"


def _operand(text: str) -> str:
    """Return *text*, in brackets where it is a sum."""
    text = text.strip()
    is_sum = _SUM.search(text) and not _SIMPLE.fullmatch(text)
    return f"({text})" if is_sum else text


def _raised(reader: _Reader, *, math: bool, depth: int) -> str:
    return superscript(reader.argument(math=math, depth=depth))


def _lowered(reader: _Reader, *, math: bool, depth: int) -> str:
    return subscript(reader.argument(math=math, depth=depth))


def _double_struck(reader: _Reader, *, math: bool, depth: int) -> str:
    return reader.argument(math=math, depth=depth).translate(DOUBLE_STRUCK)


def _address(reader: _Reader, *, math: bool, depth: int) -> str:
    del math, depth
    return reader.raw_argument()


def _second(reader: _Reader, *, math: bool, depth: int) -> str:
    reader.raw_argument()
    return reader.argument(math=math, depth=depth)


class _Special(Protocol):
    def __call__(self, reader: _Reader, *, math: bool, depth: int) -> str: ...


#: Commands that do something of their own with their arguments.
_SPECIAL: Mapping[str, _Special] = {
    **dict.fromkeys(("frac", "dfrac", "tfrac", "nicefrac", "sfrac"), _fraction),
    **dict.fromkeys(("url", "path", "nolinkurl"), _address),
    "sqrt": _root,
    "textsuperscript": _raised,
    "textsubscript": _lowered,
    "mathbb": _double_struck,
    **dict.fromkeys(("href", "textcolor", "colorbox"), _second),
}
