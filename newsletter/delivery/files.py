"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import re
from pathlib import Path

#: ``.<name>.<process id>.tmp``
_TEMPORARY = re.compile(r"\..+\.(\d+)\.tmp")

#: A mail, or its page to read.
_OURS = re.compile(r"[0-9a-f]{32}\.(?:eml|html)")


def write_whole(target: Path, content: bytes) -> None:
    """Write *target* so that it is there whole, or as it was before.

    That the new name is on the disk too needs ``sync_folder``, once for a
    batch.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
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
    pid = int(found[1])
    if pid == os.getpid():
        # A process writes one file at a time, and is not writing now.
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return False


def clear_outbox(folder: Path) -> None:
    """Remove every mail and page that an outbox has written, and nothing else."""
    for day in folder.glob("????-??-??"):
        for file in day.iterdir():
            if _OURS.fullmatch(file.name):
                file.unlink(missing_ok=True)
        if not any(day.iterdir()):
            day.rmdir()
    (folder / "index.html").unlink(missing_ok=True)
