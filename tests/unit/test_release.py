from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsletter.model import ListingState, PendingListing
from newsletter.release import admit, due

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PENDING, PASSED, HELD = (
    ListingState.PENDING,
    ListingState.PASSED_OVER,
    ListingState.HELD,
)


def admitted(
    *ages: float, first: bool = True, first_days: float = 3, max_new: int = 10
) -> list[ListingState]:
    return list(
        admit(
            [NOW - age * DAY for age in ages],
            first=first,
            as_of=NOW,
            first_days=first_days,
            max_new=max_new,
        )
    )


def test_at_the_first_fetch_only_the_young_count() -> None:
    assert admitted(0, 3, 3.01, 400) == [PENDING, PENDING, PASSED, PASSED]


def test_later_on_age_does_not_matter() -> None:
    assert admitted(0, 400, first=False) == [PENDING, PENDING]


def test_a_flood_is_held_whole_but_for_what_is_passed_over() -> None:
    assert admitted(1, 2, 99, 2.5, max_new=2) == [HELD, HELD, PASSED, HELD]
    assert admitted(1, 99, 2.5, max_new=2) == [PENDING, PASSED, PENDING]


def test_a_reach_beyond_the_calendar_takes_everything() -> None:
    assert admitted(0, 400, first_days=10_000_000) == [PENDING, PENDING]


def test_nothing_is_admitted_of_nothing() -> None:
    assert admitted() == []


def test_what_is_due_comes_by_time_then_by_id() -> None:
    pending = [
        PendingListing(id=3, source="a", listed_at=NOW),
        PendingListing(id=2, source="a", listed_at=NOW),
        PendingListing(id=9, source="b", listed_at=NOW - DAY),
        PendingListing(id=1, source="a", listed_at=NOW + DAY),
    ]
    assert due(pending, as_of=NOW, settle={}) == (9, 2, 3)


def test_a_listing_waits_for_its_source_to_settle() -> None:
    pending = [PendingListing(id=1, source="a", listed_at=NOW)]
    settle = {"a": timedelta(hours=20)}
    assert due(pending, as_of=NOW + timedelta(hours=19), settle=settle) == ()
    assert due(pending, as_of=NOW + timedelta(hours=20), settle=settle) == (1,)


def test_an_instant_at_the_calendars_end_is_only_not_due() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    pending = [PendingListing(id=1, source="a", listed_at=last)]
    assert due(pending, as_of=NOW, settle={"a": DAY}) == ()


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(-50, 50)), max_size=20),
    st.integers(0, 40),
    st.integers(-60, 60),
)
def test_each_listing_is_due_once_however_releases_fall(
    listed: list[tuple[str, int]], settle: int, first: int
) -> None:
    hour = timedelta(hours=1)
    pending = [
        PendingListing(id=n, source=source, listed_at=NOW + age * hour)
        for n, (source, age) in enumerate(listed)
    ]
    wait = {"a": settle * hour}
    early = due(pending, as_of=NOW + first * hour, settle=wait)
    left = [p for p in pending if p.id not in early]
    late = due(left, as_of=NOW + 100 * hour, settle=wait)
    assert sorted(early + late) == list(range(len(listed)))
    assert all(
        pending[n].listed_at + wait.get(pending[n].source, 0 * hour)
        <= NOW + first * hour
        for n in early
    )
    for batch in (early, late):
        assert list(batch) == sorted(batch, key=lambda n: (pending[n].listed_at, n))


@given(st.lists(st.floats(-10, 1000), max_size=30), st.booleans(), st.integers(1, 20))
def test_admission_never_holds_less_than_a_whole_flood(
    ages: list[float], first: bool, max_new: int
) -> None:
    states = admitted(*ages, first=first, max_new=max_new)
    assert len(states) == len(ages)
    assert not {PENDING, HELD} <= set(states)
    assert states.count(PENDING) <= max_new
    assert first or PASSED not in states
