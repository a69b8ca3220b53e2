"""The preview in a real browser: leafed through, looked at, judged by axe."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from newsletter.app import open_app
from tests.support.preview import RunningPreview
from tests.support.project import Project

LEAF = Path(__file__).resolve().parents[1] / "browser" / "preview.mjs"
NEWSLETTER = """
[catch_up]
max_lookback = "36500d"

[[sources]]
name = "notes"
kind = "feed"
path = "notes.xml"
first_days = 36500
"""
READERS = """
[[subscribers]]
address = "ada@example.org"
name = "Ada"
schedule = "daily 07:30"
interests = ["mamba", { query = "robot*", name = "Machines" }]
mutes = ["survey"]
sections = "interest"
max_items = 3

[[subscribers]]
address = "kenji@example.org"
name = "健二"
timezone = "Asia/Tokyo"
schedule = "daily 18:00"
interests = ["robot*", "diffusion"]
max_items = 8
"""
TITLES = (
    "Robots that fold",
    "Mamba &amp; robots: a very long title that a narrow screen must break somewhere",
    "A survey of mamba",
    "Robots &lt;script&gt;alert(1)&lt;/script&gt;",
    "Gardening",
    "机器人与人",
    "Diffusion" + "x" * 120,
    "Mamba again",
)

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.timeout(300)]


def rss() -> str:
    items = "".join(
        f"<item><title>{title}</title><link>https://example.org/{n}</link>"
        f"<guid>{n}</guid><pubDate>04 May 2026 06:0{n}:00 GMT</pubDate>"
        f"<description>About {title}.</description></item>"
        for n, title in enumerate(TITLES)
    )
    return f'<rss version="2.0"><channel><title>N</title>{items}</channel></rss>'


@pytest.fixture(scope="module")
def seen(
    browser: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """Return what the browser saw while it leafed through a preview."""
    project = Project(root=tmp_path_factory.mktemp("leafed"))
    project.write('preview_to = "editor@example.org"\n' + NEWSLETTER, READERS)
    own = Path(__file__).resolve().parents[2] / "templates" / "default"
    shutil.copytree(own, project.root / "templates" / "default")
    (project.root / "notes.xml").write_text(rss(), "utf-8")
    folder = project.root / "config"
    with open_app(folder, {}) as app:
        # Not this minute: that slot is to be looked at.
        app.run(at=datetime(2026, 5, 4, 12, tzinfo=UTC), everyone=True)
        # Other stories of the same titles: with the same text, link or date they
        # would be known again.
        again = rss().replace("<guid>", "<guid>again-").replace(".org/", ".org/again-")
        again = again.replace("04 May", "05 May").replace("About", "More about")
        (project.root / "notes.xml").write_text(again, "utf-8")
        app.refresh(at=None)
    with RunningPreview(folder, {**os.environ}) as preview:
        ended = subprocess.run(  # noqa: S603 - our own words, no shell
            [browser["NODE"], str(LEAF), preview.door.address, str(project.root)],
            env=browser,
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )
        assert ended.returncode == 0, ended.stderr
        # Its last click ends the preview.
        preview.thread.join(timeout=30)
        assert not preview.thread.is_alive()
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_a_reader_is_chosen_and_all_of_their_mail_read(seen: dict[str, Any]) -> None:
    assert "token" not in seen["url"]
    assert seen["first"].startswith("For Ada")
    assert seen["chosen"].startswith("For 健二")
    assert "Robots that fold" in seen["light"]["text"]
    assert "Robots that fold" in seen["text"]
    assert "健二 <kenji@example.org>" in seen["headers"]
    assert "List-Unsubscribe-Post" in seen["headers"]
    assert "Matches robot*" in seen["reasons"]
    assert "Gardening" in seen["leftOut"]
    assert seen["light"]["scripts"] == 0


def test_the_frame_is_light_or_dark_as_asked_whatever_the_system_says(
    seen: dict[str, Any],
) -> None:
    assert seen["light"]["background"] == seen["lightOnDark"]["background"]
    assert seen["light"]["background"] != seen["dark"]["background"]
    assert seen["dark"]["background"] == seen["phone"]["background"]


def test_the_frame_is_as_wide_as_asked(seen: dict[str, Any]) -> None:
    assert seen["phone"]["width"] == 375
    assert seen["light"]["width"] > 640


def test_every_view_fits_and_can_be_used_by_everybody(seen: dict[str, Any]) -> None:
    assert len(seen["views"]) == 30
    for view in seen["views"]:
        assert (view["overflow"], view["findings"]) == (0, []), view
    assert seen["firstStop"] == "Skip to the issue"


def test_readers_are_found_as_one_types(seen: dict[str, Any]) -> None:
    assert "kenji@example.org" in seen["typed"]
    assert "ada@" not in seen["typed"]
    assert seen["foundSaid"] == "1 reader found"


def test_a_tried_profile_shows_its_mistakes_then_what_appears_and_goes(
    seen: dict[str, Any],
) -> None:
    assert "the query ends too soon; expected" in seen["mistake"]
    assert seen["described"] == "row-1-wrong"
    assert "Gardening" in seen["appeared"]
    assert "Matches gardening OR robot*" in seen["appeared"]
    assert "Robots that fold" in seen["gone"]
    assert "the mute fold leaves it out" in seen["gone"]
    assert '"gardening OR robot*"' in seen["toml"]
    assert "Gardening" in seen["triedMail"]
    assert "Gardening" not in seen["ownMail"]
    assert re.search(r"The HTML weighs \d+\.\d KB", seen["checks"])


def test_what_is_saved_shows_by_itself(seen: dict[str, Any]) -> None:
    assert "The receipt" in seen["ownMail"]
    assert "All that was weighed" in seen["reloaded"]
    assert "subscribers.toml" in seen["broken"]
    assert "cannot be shown yet" in seen["broken"]
    assert seen["mended"].startswith("For 健二")


def test_a_preview_is_sent_and_past_issues_are_leafed_through(
    seen: dict[str, Any],
) -> None:
    assert seen["sent"].startswith("Written for editor@example.org")
    assert "1 of 1, by age" in seen["older"]


def test_without_script_readers_are_found_and_profiles_tried(
    seen: dict[str, Any],
) -> None:
    assert "ada@example.org" in seen["bareFound"]
    assert "Gardening" in seen["bareTried"]


def test_a_page_says_when_nobody_answers_any_more(seen: dict[str, Any]) -> None:
    assert seen["alone"] == "The preview does not answer; trying again."


def test_nothing_comes_from_elsewhere_and_nothing_is_refused(
    seen: dict[str, Any],
) -> None:
    assert seen["remoteBefore"] == []
    assert seen["errors"] == []


def test_a_link_of_the_mail_opens_a_tab_without_a_way_back(
    seen: dict[str, Any],
) -> None:
    assert seen["remote"]
    assert all(url.startswith("https://example.org/") for url in seen["remote"])
    assert seen["opener"] is True


def test_the_button_ends_the_preview(seen: dict[str, Any]) -> None:
    assert seen["ended"] == "The preview has ended"
