"""Render what the ledger holds ready, and hand it over.

lease -> recall, render, build, sign -> one commit: inflight -> bytes -> record
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

from newsletter.assembling import Assembler
from newsletter.errors import (
    ConflictError,
    DeliveryError,
    NewsletterError,
    StorageError,
    UnacceptedThemeError,
)
from newsletter.ledger import retry_after
from newsletter.model import (
    AfterCrash,
    FailReason,
    IssueState,
    LedgerRow,
    Message,
    Origin,
    Outcome,
    SubscriberStatus,
)
from newsletter.ports import Clock, Ledger, Subscribers, Transport

#: How long one process keeps issues to itself; after it another may take them.
LEASE = timedelta(minutes=5)


def _at_rest(beat: Callable[[], None]) -> AbstractContextManager[None]:
    """Keep nothing alive."""
    del beat
    return nullcontext()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of one issue in one delivery."""

    row: LedgerRow
    outcome: Outcome


@dataclass(slots=True, kw_only=True)
class DeliverReport:
    """How many issues reached which state."""

    counts: dict[IssueState, int] = field(default_factory=dict)
    #: Left before their turn: the subscriber was no longer to get mail.
    suppressed: int = 0
    #: Too old to be of use: never handed over.
    expired: int = 0
    #: Why the destination as a whole took no mail; None: it did.
    stopped: str | None = None

    def __getitem__(self, state: IssueState) -> int:
        """Return how many reached *state*."""
        return self.counts.get(state, 0)

    @property
    def is_trouble(self) -> bool:
        """Tell whether an issue was lost, or waits for a person."""
        lost = self[IssueState.FAILED] + self[IssueState.UNKNOWN]
        return bool(lost or self[IssueState.HELD] or self.expired or self.stopped)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    """The use case: from ready to a final state."""

    ledger: Ledger
    subscribers: Subscribers
    assembler: Assembler
    transport: Transport
    clock: Clock
    #: Who we are in leases.
    holder: str
    #: Issues per commit: what a crash may leave in doubt.
    window: int
    expire_after: timedelta
    after_crash: AfterCrash = AfterCrash.ASK
    #: Calls what it is given from time to time, as long as it is entered.
    keep_alive: Callable[[Callable[[], None]], AbstractContextManager[None]] = _at_rest
    #: Called with each outcome as soon as it is recorded.
    tell: Callable[[Delivery], None] = field(default=lambda _: None)

    def run(self) -> DeliverReport:
        """Deliver until nothing is due; stop where the destination refuses all."""
        now = self.clock.now()
        report = DeliverReport()
        report.expired = self.ledger.expire(
            prepared_before=now - self.expire_after, now=now
        )
        self._look_after_a_crash(report)
        try:
            while report.stopped is None:
                now = self.clock.now()
                rows = self.ledger.lease(
                    self.window, holder=self.holder, now=now, until=now + LEASE
                )
                if not rows:
                    break
                with self.keep_alive(self._renew):
                    self._window(rows, report)
        finally:
            self._close(report)
        return report

    def _renew(self) -> None:
        self.ledger.renew(holder=self.holder, until=self.clock.now() + LEASE)

    def _look_after_a_crash(self, report: DeliverReport) -> None:
        """Name what a process that is gone may have sent, unless it may repeat."""
        if self.transport.is_repeatable or self.after_crash is AfterCrash.REPEAT:
            return
        now = self.clock.now()
        for row in self.ledger.give_up(now=now):
            lost = Outcome(
                key=row.record.key, state=row.state, at=now, reason=row.reason
            )
            self._count(row, lost, report)

    def _close(self, report: DeliverReport) -> None:
        """Leave the destination; its mails are there whatever it says now."""
        try:
            self.transport.close()
        except DeliveryError as error:
            report.stopped = report.stopped or str(error)

    def _window(self, rows: Sequence[LedgerRow], report: DeliverReport) -> None:
        """Take one window of leased issues to their outcomes."""
        by_key = {row.record.key: row for row in rows}
        messages, broken = self._assemble(rows)
        self._record(broken, by_key, report)
        marked = self.ledger.mark_inflight(
            [message.key for message in messages],
            holder=self.holder,
            now=self.clock.now(),
        )
        report.suppressed += len(messages) - len(marked)
        going = [message for message in messages if message.key in marked]
        if not going:
            return
        outcomes: list[Outcome] = []
        try:
            for outcome in self.transport.send(going):
                outcomes.append(  # noqa: PERF401 - what came before an error counts
                    self._planned(outcome, by_key[outcome.key])
                )
        except DeliveryError as error:
            report.stopped = str(error)
            outcomes += (self._later(m, error) for m in going[len(outcomes) :])
        finally:
            # Whatever ends the process: what the server took is a fact.
            self._record(outcomes, by_key, report)

    def _assemble(
        self, rows: Sequence[LedgerRow]
    ) -> tuple[list[Message], list[Outcome]]:
        """Return the finished mails, and what becomes of each that cannot be made."""
        messages: list[Message] = []
        broken: list[Outcome] = []
        for row in rows:
            try:
                messages.append(self.assembler.make(row.record))
            except StorageError:
                raise
            except UnacceptedThemeError as error:
                # The issue is sound: it waits until somebody mends the theme.
                broken.append(
                    Outcome(
                        key=row.record.key,
                        state=IssueState.HELD,
                        at=self.clock.now(),
                        reason=str(error),
                    )
                )
            except NewsletterError as error:
                broken.append(
                    Outcome(
                        key=row.record.key,
                        state=IssueState.FAILED,
                        at=self.clock.now(),
                        reason=f"{FailReason.BROKEN}: {error}",
                    )
                )
        return messages, broken

    def _planned(self, outcome: Outcome, row: LedgerRow) -> Outcome:
        """Return *outcome*; of a retry, with its time."""
        if outcome.state is not IssueState.RETRY or outcome.retry_at:
            return outcome
        # The row was read before this attempt was counted.
        wait = retry_after(row.attempts + 1, greylisted=outcome.greylisted)
        return replace(outcome, retry_at=outcome.at + wait)

    def _later(self, message: Message, error: DeliveryError) -> Outcome:
        """Return what becomes of a mail that the destination did not look at."""
        now = self.clock.now()
        return Outcome(
            key=message.key,
            state=IssueState.RETRY,
            at=now,
            code=error.code,
            reason=str(error),
            # It is the destination that waits: the next run asks it again.
            retry_at=now,
            charged=False,
        )

    def _record(
        self,
        outcomes: Sequence[Outcome],
        by_key: dict[str, LedgerRow],
        report: DeliverReport,
    ) -> None:
        if not outcomes:
            return
        self.ledger.record(outcomes, holder=self.holder)
        for outcome in outcomes:
            row = by_key[outcome.key]
            if outcome.bounced:
                self._bounce(row, outcome)
            self._count(row, outcome, report)

    def _bounce(self, row: LedgerRow, outcome: Outcome) -> None:
        """Send nothing more to a mailbox that is not there."""
        # Who was erased meanwhile has no mailbox here any more.
        with suppress(ConflictError):
            self.subscribers.set_status(
                row.record.subscriber_id,
                SubscriberStatus.BOUNCED,
                reason=outcome.reason or "",
                origin=Origin.DELIVERY,
                as_of=outcome.at,
                at=outcome.at,
            )

    def _count(self, row: LedgerRow, outcome: Outcome, report: DeliverReport) -> None:
        report.counts[outcome.state] = report[outcome.state] + 1
        self.tell(Delivery(row=row, outcome=outcome))
