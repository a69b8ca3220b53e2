"""Fetch what is new, store it, and give what is due its place in the order.

sources due -> requests -> fetcher -> parse -> entries.put -> release
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import chain

from newsletter.model import (
    Page,
    Poll,
    PutReport,
    Rejected,
    SourceSettings,
    SourceState,
)
from newsletter.polling import (
    HABIT_DAYS,
    MOVES_HOLD,
    is_broken,
    is_gone,
    is_poll_due,
    next_state,
    redirected,
    silent_for,
)
from newsletter.ports import (
    Clock,
    Entries,
    Fetcher,
    PollJob,
    Shown,
    Source,
    Sources,
)

#: Polls that are stored in one transaction, unless they show more than so many
#: characters of text; an entry has about so many beside its summary.
POLLS_AT_ONCE = 50
TEXT_AT_ONCE = 4_000_000
TEXT_BESIDE = 500
#: Failures and rows that are named one by one.
NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """What one source brought in one run, or why it was not asked."""

    name: str
    #: Something was read, if only "unchanged".
    ok: bool
    #: None: nothing new was read.
    put: PutReport | None = None
    #: What went wrong, one sentence each; the rest was used.
    warnings: tuple[str, ...] = ()
    #: What is odd, though nothing went wrong.
    note: str | None = None
    #: Required, or failing for a day: the run ends with exit code 1.
    broken: bool = False
    #: False: it waits after failures, and is named because it is broken.
    asked: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshReport:
    """What all sources brought in one run."""

    sources: tuple[SourceReport, ...] = ()
    #: Names that were not asked: their next poll is later.
    not_due: tuple[str, ...] = ()
    #: Days that each source has been silent for, against its habit.
    silent: Mapping[str, int] = field(default_factory=dict)
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
        states = self._states()
        due = [
            source
            for source in self.sources
            if is_poll_due(source.settings, states[source.settings.name], now)
        ]
        reports = [
            *self._poll(due, states, as_of=as_of, started_at=now),
            *self._waiting(due, states, now),
        ]
        asked = {source.settings.name for source in due}
        return RefreshReport(
            sources=tuple(reports),
            not_due=tuple(name for name in states if name not in asked),
            silent=self._silent(now.date()),
            released=self._release(as_of),
            all_failing=_all_failing(states.values()),
        )

    def release_only(self, as_of: datetime) -> RefreshReport:
        """Release what is due without asking any source."""
        states = self._states()
        return RefreshReport(
            not_due=tuple(states),
            released=self._release(as_of),
            all_failing=_all_failing(states.values()),
        )

    def _states(self) -> dict[str, SourceState]:
        return dict(self.states.find(s.settings.name for s in self.sources))

    def _release(self, as_of: datetime) -> int:
        settle = {s.settings.name: s.settings.settle for s in self.sources}
        return self.entries.release(as_of=as_of, settle=settle)

    def _silent(self, today: date) -> Mapping[str, int]:
        listed = self.entries.listed_days(today - timedelta(days=HABIT_DAYS))
        found = {
            source.settings.name: silent_for(
                tuple(listed.get(source.settings.name, ())), today
            )
            for source in self.sources
        }
        return {name: silent.days for name, silent in found.items() if silent}

    def _poll(
        self,
        due: Sequence[Source],
        states: dict[str, SourceState],
        *,
        as_of: datetime,
        started_at: datetime,
    ) -> list[SourceReport]:
        """Ask *due* and store what they bring; *states* become the new ones.

        In configuration order, whichever answered first: entry ids break ties,
        and a run over the same input is to give the same issues.
        """
        by_name = {source.settings.name: source for source in due}
        jobs = [_job(source, states[name], as_of) for name, source in by_name.items()]
        reports: list[SourceReport] = []
        for polls in _gathered(self.fetcher.poll(jobs, as_of=as_of)):
            put = self._put(polls, by_name, states, as_of)
            now = self.clock.now()
            for poll in polls:
                report, state = _taken(
                    by_name[poll.source].settings,
                    states[poll.source],
                    poll,
                    put=put.get(poll.source),
                    began=started_at,
                    now=now,
                )
                states[poll.source] = state
                reports.append(report)
                self.tell(report)
            self.states.save(states[poll.source] for poll in polls)
        return reports

    def _put(
        self,
        polls: Sequence[Poll],
        by_name: Mapping[str, Source],
        states: Mapping[str, SourceState],
        as_of: datetime,
    ) -> Mapping[str, PutReport]:
        """Store what *polls* show; return by source what that changed."""
        shown = [
            Shown(
                source=by_name[poll.source].settings,
                listings=tuple(chain.from_iterable(p.listings for _, p in pages)),
                seen_at=min(seen_at for seen_at, _ in pages),
                first=states[poll.source].first_ok_at is None,
            )
            for poll in polls
            if (pages := _pages(poll))
        ]
        reports = self.entries.put(shown, as_of=as_of) if shown else ()
        return {report.source: report for report in reports}

    def _waiting(
        self,
        due: Sequence[Source],
        states: Mapping[str, SourceState],
        now: datetime,
    ) -> list[SourceReport]:
        """Name the sources that are broken, and not asked in this run."""
        asked = {source.settings.name for source in due}
        reports = []
        for source in self.sources:
            settings, state = source.settings, states[source.settings.name]
            if settings.name in asked or not is_broken(settings, state, now):
                continue
            when = "not asked any more" if is_gone(settings, state) else "asked later"
            report = SourceReport(
                name=settings.name,
                ok=False,
                warnings=(f"{state.last_error} ({when})",),
                broken=True,
                asked=False,
            )
            reports.append(report)
            self.tell(report)
        return reports


def _pages(poll: Poll) -> list[tuple[datetime, Page]]:
    """Return what was read, and when each was seen."""
    return [(r.response.seen_at, r.page) for r in poll.readings if r.page is not None]


def _gathered(polls: Iterable[Poll]) -> Iterator[list[Poll]]:
    """Yield polls by the handful: one commit for each is what takes longest."""
    handful: list[Poll] = []
    size = 0
    for poll in polls:
        handful.append(poll)
        size += sum(
            len(listing.summary) + TEXT_BESIDE
            for _, page in _pages(poll)
            for listing in page.listings
        )
        if len(handful) >= POLLS_AT_ONCE or size > TEXT_AT_ONCE:
            yield handful
            handful, size = [], 0
    if handful:
        yield handful


def _taken(
    settings: SourceSettings,
    state: SourceState,
    poll: Poll,
    *,
    put: PutReport | None,
    began: datetime,
    now: datetime,
) -> tuple[SourceReport, SourceState]:
    """Return what is said of *poll*, and what is remembered of its source."""
    state = next_state(settings, state, poll, started_at=began, now=now)
    if put and put.new + put.changed:
        state = replace(state, last_change_at=now)
    report = SourceReport(
        name=poll.source,
        ok=bool(poll.readings),
        put=put,
        warnings=tuple(_warnings(settings, poll, put, state)),
        note=state.note,
        broken=is_broken(settings, state, now),
    )
    return report, state


def _job(source: Source, state: SourceState, as_of: datetime) -> PollJob:
    asked = source.requests(state, as_of)
    return PollJob(
        source=source, requests=tuple(redirected(request, state) for request in asked)
    )


def _all_failing(states: Iterable[SourceState]) -> bool:
    """Tell whether there are sources, and the latest poll of each failed."""
    failures = [state.failures for state in states]
    return bool(failures) and all(failures)


def _warnings(
    settings: SourceSettings, poll: Poll, put: PutReport | None, state: SourceState
) -> Iterator[str]:
    """Yield what a person should know of a poll, a sentence each."""
    yield from _failures_of(poll)
    if is_gone(settings, state):
        yield (
            "it is not asked any more; look for its new address, or run"
            f" `newsletter sources remove {settings.name}`"
        )
    yield from _summary_of(
        row
        for reading in poll.readings
        if reading.page
        for row in reading.page.rejected
    )
    if put and put.held:
        yield _held_of(put, settings.max_new)
    for move in state.moves.values():
        # Once, when it has held long enough to be followed at once.
        if move.times == MOVES_HOLD and poll.readings and not _is_at_target(poll):
            yield (
                f"moved for good to {move.target}, which is asked from now on; set"
                " that as its url"
            )


def _is_at_target(poll: Poll) -> bool:
    return any(reading.response.request.target for reading in poll.readings)


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
    if len(reasons) < 2:  # noqa: PLR2004 - one is no "all"
        return reasons
    if not poll.readings:
        return [f"{reasons[0]} (so did all {len(reasons)} requests)"]
    more = len(reasons) - NAMED
    return [*reasons[:NAMED], *([f"{more} more requests failed"] if more > 0 else [])]


def _summary_of(rejected: Iterable[Rejected]) -> list[str]:
    """Return one sentence for all rows that could not be used, naming three."""
    rows = list(rejected)
    if not rows:
        return []
    named = "; ".join(f"{row.place}: {row.reason}" for row in rows[:NAMED])
    rest = f"; and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
    return [f"{len(rows)} rows could not be used: {named}{rest}"]
