"""Measures several ways of one task side by side.

The ways take turns, so that what else the machine does falls on all alike.
Figures are medians; a ratio is against the first way, measured in the same run.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter

#: At least so many turns, however long they take.
TURNS = 7
#: A turn repeats a way until it lasts at least this long.
TURN_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What one way costs."""

    way: str
    median_s: float
    #: The fastest and the slowest turn.
    least_s: float
    most_s: float
    #: The baseline's median over this one's: above 1 is faster.
    ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One task, done in several ways; the first is the baseline."""

    task: str
    figures: tuple[Figure, ...]

    def __str__(self) -> str:
        """Return a table."""
        width = max(len(figure.way) for figure in self.figures)
        head = (
            f"{'':{width}}  {'median':>10}  {'least':>10}  {'most':>10}  {'ratio':>6}"
        )
        rows = [
            f"{f.way:{width}}  {_spelt(f.median_s)}  {_spelt(f.least_s)}"
            f"  {_spelt(f.most_s)}  {f.ratio:6.2f}"
            for f in self.figures
        ]
        return "\n".join([self.task, head, *rows])


def _spelt(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e3)):
        if seconds * scale >= 1:
            return f"{seconds * scale:7.2f} {unit:>2}"
    return f"{seconds * 1e6:7.1f} µs"


def compare(task: str, ways: Mapping[str, Callable[[], object]]) -> Comparison:
    """Measure every one of *ways*, the baseline first."""
    # The first call fills caches and tells how often a turn must repeat.
    repeats = {way: max(1, round(TURN_S / _once(run, 1))) for way, run in ways.items()}
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(TURNS):
        for way, run in ways.items():
            taken[way].append(_once(run, repeats[way]))
    base = median(next(iter(taken.values())))
    return Comparison(
        task=task,
        figures=tuple(
            Figure(
                way=way,
                median_s=median(times),
                least_s=min(times),
                most_s=max(times),
                ratio=base / median(times),
            )
            for way, times in taken.items()
        ),
    )


def _once(run: Callable[[], object], repeats: int) -> float:
    """Return the seconds that one call takes, over *repeats* of them."""
    gc.collect()
    started = perf_counter()
    for _ in range(repeats):
        run()
    return (perf_counter() - started) / repeats


@dataclass(slots=True)
class Bench:
    """Collects comparisons, to be printed at the end."""

    comparisons: list[Comparison] = field(default_factory=list)

    def __call__(self, task: str, ways: Mapping[str, Callable[[], object]]) -> None:
        """Compare *ways*, the baseline first."""
        self.comparisons.append(compare(task, ways))
