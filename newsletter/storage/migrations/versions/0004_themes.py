"""What checking a theme came to, by the hash of its files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; every theme of one's own waits to be checked."""
    op.create_table(
        "theme_verdicts",
        sa.Column("theme_hash", sa.Text(), nullable=False),
        sa.Column("checker", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("theme", sa.Text(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("faults", sa.Text(), nullable=False),
        sa.Column("checked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("theme_hash", "checker", name="pk_theme_verdicts"),
    )
