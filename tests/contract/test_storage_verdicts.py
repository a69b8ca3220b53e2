"""Verdicts on themes, kept by the hash of their files."""

from __future__ import annotations

from dataclasses import replace

from newsletter.accepting import CHECKER, ThemeVerdict, error, warning
from tests.contract.world import HOUR, NOW, World

FAULTS = (
    error('no "mj-foo" — naïve', "take it out", file="body.mjml.j2", line=7),
    warning("heavy", "make it smaller", file=None),
)
VERDICT = ThemeVerdict(theme="mine", theme_hash="a" * 64, faults=FAULTS)


def test_a_verdict_comes_back_as_it_was_kept(world: World) -> None:
    verdicts = world.store.verdicts
    assert verdicts.find("a" * 64, checker=CHECKER) is None
    verdicts.keep(VERDICT, at=NOW)
    assert verdicts.find("a" * 64, checker=CHECKER) == VERDICT
    assert verdicts.find("b" * 64, checker=CHECKER) is None


def test_a_verdict_is_that_of_one_version_of_the_checker(world: World) -> None:
    verdicts = world.store.verdicts
    verdicts.keep(VERDICT, at=NOW)
    assert verdicts.find("a" * 64, checker=CHECKER + 1) is None
    newer = replace(VERDICT, faults=(), checker=CHECKER + 1)
    verdicts.keep(newer, at=NOW)
    assert verdicts.find("a" * 64, checker=CHECKER) == VERDICT
    assert verdicts.find("a" * 64, checker=CHECKER + 1) == newer


def test_a_later_verdict_on_the_same_files_takes_the_place(world: World) -> None:
    verdicts = world.store.verdicts
    verdicts.keep(VERDICT, at=NOW)
    mended = replace(VERDICT, theme="renamed", faults=())
    verdicts.keep(mended, at=NOW + HOUR)
    assert verdicts.find("a" * 64, checker=CHECKER) == mended
