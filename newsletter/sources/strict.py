"""Well-formed RSS and Atom by lxml: fast, and never by guesswork.

    <item><title>…</title><dc:creator>…</dc:creator></item>
      -> Entry(title=Text(…), authors=(…,))

What this reader is not sure of it does not read: ``Unsure`` leaves, and the
whole document goes to the lenient one. Names of elements are compared without
case, and namespaces by what they mean, as in feedparser.
"""

from __future__ import annotations

import re
from codecs import lookup
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from lxml import etree

from newsletter.sources.documents import (
    MOST_ITEMS,
    NO_TEXT,
    Document,
    Entry,
    Head,
    Reference,
    Unsure,
    main_link,
)
from newsletter.sources.elements import XML, Elements, flat, said_by
from newsletter.sources.strict_items import read_item
from newsletter.sources.vocabulary import IN_CHANNELS, PASSED_OVER

_ROOTS = frozenset({"rss", "feed", "rdf:rdf"})
#: Before the first element: a document type, which may declare entities.
_HEAD = re.compile(rb"\A.*?<(?=[\w])", re.DOTALL)
_DECLARED = re.compile(rb"""\A<\?xml[^>]*?encoding\s*=\s*["']([\w.\-]+)["']""")
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.\-]+)""", re.IGNORECASE)

#: Encodings that hold ASCII, so that the declaration could be read.
_OLD = re.compile(r"iso8859-\d+|cp125\d|koi8-[ru]|gb18030|gbk|big5|euc_(?:jp|kr)")


def read_strictly(body: bytes, content_type: str = "") -> Document:
    """Return what *body* says.

    Args:
        body: Without white space before it.
        content_type: The header of the answer; empty: there was none.

    Raises:
        Unsure: The lenient reader should look at it.
    """
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        root = etree.fromstring(_in_utf8(body, content_type), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unsure(str(error)) from error
    name = Elements().name(root)
    if name not in _ROOTS:
        raise Unsure(f"its root is {name}")
    elements = Elements(is_atom=name == "feed", has_base=b":base" in body)
    return _Reader(elements=elements).document(root)


def _in_utf8(body: bytes, content_type: str) -> bytes:
    """Return *body* in UTF-8.

    Raises:
        Unsure: It has a document type, or it is not clear what it is written in.
    """
    head = _HEAD.match(body)
    if head is None or b"<!D" in head[0].upper() or b"<!E" in head[0].upper():
        raise Unsure("it has a document type")
    said = _CHARSET.search(content_type)
    declared = _DECLARED.match(body.removeprefix(b"\xef\xbb\xbf"))
    names = {_codec(said[1])} if said else set()
    names |= {_codec(declared[1].decode("ascii"))} if declared else set()
    if names <= {"utf-8"}:
        return body
    (name, *others) = names
    if others or not _OLD.fullmatch(name):
        raise Unsure("it is not clear what it is written in")
    try:
        return body.decode(name).encode()
    except UnicodeDecodeError as error:
        raise Unsure(str(error)) from error


def _codec(encoding: str) -> str:
    """Return the usual name of an encoding; empty: there is no such."""
    try:
        name = lookup(encoding).name
    except LookupError:
        return ""
    # Each is part of the other, and the larger is what people mean.
    return {"ascii": "utf-8", "gb2312": "gb18030"}.get(name, name)


@dataclass(slots=True, kw_only=True)
class _Reader:
    """Reads one document."""

    elements: Elements
    head: dict[str, Any] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)
    links: list[Reference] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    left_out: int = 0

    def document(self, root: etree._Element) -> Document:
        """Read everything."""
        language = root.get(f"{XML}lang") or ""
        if language:
            self.head["language"] = language
        is_atom = self.elements.is_atom
        for child in root:
            if is_atom or self.elements.name(child) != "channel":
                self._part(child, language, in_channel=is_atom)
            else:
                inner = child.get(f"{XML}lang", language)
                for part in child:
                    self._part(part, inner, in_channel=True)
        head = Head(
            link=main_link(self.links, first=False),
            others=MappingProxyType(self.others),
            **self.head,
        )
        entries = tuple(self.entries)
        return Document(feed=head, entries=entries, left_out=self.left_out)

    def _part(
        self, element: etree._Element, language: str, *, in_channel: bool
    ) -> None:
        """Read one child of the root or the channel."""
        name = self.elements.name(element)
        if name in {"item", "entry"}:
            if len(self.entries) >= MOST_ITEMS:
                self.left_out += 1
                return
            inner = element.get(f"{XML}lang", language)
            self.entries.append(read_item(element, self.elements, inner))
        elif in_channel:
            self._channel(name, element, language)
        elif len(element) and name not in PASSED_OVER:
            self._no_items(element)

    def _channel(self, name: str, element: etree._Element, language: str) -> None:
        """Read what the document says of itself."""
        what = IN_CHANNELS.get(name, "")
        if what == "link":
            self.links += self.elements.references(element)
        elif what in {"title", "subtitle"}:
            default = "html" if name == "description" else "text"
            text = self.elements.text(element, default, language)
            if not self.head.get(what, NO_TEXT).value:
                self.head[what] = text
        elif what in {"skip_hours", "skip_days"}:
            self.head[what] = tuple((part.text or "").strip() for part in element)
        elif what:
            self.head[what] = flat(element)
        elif len(element) and name not in PASSED_OVER:
            self._no_items(element)
        elif ":" in name:
            self.others[name.replace(":", "_")] = said_by(element)

    def _no_items(self, element: etree._Element) -> None:
        """Look that what is unknown holds nothing that should be known.

        Raises:
            Unsure: It does.
        """
        for part in element.iter():
            if self.elements.name(part) in {"item", "entry", "channel"}:
                raise Unsure(f"items stand in <{element.tag}>")
