"""A store in a real file: made, migrated, copied, locked, damaged, killed."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import pytest
from filelock import FileLock
from sqlalchemy import event

from newsletter.errors import NotFoundError, StorageError
from newsletter.model import Listing, SourceSettings, Window
from newsletter.ports import Shown
from newsletter.storage import (
    Store,
    backup,
    migrate,
    migrating,
    open_scratch,
    open_store,
    open_to_look,
)
from newsletter.storage.database import SqlDatabase
from newsletter.storage.schema import HEAD
from newsletter.storage.sqlite_file import SqliteFile

SECRET = b"a secret of the tests"
NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
SOURCE = SourceSettings(name="hf", kind="feed", url="https://example.org/feed")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "newsletter.db"


@contextmanager
def opened(path: Path, *, busy_timeout_s: float = 5.0) -> Iterator[Store]:
    store = open_store(
        f"sqlite:///{path}", secret=SECRET, busy_timeout_s=busy_timeout_s
    )
    try:
        yield store
    finally:
        store.close()


def show(store: Store, *names: str) -> None:
    """Store and release a listing for each name."""
    found = [
        Listing(
            source="hf",
            guid=name,
            title=name,
            url=None,
            listed_at=NOW,
        )
        for name in names
    ]
    store.entries.put([Shown(source=SOURCE, listings=found, seen_at=NOW)], as_of=NOW)
    store.entries.release(as_of=NOW, settle={})


def files(path: Path) -> dict[str, tuple[int, int]]:
    """Return the files beside the database, with their times and sizes."""
    return {
        file.name: (file.stat().st_mtime_ns, file.stat().st_size)
        for file in path.parent.iterdir()
    }


def run(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Run Python in a process of its own."""
    return subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def newer_scripts(folder: Path) -> Path:
    """Return our migrations and one that does not exist yet."""
    scripts = folder / "100% newer"
    shutil.copytree(
        migrating.SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__")
    )
    (scripts / "versions" / "9999_next.py").write_text(
        "from alembic import op\n"
        'revision, down_revision = "9999", "0004"\n'
        "branch_labels = depends_on = None\n"
        "def upgrade():\n"
        "    op.execute(\"INSERT INTO meta VALUES ('next', 'here')\")\n"
    )
    return scripts


# --- made ---------------------------------------------------------------------


def test_a_new_store_is_private_durable_and_writes_ahead(path: Path) -> None:
    with opened(path) as store, store.database.read() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
        assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(files(path)) == ["newsletter.db", "newsletter.db.lock"]


def test_a_path_with_odd_characters_is_a_path(tmp_path: Path) -> None:
    path = tmp_path / "a?b#c %41 ü" / "n.db"
    url = f"sqlite:///{quote(str(path))}"
    with closing(open_store(url, secret=SECRET)) as store:
        show(store, "one")
    assert path.exists()
    with closing(open_scratch(url, secret=SECRET)) as scratch:
        assert scratch.entries.seq_at(NOW) == 1


def test_four_processes_make_one_store(path: Path) -> None:
    code = (
        "import sys; from newsletter.storage import open_store\n"
        "store = open_store(sys.argv[1], secret=b's'); print(store.epoch)\n"
    )
    processes = [run(code, f"sqlite:///{path}") for _ in range(4)]
    results = [process.communicate(timeout=60) for process in processes]
    assert [p.returncode for p in processes] == [0] * 4, results
    assert len({out for out, _ in results}) == 1


def test_a_writer_begins_as_a_writer(path: Path) -> None:
    """A deferred transaction would fail at its first write under another writer."""
    with opened(path) as store, opened(path, busy_timeout_s=0.05) as other:
        with (
            store.database.write(),
            pytest.raises(StorageError, match="locked by another process"),
            other.database.write(),
        ):
            pass
        with store.database.write(), other.database.read() as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1


