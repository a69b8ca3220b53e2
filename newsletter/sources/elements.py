"""Elements of well-formed feeds: what they are called, and what they say.

What is not plain to read is not read: ``Unsure`` leaves, and the whole
document goes to the lenient reader.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from newsletter.sources.documents import Reference, Text, TextKind, Unsure, mended
from newsletter.sources.looks import looks_like_html
from newsletter.sources.vocabulary import NAMESPACES

XML = "{http://www.w3.org/XML/1998/namespace}"
_KINDS = {
    "": TextKind.TEXT,
    "text": TextKind.TEXT,
    "plain": TextKind.TEXT,
    "text/plain": TextKind.TEXT,
    "html": TextKind.HTML,
    "text/html": TextKind.HTML,
    "xhtml": TextKind.XHTML,
    "application/xhtml+xml": TextKind.XHTML,
}
#: A parameter that some writer took for an entity: ``?a=1&amp;b;=2``.
_LIKE_ENTITY = re.compile(r"&([A-Za-z0-9_]+);")
_SLASHES = re.compile(r"^([A-Za-z][A-Za-z0-9+\-.]*://)/+")


def attributes_of(element: etree._Element) -> dict[str, str]:
    """Return the attributes, names in lower case, without namespaces."""
    return {str(k).rpartition("}")[2].lower(): str(v) for k, v in element.items()}


def flat(element: etree._Element) -> str:
    """Return the text of an element that has no elements in it.

    Raises:
        Unsure: It has.
    """
    if len(element):
        raise Unsure(f"<{element.tag}> has elements in it")
    return mended((element.text or "").strip())


def written(element: etree._Element) -> str:
    """Return what stands in an element as markup, without a ``div`` around all.

    Written out and not in lxml's way: an empty ``<div/>`` is not closed in HTML.
    """
    inner = element
    if len(element) == 1 and not (element.text or "").strip():
        (child,) = element
        if etree.QName(child).localname.lower() == "div" and not (
            (child.tail or "").strip()
        ):
            inner = child
    out = [escape(inner.text or "")]
    # Comments are gone, so whatever is met is an element.
    for event, node in etree.iterwalk(inner, events=("start", "end")):
        if node is inner:
            continue
        name = etree.QName(node).localname.lower()
        if event == "start":
            said = "".join(
                f" {k}={quoteattr(v)}" for k, v in attributes_of(node).items()
            )
            out.append(f"<{name}{said}>{escape(node.text or '')}")
        else:
            out.append(f"</{name}>{escape(node.tail or '')}")
    return mended("".join(out).strip())


def said_by(element: etree._Element) -> Any:  # noqa: ANN401 - text, or attributes
    """Return what an element of another vocabulary says, as feedparser has it."""
    return attributes_of(element) or mended((element.text or "").strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Elements:
    """Reads elements of one document."""

    is_atom: bool = False
    #: xml:base stands somewhere in it.
    has_base: bool = False
    #: Tags as they came -> names as we know them.
    names: dict[str, str] = field(default_factory=dict)

    def name(self, element: etree._Element) -> str:
        """Return its name in lower case, with the prefix that we know it by."""
        tag = element.tag
        name = self.names.get(tag)
        if name is None:
            space, _, local = tag.rpartition("}")
            space = space.removeprefix("{").lower()
            if "backend.userland.com/rss" in space:
                space = ""
            prefix = NAMESPACES.get(space, element.prefix or "")
            name = f"{prefix}:{local}".lower() if prefix else local.lower()
            self.names[tag] = name
        return name

    def text(self, element: etree._Element, default: str, language: str) -> Text:
        """Read a text construct.

        Raises:
            Unsure: It is of another type than it says.
        """
        said = attributes_of(element)
        kind = _KINDS.get(said.get("type", default).lower())
        if kind is None or "mode" in said:
            raise Unsure(f"<{element.tag}> is of an unusual type")
        if kind is TextKind.XHTML:
            value = written(element)
        else:
            value = flat(element)
            if kind is TextKind.TEXT and not self.is_atom and looks_like_html(value):
                kind = TextKind.HTML
        language = element.get(f"{XML}lang", language)
        return Text(value=value, kind=kind, language=language.replace("_", "-"))

    def references(self, element: etree._Element) -> list[Reference]:
        """Read a link: by its attribute (Atom), else by its text (RSS)."""
        said = attributes_of(element)
        href = said.get("href", "")
        if not href:
            bare = (element.text or "").strip().replace("&amp;", "&")
            href = _LIKE_ENTITY.sub(r"&\1", bare)
        href = href or said.get("url", "") or said.get("uri", "")
        rel = said.get("rel", "alternate").lower()
        return [
            Reference(
                href=self.resolved(element, href),
                rel=rel,
                media=said.get("type", "").lower(),
                title=said.get("title", ""),
            )
        ]

    def resolved(self, element: etree._Element, address: str) -> str:
        """Return an address relative to xml:base, where there is any."""
        address = _SLASHES.sub(r"\1", address) if ":///" in address else address
        base = element.base if self.has_base and address else None
        if not base:
            return address
        try:
            return urljoin(base, address)
        except ValueError:
            return ""
