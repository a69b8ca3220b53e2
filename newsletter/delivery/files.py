"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

#: ``.<name>.<process id>.tmp``
_TEMPORARY = re.compile(r"\..+\.(\d+)\.tmp")

#: A mail, or its page to read.
_OURS = re.compile(r"[0-9a-f]{32}\.(?:eml|html)")


def write_whole(target: Path, content: bytes, *, durably: bool = True) -> None:
    """Write *target* so that it is there whole, or as it was before.

    That the new name is on the disk too needs ``sync_folder``, once for a
    batch.

    Args:
        target: A file, in a folder that is there.
        content: All of it.
        durably: Wait until the disk has it. Without, a power cut may take it:
            for what can be made again.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            if durably:
                file.flush()
                os.fdatasync(file.fileno())
        temporary.replace(target)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Put the names in *folder* on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def clear_left_over(folder: Path) -> None:
    """Remove what killed processes left half written, anywhere in *folder*."""
    for path in folder.rglob(".*.tmp"):
        if _is_left_over(path):
            path.unlink(missing_ok=True)


def _is_left_over(path: Path) -> bool:
    """Tell a temporary file whose writer is gone: another run may be at work."""
    found = _TEMPORARY.fullmatch(path.name)
    if found is None:
        return False
    # A process writes one file at a time, and this one is not writing now.
    return int(found[1]) == os.getpid() or not is_running(int(found[1]))


def is_running(pid: int) -> bool:
    """Tell whether a process is there, whoever's it is."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def clear_outbox(folder: Path) -> None:
    """Remove every mail and page that an outbox has written, and nothing else."""
    for contents in folder.glob("archive/*/contents.json"):
        shutil.rmtree(contents.parent)
    for day in folder.glob("????-??-??"):
        for file in day.iterdir():
            if _OURS.fullmatch(file.name):
                file.unlink(missing_ok=True)
        if not any(day.iterdir()):
            day.rmdir()
    (folder / "index.html").unlink(missing_ok=True)
