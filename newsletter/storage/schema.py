"""The tables, as the newest migration leaves them.

Every instant is a whole number of microseconds since 1970, UTC. A comment on
a column says what null means; a column without one is never null, unless it
is a key of its own.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
    select,
)

from newsletter.model import IssueState, ListingState, Origin, SubscriberStatus
from newsletter.storage.columns import Day, Days, Instant, Named, RowId, Strings

#: The newest migration; a test holds it against the files.
HEAD = "0004"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# --- the store itself ---------------------------------------------------------

#: ``epoch``: random at creation. ``seq``: the last release number, and the
#: lock of whoever writes entries or their order. ``readers``: the lock of
#: whoever reconciles or adds a profile or an edition. ``leases``: of leases.
meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)


def lock(connection: Connection, key: str) -> str:
    """Keep others who lock *key* out until the commit; return its value.

    PostgreSQL holds the row. SQLite, where this is a plain look, has a single
    writer anyway.
    """
    query = select(meta.c.value).where(meta.c.key == key).with_for_update()
    value: str = connection.execute(query).scalar_one()
    return value


leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", Instant, nullable=False),
)

# --- sources ------------------------------------------------------------------

sources = Table(
    "sources",
    metadata,
    Column("name", Text, primary_key=True),
    Column("complete_day", Day, comment="null: no day was read to its end"),
    Column("first_ok_at", Instant, comment="null: no poll has parsed"),
    Column("last_ok_at", Instant, comment="null: no poll was answered"),
    Column("next_poll_at", Instant, comment="null: at once"),
    Column("failures", Integer, nullable=False),
    Column("failing_since", Instant, comment="null: it does not fail"),
    Column("last_error", Text, comment="null: the last poll had none"),
    Column("last_change_at", Instant, comment="null: it never showed anything"),
    Column("note", Text, comment="null: nothing is odd"),
    Column("gone_url", Text, comment="null: no address of it answered 410"),
    Column("rhythm", Text, comment="null: its document says nothing of it; else JSON"),
)

source_validators = Table(
    "source_validators",
    metadata,
    Column("source", ForeignKey("sources.name"), primary_key=True),
    Column("url", Text, primary_key=True),
    Column("etag", LargeBinary, comment="null: the server gave none"),
    Column("last_modified", LargeBinary, comment="null: the server gave none"),
)

source_moves = Table(
    "source_moves",
    metadata,
    Column("source", ForeignKey("sources.name"), primary_key=True),
    Column("url", Text, primary_key=True),
    Column("target", Text, nullable=False),
    Column("times", Integer, nullable=False),
)

hosts = Table(
    "hosts",
    metadata,
    Column("host", Text, primary_key=True),
    Column("free_at", Instant, nullable=False),
    Column("paused_until", Instant, comment="null: it did not ask us to wait"),
)

# --- entries ------------------------------------------------------------------

entries = Table(
    "entries",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("created_at", Instant, nullable=False),
    Column(
        "joined_to",
        ForeignKey("entries.id"),
        comment="null: it stands for itself; else the older one that it is",
    ),
    # An id that was given once is never given again.
    sqlite_autoincrement=True,
)
Index(None, entries.c.joined_to)

entry_aliases = Table(
    "entry_aliases",
    metadata,
    Column("alias", Text, primary_key=True),
    Column("entry_id", ForeignKey("entries.id"), nullable=False),
)
Index(None, entry_aliases.c.entry_id)

#: Which guids a source gave a URL to: with two, the URL names no entry.
url_guids = Table(
    "url_guids",
    metadata,
    Column("source", Text, primary_key=True),
    Column("url", Text, primary_key=True),
    Column("guid", Text, primary_key=True),
)
Index(None, url_guids.c.url)

entry_versions = Table(
    "entry_versions",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("entry_id", ForeignKey("entries.id"), nullable=False),
    Column("source", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("url", Text, comment="null: the source gives none"),
    Column("summary", Text, nullable=False),
    Column("authors", Strings, nullable=False),
    Column("categories", Strings, nullable=False),
    # Pairs of label and URL in a JSON list.
    Column("links", Text, nullable=False),
    Column("published_at", Instant, comment="null: the source does not say"),
    Column("tldr", Text, comment="null: the source gives none"),
    Column("thumbnail", Text, comment="null: the source gives none"),
    Column("language", Text, comment="null: unknown"),
    Column("seen_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)
Index(None, entry_versions.c.entry_id, entry_versions.c.source)

listings = Table(
    "listings",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("entry_id", ForeignKey("entries.id"), nullable=False),
    Column("source", Text, nullable=False),
    Column("guid", Text, comment="null: the source gives none"),
    Column("listed_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("state", Named(ListingState), nullable=False),
    Column("seq", BigInteger, unique=True, comment="null: not released"),
    Column("released_at", Instant, comment="null: not released; else the as_of"),
    UniqueConstraint("entry_id", "source"),
    sqlite_autoincrement=True,
)
#: Literals: SQLite uses a partial index only where it reads the same words.
IS_WAITING = listings.c.state.in_(
    [literal_column("'pending'"), literal_column("'held'")]
)
Index(
    "ix_listings_waiting",
    listings.c.state,
    listings.c.source,
    sqlite_where=IS_WAITING,
    postgresql_where=IS_WAITING,
)
Index(None, listings.c.released_at)
Index(None, listings.c.listed_at)

sightings = Table(
    "sightings",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("entry_id", ForeignKey("entries.id"), nullable=False),
    Column("source", Text, nullable=False),
    Column("votes", Integer, comment="null: the source has none"),
    Column("rank", Integer, comment="null: the source has no order of its own"),
    Column("seen_at", Instant, nullable=False),
)
Index(None, sightings.c.entry_id, sightings.c.source, sightings.c.seen_at)

# --- subscribers --------------------------------------------------------------

#: Immutable; named by the hash of their content.
profiles = Table(
    "profiles",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

#: Compiled profiles of readers who fall due together. What they say is in
#: ``profiles``; a chunk can always be made again.
profile_chunks = Table(
    "profile_chunks",
    metadata,
    Column("id", RowId, primary_key=True),
    # A schedule and a zone; see members.due_with.
    Column("due_with", Text, nullable=False),
    # Raised by every write, which compares it first.
    Column("version", BigInteger, nullable=False),
    # 0: to be made again.
    Column("compiler", BigInteger, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
Index(None, profile_chunks.c.due_with, profile_chunks.c.rows)

#: Where each profile is compiled, once.
profile_places = Table(
    "profile_places",
    metadata,
    Column("profile_hash", ForeignKey("profiles.hash"), primary_key=True),
    Column("due_with", Text, nullable=False),
    Column(
        "chunk_id", ForeignKey("profile_chunks.id"), comment="null: not compiled yet"
    ),
    Column("row", Integer, comment="null: not compiled yet"),
    Column("limits", Text, comment="null: not compiled yet; else JSON"),
)
IS_UNCOMPILED = profile_places.c.chunk_id.is_(None)
Index(None, profile_places.c.chunk_id, profile_places.c.row)
Index(
    "ix_profile_places_waiting",
    profile_places.c.due_with,
    sqlite_where=IS_UNCOMPILED,
    postgresql_where=IS_UNCOMPILED,
)

subscribers = Table(
    "subscribers",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("public_id", Text, nullable=False, unique=True),
    Column("file_id", Text, unique=True, comment="null: the file gives no id"),
    Column("address", Text, comment="null: erased"),
    Column("address_key", Text, unique=True, comment="null: erased"),
    Column("name", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("status", Named(SubscriberStatus), nullable=False),
    Column("status_reason", Text, comment="null: none was given"),
    Column("status_at", Instant, nullable=False),
    Column("origin", Named(Origin), nullable=False),
    Column("consent_at", Instant, comment="null: whoever keeps the file answers"),
    Column("consent_how", Text, comment="null: whoever keeps the file answers"),
    Column("profile_hash", ForeignKey("profiles.hash"), nullable=False),
    Column("schedule", Strings, nullable=False),
    Column("cursor", BigInteger, comment="null: nothing was weighed yet"),
    Column("next_slot", Instant, comment="null: not active"),
    Column("skipped", Days, nullable=False),
    Column("left_out", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("joined_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)
IS_ACTIVE = subscribers.c.status == literal_column("'active'")
Index(
    "ix_subscribers_due",
    subscribers.c.next_slot,
    sqlite_where=IS_ACTIVE,
    postgresql_where=IS_ACTIVE,
)

#: Addresses that must get no mail, by keyed hash; they outlive the reader.
suppressions = Table(
    "suppressions",
    metadata,
    Column("address_hash", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

#: Append only. ``detail``: names of changed fields or a reason, never an address.
subscriber_events = Table(
    "subscriber_events",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("origin", Named(Origin), nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index(None, subscriber_events.c.subscriber_id)

# --- issues and the ledger ----------------------------------------------------

#: Immutable; named by the hash of their content.
editions = Table(
    "editions",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("content", Text, nullable=False),
)

issues = Table(
    "issues",
    metadata,
    Column("key", Text, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id"), nullable=False),
    Column("public_id", Text, nullable=False),
    Column("slot", Instant, nullable=False),
    Column("as_of", Instant, nullable=False),
    Column("window_after", BigInteger, nullable=False),
    Column("window_until", BigInteger, nullable=False),
    Column("window_not_before", Instant, comment="null: no limit"),
    Column("prepared_at", Instant, nullable=False),
    # Empty once the reader is erased.
    Column("address", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("profile_hash", ForeignKey("profiles.hash"), nullable=False),
    Column("edition_hash", ForeignKey("editions.hash"), nullable=False),
    Column("theme", Text, nullable=False),
    Column("theme_hash", Text, nullable=False),
    # JSON lists of rows; codec.py tells their shape.
    Column("items", Text, nullable=False),
    Column("headings", Strings, nullable=False),
    Column("more", Text, nullable=False),
    Column("new", Integer, nullable=False),
    Column("matched", Integer, nullable=False),
    Column("shown", Integer, nullable=False),
    Column("skipped", Days, nullable=False),
    Column("state", Named(IssueState), nullable=False),
    Column("reason", Text, comment="null: nothing to say of the state"),
    Column("attempts", Integer, nullable=False),
    Column("retry_at", Instant, comment="null: not waiting"),
    Column("lease_holder", Text, comment="null: nobody works on it"),
    Column("lease_until", Instant, comment="null: nobody works on it"),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("subscriber_id", "slot"),
)
IS_OPEN = issues.c.state.in_(
    [
        literal_column("'ready'"),
        literal_column("'retry'"),
        literal_column("'inflight'"),
    ]
)
#: The line that issues wait in. In the order in which they are leased: an
#: index on state and time would have every lease sort the whole line.
Index(
    "ix_issues_open",
    issues.c.prepared_at,
    issues.c.key,
    sqlite_where=IS_OPEN,
    postgresql_where=IS_OPEN,
)
IS_TROUBLE = issues.c.state.in_(
    [
        literal_column("'failed'"),
        literal_column("'unknown'"),
        literal_column("'held'"),
    ]
)
Index(
    "ix_issues_trouble",
    issues.c.updated_at,
    sqlite_where=IS_TROUBLE,
    postgresql_where=IS_TROUBLE,
)
Index(None, issues.c.prepared_at)

#: Append only: what each try came to.
attempts = Table(
    "attempts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("issue_key", ForeignKey("issues.key"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("state", Named(IssueState), nullable=False),
    Column("code", Integer, comment="null: no server answered"),
    Column("reason", Text, comment="null: nothing to say"),
    sqlite_autoincrement=True,
)
Index(None, attempts.c.issue_key)

# --- themes -------------------------------------------------------------------

theme_verdicts = Table(
    "theme_verdicts",
    metadata,
    Column("theme_hash", Text, primary_key=True),
    # Verdicts of another version of the checker are not asked for any more.
    Column("checker", Integer, primary_key=True, autoincrement=False),
    Column("theme", Text, nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("faults", Text, nullable=False),
    Column("checked_at", Instant, nullable=False),
)
