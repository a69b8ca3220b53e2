"""The elements of a theme's MJML, each with its line.

Only what the author wrote is read: Jinja is blanked out first, its lines kept,
so that a fault is told where it stands. Whether the document is well-formed is
the compiler's question; what is not is read as far as it can be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from newsletter.rendering.judging.elements import ENDING
from newsletter.rendering.mjml import TAG

#: Stands for a Jinja expression: of a private area, so in no theme by chance.
UNKNOWN = "\ue000"
_MARKUP = re.compile(
    r"""<!--.*?-->
    | <!\[CDATA\[ | <[!?][^>]*>
    | <(?P<close>/)?(?P<name>[A-Za-z][\w:.-]*)
      (?P<rest>(?:"[^"]*"|'[^']*'|[^"'<>])*?)(?P<alone>/)?>""",
    re.DOTALL | re.VERBOSE,
)
_ATTRIBUTE = re.compile(
    r"""(?P<name>[^\s"'<>/=]+)(?:\s*=\s*(?:"(?P<one>[^"]*)"|'(?P<two>[^']*)'))?"""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute as written."""

    name: str
    #: With ``UNKNOWN`` for each Jinja expression in it.
    value: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One element of MJML."""

    name: str
    #: The element that it stands in. None: the root.
    parent: str | None
    attributes: tuple[Attribute, ...]
    line: int
    #: What stands between its tags, where that is no MJML; else empty.
    content: str = ""


def blanked(source: str) -> str:
    """Return *source* without Jinja: lines kept, expressions as ``UNKNOWN``."""

    def blank(found: re.Match[str]) -> str:
        stand_in = UNKNOWN if (found["open"] or "").startswith("{{") else ""
        return stand_in + "\n" * found[0].count("\n")

    return TAG.sub(blank, source)


def cdata_line(source: str) -> int | None:
    """Return the line of the first CDATA section; None: there is none."""
    at = blanked(source).find("<![CDATA[")
    return None if at < 0 else blanked(source).count("\n", 0, at) + 1


def elements(source: str) -> Iterator[Element]:
    """Yield the elements of MJML in the template *source*, in their order."""
    text = blanked(source)
    stack: list[str] = []
    at = 0
    while found := _MARKUP.search(text, at):
        at = found.end()
        name = found["name"]
        if name is None:
            continue
        if found["close"]:
            _close(stack, name)
            continue
        content = ""
        is_alone = bool(found["alone"])
        if name in ENDING and not is_alone:
            end = re.compile(rf"</{re.escape(name)}\s*>").search(text, at)
            content = text[at : end.start() if end else len(text)]
            at = end.end() if end else len(text)
        yield Element(
            name=name,
            parent=stack[-1] if stack else None,
            attributes=_attributes(text, found),
            line=text.count("\n", 0, found.start()) + 1,
            content=content,
        )
        if not is_alone and name not in ENDING:
            stack.append(name)


def _close(stack: list[str], name: str) -> None:
    if name in stack:
        while stack.pop() != name:
            pass


def _attributes(text: str, found: re.Match[str]) -> tuple[Attribute, ...]:
    start = found.start("rest")
    return tuple(
        Attribute(
            name=each["name"],
            value=each["one"] or each["two"] or "",
            line=text.count("\n", 0, start + each.start()) + 1,
        )
        for each in _ATTRIBUTE.finditer(found["rest"])
    )
