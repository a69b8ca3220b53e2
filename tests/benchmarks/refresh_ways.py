"""One way to refresh many feeds, in a process of its own; prints what it cost.

python -m tests.benchmarks.refresh_ways ours PORT COUNT DELAY_MS FOLDER
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.benchmarks.feed_server import urls

#: A run for this day finds all entries of the feeds.
AS_OF = datetime(2026, 6, 20, tzinfo=UTC)


class Memory(threading.Thread):
    """Watches what this process and its children take, shared pages by share."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_kb = 0
        self.is_over = False

    def run(self) -> None:
        while not self.is_over:
            total = sum(map(_share_kb, family(Path("/proc/self").resolve().name)))
            self.peak_kb = max(self.peak_kb, total)
            time.sleep(0.25)


def family(pid: str) -> Iterator[str]:
    """Yield a process and its descendants."""
    yield pid
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from family(child)


def _share_kb(pid: str) -> int:
    with contextlib.suppress(OSError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


Round = Callable[[], int]


def ours(addresses: list[str], folder: Path) -> Round:
    """Our refresh, with its storage."""
    from newsletter.app import SystemClock  # noqa: PLC0415 - each way imports its own
    from newsletter.model import FetchSettings, SourceSettings  # noqa: PLC0415 - as above
    from newsletter.sources import make_source  # noqa: PLC0415 - as above
    from newsletter.sources.fetcher import HttpFetcher  # noqa: PLC0415 - as above
    from newsletter.storage import open_store  # noqa: PLC0415 - as above
    from newsletter.usecases.refresh import Refresh  # noqa: PLC0415 - as above

    store = open_store(f"sqlite:///{folder / 'ours.db'}", secret=b"bench")
    settings = FetchSettings(allow_private=("127.0.0.0/8",))
    refresh = Refresh(
        sources=[
            make_source(
                SourceSettings(
                    name=f"f{n}",
                    kind="feed",
                    url=url,
                    first_days=100.0,
                    interval=timedelta(0),
                )
            )
            for n, url in enumerate(addresses)
        ],
        states=store.sources,
        entries=store.entries,
        fetcher=HttpFetcher(settings, clock=SystemClock(), pace=store.pace),
        clock=SystemClock(),
    )

    def run() -> int:
        report = refresh.run(AS_OF)
        assert all(source.ok for source in report.sources), report.sources[:3]
        return report.new

    return run


def sequential(addresses: list[str], folder: Path) -> Round:
    """Requests and feedparser, one feed after the other; nothing is stored."""
    import feedparser  # noqa: PLC0415 - each way imports its own
    import requests  # noqa: PLC0415 - as above

    del folder
    session = requests.Session()
    session.trust_env = False
    known: dict[str, str] = {}

    def run() -> int:
        new = 0
        for url in addresses:
            tag = {"If-None-Match": known[url]} if url in known else {}
            answer = session.get(url, headers=tag, timeout=10)
            if answer.status_code == 304:
                continue
            known[url] = answer.headers["ETag"]
            kind = {"content-type": answer.headers["Content-Type"]}
            found = feedparser.parse(io.BytesIO(answer.content), response_headers=kind)
            new += len(found.entries)
        return new

    return run


def reader(addresses: list[str], folder: Path) -> Round:
    """lemon24/reader with its storage, 8 workers."""
    from reader import make_reader  # noqa: PLC0415 - each way imports its own

    known = make_reader(str(folder / "reader.db"))
    for url in addresses:
        known.add_feed(url)

    def run() -> int:
        # Its own rule leaves feeds out that were asked within the hour.
        found = known.update_feeds_iter(workers=8)
        return sum(result.updated_feed.new for result in found if result.updated_feed)

    return run


WAYS = {"ours": ours, "sequential": sequential, "reader": reader}


def main() -> None:
    """Do one cold and one unchanged round; print seconds, entries and peak memory."""
    warnings.simplefilter("ignore")
    way, port, count, delay_ms, folder = sys.argv[1:]
    addresses = list(urls(int(port), int(count), delay_ms=int(delay_ms)))
    run = WAYS[way](addresses, Path(folder))
    memory = Memory()
    memory.start()
    started = time.perf_counter()
    new = run()
    cold = time.perf_counter()
    assert run() == 0
    unchanged = time.perf_counter()
    memory.is_over = True
    print(  # noqa: T201 - what the bench reads
        json.dumps(
            {
                "new": new,
                "cold_s": cold - started,
                "unchanged_s": unchanged - cold,
                "peak_mb": memory.peak_kb / 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
