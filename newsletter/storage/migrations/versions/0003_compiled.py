"""Compiled profiles: chunks of those that fall due together, and who is where."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_FILL = """
INSERT INTO profile_places (profile_hash, due_with)
SELECT profiles.hash, coalesce(had.due_with, '')
FROM profiles LEFT JOIN (
  SELECT profile_hash, min(schedule || ' ' || timezone) AS due_with
  FROM subscribers GROUP BY profile_hash
) AS had ON had.profile_hash = profiles.hash
"""


def upgrade() -> None:
    """Add both tables; every profile waits to be compiled."""
    op.create_table(
        "profile_chunks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        sa.Column("due_with", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("compiler", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_profile_chunks"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_profile_chunks_due_with_rows", "profile_chunks", ["due_with", "rows"]
    )
    op.create_table(
        "profile_places",
        sa.Column("profile_hash", sa.Text(), nullable=False),
        sa.Column("due_with", sa.Text(), nullable=False),
        sa.Column(
            "chunk_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            comment="null: not compiled yet",
        ),
        sa.Column("row", sa.Integer(), comment="null: not compiled yet"),
        sa.Column("limits", sa.Text(), comment="null: not compiled yet; else JSON"),
        sa.ForeignKeyConstraint(
            ["profile_hash"],
            ["profiles.hash"],
            name="fk_profile_places_profile_hash",
        ),
        sa.ForeignKeyConstraint(
            ["chunk_id"], ["profile_chunks.id"], name="fk_profile_places_chunk_id"
        ),
        sa.PrimaryKeyConstraint("profile_hash", name="pk_profile_places"),
    )
    op.create_index(
        "ix_profile_places_chunk_id_row", "profile_places", ["chunk_id", "row"]
    )
    waits = sa.text("chunk_id IS NULL")
    op.create_index(
        "ix_profile_places_waiting",
        "profile_places",
        ["due_with"],
        sqlite_where=waits,
        postgresql_where=waits,
    )
    op.execute(_FILL)
