"""From a document of RSS or Atom to listings; what kinds of feed share.

<item><title>…</title><link>…</link><guid>…</guid><pubDate>…</pubDate></item>
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from yarl import URL

from newsletter.errors import ParseError
from newsletter.identity import canonical_url, doi_of, is_plain
from newsletter.model import (
    Link,
    Listing,
    Rejected,
    Request,
    Response,
    SourceSettings,
    SourceState,
    Validator,
)
from newsletter.sources.dates import instant_of_date
from newsletter.sources.documents import (
    MOST_ITEMS,
    Document,
    Entry,
    Text,
    TextKind,
    Unsure,
)
from newsletter.text import (
    clean_names,
    clean_text,
    first_sentences,
    one_line,
    split_authors,
)

#: A title made of the text, where there is none.
TITLE_CHARS = 80
#: What people read of a summary; longer ones are whole articles.
SUMMARY_CHARS = 20_000
_HTML = re.compile(
    rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE
)
_ADDRESS = re.compile(r"\s*[^\s@<>()]{1,64}@[^\s@<>()]{1,255}\s*")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_IMAGE = re.compile(r"image/(?:jpeg|png|gif|webp|avif)", re.ASCII)


def read_syndicated(response: Response) -> Document:
    """Return what a document says: by the strict reader, else by the lenient one.

    Raises:
        ParseError: The document is no feed.
    """
    body = response.body.lstrip()
    if not body:
        raise ParseError("the document is empty; expected a feed")
    if is_html(body):
        raise ParseError(
            "this is an HTML page, not a feed; look for its feed's address"
        )
    if body[:1] in b"{[":
        raise ParseError("this is JSON, not RSS or Atom")
    kind = response.headers.get("content-type", "")
    # Each reader is imported when there is something for it: they are large.
    from newsletter.sources.strict import read_strictly  # noqa: PLC0415 - as said

    try:
        return read_strictly(body, kind)
    except Unsure:
        from newsletter.sources.lenient import read_leniently  # noqa: PLC0415 - as said

        return read_leniently(body, kind)


def is_html(body: bytes) -> bool:
    """Tell whether a document is a page to look at, by its first tag."""
    return bool(_HTML.match(body.removeprefix(b"\xef\xbb\xbf")[:1000]))


def syndicated_title(response: Response) -> str:
    """Return a feed's own title; empty: it has none.

    Raises:
        ParseError: The document is no feed.
    """
    title = read_syndicated(response).feed.title
    return clean_text(title.value, markup=_is_markup(title))


def items_of(
    settings: SourceSettings,
    response: Response,
    document: Document,
) -> Iterator[Item]:
    """Yield the items of a document, to be read field by field."""
    base = document.feed.link or response.final_url or ""
    language = document.feed.language or None
    for item in document.entries:
        yield Item(item, settings.name, response, base, language)


def beyond(document: Document) -> Iterator[Rejected]:
    """Yield what stands for the items that nobody reads, as there are too many."""
    if document.left_out:
        first = len(document.entries) + 1
        last = len(document.entries) + document.left_out
        yield Rejected(
            place=f"items {first} to {last}",
            reason=f"a document may have {MOST_ITEMS} items",
        )


def one_request(settings: SourceSettings, state: SourceState) -> Request:
    """Return how to ask for the one document that a source is."""
    if settings.path is not None:
        return Request(source=settings.name, path=settings.path)
    url = settings.url or ""
    validator = state.validators.get(url, Validator())
    return Request(source=settings.name, url=url, validator=validator)


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a feed, read field by field."""

    item: Entry
    source: str
    response: Response
    base: str
    language: str | None

    def listing(self) -> Listing:
        """Return the item as a listing.

        Raises:
            ParseError: It has neither title nor text.
        """
        summary = self.summary()
        title = self.text("title") or first_sentences(summary, TITLE_CHARS)
        url = self.url()
        if not title:
            raise ParseError("it has neither title nor text")
        guid = guid_of(self.item.id)
        published, listed = self.dates()
        return Listing(
            source=self.source,
            guid=guid,
            title=title,
            url=url,
            listed_at=listed,
            summary="" if summary == title else summary,
            authors=self.authors(),
            categories=self.categories(),
            links=tuple(self._links(url)),
            identifiers=tuple(self.identifiers(guid)),
            published_at=published,
            thumbnail=self._thumbnail(),
            language=self._language(),
        )

    def raw(self, name: str) -> str:
        """Return a text construct as it came: title or summary."""
        return self._construct(name).value[:SUMMARY_CHARS]

    def published(self) -> datetime | None:
        """Return when it was published; None: it does not say."""
        return instant_of_date(self.item.published)

    def text(self, name: str) -> str:
        """Return a text construct as plain text: title or summary."""
        return _plain(self._construct(name))

    def _construct(self, name: str) -> Text:
        return self.item.title if name == "title" else self.item.summary

    def texts(self) -> tuple[str, ...]:
        """Return all texts that are no title, the summary first."""
        texts = (self.item.summary, *self.item.contents)
        return tuple(said for text in texts if (said := _plain(text)))

    def summary(self) -> str:
        """Return the summary; where there is none, the content."""
        texts = (self.item.summary, *self.item.contents)
        return next((said for text in texts if (said := _plain(text))), "")

    def url(self) -> str | None:
        """Return where it is read; an id that is an address stands in for a link."""
        for raw in (self.item.link, *self._hrefs("alternate")):
            if raw and (url := self.absolute(raw)):
                return url
        guid = self.item.id
        return self.absolute(guid) if guid.startswith("http") else None

    def _hrefs(self, rel: str) -> Iterator[str]:
        for link in self.item.links:
            if link.rel == rel and link.href:
                yield link.href

    def absolute(self, raw: str) -> str | None:
        """Return *raw* as an http(s) address without trackers; None: it is none."""
        raw = raw.strip()
        if is_plain(raw):
            return canonical_url(raw)
        for base in (self.base, self.response.final_url or ""):
            try:
                joined = URL(base).join(URL(raw)) if base else URL(raw)
            except (ValueError, TypeError):
                continue
            if (url := canonical_url(str(joined))) is not None:
                fragment = f"#{joined.raw_fragment}" if joined.raw_fragment else ""
                return url + fragment
        return None

    def dates(self) -> tuple[datetime | None, datetime]:
        """Return when it was published, and when it counts as listed.

        Listed: published, else updated, never later than its first sighting.
        """
        published = self.published()
        updated = instant_of_date(self.item.updated)
        seen_at = self.response.seen_at
        listed = published or updated or seen_at
        return published or updated, min(listed, seen_at)

    def authors(self) -> tuple[str, ...]:
        """Return the names; one string that holds several is split.

        An address alone stands for a person only where nobody is named.
        """
        written = [name for name in self.item.authors if name.strip()]
        names = [name for name in written if not _ADDRESS.fullmatch(name)] or written
        if len(names) == 1:
            return split_authors(names[0])
        return clean_names(names)

    def categories(self) -> tuple[str, ...]:
        """Return the terms, cleaned."""
        return clean_names(self.item.terms)

    def _links(self, url: str | None) -> Iterator[Link]:
        """Yield what else there is to read: a PDF, a recording, the discussion."""
        seen = {url}
        for link in self.item.links:
            label = "pdf" if link.media == "application/pdf" else None
            if link.rel == "replies" or link.title == "Comments":
                label = "discussion"
            found = self.absolute(link.href) if label and link.href else None
            if label and found and found not in seen:
                seen.add(found)
                yield Link(label=label, url=found)
        comments = self.item.comments
        found = self.absolute(comments) if comments else None
        if found and found not in seen:
            yield Link(label="discussion", url=found)

    def identifiers(self, guid: str | None) -> Iterator[str]:
        """Yield what identity may know it by: DOIs."""
        for name in ("prism_doi", "dc_identifier", "arxiv_doi"):
            raw = str(self.item.others.get(name) or "")
            if raw and doi_of(raw):
                yield raw
        if guid and doi_of(guid):
            yield guid

    def _thumbnail(self) -> str | None:
        enclosed = (
            link.href
            for link in self.item.links
            if link.rel == "enclosure" and _IMAGE.match(link.media)
        )
        for raw in (*self.item.thumbnails, *enclosed):
            if raw and (url := self.absolute(raw)):
                return url
        return None

    def _language(self) -> str | None:
        return language_tag(self.item.title.language or self.language or "")


def guid_of(raw: str) -> str | None:
    """Return a source's own name as a store can keep it; None: it is none.

    JSON can write halves of characters, and no database takes a NUL.
    """
    whole = raw.encode("utf-8", "replace").decode("utf-8")
    return one_line(whole) or None


def language_tag(raw: str) -> str | None:
    """Return *raw* as a language tag (BCP 47); None: it has not the form of one."""
    tag = raw.strip().replace("_", "-")
    return tag if _LANGUAGE.fullmatch(tag) else None


def _plain(text: Text) -> str:
    return clean_text(text.value[:SUMMARY_CHARS], markup=_is_markup(text))


def _is_markup(text: Text) -> bool:
    """Tell whether a text construct is HTML: by its type, and by holding any."""
    raw = text.value
    return text.kind is not TextKind.TEXT and ("<" in raw or "&" in raw)
