"""Match and compose for everyone due, and write it into the ledger.

subscribers.due -> slot -> window -> selecting -> one transaction: issue or
skip, cursor, next slot, version + 1

Few readers go one by one; many by blocks, each decided at once and written in
one transaction (see ``blocks``). A run that was cut off leaves whole blocks
behind: who was written is no longer due, and the next run takes up the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain
from typing import Protocol

from newsletter.blocks import BlockDecider, Decided, Drafted
from newsletter.deciding import Decider, Decision, Plan
from newsletter.errors import NewsletterError, StorageError
from newsletter.model import Receipt, Selection, Skip, Subscriber, SubscriberStatus
from newsletter.ports import Clock, Ledger, Subscribers

#: Due slots wait this long for sources that all fail.
SOURCES_MAY_RECOVER = timedelta(hours=2)
#: How often a subscriber that changed meanwhile is read again.
TRIES = 3
#: More than so many are decided and written by blocks; fewer one by one, which
#: needs nothing that takes long to load.
MANY = 200
#: How many are written in one transaction, all or none.
BLOCK = 2000


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
    #: What a person should know of it, though nothing is lost.
    notes: list[str] = field(default_factory=list)

    def add(self, preparation: Preparation) -> None:
        """Count one."""
        self.counts[preparation.fate] = self.counts.get(preparation.fate, 0) + 1

    def __getitem__(self, fate: Fate) -> int:
        """Return how many met *fate*."""
        return self.counts.get(fate, 0)


class Blockwise(Protocol):
    """Makes a decider for blocks; loads what that needs."""

    def __call__(
        self,
        as_of: datetime,
        *,
        everyone: bool,
        edition_hash: str,
        is_waiting: Callable[[Plan], bool],
    ) -> BlockDecider:
        """Return one for a single run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What holds for everybody in one run."""

    as_of: datetime
    everyone: bool
    all_failing: bool
    edition_hash: str

    def is_waiting(self, plan: Plan) -> bool:
        """Tell whether who has *plan* waits for sources that all fail."""
        late = self.as_of - plan.instant
        return self.all_failing and not self.everyone and late < SOURCES_MAY_RECOVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare:
    """The use case: everyone due gets an issue, or a skip, in the ledger."""

    decider: Decider
    subscribers: Subscribers
    ledger: Ledger
    clock: Clock
    #: Makes what decides for many at once. None: all are decided one by one.
    blockwise: Blockwise | None = None
    many: int = MANY
    block: int = BLOCK
    #: Called with each preparation as soon as it is committed.
    tell: Callable[[Preparation], None] = field(default=lambda _: None)

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
        run = _Run(
            as_of=as_of,
            everyone=everyone,
            all_failing=all_failing,
            edition_hash=self.ledger.put_edition(self.decider.edition),
        )
        for preparation in self._prepared(run):
            report.add(preparation)
            self.tell(preparation)
        return report

    def _prepared(self, run: _Run) -> Iterator[Preparation]:
        blocks = self._blocks(run)
        for block in blocks:
            if self.blockwise and len(block) > self.many:
                yield from self._by_blocks(self.blockwise, chain([block], blocks), run)
            else:
                yield from (self._prepare(subscriber, run) for subscriber in block)

    def _by_blocks(
        self,
        blockwise: Blockwise,
        blocks: Iterable[Sequence[Subscriber]],
        run: _Run,
    ) -> Iterator[Preparation]:
        """Prepare block by block, each in one transaction."""
        decider = blockwise(
            run.as_of,
            everyone=run.everyone,
            edition_hash=run.edition_hash,
            is_waiting=run.is_waiting,
        )
        for block in blocks:
            decided = decider.decide(block, prepared_at=self.clock.now())
            drafts = [drafted.draft for drafted in decided.drafted]
            took = self.ledger.prepare_all(drafts, at=self.clock.now())
            yield from self._told(decided, took, run)

    def _blocks(self, run: _Run) -> Iterator[tuple[Subscriber, ...]]:
        after_id = 0
        while True:
            block = (
                self.subscribers.active(after_id=after_id, limit=self.block)
                if run.everyone
                else self.subscribers.due(
                    run.as_of, after_id=after_id, limit=self.block
                )
            )
            if not block:
                return
            yield block
            after_id = block[-1].id

    def _told(
        self, decided: Decided, took: frozenset[int], run: _Run
    ) -> Iterator[Preparation]:
        """Yield a written block's part; prepare alone whom it leaves out."""
        for subscriber in decided.served:
            yield Preparation(subscriber=subscriber, fate=Fate.SERVED)
        for subscriber, plan in decided.waiting:
            yield Preparation(subscriber=subscriber, fate=Fate.WAITING, slot=plan.slot)
        for drafted in decided.drafted:
            if drafted.draft.subscriber.id in took:
                yield _told_of(drafted)
        for subscriber in decided.alone:
            yield self._prepare(subscriber, run)
        for drafted in decided.drafted:
            subscriber = drafted.draft.subscriber
            if subscriber.id not in took:
                yield self._prepare_again(subscriber, run)

    def _prepare_again(self, subscriber: Subscriber, run: _Run) -> Preparation:
        """Prepare one that changed after it was read, alone."""
        subscriber = self.subscribers.get(subscriber.public_id)
        if subscriber.status is not SubscriberStatus.ACTIVE:
            return Preparation(subscriber=subscriber, fate=Fate.SERVED)
        return self._prepare(subscriber, run)

    def _prepare(self, subscriber: Subscriber, run: _Run) -> Preparation:
        """Prepare one subscriber; read it again where it changed meanwhile."""
        for _ in range(TRIES):
            try:
                plan = self.decider.plan(subscriber, run.as_of, everyone=run.everyone)
                if plan is None:
                    return Preparation(subscriber=subscriber, fate=Fate.SERVED)
                if run.is_waiting(plan):
                    return Preparation(
                        subscriber=subscriber, fate=Fate.WAITING, slot=plan.slot
                    )
                done = self._write(subscriber, plan, run.as_of, run.edition_hash)
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

    def _write(
        self, subscriber: Subscriber, plan: Plan, as_of: datetime, edition_hash: str
    ) -> Preparation | None:
        """Write one preparation; None: the subscriber changed meanwhile."""
        decision = self.decider.decide(
            subscriber,
            self.subscribers.profile(subscriber.profile_hash),
            plan,
            as_of=as_of,
            edition_hash=edition_hash,
            prepared_at=self.clock.now(),
        )
        took = self.ledger.prepare(
            subscriber,
            record=decision.record,
            cursor=decision.cursor,
            next_slot=plan.next_slot,
            skipped=decision.skipped,
            left_out=plan.left_out,
            at=self.clock.now(),
        )
        return _told(subscriber, plan, decision) if took else None


