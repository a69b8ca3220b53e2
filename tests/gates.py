"""How much the tests must cover: ``python -m tests.gates coverage.json``.

Pure stages (those of the import contract "pure") and storage: every line and
every branch, file by file. The package as a whole: 95 %.
"""

from __future__ import annotations

import json
import os
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support import postgres

OVERALL_PERCENT = 95.0
STORAGE = "newsletter.storage"


def whole_modules(pyproject: Path) -> tuple[str, ...]:
    """Return the modules and packages that must be covered whole."""
    tool = tomllib.loads(pyproject.read_text("utf-8"))["tool"]
    contracts = tool["importlinter"]["contracts"]
    pure = next(c["source_modules"] for c in contracts if c["id"] == "pure")
    return (*pure, STORAGE)


def is_within(file: str, module: str) -> bool:
    """Tell whether *file* is *module*, or a part of that package."""
    place = module.replace(".", "/")
    path = Path(file).as_posix()
    return path == f"{place}.py" or path.startswith(f"{place}/")


def gaps(found: Mapping[str, Any]) -> str:
    """Return what a file's tests never reached, in words."""
    lines = ", ".join(map(str, found["missing_lines"]))
    branches = ", ".join(f"{a}->{b}" for a, b in found["missing_branches"])
    parts = (lines and f"lines {lines}", branches and f"branches {branches}")
    return "; ".join(part for part in parts if part)


def failures(
    report: Mapping[str, Any], whole: tuple[str, ...], overall: float
) -> list[str]:
    """Return a sentence for each gate that *report* does not pass."""
    files = report["files"]
    found = [
        f"{file}: must be covered whole; never reached: {gaps(files[file])}"
        for file in sorted(files)
        if any(is_within(file, module) for module in whole) and gaps(files[file])
    ]
    empty = [m for m in whole if not any(is_within(file, m) for file in files)]
    found += [f"{module}: no file of it was measured" for module in empty]
    total = report["totals"]["percent_covered"]
    if total < overall:
        found.append(f"all: {total:.2f} % is below {overall:.0f} %; below it are:")
        found += [
            f"  {file}: {each['summary']['percent_covered']:.1f} %, {gaps(each)}"
            for file, each in sorted(files.items())
            if each["summary"]["percent_covered"] < overall
        ]
    return found


def main(argument: str) -> int:
    """Judge one report; return the exit code."""
    report = json.loads(Path(argument).read_text("utf-8"))
    whole = whole_modules(Path("pyproject.toml"))
    why_not = postgres.why_not()
    if why_not and not os.environ.get("CI"):
        # A part of storage runs on PostgreSQL only.
        sys.stdout.write(f"gates: storage is not judged here: {why_not}\n")
        whole = tuple(module for module in whole if module != STORAGE)
    found = failures(report, whole, OVERALL_PERCENT)
    total = report["totals"]["percent_covered"]
    verdict = "not passed:" if found else f"passed ({total:.2f} % over all)"
    sys.stdout.write("\n".join([f"gates: coverage {verdict}", *found]) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
