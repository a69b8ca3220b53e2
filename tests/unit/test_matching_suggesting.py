"""Suggested terms: log-odds worked by hand, what is a term, what is left out."""

from __future__ import annotations

from datetime import UTC, datetime
from math import log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.matching import Document, documents
from newsletter.matching.grammar import parse_query
from newsletter.matching.reference import holds
from newsletter.matching.suggesting import Suggestion, log_odds, suggest
from newsletter.matching.tree import positive_terms
from newsletter.model import Candidate, EntryVersion, Term

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def archive(*texts: str) -> tuple[Document, ...]:
    """Return entries of a title and a summary, ``title / summary``."""
    found = []
    for number, text in enumerate(texts):
        title, _, summary = text.partition(" / ")
        version = EntryVersion(
            id=number,
            entry_id=number,
            source="papers",
            title=title,
            url=None,
            summary=summary,
        )
        found.append(
            Candidate(entry_id=number, version=version, sources=(), listed_at=NOW)
        )
    return documents(found)


def suggested(query: str, entries: tuple[Document, ...]) -> tuple[Suggestion, ...]:
    tree = parse_query(query)
    matched = frozenset(n for n, entry in enumerate(entries) if holds(tree, entry))
    terms = (*positive_terms(tree), *positive_terms(tree, positive=False))
    (found,) = suggest(entries, [matched], [terms])
    return found


def texts(query: str, *entries: str) -> list[str]:
    return [one.text for one in suggested(query, archive(*entries))]


def test_log_odds_by_hand() -> None:
    # Two of four matched entries have it, one of sixteen others; of twenty in
    # all three, so a prior of ten entries says 10 * 3 / 20 = 1.5.
    # (2 + 1.5) / (4 + 10 - 3.5) = 3.5 / 10.5 = 1/3
    # (1 + 1.5) / (16 + 10 - 2.5) = 2.5 / 23.5
    delta = log(1 / 3) - log(2.5 / 23.5)
    error = sqrt(1 / 3.5 + 1 / 2.5)
    z = log_odds(2, 1, of_matched=4, of_others=16, prior=10)
    assert z == pytest.approx(delta / error)
    assert z == pytest.approx(1.1421 / 0.82808, abs=1e-3)


def test_what_is_as_frequent_everywhere_has_no_odds() -> None:
    assert log_odds(2, 8, of_matched=4, of_others=16) == pytest.approx(0)
    assert log_odds(4, 16, of_matched=4, of_others=16) == 0
    assert log_odds(0, 8, of_matched=4, of_others=16) < 0


def test_more_of_the_same_odds_is_surer() -> None:
    few = log_odds(2, 2, of_matched=10, of_others=100)
    many = log_odds(20, 20, of_matched=100, of_others=1000)
    assert 0 < few < many


def test_a_tiny_archive_by_hand() -> None:
    found = suggested(
        "mamba",
        archive(
            "Mamba and kernels",
            "Mamba with kernels",
            "Fast kernels",
            "A garden",
            "Another garden",
            "Gardens",
        ),
    )
    # Kernels: 2 of 2, 1 of 4; a prior of 10 * 3 / 6 = 5.
    # 7 / (2 + 10 - 7) = 7/5, and 6 / (4 + 10 - 6) = 6/8
    z = (log(7 / 5) - log(6 / 8)) / sqrt(1 / 7 + 1 / 6)
    (kernels,) = found
    assert (kernels.text, kernels.matched, kernels.others) == ("kernels", 2, 1)
    assert kernels.z == pytest.approx(z)


def test_what_the_query_has_is_not_suggested_nor_its_parts_nor_more_of_it() -> None:
    entries = (
        "State space models with kernels",
        "State space model of kernels",
        "Kernels",
        "State of a space",
        "Models",
        "A space",
    )
    assert texts('"state space model*" -garden', *entries) == ["kernels"]
    for query in ("title:kernels", "title:kernel*"):
        found = texts(query, "Fast kernels", "Fast kernels", "x / Fast kernels", "y")
        assert found == ["fast"]


def test_a_prefix_stands_for_singular_and_plural_of_a_long_word() -> None:
    entries = ("Mamba transformer", "Mamba transformers", "Transformers", "x", "y")
    assert texts("mamba", *entries) == ["transformer*"]
    # "net*" would begin too many others: the more frequent form is written.
    short = ("Mamba net", "Mamba nets", "Nets", "x", "y", "z")
    assert texts("mamba", *short) == ["nets"]


