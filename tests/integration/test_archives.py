"""Paged archives over real sockets: arXiv's query interface, weeks of Daily Papers."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

from newsletter.model import FetchSettings, Listing, Poll, SourceSettings, SourceState
from newsletter.polling import next_state
from newsletter.ports import PollJob
from newsletter.sources import make_source
from newsletter.sources.fetcher import HttpFetcher
from tests.support.arxiv import Archive
from tests.support.web import Answer, Asked, HttpServer

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class FixedClock:
    def now(self) -> datetime:
        return NOW


def polled(
    server: HttpServer, settings: SourceSettings, state: SourceState | None = None
) -> tuple[Poll, SourceState]:
    """Ask a source once; return the poll, and what is remembered of it."""
    source = make_source(settings)
    known = state or SourceState(name=settings.name)
    fetcher = HttpFetcher(
        FetchSettings(allow_private=(server.host,)), clock=FixedClock()
    )
    job = PollJob(source=source, requests=source.requests(known, NOW))
    (poll,) = fetcher.poll([job], as_of=NOW)
    return poll, next_state(source.settings, known, poll, started_at=NOW, now=NOW)


def listed(poll: Poll) -> list[Listing]:
    pages = [reading.page for reading in poll.readings if reading.page]
    return [listing for page in pages for listing in page.listings]


def test_a_search_is_read_over_pages_one_of_them_empty(http_server: HttpServer) -> None:
    archive = Archive.daily(NOW - DAY / 4, days=40, a_day=30)
    archive.empty = Counter({40: 1})
    http_server.routes["/api/query"] = archive.answer
    settings = SourceSettings(
        name="arxiv",
        kind="arxiv",
        url=f"{http_server.url}/api/query?search_query=cat:cs.RO&max_results=40",
    )
    poll, state = polled(http_server, settings)
    assert archive.asked == [(0, 40), (40, 40), (40, 40), (80, 40)]
    assert poll.failures == ()
    assert len({paper.guid for paper in listed(poll)}) == len(listed(poll)) == 90
    assert (state.first_ok_at, state.complete_day) == (NOW, None)
    asked = http_server.requests[0].query
    assert (asked["sortBy"], asked["sortOrder"]) == ("submittedDate", "descending")


def test_a_search_whose_first_page_stays_empty_has_not_begun(
    http_server: HttpServer,
) -> None:
    archive = Archive.daily(NOW - DAY / 4, days=1, a_day=5)
    archive.empty = Counter({0: 9})
    http_server.routes["/api/query"] = archive.answer
    settings = SourceSettings(
        name="arxiv",
        kind="arxiv",
        url=f"{http_server.url}/api/query?search_query=cat:cs.RO",
    )
    poll, state = polled(http_server, settings)
    assert "arXiv counts 5 papers and shows none of them" in poll.failures[0].reason
    assert state.first_ok_at is None
    assert state.last_error


def test_a_month_of_daily_papers_is_read_to_its_last_page(
    http_server: HttpServer,
) -> None:
    rows = [
        {"paper": {"id": f"2605.{n:05}", "title": f"Paper {n}", "upvotes": n}}
        for n in range(230)
    ]

    def month(asked: Asked) -> Answer:
        if asked.query["month"] != "2026-05":
            return 400, {}, b'{"error": "Invalid month"}'
        start = int(asked.query["p"]) * 100
        shown = rows[start : start + int(asked.query["limit"])]
        return 200, {"ETag": f'"{start}"'}, json.dumps(shown).encode()

    http_server.routes["/api/daily_papers"] = month
    settings = SourceSettings(
        name="hf",
        kind="huggingface",
        url=f"{http_server.url}/api/daily_papers",
        options={"by": "month"},
    )
    poll, state = polled(http_server, settings)
    assert poll.failures == ()
    assert [paper.votes for paper in listed(poll)] == list(range(230))
    assert {paper.listed_at for paper in listed(poll)} == {NOW}
    # May is not over.
    assert state.complete_day is None
