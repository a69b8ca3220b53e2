"""The engine finds what the reference finds: a million decisions, ten at length."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from newsletter.matching.engine import Ranker
from newsletter.matching.kernel import IS_COMPILED, rank_compiled
from newsletter.matching.ranking import rank_plainly
from tests.support.exactness import compare

RANKERS = [
    "plain",
    pytest.param(
        "compiled",
        marks=pytest.mark.skipif(not IS_COMPILED, reason="numba is not installed"),
    ),
]
CHECK = ("-m", "tests.support.exactness")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - this interpreter, our own module
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def decided(decisions: int, seed: int, ranker: str, stem: str) -> str:
    """Compare in a process of its own; return what it says last."""
    # Not measured: so many decisions would take minutes.
    done = run(
        *(*CHECK, "--decisions", str(decisions)),
        *("--seed", str(seed), "--ranker", ranker, "--stem", stem),
        COVERAGE_PROCESS_CONFIG="",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(("seed", "stem"), [(1, "none"), (2, "en")])
@pytest.mark.parametrize("ranker", RANKERS)
def test_a_million_decisions(ranker: str, seed: int, stem: str) -> None:
    made, _, rest = decided(250_000, seed, ranker, stem).partition(" ")
    assert rest == "decisions, 0 differ\n"
    assert int(made) >= 250_000


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 110))
@pytest.mark.parametrize("ranker", RANKERS)
def test_ten_million_decisions(ranker: str, seed: int) -> None:
    stem = ("none", "en", "de")[seed % 3]
    made, _, rest = decided(500_000, seed, ranker, stem).partition(" ")
    assert rest == "decisions, 0 differ\n"
    assert int(made) >= 500_000


@pytest.mark.parametrize("ranker", [rank_plainly, rank_compiled])
def test_some_decisions_in_this_process(ranker: Ranker) -> None:
    made, wrong = compare(5000, seed=3, ranker=ranker)
    assert not wrong
    assert made >= 5000


def test_the_compiled_way_is_the_same_uncompiled() -> None:
    # NumPy warns where whole numbers wrap; nothing here may.
    done = run(
        *("-W", "error", *CHECK, "--decisions", "3000", "--ranker", "compiled"),
        NUMBA_DISABLE_JIT="1",
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_without_numba_numpy_ranks() -> None:
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "from newsletter.matching import engine, ranking\n"
        "assert engine.RANKER is ranking.rank_plainly\n"
        "from tests.support.exactness import main\n"
        "sys.exit(main(['--decisions', '300', '--ranker', 'compiled']))"
    )
    done = run("-c", code)
    assert done.returncode == 0, done.stdout + done.stderr
