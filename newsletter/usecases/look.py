"""Look without touching: past issues, back-tests, where everything stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from newsletter.assembling import Assembler
from newsletter.errors import NotFoundError
from newsletter.matching import match_profile
from newsletter.model import (
    IssueState,
    LedgerRow,
    Match,
    Message,
    Profile,
    Ranking,
    SourceSettings,
    SourceState,
    Subscriber,
    SubscriberStatus,
)
from newsletter.ports import Clock, Entries, Ledger, Sources, Subscribers

#: How many issues ``status`` names: of those in trouble, and of the newest.
STATUS_ROWS = 20
RECENT_ROWS = 5


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
class BackTest:
    """What a profile would have brought."""

    #: Distinct entries listed in these days.
    weighed: int
    #: Matches by the UTC day of their listing, every day present.
    per_day: Mapping[date, int]
    #: In rank order.
    matches: tuple[Match, ...]


def back_test(
    profile: Profile,
    *,
    entries: Entries,
    as_of: datetime,
    days: int,
    ranking: Ranking,
    source_order: Sequence[str],
) -> BackTest:
    """Weigh all that was listed in the *days* before *as_of* for *profile*."""
    start = as_of - timedelta(days=days)
    candidates = entries.listed_between(
        start, as_of + timedelta(microseconds=1), source_order=source_order
    )
    matches = match_profile(profile, candidates, as_of=as_of, ranking=ranking)
    counted = Counter(match.candidate.listed_at.date() for match in matches)
    every = (start.date() + timedelta(days=n) for n in range(days + 1))
    return BackTest(
        weighed=len(candidates),
        per_day={day: counted[day] for day in every},
        matches=matches,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """Where one configured source stands."""

    settings: SourceSettings
    state: SourceState
    held: int


def sources_status(
    settings: Sequence[SourceSettings], *, states: Sources, entries: Entries
) -> tuple[SourceStatus, ...]:
    """Return where each configured source stands, in configuration order."""
    held = entries.held()
    return tuple(
        SourceStatus(settings=s, state=states.state(s.name), held=held.get(s.name, 0))
        for s in settings
    )


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
        sources=sources_status(settings, states=states, entries=entries),
        subscribers=subscribers.counts(),
        issues=ledger.counts(),
        next_due=subscribers.next_due(),
        recent=ledger.recent(limit=RECENT_ROWS),
        waiting=ledger.waiting(limit=STATUS_ROWS),
        troubles=ledger.troubles(limit=STATUS_ROWS),
    )
