"""What mail programs do not show: a small table of the commonest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from newsletter.rendering.judging.reading import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Unshown:
    """One use of something that many readers will not see."""

    what: str
    cure: str
    #: Into the text of the mail.
    offset: int


_ELEMENTS = {
    "svg": "take an image with alt text, or a letter such as &#9650;",
    "form": "link to a page that has the form",
    "input": "link to a page that has the form",
    "video": "link a picture of it to the page that plays it",
    "audio": "link to the page that plays it",
    "canvas": "take an image with alt text",
    "iframe": "link to that page",
    "object": "link to what it shows",
    "embed": "link to what it shows",
    "link": "say it with mj-style: style sheets from elsewhere are not loaded",
}
#: A pattern over one declaration -> what it is, what to do instead.
_STYLES = (
    (r"position:\s*(absolute|fixed|sticky)", "position", "order the elements as shown"),
    (r"display:\s*(inline-)?flex", "display: flex", "take columns of MJML"),
    (r"display:\s*(inline-)?grid", "display: grid", "take columns of MJML"),
    (r"var\(", "var()", "write the value itself"),
    (r"float:\s*(left|right)", "float", "take columns of MJML, or align"),
    (r"background(-image)?:[^;]*url\(", "a background image", "take a colour"),
    (r"background(-image)?:[^;]*gradient\(", "a gradient", "take one colour"),
    (r"(?<![\w-])transform:", "transform", "do without"),
    (r"(?<![\w-])animation(-name)?:", "animation", "do without"),
    (r"(?<![\w-])filter:", "filter", "do without"),
    (r"@import", "@import", "write the rules here: nothing is loaded"),
    (r"@font-face", "@font-face", "name fonts that readers have"),
    (r"calc\(", "calc()", "write the value itself"),
    (r"clip-path:", "clip-path", "do without"),
    (r"object-fit:", "object-fit", "size the image itself"),
)
_KNOWN = tuple((re.compile(p), what, cure) for p, what, cure in _STYLES)


def unshown(page: Page) -> Iterator[Unshown]:
    """Yield each element and style that many mail programs leave out."""
    for tag in page.tags:
        if tag.name in _ELEMENTS:
            yield Unshown(
                what=f"many mail programs do not show <{tag.name}>",
                cure=_ELEMENTS[tag.name],
                offset=tag.offset,
            )
        yield from _in_style(tag.attributes.get("style", ""), tag.offset, is_tag=True)
    for offset, style in page.styles:
        yield from _in_style(style, offset, is_tag=False)


def _in_style(style: str, offset: int, *, is_tag: bool) -> Iterator[Unshown]:
    for pattern, what, cure in _KNOWN:
        found = pattern.search(style.lower())
        if found is not None:
            yield Unshown(
                what=f"many mail programs do not know {what}",
                cure=cure,
                offset=offset if is_tag else offset + found.start(),
            )
