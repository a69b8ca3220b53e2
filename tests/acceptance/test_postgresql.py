"""The same product on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.acceptance.test_cli import AT, FEED, rss
from tests.support.project import Project


@pytest.fixture
def on_postgresql(project: Project, pg_database: str) -> Project:
    """A project whose database is PostgreSQL; its tables are not made yet."""
    environ = {
        "NEWSLETTER_DATABASE__URL": pg_database,
        "NEWSLETTER_SECRET": "a secret of this test",
    }
    found = replace(project, environ=environ)
    found.write(FEED)
    (found.root / "notes.xml").write_text(
        rss("Mamba in production", "Robots that fold", "Gardening"), "utf-8"
    )
    return found


def test_the_database_is_made_by_a_command_and_nothing_else(
    on_postgresql: Project,
) -> None:
    _, err = on_postgresql.run("run", code=1)
    assert "newsletter db upgrade" in err
    out, _ = on_postgresql.run("db", "upgrade")
    assert "now at schema" in out
    out, _ = on_postgresql.run("db", "upgrade")
    assert "already at schema" in out


def test_a_secret_must_be_set(on_postgresql: Project) -> None:
    on_postgresql.run("db", "upgrade")
    bare = {k: v for k, v in on_postgresql.environ.items() if k != "NEWSLETTER_SECRET"}
    _, err = replace(on_postgresql, environ=bare).run("run", code=2)
    assert "no secret is set: set NEWSLETTER_SECRET" in err


@pytest.mark.long
def test_runs_write_each_issue_once_and_rehearsals_leave_nothing(
    on_postgresql: Project,
) -> None:
    on_postgresql.run("db", "upgrade")
    on_postgresql.run("refresh", "--at", "2026-05-04T06:00Z")
    out, _ = on_postgresql.run("run", "--everyone", "--dry-run", "--at", AT)
    assert "would get" in out
    assert on_postgresql.json("status")["issues"] == {}
    both = [on_postgresql.start("run", "--everyone", "--at", AT) for _ in range(2)]
    said = [process.communicate(timeout=100) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    mails = on_postgresql.mails()
    assert sorted(m["To"] for m in mails.values()) == [
        "ada@example.org",
        "grace@example.org",
    ]
    assert on_postgresql.json("status")["issues"] == {"written": 2}
    assert not list(on_postgresql.root.rglob("*.db"))
