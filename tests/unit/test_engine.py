"""The engine by hand: small chunks and batches whose answers can be counted out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise, product

import numpy as np
import pytest

from newsletter.matching import match_profile
from newsletter.matching.batch import in_stems, make_batch
from newsletter.matching.book import open_book
from newsletter.matching.compiling import compile_profiles
from newsletter.matching.engine import (
    Best,
    Columns,
    Ranker,
    Windows,
    best,
    matched,
    reasons,
)
from newsletter.matching.finding import Found, find
from newsletter.matching.grammar import parse_query
from newsletter.matching.kernel import compiled, rank_compiled
from newsletter.matching.keys import FIELD_BITS, pattern_keys
from newsletter.matching.ranking import rank_plainly
from newsletter.matching.terms import Pattern
from newsletter.model import (
    Candidate,
    EntryVersion,
    Field,
    Interest,
    Mute,
    Order,
    Profile,
    Ranking,
    SourceListing,
    Term,
)

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
#: No freshness: scores are of terms alone.
PLAIN = Ranking(freshness=Decimal(0))
BOTH = pytest.mark.parametrize("ranker", [rank_plainly, rank_compiled])


def entry(
    number: int,
    title: str,
    summary: str = "",
    *,
    votes: int | None = None,
    age: timedelta = timedelta(0),
    seen_before: bool = False,
) -> Candidate:
    return Candidate(
        entry_id=number,
        version=EntryVersion(
            id=number,
            entry_id=number,
            source="preprints",
            title=title,
            url=None,
            summary=summary,
            authors=("Ann Lee",),
            categories=("cs.CL",),
        ),
        sources=(SourceListing(source="preprints", listed_at=NOW - age),),
        listed_at=NOW - age,
        votes=votes,
        seen_before=seen_before,
    )


def profile(*queries: str, order: Order = Order.RELEVANCE, least: int = 0) -> Profile:
    """Return a profile; a query after ``!`` is a mute."""
    trees = [(q, parse_query(q.removeprefix("!"))) for q in queries]
    return Profile(
        interests=tuple(
            Interest(query=q, tree=tree) for q, tree in trees if not q.startswith("!")
        ),
        mutes=tuple(
            Mute(query=q[1:], tree=tree) for q, tree in trees if q.startswith("!")
        ),
        order=order,
        min_votes=least,
    )


def found_of(
    profiles: Sequence[Profile],
    candidates: Sequence[Candidate],
    ranking: Ranking = PLAIN,
    block_columns: int = 4096,
) -> Found:
    batch = make_batch(candidates, as_of=NOW, ranking=ranking)
    book = open_book([compile_profiles([profile]) for profile in profiles])
    return find(book, batch, block_columns=block_columns)


def everything(rows: int, columns: int) -> Windows:
    return Windows(
        masks=np.ones((1, columns), np.bool_), of_row=np.zeros(rows, np.int64)
    )


def shown(answer: Best) -> list[list[tuple[int, int]]]:
    """Return (column, score) of each row."""
    pairs = list(zip(answer.column.tolist(), answer.score.tolist(), strict=True))
    ptr = answer.ptr.tolist()
    return [pairs[a:b] for a, b in pairwise(ptr)]


DAY = (
    entry(1, "Mamba models", "state space models", votes=5),
    entry(2, "A survey of mamba", votes=9),
    entry(3, "Robots", "a model of mamba"),
)


@BOTH
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("mamba", [(1, 2000), (0, 2000), (2, 1000)]),
        ("title:mamba", [(1, 2000), (0, 2000)]),
        ("model*", [(0, 3000), (2, 1000)]),
        ('"state space mod*"^3', [(0, 3000)]),
        ("mamba AND NOT survey", [(0, 2000), (2, 1000)]),
        ("mamba AND NOT (survey OR robot*)", [(0, 2000)]),
        ("author:lee AND category:cs.CL AND robots", [(2, 4000)]),
        ("source:preprints -mamba", []),
        ("transformer", []),
    ],
)
def test_matches_order_and_scores(
    query: str, expected: list[tuple[int, int]], ranker: Ranker
) -> None:
    found = found_of([profile(query)], DAY)
    answer = best(
        found, rows=np.array([0]), windows=everything(1, len(DAY)), ranker=ranker
    )
    assert shown(answer) == [expected]
    assert answer.matches.tolist() == [len(expected)]


@BOTH
def test_no_interests_match_everything_but_mutes(ranker: Ranker) -> None:
    profiles = [profile(), profile("!survey"), profile("!survey", "!robots")]
    answer = best(
        found_of(profiles, DAY),
        rows=np.arange(3),
        windows=everything(3, len(DAY)),
        ranker=ranker,
    )
    assert shown(answer) == [[(1, 0), (0, 0), (2, 0)], [(0, 0), (2, 0)], [(0, 0)]]


@BOTH
def test_the_three_orders_and_too_few_votes(ranker: Ranker) -> None:
    day = (
        entry(1, "x", "x", votes=1, age=timedelta(days=2)),
        entry(2, "x", votes=7, age=timedelta(days=1)),
        entry(3, "x", "x", votes=None),
    )
    profiles = [profile("x", order=order) for order in Order]
    profiles.append(profile("x", least=1))
    answer = best(
        found_of(profiles, day),
        rows=np.arange(4),
        windows=everything(4, 3),
        ranker=ranker,
    )
    got = [[column for column, _ in row] for row in shown(answer)]
    assert got == [[0, 2, 1], [1, 0, 2], [2, 1, 0], [0, 1]]


@BOTH
def test_windows_repeats_and_limits_are_by_row(ranker: Ranker) -> None:
    later = replace(DAY[0], votes=50, listed_at=NOW - timedelta(days=1))
    day = (*DAY, later)
    masks = np.array([[1, 1, 0, 0], [0, 1, 1, 1], [0, 0, 0, 0]], np.bool_)
    windows = Windows(masks=masks, of_row=np.array([1, 0, 2, 1]))
    answer = best(
        found_of([profile("mamba")] * 4, day),
        rows=np.array([3, 1, 0, 2]),
        windows=windows,
        excluded=Columns(ptr=np.array([0, 0, 1, 1, 2]), column=np.array([0, 3])),
        limit=np.array([2, 5, 5, 1]),
        ranker=ranker,
    )
    assert [[c for c, _ in row] for row in shown(answer)] == [[3, 1], [1], [], [1]]
    assert answer.matches.tolist() == [3, 1, 0, 2]


@BOTH
def test_votes_and_freshness_are_the_columns_own(ranker: Ranker) -> None:
    ranking = Ranking(votes=Decimal("0.1"))
    day = [entry(1, "x", votes=9), entry(2, "x", votes=9, age=timedelta(days=3))]
    found = found_of([profile("x")], day, ranking)
    answer = best(found, rows=np.array([0]), windows=everything(1, 2), ranker=ranker)
    (wanted,) = [
        [m.score for m in match_profile(profile("x"), day, as_of=NOW, ranking=ranking)]
    ]
    assert [score for _, score in shown(answer)[0]] == wanted == [2600, 2350]


@BOTH
def test_the_greatest_weights_there_are_overflow_nothing(ranker: Ranker) -> None:
    heavy = Ranking(title=Decimal(1000), summary=Decimal(1000), freshness=Decimal(0))
    interests = tuple(
        Interest(query=q, tree=parse_query(q), weight=Decimal(100))
        for q in ("mamba^100", "model*^100", "models^99.99", "state^100")
    )
    # So many rows, columns and points do not fit one number of 64 bits.
    who = [Profile(interests=interests, order=order) for order in Order] * 20
    many = [replace(DAY[n % 3], entry_id=n + 1, votes=n) for n in range(3000)]
    batch = make_batch(many, as_of=NOW, ranking=heavy)
    found = find(open_book([compile_profiles(who)]), batch)
    answer = best(
        found,
        rows=np.arange(60),
        windows=everything(60, 3000),
        ranker=ranker,
    )
    for row, each in zip(shown(answer)[-3:], who[-3:], strict=True):
        matches = match_profile(each, many, as_of=NOW, ranking=heavy)[:12]
        assert [(many[c].entry_id, s) for c, s in row] == [
            (m.candidate.entry_id, m.score) for m in matches
        ]
    assert answer.score.max() > 2**35


@BOTH
def test_columns_and_terms_of_a_profile_may_be_many(ranker: Ranker) -> None:
    words = [f"word{n}" for n in range(100)]
    entries = (*DAY, entry(4, "x", " ".join(words)))
    day = [replace(entries[n % 4], entry_id=n + 1) for n in range(70_000)]
    found = found_of([profile(" ".join(words), "mamba")], day, block_columns=10**6)
    answer = best(
        found,
        rows=np.array([0]),
        windows=everything(1, len(day)),
        limit=17_502,
        ranker=ranker,
    )
    (row,) = shown(answer)
    assert answer.matches.tolist() == [70_000]
    assert row[:2] == [(3, 100_000), (7, 100_000)]
    assert row[-3:] == [(69_999, 100_000), (1, 2000), (5, 2000)]
    why = reasons(found, rows=np.array([0]), columns=np.array([69_999]))
    assert why.term.tolist() == list(range(100))


def test_more_than_scores_are_made_for_is_refused() -> None:
    found = found_of([profile("mamba")], DAY, Ranking(title=Decimal(10**8)))
    with pytest.raises(ValueError, match="smaller"):
        best(found, rows=np.array([0]), windows=everything(1, 3))


def test_a_weight_of_five_decimals_is_refused() -> None:
    term = Term(text="x", tokens=("x",), weight=Decimal("0.00001"))
    who = Profile(interests=(Interest(query="x", tree=term),))
    with pytest.raises(ValueError, match="four decimals"):
        compile_profiles([who])


def test_possible_repeats_are_the_matches_released_before() -> None:
    day = [replace(DAY[0], seen_before=True), DAY[1], replace(DAY[2], seen_before=True)]
    profiles = [profile("mamba"), profile("survey"), profile("robots")]
    masks = np.array([[1, 1, 1], [0, 1, 0]], np.bool_)
    windows = Windows(masks=masks, of_row=np.array([0, 0, 1, 0]))
    rows = np.array([2, 1, 0, 0])
    seen = matched(found_of(profiles, day), rows=rows, windows=windows)
    assert np.diff(seen.ptr).tolist() == [1, 0, 0, 2]
    assert sorted(seen.column.tolist()) == [0, 2, 2]
    none = matched(found_of(profiles, DAY), rows=rows, windows=windows)
    assert none.ptr.tolist() == [0] * 5


def test_reasons_name_terms_fields_and_the_first_interest() -> None:
    who = profile("robots OR survey", "model* mamba", "state")
    why = reasons(
        found_of([profile("x"), who, profile()], DAY, block_columns=2),
        rows=np.array([1, 1, 2, 1]),
        columns=np.array([0, 2, 0, 1]),
    )
    assert why.interest.tolist() == [1, 0, -1, 0]
    both = FIELD_BITS[Field.TITLE] | FIELD_BITS[Field.SUMMARY]
    title, summary = FIELD_BITS[Field.TITLE], FIELD_BITS[Field.SUMMARY]
    got = [
        list(zip(why.term[a:b].tolist(), why.fields[a:b].tolist(), strict=True))
        for a, b in zip(why.ptr[:-1], why.ptr[1:], strict=True)
    ]
    # Terms: robots, survey, model*, mamba, state.
    assert got == [
        [(2, both), (3, title), (4, summary)],
        [(0, title), (2, summary), (3, summary)],
        [],
        [(1, title), (3, title)],
    ]


def test_of_an_entry_without_any_leaf_there_is_no_reason() -> None:
    why = reasons(
        found_of([profile("x")], DAY), rows=np.array([0]), columns=np.array([0])
    )
    assert why.ptr.tolist() == [0, 0]


def test_nobody_due_and_nothing_new() -> None:
    none = np.zeros(0, np.int64)
    found = found_of([profile("mamba"), profile()], ())
    answer = best(found, rows=np.arange(2), windows=everything(2, 0))
    assert shown(answer) == [[], []]
    assert shown(best(found, rows=none, windows=everything(0, 0))) == []
    empty = find(open_book([]), make_batch(DAY, as_of=NOW, ranking=PLAIN))
    assert empty.book.rows == 0
    assert shown(best(empty, rows=none, windows=everything(0, 3))) == []


def test_threads_and_blocks_change_nothing() -> None:
    queries = ["mamba", "model*", "NOT NOT mamba", "state AND NOT robots"]
    profiles = [profile(a, b) for a, b in product(queries, repeat=2)]
    rows = np.arange(len(profiles))
    windows = everything(len(profiles), len(DAY))
    answers = [
        shown(
            best(
                found_of(profiles, DAY, block_columns=n),
                rows=rows,
                windows=windows,
                threads=t,
                limit=2,
            )
        )
        for n, t in product((1, 2, 4096), (1, 3))
    ]
    assert all(answer == answers[0] for answer in answers)
    assert any(answers[0])


def test_stems_are_looked_up_where_they_come_from() -> None:
    """No term has a stem of its own yet, so a chunk is given one by hand."""
    keys, _, _ = pattern_keys([Pattern(("robot",), stem="english")])
    chunk = compile_profiles([profile("robot")])
    arrays = replace(chunk.arrays, leaf_patterns=keys)
    book = open_book([replace(chunk, arrays=arrays, languages=("english", "none"))])
    asked: list[str] = []

    def stemmed(words: Sequence[str], language: str) -> Sequence[str]:
        asked.append(language)
        is_plain = language == "none"
        return words if is_plain else [word.removesuffix("s") for word in words]

    batch = make_batch(DAY, as_of=NOW, ranking=PLAIN, stemmed=stemmed)
    answer = best(find(book, batch), rows=np.array([0]), windows=everything(1, 3))
    assert shown(answer) == [[(2, 2000)]]
    assert asked == ["english", "none"]


def test_what_cannot_be_kept_on_disk_is_compiled_all_the_same() -> None:
    made: dict[str, Callable[[int], int]] = {}
    # Of no file: there is no folder to keep it beside.
    exec("def double(number):\n    return 2 * number", made)  # noqa: S102 - a text of ours
    assert compiled(made["double"])(21) == 42


def test_words_have_the_stems_that_profiles_have() -> None:
    assert in_stems(("models", "b"), "none") == ["models", "b"]
    assert in_stems(("models", "b"), "en") == ["model", "b"]
