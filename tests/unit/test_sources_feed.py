from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.errors import ConfigError, ParseError
from newsletter.model import (
    Link,
    Listing,
    Page,
    Request,
    Response,
    SourceSettings,
    SourceState,
    Validator,
)
from newsletter.sources import make_source
from newsletter.sources.feed import Feed

SEEN = datetime(2026, 5, 4, 12, tzinfo=UTC)
URL = "https://feed.example.org/feeds/a.xml"
FEED = Feed(SourceSettings(name="feed", kind="feed", url=URL))


def parsed(body: str | bytes, **headers: str) -> Page:
    content = body.encode() if isinstance(body, str) else body
    return FEED.parse(
        Response(
            request=Request(source="feed", url=URL),
            status=200,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            body=content,
            seen_at=SEEN,
            final_url=URL,
        )
    )


def rss(items: str, head: str = "") -> str:
    return (
        '<?xml version="1.0"?><rss version="2.0" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:media="http://search.yahoo.com/mrss/">'
        f"<channel><title>T</title>{head}{items}</channel></rss>"
    )


def one(items: str, head: str = "") -> Listing:
    page = parsed(rss(items, head))
    assert page.rejected == ()
    (listing,) = page.listings
    return listing


def test_a_full_item_is_read_whole() -> None:
    listing = one(
        "<item><title>Na&amp;iuml;ve $\\ell_0$</title>"
        "<link>https://example.org/a?utm_source=rss&amp;id=1#top</link>"
        "<guid>g1</guid><pubDate>Mon, 04 May 2026 06:00:00 GMT</pubDate>"
        "<description>&lt;p&gt;One &lt;b&gt;two&lt;/b&gt;.&lt;/p&gt;</description>"
        "<dc:creator>Ann Lee, Bo Chen and C. Diaz</dc:creator>"
        "<category>x</category><category>y</category>"
        "<comments>https://example.org/a/talk</comments>"
        '<media:thumbnail url="/pic.jpg"/></item>',
        "<link>https://example.org/</link><language>en-GB</language>",
    )
    assert listing == Listing(
        source="feed",
        guid="g1",
        title="Naïve ℓ₀",
        url="https://example.org/a?id=1#top",
        listed_at=datetime(2026, 5, 4, 6, tzinfo=UTC),
        summary="One two.",
        authors=("Ann Lee", "Bo Chen", "C. Diaz"),
        categories=("x", "y"),
        links=(Link(label="discussion", url="https://example.org/a/talk"),),
        published_at=datetime(2026, 5, 4, 6, tzinfo=UTC),
        thumbnail="https://example.org/pic.jpg",
        language="en-GB",
    )


def test_an_atom_entry_is_read_whole() -> None:
    page = parsed(
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de" '
        'xml:base="https://example.org/">'
        '<link href="https://example.org/"/>'
        "<entry><id>tag:example.org,2026:1</id><title>T &lt;think&gt;</title>"
        '<link rel="alternate" href="/one"/>'
        '<link rel="related" type="application/pdf" href="/one.pdf"/>'
        '<link rel="replies" href="/one/replies"/>'
        "<updated>2026-05-03T10:00:00Z</updated>"
        "<author><name>Ann Lee</name></author><author><name>Bo</name></author>"
        '<content type="html">&lt;p&gt;Body&lt;/p&gt;</content></entry></feed>'
    )
    (listing,) = page.listings
    assert listing.title == "T <think>"
    assert listing.url == "https://example.org/one"
    assert listing.summary == "Body"
    assert listing.authors == ("Ann Lee", "Bo")
    assert listing.listed_at == datetime(2026, 5, 3, 10, tzinfo=UTC)
    assert listing.language == "de"
    assert [(link.label, link.url) for link in listing.links] == [
        ("pdf", "https://example.org/one.pdf"),
        ("discussion", "https://example.org/one/replies"),
    ]


def test_an_item_without_a_date_is_listed_when_it_is_first_seen() -> None:
    assert one("<item><title>a</title></item>").listed_at == SEEN


def test_a_date_in_the_future_counts_from_the_first_sighting() -> None:
    item = one(
        "<item><title>a</title><pubDate>Mon, 04 May 2099 06:00 GMT</pubDate></item>"
    )
    assert item.listed_at == SEEN
    assert item.published_at is not None
    assert item.published_at > SEEN + timedelta(days=1000)


def test_an_item_without_a_title_is_called_by_its_text() -> None:
    item = one(f"<item><description>{'word ' * 60}</description></item>")
    assert item.title.startswith("word word")
    assert item.title.endswith("…")
    assert len(item.title) <= 80


