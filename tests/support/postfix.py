"""A private Postfix on a free loopback port, which delivers into Maildirs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: How long it may take to deliver what it has taken.
PATIENCE_S = 60


def why_not() -> str | None:
    """Say why there can be no Postfix here; None: there can."""
    if shutil.which("postfix", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        return "there is no postfix"
    return None if os.geteuid() == 0 else "Postfix must be started by root"


@dataclass(frozen=True, slots=True, kw_only=True)
class Postfix:
    """A running server; everything for ``*@example.net`` is in one Maildir."""

    port: int
    folder: Path

    def mails(self, number: int) -> list[bytes]:
        """Return what was delivered, as soon as it is *number* mails."""
        give_up = time.monotonic() + PATIENCE_S
        while len(files := list(self.folder.glob("mail/all/new/*"))) < number:
            assert time.monotonic() < give_up, f"{len(files)} of {number} arrived"
            time.sleep(0.1)
        return [file.read_bytes() for file in files]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def postfix(script: Path, folder: Path) -> Iterator[Postfix]:
    """Start a server by *script* (``start|stop DIR PORT``), and end it.

    Its parts run under other names than ours, so *folder* must be one that
    everybody may enter.
    """
    port = free_port()
    _call(script, "start", str(folder), str(port))
    try:
        yield Postfix(port=port, folder=folder)
    finally:
        _call(script, "stop", str(folder))


def _call(script: Path, *arguments: str) -> None:
    # To a file, not a pipe: the server keeps it open and we would wait for ever.
    subprocess.run(  # noqa: S603 - a script beside the project
        ["/bin/bash", str(script), *arguments],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=60,
    )
