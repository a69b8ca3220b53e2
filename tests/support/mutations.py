"""Documents of real shape, and what can be done to them.

    sample --cut, repeat, swap, plant, nest, encode--> what no parser expects

Mutations know the shape: they move whole elements and whole JSON values about,
so that what comes is damaged deeper than in its first byte.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

_RSS = b"""<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE rss [<!ENTITY lab "Example Lab">]>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:media="http://search.yahoo.com/mrss/" xmlns:atom="http://www.w3.org/2005/Atom"
 xmlns:prism="http://prismstandard.org/namespaces/basic/2.0/">
<channel><title>Notes of &lab;</title><link>https://lab.example.org/</link>
<language>en-GB</language><ttl>60</ttl>
<item><title>On $\\ell_0$ &amp;amp; sparse &lt;b&gt;codes&lt;/b&gt;</title>
<link>/notes/1?utm_source=rss&amp;id=1#top</link>
<guid isPermaLink="false">tag:lab.example.org,2026:1</guid>
<pubDate>Mon, 04 May 2026 06:00:00 +0200</pubDate>
<dc:creator>Ann Lee, Bo Chen (MIT) and J&#246;rg M\xc3\xbcller</dc:creator>
<category>cs.LG</category><category domain="x">sparsity</category>
<description><![CDATA[<p>We study <i>sparse</i> codes.<script>no()</script>]]>
</description>
<content:encoded><![CDATA[<div>All of it</div>]]></content:encoded>
<enclosure url="https://lab.example.org/1.png" type="image/png" length="9"/>
<media:thumbnail url="thumb.jpg"/><prism:doi>10.1234/abc.5</prism:doi>
<comments>https://lab.example.org/notes/1#talk</comments></item>
<item><description>Only a text</description></item>
</channel></rss>"""
_ATOM = b"""<?xml version="1.0"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de" xml:base="https://a.example.org/">
<title type="html">Neues &lt;em&gt;hier&lt;/em&gt;</title><id>urn:x:1</id>
<updated>2026-05-04T06:00:00Z</updated>
<entry><id>urn:uuid:0001</id><title type="xhtml">
<div xmlns="http://www.w3.org/1999/xhtml">Ein <b>Titel</b></div></title>
<link rel="alternate" href="eins"/><link rel="replies" href="eins/talk"/>
<link rel="enclosure" type="application/pdf" href="eins.pdf"/>
<published>2026-05-03T23:59:60+01:00</published><updated>2026-05-04</updated>
<author><name>Zo\xc3\xab &#x4E2D;</name><email>z@example.org</email></author>
<category term="x y" label="Z"/><summary type="text">a &lt; b</summary>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">x</div></content>
</entry></feed>"""
_RDF = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="https://r.example.org/"><title>R</title></channel>
<item rdf:about="https://r.example.org/1"><title>One</title>
<link>https://r.example.org/1</link><dc:date>2026-05-04</dc:date>
<dc:identifier>doi:10.1234/x</dc:identifier></item></rdf:RDF>"""
_ARXIV = b"""<?xml version='1.0' encoding='UTF-8'?>
<rss xmlns:arxiv="http://arxiv.org/schemas/atom" version="2.0"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>cs.LG updates</title>
<skipDays><day>Sunday</day></skipDays>
<item><title>Deep $N$-gons</title><link>https://arxiv.org/abs/2605.00001</link>
<description>arXiv:2605.00001v1 Announce Type: new \nAbstract: a&lt;b.</description>
<guid isPermaLink="false">oai:arXiv.org:2605.00001v1</guid><category>cs.LG</category>
<pubDate>Mon, 04 May 2026 00:00:00 -0400</pubDate>
<arxiv:announce_type>new</arxiv:announce_type>
<dc:creator>The X Collaboration: A. Lee (MIT (USA)), J\\"org M, B. Two Jr</dc:creator>
</item></channel></rss>"""
_QUERY = b"""<feed xmlns="http://www.w3.org/2005/Atom"
 xmlns:arxiv="http://arxiv.org/schemas/atom">
<title>arXiv Query</title><id>http://arxiv.org/api/x</id>
<entry><id>http://arxiv.org/abs/quant-ph/0201082v1</id><title>Old (arXiv:1605.08386
[math.CO] UPDATED)</title><published>2002-01-16T00:00:00Z</published>
<summary>A text.</summary><author><name>Ram\xc3\x83\xc2\xadrez</name></author>
<arxiv:doi>10.1103/x</arxiv:doi><category term="quant-ph"/></entry></feed>"""
_PAPERS = json.dumps(
    [
        {
            "paper": {
                "id": "2605.28293",
                "title": "A\n  title",
                "summary": "We 360^circ\nstudy.",
                "authors": [{"name": "Ann Lee", "hidden": False}, {"hidden": True}],
                "publishedAt": "2026-05-01T00:00:00.000Z",
                "submittedOnDailyAt": "2026-05-04T03:00:00.000Z",
                "upvotes": 12,
                "ai_summary": "Short.",
                "githubRepo": "https://github.com/example/x",
                "projectPage": "example.org",
            },
            "title": "A title",
            "publishedAt": "2026-05-01T00:00:00.000Z",
            "thumbnail": "https://cdn.example.org/t.png",
            "numComments": 1,
        }
    ]
).encode()
_JSON_FEED = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "J",
        "home_page_url": "https://j.example.org/",
        "language": "en-US",
        "items": [
            {
                "id": 1,
                "url": "/a",
                "external_url": "https://x.example.org/",
                "title": "One",
                "content_html": "<p>Hello <b>you</b>",
                "date_published": "2026-05-04T06:00:00+02:00",
                "authors": [{"name": "Ann"}],
                "tags": ["a", "b"],
                "image": "i.png",
                "attachments": [{"url": "a.pdf", "mime_type": "application/pdf"}],
            },
            {"id": "10.1234/abc", "content_text": "text", "author": {"name": "Bo"}},
        ],
    }
).encode()
_HTML = b"""<!doctype html><html><head><base href="/b/">
<link rel="alternate" type="application/rss+xml" title="Posts" href="feed.xml">
<link rel='alternate stylesheet' type='application/feed+json; x' href='//x/f.json'>
<link rel="alternate" type="application/atom+xml" title="Comments" href="?c">
</head><body><a href="x">y</a></body></html>"""

