"""What the preview warns of."""

from __future__ import annotations

import pytest

from newsletter.assembling import assemble
from newsletter.rendering import load_renderer
from newsletter.web import sights
from newsletter.web.checks import CLIPPED_AT, HEAVY_AT, NAMED, Checks, Grade, check
from newsletter.web.clients import STYLES, TAGS
from tests.support.issues import hostile, issue, rich


def looked(html: str) -> Checks:
    return check(html, text="", whole=0)


def warnings(html: str) -> list[str]:
    return [r.what for r in looked(html).remarks if r.grade is Grade.WARNING]


def test_our_own_theme_has_no_warning() -> None:
    made = assemble(
        issue([rich(), rich()]), renderer=load_renderer("default", folders=())
    )
    mail = sights.mail_of(made.content)
    checks = check(mail.html, text=mail.text, whole=mail.size)
    assert checks.warnings == 0
    assert {feature.is_harmless for feature in checks.features} == {True}
    assert checks.weight.whole == len(made.content)
    assert checks.weight.html == len(mail.html.encode())


def test_hostile_entries_bring_warnings_and_no_faults() -> None:
    made = assemble(
        issue([hostile()] * 3), renderer=load_renderer("default", folders=())
    )
    mail = sights.mail_of(made.content)
    assert check(mail.html, text=mail.text, whole=mail.size).weight.share >= 0


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (HEAVY_AT - 1, []),
        (HEAVY_AT, ["heavy: 88 %"]),
        (CLIPPED_AT - 1, ["heavy: 100 %"]),
        (CLIPPED_AT, ["Gmail cuts this mail"]),
    ],
)
def test_weight_is_warned_of_before_gmail_cuts(size: int, words: list[str]) -> None:
    said = warnings("é" * (size // 2) + "x" * (size % 2))
    assert len(said) == len(words)
    assert all(word in text for word, text in zip(words, said, strict=True))


def test_images_without_alternative_text_are_named() -> None:
    images = "".join(f"<img src='https://example.org/{n}.png'>" for n in range(7))
    found = looked(f'{images}<img alt="" src="https://example.org/a.png">')
    (remark,) = [r for r in found.remarks if r.grade is Grade.WARNING]
    assert "Without alternative text: 7 images" in remark.what
    assert remark.places[0] == "https://example.org/0.png"
    assert remark.places[NAMED] == "and 2 more"
    notes = [r.what for r in found.remarks if r.grade is Grade.NOTE]
    assert any("From elsewhere: 8 images" in note for note in notes)


def test_addresses_without_tls_are_named() -> None:
    html = '<a href="HTTP://example.org/a">a</a><a href="https://example.org">b</a>'
    (said,) = warnings(html)
    assert said.startswith("Not over https: 1 address.")


@pytest.mark.parametrize(
    ("html", "name"),
    [
        ('<div style="display:flex">', "display: flex"),
        ('<p style="color:red; position : absolute">', "position"),
        ("<style>p{background-image:url(x)}</style>", "background-image"),
        ("<style>@import 'x';</style>", "@import"),
        ('<p style="color:var(--x)">', "custom properties"),
        ("<form action=x>", "<form>"),
        ("<svg/>", "<svg>"),
        ('<img alt="" src="data:image/png;base64,AA">', "an image inside the mail"),
        ('<img alt="" src="https://example.org/a.webp?x">', "WebP or AVIF"),
    ],
)
def test_what_programs_do_not_know_is_named(html: str, name: str) -> None:
    found = looked(html)
    harmful = [f.name for f in found.features if not f.is_harmless]
    assert any(each.startswith(name) for each in harmful)
    assert any("do not know" in r.what for r in found.remarks)


@pytest.mark.parametrize(
    "html",
    [
        "<p>display:flex is a property, <code>&lt;form&gt;</code> an element</p>",
        '<p title="position:absolute">',
        '<p style="background-position:0 0; overflow-wrap:anywhere; caption-side:x">',
        "<!-- <form> <svg> -->",
        "<!--[if mso]><svg></svg><p style='position:fixed'><![endif]-->",
        '<p style="display:inline-block">',
    ],
)
def test_what_only_looks_like_it_is_not(html: str) -> None:
    assert looked(html).features == ()


def test_what_is_plainer_elsewhere_is_no_warning() -> None:
    found = looked("<style>p{border-radius:3px} @media (min-width:1px){}</style>")
    assert found.warnings == 0
    assert [f.name for f in found.features] == ["@media", "border-radius"]


def test_dark_colours_alone_are_not_told_as_media_queries_too() -> None:
    (only,) = looked("<style>@media (prefers-color-scheme:dark){p{}}</style>").features
    assert only.name.startswith("dark colours")


def test_each_feature_names_who_and_what_instead() -> None:
    features = (*STYLES, *TAGS)
    assert len({feature.name for feature in features}) == len(features)
    assert all(feature.ignored_by and feature.instead for feature in features)