def test_an_item_that_says_nothing_is_rejected_and_the_rest_goes_on() -> None:
    page = parsed(rss("<item><guid>x</guid></item><item><title>b</title></item>"))
    assert [listing.title for listing in page.listings] == ["b"]
    assert [(r.place, r.reason) for r in page.rejected] == [
        ("item 1", "it has neither title nor text")
    ]


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("javascript:alert(1)", None),
        ("../b", "https://feed.example.org/b"),
        ("//other.example.org/x", "https://other.example.org/x"),
        ("mailto:a@example.org", None),
        ("http://[broken", None),
        ("", None),
    ],
)
def test_only_web_addresses_become_links(link: str, url: str | None) -> None:
    assert one(f"<item><title>a</title><link>{link}</link></item>").url == url


def test_a_guid_that_is_an_address_stands_in_for_the_link() -> None:
    item = "<item><title>a</title><guid>https://example.org/p</guid></item>"
    assert one(item).url == "https://example.org/p"


def test_feedburners_address_gives_way_to_the_sites_own() -> None:
    head = '<rss version="2.0" xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0">'
    for own, url in (
        ("https://e.example.org/a?utm_source=x", "https://e.example.org/a"),
        ("javascript:alert(1)", "https://feeds.example.com/~r/1/a"),
        ("", "https://feeds.example.com/~r/1/a"),
    ):
        (item,) = parsed(
            f"{head}<channel><title>T</title><item><title>a</title>"
            "<link>https://feeds.example.com/~r/1/a</link>"
            f"<feedburner:origLink>{own}</feedburner:origLink></item></channel></rss>"
        ).listings
        assert item.url == url


def test_a_doi_is_an_identifier() -> None:
    item = "<item><title>a</title><dc:identifier>doi:10.1000/x</dc:identifier></item>"
    assert one(item).identifiers == ("doi:10.1000/x",)
    assert one("<item><title>a</title><guid>10.1000/y</guid></item>").identifiers == (
        "10.1000/y",
    )


def test_a_picture_may_be_an_enclosure() -> None:
    item = one(
        '<item><title>a</title><enclosure type="audio/mpeg" url="https://e.example.org/a"/>'
        '<enclosure type="image/png" url="https://e.example.org/b.png"/></item>'
    )
    assert item.thumbnail == "https://e.example.org/b.png"


def test_a_wild_language_is_none() -> None:
    assert (
        one("<item><title>a</title></item>", "<language>!!</language>").language is None
    )


def test_an_empty_feed_is_fine() -> None:
    assert parsed(rss("")) == Page()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ("<!DOCTYPE html><html><body>Log in</body></html>", "HTML page"),
        ("<!-- x --><html>", "HTML page"),
        ('{"items": []}', "JSON"),
        ("[]", "JSON"),
        ("words", "neither RSS nor Atom"),
        ("<xml><unknown/></xml>", "neither RSS nor Atom"),
        ("/etc/passwd", "neither RSS nor Atom"),
    ],
)
def test_what_is_no_feed_is_said_to_be_what_it_is(body: str, said: str) -> None:
    with pytest.raises(ParseError, match=said):
        parsed(body)


def test_undeclared_utf8_is_not_taken_for_latin_1() -> None:
    page = parsed(
        "<rss version='2.0'><channel><item><title>é日本</title></item></channel></rss>"
    )
    assert page.listings[0].title == "é日本"


def test_declared_encodings_hold() -> None:
    body = rss("<item><title>Привет</title></item>").replace(
        '<?xml version="1.0"?>', '<?xml version="1.0" encoding="windows-1251"?>'
    )
    assert parsed(body.encode("windows-1251")).listings[0].title == "Привет"
    plain = rss("<item><title>café</title></item>").encode("latin-1")
    assert parsed(plain, content_type="text/xml; charset=iso-8859-1").listings[
        0
    ].title == ("café")


def test_a_blank_line_before_the_declaration_is_no_fault() -> None:
    assert parsed("\n \n" + rss("<item><title>a</title></item>")).listings


def test_a_feed_is_asked_for_with_what_its_server_gave() -> None:
    validator = Validator(etag=b'"x"')
    state = SourceState(name="feed", validators={URL: validator})
    assert FEED.requests(state, SEEN) == (
        Request(source="feed", url=URL, validator=validator),
    )
    file = Feed(SourceSettings(name="f", kind="feed", path="/tmp/x.xml"))  # noqa: S108 - never opened
    assert file.requests(state, SEEN) == (Request(source="f", path="/tmp/x.xml"),)  # noqa: S108 - as above


def test_a_kind_is_found_by_its_name() -> None:
    assert isinstance(make_source(FEED.settings), Feed)
    with pytest.raises(ConfigError, match="expected one of arxiv, feed, files, hugg"):
        make_source(SourceSettings(name="x", kind="carrier-pigeon"))