SYNDICATED = (_RSS, _ATOM, _RDF, _ARXIV, _QUERY)
SAMPLES: Mapping[str, tuple[bytes, ...]] = {
    "feed": (*SYNDICATED, _JSON_FEED),
    "arxiv": (_ARXIV, _QUERY, _RSS),
    "huggingface": (_PAPERS,),
    "json feed": (_JSON_FEED,),
    "page": (_HTML,),
}

#: What breaks parsers, planted anywhere.
WORDS = (
    *(b"\0", b"\x1b[31m", b"\xff\xfe", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r\n\r\n"),
    *(b"&x;", b"&lab;", b"&#0;", b"&#xD800;", b"&#x110000;", b"&#1114112;", b"&"),
    *(b"<", b">", b"]]>", b"<![CDATA[", b"<!--", b"-->", b"<?x", b"</", b"/>", b'"'),
    *(b'<!DOCTYPE x [<!ENTITY a "b">]>', b'<!ENTITY % p SYSTEM "file:///x">', b"<p>"),
    *(b"javascript:alert(1)", b"data:text/html,x", b"//[::1", b"http://a:b@c:d/"),
    *(b"99999999999999999999", b"-1", b"1e999", b"9999-12-31T23:59:59-23:59"),
    *(b"0001-01-01T00:00:00+23:59", b"Mon, 99 Foo 99999 99:99:99 +9999", b"2026-02-30"),
    *(b"$", b"\\", b"{", b"}", b"^", b"_", b"\\frac{", b"$$", b"\\begin{x}", b"~"),
    *(b"\xe2\x80\xae", b"\xe2\x81\xa6", b"\xe2\x80\x8d", b"\xcc\x81" * 20, b"(", b","),
    *(b"xmlns:x='http://www.w3.org/2005/Atom'", b"xml:base='://'", b"type='xhtml'"),
)
_PIECES = re.compile(rb"<[^>]*>|[^<]+|<")
_ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-be", "utf-32", "latin-1", "utf-7", "cp037")
#: Values that stand where others are expected.
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1e308, float("inf"), float("nan"), 10**30, ""),
    *(
        "\0",
        "\ud800",
        "<b>\ud800</b> &",
        "\x1b[0m",
        "x" * 3000,
        "http://[",
        "file:///etc/passwd",
    ),
    *("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+14:00", [], {}, [[]], {"": {}}),
)

