"""The commands that look: show, status."""

from __future__ import annotations

from email import message_from_bytes, policy

import click

from newsletter.cli.context import local, open_app
from newsletter.cli.feeds import next_poll
from newsletter.cli.output import (
    counted,
    instant,
    json_option,
    print_json,
    print_table,
    warn,
)
from newsletter.cli.telling import CURES, SHORT_KEY
from newsletter.model import LedgerRow
from newsletter.usecases import look


@click.command()
@click.argument("key")
@click.option(
    "--part",
    type=click.Choice(["message", "text", "html", "headers"]),
    default="message",
    show_default=True,
    help="The whole mail, byte for byte, or one part of it.",
)
@click.pass_context
def show(ctx: click.Context, key: str, part: str) -> None:
    """Print a past issue again: KEY, or an unambiguous beginning of it."""
    with open_app(ctx) as app:
        past = look.show(key, ledger=app.store.ledger, assembler=app.assembler)
    if past.theme_changed:
        warn(
            f"the theme {past.row.record.theme!r} has changed since this issue was "
            "prepared: what follows may differ from what was sent"
        )
    click.echo(_part(past.message.content, part), nl=False)


def _part(content: bytes, part: str) -> bytes:
    if part == "message":
        return content
    mail = message_from_bytes(content, policy=policy.default)
    if part == "headers":
        return "".join(f"{name}: {value}\n" for name, value in mail.items()).encode()
    body = mail.get_body(("plain",) if part == "text" else ("html",))
    return str(body.get_content()).encode() if body else b""


@click.command()
@json_option
@click.pass_context
def status(ctx: click.Context, *, as_json: bool) -> None:
    """Tell what is due, written and failed, and why."""
    with open_app(ctx) as app:
        store = app.store
        found = look.status(
            app.settings.sources,
            states=store.sources,
            entries=store.entries,
            subscribers=store.subscribers,
            ledger=store.ledger,
            clock=app.clock,
        )
    if as_json:
        print_json(found)
        return
    _print_status(found)


def _print_status(found: look.Status) -> None:
    print_table(
        ("source", "last read", "next poll", "failed", "held", "how"),
        [
            (
                s.settings.name,
                instant(s.state.last_ok_at),
                next_poll(s),
                s.state.failures,
                s.held,
                s.health,
            )
            for s in found.sources
        ],
    )
    readers = ", ".join(f"{n} {state}" for state, n in found.subscribers.items())
    issues = ", ".join(f"{n} {state}" for state, n in found.issues.items())
    click.echo(f"\nreaders: {readers or 'none yet'}")
    click.echo(f"issues:  {issues or 'none yet'}")
    upcoming = found.next_due
    if upcoming and upcoming.next_slot:
        when = local(upcoming.next_slot, upcoming.timezone)
        word = "due" if upcoming.next_slot <= found.now else "next"
        click.echo(f"{word + ':':<8} {upcoming.address}, {when}")
    for row in found.recent:
        record = row.record
        key, slot = record.key[:SHORT_KEY], instant(record.slot)
        click.echo(f"newest:  {key} for {record.address}, slot {slot}: {row.state}")
    for row in found.waiting:
        click.echo(_wait(row))
    for row in found.troubles:
        click.echo(_trouble(row))
    for source in found.sources:
        name = source.settings.name
        if source.state.failures:
            click.echo(f"failing: {name}: `newsletter sources check {name}` tells more")
        if source.silent_for is not None:
            days = counted(source.silent_for.days, "day")
            click.echo(f"silent:  {name}: nothing new for {days}, against its habit")
        if source.held:
            click.echo(
                f"held:    {counted(source.held, 'listing')} of {name}: "
                f"`newsletter sources release {name}` or `drop {name}`"
            )


def _wait(row: LedgerRow) -> str:
    when = "on its way" if row.retry_at is None else f"again at {instant(row.retry_at)}"
    return f"{_named(row)}: {when}" + (f", {row.reason}" if row.reason else "")


def _trouble(row: LedgerRow) -> str:
    cure = CURES.get(row.state, "").format(key=row.record.key[:SHORT_KEY])
    return f"{_named(row)}: {row.reason or 'no reason kept'}{cure}"


def _named(row: LedgerRow) -> str:
    key, slot = row.record.key[:SHORT_KEY], instant(row.record.slot)
    return f"{row.state}: {key} for {row.record.address}, slot {slot}"
