from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.errors import ConfigError
from newsletter.model import CatchUp, CatchUpPolicy
from newsletter.schedule import (
    ON_TIME,
    Schedule,
    catch_up,
    next_slot,
    parse_schedule,
    period_at,
    previous_slot,
    zone,
)

ZONES = (
    "UTC",
    "Europe/London",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "Asia/Tehran",
    "Pacific/Chatham",
)
RULES = (
    ("daily 07:30",),
    ("daily 02:30",),
    ("daily 00:00", "daily 23:59"),
    ("weekdays 07:30",),
    ("mon,thu 18:00",),
    ("sun 01:15", "wed 02:45"),
    ("monthly 1 07:30",),
    ("monthly 31 02:30",),
)
instants = st.datetimes(
    datetime(2010, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def walked(
    rules: Sequence[str], tz: ZoneInfo, start: datetime, days: int
) -> list[datetime]:
    """Return the slots around *start*, by walking the calendar day by day."""
    found = set()
    first = start.astimezone(tz).date() - timedelta(days=3)
    for n in range(days + 6):
        day = first + timedelta(days=n)
        for rule in rules:
            *head, clock = rule.split()
            tomorrow = day + timedelta(days=1)
            if head[0] == "daily":
                falls = True
            elif head[0] == "weekdays":
                falls = day.weekday() < 5
            elif head[0] == "monthly":
                last = tomorrow.month != day.month
                falls = day.day == int(head[1]) or (last and day.day < int(head[1]))
            else:
                falls = day.strftime("%a").lower() in head[0].split(",")
            if falls:
                at = datetime.combine(day, time.fromisoformat(clock), tzinfo=tz)
                found.add(at.astimezone(UTC))
    return sorted(found)


@given(st.sampled_from(RULES), st.sampled_from(ZONES), instants)
@example(("daily 07:30",), "Pacific/Apia", utc("2011-12-29T12:00"))
@example(("daily 02:30",), "America/New_York", utc("2026-03-08T05:00"))
@example(("daily 02:30",), "Australia/Lord_Howe", utc("2026-10-03T14:00"))
def test_slots_are_those_of_a_walk_through_the_calendar(
    rules: tuple[str, ...], name: str, after: datetime
) -> None:
    schedule, tz = parse_schedule(rules), zone(name)
    slots = walked(rules, tz, after, 70)
    assert next_slot(schedule, tz, after) == min(s for s in slots if s > after)
    back = walked(rules, tz, after - timedelta(days=70), 72)
    assert previous_slot(schedule, tz, after) == max(s for s in back if s < after)


@given(st.sampled_from(RULES), st.sampled_from(ZONES), instants)
def test_slots_strictly_increase(
    rules: tuple[str, ...], name: str, after: datetime
) -> None:
    schedule, tz = parse_schedule(rules), zone(name)
    for _ in range(5):
        slot = next_slot(schedule, tz, after)
        assert slot > after
        assert previous_slot(schedule, tz, slot + timedelta(seconds=1)) == slot
        after = slot


def test_a_skipped_local_time_moves_forward_by_the_gap() -> None:
    # 2026-03-08, New York: 02:00 becomes 03:00, so 02:30 is 03:30 (07:30Z).
    slot = next_slot(
        parse_schedule(["daily 02:30"]),
        zone("America/New_York"),
        utc("2026-03-08T05:00"),
    )
    assert slot == utc("2026-03-08T07:30")


def test_a_repeated_local_time_means_its_first_occurrence() -> None:
    # 2026-11-01, New York: 01:30 is 05:30Z and again 06:30Z.
    schedule, tz = parse_schedule(["daily 01:30"]), zone("America/New_York")
    slot = next_slot(schedule, tz, utc("2026-11-01T00:00"))
    assert slot == utc("2026-11-01T05:30")
    assert next_slot(schedule, tz, slot) == utc("2026-11-02T06:30")


def test_a_date_that_was_skipped_is_one_slot_and_not_two() -> None:
    schedule, tz = parse_schedule(["daily 07:30"]), zone("Pacific/Apia")
    slot = next_slot(schedule, tz, utc("2011-12-29T18:00"))
    assert slot == utc("2011-12-30T17:30")
    assert next_slot(schedule, tz, slot) == utc("2011-12-31T17:30")


def test_two_rules_on_one_instant_are_one_slot() -> None:
    schedule, tz = parse_schedule(["daily 07:30", "mon 07:30"]), zone("UTC")
    monday = utc("2026-05-04T07:30")
    assert next_slot(schedule, tz, monday) == utc("2026-05-05T07:30")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("daily 25:99", "'25:99' is not a time of day"),
        ("daily 7.30", "is not a time of day"),
        ("daily 24:00", "is not a time of day"),
        ("daily", "is not a schedule"),
        ("07:30", "is not a schedule"),
        ("", "is not a schedule"),
        ("hourly 07:30", "'hourly' is no day"),
        ("mon,xyz 07:30", "'xyz' is no day"),
        ("mon,mon 07:30", "'mon' stands twice"),
        ("monthly 32 07:30", "'32' is no day of a month"),
        ("monthly 0 07:30", "'0' is no day of a month"),
        ("monthly 1 07:60", "is not a time of day"),
        ("daily ٠٧:٣٠", "is not a time of day"),
    ],
)
def test_a_rule_of_no_form_is_refused_with_what_was_expected(
    rule: str, said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_schedule([rule])
    assert said in str(caught.value)


def test_no_rule_at_all_is_refused() -> None:
    with pytest.raises(ConfigError, match="no schedule"):
        parse_schedule([])


def test_case_and_spaces_do_not_matter() -> None:
    assert parse_schedule(["  Mon,THU   8:05 "]) == parse_schedule(["mon,thu 08:05"])


@pytest.mark.parametrize("name", ["Europe/Londn", "", "../etc/passwd", "Mars/Olympus"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="there is no time zone"):
        zone(name)


def test_a_misspelt_zone_is_corrected() -> None:
    with pytest.raises(ConfigError, match=r"did you mean Europe/London\?"):
        zone("Europe/Londn")


def test_a_period_is_the_distance_from_the_slot_before() -> None:
    schedule, tz = parse_schedule(["weekdays 07:30"]), zone("UTC")
    assert period_at(schedule, tz, utc("2026-05-04T07:30")) == timedelta(days=3)
    assert period_at(schedule, tz, utc("2026-05-05T07:30")) == timedelta(days=1)
    assert period_at(schedule, tz, utc("2026-05-05T03:00")) == timedelta(days=3)


# --- catching up ------------------------------------------------------------------

DAILY: Schedule = parse_schedule(["daily 07:30"])
UTC_ZONE = zone("UTC")


def due(
    as_of: str, *, since: str, left_out: bool = False, policy: str = "late"
) -> tuple[str | None, str, bool, bool]:
    found = catch_up(
        DAILY,
        UTC_ZONE,
        next_slot=utc(since),
        as_of=utc(as_of),
        left_out=left_out,
        policy=CatchUp(policy=CatchUpPolicy(policy)),
    )
    slot = found.slot.strftime("%d %H:%M") if found.slot else None
    return slot, found.next_slot.strftime("%d %H:%M"), found.left_out, found.forced


def test_a_slot_in_time_is_served() -> None:
    assert due("2026-05-04T07:30", since="2026-05-04T07:30") == (
        "04 07:30",
        "05 07:30",
        False,
        False,
    )


def test_only_the_newest_of_several_missed_slots_is_served() -> None:
    assert due("2026-05-04T09:00", since="2026-05-01T07:30")[0] == "04 07:30"


def test_a_slot_too_late_is_left_out_and_the_flag_set() -> None:
    assert due("2026-05-04T13:30", since="2026-05-04T07:30") == (
        None,
        "05 07:30",
        True,
        False,
    )
    assert due("2026-05-04T13:29", since="2026-05-04T07:30")[0] == "04 07:30"


def test_never_two_in_a_row_are_left_out() -> None:
    assert due("2026-05-04T20:00", since="2026-05-04T07:30", left_out=True) == (
        "04 07:30",
        "05 07:30",
        False,
        True,
    )
    assert due("2026-05-04T08:00", since="2026-05-04T07:30", left_out=True) == (
        "04 07:30",
        "05 07:30",
        False,
        False,
    )


def test_merge_leaves_out_what_is_not_on_time() -> None:
    on_time = utc("2026-05-04T07:30") + ON_TIME
    assert due(on_time.isoformat()[:16], since="2026-05-04T07:30", policy="merge")[0]
    assert due("2026-05-04T08:31", since="2026-05-04T07:30", policy="merge") == (
        None,
        "05 07:30",
        False,
        False,
    )
    # Not even after one was left out.
    assert due(
        "2026-05-04T20:00", since="2026-05-03T07:30", left_out=True, policy="merge"
    ) == (None, "05 07:30", False, False)


def test_a_slot_of_an_earlier_schedule_is_still_served() -> None:
    # The schedule was edited while 08:00 was due: no slot of today's is newer.
    assert due("2026-05-04T08:10", since="2026-05-04T08:00")[0] == "04 08:00"


def test_years_of_downtime_cost_no_walk() -> None:
    found = catch_up(
        DAILY,
        UTC_ZONE,
        next_slot=utc("1990-05-04T07:30"),
        as_of=utc("2026-05-04T07:31"),
        left_out=False,
        policy=CatchUp(),
    )
    assert found.slot == utc("2026-05-04T07:30")
