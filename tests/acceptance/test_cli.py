"""The command line as a person meets it, over files on disk."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.project import Project

FEED = """
[[sources]]
name = "notes"
kind = "feed"
path = "notes.xml"
first_days = 4000
"""

AT = "2026-05-04T12:00Z"


def rss(*titles: str, day: int = 4) -> str:
    items = "".join(
        f"<item><title>{title}</title><link>https://example.org/{n}-{day}</link>"
        f"<guid>{n}-{day}</guid><pubDate>0{day} May 2026 06:0{n}:00 GMT</pubDate>"
        f"<description>About {title}.</description></item>"
        for n, title in enumerate(titles)
    )
    return (
        '<rss version="2.0"><channel><title>Notes</title>'
        f"<link>https://example.org/</link>{items}</channel></rss>"
    )


@pytest.fixture
def notes(project: Project) -> Project:
    """A project with one file source: two readers have something, one each."""
    project.write(FEED)
    (project.root / "notes.xml").write_text(
        rss("Mamba in production", "Robots that fold", "Gardening"), "utf-8"
    )
    return project


def issue_rows(root: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(root / "outbox" / "newsletter.db") as connection:
        rows = connection.execute(
            "SELECT key, state FROM issues ORDER BY key"
        ).fetchall()
    connection.close()
    return rows


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom newsletter.cli import cli\n"
        "try:\n    cli(['--help'], prog_name='newsletter')\n"
        "except SystemExit:\n    pass\n"
        "heavy = {'sqlalchemy', 'alembic', 'feedparser', 'lark', 'aiohttp', 'mjml',"
        " 'jinja2', 'pydantic', 'tomlkit', 'babel', 'pylatexenc', 'rich'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert "HEAVY []" in out
    assert "run" in out


@pytest.mark.long
def test_every_command_has_help(project: Project) -> None:
    out, _ = project.run("--help")
    commands = re.findall(r"^  ([a-z]+) ", out, re.MULTILINE)
    assert {"demo", "run", "refresh", "prepare", "deliver", "show"} <= set(commands)
    for command in commands:
        assert "Usage:" in project.run(command, "--help")[0]


def test_run_everyone_writes_one_mail_for_each_reader_who_has_something(
    notes: Project,
) -> None:
    out, err = notes.run("run", "--everyone", "--at", AT)
    mails = notes.mails()
    assert err == ""
    assert {m["To"] for m in mails.values()} == {"ada@example.org", "grace@example.org"}
    assert {m["Subject"] for m in mails.values()}
    for key, mail in mails.items():
        assert key[:12] in out
        assert ("Mamba" in mail.as_string()) == (mail["To"] == "ada@example.org")
    assert (notes.outbox / "index.html").exists()


def test_run_twice_writes_each_issue_once(notes: Project) -> None:
    notes.run("run", "--everyone", "--at", AT)
    before = {p: p.read_bytes() for p in notes.outbox.glob("*/*.eml")}
    notes.run("run", "--everyone", "--at", AT)
    notes.run("run", "--at", AT)
    assert {p: p.read_bytes() for p in notes.outbox.glob("*/*.eml")} == before


@pytest.mark.parametrize("everyone", [True, False])
def test_two_runs_at_once_in_an_empty_folder_write_each_issue_once(
    notes: Project,
    everyone: bool,
) -> None:
    how = ["--everyone"] if everyone else []
    if not everyone:
        notes.run("run", "--at", "2026-05-04T00:00Z")
    both = [notes.start("run", *how, "--at", AT) for _ in range(3)]
    said = [process.communicate(timeout=100) for process in both]
    assert [process.returncode for process in both] == [0, 0, 0], said
    assert len(issue_rows(notes.root)) == 2
    assert len(notes.mails()) == 2
    assert len(list(notes.outbox.glob("**/.secret"))) == 1


@pytest.mark.long
def test_a_profile_edited_between_two_runs_costs_nobody_a_day(
    notes: Project,
) -> None:
    notes.run("run", "--at", "2026-05-04T05:00Z")
    readers = (notes.root / "config" / "subscribers.toml").read_text("utf-8")
    edited = readers.replace('["mamba"]', '["gardening"]')
    notes.write_readers(edited)
    notes.run("run", "--at", AT)
    notes.write_readers(edited.replace('["gardening"]', '["mamba"]'))
    notes.run("run", "--at", AT)
    to = [m["To"] for m in notes.mails().values()]
    assert sorted(to) == ["ada@example.org", "grace@example.org"]
    (ada,) = (m for m in notes.mails().values() if m["To"] == "ada@example.org")
    assert "Gardening" in ada.as_string()


@pytest.mark.long
def test_show_prints_the_same_bytes_after_everything_changed(
    notes: Project,
) -> None:
    notes.run("run", "--everyone", "--at", AT)
    written = {p.stem: p.read_bytes() for p in notes.outbox.glob("*/*.eml")}
    (notes.root / "notes.xml").write_text(
        rss("Mamba rewritten", "Robots rewritten", "Gardening"), "utf-8"
    )
    readers = (notes.root / "config" / "subscribers.toml").read_text("utf-8")
    notes.write_readers(readers.replace('["mamba"]', '["gardening"]'))
    config = notes.root / "config" / "newsletter.toml"
    text = config.read_text("utf-8").replace("Test Papers", "Another name")
    config.write_text(text + "[ranking]\ntitle = 9.0\n", "utf-8")
    notes.run("run", "--at", "2026-05-05T12:00Z")
    for key, content in written.items():
        out = subprocess.run(  # noqa: S603 - our own command line
            [sys.executable, "-m", "newsletter", "show", key[:10]],
            cwd=notes.root,
            capture_output=True,
            check=True,
        )
        assert out.stdout == content
        assert out.stderr == b""


def test_show_of_an_unknown_key_says_so(notes: Project) -> None:
    _, err = notes.run("show", "feedfeed", code=2)
    assert "feedfeed" in err


def test_a_run_that_finds_nobody_due_says_who_is_next(
    notes: Project,
) -> None:
    out, _ = notes.run("run", "--at", "2026-05-04T05:00Z")
    assert "nobody is due; next is ada@example.org, Mon 04 May 2026 07:30" in out
    assert "--everyone" in out


def test_dry_run_writes_nothing_at_all(notes: Project) -> None:
    before = notes.files()
    out, _ = notes.run("run", "--everyone", "--dry-run", "--at", AT)
    assert notes.files() == before
    assert "dry run: nothing was fetched, written or sent" in out


def test_dry_run_lists_who_would_get_what(notes: Project) -> None:
    notes.run("refresh", "--at", "2026-05-04T06:00Z")
    before = {p: (notes.root / p).read_bytes() for p in notes.files()}
    out, _ = notes.run("run", "--everyone", "--dry-run", "--at", AT)
    assert re.search(r"ada@example.org .*would get .*Mamba in production", out)
    after = {p: (notes.root / p).read_bytes() for p in notes.files()}
    assert {p for p in after if p.suffix not in {".db-wal", ".db-shm"}} == {
        p for p in before if p.suffix not in {".db-wal", ".db-shm"}
    }
    assert notes.mails() == {}
    notes.run("run", "--everyone", "--at", AT)
    assert len(notes.mails()) == 2


@pytest.mark.long
def test_the_stages_one_by_one_do_what_run_does(
    make_project: Callable[[str], Project],
) -> None:
    bodies = []
    for name, steps in (
        ("whole", [("run", "--everyone", "--at", AT)]),
        (
            "parts",
            [
                ("refresh", "--at", AT),
                ("prepare", "--everyone", "--at", AT),
                ("deliver",),
            ],
        ),
    ):
        project = make_project(name)
        project.write(FEED)
        text = rss("Mamba in production", "Robots that fold")
        (project.root / "notes.xml").write_text(text, "utf-8")
        for step in steps:
            project.run(*step)
        mails = project.mails().values()
        bodies.append(sorted((m["To"], m["Subject"]) for m in mails))
    assert bodies[0] == bodies[1]
    assert len(bodies[0]) == 2


@pytest.mark.long
def test_a_file_that_lost_half_its_readers_changes_nothing_and_says_so(
    notes: Project,
) -> None:
    notes.run("run", "--everyone", "--at", AT)
    readers = (notes.root / "config" / "subscribers.toml").read_text("utf-8")
    notes.write_readers(readers[: readers.index("[[subscribers]]", 20)])
    _, err = notes.run("run", "--at", "2026-05-04T13:00Z")
    assert "lost 1 reader" in err
    assert "grace@example.org" in err
    states = notes.json("subscribers", "list")
    assert {r["address"]: r["status"] for r in states} == {
        "ada@example.org": "active",
        "grace@example.org": "active",
    }


def test_a_reader_who_unsubscribed_stays_so_whatever_the_file_says(
    notes: Project,
) -> None:
    notes.run("run", "--at", "2026-05-04T05:00Z")
    notes.run("subscribers", "unsubscribe", "ada@example.org")
    readers = (notes.root / "config" / "subscribers.toml").read_text("utf-8")
    notes.write_readers(readers.replace('["mamba"]', '["mamba", "robot*"]'))
    notes.run("run", "--everyone", "--at", AT)
    assert [m["To"] for m in notes.mails().values()] == ["grace@example.org"]
    shown = notes.json("subscribers", "show", "ada@example.org")
    assert shown["subscriber"]["status"] == "unsubscribed"
    notes.run("subscribers", "reactivate", "ada@example.org", "--reason", "asked")
    shown = notes.json("subscribers", "show", "ada@example.org")
    assert shown["subscriber"]["status"] == "active"


@pytest.mark.long
def test_a_reader_who_leaves_after_prepare_gets_nothing(
    notes: Project,
) -> None:
    notes.run("refresh", "--at", AT)
    notes.run("prepare", "--everyone", "--at", AT)
    notes.run("subscribers", "unsubscribe", "ada@example.org")
    out, _ = notes.run("deliver")
    assert "1 issue left out: the reader has left" in out
    assert [m["To"] for m in notes.mails().values()] == ["grace@example.org"]


@pytest.mark.long
def test_match_says_what_a_query_would_have_brought(
    notes: Project,
) -> None:
    notes.run("refresh", "--at", AT)
    out, _ = notes.run("match", "mamba OR title:robot*", "--at", AT)
    assert "3 entries listed in 30 days, 2 matched" in out
    assert "title: mamba" in out
    test = notes.json("match", "gardening", "--at", AT)
    assert test["matched"] == 1
    notes.run("run", "--everyone", "--at", AT)
    out, _ = notes.run("match", "--subscriber", "ada@example.org", "--at", AT)
    assert "1 matched" in out


@pytest.mark.parametrize(
    ("query", "said"),
    [("a OR NOT b", "did you mean"), ("(a OR b", ")"), ("colour:red", "title")],
)
def test_match_refuses_a_broken_query_with_its_place(
    notes: Project,
    query: str,
    said: str,
) -> None:
    _, err = notes.run("match", query, code=2)
    assert said in err
    assert "character" in err


def test_status_tells_where_everything_stands(
    notes: Project,
) -> None:
    notes.run("run", "--everyone", "--at", AT)
    out, _ = notes.run("status")
    assert "2 active" in out
    assert "2 written" in out
    assert "for ada@example.org, slot 2026-05-04T12:00:00Z: written" in out
    status = notes.json("status")
    assert status["issues"] == {"written": 2}


def test_held_listings_are_released_or_dropped_by_a_command(
    notes: Project,
) -> None:
    config = notes.root / "config" / "newsletter.toml"
    config.write_text(config.read_text("utf-8") + "max_new = 2\n", "utf-8")
    _, err = notes.run("run", "--everyone", "--at", AT)
    assert "held" in err
    assert "newsletter sources release notes" in err
    assert notes.mails() == {}
    assert "3" in notes.run("sources", "list")[0]
    notes.run("sources", "release", "notes")
    notes.run("run", "--everyone", "--at", "2026-05-04T12:30Z")
    assert len(notes.mails()) == 2
    assert "0 listings" in notes.run("sources", "drop", "notes")[0]
    assert "nowhere" in notes.run("sources", "drop", "nowhere", code=2)[1]


def test_backup_is_a_database_and_never_overwrites(
    notes: Project,
) -> None:
    notes.run("run", "--everyone", "--at", AT)
    copy = notes.root / "copy.db"
    notes.run("db", "backup", str(copy))
    with sqlite3.connect(copy) as connection:
        (number,) = connection.execute("SELECT count(*) FROM issues").fetchone()
    connection.close()
    assert number == 2
    _, err = notes.run("db", "backup", str(copy), code=1)
    assert "copy.db" in err
    assert "schema" in notes.run("db", "upgrade")[0]


def test_a_missing_configuration_says_how_to_begin(
    project: Project,
) -> None:
    _, err = project.run("run", code=2)
    assert "newsletter.toml" in err or "config" in err
    assert "newsletter demo" in err
    assert project.files() == frozenset()


@pytest.mark.parametrize(
    ("config", "readers", "place"),
    [
        ("[fetch]\ntimeout_s = 'fast'\n", "", "newsletter.toml:6"),
        ("[fetch]\ntimeout = 3\n", "", "newsletter.toml:6"),
        ("", '[[subscribers]]\naddress = "nobody"\n', "subscribers.toml:2"),
        (
            "",
            '[[subscribers]]\naddress = "a@example.org"\nschedule = "daily 25:99"\n',
            "subscribers.toml:3",
        ),
        (
            "",
            '[[subscribers]]\naddress = "a@example.org"\ninterests = ["(a OR b"]\n',
            "subscribers.toml:3",
        ),
    ],
)
def test_a_wrong_configuration_names_the_place_and_creates_nothing(
    project: Project,
    config: str,
    readers: str,
    place: str,
) -> None:
    project.write(config, readers)
    before = project.files()
    for command in (["run"], ["run", "--everyone", "--dry-run"]):
        _, err = project.run(*command, code=2)
        assert place in err
    assert project.files() == before


@pytest.mark.long
def test_a_wrong_configuration_leaves_the_database_as_before(
    notes: Project,
) -> None:
    notes.run("run", "--everyone", "--at", AT)
    before = notes.json("subscribers", "list")
    readers = (notes.root / "config" / "subscribers.toml").read_text("utf-8")
    notes.write_readers(readers.replace('["mamba"]', '["mamba OR NOT robots"]'))
    notes.run("run", code=2)
    notes.write_readers(readers)
    assert notes.json("subscribers", "list") == before


def test_demo_writes_a_different_mail_for_each_reader(
    project: Project,
) -> None:
    out, err = project.run("demo")
    mails = {p.stem: p for p in (project.outbox / "demo").glob("*/*.eml")}
    assert err == ""
    assert len(mails) == 4
    assert all(str(p.relative_to(project.root)) in out for p in mails.values())
    assert "outbox/demo/index.html" in out
    assert len({p.read_bytes() for p in mails.values()}) == 4
    project.run("demo")
    again = {p.stem for p in (project.outbox / "demo").glob("*/*.eml")}
    assert len(again) == 4
    assert project.files() >= {Path("outbox/demo/index.html")}
    assert not list(project.root.rglob("*.db"))


def test_json_of_a_run_is_json(notes: Project) -> None:
    out, _ = notes.run("run", "--everyone", "--at", AT, "--json")
    assert json.loads(out)["delivered"]["counts"] == {"written": 2}
