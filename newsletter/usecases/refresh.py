"""Fetch what is new, store it, and give what is due its place in the order.

sources due -> requests -> fetcher -> parse -> entries.put -> release
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from newsletter.model import (
    Poll,
    PutReport,
    Reading,
    Rejected,
    SourceState,
    Validator,
)
from newsletter.ports import Clock, Entries, Fetcher, PollJob, Source, Sources

#: A listing day may still grow until this long after its end (UTC).
DAY_SETTLES = timedelta(hours=12)
#: A source that fails for this long, and this often, is broken.
BROKEN_AFTER = timedelta(hours=24)
BROKEN_POLLS = 3
#: However often it failed, a source is asked again within a day.
LONGEST_WAIT = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """What one source brought in one run."""

    name: str
    #: Something was read, if only "unchanged".
    ok: bool
    #: None: nothing new was read.
    put: PutReport | None = None
    #: What went wrong, one sentence each; the rest was used.
    warnings: tuple[str, ...] = ()
    #: Required, or failing for a day: the run ends with exit code 1.
    broken: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshReport:
    """What all sources brought in one run."""

    sources: tuple[SourceReport, ...] = ()
    #: Names that were not asked: their next poll is later.
    not_due: tuple[str, ...] = ()
    #: Listings that got their place in the order.
    released: int = 0
    #: Every source's latest poll failed.
    all_failing: bool = False

    @property
    def new(self) -> int:
        """How many listings were seen for the first time."""
        return sum(report.put.new for report in self.sources if report.put)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """The use case: fetch and release."""

    sources: Sequence[Source]
    states: Sources
    entries: Entries
    fetcher: Fetcher
    clock: Clock
    #: Called with each source's report as soon as it is known.
    tell: Callable[[SourceReport], None] = field(default=lambda _: None)

    def run(self, as_of: datetime) -> RefreshReport:
        """Ask every source whose next poll has come, then release what is due."""
        now = self.clock.now()
        states = {
            s.settings.name: self.states.state(s.settings.name) for s in self.sources
        }
        due = [s for s in self.sources if is_poll_due(s, states[s.settings.name], now)]
        by_name = {source.settings.name: source for source in due}
        jobs = [
            PollJob(source=s, requests=s.requests(states[s.settings.name], as_of))
            for s in due
        ]
        # Stored in configuration order, whichever answered first: entry ids
        # break ties, and a run over the same input is to give the same issues.
        polls = {poll.source: poll for poll in self.fetcher.poll(jobs, as_of=as_of)}
        reports = []
        for name, source in by_name.items():
            report, state = self._take(source, states[name], polls[name], as_of)
            states[name] = state
            reports.append(report)
            self.tell(report)
        return RefreshReport(
            sources=tuple(reports),
            not_due=tuple(n for n in states if n not in by_name),
            released=self._release(as_of),
            all_failing=_all_failing(states.values()),
        )

    def release_only(self, as_of: datetime) -> RefreshReport:
        """Release what is due without asking any source."""
        states = {
            s.settings.name: self.states.state(s.settings.name) for s in self.sources
        }
        return RefreshReport(
            not_due=tuple(states),
            released=self._release(as_of),
            all_failing=_all_failing(states.values()),
        )

    def _release(self, as_of: datetime) -> int:
        settle = {s.settings.name: s.settings.settle for s in self.sources}
        return self.entries.release(as_of=as_of, settle=settle)

    def _take(
        self, source: Source, state: SourceState, poll: Poll, as_of: datetime
    ) -> tuple[SourceReport, SourceState]:
        """Store what *poll* brought; return the report and the new state."""
        now = self.clock.now()
        put = self._put(source, state, poll.readings, as_of)
        state = next_state(source, state, poll, now)
        self.states.save(state)
        rejected = (
            r
            for reading in poll.readings
            if reading.page
            for r in reading.page.rejected
        )
        warnings = _failures_of(poll)
        warnings += _summary_of(rejected)
        if put and put.held:
            warnings.append(_held_of(put, source.settings.max_new))
        report = SourceReport(
            name=poll.source,
            ok=bool(poll.readings),
            put=put,
            warnings=tuple(warnings),
            broken=is_broken(source, state, now),
        )
        return report, state

    def _put(
        self,
        source: Source,
        state: SourceState,
        readings: Iterable[Reading],
        as_of: datetime,
    ) -> PutReport | None:
        pages = [(r.response.seen_at, r.page) for r in readings if r.page is not None]
        if not pages:
            return None
        listings = [listing for _, page in pages for listing in page.listings]
        return self.entries.put(
            source.settings,
            listings,
            as_of=as_of,
            seen_at=min(seen_at for seen_at, _ in pages),
            first=state.first_ok_at is None,
        )


def _all_failing(states: Iterable[SourceState]) -> bool:
    """Tell whether there are sources, and the latest poll of each failed."""
    failures = [state.failures for state in states]
    return bool(failures) and all(failures)


def is_poll_due(source: Source, state: SourceState, now: datetime) -> bool:
    """Tell whether *source* is asked now; a file, and ``interval = "0s"``, always."""
    settings = source.settings
    if settings.path is not None or not settings.interval:
        return True
    return state.next_poll_at is None or state.next_poll_at <= now


def is_broken(source: Source, state: SourceState, now: datetime) -> bool:
    """Tell whether a person should look: see the exit codes of the command line."""
    if not state.failures:
        return False
    failing_for = now - (state.failing_since or now)
    lasting = failing_for >= BROKEN_AFTER and state.failures >= BROKEN_POLLS
    return source.settings.required or lasting


def next_state(
    source: Source, state: SourceState, poll: Poll, now: datetime
) -> SourceState:
    """Return what is remembered of a source after *poll*, by the clock's *now*."""
    if poll.readings:
        return replace(
            state,
            validators={**state.validators, **_validators(poll.readings)},
            complete_day=_complete_day(state.complete_day, poll),
            first_ok_at=state.first_ok_at or _first_ok(poll.readings, now),
            last_ok_at=now,
            next_poll_at=now + source.settings.interval,
            failures=0,
            failing_since=None,
            last_error=poll.failures[0].reason if poll.failures else None,
        )
    wish = max((f.retry_after_s or 0 for f in poll.failures), default=0)
    wait = max(source.settings.interval, timedelta(seconds=min(wish, 86_400.0)))
    return replace(
        state,
        next_poll_at=now + min(wait, LONGEST_WAIT),
        failures=state.failures + 1,
        failing_since=state.failing_since or now,
        last_error=poll.failures[0].reason if poll.failures else "nothing was asked",
    )


