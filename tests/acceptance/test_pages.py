"""What the documentation says to type is typed, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest

from docs import build
from newsletter.cli import cli
from newsletter.config import starter_folder
from tests.support import pages
from tests.support.arxiv import Archive
from tests.support.project import read_mail
from tests.support.smtp import Mailroom, certificates, mailroom
from tests.support.web import HttpServer

HOW_TO = tuple(sorted((build.REPOSITORY / "docs" / "how-to").glob("*.md")))
QUICKSTART = build.REPOSITORY / "docs" / "quickstart.md"
PAPER = """[{{"paper": {{"id": "2611.00001", "title": "Robots that diffuse",
 "summary": "Diffusion models move robots.", "authors": [{{"name": "Ada Example"}}],
 "upvotes": 7, "submittedOnDailyAt": "{now}"}}}}]"""
FEED = """<rss version="2.0"><channel><title>Lab notes</title>
<link>https://lab.example.org/</link><item><title>Mamba in a robot</title>
<link>https://lab.example.org/1</link><guid>lab-1</guid><pubDate>{now}</pubDate>
</item></channel></rss>"""
BLOG = FEED.replace("Lab notes", "Blog notes").replace("lab-1", "blog-1")
WORKS = """{{"results": [{{"id": "https://openalex.org/W1", "title": "Perovskites",
 "abstract_inverted_index": {{"cells": [1], "Solar": [0]}},
 "publication_date": "{now}"}}]}}"""
SITE = """<!doctype html><html><head><title>The lab</title>
<link rel="alternate" type="application/rss+xml" href="/feed.xml"></head></html>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"
 xmlns:arxiv="http://arxiv.org/schemas/atom"><title>cs.LG updates on arXiv.org</title>
<id>http://rss.arxiv.org/atom/cs.LG</id><entry>
<id>oai:arXiv.org:2611.00002v1</id><title>Agents that reason</title>
<link href="https://arxiv.org/abs/2611.00002"/><published>{now}</published>
<arxiv:announce_type>new</arxiv:announce_type>
<summary>arXiv:2611.00002v1 Announce Type: new
Abstract: A language model with agents.</summary></entry></feed>"""


@pytest.fixture(scope="module")
def site() -> Iterator[HttpServer]:
    """Serve what the pages name: a lab, Daily Papers, arXiv, all of just now."""
    then = datetime.now(UTC) - timedelta(hours=1)
    iso, mail = f"{then:%Y-%m-%dT%H:%M:%S.000Z}", f"{then:%a, %d %b %Y %H:%M:%S GMT}"
    day = f"{then:%Y-%m-%d}"
    with HttpServer() as server:
        for path, kind, body in (
            ("/", "text/html", SITE),
            ("/feed.xml", "application/rss+xml", FEED.format(now=mail)),
            ("/arxiv", "application/atom+xml", ATOM.format(now=iso)),
            ("/works", "application/json", WORKS.format(now=day)),
            ("/blog", "text/html", SITE.replace("/feed.xml", "/blog.xml")),
            ("/blog.xml", "application/rss+xml", BLOG.format(now=mail)),
        ):
            answer = (200, {"Content-Type": kind}, body.encode())
            server.routes[path] = lambda _, answer=answer: answer  # type: ignore[misc] # mypy knows no such lambda
        paper = PAPER.format(now=iso).encode()
        server.routes["/api/daily_papers"] = lambda asked: (
            200,
            {"Content-Type": "application/json"},
            paper if asked.query.get("date", day) == day else b"[]",
        )
        server.routes["/api/query"] = Archive([then]).answer
        yield server


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory, site: HttpServer) -> Path:
    """Give a folder in which the quickstart has been gone through."""
    root = tmp_path_factory.mktemp("begun") / "newsletter"
    shutil.copytree(starter_folder(), root / "config")
    pages.install(root)
    script = pages.script(QUICKSTART, hosts(site), skip=r"git clone|make demo")
    assert "Mamba in a robot" in type_in(root, script, site)
    return root


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Mailroom]:
    """Give an SMTP server with TLS and a login, as a provider's."""
    tls, ca = certificates("localhost")
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with mailroom(tls=tls, auth=True) as room:
        yield room


