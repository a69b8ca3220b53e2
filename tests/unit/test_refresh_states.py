"""What is remembered of a source after a poll, by the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest

from newsletter.model import (
    Failure,
    Page,
    Poll,
    Reading,
    Request,
    Response,
    SourceSettings,
    SourceState,
    Validator,
)
from newsletter.usecases.refresh import is_broken, is_poll_due, next_state

NOW = datetime(2026, 5, 28, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
URL = "https://example.org/a"


@dataclass(frozen=True)
class Settled:
    """A source of which only the settings matter."""

    settings: SourceSettings

    def requests(self, state: SourceState, as_of: datetime) -> tuple[Request, ...]:
        raise NotImplementedError

    def parse(self, response: Response) -> Page:
        raise NotImplementedError


def source(**settings: object) -> Settled:
    given = {"name": "s", "kind": "feed", "url": URL, **settings}
    return Settled(SourceSettings(**given))  # type: ignore[arg-type] # any of its keys


def reading(
    *,
    day: date | None = None,
    page: Page | None = Page(),  # noqa: B008 - frozen
    seen_at: datetime = NOW,
    url: str | None = URL,
    number: int = 0,
    **headers: str,
) -> Reading:
    request = Request(source="s", url=url, day=day, page=number)
    response = Response(
        request=request,
        status=304 if page is None else 200,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
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
    return next_state(source(**settings), state, poll, NOW)


FRESH = SourceState(name="s")


def test_a_poll_that_was_read_sets_the_next_one() -> None:
    state = after(FRESH, reading(etag='"x"', last_modified="y"), interval=2 * HOUR)
    assert state.first_ok_at == state.last_ok_at == NOW
    assert state.next_poll_at == NOW + 2 * HOUR
    assert state.validators == {URL: Validator(etag=b'"x"', last_modified=b"y")}
    assert (state.failures, state.failing_since, state.last_error) == (0, None, None)


def test_an_unchanged_document_keeps_its_validator() -> None:
    known = SourceState(name="s", validators={URL: Validator(etag=b"x")})
    state = after(known, reading(page=None))
    assert state.validators == known.validators
    assert state.first_ok_at is None
    assert state.last_ok_at == NOW


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


@pytest.mark.parametrize(
    ("wish", "wait"),
    [
        (None, HOUR),
        (60.0, HOUR),
        (7200.0, 2 * HOUR),
        (1e12, timedelta(days=1)),
    ],
)
def test_a_servers_wish_is_heard_up_to_a_day(
    wish: float | None, wait: timedelta
) -> None:
    state = after(FRESH, failure(retry_after_s=wish))
    assert state.next_poll_at == NOW + wait


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
    assert is_poll_due(source(url=None, path="/x"), later, NOW)
