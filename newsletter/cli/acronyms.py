"""``newsletter acronyms``: short forms, and what they stand for."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import click

from newsletter.app import read_settings
from newsletter.cli.context import open_app
from newsletter.cli.output import counted, json_option, print_json, print_table
from newsletter.config.acronyms import FILE, as_line
from newsletter.matching.mining import LEAST, Mined, mine
from newsletter.matching.tokens import tokenize
from newsletter.model import Acronyms


@click.group()
def acronyms() -> None:
    """Short forms that find their long ones, where a profile has stems."""


@acronyms.command("list")
@json_option
@click.pass_context
def list_(ctx: click.Context, *, as_json: bool) -> None:
    """Print what acronyms.toml says."""
    known = _known(ctx)
    if as_json:
        print_json([{"short": a.short, "long": a.long} for a in known.pairs])
    elif known.pairs:
        print_table(("short", "long"), [(a.short, a.long) for a in known.pairs])
    else:
        click.echo(f"no acronyms; `newsletter acronyms mine --add` makes {FILE}")


@acronyms.command("mine")
@click.option("--days", type=click.IntRange(1, 4000), default=400, show_default=True)
@click.option(
    "--least",
    type=click.IntRange(1),
    default=LEAST,
    show_default=True,
    help="How many texts must introduce one.",
)
@click.option("--add", "is_added", is_flag=True, help=f"Append them to {FILE}.")
@click.pass_context
def mine_(ctx: click.Context, days: int, least: int, *, is_added: bool) -> None:
    """Propose acronyms that texts of the archive introduce, as lines of TOML.

    Read them before you keep them: a wrong one brings readers what they did
    not ask for.
    """
    known = {tokenize(a.short) for a in _known(ctx).pairs}
    with open_app(ctx) as app:
        now = app.clock.now()
        entries = app.store.entries.listed_between(
            now - timedelta(days=days), now, source_order=app.source_order
        )
    texts = (f"{e.version.title}. {e.version.summary}" for e in entries)
    found = [
        m for m in mine(texts, least=least) if tokenize(m.acronym.short) not in known
    ]
    lines = "".join(f"{as_line(m.acronym)}  # {_told(m)}\n" for m in found)
    if not is_added:
        click.echo(lines, nl=False)
    elif found:
        file: Path = ctx.find_root().obj["folder"] / FILE
        _append(file, lines)
        click.echo(f"{counted(len(found), 'acronym')} added to {file}")
    if not found:
        click.echo(f"nothing new in {counted(len(entries), 'entry', 'entries')}")


def _known(ctx: click.Context) -> Acronyms:
    return read_settings(ctx.find_root().obj["folder"], os.environ).acronyms


def _told(mined: Mined) -> str:
    return f"in {counted(mined.texts, 'text')}"


def _append(file: Path, lines: str) -> None:
    """Write *lines* behind what *file* says, which stays as it is."""
    said = file.read_text("utf-8") if file.exists() else ""
    gap = "" if not said or said.endswith("\n") else "\n"
    file.write_text(f"{said}{gap}{lines}", "utf-8")
