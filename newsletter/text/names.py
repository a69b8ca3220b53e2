"""Authors' names: cleaned, and told apart where one string holds several."""

from __future__ import annotations

import re
from collections.abc import Sequence

from newsletter.text.plain import clean_text

_AND = re.compile(r"\s*,?\s+(?:and|&|und|et(?!\s+al\b))\s+", re.IGNORECASE)
_COMMA = re.compile(r"\s*[,\uff0c\u3001]\s*")
_SEMICOLON = re.compile(r"\s*[;\uff1b]\s*(?:and\s+|&\s+)?")
#: "M.", "J.-P.", "K. T.", "MJ": at most four letters, at most two without dots.
_INITIALS = re.compile(r"(?:[^\W\d_]\.[ \-]?){1,4}|[^\W\d_](?:[ \-]?[^\W\d_])?\.?")
#: "van der Berg", "Smith-Jones": one word, after particles.
_FAMILY = re.compile(r"(?:[a-z'\u2019]{1,5} ){0,3}[^\W\d_][\w'\u2019\-]*")
_GIVEN = re.compile(r"([^\W\d_][\w'\u2019\-]+)((?: [^\W\d_]\.?){0,3})")
_SUFFIX = re.compile(r"(?:Jr|Sr|II|III|IV|PhD|Ph\.D|MD)\.?", re.IGNORECASE)
#: As people write it in RSS: "a@example.org (Ann Lee)", "Ann Lee (a@example.org)".
_EMAIL_NAME = re.compile(r"[^\s@]+@[^\s@]+\s+\(([^()]+)\)")
_EMAIL = re.compile(r"\s*(?:[<(]\s*)?[^\s<>()@]+@[^\s<>()@]+(?:\s*[>)])?\s*")
#: A name with an address; what is longer is neither.
_MAX_NAME = 300
_BRACKETS = re.compile(r"\([^()]*\)")
#: Within brackets nothing parts names; clean text has no controls.
_HIDE = str.maketrans(" ,;&", "\x01\x02\x03\x04")
_SHOW = str.maketrans("\x01\x02\x03\x04", " ,;&")


def clean_names(raw: Sequence[str], *, each: bool = False) -> tuple[str, ...]:
    """Return names cleaned, in their order, without empty ones and repeats.

    Args:
        raw: As they came.
        each: Every one is somebody, so that two of one name are two.
    """
    cleaned = (_without_address(clean_text(name)) for name in raw)
    names = [name for name in cleaned if name]
    return tuple(names if each else dict.fromkeys(names))


def split_authors(raw: str) -> tuple[str, ...]:
    """Return the names that one string holds, as the field writes lists.

    ``A, B and C`` · ``Kaur, M., Shukla, A.`` · ``Smith, John; Doe, Jane`` ·
    ``Smith, John and Doe, Jane``
    """
    text = _BRACKETS.sub(lambda found: found[0].translate(_HIDE), clean_text(raw))
    halves = _AND.split(text)
    if _SEMICOLON.search(text):
        parts = [half for part in _SEMICOLON.split(text) for half in _AND.split(part)]
    elif all(map(_is_inverted, halves)):
        parts = halves
    else:
        parts = [name for half in halves for name in _by_commas(half)]
    return clean_names([part.translate(_SHOW).strip(" ,") for part in parts])


def _by_commas(text: str) -> list[str]:
    """Split at commas, but not before initials or a suffix of the name before.

    ``Kaur, M., Shukla, A.`` · ``Sammy Davis, Jr., Ann Lee``
    """
    names: list[str] = []
    may_follow = False
    for part in _COMMA.split(text):
        is_initials = _is_initials(part)
        if names and (_SUFFIX.fullmatch(part) or (is_initials and may_follow)):
            names[-1] += f", {part}"
            may_follow = False
        else:
            names.append(part)
            may_follow = not is_initials
    return names


def _is_initials(text: str) -> bool:
    return bool(_INITIALS.fullmatch(text)) and text.upper() == text


def _is_inverted(text: str) -> bool:
    """Tell whether it is one name, family name first: ``van Dyk, Ann B.``."""
    family, *others = _COMMA.split(text.strip(" ,"))
    if len(others) != 1 or not _FAMILY.fullmatch(family):
        return False
    return family != family.lower() and (
        _is_given(others[0]) or _is_initials(others[0])
    )


def _is_given(text: str) -> bool:
    """Tell whether it is one word, and perhaps initials: ``Ann B.``."""
    found = _GIVEN.fullmatch(text)
    return found is not None and found[1][0].isupper() and found[2] == found[2].upper()


def _without_address(text: str) -> str:
    """Return a name without the e-mail address that stands beside it."""
    if "@" not in text or len(text) > _MAX_NAME:
        return text
    named = _EMAIL_NAME.fullmatch(text)
    if named:
        return named[1].strip()
    return _EMAIL.sub(" ", text).strip() or text
