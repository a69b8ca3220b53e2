"""``newsletter preview`` as a person starts it: what it shows is what a run writes."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_string, policy
from email.message import EmailMessage
from html import unescape
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from tests.support.preview import ask
from tests.support.project import Project, read_mail

NOTES = """
[catch_up]
max_lookback = "4000d"

[[sources]]
name = "notes"
kind = "feed"
path = "notes.xml"
first_days = 4000
settle = "1h"
"""
READERS = """
[[subscribers]]
address = "ada@example.org"
name = "Ada"
timezone = "Europe/London"
schedule = "daily 07:30"
interests = ["mamba", { query = "robot*", name = "Machines" }]
sections = "interest"

[[subscribers]]
address = "grace@example.org"
timezone = "America/New_York"
schedule = "daily 07:30"
interests = ["robot*"]
"""


def rss(*titles: str) -> str:
    items = "".join(
        f"<item><title>{title}</title><link>https://example.org/{n}</link>"
        f"<guid>{n}</guid><pubDate>04 May 2026 06:0{n}:00 GMT</pubDate>"
        f"<description>About {title}.</description></item>"
        for n, title in enumerate(titles)
    )
    return f'<rss version="2.0"><channel><title>N</title>{items}</channel></rss>'


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A preview in a process of its own, and whoever was let in."""

    process: subprocess.Popen[str]
    address: str
    port: int
    home: str
    cookie: str

    def page(self, query: str) -> str:
        headers = {"Cookie": self.cookie}
        answer = ask(self.port, self.home + query, headers=headers)
        assert answer.status == 200, answer.body
        return answer.body


@contextmanager
def started(project: Project, *arguments: str) -> Iterator[Started]:
    """Start a preview, come in, and end it as Ctrl-C does."""
    process = project.start("preview", *arguments)
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:(\d+)/\S+", line)
    assert found, process.communicate(timeout=60)
    parts = urlsplit(found[0])
    answer = ask(int(found[1]), f"{parts.path}?{parts.query}")
    try:
        yield Started(
            process=process,
            address=found[0],
            port=int(found[1]),
            home=answer.headers["location"],
            cookie=answer.headers["set-cookie"].partition(";")[0],
        )
    finally:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "preview ended" in out


