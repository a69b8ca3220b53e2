"""What the linters cannot say about the house: clocks, sizes, reasons, the lock."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "newsletter"
FILES = sorted(PACKAGE.rglob("*.py"))
COMPOSITION_ROOT = PACKAGE / "app.py"
#: Deadlines may be kept where the waiting is done.
ADAPTERS = tuple(PACKAGE / name for name in ("sources", "storage", "delivery"))

WALL_CLOCKS = frozenset(
    "datetime.now datetime.utcnow datetime.today date.today time.time time.time_ns"
    " time.localtime time.gmtime time.ctime time.strftime time.clock_gettime".split()
)
MONOTONIC_CLOCKS = frozenset(
    "time.monotonic time.monotonic_ns time.perf_counter time.perf_counter_ns"
    " time.process_time".split()
)
FORBIDDEN_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "misc"})

REQUIREMENT = re.compile(r"^[a-z0-9-]+(?:\[[a-z]+\])?==[^ ]+(?: ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")
#: Silences of the linter and of the type checker, and the reason behind each.
SILENCE = re.compile(
    r"#\s*noqa(?::\s*[A-Z]+[0-9]+(?:, ?[A-Z]+[0-9]+)*(?P<noqa> - \S.*)?)?"
    r"|#\s*type:\s*ignore(?:\[[\w, -]+\](?P<ignore> # \S.*)?)?"
)


def names_of(tree: ast.Module) -> dict[str, str]:
    """Return what each imported name stands for, by its last two parts."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                # datetime.datetime is called datetime here, as most write it.
                known = {"datetime.datetime": "datetime", "datetime.date": "date"}
                found[alias.asname or alias.name] = known.get(whole, whole)
    return found


def clocks(source: str) -> Iterator[str]:
    """Yield every clock that *source* names, called or passed on."""
    tree = ast.parse(source)
    names = names_of(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            first, _, rest = ast.unparse(node).partition(".")
            spelt = f"{names.get(first, first)}.{rest}".strip(".")
            said = re.sub(r"^datetime\.(?=date(time)?\.)", "", spelt)
            if said in WALL_CLOCKS | MONOTONIC_CLOCKS:
                yield said


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from datetime import datetime\ndatetime.now()", ["datetime.now"]),
        ("import datetime\ndatetime.datetime.utcnow()", ["datetime.utcnow"]),
        ("import datetime as dt\ndt.date.today()", ["date.today"]),
        ("from datetime import datetime as d\nf(clock=d.now)", ["datetime.now"]),
        ("import time as t\nt.time()", ["time.time"]),
        ("from time import monotonic as m\nm()", ["time.monotonic"]),
        ("from datetime import datetime, time\ntime(7); datetime.min", []),
        ("clock.now(); self.time.time", []),
    ],
)
def test_a_clock_is_found_however_it_is_spelt(source: str, found: list[str]) -> None:
    assert list(clocks(source)) == found


def test_only_the_composition_root_reads_the_wall_clock() -> None:
    found = {
        f"{file.relative_to(REPOSITORY)}: {clock}"
        for file in FILES
        if file != COMPOSITION_ROOT
        for clock in clocks(file.read_text("utf-8"))
        if clock in WALL_CLOCKS
    }
    assert not found
    assert "datetime.now" in set(clocks(COMPOSITION_ROOT.read_text("utf-8")))


def test_only_adapters_keep_deadlines() -> None:
    found = {
        f"{file.relative_to(REPOSITORY)}: {clock}"
        for file in FILES
        if file != COMPOSITION_ROOT
        and not any(file.is_relative_to(adapter) for adapter in ADAPTERS)
        for clock in clocks(file.read_text("utf-8"))
        if clock in MONOTONIC_CLOCKS
    }
    assert not found


def function_sizes() -> dict[str, int]:
    """Return the lines of every function of the package; migrations are records."""
    return {
        f"{file.relative_to(REPOSITORY)}:{node.lineno} {node.name}": (
            (node.end_lineno or node.lineno) - node.lineno + 1
        )
        for file in FILES
        if file.parent.name != "versions"
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_functions_are_short() -> None:
    sizes = function_sizes()
    assert not {name: size for name, size in sizes.items() if size > 50}
    assert median(sizes.values()) < 10


def test_a_module_is_a_stage_or_a_thing() -> None:
    assert not [file for file in FILES if file.stem in FORBIDDEN_NAMES]


def test_every_silence_has_its_reason() -> None:
    folders = (PACKAGE, REPOSITORY / "tests", REPOSITORY / "docs")
    found = [
        f"{file.relative_to(REPOSITORY)}:{number}"
        for folder in folders
        for file in sorted(folder.rglob("*.py"))
        if file != Path(__file__)
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
        for silence in SILENCE.finditer(line)
        if not (silence["noqa"] or silence["ignore"])
    ]
    assert not found


def test_the_lock_pins_hashes_and_names_no_address() -> None:
    lines = (REPOSITORY / "requirements.lock").read_text("utf-8").splitlines()
    strange = [
        line for line in lines if not (REQUIREMENT.match(line) or HASH.match(line))
    ]
    assert not strange
    assert any(line.startswith("sqlalchemy==") for line in lines)
