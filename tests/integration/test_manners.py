"""Politeness by the server's log: what it gets over days, restarts and refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from time import monotonic

import pytest

from newsletter.model import FetchSettings, SourceSettings
from newsletter.sources import make_source
from newsletter.sources.fetcher import HttpFetcher
from newsletter.storage import Store, open_store
from newsletter.usecases.refresh import Refresh, RefreshReport
from tests.support.web import Answer, Asked, HttpServer

START = datetime(2026, 5, 4, 0, 0, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
FEED = (
    b'<rss version="2.0"><channel><title>Lab</title><item><title>Mamba</title>'
    b"<guid>1</guid></item></channel></rss>"
)


@dataclass(slots=True)
class Hand:
    """A clock whose hand a test moves."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at


@dataclass(frozen=True, slots=True)
class Newsletter:
    """The refresh of one newsletter over its own database, begun anew at each run."""

    folder: Path
    server: HttpServer
    paths: tuple[str, ...] = ("/feed.xml",)
    clock: Hand = field(default_factory=Hand)
    spacing_s: float = 0.0

    @contextmanager
    def store(self) -> Iterator[Store]:
        store = open_store(f"sqlite:///{self.folder / 'n.db'}", secret=b"s")
        try:
            yield store
        finally:
            store.close()

    def run(self) -> RefreshReport:
        with self.store() as store:
            sources = [
                SourceSettings(name=f"s{n}", kind="feed", url=self.server.url + path)
                for n, path in enumerate(self.paths)
            ]
            settings = FetchSettings(
                allow_private=(self.server.host,), spacing_s=self.spacing_s
            )
            return Refresh(
                sources=[make_source(source) for source in sources],
                states=store.sources,
                entries=store.entries,
                fetcher=HttpFetcher(settings, clock=self.clock, pace=store.pace),
                clock=self.clock,
            ).run(self.clock.at)


def answering(status: int, body: bytes = b"", **headers: str) -> Callable[..., Answer]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: (status, named, body)


def cached(asked: Asked) -> Answer:
    """Answer as a server with an ETag and an hour's cache does."""
    said = {"ETag": '"v1"', "Cache-Control": "max-age=3600"}
    if asked.headers.get("If-None-Match") == '"v1"':
        return 304, said, b""
    return 200, said, FEED


@pytest.mark.parametrize("every", [20 * MINUTE, HOUR])
def test_a_feed_with_an_hours_cache_gets_a_request_an_hour_over_restarts(
    tmp_path: Path, http_server: HttpServer, every: timedelta
) -> None:
    http_server.routes["/feed.xml"] = cached
    newsletter = Newsletter(tmp_path, http_server)
    while newsletter.clock.at < START + 48 * HOUR:
        newsletter.run()
        newsletter.clock.at += every
    # A request in each hour, though runs are a little early or late; never more.
    assert 44 <= len(http_server.requests) <= 48
    first, *later = http_server.requests
    assert "If-None-Match" not in first.headers
    assert all(asked.headers["If-None-Match"] == '"v1"' for asked in later)


def test_a_host_that_says_429_gets_no_request_before_the_time_it_names(
    tmp_path: Path, http_server: HttpServer
) -> None:
    http_server.routes["/feed.xml"] = answering(429, Retry_After="7200")
    http_server.routes["/other.xml"] = answering(200, FEED)
    newsletter = Newsletter(tmp_path, http_server)
    newsletter.run()
    assert [asked.path for asked in http_server.requests] == ["/feed.xml"]
    # A second source of the same host, new since, is not asked either.
    both = Newsletter(
        tmp_path, http_server, ("/feed.xml", "/other.xml"), newsletter.clock
    )
    said = ""
    for _ in range(23):
        both.clock.at += 5 * MINUTE
        said += str(both.run())
    assert len(http_server.requests) == 1
    assert "has asked us to wait until 2026-05-04 02:00 UTC" in said
    both.clock.at = START + 2 * HOUR
    both.run()
    assert {a.path for a in http_server.requests[1:]} >= {"/feed.xml"}
    both.clock.at += 24 * HOUR
    http_server.routes["/feed.xml"] = answering(200, FEED)
    assert all(source.ok for source in both.run().sources)


def test_after_429_the_other_requests_of_a_poll_are_not_made(
    tmp_path: Path, http_server: HttpServer
) -> None:
    http_server.routes["/api"] = answering(429)
    with open_papers(tmp_path, http_server) as refresh:
        (report,) = refresh.run(START).sources
    assert len(http_server.requests) == 1
    assert "answers 429" in report.warnings[0]
    assert len(report.warnings) <= 2


