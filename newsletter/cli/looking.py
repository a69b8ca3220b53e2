"""The commands that look: show, match, status."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email import message_from_bytes, policy

import click

from newsletter.app import App
from newsletter.cli.context import Instant, local, open_app
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
from newsletter.model import Interest, LedgerRow, Match, Profile
from newsletter.usecases import look

#: How many of the best ``match`` prints.
BEST = 20


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
@click.argument("query", required=False)
@click.option("--subscriber", "name", metavar="ADDRESS", help="Try a reader's profile.")
@click.option("--days", type=click.IntRange(1, 400), default=30, show_default=True)
@click.option(
    "--at", type=Instant(), help="Look back from this instant. [default: now]"
)
@json_option
@click.pass_context
def match(
    ctx: click.Context,
    query: str | None,
    name: str | None,
    days: int,
    at: datetime | None,
    *,
    as_json: bool,
) -> None:
    """Show what QUERY, or a reader's profile, would have brought lately."""
    if (query is None) == (name is None):
        raise click.UsageError("give a QUERY or --subscriber ADDRESS, one of the two")
    profile = _query_profile(query) if query is not None else None
    with open_app(ctx) as app:
        if profile is None:
            profile = _subscriber_profile(app, name or "")
        test = look.back_test(
            profile,
            entries=app.store.entries,
            as_of=at or app.clock.now(),
            days=days,
            ranking=app.settings.ranking,
            source_order=app.source_order,
        )
    if as_json:
        print_json(_test_json(test))
    else:
        _print_test(test, days)


def _query_profile(query: str) -> Profile:
    from newsletter.matching.grammar import parse_query  # noqa: PLC0415 - lark, only here

    return Profile(interests=(Interest(query=query, tree=parse_query(query)),))


def _subscriber_profile(app: App, name: str) -> Profile:
    subscribers = app.store.subscribers
    return subscribers.profile(subscribers.get(name).profile_hash)


def _test_json(test: look.BackTest) -> Mapping[str, object]:
    return {
        "weighed": test.weighed,
        "matched": len(test.matches),
        "per_day": {day.isoformat(): n for day, n in test.per_day.items()},
        "matches": [
            {
                "title": match.candidate.version.title,
                "url": match.candidate.version.url,
                "listed_at": match.candidate.listed_at,
                "score": match.score / 1000,
                "why": why(match),
            }
            for match in test.matches
        ],
    }


def _print_test(test: look.BackTest, days: int) -> None:
    found = len(test.matches)
    click.echo(
        f"{counted(test.weighed, 'entry', 'entries')} listed in "
        f"{counted(days, 'day')}, {found} matched ({found / days:.1f} a day)"
    )
    for day, number in test.per_day.items():
        if number:
            click.echo(f"  {day:%a %d %b}  {number:4}  {'#' * min(number, 50)}")
    for place, match in enumerate(test.matches[:BEST], 1):
        version = match.candidate.version
        click.echo(f"{place:3}. {version.title}")
        click.echo(f"     {match.score / 1000:.2f} = {why(match)}")
        if version.url:
            click.echo(f"     {version.url}")
    if found > BEST:
        click.echo(f"     … and {found - BEST} more (--json prints all)")


def why(match: Match) -> str:
    """Return a score's split: title: mamba 2.0 · fresh 0.5."""
    reasons = match.reasons
    parts = [f"{p.field}: {p.term} {p.millis / 1000:.1f}" for p in reasons.parts]
    for word, millis in (
        ("votes", reasons.votes_millis),
        ("fresh", reasons.freshness_millis),
    ):
        if millis:
            parts.append(f"{word} {millis / 1000:.1f}")
    return " · ".join(parts) or "everything matches"


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
