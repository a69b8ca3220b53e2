"""A mail as one file for anybody."""

from __future__ import annotations

import re

import pytest

from newsletter.web.copies import single_file
from newsletter.web.frame import Scheme


@pytest.mark.parametrize(
    "html",
    [
        '<img src="https://example.org/a.png" alt="A">',
        "<img alt='A' src='https://example.org/a.png' srcset='//example.org/b 2x'>",
        "<IMG SRC=https://example.org/a.png>",
        '<table background="https://example.org/a.png">',
        '<video poster="https://example.org/a" src="https://example.org/b">',
        '<link rel="stylesheet" href="https://example.org/a.css">',
        '<p style="background:url(https://example.org/a.png)">',
        '<p style="background:url(&quot;https://example.org/a.png&quot;)">',
        "<style>@import 'https://example.org/a.css'; p{}</style>",
        "<style>@font-face{src:url( 'https://example.org/f' )}</style>",
        '<object data="https://example.org/a">',
    ],
)
def test_nothing_is_loaded_when_it_is_opened(html: str) -> None:
    copy = single_file(f"<html><head></head><body>{html}</body></html>")
    assert "example.org" not in copy
    assert copy.index("Content-Security-Policy") < copy.index("<body>")
    assert "default-src 'none'" in copy


def test_links_stay_and_open_elsewhere() -> None:
    copy = single_file('<head></head><a href="https://example.org/x">x</a>')
    assert '<a href="https://example.org/x">' in copy
    assert '<base target="_blank">' in copy


def test_links_that_act_for_the_reader_lead_nowhere() -> None:
    copy = single_file(
        '<head></head><a href="https://nowhere.invalid/">Leave</a>',
        dead=("https://nowhere.invalid/",),
    )
    assert "nowhere.invalid" not in copy
    assert re.search(r'<a href="#"[^>]*>Leave</a>', copy)


def test_an_image_inside_the_mail_stays() -> None:
    assert 'src="data:image/png;base64,AA"' in single_file(
        '<head></head><img src="data:image/png;base64,AA">'
    )


def test_it_has_the_colours_that_are_asked_for_or_all() -> None:
    html = "<head><style>@media (prefers-color-scheme: dark){p{}}</style></head>"
    assert "prefers-color-scheme" in single_file(html)
    assert "min-width:0px" in single_file(html, scheme=Scheme.DARK)
