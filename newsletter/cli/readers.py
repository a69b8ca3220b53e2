"""``newsletter subscribers``: readers, one at a time."""

from __future__ import annotations

import click

from newsletter.app import App
from newsletter.cli.context import local, open_app
from newsletter.cli.output import counted, instant, json_option, print_json, print_table
from newsletter.model import Profile, Subscriber, SubscriberStatus
from newsletter.usecases import members

#: Readers asked for at once.
BLOCK = 1000


@click.group()
def subscribers() -> None:
    """List readers, look at one, let one leave or come back."""


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
    if as_json:
        print_json({"subscriber": reader, "profile": _profile_json(profile)})
        return
    for name, value in _rows(reader, profile):
        click.echo(f"{name:<10} {value}")


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
