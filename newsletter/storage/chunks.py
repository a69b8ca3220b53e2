"""Compiled profiles in tables: bytes to this side, arrays to who compiles them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from newsletter.model import Sections
from newsletter.ports import NewChunk, ProfilePlace, StoredChunk
from newsletter.storage.columns import pack
from newsletter.storage.database import Database, blocks
from newsletter.storage.schema import (
    IS_UNCOMPILED,
    lock,
    profile_chunks,
    profile_places,
)
from newsletter.weighing import Limits

#: No compiler: the chunk must be made again.
_NO_COMPILER = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlChunks:
    """Compiled profiles in tables; see ports.Chunks. Safe from any thread."""

    database: Database

    def places(self, hashes: Iterable[str]) -> Mapping[str, ProfilePlace]:
        """See ports.Chunks."""
        found: dict[str, ProfilePlace] = {}
        query = select(
            profile_places.c.profile_hash,
            profile_places.c.chunk_id,
            profile_chunks.c.version,
            profile_places.c["row"],
            profile_places.c.limits,
        ).join(profile_chunks, profile_chunks.c.id == profile_places.c.chunk_id)
        with self.database.read() as connection:
            for block in blocks(hashes):
                is_it = profile_places.c.profile_hash.in_(block)
                for name, chunk_id, version, place, limits in connection.execute(
                    query.where(is_it)
                ):
                    found[name] = ProfilePlace(
                        chunk_id=chunk_id,
                        version=version,
                        row=place,
                        limits=_limits(limits),
                    )
        return found

    def load(self, ids: Iterable[int]) -> Mapping[int, StoredChunk]:
        """See ports.Chunks."""
        found: dict[int, StoredChunk] = {}
        with self.database.read() as connection:
            for block in blocks(ids):
                query = select(profile_chunks).where(profile_chunks.c.id.in_(block))
                for row in connection.execute(query):
                    found[row.id] = StoredChunk(
                        id=row.id,
                        due_with=row.due_with,
                        version=row.version,
                        compiler=row.compiler,
                        data=row.data,
                    )
        return found

    def stale(self, compiler: int) -> Sequence[int]:
        """See ports.Chunks."""
        query = select(profile_chunks.c.id).where(profile_chunks.c.compiler != compiler)
        with self.database.read() as connection:
            return connection.scalars(query.order_by(profile_chunks.c.id)).all()

    def waiting(self) -> Mapping[str, Sequence[str]]:
        """See ports.Chunks."""
        query = select(profile_places.c.due_with, profile_places.c.profile_hash)
        found: dict[str, list[str]] = {}
        with self.database.read() as connection:
            for due_with, name in connection.execute(query.where(IS_UNCOMPILED)):
                found.setdefault(due_with, []).append(name)
        return found

    def smallest(self, due_with: str) -> tuple[int, int] | None:
        """See ports.Chunks."""
        rows = profile_chunks.c["rows"]
        query = (
            select(profile_chunks.c.id, rows)
            .where(profile_chunks.c.due_with == due_with)
            .order_by(rows, profile_chunks.c.id)
        )
        with self.database.read() as connection:
            row = connection.execute(query.limit(1)).first()
        return None if row is None else (row[0], row[1])

    def members(self, chunk_id: int) -> tuple[str, ...]:
        """See ports.Chunks."""
        query = select(profile_places.c.profile_hash).where(
            profile_places.c.chunk_id == chunk_id
        )
        with self.database.read() as connection:
            return tuple(connection.scalars(query.order_by(profile_places.c["row"])))

    def write(self, chunk: NewChunk) -> bool:
        """See ports.Chunks."""
        with self.database.write() as connection:
            # Who forgets a profile has this lock too.
            lock(connection, "readers")
            if not _are_free(connection, chunk):
                return False
            number = _write(connection, chunk)
            if number is None:
                return False
            if chunk.profiles:
                connection.execute(_PLACE, list(_placed(chunk, number)))
        return True


def _are_free(connection: Connection, chunk: NewChunk) -> bool:
    """Tell whether each profile is known, and in no chunk but the one replaced."""
    here: ColumnElement[bool] = IS_UNCOMPILED
    if chunk.old is not None:
        here = or_(here, profile_places.c.chunk_id == chunk.old.id)
    free = 0
    for block in blocks(name for name, _ in chunk.profiles):
        query = select(func.count()).select_from(profile_places)
        is_it = profile_places.c.profile_hash.in_(block)
        free += connection.execute(query.where(is_it, here)).scalar_one()
    return free == len(chunk.profiles)


def _write(connection: Connection, chunk: NewChunk) -> int | None:
    """Write the chunk's row; return its number. None: another did meanwhile."""
    values = {
        "due_with": chunk.due_with,
        "compiler": chunk.compiler,
        "rows": len(chunk.profiles),
        "data": chunk.data,
    }
    if chunk.old is None:
        added = insert(profile_chunks).values(version=1, **values)
        number: int = connection.execute(
            added.returning(profile_chunks.c.id)
        ).scalar_one()
        return number
    is_it = profile_chunks.c.id == chunk.old.id
    as_read = profile_chunks.c.version == chunk.old.version
    moved = update(profile_chunks).where(is_it, as_read)
    done = connection.execute(moved.values(version=chunk.old.version + 1, **values))
    return chunk.old.id if done.rowcount else None


_PLACE = (
    update(profile_places)
    .where(profile_places.c.profile_hash == bindparam("profile"))
    .values(
        chunk_id=bindparam("chunk"), row=bindparam("place"), limits=bindparam("most")
    )
)


def _placed(chunk: NewChunk, number: int) -> Iterable[dict[str, object]]:
    for place, (name, limits) in enumerate(chunk.profiles):
        yield {
            "profile": name,
            "chunk": number,
            "place": place,
            "most": pack(
                [
                    limits.max_items,
                    limits.sections.value,
                    limits.skip_empty,
                    limits.fill,
                ]
            ),
        }


@lru_cache(maxsize=4096)
def _limits(text: str) -> Limits:
    most, sections, skip_empty, fill = json.loads(text)
    return Limits(
        max_items=most, sections=Sections(sections), skip_empty=skip_empty, fill=fill
    )


def forget(connection: Connection, profile_hash: str) -> None:
    """Take a profile out of its chunk, which is then made again without it."""
    is_it = profile_places.c.profile_hash == profile_hash
    held = connection.scalar(select(profile_places.c.chunk_id).where(is_it))
    connection.execute(delete(profile_places).where(is_it))
    if held is not None:
        connection.execute(
            update(profile_chunks)
            .where(profile_chunks.c.id == held)
            .values(
                version=profile_chunks.c.version + 1, compiler=_NO_COMPILER, data=b""
            )
        )