def test_two_processes_that_write_wait_for_each_other(path: Path) -> None:
    with opened(path):
        pass
    code = (
        "import sys; from datetime import UTC, datetime, timedelta\n"
        "from newsletter.storage import open_store\n"
        "store = open_store(sys.argv[1], secret=b's')\n"
        "now = datetime(2026, 3, 2, tzinfo=UTC)\n"
        "for n in range(40):\n"
        "    store.leases.acquire(f'{sys.argv[2]}-{n}', holder='x', now=now,\n"
        "                         ttl=timedelta(1))\n"
    )
    processes = [run(code, f"sqlite:///{path}", str(n)) for n in range(3)]
    results = [process.communicate(timeout=60) for process in processes]
    assert [p.returncode for p in processes] == [0] * 3, results
    with opened(path) as store, store.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM leases").scalar() == 120


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda s: s.entries.first_release_at(), "ix_listings_released_at"),
        (lambda s: s.subscribers.next_due(), "ix_subscribers_due"),
        (lambda s: s.entries.held(), "ix_listings_waiting"),
        (lambda s: s.entries.release(as_of=NOW, settle={}), "ix_listings_waiting"),
        (lambda s: s.entries.seq_at(NOW), "sqlite_autoindex_listings_2"),
        (
            lambda s: s.entries.window(Window(after=1, until=3), source_order=()),
            "sqlite_autoindex_listings",
        ),
        (
            lambda s: s.ledger.lease(8, holder="x", now=NOW, until=NOW),
            "ix_issues_open",
        ),
        (lambda s: s.ledger.troubles(), "ix_issues_trouble"),
        (lambda s: s.ledger.recent(), "ix_issues_prepared_at"),
        (lambda s: s.ledger.find("ab"), "sqlite_autoindex_issues_1"),
        (lambda s: s.ledger.last_slot(1), "sqlite_autoindex_issues_2"),
    ],
)
def test_the_daily_questions_use_an_index(
    path: Path, ask: Callable[[Store], object], index: str
) -> None:
    asked: list[tuple[str, tuple[object, ...]]] = []
    with opened(path) as store:
        engine = cast("SqlDatabase", store.database).reader

        @event.listens_for(engine, "before_cursor_execute")
        def note(*call: Any) -> None:  # noqa: ANN401 - as SQLAlchemy calls it
            asked.append((call[2], call[3]))

        with suppress(NotFoundError):
            ask(store)
    with closing(sqlite3.connect(path)) as raw:
        plans = [
            str(raw.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall())
            for sql, values in asked
            if sql.startswith("SELECT")
        ]
    sorts = "TEMP B-TREE FOR ORDER BY"
    assert any(index in plan and sorts not in plan for plan in plans), plans


# --- migrated -----------------------------------------------------------------


def test_the_newest_schema_is_the_one_that_the_code_names() -> None:
    assert migrating.newest(migrating.SCRIPTS) == HEAD


def test_an_older_store_is_copied_aside_and_migrated(
    path: Path, tmp_path: Path
) -> None:
    with opened(path) as store:
        show(store, "kept")
    scripts = newer_scripts(tmp_path)
    file = SqliteFile(path=path, busy_timeout_s=5, scripts=scripts)
    taken = path.with_name("newsletter.db.before-9999")
    taken.write_text("somebody's")

    with closing(file.open()) as database, database.read() as connection:
        found = connection.exec_driver_sql("SELECT value FROM meta WHERE key='next'")
        assert found.scalar() == "here"

    copy = path.with_name("newsletter.db.before-9999-2")
    assert copy.stat().st_mode & 0o777 == 0o600
    assert taken.read_text() == "somebody's"
    with opened(copy) as store:
        assert store.entries.seq_at(NOW) == 1

    again = file.migrate()
    assert (again.before, again.after, again.copy) == ("9999", "9999", None)


def test_a_migration_says_what_it_did(path: Path, tmp_path: Path) -> None:
    first = migrate(f"sqlite:///{path}")
    assert (first.before, first.after, first.is_change) == (None, "0004", True)
    file = SqliteFile(path=path, busy_timeout_s=5, scripts=newer_scripts(tmp_path))
    second = file.migrate()
    assert (second.before, second.after) == ("0004", "9999")
    assert second.copy == path.with_name("newsletter.db.before-9999")


