"""A profile from a form, and as TOML to paste."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.config import (
    Settings,
    load_settings,
    load_subscribers,
    profile_toml,
    try_profile,
)
from newsletter.matching.grammar import parse_query
from newsletter.model import Interest, Mute, Order, Profile, Sections

HEAD = '[[subscribers]]\naddress = "ada@example.org"\n'


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("trying")
    # Defaults of their own, which a pasted profile must not fall back to.
    (folder / "newsletter.toml").write_text(
        '[newsletter]\ntitle = "T"\nfrom = "t@example.org"\n'
        '[defaults]\ninterests = ["tea"]\nmutes = ["coffee"]\nmax_items = 3\n'
        'stem = "de"\nfill = true\nskip_empty = false\nmin_votes = 9\n'
        'order = "votes"\nsections = "source"\n',
        "utf-8",
    )
    return load_settings(folder, {}, kinds={})


def read_again(text: str, settings: Settings, folder: Path) -> Profile:
    (folder / "subscribers.toml").write_text(HEAD + text, "utf-8")
    found = load_subscribers(folder, settings)
    assert found is not None
    return found[0].profile


QUERIES = st.sampled_from(
    [
        "mamba",
        '"state space"',
        "robot* -toy",
        "title:'tis",
        '"it\'s" OR "x"',
        r"C:\new\table",
        '"a \\ b"',
        "猫 OR 犬",
        "naïve^2 AND (a OR b)",
        "#hash",
        '"""',
        "'''",
        "x = [1]",
    ]
)


def parsed(query: str) -> bool:
    try:
        parse_query(query)
    except Exception:  # noqa: BLE001 - whatever is no query is not asked for
        return False
    return True


NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=0, max_size=12)


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    queries = QUERIES.filter(parsed)
    return Profile(
        interests=tuple(
            Interest(
                query=query,
                tree=parse_query(query),
                name=draw(NAMES),
                weight=Decimal(draw(st.integers(1, 10_000))) / 100,
            )
            for query in draw(st.lists(queries, max_size=4))
        ),
        mutes=tuple(
            Mute(query=query, tree=parse_query(query))
            for query in draw(st.lists(queries, max_size=3))
        ),
        order=draw(st.sampled_from(Order)),
        sections=draw(st.sampled_from(Sections)),
        max_items=draw(st.integers(1, 100)),
        min_votes=draw(st.integers(0, 10**9)),
        stem=draw(st.sampled_from(["none", "en", "de"])),
        fill=draw(st.booleans()),
        skip_empty=draw(st.booleans()),
    )


@given(wanted=profiles())
def test_pasted_into_subscribers_toml_it_is_the_same_profile(
    wanted: Profile, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("pasted")
    assert read_again(profile_toml(wanted), settings, folder) == wanted


def test_a_form_says_what_toml_says(settings: Settings, tmp_path: Path) -> None:
    tried = try_profile(
        {
            "interests": [{"query": "mamba", "name": "Snakes", "weight": 1.5}],
            "mutes": ["survey"],
            "max_items": 7,
            "stem": "en",
            "fill": False,
            "skip_empty": True,
            "min_votes": 0,
            "order": "newest",
            "sections": "none",
        },
        settings,
    )
    assert tried.mistakes == ()
    assert tried.profile is not None
    assert tried.profile.interests[0].label == "Snakes"
    again = read_again(profile_toml(tried.profile), settings, tmp_path)
    assert again == tried.profile


def test_every_mistake_is_told_with_its_field_and_place(settings: Settings) -> None:
    tried = try_profile(
        {
            "interests": [
                {"query": "fine"},
                {"query": "mamba AND"},
                {"query": "fine", "weight": "much"},
                {"query": ""},
            ],
            "mutes": ["survey", "(robot"],
            "max_items": 1000,
            "order": "best",
            "stem": "klingon",
        },
        settings,
    )
    assert tried.profile is None
    places = {(m.key, m.place, m.position, m.part) for m in tried.mistakes}
    assert ("interests", 1, 10, "query") in places
    assert ("interests", 2, None, "weight") in places
    assert ("mutes", 1, 1, "query") in places
    assert {"max_items", "order", "stem"} <= {m.key for m in tried.mistakes}
    assert ("interests", 3) in {(m.key, m.place) for m in tried.mistakes}
    said = {(m.key, m.place): m.what for m in tried.mistakes}
    assert "expected 1 to 100" in said["max_items", None]
    assert "bracket is never closed" in said["mutes", 1]
    assert 'expected "relevance"' in said["order", None]


def test_what_a_form_leaves_out_is_the_default(settings: Settings) -> None:
    tried = try_profile({"interests": []}, settings)
    assert tried.profile is not None
    assert tried.profile.interests == ()
    assert [mute.query for mute in tried.profile.mutes] == ["coffee"]
    assert tried.profile.max_items == 3
