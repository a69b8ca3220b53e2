"""RSS and Atom documents by feedparser, from bytes; what kinds of feed share.

<item><title>…</title><link>…</link><guid>…</guid><pubDate>…</pubDate></item>
"""

from __future__ import annotations

import re
import warnings
from calendar import timegm
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from time import struct_time
from typing import Any

import feedparser
from yarl import URL

from newsletter.errors import ParseError
from newsletter.identity import canonical_url, doi_of
from newsletter.model import (
    Link,
    Listing,
    Request,
    Response,
    SourceSettings,
    SourceState,
    Validator,
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
_MARKUP_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_IMAGE = re.compile(r"image/(?:jpeg|png|gif|webp|avif)", re.ASCII)


def read_syndicated(response: Response) -> Any:  # noqa: ANN401 - feedparser's own dictionary
    """Return feedparser's result.

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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            document = feedparser.parse(
                BytesIO(body),
                response_headers=_headers(response),
                sanitize_html=False,
                resolve_relative_uris=False,
            )
        except Exception as error:
            # feedparser lets faults of its own through on damaged documents.
            raise ParseError(f"the document cannot be read ({error})") from error
    if not document.version and not document.entries:
        fault = document.get("bozo_exception")
        what = f": {fault}" if fault else ""
        raise ParseError(f"this is neither RSS nor Atom{what}")
    return document


def is_html(body: bytes) -> bool:
    """Tell whether a document is a page to look at, by its first tag."""
    return bool(_HTML.match(body.removeprefix(b"\xef\xbb\xbf")[:1000]))


def syndicated_title(response: Response) -> str:
    """Return a feed's own title; empty: it has none.

    Raises:
        ParseError: The document is no feed.
    """
    feed = read_syndicated(response).feed
    detail = feed.get("title_detail") or {}
    raw = str(feed.get("title") or "")
    return clean_text(raw, markup=_is_markup(detail, raw))


def _headers(response: Response) -> dict[str, str]:
    """Return what feedparser should know of the answer.

    Without a content type it takes undeclared UTF-8 for ISO-8859-1, so what
    is UTF-8 throughout is said to be. Not told is the address: it would make
    guids into links below it, which change when the feed moves.
    """
    kind = response.headers.get("content-type", "")
    if "charset" not in kind.lower() and _is_undeclared_utf8(response.body):
        kind = "application/xml; charset=utf-8"
    return {"content-type": kind} if kind else {}


def _is_undeclared_utf8(body: bytes) -> bool:
    if b"encoding=" in body[:200] or body[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return False
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def items_of(
    settings: SourceSettings,
    response: Response,
    document: Any,  # noqa: ANN401 - feedparser's own dictionary
) -> Iterator[Item]:
    """Yield the items of a document, to be read field by field."""
    base = document.feed.get("link") or response.final_url or ""
    language = document.feed.get("language")
    for item in document.entries:
        yield Item(item, settings.name, response, base, language)


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

    item: dict[str, Any]
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
        url = self._url()
        if not title:
            raise ParseError("it has neither title nor text")
        guid = guid_of(str(self.item.get("id") or ""))
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
        """Return a text construct as it came."""
        detail = self.item.get(f"{name}_detail") or {}
        return str(detail.get("value") or "")[:SUMMARY_CHARS]

    def published(self) -> datetime | None:
        """Return when it was published; None: it does not say."""
        return _instant(self.item.get("published_parsed"))

    def text(self, name: str) -> str:
        """Return a text construct as plain text, by its declared type.

        Only where the type is known: feedparser repeats an entry's content
        under other names without it.
        """
        detail = self.item.get(f"{name}_detail") or {}
        raw = str(detail.get("value") or "")
        return clean_text(raw[:SUMMARY_CHARS], markup=_is_markup(detail, raw))

    def summary(self) -> str:
        """Return the summary; where there is none, the content."""
        summary = self.text("summary")
        if summary:
            return summary
        for content in self.item.get("content") or ():
            raw = str(content.get("value") or "")
            text = clean_text(raw[:SUMMARY_CHARS], markup=_is_markup(content, raw))
            if text:
                return text
        return ""

    def _url(self) -> str | None:
        for raw in (self.item.get("link"), *self._hrefs("alternate")):
            if raw and (url := self._absolute(str(raw))):
                return url
        guid = str(self.item.get("id") or "")
        return self._absolute(guid) if guid.startswith("http") else None

    def _hrefs(self, rel: str) -> Iterator[str]:
        for link in self.item.get("links") or ():
            if link.get("rel") == rel and link.get("href"):
                yield str(link["href"])

    def _absolute(self, raw: str) -> str | None:
        """Return *raw* as an http(s) address without trackers; None: it is none."""
        raw = raw.strip()
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
        # dict.get: feedparser's own looks for one date under the other's name.
        updated = _instant(dict.get(self.item, "updated_parsed"))
        seen_at = self.response.seen_at
        listed = published or updated or seen_at
        return published or updated, min(listed, seen_at)

    def authors(self) -> tuple[str, ...]:
        """Return the names; one string that holds several is split."""
        names = [str(a.get("name") or "") for a in self.item.get("authors") or ()]
        names = [name for name in names if name.strip()]
        if not names and self.item.get("author"):
            names = [str(self.item["author"])]
        if len(names) == 1:
            return split_authors(names[0])
        return clean_names(names)

    def categories(self) -> tuple[str, ...]:
        """Return the terms, cleaned."""
        tags = self.item.get("tags") or ()
        return clean_names([str(tag.get("term") or "") for tag in tags])

    def _links(self, url: str | None) -> Iterator[Link]:
        """Yield what else there is to read: a PDF, a recording, the discussion."""
        seen = {url}
        for link in self.item.get("links") or ():
            kind = str(link.get("type") or "")
            label = "pdf" if kind == "application/pdf" else None
            if link.get("rel") == "replies" or link.get("title") == "Comments":
                label = "discussion"
            found = self._absolute(str(link.get("href") or "")) if label else None
            if label and found and found not in seen:
                seen.add(found)
                yield Link(label=label, url=found)
        comments = self.item.get("comments")
        found = self._absolute(str(comments)) if comments else None
        if found and found not in seen:
            yield Link(label="discussion", url=found)

    def identifiers(self, guid: str | None) -> Iterator[str]:
        """Yield what identity may know it by: DOIs."""
        for name in ("prism_doi", "dc_identifier", "arxiv_doi"):
            raw = str(self.item.get(name) or "")
            if raw and doi_of(raw):
                yield raw
        if guid and doi_of(guid):
            yield guid

    def _thumbnail(self) -> str | None:
        pictures = [*(self.item.get("media_thumbnail") or ())]
        pictures += [
            link
            for link in self.item.get("enclosures") or ()
            if _IMAGE.match(str(link.get("type") or ""))
        ]
        for picture in pictures:
            raw = str(picture.get("url") or picture.get("href") or "")
            if raw and (url := self._absolute(raw)):
                return url
        return None

    def _language(self) -> str | None:
        detail = self.item.get("title_detail") or {}
        return language_tag(str(detail.get("language") or self.language or ""))


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


def _is_markup(detail: Mapping[str, Any], raw: str) -> bool:
    """Tell whether a text construct is HTML: by its type, and by holding any."""
    return str(detail.get("type") or "") in _MARKUP_TYPES and ("<" in raw or "&" in raw)


def _instant(parsed: struct_time | None) -> datetime | None:
    """Return feedparser's broken-down UTC time; None: none, or no such day."""
    if parsed is None:
        return None
    try:
        return datetime.fromtimestamp(0, UTC) + timedelta(seconds=timegm(parsed))
    except (ValueError, OverflowError, TypeError):
        return None
