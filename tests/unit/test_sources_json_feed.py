"""JSON Feed: every row checked, whatever stands in it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import ParseError
from newsletter.model import Link, Listing, Page, Request, Response, SourceSettings
from newsletter.sources.feed import Feed
from newsletter.sources.json_feed import title_of

SEEN = datetime(2026, 5, 4, 12, tzinfo=UTC)
URL = "https://feed.example.org/feed.json"
FEED = Feed(SourceSettings(name="feed", kind="feed", url=URL))
VERSION = "https://jsonfeed.org/version/1.1"


def parsed(body: bytes) -> Page:
    return FEED.parse(
        Response(
            request=Request(source="feed", url=URL),
            status=200,
            headers={"content-type": "application/feed+json"},
            body=body,
            seen_at=SEEN,
            final_url=URL,
        )
    )


def page(*items: object, **feed: object) -> Page:
    whole = {"version": VERSION, "title": "T", "items": list(items), **feed}
    return parsed(json.dumps(whole).encode())


def one(item: object, **feed: object) -> Listing:
    found = page(item, **feed)
    assert found.rejected == ()
    (listing,) = found.listings
    return listing


def test_a_full_item_is_read_whole() -> None:
    listing = one(
        {
            "id": "1",
            "url": "/a?utm_source=json&id=1",
            "external_url": "https://other.example.org/b",
            "title": "Na\u00efve <b>and</b> bold",
            "content_html": "<p>One <b>two</b>.</p>",
            "image": "/pic.jpg",
            "date_published": "2026-05-04T06:00:00+02:00",
            "date_modified": "2026-05-04T09:00:00Z",
            "authors": [{"name": "Ann Lee"}, {"url": "x"}, "Bo"],
            "tags": ["x", 3, "y"],
            "language": "de",
            "attachments": [
                {"url": "/a.pdf", "mime_type": "application/pdf"},
                {"url": "/a.mp3", "mime_type": "audio/mpeg"},
                "none",
            ],
        },
        home_page_url="https://lab.example.org/",
    )
    assert listing == Listing(
        source="feed",
        guid="1",
        title="Na\u00efve and bold",
        url="https://lab.example.org/a?id=1",
        listed_at=datetime(2026, 5, 4, 4, tzinfo=UTC),
        summary="One two.",
        authors=("Ann Lee",),
        categories=("x", "y"),
        links=(
            Link(label="page", url="https://other.example.org/b"),
            Link(label="pdf", url="https://lab.example.org/a.pdf"),
        ),
        published_at=datetime(2026, 5, 4, 4, tzinfo=UTC),
        thumbnail="https://lab.example.org/pic.jpg",
        language="de",
    )


def test_version_1_0_has_one_author_for_all() -> None:
    assert one(
        {"id": 7, "content_text": "words"},
        version="https://jsonfeed.org/version/1",
        author={"name": "Bo"},
        language="en-GB",
    ) == Listing(
        source="feed",
        guid="7",
        title="words",
        url=None,
        listed_at=SEEN,
        authors=("Bo",),
        language="en-GB",
    )


@pytest.mark.parametrize(
    ("item", "url"),
    [
        ({"id": "https://e.example.org/1"}, "https://e.example.org/1"),
        ({"external_url": "https://e.example.org/2"}, "https://e.example.org/2"),
        ({"url": "javascript:alert(1)"}, None),
        ({"url": "http://[::1"}, None),
        ({"url": 7}, None),
        ({"id": True}, None),
        ({"id": 0.5}, None),
    ],
)
def test_an_address_is_http_or_none(item: dict[str, object], url: str | None) -> None:
    assert one({"title": "t", **item}).url == url


@pytest.mark.parametrize(
    ("said", "listed"),
    [
        ("2030-01-01T00:00:00Z", SEEN),
        ("2026-05-01", datetime(2026, 5, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00+10:00", SEEN),
        ("yesterday", SEEN),
        (12, SEEN),
        (None, SEEN),
    ],
)
def test_nothing_is_listed_after_it_was_seen(said: object, listed: datetime) -> None:
    assert one({"title": "t", "date_published": said}).listed_at == listed


def test_a_doi_is_a_name_and_a_strange_language_is_none() -> None:
    listing = one({"title": "t", "id": "https://doi.org/10.1000/x", "language": "b c"})
    assert listing.identifiers == ("https://doi.org/10.1000/x",)
    assert listing.language is None


def test_an_id_is_what_a_store_can_keep() -> None:
    assert one({"title": "t", "id": "a\ud800\x00b"}).guid == "a?b"


def test_a_row_that_cannot_be_used_costs_the_others_nothing() -> None:
    found = page("text", {"id": "1"}, {"title": "good"}, None)
    assert [listing.title for listing in found.listings] == ["good"]
    assert [(r.place, r.reason) for r in found.rejected] == [
        ("item 1", "it is no object"),
        ("item 2", "it has neither title nor text"),
        ("item 4", "it is no object"),
    ]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", r"no JSON \(line 1, column 2: .*\); expected a feed"),
        (b'{"a":' + b"[" * 100_000, "nested too deep to be read; expected a feed"),
        (b'{"a": "\xff"}', r"no JSON \(it is not UTF-8\); expected a feed"),
        (b"[]", "no JSON Feed"),
        (b'{"version": 1, "items": []}', "no JSON Feed"),
        (b'{"version": "1.0", "items": []}', "no JSON Feed"),
        (b'{"rss": {"channel": {}}}', "no JSON Feed"),
        (b'{"version": "https://jsonfeed.org/version/1"}', "no list of `items`"),
    ],
)
def test_other_json_is_said_to_be_no_feed(body: bytes, says: str) -> None:
    with pytest.raises(ParseError, match=says):
        parsed(body)


def test_the_bare_number_of_a_version_will_do_for_what_names_its_page() -> None:
    body = {"version": "1.1", "home_page_url": "https://example.org/", "items": []}
    assert parsed(json.dumps(body).encode()).listings == ()


def test_a_byte_order_mark_is_no_hindrance() -> None:
    body = json.dumps({"version": VERSION, "title": " A <b>b</b>", "items": []})
    assert parsed(b"\xef\xbb\xbf" + body.encode()).listings == ()
    assert title_of(body.encode()) == "A b"


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
names = st.sampled_from(
    "id url external_url title content_html content_text summary image banner_image"
    " date_published date_modified author authors tags language attachments".split()
)


@given(st.lists(st.dictionaries(names, anything) | anything, max_size=4))
def test_whatever_stands_in_a_row_it_is_read_or_rejected(items: list[object]) -> None:
    found = page(*items)
    assert len(found.listings) + len(found.rejected) == len(items)


def test_captured_feeds_are_read_whole(shared: Path) -> None:
    for file in sorted((shared / "wire" / "feeds_json_feed").glob("*.json")):
        document = json.loads(file.read_bytes())
        found = parsed(file.read_bytes())
        assert found.rejected == (), file.name
        assert len(found.listings) == len(document["items"]) > 0
        for listing in found.listings:
            assert listing.title
            assert listing.url
            assert "<p>" not in listing.summary
            assert listing.listed_at < SEEN
