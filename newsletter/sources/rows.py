"""Values of JSON documents, each read as what it should be, or as nothing."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from newsletter.errors import ParseError
from newsletter.text import clean_names, clean_text, split_authors

#: "2026-6-30", "2026/06/30": what ISO 8601 does not know.
_LOOSE_DAY = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", re.ASCII)
#: Seconds since 1970 as text; what is shorter is a year, or a day.
_EPOCH = re.compile(r"\d{9,13}(?:\.\d{1,9})?", re.ASCII)
#: Smaller numbers are years and the like, larger ones count milliseconds.
_LEAST_EPOCH, _MOST_EPOCH = 10**8, 10**11
#: Where objects hold what they are called, the likeliest first.
_NAMES = ("name", "display_name", "full_name", "title", "label", "term", "value")
_HALVES = (("given", "family"), ("first_name", "last_name"), ("forename", "surname"))
#: Objects that hold a date (Crossref).
_DATES = ("date-time", "date-parts", "timestamp", "date")
#: Elements of HTML that end, and those that never do: prose has neither.
_MARKUP = re.compile(
    r"</(?:p|div|span|a|b|i|u|em|strong|sub|sup|small|code|pre|ul|ol|li|dl|dt|dd|h[1-6]"
    r"|table|tr|td|th|blockquote|section|article|figure|figcaption|math|script|style)"
    r"\s*>|<(?:br|hr|img)\b[^<>]*>",
    re.ASCII | re.IGNORECASE,
)
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
#: A heading over an abstract that says only what it is (JATS).
_HEADING = re.compile(
    r"\s*<jats:title>\s*(?:abstract|summary)\s*:?\s*</jats:title>", re.IGNORECASE
)
#: Lists within lists are read so deep.
_DEEP = 4
#: Words of an abstract; positions beyond are nobody's.
_MOST_WORDS = 20_000
_PARTS_OF_A_DAY = 3


def string_of(row: Mapping[str, Any], name: str) -> str:
    """Return the text of that name; empty: there is none."""
    value = row.get(name)
    return value if isinstance(value, str) else ""


def kind_of(value: object) -> str:
    """Return what kind of JSON value it is, in words."""
    names = {
        dict: "an object",
        list: "a list",
        str: "text",
        bool: "true or false",
        type(None): "null",
    }
    return names.get(type(value), "a number")


def json_of(body: bytes, *, expected: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return the document that *body* is.

    Raises:
        ParseError: It is no JSON, or too deep to be meant.
    """
    try:
        return json.loads(body.decode("utf-8-sig"))
    except RecursionError as error:
        raise ParseError(
            f"this JSON is nested too deep to be read; expected {expected}"
        ) from error
    except ValueError as error:
        if not body.strip():
            what = "an empty document"
        elif body.lstrip()[:1] == b"<":
            what = "an HTML page" if _HTML.search(body[:1000]) else "XML"
        else:
            what = f"no JSON ({_place(error)})"
        raise ParseError(f"this is {what}; expected {expected}") from error


def _place(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}: {error.msg}"
    return "it is not UTF-8" if isinstance(error, UnicodeError) else str(error)


def complaint_of(document: object) -> str:
    """Return what an API says went wrong; empty: it says nothing of the kind."""
    if not isinstance(document, Mapping):
        return ""
    for name in ("error", "errors", "message", "detail"):
        if said := _complaint(document.get(name)):
            return clean_text(said)[:200]
    return ""


def _complaint(said: object) -> str:
    if isinstance(said, str):
        return said
    rows = said if isinstance(said, list) else [said]
    objects = (row for row in rows if isinstance(row, Mapping))
    return "; ".join(
        found
        for row in objects
        if (found := string_of(row, "message") or string_of(row, "detail"))
    )


# --- times --------------------------------------------------------------------


