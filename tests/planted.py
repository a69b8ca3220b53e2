"""Do the tests of the engine notice mistakes? ``python -m tests.planted``.

Each mistake is planted in a copy of the package, and the comparison with the
reference evaluator run there; one that it does not notice is a hole in it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
CHECK = ("tests/support/exactness.py", "tests/support/made_up.py")


@dataclass(frozen=True, slots=True)
class Bug:
    """A mistake: in a module of matching, one text in the place of another."""

    name: str
    module: str
    right: str
    wrong: str
    #: Which way of ranking is compared.
    ranker: str = "plain"


BUGS = (
    Bug(
        "AND is OR",
        "compiling",
        "if isinstance(query, Or) is not inverted:",
        "if True:",
    ),
    Bug(
        "NOT is nothing",
        "compiling",
        "self._edges(query.operand, inverted=not inverted)",
        "self._edges(query.operand, inverted=inverted)",
    ),
    Bug("mutes are forgotten", "compiling", "    if muted:\n", "    if False:\n"),
    Bug(
        "gates are all of one level",
        "compiling",
        "1 + max(below, default=0)",
        "1",
    ),
    Bug(
        "a term occurs in any field",
        "finding",
        "batch.texts.use_field[at] & book.fields[leaf]",
        "batch.texts.use_field[at]",
    ),
    Bug(
        "phrases end at two words",
        "finding",
        "range(2, self.book.longest + 1)",
        "range(2, min(self.book.longest, 2) + 1)",
    ),
    Bug(
        "phrases go on in the next text",
        "finding",
        "inside = at + length - 1 < end",
        "inside = at + length - 1 < len(self.tokens)",
    ),
    Bug(
        "phrases that end in a prefix are not looked for",
        "finding",
        "            yield self._begun(at[head], states[head], length)\n",
        "",
    ),
    Bug(
        "long phrases have no opening",
        "keys",
        "if place == OPENING:",
        "if place == OPENING - 1:",
    ),
    Bug(
        "ties go to the later entry", "batch", "(entries, -listed", "(-entries, -listed"
    ),
    Bug("enough votes are too few", "working", "votes >= few", "votes > few"),
    Bug("repeats are shown again", "working", "own & ~gone", "own"),
    Bug(
        "blocks are joined by score alone",
        "working",
        "np.lexsort((tie, -score, primary, row))",
        "np.lexsort((tie, -score, row))",
    ),
    Bug("weights are rounded first", "scoring", "/ WEIGHT_UNITS", "// WEIGHT_UNITS"),
    Bug(
        "what has no gain never matches",
        "ranking",
        "np.concatenate([packed, nothing])",
        "packed",
    ),
    Bug(
        "the last interest is named",
        "engine",
        "return np.where(found < len(edges), found, -1)",
        "return np.where(found < len(edges), np.diff(ptr)[rows] - 1, -1)",
    ),
    Bug(
        "the worst come first",
        "kernel",
        "is_better = one < first[above]",
        "is_better = one > first[above]",
        ranker="compiled",
    ),
    Bug(
        "gains of one row stay for the next",
        "kernel",
        "            sums[met[place]] = 0\n",
        "",
        ranker="compiled",
    ),
)


def notices(bug: Bug | None, folder: Path) -> str:
    """Plant *bug* in a copy in *folder*; return what the comparison says, or "".

    Raises:
        ValueError: The text to replace is not there once.
    """
    shutil.copytree(
        REPOSITORY / "newsletter",
        folder / "newsletter",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for name in CHECK:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, folder / name)
    if bug is not None:
        file = folder / "newsletter/matching" / f"{bug.module}.py"
        text = file.read_text("utf-8")
        if text.count(bug.right) != 1:
            raise ValueError(f"{bug.name}: {bug.right!r} is not once in {file.name}")
        file.write_text(text.replace(bug.right, bug.wrong), "utf-8")
    ranker = bug.ranker if bug else "plain"
    # Uncompiled: compiling takes longer than so few decisions.
    decisions = "40000" if ranker == "plain" else "8000"
    done = subprocess.run(  # noqa: S603 - this interpreter, our own module
        [
            *(sys.executable, "-m", "tests.support.exactness"),
            *("--decisions", decisions, "--ranker", ranker),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = (done.stdout + done.stderr).strip().splitlines()
    return said[0][:100] if done.returncode else ""


def main(names: Sequence[str]) -> int:
    """Plant all bugs, or those named; return the exit code."""
    missed = 0
    for bug in BUGS:
        if names and bug.name not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            said = notices(bug, Path(folder))
        missed += not said
        sys.stdout.write(f"{bug.name:50} {said or 'NOT NOTICED'}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