def test_an_entry_that_has_both_numbers_of_a_term_has_it_once() -> None:
    entries = archive(
        "Mamba: fast kernel and fast kernels / A layer of the layers",
        "Mamba: fast kernels / The layers",
        "Fast kernel and fast kernels / A layer of the layers",
        "x",
        "y",
        "z",
    )
    counted = {
        one.text: (one.matched, one.others) for one in suggested("mamba", entries)
    }
    assert counted == {'"fast kernel*"': (2, 1), "layer*": (2, 1)}


def test_of_two_pieces_of_a_longer_phrase_one_is_enough() -> None:
    phrase = "group relative policy optimization"
    entries = (f"Mamba by {phrase}", f"Mamba of {phrase}", phrase, "x", "y", "z")
    pieces = {'"group relative policy"', '"relative policy optimization"'}
    assert len(pieces.intersection(texts("mamba", *entries))) == 1


def test_a_phrase_takes_the_place_of_its_words() -> None:
    entries = (
        "Mamba by chain of thought",
        "Mamba has a chain of thought",
        "Chain of thought",
        "x",
        "y",
        "z",
    )
    assert texts("mamba", *entries) == ['"chain of thought"']


def test_no_phrase_goes_from_title_to_summary_or_begins_with_a_stop_word() -> None:
    entries = ("Mamba the kernel / Garden we 7", "Mamba the kernel / Garden we 7")
    rest = ("The kernel / garden", "we 7", "x", "y", "z")
    assert set(texts("mamba", *entries, *rest)) == {"kernel", "garden"}


def test_a_term_beside_its_acronym_is_no_phrase() -> None:
    entries = ("Mamba by learning (RL)",) * 2 + ("Learning (RL)", "x", "y", "z")
    assert set(texts("mamba", *entries)) == {"learning", "rl"}
    both = ("Mamba is a space model (SSM)", "Mamba and space models (SSMs)", "SSMs")
    assert "ssms" in texts("mamba", *both, "Space models", "x", "y", "z")


def test_chinese_is_suggested_as_it_is_written() -> None:
    entries = ("Mamba 深度", "Mamba 深度", "深度", "x", "y", "z")
    assert texts("mamba", *entries) == ['"深度"']


def test_what_stands_nowhere_else_or_nearly_everywhere_is_left_out() -> None:
    entries = ("Mamba kernel garden", "Mamba kernel garden")
    others = ("Kernel",) * 31
    assert texts("mamba", *entries, *others, *("x",) * 99) == []
    assert texts("mamba", *entries, *others[:30], *("x",) * 99) == ["kernel"]


def test_what_one_entry_says_is_chance() -> None:
    assert texts("mamba", "Mamba kernel", "Mamba", "Kernel", "x", "y") == []
    assert texts("mamba", "x", "y") == []


def test_each_group_gets_its_own() -> None:
    entries = archive(
        "Mamba kernels", "Mamba kernels", "Robots grasp", "Robots grasp", "kernels",
        "grasp", "x", "y",
    )  # fmt: skip
    groups = [frozenset({0, 1}), frozenset({2, 3}), frozenset[int]()]
    known: list[tuple[Term, ...]] = [(), (), ()]
    mamba, robots, nothing = suggest(entries, groups, known)
    assert [one.text for one in mamba] == ["kernels"]
    assert [one.text for one in robots] == ["grasp"]
    assert nothing == ()


WORDS = st.sampled_from(
    ["mamba", "c++", "kernels", "kernel", "the", "of", "gpt", "4o", "7", "深", "度"]
)


@given(st.lists(st.lists(WORDS, max_size=7).map(" ".join), max_size=9))
def test_every_suggestion_is_a_term_that_says_what_it_says(entries: list[str]) -> None:
    archived = archive(*entries)
    found = suggested("mamba", archived)
    assert [one.z for one in found] == sorted((one.z for one in found), reverse=True)
    for one in found:
        term = parse_query(one.text)
        assert isinstance(term, Term)
        holding = sum(holds(term, entry) for entry in archived)
        assert holding <= one.matched + one.others
        assert holding or term.tokens[-1].endswith("s")
