"""What the use cases need of the outside world, as protocols.

Lifecycle: app.py makes one of each, hands them to the use cases and closes
them. Threads: an object is used from one thread at a time unless its page
says otherwise. Time: every ``datetime`` is aware and in UTC; ``at`` and
``now`` are the clock's, ``as_of`` is the run's argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from newsletter.accepting import ThemeVerdict
from newsletter.model import (
    Candidate,
    Edition,
    EntryVersion,
    Forecast,
    Issue,
    IssueRecord,
    IssueState,
    LedgerRow,
    Listing,
    Message,
    Origin,
    Outcome,
    Page,
    Poll,
    Profile,
    PutReport,
    ReconcileReport,
    Rendered,
    Request,
    Response,
    SourceSettings,
    SourceState,
    Subscriber,
    SubscriberEvent,
    SubscriberSpec,
    SubscriberStatus,
    Window,
)
from newsletter.weighing import Limits
from newsletter.windows import WideRead

#: Characters of a public id by which a search finds it: fewer are in many.
ID_AT_LEAST = 6


class Clock(Protocol):
    """The wall clock; app.py makes the only real one."""

    def now(self) -> datetime:
        """Return the present instant, UTC."""


# --- sources ------------------------------------------------------------------


class Source(Protocol):
    """One configured source: what to ask, and how to read the answer. Pure."""

    @property
    def settings(self) -> SourceSettings:
        """Return its table of the configuration."""

    def requests(self, state: SourceState, as_of: datetime) -> tuple[Request, ...]:
        """Return what to ask now; days count from *as_of*."""

    def parse(self, response: Response) -> Page:
        """Return what a 200 response says.

        Raises:
            ParseError: The document is not of this source's shape at all.
                A single bad row is in ``Page.rejected`` instead.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class PollJob:
    """A source and what to ask it."""

    source: Source
    requests: tuple[Request, ...]


class Fetcher(Protocol):
    """All HTTP and file reading, with its manners."""

    def poll(self, jobs: Iterable[PollJob], *, as_of: datetime) -> Iterator[Poll]:
        """Ask every source, follow further requests (at most 20 a poll), parse.

        Yields one Poll per job, in the order of *jobs*, each as soon as those
        before it are there; of its answers the bodies are gone. A request that
        fails, and a document that does not parse, is a Failure in its Poll;
        nothing is raised for it and the others go on.
        """


class Pace(Protocol):
    """When hosts may be asked again, over all processes. Safe from any thread."""

    def reserve(self, host: str, *, spacing: timedelta, now: datetime) -> datetime:
        """Return when *host* may be asked, and keep *spacing* after it free."""

    def pause(self, host: str, *, until: datetime) -> None:
        """Keep everybody from asking *host* until then."""

    def pauses(self, now: datetime) -> Mapping[str, datetime]:
        """Return which hosts must not be asked yet, and until when."""


class Sources(Protocol):
    """What is remembered of sources."""

    def find(self, names: Iterable[str]) -> Mapping[str, SourceState]:
        """Return the states of *names*; fresh ones where one was never asked."""

    def save(self, states: Iterable[SourceState]) -> None:
        """Keep *states*, in one transaction."""

    def forget(self, name: str) -> None:
        """Forget how *name* was asked; what it brought stays."""


# --- entries ------------------------------------------------------------------


class Released(Protocol):
    """What was released, in its order: all that deciding on an issue reads."""

    def seq_at(self, instant: datetime) -> int:
        """Return the greatest seq with released_at <= *instant*; 0: none."""

    def first_release_at(self) -> datetime | None:
        """Return when the first listing ever was released. None: never."""

    def window(
        self, window: Window, *, source_order: Sequence[str]
    ) -> tuple[Candidate, ...]:
        """Return the distinct entries with a listing in *window*, by entry id.

        Versions, badges and votes know only the sources whose listing of the
        entry has seq <= ``window.until``.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What one poll of one source shows."""

    source: SourceSettings
    listings: Sequence[Listing]
    seen_at: datetime
    #: No earlier poll of the source parsed.
    first: bool = False


