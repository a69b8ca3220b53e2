from __future__ import annotations

import pytest

from newsletter.web.frame import Scheme, framed, policy

QUERIES = (
    "@media (prefers-color-scheme: dark) { p { color: white } }"
    "@media screen and ( PREFERS-COLOR-SCHEME :light ) { p { color: black } }"
)


@pytest.mark.parametrize(
    ("scheme", "dark", "light"),
    [
        (Scheme.DARK, "(min-width:0px)", "(max-width:0px)"),
        (Scheme.LIGHT, "(max-width:0px)", "(min-width:0px)"),
    ],
)
def test_questions_about_colours_are_answered(
    scheme: Scheme, dark: str, light: str
) -> None:
    html = f"<head><style type='text/css'>{QUERIES}</style></head>"
    found = framed(html, scheme)
    assert f"@media {dark} {{ p {{ color: white" in found
    assert f"@media screen and {light} {{ p {{ color: black" in found
    picture = '<source media="(prefers-color-scheme: dark)" srcset="x">'
    assert f'media="{dark}"' in framed(picture, scheme)


def test_what_the_mail_supports_becomes_what_is_shown() -> None:
    html = (
        '<meta name="color-scheme" content="light dark">'
        "<style>:root { color-scheme: light dark; supported-color-schemes: light dark"
        " }</style>"
    )
    found = framed(html, Scheme.DARK)
    assert '<meta name="color-scheme" content="dark">' in found
    assert ":root { color-scheme: dark; supported-color-schemes: light dark }" in found


def test_text_that_speaks_of_colour_schemes_is_left_alone() -> None:
    text = "<p>(prefers-color-scheme: dark) and color-scheme: light dark;</p>"
    assert framed(text, Scheme.DARK) == text


def test_links_leave_the_frame_and_our_own_lead_nowhere() -> None:
    html = (
        '<html><head class="x"></head><a href="https://digest.example.org/u/t?a&amp;b">'
        'x</a><a href="https://example.org/u/t">y</a></html>'
    )
    dead = ["https://digest.example.org/u/t?a&b"]
    found = framed(html, Scheme.LIGHT, dead=dead)
    assert found.startswith('<html><head class="x"><base target="_blank"></head>')
    assert found.count('href="#"') == 1
    assert 'href="https://example.org/u/t"' in found
    assert "digest.example.org" not in found


def test_images_come_from_where_the_mail_has_them_and_nothing_else_does() -> None:
    html = (
        '<img alt="" src="https://img.example.org/a.png">'
        '<img src="https://img.example.org/b.png"><img src="data:image/png;base64,x">'
        "<style>p { background: url('https://cdn.example.org:8443/c.png') }</style>"
        '<img src="https://x;script-src%20*/d.png"><p>https://no.example.org/e.png</p>'
    )
    assert "img-src data: https://cdn.example.org:8443 https://img.example.org;" in (
        policy(html)
    )
    assert "img-src data:; " in policy("<p>nothing</p>")
    for part in ("default-src 'none'", "form-action 'none'", "base-uri 'none'"):
        assert part in policy(html)
