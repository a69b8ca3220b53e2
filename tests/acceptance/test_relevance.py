"""Stems, acronyms and filling up, as a reader meets them: in a mail."""

from __future__ import annotations

import html as markup
import re
from email.message import EmailMessage

import pytest

from tests.acceptance.test_cli import AT, FEED, rss
from tests.acceptance.test_preview import source, started
from tests.support.project import Project

TITLES = (
    "Large language models that forget",
    "Language for gardeners",
    "Large gardens",
    "Cooking",
    "Painting",
    "Dancing",
    "Robots for large dogs",
)
READER = """
[[subscribers]]
address = "ada@example.org"
schedule = "daily 07:30"
interests = [{ query = "LLMs", name = "Language models" }]
mutes = ["dogs"]
stem = "en"
fill = true
"""


@pytest.fixture
def garden(project: Project) -> Project:
    project.write(FEED, READER)
    (project.root / "notes.xml").write_text(rss(*TITLES), "utf-8")
    (project.root / "config" / "acronyms.toml").write_text(
        'LLM = "large language model"\n', "utf-8"
    )
    return project


def parts(mail: EmailMessage) -> tuple[str, str]:
    """Return text and HTML, the latter without its tags."""
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    bare = markup.unescape(re.sub(r"<[^>]*>", "", html.get_content()))
    return str(text.get_content()), " ".join(bare.split())


def test_a_mail_is_filled_up_with_what_comes_close(garden: Project) -> None:
    garden.run("run", "--at", AT, "--everyone")
    ((key, mail),) = garden.mails().items()
    assert mail["Subject"] == "Large language models that forget"
    for said in parts(mail):
        flat = " ".join(said.split())
        matched, found, close = flat.partition("Close to your interests")
        assert found
        assert "1 entry for you and 2 close to your interests, out of 7 new" in matched
        assert "7 new, 1 matched, 1 shown, 0 more matched; 2 close" in close
        assert "Large language models that forget" in matched
        assert "Language for gardeners" in close
        assert "Large gardens" in close
        assert "Close to: Language models" in close
        assert "title: large" in close
        assert "Robots" not in flat
        assert "Cooking" not in flat
    text, _ = parts(mail)
    assert "== Close to your interests ==" in text
    shown, _ = garden.run("show", key)
    assert shown.encode() == mail_bytes(garden, key)


def mail_bytes(project: Project, key: str) -> bytes:
    (path,) = project.outbox.glob(f"*/{key}.eml")
    return path.read_bytes().replace(b"\r\n", b"\n")


def test_a_past_issue_is_the_same_when_acronyms_have_changed(garden: Project) -> None:
    garden.run("run", "--at", AT, "--everyone")
    ((key, _),) = garden.mails().items()
    before, _ = garden.run("show", key)
    (garden.root / "config" / "acronyms.toml").write_text("", "utf-8")
    after, _ = garden.run("show", key)
    assert after == before
    # The list of now has no such acronym, so nothing matches and none is sent.
    listing = rss("A large language model", "Tea", "Milk", day=5)
    (garden.root / "notes.xml").write_text(listing, "utf-8")
    garden.run("run", "--at", "2026-05-05T12:00Z", "--everyone")
    assert set(garden.mails()) == {key}


def test_what_stands_beside_ones_words_brings_closer(project: Project) -> None:
    """What the preview foresees, a run writes, and ``show`` says again."""
    project.write(
        FEED,
        READER.replace('"LLMs"', "'\"robot law\"'").replace("Language models", "Law"),
    )
    notes = project.root / "notes.xml"
    notes.write_text(rss(*("Robot law of motors",) * 6, "Tea", "Milk"), "utf-8")
    project.run("run", "--at", AT, "--everyone")
    old = set(project.mails())
    titles = ("A law of gardens", "The law of motors", "Robot law", "Motors", "Tea")
    notes.write_text(rss(*titles, "Milk", "Bread", "Salt", day=5), "utf-8")
    project.run("refresh", "--at", AT)
    at = "2026-05-05T12:00Z"
    with started(project, "--port", "0") as preview:
        foreseen = source(preview.page(f"?reader=ada@example.org&at={at}&view=source"))
    project.run("run", "--at", at, "--everyone")
    ((key, mail),) = ((k, m) for k, m in project.mails().items() if k not in old)
    text, _ = parts(mail)
    _, close = text.split("== Close to your interests ==")
    # The first of them was listed first, and motors alone are not asked for.
    assert close.index("The law of motors") < close.index("A law of gardens")
    assert "title: motors" in close
    assert "Motors\n" not in close
    assert parts(foreseen) == parts(mail)
    shown, _ = project.run("show", key)
    assert shown.encode() == mail_bytes(project, key)


def test_acronyms_are_mined_kept_and_mended(project: Project) -> None:
    project.write(FEED)
    said = "A graph neural network (GNN) at work"
    (project.root / "notes.xml").write_text(rss(said, said, said, "Tea"), "utf-8")
    project.run("refresh", "--at", AT)
    out, _ = project.run("acronyms", "list")
    assert "no acronyms" in out
    mine = ("acronyms", "mine", "--days", "4000")
    out, _ = project.run(*mine, "--least", "4")
    assert "nothing new in" in out
    out, _ = project.run(*mine)
    assert out == 'GNN = "graph neural network"  # in 3 texts\n'
    assert project.json("acronyms", "list") == []
    project.run(*mine, "--add")
    assert project.json("acronyms", "list") == [
        {"short": "GNN", "long": "graph neural network"}
    ]
    out, _ = project.run(*mine, "--add")
    assert "nothing new in" in out
    file = project.root / "config" / "acronyms.toml"
    file.write_text('GNN = "graph"\n', "utf-8")
    _, err = project.run("run", code=2)
    assert "config/acronyms.toml:1: GNN: 'graph' is no long form" in err
