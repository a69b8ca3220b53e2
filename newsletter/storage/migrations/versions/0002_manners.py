"""What a polite fetcher remembers: moves, ends, rhythms, and when hosts are free."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

#: Microseconds since 1970, UTC.
INSTANT = sa.BigInteger()

_COLUMNS = (
    ("last_change_at", INSTANT, "null: it never showed anything"),
    ("note", sa.Text(), "null: nothing is odd"),
    ("gone_url", sa.Text(), "null: no address of it answered 410"),
    ("rhythm", sa.Text(), "null: its document says nothing of it; else JSON"),
)


def upgrade() -> None:
    """Add the columns and tables; nothing that is there changes."""
    for name, kind, comment in _COLUMNS:
        op.add_column("sources", sa.Column(name, kind, comment=comment))
    op.create_table(
        "source_moves",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source"], ["sources.name"], name="fk_source_moves_source"
        ),
        sa.PrimaryKeyConstraint("source", "url", name="pk_source_moves"),
    )
    op.create_table(
        "hosts",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("free_at", INSTANT, nullable=False),
        sa.Column("paused_until", INSTANT, comment="null: it did not ask us to wait"),
        sa.PrimaryKeyConstraint("host", name="pk_hosts"),
    )
