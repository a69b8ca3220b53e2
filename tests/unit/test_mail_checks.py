"""The checks that every mail of corpus days meets: each finds what it is for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from newsletter.assembling import assemble
from newsletter.rendering import load_renderer
from tests.support.issues import issue, several
from tests.support.mail_checks import Mail, findings, read

RENDERER = load_renderer("default", folders=())
MARK = "let go of what it no longer needs"


@pytest.fixture(scope="module")
def sound() -> Mail:
    return read(assemble(issue(several()[:4]), renderer=RENDERER).content)


def test_a_sound_mail_has_no_finding(sound: Mail) -> None:
    assert MARK in sound.html
    assert MARK in " ".join(sound.text.split())
    assert list(findings(sound)) == []


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("{{ issue.title }}", "template in the HTML"),
        ("{% if x %}", "template in the HTML"),
        ("&lt;mj-text&gt;", "template in the HTML"),
        (r"a bound of $\mathcal{O}(n)$ here", "TeX in the HTML"),
        (r"an \emph{aside}", "TeX in the HTML"),
        ("x_{ij} of it", "TeX in the HTML"),
        ("AT&amp;amp;T", "entity in the HTML"),
        ("&amp;#8217;", "entity in the HTML"),
        ('<img alt="" src="https://example.org/x.png">', "asks somebody"),
        ('<p style="background:url(https://example.org/x)">', "asks somebody"),
        ('<a href="https://example.org/more">more</a>', "links differ"),
        ("x" * 100_000, "HTML of"),
    ],
)
def test_what_is_put_into_the_html_is_found(
    sound: Mail, damage: str, found: str
) -> None:
    (said, *more) = findings(replace(sound, html=sound.html.replace(MARK, damage)))
    assert said.startswith(found)
    assert not more


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("{{ card.title }}", "template in the text"),
        (r"\textbf{so}", "TeX in the text"),
        ("fish &amp; chips", "entity in the text"),
        ("see\nhttps://example.org/else\n", "links differ"),
    ],
)
def test_what_is_put_into_the_text_is_found(
    sound: Mail, damage: str, found: str
) -> None:
    (said,) = findings(replace(sound, text=f"{damage}\n{sound.text}"))
    assert said.startswith(found)


@pytest.mark.parametrize(
    "prose",
    [
        r"a path like C:\1 or a regex \d+",
        "it costs $5 or $20, and {{ is how Jinja begins",
        "R&D; a_b and snake_case, x^2",
        "src= and url( are words here &lt;img&gt;",
    ],
)
def test_prose_that_only_looks_like_it_is_left_alone(sound: Mail, prose: str) -> None:
    assert list(findings(replace(sound, html=sound.html.replace(MARK, prose)))) == []