class Entries(Released, Protocol):
    """Entries, versions, listings, sightings and their order of release."""

    def put(self, polls: Sequence[Shown], *, as_of: datetime) -> tuple[PutReport, ...]:
        """Store what *polls* show in one transaction: nothing or all.

        Identity decides which entry each listing belongs to, release.admit
        which are passed over or held. One report per poll, in their order.
        """

    def release(self, *, as_of: datetime, settle: Mapping[str, timedelta]) -> int:
        """Give every listing that is due the next seq; return how many.

        Holds the writer's lock to the commit, so order of seq is order of
        commit. A source missing in *settle* settles at once.
        """

    def held(self) -> Mapping[str, int]:
        """Return how many listings the flood guard holds, by source."""

    def release_held(self, source: str) -> int:
        """Make a source's held listings pending; return how many."""

    def drop_held(self, source: str) -> int:
        """Drop a source's held listings for good; return how many."""

    def listed_days(self, since: date) -> Mapping[str, Mapping[date, int]]:
        """Return how many listings each source has per day (UTC) from *since* on."""

    def foresee(self, *, as_of: datetime, settle: Mapping[str, timedelta]) -> Released:
        """Return what would be released after ``release`` at *as_of*.

        Nothing is written, and nobody is kept waiting.
        """

    def wide(self, bounds: Window, *, source_order: Sequence[str]) -> WideRead:
        """Return what every window within *bounds*, of the same end, can be told from.

        ``newsletter.windows`` tells the very candidates that ``window`` returns.
        """

    def versions(self, ids: Iterable[int]) -> Mapping[int, EntryVersion]:
        """Return versions by id, unknown ids left out."""

    def aliases_of(self, entry_ids: Iterable[int]) -> Mapping[int, frozenset[int]]:
        """Return for each entry all ids it ever had: its own and joined ones."""

    def listed_between(
        self, start: datetime, end: datetime, *, source_order: Sequence[str]
    ) -> tuple[Candidate, ...]:
        """Return released entries listed in [start, end), for back-tests.

        Of their versions only what is weighed and named: no links, no picture,
        no sentence of the source's own, no date or language.
        """


# --- subscribers --------------------------------------------------------------


