"""Whether a database is whole, as its own program says."""

from __future__ import annotations

from sqlalchemy import Connection, text

from newsletter.errors import StorageError
from newsletter.storage.schema import HEAD


def verify(connection: Connection) -> str:
    """Return which database it is and of which schema.

    Raises:
        StorageError: It is damaged.
    """
    if connection.dialect.name != "sqlite":
        version = connection.scalar(text("SHOW server_version"))
        return f"PostgreSQL {version}, schema {HEAD}"
    said = connection.scalar(text("PRAGMA quick_check(1)"))
    if said != "ok":
        raise StorageError(f"the database is damaged: {said}; restore it from a backup")
    version = connection.scalar(text("SELECT sqlite_version()"))
    return f"SQLite {version}, schema {HEAD}, whole"
