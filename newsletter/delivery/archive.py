"""The archive of one newsletter: lists of its mails, beside the mails' own pages.

    <outbox>/index.html                            the way in, for all who share it
             <slot's day>/<key>.html               a mail to read
             archive/<list_id>/index.html          its newest mails, its months
                               2026-03-1.html …    a month, a hundred to a page
                               readers-1.html …    its readers, by address
                               readers/<name>.html what one reader got
                               contents.json       its title, months, readers

All is made from the mails alone. A mail that comes costs its own page, those of
the mails before and after it, and the last page of each list that it stands in,
whatever there is already; readers are put in order anew only when one is new.
Where ``contents.json`` is not there, everything is made again from the mails.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from operator import attrgetter
from pathlib import Path

from filelock import FileLock

from newsletter.delivery.files import is_running, write_whole
from newsletter.delivery.fronts import (
    Contents,
    contents_in,
    list_page,
    put_readers,
    write_fronts,
)
from newsletter.delivery.reading import list_of, mail_page, read_header, row_of
from newsletter.delivery.shelves import Row, Shelf

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_NAME = re.compile(r"[0-9a-f]{32}\.eml")
_SAFE = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,120}")
#: A process that writes mails and has not listed them yet.
_WRITING = re.compile(r"\.writing\.(\d+)")


@dataclass(slots=True)
class Archive:
    """The pages of one newsletter in an outbox; nothing is touched before use."""

    outbox: Path
    title: str
    list_id: str
    #: A process wrote mails and ended before it listed them.
    _was_killed: bool = False
    _shelves: dict[tuple[str, str], Shelf] = field(default_factory=dict)
    #: Readers who had no mail before, by the name of their pages.
    _fresh: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Return where its lists are."""
        name = self.list_id
        if not _SAFE.fullmatch(name):
            name = sha256(name.encode()).hexdigest()[:32]
        return self.outbox / "archive" / name

    def begin(self) -> None:
        """Note that mails are being written, and look for who noted it and died."""
        (self.folder / "readers").mkdir(parents=True, exist_ok=True)
        for path in self.folder.glob(".writing.*"):
            found = _WRITING.fullmatch(path.name)
            if found and not is_running(int(found[1])):
                self._was_killed = True
        self._note.touch()

    @property
    def _note(self) -> Path:
        return self.folder / f".writing.{os.getpid()}"

    def add(self, written: Mapping[Path, int | None]) -> None:
        """List mails and write their pages.

        Args:
            written: Their files -> how many entries each has, where it is known.
        """
        with self._turn():
            contents = contents_in(self.folder)
            if contents is None:
                self._empty()
            missed = dict.fromkeys(self._missed(contents, written))
            rows = {
                path: row_of(read_header(path), path, shown)
                for path, shown in {**missed, **written}.items()
            }
            new = [
                row
                for path, row in rows.items()
                if contents is None or not path.with_suffix(".html").exists()
            ]
            stale = {row.key: row for row in rows.values()} | self._shelve(new)
            self._write_lists()
            self._finish(contents, months={row.month for row in new})
            self._write_mails(stale.values())
            self._settle()

    def forget(self, keys: Collection[str]) -> None:
        """Take mails out of every list, as their reader is to be forgotten."""
        if not keys or contents_in(self.folder) is None:
            return
        with self._turn():
            contents = contents_in(self.folder)
            gone: set[str] = set()
            for month in contents.months if contents else ():
                shelf = self._month(month)
                gone |= {row.reader for row in shelf.remove(keys)}
            self._write_lists()
            for name in gone:
                for path in (self.folder / "readers").glob(f"{name}*.html"):
                    path.unlink()
            self._finish(contents, without=gone)

    def _turn(self) -> FileLock:
        """Return what keeps two processes from writing the same lists at once."""
        self._shelves.clear()
        self._fresh.clear()
        return FileLock(self.folder.parent / ".lock")

    def _settle(self) -> None:
        """Take the note away, and those of processes that are gone."""
        for path in self.folder.glob(".writing.*"):
            found = _WRITING.fullmatch(path.name)
            if path == self._note or (found and not is_running(int(found[1]))):
                path.unlink(missing_ok=True)
        self._was_killed = False

    def _empty(self) -> None:
        """Remove lists, which are to be made again."""
        for pattern in ("*.html", "readers/*.html"):
            for path in self.folder.glob(pattern):
                path.unlink()

    def _missed(
        self, contents: Contents | None, written: Collection[Path]
    ) -> Iterator[Path]:
        """Yield mails of ours that no list has: all at first, or of a killed run."""
        if contents is not None and not self._was_killed:
            return
        days = (x for x in self.outbox.iterdir() if _DAY.fullmatch(x.name))
        for day in sorted(x for x in days if x.is_dir()):
            names = {x.name for x in day.iterdir()}
            for name in sorted(x for x in names if _NAME.fullmatch(x)):
                listed = contents is not None and f"{name[:-4]}.html" in names
                path = day / name
                if not listed and path not in written and self._is_ours(path):
                    yield path

    def _is_ours(self, path: Path) -> bool:
        return path.is_file() and list_of(read_header(path)) == self.list_id

    def _month(self, month: str) -> Shelf:
        return self._shelf("", month)

    def _reader(self, name: str) -> Shelf:
        return self._shelf("readers", name)

    def _shelf(self, part: str, stem: str) -> Shelf:
        place = part, stem
        if place not in self._shelves:
            folder = self.folder / part
            self._shelves[place] = Shelf(folder, stem, has_head=bool(part))
        return self._shelves[place]

    def _shelve(self, new: Collection[Row]) -> dict[str, Row]:
        """Put rows into their lists; return the mails around them, by key."""
        for month, rows in _grouped(new, "month").items():
            self._put(self._month(month), rows)
        for name, rows in _grouped(new, "reader").items():
            if not self._reader(name).last:
                self._fresh[name] = rows[-1].to
            self._put(self._reader(name), rows)
        around = {}
        for row in new:
            for shelf in (self._month(row.month), self._reader(row.reader)):
                for beside in (self._beside(shelf, row, step) for step in (1, -1)):
                    if beside is not None:
                        around[beside.key] = beside
        return around

    def _put(self, shelf: Shelf, rows: Iterable[Row]) -> None:
        # A killed run may have listed mails before it wrote their pages.
        shelf.add(x for x in rows if not (self._was_killed and shelf.find(x.key)))

    def _beside(self, shelf: Shelf, row: Row, step: int) -> Row | None:
        """Return the mail after (1) or before (-1) one in a list."""
        found = shelf.find(row.key)
        beside = shelf.beside(found, step) if found else None
        if beside is None and shelf.stem == row.month:
            return self._in_next_month(row.month, step)
        return beside

    def _in_next_month(self, month: str, step: int) -> Row | None:
        """Return the first mail of the month after, or the last of the one before."""
        months = {stem for part, stem in self._shelves if not part}
        contents = contents_in(self.folder)
        months |= set(contents.months if contents else ())
        further = [x for x in months if (x > month if step > 0 else x < month)]
        if not further:
            return None
        shelf = self._month(min(further) if step > 0 else max(further))
        rows = shelf.page(1 if step > 0 else shelf.last)
        return (rows[0] if step > 0 else rows[-1]) if rows else None

    def _write_lists(self) -> None:
        for (part, _), shelf in self._shelves.items():
            for number in sorted(shelf.changed):
                page = list_page(shelf, number, title=self.title, deep=bool(part))
                write_whole(shelf.path(number), page, durably=False)

    def _finish(
        self,
        contents: Contents | None,
        *,
        months: Iterable[str] = (),
        without: Collection[str] = (),
    ) -> None:
        """Write what tells of the whole: its readers, its front, the way in."""
        before = contents or Contents(title=self.title, list_id=self.list_id)
        readers = before.readers
        if self._fresh or without:
            readers = put_readers(
                self.folder, self._fresh, without=without, title=self.title
            )
        after = replace(
            before,
            title=self.title,
            months=tuple(sorted({*before.months, *months})),
            readers=readers,
        )
        shelves = [self._month(month) for month in reversed(after.months)]
        write_fronts(self.outbox, self.folder, after, shelves)

    def _write_mails(self, rows: Iterable[Row]) -> None:
        """Write the pages of mails, of those that are still there."""
        for row in rows:
            path = self.outbox / row.day / f"{row.key}.eml"
            if not path.is_file():
                continue
            month, reader = self._month(row.month), self._reader(row.reader)
            place = month.find(row.key)
            page = mail_page(
                path,
                row,
                title=self.title,
                here=f"../archive/{self.folder.name}/",
                list_name=month.path(place[0] if place else 1).name,
                newer=self._beside(month, row, 1),
                older=self._beside(month, row, -1),
                own_newer=self._beside(reader, row, 1),
                own_older=self._beside(reader, row, -1),
            )
            write_whole(path.with_suffix(".html"), page, durably=False)


def _grouped(rows: Iterable[Row], by: str) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    name = attrgetter(by)
    for row in rows:
        groups.setdefault(name(row), []).append(row)
    return groups