def hosts(site: HttpServer) -> dict[str, str]:
    return {
        "https://huggingface.co": site.url,
        "https://lab.example.org/": f"{site.url}/",
        "https://blog.example.org/": f"{site.url}/blog",
        "https://export.arxiv.org": site.url,
        "https://api.openalex.org/works": f"{site.url}/works",
        "https://rss.arxiv.org/atom/cs.LG+cs.CL": f"{site.url}/arxiv",
        "https://rss.arxiv.org/rss/cs.LG+cs.CL": f"{site.url}/arxiv",
    }


def provider(room: Mailroom, folder: Path) -> dict[str, str]:
    """Return what to write in place of the example's provider."""
    return {
        'host = "mail.example.org"\nport = 587': (
            f'host = "localhost"\nport = {room.port}\nca_file = "{folder}/ca.pem"'
        ),
        'username = "digest@example.org"': 'username = "digest"',
        "correct horse battery staple": "s3cret",
    }


def type_in(folder: Path, script: str, site: HttpServer) -> str:
    """Type a script in *folder*; return all that was said."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("NEWSLETTER_")}
    environ = {
        **kept,
        "NEWSLETTER_FETCH__ALLOW_PRIVATE": site.host,
        "EDITOR": "true",
        "PYTHONPATH": str(build.REPOSITORY),
    }
    done = subprocess.run(  # noqa: S603 - our own documentation
        ["/bin/bash", "-c", script],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}"
    return done.stdout


def subjects(folder: Path) -> Mapping[str, str]:
    mails = [read_mail(path) for path in folder.glob("outbox/20*/*.eml")]
    return {str(mail["To"]): str(mail["Subject"]) for mail in mails}


@pytest.mark.long
def test_the_quickstart_brings_a_mail_from_two_sources(begun: Path) -> None:
    ((reader, subject),) = subjects(begun).items()
    assert "ada@example.org" in reader
    assert "Robots that diffuse" in subject
    (mail,) = (read_mail(path) for path in begun.glob("outbox/20*/*.eml"))
    body = mail.get_body(("plain",))
    assert body is not None
    assert "Mamba in a robot" in body.get_content()


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_quickstart_works_from_a_clone(tmp_path: Path, site: HttpServer) -> None:
    origin = tmp_path / "newsletter.git"
    origin.symlink_to(build.REPOSITORY)
    where = {"https://example.org/newsletter.git": f"file://{origin}", **hosts(site)}
    said = type_in(tmp_path, pages.script(QUICKSTART, where), site)
    assert "4 mails written" in said
    assert list(subjects(tmp_path / "newsletter"))


@pytest.mark.long
@pytest.mark.parametrize("page", HOW_TO, ids=lambda page: page.stem)
def test_what_a_how_to_says_can_be_done(
    page: Path, begun: Path, tmp_path: Path, site: HttpServer, server: Mailroom
) -> None:
    root = tmp_path / "newsletter"
    shutil.copytree(begun, root)
    if page.stem == "smtp":
        # As for somebody who was sent nothing yet.
        shutil.rmtree(root / "outbox")
    where = hosts(site) | provider(server, tmp_path)
    said = type_in(root, pages.script(page, where), site)
    assert "Traceback" not in said
    if page.stem == "smtp":
        assert {mail.recipient for mail in server.mails} == {"ada@example.org"}
        assert server.over_tls == [True]


@pytest.mark.parametrize("page", build.pages(), ids=lambda page: page.stem)
def test_every_command_that_a_page_names_is_there(page: Path) -> None:
    for words in pages.commands_named(page):
        command: click.Command = cli
        context = build.context_of(cli, "newsletter")
        for word in words:
            if not isinstance(command, click.Group):
                break
            found = command.get_command(context, word)
            assert found is not None, f"{page.name}: newsletter {' '.join(words)}"
            command, context = found, build.context_of(found, word, context)