@contextmanager
def open_papers(folder: Path, server: HttpServer) -> Iterator[Refresh]:
    """Open the refresh of a source that asks for several days at once."""
    store = open_store(f"sqlite:///{folder / 'n.db'}", secret=b"s")
    settings = SourceSettings(name="hf", kind="huggingface", url=f"{server.url}/api")
    fetch = FetchSettings(allow_private=(server.host,))
    yield Refresh(
        sources=[make_source(settings)],
        states=store.sources,
        entries=store.entries,
        fetcher=HttpFetcher(fetch, clock=Hand(), pace=store.pace),
        clock=Hand(),
    )
    store.close()


def test_an_address_that_moved_for_good_is_asked_directly_after_three_polls(
    tmp_path: Path, http_server: HttpServer
) -> None:
    http_server.routes["/feed.xml"] = answering(301, Location="/new.xml")
    http_server.routes["/new.xml"] = answering(200, FEED)
    newsletter = Newsletter(tmp_path, http_server)

    def paths() -> list[str]:
        http_server.requests.clear()
        newsletter.clock.at += HOUR
        said.append(newsletter.run().sources[0].warnings)
        return [asked.path for asked in http_server.requests]

    said: list[tuple[str, ...]] = []
    assert [paths() for _ in range(3)] == [["/feed.xml", "/new.xml"]] * 3
    moved = f"moved for good to {http_server.url}/new.xml, which is asked from now on"
    assert (said[0], said[1]) == ((), ())
    assert said[2][0].startswith(moved)
    assert [paths(), paths()] == [["/new.xml"], ["/new.xml"]]
    assert said[3] == ()
    # When that ends, the first address says what is true now.
    http_server.routes["/new.xml"] = answering(404)
    http_server.routes["/feed.xml"] = answering(200, FEED)
    assert paths() == ["/new.xml"]
    newsletter.clock.at += HOUR
    assert paths() == ["/feed.xml"]


def test_a_feed_that_is_gone_is_asked_no_more_and_said_to_be_gone(
    tmp_path: Path, http_server: HttpServer
) -> None:
    http_server.routes["/feed.xml"] = answering(410)
    newsletter = Newsletter(tmp_path, http_server)
    (report,) = newsletter.run().sources
    assert "it is not asked any more; look for its new address" in report.warnings[1]
    for _ in range(10):
        newsletter.clock.at += 24 * HOUR
        assert newsletter.run().sources == ()
    assert len(http_server.requests) == 1
    # Another address in the configuration begins anew.
    http_server.routes["/b.xml"] = answering(200, FEED)
    other = Newsletter(tmp_path, http_server, ("/b.xml",), newsletter.clock)
    assert other.run().sources[0].ok


def test_failures_wait_longer_each_time_and_a_broken_source_stays_named(
    tmp_path: Path, http_server: HttpServer
) -> None:
    http_server.routes["/feed.xml"] = answering(500)
    newsletter = Newsletter(tmp_path, http_server)
    asked: list[float] = []
    for minutes in range(0, 48 * 60, 30):
        newsletter.clock.at = START + minutes * MINUTE
        before = len(http_server.requests)
        report = newsletter.run()
        if len(http_server.requests) > before:
            asked.append(minutes / 60)
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    assert len(gaps) >= 4
    assert all(b >= 1.2 * a for a, b in pairwise(gaps))
    (waiting,) = report.sources
    assert waiting.broken
    assert not waiting.asked
    assert "answers 500" in waiting.warnings[0]


def test_requests_to_one_host_are_kept_apart(
    tmp_path: Path, http_server: HttpServer
) -> None:
    arrived: list[float] = []

    def note(_: Asked) -> Answer:
        arrived.append(monotonic())
        return 200, {}, FEED

    paths = tuple(f"/{n}.xml" for n in range(4))
    http_server.routes.update(dict.fromkeys(paths, note))
    Newsletter(tmp_path, http_server, paths, spacing_s=0.2).run()
    gaps = [b - a for a, b in pairwise(sorted(arrived))]
    assert len(gaps) == 3
    assert min(gaps) > 0.1


def test_who_we_are_and_what_we_take_is_said_with_every_request(
    tmp_path: Path, http_server: HttpServer
) -> None:
    http_server.routes["/feed.xml"] = cached
    Newsletter(tmp_path, http_server).run()
    headers: Mapping[str, str] = http_server.requests[0].headers
    assert headers["User-Agent"] == "newsletter"
    assert "gzip" in headers["Accept-Encoding"]
    assert "Cookie" not in headers