def _told(subscriber: Subscriber, plan: Plan, decision: Decision) -> Preparation:
    """Return what is said of a preparation that took."""
    outcome = decision.outcome
    if outcome is None:
        fate = Fate.LEFT_OUT if plan.slot is None else Fate.SERVED
        return Preparation(subscriber=subscriber, fate=fate, slot=plan.instant)
    if isinstance(outcome, Skip):
        return Preparation(
            subscriber=subscriber,
            fate=Fate.SKIPPED,
            slot=plan.slot,
            receipt=outcome.receipt,
            forced=plan.forced,
        )
    return Preparation(
        subscriber=subscriber,
        fate=Fate.PREPARED,
        slot=plan.slot,
        key=decision.record.key if decision.record else None,
        receipt=outcome.receipt,
        best=_best(outcome),
        forced=plan.forced,
    )


def _best(selection: Selection) -> str | None:
    """Return the first card's title. None: there is no card."""
    return next((m.candidate.version.title for m in selection.matches), None)


def _told_of(drafted: Drafted) -> Preparation:
    """Return what is said of a draft that took."""
    draft, plan, receipt = drafted.draft, drafted.plan, drafted.receipt
    if receipt is None:
        fate = Fate.LEFT_OUT if plan.slot is None else Fate.SERVED
        return Preparation(subscriber=draft.subscriber, fate=fate, slot=plan.instant)
    return Preparation(
        subscriber=draft.subscriber,
        fate=Fate.PREPARED if draft.record else Fate.SKIPPED,
        slot=plan.slot,
        key=draft.record.key if draft.record else None,
        receipt=receipt,
        best=drafted.best,
        forced=plan.forced,
    )
