"""MJML with Jinja in it -> HTML with the same Jinja in it, once per theme.

The MJML compiler must not see Jinja: it refuses ``<`` inside a tag and knows
no control flow. So statements become comments, expressions become words,
and both are put back into the HTML::

    {% for card in cards %}  ->  <!--nl1f00c2s0007e-->  ->  {% for card in cards %}
    {{ card.title }}         ->  nl1f00c2x0008e         ->  {{ card.title }}

Each tag is put back with its content on a line of its own, which changes no
output and lets an error of the mail be traced to a line of the theme.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import pairwise
from typing import NoReturn

from mjml import mjml2html

from newsletter.errors import ThemeError

#: One Jinja tag; quoted strings in it may hold its closing delimiter.
TAG = re.compile(
    r"""\{\#.*?\#\}
    | (?P<open>\{[{%])(?P<trim>[-+]?)
      (?P<body>(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^"'])*?)
      (?P<close>[-+]?[%}]\})""",
    re.DOTALL | re.VERBOSE,
)
#: A statement within the angle brackets of an element.
_IN_ELEMENT = re.compile(r"<[A-Za-z/](?:[^<>]|<!--)*?\Z")
_RAW = re.compile(r"\s*(?:raw|include|extends)\b")
_VOID = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta", "wbr"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A Jinja template over HTML, and where its lines come from."""

    source: str
    #: (line of *source*, line of the theme's file), by line; both from 1.
    lines: tuple[tuple[int, int], ...]

    def theme_line(self, line: int) -> int:
        """Return the theme's line that *line* of the template comes from."""
        place = bisect_right(self.lines, (line, 1 << 62)) - 1
        return self.lines[place][1] if place >= 0 else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tag:
    """One Jinja tag taken out of the MJML."""

    opening: str
    body: str
    closing: str
    #: Of the theme's file, from 1.
    line: int

    @property
    def is_statement(self) -> bool:
        return self.opening.startswith("{%")

    @property
    def text(self) -> str:
        return f"{self.opening}{self.body}{self.closing}"


class _Marked:
    """MJML whose Jinja tags are markers."""

    def __init__(self, source: str, *, file: str) -> None:
        self.file = file
        self.tags: list[_Tag] = []
        # From the source: the same everywhere, and no source holds its own hash.
        digest = hashlib.sha256(source.encode()).hexdigest()[:12]
        self.prefix = f"nl{digest}"
        # Imports and settings before the root: the compiler would drop them.
        root = max(source.find("<mjml"), 0)
        self.preamble = source[:root]
        self.mjml = self._take_out(source[root:])

    def _take_out(self, source: str) -> str:
        pieces: list[str] = []
        end, line = 0, self.preamble.count("\n") + 1
        for found in TAG.finditer(source):
            between = source[end : found.start()]
            line += between.count("\n")
            pieces.append(between)
            pieces.append(self._marker(found, line, "".join(pieces[-4:])))
            newlines = found[0].count("\n")
            # Lines stay where they are, for the messages about elements.
            pieces.append("\n" * newlines)
            line += newlines
            end = found.end()
        return "".join((*pieces, source[end:]))

    def _marker(self, found: re.Match[str], line: int, before: str) -> str:
        if found["open"] is None:
            return ""
        tag = _Tag(
            opening=found["open"] + found["trim"],
            body=found["body"],
            closing=found["close"],
            line=line,
        )
        self.tags.append(tag)
        number = len(self.tags) - 1
        if not tag.is_statement:
            return f"{self.prefix}x{number:04d}e"
        self._check_statement(tag, before)
        return f"<!--{self.prefix}s{number:04d}e-->"

    def _check_statement(self, tag: _Tag, before: str) -> None:
        if _RAW.match(tag.body):
            raise ThemeError(
                f"{self.file}, line {tag.line}: {tag.text} cannot stand in MJML;"
                " write the elements here, or import a macro",
                file=self.file,
                line=tag.line,
            )
        if _IN_ELEMENT.search(before):
            raise ThemeError(
                f"{self.file}, line {tag.line}: {tag.text} stands inside an element's"
                ' angle brackets; use an expression: attr="{{ a if b else c }}"',
                file=self.file,
                line=tag.line,
            )


def compile_mjml(source: str, *, file: str) -> Compiled:
    """Return the HTML of an MJML template, with its Jinja tags kept.

    What stands before ``<mjml`` is kept as it is.

    Args:
        source: Parsed by Jinja before, so its tags are well-formed.
        file: The theme's file, for messages.

    Raises:
        ThemeError: The MJML does not parse, or the compiler lost, repeated
            or moved a Jinja tag.
    """
    marked = _Marked(source, file=file)
    html = to_html(marked.mjml, file=file, above=marked.preamble.count("\n"))
    _check_all_kept(html, marked)
    return _put_back(html, marked)


def to_html(mjml: str, *, file: str, above: int = 0) -> str:
    """Return the HTML of *mjml*, without links to fonts.

    Args:
        mjml: A whole document.
        file: For messages.
        above: Lines of the file before *mjml*.

    Raises:
        ThemeError: It does not parse, or includes a file.
    """
    try:
        return mjml2html(mjml, fonts={}, disable_comments=False)
    except ValueError as exc:
        found = _unbalanced_line(mjml)
        line = found + above if found else None
        place = f"{file}, line {line}" if line else file
        raise ThemeError(
            f"{place}: the MJML does not parse ({exc}); every element must be"
            " closed, '&' and '<' written as entities, and mj-include left out",
            file=file,
            line=line,
        ) from exc


def _check_all_kept(html: str, marked: _Marked) -> None:
    found = re.findall(rf"{marked.prefix}[sx](\d+)e", html)
    numbers = [int(number) for number in found]
    statements = [n for n in numbers if marked.tags[n].is_statement]
    for number, tag in enumerate(marked.tags):
        if number not in numbers:
            _refuse(marked.file, tag, "is dropped by the MJML compiler where it stands")
        if statements.count(number) > 1:
            _refuse(marked.file, tag, "is repeated by the MJML compiler")
    for number, following in pairwise(statements):
        if following < number:
            _refuse(marked.file, marked.tags[following], "is moved to another place")


def _refuse(file: str, tag: _Tag, what: str) -> NoReturn:
    raise ThemeError(
        f"{file}, line {tag.line}: {tag.text} {what}; put it between elements,"
        " into text, or into an attribute that takes any value",
        file=file,
        line=tag.line,
    )


def _put_back(html: str, marked: _Marked) -> Compiled:
    pattern = re.compile(rf"<!--{marked.prefix}s(\d+)e-->|{marked.prefix}x(\d+)e")
    pieces = [marked.preamble]
    line = marked.preamble.count("\n") + 1
    lines = [(k, k) for k in range(1, line + 1)]
    end = 0
    for found in pattern.finditer(html):
        tag = marked.tags[int(found[1] or found[2])]
        between = html[end : found.start()]
        line += between.count("\n") + 1
        height = tag.body.count("\n") + 1
        lines.extend((line + k, tag.line + k) for k in range(height))
        pieces += [between, tag.opening, "\n", tag.body, "\n", tag.closing]
        line += height
        end = found.end()
    return Compiled(source="".join((*pieces, html[end:])), lines=tuple(lines))


class _Balance(HTMLParser):
    """Finds the first element that is not closed, or closed out of turn."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[tuple[str, int]] = []
        self.line: int | None = None

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - HTMLParser's signature
        if tag not in _VOID:
            self.stack.append((tag, self.getpos()[0]))

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        """Nothing: it is balanced."""

    def handle_endtag(self, tag: str) -> None:
        if self.stack and self.stack[-1][0] == tag:
            self.stack.pop()
        elif self.line is None:
            was_opened = any(name == tag for name, _ in self.stack)
            self.line = self.stack[-1][1] if was_opened else self.getpos()[0]


def _unbalanced_line(mjml: str) -> int | None:
    balance = _Balance()
    balance.feed(mjml)
    balance.close()
    if balance.line is None and balance.stack:
        return balance.stack[-1][1]
    return balance.line
