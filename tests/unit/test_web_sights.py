from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.assembling import assemble
from newsletter.rendering import load_renderer
from newsletter.web import entries, sights
from newsletter.web.choices import Choice, View, Width
from newsletter.web.frame import Scheme
from newsletter.web.pages import plain_page, style_sheet
from tests.support.issues import hostile, issue, match, rich

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def test_an_address_says_what_was_chosen() -> None:
    said = {
        "reader": "ada@example.org",
        "issue": "next",
        "at": "2026-05-04T14:00:00+02:00",
        "view": "left-out",
        "width": "phone",
        "scheme": "dark",
        "q": "a&b=c",
        "find": "x y",
    }
    choice = Choice.read(said)
    assert (choice.at, choice.view) == (NOON, View.LEFT_OUT)
    assert (choice.width, choice.scheme) == (Width.PHONE, Scheme.DARK)
    query = choice.but(issue="now")
    assert "issue=now&at=2026-05-04T12%3A00%3A00Z&view=left-out" in query
    assert "q=a%26b%3Dc" in query


@given(
    st.dictionaries(
        st.sampled_from("reader issue at view width scheme q find".split()),
        st.text(max_size=40),
    )
)
def test_what_an_address_garbles_is_usual(said: dict[str, str]) -> None:
    choice = Choice.read(said)
    assert choice.but().startswith("?")
    assert choice.issue


@pytest.mark.parametrize(
    "at", ["", "noon", "2026-05-04", "2026-05-04T12:00", "0001-01-01T00:00+14:00"]
)
def test_what_is_no_instant_is_none(at: str) -> None:
    assert Choice.read({"at": at}).at is None


def test_a_mail_is_taken_apart_as_a_mail_program_does_it() -> None:
    made = assemble(
        replace(issue([rich(), hostile()]), name="Zoë"),
        renderer=load_renderer("default", folders=()),
    )
    mail = sights.mail_of(made.content)
    fields = dict(mail.fields)
    assert fields["To"].startswith("Zoë <")
    assert mail.subject == fields["Subject"]
    assert mail.html.startswith("<!doctype html>")
    assert mail.text.startswith("DAILY PAPERS")
    assert mail.size == len(made.content)
    assert mail.weight == len(mail.html.encode())
    assert mail.source.encode() == made.content


def test_a_title_cannot_turn_the_page_around_nor_a_link_run_anything() -> None:
    entry = entries.entry(hostile())
    assert "\u202e" not in str(entry["title"])
    bad = match(1, "", url="javascript:alert(1)")
    assert entries.entry(bad)["url"] is None
    assert entries.entry(bad)["title"] == "(no title)"


def test_a_plain_page_escapes_what_it_says() -> None:
    page = plain_page("A <b>", "Run `newsletter <x>` now", back="/r/")
    assert "<h1>A &lt;b&gt;</h1>" in page
    assert "Run <code>newsletter &lt;x&gt;</code> now" in page
    assert 'href="/r/style.css"' in page
    assert "stylesheet" not in plain_page("A", "b")


def test_the_style_sheet_asks_for_nothing_from_elsewhere() -> None:
    assert "url(" not in style_sheet()
    assert "@import" not in style_sheet()
