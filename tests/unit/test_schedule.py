from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.errors import ConfigError
from newsletter.model import CatchUp, CatchUpPolicy
from newsletter.schedule import (
    ON_TIME,
    Schedule,
    catch_up,
    describe,
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


@lru_cache
def changes(name: str) -> tuple[datetime, ...]:
    """Return the first hours (UTC) of every other offset, 2010 to 2040."""
    tz, hour = zone(name), timedelta(hours=1)
    at, found = utc("2010-01-01T00:00"), []
    while at.year < 2040:
        if at.astimezone(tz).utcoffset() != (at + 24 * hour).astimezone(tz).utcoffset():
            found += [
                at + n * hour
                for n in range(24)
                if (at + n * hour).astimezone(tz).utcoffset()
                != (at + (n + 1) * hour).astimezone(tz).utcoffset()
            ]
        at += 24 * hour
    return tuple(found)


def first_moment(tz: ZoneInfo, wall: datetime) -> datetime:
    """Return when a clock on the wall first shows *wall*, by watching it.

    Where it jumps over it: when it would have shown it, had it not jumped.
    """
    minute = timedelta(minutes=1)
    start = wall.replace(tzinfo=UTC) - timedelta(hours=27)
    shown = [
        (start + n * minute).astimezone(tz).replace(tzinfo=None) for n in range(54 * 60)
    ]
    if wall in shown:
        return start + shown.index(wall) * minute
    jump = next(n for n, local in enumerate(shown) if local > wall)
    return start + (jump - 1) * minute + (wall - shown[jump - 1])


@settings(max_examples=60)
@given(st.data(), st.sampled_from([n for n in ZONES if changes(n)]))
def test_around_a_change_slots_are_what_a_clock_on_the_wall_shows(
    data: st.DataObject, name: str
) -> None:
    tz = zone(name)
    change = data.draw(st.sampled_from(changes(name)))
    local = change.astimezone(tz).replace(tzinfo=None)
    wall = local + timedelta(minutes=data.draw(st.integers(-30, 210)))
    moment = first_moment(tz, wall)
    schedule = parse_schedule([f"monthly {wall.day} {wall:%H:%M}"])
    assert next_slot(schedule, tz, moment - timedelta(microseconds=1)) == moment
    assert previous_slot(schedule, tz, moment + timedelta(microseconds=1)) == moment


@given(st.sampled_from(RULES), st.sampled_from(ZONES), instants)
def test_away_from_a_change_a_slot_has_the_local_time_of_its_rule(
    rules: tuple[str, ...], name: str, after: datetime
) -> None:
    tz, day = zone(name), timedelta(days=1)
    slot = next_slot(parse_schedule(rules), tz, after)
    local = slot.astimezone(tz)
    offsets = {(slot + n * day).astimezone(tz).utcoffset() for n in (-1, 0, 1)}
    if len(offsets) == 1:
        assert f"{local:%H:%M}" in {rule.split()[-1] for rule in rules}


def test_slots_that_a_gap_puts_out_of_order_come_in_order() -> None:
    # New York's 02:30 is 03:30 that day, later than its 03:00.
    schedule = parse_schedule(["daily 02:30", "daily 03:00", "daily 03:30"])
    tz = zone("America/New_York")
    first = next_slot(schedule, tz, utc("2026-03-08T05:00"))
    second = next_slot(schedule, tz, first)
    assert (first, second) == (utc("2026-03-08T07:00"), utc("2026-03-08T07:30"))
    assert next_slot(schedule, tz, second) == utc("2026-03-09T06:30")
    assert previous_slot(schedule, tz, second) == first


def test_a_skipped_date_collides_with_the_next_ones_slots_in_order() -> None:
    # Kwajalein had no 21 August 1993: its 12:00 falls on the 22nd, between
    # the 22nd's own slots, and its 07:30 on the 22nd's 07:30.
    schedule = parse_schedule(["daily 07:30", "sat 12:00"])
    tz = zone("Pacific/Kwajalein")
    slots, after = [], utc("1993-08-20T12:00")
    for _ in range(4):
        after = next_slot(schedule, tz, after)
        slots.append(f"{after.astimezone(tz):%d %H:%M}")
    assert slots == ["20 07:30", "22 07:30", "22 12:00", "23 07:30"]


def test_the_last_day_stands_in_for_one_that_a_month_lacks() -> None:
    schedule, after, days = parse_schedule(["monthly 31 07:30"]), utc("2028-01-01"), []
    for _ in range(4):
        after = next_slot(schedule, zone("UTC"), after)
        days.append(f"{after:%m-%d}")
    assert days == ["01-31", "02-29", "03-31", "04-30"]


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
        ("monthly 07:30", "is not a schedule"),
        ("monthly 1,15 07:30", "'1,15' is no day of a month"),
        ("mon, thu 18:00", "is not a schedule"),
        ("mon- 18:00", "'mon-' is no day"),
        (",mon 18:00", "'' is no day"),
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
    assert parse_schedule(["monthly 01 8:05"]) == parse_schedule(["Monthly 1 08:05"])


words = st.sampled_from(
    ["daily", "Weekdays", "monthly", "mon", "sun,tue", "1", "31", "7:30", "24:00", ","]
)


@given(st.text(max_size=30) | st.lists(words, max_size=4).map(" ".join))
def test_any_text_is_a_schedule_or_refused_by_its_name(text: str) -> None:
    try:
        schedule = parse_schedule([text])
    except ConfigError as error:
        said = str(error)
    else:
        said = repr(text)
        assert next_slot(schedule, zone("UTC"), utc("2026-05-04"))
        assert describe(schedule).endswith("at 07:30")
    assert repr(text) in said


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (["daily 7:30"], "every day at 07:30"),
        (["weekdays 07:30"], "Monday to Friday at 07:30"),
        (["sun 18:00"], "Sunday at 18:00"),
        (["thu,mon,tue 18:00"], "Monday, Tuesday and Thursday at 18:00"),
        (["monthly 28 07:30"], "day 28 of each month at 07:30"),
        (["monthly 29 07:30"], "day 29 or the last day of each month at 07:30"),
        (["mon 07:30", "fri 18:00"], "Monday at 07:30; Friday at 18:00"),
    ],
)
def test_a_schedule_is_told_in_words(rules: list[str], words: str) -> None:
    assert describe(parse_schedule(rules)) == words


