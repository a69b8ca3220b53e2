"""Which schema a database has, and the way to the newest one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from newsletter.errors import StorageError
from newsletter.storage.schema import HEAD

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

SCRIPTS = Path(__file__).with_name("migrations")


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """What migrating a database came to."""

    #: The schema before. None: there was none.
    before: str | None
    after: str
    #: Where the database was copied first. None: nothing was upgraded, or the
    #: server keeps its own copies.
    copy: Path | None = None

    @property
    def is_change(self) -> bool:
        """Tell whether anything was done."""
        return self.before != self.after


def revision(connection: Connection, name: str) -> str | None:
    """Return the schema that the database has; None: it is empty.

    Raises:
        StorageError: It holds tables, but none of ours.
    """
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    if "alembic_version" not in tables:
        raise StorageError(
            f"the database {name} belongs to something else (it has the table "
            f"{min(tables)!r} and no version of ours); check [database] url"
        )
    found: str | None = connection.scalar(
        text("SELECT version_num FROM alembic_version")
    )
    return found


def newest(scripts: Path) -> str:
    """Return the schema that the migrations in *scripts* lead to."""
    (head,) = _directory(scripts).get_heads()
    return head


def check(connection: Connection, name: str, *, scripts: Path = SCRIPTS) -> bool:
    """Tell whether the database has the newest schema (False: an older, or none).

    Raises:
        StorageError: Its schema is newer than this program, or not ours at all.
    """
    found = revision(connection, name)
    if scripts == SCRIPTS and found == HEAD:
        return True
    directory = _directory(scripts)
    known = {step.revision for step in directory.walk_revisions()}
    if found is not None and found not in known:
        raise StorageError(
            f"the database {name} has schema {found}, which this program does not "
            "know: a newer newsletter made it. Update newsletter"
        )
    return [found] == directory.get_heads()


def upgrade(connection: Connection, *, scripts: Path = SCRIPTS) -> None:
    """Bring the database to the newest schema, within the open transaction."""
    from alembic import command  # noqa: PLC0415 - as in _directory
    from alembic.config import Config  # noqa: PLC0415 - as in _directory

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    command.upgrade(config, "head")


def _directory(scripts: Path) -> ScriptDirectory:
    # Alembic costs a quarter of a second, and is needed once per release.
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - as said above

    return ScriptDirectory(str(scripts))
