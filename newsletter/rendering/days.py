"""Dates in the words of a theme's language, in a reader's zone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton

#: Days back that a weekday's name alone still tells.
_NAMED = 6


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (ValueError, UnknownLocaleError):
        return Locale("en")


@lru_cache(maxsize=256)
def _full(day: date, locale: Locale) -> str:
    return format_date(day, format="full", locale=locale)


@lru_cache(maxsize=2048)
def _short(skeleton: str, day: date, locale: Locale) -> str:
    return format_skeleton(skeleton, day, locale=locale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Writes dates for one mail."""

    #: BCP 47.
    language: str
    #: The slot's day in *zone*.
    today: date
    zone: ZoneInfo
    _locale: Locale = field(init=False)

    def __post_init__(self) -> None:
        """Find the locale; English stands for one that is unknown."""
        object.__setattr__(self, "_locale", _locale(self.language))

    def full(self, day: date) -> str:
        """Return "Tuesday, March 3, 2026"."""
        return _full(day, self._locale)

    def short(self, instant: datetime) -> str:
        """Return "Mar 3", with the year where it is another; empty: no such day."""
        try:
            day = instant.astimezone(self.zone).date()
        except OverflowError:
            return ""
        skeleton = "MMMd" if day.year == self.today.year else "yMMMd"
        return _short(skeleton, day, self._locale)

    def weekday(self, day: date) -> str:
        """Return "Tuesday", with the date where that could be another week's."""
        if timedelta(0) <= self.today - day <= timedelta(days=_NAMED):
            return format_date(day, format="EEEE", locale=self._locale)
        return format_skeleton("MMMEd", day, locale=self._locale)
