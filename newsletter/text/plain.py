"""From raw text to one line of clean Unicode."""

from __future__ import annotations

import re
from unicodedata import category, combining, normalize

from newsletter.text.markup import from_html, from_prose
from newsletter.text.tex import may_be_tex, unwind

#: What may need a closer look; text without is clean but for white space.
_UNUSUAL = re.compile(r"[^\x20-\x7e]|[\\$&<^~`{}]|_\{|''|--")
#: Controls, surrogates, private use, noncharacters, tags and marks of byte order.
_DROPPED = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u200b\u2060-\u2064\ufeff"
    "\ufff9-\ufffb\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff\ue000-\uf8ff"
    "\U000e0000-\U000e00ff\U000e01f0-\U000e0fff\U000f0000-\U0010ffff"
    + "".join(f"{chr(p + 0xFFFE)}{chr(p + 0xFFFF)}" for p in range(0, 0xF0000, 0x10000))
    + "]"
)
#: Of characters, as JSON can write them; what reads HTML takes none.
_HALVES = re.compile("[\ud800-\udfff]")
_PDF, _PDI = "\u202c", "\u2069"
_OPENERS = {
    **dict.fromkeys("\u202a\u202b\u202d\u202e", _PDF),
    **dict.fromkeys("\u2066\u2067\u2068", _PDI),
}
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_ELLIPSIS = "…"
_JOINER = "\u200d"


def clean_text(raw: str, *, markup: bool = False) -> str:
    """Return *raw* as plain text on one line.

    Entities decoded (escaped twice, too), TeX unwound, controls removed, bidi
    controls balanced, NFC, white space folded.

    Args:
        raw: Any text. One of more than 100,000 characters is not looked at
            for TeX.
        markup: It is HTML: elements are removed, and only what is no element
            of HTML is kept as text; nothing after its first 100,000 characters
            is read. Otherwise it is text, where only the few elements that
            titles and abstracts have are removed.
    """
    if not _UNUSUAL.search(raw):
        return " ".join(raw.split())
    whole = raw if raw.isascii() else _HALVES.sub("", raw)
    text = from_html(whole) if markup else from_prose(whole)
    return one_line(unwind(_folded(text)) if may_be_tex(text) else text)


def one_line(raw: str) -> str:
    """Return *raw* without controls and line ends, white space folded, NFC."""
    text = raw.strip(" ")
    if not text.isprintable() or "  " in text:
        text = " ".join(text.split())
    # What can be printed holds no control of any kind, and most text can.
    if not text.isprintable():
        text = " ".join(_balanced(_DROPPED.sub("", text)).split())
    # Last, since a letter and its mark may have met only now.
    return text if text.isascii() else normalize("NFC", text)


def _folded(text: str) -> str:
    """Return *text* with every run of white space as one space, the ends' too."""
    if text.isprintable() and "  " not in text:
        return text
    inner = " ".join(text.split())
    if not inner:
        return " " if text else ""
    before = " " if text[0].isspace() else ""
    after = " " if text[-1].isspace() else ""
    return f"{before}{inner}{after}"


def _balanced(text: str) -> str:
    """Close every bidi control that is open at the end; drop stray closers.

    The end of an isolate closes the embeddings in it (UAX 9, BD9 and X6a).
    """
    if not _BIDI.search(text):
        return text
    out: list[str] = []
    expected: list[str] = []
    isolates = 0
    for character in text:
        if closer := _OPENERS.get(character):
            expected.append(closer)
            isolates += closer == _PDI
        elif character == _PDF:
            if expected[-1:] != [_PDF]:
                continue
            expected.pop()
        elif character == _PDI:
            if not isolates:
                continue
            isolates -= 1
            while expected.pop() == _PDF:
                out.append(_PDF)
        out.append(character)
    return "".join(out + expected[::-1])


def first_sentences(text: str, limit: int) -> str:
    """Return the beginning of *text* in at most *limit* characters.

    Cut at a word's end, where there is one in the second half, with an
    ellipsis; never within a letter and its marks. Bidi controls that the cut
    leaves open are closed.
    """
    if len(text) <= limit:
        return text
    if limit < 1:
        return ""
    opened = len(_BIDI.findall(text, 0, limit))
    end = max(limit - 1 - opened, 0)
    space = text.rfind(" ", end // 2, end + 1)
    if space > 0:
        end = space
    while end > 0 and _is_inside(text, end):
        end -= 1
    kept = text[:end].rstrip(" ,;:\u2013\u2014-")
    return _balanced(kept + _ELLIPSIS) if kept else ""


def _is_inside(text: str, place: int) -> bool:
    """Tell whether *place* divides a letter from its marks, or joined signs."""
    after = text[place]
    return (
        bool(combining(after))
        or category(after) in {"Mn", "Mc", "Me"}
        or _JOINER in {after, text[place - 1]}
        or "\U0001f3fb" <= after <= "\U0001f3ff"
    )
