"""Readers and their profiles by command."""

from __future__ import annotations

import stat
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.project import Project

FEED = """<rss version="2.0"><channel><title>Notes</title>
<item><title>Robots that diffuse</title><guid>1</guid>
<pubDate>Mon, 02 Mar 2026 09:00:00 GMT</pubDate></item>
<item><title>Mamba forgets</title><guid>2</guid>
<pubDate>Mon, 02 Mar 2026 09:00:00 GMT</pubDate></item></channel></rss>"""
TABLES = '[[sources]]\nname = "notes"\nkind = "feed"\npath = "notes.xml"\n'
AT = ("--at", "2026-03-02T12:00Z")


@pytest.fixture
def notes(project: Project) -> Project:
    """Give a project with two entries and one reader of the file."""
    (project.root / "notes.xml").write_text(FEED)
    project.write(
        TABLES,
        '[[subscribers]]\naddress = "ada@example.org"\ninterests = ["mamba"]\n',
    )
    project.run("refresh", *AT)
    return project


def add(project: Project, address: str = "bob@example.org", *more: str) -> str:
    return project.run("subscribers", "add", address, "--interest", "robot*", *more)[0]


def test_a_reader_who_is_added_gets_mail_and_pauses_and_comes_back(
    notes: Project,
) -> None:
    said = add(notes, "bob@example.org", "--name", "Bob", "--timezone", "Asia/Tokyo")
    assert "bob@example.org is a reader now; the first issue: " in said
    assert "Asia/Tokyo" in said
    notes.run("run", "--everyone", *AT)
    assert {str(mail["To"]) for mail in notes.mails().values()} == {
        "ada@example.org",
        "Bob <bob@example.org>",
    }
    out, _ = notes.run("subscribers", "pause", "bob@example.org", "--reason", "holiday")
    assert "gets no mail until `newsletter subscribers reactivate" in out
    out, _ = notes.run("run", "--everyone", "--at", "2026-03-03T12:00Z")
    assert "bob" not in out
    _, err = notes.run("subscribers", "pause", "bob@example.org", code=2)
    assert "gets no mail anyway: paused (holiday)" in err
    notes.run("subscribers", "reactivate", "bob@example.org", "--reason", "back")
    out, _ = notes.run("subscribers", "show", "bob@example.org")
    for said in (
        "joined, by command",
        "paused, by command: holiday",
        "active, by command: back",
    ):
        assert said in out
    found = notes.json("subscribers", "show", "bob@example.org")
    assert [event["kind"] for event in found["events"]] == [
        "joined",
        "paused",
        "active",
    ]


@pytest.mark.long
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nobody",), "subscribers add: address: "),
        (("a@example.net", "--timezone", "Mars/Base"), "subscribers add: timezone: "),
        (("a@example.net", "--schedule", "daily 25:00"), "subscribers add: schedule"),
        (("a@example.net", "--interest", "a OR NOT b"), "interests[1]: "),
        (("a@example.net", "--mute", '"x'), '    "x\n'),
        (("ADA@example.org",), "is a reader already (subscribers.toml)"),
    ],
)
def test_a_reader_who_cannot_be_added_is_refused_with_the_reason(
    notes: Project, words: tuple[str, ...], says: str
) -> None:
    notes.run("prepare", *AT)
    _, err = notes.run("subscribers", "add", *words, code=2)
    assert says in err
    assert len(notes.json("subscribers", "list")) == 1


def test_over_smtp_a_reader_who_could_not_leave_is_refused(notes: Project) -> None:
    file = notes.root / "config" / "newsletter.toml"
    kept = (x for x in file.read_text().splitlines() if "base_url" not in x)
    file.write_text("\n".join(kept))
    notes.write_readers("")
    smtp = replace(notes, environ={"NEWSLETTER_DELIVERY__TRANSPORT": "smtp"})
    _, err = smtp.run("subscribers", "add", "bob@example.org", code=2)
    assert "would send to bob@example.org, who has no way to leave" in err


