"""How results are printed: aligned tables for people, JSON for programs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def json_option(command: F) -> F:
    """Give a command ``--json``, as the parameter ``as_json``."""
    option = click.option(
        "--json", "as_json", is_flag=True, help="Print JSON instead of a table."
    )
    return option(command)


def print_json(value: object) -> None:
    """Print *value* as indented JSON; instants in ISO 8601, UTC."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: object) -> object:
    """Return what json does not know as something that it does."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, frozenset):
        return sorted(value)
    return str(value)


def instant(value: datetime | None) -> str:
    """Return an instant for people and programs: 2026-11-24T07:30:00Z; "-": none."""
    if value is None:
        return "-"
    return value.isoformat(timespec="seconds").replace("+00:00", "Z")


def print_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print *rows* in aligned columns under *head*; the last column runs free."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[n]) for row in cells) for n in range(len(head))]
    for row in cells:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return "1 issue", "3 issues"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def warn(message: str) -> None:
    """Print a warning on standard error."""
    click.echo(f"warning: {message}", err=True)