@pytest.mark.parametrize(
    "name",
    [
        "Europe/Londn",
        "Europe",
        "",
        "../etc/passwd",
        "Mars/Olympus",
        "zone.tab",
        "a" * 300,
        "UTC\0",
        "\ud800",
        "localtime",
        "right/Europe/London",
    ],
)
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="there is no time zone"):
        zone(name)


def test_a_misspelt_zone_is_corrected() -> None:
    with pytest.raises(ConfigError, match=r"did you mean Europe/London\?"):
        zone("Europe/Londn")
    with pytest.raises(ConfigError) as caught:
        zone("localtim")
    assert "localtime" not in str(caught.value)


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


def test_of_several_missed_slots_the_newest_is_served() -> None:
    found = catch_up(
        DAILY,
        UTC_ZONE,
        next_slot=utc("2026-05-01T07:30"),
        as_of=utc("2026-05-04T09:00"),
        left_out=False,
        policy=CatchUp(),
    )
    assert found.newest == utc("2026-05-04T07:30")


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


@given(
    st.sampled_from(RULES),
    st.sampled_from(ZONES),
    st.lists(st.integers(0, 60 * 24 * 9), min_size=1, max_size=12),
    st.sampled_from(CatchUpPolicy),
)
def test_however_runs_fall_no_slot_is_served_twice_nor_two_late_ones_left_out(
    rules: tuple[str, ...], name: str, waits: list[int], policy: CatchUpPolicy
) -> None:
    schedule, tz = parse_schedule(rules), zone(name)
    as_of = utc("2026-03-01T00:00")
    upcoming, left_out, served = next_slot(schedule, tz, as_of), False, [as_of]
    for minutes in waits:
        as_of += timedelta(minutes=minutes)
        if upcoming > as_of:
            continue
        found = catch_up(
            schedule,
            tz,
            next_slot=upcoming,
            as_of=as_of,
            left_out=left_out,
            policy=CatchUp(policy=policy),
        )
        assert upcoming <= found.newest <= as_of < found.next_slot
        assert next_slot(schedule, tz, found.newest) == found.next_slot
        assert not (left_out and found.left_out)
        assert not found.forced or (left_out and found.slot is not None)
        if found.slot is not None:
            assert found.slot > served[-1]
            served.append(found.slot)
        upcoming, left_out = found.next_slot, found.left_out
