"""A database in a SQLite file: open, create, migrate, copy.

One file, in write-ahead mode, every commit flushed to the disk. Writers begin
with BEGIN IMMEDIATE: a reader that turns writer fails at once when another
writes, whatever the time-out.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool, StaticPool

from newsletter.errors import NotFoundError, StorageError
from newsletter.storage import migrating
from newsletter.storage.database import ScratchDatabase, SqlDatabase, translated


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteFile:
    """Where the database is, and how long to wait for its other users."""

    path: Path
    busy_timeout_s: float
    scripts: Path = migrating.SCRIPTS
    #: How long one process may create or migrate while others wait.
    lock_timeout_s: float = 120.0

    @property
    def name(self) -> str:
        """Return what messages call it."""
        return str(self.path)

    def is_there(self) -> bool:
        """Tell whether there is anything to open."""
        return self.path.exists() and self.path.stat().st_size > 0

    def open(self) -> SqlDatabase:
        """Open it, created or migrated first where need be.

        Raises:
            StorageError: It cannot be opened, or is newer than this program.
        """
        if not self._is_ready():
            self.migrate()
        engine = self._engine()
        return SqlDatabase(
            name=self.name, reader=engine, writer=engine.execution_options(writes=True)
        )

    def look(self) -> SqlDatabase:
        """Open it to read only, as it is: nothing is created or migrated.

        Raises:
            NotFoundError: There is none yet.
            StorageError: It cannot be opened, or has not the newest schema.
        """
        if not self.path.exists() or not self.path.stat().st_size:
            raise NotFoundError(
                f"there is no database {self.name} yet; `newsletter refresh` makes it"
            )
        if not self._is_ready():
            raise StorageError(
                f"the database {self.name} has an older schema; run "
                "`newsletter db upgrade`"
            )
        engine = self._engine(query_only=True)
        return SqlDatabase(name=self.name, reader=engine, writer=engine)

    def migrate(self) -> migrating.Migration:
        """Create it, or bring it to the newest schema after copying it aside.

        Raises:
            StorageError: It cannot be made, or is newer than this program.
        """
        with self._lock(), translated(self.name):
            create_private(self.path)
            with closing(self._connect()) as raw:
                raw.execute("PRAGMA journal_mode=WAL")
            engine = self._engine(foreign_keys=False)
            try:
                return self._upgrade(engine)
            finally:
                engine.dispose()

    def scratch(self) -> ScratchDatabase:
        """Copy it into memory, of the newest schema; the file stays as it is.

        Raises:
            StorageError: It cannot be read, or is newer than this program.
        """
        with translated(self.name):
            memory = _in_memory()
            try:
                if self.is_there():
                    self._copy_into(memory)
                return self._scratch(memory)
            except BaseException:
                memory.close()
                raise

    def backup(self, file: Path) -> None:
        """Write a whole, compact copy of it to *file*, which must not exist.

        Raises:
            StorageError: There is no database, or *file* cannot be written.
        """
        if not self.path.exists():
            raise StorageError(f"there is no database {self.name} to back up")
        with translated(self.name), closing(self._connect()) as raw:
            _vacuum_into(raw, file)

    # --- connections ---

    def _connect(
        self, *, foreign_keys: bool = True, query_only: bool = False
    ) -> sqlite3.Connection:
        """Open the file, which must exist; no transaction begins by itself."""
        raw = sqlite3.connect(
            f"file:{quote(str(self.path))}?mode=rw",
            uri=True,
            timeout=self.busy_timeout_s,
            isolation_level=None,
            check_same_thread=False,
        )
        raw.execute("PRAGMA synchronous=FULL")
        # What is erased is overwritten, not merely forgotten.
        raw.execute("PRAGMA secure_delete=ON")
        raw.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")
        raw.execute(f"PRAGMA query_only={'ON' if query_only else 'OFF'}")
        return raw

    def _engine(self, *, foreign_keys: bool = True, query_only: bool = False) -> Engine:
        engine = create_engine(
            "sqlite://",
            creator=lambda: self._connect(
                foreign_keys=foreign_keys, query_only=query_only
            ),
            poolclass=QueuePool,
        )
        event.listen(engine, "begin", _begin)
        return engine

    # --- creating and migrating ---

    def _is_ready(self) -> bool:
        """Tell whether it can be used as it is, without the lock."""
        if not self.is_there():
            return False
        engine = self._engine()
        try:
            with translated(self.name), engine.begin() as connection:
                mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
                newest = migrating.check(connection, self.name, scripts=self.scripts)
        finally:
            engine.dispose()
        return newest and mode == "wal"

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Be the only one who creates or migrates it."""
        lock = f"{self.path}.lock"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(lock, timeout=self.lock_timeout_s):
                yield
        except Timeout as error:
            raise StorageError(
                f"another process is still making or migrating {self.name} (it "
                f"holds {lock}); wait for it to end, then run again"
            ) from error
        except OSError as error:
            raise StorageError(
                f"the database {self.name} cannot be made: {error}; check its "
                "folder and [database] url"
            ) from error

    def _upgrade(self, engine: Engine) -> migrating.Migration:
        with engine.execution_options(writes=True).begin() as connection:
            before = migrating.revision(connection, self.name)
            if migrating.check(connection, self.name, scripts=self.scripts):
                return migrating.Migration(before=before, after=str(before))
            after = migrating.newest(self.scripts)
            copy = self._copy_aside(after) if before else None
            migrating.upgrade(connection, scripts=self.scripts)
            _check_references(connection, self.name)
        return migrating.Migration(before=before, after=after, copy=copy)

    def _copy_aside(self, after: str) -> Path:
        """Copy the database beside itself before it becomes *after*."""
        file = self.path.with_name(f"{self.path.name}.before-{after}")
        number = 1
        while file.exists():
            number += 1
            file = self.path.with_name(f"{self.path.name}.before-{after}-{number}")
        with closing(self._connect()) as raw:
            _vacuum_into(raw, file)
        return file

    # --- the scratch copy ---

    def _copy_into(self, memory: sqlite3.Connection) -> None:
        """Copy the file's content, and leave no file of SQLite's own beside it.

        Even a read-only connection makes ``-wal`` and ``-shm``. Where there is
        none, the file is all there is, and "immutable" reads it without; a
        writer that came in between shows in the file's time or size.
        """
        wal = self.path.with_name(f"{self.path.name}-wal")
        before = self.path.stat()
        if not wal.exists():
            self._read_into(memory, "immutable=1")
            after = self.path.stat()
            if not wal.exists() and (before.st_mtime_ns, before.st_size) == (
                after.st_mtime_ns,
                after.st_size,
            ):
                return
        self._read_into(memory, "mode=ro")

    def _read_into(self, memory: sqlite3.Connection, how: str) -> None:
        uri = f"file:{quote(str(self.path))}?{how}"
        with closing(
            sqlite3.connect(uri, uri=True, timeout=self.busy_timeout_s)
        ) as raw:
            raw.backup(memory)

    def _scratch(self, memory: sqlite3.Connection) -> ScratchDatabase:
        engine = create_engine(
            "sqlite://", creator=lambda: memory, poolclass=StaticPool
        )
        event.listen(engine, "begin", _begin)
        connection = engine.connect()
        connection.begin()
        if not migrating.check(connection, self.name, scripts=self.scripts):
            migrating.upgrade(connection, scripts=self.scripts)
        return ScratchDatabase(name=self.name, connection=connection)


def create_private(file: Path) -> bool:
    """Make an empty *file* that only the owner may read; False: it exists."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    os.close(handle)
    return True


def _begin(connection: Connection) -> None:
    """Begin as a writer where one was asked for, else as a reader."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _in_memory() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)


def _vacuum_into(raw: sqlite3.Connection, file: Path) -> None:
    """Write a copy to *file*, which is made by this and private; all or nothing."""
    try:
        made = create_private(file)
    except OSError as error:
        raise StorageError(f"cannot write the copy {file}: {error}") from error
    if not made:
        raise StorageError(
            f"{file} exists already and is not overwritten; name another file"
        )
    try:
        raw.execute("VACUUM INTO ?", (str(file),))
    except BaseException:
        file.unlink()
        raise


def _check_references(connection: Connection, name: str) -> None:
    """Make sure that the migration left no row that points nowhere."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise StorageError(
            f"the database {name} has a row of {broken[0]} that points at a missing "
            f"row of {broken[2]}; nothing was changed. Restore it from a backup"
        )
