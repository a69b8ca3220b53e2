"""The HTML of a mail as a tree of tags, with the place of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

from newsletter.rendering.judging.tracing import Traced

_VOID = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta", "wbr"})
_DECLARED = re.compile(r"\s*([a-z-]+)\s*:\s*([^;]+?)\s*(?:!important\s*)?(?:;|$)")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tag:
    """One element of the mail."""

    name: str
    attributes: Mapping[str, str]
    parent: Tag | None
    #: Into the text of the mail.
    offset: int
    #: Of ``style``, by property, in lower case.
    style: Mapping[str, str]

    def ancestors(self) -> Iterator[Tag]:
        """Yield itself, then what it stands in, up to the root."""
        tag: Tag | None = self
        while tag is not None:
            yield tag
            tag = tag.parent


@dataclass(slots=True, kw_only=True)
class Page:
    """All that is in a mail's HTML."""

    tags: list[Tag] = field(default_factory=list)
    #: (element that it stands in, text); none of white space alone.
    texts: list[tuple[Tag, str]] = field(default_factory=list)
    #: Contents of style elements, with their places.
    styles: list[tuple[int, str]] = field(default_factory=list)

    def links(self) -> list[tuple[str, int]]:
        """Return where it leads, in order, with the places."""
        found = ((tag.attributes.get("href"), tag) for tag in self.tags)
        return [
            (href, tag.offset)
            for href, tag in found
            if tag.name == "a" and href is not None
        ]


class _Reader(HTMLParser):
    def __init__(self, traced: Traced) -> None:
        super().__init__()
        self.traced = traced
        self.page = Page()
        self.stack: list[Tag] = []

    def _offset(self) -> int:
        return self.traced.offset_of(*self.getpos())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        found = Tag(
            name=tag,
            attributes=attributes,
            parent=self.stack[-1] if self.stack else None,
            offset=self._offset(),
            style=declared(attributes.get("style", "")),
        )
        self.page.tags.append(found)
        if tag not in _VOID:
            self.stack.append(found)

    def handle_endtag(self, tag: str) -> None:
        if any(open_.name == tag for open_ in self.stack):
            while self.stack.pop().name != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self.stack or not data.strip():
            return
        if self.stack[-1].name == "style":
            self.page.styles.append((self._offset(), data))
        else:
            self.page.texts.append((self.stack[-1], data))


def read(traced: Traced) -> Page:
    """Return the elements, texts and styles of a mail's HTML."""
    reader = _Reader(traced)
    reader.feed(traced.text)
    reader.close()
    return reader.page


def declared(style: str) -> Mapping[str, str]:
    """Return the declarations of *style* by property; the last one counts."""
    return {found[1]: found[2] for found in _DECLARED.finditer(style.lower())}
