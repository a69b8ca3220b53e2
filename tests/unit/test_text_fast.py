"""The fast ways through text say what the plain ones would."""

from __future__ import annotations

import gzip
import json
import re
from html import unescape
from pathlib import Path
from unicodedata import normalize

from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.text import clean_text, one_line
from newsletter.text.markup import (
    _CLEANER,
    _KEPT,
    _MATH,
    _SCRIPT,
    _TAG,
    _escape_unknown,
    _scripted,
    _space_of_block,
    from_html,
    from_prose,
)
from newsletter.text.plain import _BIDI, _DROPPED, _folded
from newsletter.text.tex import MAX_CHARS, _Reader, may_be_tex, unwind

_SIGNS = re.compile(r"[\\$^~`{}]|_\{|''|--")
_SPACE = re.compile(r"\s+")
#: What means something to TeX, and what merely stands between.
PIECES = st.sampled_from(
    [
        *"\\$^~{}_'`-&()[] ha1é",
        *("--", "---", "``", "''", "http://a.org/~b", "https://", "$x$", "text"),
        *("\\frac", "\\alpha", '\\"o', "\\(", "\\)", "\\[", "\\]", "^circ"),
    ]
)


class Plain(_Reader):
    """Reads TeX sign by sign."""

    __slots__ = ()

    def _plain(self, *, math: bool, depth: int) -> str:
        del math, depth
        return ""


def plainly(text: str) -> str:
    return normalize("NFC", Plain(text).read(math=False, depth=0))


@given(st.lists(PIECES, max_size=30).map("".join))
def test_tex_is_unwound_as_if_read_sign_by_sign(text: str) -> None:
    assert unwind(text) == (plainly(text) if _SIGNS.search(text) else text)


@given(st.lists(PIECES, max_size=30).map("".join))
def test_what_may_be_tex_has_one_of_its_signs(text: str) -> None:
    assert may_be_tex(text) == bool(_SIGNS.search(text))


@given(st.lists(PIECES, max_size=60).map("".join), st.integers(0, 60))
def test_deep_tex_is_unwound_as_if_read_sign_by_sign(text: str, depth: int) -> None:
    whole = "$\\frac{" + "{" * depth + text
    assert unwind(whole) == plainly(whole)


def test_real_abstracts_are_unwound_as_if_read_sign_by_sign(shared: Path) -> None:
    with gzip.open(shared / "corpus" / "papers.jsonl.gz", "rt", encoding="utf-8") as f:
        rows = [json.loads(line) for line in f][::8]
    for row in rows:
        for text in (row["title"], row["abstract"]):
            if len(text) < MAX_CHARS and may_be_tex(text):
                assert unwind(text) == plainly(text)


@example(" \n ")
@given(st.text())
def test_white_space_is_folded_as_by_an_expression(text: str) -> None:
    assert _folded(text) == _SPACE.sub(" ", text)
    assert clean_text(text) == clean_text(text).strip()


@given(st.text(st.characters(categories=["L", "M", "Z", "Cc", "Cf", "Cn", "Co"])))
def test_one_line_is_what_the_expressions_make_of_it(text: str) -> None:
    said = _SPACE.sub(" ", _DROPPED.sub("", text))
    if not _BIDI.search(said):
        assert one_line(text) == normalize("NFC", said).strip()


def test_what_can_be_printed_needs_no_second_look() -> None:
    printable = [c for c in map(chr, range(0x110000)) if c.isprintable()]
    assert not [c for c in printable if _DROPPED.match(c) or _BIDI.match(c)]
    assert [c for c in printable if _SPACE.match(c)] == [" "]


#: What HTML, near-HTML and prose consist of.
TAGS = st.sampled_from(
    [
        *("<p>", "</p>", "<b>", "</B>", "<SUP>2</SUP>", "<sub>i", "</sub>", "<br/>"),
        *("<think>", "</think>", "<math>", "<mi>x</mi>", "<mn", "</semantics>", "<T>"),
        *("<script>", "</script>", "<a href='x<y'>", "< b", "<1", "<!-- ", "-->"),
        *("&lt;p&gt;", "&amp;lt;", "&nbsp;", "a", " ", "\n", "é", "<", ">", "<p"),
    ]
)


@given(st.lists(TAGS, max_size=30).map("".join))
def test_html_without_foreign_tags_is_read_as_any_other(raw: str) -> None:
    tags = _TAG.sub(_escape_unknown, _MATH.sub("", raw))
    scripted = _SCRIPT.sub(_scripted, _CLEANER.clean(tags))
    assert from_html(raw) == from_prose(unescape(_KEPT.sub(_space_of_block, scripted)))
