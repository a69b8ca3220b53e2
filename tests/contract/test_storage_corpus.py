"""Real documents, stored: what is one story stays one, and no day is a flood."""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from newsletter.errors import ParseError
from newsletter.model import Listing, PutReport, Request, Response, SourceSettings
from newsletter.ports import Shown
from newsletter.sources import make_source
from newsletter.storage import Store, migrate, open_store
from newsletter.storage.schema import listings
from tests.support.corpus import Publisher, Row, load_publisher

DAY = timedelta(days=1)
Feed = tuple[Listing, ...]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return an empty store; what is tested here is no database's own."""
    url = f"sqlite:///{tmp_path / 'newsletter.db'}"
    migrate(url)
    with_tables = open_store(url, secret=b"a secret of the tests")
    yield with_tables
    with_tables.close()


def source(name: str, kind: str, max_new: int = 2000) -> SourceSettings:
    return SourceSettings(
        name=name,
        kind=kind,
        url="https://example.org/feed",
        max_new=max_new,
        first_days=9999,
    )


def read(
    settings: SourceSettings, body: bytes, at: datetime, day: date | None = None
) -> tuple[Listing, ...]:
    response = Response(
        request=Request(source=settings.name, url=settings.url, day=day),
        status=200,
        headers={"content-type": "application/json" if day else "application/xml"},
        body=body,
        seen_at=at,
        final_url=settings.url,
    )
    return make_source(settings).parse(response).listings


def put(
    store: Store, settings: SourceSettings, shown: Sequence[Listing], at: datetime
) -> PutReport:
    state = store.sources.find([settings.name])[settings.name]
    poll = Shown(
        source=settings, listings=shown, seen_at=at, first=state.first_ok_at is None
    )
    (report,) = store.entries.put([poll], as_of=at)
    store.sources.save([replace(state, first_ok_at=at, last_ok_at=at)])
    return report


def end_of(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59), tzinfo=UTC)


def thinned(publisher: Publisher) -> Publisher:
    """Return the site with all papers that both archives have, and some others."""
    papers = {str(row["id"]) for rows in publisher.papers.values() for row in rows}
    arxiv: dict[date, list[Row]] = defaultdict(list)
    for day, rows in publisher.arxiv.items():
        # What came on a Saturday goes to Friday's list, which stands till Monday.
        listed = day - max(0, day.weekday() - 4) * DAY
        arxiv[listed] += [
            row for n, row in enumerate(rows) if str(row["id"]) in papers or n % 20 == 0
        ]
    lately = {d: rows for d, rows in publisher.papers.items() if d >= date(2026, 4, 1)}
    return replace(publisher, arxiv=arxiv, papers=lately)


def test_each_paper_of_two_archives_is_one_entry_and_no_day_is_a_flood(
    shared: Path, store: Store
) -> None:
    publisher = thinned(load_publisher(shared / "corpus" / "papers.jsonl.gz"))
    hf, arxiv = source("hf", "huggingface"), source("arxiv", "feed")
    held = 0
    for day in sorted({*publisher.papers, *publisher.arxiv}):
        at = publisher.now = end_of(day)
        if publisher.papers.get(day):
            shown = read(hf, publisher.daily(day), at, day)
            held += put(store, hf, shown, at).held
        if publisher.arxiv.get(day):
            shown = read(arxiv, publisher.atom(), at)
            held += put(store, arxiv, shown, at).held
    assert held == 0
    sites = sites_of(publisher)
    assert sites[2] == 437
    each = select(func.count(listings.c.id)).group_by(listings.c.entry_id)
    with store.database.read() as connection:
        assert Counter(connection.scalars(each)) == sites


def sites_of(publisher: Publisher) -> Counter[int]:
    """Return how many papers are in one archive, and how many in both."""
    found: dict[str, set[int]] = {}
    for site, days in enumerate((publisher.papers, publisher.arxiv)):
        for row in (row for rows in days.values() for row in rows):
            found.setdefault(str(row["id"]), set()).add(site)
    return Counter(len(sites) for sites in found.values())


