"""Dates in the words of a frame, in a reader's zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton

from newsletter.rendering.words import Words

#: Days back that a weekday's name alone still tells.
_NAMED = 6
#: More skipped days than a working week cannot be read as a list.
_LISTED = 5


@lru_cache(maxsize=256)
def _full(day: date, locale: Locale) -> str:
    return format_date(day, format="full", locale=locale)


@lru_cache(maxsize=256)
def _weekday(day: date, locale: Locale) -> str:
    return format_date(day, format="EEEE", locale=locale)


@lru_cache(maxsize=2048)
def _short(skeleton: str, day: date, locale: Locale) -> str:
    return format_skeleton(skeleton, day, locale=locale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Writes dates for one mail."""

    words: Words
    #: The slot's day in *zone*.
    today: date
    zone: ZoneInfo

    def full(self, day: date) -> str:
        """Return "Tuesday, March 3, 2026"."""
        return self.words.digits(_full(day, self.words.locale))

    def short(self, instant: datetime) -> str:
        """Return "Mar 3", with the year where it is another; empty: no such day."""
        try:
            day = instant.astimezone(self.zone).date()
        except OverflowError:
            return ""
        skeleton = "MMMd" if day.year == self.today.year else "yMMMd"
        return self.words.digits(_short(skeleton, day, self.words.locale))

    def weekday(self, day: date) -> str:
        """Return "Tuesday", with the date where that could be another week's."""
        locale = self.words.locale
        if timedelta(0) <= self.today - day <= timedelta(days=_NAMED):
            return _weekday(day, locale)
        return self.words.digits(_short("MMMEd", day, locale))

    def skipped(self, dates: tuple[date, ...]) -> str:
        """Return "Tuesday and Wednesday"; many days as their number and span."""
        if len(dates) > _LISTED:
            return self.words.say_of(
                len(dates),
                "%(num)s day since %(day)s",
                "%(num)s days since %(day)s",
                day=self.weekday(dates[0]),
            )
        return self.words.listed([self.weekday(day) for day in dates])

    def skipped_note(self, dates: tuple[date, ...]) -> str:
        """Return "Nothing matched on Tuesday and Wednesday."; empty: none."""
        if not dates:
            return ""
        if len(dates) > _LISTED:
            return self.words.say_of(
                len(dates),
                "Nothing matched on %(num)s day since %(day)s.",
                "Nothing matched on %(num)s days since %(day)s.",
                day=self.weekday(dates[0]),
            )
        return self.words.say("Nothing matched on %(days)s.", days=self.skipped(dates))
