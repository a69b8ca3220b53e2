"""``newsletter db``: the store itself."""

from __future__ import annotations

import os
from pathlib import Path

import click

from newsletter import storage
from newsletter.app import read_settings
from newsletter.config import Settings


@click.group("db")
def database() -> None:
    """Upgrade or back up the database."""


def _settings(ctx: click.Context) -> Settings:
    return read_settings(ctx.find_root().obj["folder"], os.environ)


@database.command()
@click.pass_context
def upgrade(ctx: click.Context) -> None:
    """Create the database, or bring its schema up to this version."""
    done = storage.migrate(_settings(ctx).database_url)
    if done.copy:
        click.echo(f"the database as it was before is at {done.copy}")
    word = "now" if done.is_change else "already"
    click.echo(f"the database is {word} at schema {done.after}")


@database.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_context
def backup(ctx: click.Context, file: Path) -> None:
    """Write a consistent copy of the database to FILE, which must not exist."""
    storage.backup(_settings(ctx).database_url, file)
    click.echo(f"backed up to {file}")