def test_a_newer_store_is_refused_by_everything(path: Path, tmp_path: Path) -> None:
    file = SqliteFile(path=path, busy_timeout_s=5, scripts=newer_scripts(tmp_path))
    file.migrate()
    url = f"sqlite:///{path}"
    before = files(path)
    for use in (
        lambda: open_store(url, secret=SECRET),
        lambda: open_scratch(url, secret=SECRET),
        lambda: migrate(url),
    ):
        with pytest.raises(StorageError, match=r"schema 9999.*Update newsletter"):
            use()
    assert files(path) == before


def test_a_rehearsal_on_an_older_store_migrates_only_its_copy(
    path: Path, tmp_path: Path
) -> None:
    with opened(path) as store:
        show(store, "kept")
    before = files(path)
    file = SqliteFile(path=path, busy_timeout_s=5, scripts=newer_scripts(tmp_path))
    with closing(file.scratch()) as database, database.read() as connection:
        found = connection.exec_driver_sql("SELECT value FROM meta WHERE key='next'")
        assert found.scalar() == "here"
    assert files(path) == before


def test_a_migration_that_breaks_a_reference_changes_nothing(
    path: Path, tmp_path: Path
) -> None:
    with opened(path):
        pass
    scripts = newer_scripts(tmp_path)
    step = scripts / "versions" / "9999_next.py"
    step.write_text(
        step.read_text().replace(
            "INSERT INTO meta VALUES ('next', 'here')",
            "INSERT INTO entry_aliases VALUES ('a', 77)",
        )
    )
    file = SqliteFile(path=path, busy_timeout_s=5, scripts=scripts)
    with pytest.raises(StorageError, match=r"entry_aliases.*missing row of entries"):
        file.migrate()
    with opened(path) as store, store.database.read() as connection:
        found = connection.exec_driver_sql("SELECT count(*) FROM entry_aliases")
        assert found.scalar() == 0


def test_a_file_of_somebody_else_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE books (title TEXT)")
    with pytest.raises(StorageError, match=r"belongs to something else.*'books'"):
        migrate(f"sqlite:///{path}")


def test_whoever_waits_for_a_migration_gives_up_with_a_sentence(path: Path) -> None:
    path.parent.mkdir()
    with FileLock(f"{path}.lock"):
        file = SqliteFile(path=path, busy_timeout_s=5, lock_timeout_s=0.01)
        with pytest.raises(StorageError, match="still making or migrating"):
            file.open()


def test_a_restored_copy_writes_ahead_again(path: Path, tmp_path: Path) -> None:
    with opened(path) as store:
        show(store, "kept")
    copy = tmp_path / "restored.db"
    backup(f"sqlite:///{path}", copy)
    with opened(copy) as store, store.database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


# --- copied -------------------------------------------------------------------


