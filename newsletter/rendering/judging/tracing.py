"""A mail's part with the line of the theme that each piece of it came from."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from jinja2 import Template

from newsletter.rendering import templates

Lines = Mapping[str, Callable[[int], int]]


class TooLargeError(Exception):
    """A piece of a mail outgrew every mail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """A rendered text, and the line of the file for every place in it."""

    file: str
    text: str
    #: Where pieces begin in the text, ascending.
    starts: tuple[int, ...]
    #: Their lines. None: unknown.
    lines: tuple[int | None, ...]
    _line_ends: tuple[int, ...] = field(repr=False)

    def line_at(self, offset: int) -> int | None:
        """Return the line of the theme's file that wrote the place *offset*."""
        place = bisect_right(self.starts, offset) - 1
        return self.lines[place] if place >= 0 else None

    def offset_of(self, line: int, column: int) -> int:
        """Return the offset of a place of the text: line from 1, column from 0."""
        return (self._line_ends[line - 2] + 1 if line > 1 else 0) + column


def traced(
    template: Template, values: Mapping[str, object], *, lines: Lines, largest: int
) -> Traced:
    """Return what *template* makes of *values*.

    Args:
        template: Of ``templates.environment``.
        values: What it sees, by name.
        lines: For templates that were compiled from another text: their line
            to the theme's line.
        largest: Characters; more is given up on.

    Raises:
        TooLargeError: It outgrew *largest*; its second argument is the line.
        Exception: Whatever a template raises, with its lines.
    """
    file = template.filename or "template"
    pieces: list[str] = []
    starts: list[int] = []
    places: list[int | None] = []
    size = 0
    for piece, line in _pieces(template, values):
        place = lines[file](line) if line is not None and file in lines else line
        starts.append(size)
        places.append(place)
        pieces.append(piece)
        size += len(piece)
        if size > largest:
            raise TooLargeError(file, place)
    text = "".join(pieces)
    ends = tuple(found.start() for found in re.finditer("\n", text))
    return Traced(
        file=file,
        text=text,
        starts=tuple(starts),
        lines=tuple(places),
        _line_ends=ends,
    )


def _pieces(
    template: Template, values: Mapping[str, object]
) -> Iterator[tuple[str, int | None]]:
    running = template.root_render_func(template.new_context(dict(values)))
    line_of = cache(template.get_corresponding_lineno)
    try:
        for piece in running:
            frame = getattr(running, "gi_frame", None)
            yield piece, None if frame is None else line_of(frame.f_lineno)
    except Exception:  # noqa: BLE001 - raised again, with the template's lines
        template.environment.handle_exception()


def place_of(exc: BaseException, file: str, lines: Lines) -> tuple[str, int | None]:
    """Return the file and line of the theme that *exc* came through last."""
    found, line = templates.place(exc, file, frozenset(lines))
    if line is not None and found in lines:
        line = lines[found](line)
    return found, line
