"""``newsletter subscribers``: readers, one at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from newsletter import app as root
from newsletter import storage
from newsletter.app import App
from newsletter.cli.context import local, open_app
from newsletter.cli.output import (
    counted,
    instant,
    json_option,
    print_json,
    print_table,
    warn,
)
from newsletter.config import Settings, read_profile, read_reader
from newsletter.errors import ConflictError
from newsletter.model import (
    Origin,
    Profile,
    Subscriber,
    SubscriberSpec,
    SubscriberStatus,
)
from newsletter.usecases import members

#: Readers asked for at once.
BLOCK = 1000


@click.group()
def subscribers() -> None:
    """Add readers, look at them, let them pause, leave, come back, be erased."""


@subscribers.command("list")
@click.option(
    "--status",
    type=click.Choice([status.value for status in SubscriberStatus]),
    help="Only readers of this status.",
)
@json_option
@click.pass_context
def list_(ctx: click.Context, status: str | None, *, as_json: bool) -> None:
    """List all readers."""
    with open_app(ctx) as app:
        found = [s for s in _all(app) if status is None or s.status == status]
    if as_json:
        print_json(found)
        return
    print_table(
        ("reader", "status", "from", "schedule", "next"),
        [
            (
                reader.address,
                reader.status,
                reader.origin,
                ", ".join(reader.schedule),
                local(reader.next_slot, reader.timezone) if reader.next_slot else "-",
            )
            for reader in found
        ],
    )
    click.echo(counted(len(found), "reader"))


def _all(app: App) -> list[Subscriber]:
    found: list[Subscriber] = []
    while block := app.store.subscribers.find(
        after_id=found[-1].id if found else 0, limit=BLOCK
    ):
        found.extend(block)
    return found


@subscribers.command()
@click.argument("address")
@json_option
@click.pass_context
def show(ctx: click.Context, address: str, *, as_json: bool) -> None:
    """Show one reader: ADDRESS, or the public id."""
    with open_app(ctx) as app:
        reader = app.store.subscribers.get(address)
        profile = app.store.subscribers.profile(reader.profile_hash)
        events = app.store.subscribers.events(reader.id)
    if as_json:
        print_json(
            {
                "subscriber": reader,
                "profile": _profile_json(profile),
                "events": events,
            }
        )
        return
    for name, value in _rows(reader, profile):
        click.echo(f"{name:<10} {value}")
    for event in events:
        detail = f": {event.detail}" if event.detail else ""
        click.echo(f"{instant(event.at)}  {event.kind}, by {event.origin}{detail}")


def _rows(reader: Subscriber, profile: Profile) -> list[tuple[str, object]]:
    name = f" ({reader.name})" if reader.name else ""
    why = f" ({reader.status_reason})" if reader.status_reason else ""
    upcoming = local(reader.next_slot, reader.timezone) if reader.next_slot else "-"
    rows: list[tuple[str, object]] = [
        ("reader", f"{reader.address}{name}"),
        ("public id", reader.public_id),
        ("status", f"{reader.status}{why}"),
        ("from", reader.origin),
        ("joined", instant(reader.joined_at)),
        ("schedule", f"{', '.join(reader.schedule)} {reader.timezone}"),
        ("next", upcoming),
        ("nothing on", ", ".join(f"{day:%a %d %b}" for day in reader.skipped) or "-"),
    ]
    rows += [("interest", f"{i.label} (weight {i.weight})") for i in profile.interests]
    rows += [("mute", mute.query) for mute in profile.mutes]
    limits = f"{profile.order}, at most {profile.max_items}"
    if profile.min_votes:
        limits += f", from {counted(profile.min_votes, 'vote')}"
    return [*rows, ("order", limits)]


def _profile_json(profile: Profile) -> dict[str, object]:
    return {
        "interests": [
            {"query": i.query, "name": i.name, "weight": i.weight}
            for i in profile.interests
        ],
        "mutes": [mute.query for mute in profile.mutes],
        "order": profile.order,
        "sections": profile.sections,
        "max_items": profile.max_items,
        "min_votes": profile.min_votes,
        "skip_empty": profile.skip_empty,
    }


@subscribers.command()
@click.argument("address")
@click.option("--name", default="", help="Whom the mail greets.")
@click.option("--timezone", help="An IANA name: Europe/London.")
@click.option("--schedule", multiple=True, help='"weekdays 07:30"; may be repeated.')
@click.option("--interest", "interests", multiple=True, help="A query; repeatable.")
@click.option("--mute", "mutes", multiple=True, help="A query; repeatable.")
@click.option(
    "--profile",
    "file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file with the keys of a profile, as `profile show` prints them.",
)
@click.option(
    "--reason", default="", help="Why one who left, or was erased, gets mail again."
)
@click.pass_context
def add(ctx: click.Context, /, address: str, reason: str, **more: Any) -> None:  # noqa: ANN401 - options, each of its own type
    """Add a reader by ADDRESS; what is not said is as in [defaults]."""
    folder = ctx.find_root().obj["folder"]
    spec = _spec(address, root.read_settings(folder, os.environ), more)
    with open_app(ctx, check_subscribers=True) as app:
        app.check_may_send_to(spec.address)
        _check_not_in_file(app, spec.address)
        reader = members.add(
            spec, reason=reason, subscribers=app.store.subscribers, clock=app.clock
        )
    upcoming = local(reader.next_slot, reader.timezone) if reader.next_slot else "-"
    click.echo(f"{reader.address} is a reader now; the first issue: {upcoming}")


def _check_not_in_file(app: App, address: str) -> None:
    """Refuse an address that the next run takes in anyway.

    Raises:
        ConflictError: subscribers.toml names it.
    """
    key = storage.address_key(address)
    if any(storage.address_key(spec.address) == key for spec in app.specs or ()):
        raise ConflictError(f"{address} is a reader already (subscribers.toml)")


def _spec(address: str, settings: Settings, more: Mapping[str, Any]) -> SubscriberSpec:
    """Return the reader that options and perhaps a file describe."""
    said = {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in more.items()
        if value and key != "file"
    }
    file: Path | None = more["file"]
    if file is None:
        return read_reader(
            {**said, "address": address}, settings, name="subscribers add"
        )
    if said.keys() - {"name"}:
        raise click.UsageError("give the profile by --profile or by options, not both")
    spec = read_profile(file, file.read_text("utf-8"), settings, address=address)
    return replace(spec, name=more["name"])


@subscribers.command()
@click.argument("address")
@click.option("--reason", default="by command", show_default=True)
@click.pass_context
def pause(ctx: click.Context, address: str, reason: str) -> None:
    """Stop mail to a reader until `subscribers reactivate`."""
    with open_app(ctx) as app:
        reader = members.pause(
            address, reason=reason, subscribers=app.store.subscribers, clock=app.clock
        )
    click.echo(
        f"{reader.address} gets no mail until `newsletter subscribers reactivate"
        f" {reader.address} --reason TEXT`"
    )


@subscribers.command()
@click.argument("address")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--reason", default="by command", show_default=True)
@click.pass_context
def erase(ctx: click.Context, address: str, reason: str, *, yes: bool) -> None:
    """Remove all that tells who a reader is, for good.

    The row stays, so that the numbers stay true; the address is kept as a keyed
    hash alone, so that nothing brings it back by mistake.
    """
    with open_app(ctx) as app:
        reader = app.store.subscribers.get(address)
        if not yes:
            if not sys.stdin.isatty():
                raise click.UsageError("this cannot be undone; say so with --yes")
            click.confirm(
                f"Remove {reader.address} and what is known of them for good?",
                abort=True,
            )
        files = app.outbox_files_of(reader.id)
        app.forget_in_outbox(reader.id)
        members.erase(
            reader.public_id,
            reason=reason,
            subscribers=app.store.subscribers,
            clock=app.clock,
        )
    click.echo(f"{reader.address} is erased")
    if reader.origin is Origin.FILE:
        warn("subscribers.toml still names them; take the table out of it")
    for file in files:
        warn(f"{file} names them; remove it too")
    click.echo("copies of the database and of the outbox are yours to remove")


@subscribers.command()
@click.argument("address")
@click.option("--reason", default="by command", show_default=True)
@click.pass_context
def unsubscribe(ctx: click.Context, address: str, reason: str) -> None:
    """Stop mail to a reader for good, whatever subscribers.toml says."""
    with open_app(ctx) as app:
        reader = members.unsubscribe(
            address, reason=reason, subscribers=app.store.subscribers, clock=app.clock
        )
    click.echo(f"{reader.address} gets no more mail")


@subscribers.command()
@click.argument("address")
@click.option("--reason", required=True, help="Why; kept with the event.")
@click.pass_context
def reactivate(ctx: click.Context, address: str, reason: str) -> None:
    """Let mail go again to a reader who had left."""
    with open_app(ctx) as app:
        reader = members.reactivate(
            address, reason=reason, subscribers=app.store.subscribers, clock=app.clock
        )
    upcoming = local(reader.next_slot, reader.timezone) if reader.next_slot else "-"
    click.echo(f"{reader.address} gets mail again; next: {upcoming}")
