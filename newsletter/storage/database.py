"""Transactions over one open database, with its faults in plain words."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from newsletter.errors import StorageError

T = TypeVar("T")

#: How many values one IN list may hold (SQLite before 3.32 takes 999).
BLOCK = 500


def blocks(values: Iterable[T]) -> Iterator[tuple[T, ...]]:
    """Yield *values* in blocks that fit one statement."""
    rest = iter(values)
    while block := tuple(islice(rest, BLOCK)):
        yield block


class Database(Protocol):
    """One open database. Safe from any thread."""

    def read(self) -> AbstractContextManager[Connection]:
        """Open a transaction that sees one state of the data and writes nothing."""

    def write(self) -> AbstractContextManager[Connection]:
        """Open a transaction that commits at its end, or not at all."""

    def scrub(self) -> None:
        """Leave no trace of removed content in files of our own.

        Raises:
            StorageError: Another process keeps it from that.
        """

    def close(self) -> None:
        """Give every connection back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlDatabase:
    """A database whose transactions last."""

    #: For messages; without a password.
    name: str
    reader: Engine
    writer: Engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """See Database."""
        with translated(self.name), self.reader.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """See Database."""
        with translated(self.name), self.writer.begin() as connection:
            yield connection

    def scrub(self) -> None:
        """See Database. A server keeps its files to itself."""
        if self.writer.dialect.name != "sqlite":
            return
        # Deleted content is overwritten; what it was still stands in the log.
        with translated(self.name):
            raw = self.writer.raw_connection()
            try:
                found = raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
                is_busy, *_ = found.fetchone()
            finally:
                raw.close()
        if is_busy:
            raise StorageError(
                f"it is done, but another process reads {self.name}, so traces stay in"
                f" {self.name}-wal until it ends; end it, then run any command"
            )

    def close(self) -> None:
        """See Database."""
        self.reader.dispose()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScratchDatabase:
    """A database that forgets: every transaction is a savepoint of one.

    One connection, so one thread at a time: the others wait.
    """

    name: str
    connection: Connection
    lock: threading.RLock = field(default_factory=threading.RLock)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """See Database."""
        with self.write() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """See Database."""
        with self.lock, translated(self.name), self.connection.begin_nested():
            yield self.connection

    def scrub(self) -> None:
        """See Database. It forgets everything anyway."""

    def close(self) -> None:
        """See Database."""
        self.connection.rollback()
        self.connection.close()
        self.connection.engine.dispose()


#: SQLite's primary result codes (https://www.sqlite.org/rescode.html).
_SQLITE_CURES = {
    "SQLITE_BUSY": "is locked by another process; wait for it to end, then run again",
    "SQLITE_CANTOPEN": "cannot be opened; check that its folder exists and is yours",
    "SQLITE_CORRUPT": "is damaged; restore it from a backup",
    "SQLITE_FULL": "has no room left on its disk; free some space, then run again",
    "SQLITE_IOERR": "cannot be read or written; check its disk",
    "SQLITE_NOTADB": "is not a SQLite database; check [database] url",
    "SQLITE_PERM": "may not be opened by this user; check its permissions",
    "SQLITE_READONLY": "cannot be written; check the permissions of it and its folder",
}

#: PostgreSQL's error classes (its manual, appendix A), and one whole code.
_POSTGRES_CURES = {
    "08": "lost its connection; check that the server runs, then run again",
    "25": "is read-only; connect to the primary server",
    "28": "refuses this user; check user and password in [database] url",
    "3D": "does not exist; create it, or check [database] url",
    "40": "was in use by another process; run again",
    "53": "has no disk space or no connections left; mend that, then run again",
    "55": "was in use by another process; run again",
    "57": "is shutting down or starting; run again when it is up",
    "58": "has trouble with its disk; look at the server's log",
    "42501": "does not grant this user what is needed; grant it",
}
_UNREACHABLE = "cannot be reached; check that the server runs, and [database] url"


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn faults that an operator can mend into sentences; bugs pass through.

    Raises:
        StorageError: The database *name* cannot be opened, read or written.
    """
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        fault = error.orig if isinstance(error, DBAPIError) else error
        cure = _sqlite_cure(fault) or _postgres_cure(error, fault)
        if cure is None:
            raise
        said = str(fault).strip().partition("\n")[0]
        raise StorageError(f"the database {name} {cure} ({said})") from error


def _sqlite_cure(fault: BaseException | None) -> str | None:
    """Return what to do about a fault of SQLite; None: it is none, or a bug."""
    if not isinstance(fault, sqlite3.Error):
        return None
    # An extended code such as SQLITE_IOERR_WRITE begins with the primary one.
    code = getattr(fault, "sqlite_errorname", "")
    return _SQLITE_CURES.get("_".join(code.split("_")[:2]))


def _postgres_cure(error: Exception, fault: BaseException | None) -> str | None:
    """Return what to do about a fault of PostgreSQL; None: it is a bug."""
    if isinstance(fault, sqlite3.Error):
        return None
    state: str | None = getattr(fault, "sqlstate", None)
    if state is None:
        return _UNREACHABLE if isinstance(error, OperationalError) else None
    return _POSTGRES_CURES.get(state) or _POSTGRES_CURES.get(state[:2])
