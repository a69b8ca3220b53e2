"""Match and compose for everyone due, and write it into the ledger.

subscribers.due -> slot -> window -> selecting -> one transaction: issue or
skip, cursor, next slot, version + 1
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from newsletter import ledger as ledger_stage
from newsletter import schedule
from newsletter.errors import NewsletterError, StorageError
from newsletter.matching import Document, documents
from newsletter.model import (
    Candidate,
    CatchUp,
    Edition,
    IssueRecord,
    Profile,
    Receipt,
    Selection,
    Skip,
    Subscriber,
    SubscriberStatus,
    Window,
)
from newsletter.ports import Clock, Entries, Ledger, Subscribers
from newsletter.selecting import refer, select

#: Due slots wait this long for sources that all fail.
SOURCES_MAY_RECOVER = timedelta(hours=2)
#: How often a subscriber that changed meanwhile is read again.
TRIES = 3
#: Windows kept with their tokens: subscribers of one schedule share one.
WINDOWS_KEPT = 8


class Fate(StrEnum):
    """What became of one subscriber in one preparation."""

    #: There is an issue.
    PREPARED = "prepared"
    #: Nothing to show.
    SKIPPED = "skipped"
    #: Too late for its slot; the window is kept for the next.
    LEFT_OUT = "left out"
    #: All sources fail: it waits for them.
    WAITING = "waiting"
    #: Another run served that slot, or the subscriber left meanwhile.
    SERVED = "served"
    #: It could not be prepared; nothing is lost, the next run tries again.
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """One subscriber's part of a preparation."""

    subscriber: Subscriber
    fate: Fate
    slot: datetime | None = None
    #: None: no issue.
    key: str | None = None
    receipt: Receipt | None = None
    #: The best card's title.
    best: str | None = None
    #: Served however late, since the slot before was left out.
    forced: bool = False
    #: What went wrong.
    reason: str | None = None


