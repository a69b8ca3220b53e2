"""The reference evaluator: truth, scores worked by hand, reasons, order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.matching import documents, explain, match_profile, objection
from newsletter.matching.grammar import parse_query
from newsletter.matching.profiles import (
    profile_from_json,
    profile_hash,
    profile_to_json,
)
from newsletter.matching.reference import holds
from newsletter.model import (
    Candidate,
    EntryVersion,
    Field,
    Interest,
    Match,
    Mute,
    Order,
    Profile,
    Ranking,
    Sections,
    SourceListing,
)

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
#: No freshness: scores are of terms alone.
PLAIN = Ranking(freshness=Decimal(0))


def candidate(
    title: str = "",
    summary: str = "",
    *,
    entry: int = 1,
    authors: tuple[str, ...] = (),
    categories: tuple[str, ...] = (),
    sources: tuple[str, ...] = ("arxiv",),
    votes: int | None = None,
    age: timedelta = timedelta(0),
) -> Candidate:
    return Candidate(
        entry_id=entry,
        version=EntryVersion(
            id=entry,
            entry_id=entry,
            source=sources[0],
            title=title,
            url=None,
            summary=summary,
            authors=authors,
            categories=categories,
        ),
        sources=tuple(SourceListing(source=s, listed_at=NOW - age) for s in sources),
        listed_at=NOW - age,
        votes=votes,
    )


def interest(query: str, weight: str = "1", name: str = "") -> Interest:
    return Interest(
        query=query, tree=parse_query(query), weight=Decimal(weight), name=name
    )


def mute(query: str) -> Mute:
    return Mute(query=query, tree=parse_query(query))


def profile(*queries: str) -> Profile:
    return Profile(interests=tuple(interest(query) for query in queries))


def matched(
    who: Profile, *candidates: Candidate, ranking: Ranking = PLAIN
) -> tuple[Match, ...]:
    return match_profile(who, candidates, as_of=NOW, ranking=ranking)


PAPER = candidate(
    "Mamba: Linear-Time Sequence Modeling",
    "Selective state space models in C++ for 日本語. Naïve baselines lose.",
    authors=("Albert Gu", "Tri Dao"),
    categories=("cs.LG", "cs.CL"),
    sources=("hf-daily-papers", "arxiv"),
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("mamba", True),
        ("MAMBA", True),
        ("mambas", False),
        ("naive", True),
        ("title:selective", False),
        ("summary:selective", True),
        ('"linear time"', True),
        ("linear-time", True),
        ('"time linear"', False),
        ('"modeling selective"', False),
        ('"state space mod*"', True),
        ('"state space mode"', False),
        ("select*", True),
        ("gu", False),
        ("author:gu", True),
        ('author:"tri dao"', True),
        ('author:"gu tri"', False),
        ("category:cs.CL", True),
        ("category:cs.CV", False),
        ("category:cs", True),
        ("source:arxiv", True),
        ("source:hf-daily-papers", True),
        ("source:daily", True),
        ("source:reddit", False),
        ("c++", True),
        ("c#", False),
        ("日本", True),
        ("本日", False),
        ("本*", True),
        ("mamba AND selective", True),
        ("mamba AND transformer", False),
        ("mamba -selective", False),
        ("mamba AND NOT transformer", True),
        ("transformer (mamba AND author:dao)", True),
    ],
)
def test_a_query_is_true_or_false(query: str, expected: bool) -> None:
    (document,) = documents([PAPER])
    assert holds(parse_query(query), document) is expected
    assert bool(matched(profile(query), PAPER)) is expected


def test_no_interests_match_everything_but_mutes() -> None:
    both = [candidate("a survey", entry=1), candidate("a paper", entry=2)]
    found = matched(Profile(mutes=(mute("survey"),)), *both)
    assert [m.candidate.entry_id for m in found] == [2]
    assert found[0].reasons.interests == ()


def test_too_few_votes_leave_out_and_unknown_ones_are_none() -> None:
    three = [candidate("x", entry=n, votes=v) for n, v in ((1, None), (2, 4), (3, 5))]
    found = matched(Profile(min_votes=5), *three)
    assert [m.candidate.entry_id for m in found] == [3]


def test_a_score_is_weight_by_weight_by_field() -> None:
    # mamba: 2 (interest) x 1.5 (term) x (2 title + 1 summary) = 9
    # gu: 2 x 1 x 1 = 2; nothing of "dao".
    who = Profile(interests=(interest("mamba^1.5 author:gu author:dao", weight="2"),))
    (found,) = matched(who, candidate("Mamba", "mamba mamba", authors=("A. Gu",)))
    assert found.score == 11_000
    assert [(p.field, p.term, p.millis) for p in found.reasons.parts] == [
        (Field.TITLE, "mamba", 6000),
        (Field.SUMMARY, "mamba", 3000),
        (Field.AUTHOR, "gu", 2000),
    ]


def test_terms_of_interests_that_do_not_match_count_too() -> None:
    who = profile("mamba", "linear AND missing")
    (found,) = matched(who, candidate("Linear Mamba"))
    assert found.score == 4000
    assert found.reasons.interests == ("mamba",)


def test_a_term_in_several_interests_counts_once_at_its_greatest() -> None:
    who = Profile(
        interests=(interest("mamba"), interest("mamba^3"), interest("mamba^2"))
    )
    (found,) = matched(who, candidate("mamba"))
    assert found.score == 6000


def test_a_negative_term_has_no_share() -> None:
    (found,) = matched(profile("mamba -survey"), candidate("mamba"))
    assert found.score == 2000


def test_a_product_is_rounded_once_and_to_even() -> None:
    # 0.01 x 0.05 x (2 + 1) = 0.0015 -> 2 thousandths, and 0.0005 -> 0.
    who = Profile(interests=(interest("mamba^0.05", weight="0.01"),))
    (both,) = matched(who, candidate("mamba", "mamba"))
    assert both.score == 2
    assert [p.millis for p in both.reasons.parts] == [1, 1]
    (one,) = matched(who, candidate("", "mamba"))
    assert one.score == 0


def test_freshness_halves_by_the_half_life() -> None:
    for days, millis in ((0, 500), (3, 250), (6, 125), (-2, 500), (1.5, 354)):
        age = timedelta(days=days)
        (found,) = matched(Profile(), candidate("x", age=age), ranking=Ranking())
        assert found.reasons.freshness_millis == millis
        assert found.score == millis


def test_votes_count_by_their_logarithm() -> None:
    ranking = Ranking(votes=Decimal(2), freshness=Decimal(0))
    for votes, millis in ((None, 0), (0, 0), (9, 2000), (99, 4000), (12, 2228)):
        (found,) = matched(Profile(), candidate("x", votes=votes), ranking=ranking)
        assert found.reasons.votes_millis == millis


def test_orders_break_ties_to_the_last() -> None:
    hour = timedelta(hours=1)
    field = [
        candidate("mamba", entry=1, votes=1, age=2 * hour),
        candidate("mamba", entry=2, votes=9, age=3 * hour),
        candidate("x", "mamba", entry=3, votes=50, age=0 * hour),
        candidate("mamba", entry=5, votes=1, age=1 * hour),
        candidate("mamba", entry=4, votes=1, age=1 * hour),
    ]
    for order, expected in (
        (Order.RELEVANCE, [2, 4, 5, 1, 3]),
        (Order.VOTES, [3, 2, 4, 5, 1]),
        (Order.NEWEST, [3, 4, 5, 1, 2]),
    ):
        who = Profile(interests=(interest("mamba"),), order=order)
        found = matched(who, *field)
        assert [m.candidate.entry_id for m in found] == expected


def test_places_are_merged_and_in_the_text_as_given() -> None:
    who = profile('"state space" "space model*" title:naive -mamba')
    paper = candidate("Naïve state-space models", "State space: a naïve mamba")
    reasons = explain(who, paper, as_of=NOW, ranking=PLAIN).reasons
    title, summary = paper.version.title, paper.version.summary
    assert [title[a:b] for a, b in reasons.title_places] == [
        "Naïve",
        "state-space models",
    ]
    assert [summary[a:b] for a, b in reasons.summary_places] == ["State space"]


def test_a_match_explained_alone_is_the_match_found_among_many() -> None:
    who = profile("mamba", "state*^2", "author:dao")
    found = matched(who, PAPER, candidate("Mamba", entry=2), ranking=Ranking())
    for match in found:
        alone = explain(who, match.candidate, as_of=NOW, ranking=Ranking())
        assert alone == match


def test_tokens_may_be_shared_between_profiles() -> None:
    shared = documents([PAPER])
    who = profile("mamba")
    found = match_profile(who, [PAPER], as_of=NOW, ranking=PLAIN, documents=shared)
    assert found == matched(who, PAPER)


# --- against a checker that knows nothing of trees over tokens --------------------

WORDS = ("ant", "antler", "bee", "cat")
texts = st.lists(st.sampled_from(WORDS), max_size=6)


def occurs(pattern: list[str], text: list[str], *, prefix: bool) -> bool:
    """Look for a phrase as a person would: as text between spaces."""
    joined = f" {' '.join(text)} "
    return f" {' '.join(pattern)}{'' if prefix else ' '}" in joined


@given(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3),
    st.booleans(),
    texts,
    texts,
)
def test_phrases_and_prefixes_are_those_of_plain_text_search(
    pattern: list[str], prefix: bool, title: list[str], summary: list[str]
) -> None:
    query = f'"{" ".join(pattern)}{"*" if prefix else ""}"'
    (document,) = documents([candidate(" ".join(title), " ".join(summary))])
    expected = [occurs(pattern, text, prefix=prefix) for text in (title, summary)]
    assert holds(parse_query(query), document) is any(expected)
    assert holds(parse_query(f"title:{query}"), document) is expected[0]


# --- profiles as rows --------------------------------------------------------------

FULL = Profile(
    interests=(
        interest('title:mamba OR "state space*"^2', "2.50", "SSM"),
        interest("x"),
    ),
    mutes=(mute("survey"),),
    order=Order.VOTES,
    sections=Sections.INTEREST,
    max_items=7,
    min_votes=3,
    skip_empty=False,
)


def test_a_profile_survives_its_row() -> None:
    assert profile_from_json(profile_to_json(FULL)) == FULL
    assert profile_from_json(profile_to_json(Profile())) == Profile()


def test_a_profile_is_named_by_what_was_written() -> None:
    same = Profile(interests=(interest("mamba", "1.0"),))
    assert profile_hash(same) == profile_hash(profile("mamba"))
    assert profile_hash(FULL) != profile_hash(profile("mamba"))
    assert len(profile_hash(FULL)) == 64
    # The name stays when the same text is read by another grammar.
    other = Interest(query="mamba", tree=parse_query("other"))
    assert profile_hash(Profile(interests=(other,))) == profile_hash(profile("mamba"))


@given(
    st.lists(st.sampled_from(["mamba", "robot", "survey", "tea"]), max_size=3),
    st.integers(0, 4),
    st.lists(st.sampled_from(["mamba", "robot"]), max_size=2, unique=True),
    st.lists(st.sampled_from(["survey", "tea"]), max_size=2, unique=True),
    st.integers(0, 4),
)
def test_what_is_objected_to_is_what_does_not_match(
    words: list[str],
    votes: int,
    interests: list[str],
    mutes: list[str],
    min_votes: int,
) -> None:
    given_ = candidate(" ".join(words), votes=votes)
    profile = Profile(
        interests=tuple(Interest(query=q, tree=parse_query(q)) for q in interests),
        mutes=tuple(Mute(query=q, tree=parse_query(q)) for q in mutes),
        min_votes=min_votes,
    )
    (document,) = documents([given_])
    found = match_profile(profile, [given_], as_of=NOW, ranking=PLAIN)
    why = objection(profile, given_, document)
    assert bool(found) == (why is None)
    if why is not None:
        is_wanted = not interests or bool(set(interests) & set(words))
        muting = [mute for mute in mutes if mute in words]
        wanted = "muted" if muting else "few votes"
        assert why.kind == (wanted if is_wanted else "unmatched")
        assert why.mute == (muting[0] if is_wanted and muting else "")
