"""What many readers' issues hold, decided block by block.

block of readers -> plans -> windows -> weighed all at once -> repeats -> drafts

Decides what ``deciding.Decider`` decides for each of them, which stays the
measure: plans and windows are worked out once for all who share them, entries
are read once for all windows, and the ledger is asked once for all readers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar

from newsletter.deciding import Decider, Plan, days_without
from newsletter.errors import NewsletterError, StorageError
from newsletter.model import Receipt, Skip, Subscriber, Window
from newsletter.ports import Draft, Entries, Ledger, Question
from newsletter.weighing import Ask, Batch, Book, Limits, References
from newsletter.windows import Columns, bounds_of

#: Plans and windows that are kept; past this they are worked out anew.
MOST_KEPT = 50_000
#: Columns and views that are weighed together; past this they begin anew.
MOST_COLUMNS = 20_000
MOST_VIEWS = 2_000
#: How much further back a second read reaches than what made it necessary.
FURTHER = 2
V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """What is to be written of one reader, and what can be said of it then."""

    draft: Draft
    plan: Plan
    #: None: the slot is left out, or has its issue already.
    receipt: Receipt | None = None
    #: The first card's title. None: there is no card.
    best: str | None = None


@dataclass(slots=True, kw_only=True)
class Decided:
    """What becomes of a block."""

    drafted: list[Drafted] = field(default_factory=list)
    #: Nothing is due, or it was served already.
    served: list[Subscriber] = field(default_factory=list)
    waiting: list[tuple[Subscriber, Plan]] = field(default_factory=list)
    #: Who must be decided alone: what they have is wrong, or only one can do it.
    alone: list[Subscriber] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A reader whose slot is to be filled."""

    reader: Subscriber
    plan: Plan
    slot: datetime
    window: Window
    limits: Limits
    view: int


