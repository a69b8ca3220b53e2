"""subscribers.toml: readers as their editor wrote them down, checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path as FilePath
from typing import TypeVar

from pydantic import ValidationError

from newsletter.config import later
from newsletter.config.places import Path
from newsletter.config.reading import Document, problems_of, read_document
from newsletter.config.schema import (
    InterestTable,
    ReaderKeys,
    SubscribersFile,
    SubscriberTable,
)
from newsletter.config.settings import FILE as SETTINGS_FILE
from newsletter.config.settings import Settings
from newsletter.errors import ConfigError, QueryError
from newsletter.model import (
    Interest,
    Mute,
    Order,
    Profile,
    Query,
    Sections,
    SubscriberSpec,
)

FILE = "subscribers.toml"
DEFAULT_SCHEDULE = ("weekdays 07:30",)
_PROFILE_DEFAULTS = {
    "order": "relevance",
    "sections": "none",
    "max_items": 12,
    "min_votes": 0,
    "skip_empty": True,
}


def load_subscribers(
    folder: FilePath, settings: Settings
) -> tuple[SubscriberSpec, ...] | None:
    """Read and check subscribers.toml; None: there is no such file.

    Raises:
        ConfigError: With every mistake, each with file, line and key.
    """
    file = folder / FILE
    if not file.exists():
        _check_defaults(folder, settings)
        return None
    document = read_document(file)
    try:
        checked = SubscribersFile.model_validate(document.data)
    except ValidationError as error:
        problems = problems_of(document, error, SubscribersFile)
        raise ConfigError(*problems) from error
    defaults = _check_defaults(folder, settings)
    reader = _Reader(document, settings, defaults)
    specs = tuple(
        reader.spec(table, number) for number, table in enumerate(checked.subscribers)
    )
    reader.problems += [document.problem(p, w) for p, w in _doubles(checked, document)]
    if reader.problems:
        raise ConfigError(*reader.problems)
    return specs


@dataclass(frozen=True, slots=True, kw_only=True)
class _Queries:
    """A reader's parsed interests and mutes. None: not said."""

    interests: tuple[Interest, ...] | None
    mutes: tuple[Mute, ...] | None


def _check_defaults(folder: FilePath, settings: Settings) -> _Queries:
    """Parse the queries of ``[defaults]``, once for all readers."""
    if settings.defaults.interests is None and settings.defaults.mutes is None:
        return _Queries(interests=None, mutes=None)
    document = read_document(folder / SETTINGS_FILE)
    none = _Queries(interests=None, mutes=None)
    reader = _Reader(document, settings, none)
    found = reader.queries(settings.defaults, ("defaults",))
    if reader.problems:
        raise ConfigError(*reader.problems)
    return found


def _doubles(
    checked: SubscribersFile, document: Document
) -> Iterator[tuple[Path, str]]:
    """Yield every reader whose address or id another one has already."""
    first: dict[tuple[str, str], int] = {}
    for number, table in enumerate(checked.subscribers):
        for key, value in (("address", table.address.casefold()), ("id", table.id)):
            if value is None:
                continue
            earlier = first.setdefault((key, value), number)
            if earlier != number:
                line = document.lines.get(("subscribers", earlier, key))
                where = f"line {line}" if line else f"subscribers[{earlier + 1}]"
                yield (
                    ("subscribers", number, key),
                    f"{value!r} stands in {where} already; expected each once",
                )


@dataclass(slots=True)
class _Reader:
    """Turns checked tables into values; collects what is wrong with queries."""

    document: Document
    settings: Settings
    defaults: _Queries
    problems: list[str] = field(default_factory=list)

    def spec(self, table: SubscriberTable, number: int) -> SubscriberSpec:
        """Return one subscriber."""
        at: Path = ("subscribers", number)
        for key, sentence in later.refused_of_reader(table):
            self.problems.append(self.document.problem((*at, key), sentence))
        defaults, newsletter = self.settings.defaults, self.settings.newsletter
        schedule = table.schedule or defaults.schedule or DEFAULT_SCHEDULE
        return SubscriberSpec(
            address=table.address,
            id=table.id,
            name=" ".join(table.name.split()),
            timezone=table.timezone or defaults.timezone or newsletter.timezone,
            language=table.language or defaults.language or newsletter.language,
            schedule=tuple(schedule),
            profile=self._profile(table, at),
        )

    def _profile(self, table: ReaderKeys, at: Path) -> Profile:
        queries = self.queries(table, at)
        said = {
            **_PROFILE_DEFAULTS,
            **self.settings.defaults.model_dump(exclude_none=True),
            **table.model_dump(exclude_none=True),
        }
        return Profile(
            interests=_first(queries.interests, self.defaults.interests),
            mutes=_first(queries.mutes, self.defaults.mutes),
            order=Order(said["order"]),
            sections=Sections(said["sections"]),
            max_items=said["max_items"],
            min_votes=said["min_votes"],
            skip_empty=said["skip_empty"],
        )

    def queries(self, table: ReaderKeys, at: Path) -> _Queries:
        """Return the parsed interests and mutes of a reader or of the defaults."""
        interests = mutes = None
        if table.interests is not None:
            found = [
                self._interest(item, (*at, "interests", place))
                for place, item in enumerate(table.interests)
            ]
            interests = tuple(interest for interest in found if interest is not None)
        if table.mutes is not None:
            trees = [
                (query, self._tree(query, (*at, "mutes", place)))
                for place, query in enumerate(table.mutes)
            ]
            mutes = tuple(Mute(query=q, tree=t) for q, t in trees if t is not None)
        return _Queries(interests=interests, mutes=mutes)

    def _interest(self, item: str | InterestTable, at: Path) -> Interest | None:
        if isinstance(item, str):
            query, name, weight = item, "", Decimal(1)
        else:
            query, name, weight = item.query, item.name, item.weight
        tree = self._tree(query, at)
        if tree is None:
            return None
        label = " ".join(name.split())
        return Interest(query=query, tree=tree, name=label, weight=weight)

    def _tree(self, query: str, at: Sequence[str | int]) -> Query | None:
        """Parse a query; a broken one is a problem with its place under a caret."""
        from newsletter.matching.grammar import parse_query  # noqa: PLC0415 - lark only where queries are

        try:
            return parse_query(query)
        except QueryError as error:
            what = f"{error.reason}\n    {error.query}\n    {' ' * error.position}^"
            self.problems.append(self.document.problem(at, what))
            return None


T = TypeVar("T")


def _first(*found: tuple[T, ...] | None) -> tuple[T, ...]:
    """Return the first that was said at all; nothing where none was."""
    return next((value for value in found if value is not None), ())
