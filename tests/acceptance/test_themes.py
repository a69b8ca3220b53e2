"""Themes of one's own, as a person makes and mails them."""

from __future__ import annotations

import re
import shutil
from email.message import EmailMessage
from pathlib import Path

import pytest

from newsletter.rendering.judging import judge
from newsletter.rendering.renderer import ThemeRenderer
from newsletter.rendering.themes import load_theme
from tests.support.issues import close_issue, issue
from tests.support.project import Project
from tests.support.themes import PACKAGED

AT = "2026-05-04T08:00Z"
NOTES = """
[catch_up]
max_lookback = "4000d"

[[sources]]
name = "notes"
kind = "feed"
path = "notes.xml"
first_days = 4000
"""
READERS = """
[[subscribers]]
address = "ada@example.org"
schedule = "daily 07:30"
interests = ["mamba"]
"""
TYPO = ("{{ issue.title | isolate }}</h1>", "{{ issue.titel | isolate }}</h1>")
MINE = ('{{ _("The receipt") }}</h2>', "What came in</h2>")


@pytest.fixture
def mine(project: Project) -> Project:
    """Give a project whose theme is one of its own, as `theme new` made it."""
    configure(project)
    (project.root / "notes.xml").write_text(
        '<rss version="2.0"><channel><title>N</title><item><title>Mamba</title>'
        "<link>https://example.org/1</link><guid>1</guid>"
        "<pubDate>04 May 2026 06:00:00 GMT</pubDate></item></channel></rss>"
    )
    project.run("theme", "new", "mine")
    return project


def configure(project: Project, *, theme: str = "mine", more: str = "") -> None:
    project.write(f'theme = "{theme}"\n{more}{NOTES}', READERS)


def edit(project: Project, change: tuple[str, str], file: str = "body.mjml.j2") -> None:
    path = project.root / "templates" / "mine" / file
    old, new = change
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def html(mail: EmailMessage) -> str:
    body = mail.get_body(("html",))
    assert body is not None
    return str(body.get_content())


def run(project: Project, *arguments: str, code: int = 0) -> tuple[str, str]:
    return project.run("run", "--everyone", "--at", AT, *arguments, code=code)


# --- making -------------------------------------------------------------------


def test_a_new_theme_looks_as_the_one_that_it_was_made_from(mine: Project) -> None:
    folder = mine.root / "templates"
    made = ThemeRenderer(load_theme("mine", folders=[folder]))
    like = ThemeRenderer(load_theme("default", folders=()))
    for given in (issue(), issue(()), close_issue()):
        assert made.render(given) == like.render(given)
    assert made.theme_hash != like.theme_hash
    for file in (folder / "mine").iterdir():
        assert file.read_text("utf-8").startswith(("{# ", "# ")), file


def test_making_a_theme_says_what_to_do_next(project: Project) -> None:
    configure(project, theme="default")
    out, _ = project.run("theme", "new", "mine")
    for said in (
        "edit its files",
        'theme = "mine"',
        "preview --open",
        "theme check mine",
    ):
        assert said in out
    out, _ = project.run("theme", "new", "other", "--from", "mine")
    assert "look as with 'mine'" in out
    same = [
        load_theme(n, folders=[project.root / "templates"]) for n in ("mine", "other")
    ]
    assert same[0].hash == same[1].hash


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mine"], "is there already, and stays as it is"),
        (["default"], "the name of a theme that comes with the program"),
        (["../mine"], "is no name of a theme"),
        ([".hidden"], "is no name of a theme"),
        (["x", "--from", "nothing"], "no theme 'nothing' in "),
    ],
)
def test_a_theme_that_cannot_be_made_is_refused_with_the_reason(
    mine: Project, arguments: list[str], said: str
) -> None:
    before = mine.files()
    _, err = mine.run("theme", "new", *arguments, code=2)
    assert said in err
    assert mine.files() == before


def test_a_folder_that_cannot_be_written_is_named(project: Project) -> None:
    configure(project, theme="default")
    (project.root / "templates").write_text("a file in the way")
    _, err = project.run("theme", "new", "mine", code=2)
    assert re.search(r"mine cannot be written: .*; give yourself the right", err)


# --- checking -----------------------------------------------------------------


def test_a_check_says_accepted_or_what_is_wrong_and_where(mine: Project) -> None:
    before = mine.files()
    out, _ = mine.run("theme", "check", "mine")
    assert out == "theme mine: accepted, 0 warnings\n"
    assert mine.files() == before, "a check makes no database"
    edit(mine, TYPO)
    out, _ = mine.run("theme", "check", code=2)
    assert "error    body.mjml.j2, line 49: issue has no titel" in out
    assert "-> perhaps title is meant" in out
    assert "theme mine: refused, 1 error, 0 warnings" in out
    _, err = mine.run("theme", "check", "nothing", code=2)
    assert "no theme 'nothing' in " in err


def test_a_check_as_json_tells_each_fault(mine: Project) -> None:
    edit(mine, TYPO)
    out, _ = mine.run("theme", "check", "mine", "default", "--json", code=2)
    assert '"accepted": false' in out
    assert '"accepted": true' in out
    assert '"line": 49' in out


def test_a_theme_that_cannot_be_read_is_refused_with_its_line(mine: Project) -> None:
    (mine.root / "templates" / "mine" / "theme.toml").write_text('a = "b\n')
    out, _ = mine.run("theme", "check", "mine", code=2)
    assert "theme.toml, line 1: " in out
    _, err = run(mine, code=2)
    assert "theme.toml" in err


# --- mailing ------------------------------------------------------------------


