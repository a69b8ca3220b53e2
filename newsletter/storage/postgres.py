"""A database on a PostgreSQL server: open, migrate, rehearse."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Engine, create_engine, text

from newsletter.errors import StorageError
from newsletter.storage import migrating
from newsletter.storage.database import ScratchDatabase, SqlDatabase, translated

_CONNECT_TIMEOUT_S = 10
#: One upgrade at a time: our name, as the number that the server's locks take.
_UPGRADE_LOCK = 0x6E657773


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresDatabase:
    """Which server and database, and as whom."""

    url: URL
    scripts: Path = migrating.SCRIPTS

    @property
    def name(self) -> str:
        """Return what messages call it; without the password."""
        return self.url.render_as_string(hide_password=True)

    def is_there(self) -> bool:
        """Tell whether there is anything to open: a server must have it."""
        return True

    def open(self) -> SqlDatabase:
        """Open it.

        Raises:
            StorageError: It cannot be reached, or has not the newest schema.
        """
        engine = self._checked_engine()
        reader = engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        return SqlDatabase(name=self.name, reader=reader, writer=engine)

    def look(self) -> SqlDatabase:
        """Open it to read only.

        Raises:
            StorageError: It cannot be reached, or has not the newest schema.
        """
        reader = self.open().reader
        return SqlDatabase(name=self.name, reader=reader, writer=reader)

    def migrate(self) -> migrating.Migration:
        """Bring it to the newest schema, in one transaction.

        Raises:
            StorageError: It cannot be reached, or is newer than this program.
        """
        engine = self._engine()
        try:
            with translated(self.name), engine.begin() as connection:
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:name)"), {"name": _UPGRADE_LOCK}
                )
                before = migrating.revision(connection, self.name)
                after = str(before)
                if not migrating.check(connection, self.name, scripts=self.scripts):
                    after = migrating.newest(self.scripts)
                    migrating.upgrade(connection, scripts=self.scripts)
        finally:
            engine.dispose()
        return migrating.Migration(before=before, after=after)

    def scratch(self) -> ScratchDatabase:
        """Open one transaction that is rolled back at close.

        Raises:
            StorageError: It cannot be reached, or has not the newest schema.
        """
        engine = self._checked_engine()
        with translated(self.name):
            connection = engine.connect()
            connection.begin()
        return ScratchDatabase(name=self.name, connection=connection)

    def backup(self, file: Path) -> None:
        """Refuse: the server has a tool for it.

        Raises:
            StorageError: Always.
        """
        raise StorageError(
            f"the database {self.name} is on a PostgreSQL server: back it up with "
            f"pg_dump --format=custom --file={file}"
        )

    def _engine(self) -> Engine:
        try:
            return create_engine(
                self.url,
                pool_pre_ping=True,
                connect_args={"connect_timeout": _CONNECT_TIMEOUT_S},
            )
        except ModuleNotFoundError as error:
            raise StorageError(
                "PostgreSQL needs the driver psycopg, which is not installed: "
                'pip install "newsletter[postgresql]"'
            ) from error

    def _checked_engine(self) -> Engine:
        engine = self._engine()
        try:
            with translated(self.name), engine.begin() as connection:
                newest = migrating.check(connection, self.name, scripts=self.scripts)
        except BaseException:
            engine.dispose()
            raise
        if not newest:
            engine.dispose()
            raise StorageError(
                f"the database {self.name} has an older schema, or none; run "
                "`newsletter db upgrade` (after a backup with pg_dump)"
            )
        return engine