def instant_of(value: object) -> datetime | None:
    """Return an ISO 8601 instant, UTC; None: it is none."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value.strip())
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def date_of(value: object) -> datetime | None:
    """Return the instant that APIs mean; a day is its beginning. None: none.

    ISO 8601, ``2026-6-30``, seconds or milliseconds since 1970, ``[[2026, 6,
    30]]`` and the objects around it. What does not say the day is no date.
    """
    for _ in range(_DEEP):
        if isinstance(value, Mapping):
            value = next((value[name] for name in _DATES if value.get(name)), None)
        elif isinstance(value, list) and len(value) == 1:
            value = value[0]
        else:
            break
    if isinstance(value, list):
        return _day(value)
    if isinstance(value, str):
        return _said(value.strip())
    return _counted(value)


def _said(text: str) -> datetime | None:
    if _EPOCH.fullmatch(text):
        return _counted(float(text))
    found = _LOOSE_DAY.fullmatch(text)
    return _day([int(part) for part in found.groups()]) if found else instant_of(text)


def _day(parts: list[Any]) -> datetime | None:
    if len(parts) != _PARTS_OF_A_DAY or not all(type(part) is int for part in parts):
        return None
    try:
        year, month, day = parts
        return datetime(year, month, day, tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _counted(value: object) -> datetime | None:
    """Return the instant that a number of seconds since 1970 is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not _LEAST_EPOCH <= value < _MOST_EPOCH * 1000:
        return None
    seconds = value / 1000 if value >= _MOST_EPOCH else value
    return datetime.fromtimestamp(seconds, UTC)


# --- texts --------------------------------------------------------------------


def votes_of(value: object) -> int | None:
    """Return a count, never below 0; None: it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    # What is more is no votes, and fits no database.
    return int(max(0, min(value, 10**9)))


def text_of(value: object, *, most: int) -> str:
    """Return a text, a list of texts joined, or an inverted index, clean.

    Args:
        value: Of any kind.
        most: Characters of the raw text that are read.
    """
    if isinstance(value, Mapping) and _is_index(value):
        raw = _in_order(value)
    else:
        raw = " ".join(texts_of(value))
    raw = _HEADING.sub("", raw, count=1)[:most]
    return clean_text(raw, markup=bool(_MARKUP.search(raw)))


def texts_of(value: object) -> tuple[str, ...]:
    """Return the texts in a value: its own, its items', its objects' names."""
    return tuple(_texts(value, _DEEP))


def _texts(value: object, deep: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, bool):
        return
    elif isinstance(value, int | float):
        if math.isfinite(value):
            yield str(value)
    elif isinstance(value, list) and deep:
        for item in value:
            yield from _texts(item, deep - 1)
    elif isinstance(value, Mapping):
        yield _name_of(value)


def _name_of(row: Mapping[str, Any]) -> str:
    """Return what an object is called: ``given family``, a name; empty: nothing."""
    for halves in _HALVES:
        if string_of(row, halves[1]):
            return " ".join(filter(None, (string_of(row, half) for half in halves)))
    return next((found for name in _NAMES if (found := string_of(row, name))), "")


def people_of(value: object) -> tuple[str, ...]:
    """Return authors: one string that holds several, or a list of them."""
    if isinstance(value, str):
        return split_authors(value)
    return names_of(value)


def names_of(value: object) -> tuple[str, ...]:
    """Return the names in a list of texts or objects, or the one that it is."""
    return clean_names(texts_of(value))


def _is_index(value: Mapping[str, Any]) -> bool:
    """Tell whether it says where words stand: {"We": [0, 7], "study": [1]}."""
    return bool(value) and all(
        isinstance(places, list) and all(type(place) is int for place in places)
        for places in value.values()
    )


def _in_order(index: Mapping[str, list[int]]) -> str:
    words = [
        (place, word)
        for word, places in index.items()
        for place in places
        if 0 <= place < _MOST_WORDS
    ]
    return " ".join(word for _, word in sorted(words)[:_MOST_WORDS])
