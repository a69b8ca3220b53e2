"""Values of JSON documents: texts, names, counts and times as APIs write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import ParseError
from newsletter.sources import rows

DAY = datetime(2026, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("2026-06-30", DAY),
        ("2026-6-30", DAY),
        ("2026/06/30", DAY),
        ("2026-06-30T02:00:00+02:00", DAY),
        (" 2026-06-30T00:00:00.000Z ", DAY),
        ([[2026, 6, 30]], DAY),
        ([2026, 6, 30], DAY),
        ({"date-parts": [[2026, 6, 30]]}, DAY),
        ({"date-parts": [[2026, 6, 1]], "date-time": "2026-06-30T00:00:00Z"}, DAY),
        (1782777600, DAY),
        (1782777600.0, DAY),
        (1782777600000, DAY),
        ("1782777600", DAY),
        ({"timestamp": 1782777600000}, DAY),
        # What does not say the day is no date.
        ([[None]], None),
        ([[]], None),
        ([[2026]], None),
        ([[2026, 6]], None),
        ([["2026", 6, 30]], None),
        ([[2026, 6, 31]], None),
        ([[[[[[2026, 6, 30]]]]]], None),
        ("2026", None),
        ("2026-06", None),
        ("2026-13-45", None),
        ("30 June", None),
        ("", None),
        (2026, None),
        (20260630, None),
        (10**400, None),
        (float("nan"), None),
        (float("inf"), None),
        (-1, None),
        (True, None),
        ({}, None),
        (None, None),
    ],
)
def test_a_date_is_read_however_it_is_written(value: Any, read: object) -> None:  # noqa: ANN401 - any JSON value
    assert rows.date_of(value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("A  title", "A title"),
        (["A title", "with a subtitle"], "A title with a subtitle"),
        ([None, "A", ["b"], 7], "A b 7"),
        ({"value": "A title"}, "A title"),
        ({"We": [0, 3], "know": [1], "what": [2]}, "We know what We"),
        ({"far": [10**9], "here": [-1, 0]}, "here"),
        ("<jats:title>Abstract</jats:title><jats:p><jats:bold>We</jats:bold>", "We"),
        ("<jats:title>Methods</jats:title><jats:p>So</jats:p>", "Methods So"),
        ("Growth of <i>E. coli</i> at 5 &lt; x", "Growth of E. coli at 5 < x"),
        ("<div><p>One.</p><ul><li>Two</li></ul></div>", "One. Two"),
        ("One<br>two<img src='https://example.org/t.gif'>", "One two"),
        ("Reasoning with <think> tokens", "Reasoning with <think> tokens"),
        ("if a <b and c> d", "if a <b and c> d"),
        ("<script>alert(1)</script>Safe", "Safe"),
        (True, ""),
        (None, ""),
        (float("nan"), ""),
        ({"other": "x"}, ""),
        ([[[[[["deep"]]]]]], ""),
    ],
)  # fmt: skip
def test_a_text_is_clean_whatever_holds_it(value: Any, read: str) -> None:  # noqa: ANN401 - any JSON value
    assert rows.text_of(value, most=1000) == read


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (["Ann Lee", "Bo Chen"], ("Ann Lee", "Bo Chen")),
        ([{"name": "Ann Lee"}, {"display_name": "Bo"}], ("Ann Lee", "Bo")),
        (
            [{"given": "Ann", "family": "Lee"}, {"family": "Po"}],
            ("Ann Lee", "Po"),
        ),
        ([{"name": "The Group", "given": "x"}], ("The Group",)),
        ("Kaur, M.; Shukla, A.", ("Kaur, M.", "Shukla, A.")),
        ("Ann Lee and Bo Chen", ("Ann Lee", "Bo Chen")),
        ([{}, 1.5, None], ("1.5",)),
        (None, ()),
    ],
)
def test_authors_are_read_as_strings_objects_or_one_string(
    value: Any,  # noqa: ANN401 - any JSON value
    names: tuple[str, ...],
) -> None:
    assert rows.people_of(value) == names


@pytest.mark.parametrize(
    ("value", "votes"),
    [
        (7, 7), (7.0, 7), (-3, 0), (10**12, 10**9), (True, None), ("7", None),
        (float("inf"), None), (None, None),
    ],
)  # fmt: skip
def test_votes_are_counts(value: object, votes: int | None) -> None:
    assert rows.votes_of(value) == votes


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"error": "no such paper"}, "no such paper"),
        ({"error": None, "message": "slow <b>down</b>"}, "slow down"),
        ({"errors": [{"message": "a"}, {"detail": "b"}, "c"]}, "a; b"),
        ({"error": {"message": "quota"}}, "quota"),
        ({"message": {"items": 1}}, ""),
        ({"items": 1}, ""),
        ([], ""),
    ],
)
def test_what_an_api_complains_of_is_found(document: object, said: str) -> None:
    assert rows.complaint_of(document) == said


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "an empty document"),
        (b" <!doctype html><title>x", "an HTML page"),
        (b"<rss/>", "XML"),
        (b"{1}", "no JSON \\(line 1, column 2"),
        (b"\xff\xfe", "not UTF-8"),
        (b"9" * 5000, "no JSON"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested too deep"),
        (b"[" * 1_000_000, "nested too deep"),
    ],
)
def test_what_is_no_json_is_said_to_be_what_it_is(body: bytes, says: str) -> None:
    with pytest.raises(ParseError, match=rf"{says}.*expected rows"):
        rows.json_of(body, expected="rows")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values)
def test_no_value_is_too_strange(value: object) -> None:
    rows.date_of(value)
    rows.votes_of(value)
    rows.text_of(value, most=100)
    rows.people_of(value)
    rows.names_of(value)
    rows.complaint_of(value)
    rows.kind_of(value)
