"""What each interest and mute did, and what was nearly matched."""

from __future__ import annotations

from datetime import UTC, datetime

from newsletter.matching import documents, match_profile
from newsletter.matching.account import Account, account
from newsletter.matching.grammar import parse_query
from newsletter.model import (
    Candidate,
    EntryVersion,
    Interest,
    Mute,
    Profile,
    Ranking,
)

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
TITLES = (
    "Mamba for robots",
    "Mamba alone",
    "A survey of mamba",
    "A benchmark survey of robots",
    "Gardens",
)


def profile(*queries: str, mutes: tuple[str, ...] = (), min_votes: int = 0) -> Profile:
    return Profile(
        interests=tuple(Interest(query=q, tree=parse_query(q)) for q in queries),
        mutes=tuple(Mute(query=q, tree=parse_query(q)) for q in mutes),
        min_votes=min_votes,
    )


def accounted(wanted: Profile) -> Account:
    """Return the account over TITLES; each has as many votes as its place."""
    archive = []
    for number, title in enumerate(TITLES):
        version = EntryVersion(
            id=number, entry_id=number, source="papers", title=title, url=None
        )
        archive.append(
            Candidate(
                entry_id=number,
                version=version,
                sources=(),
                listed_at=NOW,
                votes=number,
            )
        )
    tokens = documents(archive)
    matches = match_profile(
        wanted, archive, as_of=NOW, ranking=Ranking(), documents=tokens
    )
    matched = frozenset(match.candidate.entry_id for match in matches)
    return account(wanted, archive, tokens, matched)


def near(found: Account) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(miss.within, miss.what, miss.places) for miss in found.near_misses]


def test_each_interest_tells_what_it_brought_and_what_it_alone_did() -> None:
    found = accounted(profile("mamba", "robots", "weather"))
    assert [(s.label, sorted(s.places), s.alone) for s in found.interests] == [
        ("mamba", [0, 1, 2], 2),
        ("robots", [0, 3], 1),
        ("weather", [], 0),
    ]
    assert near(found) == []


def test_each_mute_tells_what_it_took_away_and_what_would_come_without_it() -> None:
    found = accounted(profile("mamba", "robots", mutes=("survey", "benchmark")))
    assert [(s.label, sorted(s.places), s.alone) for s in found.interests] == [
        ("mamba", [0, 1], 1),
        ("robots", [0], 0),
    ]
    # The survey with a benchmark is kept out by both: no one of them alone.
    assert [(s.label, sorted(s.places), s.alone) for s in found.mutes] == [
        ("survey", [2, 3], 1),
        ("benchmark", [3], 0),
    ]
    assert near(found) == [("", "the mute survey", (2,))]


def test_a_mute_takes_away_nothing_that_nobody_asks_for() -> None:
    found = accounted(profile("mamba", mutes=("gardens",)))
    assert [(len(s.places), s.alone) for s in found.mutes] == [(0, 0)]
    assert near(found) == []
    everything = accounted(profile(mutes=("gardens",)))
    assert [sorted(s.places) for s in everything.mutes] == [[4]]
    assert near(everything) == [("", "the mute gardens", (4,))]


def test_pieces_of_a_query_count_what_the_profile_would_match_as_well() -> None:
    found = accounted(profile("mamba AND robots", "survey AND mamba"))
    # Mamba alone would come by either; the survey of robots by two pieces.
    assert sorted(near(found)) == [
        ("mamba AND robots", "AND mamba", (3,)),
        ("mamba AND robots", "AND robots", (1,)),
        ("survey AND mamba", "AND mamba", (3,)),
        ("survey AND mamba", "AND survey", (1,)),
    ]


def test_the_greatest_near_miss_comes_first() -> None:
    found = accounted(profile("robots AND gardens"))
    assert near(found) == [
        ("robots AND gardens", "AND gardens", (0, 3)),
        ("robots AND gardens", "AND robots", (4,)),
    ]


def test_too_few_votes_are_one_obstacle_beside_the_others() -> None:
    found = accounted(profile("mamba", "robots", mutes=("survey",), min_votes=2))
    # Nothing is left: 2 and 3 are surveys, 0 and 1 have too few votes.
    assert [s.places for s in found.interests] == [frozenset(), frozenset()]
    assert [sorted(s.places) for s in found.mutes] == [[2, 3]]
    assert near(found) == [
        ("", "the mute survey", (2, 3)),
        ("", "min_votes = 2", (0, 1)),
    ]
    both = accounted(profile("mamba", mutes=("survey",), min_votes=3))
    assert near(both) == [("", "min_votes = 3", (0, 1))]
    assert [s.places for s in both.mutes] == [frozenset()]
