"""Rows of an archive in pages of a hundred, oldest first.

A page is both what a person reads and what we know: each row stands in it as
JSON too, so that nothing has to be kept beside the pages. A row that is added
goes onto the last page; older pages stay as they are, however many there are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from email.utils import parseaddr
from hashlib import sha256
from html import unescape
from pathlib import Path

#: Rows of a page.
MOST = 100
#: Written by our template, which escapes every quotation mark within.
_ROW = re.compile(r'<li\b[^>]*\bdata-row="([^"]*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One mail, as a list of mails tells it."""

    key: str
    #: Of the slot, as the folder is named: 2026-03-05.
    day: str
    subject: str
    #: As in the mail.
    to: str
    #: Seconds since the epoch, of the Date field; 0: it has none.
    sent_at: float
    #: Entries in it. None: it was found as a file, which does not tell.
    shown: int | None = None

    @property
    def month(self) -> str:
        """Return the month of its day: 2026-03."""
        return self.day[:7]

    @property
    def reader(self) -> str:
        """Return what the reader's pages are named by; it tells no address."""
        return reader_of(self.to)

    @property
    def data(self) -> str:
        """Return all of it as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))


def reader_of(to: str) -> str:
    """Return the name of a reader's pages, from an address or a To field."""
    address = parseaddr(to)[1] or to
    return sha256(address.casefold().encode("utf-8", "replace")).hexdigest()[:20]


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Return *rows* oldest first; of one time, the last addressee first.

    Shown newest first, addressees then follow the alphabet.
    """
    by_name = sorted(rows, key=lambda row: row.to, reverse=True)
    return sorted(by_name, key=lambda row: (row.day, row.sent_at))


class Shelf:
    """The pages ``<stem>-1.html``, ``<stem>-2.html`` … of one list."""

    def __init__(self, folder: Path, stem: str, *, has_head: bool = False) -> None:
        """Remember where the pages are; none need be there.

        Args:
            folder: Where they are.
            stem: How their names begin.
            has_head: The newest page is ``<stem>.html``, so that who does not
                know how many there are can lead to it.
        """
        self._folder = folder
        self.stem = stem
        self._has_head = has_head
        self._pages: dict[int, tuple[Row, ...]] = {}
        #: Of every row of those pages, by its key.
        self._places: dict[str, tuple[int, int]] = {}
        self._last: int | None = None
        #: Pages that are to be written.
        self.changed: set[int] = set()

    def path(self, number: int) -> Path:
        """Return the file of a page."""
        if self._has_head and number == self.last:
            return self._folder / f"{self.stem}.html"
        return self._numbered(number)

    def _numbered(self, number: int) -> Path:
        return self._folder / f"{self.stem}-{number}.html"

    @property
    def last(self) -> int:
        """Return the number of the newest page; 0: there is none.

        Found by halving: a month may have thousands of pages.
        """
        if self._last is None:
            low, high = 0, 1
            while self._numbered(high).exists():
                low, high = high, 2 * high
            while high - low > 1:
                middle = (low + high) // 2
                if self._numbered(middle).exists():
                    low = middle
                else:
                    high = middle
            head = self._has_head and (self._folder / f"{self.stem}.html").exists()
            self._last = low + head
        return self._last

    def page(self, number: int) -> tuple[Row, ...]:
        """Return the rows of a page, oldest first; none where it is not there."""
        if number not in self._pages:
            path = self.path(number)
            there = number > 0 and path.exists()
            # A page shows the newest first.
            self._keep(number, tuple(rows_of(path))[::-1] if there else ())
        return self._pages[number]

    def _keep(self, number: int, rows: tuple[Row, ...]) -> None:
        self._pages[number] = rows
        for place, row in enumerate(rows):
            self._places[row.key] = number, place

    def __len__(self) -> int:
        """Return how many rows there are: every page but the last is full."""
        return max(0, self.last - 1) * MOST + len(self.page(self.last))

    def add(self, rows: Iterable[Row]) -> None:
        """Put *rows* at the end, sorted in with what the last page holds."""
        first = max(1, self.last)
        before = self.last
        every = in_order((*self.page(first), *rows))
        for start in range(0, len(every), MOST):
            number = first + start // MOST
            self._keep(number, tuple(every[start : start + MOST]))
            self.changed.add(number)
            self._last = number
        if before and self.last > before:
            self.changed.add(before)

    def remove(self, keys: Collection[str]) -> list[Row]:
        """Take rows out, wherever they are; pages stay numbered as they were."""
        gone: list[Row] = []
        for number in range(1, self.last + 1):
            rows = self.page(number)
            kept = tuple(row for row in rows if row.key not in keys)
            if kept != rows:
                gone += (row for row in rows if row.key in keys)
                self._keep(number, kept)
                self.changed.add(number)
        return gone

    def find(self, key: str) -> tuple[int, int] | None:
        """Return the page and the place of a row, looked for from the newest."""
        number = self.last
        while key not in self._places and number:
            self.page(number)
            number -= 1
        return self._places.get(key)

    def beside(self, found: tuple[int, int], step: int) -> Row | None:
        """Return the row that is *step* (1: newer, -1: older) from a place."""
        number, place = found
        rows = self.page(number)
        if 0 <= place + step < len(rows):
            return rows[place + step]
        further = self.page(number + step)
        if not further:
            return None
        return further[0] if step > 0 else further[-1]

    def newest(self, count: int) -> list[Row]:
        """Return the newest rows, newest first."""
        found: list[Row] = []
        number = self.last
        while number and len(found) < count:
            found += reversed(self.page(number))
            number -= 1
        return found[:count]


def rows_of(path: Path) -> Iterator[Row]:
    """Yield the rows that a page holds, in the order of the page."""
    for data in _ROW.findall(path.read_text("utf-8")):
        yield Row(**json.loads(unescape(data)))
