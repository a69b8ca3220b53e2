"""What others say of every theme: strict MJML, and what mail clients show."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.model import Section
from newsletter.rendering import load_renderer
from tests.conftest import missing
from tests.support.issues import close_issue, hostile, issue, match, rich, several
from tests.support.mail_checks import mjml_faults, unshown

REPOSITORY = Path(__file__).resolve().parents[2]
TEMPLATES = REPOSITORY / "templates"
THEMES = sorted(path.parent.name for path in TEMPLATES.glob("*/theme.toml"))
#: Feature -> how many mail clients do not show it, as it was when recorded:
#: NEWSLETTER_RECORD=1 records anew, for who has looked at the difference.
BASELINE = REPOSITORY / "tests" / "data" / "caniemail.json"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def node(browser: dict[str, str]) -> dict[str, str]:
    """Give what drives node, with the packages that judge."""
    modules = Path(browser["NODE_MODULES"])
    for name in ("mjml", "caniemail"):
        if not (modules / name).is_dir():
            missing(f"{modules / name} is not installed")
    return browser


@pytest.mark.parametrize("theme", THEMES)
def test_strict_mjml_finds_nothing_in_a_theme(node: dict[str, str], theme: str) -> None:
    assert mjml_faults(node, TEMPLATES / theme / "body.mjml.j2") == []


def test_strict_mjml_finds_what_the_compiler_lets_pass(
    node: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "body.mjml.j2"
    file.write_text(
        "<mjml><mj-body><mj-section><mj-column>{# mj-no #}\n"
        '<mj-text colour="red" align="{{ x }}">{{ issue }}</mj-text><mj-blink />\n'
        "</mj-column></mj-section></mj-body></mjml>"
    )
    said = " ".join(mjml_faults(node, file))
    assert "colour" in said
    assert "mj-blink" in said
    assert "align" not in said


def mails(theme: str, folder: Path) -> Iterator[Path]:
    """Yield pages that together have all that a theme can show."""
    renderer = load_renderer(theme, folders=(TEMPLATES,))
    sections = (
        Section(heading="State spaces", matches=(rich(), hostile())),
        Section(heading="Diffusion", matches=(match(2),)),
    )
    for name, given in (
        ("plain", issue(several())),
        ("sections", issue(sections=sections, more=3)),
        ("empty", issue([], more=0)),
        ("close", close_issue()),
        ("lines", issue([match(n) for n in range(90)])),
    ):
        path = folder / f"{name}.html"
        path.write_text(renderer.render(given).html, "utf-8")
        yield path


@pytest.mark.parametrize("theme", THEMES)
def test_clients_show_no_less_of_a_theme_than_they_did(
    node: dict[str, str], theme: str, tmp_path: Path
) -> None:
    found = unshown(node, *mails(theme, tmp_path))
    assert "@media" in found, "it knows that some clients have none"
    recorded = json.loads(BASELINE.read_text("utf-8"))
    if os.environ.get("NEWSLETTER_RECORD"):
        text = json.dumps({**recorded, theme: found}, indent=1, sort_keys=True)
        BASELINE.write_text(text + "\n", "utf-8")
    # A theme without a record of its own is held to that of the default one.
    allowed = recorded.get(theme) or recorded["default"]
    worse = {
        feature: (clients, allowed.get(feature, 0))
        for feature, clients in found.items()
        if clients > allowed.get(feature, 0)
    }
    assert worse == {}, "feature: clients that do not show it, now and before"