Draw = Callable[[st.SearchStrategy[Any]], Any]
Mutation = Callable[[Draw, bytes], bytes]


@st.composite
def mutated(draw: Draw, samples: tuple[bytes, ...]) -> bytes:
    """Return one of *samples* after some mutations."""
    body: bytes = draw(st.sampled_from(samples))
    for _ in range(draw(st.integers(0, 6))):
        mutate: Mutation = draw(st.sampled_from(_MUTATIONS))
        body = mutate(draw, body)[:200_000]
    return body


def _span(draw: Draw, length: int) -> tuple[int, int]:
    start = draw(st.integers(0, max(length - 1, 0)))
    return start, min(length, start + draw(st.integers(0, 200)))


def _cut(draw: Draw, body: bytes) -> bytes:
    start, end = _span(draw, len(body))
    return body[:start] + body[end:]


def _end(draw: Draw, body: bytes) -> bytes:
    end: int = draw(st.integers(0, len(body)))
    return body[:end]


def _repeat(draw: Draw, body: bytes) -> bytes:
    start, end = _span(draw, len(body))
    times: int = draw(st.integers(1, 30))
    return body[:end] + body[start:end] * times + body[end:]


def _plant(draw: Draw, body: bytes) -> bytes:
    place = draw(st.integers(0, len(body)))
    word: bytes = draw(st.sampled_from(WORDS))
    word *= draw(st.sampled_from((1, 1, 1, 2, 50)))
    return body[:place] + word + body[place:]


def _swap(draw: Draw, body: bytes) -> bytes:
    if not body:
        return body
    one, two = (draw(st.integers(0, len(body) - 1)) for _ in range(2))
    other = bytearray(body)
    other[one], other[two] = other[two], other[one]
    return bytes(other)


def _any_byte(draw: Draw, body: bytes) -> bytes:
    if not body:
        return body
    other = bytearray(body)
    other[draw(st.integers(0, len(body) - 1))] = draw(st.integers(0, 255))
    return bytes(other)


def _pieces(draw: Draw, body: bytes) -> bytes:
    """Move, drop, repeat or nest whole tags and texts."""
    pieces = _PIECES.findall(body)
    if len(pieces) < 2:
        return body
    one, two = (draw(st.integers(0, len(pieces) - 1)) for _ in range(2))
    how = draw(st.integers(0, 3))
    if how == 0:
        pieces[one], pieces[two] = pieces[two], pieces[one]
    elif how == 1:
        del pieces[one]
    elif how == 2:
        pieces[one] = pieces[one] * draw(st.integers(2, 100))
    else:
        low, high = sorted((one, two))
        pieces[low:low] = pieces[low:high]
    return b"".join(pieces)


def _encode(draw: Draw, body: bytes) -> bytes:
    text = body.decode("utf-8", "replace")
    encoding = draw(st.sampled_from(_ENCODINGS))
    if draw(st.booleans()):
        text = text.replace('"1.0"', f'"1.0" encoding="{encoding}"', 1)
    return text.encode(encoding, "replace")


def _value(draw: Draw, body: bytes) -> bytes:
    """Put an odd value in the place of one of a JSON document's."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return _plant(draw, body)
    places = list(_places(document))
    if not places:
        return body
    holder, key = draw(st.sampled_from(places))
    how = draw(st.integers(0, 2))
    if how == 0:
        holder[key] = draw(st.sampled_from(_VALUES))
    elif how == 1:
        holder[key] = [holder[key]] * draw(st.integers(0, 3))
    else:
        del holder[key]
    return json.dumps(document).encode()


def _places(value: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401 - what json gives
    """Return every (container, key) of a JSON document."""
    if not isinstance(value, dict | list):
        return []
    keys = list(value) if isinstance(value, dict) else range(len(value))
    found = [(value, key) for key in keys]
    for key in keys:
        found += _places(value[key])
    return found


_MUTATIONS: tuple[Mutation, ...] = (
    *(_cut, _end, _repeat, _plant, _plant, _swap, _any_byte),
    *(_pieces, _pieces, _encode, _value, _value),
)
