"""`sources import-opml` and `export-opml`: subscriptions in and out, asking nobody."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import Project

MINE = """
# what I follow
[[sources]]
name = "Lab_Notes"
kind = "feed"
url = "https://lab.example.org/feed.xml"  # theirs
tags = ["Labs", "robots"]

[[sources]]
name = "arxiv"
kind = "arxiv"
url = "https://rss.arxiv.org/rss/cs.LG"

[[sources]]
name = "papers"
kind = "huggingface"
url = "https://huggingface.co/api/daily_papers"

# the end
"""
LIST = """<opml version="2.0"><body>
<outline text="Robots &amp; Co"><outline text="Lab notes"
 xmlUrl="https://new.example.org/feed"/></outline>
<outline text="日本"><outline text="日本語" xmlUrl="https://jp.example.org/feed"/></outline>
<outline text="Known" xmlUrl="HTTPS://LAB.example.org/feed.xml"/>
<outline text="Lab notes" xmlUrl="https://newer.example.org/feed"/>
<outline text="Old" xmlUrl="gopher://old.example.org/"/>
</body></opml>"""


@pytest.fixture
def mine(project: Project) -> Project:
    project.write(MINE)
    (project.root / "list.opml").write_text(LIST, "utf-8")
    return project


def toml(project: Project) -> str:
    return (project.root / "config" / "newsletter.toml").read_text("utf-8")


def tables(project: Project) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads(toml(project))["sources"]
    return found


def test_a_list_is_imported_in_one_edit_and_comments_stay(mine: Project) -> None:
    before = toml(mine)
    out, err = mine.run("sources", "import-opml", "list.opml", "--dry-run")
    assert out == (
        "  lab-notes  https://new.example.org/feed  [robots-co]\n"
        "  jp-example-org  https://jp.example.org/feed\n"
        "  lab-notes-2  https://newer.example.org/feed\n"
        "3 feeds would be added to config/newsletter.toml; 1 there already,"
        " 1 left out\n"
    )
    assert "Old was left out: 'gopher://old.example.org/' is no http or https" in err
    assert "'日本' makes no tag" in err
    assert toml(mine) == before
    out, _ = mine.run("sources", "import-opml", "list.opml")
    assert "3 feeds added to config/newsletter.toml; 1 there already" in out
    added = (
        '\n[[sources]]\nname = "lab-notes"\nkind = "feed"\n'
        'url = "https://new.example.org/feed"\ntags = ["robots-co"]\n'
        '\n[[sources]]\nname = "jp-example-org"\nkind = "feed"\n'
        'url = "https://jp.example.org/feed"\n'
        '\n[[sources]]\nname = "lab-notes-2"\nkind = "feed"\n'
        'url = "https://newer.example.org/feed"\n'
    )
    assert toml(mine) == before.replace("\n\n# the end", f"\n{added}\n# the end")
    out, _ = mine.run("sources", "import-opml", "list.opml")
    assert "0 feeds added to config/newsletter.toml; 4 there already" in out


def test_what_is_exported_comes_back_the_same(mine: Project, tmp_path: Path) -> None:
    out, err = mine.run("sources", "export-opml", "mine.opml")
    assert out == "2 feeds written to mine.opml\n"
    assert "papers was left out: it is of kind 'huggingface'" in err
    printed, _ = mine.run("sources", "export-opml")
    assert printed == (tmp_path / "mine.opml").read_text("utf-8")
    wanted = [table for table in tables(mine) if table["name"] != "papers"]
    mine.write("")
    mine.run("sources", "import-opml", "mine.opml")
    assert tables(mine) == wanted


@pytest.mark.long
def test_a_real_list_is_imported_and_comes_back(mine: Project, shared: Path) -> None:
    file = shared / "wire" / "feeds_opml" / "nnw_Subs.opml"
    mine.run("sources", "import-opml", str(file))
    assert len(tables(mine)) == 209
    wanted = [table for table in tables(mine) if table["name"] != "papers"]
    mine.run("sources", "export-opml", "mine.opml")
    mine.write("")
    mine.run("sources", "import-opml", "mine.opml")
    assert tables(mine) == wanted


@pytest.mark.long
def test_a_file_that_is_no_list_is_wrong_usage(mine: Project) -> None:
    before = toml(mine)
    _, err = mine.run("sources", "import-opml", "gone.opml", code=2)
    assert "gone.opml cannot be read: No such file or directory" in err
    (mine.root / "trap.opml").write_text("<!DOCTYPE opml><opml/>")
    _, err = mine.run("sources", "import-opml", "trap.opml", code=2)
    assert "trap.opml: this declares a document type" in err
    _, err = mine.run("sources", "export-opml", "gone/mine.opml", code=2)
    assert "gone/mine.opml cannot be written: No such file or directory" in err
    assert toml(mine) == before
