"""Where keys stand in a TOML document."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from newsletter.config.places import Path, lines_of

TEXT = '''# a comment with = and [brackets]
top = 1

[table]            # with a comment
plain = "a # no comment"
"quoted key" = 'x'
'literal' = 2
dotted.inner = 3
several = [
  "one, with ] and \\" inside",   # and a comment ]
  'two',

  { query = "three", name = """
over lines""", deep = [ 1,
    2 ] },
]
long = """
[not.a.table]
key = 1
"""
raw = \'\'\'
x = 1\'\'\'
empty = []
none = {}
date = 1979-05-27 07:32:00

[[list]]
name = "first"

[list.below]
x = 1

[[list]]
name = "second"
[[list.inner]]
y = 1
[[list.inner]]
y = 2

[a.b]
c = 1
'''

EXPECTED = {
    ("top",): 2,
    ("table",): 4,
    ("table", "plain"): 5,
    ("table", "quoted key"): 6,
    ("table", "literal"): 7,
    ("table", "dotted"): 8,
    ("table", "dotted", "inner"): 8,
    ("table", "several"): 9,
    ("table", "several", 0): 10,
    ("table", "several", 1): 11,
    ("table", "several", 2): 13,
    ("table", "several", 2, "query"): 13,
    ("table", "several", 2, "name"): 13,
    ("table", "several", 2, "deep"): 14,
    ("table", "several", 2, "deep", 0): 14,
    ("table", "several", 2, "deep", 1): 15,
    ("table", "long"): 17,
    ("table", "raw"): 21,
    ("table", "empty"): 23,
    ("table", "none"): 24,
    ("table", "date"): 25,
    ("list",): 27,
    ("list", 0): 27,
    ("list", 0, "name"): 28,
    ("list", 0, "below"): 30,
    ("list", 0, "below", "x"): 31,
    ("list", 1): 33,
    ("list", 1, "name"): 34,
    ("list", 1, "inner"): 35,
    ("list", 1, "inner", 0): 35,
    ("list", 1, "inner", 0, "y"): 36,
    ("list", 1, "inner", 1): 37,
    ("list", 1, "inner", 1, "y"): 38,
    ("a", "b"): 40,
    ("a", "b", "c"): 41,
}


def paths(value: Any, at: Path = ()) -> Iterator[Path]:  # noqa: ANN401 - any TOML
    """Yield the place of everything within *value*."""
    if at:
        yield at
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, (*at, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from paths(inner, (*at, number))


def test_every_key_and_element_has_the_line_where_it_stands() -> None:
    assert dict(lines_of(TEXT)) == EXPECTED


def test_an_empty_document_has_no_lines() -> None:
    assert lines_of("") == {}
    assert lines_of("# nothing\n\n") == {}


def test_what_is_no_toml_ends_quietly() -> None:
    assert lines_of("a = 1\n= what\nb = 2\n") == {("a",): 1}
    for text in (
        "a = [1, 2",
        "a = {b = 1",
        "[a",
        "a",
        'a = "',
        "a = [",
        "a = [}",
        "[]",
    ):
        lines_of(text)


KEYS = st.text(alphabet="ab-_1 .é\"'", min_size=1, max_size=4)
VALUES = st.recursive(
    st.integers(0, 99) | st.booleans() | st.text(alphabet='a#]}\n"\\,', max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_whatever_is_written_every_place_in_it_is_found(
    document: dict[str, object],
) -> None:
    text = tomlkit.dumps(document)
    read = tomllib.loads(text)
    lines = lines_of(text)
    # A table that has only tables below it needs no header of its own.
    assert {place for place in paths(read) if not _is_implied(read, place)} <= set(
        lines
    )
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


def _is_implied(document: Any, place: Path) -> bool:  # noqa: ANN401 - any TOML
    value = document
    for part in place:
        value = value[part]
    return isinstance(value, dict)
