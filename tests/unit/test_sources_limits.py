from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from newsletter.model import Link, Listing, Page, Rejected, Rhythm
from newsletter.sources import limits
from newsletter.sources.limits import within
from newsletter.sources.wording import presentable, without_credentials
from tests.support.storable import check

LISTED = datetime(2026, 5, 4, 12, tzinfo=UTC)
PLAIN = Listing(
    source="s",
    guid="urn:x:1",
    title="A title: naïve",
    url="https://example.org/a?b=1#c",
    listed_at=LISTED,
    summary="Text.",
    authors=("Ann Lee",),
    categories=("cs.LG",),
    links=(Link(label="pdf", url="https://example.org/a.pdf"),),
    identifiers=("10.1234/abc",),
    published_at=LISTED,
    votes=0,
    tldr="Short.",
    thumbnail="https://example.org/a.png",
    language="en",
)


def kept(listing: Listing) -> Listing:
    page = within(Page(listings=(listing,)))
    check(page)
    (found,) = page.listings
    return found


def test_what_is_within_the_limits_stays_as_it_is() -> None:
    page = Page(
        listings=(PLAIN, replace(PLAIN, guid=None, url=None, votes=None, tldr=None)),
        rejected=(Rejected(place="item 3", reason="it has no title"),),
        rhythm=Rhythm(at_least=timedelta(hours=1)),
    )
    assert within(page) == page


def test_texts_of_any_length_are_cut() -> None:
    found = kept(
        replace(
            PLAIN,
            title="word " * 1_000,
            summary="word " * 10_000,
            authors=("a" * 1_000,) * 6_000,
            categories=tuple(map(str, range(300))),
            links=PLAIN.links * 100,
            identifiers=("x" * 3_000, "10.1234/abc"),
            tldr="word " * 10_000,
            language="en" * 40,
        )
    )
    assert len(found.title) <= limits.MOST_TITLE
    assert len(found.authors) == limits.MOST_AUTHORS
    assert len(found.categories) == limits.MOST_CATEGORIES
    assert len(found.links) == limits.MOST_LINKS
    assert found.identifiers == ("10.1234/abc",)
    assert found.language is None


def test_a_long_guid_is_known_by_its_hash_and_stays_apart_from_others() -> None:
    first, again, other = (
        kept(replace(PLAIN, guid="é" * 400 + end)).guid for end in ("a", "a", "b")
    )
    assert first == again != other
    assert str(first).startswith("sha256:")
    assert kept(replace(PLAIN, guid="\x00")).guid is None


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://example.org/\x00",
        "https://example.org/" + "a" * 2_000,
        "",
    ],
)
def test_what_is_no_address_is_left_out(url: str) -> None:
    found = kept(
        replace(PLAIN, url=url, thumbnail=url, links=(Link(label="x", url=url),))
    )
    assert (found.url, found.thumbnail, found.links) == (None, None, ())


def test_an_address_beyond_ascii_is_written_in_it() -> None:
    found = kept(replace(PLAIN, url="https://bücher.example.org/ä b"))
    assert found.url == "https://xn--bcher-kva.example.org/%C3%A4%20b"


def test_what_no_database_takes_is_cleaned() -> None:
    unfit = "a\x00b\ud800\x1b[0m"
    found = kept(
        replace(
            PLAIN,
            title=unfit,
            summary=unfit,
            authors=(unfit, "\x00"),
            links=(Link(label=unfit, url="https://example.org/"),),
            tldr=unfit,
        )
    )
    assert found.title == found.summary == "ab[0m"
    assert found.authors == ("ab[0m",)


def test_an_entry_without_a_title_is_rejected() -> None:
    page = within(Page(listings=(replace(PLAIN, title="\x00"), PLAIN)))
    assert page.listings == (PLAIN,)
    assert page.rejected[0].reason == "it has no title that can be shown"


@pytest.mark.parametrize(("votes", "counted"), [(-5, 0), (7, 7), (10**40, 10**9)])
def test_votes_are_what_a_database_can_count(votes: int, counted: int) -> None:
    assert kept(replace(PLAIN, votes=votes)).votes == counted


@pytest.mark.parametrize(
    ("given", "instant"),
    [
        (datetime(2026, 5, 4, 12), LISTED),
        (datetime(2026, 5, 4, 14, tzinfo=timezone(timedelta(hours=2))), LISTED),
        (
            datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
            datetime(1, 1, 1, tzinfo=UTC),
        ),
    ],
)
def test_instants_are_of_utc(given: datetime, instant: datetime) -> None:
    found = kept(replace(PLAIN, listed_at=given, published_at=given))
    assert (found.listed_at, found.published_at) == (instant, instant)


def test_rows_beyond_the_limit_are_counted() -> None:
    page = within(
        Page(
            listings=(PLAIN,) * (limits.MOST_LISTINGS + 3),
            rejected=(Rejected(place="x" * 999, reason="no\x1b"),)
            * (limits.MOST_REJECTED + 1),
        )
    )
    check(page)
    assert [row.reason for row in page.rejected[-2:]] == [
        "it and 0 more: over the limit of 1000",
        "it and 2 more: over the limit of 20000",
    ]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://user:secret@example.org/a", "http://example.org/a"),
        ("http://secret@example.org", "http://example.org"),
        ("http://a@b:secret@example.org/", "http://example.org/"),
        ("user:secret@example.org/a", "user:example.org/a"),
        ("//user:secret@example.org/", "//example.org/"),
        ("http:/\\user:secret@example.org/", "http:/\\example.org/"),
        (
            "https://medium.example.org/@ada?x=a@b",
            "https://medium.example.org/@ada?x=a@b",
        ),
        ("no address", "no address"),
    ],
)
def test_an_address_is_shown_without_its_secret(url: str, shown: str) -> None:
    assert without_credentials(url) == shown


def test_a_sentence_is_made_fit_to_be_shown() -> None:
    said = "http://me:secret@example.org/ answers\n\x1b[31m500\x00 " + "x " * 999
    shown = presentable(said)
    assert shown.startswith("http://example.org/ answers [31m500 x")
    assert shown.isprintable()
    assert len(shown) <= 500
