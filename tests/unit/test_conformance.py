"""Other readers' suites: how much of what they expect we read."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.conformance import (
    RULES,
    SUITES,
    Ours,
    Unit,
    agrees,
    in_order,
    judged,
    read_leniently_only,
    units,
)
from tests.support.conformance_page import assertions, feedparser_units, page

REPOSITORY = Path(__file__).resolve().parents[2]
FILE = "https://e.example.org/a.mp3"
PAGE = REPOSITORY / "docs" / "reference" / "conformance.md"


@pytest.fixture(scope="session")
def conformance(shared: Path) -> Path:
    return shared / "conformance"


@pytest.mark.parametrize("suite", SUITES)
def test_at_most_three_in_a_hundred_are_wrong(conformance: Path, suite: str) -> None:
    found = Counter(unit.verdict for unit in units(conformance, suite))
    assert sum(found.values()) >= 60
    assert found["wrong"] <= 0.03 * sum(found.values())


@pytest.mark.parametrize("suite", SUITES)
def test_the_lenient_reader_alone_is_not_much_worse(
    conformance: Path, suite: str
) -> None:
    reads = read_leniently_only
    found = Counter(unit.verdict for unit in units(conformance, suite, reads))
    assert found["wrong"] <= 0.05 * sum(found.values())


def test_feedparsers_own_cases_hold(conformance: Path) -> None:
    found = list(feedparser_units(conformance))
    wrong = [unit.file for unit in found if unit.verdict == "wrong"]
    assert len(found) > 400
    assert len(wrong) <= 0.02 * len(found), wrong


def test_the_page_of_figures_is_what_the_suites_say(conformance: Path) -> None:
    assert PAGE.read_text("utf-8") == page(conformance), (
        "write it anew: python -m tests.support.conformance_page"
    )


# --- the judge itself ---------------------------------------------------------------


def unit(field: str, expected: object) -> Unit:
    return Unit(suite="s", file="f", entry=0, field=field, expected=expected, ours=None)


@pytest.mark.parametrize(
    ("field", "expected", "ours", "verdict"),
    [
        ("title", "a &amp; b", Ours(title="a & b"), "agree"),
        ("title", "a", Ours(title="b"), "wrong"),
        ("title", "a", Ours(), "wrong"),
        (
            "title",
            "a",
            Ours(files=("https://e.example.org/a.mp3",)),
            "no-title-of-a-file",
        ),
        ("title", "b", Ours(files=("https://e.example.org/a.mp3",)), "wrong"),
        ("summary", "<p>x</p>", Ours(summary="x"), "agree"),
        ("date", "2026-05-04T06:00:00.5Z", Ours(), "wrong"),
        (
            "date",
            "2026-05-04T06:00:00.5Z",
            Ours(date=datetime(2026, 5, 4, 6, tzinfo=UTC)),
            "agree",
        ),
        (
            "date",
            "2026-05-04T06:00:01Z",
            Ours(date=datetime(2026, 5, 4, 6, tzinfo=UTC)),
            "wrong",
        ),
        ("link", "/a", Ours(link="http://feeds.example.org/a"), "agree"),
        ("link", "/a", Ours(link="http://feeds.example.org/b"), "wrong"),
        ("link", "/a", Ours(), "wrong"),
        ("link", "http://feeds.example.org/data/a", Ours(id="a"), "no-link-of-a-word"),
        ("link", "http://feeds.example.org/data/b", Ours(id="a"), "wrong"),
        ("id", "http://feeds.example.org/data/a", Ours(id="a"), "id-as-written"),
        ("id", "http://feeds.example.org/data/b", Ours(id="a"), "wrong"),
        ("id", "http://e.example.org/a", Ours(), "wrong"),
        (
            "id",
            "http://e.example.org/a",
            Ours(files=("http://e.example.org/a",)),
            "no-id-of-a-file",
        ),
        (
            "id",
            "http://e.example.org/a",
            Ours(id="b", files=("http://e.example.org/a",)),
            "wrong",
        ),
        ("authors", ["A and B"], Ours(authors=("A", "B")), "names-apart"),
        ("authors", ["A and B"], Ours(authors=("A",)), "wrong"),
        ("authors", "A and B", Ours(authors=("A", "B")), "agree"),
        ("categories", ["x"], Ours(categories=("x", "y")), "keywords"),
        ("categories", ["x"], Ours(categories=("y", "x")), "wrong"),
        ("categories", ["x", "y"], Ours(categories=("x",)), "wrong"),
    ],
)
def test_a_rule_explains_nothing_but_itself(
    field: str, expected: object, ours: Ours, verdict: str
) -> None:
    assert judged(unit(field, expected), ours).verdict == verdict
    assert agrees(field, expected, ours) == (verdict == "agree")


def test_there_are_few_rules() -> None:
    assert len(RULES) <= 12
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_order_is_mended_only_where_both_name_the_same() -> None:
    ours = [Ours(title="b"), Ours(title="a")]
    assert [o.title for o in in_order(ours, [{"title": "a"}, {"title": "b"}])] == [
        "a",
        "b",
    ]
    assert in_order(ours, [{"title": "a"}, {"title": "c"}]) == ours


def test_an_assertion_is_translated_or_left() -> None:
    source = "not bozo and entries[0]['title'] == 'a' and entries[1].id == u'b'"
    assert list(assertions(source)) == [(0, "title", "a"), (1, "id", "b")]
    assert list(assertions("feed['title'] == 'a'")) == []
    assert list(assertions("entries[0]['rights'] == 'a'")) == []
    assert list(assertions("len(entries) == 2")) == []
    assert list(assertions("no python at all")) == []
