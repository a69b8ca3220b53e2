"""Prints what the benchmarks measured; writes nothing."""

from __future__ import annotations

import platform

import pytest

from tests.benchmarks.harness import Bench

BENCH = Bench()


@pytest.fixture
def bench() -> Bench:
    """Give the way to compare: ``bench(task, {way: call})``, baseline first."""
    return BENCH


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print one table for each task."""
    machine = f"Python {platform.python_version()}, {platform.machine()}"
    for comparison in BENCH.comparisons:
        terminalreporter.write_line("")
        terminalreporter.write_line(str(comparison))
    if BENCH.comparisons:
        terminalreporter.write_line(f"\n{machine}; ratio: the first row's median over")
        terminalreporter.write_line("this row's, in this run; above 1 is faster")
