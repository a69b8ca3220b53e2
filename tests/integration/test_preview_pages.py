"""What the preview shows: a real server over a real project, beside real runs."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest

from newsletter.app import App, open_app
from newsletter.model import SubscriberStatus
from tests.support.preview import RunningPreview, do, rss, said
from tests.support.project import Project

NOTES = """
[[sources]]
name = "notes"
kind = "feed"
path = "notes.xml"
first_days = 4000
{settle}
"""
READERS = """
[[subscribers]]
address = "ada@example.org"
name = "Ada"
timezone = "Europe/London"
schedule = "daily 07:30"
interests = [{ query = "mamba", name = "Snakes" }]
mutes = ["survey"]
max_items = 2

[[subscribers]]
address = "grace@example.org"
timezone = "America/New_York"
schedule = "daily 07:30"
interests = ["opera"]
"""
AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
TITLES = ("Mamba one", "Mamba two", "Mamba three", "A survey of mamba", "Gardening")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(root=tmp_path)
    project.write(NOTES.format(settle=""), READERS)
    (tmp_path / "notes.xml").write_text(rss(*TITLES), "utf-8")
    return project


@pytest.fixture
def preview(project: Project) -> Iterator[RunningPreview]:
    with RunningPreview(project.root / "config") as running:
        yield running


def refresh(app: App) -> None:
    app.refresh(at=AT)


def run(app: App) -> None:
    app.run(at=AT, everyone=True)


def at(instant: datetime) -> str:
    return f"at={instant.strftime('%Y-%m-%dT%H:%M:%SZ')}"


# --- the first day ------------------------------------------------------------


def test_before_anything_was_fetched_it_says_what_to_do(
    preview: RunningPreview, project: Project
) -> None:
    answer = preview.get()
    assert answer.status == 404
    assert "newsletter refresh" in answer.body
    assert project.files() == {
        Path("config/newsletter.toml"),
        Path("config/subscribers.toml"),
        Path("notes.xml"),
    }
    (project.root / "notes.xml").write_text(rss(), "utf-8")
    do(project, refresh)
    page = said(preview.get().body)
    assert "No entries have been fetched yet. Run newsletter refresh" in page
    assert "nothing to show" in page


def test_readers_show_before_any_run_with_what_they_would_get(
    preview: RunningPreview, project: Project
) -> None:
    do(project, refresh)
    answer = preview.get(f"?{at(AT)}")
    page = said(answer.body)
    assert answer.status == 200
    assert "ada@example.org Ada · joins at the next run" in page
    assert "This reader joins at the next run." in page
    assert "5 new, 3 matched, 2 shown, 1 more matched" in page
    assert "Mamba three + 1 more" in page
    mail = preview.mail(answer.body)
    assert "Mamba three" in said(mail.body)
    # After a run the same address leads to the same reader.
    do(project, run)
    later = preview.get(f"?reader=ada@example.org&{at(AT)}")
    assert "joins" not in said(later.body)
    assert "has an issue for this minute already" in said(later.body)


def test_without_readers_it_says_where_they_are_named(
    preview: RunningPreview, project: Project
) -> None:
    project.write_readers("")
    do(project, refresh)
    page = said(preview.get().body)
    assert "No readers yet. Name some in subscribers.toml" in page
    assert "Nobody to preview for" in page
    page = said(preview.get("?q=bob").body)
    assert "Nobody's address, name or id contains “bob”" in page


# --- one reader ---------------------------------------------------------------


def test_a_preview_has_all_its_views(preview: RunningPreview, project: Project) -> None:
    do(project, refresh)
    query = f"?reader=ada@example.org&{at(AT)}&view="
    assert "MAMBA" not in said(preview.get(f"{query}text").body)
    assert "2 entries for you, out of 5 new" in said(preview.get(f"{query}text").body)
    headers = said(preview.get(f"{query}headers").body)
    assert "To Ada <ada@example.org>" in headers
    assert "List-Unsubscribe-Post List-Unsubscribe=One-Click" in headers
    reasons = said(preview.get(f"{query}reasons").body)
    assert "Matches Snakes" in reasons
    assert "title mamba 2.00" in reasons
    assert "summary mamba 1.00" in reasons
    source = preview.get(f"{query}source").body
    assert "Content-Transfer-Encoding: quoted-printable" in source
    strange = said(preview.get(f"{query}nonsense").body)
    assert "Links open in a new tab" in strange


def test_what_is_left_out_has_its_reasons(
    preview: RunningPreview, project: Project
) -> None:
    do(project, refresh)
    query = f"?reader=ada@example.org&{at(AT)}&view=left-out"
    page = said(preview.get(query).body)
    assert "Matched, but there was no room 1 Mamba one" in page
    assert "Muted 1 A survey of mamba" in page
    assert "By the mute survey" in page
    assert "Matched by no interest 1" in page
    assert "Gardening" in page
    page = said(preview.get(f"{query}&find=opera").body)
    assert "0 of 1 speak of “opera”" in page
    assert "Gardening" not in page
    page = said(preview.get(f"{query}&find=ABOUT+garden").body)
    assert "1 of 1 speak of" in page
    assert "Gardening" in page


def test_a_flood_is_cut_to_what_a_page_can_hold(
    preview: RunningPreview, project: Project
) -> None:
    titles = [f"Mamba number {n}" for n in range(60)]
    titles += [f"Tea number {n}" for n in range(110)]
    items = "".join(
        f"<item><title>{title}</title><guid>{title}</guid></item>" for title in titles
    )
    (project.root / "notes.xml").write_text(
        f'<rss version="2.0"><channel><title>N</title>{items}</channel></rss>', "utf-8"
    )
    do(project, refresh)
    query = f"?reader=ada@example.org&{at(AT)}&view=left-out"
    page = said(preview.get(query).body)
    assert "170 new, 60 matched, 2 shown" in page
    assert "The best 50 of 58." in page
    assert "Matched by no interest 110" in page
    assert "The newest 100; find words to see others." in page
    assert page.count("Tea number") == 100


def test_nothing_to_show_is_shown_with_what_was_weighed(
    preview: RunningPreview, project: Project
) -> None:
    do(project, refresh)
    answer = preview.get(f"?reader=grace@example.org&{at(AT)}")
    page = said(answer.body)
    assert "so no mail would be written" in page
    assert "5 new, 0 matched, 0 shown" in page
    assert "Gardening" in page
    assert "<iframe" not in answer.body
    missing = preview.get(f"?reader=grace@example.org&{at(AT)}", "mail")
    assert missing.status == 404
    assert "there is no mail to show" in missing.body


def test_the_next_slot_is_shown_by_what_is_known_now(
    preview: RunningPreview, project: Project
) -> None:
    project.write(NOTES.format(settle='settle = "20h"'), READERS)
    do(project, refresh)
    query = f"?reader=ada@example.org&{at(AT)}"
    # Listed at 06:00, they settle until 02:00: after now, before the next slot.
    assert "0 new, 0 matched" in said(preview.get(query).body)
    page = said(preview.get(f"{query}&issue=next").body)
    assert "Next slot, Tue 05 May 2026, 07:30" in page
    assert "Slot Tue 05 May 2026, 07:30 Europe/London" in page
    assert "By what is known now" in page
    assert "5 new, 3 matched" in page


def test_a_slot_that_is_due_or_missed_is_shown_as_a_run_would_take_it(
    preview: RunningPreview, project: Project
) -> None:
    do(project, run)
    (project.root / "notes.xml").write_text(rss("Mamba five", day=5), "utf-8")
    do(project, lambda app: app.refresh(at=AT + timedelta(hours=18)))
    query = "?reader=ada@example.org&issue=next&"
    due = preview.get(query + at(datetime(2026, 5, 5, 8, tzinfo=UTC)))
    assert "Slot Tue 05 May 2026, 07:30 Europe/London" in said(due.body)
    assert "Due since Tue 05 May 2026, 07:30" in said(due.body)
    assert "Mamba five" in said(due.body)
    late = preview.get(query + at(datetime(2026, 5, 5, 20, tzinfo=UTC)))
    assert "This slot was missed by more than [catch_up] at_most" in said(late.body)
    assert "<iframe" not in late.body


def test_what_an_earlier_issue_showed_is_said_to_be_so(
    preview: RunningPreview, project: Project
) -> None:
    (project.root / "more.xml").write_text(rss(day=5), "utf-8")
    more = NOTES.format(settle="") + NOTES.format(settle="").replace("notes", "more")
    project.write(more, READERS)
    do(project, run)
    (project.root / "more.xml").write_text(rss("Mamba three"), "utf-8")
    # The same link in another source: the same entry, listed a second time.
    text = (project.root / "more.xml").read_text("utf-8")
    (project.root / "more.xml").write_text(text.replace("/0-4", "/2-4"), "utf-8")
    later = AT + timedelta(hours=1)
    do(project, lambda app: app.refresh(at=later))
    query = f"?reader=ada@example.org&{at(later)}&view=left-out"
    assert "Shown in an earlier issue 1 Mamba three" in said(preview.get(query).body)


# --- past issues --------------------------------------------------------------


def test_past_issues_are_shown_byte_for_byte(
    preview: RunningPreview, project: Project
) -> None:
    do(project, run)
    (path,) = project.outbox.glob("*/*.eml")
    query = f"?reader=ada@example.org&issue={path.stem}"
    answer = preview.get(f"{query}&view=source")
    (source,) = re.findall(r"<pre[^>]*>(.*?)</pre>", answer.body, re.DOTALL)
    assert unescape(source) == path.read_bytes().decode()
    page = said(preview.get().body)
    assert "Past issues (1)" in page
    assert "Mon 04 May 2026, 13:00 (written)" in page
    left = said(preview.get(f"{query[:-20]}&view=left-out").body)
    assert "Of a past issue only this list is kept" in left
    assert "Mamba one" in left
    assert "State written" in left


def test_a_changed_theme_is_said_of_a_past_issue(
    preview: RunningPreview, project: Project
) -> None:
    do(project, run)
    (path,) = project.outbox.glob("*/*.eml")
    query = f"?reader=ada@example.org&issue={path.stem}"
    assert "has changed since" not in said(preview.get(query).body)
    theme = project.root / "templates" / "default"
    theme.mkdir(parents=True)
    packaged = Path(__file__).resolve().parents[2] / "templates" / "default"
    for file in packaged.iterdir():
        text = file.read_text("utf-8").replace("The receipt", "What was weighed")
        (theme / file.name).write_text(text, "utf-8")
    answer = preview.get(query)
    assert "The theme default has changed since" in said(answer.body)
    assert "What was weighed" in preview.mail(answer.body).body


def test_an_issue_belongs_to_its_reader(
    preview: RunningPreview, project: Project
) -> None:
    do(project, run)
    (path,) = project.outbox.glob("*/*.eml")
    other = preview.get(f"?reader=grace@example.org&issue={path.stem}")
    assert other.status == 404
    assert "grace@example.org has no issue" in other.body
    for key in ("abc", "g", "0" * 32):
        answer = preview.get(f"?reader=ada@example.org&issue={key}")
        assert answer.status == 404
        assert "no issue" in answer.body


# --- readers ------------------------------------------------------------------


def test_readers_are_searched_for_at_the_server(
    preview: RunningPreview, project: Project
) -> None:
    many = "".join(
        f'[[subscribers]]\naddress = "r{n:02}@example.org"\n' for n in range(60)
    )
    project.write_readers(READERS + many)
    do(project, run)
    page = said(preview.get().body)
    assert "The first 50; there are more." in page
    assert ("r47@example.org" in page, "r48@example.org" in page) == (True, False)
    page = said(preview.get("?q=R5").body)
    assert "r59@example.org" in page
    assert "ada@example.org" not in page
    page = said(preview.get("?q=ADA&reader=grace@example.org").body)
    assert "For grace@example.org" in page


def test_an_edit_of_the_readers_file_shows_at_once(
    preview: RunningPreview, project: Project
) -> None:
    do(project, run)
    later = at(AT + timedelta(hours=1))
    (project.root / "notes.xml").write_text(rss("Opera mambo"), "utf-8")
    do(project, lambda app: app.refresh(at=AT + timedelta(minutes=1)))
    edited = READERS.replace('name = "Ada"', 'name = "Augusta"')
    project.write_readers(edited.replace('"mamba"', '"gardening"'))
    page = said(preview.get(f"?reader=ada@example.org&{later}").body)
    assert "For Augusta ada@example.org" in page
    found = said(preview.get(f"?q=augusta&{later}").body)
    assert "ada@example.org" in found
    with open_app(project.root / "config", {}) as app:
        assert app.store.subscribers.get("ada@example.org").name == "Ada"


def test_a_reader_who_gets_no_mail_is_shown_as_such(
    preview: RunningPreview, project: Project
) -> None:
    do(project, run)

    def leave(app: App) -> None:
        ada = app.store.subscribers.get("ada@example.org")
        app.store.subscribers.set_status(
            ada.id,
            SubscriberStatus.UNSUBSCRIBED,
            reason="by link",
            origin=ada.origin,
            as_of=AT,
            at=AT,
        )

    do(project, leave)
    page = said(preview.get("?reader=ada@example.org").body)
    assert "This reader is unsubscribed (by link) and gets no mail." in page
    assert "Past issues (1)" in page
    assert preview.get("?reader=nobody@example.org").status == 404


def test_a_file_that_lost_its_readers_is_not_followed(
    preview: RunningPreview, project: Project
) -> None:
    do(project, run)
    project.write_readers("")
    page = said(preview.get().body)
    assert "subscribers.toml has lost 2 readers at once" in page
    assert "ada@example.org" in page


# --- what goes wrong ----------------------------------------------------------


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (
            lambda p: p.write_readers(READERS.replace('"mamba"', '"mamba AND"')),
            "subscribers.toml",
        ),
        (lambda p: p.write("nonsense = 1\n", READERS), "nonsense"),
        (lambda p: p.write('theme = "gone"\n', READERS), "gone"),
        (
            lambda p: (p.root / "outbox" / "newsletter.db").write_bytes(b"x" * 5000),
            "newsletter.db",
        ),
    ],
    ids=["profile", "configuration", "theme", "database"],
)
def test_what_is_broken_is_a_page_that_says_so(
    preview: RunningPreview,
    project: Project,
    break_it: Callable[[Project], object],
    words: str,
) -> None:
    do(project, refresh)
    break_it(project)
    answer = preview.get()
    assert answer.status == 409
    assert words in answer.body
    assert "Traceback" not in answer.body
    assert "Look again" in answer.body


def test_a_theme_that_fails_is_a_page_that_names_the_place(
    preview: RunningPreview, project: Project
) -> None:
    do(project, refresh)
    theme = project.root / "templates" / "default"
    theme.mkdir(parents=True)
    packaged = Path(__file__).resolve().parents[2] / "templates" / "default"
    for file in packaged.iterdir():
        (theme / file.name).write_text(file.read_text("utf-8"), "utf-8")
    (theme / "subject.txt.j2").write_text("{{ issue.nothing.at.all }}", "utf-8")
    answer = preview.get(f"?{at(AT)}")
    assert answer.status == 409
    assert "subject.txt.j2, line 1" in answer.body
    (theme / "subject.txt.j2").write_text("Mended {{ issue.count }}", "utf-8")
    assert "Subject Mended 2" in said(preview.get(f"?{at(AT)}").body)


def test_an_old_schema_is_refused_with_the_command_that_upgrades_it(
    preview: RunningPreview, project: Project
) -> None:
    do(project, refresh)
    with sqlite3.connect(project.outbox / "newsletter.db") as connection:
        connection.execute("DELETE FROM alembic_version")
    connection.close()
    answer = preview.get()
    assert answer.status == 409
    assert "newsletter db upgrade" in answer.body


# --- looking changes nothing --------------------------------------------------


def test_looking_writes_nothing(preview: RunningPreview, project: Project) -> None:
    do(project, run)
    database = project.outbox / "newsletter.db"
    before, files = database.read_bytes(), project.files()
    for view in ("mail", "text", "headers", "reasons", "left-out", "source"):
        for issue in ("now", "next"):
            query = f"?reader=ada@example.org&issue={issue}&view={view}"
            assert preview.get(query).status == 200
    assert database.read_bytes() == before
    assert project.files() == files


def test_a_run_goes_on_beside_it(preview: RunningPreview, project: Project) -> None:
    do(project, refresh)
    with sqlite3.connect(project.outbox / "newsletter.db") as connection:
        connection.execute("BEGIN IMMEDIATE")
        assert preview.get(f"?{at(AT)}").status == 200
        connection.rollback()
    connection.close()


def test_without_a_secret_it_says_that_links_are_stand_ins(
    preview: RunningPreview, project: Project
) -> None:
    do(project, refresh)
    assert "No secret is set yet" not in said(preview.get(f"?{at(AT)}").body)
    (project.outbox / ".secret").unlink()
    assert "No secret is set yet" in said(preview.get(f"?{at(AT)}").body)
    assert not (project.outbox / ".secret").exists()


# --- the frame ----------------------------------------------------------------


def test_the_frame_shows_the_mail_under_a_policy_of_its_own(
    preview: RunningPreview, project: Project
) -> None:
    do(project, refresh)
    page = preview.get(f"?reader=ada@example.org&{at(AT)}&scheme=dark").body
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    frame = preview.mail(page)
    policy = frame.headers["content-security-policy"]
    assert frame.status == 200
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
    assert "img-src data:;" in policy
    assert "script-src" not in policy
    assert "prefers-color-scheme" not in frame.body
    assert "/u/" not in frame.body
    assert "Leads nowhere in the preview" in frame.body
    assert 'href="https://example.org/2-4"' in frame.body
    # It is made again where it is no longer kept.
    again = preview.get(f"?reader=ada@example.org&{at(AT)}&scheme=dark", "mail")
    assert again.body == frame.body
    assert preview.get("?reader=nobody", "mail").status == 404
