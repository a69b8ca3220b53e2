"""Documents that mean harm: words or entries, in time, and nothing else is read.

What a reader opens on its own would be a file here or this machine's server.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from newsletter.errors import ParseError
from newsletter.model import Page
from newsletter.sources.limits import MOST_LISTINGS
from tests.support.hostile import HostileServer, answer, says
from tests.support.storable import check, read

MARKER = "what-only-this-machine-knows"
#: No document of this size may take a reader so long.
MOST_SECONDS = 20.0
XML = '<?xml version="1.0"?>'
ITEM = "<item><title>{}</title><guid>1</guid></item>"
#: Ten times ten times …: a billion.
LAUGHS = "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol" * 4}">' for n in range(10)
)


def rss(items: str, head: str = XML) -> bytes:
    text = f'{head}<rss version="2.0"><channel><title>t</title>{items}</channel></rss>'
    return text.encode("utf-8", "surrogatepass")


def holding(element: str) -> bytes:
    """Return a feed of one item that has something beside its title."""
    return rss(f"<item><title>x</title>{element}</item>")


def one(title: str, doctype: str = "") -> bytes:
    return rss(ITEM.format(title), XML + doctype)


def declared(encoding: str) -> bytes:
    return rss(ITEM.format("x"), f'<?xml version="1.0" encoding="{encoding}"?>')


def tried(kind: str, body: bytes, **headers: str) -> Page | str:
    """Return what comes of *body*: a page that can be stored, or what was said."""
    started = time.monotonic()
    try:
        page = read(kind, body, **headers)
    except ParseError as error:
        return str(error) or pytest.fail("there are no words in it")
    finally:
        assert time.monotonic() - started < MOST_SECONDS
    check(page)
    return page


@pytest.fixture
def listening() -> Iterator[HostileServer]:
    """Give a server that no reader has any business with."""
    with HostileServer(says(answer(one(MARKER)))) as server:
        yield server


@pytest.fixture
def marked(tmp_path: Path) -> str:
    """Give the address of a file that no reader has any business with."""
    file = tmp_path / "passwd"
    # A feed: whoever takes an address for the document would read it as one.
    file.write_bytes(one(MARKER).removeprefix(XML.encode()))
    return file.as_uri()


OUTWARD: Mapping[str, bytes] = {
    "entity": one("a&x;b", '<!DOCTYPE r [<!ENTITY x SYSTEM "@">]>'),
    "public entity": one("a&x;b", '<!DOCTYPE r [<!ENTITY x PUBLIC "p" "@">]>'),
    "parameter entity": one(
        "a&e;b", '<!DOCTYPE r [<!ENTITY % x SYSTEM "@"> %x; <!ENTITY e "i">]>'
    ),
    "doctype": one("a", '<!DOCTYPE rss SYSTEM "@">'),
    "public doctype": one(
        "a", '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "@">'
    ),
    "include": one(
        '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="@" parse="text"/>'
    ),
    "include beside": rss(
        ITEM.format("a")
        + '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="@"/>'
    ),
    "style sheet": one("a", '<?xml-stylesheet type="text/xsl" href="@"?>'),
    "schema": rss(
        '<x xmlns:i="http://www.w3.org/2001/XMLSchema-instance" '
        'i:schemaLocation="urn:x @"/>' + ITEM.format("a")
    ),
    "attribute": rss(
        '<item><title>a</title><link href="&x;"/></item>',
        XML + '<!DOCTYPE r [<!ENTITY x SYSTEM "@">]>',
    ),
    "path": b"@",
}


@pytest.mark.parametrize("kind", ["feed", "arxiv"])
@pytest.mark.parametrize("name", OUTWARD)
def test_a_document_makes_nobody_read_another(
    kind: str, name: str, marked: str, listening: HostileServer
) -> None:
    path = marked.removeprefix("file://")
    for target in (marked, path, listening.url):
        found = tried(kind, OUTWARD[name].replace(b"@", target.encode()))
        # A title may hold the address as text; a file's content it cannot.
        assert MARKER not in repr(found)
    assert listening.wires == []


EXPANDING: Mapping[str, bytes] = {
    "billion laughs": one("&l9;", f"<!DOCTYPE r [{LAUGHS}]>"),
    "laughs in an attribute": rss(
        '<item><title>a</title><link href="&l9;"/></item>',
        f"{XML}<!DOCTYPE r [{LAUGHS}]>",
    ),
    "quadratic": one("&a;" * 50_000, f'<!DOCTYPE r [<!ENTITY a "{"a" * 100_000}">]>'),
    "itself": one("&a;", '<!DOCTYPE r [<!ENTITY a "&b;"><!ENTITY b "&a;">]>'),
    "parameters": one("a", '<!DOCTYPE r [<!ENTITY % a "&#37;a;"> %a;]>'),
}


@pytest.mark.parametrize("name", EXPANDING)
def test_entities_do_not_expand_without_bounds(name: str) -> None:
    found = tried("feed", EXPANDING[name])
    if isinstance(found, Page):
        assert all("lollol" not in listing.title for listing in found.listings)
        assert all(len(listing.title) <= 1_000 for listing in found.listings)


SHAPES: Mapping[str, bytes] = {
    "100,000 elements deep": one("<a>" * 100_000 + "x" + "</a>" * 100_000),
    "never closed": one("<a>" * 50_000),
    "never opened": one("</a>" * 50_000),
    "items in items": rss("<item>" * 20_000),
    "escaped elements": one("&lt;div&gt;" * 100_000 + "x"),
    "attributes": rss(
        "<item "
        + " ".join(f"a{n}='1'" for n in range(4_000))
        + "><title>x</title></item>"
    ),
    "categories": rss(
        "<item><title>x</title>"
        + "".join(f"<category>c{n}</category>" for n in range(4_000))
        + "</item>"
    ),
    "name spaces": rss(
        "".join(f'<item xmlns:n{n}="urn:{n}"/>' for n in range(2_000))
        + ITEM.format("x")
    ),
    "open comment": rss("<!--" + "-" * 1_000_000),
    "open section": rss("<![CDATA[" * 100_000),
    "instructions": rss("<?x y?>" * 50_000 + ITEM.format("x")),
    "angles": b"<" * 500_000,
    "ampersands": one("&" * 300_000),
    "a long word": one("w" * 5_000_000),
    "a long guid": holding(f"<guid>{'g' * 10**6}</guid>"),
    "a long link": rss(
        f"<item><title>x</title><link>http://{'a' * 10**6}</link></item>"
    ),
    "a long date": rss(
        f"<item><title>x</title><pubDate>{'1' * 10**5}</pubDate></item>"
    ),
    "many names": rss(
        f"<item><title>x</title><author>{'a, ' * 50_000}</author></item>"
    ),
    "open brackets": rss(
        f"<item><title>x</title><author>{'(' * 50_000}</author></item>"
    ),
    "braces": one("$" + "{" * 100_000),
    "dollars": one("$a" * 100_000),
}


@pytest.mark.parametrize("name", SHAPES)
def test_no_shape_of_a_document_keeps_a_reader(name: str) -> None:
    tried("feed", SHAPES[name])


ENCODINGS: Mapping[str, bytes] = {
    "NUL": one("a\0b"),
    "references to nothing": one("a&#0;b&#xd800;c&#x110000;d&#xffffffff;"),
    "halves of characters": one("a\ud800b"),
    "no UTF-8": one("QQ").replace(b"QQ", b"\xff\xfe\xc0\x80\xed\xa0\x80"),
    "UTF-16": one("é").decode().encode("utf-16"),
    "half of UTF-16": one("é").decode().encode("utf-16")[:-1],
    "no UTF-16": b"\xff\xfe<\x00?\x00\x00\xd8\x00\xd8",
    "UTF-32": one("é").decode().encode("utf-32"),
    "UTF-7": one("+ADw-script+AD4-").replace(b'"1.0"', b'"1.0" encoding="utf-7"'),
    "three marks": b"\xef\xbb\xbf" * 3 + one("x"),
    "a wrong mark": b"\xff\xfe" + one("x"),
    "controls": one("".join(map(chr, range(1, 32)))),
    "direction": one("\u202e\u2066x" * 1_000),
    **{
        f"declared {name}": one("x").replace(
            b'"1.0"', f'"1.0" encoding="{name}"'.encode()
        )
        for name in (
            "zlib",
            "base64",
            "rot13",
            "idna",
            "punycode",
            "unicode_escape",
            "undefined",
            "utf-16",
            "no-such",
            "../../etc/passwd",
            "x" * 10_000,
        )
    },
}


@pytest.mark.parametrize("kind", ["feed", "arxiv"])
@pytest.mark.parametrize("name", ENCODINGS)
def test_no_encoding_brings_what_cannot_be_stored(kind: str, name: str) -> None:
    tried(kind, ENCODINGS[name])


def test_a_charset_that_is_none_does_no_harm() -> None:
    for charset in ("zlib", "undefined", "utf-7", "x\0y", "é", "x" * 10_000):
        found = tried("feed", one("a"), content_type=f"text/xml; charset={charset}")
        assert isinstance(found, str | Page)


PAPER: Mapping[str, Any] = {"id": "2605.00001", "title": "One", "upvotes": 1}
JSON_FEED = b'{"version": "https://jsonfeed.org/version/1.1", "items": '

JSONS: Mapping[str, bytes] = {
    "10,000 lists deep": b"[" * 10_000 + b"]" * 10_000,
    "10,000 papers deep": b'[{"paper":' * 10_000,
    "10,000 objects deep": JSON_FEED + b'[{"id":' * 10_000 + b"1" + b"}]" * 10_000,
    "never closed": JSON_FEED + b"[" * 100_000,
    "digits": b'[{"paper": {"upvotes": ' + b"9" * 100_000 + b"}}]",
    "many digits of an id": JSON_FEED
    + b'[{"title": "x", "id": '
    + b"9" * 4_000
    + b"}]}",
    "half a character": JSON_FEED
    + rb'[{"title": "\ud800x\u0000", "id": "\udfff", "url": "http://\ud800.a.org/",'
    + rb'"image": "http://[::1", "tags": ["\ud800"], "language": "\ud800"},'
    + rb'{"id": "2", "content_html": "<b>\ud800</b>x"}]}',
    "an error": rb'{"error": "\ud800\u0000 x"}',
    "no UTF-8": b'[{"paper": "\xff\xfe"}]',
    "UTF-16": json.dumps([{"paper": PAPER}]).encode("utf-16"),
    "a mark": b"\xef\xbb\xbf" + json.dumps([{"paper": PAPER}]).encode(),
    "infinity": b'[{"paper": {"id": "2605.00001", "title": "x", "upvotes": 1e999}}]',
    "nothing": b"null",
    "empty": b"",
    "the same key": b'[{"paper": 1, "paper": 2, ' + b'"a": 1, ' * 100_000 + b'"b": 1}]',
    "many rows": b"[" + b"{}," * 200_000 + b"{}]",
}


@pytest.mark.parametrize("kind", ["huggingface", "feed", "arxiv"])
@pytest.mark.parametrize("name", JSONS)
def test_no_json_does_harm(kind: str, name: str) -> None:
    tried(kind, JSONS[name])


def test_votes_and_dates_beyond_all_are_kept_within_what_a_database_holds() -> None:
    paper = {
        **PAPER,
        "title": "\ud800One\0",
        "upvotes": int("9" * 4_000),
        "publishedAt": "0001-01-01T00:00:00+23:00",
        "submittedOnDailyAt": "9999-12-31T23:59:59.5-00:01",
    }
    found = tried("huggingface", json.dumps([{"paper": paper}]).encode())
    assert isinstance(found, Page)
    (listing,) = found.listings
    assert (listing.title, listing.votes) == ("One", 1_000_000_000)


def test_a_document_of_very_many_items_is_cut() -> None:
    rows = [{"id": n, "title": "x"} for n in range(MOST_LISTINGS + 2)]
    found = tried("feed", JSON_FEED + json.dumps(rows).encode() + b"}")
    assert isinstance(found, Page)
    assert len(found.listings) == MOST_LISTINGS
    assert found.rejected[-1].reason == "it and 1 more: over the limit of 20000"


@pytest.mark.parametrize(
    "item",
    [
        f"<item {' '.join(f'a{n}=1' for n in range(20_000))}><title>x</title></item>",
        f"<item><title>x</title>{'<category>c</category>' * 20_000}</item>",
    ],
    ids=["attributes", "categories"],
)
def test_what_is_not_well_formed_keeps_no_reader_either(item: str) -> None:
    found = tried("feed", rss(item + "<b"))
    assert isinstance(found, str)
    assert "too many attributes or categories" in found


def test_an_encoding_that_takes_hours_is_refused() -> None:
    body = declared("Punycode") + b"-" + b"a" * 1_000_000
    assert "punycode" in str(tried("feed", body))
    charset = "text/xml; charset=punycode"
    found = tried("feed", one("a") + b"-" + b"a" * 1_000_000, content_type=charset)
    assert isinstance(found, Page) or "punycode" in found


@pytest.mark.long
@pytest.mark.parametrize("item", ["<item/>", "<item><title>a</title></item>"])
def test_a_million_items_under_the_cap_do_no_harm(item: str) -> None:
    count = min(1_000_000, 9_900_000 // len(item))
    try:
        check(read("feed", rss(item * count)))
    except ParseError as error:
        assert str(error)  # noqa: PT017 - either will do
