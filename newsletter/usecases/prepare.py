"""Match and compose for everyone due, and write it into the ledger.

subscribers.due -> slot -> window -> selecting -> one transaction: issue or
skip, cursor, next slot, version + 1
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from newsletter.deciding import Decider, Decision, Plan
from newsletter.errors import NewsletterError, StorageError
from newsletter.model import Receipt, Selection, Skip, Subscriber, SubscriberStatus
from newsletter.ports import Clock, Ledger, Subscribers

#: Due slots wait this long for sources that all fail.
SOURCES_MAY_RECOVER = timedelta(hours=2)
#: How often a subscriber that changed meanwhile is read again.
TRIES = 3


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
class Prepare:
    """The use case: everyone due gets an issue, or a skip, in the ledger."""

    decider: Decider
    subscribers: Subscribers
    ledger: Ledger
    clock: Clock
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
        edition_hash = self.ledger.put_edition(self.decider.edition)
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
                plan = self.decider.plan(subscriber, as_of, everyone=everyone)
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


def _waits(plan: Plan, as_of: datetime) -> bool:
    return not plan.everyone and as_of - plan.instant < SOURCES_MAY_RECOVER
