"""What other readers' suites expect of feeds, and what ours reads.

A unit is one field of one entry of one file that the expected result has. It
agrees, or a rule explains it, or it is wrong. A rule is a convention: what is
kept, not what is understood. The files are not ours, and are read where they
are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from newsletter.errors import ParseError
from newsletter.model import Listing, Request, Response, SourceSettings
from newsletter.sources.dates import instant_of_date
from newsletter.sources.json_feed import is_json, parse_json_feed
from newsletter.sources.lenient import read_leniently
from newsletter.sources.syndication import Item, guid_of, items_of, read_syndicated
from newsletter.text import clean_names, clean_text, split_authors

#: Where each file is said to come from; the suites use files of their own.
BASE = "http://feeds.example.org/data/"
SEEN = datetime(2100, 1, 1, tzinfo=UTC)
SETTINGS = SourceSettings(name="suite", kind="feed", url=BASE)
FIELDS = ("title", "link", "id", "date", "summary", "authors", "categories")
SUITES = ("gofeed", "feed-rs", "podcastparser")
#: feed-rs makes an id by hashing where a feed has none.
_MADE_UP = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f-]{27}")

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """What our reader makes of one entry, in a suite's fields."""

    title: str = ""
    link: str | None = None
    id: str | None = None
    date: datetime | None = None
    summary: str = ""
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    #: Files that come with it.
    files: tuple[str, ...] = ()
    #: All texts that it has, the summary first.
    texts: tuple[str, ...] = ()
    #: Both dates, as they are.
    dates: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One field of one entry, and how it fared."""

    suite: str
    file: str
    entry: int
    field: str
    expected: Any
    ours: Any
    #: "agree", "wrong", or the name of a rule.
    verdict: str = ""


Reads = Callable[[bytes, str], list[Ours]]


# --- what we read ---------------------------------------------------------------


def read(
    body: bytes, name: str, headers: Mapping[str, str] | None = None
) -> list[Ours]:
    """Return what our reader makes of a document.

    Raises:
        ParseError: It cannot be read.
    """
    response = _answer(body, name, headers or {})
    if is_json(body):
        return [
            _of_listing(row) for row in parse_json_feed(SETTINGS, response).listings
        ]
    document = read_syndicated(response)
    return [_of_item(item) for item in items_of(SETTINGS, response, document)]


def _answer(body: bytes, name: str, headers: Mapping[str, str]) -> Response:
    return Response(
        request=Request(source="suite", url=BASE + name),
        status=200,
        headers=headers,
        body=body,
        seen_at=SEEN,
        final_url=headers.get("content-location", BASE + name),
    )


def _of_item(item: Item) -> Ours:
    said = (item.item.published, item.item.updated)
    return Ours(
        title=item.text("title"),
        link=item.url(),
        id=guid_of(item.item.id),
        date=item.dates()[0],
        summary=item.summary(),
        authors=item.authors(),
        categories=item.categories(),
        files=tuple(k.href for k in item.item.links if k.rel == "enclosure"),
        texts=item.texts(),
        dates=tuple(date for raw in said if (date := instant_of_date(raw)) is not None),
    )


def _of_listing(row: Listing) -> Ours:
    return Ours(
        title=row.title,
        link=row.url,
        id=row.guid,
        date=row.published_at,
        summary=row.summary,
        authors=row.authors,
        categories=row.categories,
        texts=(row.summary,),
    )


def read_leniently_only(body: bytes, name: str) -> list[Ours]:
    """Return what the layer above makes of the lenient reader alone."""
    if is_json(body):
        return read(body, name)
    answer = _answer(body, name, {})
    document = read_leniently(body.lstrip())
    return [_of_item(item) for item in items_of(SETTINGS, answer, document)]


# --- what the suites expect -----------------------------------------------------


def _first_link(links: Sequence[Mapping[str, Any]] | None) -> str | None:
    for link in links or ():
        if link and (link.get("rel") or "alternate") == "alternate":
            return link.get("href")
    return None


def _people(rows: Sequence[Mapping[str, Any] | None] | None) -> list[str]:
    return [str(r.get("name") or r.get("email") or "") for r in rows or () if r]


def _gofeed(entry: Mapping[str, Any]) -> Values:
    """Return an entry of gofeed's: its RSS, its Atom and its common form."""
    guid = entry.get("guid", entry.get("id"))
    content = entry.get("content")
    categories = [
        row if isinstance(row, str) else row.get("term", row.get("value", ""))
        for row in entry.get("categories") or entry.get("tags") or ()
    ]
    author = entry.get("author")
    people = entry.get("authors") or ([author] if isinstance(author, dict) else None)
    return {
        "title": entry.get("title"),
        "link": entry.get("link", entry.get("url")) or _first_link(entry.get("links"))
        if not _is_strings(entry.get("links"))
        else entry.get("link"),
        "id": guid.get("value") if isinstance(guid, dict) else guid,
        "date": entry.get("publishedParsed")
        or entry.get("pubDateParsed")
        or entry.get("updatedParsed")
        or entry.get("date_published"),
        "summary": entry.get("description")
        or entry.get("summary")
        or (content.get("value") if isinstance(content, dict) else content)
        or entry.get("content_html"),
        "authors": author if isinstance(author, str) else _people(people),
        "categories": categories,
    }


