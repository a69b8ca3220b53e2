"""arXiv and Daily Papers together, by the command line."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from tests.support.arxiv import Archive
from tests.support.project import Project
from tests.support.web import HttpServer

PAPER = {
    "paper": {
        "id": "2605.00001",
        "title": "Robots that diffuse",
        "summary": "Diffusion models move robots.",
        "authors": [{"name": "Ann Lee"}],
        "upvotes": 7,
        "submittedOnDailyAt": "2026-05-04T06:00:00.000Z",
    }
}
RSS = """<rss version="2.0" xmlns:arxiv="http://arxiv.org/schemas/atom"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>cs.RO updates</title>
<item><title>Robots that Diffuse</title><link>https://arxiv.org/abs/2605.00001</link>
<guid>oai:arXiv.org:2605.00001v2</guid>
<pubDate>Mon, 04 May 2026 00:00:00 -0400</pubDate>
<description>arXiv:2605.00001v2 Announce Type: {kind}
Abstract: Diffusion models move robots.</description><dc:creator>Ann Lee</dc:creator>
<arxiv:announce_type>{kind}</arxiv:announce_type></item></channel></rss>"""
TABLES = """
[[sources]]
name = "hf"
kind = "huggingface"
path = "hf"
[[sources]]
name = "arxiv"
kind = "arxiv"
path = "arxiv"
"""
READER = """[[subscribers]]
address = "ada@example.org"
schedule = "daily 07:30"
interests = ["robot*"]
"""


def show(project: Project, source: str, at: str) -> str:
    """Put a source's document into its folder, and run for everyone."""
    if source == "hf":
        body = json.dumps([PAPER])
    else:
        body = RSS.format(kind="new" if source == "arxiv" else "replace")
    folder = project.root / source.removesuffix("-replaced")
    (
        folder
        / f"day{len(list(folder.iterdir()))}.{'json' if source == 'hf' else 'xml'}"
    ).write_text(body)
    return project.run("run", "--everyone", "--at", at)[0]


@pytest.mark.parametrize("order", [("hf", "arxiv"), ("arxiv", "hf")])
def test_a_daily_paper_and_its_arxiv_listing_are_one_entry(
    project: Project, order: tuple[str, str]
) -> None:
    project.write(TABLES, READER)
    for name in ("hf", "arxiv"):
        (project.root / name).mkdir()
    first = show(project, order[0], "2026-05-04T12:00Z")
    assert "1 new, 1 matched, 1 shown" in first
    second = show(project, order[1], "2026-05-05T12:00Z")
    assert f"{order[1]}: 1 new" in second
    assert "nothing for ada@example.org: 1 new, 0 matched" in second
    assert len(project.mails()) == 1
    found = project.json("match", "robot*", "--at", "2026-05-05T12:00Z")
    assert found["weighed"] == found["matched"] == 1


def test_a_replacement_and_a_repeated_list_bring_nothing(project: Project) -> None:
    project.write(TABLES, READER)
    for name in ("hf", "arxiv"):
        (project.root / name).mkdir()
    assert "arxiv: 0 new" in show(project, "arxiv-replaced", "2026-05-04T12:00Z")
    assert "arxiv: 1 new" in show(project, "arxiv", "2026-05-04T13:00Z")
    at = datetime.fromisoformat("2026-05-05T12:00Z")
    for day in range(3):
        said = show(project, "arxiv", (at + timedelta(days=day)).isoformat())
        assert "arxiv: 0 new" in said
    assert len(project.mails()) == 1


@pytest.mark.long
def test_a_search_is_filled_back_once_and_then_read_on(
    project: Project, http_server: HttpServer
) -> None:
    newest = datetime.fromisoformat("2026-05-04T06:00Z")
    archive = Archive.daily(newest, days=20, a_day=10)
    http_server.routes["/api/query"] = archive.answer
    project.write(
        f'[fetch]\nallow_private = ["{http_server.host}"]\ninterval = "0s"\n'
        '[[sources]]\nname = "arxiv"\nkind = "arxiv"\nfirst_days = 10\nback_days = 2\n'
        f'url = "{http_server.url}/api/query?search_query=cat:cs.RO&max_results=50"\n',
        READER,
    )
    out, _ = project.run("run", "--everyone", "--at", "2026-05-04T12:00Z")
    assert "arxiv: 100 new" in out
    assert archive.asked == [(0, 50), (50, 50), (100, 50)]
    archive.papers += [newest + timedelta(hours=20), newest - timedelta(hours=12)]
    out, _ = project.run("run", "--everyone", "--at", "2026-05-05T12:00Z")
    assert "arxiv: 2 new" in out
    assert archive.asked[3:] == [(0, 50)]