@dataclass(slots=True, kw_only=True)
class BlockDecider:
    """Decides for blocks of readers at one *as_of*."""

    decider: Decider
    entries: Entries
    ledger: Ledger
    book: Book
    as_of: datetime
    everyone: bool
    edition_hash: str
    #: Whom a plan keeps waiting.
    is_waiting: Callable[[Plan], bool]
    most_columns: int = MOST_COLUMNS
    most_views: int = MOST_VIEWS
    _plans: dict[object, Plan | None] = field(default_factory=dict)
    _windows: dict[object, Window] = field(default_factory=dict)
    _batch: Batch | None = None

    def decide(self, block: Sequence[Subscriber], *, prepared_at: datetime) -> Decided:
        """Return what becomes of *block*; nothing is written."""
        decided = Decided()
        planned = self._planned(block, decided)
        limits = self.book.limits({reader.profile_hash for reader, _ in planned})
        slots = {r.id: plan.slot for r, plan in planned if plan.slot is not None}
        taken = self.ledger.taken(slots)
        cases: list[tuple[Subscriber, Plan, datetime, Window]] = []
        for reader, plan in planned:
            slot = plan.slot
            if self.everyone and reader.id in taken:
                decided.served.append(reader)
            elif self._is_for_one(limits.get(reader.profile_hash)):
                decided.alone.append(reader)
            elif slot is None or reader.id in taken:
                decided.drafted.append(self._kept(reader, plan))
            else:
                cases.append((reader, plan, slot, self._window(reader, plan)))
        if cases:
            batch = self._batch_of([window for *_, window in cases])
            decided.drafted += self._fill(
                [_case(*case, limits=limits, batch=batch) for case in cases],
                batch,
                prepared_at.replace(microsecond=0),
            )
        return decided

    def _is_for_one(self, limits: Limits | None) -> bool:
        """Tell whether a profile is none for the engine.

        It is not compiled, is filled up, or how often terms stand in a text counts.
        """
        by_frequency = bool(self.decider.edition.ranking.frequency)
        return limits is None or limits.fill or by_frequency

    # --- plans and windows ---

    def _planned(
        self, block: Sequence[Subscriber], decided: Decided
    ) -> list[tuple[Subscriber, Plan]]:
        planned: list[tuple[Subscriber, Plan]] = []
        for reader in block:
            try:
                plan = self._plan(reader)
            except StorageError:
                raise
            except NewsletterError:
                decided.alone.append(reader)
                continue
            if plan is None:
                decided.served.append(reader)
            elif self.is_waiting(plan):
                decided.waiting.append((reader, plan))
            else:
                planned.append((reader, plan))
        return planned

    def _plan(self, reader: Subscriber) -> Plan | None:
        key = (reader.schedule, reader.timezone, reader.next_slot, reader.left_out)
        return _kept_in(
            self._plans,
            key,
            lambda: self.decider.plan_anew(reader, self.as_of, everyone=self.everyone),
        )

    def _window(self, reader: Subscriber, plan: Plan) -> Window:
        joined = reader.joined_at if reader.cursor is None else None
        key = (reader.cursor, joined, plan.instant, plan.period)
        return _kept_in(
            self._windows,
            key,
            lambda: self.decider.window_of(reader, plan, self.as_of),
        )

    def _kept(self, reader: Subscriber, plan: Plan) -> Drafted:
        """Return the draft of a slot without an issue; its window is kept."""
        draft = Draft(
            subscriber=reader,
            record=None,
            cursor=self._window(reader, plan).after,
            next_slot=plan.next_slot,
            skipped=reader.skipped,
            left_out=plan.left_out,
        )
        return Drafted(draft=draft, plan=plan)

    # --- weighing ---

    def _batch_of(self, windows: Sequence[Window]) -> Batch:
        """Return a batch that has a view for every one of *windows*."""
        columns = self._columns(windows)
        for window in set(windows):
            columns.view(window)
        batch = self._batch
        if batch is None or batch.columns is not columns or not batch.is_whole:
            ranking = self.decider.edition.ranking
            batch = Batch(columns, self.book, as_of=self.as_of, ranking=ranking)
            self._batch = batch
        return batch

    def _columns(self, windows: Sequence[Window]) -> Columns:
        """Return columns that every one of *windows* can be told from."""
        # A window that ends where it begins holds nothing, wherever it ends.
        until = self.decider.entries.seq_at(self.as_of)
        real = [window for window in set(windows) if window.until == until]
        kept = self._batch.columns if self._batch else None
        if kept is None:
            bounds = bounds_of(real) if real else Window(after=until, until=until)
        elif missing := [w for w in real if not kept.read.holds(w)]:
            bounds = self._further(bounds_of([*missing, kept.read.bounds]))
        elif self._is_full(kept):
            return Columns(kept.read)
        else:
            return kept
        read = self.entries.wide(bounds, source_order=self.decider.source_order)
        return Columns(read)

    def _is_full(self, columns: Columns) -> bool:
        return (
            len(columns.candidates) > self.most_columns
            or len(columns.views) > self.most_views
        )

    def _further(self, bounds: Window) -> Window:
        """Return *bounds* so wide that there are few more reads after this one."""
        not_before = bounds.not_before
        if not_before is not None:
            not_before = self.as_of - FURTHER * (self.as_of - not_before)
        return Window(after=0, until=bounds.until, not_before=not_before)

    # --- filling ---

    def _fill(
        self, cases: Sequence[_Case], batch: Batch, prepared_at: datetime
    ) -> list[Drafted]:
        """Return the drafts of *cases*: issues, or skips."""
        asks = self._asked(cases, batch)
        found = _each(asks, batch.weighed.best)
        skips: list[tuple[_Case, Receipt]] = []
        drafted: list[Drafted] = []
        for case, ask in zip(cases, asks, strict=True):
            answer = found[ask]
            receipt = Receipt(
                new=len(batch.columns.views[case.view]),
                matched=answer.matched,
                shown=min(case.limits.max_items, len(answer.columns)),
            )
            if not receipt.shown and case.limits.skip_empty:
                skips.append((case, receipt))
            else:
                shown = batch.refer(ask, case.limits, answer.columns)
                drafted.append(self._issue(case, shown, receipt, prepared_at))
        return drafted + self._skipped(skips)

    def _asked(self, cases: Sequence[_Case], batch: Batch) -> list[Ask]:
        """Return what is asked for each, less what they got before."""
        asks = [
            Ask(profile_hash=case.reader.profile_hash, view=case.view) for case in cases
        ]
        again = [ask for ask in asks if batch.has_old[ask.view]]
        if not again:
            return asks
        before = _each(again, batch.weighed.before)
        columns = batch.candidates
        questions = {
            case.reader.id: Question(
                entry_ids=frozenset(columns[c].entry_id for c in before[ask]),
                since=self.decider.since(case.slot),
            )
            for case, ask in zip(cases, asks, strict=True)
            if before.get(ask)
        }
        shown = self.ledger.shown_to(questions)
        for number, case in enumerate(cases):
            if repeats := shown.get(case.reader.id):
                old = before[asks[number]]
                asks[number] = Ask(
                    profile_hash=case.reader.profile_hash,
                    view=case.view,
                    excluded=tuple(c for c in old if columns[c].entry_id in repeats),
                )
        return asks

    def _issue(
        self,
        case: _Case,
        shown: References,
        receipt: Receipt,
        prepared_at: datetime,
    ) -> Drafted:
        record = self.decider.record_of(
            case.reader,
            case.window,
            (shown.items, shown.headings, shown.more),
            receipt=receipt,
            slot=case.slot,
            as_of=self.as_of,
            edition=self.edition_hash,
            prepared_at=prepared_at,
        )
        draft = Draft(
            subscriber=case.reader,
            record=record,
            cursor=case.window.until,
            next_slot=case.plan.next_slot,
            skipped=(),
            left_out=case.plan.left_out,
        )
        return Drafted(draft=draft, plan=case.plan, receipt=receipt, best=shown.best)

    def _skipped(self, skips: Sequence[tuple[_Case, Receipt]]) -> list[Drafted]:
        empty = [case.reader.id for case, receipt in skips if not receipt.new]
        last = self.ledger.last_slots(empty)
        return [
            Drafted(
                draft=Draft(
                    subscriber=case.reader,
                    record=None,
                    cursor=case.window.until,
                    next_slot=case.plan.next_slot,
                    skipped=days_without(
                        case.reader,
                        case.plan,
                        Skip(receipt=receipt),
                        last_slot=partial(last.get, case.reader.id),
                    ),
                    left_out=case.plan.left_out,
                ),
                plan=case.plan,
                receipt=receipt,
            )
            for case, receipt in skips
        ]


def _case(
    reader: Subscriber,
    plan: Plan,
    slot: datetime,
    window: Window,
    *,
    limits: Mapping[str, Limits],
    batch: Batch,
) -> _Case:
    return _Case(
        reader=reader,
        plan=plan,
        slot=slot,
        window=window,
        limits=limits[reader.profile_hash],
        view=batch.columns.view(window),
    )


def _kept_in(kept: dict[object, V], key: object, make: Callable[[], V]) -> V:
    """Return what *kept* has for *key*, made where it is missing."""
    if key not in kept:
        if len(kept) >= MOST_KEPT:
            kept.clear()
        kept[key] = make()
    return kept[key]


def _each(
    asks: Sequence[Ask], answer: Callable[[Sequence[Ask]], Sequence[V]]
) -> dict[Ask, V]:
    """Return each one's answer; what is asked twice is answered once."""
    distinct = list(dict.fromkeys(asks))
    return dict(zip(distinct, answer(distinct), strict=True))
