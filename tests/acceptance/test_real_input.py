"""Real feeds and real days of Daily Papers, over loopback HTTP, for five readers.

Each card is checked with the reference evaluator, and no entry that should
stand before it is left out. Each mail is read back with the standard library
and given to a checker that knows nothing of our code.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from email.message import EmailMessage
from html import unescape
from pathlib import Path

import pytest

from newsletter.app import App, open_app
from newsletter.matching import match_profile
from newsletter.model import IssueRecord, Window
from tests.support.issues import html_links, text_links
from tests.support.project import Project
from tests.support.web import Answer, Asked, HttpServer

#: The days that were captured one after the other, and one that is damaged.
DAYS = ("2026-05-28", "2026-05-29")
AT = ("2026-05-28T18:00Z", "2026-05-29T18:00Z")

READERS = """
[[subscribers]]
address = "agents@example.org"
interests = ["agent*", { query = '"language model*"', name = "Language models" }]
mutes = ["survey"]

[[subscribers]]
address = "votes@example.org"
timezone = "Asia/Tokyo"
interests = ["video OR title:diffusion"]
order = "votes"
max_items = 5

[[subscribers]]
address = "ruby@example.org"
timezone = "America/New_York"
interests = ["ruby OR rails", "title:javascript", "software AND NOT apple"]
order = "newest"
max_items = 40
sections = "source"

[[subscribers]]
address = "people@example.org"
interests = ['author:"Li"', "category:web", "source:hf AND robot*"]
max_items = 20
sections = "interest"

[[subscribers]]
address = "all@example.org"
interests = []
min_votes = 1
order = "votes"
max_items = 100
"""


def serve(server: HttpServer, shared: Path) -> str:
    """Serve the captures; return the sources' tables of the configuration."""
    wire = shared / "wire"
    papers = wire / "huggingface_daily_papers_json"

    def daily(asked: Asked) -> Answer:
        file = papers / f"{asked.query['date']}.json"
        body = file.read_bytes() if file.exists() else b"[]"
        return 200, {"Content-Type": "application/json"}, body

    def feed(file: Path) -> Callable[[Asked], Answer]:
        return lambda _: (200, {"Content-Type": "text/xml"}, file.read_bytes())

    server.routes["/api/daily_papers"] = daily
    url = f"{server.url}/api/daily_papers"
    hf = f'name = "hf"\nkind = "huggingface"\nurl = "{url}"\nfirst_days = 9000\n'
    tables = [f"[[sources]]\n{hf}"]
    files = [*(wire / "feeds_rss").iterdir(), *(wire / "feeds_atom").iterdir()]
    for number, file in enumerate(sorted(files)):
        server.routes[f"/feeds/{number}"] = feed(file)
        tables.append(
            f'[[sources]]\nname = "feed-{number}"\nkind = "feed"\n'
            f'url = "{server.url}/feeds/{number}"\nfirst_days = 9000\n'
        )
    head = f'[fetch]\nallow_private = ["{server.host}"]\ninterval = "0s"\n'
    return head + "\n".join(tables)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Project:
    """A project that has run over two days of real input; only read from."""
    project = Project(root=tmp_path_factory.mktemp("real"))
    with HttpServer() as server:
        project.write(serve(server, shared), READERS)
        for at in AT:
            project.run("run", "--everyone", "--at", at)
    return project


def opened(project: Project) -> App:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("NEWSLETTER_")}
    return open_app(project.root / "config", environ)


def records_of(app: App) -> list[IssueRecord]:
    return [row.record for row in app.store.ledger.recent(limit=1000)]


def check_cards(app: App, record: IssueRecord, before: frozenset[int]) -> None:
    """Compare an issue's cards with all that the reference says of its window."""
    profile = app.store.subscribers.profile(record.profile_hash)
    window = Window(
        after=record.window.after,
        until=record.window.until,
        not_before=record.window.not_before,
    )
    candidates = app.store.entries.window(window, source_order=app.source_order)
    matches = match_profile(
        profile, candidates, as_of=record.as_of, ranking=app.settings.ranking
    )
    fresh = [m for m in matches if m.candidate.entry_id not in before]
    expected = [m.candidate.entry_id for m in fresh][: profile.max_items]
    shown = [item.entry_id for item in record.items]
    assert sorted(shown) == sorted(expected), record.address
    if not any(record.headings):
        assert shown == expected, record.address
    assert record.receipt.new == len(candidates)
    assert record.receipt.matched == len(fresh)


