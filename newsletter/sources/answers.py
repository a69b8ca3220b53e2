"""One answer of a server: its body under a cap, within a deadline."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from newsletter.errors import FetchError

_ENCODINGS = frozenset({"gzip", "x-gzip", "deflate"})
#: Said by whoever does not pack at all.
_PLAIN = frozenset({"", "identity"})


@dataclass(slots=True)
class Deadline:
    """What is left of the time for one request, over all its hops.

    It runs from the look-up of a name to the last byte, and not while we wait
    for ourselves: for a host's turn, or for memory.
    """

    remaining_s: float
    _timer: asyncio.Timeout | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let it run. Raises TimeoutError when it is over."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(max(self.remaining_s, 0.0)) as self._timer:
            try:
                yield
            finally:
                self.remaining_s = (self._timer.when() or loop.time()) - loop.time()

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """Stop it for a while."""
        timer = self._timer
        if timer is None:
            yield
            return
        loop = asyncio.get_running_loop()
        when, since = timer.when() or loop.time(), loop.time()
        timer.reschedule(None)
        try:
            yield
        finally:
            timer.reschedule(when + loop.time() - since)


@dataclass(slots=True)
class Inflater:
    """Decompresses gzip and zlib with a hard limit on what comes out."""

    cap: int
    is_packed: bool
    out: bytearray = field(default_factory=bytearray)
    stream: Any = None

    @property
    def is_whole(self) -> bool:
        """Tell whether what was packed has come to its end."""
        return self.stream is None or self.stream.eof

    def feed(self, chunk: bytes) -> bool:
        """Take one chunk; False: more came out than the cap allows."""
        if not self.is_packed:
            self.out += chunk
            return len(self.out) <= self.cap
        while chunk:
            if self.stream is None or self.stream.eof:
                # 47: gzip or zlib, told apart by the header; one member each.
                self.stream = zlib.decompressobj(47)
            try:
                self.out += self.stream.decompress(chunk, self.cap - len(self.out) + 1)
            except zlib.error as error:
                raise ValueError(f"its compression is damaged ({error})") from error
            if len(self.out) > self.cap:
                return False
            chunk = self.stream.unused_data or self.stream.unconsumed_tail
        return True


def inflater_for(url: str, headers: Mapping[str, str], *, cap: int) -> Inflater:
    """Return what takes the body of an answer.

    Raises:
        FetchError: It is packed in a way that we do not ask for.
    """
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in _PLAIN | _ENCODINGS:
        raise FetchError(f"{url} is encoded as {encoding!r}, which nobody asked for")
    return Inflater(cap=cap, is_packed=encoding in _ENCODINGS)