@pytest.mark.long
def test_an_erased_reader_is_gone_and_is_not_brought_back_by_mistake(
    notes: Project,
) -> None:
    add(notes)
    notes.run("run", "--everyone", *AT)
    key = next(k for k, m in notes.mails().items() if "bob" in str(m["To"]))
    _, err = notes.run("subscribers", "erase", "bob@example.org", code=2)
    assert "this cannot be undone; say so with --yes" in err
    out, err = notes.run("subscribers", "erase", "bob@example.org", "--yes")
    assert "bob@example.org is erased" in out
    assert f"{key}.eml names them; remove it too" in err
    assert f"{key}.html names them; remove it too" in err
    assert "copies of the database and of the outbox are yours to remove" in out
    assert b"bob@example.org" not in (notes.outbox / "newsletter.db").read_bytes()
    lists = [*notes.outbox.glob("archive/*/*"), notes.outbox / "index.html"]
    told = b"".join(path.read_bytes() for path in lists if path.is_file())
    assert b"ada@example.org" in told
    assert b"bob@example.org" not in told
    _, err = notes.run("show", key, code=2)
    assert "went to a reader whose data were erased" in err
    _, err = notes.run("subscribers", "show", "bob@example.org", code=2)
    assert "no reader goes by 'bob@example.org'" in err
    _, err = notes.run("subscribers", "add", "bob@example.org", code=2)
    assert "must get no mail: erased" in err
    add(notes, "bob@example.org", "--reason", "wrote on Monday")
    out, _ = notes.run("subscribers", "show", "bob@example.org")
    assert "joined, by command: wrote on Monday" in out


@pytest.mark.long
def test_an_erased_reader_of_the_file_is_kept_out_of_it(notes: Project) -> None:
    notes.run("prepare", *AT)
    _, err = notes.run("subscribers", "erase", "ada@example.org", "--yes")
    assert "subscribers.toml still names them" in err
    _, err = notes.run("run", "--everyone", *AT)
    assert "ada@example.org in subscribers.toml is left as it is: the address" in err
    _, err = notes.run("subscribers", "add", "x@example.org", "--profile", "x", code=2)
    assert "does not exist" in err


# --- profiles -------------------------------------------------------------------