def source(page: str) -> EmailMessage:
    """Return the mail that a page shows the source of."""
    (found,) = re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)
    mail = message_from_string(unescape(found), policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def parts(mail: EmailMessage) -> tuple[object, ...]:
    """Return all of a mail but its Date."""
    fields = [(name, str(value)) for name, value in mail.items() if name != "Date"]
    bodies = (mail.get_body(("plain",)), mail.get_body(("html",)))
    texts = [
        part.get_content().replace("\r\n", "\n") for part in bodies if part is not None
    ]
    assert len(texts) == 2
    return fields, texts, mail.get_boundary()


@pytest.fixture
def prepared(project: Project) -> Project:
    """A project with readers, entries that wait for their release, and an edit."""
    project.write(NOTES, READERS)
    notes = project.root / "notes.xml"
    notes.write_text(rss("Mamba zero"), "utf-8")
    project.run("run", "--everyone", "--at", "2026-05-04T06:00Z")
    titles = ("Mamba zero", "Mamba & <i>more</i>", "Robots fold", "Mamba robots")
    notes.write_text(rss(*titles), "utf-8")
    # Two are released, and two still settle.
    out, _ = project.run("refresh", "--at", "2026-05-04T07:01:30Z")
    assert "release   2 listings" in out
    project.write_readers(READERS.replace('"Ada"', '"Augusta Ada"'))
    return project


def test_what_the_preview_shows_is_what_a_run_then_writes(prepared: Project) -> None:
    old = set(prepared.mails())
    with started(prepared, "--port", "0") as preview:
        names = ("ada@example.org", "grace@example.org")
        first = preview.page(f"?reader={names[0]}&view=source")
        as_of = re.findall(r"<time>([^<]*)</time>", first)[0]
        shown = {
            name: source(preview.page(f"?reader={name}&at={as_of}&view=source"))
            for name in names
        }
    prepared.run("run", "--everyone", "--at", as_of)
    written = {m["To"].addresses[0].addr_spec: (k, m) for k, m in new(prepared, old)}
    assert set(written) == set(names)
    for name, (key, mail) in written.items():
        assert parts(shown[name]) == parts(mail)
        assert key in shown[name]["Message-ID"]
    assert shown["ada@example.org"]["To"] == "Augusta Ada <ada@example.org>"
    assert "robots" in str(shown["ada@example.org"].get_body(("html",)))
    assert source(first)["Subject"] == shown["ada@example.org"]["Subject"]


LANGUAGES_AND_ZONES = """
[[subscribers]]
address = "kenji@example.org"
name = "健二"
timezone = "Asia/Tokyo"
language = "en"
schedule = "daily 18:00"
interests = ["robot*", { query = "mamba", name = "蛇", weight = 2 }]
sections = "interest"
stem = "en"
fill = true

[[subscribers]]
address = "zoe@bücher.example"
name = "Zoë, \\"the\\" reader"
timezone = "America/St_Johns"
schedule = ["daily 06:00", "daily 19:30"]
sections = "source"
order = "newest"
"""


def test_what_the_preview_shows_of_the_next_slot_is_what_a_run_then_writes(
    prepared: Project,
) -> None:
    prepared.write_readers(READERS + LANGUAGES_AND_ZONES)
    # All join now; their slots are still to come.
    prepared.run("run", "--everyone", "--at", "2026-05-04T07:02Z")
    old = set(prepared.mails())
    shown: dict[str, EmailMessage] = {}
    slots: dict[str, str] = {}
    with started(prepared, "--port", "0") as preview:
        for name in ("kenji@example.org", "zoe@bücher.example", "grace@example.org"):
            at = quote("2026-05-04T07:03:00Z")
            query = f"?reader={quote(name)}&issue=next&at={at}&view=source"
            page = preview.page(query)
            slots[name] = re.findall(r"<time>([^<]*)</time>", page)[0]
            if "<pre" in page:
                shown[name] = source(page)
    assert {"kenji@example.org", "zoe@bücher.example"} <= set(shown)
    assert len(set(slots.values())) == 3
    for name in sorted(shown, key=slots.__getitem__):
        prepared.run("run", "--at", slots[name])
        written = {m["To"].addresses[0].display_name: m for _, m in new(prepared, old)}
        mail = written[shown[name]["To"].addresses[0].display_name]
        assert parts(shown[name]) == parts(mail)
        old = set(prepared.mails())


def test_a_past_issue_is_shown_as_it_was_written_date_and_all(
    prepared: Project,
) -> None:
    prepared.write_readers(READERS + LANGUAGES_AND_ZONES)
    prepared.run("run", "--everyone", "--at", "2026-05-04T09:00Z")
    # What is edited since changes nothing of it.
    prepared.write_readers(READERS.replace('"mamba"', '"opera"').replace("Ada", "A"))
    with started(prepared, "--port", "0") as preview:
        for path in prepared.outbox.glob("*/*.eml"):
            mail = read_mail(path)
            name = mail["To"].addresses[0].addr_spec
            if "xn--" in name:
                name = "zoe@bücher.example"
            query = f"?reader={quote(name)}&issue={path.stem}&view=source"
            (found,) = re.findall(
                r"<pre[^>]*>(.*?)</pre>", preview.page(query), re.DOTALL
            )
            assert unescape(found).encode() == path.read_bytes()


def new(project: Project, old: set[str]) -> list[tuple[str, EmailMessage]]:
    return [(key, mail) for key, mail in project.mails().items() if key not in old]


@pytest.mark.long
def test_the_frame_has_the_html_part_of_the_mail(prepared: Project) -> None:
    with started(prepared, "--port", "0") as preview:
        page = preview.page("?reader=ada@example.org&view=mail")
        (frame,) = re.findall(r'src="(mail[^"]*)"', page)
        html = preview.page(unescape(frame))
        at = re.findall(r"at=([^&]*)", unescape(frame))[0]
        mail = source(preview.page(f"?reader=ada@example.org&view=source&at={at}"))
    body = mail.get_body(("html",))
    assert body is not None

    def words(text: str) -> list[str]:
        return re.sub(r"<style.*?</style>|<[^>]*>", " ", text, flags=re.DOTALL).split()

    assert words(html) == words(body.get_content())


def test_preview_before_anything_else_makes_no_file(project: Project) -> None:
    project.write(NOTES, READERS)
    before = project.files()
    with started(project) as preview:
        answer = ask(preview.port, preview.home, headers={"Cookie": preview.cookie})
        assert answer.status == 404
        assert "newsletter refresh" in answer.body
    assert project.files() == before


def test_a_port_in_use_is_said(project: Project) -> None:
    project.write(NOTES, READERS)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        _, err = project.run("preview", "--port", port, code=2)
    assert f"port {port} of 127.0.0.1 is in use by another program" in err
    assert "Traceback" not in err


def test_a_folder_without_a_configuration_is_said_at_once(project: Project) -> None:
    _, err = project.run("--config", "nowhere", "preview", code=2)
    assert "nowhere" in err


def browser(folder: Path, then: str) -> dict[str, str]:
    """Return an environment whose browser is a script that does *then*."""
    script = folder / "browser.sh"
    script.write_text(f"#!/bin/sh\n{then}\n", "utf-8")
    script.chmod(0o700)
    return {"BROWSER": str(script)}


def test_open_opens_the_browser_at_an_address_good_once(
    project: Project, tmp_path: Path
) -> None:
    project.write(NOTES, READERS)
    opened = tmp_path / "opened.txt"
    environ = browser(tmp_path, f'echo "$1" > {opened}')
    with started(Project(root=project.root, environ=environ), "--open") as preview:
        address = opened.read_text("utf-8").strip()
        path = address.removeprefix(f"http://127.0.0.1:{preview.port}")
        assert address != preview.address
        assert ask(preview.port, path).status == 303
        assert ask(preview.port, path).status == 403


def test_without_a_browser_open_says_so(project: Project, tmp_path: Path) -> None:
    project.write(NOTES, READERS)
    environ = {**browser(tmp_path, "exit 1"), "PATH": "/nowhere"}
    process = Project(root=project.root, environ=environ).start("preview", "--open")
    assert process.stdout is not None
    assert "http://127.0.0.1" in process.stdout.readline()
    assert process.stderr is not None
    assert "no browser could be opened" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 0