def test_a_weekends_repeats_of_arxivs_list_bring_nothing_new(
    shared: Path, store: Store
) -> None:
    feed = source("arxiv", "arxiv")
    reports: dict[str, PutReport] = {}
    for path in sorted((shared / "corpus" / "raw_arxiv_daily").iterdir()):
        at = end_of(date.fromisoformat(path.name[:10]))
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        items = "".join(
            f"<item><guid>oai:arXiv.org:{row['id']}v1</guid><link>{row['abs']}</link>"
            f"<title>{n}</title><description>{row['id']}</description></item>"
            for n, row in enumerate(rows)
        )
        body = f'<rss version="2.0"><channel>{items}</channel></rss>'.encode()
        reports[path.name[5:10]] = put(store, feed, read(feed, body, at), at)
    new = {day: report.new for day, report in reports.items()}
    assert new == {"05-14": 278, "05-15": 251, "05-16": 89, "05-17": 0, "05-18": 228}


def test_a_podcast_of_nine_links_stays_as_many_entries_as_items(
    shared: Path, store: Store
) -> None:
    path = shared / "wire" / "feeds_podcast" / "rssparser_itunes-missing-image.rss"
    podcast = source("podcast", "feed")
    at = end_of(date(2026, 5, 4))
    shown = read(podcast, path.read_bytes(), at)
    assert len({one.url for one in shown}) == 9
    # Two of 131 share a guid and are two episodes all the same.
    assert len({one.guid for one in shown}) == 130
    assert put(store, podcast, shown, at).new == 131
    again = put(store, podcast, shown, at + DAY)
    assert (again.new, again.known, again.renamed) == (0, 131, 0)
    moved = [replace(one, guid=f"new-{one.title}") for one in shown]
    again = put(store, podcast, moved, at + DAY)
    assert (again.new, again.known, again.renamed) == (0, 131, 131)


def test_twelve_days_of_one_real_feed_have_no_false_alarm(
    shared: Path, store: Store
) -> None:
    daily = source("daily", "feed")
    new = []
    for path in sorted((shared / "wire" / "huggingface_daily_rss").glob("2026-*.xml")):
        at = end_of(date.fromisoformat(path.stem))
        report = put(store, daily, read(daily, path.read_bytes(), at), at)
        assert (report.held, report.renamed) == (0, 0)
        new.append(report.new)
    assert new == [42, 29, 47, 37, 29, 29, 0, 0, 26, 49, 35, 29]


def real_feeds(shared: Path, at: datetime) -> Iterator[tuple[SourceSettings, Feed]]:
    """Yield every real feed that can be read, each as a source of its own."""
    for folder in ("feeds_atom", "feeds_json_feed", "feeds_podcast", "feeds_rss"):
        for path in sorted((shared / "wire" / folder).iterdir()):
            settings = source(path.name, "feed")
            # Some are there to be refused.
            with suppress(ParseError):
                yield settings, read(settings, path.read_bytes(), at)


@pytest.mark.long
def test_real_feeds_that_grow_are_no_floods_and_those_that_move_are_known(
    shared: Path, store: Store
) -> None:
    at = end_of(date(2026, 5, 4))
    total: Counter[str] = Counter()
    for settings, items in real_feeds(shared, at):
        # Ten at a time, as a feed shows its newest.
        growing = sorted(items, key=lambda one: one.listed_at)
        for last in range(1, len(growing) + 1):
            report = put(store, settings, growing[max(0, last - 10) : last], at)
            total += Counter(new=report.new, held=report.held, renamed=report.renamed)
        moved = [
            replace(one, guid=one.guid and f"moved-{n}") for n, one in enumerate(items)
        ]
        report = put(store, settings, moved, at + DAY)
        total += Counter(items=len(items), moved_new=report.new, moved=report.renamed)
    assert total["items"] > 1400
    assert total["held"] == 0
    # One podcast gives two episodes one guid: a window that shows but one of
    # them calls it by that, one that shows both by more.
    assert total["renamed"] == 2
    assert total["new"] == total["items"]
    # One item says too little to be known by.
    assert total["moved_new"] == 1
