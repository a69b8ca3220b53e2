"""``newsletter profile``: what a reader wants, looked at, changed, tried out."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

import click

from newsletter import app as root
from newsletter.app import App
from newsletter.cli.context import Instant, open_app, profile_of
from newsletter.cli.output import counted, json_option, print_json, warn
from newsletter.config import Settings, read_profile, reader_toml
from newsletter.errors import ConfigError
from newsletter.model import Candidate, Profile, Subscriber, SubscriberSpec
from newsletter.usecases import lint, members

HEAD = """\
# The profile of {address}. Save and leave to keep it; leave it as it is to
# change nothing. Queries: "phrases", prefix*, title: summary: author: category:
# source:, AND, OR, NOT, -not, weight^2.

"""
#: Titles that are shown of a difference.
TITLES = 10
#: Whom a profile in a file is read for, who need not exist.
_ANYBODY = "reader@example.org"

_days = click.option(
    "--days", type=click.IntRange(1, 400), default=30, show_default=True
)
_at = click.option(
    "--at", type=Instant(), help="Look back from this instant. [default: now]"
)
_file = click.option(
    "--file",
    "file",
    type=click.Path(path_type=Path, allow_dash=True),
    help="A profile in TOML; - reads standard input.",
)


@click.group("profile")
def profile() -> None:
    """Show, edit, check and compare what readers want."""


@profile.command()
@click.argument("address")
@json_option
@click.pass_context
def show(ctx: click.Context, address: str, *, as_json: bool) -> None:
    """Print a reader's profile as TOML, ready for subscribers.toml."""
    with open_app(ctx) as app:
        reader, wanted = _of(app, address)
    if as_json:
        print_json({"subscriber": reader, "profile": wanted})
    else:
        click.echo(reader_toml(reader, wanted), nl=False)


@profile.command()
@click.argument("address")
@_file
@click.pass_context
def edit(ctx: click.Context, address: str, file: Path | None) -> None:
    """Change a reader's profile, in $EDITOR or by --file.

    A mistake opens the editor again, with what was typed and the mistake.
    """
    settings = root.read_settings(ctx.find_root().obj["folder"], os.environ)
    with open_app(ctx) as app:
        reader, wanted = _of(app, address)
        members.check_may_rewrite(reader)
        if file is None:
            spec = _typed(settings, reader, reader_toml(reader, wanted))
        else:
            spec = _read(settings, file, address)
        changed = False
        if spec is not None:
            reader, changed = members.rewrite(
                address, spec, subscribers=app.store.subscribers, clock=app.clock
            )
    click.echo(f"{reader.address}: {'changed' if changed else 'nothing changed'}")


@profile.command()
@click.argument("address", required=False)
@_file
@_days
@_at
@json_option
@click.pass_context
def check(
    ctx: click.Context,
    address: str | None,
    file: Path | None,
    days: int,
    at: datetime | None,
    *,
    as_json: bool,
) -> None:
    """Tell what each interest and mute matched lately, and what is of no use.

    Of a reader's profile (ADDRESS), or of one in a file. Exit code 2 where it
    has a mistake.
    """
    if (address is None) == (file is None):
        raise click.UsageError("give an ADDRESS or --file FILE, one of the two")
    settings = root.read_settings(ctx.find_root().obj["folder"], os.environ)
    spec = _read(settings, file, _ANYBODY) if file is not None else None
    with open_app(ctx, check_subscribers=True) as app:
        wanted = spec.profile if spec is not None else profile_of(app, address or "")
        as_of = at or app.clock.now()
        found = lint.lint(
            wanted,
            _lately(app, as_of, days),
            as_of=as_of,
            ranking=app.settings.ranking,
            acronyms=app.settings.acronyms,
            sources=app.source_order,
        )
    if as_json:
        print_json(found)
    else:
        _print_lint(found, days)


