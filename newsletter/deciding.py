"""What a reader's issue holds, decided once: by ``run``, rehearsals and preview.

subscriber -> plan: which slot -> window -> selecting -> Decision

Reads the store and writes nothing. Preparing writes what is decided here;
looking shows it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from newsletter import ledger as ledger_stage
from newsletter import schedule
from newsletter.matching import LOOKED_AT, Archive, Document, documents
from newsletter.model import (
    Candidate,
    CatchUp,
    Edition,
    IssueItem,
    IssueRecord,
    Profile,
    Receipt,
    Selection,
    Skip,
    Subscriber,
    Window,
)
from newsletter.ports import Ledger, Released
from newsletter.selecting import LeftOut, left_out, refer, select

#: Windows kept with their tokens: subscribers of one schedule share one.
WINDOWS_KEPT = 8
#: Some thousand entries each.
ARCHIVES_KEPT = 2
#: Returns entries in tokens, in their order.
Tokenise = Callable[[Sequence[Candidate]], tuple[Document, ...]]
#: What the ledger keeps of a selection: items, headings, more.
Referred = tuple[tuple[IssueItem, ...], tuple[str, ...], tuple[IssueItem, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
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
class Decision:
    """What becomes of one subscriber's slot."""

    window: Window
    #: None: the slot is left out, or has its issue already.
    outcome: Selection | Skip | None = None
    #: Where there is an issue: what the ledger keeps of it.
    record: IssueRecord | None = None
    #: Local days without an issue, from now on.
    skipped: tuple[date, ...]

    @property
    def cursor(self) -> int:
        """Return up to where the subscriber's entries are weighed from now on."""
        return self.window.after if self.outcome is None else self.window.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """Decides for any number of subscribers; keeps the windows that they share."""

    entries: Released
    ledger: Ledger
    edition: Edition
    theme_hash: str
    catch_up: CatchUp
    source_order: Sequence[str]
    #: Takes entries apart; one that keeps what it made serves several deciders.
    tokenise: Tokenise = documents
    _windows: OrderedDict[
        Window, tuple[tuple[Candidate, ...], tuple[Document, ...]]
    ] = field(default_factory=OrderedDict)
    _archives: OrderedDict[Window, Archive] = field(default_factory=OrderedDict)

    def plan(
        self, subscriber: Subscriber, as_of: datetime, *, everyone: bool
    ) -> Plan | None:
        """Return which slot is served at *as_of*; None: none, or it was already."""
        plan = self.plan_anew(subscriber, as_of, everyone=everyone)
        if plan is None or plan.slot is None or not everyone:
            return plan
        return None if self.ledger.is_taken(subscriber.id, plan.slot) else plan

    def plan_anew(
        self, subscriber: Subscriber, as_of: datetime, *, everyone: bool
    ) -> Plan | None:
        """Return which slot would be served at *as_of* if none was before.

        All who have the same schedule, zone, next slot and ``left_out`` have
        the same one.
        """
        rules = schedule.parse_schedule(subscriber.schedule)
        tz = schedule.zone(subscriber.timezone)
        if everyone:
            slot = as_of.replace(second=0, microsecond=0)
            due = subscriber.next_slot is None or subscriber.next_slot <= as_of
            return Plan(
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
        return Plan(
            slot=due_slot.slot,
            next_slot=due_slot.next_slot,
            period=schedule.period_at(rules, tz, instant),
            instant=instant,
            left_out=due_slot.left_out,
            forced=due_slot.forced,
        )

    def decide(
        self,
        subscriber: Subscriber,
        profile: Profile,
        plan: Plan,
        *,
        as_of: datetime,
        edition_hash: str,
        prepared_at: datetime,
    ) -> Decision:
        """Return what *plan* brings the subscriber.

        Args:
            subscriber: As read; an edit in between is the writer's to notice.
            profile: The subscriber's.
            plan: As ``plan`` returned it for the same *as_of*.
            as_of: Which entries are released, how fresh they count.
            edition_hash: Names ``edition`` in the ledger.
            prepared_at: By the clock.
        """
        window = self.window_of(subscriber, plan, as_of)
        slot = plan.slot
        if slot is None or self.ledger.is_taken(subscriber.id, slot):
            return Decision(window=window, skipped=subscriber.skipped)
        outcome = self._select(subscriber, profile, window, slot, as_of)
        if isinstance(outcome, Skip):
            skipped = days_without(
                subscriber,
                plan,
                outcome,
                last_slot=lambda: self.ledger.last_slot(subscriber.id),
            )
            return Decision(window=window, outcome=outcome, skipped=skipped)
        record = self.record_of(
            subscriber,
            window,
            refer(outcome),
            receipt=outcome.receipt,
            slot=slot,
            as_of=as_of,
            edition=edition_hash,
            prepared_at=prepared_at.replace(microsecond=0),
        )
        return Decision(window=window, outcome=outcome, record=record, skipped=())

    def left_out(
        self,
        subscriber: Subscriber,
        profile: Profile,
        plan: Plan,
        decision: Decision,
        *,
        as_of: datetime,
        only: frozenset[int] | None = None,
    ) -> tuple[LeftOut, ...]:
        """Return what the window held and the issue does not show, and why.

        Of the entries with the ids *only*; None: of all.
        """
        if decision.outcome is None or plan.slot is None:
            return ()
        candidates, tokenised = self._candidates(decision.window)
        since = self.since(plan.slot)
        return left_out(
            candidates,
            profile,
            decision.outcome,
            as_of=as_of,
            ranking=self.edition.ranking,
            shown=lambda ids: self.ledger.shown(subscriber.id, ids, since=since),
            documents=tokenised,
            acronyms=self.edition.acronyms,
            only=only,
        )

    def window_of(self, subscriber: Subscriber, plan: Plan, as_of: datetime) -> Window:
        """Return what the issue weighs; a new subscriber's reaches back a period.

        All who have the same plan and cursor have the same one; where there
        is no cursor, the same ``joined_at``.
        """
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
        since = self.since(slot)
        return select(
            candidates,
            profile,
            as_of=as_of,
            ranking=self.edition.ranking,
            shown=lambda ids: self.ledger.shown(subscriber.id, ids, since=since),
            documents=tokenised,
            acronyms=self.edition.acronyms,
            archive=lambda: self._archive(window),
        )

    def since(self, slot: datetime) -> datetime:
        """Return from when on a shown entry is not shown again."""
        return slot - timedelta(days=self.catch_up.repeat_days)

    def _candidates(
        self, window: Window
    ) -> tuple[tuple[Candidate, ...], tuple[Document, ...]]:
        """Return the window's entries and their tokens, kept for the next reader."""
        kept = self._windows.get(window)
        if kept is None:
            candidates = self.entries.window(window, source_order=self.source_order)
            kept = (candidates, self.tokenise(candidates))
            self._windows[window] = kept
            if len(self._windows) > WINDOWS_KEPT:
                self._windows.popitem(last=False)
        return kept

    def _archive(self, window: Window) -> Archive:
        """Return what was listed in *window* and before it, kept for the next reader.

        What is foreseen counts as listed: its window ends where it will.
        """
        wide = Window(after=max(0, window.after - LOOKED_AT), until=window.until)
        if wide not in self._archives:
            listed = self.entries.window(wide, source_order=self.source_order)
            self._archives[wide] = Archive(self.tokenise(listed[-LOOKED_AT:]))
            if len(self._archives) > ARCHIVES_KEPT:
                self._archives.popitem(last=False)
        return self._archives[wide]

    def record_of(
        self,
        subscriber: Subscriber,
        window: Window,
        shown: Referred,
        *,
        receipt: Receipt,
        slot: datetime,
        as_of: datetime,
        edition: str,
        prepared_at: datetime,
    ) -> IssueRecord:
        """Return what the ledger keeps of an issue.

        Args:
            subscriber: Whose it is.
            window: What it weighed.
            shown: What ``refer`` returns: items, headings, more.
            receipt: The issue's figures.
            slot: What it is for.
            as_of: The run's.
            edition: The hash that names ``edition`` in the ledger.
            prepared_at: By the clock, in whole seconds.
        """
        items, headings, more = shown
        newsletter = self.edition.newsletter
        return IssueRecord(
            key=ledger_stage.public_key(newsletter.list_id, subscriber.public_id, slot),
            subscriber_id=subscriber.id,
            public_id=subscriber.public_id,
            slot=slot,
            as_of=as_of,
            window=window,
            prepared_at=prepared_at,
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
            receipt=receipt,
            skipped=subscriber.skipped,
        )


def days_without(
    subscriber: Subscriber,
    plan: Plan,
    skip: Skip,
    *,
    last_slot: Callable[[], datetime | None],
) -> tuple[date, ...]:
    """Return the days without an issue; this one too where the slot was its own.

    Args:
        subscriber: Whose days.
        plan: What was served.
        skip: What came of it.
        last_slot: Tells the slot of the subscriber's newest issue.
    """
    day = _local_day(subscriber, plan.instant)
    if plan.everyone or day in subscriber.skipped:
        return subscriber.skipped
    if not skip.receipt.new:
        last = last_slot()
        if last is not None and _local_day(subscriber, last) == day:
            return subscriber.skipped
    return (*subscriber.skipped, day)


def _local_day(subscriber: Subscriber, instant: datetime) -> date:
    return instant.astimezone(schedule.zone(subscriber.timezone)).date()
