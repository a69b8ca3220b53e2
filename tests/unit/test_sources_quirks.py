"""Feeds as they really are: each quirk by its name, each with a captured feed.

Written against what ``Feed.parse`` gives, whatever reads the document.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.errors import ParseError
from newsletter.identity import Known, aliases, name_all, resolve
from newsletter.model import (
    Listing,
    ListingState,
    Page,
    Request,
    Response,
    SourceSettings,
)
from newsletter.release import Newcomer, admit
from newsletter.sources.feed import Feed

#: Later than anything in the captures.
SEEN = datetime(2026, 11, 4, 12, tzinfo=UTC)
URL = "https://feed.example.org/feeds/a.xml"
FEED = Feed(SourceSettings(name="feed", kind="feed", url=URL))
#: What is no feed, and what is said of it.
NO_FEEDS = {
    "feeds_not_a_feed/nodefeedparser_notafeed.html": "an HTML page, not a feed",
    "feeds_rss/rssparser_unrecognized.rss": "an HTML page, not a feed",
    "feeds_opml/nnw_Subs.opml": "neither RSS nor Atom",
    "feeds_opml/nnw_SubsNoTitleAttributes.opml": "neither RSS nor Atom",
    "feeds_opml/opmlparser_categories.opml": "neither RSS nor Atom",
    "feeds_opml/opmlparser_no-outlines.opml": "neither RSS nor Atom",
    "feeds_opml/opmlparser_outline.opml": "neither RSS nor Atom",
}
UNDATED = {
    "feeds_atom/feedjira_AtomEscapedHTMLInPreTag.xml",
    "feeds_atom/nodefeedparser_atom-with-tag-uri-links.xml",
    "feeds_rss/feedjira_Permalinks.xml",
    "feeds_rss/feedjira_old_RobertEvansHome.xml",
    "feeds_rss/feedjira_old_RubyForgeNewReleases.xml",
    "feeds_rss/feedjira_old_onestepback.xml",
    "feeds_rss/nnw_shopify-namespace.rss",
    "feeds_rss/nodefeedparser_rss-with-item-scoped-html-base.xml",
    "feeds_rss/nodefeedparser_rss-with-relative-html-urls-no-base.xml",
    "feeds_rss/rssparser_heraldsun.rss",
}


def parsed(body: bytes) -> Page:
    return FEED.parse(
        Response(
            request=Request(source="feed", url=URL),
            status=200,
            headers={},
            body=body,
            seen_at=SEEN,
            final_url=URL,
        )
    )


def items(shared: Path, name: str) -> tuple[Listing, ...]:
    page = parsed((shared / "wire" / name).read_bytes())
    assert page.rejected == ()
    return page.listings


def raw(shared: Path, name: str) -> bytes:
    return (shared / "wire" / name).read_bytes()


def index(shared: Path) -> dict[str, int]:
    """Return every captured feed with the number of its items."""
    lines = (shared / "wire" / "INDEX.tsv").read_text("utf-8").splitlines()[1:]
    rows = (line.split("\t") for line in lines)
    return {row[0]: int(row[4]) for row in rows}


# --- every feed ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def everything(shared: Path) -> dict[str, Page | str]:
    """Give what each feed of the index says, or why it is none."""
    found: dict[str, Page | str] = {}
    for name in index(shared):
        try:
            found[name] = parsed(raw(shared, name))
        except ParseError as error:
            found[name] = str(error)
    return found


def pages(everything: dict[str, Page | str]) -> dict[str, Page]:
    return {name: page for name, page in everything.items() if isinstance(page, Page)}


def test_every_feed_of_the_index_is_read_whole_or_refused_in_words(
    shared: Path, everything: dict[str, Page | str]
) -> None:
    counts = index(shared)
    assert len(counts) == 151
    refused = {name: said for name, said in everything.items() if isinstance(said, str)}
    assert set(refused) == set(NO_FEEDS)
    assert all(NO_FEEDS[name] in said for name, said in refused.items())
    for name, page in pages(everything).items():
        assert len(page.listings) == counts[name], name
        assert page.rejected == (), name


def test_every_item_has_a_name_a_title_and_a_date(
    everything: dict[str, Page | str],
) -> None:
    for name, page in pages(everything).items():
        for listing in page.listings:
            assert aliases(listing), name
            assert listing.title.strip(), name
            assert "\n" not in listing.title, name
            assert listing.listed_at.tzinfo is not None, name
            assert listing.listed_at <= SEEN, name


def test_every_item_is_an_entry_and_the_next_poll_knows_it_again(
    everything: dict[str, Page | str],
) -> None:
    for name, page in pages(everything).items():
        first = resolve(name_all(page.listings), Known()).assignments
        assert len(first) == len(page.listings), name
        known = {alias: -a.entry for a in first for alias in a.aliases}
        again = resolve(name_all(page.listings), Known(entries=known)).assignments
        assert [a.entry for a in again] == [-a.entry for a in first], name


# --- the document -------------------------------------------------------------------


def test_a_blank_line_stands_before_the_declaration(shared: Path) -> None:
    name = "feeds_atom/feedjira_youtube_atom.xml"
    assert raw(shared, name).startswith(b"\n")
    assert len(items(shared, name)) == 15


def test_control_characters_stand_in_the_text(shared: Path) -> None:
    name = "feeds_rss/feedjira_old_NotSoStupid.xml"
    assert re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]", raw(shared, name))
    found = items(shared, name)
    assert len(found) == 10
    text = "".join(f"{item.title}{item.summary}" for item in found)
    assert not [c for c in text if unicodedata.category(c) == "Cc"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("feeds_rss/nnw_kc0011.rss", "建国35周年纪念"),
        ("feeds_rss/nodefeedparser_iconv.xml", "В Бузулуке главные стройплощадки"),
        ("feeds_rss/nnw_phpxml.rss", "Serdar Gözübüyük scheidsrechter"),
        ("feeds_rss/nnw_markdown2.rss", "Peoples’ Faces"),
        ("feeds_rss/feedjira_a10.xml", "Title 5"),
    ],
    ids=["gb2312", "windows-1251", "undeclared", "no declaration", "BOM"],
)
def test_encodings_are_what_they_are(shared: Path, name: str, says: str) -> None:
    assert says in items(shared, name)[0].title


def test_a_byte_order_mark_is_no_text(shared: Path) -> None:
    name = "feeds_rss/feedjira_a10.xml"
    assert raw(shared, name).startswith(b"\xef\xbb\xbf")
    assert len(items(shared, name)) == 5


@pytest.mark.parametrize(
    "name",
    [
        "feeds_rss/feedjira_old_RubyForgeNewReleases.xml",
        "feeds_rss/feedjira_old_onestepback.xml",
    ],
)
def test_a_document_type_elsewhere_is_not_asked_for(shared: Path, name: str) -> None:
    assert b"<!DOCTYPE rss" in raw(shared, name)
    assert len(items(shared, name)) == 10


def test_entities_of_a_document_lead_nowhere(tmp_path: Path) -> None:
    """Neither a file, nor a bomb: ours, as no captured feed holds one."""
    secret = tmp_path / "secret"
    secret.write_text("launch code")
    bomb = "".join(
        f'<!ENTITY b{n} "{f"&b{n - 1};" * 10 if n else "boom" * 10}">' for n in range(9)
    )
    body = (
        f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{secret.as_uri()}">{bomb}]>'
        "<rss version='2.0'><channel><title>t</title><item><title>one &x; two</title>"
        "<description>&b8;</description></item></channel></rss>"
    )
    try:
        (item,) = parsed(body.encode()).listings
    except ParseError:
        return
    assert "launch" not in f"{item.title}{item.summary}"
    assert len(item.summary) < 1000


def test_html_stands_where_a_feed_was_expected(shared: Path) -> None:
    body = raw(shared, "feeds_not_a_feed/nodefeedparser_notafeed.html")
    with pytest.raises(ParseError, match="HTML page, not a feed; look for its feed"):
        parsed(body)


# --- what items lack ----------------------------------------------------------------


def test_ten_feeds_have_items_without_a_date(
    everything: dict[str, Page | str],
) -> None:
    """They are listed when they are first seen."""
    found = set()
    for name, page in pages(everything).items():
        if not name.startswith(("feeds_rss/", "feeds_atom/")):
            continue
        for item in page.listings:
            if item.published_at is None:
                assert item.listed_at == SEEN
                found.add(name)
    assert found == UNDATED


def test_items_without_an_id_have_another_name(
    everything: dict[str, Page | str],
) -> None:
    nameless = [
        item
        for page in pages(everything).values()
        for item in page.listings
        if item.guid is None
    ]
    assert len(nameless) > 100
    starts = {aliases(item)[0].partition(":")[0] for item in nameless}
    assert starts == {"arxiv", "doi", "url", "text"}


def test_items_without_a_link_are_listed_without_one(shared: Path) -> None:
    for name in (
        "feeds_atom/feedjira_AtomEscapedHTMLInPreTag.xml",
        "feeds_atom/nodefeedparser_atom-with-tag-uri-links.xml",
        "feeds_rss/feedjira_old_RobertEvansHome.xml",
    ):
        (item,) = items(shared, name)
        assert item.url is None
        assert aliases(item)[0].startswith(("guid:", "text:"))


def test_items_without_a_title_are_called_by_their_text(shared: Path) -> None:
    name = "feeds_rss/nnw_markdown2.rss"
    assert b"<title>" not in raw(shared, name).split(b"<item>")[1]
    found = items(shared, name)
    assert len(found) == 25
    assert all(0 < len(item.title) <= 80 for item in found)
    for item in found:
        # Where the text is no longer than a title it is not said twice.
        assert item.summary.startswith(item.title.rstrip("…")[:60]) or not item.summary


def test_empty_descriptions_are_no_summary(shared: Path) -> None:
    name = "feeds_rss10_rdf/rssparser_rss-1.rss"
    found = items(shared, name)
    assert b"<description><![CDATA[]]></description>" in raw(shared, name)
    assert sum(not item.summary for item in found) > 50
    assert all(item.title for item in found)


# --- names --------------------------------------------------------------------------


def test_an_item_with_its_guid_twice_is_one_item(shared: Path) -> None:
    (item,) = items(shared, "feeds_rss/nodefeedparser_guid-dupes.xml")
    assert item.guid == "http://www.braingle.com/50366.html"
    assert item.url == item.guid


def test_a_podcast_of_131_items_130_guids_and_9_links_is_131_entries(
    shared: Path,
) -> None:
    """Two different recordings bear one guid, and most link to the home page."""
    found = items(shared, "feeds_podcast/rssparser_itunes-missing-image.rss")
    assert len(found) == 131
    assert len({item.guid for item in found}) == 130
    assert len({item.url for item in found}) == 9
    resolution = resolve(name_all(found), Known())
    assert len({a.entry for a in resolution.assignments}) == 131
    assert "url:taverncast.com/" in resolution.withdrawn


@pytest.mark.parametrize(
    "name",
    [
        "feeds_atom/feedjira_GiantRobotsSmashingIntoOtherGiantRobots.xml",
        "feeds_atom/feedjira_old_LoudThinking.xml",
        "feeds_podcast/feedjira_old_startupsparkcom.xml",
        "feeds_rss/feedjira_TechCrunch.xml",
        "feeds_rss10_rdf/feedjira_old_Slashdot.xml",
    ],
)
def test_feedburners_addresses_give_way_to_the_sites_own(
    shared: Path, name: str
) -> None:
    for item in items(shared, name):
        assert item.url is not None
        assert "feedburner" not in item.url
        assert "feedproxy" not in item.url


# --- dates --------------------------------------------------------------------------


def test_a_date_with_strokes_is_the_day_that_it_says(shared: Path) -> None:
    name = "feeds_rss/nnw_kc0011.rss"
    assert b"<pubDate>2020/1/10 14:33:00" in raw(shared, name)
    published = items(shared, name)[0].published_at
    assert published is not None
    assert (published.year, published.month, published.day) == (2020, 1, 10)


@pytest.mark.parametrize(
    ("name", "said", "means"),
    [
        (
            "feeds_rss/feedjira_old_JoelonSoftware.xml",
            b"17 Jan 2009 21:02:58 EST",
            "2009-01-18T02:02:58",
        ),
        (
            "feeds_rss/nnw_cloudblog.rss",
            b"Tue, 03 Sep 2019 18:00:00 -0000",
            "2019-09-03T18:00:00",
        ),
        ("feeds_rss10_rdf/nnw_bio.rdf", b"2019-08-27", "2019-08-27T00:00:00"),
    ],
    ids=["EST", "-0000", "date only"],
)
def test_dates_are_instants(shared: Path, name: str, said: bytes, means: str) -> None:
    assert said in raw(shared, name)
    instant = datetime.fromisoformat(means).replace(tzinfo=UTC)
    assert items(shared, name)[0].published_at == instant


@pytest.mark.parametrize(
    ("said", "listed"),
    [
        ("Wed, 6 May 2026 7:05:09 GMT", datetime(2026, 5, 6, 7, 5, 9, tzinfo=UTC)),
        ("Tue, 01 Jan 2199 00:00:00 GMT", SEEN),
        ("some day", SEEN),
    ],
    ids=["one digit", "far future", "no date"],
)
def test_dates_that_no_capture_holds(said: str, listed: datetime) -> None:
    body = (
        "<rss version='2.0'><channel><title>t</title><item><title>a</title>"
        f"<pubDate>{said}</pubDate></item></channel></rss>"
    )
    (item,) = parsed(body.encode()).listings
    assert item.listed_at == listed


def test_a_first_fetch_takes_the_undated_and_leaves_the_old(shared: Path) -> None:
    def states(name: str) -> set[ListingState]:
        new = [Newcomer(listed_at=item.listed_at) for item in items(shared, name)]
        found = admit(
            new, first=True, as_of=SEEN, read_at=SEEN, first_days=3, max_new=2000
        )
        return {admission.state for admission in found}

    assert states("feeds_rss/rssparser_heraldsun.rss") == {ListingState.PENDING}
    assert states("feeds_rss/nnw_phpxml.rss") == {ListingState.PASSED_OVER}


# --- links --------------------------------------------------------------------------


def test_relative_links_without_a_base_are_those_of_the_site(shared: Path) -> None:
    found = items(shared, "feeds_atom/rssparser_gulp-atom.atom")
    assert len(found) == 10
    start = "https://github.com/gulpjs/gulp/releases/tag/"
    assert all(str(item.url).startswith(start) for item in found)


def test_the_link_of_ask_hn_is_its_thread(shared: Path) -> None:
    found = items(shared, "feeds_rss/feedjira_RSSWithComments.xml")
    (thread,) = (item for item in found if item.title.startswith("Ask HN: Share your"))
    assert thread.url == "https://news.ycombinator.com/item?id=30934529"
    assert thread.links == ()
    assert found[0].links[0].label == "discussion"
    assert len(resolve(name_all(found), Known()).assignments) == 30


# --- text ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "feeds_atom/feedjira_old_CoryForsyth.xml",
        "feeds_atom/nodefeedparser_tpm.atom",
        "feeds_podcast/feedjira_CRE.xml",
        "feeds_rss/feedjira_TechCrunch.xml",
        "feeds_rss/nnw_489.rss",
        "feeds_rss/nnw_dcrainmaker.xml",
    ],
)
def test_scripts_handlers_pixels_and_frames_are_not_in_the_text(
    shared: Path, name: str
) -> None:
    assert re.search(
        rb"(?:&lt;|<)(?:script|iframe|img)|onclick=", raw(shared, name), re.IGNORECASE
    )
    for item in items(shared, name):
        text = f"{item.title} {item.summary}"
        assert not re.search(r"<(?:script|iframe|img|a|p|div)\b[^<]*>", text), text[:80]
        assert "document.write" not in text
        assert not re.search(r"\bon(?:click|load)\s*=", text)


def test_entities_escaped_twice_are_characters(shared: Path) -> None:
    for name in (
        "feeds_atom/feedjira_old_LoudThinking.xml",
        "feeds_atom/feedjira_old_NickSieger.xml",
        "feeds_atom/feedjira_old_TomWhite.xml",
    ):
        assert re.search(rb"&amp;(?:amp|quot|#\d+|lt);", raw(shared, name))
        text = " ".join(f"{i.title} {i.summary}" for i in items(shared, name))
        assert not re.search(r"&(?:amp|quot|nbsp|#8217|rsquo|mdash);", text)


def test_what_looks_like_a_tag_in_prose_stays(shared: Path) -> None:
    """A stripper would eat it: code in an article, and models that think."""
    found = items(shared, "feeds_rss/feedjira_old_SignalvsNoise.xml")
    assert any("<div> This is the text of the to-do." in i.summary for i in found)
    body = (
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>t</title><entry><id>1</id>"
        "<title>Models that &lt;think&gt; aloud</title>"
        "<summary>Drawn on a &lt;canvas&gt;, for a &lt; b.</summary></entry></feed>"
    )
    (item,) = parsed(body.encode()).listings
    assert item.title == "Models that <think> aloud"
    assert item.summary == "Drawn on a <canvas>, for a < b."


def test_biorxivs_titles_and_authors_are_in_order(shared: Path) -> None:
    """Padded with line ends; "Kaur, M., Shukla, A." are two people."""
    found = items(shared, "feeds_rss10_rdf/nnw_bio.rdf")
    assert len(found) == 30
    assert found[0].title.startswith("Wheat inositol pyrophosphate kinase (TaVIH2-3B)")
    assert found[0].title == found[0].title.strip()
    assert found[0].authors[:3] == ("Kaur, M.", "Shukla, A.", "Kanwar, S.")
    assert len(found[0].authors) == 13
    assert aliases(found[0])[0] == "doi:10.1101/743294"


def test_an_items_title_is_its_own_not_its_authors(shared: Path) -> None:
    found = items(shared, "feeds_rss/nnw_cloudblog.rss")
    assert found[0].title == (
        "Want to keep your employees productive? Pay attention to shadow IT clues"
    )
