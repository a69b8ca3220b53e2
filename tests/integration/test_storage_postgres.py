"""A store on a real PostgreSQL server: what only a server can do wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from newsletter.errors import StorageError
from newsletter.storage import backup, migrate, open_scratch, open_store

SECRET = b"a secret of the tests"


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    url = "postgresql://ada:wonderland@127.0.0.1:9/papers"
    for use in (
        lambda: open_store(url, secret=SECRET),
        lambda: open_scratch(url, secret=SECRET),
        lambda: migrate(url),
    ):
        with pytest.raises(StorageError, match="cannot be reached") as caught:
            use()
        assert "wonderland" not in str(caught.value)


def test_a_server_is_backed_up_by_its_own_tool(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="pg_dump"):
        backup("postgresql://ada:wonderland@127.0.0.1:9/papers", tmp_path / "copy")


def test_an_empty_database_must_be_upgraded_first(pg_database: str) -> None:
    ways: tuple[Callable[[], object], ...] = (
        lambda: open_store(pg_database, secret=SECRET),
        lambda: open_scratch(pg_database, secret=SECRET),
    )
    for use in ways:
        with pytest.raises(StorageError, match="newsletter db upgrade"):
            use()
    done = migrate(pg_database)
    assert (done.before, done.after) == (None, "0004")
    open_store(pg_database, secret=SECRET).close()


def test_a_newer_database_is_refused(pg_database: str) -> None:
    migrate(pg_database)
    engine = create_engine(pg_database)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    for use in (
        lambda: open_store(pg_database, secret=SECRET),
        lambda: migrate(pg_database),
    ):
        with pytest.raises(StorageError, match="Update newsletter"):
            use()


def test_a_database_that_does_not_exist_is_named(pg_database: str) -> None:
    with pytest.raises(StorageError, match="does not exist"):
        migrate(pg_database.replace("?", "-missing?", 1))


def test_a_read_sees_one_state_and_writes_nothing(pg_database: str) -> None:
    migrate(pg_database)
    store = open_store(pg_database, secret=SECRET)
    count = text("SELECT count(*) FROM meta")
    with store.database.read() as connection:
        before = connection.scalar(count)
        with store.database.write() as other:
            other.execute(text("INSERT INTO meta VALUES ('a', 'b')"))
        assert connection.scalar(count) == before
    with (
        pytest.raises(StorageError, match="read-only"),
        store.database.read() as connection,
    ):
        connection.execute(text("INSERT INTO meta VALUES ('c', 'd')"))
    store.close()


def test_a_bug_is_no_storage_error(pg_database: str) -> None:
    migrate(pg_database)
    store = open_store(pg_database, secret=SECRET)
    with (
        pytest.raises(Exception, match="does not exist") as caught,
        store.database.read() as connection,
    ):
        connection.execute(text("SELECT * FROM no_such_table"))
    assert not isinstance(caught.value, StorageError)
    store.close()


def test_without_the_driver_it_says_what_to_install() -> None:
    code = (
        "import sys\n"
        "sys.modules['psycopg'] = None\n"
        "from newsletter.errors import StorageError\n"
        "from newsletter.storage import migrate\n"
        "try:\n"
        "    migrate('postgresql://localhost/x')\n"
        "except StorageError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert 'pip install "newsletter[postgresql]"' in done.stdout
