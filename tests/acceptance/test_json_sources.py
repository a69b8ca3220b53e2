"""Kinds json and files through the command line: pages, archives, mistakes."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.project import Project
from tests.support.web import Answer, Asked, HttpServer

API = """
[fetch]
allow_private = ["{host}"]

[[sources]]
name = "api"
kind = "json"
url = "{url}/works?from={{since}}&cursor={{next:*}}"
items = "message.items"
key = "DOI"
title = "title"
authors = "author"
listed = "created"
next = 'message."next-cursor"'
interval = "0s"
"""
ARCHIVE = """
[fetch]
max_bytes = 100_000_000

[[sources]]
name = "archive"
kind = "files"
path = "{path}"
only = "source == 'huggingface_daily' && starts_with(listed, '2026-05')"
first_days = 2
max_new = 5000
"""


def serve(server: HttpServer, pages: dict[str, list[str]], following: str) -> None:
    """Serve works by cursor; each page says the same cursor again, as Crossref."""
    now = datetime.now(UTC) - timedelta(hours=1)

    def answer(asked: Asked) -> Answer:
        titles = pages.get(asked.query["cursor"], []).copy()
        pages[asked.query["cursor"]] = []
        items = [
            {
                "DOI": f"10.1000/{title.replace(' ', '-')}",
                "title": [title],
                "author": [{"given": "Ann", "family": "Lee"}],
                "created": {"date-time": f"{now:%Y-%m-%dT%H:%M:%SZ}"},
            }
            for title in titles
        ]
        body = {"message": {"items": items, "next-cursor": following}}
        return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()

    server.routes["/works"] = answer


def test_all_pages_of_an_api_are_asked_for_and_mailed(
    project: Project, http_server: HttpServer
) -> None:
    pages = {"*": ["Mamba one", "Robots two"], "a+b==": ["Mamba three"]}
    serve(http_server, pages, "a+b==")
    project.write(API.format(host=http_server.host, url=http_server.url))
    project.run("run", "--everyone")
    assert [a.query["cursor"] for a in http_server.requests] == ["*", "a+b==", "a+b=="]
    since = f"{datetime.now(UTC) - timedelta(days=3):%Y-%m-%d}"
    assert http_server.requests[0].query["from"] == since
    said = "\n".join(str(mail["Subject"]) for mail in project.mails().values())
    assert "Mamba" in said
    assert "Robots two" in said
    body = next(iter(project.mails().values())).get_body(("plain",))
    assert body is not None
    assert "Ann Lee" in body.get_content()


def test_check_of_an_api_shows_what_it_brings_once(
    project: Project, http_server: HttpServer
) -> None:
    serve(http_server, {"*": ["Mamba one"], "x": ["Mamba two"]}, "x")
    project.write(API.format(host=http_server.host, url=http_server.url))
    out, _ = project.run("sources", "check", "api")
    assert "  2 entries\n" in out
    assert "answers" not in out
    http_server.routes["/works"] = lambda _: (200, {}, b"<!doctype html><html>")
    _, err = project.run("sources", "check", "api", code=1)
    assert "this is an HTML page; expected a JSON document" in err


def test_an_api_that_never_ends_is_asked_twenty_times(
    project: Project, http_server: HttpServer
) -> None:
    rows = json.dumps({"message": {"items": [{"title": "A"}], "next-cursor": "x"}})
    http_server.routes["/works"] = lambda _: (200, {}, rows.encode())
    project.write(API.format(host=http_server.host, url=http_server.url))
    _, err = project.run("sources", "check", "api", code=1)
    assert len(http_server.requests) == 20
    assert "more than 20 requests in a poll" in err


def test_a_mistake_names_file_line_and_key(project: Project) -> None:
    project.write(
        '\n[[sources]]\nname = "api"\nkind = "json"\nkey = "id"\n'
        'url = "https://api.example.org/"\nitems = "next-cursor"\ntitel = "t"\n'
    )
    _, err = project.run("status", code=2)
    assert (
        "config/newsletter.toml:11: sources[1].items: 'next-cursor' is no JMESPath:"
        " column 5: Unknown token '-'" in err
    )
    assert ":12: sources[1].titel: a source of kind 'json' has no such key; did" in err
    assert "newsletter.toml:6: sources[1].title: is required, and not there" in err


@pytest.mark.long
def test_an_archive_is_gone_through_day_by_day(project: Project, shared: Path) -> None:
    path = shared / "corpus" / "papers.jsonl.gz"
    project.write(ARCHIVE.format(path=path))
    out, _ = project.run("refresh", "--at", "2026-05-12T12:00:00Z")
    assert "archive: 631 new, 0 known, 103 too old at the first fetch" in out
    assert "release   91 listings" in out
    out, _ = project.run("refresh", "--at", "2026-05-13T12:00:00Z")
    assert "archive: 0 new, 631 known" in out
    assert "release   50 listings" in out


def test_a_folder_of_documents_is_read_packed_ones_too(
    project: Project, tmp_path: Path
) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    line = json.dumps({"id": "1", "title": "Mamba in a line"}).encode()
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(line))
    (folder / "b.ndjson").write_bytes(b'{"title": "Mamba by itself"}\n{')
    (folder / "c.xml").write_text(
        "<rss version='2.0'><channel><item><title>Mamba in a feed</title></item>"
        "</channel></rss>"
    )
    (folder / "d.json.gz").write_bytes(gzip.compress(bytes(200_000)))
    (folder / "readme.txt").write_text("not read")
    project.write(
        '\n[fetch]\nmax_bytes = 100_000\n\n[[sources]]\nname = "a"\nkind = "files"\n'
        'path = "archive"\n'
    )
    out, err = project.run("sources", "check", "a", code=1)
    assert "3 entries" in out
    assert "not used: line 2: this is no JSON" in out
    assert "d.json.gz is larger than 100000 bytes when unpacked" in err


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.xml.gz"])
def test_a_packed_file_that_is_cut_off_is_named(
    project: Project, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(gzip.compress(b"x" * 999)[:-9])
    project.write(f'\n[[sources]]\nname = "a"\nkind = "files"\npath = "{name}"\n')
    _, err = project.run("sources", "check", code=1)
    assert f"{name} cannot be unpacked: its end is missing" in err
