"""A profile from a form: by the rules of subscribers.toml, mistakes by their field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from newsletter.config.places import Path
from newsletter.config.reading import Document, problems_of
from newsletter.config.schema import ReaderKeys, SubscriberTable
from newsletter.config.settings import Settings
from newsletter.config.subscribers import read_reader
from newsletter.errors import QueryError
from newsletter.model import Profile

#: Keys that hold queries.
_QUERIES = ("interests", "mutes")
#: Whom a profile is read for, who need not exist.
_ANYBODY = "reader@example.org"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """What is wrong with one field, and what was expected."""

    #: A key of subscribers.toml; empty: no single one.
    key: str
    #: Which of several values, from 0. None: it has one.
    place: int | None = None
    #: Which character of a query, from 1. None: it is about no character.
    position: int | None = None
    #: A part of an interest: ``query``, ``name`` or ``weight``; may be empty.
    part: str = ""
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What a form says: a profile, or what is wrong with it."""

    #: None: there are mistakes.
    profile: Profile | None = None
    mistakes: tuple[Mistake, ...] = ()


def try_profile(data: Mapping[str, object], settings: Settings) -> Tried:
    """Read *data* as the keys of a reader; nothing is kept.

    Args:
        data: Keys of ``[[subscribers]]`` that make a profile, values as TOML
            would have them.
        settings: Whose defaults apply to what *data* leaves out.

    Raises:
        ConfigError: The ``[defaults]`` have mistakes.
    """
    mistakes = (*_mistakes(data), *_broken(data))
    if mistakes:
        return Tried(mistakes=mistakes)
    spec = read_reader({**data, "address": _ANYBODY}, settings, name="form")
    return Tried(profile=spec.profile)


@dataclass(frozen=True, slots=True)
class _Form(Document):
    """A document whose mistakes are kept by their path."""

    found: list[tuple[Path, str]] = field(default_factory=list)

    def problem(self, path: Sequence[str | int], what: str) -> str:
        """Keep one mistake."""
        self.found.append((tuple(path), what))
        return what


def _mistakes(data: Mapping[str, object]) -> Iterator[Mistake]:
    """Yield what is wrong with values, apart from the queries' grammar."""
    form = _Form("form", data)
    try:
        SubscriberTable.model_validate({**data, "address": _ANYBODY})
    except ValidationError as error:
        problems_of(form, error, ReaderKeys)
    for path, what in form.found:
        place = next((step for step in path if isinstance(step, int)), None)
        key, *part = (step for step in path if isinstance(step, str))
        yield Mistake(key=key, place=place, part=part[0] if part else "", what=what)


def _broken(data: Mapping[str, object]) -> Iterator[Mistake]:
    """Yield the queries that cannot be parsed, each with its place."""
    from newsletter.matching.grammar import parse_query  # noqa: PLC0415 - lark only where queries are

    for key in _QUERIES:
        values = data.get(key)
        for place, value in enumerate(values if isinstance(values, list) else ()):
            query = value["query"] if isinstance(value, Mapping) else value
            try:
                parse_query(str(query))
            except QueryError as error:
                yield Mistake(
                    key=key,
                    place=place,
                    position=error.position + 1,
                    part="query",
                    what=error.reason,
                )
