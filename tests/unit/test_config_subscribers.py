"""Who goes first: what a reader says, or what the defaults say."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.config import load_settings, load_subscribers
from newsletter.model import Order, Profile, SubscriberSpec
from newsletter.sources import KINDS

NEWSLETTER = """
[newsletter]
title = "Papers"
from = "digest@example.org"
timezone = "Asia/Tokyo"

[defaults]
schedule = "daily 06:00"
timezone = "Asia/Kolkata"
interests = ["robot*"]
mutes = ["survey"]
order = "newest"
min_votes = 3
skip_empty = false
"""


def reader_of(root: Path, keys: str) -> SubscriberSpec:
    """Read one reader with *keys* over the defaults above."""
    folder = root / "config"
    folder.mkdir()
    (folder / "newsletter.toml").write_text(NEWSLETTER, "utf-8")
    (folder / "subscribers.toml").write_text(
        f'[[subscribers]]\naddress = "ada@example.org"\n{keys}', "utf-8"
    )
    found = load_subscribers(folder, load_settings(folder, {}, kinds=KINDS))
    assert found is not None
    return found[0]


def test_what_a_reader_says_goes_before_the_defaults(tmp_path: Path) -> None:
    reader = reader_of(
        tmp_path,
        'timezone = "Europe/London"\nschedule = "mon 08:00"\nmutes = ["poll"]\n'
        'order = "votes"\n',
    )
    assert reader.timezone == "Europe/London"
    assert reader.schedule == ("mon 08:00",)
    assert [mute.query for mute in reader.profile.mutes] == ["poll"]
    assert reader.profile.order is Order.VOTES
    assert [each.query for each in reader.profile.interests] == ["robot*"]


@pytest.mark.parametrize("key", ["interests", "mutes"])
def test_an_empty_list_is_said_and_takes_the_defaults_away(
    tmp_path: Path, key: str
) -> None:
    assert getattr(reader_of(tmp_path, f"{key} = []\n").profile, key) == ()


def test_zero_and_true_are_said_too(tmp_path: Path) -> None:
    profile: Profile = reader_of(tmp_path, "min_votes = 0\nskip_empty = true\n").profile
    assert profile.min_votes == 0
    assert profile.skip_empty is True
