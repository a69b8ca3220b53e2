"""What is read of a mail's HTML: colours, rules, and how well texts stand out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.rendering.judging.colours import contrast, is_colour, rgb
from newsletter.rendering.judging.document import elements
from newsletter.rendering.judging.legible import Faint, faint
from newsletter.rendering.judging.reading import read
from newsletter.rendering.judging.tracing import traced
from newsletter.rendering.templates import environment

BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def faint_in(html: str) -> list[Faint]:
    env = environment({"body.html.j2": html})
    part = traced(env.get_template("body.html.j2"), {}, lines={}, largest=10**6)
    return list(faint(read(part)))


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast(BLACK, WHITE) == pytest.approx(21)
    assert contrast(WHITE, BLACK) == pytest.approx(21)
    # The usual example: the lightest grey that passes on white.
    assert contrast((0x76, 0x76, 0x76), WHITE) == pytest.approx(4.54, abs=0.01)
    assert contrast((0x77, 0x77, 0x77), WHITE) < 4.5


@given(st.tuples(*[st.integers(0, 255)] * 3), st.tuples(*[st.integers(0, 255)] * 3))
def test_contrast_is_mutual_and_within_bounds(
    one: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    assert contrast(one, other) == contrast(other, one)
    assert 1 <= contrast(one, other) <= 21.01


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("#fff", WHITE),
        ("#1B1A18", (0x1B, 0x1A, 0x18)),
        ("Black", BLACK),
        ("rgb(1, 2, 3)", (1, 2, 3)),
        ("rgba(1, 2, 3, 1)", (1, 2, 3)),
        ("rgba(1, 2, 3, 0.5)", None),
        ("transparent", None),
        ("#12345", None),
        ("infrared", None),
    ],
)
def test_colours_are_read_as_css_writes_them(
    text: str, found: tuple[int, int, int] | None
) -> None:
    assert rgb(text) == found
    assert is_colour("transparent")
    assert not is_colour("#12345")


SHEET = "<style>@media (prefers-color-scheme: dark) {{ {} }}</style>"


def styled(style: str, inner: str) -> str:
    return f"<div style='{style}'>{inner}</div>"


def on_white(inner: str) -> str:
    return styled("background:#fff", inner)


def text(style: str, tag: str = "p") -> str:
    return f"<{tag} style='{style}'>x</{tag}>"


def sheet(rules: str, html: str) -> str:
    return f"<style>{rules}</style>{html}"


GREY = text("color:#777")
HIDDEN = styled("display:none", text("color:#fff"))


@pytest.mark.parametrize(
    ("html", "is_faint"),
    [
        (GREY, False),
        (on_white("<p>x</p>"), False),
        (on_white(GREY), True),
        (f"<td bgcolor='#ffffff'>{GREY}</td>", True),
        (on_white(text("color:#767676")), False),
        (on_white(text("color:#888;font-size:24px")), False),
        (on_white(text("color:#888;font-size:19px")), True),
        (on_white(text("color:#888;font-size:19px", "b")), False),
        (on_white(text("color:#888;font-size:19px;font-weight:700")), False),
        (on_white(text("color:#fff;display:none")), False),
        (on_white(HIDDEN), False),
        (styled("background:linear-gradient(#fff,#000)", GREY), False),
        (sheet(".a > p { color: #777 }", on_white("<p>x</p>")), False),
        (sheet("div > p { color: #777 }", on_white("<p>x</p>")), True),
        (sheet("div > p { color: #777 }", on_white("<i><p>x</p></i>")), False),
        (sheet("div p { color: #777 }", on_white("<i><p>x</p></i>")), True),
        (sheet(".b { color: #777 }", on_white("<p class='a b'>x</p>")), True),
        (
            sheet(
                "p.b { color: #000 } p { color: #777 }", on_white("<p class=b>x</p>")
            ),
            False,
        ),
        (sheet("p { color: #000 }", on_white(GREY)), True),
        (sheet("p { color: #000 !important }", on_white(GREY)), False),
        (sheet("@media print { p { color: #fff } }", on_white("<p>x</p>")), False),
        (sheet("/* p { color: #fff } */", on_white("<p>x</p>")), False),
    ],
)
def test_only_what_is_stated_is_judged(html: str, *, is_faint: bool) -> None:
    assert [one.text for one in faint_in(html)] == ["x"] * is_faint


def test_dark_mode_is_judged_by_its_own_rules() -> None:
    html = "<div class='a' style='background:#fff;color:#000'>x</div>"
    good = ".a { background: #111 !important; color: #eee !important; }"
    forgotten = ".a { background: #111 !important; }"
    assert faint_in(SHEET.format(good) + html) == []
    (found,) = faint_in(SHEET.format(forgotten) + html)
    assert (found.is_dark, found.background, found.colour) == (True, "#111", "#000")
    # Without !important, what stands in the element wins.
    assert faint_in(SHEET.format(".a { color: #fff }") + html) == []


def test_selectors_that_are_not_understood_are_left_out() -> None:
    html = "<div style='background:#fff'><p>x</p></div>"
    for selector in ("p:hover", "p[lang]", "p + p", "u + #body p", "@page"):
        assert faint_in(f"<style>{selector} {{ color: #fff }}</style>{html}") == []


def test_elements_have_the_line_that_the_author_wrote() -> None:
    source = (
        '{% import "a" as a %}\n<mjml>\n{#\n\n#}<mj-body>\n{% if a <\n b %}\n'
        '<mj-section\n  padding="{{ x\n }}px"\n  css-class="a" />{% endif %}\n'
        "<mj-raw><p>\n<mj-foo></p></mj-raw>\n<!-- <mj-bar> -->\n</mj-body></mjml>"
    )
    found = {(e.name, e.parent): e for e in elements(source)}
    assert [(e.name, e.line) for e in found.values()] == [
        ("mjml", 2),
        ("mj-body", 5),
        ("mj-section", 8),
        ("mj-raw", 12),
    ]
    section = found["mj-section", "mj-body"]
    assert [(a.name, a.line) for a in section.attributes] == [
        ("padding", 9),
        ("css-class", 11),
    ]