def _is_strings(rows: Any) -> bool:  # noqa: ANN401 - JSON
    return bool(rows) and isinstance(rows[0], str)


def _feed_rs(entry: Mapping[str, Any]) -> Values:
    def text(row: Mapping[str, Any] | None, name: str = "content") -> Any:  # noqa: ANN401 - JSON
        return row.get(name) if row else None

    guid = entry.get("id") or ""
    return {
        "title": text(entry.get("title")),
        "link": _first_link(entry.get("links")),
        "id": None if _MADE_UP.fullmatch(guid) else guid,
        "date": entry.get("published") or entry.get("updated"),
        "summary": text(entry.get("summary")) or text(entry.get("content"), "body"),
        "authors": _people(entry.get("authors")),
        "categories": [row.get("term") for row in entry.get("categories") or ()],
    }


def _podcastparser(entry: Mapping[str, Any]) -> Values:
    published = entry.get("published")
    return {
        "title": entry.get("title"),
        "link": _moved(entry.get("link")),
        "id": _moved(entry.get("guid")),
        "date": datetime.fromtimestamp(published, UTC) if published else None,
        "summary": entry.get("description") or entry.get("description_html"),
    }


def _moved(address: str | None) -> str | None:
    return address.replace("file://tests/data/", BASE) if address else address


def pairs(folder: Path, suite: str) -> Iterator[tuple[Path, list[Values]]]:
    """Yield each document of a suite with its expected entries."""
    for expected in sorted((folder / suite).rglob("*.json")):
        stem = re.sub(r"(\.serde|_expected)?\.json$", "", expected.name)
        found = [
            expected.with_name(stem + ending)
            for ending in (".xml", ".rss", ".json")
            if expected.with_name(stem + ending).exists()
            and expected.with_name(stem + ending) != expected
        ]
        if not found:
            continue
        said = json.loads(expected.read_text("utf-8-sig"))
        reads = {"gofeed": _gofeed, "feed-rs": _feed_rs}.get(suite, _podcastparser)
        rows = said.get("items") or said.get("entries") or said.get("episodes") or ()
        yield found[0], [reads(row) for row in rows]


# --- where they meet ------------------------------------------------------------


def texts_of(raw: object) -> set[str]:
    """Return what a text may be, as HTML and as plain text."""
    return {clean_text(str(raw)), clean_text(str(raw), markup=True)}


def agrees(name: str, expected: Any, ours: Ours) -> bool:  # noqa: ANN401 - JSON
    """Tell whether one field is what was expected, both sides cleaned."""
    got = getattr(ours, name)
    if name in {"title", "summary"}:
        return got in texts_of(expected)
    if name == "link":
        return bool(got == linked(str(expected)))
    if name == "id":
        return bool(got == guid_of(str(expected)))
    if name == "date":
        return got is not None and got.replace(microsecond=0) == moment(expected)
    if name == "authors" and isinstance(expected, str):
        return bool(got == split_authors(expected))
    return bool(got == clean_names([str(row or "") for row in expected]))


def linked(raw: str) -> str | None:
    """Return an expected address as our reader writes addresses."""
    item = f"<item><link>{_escaped(raw)}</link></item>"
    document = f"<rss version='2.0'><channel>{item}</channel></rss>"
    return read(document.encode(), "link")[0].link


def _escaped(raw: str) -> str:
    return raw.replace("&", "&amp;").replace("<", "&lt;")


