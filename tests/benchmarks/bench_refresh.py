"""A thousand feeds of 50 KB on a loopback server: whole refreshes, with storage.

Beside it, in the same run: requests and feedparser one feed after the other,
which store nothing, and lemon24/reader with its storage.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.harness import Bench, Comparison, Figure

FEEDS = 1000
LATENCY_MS = 100
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
    home = folder / f"{way}-{delay_ms}"
    home.mkdir()
    command = [sys.executable, "-m", "tests.benchmarks.refresh_ways", way, port]
    done = subprocess.run(  # noqa: S603 - our own module
        [*command, str(FEEDS), str(delay_ms), str(home)],
        capture_output=True,
        text=True,
        check=True,
    )
    return Cost(**json.loads(done.stdout))


def figure(way: str, seconds: float, base: float) -> Figure:
    return Figure(
        way=way,
        median_s=seconds,
        least_s=seconds,
        most_s=seconds,
        ratio=base / seconds,
    )


def test_a_thousand_feeds(bench: Bench, tmp_path: Path) -> None:
    with server() as port:
        base = cost("sequential", port, tmp_path)
        ours = cost("ours", port, tmp_path)
        other = cost("reader", port, tmp_path)
        slow_base = cost("sequential", port, tmp_path, LATENCY_MS)
        slow = cost("ours", port, tmp_path, LATENCY_MS)
    assert base.new == ours.new == other.new == slow.new
    memory = f"refresh with storage; at its peak {ours.peak_mb:.0f} MB in all processes"
    rows = (
        ("cold", base.cold_s, ours.cold_s, other.cold_s),
        ("unchanged", base.unchanged_s, ours.unchanged_s, None),
        (f"cold, {LATENCY_MS} ms away", slow_base.cold_s, slow.cold_s, None),
        (
            f"unchanged, {LATENCY_MS} ms away",
            slow_base.unchanged_s,
            slow.unchanged_s,
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
    assert ours.peak_mb < 200
