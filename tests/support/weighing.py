"""How much memory fetches take: run in a process of its own.

    python -m tests.support.weighing http://127.0.0.1:1/small http://…

Fetches the first address as a base, then each of the others, and prints as JSON
by how many bytes the most that was ever used has grown, and what was said.
"""

from __future__ import annotations

import json
import re
import resource
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from newsletter.model import FetchSettings, Request, SourceSettings
from newsletter.ports import PollJob
from newsletter.sources import make_source
from newsletter.sources.fetcher import HttpFetcher

_NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Noon:
    """A clock that stands."""

    def now(self) -> datetime:
        return _NOW


def most_used() -> int:
    """Return the most bytes that this process has had in memory.

    Not by getrusage where there is a better way: on Linux that begins with
    what the process had that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert found is not None
        return int(found[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def fetch(url: str) -> tuple[str, ...]:
    """Return what a fetch of *url* complains of."""
    settings = FetchSettings(timeout_s=2, allow_private=(urlsplit(url).netloc,))
    source = make_source(SourceSettings(name="s", kind="feed", url=url))
    job = PollJob(source=source, requests=(Request(source="s", url=url),))
    (poll,) = HttpFetcher(settings, clock=Noon()).poll([job], as_of=_NOW)
    return tuple(failure.reason for failure in poll.failures)


def main(base: str, *urls: str) -> None:
    fetch(base)
    before = most_used()
    found = {}
    for url in urls:
        said = fetch(url)
        found[url] = {"grown": most_used() - before, "said": said}
    print(json.dumps(found))  # noqa: T201 - what the caller reads


if __name__ == "__main__":
    main(*sys.argv[1:])
