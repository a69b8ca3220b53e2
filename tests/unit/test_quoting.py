from __future__ import annotations

import codecs

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.quoting import LINE, Segment, encode, quoted_printable
from tests.support.plain_mail import plain_body

#: What lines, escapes and soft breaks are made of, and what no mail may hold.
PIECES = st.sampled_from(
    (
        *("\n", "\r\n", "\r", "=", " ", "\t", ".", "ü", "大", "\N{ROCKET}", "\x00"),
        *("\x85", "\u2028", "\ud800", "\uffff", "a" * 70, "b" * 6, "=" * 25, "From "),
    )
)
PARTS = st.lists(st.lists(PIECES, max_size=12).map("".join), max_size=8)


def of(parts: list[str]) -> bytes:
    return b"".join(quoted_printable(parts))


def segment(text: str) -> str:
    return text if "\r" in text else Segment(text.replace("\ud800", ""))


@settings(max_examples=400)
@given(PARTS, st.lists(st.booleans(), min_size=8, max_size=8))
@example(["a\nb\nc", "d\n", "e"], [True] * 8)
@example([""], [True] * 8)
@example(["\n\n", "\n"], [True] * 8)
def test_joined_parts_are_what_the_email_package_makes_of_the_whole(
    parts: list[str], shared: list[bool]
) -> None:
    mixed = [
        segment(part) if is_shared else part
        for part, is_shared in zip(parts, shared, strict=False)
    ]
    assert of(mixed) == plain_body("".join(mixed))


@pytest.mark.parametrize("end", ["", " ", "\t", "=", "ü", "大", " \t"])
@pytest.mark.parametrize("length", [*range(70, 84), *range(148, 164), 998, 20_000])
def test_long_lines_break_where_the_email_package_breaks_them(
    length: int, end: str
) -> None:
    for text in ("x" * length + end, "=" * length + end, "ü" * length + end):
        assert of([text]) == plain_body(text)
        assert max(map(len, of([text]).split(b"\r\n"))) <= LINE


def test_a_segment_is_its_text_and_knows_its_lines() -> None:
    one = Segment("ends = here\na whole ü line\nanother\ngoes on")
    assert one == "ends = here\na whole ü line\nanother\ngoes on"
    assert str(one) is one
    assert (one.head, one.tail) == ("ends = here\n", "goes on")
    assert one.lines == b"a whole =C3=BC line\r\nanother\r\n"
    assert one.size == len(one.encode()) == len(one) + 1


def test_a_segment_on_one_line_has_no_lines() -> None:
    one = Segment("within a line")
    assert (one.head, one.lines, one.tail) == ("within a line", b"", "")


def test_a_line_that_is_encoded_again_is_looked_up() -> None:
    shared = Segment("ends\nwhole\nbegins")
    assert of(["a ", shared, " z"]) == of(["a ", shared, " z"])
    assert of(["a" * 9000, shared]) == plain_body("a" * 9000 + shared)


def test_the_handler_of_what_is_not_ascii_is_for_encoding_alone() -> None:
    assert encode("ü") == b"=C3=BC"
    with pytest.raises(UnicodeDecodeError):
        codecs.decode(b"\xff", "ascii", "newsletter.quoting")
