"""One item of a well-formed feed, read element by element."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from lxml import etree

from newsletter.sources.documents import (
    NO_TEXT,
    Entry,
    Reference,
    Text,
    Unsure,
    main_link,
    mended,
)
from newsletter.sources.elements import (
    Elements,
    attributes_of,
    flat,
    said_by,
)
from newsletter.sources.vocabulary import IN_ITEMS, PASSED_OVER

_RDF_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
#: What stands in an author who is no mere text.
_PERSON = frozenset({"name", "email", "uri", "url", "homepage"})
#: How deep containers of containers are followed.
_MOST_NESTED = 8


def read_item(element: etree._Element, elements: Elements, language: str) -> Entry:
    """Return what an item says.

    Raises:
        Unsure: It is not plain to read.
    """
    return _Item(elements=elements, language=language).entry(element)


def _all_text(element: etree._Element) -> str:
    """Return the text of an element, whatever elements stand in it."""
    return mended("".join(map(str, element.itertext())).strip())


@dataclass(slots=True, kw_only=True)
class _Item:
    """Reads one item; each ``_on_…`` is for the elements that bear that meaning."""

    elements: Elements
    language: str
    id: str = ""
    title: Text = NO_TEXT
    summary: Text | None = None
    contents: list[Text] = field(default_factory=list)
    links: list[Reference] = field(default_factory=list)
    comments: str = ""
    published: str = ""
    updated: str = ""
    authors: list[str] = field(default_factory=list)
    terms: list[str] = field(default_factory=list)
    thumbnails: list[str] = field(default_factory=list)
    others: dict[str, Any] = field(default_factory=dict)
    #: There was a title of the item's own, not of its picture or film.
    is_titled: bool = False
    has_content: bool = False
    #: There are elements with elements in them that we do not know.
    has_boxes: bool = False

    def entry(self, element: etree._Element) -> Entry:
        """Read the whole item."""
        self.id = element.get(_RDF_ABOUT) or ""
        if "href" in element.attrib or "lastmod" in element.attrib:
            raise Unsure("an item has its link in an attribute")
        self._children(element, 0)
        if self.has_boxes and not self.title.value:
            raise Unsure("what should be the item's may stand in some part of it")
        return Entry(
            id=self.id,
            title=self.title,
            summary=self.summary or NO_TEXT,
            contents=tuple(self.contents),
            link=main_link(self.links, first=self.elements.is_atom),
            links=tuple(self.links),
            comments=self.comments,
            published=self.published,
            updated=self.updated,
            authors=tuple(self.authors),
            terms=tuple(self.terms),
            thumbnails=tuple(self.thumbnails),
            others=MappingProxyType(self.others),
        )

    def _children(self, element: etree._Element, depth: int) -> None:
        if depth > _MOST_NESTED:
            raise Unsure("containers stand in containers")
        for child in element:
            name = self.elements.name(child)
            meaning = IN_ITEMS.get(name, "")
            if meaning == "unusual":
                raise Unsure(f"<{child.tag}> is unusual")
            read = _READERS.get(meaning)
            if read is not None:
                read(self, child, name)
            elif name in {"media:group", "media:content"}:
                self._children(child, depth + 1)
            elif name not in PASSED_OVER:
                self._other(child, name)

    def _other(self, element: etree._Element, name: str) -> None:
        if not len(element):
            if ":" in name:
                self.others[name.replace(":", "_")] = said_by(element)
            return
        # An author's job is called a title too: it is not the item's.
        self.has_boxes = True

    def on_title(self, element: etree._Element, name: str) -> None:
        """Keep the first title that is the item's own."""
        if self.is_titled:
            return
        title = self.elements.text(element, "text", self.language)
        if name == "media:title":
            self.title = self.title if self.title.value else title
            return
        self.title, self.is_titled = title, bool(title.value)

    def on_description(self, element: etree._Element, name: str) -> None:
        """Keep the first as the summary, a second one as content."""
        if self.summary is not None and not self.has_content:
            self.has_content = True
            self.contents.append(self.elements.text(element, "text", self.language))
            return
        default = "html" if name.endswith("description") else "text"
        self.summary = self.elements.text(element, default, self.language)

    def on_content(self, element: etree._Element, name: str) -> None:
        """Keep content, which may stand before the summary."""
        self.has_content = True
        default = "html" if name == "content:encoded" else "text"
        self.contents.append(self.elements.text(element, default, self.language))

    def on_id(self, element: etree._Element, name: str) -> None:
        """Keep the last; resolved only where it may be an address."""
        value = flat(element)
        said = attributes_of(element) if name == "guid" else {}
        is_link = said.get("ispermalink", "true") == "true"
        self.id = self.elements.resolved(element, value) if is_link else value

    def on_link(self, element: etree._Element, name: str) -> None:
        """Keep every link."""
        del name
        self.links += self.elements.references(element)

    def on_enclosure(self, element: etree._Element, name: str) -> None:
        """Keep a file that comes with the item."""
        del name
        said = attributes_of(element)
        href = said.get("url") or said.get("uri") or said.get("href") or ""
        media = said.get("type", "").lower()
        self.links.append(Reference(href=href, rel="enclosure", media=media))

    def on_comments(self, element: etree._Element, name: str) -> None:
        """Keep where it is talked about."""
        del name
        self.comments = self.elements.resolved(element, flat(element))

    def on_published(self, element: etree._Element, name: str) -> None:
        """Keep the last date."""
        del name
        self.published = flat(element)

    def on_updated(self, element: etree._Element, name: str) -> None:
        """Keep the last date."""
        del name
        self.updated = flat(element)

    def on_author(self, element: etree._Element, name: str) -> None:
        """Keep a person by name, else by address; in RSS, by what is written."""
        del name
        if not len(element):
            self.authors.append(flat(element))
            return
        said = {self.elements.name(part): flat(part) for part in element}
        name = said.get("name", "") or said.get("email", "")
        self.authors.append(name if said.keys() & _PERSON else _all_text(element))

    def on_term(self, element: etree._Element, name: str) -> None:
        """Keep the term and, where there is any, the text."""
        said = attributes_of(element)
        label = said.get("text" if name == "itunes:category" else "term", "")
        within = [p for p in element if self.elements.name(p) == "itunes:category"]
        text = element.text if within else _all_text(element)
        self.terms += [term for term in (label, mended((text or "").strip())) if term]
        for part in within:
            self.terms.append(attributes_of(part).get("text", ""))

    def on_terms(self, element: etree._Element, name: str) -> None:
        """Keep terms that one string lists."""
        del name
        self.terms += [term.strip() for term in flat(element).split(",")]

    def on_thumbnail(self, element: etree._Element, name: str) -> None:
        """Keep the address of a small picture."""
        del name
        self.thumbnails.append(attributes_of(element).get("url") or flat(element))


#: What an element means -> how it is read.
_READERS: Mapping[str, Callable[[_Item, etree._Element, str], None]] = {
    "title": _Item.on_title,
    "description": _Item.on_description,
    "content": _Item.on_content,
    "id": _Item.on_id,
    "link": _Item.on_link,
    "enclosure": _Item.on_enclosure,
    "comments": _Item.on_comments,
    "published": _Item.on_published,
    "updated": _Item.on_updated,
    "author": _Item.on_author,
    "term": _Item.on_term,
    "terms": _Item.on_terms,
    "thumbnail": _Item.on_thumbnail,
}
