"""A thousand feeds of 50 KB on a loopback server: whole refreshes, with storage.

Beside it, in the same run: requests and feedparser one feed after the other,
which store nothing, and lemon24/reader with its storage.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from time import process_time

from newsletter.app import SystemClock
from newsletter.model import (
    FetchSettings,
    Page,
    Request,
    Response,
    SourceSettings,
    SourceState,
)
from newsletter.ports import PollJob, Shown
from newsletter.sources.feed import Feed
from newsletter.sources.fetcher import HttpFetcher
from newsletter.sources.syndication import read_syndicated
from newsletter.storage import open_store
from tests.benchmarks.feed_server import feed, urls
from tests.benchmarks.harness import Bench, Comparison, Figure

FEEDS = 1000
#: Turns of all ways, one after the other; a feed far away waits long enough.
TURNS = 3
LATENCY_MS = 100
#: Feeds of which the parts are measured one by one.
PART = 200
NOW = datetime(2026, 6, 20, tzinfo=UTC)
BASE = "requests, feedparser, one by one; stored nowhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one way cost; see refresh_ways."""

    new: int
    cold_s: float
    unchanged_s: float
    peak_mb: float


@contextmanager
def server() -> Iterator[str]:
    """Run the server; yield its port."""
    with subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "tests.benchmarks.feed_server", str(FEEDS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def cost(way: str, port: str, folder: Path, delay_ms: int = 0) -> Cost:
    """Let a process of its own do one cold and one unchanged round."""
    home = Path(mkdtemp(prefix=f"{way}-{delay_ms}-", dir=folder))
    command = [sys.executable, "-m", "tests.benchmarks.refresh_ways", way, port]
    done = subprocess.run(  # noqa: S603 - our own module
        [*command, str(FEEDS), str(delay_ms), str(home)],
        capture_output=True,
        text=True,
        check=True,
    )
    return Cost(**json.loads(done.stdout))


def figure(way: str, seconds: Sequence[float], base: Sequence[float]) -> Figure:
    """Return a row: what *way* took each time, beside what the first one took."""
    return Figure(
        way=way,
        median_s=median(seconds),
        least_s=min(seconds),
        most_s=max(seconds),
        ratio=median(base) / median(seconds),
    )


def cold(costs: Sequence[Cost]) -> list[float]:
    return [one.cold_s for one in costs]


def unchanged(costs: Sequence[Cost]) -> list[float]:
    return [one.unchanged_s for one in costs]


def test_a_thousand_feeds(bench: Bench, tmp_path: Path) -> None:
    ways: dict[str, list[Cost]] = {"sequential": [], "ours": [], "reader": []}
    with server() as port:
        for _ in range(TURNS):
            for way, costs in ways.items():
                costs.append(cost(way, port, tmp_path))
        slow_base = [cost("sequential", port, tmp_path, LATENCY_MS)]
        slow = [cost("ours", port, tmp_path, LATENCY_MS)]
    base, ours, other = ways.values()
    assert len({one.new for one in (*base, *ours, *other, *slow_base, *slow)}) == 1
    peak_mb = max(one.peak_mb for one in ours)
    memory = f"refresh with storage; at its peak {peak_mb:.0f} MB in all processes"
    rows = (
        ("cold", cold(base), cold(ours), cold(other)),
        ("unchanged", unchanged(base), unchanged(ours), None),
        (f"cold, {LATENCY_MS} ms away", cold(slow_base), cold(slow), None),
        (
            f"unchanged, {LATENCY_MS} ms away",
            unchanged(slow_base),
            unchanged(slow),
            None,
        ),
    )
    for task, first, second, third in rows:
        figures = [figure(BASE, first, first), figure(memory, second, first)]
        if third is not None:
            figures.append(figure("lemon24/reader, 8 workers", third, first))
        bench.comparisons.append(
            Comparison(task=f"{FEEDS} feeds, {task}", figures=tuple(figures))
        )
    assert peak_mb < 200


def test_where_the_time_goes(bench: Bench, tmp_path: Path) -> None:
    """State what each part of a round costs, one process doing all of it."""
    settings = [
        SourceSettings(name=f"f{n}", kind="feed", url=f"https://f{n}.example.org/")
        for n in range(PART)
    ]
    answers = [_answer(n) for n in range(PART)]
    store = open_store(f"sqlite:///{tmp_path / 'parts.db'}", secret=b"bench")
    with server() as port:
        fetching = _seconds(lambda: _fetch(port))
    parsing = _seconds(lambda: [read_syndicated(answer) for answer in answers])
    pages: list[Page] = []
    whole = _seconds(
        lambda: pages.extend(map(Feed.parse, map(Feed, settings), answers))
    )
    shown = [
        Shown(source=source, listings=page.listings, seen_at=NOW, first=True)
        for source, page in zip(settings, pages, strict=True)
    ]
    storing = _seconds(
        lambda: [
            store.entries.put(shown[n : n + 50], as_of=NOW) for n in range(0, PART, 50)
        ]
    )
    store.close()
    parts = {
        "fetching": fetching,
        "parsing": parsing,
        "cleaning": whole - parsing,
        "storing": storing,
    }
    total = sum(parts.values())
    bench.comparisons.append(
        Comparison(
            task=f"{PART} feeds, processor time of each part; ratio: its whole over it",
            figures=tuple(
                figure(f"{name}, {100 * seconds / total:.0f} %", [seconds], [total])
                for name, seconds in parts.items()
            ),
        )
    )


def _answer(number: int) -> Response:
    url = f"https://f{number}.example.org/"
    return Response(
        request=Request(source=f"f{number}", url=url),
        status=200,
        headers={"content-type": "application/rss+xml"},
        body=feed(number),
        seen_at=NOW,
        final_url=url,
    )


def _fetch(port: str) -> None:
    jobs = [
        PollJob(source=Silent(number), requests=(Request(source="s", url=url),))
        for number, url in enumerate(urls(int(port), PART))
    ]
    settings = FetchSettings(allow_private=("127.0.0.0/8",))
    polls = HttpFetcher(settings, clock=SystemClock()).poll(jobs, as_of=NOW)
    assert all(poll.readings for poll in polls)


def _seconds(work: Callable[[], object]) -> float:
    """Return the processor time that *work* takes here, all threads together."""
    started = process_time()
    work()
    return process_time() - started


class Silent:
    """A source that reads nothing; of other processes it knows nothing either."""

    def __init__(self, number: int) -> None:
        self.settings = SourceSettings(name=f"f{number}", kind="feed", url="x")
        # A lambda cannot be sent away, so this is "read" here.
        self.stays = lambda: None

    def requests(self, state: SourceState, as_of: datetime) -> tuple[Request, ...]:
        raise NotImplementedError

    def parse(self, response: Response) -> Page:
        del response
        return Page()
