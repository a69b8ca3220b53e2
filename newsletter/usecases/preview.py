"""Show any reader's issue as it would be sent; write nothing.

    readers file -> forecast | subscribers -> who
    what is due  -> foreseen | Decider     -> issue, skip, or nothing
    assembling   -> the mail that a run would make

The decision, the renderer and the mail are those of a run. What the run would
do first (take in the readers' file, release what is due) is computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from newsletter.assembling import Assembler
from newsletter.deciding import Decider, Tokenise
from newsletter.errors import NotFoundError
from newsletter.matching import documents
from newsletter.model import (
    CatchUp,
    Edition,
    Forecast,
    Foreseen,
    Issue,
    IssueRecord,
    LedgerRow,
    Message,
    Profile,
    Receipt,
    Subscriber,
    SubscriberSpec,
    SubscriberStatus,
)
from newsletter.ports import ID_AT_LEAST, Entries, Ledger, Subscribers
from newsletter.selecting import LeftOut

#: Past issues that are offered of a reader.
PAST_ISSUES = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of which entries it is told why they are left out."""

    #: None: of all.
    ids: frozenset[int] | None = None


ALL, NONE = Wanted(), Wanted(frozenset())


class Standing(StrEnum):
    """What a slot would bring."""

    #: There is a mail.
    ISSUE = "issue"
    #: Nothing to show: no mail.
    SKIPPED = "skipped"
    #: Too late for its slot; the window is kept for the next.
    LEFT_OUT = "left out"
    #: That slot has its issue already.
    SERVED = "served"
    #: The reader gets no mail.
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One reader's issue as it would be sent, or as it was."""

    reader: Subscriber
    standing: Standing
    as_of: datetime
    #: None: there is none to serve.
    slot: datetime | None = None
    #: Both None: there is no mail.
    issue: Issue | None = None
    message: Message | None = None
    receipt: Receipt | None = None
    #: Empty where it was not asked for; of a past issue it is not known any more.
    left_out: tuple[LeftOut, ...] = ()
    #: Where it stands in the ledger. None: it is not written yet.
    row: LedgerRow | None = None
    #: Of a past issue: its theme is another by now, so bytes may differ.
    theme_changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Readers that a search found."""

    readers: tuple[Foreseen | Subscriber, ...]
    #: There are more than these.
    has_more: bool


@dataclass(frozen=True, kw_only=True)
class Previewing:
    """The use case, at one instant."""

    entries: Entries
    subscribers: Subscribers
    ledger: Ledger
    assembler: Assembler
    edition: Edition
    catch_up: CatchUp
    source_order: Sequence[str]
    #: How long each source's listings wait for their release.
    settle: Mapping[str, timedelta]
    #: The readers' file.
    specs: Sequence[SubscriberSpec]
    now: datetime
    #: Tell of a mail what it does not show; of what brings no mail it is always told.
    with_left_out: bool = True
    #: See ``Decider``.
    tokenise: Tokenise = documents

    @cached_property
    def forecast(self) -> Forecast:
        """Return what the readers' file changes."""
        return self.subscribers.foresee(self.specs, as_of=self.now, at=self.now)

    @cached_property
    def _foreseen(self) -> Mapping[str, Foreseen]:
        return {f.subscriber.public_id: f for f in self.forecast.readers}

    def has_entries(self) -> bool:
        """Tell whether anything was released, or is about to be."""
        foreseen = self.entries.foresee(as_of=self.now, settle=self.settle)
        return foreseen.first_release_at() is not None

    def search(self, text: str, *, limit: int) -> Found:
        """Return readers of whose address, name or id *text* is a part, by address."""
        wanted = text.strip().casefold()
        found: dict[str, Foreseen | Subscriber] = {
            name: foreseen
            for name, foreseen in self._foreseen.items()
            if self._goes_by(wanted, who(foreseen))
        }
        # As many more as the file may have changed beyond recognition.
        most = limit + len(self._foreseen) + 1
        for subscriber in self.subscribers.search(text, limit=most):
            if subscriber.public_id not in self._foreseen:
                found[subscriber.public_id] = subscriber
        readers = sorted(found.values(), key=lambda r: who(r).address.casefold())
        return Found(readers=tuple(readers[:limit]), has_more=len(readers) > limit)

    @cached_property
    def _ids(self) -> Mapping[str, str]:
        """Return the ids of the readers' file by their address."""
        return {spec.address: (spec.id or "").casefold() for spec in self.specs}

    def _goes_by(self, wanted: str, reader: Subscriber) -> bool:
        """Tell of a reader of the file what the store's search tells of its own."""
        return (
            wanted in reader.address.casefold()
            or wanted in reader.name.casefold()
            or wanted in self._ids.get(reader.address, "")
            or (len(wanted) >= ID_AT_LEAST and reader.public_id.startswith(wanted))
        )

    def reader(self, name: str) -> Foreseen:
        """Return a reader, as the next run will have them.

        Args:
            name: A public id or an address; see ``name_of``.

        Raises:
            NotFoundError: There is none.
        """
        foreseen = self._foreseen.get(name) or next(
            (f for f in self._foreseen.values() if f.subscriber.address == name), None
        )
        if foreseen is not None:
            return foreseen
        subscriber = self.subscribers.get(name)
        known = self._foreseen.get(subscriber.public_id)
        if known is not None:
            return known
        profile = self.subscribers.profile(subscriber.profile_hash)
        return Foreseen(subscriber=subscriber, profile=profile)

    def past(self, reader: Subscriber) -> tuple[LedgerRow, ...]:
        """Return the reader's issues, the newest first."""
        return self.ledger.issues_of(reader.id, limit=PAST_ISSUES)

    def everyone_now(
        self, reader: Foreseen, *, wanted: Wanted | None = None
    ) -> Preview:
        """Return what ``run --everyone`` would write for the reader now.

        Args:
            reader: With any profile: the one they have, or one that is tried.
            wanted: What of the left out is told. None: as ``with_left_out`` says.

        Raises:
            NewsletterError: The run would fail on it as well.
        """
        return self._preview(reader, self.now, everyone=True, wanted=wanted)

    def next_slot(self, reader: Foreseen, *, wanted: Wanted | None = None) -> Preview:
        """Return what the reader's next slot would bring, by what is known now.

        Args:
            reader: As for ``everyone_now``.
            wanted: The same.

        Raises:
            NewsletterError: The run would fail on it as well.
        """
        upcoming = reader.subscriber.next_slot
        as_of = max(self.now, upcoming) if upcoming else self.now
        return self._preview(reader, as_of, everyone=False, wanted=wanted)

    def past_issue(self, reader: Subscriber, key: str) -> Preview:
        """Return an issue of the reader from the ledger, made again.

        Raises:
            NotFoundError: The reader has none of that key.
        """
        row = self.ledger.find(key)
        record = row.record
        if record.public_id != reader.public_id:
            raise NotFoundError(
                f"{reader.address} has no issue {key}; choose one from the list"
            )
        issue = self.assembler.issue(record)
        theme_hash = self.assembler.theme_hash(record.theme)
        return Preview(
            reader=reader,
            standing=Standing.ISSUE,
            as_of=record.as_of,
            slot=record.slot,
            issue=issue,
            message=self.assembler.make_of(issue),
            receipt=record.receipt,
            row=row,
            theme_changed=theme_hash != record.theme_hash,
        )

    def _preview(
        self,
        foreseen: Foreseen,
        as_of: datetime,
        *,
        everyone: bool,
        wanted: Wanted | None,
    ) -> Preview:
        reader, profile = foreseen.subscriber, foreseen.profile
        if reader.status is not SubscriberStatus.ACTIVE:
            return Preview(reader=reader, standing=Standing.INACTIVE, as_of=as_of)
        decider = self._decider(as_of)
        plan = decider.plan(reader, as_of, everyone=everyone)
        if plan is None:
            return Preview(reader=reader, standing=Standing.SERVED, as_of=as_of)
        decision = decider.decide(
            reader,
            profile,
            plan,
            as_of=as_of,
            # Kept by a run only; what it names goes with it.
            edition_hash="",
            prepared_at=self.now,
        )
        if decision.outcome is None:
            served = Standing.LEFT_OUT if plan.slot is None else Standing.SERVED
            return Preview(
                reader=reader, standing=served, as_of=as_of, slot=plan.instant
            )
        left_out: tuple[LeftOut, ...] = ()
        if wanted is None:
            wanted = ALL if self.with_left_out or decision.record is None else NONE
        if wanted is not NONE:
            left_out = decider.left_out(
                reader, profile, plan, decision, as_of=as_of, only=wanted.ids
            )
        record = decision.record
        issue = None if record is None else self._issue(record, profile)
        return Preview(
            reader=reader,
            standing=Standing.SKIPPED if issue is None else Standing.ISSUE,
            as_of=as_of,
            slot=plan.slot,
            issue=issue,
            message=None if issue is None else self.assembler.make_of(issue),
            receipt=decision.outcome.receipt,
            left_out=left_out,
        )

    def _issue(self, record: IssueRecord, profile: Profile) -> Issue:
        return self.assembler.issue(record, profile=profile, edition=self.edition)

    @cached_property
    def _deciders(self) -> dict[datetime, Decider]:
        return {}

    def _decider(self, as_of: datetime) -> Decider:
        """Return what decides once all that is due at *as_of* is released.

        The same one for the same instant: two profiles share their window.
        """
        if as_of not in self._deciders:
            self._deciders[as_of] = self._make_decider(as_of)
        return self._deciders[as_of]

    def _make_decider(self, as_of: datetime) -> Decider:
        theme = self.edition.newsletter.theme
        return Decider(
            entries=self.entries.foresee(as_of=as_of, settle=self.settle),
            ledger=self.ledger,
            edition=self.edition,
            theme_hash=self.assembler.theme_hash(theme),
            catch_up=self.catch_up,
            source_order=self.source_order,
            tokenise=self.tokenise,
        )


def who(reader: Foreseen | Subscriber) -> Subscriber:
    """Return the reader, whatever is known beside."""
    return reader.subscriber if isinstance(reader, Foreseen) else reader


def name_of(reader: Foreseen | Subscriber) -> str:
    """Return what ``Previewing.reader`` finds the reader by, before and after a run.

    The public id; of who is no reader yet, and so has none, the address.
    """
    if isinstance(reader, Foreseen) and reader.joins:
        return reader.subscriber.address
    return who(reader).public_id
