"""Jinja for themes: sandboxed, escaping HTML, strict about names."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from jinja2 import (
    FunctionLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from newsletter.errors import RenderError, ThemeError
from newsletter.rendering import text
from newsletter.rendering.cutting import plain

#: What a theme's own mistakes raise inside a template, besides Jinja's errors.
_FAULTS = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


def environment(files: Mapping[str, str]) -> ImmutableSandboxedEnvironment:
    """Return the environment in which the templates *files* see one another.

    HTML is escaped everywhere but in files for plain text.
    """

    def load(name: str) -> tuple[str, str, Callable[[], bool]] | None:
        # The name stands in for a file's path, so that errors tell it.
        source = files.get(name)
        return None if source is None else (source, name, lambda: True)

    env = ImmutableSandboxedEnvironment(
        loader=FunctionLoader(load),
        autoescape=lambda name: name is None or not name.endswith(".txt.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    env.filters["wrap"] = text.wrap
    env.filters["plain"] = plain
    return env


@contextmanager
def naming_theme_faults() -> Iterator[None]:
    """Raise a ThemeError for a template that does not parse."""
    try:
        yield
    except TemplateSyntaxError as exc:
        file = str(exc.name or "template")
        raise ThemeError(
            f"{file}, line {exc.lineno}: {exc.message}", file=file, line=exc.lineno
        ) from exc


def fill(
    template: Template, *, lines: Mapping[str, Callable[[int], int]], **values: object
) -> str:
    """Return what *template* makes of *values*.

    Args:
        template: Of an ``environment``.
        lines: For templates that were compiled from another text: their line
            to the theme's line.
        values: What the template sees, by name.

    Raises:
        RenderError: The template fails.
    """
    try:
        return template.render(**values)
    except _FAULTS as exc:
        file, line = _place(exc, template.filename or "template", frozenset(lines))
        if line is not None and file in lines:
            line = lines[file](line)
        where = file if line is None else f"{file}, line {line}"
        raise RenderError(f"{where}: {exc}", template=file, line=line) from exc


def _place(
    exc: BaseException, file: str, compiled: frozenset[str]
) -> tuple[str, int | None]:
    """Return the innermost line of a template that *exc* came through.

    Jinja rewrites tracebacks, so that frames name templates and their lines.
    """
    place: tuple[str, int | None] = (file, None)
    for frame in traceback.extract_tb(exc.__traceback__):
        if frame.filename in compiled or frame.filename.endswith(".j2"):
            place = (frame.filename, frame.lineno)
    return place
