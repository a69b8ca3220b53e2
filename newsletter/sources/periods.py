"""Days, weeks and months as Daily Papers names them, all in UTC.

date=2026-05-28   week=2026-W22   month=2026-05
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A day, a week from Monday (ISO 8601), or a month."""

    #: The parameter that asks for it: date, week or month.
    by: str
    #: As the parameter names it.
    name: str
    first: date
    last: date


def period_of(by: str, day: date) -> Period:
    """Return the period that *day* lies in.

    Args:
        by: ``day``, ``week`` or ``month``.
        day: Of the calendar in UTC.
    """
    if by == "week":
        year, week, weekday = day.isocalendar()
        first = day - timedelta(days=weekday - 1)
        last = first + timedelta(days=6)
        return Period(by=by, name=f"{year}-W{week:02}", first=first, last=last)
    if by == "month":
        # A month has at most 31 days: so far behind its first lies the next one.
        first = day.replace(day=1)
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        return Period(by=by, name=f"{day:%Y-%m}", first=first, last=last)
    return Period(by="date", name=day.isoformat(), first=day, last=day)
