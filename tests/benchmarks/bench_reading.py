"""Reading a feed: from bytes to a page of clean listings, beside bare feedparser."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from html import escape
from io import BytesIO
from pathlib import Path

import feedparser

from newsletter.errors import ParseError
from newsletter.model import Request, Response, SourceSettings
from newsletter.sources.feed import Feed
from newsletter.sources.lenient import read_leniently
from newsletter.sources.strict import read_strictly
from newsletter.sources.syndication import items_of
from tests.benchmarks.harness import Bench

FEED = Feed(SourceSettings(name="f", kind="feed", url="https://example.org/feed"))
ITEMS = 15
PARAGRAPH = (
    '<p>We measured it on <a href="https://example.org/{0}?utm_source=rss">two machines'
    "</a> for a week, and found that <em>most</em> of the time went where nobody had"
    " looked: it wasn&#8217;t the network &amp; it wasn&#8217;t the disk.</p>\n"
    '<p><img src="https://example.org/{0}.png" width="600" alt="a curve" /> The curve'
    " shows what happened after the change -- half of it, at most.</p>\n"
)


def item(number: int) -> str:
    """Return an item of 3.4 KB, as a weblog writes it."""
    body = "".join(PARAGRAPH.format(number * 10 + n) for n in range(6))
    return (
        f"<item><title>Where the time went, part {number}</title>"
        f"<link>https://example.org/posts/{number}?utm_source=rss&amp;utm_medium=feed"
        f'</link><guid isPermaLink="false">https://example.org/?p={number}</guid>'
        "<pubDate>Mon, 04 May 2026 06:00:00 +0000</pubDate>"
        "<dc:creator><![CDATA[Ann Lee]]></dc:creator><category>speed</category>"
        "<category>measuring</category>"
        f"<description>{escape(PARAGRAPH.format(number))}</description>"
        f"<content:encoded><![CDATA[{body}]]></content:encoded></item>"
    )


def weblog(items: int = ITEMS) -> bytes:
    """Return a feed of 50 KB."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Time</title>'
        f"<link>https://example.org/</link>{''.join(map(item, range(items)))}"
        "</channel></rss>"
    ).encode()


def response(body: bytes) -> Response:
    """Return an answer that holds *body*."""
    return Response(
        request=Request(source="f", url="https://example.org/feed"),
        status=200,
        headers={"content-type": "application/rss+xml; charset=utf-8"},
        body=body,
        seen_at=datetime(2026, 5, 5, tzinfo=UTC),
        final_url="https://example.org/feed",
    )


def ways(body: bytes) -> dict[str, Callable[[], object]]:
    """Return the ways of reading one document, feedparser's first."""
    answer = response(body)
    document = read_strictly(body)
    return {
        "feedparser alone, as it comes": lambda: feedparser.parse(BytesIO(body)),
        "feedparser alone, no cleaning": lambda: feedparser.parse(
            BytesIO(body), sanitize_html=False, resolve_relative_uris=False
        ),
        "ours, bytes to clean listings": lambda: FEED.parse(answer),
        "  of it, bytes to raw fields": lambda: read_strictly(body),
        "  of it, raw fields to listings": lambda: [
            item.listing() for item in items_of(FEED.settings, answer, document)
        ],
        "lenient, bytes to raw fields": lambda: read_leniently(body),
    }


def test_a_weblog(bench: Bench) -> None:
    body = weblog()
    assert len(FEED.parse(response(body)).listings) == ITEMS
    bench(f"a weblog of {ITEMS} items, {len(body) / 1000:.0f} KB", ways(body))


def test_many_captured_feeds(bench: Bench, shared: Path) -> None:
    bodies = []
    for folder in ("feeds_atom", "feeds_rss", "feeds_rss10_rdf", "feeds_podcast"):
        for file in sorted((shared / "wire" / folder).iterdir())[::4]:
            with suppress(ParseError):
                body = file.read_bytes()
                FEED.parse(response(body))
                bodies.append(body)
    size = sum(map(len, bodies)) / 1000
    answers = [response(body) for body in bodies]
    bench(
        f"{len(bodies)} captured feeds, {size:.0f} KB; some for the lenient reader",
        {
            "feedparser alone, no cleaning": lambda: [
                feedparser.parse(
                    BytesIO(body), sanitize_html=False, resolve_relative_uris=False
                )
                for body in bodies
            ],
            "ours, bytes to clean listings": lambda: [
                FEED.parse(answer) for answer in answers
            ],
        },
    )
