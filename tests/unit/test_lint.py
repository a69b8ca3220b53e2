"""What a profile brought, and what in it is of no use."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from newsletter.matching.grammar import parse_query
from newsletter.model import (
    Candidate,
    EntryVersion,
    Interest,
    Mute,
    Order,
    Profile,
    Ranking,
    SourceListing,
)
from newsletter.usecases.lint import ENOUGH, Lint, compare, lint

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
TITLES = (
    "Diffusion of robots",
    "Mamba forgets",
    "Mamba and robots",
    "A survey of robots",
    "Language models",
)


def candidate(number: int, title: str, votes: int | None = None) -> Candidate:
    version = EntryVersion(
        id=number, entry_id=number, source="hf", title=title, url=None
    )
    return Candidate(
        entry_id=number,
        version=version,
        sources=(SourceListing(source="hf", listed_at=NOW),),
        listed_at=NOW,
        votes=votes,
    )


def interest(query: str, name: str = "", weight: int = 1) -> Interest:
    return Interest(
        query=query, tree=parse_query(query), name=name, weight=Decimal(weight)
    )


def profile(*queries: str, mutes: tuple[str, ...] = (), min_votes: int = 0) -> Profile:
    return Profile(
        interests=tuple(map(interest, queries)),
        mutes=tuple(Mute(query=m, tree=parse_query(m)) for m in mutes),
        min_votes=min_votes,
    )


def linted(wanted: Profile, *titles: str) -> Lint:
    return lint(
        wanted,
        [candidate(n, title, votes=n) for n, title in enumerate(titles or TITLES, 1)],
        as_of=NOW,
        ranking=Ranking(),
        sources=("hf", "arxiv"),
    )


def remarks(wanted: Profile, *titles: str) -> list[tuple[str, str, str]]:
    return [(r.about, r.what, r.cure) for r in linted(wanted, *titles).remarks]


def test_each_interest_and_mute_tells_what_it_matched() -> None:
    found = linted(profile("robots", "mamba", mutes=("survey",)))
    assert (found.weighed, found.matched) == (5, 3)
    assert [(b.label, b.is_mute, b.matched) for b in found.brought] == [
        ("robots", False, 3),
        ("mamba", False, 2),
        ("survey", True, 1),
    ]
    assert found.brought[1].best == ("Mamba and robots", "Mamba forgets")
    assert found.remarks == ()


@pytest.mark.parametrize(
    ("query", "what", "cure"),
    [
        ("robot", "robot does not occur", "did you mean robot*?"),
        ("diffusing", "diffusing does not occur", "did you mean diffusi*?"),
        (
            "title:forgeting",
            "title:forgeting does not occur",
            "did you mean title:forg",
        ),
        ("languige", "languige does not occur", "did you mean langu*?"),
        ("qwertz", "qwertz does not occur", "look at its spelling, or wait"),
        ("xqz9", "xqz9 does not occur", "look at its spelling, or wait"),
        ("zz*", "zz* does not occur", "look at its spelling, or wait"),
        ("mambo", "mambo does not occur", "did you mean mamb*?"),
        ("r0bots", "r0bots does not occur", "did you mean robots?"),
        ('"language modelling"', '"language modelling" does not', 'mean "language mo'),
        ('"two words9"', '"two words9" does not', "look at its spelling, or wait"),
        ("source:hff", "source:hff does not occur", "the sources are hf, arxiv"),
        ("mamba AND language", "its terms occur, never together", "ask for less at"),
    ],
)
def test_an_interest_that_brought_nothing_is_told_why(
    query: str, what: str, cure: str
) -> None:
    found = remarks(profile(query))
    assert len(found) == 1
    assert found[0][0] == query
    assert what in found[0][1]
    assert cure in found[0][2]


def test_a_term_without_use_is_told_though_the_interest_matched() -> None:
    ((about, what, _),) = remarks(profile("mamba OR qwertz"))
    assert (about, what) == ("mamba OR qwertz", "qwertz does not occur")


def test_another_order_of_interests_is_a_difference() -> None:
    before, after = profile("mamba", "robots"), profile("robots", "mamba")
    found = compare(before, after, [], as_of=NOW, ranking=Ranking())
    assert found.keys == (("order of interests", "mamba, robots", "robots, mamba"),)


def test_a_second_interest_that_says_the_same_is_told() -> None:
    found = remarks(profile("mamba", "Mamba"))
    assert found == [("Mamba", "says the same as mamba", "leave one of the two out")]


def test_an_interest_within_another_is_told() -> None:
    (remark,) = remarks(profile("robots", "diffusion", "language"))
    assert remark[:2] == (
        "diffusion",
        "all that it matched is matched by robots too",
    )


def test_an_interest_that_matches_nearly_everything_is_told() -> None:
    titles = ["robots"] * ENOUGH
    (remark,) = remarks(profile("robots"), *titles)
    assert remark[1] == "matched 100% of everything"
    assert remarks(profile("robots"), *titles[1:]) == []


def test_mutes_that_do_nothing_or_too_much_are_told() -> None:
    found = remarks(profile("mamba", mutes=("mamba", "zebra")))
    assert [(about, what) for about, what, _ in found] == [
        ("zebra", "this mute matched nothing"),
        ("mamba", "all that it matched is muted"),
    ]


def test_a_limit_that_nothing_passes_is_told() -> None:
    (remark,) = remarks(profile("mamba", min_votes=9))
    assert remark[:2] == ("min_votes = 9", "nothing had so many votes; the most were 5")


def test_of_no_entries_nothing_is_said() -> None:
    found = lint(profile("mamba"), [], as_of=NOW, ranking=Ranking(), sources=())
    assert (found.weighed, found.matched, found.remarks) == (0, 0, ())


def test_a_difference_names_keys_and_titles() -> None:
    before = profile("mamba", "language", mutes=("survey",))
    after = Profile(
        interests=(interest("mamba"), interest("robots", "Robots", 2)),
        order=Order.NEWEST,
    )
    entries = [candidate(n, title) for n, title in enumerate(TITLES, 1)]
    found = compare(before, after, entries, as_of=NOW, ranking=Ranking())
    assert found.keys == (
        ("interests", "language", ""),
        ("interests", "", "robots (Robots) ^2"),
        ("mutes", "survey", ""),
        ("order", "relevance", "newest"),
    )
    assert set(found.gained) == {"Diffusion of robots", "A survey of robots"}
    assert found.lost == ("Language models",)
    assert found.kept == 2
