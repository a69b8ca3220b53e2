"""The comparison with the reference notices planted mistakes, every one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.planted import BUGS, Bug, notices


@pytest.mark.long
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_noticed(bug: Bug, tmp_path: Path) -> None:
    assert notices(bug, tmp_path)


@pytest.mark.long
def test_without_a_bug_nothing_is_noticed(tmp_path: Path) -> None:
    assert not notices(None, tmp_path)


def test_there_are_twelve_and_more() -> None:
    assert len({bug.name for bug in BUGS}) >= 12
