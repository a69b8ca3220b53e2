"""The first schema: everything that the store has from the first day."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

#: SQLite counts up by itself only on a column that is exactly INTEGER.
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
#: Microseconds since 1970, UTC.
INSTANT = sa.BigInteger()


def upgrade() -> None:
    """Make all tables, and draw the store's epoch."""
    op.create_table(
        "editions",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_editions"),
    )
    op.create_table(
        "entries",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column(
            "joined_to",
            ROW_ID,
            comment="null: it stands for itself; else the older one that it is",
        ),
        sa.ForeignKeyConstraint(
            ["joined_to"], ["entries.id"], name="fk_entries_joined_to"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_entries"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_entries_joined_to", "entries", ["joined_to"])
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
    )
    op.create_table(
        "profiles",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_profiles"),
    )
    op.create_table(
        "sources",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "complete_day", sa.Text(), comment="null: no day was read to its end"
        ),
        sa.Column("first_ok_at", INSTANT, comment="null: no poll has parsed"),
        sa.Column("last_ok_at", INSTANT, comment="null: no poll was answered"),
        sa.Column("next_poll_at", INSTANT, comment="null: at once"),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", INSTANT, comment="null: it does not fail"),
        sa.Column("last_error", sa.Text(), comment="null: the last poll had none"),
        sa.PrimaryKeyConstraint("name", name="pk_sources"),
    )
    op.create_table(
        "suppressions",
        sa.Column("address_hash", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("address_hash", name="pk_suppressions"),
    )
    op.create_table(
        "url_guids",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("guid", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "url", "guid", name="pk_url_guids"),
    )
    op.create_index("ix_url_guids_url", "url_guids", ["url"])
    op.create_table(
        "entry_aliases",
        sa.Column("alias", sa.Text(), nullable=False),
        sa.Column("entry_id", ROW_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entries.id"], name="fk_entry_aliases_entry_id"
        ),
        sa.PrimaryKeyConstraint("alias", name="pk_entry_aliases"),
    )
    op.create_index("ix_entry_aliases_entry_id", "entry_aliases", ["entry_id"])
    op.create_table(
        "entry_versions",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("entry_id", ROW_ID, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), comment="null: the source gives none"),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("authors", sa.Text(), nullable=False),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.Column("links", sa.Text(), nullable=False),
        sa.Column("published_at", INSTANT, comment="null: the source does not say"),
        sa.Column("tldr", sa.Text(), comment="null: the source gives none"),
        sa.Column("thumbnail", sa.Text(), comment="null: the source gives none"),
        sa.Column("language", sa.Text(), comment="null: unknown"),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entries.id"], name="fk_entry_versions_entry_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_entry_versions"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_entry_versions_entry_id_source", "entry_versions", ["entry_id", "source"]
    )
    op.create_table(
        "listings",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("entry_id", ROW_ID, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("guid", sa.Text(), comment="null: the source gives none"),
        sa.Column("listed_at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), comment="null: not released"),
        sa.Column("released_at", INSTANT, comment="null: not released; else the as_of"),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entries.id"], name="fk_listings_entry_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_listings"),
        sa.UniqueConstraint("entry_id", "source", name="uq_listings_entry_id_source"),
        sa.UniqueConstraint("seq", name="uq_listings_seq"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_listings_listed_at", "listings", ["listed_at"])
    op.create_index("ix_listings_released_at", "listings", ["released_at"])
    op.create_index(
        "ix_listings_waiting",
        "listings",
        ["state", "source"],
        sqlite_where=sa.text("state IN ('pending', 'held')"),
        postgresql_where=sa.text("state IN ('pending', 'held')"),
    )
    op.create_table(
        "sightings",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("entry_id", ROW_ID, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("votes", sa.Integer(), comment="null: the source has none"),
        sa.Column(
            "rank", sa.Integer(), comment="null: the source has no order of its own"
        ),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entries.id"], name="fk_sightings_entry_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sightings"),
    )
    op.create_index(
        "ix_sightings_entry_id_source_seen_at",
        "sightings",
        ["entry_id", "source", "seen_at"],
    )
    op.create_table(
        "source_validators",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("etag", sa.LargeBinary(), comment="null: the server gave none"),
        sa.Column(
            "last_modified", sa.LargeBinary(), comment="null: the server gave none"
        ),
        sa.ForeignKeyConstraint(
            ["source"], ["sources.name"], name="fk_source_validators_source"
        ),
        sa.PrimaryKeyConstraint("source", "url", name="pk_source_validators"),
    )
    op.create_table(
        "subscribers",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Text(), comment="null: the file gives no id"),
        sa.Column("address", sa.Text(), comment="null: erased"),
        sa.Column("address_key", sa.Text(), comment="null: erased"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_reason", sa.Text(), comment="null: none was given"),
        sa.Column("status_at", INSTANT, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column(
            "consent_at", INSTANT, comment="null: whoever keeps the file answers"
        ),
        sa.Column(
            "consent_how", sa.Text(), comment="null: whoever keeps the file answers"
        ),
        sa.Column("profile_hash", sa.Text(), nullable=False),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("cursor", sa.BigInteger(), comment="null: nothing was weighed yet"),
        sa.Column("next_slot", INSTANT, comment="null: not active"),
        sa.Column("skipped", sa.Text(), nullable=False),
        sa.Column("left_out", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("joined_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_hash"], ["profiles.hash"], name="fk_subscribers_profile_hash"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_subscribers"),
        sa.UniqueConstraint("address_key", name="uq_subscribers_address_key"),
        sa.UniqueConstraint("file_id", name="uq_subscribers_file_id"),
        sa.UniqueConstraint("public_id", name="uq_subscribers_public_id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_subscribers_due",
        "subscribers",
        ["next_slot"],
        sqlite_where=sa.text("status = 'active'"),
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_table(
        "issues",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("subscriber_id", ROW_ID, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("slot", INSTANT, nullable=False),
        sa.Column("as_of", INSTANT, nullable=False),
        sa.Column("window_after", sa.BigInteger(), nullable=False),
        sa.Column("window_until", sa.BigInteger(), nullable=False),
        sa.Column("window_not_before", INSTANT, comment="null: no limit"),
        sa.Column("prepared_at", INSTANT, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("profile_hash", sa.Text(), nullable=False),
        sa.Column("edition_hash", sa.Text(), nullable=False),
        sa.Column("theme", sa.Text(), nullable=False),
        sa.Column("theme_hash", sa.Text(), nullable=False),
        sa.Column("items", sa.Text(), nullable=False),
        sa.Column("headings", sa.Text(), nullable=False),
        sa.Column("more", sa.Text(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("matched", sa.Integer(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), comment="null: nothing to say of the state"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("retry_at", INSTANT, comment="null: not waiting"),
        sa.Column("lease_holder", sa.Text(), comment="null: nobody works on it"),
        sa.Column("lease_until", INSTANT, comment="null: nobody works on it"),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_hash"], ["editions.hash"], name="fk_issues_edition_hash"
        ),
        sa.ForeignKeyConstraint(
            ["profile_hash"], ["profiles.hash"], name="fk_issues_profile_hash"
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], name="fk_issues_subscriber_id"
        ),
        sa.PrimaryKeyConstraint("key", name="pk_issues"),
        sa.UniqueConstraint(
            "subscriber_id", "slot", name="uq_issues_subscriber_id_slot"
        ),
    )
    op.create_index(
        "ix_issues_open",
        "issues",
        ["prepared_at", "key"],
        sqlite_where=sa.text("state IN ('ready', 'retry', 'inflight')"),
        postgresql_where=sa.text("state IN ('ready', 'retry', 'inflight')"),
    )
    op.create_index("ix_issues_prepared_at", "issues", ["prepared_at"])
    op.create_index(
        "ix_issues_trouble",
        "issues",
        ["updated_at"],
        sqlite_where=sa.text("state IN ('failed', 'unknown', 'held')"),
        postgresql_where=sa.text("state IN ('failed', 'unknown', 'held')"),
    )
    op.create_table(
        "subscriber_events",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("subscriber_id", ROW_ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name="fk_subscriber_events_subscriber_id",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_subscriber_events"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_subscriber_events_subscriber_id", "subscriber_events", ["subscriber_id"]
    )
    op.create_table(
        "attempts",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("issue_key", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Integer(), comment="null: no server answered"),
        sa.Column("reason", sa.Text(), comment="null: nothing to say"),
        sa.ForeignKeyConstraint(
            ["issue_key"], ["issues.key"], name="fk_attempts_issue_key"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_attempts_issue_key", "attempts", ["issue_key"])
    meta = sa.table("meta", sa.column("key", sa.Text()), sa.column("value", sa.Text()))
    op.bulk_insert(
        meta,
        [
            {"key": "epoch", "value": secrets.token_hex(16)},
            {"key": "seq", "value": "0"},
            {"key": "readers", "value": ""},
            {"key": "leases", "value": ""},
        ],
    )
