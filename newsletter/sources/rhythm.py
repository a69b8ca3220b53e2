"""How often a feed wants to be asked for, by its own words.

<ttl>60</ttl> · <sy:updatePeriod>daily</sy:updatePeriod>
<skipHours><hour>3</hour></skipHours> · <skipDays><day>Sunday</day></skipDays>
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from newsletter.model import Rhythm
from newsletter.sources.documents import Head

#: What says less or more is no rhythm but a slip.
_LEAST = timedelta(minutes=1)
_MOST = timedelta(days=31)
_PERIODS: Mapping[str, timedelta] = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}
_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_HOURS_OF_A_DAY = 24
_LONGEST_NUMBER = 6


def rhythm_of(head: Head) -> Rhythm:
    """Return what *head* asks for; of two distances the longer one.

    What would mean never is not believed: every hour, or every day, skipped.
    """
    said = [wait for wait in _waits(head) if _LEAST <= wait <= _MOST]
    # RSS 0.91 counts from 1 to 24, RSS 2.0 from 0 to 23.
    hours = {
        hour % _HOURS_OF_A_DAY
        for raw in head.skip_hours
        if (hour := _number(raw)) is not None and hour <= _HOURS_OF_A_DAY
    }
    days = {_DAYS.index(d) for raw in head.skip_days if (d := raw.lower()) in _DAYS}
    return Rhythm(
        at_least=max(said, default=None),
        skip_hours=frozenset(hours) if len(hours) < _HOURS_OF_A_DAY else frozenset(),
        skip_days=frozenset(days) if len(days) < len(_DAYS) else frozenset(),
    )


def _waits(head: Head) -> Iterator[timedelta]:
    """Yield what is said of the distance between two requests."""
    minutes = _number(head.ttl)
    if minutes is not None:
        yield timedelta(minutes=minutes)
    period = _PERIODS.get(head.update_period.strip().lower())
    times = 1 if not head.update_frequency.strip() else _number(head.update_frequency)
    if period is not None and times:
        yield period / times


def _number(raw: str) -> int | None:
    """Return a whole number; None: it is none, or no sane one."""
    raw = raw.strip()
    is_number = raw.isascii() and raw.isdigit() and len(raw) <= _LONGEST_NUMBER
    return int(raw) if is_number else None