class Subscribers(Protocol):
    """Readers, their profiles, events and suppressions."""

    def reconcile(
        self, specs: Sequence[SubscriberSpec], *, as_of: datetime, at: datetime
    ) -> ReconcileReport:
        """Make the readers of origin file be those of *specs*.

        Found by ``id`` where one is given, else by address key. A new one
        joins at *as_of* (its next_slot: the first after). A changed schedule
        or zone moves next_slot to the first slot after *as_of*, unless it was
        already due. Missing ones are deactivated (paused, reason "file"), and
        come back as if they joined anew; if more than a third of the active
        file readers would go at once, nothing at all is changed. Status
        unsubscribed, bounced, complained and erased are never lifted, nor is
        a suppressed address made active.
        """

    def add(
        self,
        spec: SubscriberSpec,
        *,
        origin: Origin,
        consent: str,
        reason: str,
        as_of: datetime,
        at: datetime,
    ) -> Subscriber:
        """Take in a new subscriber, who joins at *as_of*.

        ``consent``: how they agreed; kept with the time. ``reason``: why an
        address that must get no mail may get it again; empty: it may not.

        Raises:
            ConflictError: The address is a subscriber's, or must get no mail.
        """

    def rewrite(
        self,
        subscriber_id: int,
        spec: SubscriberSpec,
        *,
        origin: Origin,
        as_of: datetime,
        at: datetime,
    ) -> Subscriber:
        """Give a subscriber the profile, schedule, zone and language of *spec*.

        A changed schedule or zone moves next_slot to the first slot after
        *as_of*, unless it was already due. Nothing changed: nothing happens.

        Raises:
            NotFoundError: There is no such subscriber.
            ConflictError: Their data were erased.
        """

    def events(self, subscriber_id: int) -> tuple[SubscriberEvent, ...]:
        """Return what happened to a subscriber, oldest first."""

    def foresee(
        self, specs: Sequence[SubscriberSpec], *, as_of: datetime, at: datetime
    ) -> Forecast:
        """Return what ``reconcile`` would do; nothing is written."""

    def search(self, text: str, *, limit: int) -> tuple[Subscriber, ...]:
        """Return whom *text* is a part of, any case, by address.

        Of the address, the name, the id of the readers' file, or, from
        ``ID_AT_LEAST`` characters on, the beginning of the public id. Of any
        status but erased. An empty *text*: everybody.
        """

    def get(self, name: str) -> Subscriber:
        """Return the subscriber of that address or public id.

        Raises:
            NotFoundError: There is none.
        """

    def find(self, *, after_id: int = 0, limit: int = 1000) -> tuple[Subscriber, ...]:
        """Return subscribers of any status with id > *after_id*, by id."""

    def due(
        self, as_of: datetime, *, after_id: int = 0, limit: int = 1000
    ) -> tuple[Subscriber, ...]:
        """Return active subscribers with next_slot <= *as_of*, by id."""

    def active(self, *, after_id: int = 0, limit: int = 1000) -> tuple[Subscriber, ...]:
        """Return active subscribers, by id."""

    def next_due(self) -> Subscriber | None:
        """Return the active subscriber with the earliest next_slot."""

    def counts(self) -> Mapping[SubscriberStatus, int]:
        """Return how many subscribers have each status (absent: none)."""

    def set_status(
        self,
        subscriber_id: int,
        status: SubscriberStatus,
        *,
        reason: str,
        origin: Origin,
        as_of: datetime,
        at: datetime,
    ) -> Subscriber:
        """Change the status, record the event, raise the version.

        Unsubscribed, bounced, complained: the address is suppressed as well.
        Active: the suppression is lifted and the subscriber joins anew at
        *as_of*; *origin* is who did it. Erased: all that tells who they are
        is removed, here and from their issues, attempts and events; a profile
        of theirs alone goes too, and open issues fail (suppressed).
        """

    def is_suppressed(self, address: str) -> bool:
        """Tell whether mail to *address* is forbidden."""

    def profile(self, profile_hash: str) -> Profile:
        """Return a profile by its hash.

        Raises:
            NotFoundError: There is none.
        """

    def profiles(self, hashes: Iterable[str]) -> Mapping[str, Profile]:
        """Return profiles by hash, unknown ones left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredChunk:
    """Compiled profiles as they are stored; only who compiles looks into the bytes."""

    id: int
    #: What its readers have in common: they fall due together.
    due_with: str
    #: As read, for the comparison when it is written.
    version: int
    #: Which compiler made it. 0: to be made again.
    compiler: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfilePlace:
    """Where a profile is compiled."""

    chunk_id: int
    #: The chunk's, when this was read.
    version: int
    row: int
    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChunk:
    """A chunk to be written."""

    #: What it replaces. None: nothing, it is new.
    old: StoredChunk | None
    due_with: str
    compiler: int
    data: bytes
    #: By row: the profile's hash, and its limits.
    profiles: Sequence[tuple[str, Limits]]


class Chunks(Protocol):
    """Compiled profiles; what they were compiled from is the truth."""

    def places(self, hashes: Iterable[str]) -> Mapping[str, ProfilePlace]:
        """Return where profiles are compiled; those that are not are left out."""

    def load(self, ids: Iterable[int]) -> Mapping[int, StoredChunk]:
        """Return chunks by id, unknown ones left out."""

    def stale(self, compiler: int) -> Sequence[int]:
        """Return the chunks that another compiler made, or that must be made again."""

    def waiting(self) -> Mapping[str, Sequence[str]]:
        """Return the profiles that are not compiled yet, by what they are due with."""

    def smallest(self, due_with: str) -> tuple[int, int] | None:
        """Return id and rows of the smallest chunk of *due_with*. None: no chunk."""

    def members(self, chunk_id: int) -> tuple[str, ...]:
        """Return the hashes of a chunk's profiles, by row."""

    def write(self, chunk: NewChunk) -> bool:
        """Write a chunk and the places of its profiles; tell whether it took.

        It does not where what it replaces was written by another meanwhile,
        or where one of its profiles is gone, or in another chunk, by now.
        """


