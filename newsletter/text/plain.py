"""From raw text to one line of clean Unicode."""

from __future__ import annotations

import re
from unicodedata import category, combining, normalize

from newsletter.text.markup import from_html, from_prose
from newsletter.text.tex import unwind

#: What may need a closer look; text without is clean but for white space.
_UNUSUAL = re.compile(r"[^\x20-\x7e]|[\\$&<^~`{}]|_\{|''|--")
_SPACE = re.compile(r"\s+")
#: Controls, surrogates, private use, noncharacters, and marks of byte order.
_DROPPED = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u200b\u2060-\u2064\ufeff"
    "\ufff9-\ufffb\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff\ue000-\uf8ff"
    "\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)
_OPENERS = {
    "\u202a": "\u202c",
    "\u202b": "\u202c",
    "\u202d": "\u202c",
    "\u202e": "\u202c",
    "\u2066": "\u2069",
    "\u2067": "\u2069",
    "\u2068": "\u2069",
}
_CLOSERS = frozenset(_OPENERS.values())
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_ELLIPSIS = "…"
_JOINER = "\u200d"


def clean_text(raw: str, *, markup: bool = False) -> str:
    """Return *raw* as plain text on one line.

    Entities decoded (escaped twice, too), TeX unwound, controls removed, bidi
    controls balanced, NFC, white space folded.

    Args:
        raw: Any text; the first 100,000 characters are looked at for TeX.
        markup: It is HTML: elements are removed, and only what is no element
            of HTML is kept as text. Otherwise it is text, where only the few
            elements that titles and abstracts have are removed.
    """
    if not _UNUSUAL.search(raw):
        return _SPACE.sub(" ", raw).strip()
    text = from_html(raw) if markup else from_prose(raw)
    return one_line(unwind(_SPACE.sub(" ", text)))


def one_line(raw: str) -> str:
    """Return *raw* without controls and line ends, white space folded, NFC."""
    text = _SPACE.sub(" ", _DROPPED.sub("", normalize("NFC", raw)))
    return _balanced(text).strip()


def _balanced(text: str) -> str:
    """Close every bidi control that is open at the end; drop stray closers."""
    if not _BIDI.search(text):
        return text
    out: list[str] = []
    expected: list[str] = []
    for character in text:
        if character in _OPENERS:
            expected.append(_OPENERS[character])
        elif character in _CLOSERS:
            if not expected or expected[-1] != character:
                continue
            expected.pop()
        out.append(character)
    return "".join(out + expected[::-1])


def first_sentences(text: str, limit: int) -> str:
    """Return the beginning of *text* in at most *limit* characters.

    Cut at a word's end, where there is one in the second half, with an
    ellipsis; never within a letter and its marks.
    """
    if len(text) <= limit:
        return text
    if limit < 1:
        return ""
    end = limit - 1
    space = text.rfind(" ", end // 2, end + 1)
    if space > 0:
        end = space
    while end > 0 and _is_inside(text, end):
        end -= 1
    return text[:end].rstrip(" ,;:\u2013\u2014-") + _ELLIPSIS if end else ""


def _is_inside(text: str, place: int) -> bool:
    """Tell whether *place* divides a letter from its marks, or joined signs."""
    after = text[place]
    return (
        bool(combining(after))
        or category(after) in {"Mn", "Mc", "Me"}
        or _JOINER in {after, text[place - 1]}
        or "\U0001f3fb" <= after <= "\U0001f3ff"
    )
