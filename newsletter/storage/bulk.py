"""One statement for very many rows, with little spent on each.

SQLAlchemy converts every value of every row by itself. Most values of a block
are the same few (an instant, a state, a zone), so each is converted once, and
the driver gets the rows as it wants them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Protocol

from sqlalchemy import Connection, Insert, Update
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import TypeEngine


class _Bind(Protocol):
    @property
    def type(self) -> TypeEngine[object]: ...


def run(
    connection: Connection,
    statement: Insert | Update,
    rows: Sequence[Mapping[str, Hashable]],
) -> None:
    """Run *statement* for each of *rows*, as ``connection.execute`` does.

    Args:
        connection: In a transaction.
        statement: All its values are parameters, which every row names.
        rows: At least one; values by parameter.
    """
    given = list(rows[0]) if isinstance(statement, Insert) else None
    compiled = statement.compile(dialect=connection.dialect, column_keys=given)
    names = list(compiled.binds)
    columns = [
        _converted(
            compiled.binds[name], connection.dialect, [row[name] for row in rows]
        )
        for name in names
    ]
    if compiled.positional:
        places = [names.index(name) for name in compiled.positiontup or ()]
        ordered = [columns[place] for place in places]
        connection.exec_driver_sql(str(compiled), list(zip(*ordered, strict=True)))
    else:
        named = [
            dict(zip(names, values, strict=True))
            for values in zip(*columns, strict=True)
        ]
        connection.exec_driver_sql(str(compiled), named)


def _converted(
    bind: _Bind, dialect: Dialect, values: Sequence[Hashable]
) -> Sequence[object]:
    """Return *values* as the driver takes them; equal ones are converted once."""
    convert: Callable[[object], object] | None = bind.type.dialect_impl(
        dialect
    ).bind_processor(dialect)
    if convert is None:
        return values
    known = {value: convert(value) for value in set(values)}
    return [known[value] for value in values]
