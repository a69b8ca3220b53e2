"""A source that fails costs nobody else anything."""

from __future__ import annotations

import pytest

from tests.support.project import Project
from tests.support.web import HttpServer

NEWSLETTER = """
[fetch]
allow_private = ["{host}"]
interval = "0s"

[[sources]]
name = "good"
kind = "feed"
url = "{url}/good.xml"
first_days = 4000

[[sources]]
name = "bad"
kind = "feed"
url = "{url}/bad.xml"
{more}
"""

GOOD = (
    b'<rss version="2.0"><channel><title>Good</title><item><title>Mamba</title>'
    b"<link>https://example.org/1</link><guid>1</guid>"
    b"<pubDate>04 May 2026 06:00:00 GMT</pubDate></item></channel></rss>"
)
HTML = b"<!doctype html><html><body><h1>Please log in</h1></body></html>"
AT = "2026-05-04T12:00Z"


def write(
    project: Project,
    server: HttpServer,
    answer: tuple[int, dict[str, str], bytes],
    more: str = "",
) -> None:
    server.routes["/good.xml"] = lambda _: (200, {"Content-Type": "text/xml"}, GOOD)
    server.routes["/bad.xml"] = lambda _: answer
    host = server.url.removeprefix("http://")
    project.write(NEWSLETTER.format(url=server.url, host=host, more=more))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((500, {}, b"oops"), "500"),
        ((200, {"Content-Type": "text/html"}, HTML), "HTML"),
    ],
)
def test_a_failing_source_is_a_warning_and_the_rest_goes_on(
    project: Project,
    http_server: HttpServer,
    answer: tuple[int, dict[str, str], bytes],
    said: str,
) -> None:
    write(project, http_server, answer)
    _, err = project.run("run", "--everyone", "--at", AT)
    assert "source bad" in err
    assert said in err
    assert [m["To"] for m in project.mails().values()] == ["ada@example.org"]


def test_a_failing_required_source_ends_with_exit_code_1(
    project: Project,
    http_server: HttpServer,
) -> None:
    write(project, http_server, (500, {}, b"oops"), more="required = true")
    _, err = project.run("run", "--everyone", "--at", AT, code=1)
    assert "source bad" in err
    assert [m["To"] for m in project.mails().values()] == ["ada@example.org"]


def test_due_slots_wait_while_every_source_fails(
    project: Project,
    http_server: HttpServer,
) -> None:
    write(project, http_server, (500, {}, b"oops"))
    project.run("run", "--at", "2026-05-04T05:00Z")
    project.run("run", "--at", "2026-05-04T06:30Z")
    assert len(project.mails()) == 1
    http_server.routes["/good.xml"] = lambda _: (503, {}, b"")
    out, _ = project.run("run", "--at", "2026-05-05T06:45Z")
    assert "ada@example.org waits" in out
    assert len(project.mails()) == 1
    out, _ = project.run("run", "--at", "2026-05-05T08:45Z")
    assert "nothing for ada@example.org" in out


def test_a_server_that_is_not_allowed_is_never_connected_to(
    project: Project,
    http_server: HttpServer,
) -> None:
    write(project, http_server, (200, {}, GOOD))
    config = project.root / "config" / "newsletter.toml"
    text = config.read_text("utf-8")
    host = http_server.url.removeprefix("http://")
    config.write_text(text.replace(f'["{host}"]', "[]"), "utf-8")
    _, err = project.run("run", "--everyone", "--at", AT)
    assert "allow_private" in err
    assert http_server.requests == []
