"""``newsletter sources``: where entries come from, and what the guard held."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from newsletter.cli.context import open_app
from newsletter.cli.output import counted, instant, json_option, print_json, print_table
from newsletter.errors import NotFoundError
from newsletter.usecases import look

if TYPE_CHECKING:
    from newsletter.app import App


@click.group()
def sources() -> None:
    """List sources; release or drop what the flood guard holds."""


@sources.command("list")
@json_option
@click.pass_context
def list_(ctx: click.Context, *, as_json: bool) -> None:
    """List the configured sources and how they are."""
    with open_app(ctx) as app:
        found = look.sources_status(
            app.settings.sources, states=app.store.sources, entries=app.store.entries
        )
    if as_json:
        print_json(found)
        return
    print_table(
        ("source", "kind", "last read", "failed", "held", "where"),
        [
            (
                s.settings.name,
                s.settings.kind,
                instant(s.state.last_ok_at),
                s.state.failures,
                s.held,
                s.settings.url or s.settings.path,
            )
            for s in found
        ],
    )


@sources.command()
@click.argument("name")
@click.pass_context
def release(ctx: click.Context, name: str) -> None:
    """Let through what the flood guard held of source NAME."""
    with open_app(ctx) as app:
        _known(app, name)
        number = app.store.entries.release_held(name)
    click.echo(
        f"{counted(number, 'listing')} of {name} will be released by the next run"
    )


@sources.command()
@click.argument("name")
@click.pass_context
def drop(ctx: click.Context, name: str) -> None:
    """Drop for good what the flood guard held of source NAME."""
    with open_app(ctx) as app:
        _known(app, name)
        number = app.store.entries.drop_held(name)
    click.echo(f"{counted(number, 'listing')} of {name} dropped")


def _known(app: App, name: str) -> None:
    names = {*app.source_order, *app.store.entries.held()}
    if name not in names:
        there = ", ".join(sorted(names)) or "none"
        raise NotFoundError(f"there is no source {name!r}; there are: {there}")
