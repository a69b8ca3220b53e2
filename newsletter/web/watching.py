"""Tells a page that what it was made of has changed on disk.

page -- GET events?since=STAMP --> stream -- event: changed --> it loads itself anew

The stamp tells the files of configuration and themes apart by path, size and
time; a page bears the one it was made with, so a change while nobody listened
is told as well.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

#: Seconds between two looks, and between two signs of life.
LOOK_EVERY_S, SIGN_EVERY_S = 0.3, 15.0
#: Files that are looked at; a folder of more is no theme.
MOST_FILES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Files that pages are made of."""

    #: Its files, without those of folders in it.
    configuration: Path
    #: With all below them.
    themes: Sequence[Path]

    def stamp(self) -> str:
        """Return what the files are now, in a few letters."""
        digest = hashlib.sha256()
        for place, path in enumerate(self._files()):
            if place >= MOST_FILES:
                break
            try:
                stat = path.stat()
            except OSError:
                # It went while we looked, as editors do when they save.
                continue
            digest.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
        return digest.hexdigest()[:16]

    def _files(self) -> Iterator[Path]:
        yield from sorted(_seen(self.configuration.glob("*")))
        for folder in self.themes:
            yield from sorted(_seen(folder.rglob("*")))

    async def events(
        self, since: str, is_ending: Callable[[], bool]
    ) -> AsyncIterator[bytes]:
        """Yield server-sent events until something changed or the server ends.

        Args:
            since: The stamp of the page that listens.
            is_ending: Tells whether the server is about to end.
        """
        yield b"retry: 1500\n: listening\n\n"
        silent_s = 0.0
        while not is_ending():
            if await asyncio.to_thread(self.stamp) != since:
                yield b"event: changed\ndata: files\n\n"
                return
            await asyncio.sleep(LOOK_EVERY_S)
            silent_s += LOOK_EVERY_S
            if silent_s >= SIGN_EVERY_S:
                # So that a browser that has gone is noticed.
                yield b": still here\n\n"
                silent_s = 0.0
        yield b"event: ended\ndata: server\n\n"


def _seen(paths: Iterator[Path]) -> Iterator[Path]:
    """Yield files, without those that editors keep beside."""
    for path in paths:
        name = path.name
        if not (name.startswith(".") or name.endswith("~")) and path.is_file():
            yield path
