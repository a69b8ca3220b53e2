"""What a query would match without one of its pieces: by hand, and by brute force."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.matching.dropping import Dropping, without
from newsletter.matching.grammar import parse_query
from newsletter.matching.tree import is_true_of_nothing, to_text
from newsletter.model import And, Not, Or, Query, Term


def truth(words: frozenset[str]) -> Callable[[Query], bool]:
    """Return what tells whether a query is true where *words* occur."""

    def holds(query: Query) -> bool:
        if isinstance(query, Term):
            return query.text in words
        if isinstance(query, Not):
            return not holds(query.operand)
        values = [holds(operand) for operand in query.operands]
        return all(values) if isinstance(query, And) else any(values)

    return holds


def culprits(query: str, words: str) -> list[str]:
    dropping = Dropping.of(parse_query(query))
    found = dropping.culprits(truth(frozenset(words.split())))
    return [piece.text for piece in dropping.pieces if piece.path in found]


@pytest.mark.parametrize(
    ("query", "pieces"),
    [
        ("mamba", []),
        ("mamba OR jamba", []),
        ("mamba AND robot*", ["AND mamba", "AND robot*"]),
        ("mamba jamba -survey", ["NOT survey"]),
        (
            "(mamba OR jamba) AND title:robot*",
            ["AND (mamba OR jamba)", "AND title:robot*"],
        ),
        (
            "mamba AND robot* -survey",
            ["AND mamba", "AND robot*", "NOT survey"],
        ),
        (
            "mamba -(survey OR review)",
            ["NOT (survey OR review)", "OR survey", "OR review"],
        ),
        ("a AND b OR c AND d", ["AND a", "AND b", "AND c", "AND d"]),
        # What a NOT leaves out is wider with fewer conjuncts: they are no pieces.
        ("a -(b AND c)", ["NOT (b AND c)"]),
    ],
)
def test_pieces_are_what_makes_a_query_wider(query: str, pieces: list[str]) -> None:
    assert [piece.text for piece in Dropping.of(parse_query(query)).pieces] == pieces


@pytest.mark.parametrize(
    ("query", "words", "found"),
    [
        ("mamba AND robot*", "mamba", ["AND robot*"]),
        ("mamba AND robot*", "robot*", ["AND mamba"]),
        ("mamba AND robot*", "", []),
        ("mamba AND robot*", "mamba robot*", []),
        ("mamba -survey", "mamba survey", ["NOT survey"]),
        ("mamba -survey", "survey", []),
        ("(a OR b) AND c", "c", ["AND (a OR b)"]),
        ("a AND b OR c AND d", "a c", ["AND b", "AND d"]),
        ("a AND (b OR c AND d)", "a d", ["AND (b OR (c AND d))", "AND c"]),
        ("a -(b OR c)", "a b", ["NOT (b OR c)", "OR b"]),
        ("a -(b OR c)", "a b c", ["NOT (b OR c)"]),
        ("a AND NOT (b OR NOT c)", "a", ["NOT (b OR NOT c)", "NOT c"]),
    ],
)
def test_a_piece_is_named_where_it_alone_is_in_the_way(
    query: str, words: str, found: list[str]
) -> None:
    assert culprits(query, words) == found


def test_without_a_piece_the_tree_is_what_one_would_write() -> None:
    query = parse_query("a AND (b OR c AND d) -(e OR f)")
    dropped = {
        piece.text: to_text(without(query, piece.path))
        for piece in Dropping.of(query).pieces
    }
    assert dropped["AND d"] == "(a AND (b OR c)) AND NOT (e OR f)"
    assert dropped["OR e"] == "(a AND (b OR (c AND d))) AND NOT f"
    assert dropped["NOT (e OR f)"] == "a AND (b OR (c AND d))"
    with pytest.raises(TypeError):
        without(parse_query("a"), (0,))


TERMS = st.sampled_from("abcd").map(lambda word: Term(text=word, tokens=(word,)))


def bigger(inner: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        inner.map(lambda query: Not(operand=query)),
        several.map(lambda queries: And(operands=queries)),
        several.map(lambda queries: Or(operands=queries)),
    )


QUERIES: st.SearchStrategy[Query] = st.recursive(TERMS, bigger, max_leaves=9)


def paths(query: Query, way: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    """Return every operand of an AND or OR."""
    if isinstance(query, Term):
        return []
    if isinstance(query, Not):
        return paths(query.operand, (*way, 0))
    found = []
    for place, operand in enumerate(query.operands):
        found += [(*way, place), *paths(operand, (*way, place))]
    return found


@given(QUERIES, st.frozensets(st.sampled_from("abcd")))
def test_the_pieces_are_those_whose_absence_makes_it_true(
    query: Query, words: frozenset[str]
) -> None:
    holds = truth(words)
    expected = set()
    if not holds(query):
        for path in paths(query):
            dropped = without(query, path)
            if holds(dropped) and not is_true_of_nothing(dropped):
                expected.add(path)
    assert Dropping.of(query).culprits(holds) == expected
