"""What any database keeps and any mail shows, whatever a document said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from yarl import URL

from newsletter.model import Link, Listing, Page, Request, Response, SourceSettings
from newsletter.sources import make_source
from newsletter.sources.limits import (
    MOST_AUTHORS,
    MOST_GUID,
    MOST_LINKS,
    MOST_LISTINGS,
    MOST_NAME,
    MOST_SUMMARY,
    MOST_TITLE,
    MOST_URL,
    MOST_VOTES,
    within,
)

SEEN_AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
URL_OF = "https://feed.example.org/a/feed.xml"
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def answer_of(body: bytes, **headers: str) -> Response:
    """Return an answer with *body*; names of headers with _ for -."""
    return Response(
        request=Request(source="s", url=URL_OF, day=SEEN_AT.date()),
        status=200,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=body,
        seen_at=SEEN_AT,
        final_url=URL_OF,
    )


def read(kind: str, body: bytes, **headers: str) -> Page:
    """Return what a source of *kind* makes of *body*, as the fetcher gives it."""
    source = make_source(SourceSettings(name="s", kind=kind, url=URL_OF))
    return within(source.parse(answer_of(body, **headers)))


def check(page: Page) -> None:
    """Look whether all of *page* can be stored and shown."""
    assert len(page.listings) <= MOST_LISTINGS
    for listing in page.listings:
        check_listing(listing)
    for row in page.rejected:
        assert row.reason
        assert not _UNFIT.search(row.place + row.reason)
        assert len(row.reason) <= MOST_TITLE


def check_listing(listing: Listing) -> None:
    for text in _texts(listing):
        assert not _UNFIT.search(text), ascii(text)
        text.encode()
    assert listing.title.strip()
    assert len(listing.title) <= MOST_TITLE
    assert len(listing.summary) <= MOST_SUMMARY
    assert len(listing.authors) <= MOST_AUTHORS
    assert len(listing.links) <= MOST_LINKS
    assert all(len(name) <= MOST_NAME for name in listing.authors)
    assert all(len(name) <= MOST_NAME for name in listing.categories)
    assert len((listing.guid or "").encode()) <= MOST_GUID
    for instant in (listing.listed_at, listing.published_at):
        assert instant is None or instant.utcoffset() == timedelta(0)
    for url in (listing.url, listing.thumbnail, *(link.url for link in listing.links)):
        if url is not None:
            check_url(url)
    assert listing.votes is None or 0 <= listing.votes <= MOST_VOTES


def check_url(url: str) -> None:
    assert URL(url).scheme in {"http", "https"}, ascii(url)
    assert url.startswith(("http://", "https://"))
    assert len(url) <= MOST_URL
    assert url.isascii()
    assert not set(url) & set('"<> \\')


def _texts(listing: Listing) -> Iterator[str]:
    yield from (listing.title, listing.summary, listing.guid or "", listing.tldr or "")
    yield from (listing.language or "", listing.url or "", listing.thumbnail or "")
    yield from (*listing.authors, *listing.categories, *listing.identifiers)
    links: tuple[Link, ...] = listing.links
    for link in links:
        yield from (link.label, link.url)