def moment(raw: Any) -> datetime | None:  # noqa: ANN401 - JSON
    """Return an expected date in whole seconds."""
    if isinstance(raw, datetime):
        return raw
    found = datetime.fromisoformat(raw)
    return found.astimezone(UTC).replace(microsecond=0)


# --- rules: conventions, each as narrow as it can be --------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A convention of ours that is not the suite's."""

    name: str
    sentence: str
    field: str
    #: (expected, ours) -> whether the two differ by nothing else.
    holds: Callable[[Any, Ours], bool]


def _is_split(expected: Any, ours: Ours) -> bool:  # noqa: ANN401 - JSON
    return len(expected) == 1 and ours.authors == split_authors(expected[0])


def _is_plus_keywords(expected: Any, ours: Ours) -> bool:  # noqa: ANN401 - JSON
    wanted = clean_names(expected)
    more = ours.categories[len(wanted) :]
    return bool(wanted) and ours.categories[: len(wanted)] == wanted and bool(more)


RULES: tuple[Rule, ...] = (
    Rule(
        name="id-as-written",
        sentence="An id is kept as it is written; it is not joined to the feed's"
        " address, since it would change when the feed moves.",
        field="id",
        holds=lambda expected, ours: (
            bool(ours.id)
            and "://" not in str(ours.id)
            and expected == BASE + str(ours.id)
        ),
    ),
    Rule(
        name="no-id-of-a-file",
        sentence="An item without an id has none; the address of its recording is not"
        " made one.",
        field="id",
        holds=lambda expected, ours: (
            ours.id is None and expected in {file.strip() for file in ours.files}
        ),
    ),
    Rule(
        name="no-link-of-a-word",
        sentence="An id stands in for a missing link only where it is an address of the"
        " web itself.",
        field="link",
        holds=lambda expected, ours: (
            ours.link is None and bool(ours.id) and expected == BASE + str(ours.id)
        ),
    ),
    Rule(
        name="no-title-of-a-file",
        sentence="A title that is missing is made of the text, never of the name of a"
        " recording.",
        field="title",
        holds=lambda expected, ours: (
            not ours.title
            and expected
            in {file.rpartition("/")[2].partition(".")[0] for file in ours.files}
        ),
    ),
    Rule(
        name="names-apart",
        sentence="One string that names several authors is several authors.",
        field="authors",
        holds=_is_split,
    ),
    Rule(
        name="keywords",
        sentence="Keywords of Media RSS and iTunes are categories too, after the"
        " others.",
        field="categories",
        holds=_is_plus_keywords,
    ),
)


# --- the verdict --------------------------------------------------------------------


def judged(unit: Unit, ours: Ours) -> Unit:
    """Return a unit with its verdict."""
    if agrees(unit.field, unit.expected, ours):
        return replace(unit, verdict="agree")
    for rule in RULES:
        if rule.field == unit.field and rule.holds(unit.expected, ours):
            return replace(unit, verdict=rule.name)
    return replace(unit, verdict="wrong")


def in_order(ours: list[Ours], expected: list[Values]) -> list[Ours]:
    """Return our entries in the order of the expected ones, by their titles.

    podcastparser sorts episodes by date. Only where both name the same titles,
    each once.
    """
    titles = [str(row.get("title")) for row in expected]
    by_title = {entry.title: entry for entry in ours}
    if len(by_title) == len(ours) and sorted(by_title) == sorted(titles):
        return [by_title[title] for title in titles]
    return ours


def units(folder: Path, suite: str, reads: Reads | None = None) -> Iterator[Unit]:
    """Yield every unit of one suite, judged.

    Args:
        folder: Where the suites are.
        suite: One of SUITES.
        reads: Reads a document; ours, where none is given.
    """
    for document, expected in pairs(folder, suite):
        try:
            ours = (reads or read)(document.read_bytes(), document.name)
        except ParseError:
            ours = []
        if suite == "podcastparser":
            ours = in_order(ours, expected)
        missing = [Ours()] * max(0, len(expected) - len(ours))
        rows = zip(expected, [*ours, *missing], strict=False)
        for number, (row, entry) in enumerate(rows):
            for name in FIELDS:
                said = row.get(name)
                if said in (None, "", []) or said == [""]:
                    continue
                unit = Unit(
                    suite=suite,
                    file=document.name,
                    entry=number,
                    field=name,
                    expected=said,
                    ours=getattr(entry, name),
                )
                yield judged(unit, entry)