@dataclass(slots=True, kw_only=True)
class PrepareReport:
    """How many met which fate."""

    counts: dict[Fate, int] = field(default_factory=dict)

    def add(self, preparation: Preparation) -> None:
        """Count one."""
        self.counts[preparation.fate] = self.counts.get(preparation.fate, 0) + 1

    def __getitem__(self, fate: Fate) -> int:
        """Return how many met *fate*."""
        return self.counts.get(fate, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """Which slot a subscriber is served for, and what follows it."""

    #: None: left out.
    slot: datetime | None
    next_slot: datetime | None
    #: The distance from the slot before; a new subscriber's reach.
    period: timedelta
    #: What the window counts back from.
    instant: datetime
    left_out: bool = False
    forced: bool = False
    everyone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare:
    """The use case: everyone due gets an issue, or a skip, in the ledger."""

    entries: Entries
    subscribers: Subscribers
    ledger: Ledger
    clock: Clock
    edition: Edition
    theme_hash: str
    catch_up: CatchUp
    source_order: Sequence[str]
    #: Called with each preparation as soon as it is committed.
    tell: Callable[[Preparation], None] = field(default=lambda _: None)
    _windows: OrderedDict[
        Window, tuple[tuple[Candidate, ...], tuple[Document, ...]]
    ] = field(default_factory=OrderedDict)

    def run(
        self, as_of: datetime, *, everyone: bool = False, all_failing: bool = False
    ) -> PrepareReport:
        """Prepare all who are due at *as_of*, or every active subscriber.

        Args:
            as_of: Which slots are due, what is released, what is fresh.
            everyone: Serve every active subscriber once, at *as_of* cut to
                the minute, due or not.
            all_failing: No source can be read: due slots wait up to 2 hours.
        """
        report = PrepareReport()
        edition_hash = self.ledger.put_edition(self.edition)
        for subscriber in self._whom(as_of, everyone=everyone):
            preparation = self._prepare(
                subscriber,
                as_of,
                edition_hash,
                everyone=everyone,
                all_failing=all_failing,
            )
            report.add(preparation)
            self.tell(preparation)
        return report

    def _whom(self, as_of: datetime, *, everyone: bool) -> Iterator[Subscriber]:
        after_id = 0
        while True:
            block = (
                self.subscribers.active(after_id=after_id)
                if everyone
                else self.subscribers.due(as_of, after_id=after_id)
            )
            if not block:
                return
            yield from block
            after_id = block[-1].id

    def _prepare(
        self,
        subscriber: Subscriber,
        as_of: datetime,
        edition_hash: str,
        *,
        everyone: bool,
        all_failing: bool,
    ) -> Preparation:
        """Prepare one subscriber; read it again where it changed meanwhile."""
        for _ in range(TRIES):
            try:
                plan = self._plan(subscriber, as_of, everyone=everyone)
                if plan is None:
                    return Preparation(subscriber=subscriber, fate=Fate.SERVED)
                if all_failing and _waits(plan, as_of):
                    return Preparation(
                        subscriber=subscriber, fate=Fate.WAITING, slot=plan.slot
                    )
                done = self._write(subscriber, plan, as_of, edition_hash)
            except StorageError:
                raise
            except NewsletterError as error:
                return Preparation(
                    subscriber=subscriber, fate=Fate.FAILED, reason=str(error)
                )
            if done is not None:
                return done
            subscriber = self.subscribers.get(subscriber.public_id)
            if subscriber.status is not SubscriberStatus.ACTIVE:
                return Preparation(subscriber=subscriber, fate=Fate.SERVED)
        return Preparation(
            subscriber=subscriber,
            fate=Fate.FAILED,
            reason=f"changed {TRIES} times while it was prepared; run again",
        )

    def _plan(
        self, subscriber: Subscriber, as_of: datetime, *, everyone: bool
    ) -> _Plan | None:
        """Return which slot is served now; None: that was done already."""
        rules = schedule.parse_schedule(subscriber.schedule)
        tz = schedule.zone(subscriber.timezone)
        if everyone:
            slot = as_of.replace(second=0, microsecond=0)
            if self.ledger.is_taken(subscriber.id, slot):
                return None
            due = subscriber.next_slot is None or subscriber.next_slot <= as_of
            return _Plan(
                slot=slot,
                next_slot=schedule.next_slot(rules, tz, as_of)
                if due
                else subscriber.next_slot,
                period=schedule.period_at(rules, tz, slot),
                instant=slot,
                everyone=True,
            )
        if subscriber.next_slot is None or subscriber.next_slot > as_of:
            return None
        due_slot = schedule.catch_up(
            rules,
            tz,
            next_slot=subscriber.next_slot,
            as_of=as_of,
            left_out=subscriber.left_out,
            policy=self.catch_up,
        )
        instant = due_slot.slot or due_slot.newest
        return _Plan(
            slot=due_slot.slot,
            next_slot=due_slot.next_slot,
            period=schedule.period_at(rules, tz, instant),
            instant=instant,
            left_out=due_slot.left_out,
            forced=due_slot.forced,
        )

    def _write(
        self, subscriber: Subscriber, plan: _Plan, as_of: datetime, edition_hash: str
    ) -> Preparation | None:
        """Write one preparation; None: the subscriber changed meanwhile."""
        window = self._window(subscriber, plan, as_of)
        slot = plan.slot
        if slot is None or self.ledger.is_taken(subscriber.id, slot):
            fate = Fate.LEFT_OUT if slot is None else Fate.SERVED
            took = self._commit(
                subscriber, plan, cursor=window.after, skipped=subscriber.skipped
            )
            return (
                Preparation(subscriber=subscriber, fate=fate, slot=plan.instant)
                if took
                else None
            )
        profile = self.subscribers.profile(subscriber.profile_hash)
        selection = self._select(subscriber, profile, window, slot, as_of)
        if isinstance(selection, Skip):
            return self._skip(subscriber, plan, window, selection)
        record = self._record(
            subscriber, window, selection, slot=slot, as_of=as_of, edition=edition_hash
        )
        took = self._commit(
            subscriber, plan, cursor=window.until, skipped=(), record=record
        )
        if not took:
            return None
        return Preparation(
            subscriber=subscriber,
            fate=Fate.PREPARED,
            slot=slot,
            key=record.key,
            receipt=selection.receipt,
            best=next((m.candidate.version.title for m in selection.matches), None),
            forced=plan.forced,
        )

    def _skip(
        self, subscriber: Subscriber, plan: _Plan, window: Window, skip: Skip
    ) -> Preparation | None:
        """Move on without an issue; count the day where the slot was its own."""
        skipped = subscriber.skipped
        day = self._local_day(subscriber, plan.instant)
        if not plan.everyone and day not in skipped:
            last = self.ledger.last_slot(subscriber.id)
            had_issue = last is not None and self._local_day(subscriber, last) == day
            if skip.receipt.new or not had_issue:
                skipped = (*skipped, day)
        if not self._commit(subscriber, plan, cursor=window.until, skipped=skipped):
            return None
        return Preparation(
            subscriber=subscriber,
            fate=Fate.SKIPPED,
            slot=plan.slot,
            receipt=skip.receipt,
            forced=plan.forced,
        )

    def _commit(
        self,
        subscriber: Subscriber,
        plan: _Plan,
        *,
        cursor: int,
        skipped: Sequence[date],
        record: IssueRecord | None = None,
    ) -> bool:
        return self.ledger.prepare(
            subscriber,
            record=record,
            cursor=cursor,
            next_slot=plan.next_slot,
            skipped=skipped,
            left_out=plan.left_out,
            at=self.clock.now(),
        )

    def _window(self, subscriber: Subscriber, plan: _Plan, as_of: datetime) -> Window:
        """Return what the issue weighs; a new subscriber's reaches back a period."""
        until = self.entries.seq_at(as_of)
        not_before: datetime | None = plan.instant - self.catch_up.max_lookback
        after = subscriber.cursor
        if after is None:
            first = self.entries.first_release_at()
            if first is None or subscriber.joined_at <= first:
                after, not_before = 0, None
            else:
                after = self.entries.seq_at(plan.instant - plan.period)
        return Window(after=after, until=max(until, after), not_before=not_before)

    def _select(
        self,
        subscriber: Subscriber,
        profile: Profile,
        window: Window,
        slot: datetime,
        as_of: datetime,
    ) -> Selection | Skip:
        candidates, tokenised = self._candidates(window)
        since = slot - timedelta(days=self.catch_up.repeat_days)
        return select(
            candidates,
            profile,
            as_of=as_of,
            ranking=self.edition.ranking,
            shown=lambda ids: self.ledger.shown(subscriber.id, ids, since=since),
            documents=tokenised,
        )

    def _candidates(
        self, window: Window
    ) -> tuple[tuple[Candidate, ...], tuple[Document, ...]]:
        """Return the window's entries and their tokens, kept for the next reader."""
        kept = self._windows.get(window)
        if kept is None:
            candidates = self.entries.window(window, source_order=self.source_order)
            kept = (candidates, documents(candidates))
            self._windows[window] = kept
            if len(self._windows) > WINDOWS_KEPT:
                self._windows.popitem(last=False)
        return kept

    def _record(
        self,
        subscriber: Subscriber,
        window: Window,
        selection: Selection,
        *,
        slot: datetime,
        as_of: datetime,
        edition: str,
    ) -> IssueRecord:
        items, headings, more = refer(selection)
        newsletter = self.edition.newsletter
        return IssueRecord(
            key=ledger_stage.public_key(newsletter.list_id, subscriber.public_id, slot),
            subscriber_id=subscriber.id,
            public_id=subscriber.public_id,
            slot=slot,
            as_of=as_of,
            window=window,
            prepared_at=self.clock.now().replace(microsecond=0),
            address=subscriber.address,
            name=subscriber.name,
            timezone=subscriber.timezone,
            language=subscriber.language,
            profile_hash=subscriber.profile_hash,
            edition_hash=edition,
            theme=newsletter.theme,
            theme_hash=self.theme_hash,
            items=items,
            headings=headings,
            more=more,
            receipt=selection.receipt,
            skipped=subscriber.skipped,
        )

    @staticmethod
    def _local_day(subscriber: Subscriber, instant: datetime) -> date:
        return instant.astimezone(schedule.zone(subscriber.timezone)).date()


def _waits(plan: _Plan, as_of: datetime) -> bool:
    return not plan.everyone and as_of - plan.instant < SOURCES_MAY_RECOVER