def test_a_backup_of_a_store_in_use_is_whole(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with opened(path) as store:
        show(store, "one", "two")
        backup(f"sqlite:///{path}", copy)
        show(store, "three")
    assert copy.stat().st_mode & 0o777 == 0o600
    with opened(copy) as restored, opened(path) as store:
        assert restored.entries.seq_at(NOW) == 2
        assert restored.epoch == store.epoch


def test_a_backup_overwrites_nothing(path: Path, tmp_path: Path) -> None:
    with opened(path):
        pass
    precious = tmp_path / "precious"
    precious.write_text("mine")
    with pytest.raises(StorageError, match="exists already"):
        backup(f"sqlite:///{path}", precious)
    assert precious.read_text() == "mine"


def test_a_backup_needs_a_store_and_a_folder(path: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="there is no database"):
        backup(f"sqlite:///{path}", tmp_path / "copy.db")
    assert not path.parent.exists()
    with opened(path):
        pass
    with pytest.raises(StorageError, match="cannot write the copy"):
        backup(f"sqlite:///{path}", tmp_path / "missing" / "copy.db")


def test_a_backup_that_fails_leaves_no_file(path: Path, tmp_path: Path) -> None:
    with opened(path) as store:
        show(store, *(f"{n}" * 500 for n in range(100)))
    content = path.read_bytes()
    path.write_bytes(content[:-8192] + b"\xff" * 8192)
    copy = tmp_path / "copy.db"
    with pytest.raises(StorageError, match=r"is damaged; restore it from a backup"):
        backup(f"sqlite:///{path}", copy)
    assert not copy.exists()


# --- rehearsed ----------------------------------------------------------------


def test_a_rehearsal_without_a_store_makes_no_file(path: Path) -> None:
    scratch = open_scratch(f"sqlite:///{path}", secret=SECRET)
    show(scratch, "one")
    assert scratch.entries.seq_at(NOW) == 1
    scratch.close()
    assert not path.parent.exists()


def test_a_rehearsal_touches_no_file(path: Path) -> None:
    with opened(path) as store:
        show(store, "one")
    before = files(path)
    scratch = open_scratch(f"sqlite:///{path}", secret=SECRET)
    show(scratch, "two")
    assert scratch.entries.seq_at(NOW) == 2
    assert files(path) == before
    scratch.close()
    assert files(path) == before


def test_a_rehearsal_sees_what_a_running_process_committed(path: Path) -> None:
    with opened(path) as store:
        show(store, "one")
        before = files(path)
        assert "newsletter.db-wal" in before
        with store.database.write() as connection:
            connection.exec_driver_sql("UPDATE meta SET value = '99'")
            scratch = open_scratch(f"sqlite:///{path}", secret=SECRET)
            assert scratch.epoch != "99"
            assert scratch.entries.seq_at(NOW) == 1
            scratch.close()
            connection.exec_driver_sql("DELETE FROM leases")
        assert files(path).keys() == before.keys()


def test_a_rehearsal_on_a_file_that_changes_meanwhile_reads_it_again(
    path: Path,
) -> None:
    with opened(path) as store:
        show(store, "one")
    reads: list[str] = []
    watching = True

    def touch(event: str, args: tuple[Any, ...]) -> None:
        # Called as each connection opens: after the first look at the file.
        if watching and event == "sqlite3.connect":
            reads.append(str(args[0]).rpartition("?")[2])
            os.utime(path, ns=(len(reads), len(reads)))

    sys.addaudithook(touch)  # for the life of the process, so it is switched off
    try:
        with closing(open_scratch(f"sqlite:///{path}", secret=SECRET)) as scratch:
            assert scratch.entries.seq_at(NOW) == 1
    finally:
        watching = False
    assert [how for how in reads if "=" in how] == ["immutable=1", "mode=ro"]


# --- faults -------------------------------------------------------------------


def test_what_is_no_database_is_named(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StorageError, match=r"newsletter\.db is not a SQLite database"):
        open_store(f"sqlite:///{path}", secret=SECRET)
    with pytest.raises(StorageError, match="is not a SQLite database"):
        open_scratch(f"sqlite:///{path}", secret=SECRET)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"cannot be made.*check its folder"):
        open_store(f"sqlite:///{tmp_path}/file/newsletter.db", secret=SECRET)


def test_a_folder_in_the_place_of_the_file_is_named(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StorageError, match="cannot be opened"):
        open_store(f"sqlite:///{path}", secret=SECRET)


def test_a_store_that_vanished_is_not_made_anew(path: Path) -> None:
    with opened(path) as store:
        store.close()
        path.unlink()
        with pytest.raises(StorageError, match="cannot be opened"):
            store.entries.seq_at(NOW)
    assert not path.exists()


def test_a_full_disk_is_named_and_leaves_what_was_there(path: Path) -> None:
    with opened(path) as store:
        show(store, "kept")
        with store.database.write() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StorageError, match="no room left on its disk"):
            show(store, *(f"{n}" * 500 for n in range(100)))
        assert store.entries.seq_at(NOW) == 1


