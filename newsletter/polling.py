"""When a source is asked: its own interval, the server's wishes, and back-off.

    poll -> next_state: validators, moves, failures, next_poll_at
    next_poll_at = the longest of interval, ttl, max-age, Expires, Retry-After

The clock's time is an argument; chance is drawn from the source's name and
the time, so that the same poll gives the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from itertools import pairwise

from newsletter.model import (
    Move,
    Poll,
    Reading,
    Request,
    Rhythm,
    SourceSettings,
    SourceState,
    Validator,
)

#: A listing day may still grow until this long after its end (UTC).
DAY_SETTLES = timedelta(hours=12)
#: A source that fails for this long, and this often, is broken.
BROKEN_AFTER = timedelta(hours=24)
BROKEN_POLLS = 3
#: Whatever a server asks for and however often it failed, a source is asked
#: again within a day; an hour less, so that who runs once a day never misses it.
LONGEST_WAIT = timedelta(hours=23)
#: Polls in a row that a permanent redirect must have held before it is followed
#: at once.
MOVES_HOLD = 3
#: How much of an interval chance may take off, so that not all ask at once.
JITTER = 0.1
_BACK_OFF_JITTER = 0.25
_GONE = 410
_MAX_AGE = re.compile(r"(?<![\w-])max-age\s*=\s*\"?(\d{1,9})", re.ASCII | re.IGNORECASE)
_UNCACHED = re.compile(r"(?<![\w-])no-(?:store|cache)\b", re.ASCII | re.IGNORECASE)
_REMAINING = re.compile(
    r"(?:^|[;,\s])(?:r|remaining)\s*=\s*(\d{1,9})", re.ASCII | re.IGNORECASE
)
_RESET = re.compile(
    r"(?:^|[;,\s])(?:t|reset)\s*=\s*(\d{1,9})", re.ASCII | re.IGNORECASE
)
#: More seconds than this are an instant since 1970, not a wait.
_AN_INSTANT = 1_000_000_000
_NO_TIME = timedelta(0)


# --- is it time? -------------------------------------------------------------


def is_poll_due(settings: SourceSettings, state: SourceState, now: datetime) -> bool:
    """Tell whether a source is asked now; a file always is."""
    if settings.path is not None:
        return True
    if is_gone(settings, state):
        return False
    if not settings.interval and not state.failures:
        return True  # "0s" means at every run
    return state.next_poll_at is None or state.next_poll_at <= now


def is_gone(settings: SourceSettings, state: SourceState) -> bool:
    """Tell whether its address has said that it is gone for good (410)."""
    return state.gone_url is not None and state.gone_url == settings.url


def is_broken(settings: SourceSettings, state: SourceState, now: datetime) -> bool:
    """Tell whether a person should look: see the exit codes of the command line."""
    if not state.failures:
        return False
    failing_for = now - (state.failing_since or now)
    lasting = failing_for >= BROKEN_AFTER and state.failures >= BROKEN_POLLS
    return settings.required or lasting


def redirected(request: Request, state: SourceState) -> Request:
    """Return *request* as it is asked where its address has moved for good."""
    move = state.moves.get(request.url or "")
    if move is None or move.times < MOVES_HOLD:
        return request
    return replace(request, target=move.target)


# --- what is remembered -------------------------------------------------------


def next_state(
    settings: SourceSettings,
    state: SourceState,
    poll: Poll,
    *,
    started_at: datetime,
    now: datetime,
) -> SourceState:
    """Return what is remembered of a source after *poll*.

    Args:
        settings: The source's.
        state: What was remembered before.
        poll: All that asking it brought.
        started_at: When the run began to ask, by the clock.
        now: By the clock.
    """
    if not poll.readings:
        return _failed(settings, state, poll, started_at=started_at, now=now)
    rhythm = _rhythm(state.rhythm, poll.readings)
    after = replace(
        state,
        validators=_known_validators(state.validators, poll),
        moves=_moves(state.moves, poll),
        complete_day=_complete_day(state.complete_day, poll),
        first_ok_at=state.first_ok_at or _first_ok(poll.readings, now),
        last_ok_at=now,
        failures=0,
        failing_since=None,
        last_error=poll.failures[0].reason if poll.failures else None,
        note=_note(poll.readings, rhythm, now),
        gone_url=None,
        rhythm=rhythm,
    )
    wishes = [_wish(reading, now) for reading in poll.readings]
    wishes += [rhythm.at_least or _NO_TIME]
    due = _next_time(after, settings, max(wishes), started_at)
    return replace(after, next_poll_at=max(due, now + _asked_to_wait(poll)))


def _next_time(
    state: SourceState,
    settings: SourceSettings,
    wish: timedelta,
    started_at: datetime,
) -> datetime:
    """Return when the next poll is due, *wish* being what the server would like.

    Counted from the whole minute in which the run began: who runs by cron each
    hour, or each day, is not to come a second too early the next time.
    """
    begun = started_at.replace(second=0, microsecond=0)
    if not settings.interval:
        return begun  # "0s" means at every run
    shortened = settings.interval * (1 - JITTER * _chance(state.name, begun))
    soonest = begun + max(shortened, min(wish, LONGEST_WAIT))
    latest = begun + max(settings.interval, LONGEST_WAIT)
    return _awake(soonest, state.rhythm, latest)


def _failed(
    settings: SourceSettings,
    state: SourceState,
    poll: Poll,
    *,
    started_at: datetime,
    now: datetime,
) -> SourceState:
    """Return what is remembered after a poll that brought nothing at all."""
    failures = state.failures + 1
    is_gone_now = bool(poll.failures) and all(
        failure.status == _GONE for failure in poll.failures
    )
    after = replace(
        state,
        # Who was sent on and found nothing asks at the first address again.
        moves={},
        failures=failures,
        failing_since=state.failing_since or now,
        last_error=poll.failures[0].reason if poll.failures else "nothing was asked",
        gone_url=settings.url if is_gone_now and not state.moves else None,
    )
    wait = _back_off(settings, failures, started_at)
    due = _next_time(after, settings, wait, started_at)
    return replace(after, next_poll_at=max(due, now + _asked_to_wait(poll)))


def _back_off(
    settings: SourceSettings, failures: int, started_at: datetime
) -> timedelta:
    """Return the wait after that many failures in a row: twice as long each time."""
    doubled = settings.interval * 2.0 ** min(failures - 1, 16)
    luck = 1 - _BACK_OFF_JITTER * _chance(f"{settings.name}!", started_at)
    return min(doubled, LONGEST_WAIT) * luck


def _chance(name: str, at: datetime) -> float:
    """Return a number from 0 to 1 that only the source and the time decide."""
    digest = sha256(f"{name} {at.isoformat()}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32


def _awake(soonest: datetime, rhythm: Rhythm, latest: datetime) -> datetime:
    """Return the first time that the document does not say it sleeps, by *latest*."""
    at = soonest
    while at < latest and (
        at.hour in rhythm.skip_hours or at.weekday() in rhythm.skip_days
    ):
        at = at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return max(soonest, min(at, latest))


# --- what servers say -----------------------------------------------------------


def _wish(reading: Reading, now: datetime) -> timedelta:
    """Return how long an answer says that it holds: caches and rate limits."""
    headers = reading.response.headers
    seconds = max(fresh_for_s(headers, now), limited_for_s(headers, now) or 0.0)
    return timedelta(seconds=seconds)


def fresh_for_s(headers: Mapping[str, str], now: datetime) -> float:
    """Return for how many seconds an answer is fresh (RFC 9111, 4.2.1); 0: not said.

    Args:
        headers: Names in lower case.
        now: When it came.
    """
    control = headers.get("cache-control", "")
    if _UNCACHED.search(control):
        return 0.0
    if found := _MAX_AGE.search(control):
        return max(0.0, float(found[1]) - _number(headers.get("age")))
    expires = _http_date(headers.get("expires"))
    if expires is None:
        return 0.0
    sent = _http_date(headers.get("date")) or now
    return max(0.0, (expires - sent).total_seconds())


def limited_for_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds until a used-up limit is filled again; None: there is rest.

    ``RateLimit: "default";r=0;t=57`` (draft-ietf-httpapi-ratelimit-headers),
    its older shapes, and ``X-RateLimit-Remaining`` with ``X-RateLimit-Reset``.
    """
    whole = headers.get("ratelimit", "")
    remaining, reset = _REMAINING.search(whole), _RESET.search(whole)
    left = remaining[1] if remaining else _either(headers, "remaining")
    wait = reset[1] if reset else _either(headers, "reset")
    if left is None or _number(left, 1.0) > 0 or wait is None:
        return None
    seconds = _number(wait)
    if seconds > _AN_INSTANT:
        seconds -= now.timestamp()
    return max(0.0, seconds)


