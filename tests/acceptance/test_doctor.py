"""What `doctor` finds: of the configuration, the store, sources, SMTP, readers."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.app import open_app
from newsletter.delivery.greeting import greet
from newsletter.errors import TransientDeliveryError
from newsletter.model import (
    Greeting,
    ListingState,
    Newsletter,
    Security,
    SmtpServer,
)
from newsletter.storage.schema import listings
from newsletter.usecases import diagnose
from newsletter.usecases.diagnose import Grade
from tests.support.project import Project
from tests.support.smtp import Fault, FaultyServer, certificates, mailroom
from tests.support.web import HttpServer

FEED = """<rss version="2.0"><channel><title>Lab</title>
<item><title>Mamba forgets</title><guid>1</guid>
<pubDate>{date}</pubDate></item></channel></rss>"""
NOW = datetime(2026, 3, 5, 7, 30, tzinfo=UTC)


def serve(server: HttpServer, date: str) -> str:
    """Serve a feed, an empty one, and none; return their tables."""
    for name, body in (
        ("lab", FEED.format(date=date)),
        ("empty", '<rss version="2.0"><channel><title>x</title></channel></rss>'),
        ("page", "<!doctype html><title>Hello</title>"),
        ("odd", FEED.format(date=date).replace("</channel>", "<item/></channel>")),
    ):
        answer = (200, {"Content-Type": "text/xml"}, body.encode())
        server.routes[f"/{name}"] = lambda _, answer=answer: answer  # type: ignore[misc] # mypy knows no such lambda
    return f'[fetch]\nallow_private = ["{server.host}"]\n' + "".join(
        f'[[sources]]\nname = "{name}"\nkind = "feed"\nurl = "{server.url}/{name}"\n'
        for name in ("lab", "empty", "page", "odd")
    )


def test_a_new_folder_is_looked_at_and_stays_as_it_was(
    project: Project, http_server: HttpServer
) -> None:
    project.write(serve(http_server, "Mon, 02 Mar 2026 09:00:00 GMT"))
    before = project.files()
    out, _ = project.run("doctor", code=1)
    assert project.files() == before
    for said in (
        r"^note     database: there is none yet at sqlite:///.*; the first run makes",
        r"^fine     configuration: no mistake in it: 'Test Papers' as test-papers\.",
        r"^note     configuration: newsletter.from is digest@example.org, an example",
        r"^fine     theme: 'default' is accepted",
        r"^(fine|note)     source lab: 1 entry, the newest of 02 Mar 2026",
        r"^note     source empty: can be read, and is empty now",
        r"^error    source page: .*HTML page, not a feed",
        r"^         -> `newsletter sources check page` tells more",
        r"^warning  source odd: 1 entry, .*; 1 more could not be used",
        r"^fine     outbox: mails become files below ",
        r"^fine     readers: subscribers.toml names 2, whom the next run takes in",
        r"^1 error, 1 warning$",
    ):
        assert re.search(said, out, re.MULTILINE), (said, out)
    asked = len(http_server.requests)
    out, _ = project.run("doctor", "--offline")
    assert len(http_server.requests) == asked
    assert "source" not in out.replace("no source", "")
    assert out.endswith("0 errors, 0 warnings\n")


def test_findings_as_json_bear_their_grade(project: Project) -> None:
    project.write("", "")
    out, _ = project.run("doctor", "--json", code=1)
    assert '"grade": "error"' in out
    assert "there is no source" in out
    assert "there is no active reader" in out


def test_a_mistake_in_the_configuration_is_named_with_its_place(
    project: Project,
) -> None:
    project.write("colour = 1\n")
    _, err = project.run("doctor", code=2)
    assert "newsletter.toml:5: newsletter.colour: there is no such key" in err


def test_a_database_that_is_none_does_not_hide_the_rest(project: Project) -> None:
    project.write("")
    project.outbox.mkdir()
    (project.outbox / "newsletter.db").write_bytes(b"not a database " * 1000)
    out, _ = project.run("doctor", code=1)
    assert re.search(
        r"^error    database: .*is not a SQLite database", out, re.MULTILINE
    )
    assert "theme: 'default'" in out


@pytest.mark.long
def test_a_database_in_use_and_a_slot_that_nobody_served(
    project: Project, http_server: HttpServer
) -> None:
    project.write(serve(http_server, "Mon, 02 Mar 2026 09:00:00 GMT"))
    project.run("run", "--at", "2026-03-02T12:00Z")
    is_held = {"state": ListingState.HELD, "seq": None, "released_at": None}
    with (
        open_app(project.root / "config", {}) as app,
        app.store.database.write() as connection,
    ):
        connection.execute(listings.update().values(**is_held))
    out, _ = project.run("doctor", "--offline")
    assert re.search(r"^fine     database: SQLite 3\..*, whole", out, re.MULTILINE)
    assert re.search(r"^fine     readers: 2 active", out, re.MULTILINE)
    assert re.search(
        r"^warning  readers: (ada|grace)@example.org was due at 2026-03-0\d .* UTC",
        out,
        re.MULTILINE,
    )
    assert "let cron call `newsletter run`" in out
    assert "source lab: 1 listings are held" in out
    said, _ = project.run("status")
    assert re.search(r"^due: +(ada|grace)@example.org", said, re.MULTILINE)


def test_an_outbox_that_is_a_file_is_told(project: Project) -> None:
    project.write('[database]\nurl = "sqlite:///data/n.db"\n')
    project.outbox.write_text("a file")
    out, _ = project.run("doctor", code=1)
    assert re.search(
        r"^error    outbox: .*takes no mail: .* is no folder", out, re.MULTILINE
    )


# --- SMTP -------------------------------------------------------------------------


def over_smtp(project: Project, port: int, **more: str) -> Project:
    smtp = {"HOST": "localhost", "PORT": str(port), "SECURITY": "none", **more}
    environ = {f"NEWSLETTER_DELIVERY__SMTP__{k}": v for k, v in smtp.items()}
    return replace(
        project, environ={"NEWSLETTER_DELIVERY__TRANSPORT": "smtp", **environ}
    )


def test_a_willing_server_is_greeted_over_tls_and_gets_no_mail(
    project: Project,
) -> None:
    project.write("")
    tls, ca = certificates("localhost")
    ca.cert_pem.write_to_path(str(project.root / "ca.pem"))
    with mailroom(tls=tls) as room:
        smtp = over_smtp(project, room.port, SECURITY="starttls", CA_FILE="ca.pem")
        out, _ = smtp.run("doctor", code=1)
        assert not room.mails
    assert re.search(
        rf"^fine     smtp: localhost:{room.port} answers as .+, TLSv1\.[23], without",
        out,
        re.MULTILINE,
    )
    assert "an example" in out
    assert len(re.findall("^error", out, re.MULTILINE)) == 1  # there is no source


def test_a_server_without_starttls_or_a_password_is_an_error(project: Project) -> None:
    project.write("")
    with FaultyServer() as server:
        smtp = over_smtp(project, server.port, SECURITY="starttls")
        out, _ = smtp.run("doctor", code=1)
        assert "error    smtp: localhost" in out
        assert "does not offer STARTTLS" in out
        out, _ = over_smtp(project, server.port, USERNAME="ada").run("doctor", code=1)
    assert "NEWSLETTER_SMTP_PASSWORD is not" in out


def local(port: int) -> SmtpServer:
    return SmtpServer(host="127.0.0.1", port=port, security=Security.NONE)


def test_a_server_that_refuses_our_sender_is_known_before_any_mail() -> None:
    refuses = Fault(at="mail", does="553 5.7.1 not you")
    with FaultyServer((refuses,), extensions=("SIZE 20000",)) as server:
        greeting = greet(local(server.port), sender="digest@example.org")
    assert (greeting.name, greeting.tls, greeting.expires_at) == (
        "mx.example.net",
        None,
        None,
    )
    assert (greeting.max_bytes, greeting.logged_in) == (20_000, False)
    assert greeting.refusal == "553 5.7.1 not you"
    found = list(diagnose.of_greeting(lambda: greeting, name="mx", now=NOW))
    assert [f.grade for f in found] == [Grade.FINE, Grade.ERROR, Grade.WARNING]
    assert "takes no mail from our sender: 553 5.7.1" in found[1].what
    assert "up to 20000 bytes" in found[2].what


def test_a_server_that_breaks_off_is_told() -> None:
    with (
        FaultyServer((Fault(at="mail", does="drop"),)) as server,
        pytest.raises(TransientDeliveryError, match="broke off while it was greeted"),
    ):
        greet(local(server.port), sender="digest@example.org")


def test_a_certificate_that_ends_soon_is_a_warning() -> None:
    greeting = Greeting(
        name="",
        tls="TLSv1.3",
        expires_at=NOW + diagnose.CERTIFICATE_ENDS / 2,
        logged_in=True,
        max_bytes=None,
        refusal=None,
    )
    fine, warning = diagnose.of_greeting(lambda: greeting, name="mx", now=NOW)
    assert fine.what == "mx answers as nobody, TLSv1.3, logged in"
    assert (warning.grade, warning.what) == (
        Grade.WARNING,
        "its certificate ends on 12 Mar 2026; no mail goes after that",
    )


@pytest.mark.parametrize(
    ("address", "is_example"),
    [
        ("a@example.org", True),
        ("a@Example.COM", True),
        ("a@mail.test", True),
        ("a@localhost", True),
        ("a@example.museum", False),
        ("a@notexample.org", False),
    ],
)
def test_an_address_of_nobody_is_told(address: str, is_example: bool) -> None:
    newsletter = Newsletter(
        title="T", from_name="", from_address=address, list_id="t.example.org"
    )
    found = [
        finding.what
        for finding in diagnose.of_newsletter(newsletter, sources=(), is_smtp=True)
    ]
    assert any("an example" in what for what in found) is is_example
    assert any("RFC 8058" in what for what in found)


def test_nothing_is_greeted_where_the_folder_does_not_exist(tmp_path: Path) -> None:
    _, err = Project(root=tmp_path).run("doctor", code=2)
    assert "there is no folder config" in err