def test_a_bug_is_no_storage_error(path: Path) -> None:
    with opened(path) as store:
        with (
            pytest.raises(Exception, match="no such table") as caught,
            store.database.read() as connection,
        ):
            connection.exec_driver_sql("SELECT * FROM no_such_table")
        assert not isinstance(caught.value, StorageError)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("mysql://localhost/x", "begins with mysql"),
        ("nonsense", "cannot be read"),
    ],
)
def test_an_address_that_is_none_of_ours_is_refused(url: str, said: str) -> None:
    for use in (
        lambda: open_store(url, secret=SECRET),
        lambda: open_scratch(url, secret=SECRET),
        lambda: migrate(url),
        lambda: backup(url, Path("never")),
    ):
        with pytest.raises(StorageError, match=said):
            use()


# --- killed -------------------------------------------------------------------

#: Kills a writer after its first statement, after its second, and so on.
KILLER = """
import os, signal, sys
from datetime import UTC, datetime
from sqlalchemy import event
from newsletter.model import Listing, SourceSettings
from newsletter.ports import Shown
from newsletter.storage import open_store

now = datetime(2026, 3, 2, 6, tzinfo=UTC)

def write(last):
    store = open_store(sys.argv[1], secret=b"s")
    statements = 0

    @event.listens_for(store.database.writer, "after_cursor_execute")
    def count(*_):
        nonlocal statements
        statements += 1
        if statements == last:
            os.kill(os.getpid(), signal.SIGKILL)

    listings = [
        Listing(source="hf", guid=f"{n}", title=f"{n}",
                url=f"https://example.org/{n}", listed_at=now, votes=n)
        for n in range(5)
    ]
    source = SourceSettings(name="hf", kind="feed", url="https://example.org/feed")
    shown = Shown(source=source, listings=listings, seen_at=now)
    store.entries.put([shown], as_of=now)

for last in range(1, 100):
    child = os.fork()
    if not child:
        write(last)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    store = open_store(sys.argv[1], secret=b"s")
    with store.database.read() as connection:
        tables = ("entries", "listings", "entry_versions", "sightings")
        counts = [connection.exec_driver_sql(f"SELECT count(*) FROM {t}").scalar()
                  for t in tables]
    store.close()
    print(os.WTERMSIG(status), *counts)
    if not os.WIFSIGNALED(status):
        break
"""


def test_a_killed_writer_leaves_all_or_nothing(path: Path) -> None:
    with opened(path):
        pass
    out, err = run(KILLER, f"sqlite:///{path}").communicate(timeout=100)
    *killed, whole = out.splitlines()
    assert len(killed) >= 5, err
    assert set(killed) == {f"{signal.SIGKILL.value} 0 0 0 0"}
    assert whole == "0 5 5 5 5"


def test_a_rehearsal_after_a_kill_leaves_the_remains_alone(path: Path) -> None:
    with opened(path):
        pass
    code = (
        "import os, sys; from newsletter.storage import open_store\n"
        "store = open_store(sys.argv[1], secret=b's')\n"
        "with store.database.write() as c:\n"
        "    c.exec_driver_sql(\"INSERT INTO meta VALUES ('a', 'b')\")\n"
        "os.kill(os.getpid(), 9)\n"
    )
    process = run(code, f"sqlite:///{path}")
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    before = files(path)
    assert before["newsletter.db-wal"][1] > 0
    scratch = open_scratch(f"sqlite:///{path}", secret=SECRET)
    with scratch.database.read() as connection:
        found = connection.exec_driver_sql("SELECT value FROM meta WHERE key = 'a'")
        assert found.scalar() == "b"
    scratch.close()
    assert files(path).keys() == before.keys()
    assert files(path)["newsletter.db"] == before["newsletter.db"]


def test_there_is_nothing_to_look_at_where_there_is_no_database(path: Path) -> None:
    with pytest.raises(NotFoundError, match="`newsletter refresh` makes it"):
        open_to_look(f"sqlite:///{path}", secret=SECRET)
    assert not path.exists()
