"""One transaction that stores what a handful of polls show.

    poll 1  ask, add rows  -+
    poll 2  ask, add rows  -+--> a statement per table writes them all
    poll 3  ask, add rows  -+

A statement costs more than the rows of a poll. So which names there are at all
is asked once for all polls, and new rows wait until something that may read
them is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, Table, bindparam, func, insert, select

from newsletter.identity import Named
from newsletter.storage.bulk import run
from newsletter.storage.columns import pack, to_ticks
from newsletter.storage.database import blocks
from newsletter.storage.schema import entries, entry_aliases, url_guids

#: By column.
Row: TypeAlias = dict[str, Any]
#: Of SQLite: makes entries of a list of times.
_TICKS = func.json_each(bindparam("ticks")).table_valued("key", "value")
_MAKE = (
    insert(entries)
    .from_select(["created_at"], select(_TICKS.c.value).order_by(_TICKS.c.key))
    .returning(entries.c.id)
)


@dataclass(slots=True, kw_only=True)
class Handful:
    """Rows that wait, and what need not be asked; within an open transaction."""

    #: Used here alone; others go by ``connection``.
    bare: Connection
    #: Names that lead to an entry, or did before this transaction took them away.
    _names: set[str] = field(default_factory=set)
    #: (source, url) that guids were given to.
    _given: set[tuple[str, str]] = field(default_factory=set)
    _waiting: dict[Table, list[Row]] = field(default_factory=dict)
    #: Ids of the entries made: the first is -1 in the rows that wait, and so on.
    _made: list[int] = field(default_factory=list)
    #: Entries that wait; they come after these.
    _new: list[Row] = field(default_factory=list)

    def look_up(self, named: Collection[Named]) -> None:
        """Note which names and addresses of *named* the store knows at all."""
        names = sorted({name for _, every in named for name in every})
        for block in blocks(names):
            found = select(entry_aliases.c.alias).where(
                entry_aliases.c.alias.in_(block)
            )
            self._names.update(self.bare.scalars(found))
        for block in blocks(name for name in names if name.startswith("url:")):
            given = select(url_guids.c.source, url_guids.c.url).where(
                url_guids.c.url.in_(block)
            )
            self._given.update((r.source, r.url) for r in self.bare.execute(given))

    def may_lead(self, names: Collection[str]) -> list[str]:
        """Return those of *names* that may lead to an entry; the others do not."""
        return [name for name in names if name in self._names]

    def may_be_given(self, source: str, urls: Collection[str]) -> list[str]:
        """Return those of *urls* that *source* may have given to a guid."""
        return [url for url in urls if (source, url) in self._given]

    def make_entry(self, seen_at: datetime) -> int:
        """Make an entry; return what stands for its id in the rows that wait."""
        self._new.append({"created_at": seen_at})
        return -len(self._made) - len(self._new)

    def name(self, rows: Sequence[Row]) -> None:
        """Add rows of entry_aliases."""
        self._names.update(str(row["alias"]) for row in rows)
        self.add(entry_aliases, rows)

    def give(self, rows: Sequence[Row]) -> None:
        """Add rows of url_guids."""
        self._given.update((str(row["source"]), str(row["url"])) for row in rows)
        self.add(url_guids, rows)

    def add(self, table: Table, rows: Sequence[Row]) -> None:
        """Add *rows* to *table*, at the latest before anything is read."""
        if rows:
            self._waiting.setdefault(table, []).extend(rows)

    @property
    def connection(self) -> Connection:
        """The connection, with all rows written."""
        self.write()
        return self.bare

    def write(self) -> None:
        """Write the rows that wait."""
        self._write_entries()
        for table, rows in self._waiting.items():
            for row in rows:
                entry = row.get("entry_id")
                if isinstance(entry, int) and entry < 0:
                    row["entry_id"] = self._made[-entry - 1]
            run(self.bare, insert(table), rows)
        self._waiting.clear()

    def _write_entries(self) -> None:
        """Write the entries that were made; their ids rise in their order."""
        if not self._new:
            return
        if self.bare.dialect.name == "sqlite":
            # It would be asked for each id by a statement of its own.
            ticks = pack([to_ticks(row["created_at"]) for row in self._new])
            self._made += sorted(self.bare.scalars(_MAKE, {"ticks": ticks}))
        else:
            make = insert(entries).returning(entries.c.id, sort_by_parameter_order=True)
            self._made += self.bare.scalars(make, self._new)
        self._new.clear()
