"""Fetch what is new, store it, and give what is due its place in the order.

sources due -> requests -> fetcher -> parse -> entries.put -> release
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from newsletter.model import (
    Poll,
    PutReport,
    Reading,
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
from newsletter.ports import Clock, Entries, Fetcher, PollJob, Source, Sources

#: States of sources that are written at once.
STATES_AT_ONCE = 200


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
        unsaved: list[SourceState] = []
        try:
            for poll in self.fetcher.poll(jobs, as_of=as_of):
                source = by_name[poll.source]
                report, state = self._take(
                    source, states[poll.source], poll, as_of=as_of, began=started_at
                )
                states[poll.source] = state
                unsaved.append(state)
                reports.append(report)
                self.tell(report)
                if len(unsaved) >= STATES_AT_ONCE:
                    self.states.save(unsaved)
                    unsaved = []
        finally:
            # What was stored is stored; asking for it again would do no harm.
            self.states.save(unsaved)
        return reports

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

    def _take(
        self,
        source: Source,
        state: SourceState,
        poll: Poll,
        *,
        as_of: datetime,
        began: datetime,
    ) -> tuple[SourceReport, SourceState]:
        """Store what *poll* brought; return the report and the new state."""
        now = self.clock.now()
        put = self._put(source, state, poll.readings, as_of)
        state = next_state(source.settings, state, poll, started_at=began, now=now)
        if put and put.new + put.changed:
            state = replace(state, last_change_at=now)
        report = SourceReport(
            name=poll.source,
            ok=bool(poll.readings),
            put=put,
            warnings=tuple(_warnings(source.settings, poll, put, state)),
            note=state.note,
            broken=is_broken(source.settings, state, now),
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
        yield (
            f"{put.held} new entries in one fetch are more than max_new "
            f"({settings.max_new}): held. Look at the source, then run "
            f"`newsletter sources release {poll.source}` or `drop {poll.source}`"
        )
    for move in state.moves.values():
        # Once, when it has held long enough to be followed at once.
        if move.times == MOVES_HOLD and poll.readings and not _is_at_target(poll):
            yield (
                f"moved for good to {move.target}, which is asked from now on; set"
                " that as its url"
            )


def _is_at_target(poll: Poll) -> bool:
    return any(reading.response.request.target for reading in poll.readings)


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
