"""From due readers to ledger rows: by blocks over compiled profiles, or one by one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.harness import Bench, Comparison, Figure

ENTRIES = 1000
#: One by one, so many tell what one costs.
SAMPLE = 150
#: What 100,000 may take in memory.
MOST_BYTES = 450_000_000


def ran(what: str, file: Path, *numbers: int) -> dict[str, Any]:
    """Run a process of ``preparing``; return what it says."""
    command = [sys.executable, "-m", "tests.benchmarks.preparing", what, str(file)]
    done = subprocess.run(  # noqa: S603 - this Python, arguments of ours
        [*command, *map(str, numbers)], check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def figure(way: str, found: dict[str, Any], readers: int, base_s: float) -> Figure:
    """Return what a reader costs by *way*, against *base_s*."""
    each = found["wall_s"] / readers
    return Figure(
        way=way, median_s=each, least_s=each, most_s=each, ratio=base_s / each
    )


@pytest.mark.timeout(900)
@pytest.mark.parametrize("readers", [10_000, 100_000])
def test_due_readers_by_blocks_or_one_by_one(
    bench: Bench, tmp_path: Path, readers: int
) -> None:
    few, many = tmp_path / "few.db", tmp_path / "many.db"
    ran("fill", few, SAMPLE, ENTRIES)
    ran("fill", many, readers, ENTRIES)
    compiled = ran("compile", many)
    alone, blocks = ran("alone", few), ran("blocks", many)
    assert sum(alone["counts"].values()) == SAMPLE
    assert sum(blocks["counts"].values()) == readers
    assert blocks["peak"] < MOST_BYTES
    base_s = alone["wall_s"] / SAMPLE
    bench.comparisons.append(
        Comparison(
            task=f"a reader of {readers:,}, {ENTRIES:,} entries, a profile each;"
            f" by blocks {blocks['wall_s']:.1f} s ({blocks['cpu_s']:.1f} s of one"
            f" processor), at most {blocks['peak'] / 1e6:.0f} MB;"
            f" {blocks['counts'].get('prepared', 0):,} issues;"
            f" compiled before in {compiled['wall_s']:.1f} s",
            figures=(
                figure("one by one", alone, SAMPLE, base_s),
                figure("by blocks", blocks, readers, base_s),
            ),
        )
    )
