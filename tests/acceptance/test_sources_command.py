"""`sources add`, `remove` and `check`, with a real server at the other end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.project import Project
from tests.support.web import HttpServer

PAGE = """<!doctype html><html><head><title>The lab</title><base href="/pages/">
<link rel="alternate" type="application/rss+xml" title="Comments" href="comments.xml">
<link rel='Alternate nofollow' type='application/atom+xml' title='All' href=../feed.xml>
<link rel=alternate type="application/feed+json" href="/feed.json">
<link rel="alternate" type="text/html" href="/de">
<link rel="alternate" type="application/rss+xml" href="javascript:alert(1)">
<link rel="stylesheet" href="/style.css"></head><body>"""
FEED = """<rss version="2.0"><channel><title>Lab &amp;amp; notes</title>
<item><title>Mamba in a robot</title><guid>lab-1</guid>
<pubDate>{now}</pubDate></item><item/></channel></rss>"""
JSON = """{"version": "https://jsonfeed.org/version/1.1", "title": "As JSON",
 "items": [{"id": "1", "title": "Old", "date_published": "2020-01-01T00:00:00Z"}]}"""
TABLES = """
# what may be asked
[fetch]
allow_private = ["{host}"]  # the lab
"""


@pytest.fixture
def lab(project: Project, http_server: HttpServer) -> Project:
    """Give a project without sources, and a site."""
    then = datetime.now(UTC) - timedelta(hours=1)
    for path, kind, body in (
        ("/", "text/html", PAGE),
        ("/feed.xml", "text/xml", FEED.format(now=f"{then:%a, %d %b %Y %H:%M:%S GMT}")),
        ("/pages/comments.xml", "text/xml", FEED),
        ("/feed.json", "application/feed+json", JSON),
        ("/bare", "text/html", "<html><body>Nothing here"),
        ("/broken", "text/html", PAGE.replace("../feed.xml", "/gone")),
        ("/paper.pdf", "application/pdf", "%PDF-1.7 binary"),
        ("/data.json", "application/json", '{"a": 1}'),
    ):
        answer = (200, {"Content-Type": kind}, body.encode())
        http_server.routes[path] = lambda _, answer=answer: answer  # type: ignore[misc] # mypy knows no such lambda
    project.write(TABLES.format(host=http_server.host))
    return project


def toml(project: Project) -> str:
    return (project.root / "config" / "newsletter.toml").read_text()


def test_add_of_a_page_finds_its_feed_and_a_run_brings_a_mail(
    lab: Project, http_server: HttpServer
) -> None:
    before = toml(lab)
    out, _ = lab.run("sources", "add", f"{http_server.url}/", "--tag", "notes")
    feed = f"{http_server.url}/feed.xml"
    assert f"{http_server.url}/ is a page; its feed is {feed}" in out
    assert "Lab & notes (feed)\n  1 entry\n" in out
    assert "Mamba in a robot" in out
    assert "not used: item 2: it has neither title nor text" in out
    assert "added as lab-notes to config/newsletter.toml" in out
    assert "the first run takes 1 entry: what is at most 3 days old" in out
    assert f"{http_server.url}/feed.json\n" in out
    assert f"{http_server.url}/pages/comments.xml  Comments" in out
    assert "javascript" not in out
    assert toml(lab) == before + (
        f'\n[[sources]]\nname = "lab-notes"\nkind = "feed"\n'
        f'url = "{feed}"\ntags = ["notes"]\n'
    )
    lab.run("run", "--everyone")
    subjects = [str(mail["Subject"]) for mail in lab.mails().values()]
    assert len(subjects) == 2
    assert all("Mamba in a robot" in subject for subject in subjects)
    out, _ = lab.run("sources", "remove", "lab-notes")
    assert "lab-notes is not asked any more" in out
    said = lab.run("status")[0]
    assert "lab-notes" not in said
    lab.run("sources", "add", f"{http_server.url}/feed.json", "--name", "lab-notes")
    assert lab.json("sources", "list")[0]["last_read"] is None
    lab.run("sources", "remove", "lab-notes")
    assert toml(lab) == before


@pytest.mark.long
def test_what_is_added_may_be_named_and_is_added_once(
    lab: Project, http_server: HttpServer
) -> None:
    url = f"{http_server.url}/feed.xml"
    options = ("--name", "mine", "--settle", "20h", "--first-days", "30", "--required")
    lab.run("sources", "add", url, *options)
    assert 'settle = "20h"\nfirst_days = 30.0\nrequired = true\n' in toml(lab)
    before = toml(lab)
    _, err = lab.run("sources", "add", url, code=2)
    assert f"{url} is there already, as 'mine'" in err
    _, err = lab.run("sources", "add", f"{http_server.url}/", code=2)
    assert "is there already, as 'mine'" in err
    _, err = lab.run(
        "sources", "add", f"{http_server.url}/feed.json", "--name", "mine", code=2
    )
    assert "there is a source 'mine' already" in err
    assert toml(lab) == before
    out, _ = lab.run("sources", "add", f"{http_server.url}/feed.json")
    assert "added as as-json" in out
    assert "the first run takes 0 entries" in out


@pytest.mark.long
@pytest.mark.parametrize(
    ("address", "code", "says"),
    [
        ("{url}/bare", 1, "is a page that names no feed"),
        ("{url}/broken", 1, "names 3 feeds, and none can be read"),
        ("{url}/paper.pdf", 1, "neither RSS nor Atom"),
        ("{url}/data.json", 1, "no JSON Feed"),
        ("{url}/gone", 1, "answers 404"),
        ("http://127.0.0.1:1/", 1, "is a private address"),
        ("ftp://example.org/x", 1, "no http or https address"),
        ("http://", 1, "no http or https address"),
        ("nonsense", 2, "neither an http(s) address nor a file or folder here"),
        ("lab.example.org/feed", 2, "did you mean https://lab.example.org/feed ?"),
    ],
)
def test_add_of_nonsense_is_an_error_and_the_file_stays(
    lab: Project, http_server: HttpServer, address: str, code: int, says: str
) -> None:
    http_server.routes["/feed.json"] = lambda _: (404, {}, b"")
    http_server.routes["/pages/comments.xml"] = lambda _: (200, {}, b"{")
    before = toml(lab)
    _, err = lab.run("sources", "add", address.format(url=http_server.url), code=code)
    assert says in err
    assert toml(lab) == before


def test_a_kind_that_does_not_exist_is_named(lab: Project, tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_text(FEED)
    _, err = lab.run("sources", "add", "feed.xml", "--kind", "pigeon", code=2)
    assert "there is no kind 'pigeon'" in err


def test_files_and_folders_are_sources_by_their_relative_path(
    lab: Project, tmp_path: Path
) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.json").write_text(JSON)
    lab.run("sources", "add", "notes")
    lab.run("sources", "add", "notes/a.json")
    said = toml(lab)
    assert 'name = "as-json"\nkind = "feed"\npath = "notes"\n' in said
    assert 'name = "as-json-2"\nkind = "feed"\npath = "notes/a.json"\n' in said


@pytest.mark.long
def test_check_asks_all_and_stores_nothing(
    lab: Project, http_server: HttpServer
) -> None:
    http_server.routes["/old"] = lambda _: (301, {"Location": "/feed.json"}, b"")
    for name in ("feed.xml", "old"):
        lab.run("sources", "add", f"{http_server.url}/{name}")
    files = lab.files()
    out, _ = lab.run("sources", "check")
    assert "lab-notes (feed)" in out
    assert f"  answers from {http_server.url}/feed.json" in out
    assert "  2020-01-01  Old" in out
    assert lab.files() == files
    found = lab.json("sources", "check", "as-json")
    assert found[0]["entries"] == 1
    assert found[0]["newest"] == "2020-01-01T00:00:00Z"
    http_server.routes["/old"] = lambda _: (500, {}, b"")
    _, err = lab.run("sources", "check", "as-json", code=1)
    assert "source as-json: " in err
    assert "answers 500" in err
    _, err = lab.run("sources", "check", "none", code=2)
    assert "there is no source 'none'; there are: lab-notes, as-json" in err


def test_a_week_of_daily_papers_is_added_beside_its_days(
    lab: Project, http_server: HttpServer
) -> None:
    http_server.routes["/api/daily_papers"] = lambda _: (200, {}, b"[]")
    kind = ("--kind", "huggingface")
    lab.run("sources", "add", f"{http_server.url}/papers/week/2026-W20", *kind)
    api = f'kind = "huggingface"\nurl = "{http_server.url}/api/daily_papers"\n'
    assert toml(lab).endswith(f'{api}by = "week"\n')
    assert all("week" in asked.query for asked in http_server.requests)
    page = f"{http_server.url}/papers/month/2026-05"
    lab.run("sources", "add", page, *kind, "--name", "months")
    assert toml(lab).endswith(f'"months"\n{api}by = "month"\n')
    _, err = lab.run("sources", "add", page, *kind, code=2)
    assert "is there already, as 'months'" in err


def test_known_addresses_have_their_kind(lab: Project) -> None:
    """Nothing is reached from here: what is said tells what was asked."""
    for address, asked in (
        ("https://huggingface.co/papers", "https://huggingface.co/api/daily_papers?"),
        ("https://hf.co/papers/week/2026-W20", "/api/daily_papers?week=20"),
        ("https://rss.arxiv.org/rss/cs.LG", "https://rss.arxiv.org/rss/cs.LG"),
    ):
        _, err = lab.run("sources", "add", address, code=1)
        assert asked in err
