"""subscribers.toml: readers as their editor wrote them down, checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import TypeVar
from unicodedata import combining, east_asian_width

from pydantic import ValidationError

from newsletter.config.places import Path
from newsletter.config.reading import Document, problems_of, read_document
from newsletter.config.schema import (
    InterestTable,
    ReaderKeys,
    SubscribersFile,
    SubscriberTable,
)
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
#: As much of a query is shown on either side of a mistake.
_AROUND = 60
DEFAULT_SCHEDULE = ("weekdays 07:30",)
_PROFILE_DEFAULTS = {
    "order": "relevance",
    "sections": "none",
    "max_items": 12,
    "min_votes": 0,
    "stem": "none",
    "fill": False,
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
    queries, problems = _defaults(settings)
    specs = None
    if file.exists():
        document = read_document(file)
        reader = _Reader(document, settings, queries)
        tables, wrong = _tables(document)
        specs = tuple(
            reader.spec(table, ("subscribers", number))
            for number, table in tables.items()
        )
        doubles = [document.problem(*each) for each in _doubles(tables, document)]
        problems = [*problems, *wrong, *reader.problems, *doubles]
    if problems:
        raise ConfigError(*problems)
    return specs


def read_reader(
    data: Mapping[str, object], settings: Settings, *, name: str
) -> SubscriberSpec:
    """Return one reader as *data* says, by the same rules as subscribers.toml.

    Args:
        data: The keys of a ``[[subscribers]]`` table.
        settings: Whose defaults apply.
        name: What to call it in mistakes.

    Raises:
        ConfigError: With every mistake, each with its key.
    """
    return _one(Document(name, data), settings)


def read_profile(
    file: FilePath, text: str, settings: Settings, *, address: str
) -> SubscriberSpec:
    """Return the reader *address* with the profile that a document holds.

    Args:
        file: What to call the document in mistakes.
        text: TOML: the keys of ``[[subscribers]]`` but address, id and name.
        settings: Whose defaults apply.
        address: Whose profile it is, or would be.

    Raises:
        ConfigError: With every mistake, each with line and key.
    """
    document = read_document(file, text)
    try:
        ReaderKeys.model_validate(document.data)
    except ValidationError as error:
        raise ConfigError(*problems_of(document, error, ReaderKeys)) from error
    return _one(replace(document, data={**document.data, "address": address}), settings)


def _one(document: Document, settings: Settings) -> SubscriberSpec:
    queries, problems = _defaults(settings)
    try:
        table = SubscriberTable.model_validate(document.data)
    except ValidationError as error:
        problems = [*problems, *problems_of(document, error, SubscriberTable)]
        raise ConfigError(*problems) from error
    reader = _Reader(document, settings, queries)
    spec = reader.spec(table, ())
    if problems or reader.problems:
        raise ConfigError(*problems, *reader.problems)
    return spec


def _defaults(settings: Settings) -> tuple[_Queries, list[str]]:
    """Return the queries of ``[defaults]``, and what is wrong with them."""
    reader = _Reader(settings.document, settings, _Queries())
    return reader.queries(settings.defaults, ("defaults",)), reader.problems


def _tables(document: Document) -> tuple[dict[int, SubscriberTable], list[str]]:
    """Return the readers that can be read by their place, and what is wrong."""
    problems: list[str] = []
    try:
        checked = SubscribersFile.model_validate(document.data)
    except ValidationError as error:
        problems = problems_of(document, error, SubscribersFile)
    else:
        return dict(enumerate(checked.subscribers)), problems
    found = document.data.get("subscribers")
    tables: dict[int, SubscriberTable] = {}
    # One reader's mistake must not hide another's broken query.
    for number, data in enumerate(found if isinstance(found, list) else ()):
        with suppress(ValidationError):
            tables[number] = SubscriberTable.model_validate(data)
    return tables, problems


@dataclass(frozen=True, slots=True, kw_only=True)
class _Queries:
    """A reader's parsed interests and mutes. None: not said."""

    interests: tuple[Interest, ...] | None = None
    mutes: tuple[Mute, ...] | None = None


def _doubles(
    tables: Mapping[int, SubscriberTable], document: Document
) -> Iterator[tuple[Path, str]]:
    """Yield every reader whose address or id another one has already."""
    first: dict[tuple[str, str], int] = {}
    for number, table in tables.items():
        for key, value in (("address", table.address), ("id", table.id)):
            if value is None:
                continue
            same = value.casefold() if key == "address" else value
            earlier = first.setdefault((key, same), number)
            if earlier != number:
                line = document.line(("subscribers", earlier, key))
                yield (
                    ("subscribers", number, key),
                    f"{value!r} stands in line {line} already; expected each once",
                )


@dataclass(slots=True)
class _Reader:
    """Turns checked tables into values; collects what is wrong with queries."""

    document: Document
    settings: Settings
    defaults: _Queries
    problems: list[str] = field(default_factory=list)

    def spec(self, table: SubscriberTable, at: Path) -> SubscriberSpec:
        """Return one subscriber, whose table stands *at*."""
        defaults, newsletter = self.settings.defaults, self.settings.newsletter
        schedule = table.schedule or defaults.schedule or DEFAULT_SCHEDULE
        return SubscriberSpec(
            address=table.address,
            id=table.id,
            name=table.name,
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
            stem=said["stem"],
            fill=said["fill"],
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

    def _interest(self, item: InterestTable, at: Path) -> Interest | None:
        tree = self._tree(item.query, at)
        if tree is None:
            return None
        return Interest(query=item.query, tree=tree, name=item.name, weight=item.weight)

    def _tree(self, query: str, at: Sequence[str | int]) -> Query | None:
        """Parse a query; a broken one is a problem with its place under a caret."""
        from newsletter.matching.grammar import parse_query  # noqa: PLC0415 - lark only where queries are

        try:
            return parse_query(query)
        except QueryError as error:
            what = f"{error.reason}\n{pointed(error.query, error.position)}"
            self.problems.append(self.document.problem(at, what))
            return None


def pointed(query: str, position: int) -> str:
    """Return the part of *query* around *position*, with a caret below it."""
    start = max(position - _AROUND, 0)
    before = ("…" if start else "") + query[start:position]
    after = query[position : position + _AROUND]
    more = "…" if len(query) > position + _AROUND else ""
    return f"    {before}{after}{more}\n    {' ' * _columns(before)}^"


def _columns(text: str) -> int:
    """Return how wide *text* stands on a terminal: Han and Kana take two."""
    wide = sum(east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(map(bool, map(combining, text)))


T = TypeVar("T")


def _first(*found: tuple[T, ...] | None) -> tuple[T, ...]:
    """Return the first that was said at all; nothing where none was."""
    return next((value for value in found if value is not None), ())
