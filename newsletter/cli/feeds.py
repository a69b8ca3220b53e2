"""``newsletter sources``: where entries come from, and what the guard held."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from yarl import URL

from newsletter import app as root
from newsletter import storage
from newsletter.app import App
from newsletter.cli.context import open_app
from newsletter.cli.naming import free_name
from newsletter.cli.opml import export_opml, import_opml
from newsletter.cli.output import (
    counted,
    instant,
    json_option,
    print_json,
    print_table,
    warn,
)
from newsletter.config import add_source, remove_source
from newsletter.errors import ConfigError, NotFoundError
from newsletter.model import Listing, Poll, Rejected, SourceSettings
from newsletter.sources import KINDS
from newsletter.usecases import look

if TYPE_CHECKING:
    from newsletter.sources.discovering import Discovery

#: Entries that are shown of a source, and characters of their titles.
NEWEST = 5
TITLE = 70
#: Kinds that ask for one document: of it, people want to know where it is.
_AT_ONE_ADDRESS = frozenset({"feed", "arxiv"})


@click.group()
def sources() -> None:
    """Add, remove and check sources; release or drop what the flood guard holds."""


@sources.command("list")
@json_option
@click.pass_context
def list_(ctx: click.Context, *, as_json: bool) -> None:
    """List the configured sources and how they are."""
    with open_app(ctx) as app:
        found = look.sources_status(
            app.settings.sources,
            states=app.store.sources,
            entries=app.store.entries,
            now=app.clock.now(),
        )
    if as_json:
        print_json([source_json(source) for source in found])
        return
    print_table(
        ("source", "kind", "last read", "last new", "next", "a day", "held", "how"),
        [
            (
                s.settings.name,
                s.settings.kind,
                instant(s.state.last_ok_at),
                instant(s.state.last_change_at),
                next_poll(s),
                f"{s.per_day:.1f}",
                s.held,
                s.health,
            )
            for s in found
        ],
    )


def next_poll(source: look.SourceStatus) -> str:
    """Return when a source is asked next, in a table."""
    if source.settings.path is not None or not source.settings.interval:
        return "every run"
    if source.is_gone:
        return "never"
    return instant(source.state.next_poll_at)


def source_json(source: look.SourceStatus) -> Mapping[str, object]:
    """Return where a source stands, for programs."""
    settings, state = source.settings, source.state
    return {
        "name": settings.name,
        "kind": settings.kind,
        "where": settings.url or settings.path,
        "last_read": state.last_ok_at,
        "last_new": state.last_change_at,
        "next_poll": state.next_poll_at,
        "per_day": round(source.per_day, 2),
        "held": source.held,
        "failures": state.failures,
        "failing_since": state.failing_since,
        "silent_days": None if source.silent_for is None else source.silent_for.days,
        "moved_to": source.moved_to,
        "gone": source.is_gone,
        "health": source.health,
    }


@sources.command()
@click.argument("address")
@click.option("--name", default="", help="What to call it. [default: by its title]")
@click.option("--kind", default="", help="feed, arxiv, … [default: found out]")
@click.option("--tag", "tags", multiple=True, help="A word of yours; may be repeated.")
@click.option("--settle", default="", help="Wait so long before release, such as 20h.")
@click.option("--first-days", type=float, help="At first, only what is this young.")
@click.option("--required", is_flag=True, help="A run in which it fails ends with 1.")
@click.pass_context
def add(ctx: click.Context, /, address: str, name: str, **more: Any) -> None:  # noqa: ANN401 - options, each of its own type
    """Read ADDRESS once, and add it to newsletter.toml.

    ADDRESS is that of a feed, of a page that names its feed, or a file or folder
    here. What is in newsletter.toml already stays as it is, comments too.
    """
    folder = _folder(ctx)
    settings = root.read_settings(folder, os.environ)
    wanted = _wanted(address, kind=more["kind"])
    _check_new(name, wanted, settings.sources)
    found = root.discover_source(folder, os.environ, wanted)
    _check_new("", found.settings, settings.sources)
    name = name or _free_name(found, settings.sources)
    _print_discovery(found)
    table = _table(name, found, more, settings.root)
    after = add_source(folder, table, environ=os.environ, kinds=KINDS)
    click.echo(f"added as {name} to {folder / 'newsletter.toml'}")
    _print_what_is_new(found.poll, after.sources, name)
    _print_others(found)


@sources.command()
@click.argument("name")
@click.pass_context
def remove(ctx: click.Context, name: str) -> None:
    """Take source NAME out of newsletter.toml; what it brought stays."""
    folder = _folder(ctx)
    after = remove_source(folder, name, environ=os.environ, kinds=KINDS)
    if storage.is_there(after.database_url):
        # Another source of that name begins anew.
        with open_app(ctx) as app:
            app.store.sources.forget(name)
    click.echo(
        f"{name} is not asked any more; its entries stay in the database, and"
        " readers may still get those that were released"
    )


@sources.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@json_option
@click.pass_context
def check(ctx: click.Context, names: tuple[str, ...], *, as_json: bool) -> None:
    """Ask sources now, store nothing, and say what they bring.

    Without a NAME all are asked. Exit code 1 where one cannot be read.
    """
    found = root.check_sources(_folder(ctx), os.environ, names)
    if as_json:
        print_json([_checked_json(settings, poll) for settings, poll in found])
    else:
        for settings, poll in found:
            _print_checked(settings, poll)
    if any(poll.failures for _, poll in found):
        sys.exit(1)


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


sources.add_command(import_opml)
sources.add_command(export_opml)


def _folder(ctx: click.Context) -> Path:
    folder: Path = ctx.find_root().obj["folder"]
    return folder


def _wanted(address: str, *, kind: str) -> SourceSettings:
    """Return what *address* means: a URL, or a file or folder from here."""
    if "://" in address:
        return SourceSettings(name="", kind=kind, url=address)
    path = Path(address)
    if path.exists():
        whole = path.absolute()
        return SourceSettings(name="", kind=kind, path=str(whole))
    hint = ""
    if "." in address.partition("/")[0]:
        hint = f"; did you mean https://{address} ?"
    raise ConfigError(
        f"{address!r} is neither an http(s) address nor a file or folder here{hint}"
    )


def _check_new(
    name: str, wanted: SourceSettings, there: Sequence[SourceSettings]
) -> None:
    """Refuse what is configured already."""
    for source in there:
        if source.name == name:
            raise ConfigError(
                f"there is a source {name!r} already; choose another --name"
            )
        same_url = wanted.url is not None and source.url == wanted.url
        if source.kind == "huggingface":
            # Its weeks and its days have one address.
            same_url = same_url and source.options == wanted.options
        if same_url or (wanted.path is not None and source.path == wanted.path):
            raise ConfigError(
                f"{wanted.url or wanted.path} is there already, as {source.name!r}"
            )


def _free_name(found: Discovery, there: Sequence[SourceSettings]) -> str:
    """Return a name by the title, else by where it is, that nothing has yet."""
    settings = found.settings
    where = URL(settings.url).host if settings.url else Path(settings.path or "").stem
    return free_name((found.title, where or ""), {source.name for source in there})


def _table(
    name: str, found: Discovery, more: Mapping[str, Any], base: Path
) -> dict[str, object]:
    """Return the table for newsletter.toml: what differs from the defaults."""
    settings = found.settings
    table: dict[str, object] = {"name": name, "kind": settings.kind}
    if settings.url is not None:
        table["url"] = settings.url
    else:
        path = Path(settings.path or "")
        inside = path.is_relative_to(base)
        table["path"] = str(path.relative_to(base) if inside else path)
    table |= settings.options
    for key in ("settle", "first_days"):
        if more[key] not in {"", None}:
            table[key] = more[key]
    if more["tags"]:
        table["tags"] = list(more["tags"])
    if more["required"]:
        table["required"] = True
    return table


def _print_discovery(found: Discovery) -> None:
    settings = found.settings
    if found.page is not None:
        click.echo(f"{found.page} is a page; its feed is {settings.url}")
    click.echo(f"{found.title or 'without a title'} ({settings.kind})")
    _print_poll(found.poll)


def _print_what_is_new(
    poll: Poll, sources: Sequence[SourceSettings], name: str
) -> None:
    """Say how much of it the first run takes: people wonder when it is nothing."""
    (source,) = (s for s in sources if s.name == name)
    seen_at = max(reading.response.seen_at for reading in poll.readings)
    oldest = seen_at - timedelta(days=source.first_days)
    young = sum(listing.listed_at >= oldest for listing in _rows(poll)[0])
    click.echo(
        f"the first run takes {counted(young, 'entry', 'entries')}: what is at most"
        f" {source.first_days:g} days old (first_days)"
    )


def _print_others(found: Discovery) -> None:
    if found.others:
        click.echo("the page names other feeds too; add one by its address:")
    for other in found.others:
        click.echo(f"  {other.url}  {other.title}".rstrip())


def _print_checked(settings: SourceSettings, poll: Poll) -> None:
    click.echo(f"{settings.name} ({settings.kind}) {settings.url or settings.path}")
    for answer in {r.response.final_url for r in poll.readings}:
        if answer and settings.url and settings.kind in _AT_ONE_ADDRESS:
            moved = answer.rstrip("/") != settings.url.rstrip("/")
            click.echo(f"  answers from {answer}" if moved else "  answers")
    _print_poll(poll)
    for failure in poll.failures:
        warn(f"source {settings.name}: {failure.reason}")


def _print_poll(poll: Poll) -> None:
    listings, rejected = _rows(poll)
    click.echo(f"  {counted(len(listings), 'entry', 'entries')}")
    for listing in listings[:NEWEST]:
        click.echo(f"  {listing.listed_at:%Y-%m-%d}  {listing.title[:TITLE]}")
    if len(listings) > NEWEST:
        click.echo(f"  … and {len(listings) - NEWEST} more")
    for row in rejected[:NEWEST]:
        click.echo(f"  not used: {row.place}: {row.reason}")


def _rows(poll: Poll) -> tuple[list[Listing], list[Rejected]]:
    """Return what a poll brought, newest first, and what could not be used."""
    pages = [reading.page for reading in poll.readings if reading.page is not None]
    listings = [listing for page in pages for listing in page.listings]
    listings.sort(key=lambda listing: listing.listed_at, reverse=True)
    return listings, [row for page in pages for row in page.rejected]


def _checked_json(settings: SourceSettings, poll: Poll) -> Mapping[str, object]:
    listings, rejected = _rows(poll)
    return {
        "name": settings.name,
        "kind": settings.kind,
        "where": settings.url or settings.path,
        "entries": len(listings),
        "newest": listings[0].listed_at if listings else None,
        "rejected": [f"{row.place}: {row.reason}" for row in rejected],
        "failures": [failure.reason for failure in poll.failures],
    }


def _known(app: App, name: str) -> None:
    names = {*app.source_order, *app.store.entries.held()}
    if name not in names:
        there = ", ".join(sorted(names)) or "none"
        raise NotFoundError(f"there is no source {name!r}; there are: {there}")