def test_a_theme_that_is_changed_goes_out_once_it_was_judged(mine: Project) -> None:
    edit(mine, MINE)
    out, _ = run(mine, "--dry-run")
    assert "theme 'mine' is not accepted yet: a run judges it first" in out
    run(mine)
    (mail,) = mine.mails().values()
    assert "What came in</h2>" in html(mail)
    # The verdict was kept: the rehearsal has nothing to add.
    out, _ = run(mine, "--dry-run")
    assert "accepted" not in out
    out, _ = mine.run("doctor", "--offline")
    assert "fine     theme: 'mine' is accepted" in out


@pytest.mark.parametrize("command", ["run", "prepare", "deliver"])
def test_nothing_is_done_with_a_theme_that_is_refused(
    mine: Project, command: str
) -> None:
    edit(mine, TYPO)
    before = mine.files()
    _, err = mine.run(command, code=2)
    for said in (
        "theme 'mine' is not accepted, so nothing is sent with it",
        "body.mjml.j2, line 49: issue has no titel",
        "`newsletter theme check mine`",
    ):
        assert said in err
    assert mine.files() == before


def test_nothing_is_fetched_or_written_later_either(mine: Project) -> None:
    run(mine)
    before = {path: (mine.root / path).read_bytes() for path in mine.files()}
    edit(mine, TYPO)
    _, err = mine.run("run", "--everyone", "--at", "2026-05-05T08:00Z", code=2)
    assert "is not accepted" in err
    for path, content in before.items():
        if path.suffix in {".eml", ".html"}:
            assert (mine.root / path).read_bytes() == content
    assert len(mine.mails()) == 1
    # A refusal that a check has kept is used without judging again.
    mine.run("theme", "check", code=2)
    _, err = mine.run("run", code=2)
    assert "is not accepted" in err
    out, _ = mine.run("doctor", "--offline", code=1)
    assert "error    theme: 'mine' is not accepted: body.mjml.j2, line 49" in out
    assert "-> `newsletter theme check mine`" in out
    # What is no mail may be looked at.
    mine.run("status")
    key = next(iter(mine.mails()))
    mine.run("show", key, code=1)


def test_the_packaged_theme_goes_out_instead_where_that_is_wanted(
    mine: Project,
) -> None:
    configure(mine, more='theme_fallback = "default"\n')
    edit(mine, TYPO)
    _, err = run(mine)
    assert "theme 'mine' is not accepted" in err
    assert "Mails go out with the packaged theme instead" in err
    ((key, mail),) = mine.mails().items()
    assert "The receipt</h2>" in html(mail)
    # The ledger says what was really sent: it can be shown again.
    shown, err = mine.run("show", key)
    assert err == ""
    assert "Mamba" in shown
    out, _ = mine.run("doctor", "--offline")
    assert "the packaged theme is sent instead" in out
    report = mine.json("run")
    assert report["fallback"]["theme"] == "mine"


def test_the_packaged_theme_goes_out_instead_of_one_that_cannot_be_read(
    mine: Project,
) -> None:
    configure(mine, more='theme_fallback = "default"\n')
    (mine.root / "templates" / "mine" / "theme.toml").write_text('a = "b\n')
    out, _ = run(mine, "--dry-run")
    assert "theme.toml" in out
    _, err = run(mine)
    assert "Mails go out with the packaged theme instead" in err
    assert len(mine.mails()) == 1
    mine.run("status")
    out, _ = mine.run("doctor", "--offline")
    assert "warning  theme: 'mine' is not accepted: theme.toml, line 1" in out


def test_a_fallback_is_no_help_where_default_itself_is_refused(
    mine: Project,
) -> None:
    folder = mine.root / "templates"
    shutil.copytree(PACKAGED, folder / "default")
    text = (folder / "default" / "body.mjml.j2").read_text("utf-8")
    (folder / "default" / "body.mjml.j2").write_text(text.replace(*TYPO), "utf-8")
    configure(mine, theme="default", more='theme_fallback = "default"\n')
    _, err = run(mine, code=2)
    assert "theme 'default' is not accepted" in err


def test_a_fallback_that_is_no_choice_is_a_mistake(mine: Project) -> None:
    configure(mine, more='theme_fallback = "mine"\n')
    _, err = run(mine, code=2)
    assert re.search(r"newsletter\.toml:\d+: newsletter\.theme_fallback: ", err)


def test_an_issue_whose_theme_is_refused_waits_until_it_is_mended(
    mine: Project,
) -> None:
    mine.run("refresh", "--at", AT)
    mine.run("prepare", "--everyone", "--at", AT)
    edit(mine, TYPO)
    configure(mine, theme="default")
    _, err = mine.run("deliver", code=1)
    assert "held, theme 'mine' is not accepted" in err
    assert mine.mails() == {}
    (key,) = re.findall(r"--resolve-unknown repeat (\w+)", err)
    edit(mine, (TYPO[1], TYPO[0]))
    mine.run("deliver", "--resolve-unknown", "repeat", key)
    (found,) = mine.mails()
    assert found.startswith(key)


def test_what_is_shipped_is_mailed_without_being_judged(mine: Project) -> None:
    configure(mine, theme="default")
    run(mine)
    assert len(mine.mails()) == 1
    out, _ = run(mine, "--dry-run")
    assert "accepted" not in out


def test_a_theme_is_judged_by_its_files_not_by_its_name(mine: Project) -> None:
    folders: list[Path] = [mine.root / "templates"]
    theme = load_theme("mine", folders=folders)
    shutil.move(folders[0] / "mine", folders[0] / "other")
    assert load_theme("other", folders=folders).hash == theme.hash
    assert judge(theme).theme_hash == theme.hash
