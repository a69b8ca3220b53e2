"""What is remembered of sources between polls."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Table,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from newsletter.model import Move, Rhythm, SourceState, Validator
from newsletter.storage.columns import pack
from newsletter.storage.database import Database, blocks
from newsletter.storage.schema import source_moves, source_validators, sources

#: Columns that are values of their own in a state.
_PLAIN = tuple(c.name for c in sources.columns if c.name != "rhythm")


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlSources:
    """Sources in tables; see ports.Sources. Safe from any thread."""

    database: Database

    def find(self, names: Iterable[str]) -> Mapping[str, SourceState]:
        """See ports.Sources."""
        wanted = list(names)
        rows: dict[str, Row[Any]] = {}
        validators: dict[str, dict[str, Validator]] = defaultdict(dict)
        moves: dict[str, dict[str, Move]] = defaultdict(dict)
        with self.database.read() as connection:
            for block in blocks(wanted):
                query = select(sources).where(sources.c.name.in_(block))
                rows.update({row.name: row for row in connection.execute(query)})
                for row in _of_sources(connection, source_validators, block):
                    validators[row.source][row.url] = Validator(
                        etag=row.etag, last_modified=row.last_modified
                    )
                for row in _of_sources(connection, source_moves, block):
                    moves[row.source][row.url] = Move(
                        target=row.target, times=row.times
                    )
        return {
            name: _state(rows[name], validators[name], moves[name])
            if name in rows
            else SourceState(name=name)
            for name in wanted
        }

    def save(self, states: Iterable[SourceState]) -> None:
        """See ports.Sources."""
        kept = list(states)
        if not kept:
            return
        with self.database.write() as connection:
            _put_states(connection, kept)
            _put_rows(connection, source_validators, kept, _validator_rows(kept))
            _put_rows(connection, source_moves, kept, _move_rows(kept))

    def forget(self, name: str) -> None:
        """See ports.Sources."""
        with self.database.write() as connection:
            for table in (source_validators, source_moves):
                connection.execute(delete(table).where(table.c.source == name))
            connection.execute(delete(sources).where(sources.c.name == name))


def _of_sources(
    connection: Connection, table: Table, names: Sequence[str]
) -> Sequence[Row[Any]]:
    query = select(table).where(table.c.source.in_(names))
    return connection.execute(query).all()


def _state(
    row: Row[Any], validators: Mapping[str, Validator], moves: Mapping[str, Move]
) -> SourceState:
    plain = {name: getattr(row, name) for name in _PLAIN}
    return SourceState(
        **plain,
        validators=dict(validators),
        moves=dict(moves),
        rhythm=_rhythm(row.rhythm),
    )


def _rhythm(packed: str | None) -> Rhythm:
    if packed is None:
        return Rhythm()
    said = json.loads(packed)
    seconds = said["at_least_s"]
    return Rhythm(
        at_least=None if seconds is None else timedelta(seconds=seconds),
        skip_hours=frozenset(said["skip_hours"]),
        skip_days=frozenset(said["skip_days"]),
    )


def _packed(rhythm: Rhythm) -> str | None:
    if rhythm == Rhythm():
        return None
    seconds = None if rhythm.at_least is None else rhythm.at_least.total_seconds()
    return pack(
        {
            "at_least_s": seconds,
            "skip_hours": sorted(rhythm.skip_hours),
            "skip_days": sorted(rhythm.skip_days),
        }
    )


def _put_states(connection: Connection, states: Sequence[SourceState]) -> None:
    known: set[str] = set()
    for block in blocks(state.name for state in states):
        query = select(sources.c.name).where(sources.c.name.in_(block))
        known.update(connection.scalars(query))
    rows = [
        {**{name: getattr(s, name) for name in _PLAIN}, "rhythm": _packed(s.rhythm)}
        for s in states
    ]
    if new := [row for row in rows if row["name"] not in known]:
        connection.execute(insert(sources), new)
    if old := [
        {**row, "known_name": row["name"]} for row in rows if row["name"] in known
    ]:
        by_name = sources.c.name == bindparam("known_name")
        connection.execute(update(sources).where(by_name), old)


def _put_rows(
    connection: Connection,
    table: Table,
    states: Sequence[SourceState],
    wanted: Mapping[tuple[str, str], Mapping[str, object]],
) -> None:
    """Make the rows of *states* in *table* those of *wanted*; touch no other.

    Most polls change none, so what is there is looked at first.
    """
    there: dict[tuple[str, str], Mapping[str, object]] = {}
    for block in blocks(state.name for state in states):
        for row in _of_sources(connection, table, block):
            there[row.source, row.url] = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    gone = [key for key, row in there.items() if wanted.get(key) != row]
    if gone:
        connection.execute(
            delete(table).where(
                table.c.source == bindparam("of_source"), table.c.url == bindparam("at")
            ),
            [{"of_source": source, "at": url} for source, url in gone],
        )
    if new := [dict(row) for key, row in wanted.items() if there.get(key) != row]:
        connection.execute(insert(table), new)


def _validator_rows(
    states: Sequence[SourceState],
) -> dict[tuple[str, str], Mapping[str, object]]:
    return {
        (state.name, url): {
            "source": state.name,
            "url": url,
            "etag": validator.etag,
            "last_modified": validator.last_modified,
        }
        for state in states
        for url, validator in state.validators.items()
    }


def _move_rows(
    states: Sequence[SourceState],
) -> dict[tuple[str, str], Mapping[str, object]]:
    return {
        (state.name, url): {
            "source": state.name,
            "url": url,
            "target": move.target,
            "times": move.times,
        }
        for state in states
        for url, move in state.moves.items()
    }
