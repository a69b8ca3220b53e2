"""The coverage gates: what they let through and what they name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import gates

REPOSITORY = Path(__file__).resolve().parents[2]
PURE = "pack/pure.py"
OTHER = "pack/other.py"


def measured(
    percent: float = 100.0,
    lines: tuple[int, ...] = (),
    branches: tuple[tuple[int, int], ...] = (),
) -> dict[str, Any]:
    """Return what a report says of one file."""
    return {
        "summary": {"percent_covered": percent},
        "missing_lines": list(lines),
        "missing_branches": [list(branch) for branch in branches],
    }


def judge(files: dict[str, dict[str, Any]], total: float = 99.0) -> list[str]:
    """Judge *files*, of which pack.pure must be covered whole."""
    report = {"files": files, "totals": {"percent_covered": total}}
    return gates.failures(report, ("pack.pure",), 95.0)


def test_what_is_covered_passes() -> None:
    assert not judge({PURE: measured(), OTHER: measured(20.0, (1, 2))})


@pytest.mark.parametrize("file", [PURE, "pack/pure/part.py"])
@pytest.mark.parametrize(
    ("gap", "named"),
    [
        (measured(99.9, (7,)), "lines 7"),
        (measured(99.9, (), ((7, -1),)), "branches 7->-1"),
    ],
)
def test_a_pure_stage_is_covered_whole(
    file: str, gap: dict[str, Any], named: str
) -> None:
    (said,) = judge({PURE: measured(), file: gap})
    assert said.startswith(f"{file}: must be covered whole")
    assert said.endswith(named)


def test_a_similar_name_is_another_module() -> None:
    assert not judge({PURE: measured(), "pack/purer.py": measured(10.0, (1,))})


def test_a_stage_that_was_not_measured_does_not_pass() -> None:
    assert judge({OTHER: measured()}) == ["pack.pure: no file of it was measured"]


def test_the_whole_has_a_gate_that_names_who_is_below() -> None:
    said = judge({PURE: measured(), OTHER: measured(20.0, (1, 2))}, 94.9)
    assert said[0].startswith("all: 94.90 % is below 95 %")
    assert said[1:] == ["  pack/other.py: 20.0 %, lines 1, 2"]


def test_the_pure_stages_are_those_of_the_contract() -> None:
    whole = gates.whole_modules(REPOSITORY / "pyproject.toml")
    assert {"newsletter.matching", "newsletter.mime", "newsletter.storage"} <= {*whole}
