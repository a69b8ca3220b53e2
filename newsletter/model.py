"""The frozen values that flow through the pipeline, in the order of the stages.

Every instant is an aware :class:`~datetime.datetime` in UTC. Weights are
:class:`~decimal.Decimal`, scores are whole thousandths. Tuples, never lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

# --- queries and profiles -----------------------------------------------------


class Field(StrEnum):
    """Where a term may occur."""

    TITLE = "title"
    SUMMARY = "summary"
    AUTHOR = "author"
    CATEGORY = "category"
    SOURCE = "source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One word or phrase of a query; the leaf of a query tree."""

    #: As written, without field and weight: ``"state space model*"``.
    text: str
    #: Normalised tokens in a row, at least one.
    tokens: tuple[str, ...]
    #: None: title or summary.
    field: Field | None = None
    #: The last token is a prefix.
    prefix: bool = False
    #: 0.01 to 100, two decimals.
    weight: Decimal = Decimal(1)
    #: As written, whatever the profile's stems: ``"models"=``.
    exact: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """True where *operand* is false."""

    operand: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class And:
    """True where all of *operands* (two or more) are."""

    operands: tuple[Query, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Or:
    """True where any of *operands* (two or more) is."""

    operands: tuple[Query, ...]


Query = Term | Not | And | Or


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """One query that a subscriber wants to hear about."""

    #: As the subscriber wrote it.
    query: str
    #: What it parses to.
    tree: Query
    #: Shown as the reason and as a section's heading; empty: the query itself.
    name: str = ""
    #: 0.01 to 100, two decimals.
    weight: Decimal = Decimal(1)

    @property
    def label(self) -> str:
        """What readers see: the name, else the query."""
        return self.name or self.query


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """One query whose matches are left out."""

    query: str
    tree: Query


class Order(StrEnum):
    """How matches are ranked."""

    RELEVANCE = "relevance"
    VOTES = "votes"
    NEWEST = "newest"


class Sections(StrEnum):
    """What cards are grouped by."""

    INTEREST = "interest"
    SOURCE = "source"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a subscriber wants; immutable, named by the hash of its content."""

    #: Empty: everything that no mute or limit leaves out.
    interests: tuple[Interest, ...] = ()
    mutes: tuple[Mute, ...] = ()
    order: Order = Order.RELEVANCE
    sections: Sections = Sections.NONE
    #: 1 to 100.
    max_items: int = 12
    min_votes: int = 0
    #: A language of ``matching.stems``, or "none".
    stem: str = "none"
    #: Where fewer than ``max_items`` match, the closest others follow.
    fill: bool = False
    skip_empty: bool = True


# --- configuration that use cases need ---------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Newsletter:
    """The ``[newsletter]`` table: who sends, and what every mail says of it."""

    title: str
    #: Display name of From; may be empty.
    from_name: str
    from_address: str
    list_id: str
    #: Without a trailing slash. None: no links of our own.
    base_url: str | None = None
    unsubscribe_mailto: str | None = None
    reply_to: str | None = None
    bounce_address: str = ""
    contact: str | None = None
    postal_address: str | None = None
    language: str = "en"
    #: An IANA name.
    timezone: str = "UTC"
    theme: str = "default"

    @property
    def has_way_to_leave(self) -> bool:
        """Tell whether a mail says how to get no more of them (RFC 2369)."""
        return bool(self.base_url or self.unsubscribe_mailto)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acronym:
    """A short form and the words that it stands for; each finds the other."""

    #: LLM
    short: str
    #: large language model
    long: str


@dataclass(frozen=True, slots=True)
class Acronyms:
    """All acronyms that are known; there may be thousands, so it is hashed once."""

    pairs: tuple[Acronym, ...] = ()
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Remember the hash: each look-up of a term asks for it."""
        object.__setattr__(self, "_hash", hash(self.pairs))

    def __hash__(self) -> int:
        """Return what was remembered."""
        return self._hash


#: Every short form is a word of its own.
NO_ACRONYMS = Acronyms()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The ``[ranking]`` table: what a place is worth in the score."""

    title: Decimal = Decimal(2)
    summary: Decimal = Decimal(1)
    author: Decimal = Decimal(1)
    category: Decimal = Decimal(1)
    source: Decimal = Decimal(1)
    votes: Decimal = Decimal(0)
    freshness: Decimal = Decimal("0.5")
    half_life: timedelta = timedelta(days=3)
    #: How much it counts how often a term stands in title and summary, for
    #: their length: 0 not at all, 1 as in BM25.
    frequency: Decimal = Decimal(0)


class CatchUpPolicy(StrEnum):
    """What becomes of slots that no run served in time."""

    LATE = "late"
    MERGE = "merge"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUp:
    """The ``[catch_up]`` table."""

    policy: CatchUpPolicy = CatchUpPolicy.LATE
    at_most: timedelta = timedelta(hours=6)
    max_lookback: timedelta = timedelta(days=14)
    repeat_days: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSettings:
    """The ``[fetch]`` table, and who we say we are."""

    #: ``host:port`` (or a bare host for any port) that may be private.
    allow_private: tuple[str, ...] = ()
    max_bytes: int = 10_000_000
    timeout_s: float = 30.0
    #: Requests at once.
    per_host: int = 2
    #: Between the beginnings of two requests to one host.
    spacing_s: float = 0.1
    #: What all is asked through, ``http://host:port``. None: nothing is between.
    proxy: str | None = None
    user_agent: str = "newsletter"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """One ``[[sources]]`` table. Its place in the configuration is its rank."""

    name: str
    kind: str
    #: Exactly one of url and path is set.
    url: str | None = None
    #: Absolute.
    path: str | None = None
    settle: timedelta = timedelta(0)
    first_days: float = 3.0
    max_new: int = 2000
    tags: tuple[str, ...] = ()
    required: bool = False
    #: Zero: asked at every run.
    interval: timedelta = timedelta(hours=1)
    #: Keys that only its kind has, as TOML gives them.
    options: Mapping[str, object] = field(default_factory=dict)


# --- sources ------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Validator:
    """What a server gave us to ask "has this changed?" with (RFC 9110, 8.8)."""

    #: Opaque bytes as received. None: not given.
    etag: bytes | None = None
    last_modified: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A permanent redirect (RFC 9110, 15.4.2 and 15.4.9), and how often it held."""

    target: str
    #: Polls in a row that were sent there.
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often a document itself wants to be asked for (RSS 2.0, syndication)."""

    #: Between two requests: RSS ``ttl``, ``sy:updatePeriod``. None: not said.
    at_least: timedelta | None = None
    #: Hours of the day (UTC, 0 to 23) in which it does not change.
    skip_hours: frozenset[int] = frozenset()
    #: Days of the week (UTC, Monday is 0) on which it does not change.
    skip_days: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """What is remembered of a source between polls."""

    name: str
    #: Per requested URL.
    validators: Mapping[str, Validator] = field(default_factory=dict)
    #: Per requested URL: where it has moved for good.
    moves: Mapping[str, Move] = field(default_factory=dict)
    #: Days up to this one (UTC) have been read to their end. None: never.
    complete_day: date | None = None
    #: The first poll that parsed. None: there was none yet.
    first_ok_at: datetime | None = None
    last_ok_at: datetime | None = None
    #: By the clock. None: at once.
    next_poll_at: datetime | None = None
    #: Polls that failed in a row.
    failures: int = 0
    failing_since: datetime | None = None
    last_error: str | None = None
    #: When it last showed anything new or changed. None: never.
    last_change_at: datetime | None = None
    #: What is odd about the last poll, though it did not fail. None: nothing.
    note: str | None = None
    #: The address that answered 410: it is not asked any more.
    gone_url: str | None = None
    #: What its document said last of how often it wants to be asked.
    rhythm: Rhythm = Rhythm()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One thing to ask a source for: a URL or a file."""

    source: str
    #: Exactly one of url and path is set.
    url: str | None = None
    path: str | None = None
    #: Where it is asked in place of url, to which it has moved for good.
    target: str | None = None
    validator: Validator = Validator()
    #: The listing day (UTC) that it asks for; of a week or month, the last one.
    #: None: whatever is current.
    day: date | None = None
    #: 0-based page of that day.
    page: int = 0
    #: What is older than this is not wanted, nor any page behind it. None: all is.
    since: datetime | None = None
    #: Counts up from 1 while the answers say nothing where something should be.
    attempt: int = 1
    #: Seconds that must lie between two requests to its host, over all
    #: processes of this database. 0: as [fetch] says.
    spacing_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What came back: 200 with a body (decompressed), or 304 without."""

    request: Request
    #: 200 for a file.
    status: int
    #: Names in lower case.
    headers: Mapping[str, str]
    body: bytes
    #: First sighting: the earlier of the clock and the run's ``as_of``.
    seen_at: datetime
    #: After redirects; base of relative links. None: a file.
    final_url: str | None = None
    #: Where permanent redirects alone led, one after the other from the
    #: request's address. None: the first answer was no such redirect.
    moved_to: str | None = None

    @property
    def unchanged(self) -> bool:
        """The server said 304: what we have still holds."""
        return self.status == 304  # noqa: PLR2004 - RFC 9110, 15.4.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A labelled link of an entry: paper, pdf, code, discussion, page."""

    label: str
    #: http or https.
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One entry as one source shows it; every text is clean plain Unicode."""

    source: str
    #: The source's own name for it; None: it gives none.
    guid: str | None
    title: str
    #: Where it is read. None: the source gives none.
    url: str | None
    listed_at: datetime
    summary: str = ""
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    #: Raw names that identity.py understands: arXiv ids, DOIs, URLs.
    identifiers: tuple[str, ...] = ()
    published_at: datetime | None = None
    #: None: the source has no votes.
    votes: int | None = None
    #: One sentence, where the source gives one.
    tldr: str | None = None
    thumbnail: str | None = None
    #: BCP 47; None: unknown.
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row of a document that could not be used."""

    #: Where: "item 12", a guid, a title.
    place: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one response says."""

    listings: tuple[Listing, ...] = ()
    #: Further requests: the next page.
    further: tuple[Request, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    rhythm: Rhythm = Rhythm()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One answered request of a poll. ``page`` is None where it was unchanged."""

    response: Response
    page: Page | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One request of a poll that brought nothing."""

    request: Request
    reason: str
    status: int | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """All that one round of asking one source brought."""

    source: str
    readings: tuple[Reading, ...]
    failures: tuple[Failure, ...]


# --- identity and release -----------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryVersion:
    """What one source said of one entry from some moment on; immutable."""

    #: Storage's id. 0: not stored yet.
    id: int
    entry_id: int
    source: str
    title: str
    url: str | None
    summary: str = ""
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    published_at: datetime | None = None
    tldr: str | None = None
    thumbnail: str | None = None
    language: str | None = None


class ListingState(StrEnum):
    """Where a listing stands on its way to readers."""

    #: Waits for its time (listed_at + settle).
    PENDING = "pending"
    #: Has a seq.
    RELEASED = "released"
    #: Too old at the source's first fetch; never released.
    PASSED_OVER = "passed_over"
    #: The flood guard held it; a person releases or drops it.
    HELD = "held"
    #: A person dropped it; never released.
    DROPPED = "dropped"


class HeldFor(StrEnum):
    """Why the flood guard holds a listing."""

    #: More than max_new came at once.
    FLOOD = "flood"
    #: Its source showed its title or link before, as another, and so of many.
    RERUN = "rerun"
    #: It is older than what its source had long shown, and so are many.
    OLD = "old"


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingListing:
    """A stored listing that has no place in the order yet."""

    id: int
    source: str
    listed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PutReport:
    """What storing one source's listings changed."""

    source: str
    #: Listings that this source showed for the first time, whatever their state.
    new: int = 0
    #: Of these, by what admission said.
    passed_over: int = 0
    held: int = 0
    #: Of those held, the ones that are no more than max_new.
    held_reruns: int = 0
    held_old: int = 0
    #: Texts that changed.
    changed: int = 0
    #: Shown before, nothing but perhaps votes changed.
    known: int = 0
    #: Of those known and changed, the ones that had another guid before.
    renamed: int = 0
    #: Pairs of entries found to be one.
    joined: int = 0


# --- the window, matching, composing -----------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceListing:
    """That a source showed an entry, and when."""

    source: str
    listed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One distinct entry of a window, with all that is known up to its end."""

    entry_id: int
    #: Of the source that stands first in the configuration, the newest.
    version: EntryVersion
    #: Every source that listed it up to the window's end, in configuration order.
    sources: tuple[SourceListing, ...]
    #: The newest ``listed_at`` within the window.
    listed_at: datetime
    #: The greatest of the sources' votes. None: unknown.
    votes: int | None = None
    #: Some listing of it was released before the window.
    seen_before: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorePart:
    """One term's share in a score, in one field."""

    field: Field
    #: The term as written.
    term: str
    millis: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """Why an entry is in an issue, with the places for the highlights."""

    #: Labels of the interests that match, in profile order.
    interests: tuple[str, ...] = ()
    parts: tuple[ScorePart, ...] = ()
    votes_millis: int = 0
    freshness_millis: int = 0
    #: (start, end) offsets into title and summary; sorted, disjoint.
    title_places: tuple[tuple[int, int], ...] = ()
    summary_places: tuple[tuple[int, int], ...] = ()
    #: It does not match and only comes close: ``interests`` are those that it is
    #: close to, and ``parts`` the words that it shares with them.
    is_close: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A candidate that concerns a profile, or comes close to it."""

    candidate: Candidate
    #: Whole thousandths.
    score: int
    reasons: Reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What an issue's window held, and what became of it."""

    new: int
    matched: int
    #: Of those that matched.
    shown: int
    #: Cards of what did not match and comes close.
    close: int = 0

    @property
    def more(self) -> int:
        """How many matched and are not shown."""
        return self.matched - self.shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Cards under one heading; an empty heading is none."""

    heading: str
    matches: tuple[Match, ...]
    #: It holds what does not match and only comes close.
    is_close: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What an issue holds: composing's whole decision."""

    sections: tuple[Section, ...]
    #: The best of what matched and is not shown, at most 20.
    more: tuple[Match, ...]
    receipt: Receipt

    @property
    def matches(self) -> tuple[Match, ...]:
        """The cards, in the order in which they are read."""
        return tuple(match for section in self.sections for match in section.matches)


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Nothing to show for that slot; the receipt says of how much."""

    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The listings that an issue weighs: after *after*, up to *until*."""

    #: Release numbers (seq).
    after: int
    until: int
    #: Nothing released before. None: no limit (a fresh installation's first).
    not_before: datetime | None = None


# --- subscribers --------------------------------------------------------------


class SubscriberStatus(StrEnum):
    """Whether a subscriber gets mail."""

    #: Asked to join, has not confirmed.
    PENDING = "pending"
    ACTIVE = "active"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    #: Personal data removed; the row keeps the numbers true.
    ERASED = "erased"


class Origin(StrEnum):
    """Where a subscriber came from; the file governs only its own."""

    FILE = "file"
    COMMAND = "command"
    IMPORT = "import"
    WEB = "web"
    #: Of a change alone: a server said that there is no such mailbox.
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberSpec:
    """A subscriber as a person wrote it down."""

    address: str
    #: Of the writer's choosing; keeps the reader when the address changes.
    id: str | None = None
    name: str = ""
    timezone: str
    language: str
    #: As written, one or more rules: ("weekdays 07:30",).
    schedule: tuple[str, ...]
    profile: Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A subscriber as stored."""

    id: int
    #: 128 random bits in hex: the only name in links, files, Message-IDs.
    public_id: str
    address: str
    name: str
    timezone: str
    language: str
    schedule: tuple[str, ...]
    status: SubscriberStatus
    status_reason: str | None
    origin: Origin
    profile_hash: str
    #: The ``as_of`` that first saw them.
    joined_at: datetime
    #: Weighed up to this seq. None: nothing yet.
    cursor: int | None
    #: None: not active.
    next_slot: datetime | None
    #: Local days of slots that had nothing, since the last issue.
    skipped: tuple[date, ...]
    #: A slot was left out as too late, and none was served since.
    left_out: bool
    #: Raised by every preparation and every change.
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberEvent:
    """Something that happened to a subscriber; kept for good."""

    at: datetime
    #: joined, changed, or a status.
    kind: str
    origin: Origin
    #: Names of changed fields or a reason, never an address.
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileReport:
    """What subscribers.toml changed."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    #: Taken out of the file: deactivated.
    deactivated: tuple[str, ...] = ()
    #: Put back into the file.
    returned: tuple[str, ...] = ()
    #: (address, why): kept out by their own wish, a bounce, another origin.
    kept: tuple[tuple[str, str], ...] = ()
    #: Nothing was changed: these would have gone, more than a third at once.
    refused: tuple[str, ...] = ()
    unchanged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """A reader as subscribers.toml will have them after the next run."""

    subscriber: Subscriber
    profile: Profile
    #: They are no reader yet; what is random at joining is a stand-in.
    joins: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What reconciling would do, without having done it."""

    #: Whom it would add or change, deactivated ones too; the rest stay as stored.
    readers: tuple[Foreseen, ...]
    report: ReconcileReport


# --- issues and the ledger ----------------------------------------------------


class IssueState(StrEnum):
    """Where an issue stands. Moves: see ledger.py."""

    READY = "ready"
    #: Failed for now; due again at ``retry_at``.
    RETRY = "retry"
    #: Committed before the first byte.
    INFLIGHT = "inflight"
    SENT = "sent"
    #: In the outbox.
    WRITTEN = "written"
    FAILED = "failed"
    #: Perhaps sent, perhaps not: nobody can know.
    UNKNOWN = "unknown"
    #: A person decides.
    HELD = "held"


class FailReason(StrEnum):
    """Why an issue failed."""

    REFUSED = "refused"
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"
    #: It could not be rendered.
    BROKEN = "broken"
    #: A person decided not to send it.
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueItem:
    """A reference to what one card, or one line of the list, was made from."""

    entry_id: int
    version_id: int
    #: Candidate.listed_at.
    listed_at: datetime
    #: As of ``prepared_at``.
    votes: int | None
    #: (source, listed_at) as known at ``until``, in configuration order.
    sources: tuple[SourceListing, ...]
    #: What of it came close, as weighed within its window. Empty: it matched.
    close: tuple[ScorePart, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueRecord:
    """The durable row of one issue: references and figures, no HTML."""

    #: 32 hex digits; see ledger.public_key.
    key: str
    subscriber_id: int
    public_id: str
    slot: datetime
    as_of: datetime
    window: Window
    #: The Date header; by the clock.
    prepared_at: datetime
    address: str
    name: str
    timezone: str
    language: str
    profile_hash: str
    #: Names the Newsletter, Ranking and acronyms that it was made with.
    edition_hash: str
    theme: str
    theme_hash: str
    #: Cards in reading order, with the heading of each one's section.
    items: tuple[IssueItem, ...]
    headings: tuple[str, ...]
    more: tuple[IssueItem, ...]
    receipt: Receipt
    skipped: tuple[date, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """An issue and where it stands."""

    record: IssueRecord
    state: IssueState
    #: FailReason's value, or why it is held.
    reason: str | None
    attempts: int
    #: None: not waiting.
    retry_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """What every mail of one time has in common; immutable, named by its hash."""

    newsletter: Newsletter
    ranking: Ranking
    acronyms: Acronyms = NO_ACRONYMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One subscriber's personalised email for one slot, ready to render."""

    key: str
    newsletter: Newsletter
    public_id: str
    address: str
    name: str
    timezone: str
    language: str
    slot: datetime
    as_of: datetime
    prepared_at: datetime
    selection: Selection
    #: Local days whose slots had nothing.
    skipped: tuple[date, ...]
    theme: str
    #: Links of our own; None without base_url.
    unsubscribe_url: str | None
    preferences_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What the theme made of an issue, each body in parts that mails may share."""

    subject: str
    #: Joined they are under 100 KB in UTF-8, always.
    html_parts: tuple[str, ...]
    text_parts: tuple[str, ...]

    @property
    def html(self) -> str:
        """Return the HTML body."""
        return "".join(self.html_parts)

    @property
    def text(self) -> str:
        """Return the text body."""
        return "".join(self.text_parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A finished mail and its envelope."""

    key: str
    envelope_from: str
    envelope_to: str
    #: RFC 5322, CRLF.
    content: bytes
    #: The slot's date in the newsletter's zone: the outbox's folder.
    day: date
    #: Entries in it. None: not known.
    shown: int | None = None


class AfterCrash(StrEnum):
    """What becomes of mail that was on its way when a process ended."""

    #: None is repeated; a person decides.
    ASK = "ask"
    #: None is lost; one may come twice, with the same Message-ID.
    REPEAT = "repeat"


class Security(StrEnum):
    """How the way to an SMTP server is kept from other eyes."""

    #: In clear up to STARTTLS (RFC 3207), which must succeed.
    STARTTLS = "starttls"
    #: TLS from the first byte (RFC 8314).
    TLS = "tls"
    #: In clear: for a relay on this machine.
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """The server that takes the mail."""

    host: str
    port: int
    security: Security
    #: None: it wants no name.
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    #: What we call ourselves. None: this machine's name.
    helo: str | None = None
    #: Certificates to trust, PEM. None: those that this machine trusts.
    ca_file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """What an SMTP server says to who only says hello."""

    #: What it calls itself.
    name: str
    #: The version, such as TLSv1.3. None: in clear.
    tls: str | None
    #: When its certificate ends. None: in clear.
    expires_at: datetime | None
    logged_in: bool
    #: The largest mail that it takes (RFC 1870). None: it does not say.
    max_bytes: int | None
    #: Why it takes no mail from our envelope sender. None: it does.
    refusal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one attempt."""

    key: str
    state: IssueState
    at: datetime
    #: The server's reply code (RFC 5321). None: no server said anything.
    code: int | None = None
    reason: str | None = None
    #: Of a retry. None: by the plan for repeated attempts, see ledger.py.
    retry_at: datetime | None = None
    #: The server wants to see us again before it takes mail for this reader.
    greylisted: bool = False
    #: There is no such mailbox: nothing more is sent there.
    bounced: bool = False
    #: False: the destination failed as a whole, so the attempt does not count.
    charged: bool = True
