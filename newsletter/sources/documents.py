"""What a document of RSS or Atom says, before anybody cleans it.

    strict.py   well-formed XML  --+
                                   +-->  Document  -->  syndication.py  -->  Listing
    lenient.py  everything else  --+

Both readers fill the same records, with raw strings as they came: what a
string means is decided once, in the one layer above.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

#: Items of one document that are read; what comes after them is named.
MOST_ITEMS = 20_000
_C1 = re.compile("[\x80-\x9f]")
#: The letters that windows-1252 has where Unicode has controls.
_WINDOWS = {
    code: letter
    for code in range(0x80, 0xA0)
    if (letter := bytes([code]).decode("windows-1252", "ignore"))
}
#: What a page to read is said to be; feeds that do not say mean one.
_PAGES = frozenset({"", "html", "xhtml", "text/html", "application/xhtml+xml"})


class Unsure(Exception):  # noqa: N818 - no error: the other reader's turn
    """A document is not for the strict reader."""


class TextKind(StrEnum):
    """What a text is, by its declaration or, in RSS, by its looks."""

    #: Characters as they are meant.
    TEXT = "text"
    #: HTML that was escaped to stand in XML.
    HTML = "html"
    #: Elements that stand in the document itself, written out.
    XHTML = "xhtml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text construct; empty: there is none."""

    value: str = ""
    kind: TextKind = TextKind.TEXT
    #: As declared (xml:lang). Empty: not declared.
    language: str = ""


NO_TEXT = Text()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A link, as its attributes say."""

    href: str
    #: What it is to the item: alternate, enclosure, replies, …
    rel: str = "alternate"
    #: Its media type, in lower case; empty: not said.
    media: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One item; every string raw, and empty where there is none."""

    id: str = ""
    title: Text = NO_TEXT
    summary: Text = NO_TEXT
    contents: tuple[Text, ...] = ()
    #: Where it is read, of all its links.
    link: str = ""
    links: tuple[Reference, ...] = ()
    #: Where the discussion is.
    comments: str = ""
    published: str = ""
    updated: str = ""
    #: One for each element; one may hold several people, or an address.
    authors: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    #: Addresses of small pictures.
    thumbnails: tuple[str, ...] = ()
    #: prefix_name -> text, of what has no field here: arxiv_announce_type.
    others: Mapping[str, Any] = field(default_factory=dict)

    def get(self, name: str) -> Any:  # noqa: ANN401 - text, or rows of it
        """Return one field by the name that feedparser has for it."""
        if name in {"title", "summary"}:
            return getattr(self, name).value
        if name == "authors":
            return tuple({"name": author} for author in self.authors)
        if name in {"id", "link", "comments", "published", "updated"}:
            return getattr(self, name)
        return self.others.get(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a document says of itself; every string raw."""

    title: Text = NO_TEXT
    subtitle: Text = NO_TEXT
    #: The page that it belongs to.
    link: str = ""
    language: str = ""
    #: Minutes (RSS 2.0).
    ttl: str = ""
    #: "hourly", and how often in that time (the syndication module).
    update_period: str = ""
    update_frequency: str = ""
    skip_hours: tuple[str, ...] = ()
    skip_days: tuple[str, ...] = ()
    #: prefix_name -> text, of what has no field here.
    others: Mapping[str, Any] = field(default_factory=dict)

    def get(self, name: str) -> Any:  # noqa: ANN401 - text, or a row of it
        """Return one field by the name that feedparser has for it."""
        if name in {"title", "subtitle"}:
            return getattr(self, name).value
        if name in {"link", "language", "ttl"}:
            return getattr(self, name)
        return self.others.get(name)

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - as get
        """Return one field by the name that feedparser has for it."""
        return self.get(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole document."""

    feed: Head
    #: At most MOST_ITEMS.
    entries: tuple[Entry, ...]
    #: How many there were beyond them.
    left_out: int = 0


def main_link(links: Sequence[Reference], *, first: bool) -> str:
    """Return where an item or a feed is read; empty: it does not say.

    Args:
        links: All that it has.
        first: Of several pages the first one counts, as in Atom, where others
            are translations; in RSS the last one does.
    """
    pages = [
        link.href
        for link in links
        if link.rel == "alternate" and link.href and link.media in _PAGES
    ]
    if not pages:
        return ""
    return pages[0] if first else pages[-1]


def mended(text: str) -> str:
    r"""Return text as it was that somebody encoded twice: RamÃ\xadrez is Ramírez.

    Latin-1 that is UTF-8 throughout, with letters beyond ASCII, is no accident;
    nor are controls where windows-1252 has letters.
    """
    if text.isascii():
        return text
    try:
        return text.encode("iso-8859-1").decode("utf-8")
    except UnicodeError:
        return text.translate(_WINDOWS) if _C1.search(text) else text
