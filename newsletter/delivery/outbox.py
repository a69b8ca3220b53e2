"""A folder that receives finished mail, for a person or a mail program to take.

    <folder>/<slot's day>/<key>.eml      the mail, as it would be sent
                          <key>.html     a page to read it in a browser
             index.html                  the way to what is there, newest first
             archive/                    lists of it: see archive.py

A mail is there whole or not at all: it is written beside its place, put on
the disk and renamed. Written again, it replaces itself under the same name.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from newsletter.delivery.archive import Archive
from newsletter.delivery.files import clear_left_over, sync_folder, write_whole
from newsletter.errors import DeliveryError, TransientDeliveryError
from newsletter.model import IssueState, Message, Outcome
from newsletter.ports import Clock

#: Public issue keys (128 bits in hex): nothing else becomes a file's name.
_KEY = re.compile(r"[0-9a-f]{32}")
#: Faults of the disk or the folder, and not of one mail.
_WHOLE = frozenset(
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EIO,
        errno.ENOSPC,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
    }
)
_RETRY_AFTER = timedelta(minutes=5)


class Outbox:
    """Implements ports.Transport by writing ``.eml`` files.

    Nothing is touched before the first ``send``, so making one is free.
    """

    is_repeatable = True

    def __init__(self, folder: Path, *, clock: Clock, title: str, list_id: str) -> None:
        """Remember the folder, and the newsletter that is to be listed there."""
        self._folder = folder
        self._clock = clock
        self._archive = Archive(folder, title=title, list_id=list_id)
        #: File -> how many entries the mail has.
        self._written: dict[Path, int | None] = {}
        self._is_open = False
        self._is_noted = False

    def send(self, messages: Sequence[Message]) -> Iterator[Outcome]:
        """Write *messages*; what cannot be written now is to be tried again.

        The outcomes follow when all are on the disk.

        Raises:
            TransientDeliveryError: The disk or the folder takes nothing at all.
        """
        self._open()
        outcomes: list[Outcome] = []
        written: dict[Path, int | None] = {}
        for message in messages:
            try:
                written[self._write(message)] = message.shown
            except OSError as exc:
                if exc.errno in _WHOLE and not written:
                    raise self._unusable(exc) from exc
                outcomes.append(self._retry(message.key, str(exc)))
            else:
                outcomes.append(self._outcome(message.key, IssueState.WRITTEN))
        self._settle(written)
        yield from outcomes

    def look(self) -> str:
        """Look whether mails can be written; return where they go.

        Nothing is made: where the folder is not there yet, the one that it
        would be made in is looked at.

        Raises:
            TransientDeliveryError: They cannot.
        """
        nearest = self._folder
        while not nearest.exists() and nearest != nearest.parent:
            nearest = nearest.parent
        if not nearest.is_dir():
            raise self._unusable(NotADirectoryError(f"{nearest} is no folder"))
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise self._unusable(PermissionError(f"{nearest} cannot be written"))
        return f"mails become files below {self._folder}"

    def close(self) -> None:
        """Write the index and the pages to read, if anything was written.

        Raises:
            TransientDeliveryError: They cannot be written; the mails are there.
        """
        if not self._written:
            return
        written, self._written = self._written, {}
        self._is_noted = False
        try:
            self._archive.add(written)
        except OSError as exc:
            raise TransientDeliveryError(
                f"the mails are in {self._folder}, but its index.html could not be"
                f" written: {exc}; make room or give the right, and run again"
            ) from exc

    def forget(self, keys: Collection[str]) -> None:
        """Take mails out of every list; their files stay.

        Raises:
            TransientDeliveryError: The lists cannot be written.
        """
        try:
            self._archive.forget(keys)
        except OSError as exc:
            raise TransientDeliveryError(
                f"the lists in {self._archive.folder} still name the reader: {exc};"
                " remove that folder, and the next run makes it again"
            ) from exc

    def _open(self) -> None:
        """Make the folder and clear what a killed process left half written."""
        if self._is_open:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            clear_left_over(self._folder)
        except OSError as exc:
            raise self._unusable(exc) from exc
        self._is_open = True

    def _write(self, message: Message) -> Path:
        if not _KEY.fullmatch(message.key):
            raise DeliveryError(
                f"{message.key!r} is no issue key (32 hex digits), so no file is"
                " named after it"
            )
        if not self._is_noted:
            self._archive.begin()
            self._is_noted = True
        day = self._folder / message.day.isoformat()
        if not day.is_dir():
            day.mkdir(exist_ok=True)
            sync_folder(self._folder)
        target = day / f"{message.key}.eml"
        write_whole(target, message.content)
        return target

    def _settle(self, written: Mapping[Path, int | None]) -> None:
        """Put the new names on the disk, once for each folder of the batch."""
        try:
            for folder in sorted({path.parent for path in written}):
                sync_folder(folder)
        except OSError as exc:
            raise self._unusable(exc) from exc
        self._written.update(written)

    def _outcome(self, key: str, state: IssueState) -> Outcome:
        return Outcome(key=key, state=state, at=self._clock.now())

    def _retry(self, key: str, reason: str) -> Outcome:
        now = self._clock.now()
        return Outcome(
            key=key,
            state=IssueState.RETRY,
            at=now,
            reason=reason,
            retry_at=now + _RETRY_AFTER,
        )

    def _unusable(self, exc: OSError) -> TransientDeliveryError:
        return TransientDeliveryError(
            f"the outbox {self._folder} takes no mail: {exc}; make room, or give"
            " the right to write there, and run again: nothing is lost"
        )
