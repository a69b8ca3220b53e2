"""``newsletter theme``: a look of one's own."""

from __future__ import annotations

import os
import sys

import click

from newsletter import app as root
from newsletter.accepting import ThemeVerdict
from newsletter.cli.output import counted, json_option, print_json


@click.group()
def theme() -> None:
    """Your own look: make a theme, and check whether mails may go out with it."""


@theme.command("new")
@click.argument("name")
@click.option(
    "--from",
    "like",
    default="default",
    show_default=True,
    metavar="THEME",
    help="The theme to begin with.",
)
@click.pass_context
def new(ctx: click.Context, name: str, like: str) -> None:
    """Make templates/NAME, a copy of another theme with comments in it."""
    folder = ctx.find_root().obj["folder"]
    made = root.new_theme(folder, os.environ, name, like=like)
    click.echo(f"{made} is there; mails look as with {like!r} until you change it")
    click.echo("What to do next:")
    click.echo("  1. edit its files; each says at its head what it is")
    click.echo(f'  2. write theme = "{name}" below [newsletter] in newsletter.toml')
    click.echo("  3. `newsletter preview --open`, and reload after each change")
    click.echo(f"  4. `newsletter theme check {name}`: only accepted themes are mailed")


@theme.command("check")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@json_option
@click.pass_context
def check(ctx: click.Context, names: tuple[str, ...], *, as_json: bool) -> None:
    """Try themes (none named: the configured one) on sample issues.

    Mails go out with accepted themes only. Each is tried in a process of its
    own with 2 seconds of CPU and 256 MB. Errors refuse it, warnings do not.
    Exit code 2 where one is refused, 1 where one could not be checked.
    """
    folder = ctx.find_root().obj["folder"]
    verdicts = root.judge_themes(folder, os.environ, names)
    if as_json:
        print_json([_plain(verdict) for verdict in verdicts])
    else:
        for verdict in verdicts:
            _print(verdict)
    root.keep_verdicts(folder, os.environ, verdicts)
    if not all(verdict.is_final for verdict in verdicts):
        sys.exit(1)
    if not all(verdict.is_accepted for verdict in verdicts):
        sys.exit(2)


def _print(verdict: ThemeVerdict) -> None:
    for fault in verdict.faults:
        place = fault.file or "the theme"
        if fault.line is not None:
            place = f"{place}, line {fault.line}"
        click.echo(f"{fault.severity:<8} {place}: {fault.what}")
        click.echo(f"         -> {fault.cure}")
    errors = len(verdict.errors)
    warnings = counted(len(verdict.faults) - errors, "warning")
    if not verdict.is_final:
        said = "not checked"
    elif verdict.is_accepted:
        said = f"accepted, {warnings}"
    else:
        said = f"refused, {counted(errors, 'error')}, {warnings}"
    click.echo(f"theme {verdict.theme}: {said}")


def _plain(verdict: ThemeVerdict) -> dict[str, object]:
    return {
        "theme": verdict.theme,
        "hash": verdict.theme_hash,
        "accepted": verdict.is_accepted,
        "checked": verdict.is_final,
        "faults": verdict.faults,
    }
