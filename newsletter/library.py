"""Compiled profiles, brought up to date and opened: the engine's book of a run.

    stored chunks -> what another compiler made, or is damaged: made again
    profiles that wait -> appended to a small chunk, or a new one
    a block's readers -> their chunks opened -> one book -> weighed

Needs numpy; whoever prepares few readers does without.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice, pairwise
from zlib import crc32

import numpy as np

from newsletter.composing import MORE_TITLES
from newsletter.matching import engine
from newsletter.matching.batch import Batch, make_batch
from newsletter.matching.book import Book, open_book
from newsletter.matching.chunks import (
    CHUNK_ROWS,
    COMPILER_VERSION,
    Chunk,
    chunk_from_bytes,
    chunk_to_bytes,
)
from newsletter.matching.compiling import compile_profiles
from newsletter.matching.finding import Found as Searched
from newsletter.matching.finding import find
from newsletter.model import NO_ACRONYMS, Acronyms, Candidate, Profile, Ranking
from newsletter.ports import Chunks, NewChunk, ProfilePlace, StoredChunk, Subscribers
from newsletter.weighing import Ask, Found, Limits, Weighed

#: Chunks that are open at once; about 1.3 MB each.
MOST_OPEN = 96
#: A chunk is appended to where what comes is at least this part of it.
WORTH_APPENDING = 4


@dataclass(slots=True, kw_only=True)
class Library:
    """Implements weighing.Book over stored chunks; for one run."""

    chunks: Chunks
    subscribers: Subscribers
    #: Told of a chunk that had to be made again though nobody changed it.
    warn: Callable[[str], None]
    #: What all profiles with stems are compiled with.
    acronyms: Acronyms = NO_ACRONYMS
    most_open: int = MOST_OPEN
    chunk_rows: int = CHUNK_ROWS
    _open: OrderedDict[int, tuple[int, Chunk]] = field(default_factory=OrderedDict)
    _places: dict[str, ProfilePlace] = field(default_factory=dict)
    _book: Book | None = None
    #: By chunk: its first row in the book.
    _starts: dict[int, int] = field(default_factory=dict)

    @property
    def compiler(self) -> int:
        """Return the number of what compiles here: its version, and the acronyms."""
        pairs = (f"{each.short}\t{each.long}\n" for each in self.acronyms.pairs)
        return COMPILER_VERSION << 32 | crc32("".join(pairs).encode())

    # --- bringing up to date ---

    def bring_up_to_date(self) -> None:
        """Make again what is stale, and compile what waits."""
        for number in self.chunks.stale(self.compiler):
            self._renew(number)
        for due_with, names in self.chunks.waiting().items():
            self._append(due_with, names)

    def _renew(self, number: int) -> None:
        """Make a chunk again out of its profiles."""
        old = self.chunks.load([number])[number]
        self._write(old, old.due_with, self.chunks.members(number))

    def _append(self, due_with: str, names: Sequence[str]) -> None:
        """Compile *names*; the first of them into a chunk that has room."""
        rest = iter(names)
        small = self.chunks.smallest(due_with)
        if small is not None:
            number, rows = small
            room = self.chunk_rows - rows
            if room > 0 and rows <= WORTH_APPENDING * min(len(names), room):
                old = self.chunks.load([number])[number]
                more = tuple(islice(rest, room))
                self._write(old, due_with, (*self.chunks.members(number), *more))
        while more := tuple(islice(rest, self.chunk_rows)):
            self._write(None, due_with, more)

    def _write(
        self, old: StoredChunk | None, due_with: str, names: Sequence[str]
    ) -> None:
        """Compile and write; where another was faster, theirs stands."""
        known = self.subscribers.profiles(names)
        profiles = [(name, known[name]) for name in names if name in known]
        compiled = compile_profiles(
            [profile for _, profile in profiles], acronyms=self.acronyms
        )
        self.chunks.write(
            NewChunk(
                old=old,
                due_with=due_with,
                compiler=self.compiler,
                data=chunk_to_bytes(compiled),
                profiles=[(name, Limits.of(profile)) for name, profile in profiles],
            )
        )

    # --- opening ---

    def limits(self, hashes: Iterable[str]) -> Mapping[str, Limits]:
        """See weighing.Book."""
        self._places = dict(self.chunks.places(hashes))
        wanted = {place.chunk_id: place.version for place in self._places.values()}
        missing = [
            number
            for number, version in wanted.items()
            if self._open.get(number, (0,))[0] != version
        ]
        if missing:
            self._load(missing, keep=wanted.keys())
        for name, place in list(self._places.items()):
            opened = self._open.get(place.chunk_id)
            if opened is None or opened[0] != place.version:
                # Somebody changes it just now: such readers go alone.
                del self._places[name]
        return {name: place.limits for name, place in self._places.items()}

    def _load(self, numbers: Sequence[int], *, keep: Iterable[int]) -> None:
        """Open chunks; what was not used for longest makes room."""
        for number in keep:
            if number in self._open:
                self._open.move_to_end(number)
        for number, stored in self.chunks.load(numbers).items():
            chunk = self._chunk(stored)
            if chunk is not None:
                self._open[number] = chunk
        spare = len(self._open) - max(self.most_open, len(set(keep)))
        for number in list(islice(self._open, max(spare, 0))):
            del self._open[number]
        self._book = None

    def _chunk(self, stored: StoredChunk) -> tuple[int, Chunk] | None:
        """Return a stored chunk with its version; made again where it is damaged.

        Then its profiles stand elsewhere in it, so their places are read anew.
        """
        try:
            return stored.version, chunk_from_bytes(stored.data)
        except ValueError as error:
            self.warn(
                f"compiled profiles (chunk {stored.id}) were made again from the"
                f" queries: {error}"
            )
        self._renew(stored.id)
        self._places |= self.chunks.places(self._places)
        again = self.chunks.load([stored.id]).get(stored.id)
        if again is None or again.compiler != self.compiler:
            return None
        return again.version, chunk_from_bytes(again.data)

    def profile(self, profile_hash: str) -> Profile:
        """See weighing.Book."""
        return self.subscribers.profile(profile_hash)

    @property
    def book(self) -> Book:
        """Return what is open as one book."""
        if self._book is None:
            chunks = [chunk for _, chunk in self._open.values()]
            self._book = open_book(chunks)
            starts = self._book.starts.tolist()
            self._starts = dict(zip(self._open, starts, strict=False))
        return self._book

    def limits_of(self, profile_hash: str) -> Limits:
        """Return the limits of an opened profile."""
        return self._places[profile_hash].limits

    def row(self, profile_hash: str) -> int:
        """Return the row of an opened profile in ``book``."""
        place = self._places[profile_hash]
        return self._starts[place.chunk_id] + place.row

    def weigh(
        self,
        candidates: Sequence[Candidate],
        views: Sequence[Sequence[int]],
        *,
        as_of: datetime,
        ranking: Ranking,
    ) -> Weighed:
        """See weighing.Book."""
        masks = np.zeros((len(views), len(candidates)), np.bool_)
        for number, view in enumerate(views):
            masks[number, list(view)] = True
        batch = make_batch(candidates, as_of=as_of, ranking=ranking)
        return EngineWeighed(library=self, batch=batch, masks=masks)


@dataclass(slots=True, kw_only=True)
class EngineWeighed:
    """Implements weighing.Weighed by the engine."""

    library: Library
    batch: Batch
    masks: np.ndarray[tuple[int, int], np.dtype[np.bool_]]
    _found: Searched | None = None

    def before(self, asks: Sequence[Ask]) -> Sequence[tuple[int, ...]]:
        """See weighing.Weighed."""
        found = self._searched()
        seen = engine.matched(found, rows=self._rows(asks), windows=self._windows(asks))
        return _split(seen.ptr, seen.column)

    def best(self, asks: Sequence[Ask]) -> Sequence[Found]:
        """See weighing.Weighed."""
        found = self._searched()
        rows = self._rows(asks)
        shown = [self.library.limits_of(ask.profile_hash).max_items for ask in asks]
        best = engine.best(
            found,
            rows=rows,
            windows=self._windows(asks),
            excluded=_excluded(asks),
            limit=np.array(shown, np.int64) + MORE_TITLES,
        )
        return [
            Found(matched=matched, columns=columns)
            for matched, columns in zip(
                best.matches.tolist(), _split(best.ptr, best.column), strict=True
            )
        ]

    def interests(
        self, profile_hash: str, columns: Sequence[int]
    ) -> Sequence[int | None]:
        """See weighing.Weighed."""
        if not columns:
            return ()
        row = np.full(len(columns), self.library.row(profile_hash), np.int64)
        why = engine.reasons(
            self._searched(), rows=row, columns=np.array(columns, np.int64)
        )
        return [None if place < 0 else place for place in why.interest.tolist()]

    def _searched(self) -> Searched:
        """Return what of the library's book occurs in the batch."""
        book = self.library.book
        if self._found is None or self._found.book is not book:
            self._found = find(book, self.batch)
        return self._found

    def _rows(self, asks: Sequence[Ask]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        row = self.library.row
        return np.array([row(ask.profile_hash) for ask in asks], np.int64)

    def _windows(self, asks: Sequence[Ask]) -> engine.Windows:
        views = np.array([ask.view for ask in asks], np.int64)
        return engine.Windows(masks=self.masks, of_row=views)


def _excluded(asks: Sequence[Ask]) -> engine.Columns | None:
    if not any(ask.excluded for ask in asks):
        return None
    ptr = np.zeros(len(asks) + 1, np.int64)
    np.cumsum([len(ask.excluded) for ask in asks], out=ptr[1:])
    flat = [column for ask in asks for column in ask.excluded]
    return engine.Columns(ptr=ptr, column=np.array(flat, np.int64))


def _split(
    ptr: np.ndarray[tuple[int], np.dtype[np.int64]],
    column: np.ndarray[tuple[int], np.dtype[np.signedinteger]],
) -> list[tuple[int, ...]]:
    flat, ends = tuple(column.tolist()), ptr.tolist()
    return [flat[start:end] for start, end in pairwise(ends)]
