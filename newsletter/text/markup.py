"""HTML and XML in text: tags removed by a parser, words that look like tags kept."""

from __future__ import annotations

import re
from html import unescape
from html.entities import html5

import nh3

from newsletter.text.scripts import subscript, superscript

#: Elements after which a new word begins.
_BLOCKS = frozenset(
    "address article aside blockquote br caption center dd details dialog dir div dl "
    "dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr legend li "
    "main marquee menu nav ol optgroup option p pre section summary table tbody td "
    "tfoot th thead title tr ul".split()
)
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big blink cite code del dfn em font i ins kbd mark nobr "
    "q s samp small span strike strong time tt u var wbr".split()
)
_SCRIPTS = frozenset({"sub", "sup"})
#: Elements that show nothing of their content as text.
_SILENT = frozenset(
    "script style head template noscript iframe object embed svg video audio "
    "applet frameset select textarea annotation annotation-xml".split()
)
_VOID = frozenset(
    "area base basefont body button col colgroup data frame html img input label link "
    "map meta meter noframes output param picture progress rp rt ruby source "
    "track".split()
)
_HTML = _BLOCKS | _INLINE | _SCRIPTS | _SILENT | _VOID
#: What stands in titles and abstracts that are no HTML (JATS, MathML, Crossref).
#: A tag with more than its name has an attribute: "a <b and c> d" is a sum.
_IN_PROSE = re.compile(
    r"<(?:/a|(?:a(?=\s)|/?(?:i|b|em|strong|sub|sup|u|tt|sc|scp|inf|span|font|br|p"
    r"|italic|bold|inline-formula|tex-math|(?:jats|mml|m):[a-z\-]+)))"
    r"(?:\s[^<>=]{0,80}=[^<>]{0,600})?\s?/?>",
    re.ASCII | re.IGNORECASE,
)
#: MathML, whose letters and signs are text; the parser drops it whole.
_MATH = re.compile(
    r"</?(?:math|m(?:i|n|o|s|row|space|style|text|sub|sup|subsup|frac|sqrt|root|over"
    r"|under|underover|table|tr|td|padded|phantom|enclose|error|fenced|multiscripts)"
    r"|semantics)(?:\s[^<>]{0,600})?/?>",
    re.ASCII | re.IGNORECASE,
)
_TAG = re.compile(r"<(?=(/?)([A-Za-z][A-Za-z0-9:\-]*))")
_NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9:\-]*)")
_KEPT = re.compile(r"<(/?)([a-z0-9]+)[^>]*>")
_SCRIPT = re.compile(r"<(su[bp])>([^<]{1,40})</\1>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
#: Made once: making it costs as much as cleaning a paragraph.
_CLEANER = nh3.Cleaner(
    tags=set(_BLOCKS | _SCRIPTS),
    clean_content_tags=set(_SILENT),
    attributes={},
    strip_comments=True,
    link_rel=None,
)
#: How often text may have been escaped before it came to us.
_MOST_ESCAPES = 3
#: What follows is no longer a summary; it is not read.
MAX_MARKUP = 100_000


def from_html(raw: str) -> str:
    """Return the text of an HTML fragment; block elements end words."""
    if "<![CDATA[" in raw:
        raw = raw.replace("<![CDATA[", "").replace("]]>", "")
    fragment = raw[:MAX_MARKUP]
    # Most fragments have HTML alone: then there is nothing to take out or keep.
    if not _names_in(fragment) <= _HTML:
        fragment = _TAG.sub(_escape_unknown, _MATH.sub("", fragment))
    cleaned = _CLEANER.clean(fragment)
    if "<su" in cleaned:
        cleaned = _SCRIPT.sub(_scripted, cleaned)
    return from_prose(unescape(_KEPT.sub(_space_of_block, cleaned)))


def _names_in(fragment: str) -> set[str]:
    """Return the names of all that looks like a tag."""
    return {name.lower() for name in set(_NAME.findall(fragment))}


def from_prose(raw: str) -> str:
    """Return text without entities, and without the tags that titles have."""
    text, escapes = raw, 0
    while escapes < _MOST_ESCAPES and "&" in text and _ENTITY.search(text):
        text, escapes = _ENTITY.sub(_decoded, text), escapes + 1
    if "<" not in text:
        return text
    return _IN_PROSE.sub(_space_of_prose, _SCRIPT.sub(_scripted, text))


def _decoded(found: re.Match[str]) -> str:
    """Decode exactly what has a semicolon: ``?a=1&copy=2`` is an address."""
    entity = found[0]
    return unescape(entity) if entity[1] == "#" else html5.get(entity[1:], entity)


def _escape_unknown(found: re.Match[str]) -> str:
    """Keep what is no element of HTML (``<think>``) as the text that it is."""
    return "<" if found[2].lower() in _HTML else "&lt;"


def _scripted(found: re.Match[str]) -> str:
    raised = found[1].lower() == "sup"
    return superscript(found[2]) if raised else subscript(found[2])


def _space_of_block(found: re.Match[str]) -> str:
    return " " if found[2] in _BLOCKS else ""


def _space_of_prose(found: re.Match[str]) -> str:
    name = found[0].strip("</>").lower()
    return (
        " " if name.startswith(("p", "br", "jats:p", "jats:sec", "jats:title")) else ""
    )
