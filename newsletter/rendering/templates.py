"""Jinja for themes: sandboxed, escaping HTML, strict about names."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from jinja2 import (
    FunctionLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
)
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from newsletter.errors import RenderError, ThemeError
from newsletter.rendering import text
from newsletter.rendering.catalogues import SOURCE
from newsletter.rendering.cutting import Run, plain
from newsletter.rendering.saying import Speech
from newsletter.rendering.seen import (
    CardView,
    IssueView,
    LineView,
    LinkView,
    ReceiptView,
    SectionView,
    SenderView,
)
from newsletter.rendering.words import Words, words_for

#: What a theme's own mistakes raise inside a template, besides Jinja's errors.
FAULTS = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


#: What a theme may read of our views without being asked twice.
_OPEN: dict[type, frozenset[str]] = {
    kind: frozenset(f.name for f in fields(kind) if not f.name.startswith("_"))
    for kind in (
        *(IssueView, SectionView, CardView, LineView, LinkView),
        *(ReceiptView, SenderView, Run),
    )
}
_OPEN[LoopContext] = frozenset({"first", "last", "index", "index0", "length"})
_NONE: frozenset[str] = frozenset()


class _Sandbox(ImmutableSandboxedEnvironment):
    """The sandbox, which lets our own plain values through without its checks.

    They hold texts, numbers and tuples, no functions: all checks would pass.
    They are most of what a theme asks for, and cost more than all else it does.
    """

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401 - Jinja's signature
        if attribute in _OPEN.get(type(obj), _NONE):
            return getattr(obj, attribute)
        return super().getattr(obj, attribute)


def is_escaped(name: str | None) -> bool:
    """Tell whether what the template *name* puts out is escaped as HTML."""
    return name is None or not name.endswith(".txt.j2")


def environment(
    files: Mapping[str, str], words: Words | None = None
) -> ImmutableSandboxedEnvironment:
    """Return the environment in which the templates *files* see one another.

    HTML is escaped everywhere but in files for plain text.

    Args:
        files: The templates by name.
        words: What the frame is written with. None: English.
    """

    def load(name: str) -> tuple[str, str, Callable[[], bool]] | None:
        # The name stands in for a file's path, so that errors tell it.
        source = files.get(name)
        return None if source is None else (source, name, lambda: True)

    env = _Sandbox(
        loader=FunctionLoader(load),
        autoescape=is_escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    # The same issue gives the same bytes: nothing here is left to chance.
    del env.filters["random"], env.globals["lipsum"]
    env.filters["wrap"] = text.wrap
    env.filters["plain"] = plain
    speech = Speech(words or words_for(SOURCE))
    env.globals |= speech.globals
    env.filters |= speech.filters
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
) -> tuple[str, ...]:
    """Return what *template* makes of *values*, in parts.

    Args:
        template: Of an ``environment``.
        lines: For templates that were compiled from another text: their line
            to the theme's line.
        values: What the template sees, by name.

    Raises:
        RenderError: The template fails.
    """
    try:
        return _parts(template, values)
    except FAULTS as exc:
        file, line = place(exc, template.filename or "template", frozenset(lines))
        if line is not None and file in lines:
            line = lines[file](line)
        where = file if line is None else f"{file}, line {line}"
        raise RenderError(f"{where}: {exc}", template=file, line=line) from exc


def _parts(template: Template, values: dict[str, object]) -> tuple[str, ...]:
    # As Template.generate does, without one more turn for each part.
    try:
        return tuple(template.root_render_func(template.new_context(values)))
    except Exception:  # noqa: BLE001 - raised again, with the template's lines
        template.environment.handle_exception()


def place(
    exc: BaseException, file: str, compiled: frozenset[str]
) -> tuple[str, int | None]:
    """Return the innermost line of a template that *exc* came through.

    Jinja rewrites tracebacks, so that frames name templates and their lines.
    """
    found: tuple[str, int | None] = (file, None)
    for frame in traceback.extract_tb(exc.__traceback__):
        if frame.filename in compiled or frame.filename.endswith(".j2"):
            found = (frame.filename, frame.lineno)
    return found
