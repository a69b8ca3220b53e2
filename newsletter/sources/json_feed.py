"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/), every row checked.

    {"version": "https://jsonfeed.org/version/1.1", "items": [
      {"id": "1", "url": …, "title": …, "content_html": …,
       "date_published": "2026-05-04T06:00:00Z", "authors": [{"name": …}]}]}

``next_url`` is not followed: what it leads to is older than what we poll for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from yarl import URL

from newsletter.errors import ParseError
from newsletter.identity import canonical_url, doi_of
from newsletter.model import (
    Link,
    Listing,
    Page,
    Rejected,
    Response,
    SourceSettings,
)
from newsletter.sources.rows import instant_of, json_of, string_of
from newsletter.sources.syndication import (
    SUMMARY_CHARS,
    TITLE_CHARS,
    guid_of,
    language_tag,
)
from newsletter.text import clean_names, clean_text, first_sentences

_VERSION = "jsonfeed.org/version/1"
_BARE_VERSIONS = frozenset({"1", "1.0", "1.1"})
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def is_json(body: bytes) -> bool:
    """Tell whether a document is JSON rather than XML, by its first sign."""
    return body.removeprefix(_BYTE_ORDER_MARK).lstrip()[:1] in {b"{", b"["}


def parse_json_feed(settings: SourceSettings, response: Response) -> Page:
    """Return what a JSON Feed says.

    Raises:
        ParseError: It is JSON of another kind, or none at all.
    """
    feed = _feed(response.body)
    reader = _Reader(settings.name, response, feed)
    listings: list[Listing] = []
    rejected: list[Rejected] = []
    for number, item in enumerate(feed["items"], 1):
        try:
            listings.append(reader.listing(item))
        except ParseError as error:
            rejected.append(Rejected(place=f"item {number}", reason=str(error)))
    return Page(listings=tuple(listings), rejected=tuple(rejected))


def title_of(body: bytes) -> str:
    """Return a feed's own title; empty: it has none.

    Raises:
        ParseError: It is JSON of another kind, or none at all.
    """
    return clean_text(string_of(_feed(body), "title"))


def is_json_feed(document: object) -> bool:
    """Tell whether a JSON document says that it is a JSON Feed."""
    return isinstance(document, Mapping) and _is_feed(document)


def _feed(body: bytes) -> Mapping[str, Any]:
    feed = json_of(body, expected="a feed")
    if not is_json_feed(feed):
        raise ParseError(
            "this is JSON and no JSON Feed (it has no `version` of jsonfeed.org)"
        )
    if not isinstance(feed.get("items"), list):
        raise ParseError("this JSON Feed has no list of `items`")
    found: Mapping[str, Any] = feed
    return found


def _is_feed(feed: Mapping[str, Any]) -> bool:
    """Tell whether it says so; some write the bare number of the version."""
    version = string_of(feed, "version")
    is_bare = version in _BARE_VERSIONS and (
        "home_page_url" in feed or "feed_url" in feed
    )
    return is_bare or _VERSION in version


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the items of one feed."""

    source: str
    response: Response
    feed: Mapping[str, Any]

    def listing(self, item: object) -> Listing:
        """Return one item as a listing.

        Raises:
            ParseError: It is no object, or has neither title nor text.
        """
        if not isinstance(item, Mapping):
            raise ParseError("it is no object")
        summary = _summary(item)
        title = clean_text(string_of(item, "title"))
        title = title or first_sentences(summary, TITLE_CHARS)
        if not title:
            raise ParseError("it has neither title nor text")
        guid = _guid(item)
        url = self._absolute(string_of(item, "url")) or self._absolute(
            string_of(item, "external_url")
        )
        if url is None and guid is not None and guid.startswith("http"):
            url = self._absolute(guid)
        published, listed = self._dates(item)
        return Listing(
            source=self.source,
            guid=guid,
            title=title,
            url=url,
            listed_at=listed,
            summary="" if summary == title else summary,
            authors=self._authors(item),
            categories=clean_names([t for t in _list(item, "tags") if _is_text(t)]),
            links=tuple(self._links(item, url)),
            identifiers=(guid,) if guid and doi_of(guid) else (),
            published_at=published,
            thumbnail=self._absolute(string_of(item, "image"))
            or self._absolute(string_of(item, "banner_image")),
            language=language_tag(
                string_of(item, "language") or string_of(self.feed, "language")
            ),
        )

    def _absolute(self, raw: str) -> str | None:
        """Return an address as http(s), relative ones joined; None: it is none."""
        base = string_of(self.feed, "home_page_url") or self.response.final_url or ""
        if not raw.strip():
            return None
        try:
            joined = URL(base).join(URL(raw.strip())) if base else URL(raw.strip())
        except (ValueError, TypeError):
            return None
        return canonical_url(str(joined))

    def _dates(self, item: Mapping[str, Any]) -> tuple[datetime | None, datetime]:
        """Return when it was published, and when it counts as listed."""
        seen_at = self.response.seen_at
        said = instant_of(item.get("date_published")) or instant_of(
            item.get("date_modified")
        )
        return said, min(said or seen_at, seen_at)

    def _authors(self, item: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the item's authors, else the feed's (1.0: `author`, one)."""
        for place in (item, self.feed):
            rows = [*_list(place, "authors"), place.get("author")]
            names = [string_of(row, "name") for row in rows if isinstance(row, Mapping)]
            if found := clean_names(names):
                return found
        return ()

    def _links(self, item: Mapping[str, Any], url: str | None) -> Iterator[Link]:
        """Yield what else there is: the page that it is about, PDFs."""
        seen = {url}
        about = self._absolute(string_of(item, "external_url"))
        if about is not None and about not in seen:
            seen.add(about)
            yield Link(label="page", url=about)
        for row in _list(item, "attachments"):
            if isinstance(row, Mapping) and row.get("mime_type") == "application/pdf":
                found = self._absolute(string_of(row, "url"))
                if found is not None and found not in seen:
                    seen.add(found)
                    yield Link(label="pdf", url=found)


def _summary(item: Mapping[str, Any]) -> str:
    """Return the summary; where there is none, the content."""
    for name, markup in (
        ("summary", False),
        ("content_html", True),
        ("content_text", False),
    ):
        raw = string_of(item, name)[:SUMMARY_CHARS]
        if text := clean_text(raw, markup=markup):
            return text
    return ""


def _guid(item: Mapping[str, Any]) -> str | None:
    """Return its id as text: some are numbers, against the letter of 1.1."""
    value = item.get("id")
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return guid_of(str(value))


def _list(row: Mapping[str, Any], name: str) -> list[Any]:
    value = row.get(name)
    return value if isinstance(value, list) else []


def _is_text(value: object) -> bool:
    return isinstance(value, str)
