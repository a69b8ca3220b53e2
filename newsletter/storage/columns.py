"""Column types that give both databases the same values back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

from sqlalchemy import BigInteger, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: The least that two stored instants differ by.
TICK = timedelta(microseconds=1)
#: Made once: for a short value, making it costs most.
_PACKER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)
Word = TypeVar("Word", bound=StrEnum)

#: SQLite counts up by itself only on a column that is exactly INTEGER.
RowId = BigInteger().with_variant(Integer, "sqlite")


def to_ticks(instant: datetime) -> int:
    """Return *instant* as whole microseconds since 1970 (UTC).

    Raises:
        ValueError: It is naive: nobody could say which instant it means.
    """
    if instant.tzinfo is None:
        raise ValueError(f"a stored instant must be aware, {instant} is not")
    return (instant - _EPOCH) // TICK


def from_ticks(ticks: int) -> datetime:
    """Return the instant, UTC, of that many microseconds since 1970."""
    return _EPOCH + ticks * TICK


def pack(value: object) -> str:
    """Return *value* as JSON in its one canonical spelling: compact, sorted."""
    return _PACKER.encode(value)


class Instant(TypeDecorator[datetime]):
    """An aware instant as microseconds since 1970.

    A number compares right in both databases; SQLite has no zoned timestamp,
    and its text form sorts wrong when a fraction is left out.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> int | None:
        """Return the number to store."""
        del dialect
        return None if value is None else to_ticks(value)

    def process_result_value(
        self, value: int | None, dialect: Dialect
    ) -> datetime | None:
        """Return the instant that was stored."""
        del dialect
        return None if value is None else from_ticks(value)


class Day(TypeDecorator[date]):
    """A calendar day as ISO 8601 text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:
        """Return the text to store."""
        del dialect
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> date | None:
        """Return the day that was stored."""
        del dialect
        return None if value is None else date.fromisoformat(value)


@lru_cache(maxsize=4096)
def _packed_list(values: tuple[str, ...]) -> str:
    return pack(values)


@lru_cache(maxsize=4096)
def _strings(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


@lru_cache(maxsize=4096)
def _days(text: str) -> tuple[date, ...]:
    return tuple(date.fromisoformat(day) for day in json.loads(text))


class Strings(TypeDecorator[tuple[str, ...]]):
    """Several strings as a JSON list; never null."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Iterable[str] | None, dialect: Dialect) -> str:
        """Return the list to store."""
        del dialect
        return _packed_list(tuple(value or ()))

    def process_result_value(
        self, value: str | None, dialect: Dialect
    ) -> tuple[str, ...]:
        """Return the strings that were stored."""
        del dialect
        return _strings(value or "[]")


class Days(TypeDecorator[tuple[date, ...]]):
    """Several calendar days as a JSON list; never null."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Iterable[date] | None, dialect: Dialect) -> str:
        """Return the list to store."""
        del dialect
        return _packed_list(tuple(day.isoformat() for day in value or ()))

    def process_result_value(
        self, value: str | None, dialect: Dialect
    ) -> tuple[date, ...]:
        """Return the days that were stored."""
        del dialect
        return _days(value or "[]")


class Named(TypeDecorator[Word]):
    """A member of an enum by its value, so that old rows outlive new members."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[Word]) -> None:
        """Keep which enum it is."""
        super().__init__()
        self.words = words

    def process_bind_param(self, value: Word | None, dialect: Dialect) -> str | None:
        """Return the value to store."""
        del dialect
        # Most are members already; to look one up costs more than all the rest.
        if value is not None and not isinstance(value, self.words):
            value = self.words(value)
        return value and value.value

    def process_result_value(self, value: str | None, dialect: Dialect) -> Word | None:
        """Return the member that was stored."""
        del dialect
        return None if value is None else self.words(value)