def _first_ok(readings: Sequence[Reading], now: datetime) -> datetime | None:
    return now if any(reading.page is not None for reading in readings) else None


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


def _held_of(put: PutReport, max_new: int) -> str:
    """Return why listings are held, and what a person can do."""
    reasons = {
        f"came in one fetch, more than max_new ({max_new})": (
            put.held - put.held_reruns - put.held_old
        ),
        "bear a title or link that it showed before as another entry's, as when a"
        " site renames everything": put.held_reruns,
        "are more than 14 days older than its last fetch, as when a site brings in"
        " its archive": put.held_old,
    }
    what = "; ".join(
        f"{number} {reason}" for reason, number in reasons.items() if number
    )
    return (
        f"{put.held} of {put.new} new entries are held: {what}. Look at the source,"
        f" then run `newsletter sources release {put.source}`"
        f" or `newsletter sources drop {put.source}`"
    )


def _failures_of(poll: Poll) -> list[str]:
    """Return a sentence for each request that failed; one where all did."""
    reasons = [failure.reason for failure in poll.failures]
    if poll.readings or len(reasons) < 2:  # noqa: PLR2004 - one is no "all"
        return reasons
    return [f"{reasons[0]} (so did all {len(reasons)} requests)"]


def _summary_of(rejected: Iterable[Rejected]) -> list[str]:
    """Return one sentence for all rows that could not be used, naming three."""
    rows = list(rejected)
    if not rows:
        return []
    named = "; ".join(f"{row.place}: {row.reason}" for row in rows[:3])
    rest = f"; and {len(rows) - 3} more" if len(rows) > 3 else ""  # noqa: PLR2004 - "three" as named above
    return [f"{len(rows)} rows could not be used: {named}{rest}"]
