"""What mails share, kept while it is in use: cards, lines, and what they become.

A card is known by its text as stored, what is highlighted in it, who shows it,
its votes and its date. What a template makes of it is kept with it, so one
bound holds for all: when a card goes, all of it goes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from sys import getsizeof
from threading import Lock
from typing import Generic, TypeVar

from newsletter.model import EntryVersion
from newsletter.quoting import Segment

#: Bytes that one theme's shelf may hold, as reckoned here.
MAX_BYTES = 64_000_000
#: Of one card; a theme that makes ever more of it is not kept up with.
_MAX_PIECES = 100
#: Bytes of a card or line without its texts.
_BASE = 3000


T = TypeVar("T")


class Kept:
    """One card or line that mails share, and what templates made of it."""

    __slots__ = ("pieces", "said", "version")

    def __init__(self, version: EntryVersion) -> None:
        """Keep what is said of *version*."""
        self.version = version
        #: A view of it, without what is a reader's own. None: not yet made.
        self.said: object = None
        #: What a piece of a template made of it: by the piece and what else it read.
        self.pieces: dict[Hashable, Segment] = {}


class _Halves(Generic[T]):
    """Things by key; what was not used of late goes, half of all at once.

    Safe to use from several threads: who loses a race makes a thing again.
    """

    def __init__(self, max_bytes: int) -> None:
        self._half = max_bytes // 2
        self._young: dict[Hashable, T] = {}
        self._old: dict[Hashable, T] = {}
        self._lock = Lock()
        #: Bytes reckoned to what is young.
        self.size = 0

    def get(self, key: Hashable, size_of: Callable[[T], int]) -> T | None:
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is not None:
                self.put(key, found, size_of(found))
        return found

    def put(self, key: Hashable, thing: T, size: int) -> None:
        with self._lock:
            self._young[key] = thing
        self.grow(size)

    def grow(self, size: int) -> None:
        with self._lock:
            self.size += size
            if self.size > self._half:
                self._old, self._young, self.size = self._young, {}, 0

    def clear(self) -> None:
        with self._lock:
            self._young, self._old, self.size = {}, {}, 0


class Shelf:
    """Keeps what was used of late; safe to use from several threads."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        """Hold at most about *max_bytes*."""
        self._cards: _Halves[Kept] = _Halves(max_bytes // 8 * 7)
        self._loose: _Halves[Segment] = _Halves(max_bytes // 8)
        #: How often a card or line was asked for, and was there; for measurements.
        self.asked = 0
        self.found = 0

    def said(
        self,
        key: Hashable,
        version: EntryVersion,
        kind: type[T],
        make: Callable[[Kept], T],
    ) -> T:
        """Return the view of *version* that is kept by *key*, else make and keep it.

        An id alone does not tell a version: another database has the same ids.
        """
        self.asked += 1
        kept = self._cards.get(key, _reckoned)
        is_it = kept is not None and (
            kept.version is version or kept.version == version
        )
        if is_it and kept is not None and isinstance(kept.said, kind):
            self.found += 1
            return kept.said
        kept = Kept(version)
        kept.said = said = make(kept)
        self._cards.put(key, kept, _reckoned(kept))
        return said

    def loose(self, key: Hashable) -> Segment | None:
        """Return the piece by *key* that is of no card, or None."""
        return self._loose.get(key, _size_of)

    def keep_piece(self, kept: Kept | None, key: Hashable, text: str) -> str:
        """Return *text* as a segment that is kept by *key*, where it may be."""
        if "\r" in text or (kept is not None and len(kept.pieces) >= _MAX_PIECES):
            return text
        segment = Segment(text)
        if kept is None:
            self._loose.put(key, segment, _BASE // 10 + _size_of(segment))
        else:
            kept.pieces[key] = segment
            self._cards.grow(_size_of(segment))
        return segment

    def clear(self) -> None:
        """Keep nothing of what was kept; for measurements."""
        self._cards.clear()
        self._loose.clear()
        self.asked = self.found = 0

    @property
    def size(self) -> int:
        """Return the bytes reckoned to what is young: half of the bound at most."""
        return self._cards.size + self._loose.size


def _reckoned(kept: Kept) -> int:
    version = kept.version
    texts = (
        *(version.title, version.summary, version.tldr or "", version.url or ""),
        *version.authors,
        *version.categories,
        *(text for link in version.links for text in (link.label, link.url)),
    )
    pieces = tuple(kept.pieces.values())
    return _BASE + sum(map(getsizeof, texts)) + sum(map(_size_of, pieces))


def _size_of(segment: Segment) -> int:
    parts = (segment, segment.head, segment.lines, segment.tail)
    return sum(map(getsizeof, parts))
