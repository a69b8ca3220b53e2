"""Kind files: JSON Lines, lists and folders of documents; packed ones."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.errors import FetchError, ParseError
from newsletter.model import (
    Listing,
    Page,
    Request,
    Response,
    SourceSettings,
    SourceState,
)
from newsletter.sources import KINDS
from newsletter.sources.files import Files
from newsletter.sources.unpacking import unpacked

SEEN = datetime(2026, 5, 29, 12, tzinfo=UTC)
ROW = {
    "id": "2605.28293",
    "title": "A\n title",
    "abstract": "Some text.",
    "authors": ["Ann Lee"],
    "categories": ["cs.LG"],
    "published": "2026-05-27",
    "listed": "2026-05-28",
    "upvotes": 12,
}
FEED = b"""<rss version="2.0"><channel><item><title>From a feed</title></item>
</channel></rss>"""
JSON_FEED = b"""{"version": "https://jsonfeed.org/version/1.1", "items": [
 {"id": "1", "title": "From a JSON feed"}]}"""


def packed(body: bytes) -> bytes:
    """Pack without the time, which would be in the names of tests."""
    return gzip.compress(body, mtime=0)


def parsed(body: bytes, name: str = "a.jsonl", **options: object) -> Page:
    settings = SourceSettings(name="x", kind="files", path="/a", options=options)
    assert list(KINDS["files"](settings)) == []
    answer = Response(
        request=Request(source="x", path=f"/a/{name}"),
        status=200,
        headers={},
        body=body,
        seen_at=SEEN,
    )
    return Files(settings).parse(answer)


def titles(page: Page) -> list[str]:
    return [listing.title for listing in page.listings]


def lines(*rows: object) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def test_a_row_is_read_whole_without_any_key() -> None:
    assert parsed(lines(ROW)).listings == (
        Listing(
            source="x",
            guid="2605.28293",
            title="A title",
            url="https://arxiv.org/abs/2605.28293",
            listed_at=datetime(2026, 5, 28, tzinfo=UTC),
            summary="Some text.",
            authors=("Ann Lee",),
            categories=("cs.LG",),
            identifiers=("2605.28293",),
            published_at=datetime(2026, 5, 27, tzinfo=UTC),
            votes=12,
        ),
    )


def test_other_names_are_said_as_for_a_json_api() -> None:
    row = {"doi": "10.1/a", "name": "B", "votes": 0, "upvotes": 9, "summary": "S"}
    (listing,) = parsed(lines(row), key="doi", title="name").listings
    assert (listing.title, listing.votes, listing.summary) == ("B", 0, "S")
    assert listing.listed_at == SEEN


def test_what_is_listed_later_waits_for_its_day() -> None:
    (later,) = parsed(lines({**ROW, "listed": "2026-06-30"})).listings
    assert later.listed_at == datetime(2026, 6, 30, tzinfo=UTC)
    (published,) = parsed(
        lines({**ROW, "listed": None, "published": "2026-06-30"})
    ).listings
    assert published.listed_at == SEEN


def test_a_line_that_is_none_is_named_with_its_number() -> None:
    body = b"\xef\xbb\xbf" + lines(ROW) + b"\n\n\xff\r\n[1]\n" + lines(ROW) + b"\r\n"
    page = parsed(body)
    assert titles(page) == ["A title", "A title"]
    assert [(r.place, r.reason) for r in page.rejected] == [
        (
            "line 3",
            "this is no JSON (it is not UTF-8); expected an object",
        ),
        ("line 4", "a list stands where an object was expected"),
    ]
    deep = b"[" * 100_000 + b"\n" + lines(ROW)
    assert "nested too deep" in parsed(deep).rejected[0].reason
    with pytest.raises(ParseError, match="none of 2 lines is JSON; line 1: this is no"):
        parsed(b"oops\noops")
    assert parsed(b"\n \n") == Page()


@pytest.mark.parametrize(
    ("name", "body", "found"),
    [
        ("a.jsonl", lines(ROW, ROW), ["A title", "A title"]),
        ("a.ndjson", lines(ROW), ["A title"]),
        ("a.JSONL.gz", lines(ROW), ["A title"]),
        ("a.json", lines(ROW, ROW), ["A title", "A title"]),
        ("a.json", json.dumps([ROW], indent=1).encode(), ["A title"]),
        ("a.json", JSON_FEED, ["From a JSON feed"]),
        ("a.json", FEED, ["From a feed"]),
        ("a.xml.gz", FEED, ["From a feed"]),
    ],
)
def test_a_document_is_read_as_what_it_is(
    name: str, body: bytes, found: list[str]
) -> None:
    assert titles(parsed(body, name)) == found


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("a.json", b"{oops}\n{}", "no JSON"),
        ("a.json", lines(ROW), "this is an object; expected a list"),
        ("a.json", b"[1", "no JSON"),
        ("a.txt", b"hello", "neither RSS nor Atom"),
        ("a.json", b"<html>", "an HTML page"),
    ],
)
def test_what_is_none_of_these_is_said(name: str, body: bytes, says: str) -> None:
    with pytest.raises(ParseError, match=says):
        parsed(body, name)


def test_rows_may_be_chosen() -> None:
    other = {**ROW, "title": "B", "source": "b"}
    body = lines({"rows": [ROW]}, other)
    page = parsed(lines(ROW, {}, other), only="source == 'b'")
    assert (titles(page), page.rejected) == (["B"], ())
    page = parsed(body, items="[].rows[]")
    assert titles(page) == ["A title"]
    document = json.dumps({"data": [ROW]}).encode()
    assert titles(parsed(document, "a.json", items="data")) == ["A title"]


def test_a_table_is_checked() -> None:
    def mistakes(**how: object) -> list[tuple[str, str]]:
        return list(KINDS["files"](SourceSettings(name="x", kind="files", **how)))  # type: ignore[arg-type] # any of its keys

    ((key, what),) = mistakes(url="https://example.org/a.jsonl")
    assert (key, what[:53]) == (
        "url",
        'a source of kind "files" is on this machine; expected',
    )
    ((key, what),) = mistakes(path="/a", options={"title": "a..b", "key": "id"})
    assert (key, "column 3" in what) == ("title", True)
    ((key, what),) = mistakes(path="/a", options={"next": "n"})
    assert key == "next"


def test_the_path_is_asked_for_whatever_is_known() -> None:
    source = Files(SourceSettings(name="x", kind="files", path="/a"))
    asked = source.requests(SourceState(name="x", last_ok_at=SEEN), SEEN)
    assert asked == (Request(source="x", path="/a"),)


# --- packed files -----------------------------------------------------------------


def test_a_packed_file_is_unpacked_whole() -> None:
    body = gzip.compress(b"one ") + gzip.compress(b"two") + b"\0" * 512
    assert unpacked(body, cap=7, name="a.gz") == b"one two"
    assert unpacked(b"", cap=7, name="a.gz") == b""


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            packed(b"12345678"),
            "a.gz is larger than 7 bytes when unpacked",
        ),
        (packed(b"1234") * 2, r"when unpacked \(fetch.max_bytes\)"),
        (packed(bytes(10**7)), "larger than 7 bytes"),
        (
            packed(b"1234")[:-5],
            "cannot be unpacked: its end is missing",
        ),
        (
            packed(b"1234") + b"more",
            "a.gz cannot be unpacked: .*header",
        ),
        (b"plain text", "a.gz cannot be unpacked: .*header"),
    ],
)
def test_a_packed_file_that_is_damaged_or_a_bomb_is_refused(
    body: bytes, says: str
) -> None:
    with pytest.raises(FetchError, match=says):
        unpacked(body, cap=7, name="a.gz")


def test_a_bomb_never_stands_in_memory() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(FetchError, match="larger than 1000 bytes"):
            unpacked(bomb, cap=1000, name="a.gz")
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_real_papers_are_all_read(shared: Path) -> None:
    file = shared / "corpus" / "papers.jsonl.gz"
    body = unpacked(file.read_bytes(), cap=100_000_000, name=str(file))
    some = body.splitlines()[::20]
    page = parsed(b"\n".join(some), "papers.jsonl")
    assert len(page.listings) == len(some) > 500
    assert not page.rejected
    assert all(p.identifiers and p.authors and p.summary for p in page.listings)
