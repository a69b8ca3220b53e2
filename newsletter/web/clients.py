"""What mail programs do not show: a small table of our own.

The facts are those of caniemail.com (MIT) as of 2026, for programs that many
readers have. A program is named where its newest version ignores the feature
on some platform; "in part" is not. A feature is *harmless* where a mail that
loses it is plainer and as easy to read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

GMAIL, OUTLOOK, OUTLOOK_COM = "Gmail", "Outlook for Windows", "Outlook elsewhere"
YAHOO, THUNDERBIRD, PROTON = "Yahoo Mail", "Thunderbird", "Proton Mail"
APPLE, SAMSUNG, GMX = "Apple Mail", "Samsung Email", "GMX"

_WIDE = (GMAIL, OUTLOOK, OUTLOOK_COM, YAHOO)
_NEARLY_ALL = (*_WIDE, PROTON, GMX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """Something that a mail may use and some programs ignore."""

    name: str
    #: Finds it, in a style, a tag or an attribute.
    pattern: re.Pattern[str]
    ignored_by: tuple[str, ...]
    #: What a reader of such a program sees instead.
    instead: str
    is_harmless: bool = False


def _property(
    name: str,
    ignored_by: tuple[str, ...],
    instead: str,
    *,
    value: str = "",
    is_harmless: bool = False,
) -> Feature:
    """Return a property of CSS, with certain values or with any."""
    found = rf"(?<![\w-]){name}\s*:" + (rf"\s*[^;}}\"']*{value}" if value else "")
    called = f"{name}: {value}" if value else name
    return _other(called, found, ignored_by, instead, is_harmless=is_harmless)


def _other(
    name: str,
    pattern: str,
    ignored_by: tuple[str, ...],
    instead: str,
    *,
    is_harmless: bool = False,
) -> Feature:
    """Return anything else that a pattern finds."""
    return Feature(
        name=name,
        pattern=re.compile(pattern, re.IGNORECASE),
        ignored_by=ignored_by,
        instead=instead,
        is_harmless=is_harmless,
    )


_plain = partial(_property, is_harmless=True)
_harmless = partial(_other, is_harmless=True)


#: Looked for in styles: elements and attributes.
STYLES = (
    _property("display", (OUTLOOK, GMX), "boxes below one another", value="flex"),
    _property("display", (OUTLOOK, GMX), "boxes below one another", value="grid"),
    _property("position", (GMAIL, OUTLOOK), "the box where it stands in the text"),
    _property("float", (OUTLOOK,), "the box on a line of its own"),
    _property("background-image", (OUTLOOK,), "no picture, only the colour"),
    _property("object-fit", (GMAIL, OUTLOOK, YAHOO, GMX), "a stretched picture"),
    _property("visibility", (GMAIL, OUTLOOK), "what was to be hidden"),
    _property("transform", (*_WIDE, GMX), "the box as it was"),
    _property("filter", (*_WIDE, GMX), "no effect"),
    _property("clip-path", (*_WIDE, GMX), "the whole box"),
    _property("z-index", (GMAIL, OUTLOOK), "another order of layers"),
    _property("gap", (GMAIL, OUTLOOK, YAHOO, GMX), "no room between boxes"),
    _other("custom properties", r"\bvar\s*\(", (*_WIDE, GMX), "the default value"),
    _other(
        "calc()",
        r"\bcalc\s*\(",
        (OUTLOOK, OUTLOOK_COM, YAHOO, GMX),
        "the default length",
    ),
    _other("@import", r"@import\b", (*_NEARLY_ALL, THUNDERBIRD, SAMSUNG), "no styles"),
    _other("@supports", r"@supports\b", (GMAIL, OUTLOOK, THUNDERBIRD), "the fallback"),
    _harmless("@font-face", r"@font-face\b", _NEARLY_ALL, "another font"),
    _harmless(
        "@media",
        r"@media\b(?!\s*(?:\(\s*prefers-color-scheme))",
        (OUTLOOK, THUNDERBIRD),
        "the same layout at every width",
    ),
    _harmless(
        "dark colours (prefers-color-scheme)",
        r"prefers-color-scheme",
        (GMAIL, OUTLOOK, YAHOO, THUNDERBIRD, PROTON, GMX),
        "the light colours, or colours that the program makes itself",
    ),
    _harmless(
        "gradients",
        r"\b(?:linear|radial|conic)-gradient\s*\(",
        (OUTLOOK, OUTLOOK_COM, YAHOO, GMX),
        "one colour",
    ),
    _harmless(":hover", r":hover\b", (GMAIL, OUTLOOK, GMX), "no change"),
    _plain("animation", (*_WIDE, THUNDERBIRD, PROTON, GMX), "no movement"),
    _plain("transition", _WIDE, "no movement"),
    _plain("border-radius", (OUTLOOK, GMX), "square corners"),
    _plain("box-shadow", (GMAIL, OUTLOOK, YAHOO, GMX), "no shadow"),
    _plain("text-shadow", (GMAIL, OUTLOOK, OUTLOOK_COM), "no shadow"),
    _plain("opacity", (OUTLOOK, GMX), "the full colour"),
    _plain("text-overflow", (OUTLOOK, YAHOO, SAMSUNG, GMX), "no dots"),
)
#: Looked for in tags.
TAGS = (
    _other("<link>", r"<link\b", (*_NEARLY_ALL, THUNDERBIRD, SAMSUNG), "no styles"),
    _other("<form>", r"<form\b", (OUTLOOK, YAHOO, PROTON, GMX), "nothing to fill in"),
    _other("<button>", r"<button\b", (OUTLOOK, OUTLOOK_COM, YAHOO), "text"),
    _other("<input>", r"<input\b", (OUTLOOK, PROTON, SAMSUNG, GMX), "nothing"),
    _other("<video>", r"<video\b", _NEARLY_ALL, "what stands inside it"),
    _other("<audio>", r"<audio\b", _NEARLY_ALL, "what stands inside it"),
    _other("<svg>", r"<svg\b", (*_WIDE, GMX), "nothing"),
    _other("<object>", r"<object\b", _NEARLY_ALL, "what stands inside it"),
    _other("<script>", r"<script\b", (*_NEARLY_ALL, APPLE, THUNDERBIRD), "nothing"),
    _other("<iframe>", r"<iframe\b", (*_NEARLY_ALL, APPLE), "nothing"),
    _harmless("<picture>", r"<picture\b", _NEARLY_ALL, "the <img> inside it"),
    _harmless("srcset", r"<(?:img|source)\b[^>]*\bsrcset=", _NEARLY_ALL, "the src"),
    _other(
        "an image inside the mail (data:)",
        r"<img\b[^>]*\bsrc=[\"']data:",
        (GMAIL, OUTLOOK),
        "its alternative text",
    ),
    _other(
        "SVG as an image",
        r"<img\b[^>]*\bsrc=[\"'][^\"']*\.svg\b",
        (GMAIL,),
        "its alternative text",
    ),
    _other(
        "WebP or AVIF",
        r"<img\b[^>]*\bsrc=[\"'][^\"']*\.(?:webp|avif)\b",
        (OUTLOOK,),
        "its alternative text",
    ),
)
