"""The commands that work: demo, run, and run's parts."""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click

from newsletter import app as root
from newsletter.cli.context import Instant, local, open_app
from newsletter.cli.output import counted, instant, json_option, print_json, print_table
from newsletter.cli.telling import SHORT_KEY, progress, tell
from newsletter.config import sample_folder
from newsletter.delivery.files import clear_outbox
from newsletter.model import LedgerRow
from newsletter.usecases.prepare import Fate, Preparation

#: The sample's day: its entries are dated on the days before.
DEMO_AT = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)

_at = click.option(
    "--at",
    type=Instant(),
    help="Act as of this instant: slots due, entries released, freshness.",
)
_everyone = click.option(
    "--everyone", is_flag=True, help="Serve every active reader once, due or not."
)


@click.command()
def demo() -> None:
    """Run the whole pipeline on bundled samples, offline, into outbox/demo/."""
    folder = Path("outbox", "demo").absolute()
    clear_outbox(folder)
    with tempfile.TemporaryDirectory(prefix="newsletter-demo-") as scratch:
        environ = {
            "NEWSLETTER_DATABASE__URL": f"sqlite:///{scratch}/demo.db",
            "NEWSLETTER_DELIVERY__OUTBOX": str(folder),
        }
        with root.open_app(sample_folder(), environ) as app, progress() as told:
            report = app.run(at=DEMO_AT, everyone=True, tell=told)
    mails = sorted(folder.glob("*/*.eml"))
    click.echo(f"\n{counted(len(mails), 'mail')} written, as of {instant(DEMO_AT)}:")
    for mail in mails:
        click.echo(f"  {_shown(mail)}")
    click.echo(f"Leaf through them: {_shown(folder / 'index.html')}")
    _leave(report)


@click.command()
@_at
@_everyone
@click.option(
    "--dry-run",
    is_flag=True,
    help="List who would get what; fetch nothing, write nothing.",
)
@json_option
@click.pass_context
def run(
    ctx: click.Context,
    at: datetime | None,
    *,
    everyone: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Run all stages for everyone due. Safe to start twice; what cron calls."""
    if dry_run:
        _rehearse(ctx, at, everyone=everyone, as_json=as_json)
        return
    with open_app(ctx, check_subscribers=True, mails=True) as app:
        with progress() as told:
            report = app.run(at=at, everyone=everyone, tell=_quiet if as_json else told)
        if as_json:
            print_json(report)
        else:
            _say_who_is_next(app, report, everyone=everyone)
    _leave(report)


def _rehearse(
    ctx: click.Context, at: datetime | None, *, everyone: bool, as_json: bool
) -> None:
    """Run on a copy in memory, and list who would get what."""
    planned: list[Preparation] = []

    def listen(event: root.Event) -> None:
        if isinstance(event, Preparation):
            planned.append(event)
        elif not as_json:
            tell(event)

    with open_app(ctx, dry=True, check_subscribers=True) as app:
        report = app.run(at=at, everyone=everyone, tell=listen)
        if as_json:
            print_json(planned)
            return
        print_table(
            ("reader", "slot", "what", "new", "matched", "shown", "first"),
            [_planned_row(p) for p in planned],
        )
        click.echo("dry run: nothing was fetched, written or sent")
        doubt = app.theme_doubt()
        if doubt is not None:
            click.echo(doubt)
        _say_who_is_next(app, report, everyone=everyone)


def _planned_row(plan: Preparation) -> tuple[object, ...]:
    receipt = plan.receipt
    figures = (receipt.new, receipt.matched, receipt.shown) if receipt else ("-",) * 3
    what = "would get" if plan.fate is Fate.PREPARED else plan.fate
    return (
        plan.subscriber.address,
        instant(plan.slot),
        what,
        *figures,
        plan.best or plan.reason or "-",
    )


@click.command()
@_at
@json_option
@click.pass_context
def refresh(ctx: click.Context, at: datetime | None, *, as_json: bool) -> None:
    """Fetch what is new and release what is due."""
    with open_app(ctx) as app, progress() as told:
        report = app.refresh(at=at, tell=_quiet if as_json else told)
    if as_json:
        print_json(report)
    _leave(report)


@click.command()
@_at
@_everyone
@json_option
@click.pass_context
def prepare(
    ctx: click.Context, at: datetime | None, *, everyone: bool, as_json: bool
) -> None:
    """Match and compose for everyone due, into the ledger; send nothing."""
    with open_app(ctx, check_subscribers=True, mails=True) as app:
        with progress() as told:
            report = app.prepare(
                at=at, everyone=everyone, tell=_quiet if as_json else told
            )
        if as_json:
            print_json(report)
        else:
            _say_who_is_next(app, report, everyone=everyone)
    _leave(report)


@click.command()
@click.option(
    "--resolve-unknown",
    "resolution",
    type=click.Choice(["repeat", "drop"]),
    help="Say of issues that are unknown or held, by KEY, whether to send them again.",
)
@click.argument("keys", metavar="[KEY]...", nargs=-1)
@json_option
@click.pass_context
def deliver(
    ctx: click.Context, resolution: str | None, keys: tuple[str, ...], *, as_json: bool
) -> None:
    """Render what the ledger holds ready and hand it over."""
    if bool(keys) != bool(resolution):
        raise click.UsageError(
            "--resolve-unknown repeat (or drop) and KEY go together; `newsletter "
            "status` names the issues that wait for a person"
        )
    with open_app(ctx, mails=resolution != "drop") as app, progress() as told:
        resolved = [app.resolve(key, repeat=resolution == "repeat") for key in keys]
        for row in () if as_json else resolved:
            _say_resolved(row, resolution)
        if resolution == "drop":
            if as_json:
                print_json([row.record.key for row in resolved])
            return
        report = app.deliver(tell=_quiet if as_json else told)
    if as_json:
        print_json(report)
    elif report.delivered and not report.delivered.counts:
        click.echo("nothing to deliver")
    _leave(report)


def _say_resolved(row: LedgerRow, resolution: str | None) -> None:
    said = "is sent again" if resolution == "repeat" else "is dropped"
    key = row.record.key[:SHORT_KEY]
    click.echo(f"deliver   {key} for {row.record.address} {said}")


def _quiet(event: root.Event) -> None:
    del event


def _say_who_is_next(app: root.App, report: root.RunReport, *, everyone: bool) -> None:
    """Where a run found nobody due, say who is next and how to serve all now."""
    prepared, delivered = report.prepared, report.delivered
    if prepared is None or any(prepared.counts.values()):
        return
    if delivered and delivered.counts:
        return
    upcoming = app.store.subscribers.next_due()
    if upcoming is None or upcoming.next_slot is None:
        click.echo(
            "nobody is due: there is no active reader yet; add one to subscribers.toml"
        )
        return
    when = local(upcoming.next_slot, upcoming.timezone)
    click.echo(f"nobody is due; next is {upcoming.address}, {when}")
    if not everyone:
        click.echo("(`newsletter run --everyone` serves every active reader now)")


def _shown(path: Path) -> str:
    """Return *path* relative to where the person stands, if it is below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _leave(report: root.RunReport) -> None:
    if report.is_trouble:
        sys.exit(1)
