"""What a run says while it works: a line for each thing that a person may miss."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import singledispatch

import click

from newsletter.app import Event, GaveUp, Waiting
from newsletter.cli.context import local
from newsletter.cli.output import counted, warn
from newsletter.model import IssueState, ReconcileReport
from newsletter.theming import Fallback
from newsletter.usecases.deliver import DeliverReport, Delivery
from newsletter.usecases.prepare import Fate, Preparation, PrepareReport
from newsletter.usecases.refresh import RefreshReport, SourceReport

#: What a person can do about issues in trouble.
CURES = {
    IssueState.UNKNOWN: (
        "; it may have arrived: `newsletter deliver --resolve-unknown repeat {key}`"
        " sends it again, `drop` does not"
    ),
    IssueState.HELD: (
        "; mend what is said there, then `newsletter deliver --resolve-unknown"
        " repeat {key}`, or `drop`"
    ),
}
#: Hex digits of a key that people see; enough to be told apart.
SHORT_KEY = 12


def tell(event: Event) -> None:
    """Print one event of a run; nothing where there is nothing to say."""
    _tell(event)


@contextmanager
def progress() -> Iterator[Callable[[Event], None]]:
    """Give a way to tell events; on a terminal, a line says what goes on."""
    if not sys.stdout.isatty():
        yield tell
        return
    from rich.console import Console  # noqa: PLC0415 - only terminals pay for it

    done: Counter[str] = Counter()
    with Console().status("refresh") as line:

        def show(event: Event) -> None:
            stage = _STAGES.get(type(event), "refresh")
            done[stage] += 1
            line.update(f"{stage} {done[stage]}")
            tell(event)

        yield show


#: What is at work after an event.
_STAGES = {
    RefreshReport: "prepare",
    Preparation: "prepare",
    PrepareReport: "deliver",
    Delivery: "deliver",
    DeliverReport: "deliver",
}


@singledispatch
def _tell(event: object) -> None:
    raise TypeError(event)


@_tell.register
def _(event: Fallback) -> None:
    warn(f"{event.why}. Mails go out with the packaged theme instead")


@_tell.register
def _(event: ReconcileReport) -> None:
    for word, addresses in (
        ("joined", event.added),
        ("changed", event.changed),
        ("returned", event.returned),
        ("deactivated (no longer in subscribers.toml)", event.deactivated),
    ):
        for address in addresses:
            click.echo(f"readers   {address} {word}")
    for address, why in event.kept:
        warn(f"{address} in subscribers.toml is left as it is: {why}")
    if event.refused:
        warn(
            f"subscribers.toml has lost {counted(len(event.refused), 'reader')} at "
            "once, more than a third: nothing was changed. Put them back, or take "
            "leave of each with `newsletter subscribers unsubscribe ADDRESS`: "
            + ", ".join(event.refused[:10])
            + (" …" if len(event.refused) > 10 else "")  # noqa: PLR2004 - as named above
        )


@_tell.register
def _(event: SourceReport) -> None:
    for warning in event.warnings:
        warn(f"source {event.name}: {warning}")
    if not event.asked:
        return
    if event.put is None:
        said = "unchanged" if event.ok else "nothing could be read"
    else:
        said = f"{event.put.new} new, {event.put.known} known"
        for number, word in (
            (event.put.changed, "changed"),
            (event.put.passed_over, "too old at the first fetch"),
            (event.put.held, "held"),
            (event.put.renamed, "known by another guid"),
            (event.put.joined, "joined"),
        ):
            said += f", {number} {word}" if number else ""
    if event.note is not None:
        said += f" ({event.note})"
    click.echo(f"refresh   {event.name}: {said}")


@_tell.register
def _(event: RefreshReport) -> None:
    for name, days in event.silent.items():
        click.echo(
            f"silent    {name}: nothing new for {counted(days, 'day')}, against its"
            f" habit; `newsletter sources check {name}` tells more"
        )
    if event.released:
        click.echo(f"release   {counted(event.released, 'listing')}")


@_tell.register
def _(event: Preparation) -> None:
    reader = event.subscriber
    if event.fate is Fate.PREPARED and event.key and event.receipt:
        receipt = event.receipt
        click.echo(
            f"prepare   {event.key[:SHORT_KEY]} for {reader.address}: "
            f"{receipt.new} new, {receipt.matched} matched, {receipt.shown} shown"
        )
    elif event.fate is Fate.SKIPPED and event.receipt:
        click.echo(
            f"prepare   nothing for {reader.address}: "
            f"{event.receipt.new} new, {event.receipt.matched} matched"
        )
    elif event.fate is Fate.LEFT_OUT and event.slot:
        click.echo(
            f"prepare   {reader.address}: too late for "
            f"{local(event.slot, reader.timezone)}; its entries wait for the next slot"
        )
    elif event.fate is Fate.WAITING:
        click.echo(f"prepare   {reader.address} waits: every source fails")
    elif event.fate is Fate.FAILED:
        warn(f"{reader.address} could not be prepared: {event.reason}")
    if event.forced:
        click.echo(
            f"prepare   {reader.address} is served late: the slot before was "
            "left out too"
        )


@_tell.register
def _(event: PrepareReport) -> None:
    for note in event.notes:
        warn(note)


@_tell.register
def _(event: Delivery) -> None:
    record, outcome = event.row.record, event.outcome
    key = record.key[:SHORT_KEY]
    line = f"{key} for {record.address}: {outcome.state}"
    if outcome.state in {IssueState.WRITTEN, IssueState.SENT}:
        click.echo(f"deliver   {line}")
    elif outcome.state is IssueState.RETRY:
        # Of a destination that failed as a whole, its report speaks once.
        if outcome.charged:
            again = local(outcome.retry_at or outcome.at, record.timezone)
            click.echo(f"deliver   {line} at {again}: {outcome.reason}")
    elif outcome.bounced:
        warn(
            f"{line}, {outcome.reason}; nothing more is sent there (`newsletter "
            f"subscribers reactivate {record.address}` once the mailbox is mended)"
        )
    else:
        warn(f"{line}, {outcome.reason}{CURES.get(outcome.state, '').format(key=key)}")


@_tell.register
def _(event: DeliverReport) -> None:
    if event.suppressed:
        click.echo(
            f"deliver   {counted(event.suppressed, 'issue')} left out: "
            "the reader has left"
        )
    if event.expired:
        warn(
            f"{counted(event.expired, 'issue')} waited longer than "
            "delivery.expire_after and will not be sent"
        )
    if event.stopped:
        warn(f"delivery stopped: {event.stopped}")


@_tell.register
def _(event: Waiting) -> None:
    click.echo(f"waiting for another run ({event.other.holder})")


@_tell.register
def _(event: GaveUp) -> None:
    warn(
        f"another run ({event.other.holder}) is still at work: this one only delivers, "
        "and leaves all slots to it"
    )
