"""Reading a window: distinct entries with all that is known up to its end.

A handful of statements whatever the window's size; what ranks sources is
their order in the configuration, which no database knows, so the last step is
Python's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from newsletter.model import Candidate, EntryVersion, SourceListing, Window
from newsletter.storage.codec import WEIGHED, version_of, weighed_of
from newsletter.storage.schema import entry_versions, listings, sightings
from newsletter.windows import Place, WideRead

#: (entry, source): what versions, listings and votes belong to.
_Pair = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is known of the entries that are read, by entry or by pair."""

    #: Every listing that counts, with its seq.
    listings: Mapping[int, Sequence[Any]]
    versions: Mapping[_Pair, EntryVersion]
    votes: Mapping[_Pair, int | None]


def read_window(
    connection: Connection,
    window: Window,
    *,
    source_order: Sequence[str],
    foreseen: ColumnElement[bool] | None = None,
) -> tuple[Candidate, ...]:
    """Return the distinct entries with a listing in *window*, by entry id.

    Listings that are *foreseen* count as released at the window's end.
    """
    inside = _within(window)
    known: ColumnElement[bool] = listings.c.seq <= window.until
    if foreseen is not None:
        inside, known = or_(inside, foreseen), or_(known, foreseen)
    return _candidates(
        connection,
        inside,
        known=known,
        after=window.after,
        source_order=source_order,
    )


def read_listed(
    connection: Connection,
    start: datetime,
    end: datetime,
    *,
    source_order: Sequence[str],
) -> tuple[Candidate, ...]:
    """Return released entries listed in [start, end), by entry id.

    Of their versions only what is weighed and named.
    """
    released = listings.c.seq.is_not(None)
    inside = and_(released, listings.c.listed_at >= start, listings.c.listed_at < end)
    return _candidates(
        connection,
        inside,
        known=released,
        after=0,
        source_order=source_order,
        is_whole=False,
    )


def _candidates(
    connection: Connection,
    inside: ColumnElement[bool],
    *,
    known: ColumnElement[bool],
    after: int,
    source_order: Sequence[str],
    is_whole: bool = True,
) -> tuple[Candidate, ...]:
    """Return the entries with a listing *inside*, by all *known* listings."""
    listed = _listed(connection, inside)
    which = select(listings.c.entry_id).where(inside)
    facts = _facts(connection, which, known, is_whole=is_whole)
    rank = _ranking(source_order)
    return tuple(
        _candidate(entry_id, listed[entry_id], facts, after=after, rank=rank)
        for entry_id in sorted(listed)
    )


def read_wide(
    connection: Connection, bounds: Window, *, source_order: Sequence[str]
) -> WideRead:
    """Return what every window within *bounds*, of the same end, can be told from."""
    inside, known = _within(bounds), listings.c.seq <= bounds.until
    listed = _listed(connection, inside)
    which = select(listings.c.entry_id).where(inside)
    facts = _facts(connection, which, known, is_whole=True)
    rank = _ranking(source_order)
    return WideRead(
        bounds=bounds,
        candidates=tuple(
            _candidate(entry_id, listed[entry_id], facts, after=bounds.after, rank=rank)
            for entry_id in sorted(listed)
        ),
        places=tuple(
            Place(
                entry_id=entry_id,
                seq=row.seq,
                listed_at=row.listed_at,
                released_at=row.released_at,
            )
            for row, entry_id in sorted(
                ((row, entry) for entry in listed for row in facts.listings[entry]),
                key=lambda pair: pair[0].seq,
            )
        ),
    )


def _within(window: Window) -> ColumnElement[bool]:
    """Return the condition that a released listing is in *window*."""
    inside = and_(listings.c.seq > window.after, listings.c.seq <= window.until)
    if window.not_before is not None:
        inside = and_(inside, listings.c.released_at >= window.not_before)
    return inside


def _listed(connection: Connection, inside: ColumnElement[bool]) -> dict[int, datetime]:
    """Return the entries with a listing *inside*, and when the newest was listed."""
    newest = select(
        listings.c.entry_id, func.max(listings.c.listed_at).label("listed_at")
    )
    rows = connection.execute(newest.where(inside).group_by(listings.c.entry_id))
    return {row.entry_id: row.listed_at for row in rows}


def _candidate(
    entry_id: int,
    listed_at: datetime,
    known: _Known,
    *,
    after: int,
    rank: Callable[[str], tuple[int, str]],
) -> Candidate:
    rows = sorted(known.listings[entry_id], key=lambda row: rank(row.source))
    votes = (known.votes.get((entry_id, row.source)) for row in rows)
    return Candidate(
        entry_id=entry_id,
        version=known.versions[entry_id, rows[0].source],
        sources=tuple(
            SourceListing(source=row.source, listed_at=row.listed_at) for row in rows
        ),
        listed_at=listed_at,
        votes=max((v for v in votes if v is not None), default=None),
        seen_before=any(row.seq is not None and row.seq <= after for row in rows),
    )


def _ranking(source_order: Sequence[str]) -> Callable[[str], tuple[int, str]]:
    """Return the sort key of sources: as configured, then the rest by name."""
    places = {name: place for place, name in enumerate(source_order)}
    return lambda source: (places.get(source, len(places)), source)


def _facts(
    connection: Connection,
    which: Select[Any],
    known: ColumnElement[bool],
    *,
    is_whole: bool,
) -> _Known:
    by_entry: defaultdict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(
        select(
            listings.c.entry_id,
            listings.c.source,
            listings.c.listed_at,
            listings.c.seq,
            listings.c.released_at,
        ).where(known, listings.c.entry_id.in_(which))
    ):
        by_entry[row.entry_id].append(row)
    return _Known(
        listings=by_entry,
        versions=_versions(connection, which, is_whole=is_whole),
        votes=_votes(connection, which),
    )


def _versions(
    connection: Connection, which: Select[Any], *, is_whole: bool
) -> dict[_Pair, EntryVersion]:
    """Return the newest version of each pair, or what of it is weighed."""
    newest = (
        select(func.max(entry_versions.c.id).label("id"))
        .where(entry_versions.c.entry_id.in_(which))
        .group_by(entry_versions.c.entry_id, entry_versions.c.source)
        .subquery()
    )
    columns = entry_versions.c if is_whole else [entry_versions.c[n] for n in WEIGHED]
    rows = connection.execute(
        select(*columns).join(newest, newest.c.id == entry_versions.c.id)
    )
    made = version_of if is_whole else weighed_of
    return {(row.entry_id, row.source): made(row) for row in rows}


def _votes(connection: Connection, which: Select[Any]) -> dict[_Pair, int | None]:
    """Return what each pair's latest sighting says."""
    latest = _latest_sightings(sightings.c.entry_id.in_(which)).subquery()
    rows = connection.execute(select(latest).where(latest.c.place == 1))
    return {(row.entry_id, row.source): row.votes for row in rows}


def _latest_sightings(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Return sightings with their place, 1 the latest of its pair."""
    place = func.row_number().over(
        partition_by=(sightings.c.entry_id, sightings.c.source),
        order_by=(sightings.c.seen_at.desc(), sightings.c.id.desc()),
    )
    return select(
        sightings.c.entry_id,
        sightings.c.source,
        sightings.c.votes,
        place.label("place"),
    ).where(*conditions)


def read_versions(
    connection: Connection, ids: Iterable[int]
) -> dict[int, EntryVersion]:
    """Return versions by id."""
    rows = connection.execute(
        select(entry_versions).where(entry_versions.c.id.in_(list(ids)))
    )
    return {row.id: version_of(row) for row in rows}
