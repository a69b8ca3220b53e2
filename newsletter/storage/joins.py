"""Entries that were found to be one: which stands for which.

A joined entry's ``joined_to`` names the one that stands for it; never a
chain, so one look is enough.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, or_, select, update

from newsletter.model import ListingState
from newsletter.storage.database import blocks
from newsletter.storage.schema import (
    entries,
    entry_aliases,
    entry_versions,
    listings,
    sightings,
)

#: Which of two listings of one story stays: the first of these.
_ORDER = (
    ListingState.RELEASED,
    ListingState.PENDING,
    ListingState.HELD,
    ListingState.PASSED_OVER,
    ListingState.DROPPED,
)


def roots_of(connection: Connection, ids: Iterable[int]) -> dict[int, int]:
    """Return for each entry the one that stands for it; itself where unknown."""
    roots = {entry: entry for entry in ids}
    for block in blocks(tuple(roots)):
        query = select(entries.c.id, entries.c.joined_to).where(
            entries.c.id.in_(block), entries.c.joined_to.is_not(None)
        )
        roots.update({row.id: row.joined_to for row in connection.execute(query)})
    return roots


def aliases_of(connection: Connection, ids: Iterable[int]) -> dict[int, frozenset[int]]:
    """Return for each entry all ids of what it is now one with, and its own."""
    roots = roots_of(connection, ids)
    groups = {root: {root} for root in roots.values()}
    for block in blocks(tuple(groups)):
        query = select(entries.c.id, entries.c.joined_to).where(
            entries.c.joined_to.in_(block)
        )
        for row in connection.execute(query):
            groups[row.joined_to].add(row.id)
    return {entry: frozenset(groups[root]) for entry, root in roots.items()}


def join(connection: Connection, younger: int, *, older: int) -> None:
    """Make *younger* stand for *older*, with all that is known of it."""
    _drop_double_listings(connection, younger, older)
    for table in (entry_aliases, entry_versions, listings, sightings):
        connection.execute(
            update(table).where(table.c.entry_id == younger).values(entry_id=older)
        )
    is_it = or_(entries.c.id == younger, entries.c.joined_to == younger)
    connection.execute(update(entries).where(is_it).values(joined_to=older))


def _drop_double_listings(connection: Connection, younger: int, older: int) -> None:
    """Keep one listing per source: what readers have, else what they may get.

    Of the released ones the first; a decision to drop a story stands only
    where it is all that there is.
    """
    query = select(
        listings.c.id, listings.c.source, listings.c.state, listings.c.seq
    ).where(listings.c.entry_id.in_((younger, older)))
    rows = connection.execute(query).all()
    seen: set[str] = set()
    for row in sorted(rows, key=lambda r: (_ORDER.index(r.state), r.seq or 0, r.id)):
        if row.source in seen:
            connection.execute(delete(listings).where(listings.c.id == row.id))
        seen.add(row.source)
