"""How a mail looks: at the widths of phones and windows, in light and dark."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
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
    (tmp_path / "dozen.html").write_text(renderer.render(issue(cards)).html)
    heights = {
        view["width"]: view["height"] for view in look(browser, tmp_path / "dozen.html")
    }
    assert heights[600] < 950


@pytest.mark.long
def test_the_pages_of_the_outbox_fit_and_can_be_read(
    browser: dict[str, str], tmp_path: Path
) -> None:
    box = Outbox(tmp_path, clock=FixedClock(), title="Daily Papers")
    mail = assemble(issue([rich(), hostile()]), renderer=RENDERER)
    list(box.send([mail]))
    box.close()
    page = tmp_path / mail.day.isoformat() / f"{mail.key}.html"
    assert_sound(look(browser, tmp_path / "index.html", page))
