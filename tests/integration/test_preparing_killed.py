"""A preparation that is killed and run again: nobody is lost or served twice."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from random import Random
from shutil import copyfile

import pytest

from tests.support.crowd import DAY, HOUR, START, listings, opened, readers, rows, show

AT = START + DAY + 19 * HOUR


@pytest.fixture
def crowded(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a database with that many readers, most of whom are due."""
    chance = Random(5)  # noqa: S311 - the same every time
    file = tmp_path / "before.db"
    with opened(file) as store:
        show(store, listings(chance, START, 20, 0), START)
        specs = readers(chance, request.param, fills=False)
        store.subscribers.reconcile(specs, as_of=START, at=START)
        show(store, listings(chance, AT, 20, 20), AT)
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file


def started(file: Path, way: str) -> subprocess.Popen[str]:
    """Start a preparation; return when it is about to write."""
    process = subprocess.Popen(  # noqa: S603 - this Python, arguments of ours
        [
            sys.executable,
            "-m",
            "tests.support.preparing",
            str(file),
            AT.isoformat(),
            way,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def is_writing(raw: sqlite3.Connection) -> bool:
    """Tell whether another writes just now."""
    try:
        raw.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return True
    raw.execute("ROLLBACK")
    return False


def commits(raw: sqlite3.Connection) -> int:
    """Return a number that changes whenever another commits."""
    (number,) = raw.execute("PRAGMA data_version").fetchone()
    return int(number)


def killed(file: Path, way: str, after: int, *, within: bool) -> int:
    """Kill a preparation; return how many issues there are then.

    Args:
        file: The database.
        way: Which book weighs.
        after: So many commits come before, unless it ends earlier.
        within: Kill it within a transaction; else right after a commit.
    """
    process = started(file, way)
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as raw:
        seen, last = 0, commits(raw)
        while process.poll() is None:
            if seen >= after and (not within or is_writing(raw)):
                break
            if commits(raw) != last:
                seen, last = seen + 1, commits(raw)
        process.kill()
        process.communicate()
    assert process.returncode in {0, -signal.SIGKILL}
    return len(rows(file)["issues"])


def whole(file: Path, way: str) -> None:
    """Let a preparation run to its end."""
    said, _ = (process := started(file, way)).communicate()
    assert (said, process.returncode) == ("done\n", 0)


def check_killed(crowded: Path, way: str, times: int) -> None:
    """Kill at random points, then run to the end, and compare with a calm run."""
    calm = crowded.with_name("calm.db")
    copyfile(crowded, calm)
    whole(calm, way)
    expected = rows(calm)
    every = len(expected["issues"])
    assert every > 100
    chance = Random(2)  # noqa: S311 - the same every time
    cut = 0
    for number in range(times):
        file = crowded.with_name(f"killed-{number}.db")
        copyfile(crowded, file)
        within = number % 3 == 0
        left = killed(file, way, chance.randrange(1, 6), within=within)
        if number % 2:
            # Killed again: the run takes up what the last one left.
            left = killed(file, way, chance.randrange(1, 3), within=not within)
        cut += 0 < left < every
        whole(file, way)
        assert rows(file) == expected
    assert cut


@pytest.mark.parametrize("crowded", [500], indirect=True)
def test_a_killed_preparation_is_taken_up_again(crowded: Path) -> None:
    check_killed(crowded, "reference", 4)


@pytest.mark.long
@pytest.mark.parametrize("crowded", [5000], indirect=True)
def test_ten_killed_preparations_are_taken_up_again(crowded: Path) -> None:
    check_killed(crowded, "engine", 10)