def _either(headers: Mapping[str, str], name: str) -> str | None:
    return headers.get(f"ratelimit-{name}") or headers.get(f"x-ratelimit-{name}")


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return Retry-After in seconds (RFC 9110, 10.2.3), else what a limit says.

    None: neither can be read.
    """
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value[:9])
    then = _http_date(value)
    if then is not None:
        return max(0.0, (then - now).total_seconds())
    return limited_for_s(headers, now)


def _http_date(value: str | None) -> datetime | None:
    """Return a date of HTTP (RFC 9110, 5.6.7); None: it is none."""
    try:
        then = parsedate_to_datetime(value or "")
    except (ValueError, TypeError, OverflowError):
        return None
    return then if then.tzinfo else then.replace(tzinfo=UTC)


def _number(value: str | None, otherwise: float = 0.0) -> float:
    text = (value or "").strip()
    return float(text[:12]) if text.isdecimal() else otherwise


def _asked_to_wait(poll: Poll) -> timedelta:
    """Return what the failures of a poll ask us to wait."""
    seconds = max((f.retry_after_s or 0.0 for f in poll.failures), default=0.0)
    return timedelta(seconds=min(seconds, LONGEST_WAIT.total_seconds()))


# --- parts of a state -----------------------------------------------------------


def _first_ok(readings: Sequence[Reading], now: datetime) -> datetime | None:
    """Return *now* if something was read; not if a page only points at others."""
    pages = [reading.page for reading in readings if reading.page is not None]
    return now if any(page.listings or not page.further for page in pages) else None


def _rhythm(known: Rhythm, readings: Sequence[Reading]) -> Rhythm:
    """Return what the last document said; what is unchanged says it still."""
    said = [reading.page.rhythm for reading in readings if reading.page is not None]
    return said[-1] if said else known


def _known_validators(
    known: Mapping[str, Validator], poll: Poll
) -> dict[str, Validator]:
    """Return the validators of what was asked; an address of yesterday goes."""
    asked = {reading.response.request.url for reading in poll.readings}
    asked |= {failure.request.url for failure in poll.failures}
    kept = {url: validator for url, validator in known.items() if url in asked}
    return kept | _validators(poll.readings)


def _validators(readings: Sequence[Reading]) -> dict[str, Validator]:
    """Return the validators to ask with next time, by URL.

    A document of several pages is asked for unconditionally: its first page
    may stand while its last one grows.
    """
    kept: dict[str, Validator] = {}
    for reading in readings:
        request = reading.response.request
        if request.url is None or reading.page is None or request.page:
            continue
        if reading.page.further:
            kept[request.url] = Validator()
        else:
            kept[request.url] = _validator(reading)
    return kept


def _validator(reading: Reading) -> Validator:
    headers = reading.response.headers
    etag, modified = headers.get("etag"), headers.get("last-modified")
    return Validator(
        etag=etag.encode("utf-8", "surrogateescape") if etag else None,
        last_modified=modified.encode("utf-8", "surrogateescape") if modified else None,
    )


def _moves(known: Mapping[str, Move], poll: Poll) -> dict[str, Move]:
    """Return where the addresses of a poll have moved for good, by now."""
    failed = {failure.request.url for failure in poll.failures}
    moves = {url: move for url, move in known.items() if url not in failed}
    for reading in poll.readings:
        request, target = reading.response.request, reading.response.moved_to
        url = request.url
        if url is None or request.target is not None:
            # Asked there at once: it still holds, and where it moves on to from
            # there is found by asking at the first address when it fails.
            continue
        if target is None or _is_downgrade(url, target):
            moves.pop(url, None)
            continue
        before = moves.get(url)
        is_same = before is not None and before.target == target
        times = before.times + 1 if before is not None and is_same else 1
        moves[url] = Move(target=target, times=times)
    return moves


def _is_downgrade(url: str, target: str) -> bool:
    """Tell whether it leads out of TLS: that is followed, and never remembered."""
    return url.startswith("https:") and not target.startswith("https:")


def _note(readings: Sequence[Reading], rhythm: Rhythm, now: datetime) -> str | None:
    """Return what a person may wonder about, though nothing failed."""
    pages = [reading.page for reading in readings if reading.page is not None]
    if not pages or any(page.listings or page.rejected for page in pages):
        return None
    if now.weekday() in rhythm.skip_days:
        return f"empty: it says that it has nothing on a {now:%A}"
    if now.weekday() >= 5:  # noqa: PLR2004 - Saturday is 5
        return "empty: weekend"
    return "empty: there is nothing in it now"


def _complete_day(known: date | None, poll: Poll) -> date | None:
    """Return the day up to which everything has been read to the end.

    A day is complete when its last page was read at least 12 hours after the
    day's end (UTC); one that failed stops the count, so that it is asked for
    again.
    """
    failed = {f.request.day for f in poll.failures if f.request.day is not None}
    read = {
        day: reading.response.seen_at
        for reading in poll.readings
        if (day := reading.response.request.day) is not None
        and not (reading.page and reading.page.further)
    }
    for day in sorted(failed | set(read)):
        if known is not None and day <= known:
            continue
        ends = datetime.combine(day + timedelta(days=1), time.min, tzinfo=UTC)
        if day in failed or read[day] < ends + DAY_SETTLES:
            break
        known = day
    return known


# --- habits ---------------------------------------------------------------------

#: Days of a source's past that its habit is read from.
HABIT_DAYS = 60
#: Fewer days with entries than these are no habit.
_HABIT_LEAST = 5


def silent_for(days: Sequence[date], today: date) -> timedelta | None:
    """Return for how long a source has been silent, against its habit; None: not.

    Silent is what has shown nothing for more than twice its longest pause of
    the last 60 days, and for more than 3 days.

    Args:
        days: On which it listed anything, within the last 60; any order.
        today: UTC.
    """
    known = sorted({day for day in days if day <= today})
    if len(known) < _HABIT_LEAST:
        return None
    pauses = [(b - a).days for a, b in pairwise(known)]
    silent = (today - known[-1]).days
    return timedelta(days=silent) if silent > max(3, 2 * max(pauses)) else None
