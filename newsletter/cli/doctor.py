"""``newsletter doctor``: what is wrong, and what to do about it."""

from __future__ import annotations

import os
import sys

import click

from newsletter import app as root
from newsletter.cli.output import counted, json_option, print_json
from newsletter.usecases.diagnose import Finding, Grade


@click.command()
@click.option(
    "--offline", is_flag=True, help="Ask neither the sources nor the SMTP server."
)
@json_option
@click.pass_context
def doctor(ctx: click.Context, *, offline: bool, as_json: bool) -> None:
    """Look at all that a run needs; say what is wrong and what to do about it.

    Nothing is sent, stored or created. Exit code 1 where something does not
    work, 2 where the configuration has a mistake.
    """
    folder = ctx.find_root().obj["folder"]
    found: list[Finding] = []
    for finding in root.diagnose(folder, os.environ, ask=not offline):
        found.append(finding)
        if not as_json:
            _print(finding)
    if as_json:
        print_json(found)
    else:
        _print_sum(found)
    if any(finding.grade is Grade.ERROR for finding in found):
        sys.exit(1)


def _print(finding: Finding) -> None:
    click.echo(f"{finding.grade:<8} {finding.area}: {finding.what}")
    if finding.cure:
        click.echo(f"         -> {finding.cure}")


def _print_sum(found: list[Finding]) -> None:
    errors = sum(finding.grade is Grade.ERROR for finding in found)
    warnings = sum(finding.grade is Grade.WARNING for finding in found)
    click.echo(f"\n{counted(errors, 'error')}, {counted(warnings, 'warning')}")
