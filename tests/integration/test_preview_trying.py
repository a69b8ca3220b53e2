"""What can be done in the preview: try a profile, send, give away, be told of edits."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from tempfile import gettempdir
from urllib.parse import urlencode

import pytest

from newsletter.app import App, open_app
from newsletter.errors import NotFoundError, RenderError
from newsletter.model import Origin
from newsletter.web import picture
from newsletter.web.frame import Scheme
from newsletter.web.picture import Camera, find_browser
from tests.support.preview import Answer, RunningPreview, do, rss, said
from tests.support.project import Project, read_mail
from tests.support.smtp import Fault, FaultyServer, mailroom

NOTES = """
[[sources]]
name = "notes"
kind = "feed"
path = "notes.xml"
first_days = 4000
"""
READERS = """
[[subscribers]]
id = "countess"
address = "ada@example.org"
name = "Ada"
timezone = "Europe/London"
schedule = "daily 07:30"
interests = [{ query = "mamba", name = "Snakes" }, '"state space"']
mutes = ["survey"]
max_items = 2

[[subscribers]]
address = "grace@example.org"
schedule = "daily 07:30"
interests = ["opera"]
"""
AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
WHEN = "at=2026-05-04T12:00:00Z"
TITLES = ("Mamba one", "Mamba two", "Mamba three", "A survey of mamba", "Gardening")
WITH_EDITOR = 'preview_to = "editor@example.org"\n'


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(root=tmp_path)
    project.write(WITH_EDITOR + NOTES, READERS)
    (tmp_path / "notes.xml").write_text(rss(*TITLES), "utf-8")
    do(project, refresh)
    return project


@pytest.fixture
def preview(project: Project) -> Iterator[RunningPreview]:
    with RunningPreview(project.root / "config") as running:
        yield running


def refresh(app: App) -> None:
    app.refresh(at=AT)


def run(app: App) -> None:
    app.run(at=AT, everyone=True)


def post(preview: RunningPreview, page: str, **fields: str | Sequence[str]) -> Answer:
    """Post a form as our own page does."""
    body = urlencode({"form_token": preview.door.form_token, **fields}, doseq=True)
    return preview.ask(
        preview.home + page,
        method="POST",
        body=body,
        headers={
            **preview.cookie,
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": preview.door.origin,
        },
    )


ADA = {
    "reader": "ada@example.org",
    "at": "2026-05-04T12:00:00Z",
    "name": "",
    "weight": "",
    "mutes": "survey",
    "order": "relevance",
    "sections": "none",
    "stem": "none",
    "max_items": "2",
    "min_votes": "0",
    "skip_empty": "true",
}


def attempt(preview: RunningPreview, **fields: str | list[str]) -> tuple[str, str]:
    """Try a profile; return the address that it leads to and its page."""
    answer = post(preview, "try", **{**ADA, **fields})
    assert answer.status == 303, answer.body
    where = answer.headers["location"].removeprefix(preview.home)
    page = preview.get(where)
    assert page.status == 200, page.body
    return where, page.body


# --- a profile is tried -------------------------------------------------------


def test_the_form_holds_the_readers_profile(preview: RunningPreview) -> None:
    page = preview.get(f"?reader=ada@example.org&{WHEN}&view=profile").body
    assert 'name="query" value="mamba"' in page
    assert 'name="name" value="Snakes"' in page
    assert 'name="query" value="&#34;state space&#34;"' in page
    assert "survey</textarea>" in page
    assert page.count('name="query"') == 4
    assert "What would change" not in page


def test_a_tried_profile_shows_what_appears_and_goes_and_why(
    preview: RunningPreview, project: Project
) -> None:
    files = project.files()
    database = (project.outbox / "newsletter.db").read_bytes()
    where, page = attempt(
        preview,
        query=["gardening", "mamba"],
        name=["Green", ""],
        weight=["9", ""],
        mutes="survey\nthree",
    )
    text = said(page)
    assert "1 appears, 1 goes, 1 stays, in another order." not in text
    assert "1 appears, 1 goes, 1 stays." in text
    appears, _, goes = text.partition("Appears")[2].partition("Goes")
    assert "Gardening" in appears
    assert "Matches Green" in appears
    assert "title “gardening” 18.00" in appears or "title gardening 18.00" in appears
    assert "Mamba three" in goes
    assert "Because the mute three leaves it out." in goes
    # Every other view, and the frame, is of the tried profile too.
    mail = preview.get(where.replace("view=profile", "view=mail")).body
    assert "You look at a profile that you try out" in said(mail)
    assert "Gardening" in said(preview.mail(mail).body)
    reasons = where.replace("view=profile", "view=reasons")
    assert "Matches Green" in said(preview.get(reasons).body)
    # Nothing was written, and the reader's own is as it was.
    assert project.files() == files
    assert (project.outbox / "newsletter.db").read_bytes() == database
    own = preview.get(f"?reader=ada@example.org&{WHEN}").body
    assert "Gardening" not in said(preview.mail(own).body)
    assert "Gardening" in said(preview.mail(mail).body)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"query": "opera"}, "no interest asks for it any more"),
        ({"query": "mamba", "max_items": "1"}, "there is no room"),
        ({"query": "mamba", "min_votes": "5"}, "it has too few votes"),
    ],
)
def test_what_goes_says_why(
    preview: RunningPreview, fields: dict[str, str], why: str
) -> None:
    _, page = attempt(preview, **fields)
    assert why in said(page)


def test_the_toml_that_is_shown_gives_the_profile_that_was_tried(
    preview: RunningPreview, project: Project
) -> None:
    _, page = attempt(
        preview,
        query=['"it\'s" OR title:x', "mamba", "", r"back\slash"],
        name=['Tom\'s "own"', "", "", ""],
        weight=["0.5", "", "", ""],
        mutes='"a survey"\n\n  of  ',
        order="newest",
        sections="source",
        stem="en",
        max_items="9",
        fill="true",
    )
    (toml,) = re.findall(r'<pre id="toml"[^>]*>(.*?)</pre>', page, re.DOTALL)
    keep = '[[subscribers]]\nid = "countess"\naddress = "ada@example.org"\n'
    project.write_readers(keep + unescape(toml))
    again = preview.get(f"?reader=ada@example.org&{WHEN}&view=profile").body
    form = re.compile(r"<form[^>]* data-profile>(.*?)</form>", re.DOTALL)
    fields = re.compile(
        r'<(?:input|option)[^>]*(?:value="[^"]*"[^>]*selected|name="(?!draft|at|view|'
        r'form_token|reader|issue)[^"]*"[^>]*)>|<textarea[^>]*>[^<]*'
    )
    tried = fields.findall(form.findall(page)[0])
    assert len(tried) > 15
    assert fields.findall(form.findall(again)[0]) == tried


def test_a_mistake_stands_beside_its_field_with_place_and_cure(
    preview: RunningPreview,
) -> None:
    _, page = attempt(
        preview,
        query=["mamba", "(robot"],
        weight=["much", ""],
        mutes="fine\ntitle:",
        max_items="1000",
    )
    text = said(page)
    assert re.search(r"\d mistakes below, beside the field", text)
    assert re.search(
        r'id="query-2"[^>]*aria-invalid="true" aria-describedby="row-2-wrong"', page
    )
    row = page[page.index('id="row-2-wrong"') :].partition("</div>")[0]
    assert "At character 1: this bracket is never closed; expected )" in said(row)
    assert re.search(r'id="weight-1"[^>]*aria-invalid="true"', page)
    assert "Line 2. At character" in text
    assert "1000 is out of range; expected 1 to 100" in text
    # What was typed stays; what is shown is the reader's own.
    assert 'value="(robot"' in page
    assert "What would change" not in page
    assert "Subject Mamba three + 1 more" in text


def test_a_reader_of_the_database_gets_a_file_for_the_command(
    preview: RunningPreview, project: Project
) -> None:
    do(project, run)
    with open_app(project.root / "config", {}) as app:
        spec = app.specs[0] if app.specs else None
        assert spec is not None
        app.store.subscribers.add(
            type(spec)(
                address="kay@example.org",
                timezone="Asia/Tokyo",
                language="en",
                schedule=("mon 09:00",),
                profile=spec.profile,
            ),
            origin=Origin.COMMAND,
            consent="told us",
            reason="",
            as_of=AT,
            at=AT,
        )
    _, page = attempt(preview, reader="kay@example.org", query="gardening")
    text = said(page)
    assert "newsletter profile edit kay@example.org --file profile.toml" in text
    assert 'timezone = "Asia/Tokyo"' in text
    assert 'schedule = "mon 09:00"' in text


def test_a_tried_profile_that_is_gone_is_said(preview: RunningPreview) -> None:
    page = preview.get(f"?reader=ada@example.org&{WHEN}&draft=gone")
    assert page.status == 200
    assert "is no longer kept here" in said(page.body)


def test_the_last_tried_profiles_are_kept_to_go_back_to(
    preview: RunningPreview,
) -> None:
    first, _ = attempt(preview, query="gardening")
    for _ in range(3):
        attempt(preview, query="opera")
    assert 'value="gardening"' in preview.get(first).body


def test_a_past_issue_stays_as_it_was(
    preview: RunningPreview, project: Project
) -> None:
    do(project, run)
    (path,) = project.outbox.glob("*/*.eml")
    where, _ = attempt(preview, query="gardening", issue=path.stem)
    assert "issue=now" in where
    past = where.replace("issue=now", f"issue={path.stem}")
    page = said(preview.get(past).body)
    assert "A past issue stays as it was" in page
    assert "Mamba three" in page
    assert "You look at a profile" not in page


def test_with_nothing_new_it_says_how_to_try_over_days(
    preview: RunningPreview, project: Project
) -> None:
    do(project, run)
    _, page = attempt(preview, query="gardening", at="2026-05-04T13:00:00Z")
    assert "newsletter profile diff" in said(page)


def test_a_form_of_any_size_breaks_nothing(preview: RunningPreview) -> None:
    rows = [f"word{n}" for n in range(300)]
    _, page = attempt(preview, query=rows, mutes="\n".join(rows))
    assert page.count('name="query"') == 202
    many = post(preview, "try", **{**ADA, "query": ["x"] * 2000})
    assert many.status == 403
    long = post(preview, "try", **{**ADA, "query": "x" * 300_000})
    assert long.status == 403
    _, page = attempt(preview, query="<script>alert(1)</script>", name='"><b>')
    assert "<script>alert" not in page


# --- leafing and finding ------------------------------------------------------


def test_past_issues_are_leafed_through(
    preview: RunningPreview, project: Project
) -> None:
    do(project, run)
    later = AT + timedelta(days=1)
    (project.root / "notes.xml").write_text(rss("Mamba nine", day=5), "utf-8")
    do(project, lambda app: app.run(at=later, everyone=True))
    # At an instant before the next slot.
    page = preview.get("?reader=ada@example.org&at=2026-05-05T13:00:00Z").body
    labels = []
    for _ in range(2):
        (older,) = re.findall(r'<a href="([^"]*)" rel="prev"', page)
        page = preview.get(unescape(older)).body
        labels += re.findall(r"\d of 2, by age", page)
    assert labels == ["2 of 2, by age", "1 of 2, by age"]
    assert 'rel="prev"' not in page
    assert "Mon 04 May 2026, 13:00" in said(page)
    for _ in range(3):
        (newer,) = re.findall(r'<a href="([^"]*)" rel="next"', page)
        page = preview.get(unescape(newer)).body
    assert 'rel="next"' not in page
    assert "As of 2026-05-06T06:30:00Z" in said(page)


@pytest.mark.parametrize("q", ["ADA", "countess", "a@ex", "COUNT"])
def test_readers_are_found_by_address_name_or_id(
    preview: RunningPreview, project: Project, q: str
) -> None:
    for _ in range(2):
        found = preview.get(f"?q={q}", "readers").body
        assert "ada@example.org" in found
        assert "grace" not in found
        assert 'data-said="1 reader found"' in found
        assert "<html" not in found
        # Before a run of the file alone, after it of the store.
        do(project, run)
        project.write_readers(READERS)


def test_readers_are_found_by_the_beginning_of_the_public_id(
    preview: RunningPreview, project: Project
) -> None:
    do(project, run)
    with open_app(project.root / "config", {}) as app:
        grace = app.store.subscribers.get("grace@example.org")
    for q in (grace.public_id, grace.public_id[:6].upper()):
        assert "grace@example.org" in preview.get(f"?q={q}", "readers").body
    assert "No reader found" in preview.get("?q=%25", "readers").body


# --- looking otherwise --------------------------------------------------------


def test_without_images_the_frame_may_load_none(preview: RunningPreview) -> None:
    page = preview.get(f"?reader=ada@example.org&{WHEN}&images=off").body
    assert "images off" in page
    policy = preview.mail(page).headers["content-security-policy"]
    assert "img-src 'none'" in policy


def test_checks_tell_the_weight_and_what_to_mend(
    preview: RunningPreview, project: Project
) -> None:
    text = (project.root / "notes.xml").read_text("utf-8")
    (project.root / "notes.xml").write_text(
        rss("Mamba open", day=5).replace("https://", "http://"), "utf-8"
    )
    assert text
    do(project, lambda app: app.refresh(at=AT + timedelta(days=1)))
    query = "?reader=ada@example.org&at=2026-05-05T12:00:00Z&view=checks"
    page = preview.get(query).body
    assert "Checks (1)" in page
    assert "Not over https: 1 address." in said(page)
    assert re.search(r"The HTML weighs \d+\.\d KB, \d+ % of the 102 KB", said(page))
    assert "<meter" in page


# --- sending ------------------------------------------------------------------


def send(preview: RunningPreview, **fields: str) -> Answer:
    wanted = {"reader": "ada@example.org", "at": "2026-05-04T12:00:00Z", **fields}
    return post(preview, "send", **wanted)


def test_a_preview_goes_to_the_editor_alone_and_the_ledger_does_not_hear_of_it(
    preview: RunningPreview, project: Project
) -> None:
    do(project, run)
    (sent,) = project.outbox.glob("*/*.eml")
    database = (project.outbox / "newsletter.db").read_bytes()
    answer = send(preview, issue=sent.stem, to="evil@example.org", preview_to="e@x.org")
    assert answer.status == 303, answer.body
    page = preview.get(answer.headers["location"].removeprefix(preview.home)).body
    assert "Written for editor@example.org into the outbox" in said(page)
    assert (project.outbox / "newsletter.db").read_bytes() == database
    (proof,) = set(project.outbox.glob("*/*.eml")) - {sent}
    mail, own = read_mail(proof), read_mail(sent)
    assert mail["To"] == "editor@example.org"
    assert mail["Subject"] == f"[Preview] {own['Subject']}"
    assert mail["Message-ID"] != own["Message-ID"]
    assert proof.stem in mail["Message-ID"]
    for name in ("List-Unsubscribe", "List-Unsubscribe-Post"):
        assert own[name]
        assert mail[name] is None
    token = re.findall(r"/u/([\w.-]+)", own["List-Unsubscribe"])[0]
    whole = mail.as_string() + "".join(
        str(part.get_content()) for part in mail.walk() if not part.is_multipart()
    )
    assert token not in whole
    assert "https://nowhere.invalid/" in whole
    for kind in ("plain", "html"):
        one, other = mail.get_body((kind,)), own.get_body((kind,))
        assert one is not None
        assert other is not None
        links = re.compile(
            r"https://(?:nowhere\.invalid/|digest\.example\.org/[\w./-]+)"
        )
        # A text is wrapped anew around a shorter link.
        shown = links.sub("", str(one.get_content())).split()
        assert shown == links.sub("", str(other.get_content())).split()


def test_a_tried_profile_can_be_sent_too(
    preview: RunningPreview, project: Project
) -> None:
    where, _ = attempt(preview, query="gardening")
    draft = re.findall(r"draft=([^&]*)", where)[0]
    assert send(preview, draft=draft).status == 303
    (proof,) = project.outbox.glob("*/*.eml")
    assert read_mail(proof)["Subject"] == "[Preview] Gardening"


def test_without_an_address_it_says_how_to_set_it_and_sends_nothing(
    preview: RunningPreview, project: Project
) -> None:
    project.write(NOTES, READERS)
    page = said(preview.get(f"?reader=ada@example.org&{WHEN}").body)
    assert 'set preview_to = "you@example.org" below [newsletter]' in page
    assert "Send to" not in page
    answer = send(preview)
    assert answer.status == 409
    assert "preview_to: is not set" in said(answer.body)
    assert not list(project.outbox.glob("*/*.eml"))


def test_by_smtp_it_goes_to_the_editor_even_where_readers_could_not_leave(
    preview: RunningPreview, project: Project
) -> None:
    with mailroom() as room:
        smtp = (
            '[delivery]\ntransport = "smtp"\n[delivery.smtp]\nhost = "127.0.0.1"\n'
            f'port = {room.port}\nsecurity = "none"\n'
        )
        project.write(WITH_EDITOR + NOTES + smtp, READERS)
        answer = send(preview)
        page = preview.get(answer.headers["location"].removeprefix(preview.home)).body
    (mail,) = room.mails
    assert mail.recipient == "editor@example.org"
    assert mail.sender == "digest@example.org"
    assert b"Subject: [Preview] Mamba three" in mail.content
    assert b"ada@example.org" not in mail.content.partition(b"\r\n\r\n")[0]
    assert f"Sent to editor@example.org: 127.0.0.1:{room.port} took it." in said(page)


def test_a_refusal_of_the_server_is_said(
    preview: RunningPreview, project: Project
) -> None:
    refuse = Fault(at="rcpt", does="550 5.1.1 no such mailbox")
    with FaultyServer(faults=(refuse,)) as server:
        smtp = (
            '[delivery]\ntransport = "smtp"\n[delivery.smtp]\nhost = "127.0.0.1"\n'
            f'port = {server.port}\nsecurity = "none"\n'
        )
        project.write(WITH_EDITOR + NOTES + smtp, READERS)
        answer = send(preview)
        page = preview.get(answer.headers["location"].removeprefix(preview.home)).body
    assert "Not sent to editor@example.org: 550 5.1.1 no such mailbox." in said(page)


def test_what_cannot_be_sent_is_said(preview: RunningPreview, project: Project) -> None:
    smtp = (
        '[delivery]\ntransport = "smtp"\n[delivery.smtp]\nhost = "127.0.0.1"\n'
        'port = 1\nsecurity = "none"\n'
    )
    project.write(WITH_EDITOR + NOTES + smtp, READERS)
    answer = send(preview)
    assert answer.status == 409
    assert "127.0.0.1:1" in said(answer.body)
    missing = send(preview, reader="grace@example.org")
    assert missing.status == 404
    assert "there is no mail to show" in said(missing.body)


def test_a_wrong_address_for_previews_is_a_mistake_with_its_line(
    preview: RunningPreview, project: Project
) -> None:
    project.write('preview_to = "nobody"\n' + NOTES, READERS)
    page = said(preview.get().body)
    assert re.search(
        r"newsletter\.toml:5: newsletter\.preview_to: 'nobody' is not", page
    )


# --- giving it away -----------------------------------------------------------


def test_the_file_names_nobody_and_loads_nothing(
    preview: RunningPreview, project: Project
) -> None:
    do(project, run)
    (sent,) = project.outbox.glob("*/*.eml")
    token = re.findall(r"/u/([\w.-]+)", str(read_mail(sent)["List-Unsubscribe"]))[0]
    answer = preview.get(f"?reader=ada@example.org&issue={sent.stem}", "file")
    assert answer.status == 200
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    assert "Mamba three" in said(answer.body)
    assert "ada@example.org" not in answer.body
    assert token not in answer.body
    assert token[:22] not in answer.body
    assert "nowhere.invalid" not in answer.body
    assert 'href="https://example.org/2-4"' in answer.body
    assert "Leads nowhere in the preview" in answer.body
    assert not re.search(r"<(?!a\b)[^>]*\s(?:src|href)=\"http", answer.body)


@pytest.fixture
def chromium() -> str:
    found = find_browser(os.environ)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium, and CI runs every test")
        pytest.skip("no Chromium")
    return found


def size_of(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@pytest.mark.browser
def test_a_picture_is_as_wide_as_asked_and_as_long_as_the_mail(
    chromium: str, project: Project
) -> None:
    assert chromium
    with RunningPreview(project.root / "config", dict(os.environ)) as preview:
        query = f"?reader=ada@example.org&{WHEN}&width=phone&scheme=dark"
        assert "Picture (PNG)" in preview.get(query).body
        connection = http.client.HTTPConnection("127.0.0.1", preview.door.port)
        connection.request(
            "GET", f"{preview.home}picture{query}", headers=preview.cookie
        )
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("content-type")) == (200, "image/png")
        width, height = size_of(answer.read())
        connection.close()
    assert width == 750
    assert height > 1000


@pytest.mark.browser
def test_a_picture_runs_no_script_and_asks_nobody(chromium: str) -> None:
    import socket  # noqa: PLC0415 - of this test alone
    import threading  # noqa: PLC0415 - the same

    asked: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def listen() -> None:
            try:
                while True:
                    connection, who = server.accept()
                    asked.append(who)
                    connection.close()
            except OSError:
                return

        threading.Thread(target=listen, daemon=True).start()
        html = (
            f'<img src="http://127.0.0.1:{port}/a"><iframe src="http://127.0.0.1:{port}">'
            f'</iframe><link rel=stylesheet href="http://127.0.0.1:{port}/c">'
            "<script>document.body.style.height='3000px'</script>"
            '<div style="height:50px">x</div>'
        )
        png = Camera(os.environ).take(html, width=300, scheme=Scheme.LIGHT)
        time.sleep(0.2)
        server.shutdown(socket.SHUT_RDWR)
    assert chromium
    assert asked == []
    assert size_of(png)[1] < 2000


def test_without_a_browser_the_page_says_what_to_install(
    preview: RunningPreview, tmp_path: Path
) -> None:
    # Its environment has no PATH but the usual one.
    with RunningPreview(preview.folder, {"PATH": str(tmp_path)}) as bare:
        page = bare.get(f"?reader=ada@example.org&{WHEN}").body
        assert "sudo apt install chromium" in page
        assert "Picture (PNG)" not in page
        answer = bare.get(f"?reader=ada@example.org&{WHEN}", "picture")
        assert answer.status == 404
        assert "Install one" in answer.body


@pytest.mark.parametrize("does", ["sleep 60", "exit 1", "cat <&3 >&4"])
def test_a_browser_that_does_not_answer_is_ended_and_named(
    tmp_path: Path, does: str
) -> None:
    program = tmp_path / "chromium"
    program.write_text(f"#!/bin/sh\n{does}\n", "utf-8")
    program.chmod(0o700)
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    started = time.monotonic()
    with pytest.raises(RenderError, match="made no picture within 1 s"):
        Camera(environ, 1.0).take("<p>x", width=100, scheme=Scheme.LIGHT)
    assert time.monotonic() - started < 20
    assert not list(Path(gettempdir()).glob("newsletter-picture-*"))


def test_without_any_browser_there_is_no_picture(tmp_path: Path) -> None:
    environ = {"PATH": str(tmp_path)}
    assert shutil.which("chromium", path=str(tmp_path)) is None
    with pytest.raises(NotFoundError, match="apt install chromium"):
        Camera(environ).take("<p>x", width=100, scheme=Scheme.LIGHT)
    assert picture.MISSING.endswith("look again.")


# --- being told of edits ------------------------------------------------------


def stamp(page: str) -> str:
    (found,) = re.findall(r'data-stamp="([^"]+)"', page)
    return str(found)


def told(preview: RunningPreview, since: str, meanwhile: Callable[[], object]) -> str:
    """Listen from *since* on, do something, and return all that was told."""
    connection = http.client.HTTPConnection("127.0.0.1", preview.door.port, timeout=20)
    try:
        path = f"{preview.home}events?since={since}"
        connection.request("GET", path, headers=preview.cookie)
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.getheader("content-type", "").startswith("text/event-stream")
        assert answer.readline() == b"retry: 1500\n"
        meanwhile()
        return answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize(
    "file",
    ["config/subscribers.toml", "config/newsletter.toml", "templates/own/a/b.j2"],
)
def test_a_page_is_told_of_an_edit(
    preview: RunningPreview, project: Project, file: str
) -> None:
    page = preview.get(f"?{WHEN}").body
    path = project.root / file

    def edit() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as stream:
            stream.write("# edited\n")

    assert "event: changed" in told(preview, stamp(page), edit)
    # And of one while it did not listen.
    assert "event: changed" in told(preview, stamp(page), lambda: None)
    assert stamp(preview.get(f"?{WHEN}").body) != stamp(page)


def test_what_an_editor_keeps_beside_is_no_edit(
    preview: RunningPreview, project: Project
) -> None:
    page = preview.get(f"?{WHEN}").body
    for name in (".subscribers.toml.swp", "subscribers.toml~"):
        (project.root / "config" / name).write_text("x", "utf-8")
    assert stamp(preview.get(f"?{WHEN}").body) == stamp(page)


def test_a_page_about_a_mistake_looks_again_when_it_is_mended(
    preview: RunningPreview, project: Project
) -> None:
    project.write_readers("nonsense")
    answer = preview.get()
    assert answer.status == 409
    assert f'<script src="{preview.home}preview.js" defer>' in answer.body
    mend = lambda: project.write_readers(READERS)  # noqa: E731 - it is said once
    assert "event: changed" in told(preview, stamp(answer.body), mend)
    # What was posted is not posted again by looking again.
    assert "data-stamp" not in send(preview, reader="nobody").body


def test_who_listens_does_not_keep_the_preview_from_ending(project: Project) -> None:
    with RunningPreview(project.root / "config") as preview:
        since = stamp(preview.get(f"?{WHEN}").body)
        started = time.monotonic()
        text = told(preview, since, preview.serving.stop)
        preview.thread.join(timeout=30)
        assert not preview.thread.is_alive()
        assert "event: ended" in text
        assert time.monotonic() - started < 5
