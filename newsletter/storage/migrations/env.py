"""Alembic runs this: migrate over the connection that migrating.py hands in."""

from __future__ import annotations

from alembic import context

from newsletter.storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata
)
with context.begin_transaction():
    context.run_migrations()
