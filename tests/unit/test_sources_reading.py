"""The two readers of RSS and Atom: they agree, and neither can be led astray."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import ParseError
from newsletter.model import (
    Listing,
    Page,
    Request,
    Response,
    Rhythm,
    SourceSettings,
)
from newsletter.sources import lenient
from newsletter.sources.arxiv import Arxiv
from newsletter.sources.dates import instant_of_date, odd_date
from newsletter.sources.documents import MOST_ITEMS, Document, Unsure
from newsletter.sources.feed import Feed
from newsletter.sources.lenient import read_leniently
from newsletter.sources.strict import read_strictly
from newsletter.sources.syndication import items_of

SEEN = datetime(2026, 5, 4, 12, tzinfo=UTC)
URL = "https://feed.example.org/feeds/a.xml"
SETTINGS = SourceSettings(name="feed", kind="feed", url=URL)
#: Of a listing, all that documents fill.
FIELDS = (
    "guid title url summary authors categories links published_at listed_at"
    " identifiers thumbnail language"
).split()
SPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:media="http://search.yahoo.com/mrss/"'
    ' xmlns:atom="http://www.w3.org/2005/Atom"'
    ' xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
    ' xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'
    ' xmlns:x="https://example.org/ns"'
)


def answer(body: bytes, **headers: str) -> Response:
    return Response(
        request=Request(source="feed", url=URL),
        status=200,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=body,
        seen_at=SEEN,
        final_url=URL,
    )


def page(body: str | bytes) -> Page:
    content = body.encode() if isinstance(body, str) else body
    return Feed(SETTINGS).parse(answer(content))


def listings(document: Document) -> list[Listing | str]:
    found: list[Listing | str] = []
    for item in items_of(SETTINGS, answer(b""), document):
        try:
            found.append(item.listing())
        except ParseError as error:
            found.append(str(error))
    return found


def differing(body: bytes) -> tuple[int, list[str]]:
    """Return how many fields there are, and those that the readers differ in."""
    strict, lenient = listings(read_strictly(body)), listings(read_leniently(body))
    differ = [f"{len(strict)} and {len(lenient)} items"] * (len(strict) != len(lenient))
    fields = 0
    for one, two in zip(strict, lenient, strict=False):
        fields += len(FIELDS)
        differ += [
            f"{name}: {getattr(one, name, one)!r} {getattr(two, name, two)!r}"
            for name in FIELDS
            if getattr(one, name, one) != getattr(two, name, two)
        ]
    return fields, differ


def rss(items: str, head: str = "") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" {SPACES}><channel>'
        f"<title>T</title><link>https://example.org/</link>{head}{items}"
        "</channel></rss>"
    ).encode()


def atom(entries: str, said: str = "") -> bytes:
    return (
        f'<feed xmlns="http://www.w3.org/2005/Atom" {said}><title>T</title>'
        f'<link href="https://example.org/"/>{entries}</feed>'
    ).encode()


# --- they agree ---------------------------------------------------------------------

ITEMS = (
    "<title>a</title><link>https://example.org/a</link><guid>g</guid>",
    "<title>a &amp;amp; b</title><description>&lt;b&gt;x&lt;/b&gt; y</description>",
    "<title>1 &lt; 2</title><description>1 &lt; 2 &amp; 3</description>",
    "<title>a</title><description>d</description><content:encoded>c</content:encoded>",
    "<title>a</title><content:encoded>c</content:encoded><description>d</description>",
    "<title>a</title><description/><itunes:summary>s</itunes:summary>",
    "<description>d</description><dc:description>e</dc:description>",
    "<media:title>film</media:title><title>own</title>",
    "<title>own</title><media:title>film</media:title>",
    (
        "<media:group><media:title>film</media:title><media:description>said"
        '</media:description><media:thumbnail url="/a.jpg"/></media:group>'
    ),
    "<title/><title>b</title>",
    "<title>a</title><dc:title>b</dc:title><title>c</title>",
    "<title>a</title><author>a@example.org (Ann Lee)</author>",
    "<title>a</title><author>Ann Lee (a@example.org)</author>",
    "<title>a</title><author>a@example.org</author>",
    "<title>a</title><author>a@example.org</author><dc:creator>Ann</dc:creator>",
    "<title>a</title><dc:creator>A, B and C</dc:creator>",
    "<title>a</title><dc:creator>A</dc:creator><dc:creator>B</dc:creator>",
    "<title>a</title><category>x</category><category domain='d'>y</category>",
    "<title>a</title><category domain='d'/><category>y</category>",
    "<title>a</title><itunes:keywords>x, y,,z</itunes:keywords>",
    (
        "<title>a</title><itunes:category text='T'><itunes:category text='U'/>"
        "</itunes:category>"
    ),
    "<title>a</title><dc:date>2026-05-01</dc:date>",
    "<title>a</title><pubDate>Fri, 1 May 2026 6:00 EST</pubDate>",
    (
        "<title>a</title><pubDate>never</pubDate><atom:updated>2026-05-01T00:00:00Z"
        "</atom:updated>"
    ),
    "<title>a</title><link>http:///example.org/a?x=1&amp;amp;y=2</link>",
    "<title>a</title><link>/a</link><link>/b</link>",
    "<title>a</title><atom:link href='/a' rel='self'/><link>/b</link>",
    (
        "<title>a</title><comments>/talk</comments><dc:identifier>doi:10.1000/x"
        "</dc:identifier>"
    ),
    (
        "<title>a</title><enclosure url='/a.pdf' type='Application/PDF'/>"
        "<enclosure url='/a.png' type='image/png'/>"
    ),
    "<title>a</title><source url='https://e.example.org/'>Else</source>",
    "<title>a</title><x:rating>5</x:rating><x:box><x:in>1</x:in></x:box>",
    "<title>Ram\u00c3\u00adrez \u0080</title><description>caf\u00e9</description>",
    "<title>a<!-- not this -->b</title><?stop here?>",
    "<TITLE>a</TITLE><GUID isPermaLink='FALSE'>g</GUID><PubDate>2026-05-01</PubDate>",
    "<guid>only</guid>",
)


@pytest.mark.parametrize("item", ITEMS)
def test_both_readers_make_the_same_of_an_item(item: str) -> None:
    fields, differ = differing(rss(f"<item>{item}</item>"))
    assert fields
    assert not differ


ENTRIES = (
    "<id>i</id><title>a</title><link href='/a'/><updated>2026-05-01</updated>",
    "<title type='html'>&lt;i&gt;a&lt;/i&gt; b</title><summary>1 &lt;b></summary>",
    (
        "<title type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>a <b>b</b></div>"
        "</title>"
    ),
    (
        "<title>a</title><content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>"
        "<p class='x'>1 &lt; 2<br/>c</p><div/><p>d &amp; e</p></div></content>"
    ),
    (
        "<title>a</title><author><name>Ann</name><email>a@example.org</email></author>"
        "<author><email>b@example.org</email></author>"
    ),
    "<title>a</title><contributor><name>No</name></contributor>",
    "<title>a</title><category term='t' label='L'/><category term='u'>v</category>",
    (
        "<title>a</title><source><title>b</title><id>c</id><author><name>N</name></author>"
        "</source>"
    ),
    (
        "<title>a</title><link href='/a'/><link rel='enclosure' type='image/png'"
        " href='/b.png'/><link rel='replies' href='/c'/>"
    ),
    "<title xml:lang='de'>a</title>",
    "<title>a</title><published>2026-05-01T01:02:03.5+02:00</published>",
)


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize(
    "said", ["", "xml:lang='en_GB' xml:base='https://b.example.org/x/'"]
)
def test_both_readers_make_the_same_of_an_entry(entry: str, said: str) -> None:
    fields, differ = differing(atom(f"<entry>{entry}</entry>", said))
    assert fields
    assert not differ


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("windows-1251", "Привет"),
        ("iso-8859-1", "café"),
        ("windows-1252", "“café”"),
        ("gb2312", "新闻"),
        ("big5", "新聞"),
        ("euc-kr", "뉴스"),
        ("utf-8", "日本"),
    ],
)
def test_old_encodings_are_read_by_both(encoding: str, said: str) -> None:
    declared = f"<?xml version='1.0' encoding='{encoding}'?>"
    text = rss(f"<item><title>{said}</title></item>").decode().partition("?>")[2]
    assert differing((declared + text).encode(encoding)) == (len(FIELDS), [])
    found = read_strictly(text.encode(encoding), f"text/xml; charset={encoding}")
    assert found.entries[0].title.value == said


def test_rdf_is_read_as_well() -> None:
    body = (
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        b' xmlns="http://purl.org/rss/1.0/"><channel rdf:about="c"><title>T</title>'
        b"<link>https://example.org/</link></channel><image><title>no</title></image>"
        b'<item rdf:about="https://example.org/a"><title>a</title><link>/a</link></item>'
        b"</rdf:RDF>"
    )
    fields, differ = differing(body)
    assert fields == len(FIELDS)
    assert not differ


def test_both_readers_agree_on_all_captured_feeds(shared: Path) -> None:
    read, all_fields, differ = 0, 0, []
    files = [
        file
        for folder in ("arxiv_api_atom", "arxiv_rss", "huggingface_daily_rss")
        for file in (shared / "wire" / folder).iterdir()
    ]
    for folder in ("atom", "podcast", "rss", "rss10_rdf"):
        files += (shared / "wire" / f"feeds_{folder}").iterdir()
    for file in sorted(files):
        body = file.read_bytes().lstrip()
        try:
            fields, found = differing(body)
        except (Unsure, ParseError):
            continue
        read += 1
        all_fields += fields
        differ += [f"{file.name}: {each}" for each in found]
    # The rest is for the lenient reader alone.
    assert read >= 0.9 * len([file for file in files if file.suffix != ".json"])
    assert all_fields > 25_000
    assert len(differ) <= 0.005 * all_fields, differ
    # All of these are feedparser's own: an empty link, a base that outlives its item.
    assert len(differ) <= 4, differ


def test_of_several_links_the_last_counts_in_rss_and_the_first_in_atom() -> None:
    links = "<title>a</title><link>/a</link><link>/b</link>"
    assert page(rss(f"<item>{links}</item>")).listings[0].url == "https://example.org/b"
    links = "<title>a</title><link href='/a'/><link href='/b' hreflang='de'/>"
    found = page(atom(f"<entry>{links}</entry>")).listings[0]
    assert found.url == "https://example.org/a"


def test_an_authors_title_is_not_the_items() -> None:
    items = (
        "<item><title>own &amp;lt;</title><author><name>Ann</name><image>x</image>"
        "<title>Engineer</title></author></item>"
        "<item><title>own</title><x:box><image/><title>Engineer</title></x:box></item>"
    )
    fields, differ = differing(rss(items))
    assert fields == 2 * len(FIELDS)
    assert not differ
    assert [row.title for row in page(rss(items)).listings] == ["own <", "own"]


def test_what_feedparser_loses_is_kept_where_the_document_is_well_formed() -> None:
    found = page(
        rss(
            "<item><title>a</title><link uri='at://b'>https://example.org/a</link>"
            "<author><b>Ann</b> Lee</author><category><b>x</b></category></item>"
        )
    ).listings[0]
    assert found.url == "https://example.org/a"
    assert found.authors == ("Ann Lee",)
    assert found.categories == ("x",)


# --- what the strict reader leaves to the other -------------------------------------


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<!DOCTYPE rss><rss/>", ""),
        (b"<?xml version='1.0' encoding='windows-1252'?><rss>\x81</rss>", ""),
        (b"<?xml version='1.0' encoding='utf-7'?><rss/>", ""),
        (b"<?xml version='1.0' encoding='no-such'?><rss/>", ""),
        (b"<?xml version='1.0' encoding='utf-8'?><rss/>", "a/b; charset=iso-8859-1"),
        (b"<rss><channel>", ""),
        (b"<rss>\xff</rss>", ""),
        (b"<channel href='a'/>", ""),
        (b"words", ""),
        (rss("<item href='/a'/>"), ""),
        (rss("<item><title>a <b>b</b></title></item>"), ""),
        (rss("<item><body>b</body></item>"), ""),
        (rss("<item><x:box><title>a</title></x:box></item>"), ""),
        (rss("<x:box><item/></x:box>"), ""),
        (atom("<entry><title mode='base64'>YQ==</title></entry>"), ""),
        (atom("<entry><content type='image/png'>YQ==</content></entry>"), ""),
        (rss(f"<item>{'<media:group>' * 20}{'</media:group>' * 20}</item>"), ""),
    ],
)
def test_what_is_not_plain_is_left_to_the_lenient_reader(
    body: bytes, kind: str
) -> None:
    with pytest.raises(Unsure):
        read_strictly(body, kind)


def test_a_document_that_is_cut_off_brings_its_whole_items() -> None:
    whole = rss("".join(f"<item><title>a{n}</title></item>" for n in range(9)))
    found = page(whole[: whole.index(b"a7")]).listings
    assert [listing.title for listing in found][:7] == [f"a{n}" for n in range(7)]


# --- hostile documents --------------------------------------------------------------

BOMB = (
    '<!DOCTYPE r [<!ENTITY a0 "lol">'
    + "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(9))
    + "]>"
)


@pytest.mark.parametrize(
    "body",
    [
        BOMB.encode() + rss("<item><title>&a9;</title></item>")[38:],
        b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        + rss("<item><title>x&x;</title></item>")[38:],
        b'<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd">' + rss("")[38:],
        rss("<item><title>&nope;</title></item>"),
        b"<rss>" * 5_000,
        b"<rss>" * 5_000 + b"</rss>" * 5_000,
        rss("<item>" * 3_000),
        rss("<item><description>" + "&lt;b&gt;" * 50_000 + "</description></item>"),
        rss("<item><title>" + "$\\frac{" * 20_000 + "</title></item>"),
        rss("<item><dc:creator>" + "a," * 50_000 + "</dc:creator></item>"),
        rss("<item><pubDate>" + "1" * 50_000 + "</pubDate></item>"),
        rss("<item><x:a b='" + "c" * 1_000_000 + "'/></item>"),
        b"\x1f\x8b\x08\x00" + b"a" * 100,
        b"\xff\xfe<\x00r\x00",
        b"<rss \x00 version='2.0'><channel><item><title>a</title></item>",
        b"<?xml version='1.0' encoding='utf-7'?>+ADw-rss+AD4-",
        b"<feed>" + b"<![CDATA[" * 1_000,
    ],
)
def test_hostile_documents_are_harmless(body: bytes) -> None:
    started = process_time()
    try:
        found = page(body)
    except ParseError:
        found = Page()
    assert process_time() - started < 5
    said = "".join(f"{row.title} {row.summary}" for row in found.listings)
    assert "root:" not in said
    assert len(said) < 100_000


@given(st.binary(max_size=300), st.booleans())
def test_nothing_but_a_parse_error_leaves(body: bytes, as_feed: bool) -> None:
    whole = b"<rss version='2.0'><channel><item>" + body if as_feed else body
    with suppress(ParseError):
        page(whole)


def test_items_beyond_the_most_are_named() -> None:
    items = "<item><title>a</title></item>" * (MOST_ITEMS + 2)
    found = page(rss(items))
    assert len(found.listings) == MOST_ITEMS
    assert [(r.place, r.reason) for r in found.rejected] == [
        (
            f"items {MOST_ITEMS + 1} to {MOST_ITEMS + 2}",
            "a document may have 20000 items",
        )
    ]


def test_each_reader_is_imported_when_it_is_needed() -> None:
    script = (
        "import sys\n"
        "from datetime import datetime, UTC\n"
        "from newsletter.model import Request, Response, SourceSettings\n"
        "from newsletter.sources.feed import Feed\n"
        "def seen(): print([m for m in ('lxml', 'feedparser') if m in sys.modules])\n"
        "def read(body): Feed(SourceSettings(name='a', kind='feed')).parse(Response("
        "request=Request(source='a'), status=200, headers={}, body=body,"
        " seen_at=datetime.now(UTC), final_url='https://example.org/'))\n"
        "seen()\n"
        "read(b'<rss><channel><item><title>a</title><pubDate>Mon, 04 May 2026 06:00:00"
        " GMT</pubDate></item></channel></rss>')\n"
        "seen()\n"
        "read(b'<rss><channel>')\n"
        "seen()\n"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter and text
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["[]", "['lxml']", "['lxml', 'feedparser']"]


# --- dates --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Mon, 04 May 2026 06:00:00 GMT", datetime(2026, 5, 4, 6, tzinfo=UTC)),
        ("4 May 2026 06:00 +0130", datetime(2026, 5, 4, 4, 30, tzinfo=UTC)),
        ("Mon, 4 May 2026 6:00:00 -0000", datetime(2026, 5, 4, 6, tzinfo=UTC)),
        ("Mon, 04 May 2026 06:00:00 EST", datetime(2026, 5, 4, 11, tzinfo=UTC)),
        ("2026-05-04T06:00:00.9-02:00", datetime(2026, 5, 4, 8, tzinfo=UTC)),
        ("2020/1/10 14:33:00", datetime(2020, 1, 10, 14, 33, tzinfo=UTC)),
        ("2020/12/31", datetime(2020, 12, 31, tzinfo=UTC)),
        ("2026-05-04", datetime(2026, 5, 4, tzinfo=UTC)),
        # As feedparser has it: two days after the 28th.
        ("2026-02-30T00:00:00Z", datetime(2026, 3, 2, tzinfo=UTC)),
        ("Mon, 31 Feb 2026 00:00:00 GMT", None),
        ("soon", None),
        ("", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9" * 200, None),
    ],
)
def test_dates_are_read_as_people_write_them(
    raw: str, expected: datetime | None
) -> None:
    assert instant_of_date(raw) == expected


@given(
    st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2100, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(
        [
            "%a, %d %b %Y %H:%M:%S {0}",
            "%d %b %Y %H:%M {0}",
            "%A, %d %b %Y %H:%M:%S {0}",
            "%a %d %B %Y %H:%M:%S {0}",
            "%Y-%m-%dT%H:%M:%S{1}",
            "%Y-%m-%dT%H:%M:%S.123{1}",
            "%Y-%m-%dT%H:%MZ",
            "%a, %d %b %Y %H:%M:%S GMT",
            "%a, %d %b %y %H:%M:%S PST",
        ]
    ),
)
def test_the_fast_way_reads_dates_as_the_slow_one(
    moment: datetime, minutes: int, form: str
) -> None:
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    raw = moment.strftime(form).format(
        f"{sign}{hours:02}{rest:02}", f"{sign}{hours:02}:{rest:02}"
    )
    assert instant_of_date(raw) == odd_date(raw)


# --- rhythm -------------------------------------------------------------------------

RHYTHMS = [
    ("", Rhythm()),
    ("<ttl>60</ttl>", Rhythm(at_least=timedelta(hours=1))),
    ("<ttl>-5</ttl><ttl>x</ttl>", Rhythm()),
    ("<ttl>0</ttl>", Rhythm()),
    ("<ttl>99999999</ttl>", Rhythm()),
    ("<ttl>525600</ttl>", Rhythm()),
    (
        "<sy:updatePeriod> Daily </sy:updatePeriod>",
        Rhythm(at_least=timedelta(days=1)),
    ),
    (
        (
            "<sy:updatePeriod>daily</sy:updatePeriod>"
            "<sy:updateFrequency>4</sy:updateFrequency><ttl>60</ttl>"
        ),
        Rhythm(at_least=timedelta(hours=6)),
    ),
    (
        (
            "<sy:updatePeriod>daily</sy:updatePeriod>"
            "<sy:updateFrequency>0</sy:updateFrequency>"
        ),
        Rhythm(),
    ),
    ("<sy:updatePeriod>yearly</sy:updatePeriod>", Rhythm()),
    ("<sy:updatePeriod>often</sy:updatePeriod>", Rhythm()),
    (
        (
            "<skipHours><hour>3</hour><hour> 24 </hour><hour>99</hour></skipHours>"
            "<skipDays><day>SATURDAY</day><day>sunday</day><day>Feast</day></skipDays>"
        ),
        Rhythm(skip_hours=frozenset({0, 3}), skip_days=frozenset({5, 6})),
    ),
    (
        f"<skipHours>{''.join(f'<hour>{n}</hour>' for n in range(24))}</skipHours>",
        Rhythm(),
    ),
]


@pytest.mark.parametrize(("head", "rhythm"), RHYTHMS)
def test_a_feed_says_how_often_it_wants_to_be_asked(head: str, rhythm: Rhythm) -> None:
    assert page(rss("", head)).rhythm == rhythm
    # Cut off, so that the lenient reader has it.
    broken = rss("<item><title>a</title></item>", head)[:-16]
    with pytest.raises(Unsure):
        read_strictly(broken)
    assert page(broken).rhythm == rhythm


def test_arxiv_does_not_change_at_weekends() -> None:
    source = Arxiv(SourceSettings(name="a", kind="arxiv", url=URL))
    days = "<skipDays><day>Sunday</day><day>Saturday</day></skipDays>"
    found = source.parse(answer(rss("", days)))
    assert found.rhythm == Rhythm(skip_days=frozenset({5, 6}))


# --- RSS in JSON ------------------------------------------------------------------


def test_rss_is_read_from_json_as_well() -> None:
    found = page(
        """{"rss": {"version": "2.0", "channel": {"title": "T", "ttl": 90,
        "link": "https://example.org/", "item": [
        {"title": "a &lt; b", "link": "/a", "guid": {"isPermaLink": "false",
         "#value": "g"}, "pubDate": "Mon, 04 May 2026 06:00:00 GMT",
         "description": "<p>x</p>", "category": ["c", {"#value": "d"}], "author": "A",
         "comments": "/talk", "enclosure": {"url": "/a.png", "type": "image/png"}},
        7, {"description": "only text", "guid": 12, "category": "one"}]}}}"""
    )
    assert found.rhythm == Rhythm(at_least=timedelta(minutes=90))
    assert [(r.place, r.reason) for r in found.rejected] == [
        ("item 2", "it has neither title nor text")
    ]
    first, second = found.listings
    assert (first.title, first.summary, first.guid) == ("a < b", "x", "g")
    assert first.url == "https://example.org/a"
    assert first.published_at == datetime(2026, 5, 4, 6, tzinfo=UTC)
    assert (first.categories, first.authors) == (("c", "d"), ("A",))
    assert first.links[0].url == "https://example.org/talk"
    assert first.thumbnail == "https://example.org/a.png"
    assert (second.title, second.guid, second.categories) == (
        "only text",
        "12",
        ("one",),
    )


@pytest.mark.parametrize(
    "body", ['{"rss": 1}', '{"rss": {"channel": {}}}', '{"rss": ', '["rss"]']
)
def test_other_json_is_said_to_be_none_of_ours(body: str) -> None:
    with pytest.raises(ParseError, match="JSON"):
        page(body)


def test_a_huge_document_that_is_not_well_formed_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would cost seconds for each megabyte."""
    small = b"<rss version='2.0'><channel><item><title>a & b</title></item>"
    assert len(read_leniently(small).entries) == 1
    monkeypatch.setattr(lenient, "MOST_BYTES", len(small))
    assert len(read_leniently(small).entries) == 1
    with pytest.raises(ParseError, match="not well-formed, and with 62 bytes too"):
        read_leniently(small + b" ")
