"""The query language: what each form means, and what is refused where."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import QueryError
from newsletter.matching.grammar import MAX_DEPTH, MAX_LENGTH, parse_query
from newsletter.matching.tree import (
    is_true_of_nothing,
    positive_terms,
    to_text,
    tree_from_json,
    tree_to_json,
)
from newsletter.model import And, Field, Not, Or, Query, Term


@pytest.mark.parametrize(
    ("query", "means"),
    [
        ("mamba", "mamba"),
        ('"state space model"', '"state space model"'),
        ("diffus*", "diffus*"),
        ('"language model*"', '"language model*"'),
        ("a b", "a OR b"),
        ("a OR b", "a OR b"),
        ("a AND b c", "(a AND b) OR c"),
        ("a b AND c", "a OR (b AND c)"),
        ("a AND NOT b", "a AND NOT b"),
        ("NOT NOT a", "a"),
        ("a b -c", "(a OR b) AND NOT c"),
        ("a OR b -c", "(a OR b) AND NOT c"),
        ("-c a OR b -d", "(a OR b) AND NOT c AND NOT d"),
        ("-(a b) c", "c AND NOT (a OR b)"),
        ("c -title:x", "c AND NOT title:x"),
        ("a (b -c)", "a OR (b AND NOT c)"),
        ("a NOT b", "a AND NOT b"),
        ("NOT b a", "a AND NOT b"),
        ("c AND (a OR NOT b)", "c AND (a OR NOT b)"),
        ("title:(a OR b) c", "(title:a OR title:b) OR c"),
        ("TITLE:a", "title:a"),
        ('author:"Yann LeCun"', 'author:"Yann LeCun"'),
        ("category:cs.CL", "category:cs.CL"),
        ("“a  b”", '"a b"'),
        ("a^2.5", "a^2.5"),
        ('"a b"^0.01', '"a b"^0.01'),
        ("日*", "日*"),
        ("gpt-4*", "gpt-4*"),
        ("and", "and"),
        ('"and" b', '"and" OR b'),
        ("title:and b", "title:and OR b"),
        ("c++ c#", "c++ OR c#"),
    ],
)
def test_each_form_has_one_meaning(query: str, means: str) -> None:
    tree = parse_query(query)
    assert to_text(tree) == means
    assert parse_query(means) == tree


@pytest.mark.parametrize(
    ("query", "position", "said"),
    [
        ("", 0, "empty"),
        ("  ", 0, "empty"),
        ("a OR NOT b", 0, "did you mean a AND NOT b?"),
        ("a OR c OR NOT b", 0, "did you mean (a OR c) AND NOT b?"),
        ("-a", 0, "leave out"),
        ("NOT a NOT b", 0, "leave out"),
        ("NOT a", 0, "nearly everything"),
        ("NOT a OR NOT b", 0, "nearly everything"),
        ("(NOT a) b", 0, "did you mean b AND NOT a?"),
        ("NOT (a AND b)", 0, "nearly everything"),
        ("x (a OR b", 2, "never closed; expected )"),
        ("a )", 2, "nothing opens"),
        ("()", 1, "expected a word"),
        ('title:"x', 6, "quote is never closed"),
        ("colour:red", 0, "expected title:, summary:, author:, category:, source:"),
        ("http://x.example.org", 0, "put it in quotes"),
        (":x", 0, "needs a field"),
        ("title:x:y", 6, "colon"),
        ("title: x", 6, "no space after the colon"),
        ("title:", 6, "ends too soon"),
        ("title:NOT a", 6, "after its colon"),
        ("title:title:a", 6, "one field is enough"),
        ("title:(a author:b)", 9, "a second field"),
        ("a AND -b", 6, "AND NOT"),
        ("NOT -b", 4, "AND NOT"),
        ("a OR -b", 5, "AND NOT"),
        ("- a", 0, "no space after the minus"),
        ("--a", 1, "cannot stand here"),
        ("a OR", 2, "both sides"),
        ("OR a", 0, "both sides"),
        ("a OR OR b", 5, "one OR"),
        ("a AND", 5, "ends too soon"),
        ("a AND AND b", 6, "both sides"),
        ("a and b", 2, "write AND"),
        ("a Not b", 2, "write NOT"),
        ("a^200", 1, "out of range"),
        ("a^0", 1, "out of range"),
        ("a^2.555", 1, "two decimals"),
        ("a^x", 1, "is no weight"),
        ("a ^2", 2, "no space before ^"),
        ("^2", 0, "follows a word"),
        ("(a b)^2", 5, "not brackets"),
        ("a*", 1, "at least 2 letters"),
        ('"a model s*"', 10, "at least 2 letters"),
        ('"ab c *"', 6, "at least 2 letters"),
        ("a*b", 1, "end of a word"),
        ("*ab", 0, "end of a word"),
        ('"--"', 1, "nothing to search for"),
        ("mamba %", 6, "nothing to search for"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(
    query: str, position: int, said: str
) -> None:
    with pytest.raises(QueryError) as caught:
        parse_query(query)
    assert said in caught.value.reason
    assert caught.value.position == position
    assert caught.value.query == query


def test_nobody_writes_by_the_yard() -> None:
    with pytest.raises(QueryError, match="longer than"):
        parse_query("a " * MAX_LENGTH)
    with pytest.raises(QueryError, match="brackets within"):
        parse_query("(" * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1))
    deep = parse_query("(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH)
    assert to_text(deep) == "a"
    assert to_text(parse_query("NOT " * 2000 + "a")) == "a"


@given(st.text(alphabet='ab "()-:^*NOTANDR', max_size=40))
def test_any_text_is_a_tree_or_refused_with_a_place_in_it(query: str) -> None:
    tree: Query | None = None
    position = 0
    try:
        tree = parse_query(query)
    except QueryError as error:
        position = error.position
    assert 0 <= position <= len(query)
    if tree is not None:
        assert not is_true_of_nothing(tree)
        assert parse_query(to_text(tree)) == tree


words = st.sampled_from(["ant", "bee", "cat", "dog"])
terms = st.builds(
    lambda word, prefix, field: Term(
        text=f"{word}*" if prefix else word, tokens=(word,), prefix=prefix, field=field
    ),
    words,
    st.booleans(),
    st.sampled_from([None, *Field]),
)


def joined(children: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    several = st.lists(children, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        several.map(lambda operands: And(operands=operands)),
        several.map(lambda operands: Or(operands=operands)),
        children.map(lambda operand: Not(operand=operand)),
    )


trees = st.recursive(terms, joined, max_leaves=8)


@given(trees)
def test_a_tree_survives_json(tree: Query) -> None:
    assert tree_from_json(tree_to_json(tree)) == tree


@given(trees)
def test_a_tree_written_out_is_read_back_as_the_same_truth(tree: Query) -> None:
    if is_true_of_nothing(tree):
        with pytest.raises(QueryError):
            parse_query(to_text(tree))
        return
    again = parse_query(to_text(tree))
    for true in ((), ("ant",), ("bee", "cat"), ("ant", "bee", "cat", "dog")):
        assert truth(again, true) == truth(tree, true)


def truth(tree: Query, true: tuple[str, ...]) -> bool:
    if isinstance(tree, Term):
        return tree.tokens[0] in true
    if isinstance(tree, Not):
        return not truth(tree.operand, true)
    values = [truth(operand, true) for operand in tree.operands]
    return all(values) if isinstance(tree, And) else any(values)


@pytest.mark.parametrize(
    "value",
    [
        None,
        3,
        "x",
        [],
        ["or"],
        ["xor", tree_to_json(parse_query("a"))],
        {"tokens": 1, "field": None},
    ],
)
def test_what_is_no_tree_is_not_read_as_one(value: Any) -> None:  # noqa: ANN401 - what json gives
    with pytest.raises((ValueError, KeyError)):
        tree_from_json(value)


def test_positive_terms_stand_under_an_even_number_of_nots() -> None:
    tree = parse_query("a AND NOT (b AND NOT c) -d")
    assert [term.text for term in positive_terms(tree)] == ["a", "c"]


def test_a_caret_and_the_query_stand_in_the_message() -> None:
    with pytest.raises(QueryError, match=r"at character 7 of 'title:\"x'"):
        parse_query('title:"x')


def test_matching_without_a_query_to_parse_needs_no_lark() -> None:
    code = "import sys, newsletter.matching; print('lark' in sys.modules)"
    out = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert out.strip() == "False"
