from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsletter.model import HeldFor, ListingState, PendingListing
from newsletter.release import Newcomer, admit, due

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PENDING, PASSED, HELD = (
    ListingState.PENDING,
    ListingState.PASSED_OVER,
    ListingState.HELD,
)
RELEASED, DROPPED = ListingState.RELEASED, ListingState.DROPPED


def admitted(
    *ages: float, first: bool = True, first_days: float = 3, max_new: int = 10
) -> list[ListingState]:
    new = [Newcomer(listed_at=NOW - age * DAY) for age in ages]
    found = admit(
        new,
        first=first,
        as_of=NOW,
        read_at=NOW,
        first_days=first_days,
        max_new=max_new,
    )
    return [admission.state for admission in found]


def held(
    *new: Newcomer,
    read_at: datetime = NOW,
    max_new: int = 2000,
    first: bool = False,
    late_before: int = 0,
) -> list[HeldFor | None]:
    """Return why each of *new* is held, at a fetch that is not the first."""
    found = admit(
        new,
        first=first,
        as_of=NOW,
        read_at=read_at,
        first_days=9999,
        max_new=max_new,
        late_before=late_before,
    )
    for admission in found:
        assert (admission.state is HELD) == (admission.held_for is not None)
    return [admission.held_for for admission in found]


def aged(days: float) -> Newcomer:
    return Newcomer(listed_at=NOW - days * DAY)


def again(*states: ListingState) -> Newcomer:
    """Return a new listing with a title that others had, who became *states*."""
    return Newcomer(listed_at=NOW, same_title=states)


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


FRESH = aged(0)
RERUN, OLD, FLOOD = HeldFor.RERUN, HeldFor.OLD, HeldFor.FLOOD


def test_a_site_that_renames_everything_is_held_and_its_news_is_not() -> None:
    site = [again(RELEASED)] * 12
    assert held(*site, FRESH, FRESH) == [RERUN] * 12 + [None] * 2
    by_link = [Newcomer(listed_at=NOW, same_link=(PASSED,))] * 10
    assert held(*by_link) == [RERUN] * 10


def test_a_few_titles_that_come_again_are_no_flood() -> None:
    assert held(*[again(RELEASED)] * 9) == [None] * 9
    # Nor are ten of twenty-one: a site with columns.
    assert held(*[again(RELEASED)] * 10, *[FRESH] * 11) == [None] * 21
    assert held(*[again(RELEASED)] * 10, *[FRESH] * 10) == [RERUN] * 10 + [None] * 10


def test_what_comes_again_by_habit_is_no_flood() -> None:
    daily = [again(PASSED, RELEASED)] * 30
    assert held(*daily) == [None] * 30
    assert held(*[again(RELEASED, PENDING)] * 30) == [None] * 30
    # Dropped once, or not decided yet, is no habit.
    assert held(*[again(RELEASED, DROPPED)] * 30) == [RERUN] * 30
    assert held(*[again(RELEASED, HELD)] * 30) == [RERUN] * 30
    # A link that is always the same says nothing of a title that is not.
    podcast = Newcomer(
        listed_at=NOW, same_link=(RELEASED, RELEASED), same_title=(RELEASED,)
    )
    assert held(*[podcast] * 30) == [RERUN] * 30


def test_an_archive_that_is_brought_in_is_held_and_the_news_is_not() -> None:
    archive = [aged(14 + n) for n in range(1, 31)]
    assert held(*archive, FRESH, aged(14)) == [OLD] * 30 + [None] * 2
    assert held(*archive[:19], FRESH) == [None] * 20


def test_after_a_long_silence_old_is_what_was_old_then() -> None:
    catching_up = [aged(days) for days in range(40)]
    assert held(*catching_up, read_at=NOW - 30 * DAY) == [None] * 40
    assert held(*catching_up).count(OLD) == 25


def test_who_is_always_late_is_no_archive() -> None:
    assert held(*[aged(40)] * 30, late_before=19) == [OLD] * 30
    assert held(*[aged(40)] * 30, late_before=20) == [None] * 30


def test_a_first_fetch_knows_only_max_new() -> None:
    everything = [aged(400)] * 30 + [again(RELEASED)] * 30
    assert held(*everything, first=True) == [None] * 60
    assert held(*everything, first=True, max_new=59) == [FLOOD] * 60
    assert held(*everything, max_new=59) == [FLOOD] * 60
    assert held(*everything) == [OLD] * 30 + [RERUN] * 30


def test_dates_at_both_ends_of_the_calendar_are_only_dates() -> None:
    ends = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    new = [Newcomer(listed_at=end) for end in ends]
    assert held(*new) == [None, None]


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


newcomers = st.lists(
    st.builds(
        lambda age, before: Newcomer(listed_at=NOW - age * DAY, same_title=before),
        st.integers(0, 30),
        st.lists(st.sampled_from(ListingState), max_size=2).map(tuple),
    ),
    max_size=60,
)


@given(newcomers, st.integers(0, 40))
def test_what_is_young_and_like_nothing_is_never_held(
    new: list[Newcomer], late_before: int
) -> None:
    found = held(*new, late_before=late_before)
    for one, reason in zip(new, found, strict=True):
        if not one.same_title and one.listed_at >= NOW - 14 * DAY:
            assert reason is None
    assert found.count(RERUN) == 0 or found.count(RERUN) >= len(new) / 2
    assert found.count(OLD) == 0 or late_before < 20
