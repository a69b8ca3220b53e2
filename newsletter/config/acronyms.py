"""acronyms.toml: short forms and what they stand for, as the operator keeps them.

    LLM = "large language model"
    "R&D" = "research and development"

`newsletter acronyms mine` proposes lines for it; a person mends them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as FilePath

from newsletter.config.reading import Document, read_document
from newsletter.errors import ConfigError
from newsletter.matching.tokens import tokenize
from newsletter.model import NO_ACRONYMS, Acronym, Acronyms

FILE = "acronyms.toml"


def load_acronyms(folder: FilePath) -> Acronyms:
    """Return what acronyms.toml says; nothing where there is none.

    Raises:
        ConfigError: With every mistake, each with file, line and key.
    """
    file = folder / FILE
    if not file.exists():
        return NO_ACRONYMS
    document = read_document(file)
    problems = [document.problem((key,), what) for key, what in _mistakes(document)]
    if problems:
        raise ConfigError(*problems)
    return Acronyms(
        tuple(Acronym(short=short, long=long) for short, long in document.data.items())
    )


def _mistakes(document: Document) -> Iterator[tuple[str, str]]:
    """Yield (short form, what is wrong with it)."""
    first: dict[tuple[str, ...], str] = {}
    for short, long in document.data.items():
        if not isinstance(long, str):
            yield short, f'a list or table; expected {short} = "its long form"'
            continue
        before = first.setdefault(tokenize(short), short)
        if not tokenize(short):
            yield short, "has no letter; expected a short form such as LLM"
        elif len(tokenize(long)) < 2:  # noqa: PLR2004 - a word alone is no long form
            yield short, f"{long!r} is no long form; expected two words or more"
        elif before != short:
            what = (
                f"line {document.line((before,))} says what {before} is, and case "
                "makes no difference; expected each short form once: keep the sense "
                "that readers mean"
            )
            yield short, what


def as_line(acronym: Acronym) -> str:
    """Return the line that says *acronym*."""
    is_bare = acronym.short.replace("-", "").isalnum() and acronym.short.isascii()
    key = acronym.short if is_bare else f'"{acronym.short}"'
    return f'{key} = "{acronym.long}"'
