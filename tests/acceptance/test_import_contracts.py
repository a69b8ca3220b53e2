"""Who may know whom: each contract turns red on the import that it forbids."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LINT = Path(sysconfig.get_path("scripts")) / "lint-imports"
CONTRACTS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["tool"][
    "importlinter"
]["contracts"]
FORBIDDEN_TO_PURE = next(c["forbidden_modules"] for c in CONTRACTS if c["id"] == "pure")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """A line at the end of a file, and what the linter must say of it."""

    contract: str
    file: str
    line: str
    says: str


def planted(contract: str, file: str, module: str) -> Plant:
    """Return the plant of a plain import."""
    importer = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return Plant(
        contract=contract,
        file=file,
        line=f"import {module}",
        says=f"newsletter.{importer} -> {module}",
    )


PLANTS = (
    # A stage knows no adapter, no port and no other stage.
    planted("layers", "release.py", "newsletter.storage"),
    planted("layers", "release.py", "newsletter.ports"),
    planted("layers", "release.py", "newsletter.schedule"),
    # A use case knows ports, not adapters; an adapter knows no other adapter.
    planted("layers", "usecases/refresh.py", "newsletter.storage"),
    # What reads documents of feeds stays where they are read.
    planted("documents", "web/__init__.py", "lxml"),
    planted("documents", "usecases/refresh.py", "feedparser"),
    planted("layers", "delivery/outbox.py", "newsletter.config"),
    Plant(
        contract="layers",
        file="extra.py",
        line="",
        says="every child of every container must be declared as a layer",
    ),
    Plant(
        contract="usecases",
        file="usecases/refresh.py",
        line="import newsletter.usecases.members",
        says="newsletter.usecases.refresh -> newsletter.usecases.members",
    ),
    # Not even an import for types alone.
    Plant(
        contract="pure",
        file="release.py",
        line="if TYPE_CHECKING: import time",
        says="newsletter.release -> time",
    ),
    *(planted("pure", "release.py", module) for module in FORBIDDEN_TO_PURE),
    planted("sql", "cli/output.py", "sqlalchemy"),
    planted("sql", "usecases/look.py", "sqlite3"),
    planted("sql", "web/__init__.py", "alembic"),
    planted("sending", "assembling.py", "numpy"),
    planted("sending", "delivery/outbox.py", "scipy"),
    Plant(
        contract="sending",
        file="rendering/view.py",
        line="import newsletter.matching.grammar",
        says="newsletter.matching.grammar -> lark",
    ),
    planted("lark", "config/values.py", "lark"),
    Plant(
        contract="acyclic",
        file="storage/schema.py",
        line="if TYPE_CHECKING: import newsletter.storage.ledger",
        says="newsletter.storage",
    ),
)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Give a copy of the package and its contracts."""
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "newsletter", tmp_path / "newsletter", ignore=skip)
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    return tmp_path


def lint(folder: Path, *arguments: str) -> tuple[int, str]:
    """Return the linter's exit code and what it says."""
    # Not measured: the copy's files would count as never reached.
    environ = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}
    ended = subprocess.run(  # noqa: S603 - our own words, no shell
        [LINT, "--no-cache", *arguments],
        cwd=folder,
        env={**environ, "COLUMNS": "200"},
        capture_output=True,
        check=False,
        text=True,
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_every_contract_is_kept(copy: Path) -> None:
    code, said = lint(copy)
    assert (code, f"{len(CONTRACTS)} kept, 0 broken" in said) == (0, True), said


@pytest.mark.parametrize("plant", PLANTS, ids=lambda p: f"{p.contract}-{p.line}")
def test_a_forbidden_import_breaks_its_contract(plant: Plant, copy: Path) -> None:
    file = copy / "newsletter" / plant.file
    file.parent.mkdir(exist_ok=True)
    with file.open("a", encoding="utf-8") as stream:
        stream.write(f"\n{plant.line}\n")
    code, said = lint(copy, "--contract", plant.contract)
    assert code == 1, said
    assert "0 kept, 1 broken" in said
    assert plant.says in re.sub(r" +", " ", said)


def test_every_contract_has_its_plant() -> None:
    assert {plant.contract for plant in PLANTS} == {c["id"] for c in CONTRACTS}
