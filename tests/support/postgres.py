"""A private PostgreSQL server on a socket in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

#: PostgreSQL refuses to run as root: whom it may run as then.
_OTHER_USERS = ("postgres", "nobody")
#: Its data is thrown away: speed matters, a power cut does not.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "40",
}


def _binaries() -> Path | None:
    """Return the folder of initdb and postgres; None: not installed."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    found = [Path(on_path).parent] if on_path else []
    return next((p for p in (*debian, *found) if (p / "initdb").exists()), None)


def _other_user() -> pwd.struct_passwd | None:
    for name in _OTHER_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def why_not() -> str | None:
    """Return why no server can be started here; None: it can."""
    if _binaries() is None:
        return "PostgreSQL is not installed (no initdb)"
    if os.geteuid() == 0 and _other_user() is None:
        return f"PostgreSQL refuses root, and there is no user {_OTHER_USERS}"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cluster:
    """A data folder, and whose it is."""

    folder: Path
    binaries: Path
    #: None: ours.
    user: pwd.struct_passwd | None

    def start(self, name: str, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """Start one of PostgreSQL's programs; what it says goes to the log."""
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - a test's own server
                [self.binaries / name, *arguments],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                user=self.user.pw_uid if self.user else None,
                group=self.user.pw_gid if self.user else None,
                extra_groups=[] if self.user else None,
            )

    def fail(self, what: str) -> RuntimeError:
        """Return an error that tells what PostgreSQL said."""
        return RuntimeError(f"{what}:\n{(self.folder / 'log').read_text('utf-8')}")

    def initialise(self) -> None:
        """Make the data folder."""
        words = ["-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--locale=C"]
        if self.start("initdb", "-D", "data", *words).wait(timeout=60):
            raise self.fail("initdb failed")

    def serve(self) -> subprocess.Popen[bytes]:
        """Start the server and wait until it answers."""
        words = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        server = self.start("postgres", "-D", "data", "-k", self.folder, *words)
        for _ in range(300):
            if server.poll() is not None:
                raise self.fail("postgres ended at once")
            if self.start("pg_isready", "-q", "-h", self.folder).wait(timeout=10) == 0:
                return server
            time.sleep(0.1)
        server.kill()
        raise self.fail("postgres did not answer within 30 seconds")


@contextmanager
def server() -> Iterator[str]:
    """Start a server; yield the URL of its database ``postgres``; stop it."""
    binaries = _binaries()
    assert binaries is not None, why_not()
    user = _other_user() if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as name:
        if user:
            os.chown(name, user.pw_uid, user.pw_gid)
        cluster = _Cluster(folder=Path(name), binaries=binaries, user=user)
        cluster.initialise()
        running = cluster.serve()
        try:
            yield f"postgresql+psycopg://postgres@/postgres?host={quote(name, safe='')}"
        finally:
            # SIGINT: a fast shutdown, which does not wait for clients.
            running.send_signal(signal.SIGINT)
            running.wait(timeout=30)
