r"""TeX as it occurs in titles and abstracts, as readable Unicode.

    $\ell_0$  ->  ℓ₀        \textbf{de}pth  ->  depth       Tak\'a\v{c}  ->  Takáč
    28.82\%   ->  28.82%    360^circ        ->  360°        $5 and $10  ->  $5 and $10

The structure is read here, in one pass and at bounded depth, since what
arrives is cut off, unbalanced and half prose; what each symbol looks like
comes from pylatexenc.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from unicodedata import normalize

from newsletter.text.commands import SPECIAL
from newsletter.text.scripts import subscript, superscript
from newsletter.text.symbols import braced_sign, symbol_of
from newsletter.text.tables import (
    ACCENTS,
    LITERAL,
    NOTHING,
    SIGNS,
    SILENT,
    STYLES,
    SWITCHES,
)

#: Longer text is left as it is: it is no title and no abstract.
MAX_CHARS = 100_000
MAX_DEPTH = 40
#: The most that one accent stands over: a letter, or two that are tied.
MAX_ACCENTED = 3
#: The most that stands between two dollars.
MAX_MATH = 2_000

#: What makes a look worth while.
_SIGNS = ("\\", "$", "^", "~", "`", "{", "}", "''", "--")
#: What lies between is passed over at one go: in prose, and in math.
_IN_PROSE = re.compile(r"[\\$^~{}]|_\{|``|''|--|https?://")
_IN_MATH = re.compile(r"[\\$^~{}_'&]")
_COMMAND = re.compile(r"\\(?:([A-Za-z]+)\*?|(.))", re.DOTALL)
#: An operator that HTML or a bare file has lost the backslash of.
_BARE_SCRIPT = re.compile(
    r"\^(?:\{([^{}$]{1,40})\}|text(?:bf|it|rm)\{([^{}]*)\}|(circ)(?![a-z])"
    r"|(-?\d{1,9}))"
)
_BARE_SUB = re.compile(r"_\{([^{}$]{1,40})\}")
#: Not between numbers or ideographs, where a tilde means "to".
_TIE = re.compile(
    r"(?<=[\w.)}\]$%])(?<![\u3040-\ud7ff])~(?!(?<=\d~)\d)(?![\u3040-\ud7ff])(?=[\w\\$(])"
)
_ACCENTED = re.compile(r"\s*(?:\{|\\[ij]|[A-Za-z])")
_DASHES = re.compile("-+")
_WITHIN = re.compile(r"(?<=[⟨(\[])\s+|\s+(?=[⟩)\]])")
#: An address, but not the bracket or command that ends what it stands in.
_URL = re.compile(r"https?://[^\s}\\]+")
_BRACED = re.compile(r"\{([A-Za-z]{2,8}|\+/-)\}")
#: What stands right before a number in math, and no money does: $\sim$100, $>$5.
_BEFORE_NUMBER = re.compile(
    r".*\\[A-Za-z].*|[{}<>=\u2264\u2265\u2248\u223c\u00d7\u00b1]+", re.DOTALL
)
_WORD = re.compile("[A-Za-z]{3,}")


def may_be_tex(text: str) -> bool:
    """Tell whether ``unwind`` would look into *text*."""
    return len(text) <= MAX_CHARS and any(sign in text for sign in _SIGNS)


def unwind(text: str) -> str:
    """Return *text* with its TeX unwound; untouched where there is none."""
    if not may_be_tex(text):
        return text
    return normalize("NFC", _Reader(text).read(math=False, depth=0))


@dataclass(slots=True)
class _Reader:
    """Reads TeX from left to right; never fails, whatever is missing."""

    text: str
    at: int = 0
    #: “ without their ” so far.
    quotes: int = 0
    #: Where the first straight quote stands; -1: there is none.
    straight: int = -1
    #: A backslash stands somewhere, so braces are TeX's.
    has_commands: bool = False

    def __post_init__(self) -> None:
        """Look once for what would else be looked for at every sign."""
        self.straight = self.text.find('"')
        self.has_commands = "\\" in self.text

    def read(self, *, math: bool, depth: int, until: str = "") -> str:
        """Return what stands up to *until* (a sign or a command), which is eaten."""
        out: list[str] = []
        while self.at < len(self.text):
            if until and self.text.startswith(until, self.at):
                self.at += len(until)
                break
            out.append(self._plain(math=math, depth=depth))
            if not out[-1]:
                out[-1] = self._next(math=math, depth=depth)
        return "".join(out)

    def _plain(self, *, math: bool, depth: int) -> str:
        """Return what stands before the next sign that may mean anything."""
        if depth > MAX_DEPTH:
            return ""
        start = self.at
        found = (_IN_MATH if math else _IN_PROSE).search(self.text, start)
        self.at = found.start() if found else len(self.text)
        return self.text[start : self.at]

    def _next(self, *, math: bool, depth: int) -> str:
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
        return self._prose(sign)

    # --- in math and out of it ---

    def _math(self, sign: str, depth: int) -> str:
        self.at += 1
        if sign in "^_":
            argument = self.argument(math=True, depth=depth)
            return superscript(argument) if sign == "^" else subscript(argument)
        if sign == "'":
            return "\u2032"
        return {"~": " ", "}": "", "&": " "}.get(sign, sign)

    def _prose(self, sign: str) -> str:
        text, at = self.text, self.at
        if sign == "h" and (found := _URL.match(text, at)):
            # An address is what it is, tilde, underscore and all.
            self.at = found.end()
            return found[0]
        if sign == "^" and (found := _BARE_SCRIPT.match(text, at)) and at:
            self.at = found.end()
            return superscript(next(g for g in found.groups() if g is not None))
        if sign == "_" and (found := _BARE_SUB.match(text, at)):
            self.at = found.end()
            return subscript(found[1])
        if sign == "~" and _TIE.match(text, at):
            self.at += 1
            return " "
        return self._quotes_and_dashes(sign)

    def _quotes_and_dashes(self, sign: str) -> str:
        two = self.text[self.at : self.at + 2]
        if two == "--":
            return self._dashes()
        if two not in {"``", "''"}:
            self.at += 1
            return sign
        self.at += 2
        if two == "``":
            self.quotes += 1
            return "“"
        if self.quotes:
            self.quotes -= 1
            return "”"
        return '"' if 0 <= self.straight < self.at else "''"

    def _dashes(self) -> str:
        text, at = self.text, self.at
        run = _DASHES.match(text, at)
        self.at = run.end() if run else at
        length = self.at - at
        inside = at > 0 and not text[at - 1].isspace()
        inside &= self.at < len(text) and not text[self.at].isspace()
        if inside and length == 2:  # noqa: PLR2004 - TeX's en dash
            return "\u2013"
        return "—" if length == 3 else "-" * length  # noqa: PLR2004 - TeX's em dash

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
        inner = type(self)(text[start:end]).read(math=True, depth=depth + 1)
        self.at = end + len(fence)
        return _WITHIN.sub("", inner.strip())

    def _group(self, *, math: bool, depth: int) -> str:
        """Read ``{…}``; in prose its brackets stay unless it is TeX's."""
        if not math:
            braced = _BRACED.match(self.text, self.at)
            if braced and (symbol := braced_sign(braced[1])):
                self.at = braced.end()
                return symbol
            if not self.has_commands:
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
        special = SPECIAL.get(name)
        if special is not None:
            return special(self, math=math, depth=depth)
        return self._named(name, math=math, depth=depth)

    def _sign(self, sign: str, *, math: bool, depth: int) -> str:
        if sign in LITERAL:
            return sign
        if sign in "([":
            closing = "\\)" if sign == "(" else "\\]"
            if self.text.find(closing, self.at, self.at + MAX_MATH) < 0:
                return ""
            return self.read(math=True, depth=depth + 1, until=closing).strip()
        if not math and sign in ACCENTS:
            return self._accent(sign, math=math, depth=depth)
        if sign in NOTHING or sign in ")]":
            return ""
        return SIGNS.get(sign, sign)

    def _takes_accent(self, name: str) -> bool:
        """A letter command is an accent only where an argument follows."""
        if len(name) > 1:
            return True
        return _ACCENTED.match(self.text, self.at) is not None

    def _accent(self, name: str, *, math: bool, depth: int) -> str:
        argument = self.argument(math=math, depth=depth)
        if not argument.strip():
            return argument
        if len(name) == 1 and len(argument) > MAX_ACCENTED:
            # \b{whole words}: an author's own macro by the name of an accent
            return argument
        letter = {"\u0131": "i", "\u0237": "j"}.get(argument[0], argument[0])
        return normalize("NFC", letter + ACCENTS[name]) + argument[1:]

    def _named(self, name: str, *, math: bool, depth: int) -> str:
        if name in STYLES:
            self.optional()
            return self.argument(math=math and not name.startswith("text"), depth=depth)
        if name in SILENT:
            self.optional()
            while depth <= MAX_DEPTH and self.text.startswith("{", self.at):
                self.argument(math=False, depth=depth)
            return ""
        if name in SWITCHES:
            self._spaces()
            return ""
        symbol = symbol_of(name)
        if symbol is None:
            return self._unknown(name, math=math, depth=depth)
        if symbol.isalpha() and len(symbol) > 1:
            return self._operator(name, symbol)
        return self._symbol(name, symbol, math=math)

    def _operator(self, name: str, symbol: str) -> str:
        """Set log n and sup x apart from what stands round them, as TeX does."""
        start, rest = self.at - len(name) - 1, self.text[self.at : self.at + 2]
        before = " " if start > 0 and _is_operand(self.text[start - 1]) else ""
        if not (rest[:1] == "{" or (rest[:1].isspace() and rest[1:].isalnum())):
            return before + symbol
        self._spaces()
        return f"{before}{symbol} "

    def _symbol(self, name: str, symbol: str, *, math: bool) -> str:
        """Eat the space that ends a command's name, as TeX does.

        Not where a space stands before it as well: then both are the writer's.
        """
        start = self.at - len(name) - 1
        is_spaced = start > 0 and self.text[start - 1].isspace()
        if symbol.isalpha() or (math and not is_spaced):
            self._spaces()
        return symbol

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

    def quoted(self) -> str:
        r"""Read what stands between two equal signs, as ``\verb|a_b|`` has it."""
        sign = self.text[self.at : self.at + 1]
        is_quote = sign.strip() != ""
        end = self.text.find(sign, self.at + 1) if is_quote else -1
        if end < 0:
            return ""
        start, self.at = self.at + 1, end + 1
        return self.text[start:end]


def _is_operand(sign: str) -> bool:
    return sign.isalnum() or sign in ")]}"


def _is_math(inner: str, following: str) -> bool:
    """Tell math from money: tight within its dollars, no digit after them, no prose."""
    is_tight = inner == inner.strip()
    if not inner.strip() or (following.isdigit() and not is_tight):
        return False
    if following.isdigit():
        return _BEFORE_NUMBER.fullmatch(inner) is not None
    if "\\" in inner or "^" in inner or "_" in inner:
        return True
    return is_tight and not (" " in inner and len(_WORD.findall(inner)) > 1)
