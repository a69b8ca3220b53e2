"""When it is due: schedules, zones, slots, and what becomes of missed ones.

A schedule is one or more rules, as a person writes them:

    daily 07:30
    weekdays 07:30
    mon,thu 18:00
    monthly 1 07:30

Slots are instants. A local time that a change of the clocks skips moves
forward by the gap; one that it repeats means its first occurrence (PEP 495,
fold=0). Two rules that fall on one instant are one slot.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from newsletter.errors import ConfigError
from newsletter.model import CatchUp, CatchUpPolicy

#: Under the policy `merge` a slot is on time for this long.
ON_TIME = timedelta(hours=1)

FORMS = '"daily 07:30", "weekdays 07:30", "mon,thu 18:00" or "monthly 1 07:30"'

_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)
#: No clock was ever moved by more than a day: Pacific/Apia, 2011.
_MOST_SHIFT_DAYS = 2
_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FULL_NAMES = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_GROUPS = {"daily": frozenset(range(7)), "weekdays": frozenset(range(5))}
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_MONTH_DAY = re.compile(r"0?[1-9]|[12]\d|3[01]", re.ASCII)
#: Every month has this day; for a later one the month's last may stand in.
_LAST_COMMON_DAY = 28
#: Files beside the zones: another one on each machine, or with leap seconds.
_NO_ZONES = ("localtime", "posixrules", "Factory", "posix/", "right/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A local time on some days of the week, or on one day of the month."""

    at: time
    #: 0 is Monday. Empty: by day of the month.
    weekdays: frozenset[int] = frozenset()
    #: 1 to 31; the month's last day where it is shorter. None: by weekday.
    month_day: int | None = None

    def falls_on(self, day: date) -> bool:
        """Tell whether the rule has a slot on the local date *day*."""
        if self.month_day is None:
            return day.weekday() in self.weekdays
        return day.day == min(self.month_day, monthrange(day.year, day.month)[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When one subscriber's issues are due, in local time."""

    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Which slot is served now, and what follows it."""

    #: None: left out; its window is kept for the next one.
    slot: datetime | None
    #: The newest slot up to now, served or not.
    newest: datetime
    #: The first slot after now.
    next_slot: datetime
    #: The subscriber's flag from now on.
    left_out: bool
    #: Served however late, since the one before was left out.
    forced: bool


@lru_cache(maxsize=4096)
def _parse(rules: tuple[str, ...]) -> Schedule:
    if not rules:
        raise ConfigError(f"no schedule; expected {FORMS}")
    return Schedule(rules=tuple(_rule(text) for text in rules))


def parse_schedule(rules: Sequence[str]) -> Schedule:
    """Return the schedule that *rules* describe, one or more.

    Raises:
        ConfigError: A rule is of none of the forms; the message says which.
    """
    return _parse(tuple(rules))


def _rule(text: str) -> Rule:
    words = text.lower().split()
    if len(words) == 3 and words[0] == "monthly":  # noqa: PLR2004 - monthly, day, time
        if not _MONTH_DAY.fullmatch(words[1]):
            raise ConfigError(f"{text!r}: {words[1]!r} is no day of a month (1 to 31)")
        return Rule(at=_time(words[2], text), month_day=int(words[1]))
    if len(words) != 2 or words[0] == "monthly":  # noqa: PLR2004 - days and time
        raise ConfigError(f"{text!r} is not a schedule; expected {FORMS}")
    days = _GROUPS.get(words[0]) or _weekdays(words[0], text)
    return Rule(at=_time(words[1], text), weekdays=days)


def _time(word: str, text: str) -> time:
    found = _TIME.fullmatch(word)
    if found is None:
        raise ConfigError(
            f"{text!r}: {word!r} is not a time of day; expected 00:00 to 23:59"
        )
    return time(int(found[1]), int(found[2]))


def _weekdays(word: str, text: str) -> frozenset[int]:
    names = word.split(",")
    for name in names:
        if name not in _NAMES:
            raise ConfigError(
                f"{text!r}: {name!r} is no day; expected daily, weekdays, "
                f"monthly or some of {','.join(_NAMES)}"
            )
        if names.count(name) > 1:
            raise ConfigError(f"{text!r}: {name!r} stands twice")
    return frozenset(_NAMES.index(name) for name in names)


def describe(schedule: Schedule) -> str:
    """Return *schedule* in words: "Monday and Thursday at 18:00"."""
    return "; ".join(
        f"{_days_in_words(rule)} at {rule.at:%H:%M}" for rule in schedule.rules
    )


def _days_in_words(rule: Rule) -> str:
    if rule.month_day is not None:
        stand_in = " or the last day" if rule.month_day > _LAST_COMMON_DAY else ""
        return f"day {rule.month_day}{stand_in} of each month"
    if rule.weekdays == _GROUPS["daily"]:
        return "every day"
    if rule.weekdays == _GROUPS["weekdays"]:
        return "Monday to Friday"
    *others, last = (_FULL_NAMES[day] for day in sorted(rule.weekdays))
    return f"{', '.join(others)} and {last}" if others else last


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """Return the time zone of that IANA name.

    Raises:
        ConfigError: There is none; the message suggests a near one.
    """
    try:
        found = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise _no_zone(name) from error
    if name.startswith(_NO_ZONES):
        raise _no_zone(name)
    return found


def _no_zone(name: str) -> ConfigError:
    known = sorted(n for n in available_timezones() if not n.startswith(_NO_ZONES))
    near = get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return ConfigError(
        f"there is no time zone {name!r}; expected an IANA name such as "
        f"Europe/London{hint}"
    )


def next_slot(schedule: Schedule, tz: ZoneInfo, after: datetime) -> datetime:
    """Return the first slot strictly later than *after*.

    Args:
        schedule: At least one rule.
        tz: Whose clock the rules mean.
        after: Aware, UTC.
    """
    day = after.astimezone(tz).date() - _MOST_SHIFT_DAYS * _DAY
    while True:
        if any(slot > after for slot in _slots_on(schedule, tz, day)):
            # A gap may have moved this one past a later day's.
            near = _slots_near(schedule, tz, day)
            return min(slot for slot in near if slot > after)
        day += _DAY


def previous_slot(schedule: Schedule, tz: ZoneInfo, before: datetime) -> datetime:
    """Return the last slot strictly earlier than *before* (aware, UTC)."""
    day = before.astimezone(tz).date() + _MOST_SHIFT_DAYS * _DAY
    while True:
        if any(slot < before for slot in _slots_on(schedule, tz, day)):
            near = _slots_near(schedule, tz, day)
            return max(slot for slot in near if slot < before)
        day -= _DAY


def period_at(schedule: Schedule, tz: ZoneInfo, instant: datetime) -> timedelta:
    """Return the schedule's last period at *instant*.

    The distance from the slot before to the last slot up to *instant*; for a
    slot, the distance that its issue looks back.
    """
    last = previous_slot(schedule, tz, instant + _TICK)
    return last - previous_slot(schedule, tz, last)


def catch_up(
    schedule: Schedule,
    tz: ZoneInfo,
    *,
    next_slot: datetime,
    as_of: datetime,
    left_out: bool,
    policy: CatchUp,
) -> Due:
    """Return which slot is served at *as_of*, of those that are due.

    Only ever the newest; what older ones would have shown is in its window.
    Under ``late`` it is served if less than ``at_most`` late, else left out,
    but never two in a row. Under ``merge`` it is served if it is on time (an
    hour), else left out.

    Args:
        schedule: The subscriber's rules.
        tz: The subscriber's zone.
        next_slot: The oldest slot that was not served; not after *as_of*.
        as_of: The run's.
        left_out: The slot before was left out.
        policy: What the configuration says.
    """
    newest = max(previous_slot(schedule, tz, as_of + _TICK), next_slot)
    late_by = as_of - newest
    upcoming = _next_after(schedule, tz, as_of)
    if policy.policy is CatchUpPolicy.MERGE:
        served, forced = late_by <= ON_TIME, False
    else:
        forced = left_out and late_by >= policy.at_most
        served = forced or late_by < policy.at_most
    return Due(
        slot=newest if served else None,
        newest=newest,
        next_slot=upcoming,
        left_out=not served and policy.policy is CatchUpPolicy.LATE,
        forced=forced,
    )


#: ``catch_up`` has an argument of that name.
_next_after = next_slot


def _slots_near(schedule: Schedule, tz: ZoneInfo, day: date) -> Iterator[datetime]:
    """Yield the slots of the days around *day* that a shift may have mixed."""
    for distance in range(-_MOST_SHIFT_DAYS, _MOST_SHIFT_DAYS + 1):
        yield from _slots_on(schedule, tz, day + distance * _DAY)


def _slots_on(schedule: Schedule, tz: ZoneInfo, day: date) -> Iterator[datetime]:
    """Yield the slots of the local date *day*, UTC, in the rules' order."""
    for rule in schedule.rules:
        if rule.falls_on(day):
            yield datetime.combine(day, rule.at, tzinfo=tz).astimezone(UTC)