def check_mail(mail: EmailMessage) -> None:
    """Both parts carry the same links in the same order; nothing is left raw."""
    text_part, html_part = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text_part is not None
    assert html_part is not None
    html = html_part.get_content()
    text = text_part.get_content().replace("\r\n", "\n")
    links = html_links(html)
    # An address within an entry's own prose is prose in both parts.
    assert [u for u in text_links(text) if u in set(links)] == links
    prose = unescape(re.sub(r"<[^>]*>", "", html))
    assert all(url in links or url in prose for url in text_links(text))
    assert len(html.encode()) < 100_000
    assert not re.search(r"\{[{%]|[%}]\}", html)
    assert not re.search(
        r"(?:src|background)=|url\(|@import|<script", html, re.IGNORECASE
    )


def test_every_card_is_what_its_reader_asked_for(real: Project) -> None:
    with opened(real) as app:
        records = sorted(records_of(app), key=lambda r: r.slot)
        before: dict[str, frozenset[int]] = {}
        for record in records:
            seen = before.get(record.address, frozenset())
            check_cards(app, record, seen)
            before[record.address] = seen | {i.entry_id for i in record.items}
        readers = {record.address for record in records}
        states = list(app.store.sources.find(app.source_order).values())
    assert len(readers) == 5
    assert len(records) >= 8
    read = [state for state in states if state.first_ok_at is not None]
    assert len(read) >= 80


def test_every_mail_stands_up_to_a_stranger(real: Project, judges: Path) -> None:
    paths = sorted(real.outbox.glob("*/*.eml"))
    for mail in real.mails().values():
        check_mail(mail)
    done = subprocess.run(  # noqa: S603 - a checker beside the project
        [sys.executable, str(judges / "mail_lint.py"), *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stdout.splitlines() if line.startswith("   - ")]
    # Signing is the relay's: only what it would add is missing.
    assert {line for line in said if "DKIM h= lacks" not in line} == set()
    assert len(paths) >= 8


def test_every_issue_is_made_again_to_the_byte(real: Project) -> None:
    paths = {path.stem: path for path in real.outbox.glob("*/*.eml")}
    with opened(real) as app:
        for record in records_of(app):
            again = app.assembler.make(record).content
            assert again == paths[record.key].read_bytes()


def test_a_damaged_day_is_named_and_the_others_go_on(
    project: Project, http_server: HttpServer, shared: Path
) -> None:
    tables = serve(http_server, shared).split("[[sources]]")
    project.write("[[sources]]".join(tables[:2]), READERS)
    folder = shared / "wire" / "huggingface_daily_papers_json"
    rows = json.loads((folder / "2024-12-11.json").read_bytes())
    _, err = project.run("run", "--everyone", "--at", "2024-12-11T18:00Z")
    assert f"none of {len(rows)} papers could be read" in err
    assert "date=2024-12-11" in err


@pytest.mark.long
def test_a_year_of_captured_days_is_one_sources_history(
    project: Project, http_server: HttpServer, shared: Path
) -> None:
    tables = serve(http_server, shared).split("[[sources]]")
    project.write("[[sources]]".join(tables[:2]), READERS)
    folder = shared / "wire" / "huggingface_daily_papers_json"
    days = sorted(date.fromisoformat(path.stem) for path in folder.glob("*.json"))
    for day in days[-5:]:
        project.run("run", "--everyone", "--at", f"{day}T18:00Z")
    shown: dict[str, list[int]] = {}
    with opened(project) as app:
        for record in records_of(app):
            ids = [item.entry_id for item in record.items]
            shown.setdefault(record.address, []).extend(ids)
            assert record.as_of.tzinfo is not None
            assert record.as_of < datetime.now(UTC)
    repeats: Mapping[str, int] = {
        address: len(ids) - len(set(ids)) for address, ids in shown.items()
    }
    assert set(repeats.values()) == {0}
