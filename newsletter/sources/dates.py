"""Dates as feeds write them: the two usual forms fast, all others by feedparser.

Mon, 04 May 2026 06:00:00 GMT · 2026-05-04T06:00:00Z · 2020/1/10 14:33:00
"""

from __future__ import annotations

import re
from calendar import timegm
from datetime import UTC, datetime, timedelta, timezone

_RFC_3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?"
    r"(?:[Zz]|([+-])(\d\d):(\d\d))",
    re.ASCII,
)
_RFC_822 = re.compile(
    r"(?:(?:mon|tue|wed|thu|fri|sat|sun),?\s+)?(\d{1,2})\s+"
    r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\s+(\d{4})\s+"
    r"(\d{1,2}):(\d\d)(?::(\d\d))?\s+(?:gmt|utc?|z|([+-])(\d\d)(\d\d))",
    re.ASCII | re.IGNORECASE,
)
#: feedparser takes the tenth of January for the first of November.
_SLASHED = re.compile(
    r"(\d{4})/(\d{1,2})/(\d{1,2})(?:\s+(\d{1,2}):(\d\d)(?::(\d\d))?)?()()()", re.ASCII
)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
#: What is longer is no date; some forms are looked for by slow expressions.
_LONGEST = 100


def instant_of_date(raw: str) -> datetime | None:
    """Return an instant, UTC, in whole seconds; None: it is none that we know.

    A date alone is its midnight; what names no zone is UTC.
    """
    raw = raw.strip()
    if not raw or len(raw) > _LONGEST:
        return None
    try:
        if found := _RFC_3339.fullmatch(raw) or _SLASHED.fullmatch(raw):
            year, month, day, hour, minute, second = (
                int(part or 0) for part in found.groups()[:6]
            )
        elif found := _RFC_822.fullmatch(raw):
            year, month, day = int(found[3]), _month(found[2]), int(found[1])
            hour, minute, second = int(found[4]), int(found[5]), int(found[6] or 0)
        else:
            return odd_date(raw)
        zone = _zone(*found.groups()[-3:])
        said = datetime(year, month, day, hour, minute, second, tzinfo=zone)
        return said.astimezone(UTC)
    except (ValueError, OverflowError):
        return odd_date(raw)


def _month(name: str) -> int:
    return _MONTHS.index(name.lower()) + 1


def _zone(sign: str | None, hours: str | None, minutes: str | None) -> timezone:
    if not sign or not hours or not minutes:
        return UTC
    distance = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-distance if sign == "-" else distance)


def odd_date(raw: str) -> datetime | None:
    """Return what feedparser makes of a date; None: nothing, or no such day."""
    # Here, since most feeds have no such date, and this takes a while.
    from feedparser.datetimes import _parse_date  # noqa: PLC0415 - as said; its one entrance

    try:
        parsed = _parse_date(raw)
        if parsed is None:
            return None
        return datetime.fromtimestamp(0, UTC) + timedelta(seconds=timegm(parsed))
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
