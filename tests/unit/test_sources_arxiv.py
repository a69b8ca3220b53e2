"""arXiv as it announces, and as its query API answers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.errors import ParseError
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

SEEN = datetime(2026, 5, 4, 12, tzinfo=UTC)
URL = "https://rss.arxiv.org/rss/cs.LG+cs.CL"
ARXIV = make_source(SourceSettings(name="arxiv", kind="arxiv", url=URL))


def parsed(body: bytes) -> Page:
    return ARXIV.parse(
        Response(
            request=Request(source="arxiv", url=URL),
            status=200,
            headers={"content-type": "application/rss+xml"},
            body=body,
            seen_at=SEEN,
            final_url=URL,
        )
    )


def item(
    number: str = "2605.00001v1",
    *,
    kind: str = "new",
    title: str = "A title",
    abstract: str = "We study.",
    creator: str = "Ann Lee",
    more: str = "<category>cs.LG</category>",
) -> str:
    return (
        f"<item><title>{title}</title><link>https://arxiv.org/abs/{number[:10]}</link>"
        f"<description>arXiv:{number} Announce Type: {kind} \nAbstract: {abstract}"
        f'</description><guid isPermaLink="false">oai:arXiv.org:{number}</guid>{more}'
        f"<pubDate>Mon, 04 May 2026 00:00:00 -0400</pubDate>"
        f"<arxiv:announce_type>{kind}</arxiv:announce_type>"
        f"<dc:creator>{creator}</dc:creator></item>"
    )


def rss(*items: str, title: str = "cs.LG updates on arXiv.org") -> bytes:
    return (
        '<rss version="2.0" xmlns:arxiv="http://arxiv.org/schemas/atom"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
        f"<title>{title}</title><description>what arXiv says</description>"
        f"<link>http://rss.arxiv.org/rss/cs.LG</link>{''.join(items)}</channel></rss>"
    ).encode()


def one(body: bytes) -> Listing:
    found = parsed(body)
    assert found.rejected == ()
    (listing,) = found.listings
    return listing


def test_an_announcement_is_read_whole() -> None:
    said = item(
        title='T$^2$PO: a na\\"ive method',
        abstract="For $a &lt; b$ and 28.82\\% of it,\nwe &lt;think&gt; so.",
        creator='Ann Lee (MIT, USA), J\\"org M\\"uller, Bo Chen',
        more="<category>cs.LG</category><category>stat.ML</category>"
        "<arxiv:DOI>10.1000/XYZ.1</arxiv:DOI>",
    )
    assert one(rss(said)) == Listing(
        source="arxiv",
        guid="2605.00001",
        title="T\u00b2PO: a na\u00efve method",
        url="https://arxiv.org/abs/2605.00001",
        listed_at=datetime(2026, 5, 4, 4, tzinfo=UTC),
        summary="For a < b and 28.82% of it, we <think> so.",
        authors=("Ann Lee", "J\u00f6rg M\u00fcller", "Bo Chen"),
        categories=("cs.LG", "stat.ML"),
        links=(Link(label="pdf", url="https://arxiv.org/pdf/2605.00001"),),
        identifiers=("2605.00001", "10.1000/XYZ.1"),
    )


def test_replacements_are_not_new_and_cross_lists_are() -> None:
    kinds = ("new", "cross", "replace", "replace-cross", "absonly")
    items = [item(f"2605.0000{n}v2", kind=kind) for n, kind in enumerate(kinds)]
    found = parsed(rss(*items))
    assert [p.guid for p in found.listings] == ["2605.00000", "2605.00001"]
    assert found.rejected == ()


def test_a_type_that_only_the_text_tells_counts_too() -> None:
    told = item(kind="replace").replace(
        "<arxiv:announce_type>replace</arxiv:announce_type>", ""
    )
    assert parsed(rss(told)).listings == ()


def test_a_feed_of_another_site_is_a_failure_that_says_so() -> None:
    other = item().replace("arXiv", "x").replace("arxiv.org/abs", "e.example.org/a")
    with pytest.raises(ParseError, match=r"none of 1 items is a paper .* is .feed."):
        parsed(rss(other))


def test_a_paper_that_stands_once_per_category_is_one_listing() -> None:
    first = item(more="<category>cs.LG</category>")
    again = item(
        kind="cross", more="<category>cs.LG</category><category>cs.CL</category>"
    )
    listing = one(rss(first, again))
    assert listing.categories == ("cs.LG", "cs.CL")


def test_a_weekend_is_empty_and_no_failure() -> None:
    assert parsed(rss()) == Page()


def test_an_item_that_is_no_paper_is_rejected_alone() -> None:
    nameless = (
        item()
        .replace("oai:arXiv.org:2605.00001v1", "x")
        .replace("arxiv.org/abs/2605.00001", "example.org/")
    )
    found = parsed(rss(item(title=""), nameless, item("2605.00009v1")))
    assert [p.guid for p in found.listings] == ["2605.00009"]
    assert [(r.place, r.reason) for r in found.rejected] == [
        ("item 1", "it has no title"),
        ("item 2", "it has no id of arXiv"),
    ]


def test_what_has_no_date_was_listed_when_it_was_seen() -> None:
    dateless = item().replace("<pubDate>Mon, 04 May 2026 00:00:00 -0400</pubDate>", "")
    listing = one(rss(dateless))
    assert (listing.published_at, listing.listed_at) == (None, SEEN)


@pytest.mark.parametrize(
    ("creator", "authors"),
    [
        (
            "STAR Collaboration: A. Lee, B. Chen",
            ("STAR Collaboration", "A. Lee", "B. Chen"),
        ),
        ("&lt;a href=&quot;x&quot;&gt;Ann Lee&lt;/a&gt; (MIT)", ("Ann Lee",)),
        ("", ()),
        ("Ann Lee (1), Bo Chen (1 and 2)", ("Ann Lee", "Bo Chen")),
        ("Ann Lee (X (Paris), Y), Bo Chen", ("Ann Lee", "Bo Chen")),
        ("Aristotle, Plato and Wei (Will) Li", ("Aristotle", "Plato", "Wei (Will) Li")),
        ("Sammy Davis, Jr., Ann Lee", ("Sammy Davis, Jr.", "Ann Lee")),
        ("Aurora Ram\u00c3\u00adrez, Bo", ("Aurora Ram\u00edrez", "Bo")),
    ],
)
def test_one_creator_string_holds_all_authors(
    creator: str, authors: tuple[str, ...]
) -> None:
    assert one(rss(item(creator=creator))).authors == authors


def test_438_authors_are_438() -> None:
    names = ", ".join(f"Ann B. Name{chr(97 + n % 26)}{n}" for n in range(438))
    assert len(one(rss(item(creator=names))).authors) == 438


def test_a_feed_that_says_it_is_an_error_is_one() -> None:
    with pytest.raises(ParseError, match="arXiv says: what arXiv says; look at"):
        parsed(rss(title="Feed error for query: cs.XX"))


def test_one_document_is_asked_for_with_what_the_server_gave() -> None:
    state = SourceState(name="arxiv", validators={URL: Validator(etag=b"x")})
    (request,) = ARXIV.requests(state, SEEN)
    assert (request.url, request.validator.etag) == (URL, b"x")


# --- as they really are -------------------------------------------------------------


def captured(shared: Path, folder: str) -> dict[str, Page | str]:
    found: dict[str, Page | str] = {}
    for file in sorted((shared / "wire" / folder).glob("*.xml")):
        try:
            found[file.stem] = parsed(file.read_bytes())
        except ParseError as error:
            found[file.stem] = str(error)
    return found


def test_captured_announcements_are_listings_as_they_should_be(shared: Path) -> None:
    found = captured(shared, "arxiv_rss")
    counts = {
        name: len(page.listings) if isinstance(page, Page) else page
        for name, page in found.items()
    }
    assert counts == {
        "arxiv_rss10_rdf_hep-ex_2018-05-24_trimmed": 2,
        "arxiv_rss20_math.OC_2024-02-23_spec_example": 0,
        "reconstructed_cs.CL_2025-09-18": 48,
        "reconstructed_cs.CL_2025-09-20_weekend_empty": 0,
        "reconstructed_cs.CV_2025-09-19": 63,
    }
    for page in found.values():
        assert isinstance(page, Page)
        assert page.rejected == ()
        for paper in page.listings:
            assert not paper.summary.startswith(("arXiv:", "Abstract"))
            assert "Announce Type" not in paper.summary
            assert not paper.title.endswith((")", "]"))
            assert all("," not in name and "(" not in name for name in paper.authors)
            assert paper.authors
            assert paper.categories


def test_the_query_api_is_read_too_and_its_errors_are_errors(shared: Path) -> None:
    found = captured(shared, "arxiv_api_atom")
    assert {name for name, page in found.items() if isinstance(page, str)} == {
        "docs_error_response",
        "id_abc_s0_m100",
    }
    assert "incorrect id format for abc" in str(found["id_abc_s0_m100"])
    old = found["id_quant-ph_0201082v1_s0_m100"]
    assert isinstance(old, Page)
    assert old.listings[0].guid == "quant-ph/0201082"
    assert old.listings[0].listed_at == datetime(2002, 1, 18, 15, 8, 5, tzinfo=UTC)
    many = found["id_1707.08567_s0_m100"]
    assert isinstance(many, Page)
    assert len(many.listings[0].authors) == 34
    ten = found["q_testing_s0_m10"]
    assert isinstance(ten, Page)
    assert len(ten.listings) == 10
