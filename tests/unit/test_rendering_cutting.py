from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.rendering.addresses import contact_url, leave_mailto, safe_url
from newsletter.rendering.cutting import Run, clean, cut, plain, runs
from newsletter.rendering.text import columns, wrap


def test_a_short_text_is_whole() -> None:
    assert cut("two words", 9) == "two words"


def test_a_long_text_ends_before_a_word_with_an_ellipsis() -> None:
    assert cut("one two three", 9) == "one two…"
    assert cut("one two three", 7) == "one two…"


def test_a_long_word_is_cut_within() -> None:
    assert cut("abcdefghij", 4) == "abcd…"


def test_no_break_spaces_hold() -> None:
    assert cut("it costs 28.82\u00a0% of all", 15) == "it costs…"


def test_a_character_keeps_its_marks() -> None:
    assert cut("abcde\u0301\u0301f", 6) == "abcd…"
    assert cut("abc\N{WOMAN}\u200d\N{PERSONAL COMPUTER}x", 5) == "abc…"


def test_nothing_is_left_at_limit_zero() -> None:
    assert runs("text", ((0, 4),), 0) == ()
    assert cut("text", 0) == ""


def test_places_tell_runs_apart() -> None:
    assert runs("a mamba b", ((2, 7),), 99) == (
        Run(text="a "),
        Run(text="mamba", hit=True),
        Run(text=" b"),
    )


def test_a_cut_never_halves_a_highlight() -> None:
    text = "some words and state space models"
    assert runs(text, ((15, 26),), 22) == (Run(text="some words and"), Run(text="…"))


def test_a_highlight_longer_than_the_text_is_halved_after_all() -> None:
    assert runs("x" * 30, ((0, 30),), 10) == (
        Run(text="x" * 10, hit=True),
        Run(text="…"),
    )


def test_places_after_the_cut_are_left_out() -> None:
    assert plain(runs("one two three", ((8, 13),), 7)) == "one two…"


@given(
    st.text(max_size=120),
    st.lists(st.integers(0, 120), max_size=8, unique=True),
    st.integers(1, 100),
)
def test_runs_are_the_text_up_to_the_cut(
    text: str, offsets: list[int], limit: int
) -> None:
    edges = sorted(min(offset, len(text)) for offset in offsets)
    places = list(zip(edges[::2], edges[1::2], strict=False))
    found = plain(runs(text, places, limit)).removesuffix("…")
    assert clean(text).startswith(found) or found in clean(text)
    assert len(found) <= limit


@given(st.text())
def test_clean_text_is_one_encodable_line(text: str) -> None:
    found = clean(text)
    found.encode()
    assert len(found.splitlines()) <= 1


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.org/a?b=c&d#e", "https://example.org/a?b=c&d#e"),
        (" http://example.org ", "http://example.org"),
        ("HTTPS://example.org/x y", "https://example.org/x%20y"),
        ("https://example.org/naïve", "https://example.org/na%C3%AFve"),
        ("https://bücher.example.org/ü", "https://xn--bcher-kva.example.org/%C3%BC"),
        ("https://example.org/%20%zz", "https://example.org/%20%zz"),
        ('https://example.org/"><b>', "https://example.org/%22%3E%3Cb%3E"),
        ("https://[2001:db8::1]:8080/", "https://[2001:db8::1]:8080/"),
        ("mailto:a@example.org?subject=x y", "mailto:a@example.org?subject=x%20y"),
        ("mailto:nobody", None),
        ("mailto://a@example.org", None),
        ("javascript:alert(1)", None),
        ("JaVaScRiPt:alert(1)", None),
        ("java\nscript:alert(1)", None),
        ("data:text/html,x", None),
        ("//example.org/x", None),
        ("/x", None),
        ("https:///x", None),
        ("https:example.org", None),
        ("https://user@example.org/", None),
        ("https://good.example\\@evil.example/", None),
        ("https://exa mple.org/", None),
        ("https://[broken/", None),
        ("https://" + "ü" * 80 + ".example/", None),
        ("https://example.org/" + "x" * 3000, None),
        ("https://example.org/\ud800", None),
        ("", None),
        (None, None),
    ],
)
def test_only_plain_web_and_mail_links_pass(url: str | None, safe: str | None) -> None:
    assert safe_url(url) == safe


def test_a_contact_may_be_a_page_or_an_address() -> None:
    assert contact_url("https://example.org/") == "https://example.org/"
    assert contact_url("us@example.org") == "mailto:us@example.org"
    assert contact_url(None) is None
    assert leave_mailto(None) is None


def test_wide_characters_take_two_columns_and_marks_none() -> None:
    assert columns("ab") == 2
    assert columns("大e\u0301") == 3


def test_lines_are_wrapped_and_indented() -> None:
    found = wrap("word " * 30, 4, "1.")
    assert found.startswith("1.  word")
    assert {len(line) for line in found.splitlines()} <= set(range(79))
    assert found.splitlines()[1].startswith("    word")


def test_a_link_is_never_broken() -> None:
    url = "https://example.org/" + "x" * 200
    assert wrap(f"Paper: {url}", 4) == f"    Paper:\n    {url}"
    assert wrap("") == ""


@given(st.text(st.characters(codec="utf-8"), max_size=400), st.integers(0, 8))
def test_no_line_is_wider_than_a_terminal(text: str, indent: int) -> None:
    wrapped = wrap(text, indent)
    for line in wrapped.split("\n"):
        assert columns(line) <= 78 or re.search("https?://|mailto:", line)
    assert "".join(wrapped.split()) == "".join(text.split())