# --- the ledger ---------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What one preparation writes of one reader, if it takes."""

    #: As read: ``version`` tells whether an edit came in between.
    subscriber: Subscriber
    #: None: a skip, or a slot left out or served already.
    record: IssueRecord | None
    cursor: int
    #: None: not active.
    next_slot: datetime | None
    skipped: tuple[date, ...]
    left_out: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which of some entries a reader got before."""

    entry_ids: frozenset[int]
    #: Only issues with slot >= this count.
    since: datetime


class Ledger(Protocol):
    """The durable record of every issue's way."""

    def put_edition(self, edition: Edition) -> str:
        """Keep *edition* under the hash of its content; return the hash."""

    def edition(self, edition_hash: str) -> Edition:
        """Return an edition by its hash."""

    def prepare(
        self,
        subscriber: Subscriber,
        *,
        record: IssueRecord | None,
        cursor: int,
        next_slot: datetime | None,
        skipped: Sequence[date],
        left_out: bool,
        at: datetime,
    ) -> bool:
        """Write one preparation in one transaction; tell whether it took.

        The issue (None: a skip, or a slot left out), the cursor, the next
        slot, the skipped days, and version + 1, where the subscriber is still
        active and of ``subscriber.version``; otherwise nothing and False.
        """

    def shown(
        self, subscriber_id: int, entry_ids: Iterable[int], *, since: datetime
    ) -> frozenset[int]:
        """Return which entries were cards in the subscriber's issues.

        Only issues with slot >= *since* count; an id that was joined to
        another since counts for both. Whatever state the issue is in.
        """

    def is_taken(self, subscriber_id: int, slot: datetime) -> bool:
        """Tell whether there is an issue for that subscriber and slot."""

    def prepare_all(self, drafts: Sequence[Draft], *, at: datetime) -> frozenset[int]:
        """Write many preparations in one transaction; return whose took.

        As ``prepare`` for each; one whose slot has an issue already does not
        take. One reader's at most once.
        """

    def shown_to(
        self, questions: Mapping[int, Question]
    ) -> Mapping[int, frozenset[int]]:
        """Answer ``shown`` for many readers, by id; absent: none was."""

    def taken(self, slots: Mapping[int, datetime]) -> frozenset[int]:
        """Return which readers (by id) have an issue for the slot named."""

    def last_slots(self, subscriber_ids: Iterable[int]) -> Mapping[int, datetime]:
        """Answer ``last_slot`` for many readers, by id; absent: no issue."""

    def keys_of(self, subscriber_id: int) -> tuple[str, ...]:
        """Return the keys of a subscriber's issues, oldest slot first."""

    def last_slot(self, subscriber_id: int) -> datetime | None:
        """Return the slot of the subscriber's newest issue."""

    def issues_of(
        self, subscriber_id: int, *, limit: int = 50
    ) -> tuple[LedgerRow, ...]:
        """Return the subscriber's issues, the newest slot first."""

    def lease(
        self, n: int, *, holder: str, now: datetime, until: datetime
    ) -> tuple[LedgerRow, ...]:
        """Take up to *n* issues that are to be delivered now, oldest first.

        Ready ones, retries that are due, and inflight ones whose lease ran
        out; none that another holder has leased. Held by *holder* to *until*.
        """

    def renew(self, *, holder: str, until: datetime) -> None:
        """Keep all that *holder* has leased up to *until*."""

    def give_up(self, *, now: datetime) -> tuple[LedgerRow, ...]:
        """Make unknown what is inflight with a lease that ran out; return it.

        Whoever held it is gone, and nobody can tell whether it was sent.
        """

    def mark_inflight(
        self, keys: Sequence[str], *, holder: str, now: datetime
    ) -> frozenset[str]:
        """Commit that the first byte may follow; return the keys that may go.

        Only where *holder* still has the lease. Where the subscriber is no
        longer active, or the address is suppressed, the issue fails
        (suppressed) in the same commit.
        """

    def record(self, outcomes: Sequence[Outcome], *, holder: str) -> None:
        """Write what became of leased issues, and give their leases back.

        Raises:
            ConflictError: A move that ledger.py does not allow.
        """

    def resolve(self, key: str, *, repeat: bool, at: datetime) -> None:
        """End a person's doubt about an unknown or held issue.

        ``repeat``: it is due again at once. Else it has failed (dropped).

        Raises:
            ConflictError: It is neither unknown nor held.
        """

    def expire(self, *, prepared_before: datetime, now: datetime) -> int:
        """Fail (expired) what is ready or retry and older; return how many."""

    def find(self, key: str) -> LedgerRow:
        """Return the issue of that key, or of that unambiguous beginning.

        Raises:
            NotFoundError: There is none.
            ConflictError: There are several.
        """

    def recent(self, *, limit: int = 50) -> tuple[LedgerRow, ...]:
        """Return the newest issues, newest first."""

    def counts(self) -> Mapping[IssueState, int]:
        """Return how many issues are in each state (absent: none)."""

    def waiting(self, *, limit: int = 50) -> tuple[LedgerRow, ...]:
        """Return issues to be tried again or on their way, oldest first."""

    def troubles(self, *, limit: int = 50) -> tuple[LedgerRow, ...]:
        """Return failed, unknown and held issues, newest first.

        Not those that failed because somebody wanted it: suppressed, dropped.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseInfo:
    """Who holds a lease, and until when."""

    holder: str
    until: datetime


class Leases(Protocol):
    """One process at a time, by a row. Safe from any thread."""

    def acquire(
        self, name: str, *, holder: str, now: datetime, ttl: timedelta
    ) -> LeaseInfo | None:
        """Take or renew the lease; None: it is ours, else who has it."""

    def release(self, name: str, *, holder: str) -> None:
        """Give it back, where it is ours."""


# --- making and sending mail --------------------------------------------------


class Renderer(Protocol):
    """A theme, compiled."""

    @property
    def theme(self) -> str:
        """Return the theme's name."""

    @property
    def theme_hash(self) -> str:
        """Return the hash of all the theme's files."""

    def render(self, issue: Issue) -> Rendered:
        """Return the mail's subject, HTML (under 100 KB) and text.

        Raises:
            RenderError: The theme fails on this issue.
        """


class Verdicts(Protocol):
    """What checking themes came to. Safe from any thread."""

    def find(self, theme_hash: str, *, checker: int) -> ThemeVerdict | None:
        """Return the verdict of that version of the checker; None: there is none."""

    def keep(self, verdict: ThemeVerdict, *, at: datetime) -> None:
        """Remember *verdict*, in place of an earlier one on the same files."""


class Signer(Protocol):
    """Adds a signature."""

    def sign(self, content: bytes) -> bytes:
        """Return *content* (RFC 5322, CRLF) with a signature field before it."""


class Transport(Protocol):
    """Where finished mail goes."""

    @property
    def is_repeatable(self) -> bool:
        """Tell whether handing over a message twice leaves one."""

    def send(self, messages: Sequence[Message]) -> Iterator[Outcome]:
        """Hand over *messages* in order; yield one outcome for each.

        Raises:
            DeliveryError: The destination as a whole cannot take mail; it has
                none of the messages that had no outcome yet.
        """

    def close(self) -> None:
        """Leave cleanly; for an outbox, write its index."""
