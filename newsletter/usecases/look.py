"""Look without touching: past issues, where everything stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from newsletter.assembling import Assembler
from newsletter.errors import NotFoundError
from newsletter.model import (
    IssueState,
    LedgerRow,
    Message,
    SourceSettings,
    SourceState,
    Subscriber,
    SubscriberStatus,
)
from newsletter.polling import HABIT_DAYS, MOVES_HOLD, is_gone, silent_for
from newsletter.ports import Clock, Entries, Ledger, Sources, Subscribers

#: How many issues ``status`` names: of those in trouble, and of the newest.
STATUS_ROWS = 20
RECENT_ROWS = 5
#: Days that "entries a day" is taken over.
RATE_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class PastIssue:
    """An issue from the ledger, made again."""

    row: LedgerRow
    message: Message
    #: The theme is no longer the one it was prepared with: bytes may differ.
    theme_changed: bool


def show(key: str, *, ledger: Ledger, assembler: Assembler) -> PastIssue:
    """Return a past issue, by its key or an unambiguous beginning of it.

    Raises:
        NotFoundError: There is none, what it was made from is gone, or its
            reader was erased.
        ConflictError: Several keys begin like that.
        RenderError: The theme fails on it.
    """
    row = ledger.find(key)
    if not row.record.address:
        raise NotFoundError(
            f"issue {row.record.key} went to a reader whose data were erased since;"
            " it cannot be made again"
        )
    return PastIssue(
        row=row,
        message=assembler.make(row.record),
        theme_changed=assembler.theme_hash(row.record.theme) != row.record.theme_hash,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """Where one configured source stands."""

    settings: SourceSettings
    state: SourceState
    held: int
    #: Entries listed a day, over the last 30.
    per_day: float
    #: How long it has shown nothing, against its habit. None: it does not.
    silent_for: timedelta | None

    @property
    def is_gone(self) -> bool:
        """Tell whether its address has said that it is gone for good."""
        return is_gone(self.settings, self.state)

    @property
    def moved_to(self) -> str | None:
        """Where its address leads for good. None: nowhere else."""
        move = self.state.moves.get(self.settings.url or "")
        return move.target if move and move.times >= MOVES_HOLD else None

    @property
    def health(self) -> str:
        """Say in words how it is, the cause with it; the worst comes first."""
        state = self.state
        silent = self.silent_for
        said = (
            self.is_gone and f"gone for good, not asked any more: {state.last_error}",
            state.failures
            and f"failing ({state.failures} in a row): {state.last_error}",
            state.last_ok_at is None and "never asked",
            silent and f"silent for {silent.days} days, against its habit",
            self.moved_to and f"moved for good to {self.moved_to}",
            state.last_error and f"in part: {state.last_error}",
            state.note,
        )
        return str(next((words for words in said if words), "fine"))


def sources_status(
    settings: Sequence[SourceSettings],
    *,
    states: Sources,
    entries: Entries,
    now: datetime,
) -> tuple[SourceStatus, ...]:
    """Return where each configured source stands, in configuration order."""
    held = entries.held()
    known = states.find(s.name for s in settings)
    listed = entries.listed_days(now.date() - timedelta(days=HABIT_DAYS))
    return tuple(
        SourceStatus(
            settings=s,
            state=known[s.name],
            held=held.get(s.name, 0),
            per_day=_per_day(listed.get(s.name, {}), now.date()),
            silent_for=silent_for(tuple(listed.get(s.name, ())), now.date()),
        )
        for s in settings
    )


def _per_day(listed: Mapping[date, int], today: date) -> float:
    """Return how many entries a day brings, over the last 30 days."""
    recent = today - timedelta(days=RATE_DAYS)
    return sum(many for day, many in listed.items() if day > recent) / RATE_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Where everything stands."""

    now: datetime
    sources: tuple[SourceStatus, ...]
    subscribers: Mapping[SubscriberStatus, int]
    issues: Mapping[IssueState, int]
    #: Who is due next. None: nobody.
    next_due: Subscriber | None
    #: The newest issues, newest first.
    recent: tuple[LedgerRow, ...]
    #: Issues to be tried again or on their way, oldest first.
    waiting: tuple[LedgerRow, ...]
    #: Failed, unknown and held issues, newest first.
    troubles: tuple[LedgerRow, ...]


def status(
    settings: Sequence[SourceSettings],
    *,
    states: Sources,
    entries: Entries,
    subscribers: Subscribers,
    ledger: Ledger,
    clock: Clock,
) -> Status:
    """Return what is due, sent, unknown and failed, and why."""
    return Status(
        now=clock.now(),
        sources=sources_status(
            settings, states=states, entries=entries, now=clock.now()
        ),
        subscribers=subscribers.counts(),
        issues=ledger.counts(),
        next_due=subscribers.next_due(),
        recent=ledger.recent(limit=RECENT_ROWS),
        waiting=ledger.waiting(limit=STATUS_ROWS),
        troubles=ledger.troubles(limit=STATUS_ROWS),
    )
