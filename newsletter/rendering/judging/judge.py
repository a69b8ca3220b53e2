"""Start the process that judges a theme, and read its verdict."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from newsletter.accepting import Fault, Severity, ThemeVerdict, error
from newsletter.errors import ThemeError
from newsletter.rendering.themes import Theme

#: Seconds by the clock for a check that takes 2 of CPU. A busy machine may need
#: more than an idle one; what takes longer says nothing about the theme.
PATIENCE_S = 30.0
_NEEDED = ("PATH", "PYTHON", "LANG", "LC_", "LD_LIBRARY_PATH", "TMPDIR")
_CHILD = "newsletter.rendering.judging.child"
_ROOT = Path(__file__).resolve().parents[3]


def judge(theme: Theme) -> ThemeVerdict:
    """Return what a process of its own, with limits, finds in *theme*."""
    given = {
        "name": theme.name,
        "hash": theme.hash,
        "language": theme.language,
        "images": theme.images,
        "files": dict(theme.files),
    }
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", _CHILD],
            input=json.dumps(given),
            env=_environment(os.environ),
            cwd=_ROOT,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _unfinished(theme, f"the check took over {PATIENCE_S:.0f} seconds")
    return _verdict(theme, done)


def refused(name: str, exc: ThemeError) -> ThemeVerdict:
    """Return the verdict on a theme that cannot even be read."""
    what, _, cure = str(exc).rpartition("; ")
    said = what or cure
    place = f"{exc.file}, line {exc.line}: " if exc.line else f"{exc.file}: "
    fault = error(
        said.removeprefix(place),
        cure if what else "correct it",
        file=exc.file,
        line=exc.line,
    )
    return ThemeVerdict(theme=name, theme_hash="", faults=(fault,))


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what an interpreter needs to start: no secret, no setting of ours."""
    kept = {k: v for k, v in environ.items() if k.startswith(_NEEDED)}
    paths = [str(_ROOT), *filter(None, [environ.get("PYTHONPATH")])]
    return {**kept, "PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8"}


def _verdict(theme: Theme, done: subprocess.CompletedProcess[str]) -> ThemeVerdict:
    faults: list[Fault] = []
    at, is_done = "starting", False
    for line in done.stdout.splitlines():
        word, *said = json.loads(line)
        if word == "fault":
            severity, file, number, what, cure = said
            faults.append(
                Fault(
                    severity=Severity(severity),
                    file=file,
                    line=number,
                    what=what,
                    cure=cure,
                )
            )
        elif word == "at":
            at = said[0]
        is_done = is_done or word == "done"
    if not is_done:
        stopped = _stopped(done.returncode, at)
        if stopped is None:
            last = done.stderr.strip().rpartition("\n")[2]
            return _unfinished(theme, f"the check failed while {at}: {last}")
        faults.append(stopped)
    return ThemeVerdict(theme=theme.name, theme_hash=theme.hash, faults=tuple(faults))


def _stopped(code: int, at: str) -> Fault | None:
    """Return what a process did that a limit has killed; None: it was not that."""
    if code not in {-signal.SIGKILL, -signal.SIGXCPU, -signal.SIGSEGV, -signal.SIGABRT}:
        return None
    return error(
        f"the theme was stopped while {at}: it takes too much time or memory",
        "look for a loop without end, or a very long text",
        file=None,
    )


def _unfinished(theme: Theme, why: str) -> ThemeVerdict:
    fault = error(why, "try again when the machine is less busy", file=None)
    return ThemeVerdict(
        theme=theme.name, theme_hash=theme.hash, faults=(fault,), is_final=False
    )
