"""Lines for people: in colour and within the width of a terminal, plain in a pipe.

3  (2 alone)  State spaces
^ head        ^ the text; where it is wrapped it goes on below itself
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import click

#: Columns of a bar that are enough to see what is more.
_LONGEST_BAR = 40
#: Room that a terminal keeps for what stands before a bar.
_BEFORE_BAR = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line; a terminal may need several for it."""

    head: str = ""
    text: str = ""
    #: How a terminal shows the text, as rich names styles.
    style: str = ""
    #: How many marks of a bar stand behind it.
    bar: int = 0


def heading(text: str) -> tuple[Line, Line]:
    """Return an empty line and a heading."""
    return Line(), Line(text=text, style="bold")


def longest_bar() -> int:
    """Return the most marks for which there is room."""
    if not sys.stdout.isatty():
        return _LONGEST_BAR
    from rich.console import Console  # noqa: PLC0415 - only terminals pay for it

    return max(8, min(_LONGEST_BAR, Console().width - _BEFORE_BAR))


def print_lines(lines: Iterable[Line]) -> None:
    """Print *lines* as standard output can show them."""
    show = _on_terminal() if sys.stdout.isatty() else _plainly
    for line in lines:
        show(line)


def _plainly(line: Line) -> None:
    click.echo(f"{line.head}{line.text}{'#' * line.bar}".rstrip())


def _on_terminal() -> Callable[[Line], None]:
    from rich.console import Console  # noqa: PLC0415 - only terminals pay for it
    from rich.text import Text  # noqa: PLC0415 - the same

    console = Console(highlight=False)

    def show(line: Line) -> None:
        room = max(20, console.width - len(line.head))
        text = Text(line.text, style=line.style)
        first = line.head
        for wrapped in text.wrap(console, room) or [Text()]:
            wrapped.rstrip()
            whole = Text.assemble(first, wrapped, ("█" * line.bar, "green"))
            whole.rstrip()
            console.print(whole, soft_wrap=True)
            first = " " * len(line.head)

    return show
