"""An issue that wants to break out: from the feed that is served to the mail.

Two hundred matches, texts without end, hundreds of authors, and titles that try
to be markup, templates, header fields or another direction of writing.
"""

from __future__ import annotations

import re
from email.message import EmailMessage
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from tests.support import mail_checks
from tests.support.project import Project
from tests.support.web import HttpServer

THEMES = sorted(
    path.name
    for path in (Path(__file__).parents[2] / "templates").iterdir()
    if (path / "theme.toml").is_file()
)
SOURCE = """
theme = "{theme}"
[fetch]
allow_private = ["{host}"]
[[sources]]
name = "hostile"
kind = "feed"
url = "{url}/feed.atom"
first_days = 36500
"""
READERS = """
[[subscribers]]
address = "ada@example.org"
name = "Ada"
schedule = "daily 07:30"
order = "newest"
max_items = {most}
interests = [{{ query = "mamba OR x", name = "</mj-text>{{{{7*7}}}}<script>" }}]
sections = "interest"
"""
#: What must come through as plain text, or not at all, and never as itself.
TITLES = (
    "mamba <script>alert(1)</script> and </script><img src=x onerror=alert(2)>",
    "mamba {{7*7}} {% for x in ().__class__.__mro__ %} {# gone #} ${7*7} #{7*7}",
    "mamba </mj-text></mj-column></mj-section><mj-raw> <!-- nl0s0000e --> -->",
    "mamba \r\nBcc: all@example.org\r\n\r\n<html>a second body\nof lines",
    "mamba \u202eevil\u202d \u2066turned\u2067 around \u200f\u200e\u061c and not back",
    "mamba \U0001f9ec\U0001f468\u200d\U0001f469\u200d\U0001f467\U0001f1fa\U0001f1f3"
    + "\U0001f389" * 40,
    "mamba " + "a title that does not end, " * 18 + "here",
    "mamba " + "W" * 494,
    'mamba " onmouseover="alert(1)" style="position:fixed" &amp;lt;b&amp;gt; &copy',
    "mamba Z" + "\u0301\u0316\u0489" * 60 + "algo",
    "mamba نموذج " + "שלום \u202e " * 20,
    "=?utf-8?q?mamba_encoded?= <a href='javascript:alert(1)'>click</a>",
)
#: Findings of mail_checks that are meant here: the feed says just that.
LITERALLY = ("template in the",)
LONG = "mamba: " + "a sentence of a summary that has twenty thousand characters; " * 330


def atom(count: int) -> bytes:
    """Return a feed of *count* entries, the hostile ones newest."""
    entries = [
        entry(number, TITLES[number] if number < len(TITLES) else f"mamba no. {number}")
        for number in range(count)
    ]
    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom">'
        f"<title>hostile</title>{''.join(entries)}</feed>"
    ).encode()


def entry(number: int, title: str) -> str:
    authors = 438 if number == 0 else 2
    names = "".join(
        f"<author><name>Author {n} &lt;b&gt;of many</name></author>"
        for n in range(authors)
    )
    summary = LONG if number < 3 else f"mamba {title} " * 3
    url = f"https://example.org/{number}?a=1&b={{{{7*7}}}}"
    if number == 5:
        url = "javascript:alert(1)"
    return (
        f"<entry><id>urn:n:{number}</id><title>{escape(title)}</title>"
        f'<link href="{escape(url)}"/><updated>2026-03-{4 - (number >= 12):02}T'
        f"{23 - number % 24:02}:00:00Z</updated>{names}"
        f"<summary>{escape(summary)}</summary></entry>"
    )


def mail_of(project: Project, server: HttpServer, theme: str, most: int) -> Path:
    body = atom(200)
    server.routes["/feed.atom"] = lambda _: (
        200,
        {"Content-Type": "application/atom+xml"},
        body,
    )
    source = SOURCE.format(theme=theme, host=server.host, url=server.url)
    project.write(source, READERS.format(most=most))
    out, _ = project.run("run", "--everyone", "--at", "2026-03-05T08:00:00Z")
    assert "written" in out
    (path,) = project.outbox.glob("*/*.eml")
    return path


def assert_plain_headers(message: EmailMessage) -> None:
    assert "Bcc" not in message
    assert len(message.get_all("Subject", [])) == 1
    for name, value in message.items():
        assert not re.search(r"[\r\n\x00-\x08\x0b-\x1f]", str(value)), name
        assert not re.search(r"[\u202a-\u202e\u2066-\u2069]", str(value)), name


def assert_turned_back(part: str) -> None:
    """Look that whatever turns the direction of writing is closed in its line."""
    for line in part.splitlines():
        opened = len(re.findall("[\u202a\u202b\u202d\u202e]", line))
        assert opened == line.count("\u202c"), line
        isolated = len(re.findall("[\u2066-\u2068]", line))
        assert isolated == line.count("\u2069"), line


@pytest.mark.parametrize("most", [12, 100])
@pytest.mark.parametrize("theme", THEMES)
def test_a_hostile_issue_is_safe_legible_and_under_the_cap(
    project: Project, http_server: HttpServer, theme: str, most: int
) -> None:
    mail = mail_checks.read(mail_of(project, http_server, theme, most).read_bytes())
    said = [x for x in mail_checks.findings(mail) if not x.startswith(LITERALLY)]
    assert said == []
    assert_plain_headers(mail.message)
    read = mail_checks.seen(mail.html)
    for part in (mail.text, read):
        assert "{{7*7}}" in part
        assert "<script>" in part
        assert "alert(1)" in part
        assert_turned_back(part)
    assert "49" not in re.sub(r"https?://\S+|no\. \d+", "", read)
    tags = set(re.findall(r"<([a-z0-9-]+)", mail.html))
    assert not tags & {"script", "img", "mj-text", "mj-raw", "iframe", "form"}
    assert not re.search(r"<[^>]*\son\w+\s*=", mail.html)
    assert not re.search(r'href="(?!https?:|mailto:)', mail.html)
    shown = re.search(r"200 new, 200 matched, (\d+) shown", mail.text)
    assert shown is not None
    assert int(shown[1]) == most
    # Every entry that was chosen is there, as a card or as one line.
    numbers = {
        int(n) for n in re.findall(r'href="https://example.org/(\d+)\?', mail.html)
    }
    assert len(numbers) >= most - 1
