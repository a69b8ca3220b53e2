"""How a mail looks: at the widths of phones and windows, in light and dark."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from newsletter.assembling import assemble
from newsletter.delivery import Outbox
from newsletter.model import Section
from newsletter.rendering import load_renderer
from newsletter.rendering.catalogues import languages
from tests.support.issues import (
    FixedClock,
    close_issue,
    hostile,
    issue,
    match,
    rich,
    several,
)

REPOSITORY = Path(__file__).resolve().parents[2]
LOOK = REPOSITORY / "tests" / "browser" / "look.mjs"
RENDERER = load_renderer("default", folders=())

pytestmark = pytest.mark.browser


def look(browser: dict[str, str], *files: Path) -> list[dict[str, Any]]:
    """Return what the browser says of each page, width and colour scheme."""
    ended = subprocess.run(  # noqa: S603 - our own words, no shell
        [browser["NODE"], str(LOOK), *map(str, files)],
        env=browser,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert ended.returncode == 0, ended.stderr
    seen: list[dict[str, Any]] = json.loads(ended.stdout)
    assert len(seen) == 6 * len(files)
    return seen


def assert_sound(seen: list[dict[str, Any]]) -> None:
    for view in seen:
        judged = {key: view[key] for key in ("overflow", "small", "remote", "findings")}
        assert judged == {"overflow": 0, "small": 0, "remote": [], "findings": []}, view


@pytest.mark.long
def test_mails_fit_and_can_be_read_in_light_and_dark(
    browser: dict[str, str], tmp_path: Path
) -> None:
    sections = (
        Section(heading="State spaces", matches=(rich(), hostile())),
        Section(heading='"diffusion model*"', matches=(match(2),)),
    )
    for name, given in (
        ("plain", issue(several())),
        ("sections", issue(sections=sections, more=0)),
        ("empty", issue([], more=0)),
        ("close", close_issue()),
        ("lines", issue([match(n) for n in range(60)])),
    ):
        (tmp_path / f"{name}.html").write_text(RENDERER.render(given).html)
    assert_sound(look(browser, *sorted(tmp_path.glob("*.html"))))


@pytest.mark.long
@pytest.mark.parametrize("theme", ["default", "compact"])
def test_frames_of_all_languages_fit_and_can_be_read(
    browser: dict[str, str], tmp_path: Path, theme: str
) -> None:
    renderer = load_renderer(theme, folders=())
    for language in ("en", *languages()):
        for name, given in (("cards", issue(several())), ("close", close_issue())):
            html = renderer.render(replace(given, language=language)).html
            (tmp_path / f"{name}-{language}.html").write_text(html, encoding="utf-8")
    assert_sound(look(browser, *sorted(tmp_path.glob("*.html"))))


@pytest.mark.long
def test_a_dozen_headlines_are_about_one_screen(
    browser: dict[str, str], tmp_path: Path
) -> None:
    renderer = load_renderer("compact", folders=())
    cards = [match(n, f"A headline of some length, number {n}") for n in range(12)]
    given = issue(cards)
    # What more matched stands below, in the receipt.
    alone = replace(given, selection=replace(given.selection, more=()))
    (tmp_path / "dozen.html").write_text(renderer.render(alone).html)
    heights = {
        view["width"]: view["height"] for view in look(browser, tmp_path / "dozen.html")
    }
    assert heights[600] < 950


@pytest.mark.long
def test_the_pages_of_the_outbox_fit_and_can_be_read(
    browser: dict[str, str], tmp_path: Path
) -> None:
    box = Outbox(
        tmp_path,
        clock=FixedClock(),
        title="Daily Papers",
        list_id="daily-papers.example.org",
    )
    mail = assemble(issue([rich(), hostile()]), renderer=RENDERER)
    # One reader more than the front page names, and more mails than it shows.
    others = [
        replace(
            mail,
            key=f"{n:032x}",
            day=date(2026, 3, 1 + n % 28),
            content=mail.content.replace(b"ada@", f"reader{n % 13}@".encode()),
        )
        for n in range(120)
    ]
    list(box.send([mail, *others]))
    box.close()
    pages = {
        "mail": tmp_path / mail.day.isoformat() / f"{mail.key}.html",
        "front": tmp_path / "index.html",
        "month": next(tmp_path.glob("archive/*/2026-03-2.html")),
        "readers": next(tmp_path.glob("archive/*/readers-1.html")),
        "reader": next(tmp_path.glob("archive/*/readers/*.html")),
    }
    assert_sound(look(browser, *pages.values()))


@pytest.mark.long
def test_pictures_of_every_theme_can_be_taken_and_are_those_of_the_docs(
    browser: dict[str, str], tmp_path: Path
) -> None:
    ended = subprocess.run(  # noqa: S603 - our own words, no shell
        [sys.executable, str(REPOSITORY / "docs" / "pictures.py"), str(tmp_path)],
        env=browser,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    taken = {path.name for path in tmp_path.iterdir()}
    themes = [x.parent.name for x in (REPOSITORY / "templates").glob("*/theme.toml")]
    assert len(taken) == len(themes) * 2 * 2 * 3
    shown = {x.name for x in (REPOSITORY / "docs/pictures/mails").glob("*.webp")}
    assert shown == taken, "docs/pictures is not of these themes: run make pictures"
    page = (REPOSITORY / "docs" / "pictures.md").read_text("utf-8")
    assert set(re.findall(r"mails/([\w-]+\.webp)", page)) == taken