def editor(folder: Path, *replacements: str) -> str:
    """Return an editor that makes each replacement of sed in turn."""
    script = folder / "editor.sh"
    lines = "".join(f"sed -i '{r}' \"$1\"\n" for r in replacements)
    # A file of the same second would count as not saved.
    script.write_text(f'#!/bin/sh\n{lines}touch -d tomorrow "$1"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return str(script)


@pytest.mark.long
def test_a_profile_is_shown_as_toml_that_can_be_read_again(notes: Project) -> None:
    file = notes.root / "p.toml"
    file.write_text(
        'schedule = ["mon 07:30", "thu 18:00"]\ntimezone = "Asia/Tokyo"\n'
        "interests = [\n  '\"ab cd*\"',\n"
        '  { query = "title:c", name = "C", weight = 2.5 },\n  "it\'s",\n]\n'
        'mutes = ["survey"]\norder = "votes"\nmax_items = 7\nskip_empty = false\n'
    )
    notes.run("subscribers", "add", "bob@example.org", "--profile", "p.toml")
    out, _ = notes.run("profile", "show", "bob@example.org")
    found = tomllib.loads(out)
    assert {k: found[k] for k in tomllib.loads(file.read_text())} == tomllib.loads(
        file.read_text()
    )
    (notes.root / "again.toml").write_text(out)
    out, _ = notes.run("profile", "edit", "bob@example.org", "--file", "again.toml")
    assert out == "bob@example.org: nothing changed\n"
    shown = notes.json("profile", "show", "bob@example.org")
    assert shown["profile"]["max_items"] == 7
    _, err = notes.run(
        *("subscribers", "add", "c@example.org", "--profile", "p.toml"),
        *("--interest", "x"),
        code=2,
    )
    assert "not both" in err


@pytest.mark.long
def test_a_profile_is_edited_in_an_editor(notes: Project) -> None:
    add(notes)
    edited = replace(
        notes,
        environ={"EDITOR": editor(notes.root, 's/"robot\\*"/"mamba"/')},
    )
    out, _ = edited.run("profile", "edit", "bob@example.org")
    assert out == "bob@example.org: changed\n"
    assert '"mamba"' in notes.run("profile", "show", "bob@example.org")[0]
    same = replace(notes, environ={"EDITOR": "true"})
    out, _ = same.run("profile", "edit", "bob@example.org")
    assert out == "bob@example.org: nothing changed\n"
    broken = replace(
        notes, environ={"EDITOR": editor(notes.root, 's/"mamba"/"a OR NOT b"/')}
    )
    _, err = broken.run("profile", "edit", "bob@example.org", code=2)
    assert "interests[1]: " in err
    kept = Path(err.rpartition("kept in ")[2].strip())
    assert "a OR NOT b" in kept.read_text()
    kept.unlink()
    assert '"mamba"' in notes.run("profile", "show", "bob@example.org")[0]


@pytest.mark.long
def test_a_profile_of_the_file_is_edited_there(notes: Project) -> None:
    notes.run("prepare", *AT)
    _, err = notes.run("profile", "edit", "ada@example.org", code=2)
    assert "is named in subscribers.toml; change the profile there" in err


@pytest.mark.long
def test_check_tells_what_matched_and_what_is_of_no_use(notes: Project) -> None:
    out, _ = notes.run("profile", "check", "ada@example.org", *AT)
    assert "2 entries in 30 days, 1 matched" in out
    assert "interest  mamba: 1\n            Mamba forgets\n" in out
    (notes.root / "p.toml").write_text('interests = ["robot"]\nmutes = ["zebra"]\n')
    out, _ = notes.run("profile", "check", "--file", "p.toml", *AT)
    assert (
        "note      robot: robot does not occur\n          -> did you mean robot*" in out
    )
    assert "mute      zebra: 0" in out
    found = notes.json("profile", "check", "--file", "p.toml", *AT)
    assert found["weighed"] == 2
    out, _ = notes.run("profile", "check", "--file", "p.toml", "--at", "2020-01-01")
    assert "nothing was listed in these days" in out


@pytest.mark.long
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("interests = ['a OR NOT b']\n", "p.toml:1: interests[1]: "),
        ("colour = 1\n", "p.toml:1: colour: there is no such key"),
        ("interests = [\n", "p.toml:1: column"),
        ("address = 'x@example.org'\n", "p.toml:1: address: there is no such key"),
        ("stem = 'xx'\n", "p.toml:1: stem: 'xx' is no language"),
    ],
)
def test_a_profile_with_a_mistake_is_refused_with_its_place(
    notes: Project, text: str, says: str
) -> None:
    (notes.root / "p.toml").write_text(text)
    add(notes)
    for words in (
        ("check", "--file", "p.toml"),
        ("edit", "bob@example.org", "--file", "p.toml"),
        ("diff", "bob@example.org", "--file", "p.toml"),
    ):
        _, err = notes.run("profile", *words, code=2)
        assert says in err


@pytest.mark.long
def test_diff_tells_what_would_change(notes: Project) -> None:
    (notes.root / "p.toml").write_text('interests = ["robot*"]\norder = "newest"\n')
    out, _ = notes.run("profile", "diff", "ada@example.org", "--file", "p.toml", *AT)
    assert out.splitlines() == [
        "interests: - mamba",
        "interests: + robot*",
        "order: relevance -> newest",
        "over 30 days: 0 as before",
        "  + Robots that diffuse",
        "  - Mamba forgets",
    ]
    found = notes.json("profile", "diff", "ada@example.org", "--file", "p.toml", *AT)
    assert found["gained"] == ["Robots that diffuse"]
    (notes.root / "p.toml").write_text('interests = ["mamba"]\n')
    out, _ = notes.run("profile", "diff", "ada@example.org", "--file", "p.toml", *AT)
    assert "the two are the same" in out


@pytest.mark.long
def test_what_is_missing_is_said(notes: Project) -> None:
    _, err = notes.run("profile", "check", code=2)
    assert "give an ADDRESS or --file FILE" in err
    _, err = notes.run("profile", "diff", "ada@example.org", code=2)
    assert "name the other profile" in err
    _, err = notes.run("profile", "check", "--file", "none.toml", code=2)
    assert "none.toml cannot be read" in err
    _, err = notes.run("profile", "show", "x@example.org", code=2)
    assert "no reader goes by" in err
