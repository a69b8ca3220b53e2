"""From a database URL to an open store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url, select
from sqlalchemy.exc import ArgumentError

from newsletter.errors import StorageError
from newsletter.ports import (
    Chunks,
    Entries,
    Leases,
    Ledger,
    Pace,
    Sources,
    Subscribers,
    Verdicts,
)
from newsletter.storage.addresses import AddressHasher
from newsletter.storage.chunks import SqlChunks
from newsletter.storage.database import Database
from newsletter.storage.entries import SqlEntries
from newsletter.storage.hosts import SqlPace
from newsletter.storage.leases import SqlLeases
from newsletter.storage.ledger import SqlLedger
from newsletter.storage.migrating import Migration
from newsletter.storage.postgres import PostgresDatabase
from newsletter.storage.schema import meta
from newsletter.storage.sources import SqlSources
from newsletter.storage.sqlite_file import SqliteFile
from newsletter.storage.subscribers import SqlSubscribers
from newsletter.storage.verdicts import SqlVerdicts
from newsletter.storage.verifying import verify

#: How long a SQLite connection waits for another writer.
BUSY_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """An open database, as the ports see it. Safe from any thread."""

    database: Database
    #: Random at creation: tells this store from a later one of the same name.
    epoch: str
    sources: Sources
    entries: Entries
    subscribers: Subscribers
    chunks: Chunks
    ledger: Ledger
    leases: Leases
    pace: Pace
    verdicts: Verdicts

    def verify(self) -> str:
        """Look whether the database is whole; return what it is.

        Raises:
            StorageError: It is damaged, or cannot be read.
        """
        with self.database.read() as connection:
            return verify(connection)

    def close(self) -> None:
        """Give every connection back; what is not committed never was."""
        self.database.close()


def open_store(
    url: str,
    *,
    secret: bytes,
    former: Sequence[bytes] = (),
    busy_timeout_s: float = BUSY_TIMEOUT_S,
) -> Store:
    """Open the database; a SQLite file is created or migrated first.

    Args:
        url: ``sqlite:///…`` or ``postgresql+psycopg://…``.
        secret: Keys the hashes of suppressed addresses.
        former: Earlier secrets, whose hashes still hold.
        busy_timeout_s: How long to wait for another writer (SQLite).

    Raises:
        StorageError: It cannot be opened, or its schema is not this program's.
    """
    place = _place(url, busy_timeout_s)
    return _store(place.open(), AddressHasher(secret=secret, former=tuple(former)))


def open_scratch(url: str, *, secret: bytes, former: Sequence[bytes] = ()) -> Store:
    """Open a rehearsal: all that it writes is forgotten when it is closed.

    Of a SQLite file this is a copy in memory; no file is made or changed,
    also where there is none or where it is of an older schema.

    Raises:
        StorageError: It cannot be read, or its schema is newer (PostgreSQL: or
            older) than this program's.
    """
    place = _place(url, BUSY_TIMEOUT_S)
    return _store(place.scratch(), AddressHasher(secret=secret, former=tuple(former)))


def is_there(url: str) -> bool:
    """Tell whether there is a database to open, without making one.

    Raises:
        StorageError: *url* names nothing that we can open.
    """
    return _place(url, BUSY_TIMEOUT_S).is_there()


def open_to_look(url: str, *, secret: bytes, former: Sequence[bytes] = ()) -> Store:
    """Open what is there to read only; a write is refused by the database.

    Raises:
        NotFoundError: There is no database yet (SQLite).
        StorageError: It cannot be opened, or its schema is not this program's.
    """
    place = _place(url, BUSY_TIMEOUT_S)
    return _store(place.look(), AddressHasher(secret=secret, former=tuple(former)))


def migrate(url: str) -> Migration:
    """Create the database's tables, or bring them to the newest schema.

    Raises:
        StorageError: It cannot be opened, or is newer than this program.
    """
    return _place(url, BUSY_TIMEOUT_S).migrate()


def backup(url: str, file: Path) -> None:
    """Write a whole copy of a SQLite database to *file*, which must not exist.

    Raises:
        StorageError: That cannot be done; on PostgreSQL, pg_dump does it.
    """
    _place(url, BUSY_TIMEOUT_S).backup(file)


def _place(url: str, busy_timeout_s: float) -> SqliteFile | PostgresDatabase:
    """Return what *url* names.

    Raises:
        StorageError: Nothing that we can open.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StorageError(
            "[database] url cannot be read; write sqlite:///path/to/file.db or "
            "postgresql+psycopg://user@host/name"
        ) from error
    if parsed.drivername in {"sqlite", "sqlite+pysqlite"}:
        if parsed.database in {None, "", ":memory:"}:
            raise StorageError(
                "[database] url names no file, and a store in memory would forget "
                "who got what; write sqlite:///path/to/file.db"
            )
        path = Path(str(parsed.database)).absolute()
        return SqliteFile(path=path, busy_timeout_s=busy_timeout_s)
    if parsed.drivername in {"postgresql", "postgresql+psycopg"}:
        return PostgresDatabase(url=parsed.set(drivername="postgresql+psycopg"))
    raise StorageError(
        f"[database] url begins with {parsed.drivername}; what can be opened is "
        "sqlite:///path/to/file.db and postgresql+psycopg://user@host/name"
    )


def _store(database: Database, hasher: AddressHasher) -> Store:
    with database.read() as connection:
        epoch = connection.scalar(select(meta.c.value).where(meta.c.key == "epoch"))
    return Store(
        database=database,
        epoch=str(epoch),
        sources=SqlSources(database=database),
        entries=SqlEntries(database=database),
        subscribers=SqlSubscribers(database=database, hasher=hasher),
        chunks=SqlChunks(database=database),
        ledger=SqlLedger(database=database, hasher=hasher),
        leases=SqlLeases(database=database),
        pace=SqlPace(database=database),
        verdicts=SqlVerdicts(database=database),
    )
