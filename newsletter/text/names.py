"""Authors' names: cleaned, and told apart where one string holds several."""

from __future__ import annotations

import re
from collections.abc import Sequence

from newsletter.text.plain import clean_text

#: "Kaur, M., Shukla, A.": a family name, then initials.
_INITIALS = r"(?:[A-Z]\.?[ \-]?){1,4}"
_INVERTED = re.compile(
    rf"[^,;]+,\s*{_INITIALS}(?:\s*,\s*(?:and\s+|&\s+)?[^,;]+,\s*{_INITIALS})*"
)
_PAIR = re.compile(rf"([^,;]+,\s*{_INITIALS})(?:\s*,\s*(?:and\s+|&\s+)?|\s*$)")
_AND = re.compile(r"\s*,?\s+(?:and|&|und|et)\s+", re.IGNORECASE)
#: feedparser leaves "address (Name)" as people write it in RSS 0.9x and 2.0.
_EMAIL_NAME = re.compile(r"\S+@\S+\s+\((.+)\)")
_EMAIL = re.compile(r"\s*<?[^\s<>()]+@[^\s<>()]+>?\s*")
_SUFFIX = re.compile(r"(?:Jr|Sr|II|III|IV|PhD|Ph\.D|MD)\.?", re.IGNORECASE)


def clean_names(raw: Sequence[str]) -> tuple[str, ...]:
    """Return names cleaned, in their order, without empty ones and repeats."""
    names = (_without_address(clean_text(name)) for name in raw)
    return tuple(dict.fromkeys(name for name in names if name))


def split_authors(raw: str) -> tuple[str, ...]:
    """Return the names that one string holds, as the field writes lists.

    ``A, B and C`` · ``Kaur, M., Shukla, A.`` · ``Smith, John; Doe, Jane``
    """
    text = _without_address(clean_text(raw))
    if ";" in text:
        parts = [part for half in text.split(";") for part in _AND.split(half)]
    elif _INVERTED.fullmatch(text):
        parts = _PAIR.findall(text)
    else:
        parts = _with_suffixes(text)
    return clean_names([part.strip().strip(",") for part in parts])


def _with_suffixes(text: str) -> list[str]:
    """Split at commas and "and"; "Sammy Davis, Jr." stays one name."""
    parts: list[str] = []
    for part in (p.strip() for half in _AND.split(text) for p in half.split(",")):
        if parts and _SUFFIX.fullmatch(part):
            parts[-1] += f", {part}"
        else:
            parts.append(part)
    return parts


def _without_address(text: str) -> str:
    """Return a name without the e-mail address that stands beside it."""
    named = _EMAIL_NAME.fullmatch(text)
    if named:
        return named[1].strip()
    without = _EMAIL.sub(" ", text).strip() if "@" in text else text
    return without or text
