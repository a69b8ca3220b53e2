"""From text to tokens, the same on both sides of a match.

    Naïve U-Net in C++  ->  naive  u  net  in  c++

Casefold, NFKD, without the marks U+0300 to U+036F, NFC: case, accents and
width do not matter. A token is one of the specials (not within a longer
word), an alphanumeric run (``_`` divides), or one character of Han, kana or
Hangul.
"""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import combining, normalize

_CJK = (
    "\u1100-\u11ff\u3005\u3007\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_LETTER = rf"(?![{_CJK}])[^\W_]"
_TOKEN = re.compile(
    rf"(?<!{_LETTER})(?:c\+\+|c\#|f\#|\.net)(?!{_LETTER})"
    rf"|(?=\w)[{_CJK}]"
    rf"|(?:{_LETTER})+"
)
_ASCII_TOKEN = re.compile(
    r"(?<![a-z0-9])(?:c\+\+|c\#|f\#|\.net)(?![a-z0-9])|[a-z0-9]+", re.ASCII
)
#: The same where there can be no special: twice as fast.
_ASCII_WORD = re.compile("[a-z0-9]+", re.ASCII)
_MARKS = re.compile("[\u0300-\u036f]")
_IS_CJK = re.compile(f"[{_CJK}]")
#: They follow a letter and become one with it, though they are not combining:
#: Hangul's vowels and final consonants, half-width kana's voicing marks.
_JOINS = re.compile("[\u1160-\u11ff\uff9e\uff9f]")
#: All that is not ASCII, with the letter that a mark at its beginning belongs to.
_FOREIGN = re.compile(r"[\x00-\x7f]?[^\x00-\x7f]+")


def tokenize(text: str) -> tuple[str, ...]:
    """Return the tokens of *text*, in order."""
    folded = text.lower() if text.isascii() else _folded_text(text)
    if not folded.isascii():
        return tuple(_TOKEN.findall(folded))
    has_special = "+" in folded or "#" in folded or ".net" in folded
    return tuple((_ASCII_TOKEN if has_special else _ASCII_WORD).findall(folded))


def token_spans(text: str) -> tuple[tuple[str, int, int], ...]:
    """Return (token, start, end) with the places in *text* as it was given.

    ``tuple(token for token, _, _ in token_spans(text)) == tokenize(text)``.
    """
    if text.isascii():
        found = _ASCII_TOKEN.finditer(text.lower())
        return tuple((m.group(), m.start(), m.end()) for m in found)
    starts: list[int] = []
    ends: list[int] = []
    folded: list[str] = []
    at = 0
    for cluster in _clusters(text):
        letters = _folded(cluster)
        folded.append(letters)
        starts += [at] * len(letters)
        at += len(cluster)
        ends += [at] * len(letters)
    return tuple(
        (m.group(), starts[m.start()], ends[m.end() - 1])
        for m in _TOKEN.finditer("".join(folded))
    )


def is_cjk(token: str) -> bool:
    """Tell whether *token* is one character of Han, kana or Hangul."""
    return len(token) == 1 and bool(_IS_CJK.match(token))


def _clusters(text: str) -> list[str]:
    """Divide *text* into letters, each with the marks that follow it."""
    found: list[str] = []
    for character in text:
        if found and (combining(character) or _JOINS.match(character)):
            found[-1] += character
        else:
            found.append(character)
    return found


def _folded_text(text: str) -> str:
    """Return *text* with every letter folded; ASCII goes whole, it is most of it."""
    folded: list[str] = []
    at = 0
    for found in _FOREIGN.finditer(text):
        folded.append(text[at : found.start()].lower())
        folded += map(_folded, _clusters(found.group()))
        at = found.end()
    folded.append(text[at:].lower())
    return "".join(folded)


@lru_cache(maxsize=8192)
def _folded(cluster: str) -> str:
    if cluster.isascii():
        return cluster.lower()
    # Folded again: NFKD makes capitals of its own (㎆ -> MB).
    plain = _MARKS.sub("", normalize("NFKD", cluster.casefold())).casefold()
    return normalize("NFC", plain)