@profile.command()
@click.argument("address")
@_file
@_days
@_at
@json_option
@click.pass_context
def diff(
    ctx: click.Context,
    address: str,
    file: Path | None,
    days: int,
    at: datetime | None,
    *,
    as_json: bool,
) -> None:
    """Tell what the profile in --file would change for a reader."""
    if file is None:
        raise click.UsageError("name the other profile: --file FILE")
    settings = root.read_settings(ctx.find_root().obj["folder"], os.environ)
    after = _read(settings, file, address).profile
    with open_app(ctx, check_subscribers=True) as app:
        before = profile_of(app, address)
        as_of = at or app.clock.now()
        found = lint.compare(
            before,
            after,
            _lately(app, as_of, days),
            as_of=as_of,
            ranking=app.settings.ranking,
            acronyms=app.settings.acronyms,
        )
    if as_json:
        print_json(found)
    else:
        _print_difference(found, days)


# --- reading ---


def _of(app: App, address: str) -> tuple[Subscriber, Profile]:
    reader = app.store.subscribers.get(address)
    return reader, app.store.subscribers.profile(reader.profile_hash)


def _lately(app: App, as_of: datetime, days: int) -> tuple[Candidate, ...]:
    return app.store.entries.listed_between(
        as_of - timedelta(days=days),
        as_of + timedelta(microseconds=1),
        source_order=app.source_order,
    )


def _read(settings: Settings, file: Path, address: str) -> SubscriberSpec:
    """Return the profile of a file.

    Raises:
        ConfigError: It cannot be read, or has mistakes.
    """
    if str(file) == "-":
        text = sys.stdin.read()
    else:
        try:
            text = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file} cannot be read: {error}") from error
    return read_profile(file, text, settings, address=address)


def _typed(settings: Settings, reader: Subscriber, text: str) -> SubscriberSpec | None:
    """Return what a person makes of *text* in an editor; None: nothing.

    Raises:
        ConfigError: There is a mistake, and nobody to mend it.
    """
    given = HEAD.format(address=reader.address) + text
    shown, name = given, Path("profile")
    while True:
        typed = click.edit(shown, extension=".toml")
        if typed is None or typed in {given, shown}:
            return None
        try:
            return read_profile(name, typed, settings, address=reader.address)
        except ConfigError as error:
            if sys.stdin.isatty() and _again(error):
                shown = typed
                continue
            raise ConfigError(str(error), _kept(typed)) from error


def _again(error: ConfigError) -> bool:
    warn(str(error))
    return click.confirm("Open the editor again?", default=True)


def _kept(typed: str) -> str:
    """Keep what a person typed; say where."""
    with NamedTemporaryFile(
        "w", suffix=".toml", prefix="profile-", delete=False, encoding="utf-8"
    ) as file:
        file.write(typed)
    return f"nothing was changed; what you typed is kept in {file.name}"


# --- printing ---


def _print_lint(found: lint.Lint, days: int) -> None:
    click.echo(
        f"{counted(found.weighed, 'entry', 'entries')} in {counted(days, 'day')},"
        f" {found.matched} matched"
    )
    for brought in found.brought:
        word = "mute" if brought.is_mute else "interest"
        click.echo(f"{word:<9} {brought.label}: {brought.matched}")
        for title in brought.best:
            click.echo(f"            {title}")
    for remark in found.remarks:
        click.echo(f"note      {remark.about}: {remark.what}")
        click.echo(f"          -> {remark.cure}")
    if not found.weighed:
        click.echo("nothing was listed in these days; run `newsletter refresh` first")


def _print_difference(found: lint.Difference, days: int) -> None:
    for key, before, after in found.keys:
        for line in _changed(key, before, after):
            click.echo(line)
    if not found.keys:
        click.echo("the two are the same")
    click.echo(f"over {counted(days, 'day')}: {found.kept} as before")
    for sign, titles in (("+", found.gained), ("-", found.lost)):
        for title in titles[:TITLES]:
            click.echo(f"  {sign} {title}")
        if len(titles) > TITLES:
            click.echo(f"  {sign} … and {len(titles) - TITLES} more")


def _changed(key: str, before: str, after: str) -> Iterator[str]:
    if before and after:
        yield f"{key}: {before} -> {after}"
    elif after:
        yield f"{key}: + {after}"
    else:
        yield f"{key}: - {before}"
