"""What is remembered of a source after a poll, by the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from newsletter.model import (
    Failure,
    Move,
    Page,
    Poll,
    Reading,
    Rejected,
    Request,
    Response,
    Rhythm,
    SourceSettings,
    SourceState,
    Validator,
)
from newsletter.polling import (
    LONGEST_WAIT,
    fresh_for_s,
    is_broken,
    is_gone,
    is_poll_due,
    limited_for_s,
    next_state,
    redirected,
    retry_after_s,
    silent_for,
)

NOW = datetime(2026, 5, 28, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
URL = "https://example.org/a"


def source(**settings: object) -> SourceSettings:
    given = {"name": "s", "kind": "feed", "url": URL, **settings}
    return SourceSettings(**given)  # type: ignore[arg-type] # any of its keys


def reading(
    *,
    day: date | None = None,
    page: Page | None = Page(),  # noqa: B008 - frozen
    seen_at: datetime = NOW,
    url: str | None = URL,
    number: int = 0,
    headers: Mapping[str, str] = {},
    **said: str,
) -> Reading:
    request = Request(source="s", url=url, day=day, page=number)
    response = Response(
        request=request,
        status=304 if page is None else 200,
        headers={n.replace("_", "-"): v for n, v in {**headers, **said}.items()},
        body=b"",
        seen_at=seen_at,
    )
    return Reading(response=response, page=page)


def failure(day: date | None = None, retry_after_s: float | None = None) -> Failure:
    request = Request(source="s", url=URL, day=day)
    return Failure(request=request, reason="no answer", retry_after_s=retry_after_s)


def after(
    state: SourceState, *parts: Reading | Failure, **settings: object
) -> SourceState:
    poll = Poll(
        source="s",
        readings=tuple(p for p in parts if isinstance(p, Reading)),
        failures=tuple(p for p in parts if isinstance(p, Failure)),
    )
    return next_state(source(**settings), state, poll, started_at=NOW, now=NOW)


FRESH = SourceState(name="s")


def test_a_poll_that_was_read_sets_the_next_one() -> None:
    state = after(FRESH, reading(etag='"x"', last_modified="y"), interval=2 * HOUR)
    assert state.first_ok_at == state.last_ok_at == NOW
    assert state.next_poll_at is not None
    assert 1.8 * HOUR <= state.next_poll_at - NOW <= 2 * HOUR
    assert state.validators == {URL: Validator(etag=b'"x"', last_modified=b"y")}
    assert (state.failures, state.failing_since, state.last_error) == (0, None, None)


def test_an_unchanged_document_keeps_its_validator() -> None:
    known = SourceState(name="s", validators={URL: Validator(etag=b"x")})
    state = after(known, reading(page=None))
    assert state.validators == known.validators
    assert state.first_ok_at is None
    assert state.last_ok_at == NOW


def test_a_validator_of_what_is_not_asked_for_any_more_goes() -> None:
    known = {"https://example.org/yesterday": Validator(etag=b"x"), URL: Validator()}
    state = after(SourceState(name="s", validators=known), reading(page=None))
    assert state.validators == {URL: Validator()}
    state = after(state, reading(url="https://example.org/b", etag="y"), failure())
    assert set(state.validators) == {URL, "https://example.org/b"}


def test_a_document_of_several_pages_is_asked_for_whole() -> None:
    more = Page(further=(Request(source="s", url=URL, page=1),))
    state = after(FRESH, reading(page=more, etag="x"), reading(number=1, etag="y"))
    assert state.validators == {URL: Validator()}


def test_a_page_that_only_points_at_others_is_no_first_fetch() -> None:
    """A folder, or an answer that is empty without reason and asked for again."""
    more = Page(further=(Request(source="s", url=URL, page=1),))
    assert after(FRESH, reading(page=more), failure()).first_ok_at is None
    assert after(FRESH, reading(page=more), reading(number=1)).first_ok_at == NOW


def test_a_file_has_no_validator() -> None:
    assert after(FRESH, reading(url=None, etag="x")).validators == {}


def test_failures_count_until_something_is_read() -> None:
    once = after(FRESH, failure())
    twice = after(once, failure())
    assert (twice.failures, twice.failing_since) == (2, NOW)
    assert twice.last_error == "no answer"
    assert after(twice, reading()).failures == 0
    partly = after(twice, reading(), failure())
    assert (partly.failures, partly.last_error) == (0, "no answer")


def wait(state: SourceState) -> timedelta:
    assert state.next_poll_at is not None
    return state.next_poll_at - NOW


@pytest.mark.parametrize(
    ("wish", "least", "most"),
    [
        (None, 0.75 * HOUR, HOUR),
        (60.0, 0.75 * HOUR, HOUR),
        (7200.0, 2 * HOUR, 2 * HOUR),
        (1e12, LONGEST_WAIT, LONGEST_WAIT),
    ],
)
def test_a_servers_wish_is_heard_up_to_a_day(
    wish: float | None, least: timedelta, most: timedelta
) -> None:
    state = after(FRESH, failure(retry_after_s=wish))
    assert least <= wait(state) <= most
    # Also where another request of the poll was answered.
    state = after(FRESH, reading(), failure(retry_after_s=wish))
    assert least <= wait(state) <= most


def test_repeated_failures_wait_twice_as_long_each_time_up_to_a_day() -> None:
    state, waits = FRESH, []
    for _ in range(8):
        state = after(state, failure())
        waits.append(wait(state) / HOUR)
    assert all(0.75 * 2**n <= w <= 2**n for n, w in enumerate(waits[:4]))
    assert 0.75 * 23 <= waits[-1] <= 23
    # By chance, and by the same one where the source and the time are the same.
    assert waits[0] != wait(after(replace(FRESH, name="t"), failure(), name="t")) / HOUR
    assert waits[0] == wait(after(FRESH, failure())) / HOUR
    assert wait(after(FRESH, failure(), interval=48 * HOUR)) >= 36 * HOUR


@pytest.mark.parametrize(
    ("headers", "least"),
    [
        ({"cache_control": "public, max-age=7200"}, 2 * HOUR),
        ({"cache_control": "max-age=7200", "age": "3600"}, HOUR),
        ({"cache_control": "max-age=99999999"}, LONGEST_WAIT),
        ({"expires": "Thu, 28 May 2026 15:00:00 GMT"}, 3 * HOUR),
        (
            {
                "expires": "Thu, 28 May 2026 15:00:00 GMT",
                "date": "Thu, 28 May 2026 12:30:00 GMT",
            },
            2.5 * HOUR,
        ),
        ({"ratelimit": '"api";r=0;t=10800'}, 3 * HOUR),
    ],
)
def test_what_an_answer_says_of_itself_is_waited_for(
    headers: Mapping[str, str], least: timedelta
) -> None:
    assert wait(after(FRESH, reading(headers=headers))) == least


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"cache-control": "no-store, max-age=7200"}, 0),
        ({"cache-control": "no-cache"}, 0),
        ({"cache-control": "s-maxage=7200"}, 0),
        ({"cache-control": "max-age=60, no-cachet"}, 60),
        ({"cache-control": "max-age=60", "age": "a while"}, 60),
        ({"cache-control": "max-age=60", "age": "600"}, 0),
        ({"expires": "0"}, 0),
        ({"expires": "Thu, 28 May 2020 15:00:00 GMT"}, 0),
        ({"expires": "Thu, 28 May 2026 12:01:00 -0000"}, 60),
        ({}, 0),
    ],
)
def test_for_how_long_an_answer_is_fresh(
    headers: Mapping[str, str], seconds: float
) -> None:
    assert fresh_for_s(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"ratelimit": '"default";r=0;t=57'}, 57),
        ({"ratelimit": '"default";r=12;t=57'}, None),
        ({"ratelimit": "limit=100, remaining=0, reset=50"}, 50),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "30"}, 30),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1779969660"}, 60),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000000001"}, 0),
        ({"x-ratelimit-remaining": "0"}, None),
        ({"x-ratelimit-remaining": "few", "x-ratelimit-reset": "30"}, None),
        ({}, None),
    ],
)
def test_when_a_used_up_limit_is_filled_again(
    headers: Mapping[str, str], seconds: float | None
) -> None:
    assert limited_for_s(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "120"}, 120),
        ({"retry-after": "Thu, 28 May 2026 14:00:00 GMT"}, 7200),
        ({"retry-after": "Thu, 28 May 2020 14:00:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "soon", "ratelimit": '"a";r=0;t=9'}, 9),
        ({}, None),
    ],
)
def test_how_long_a_server_asks_us_to_wait(
    headers: Mapping[str, str], seconds: float | None
) -> None:
    assert retry_after_s(headers, NOW) == seconds


def test_a_document_says_how_often_it_wants_to_be_asked_for() -> None:
    slow = Page(rhythm=Rhythm(at_least=5 * HOUR))
    state = after(FRESH, reading(page=slow))
    assert wait(state) == 5 * HOUR
    # What is unchanged says it still; what says nothing any more, no more.
    assert wait(after(state, reading(page=None))) == 5 * HOUR
    assert wait(after(state, reading())) <= HOUR


def test_hours_and_days_that_a_document_sleeps_through_are_left_out() -> None:
    asleep = Page(rhythm=Rhythm(skip_hours=frozenset({12, 13, 14, 15})))
    assert wait(after(FRESH, reading(page=asleep))) == 4 * HOUR
    # 28 May 2026 is a Thursday.
    weekend = Page(rhythm=Rhythm(skip_days=frozenset({3})))
    assert wait(after(FRESH, reading(page=weekend))) == 12 * HOUR
    always = Page(rhythm=Rhythm(skip_days=frozenset(range(7))))
    assert wait(after(FRESH, reading(page=always))) == LONGEST_WAIT


def test_who_runs_by_cron_is_never_a_second_too_early() -> None:
    began = NOW + timedelta(seconds=3)
    poll = Poll(
        source="s", readings=(reading(cache_control="max-age=3600"),), failures=()
    )
    state = next_state(
        source(), FRESH, poll, started_at=began, now=began + timedelta(seconds=40)
    )
    assert is_poll_due(source(), state, NOW + HOUR)
    assert not is_poll_due(source(), state, NOW + 0.99 * HOUR)


# --- moves and ends -------------------------------------------------------------

AWAY = "https://example.org/new"


def moved(to: str | None = AWAY, *, asked_at: str | None = None) -> Reading:
    there = reading()
    asked = replace(there.response.request, target=asked_at)
    return replace(there, response=replace(there.response, moved_to=to, request=asked))


def test_an_address_that_moved_for_good_is_asked_there_after_three_times() -> None:
    state, request = FRESH, Request(source="s", url=URL)
    for times in (1, 2):
        state = after(state, moved())
        assert state.moves == {URL: Move(target=AWAY, times=times)}
        assert redirected(request, state) is request
    state = after(state, moved())
    assert redirected(request, state).target == AWAY
    assert redirected(request, state).url == URL
    # Asked there at once it stays so, until it fails.
    state = after(state, moved(None, asked_at=AWAY))
    assert redirected(request, state).target == AWAY
    assert redirected(request, after(state, failure())) is request
    assert redirected(request, after(state, reading(url="x"), failure())) is request


def test_a_move_that_does_not_hold_is_forgotten() -> None:
    twice = after(after(FRESH, moved()), moved())
    assert after(twice, moved(None)).moves == {}
    assert after(twice, moved("https://example.org/b")).moves == {
        URL: Move(target="https://example.org/b")
    }
    assert after(FRESH, moved("http://example.org/clear")).moves == {}
    assert after(FRESH, reading(url=None)).moves == {}


def test_a_source_that_is_gone_is_asked_no_more() -> None:
    gone = replace(failure(), status=410)
    state = after(FRESH, gone)
    assert is_gone(source(), state)
    assert not is_poll_due(source(), state, NOW + 1000 * HOUR)
    # Another address begins anew, and so does one that answers.
    assert is_poll_due(source(url=AWAY), state, NOW + 1000 * HOUR)
    assert not is_gone(source(), after(state, reading()))
    # One page of several that is gone is not the source.
    assert not is_gone(source(), after(FRESH, gone, failure()))
    # Who was sent on asks once more at the first address.
    sent_on = after(after(after(FRESH, moved()), moved()), moved())
    assert not is_gone(source(), after(sent_on, gone))
    assert is_gone(source(), after(after(sent_on, gone), gone))


def test_an_empty_document_is_no_failure_and_is_said() -> None:
    assert after(FRESH, reading()).note == "empty: there is nothing in it now"
    day = Page(rhythm=Rhythm(skip_days=frozenset({3})))
    said = "empty: it says that it has nothing on a Thursday"
    assert after(FRESH, reading(page=day)).note == said
    poll = Poll(source="s", readings=(reading(),), failures=())
    sunday = datetime(2026, 5, 31, 12, tzinfo=UTC)
    state = next_state(source(), FRESH, poll, started_at=sunday, now=sunday)
    assert state.note == "empty: weekend"
    full = Page(rejected=(Rejected(place="item 1", reason="x"),))
    assert after(FRESH, reading(page=full)).note is None
    assert after(state, reading(page=None)).note is None


# --- habits -----------------------------------------------------------------------


def test_silence_is_measured_against_the_habit() -> None:
    today = date(2026, 5, 28)
    daily = [today - timedelta(days=n) for n in range(5, 30)]
    assert silent_for(daily, today) == timedelta(days=5)
    assert silent_for(daily, today - timedelta(days=2)) is None
    weekly = [today - timedelta(days=n) for n in (14, 21, 28, 35, 42)]
    assert silent_for(weekly, today) is None
    assert silent_for(weekly, today + timedelta(days=1)) == timedelta(days=15)
    assert silent_for(daily[:4], today) is None
    assert silent_for([], today) is None


def test_nothing_asked_is_nothing_read() -> None:
    assert after(FRESH).last_error == "nothing was asked"


DAY = date(2026, 5, 26)


def days(*numbers: int) -> list[Reading]:
    return [reading(day=DAY + timedelta(days=n)) for n in numbers]


def test_a_day_is_complete_half_a_day_after_its_end() -> None:
    # 26 May ended 36 hours before, 27 May 12 hours before, 28 May not at all.
    assert after(FRESH, *days(0, 1, 2)).complete_day == date(2026, 5, 27)
    early = reading(day=DAY, seen_at=datetime(2026, 5, 27, 11, 59, tzinfo=UTC))
    assert after(FRESH, early).complete_day is None


def test_a_day_that_failed_is_asked_for_again() -> None:
    known = SourceState(name="s", complete_day=DAY - timedelta(days=1))
    state = after(known, failure(DAY), *days(1))
    assert state.complete_day == known.complete_day
    # One that was complete before may fail again without harm.
    again = after(known, failure(DAY - timedelta(days=2)), *days(0))
    assert again.complete_day == DAY


def test_a_day_with_a_further_page_is_not_read_to_its_end() -> None:
    more = Page(further=(Request(source="s", url=URL, page=1),))
    assert after(FRESH, reading(day=DAY, page=more)).complete_day is None


def test_a_source_is_broken_when_it_is_required_or_fails_for_a_day() -> None:
    day = timedelta(days=1)

    def failing(times: int, since: timedelta) -> SourceState:
        return SourceState(name="s", failures=times, failing_since=NOW - since)

    assert not is_broken(source(), FRESH, NOW)
    assert not is_broken(source(required=True), FRESH, NOW)
    assert is_broken(source(required=True), failing(1, 0 * day), NOW)
    assert not is_broken(source(), failing(2, 2 * day), NOW)
    assert not is_broken(source(), failing(3, 0.9 * day), NOW)
    assert is_broken(source(), failing(3, day), NOW)


def test_when_a_source_is_asked() -> None:
    later = SourceState(name="s", next_poll_at=NOW + HOUR)
    assert is_poll_due(source(), FRESH, NOW)
    assert not is_poll_due(source(), later, NOW)
    assert is_poll_due(source(), later, NOW + HOUR)
    assert is_poll_due(source(interval=timedelta(0)), later, NOW)
    told = after(FRESH, failure(retry_after_s=60.0), interval=timedelta(0))
    assert not is_poll_due(source(interval=timedelta(0)), told, NOW)
    assert is_poll_due(source(interval=timedelta(0)), told, NOW + HOUR)
    failed = after(FRESH, failure(), interval=timedelta(0))
    assert is_poll_due(source(interval=timedelta(0)), failed, NOW)
    assert is_poll_due(source(url=None, path="/x"), later, NOW)
