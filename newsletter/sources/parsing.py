"""Answers are read where they keep nobody waiting: in worker processes.

Reading a document is most of the work of a poll, and Python reads on one core
at a time. Of few sources a thread reads; the start of a process costs more.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import pickle
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace

from newsletter.errors import ParseError
from newsletter.model import Response
from newsletter.ports import Source
from newsletter.sources.limits import within
from newsletter.sources.shelf import Parsed, pack

#: As many sources are worth the start of worker processes.
WORTH_WORKERS = 24
MOST_WORKERS = 4
#: The largest and most broken document that is let in takes a tenth of that.
LONGEST_S = 120.0
#: What reads most documents, and takes a while to import.
_NEEDED = (__name__, "newsletter.sources.feed", "newsletter.sources.strict")
#: A page of a document of more bytes than this waits packed.
LARGE = 500_000


def read(source: Source, response: Response, *, packed: bool) -> Parsed:
    """Return what *source* makes of *response*.

    Raises:
        ParseError: The document is not of this source's shape at all.
    """
    page = within(source.parse(response))
    if not packed:
        return Parsed(page=page, further=page.further)
    return Parsed(page=pack(page), further=page.further)


@dataclass(slots=True)
class Readers:
    """Reads answers for one round of polls, which runs in one event loop."""

    #: Sources of this round.
    count: int
    #: A process that reads one document for longer hangs.
    longest_s: float = LONGEST_S
    _pool: ProcessPoolExecutor | None = None
    _portable: dict[str, bool] = field(default_factory=dict)

    async def read(self, source: Source, response: Response) -> Parsed:
        """Return what *source* makes of *response*.

        Raises:
            ParseError: The document is not of this source's shape at all.
        """
        if self.count < WORTH_WORKERS or not self._is_portable(source):
            is_large = len(response.body) > LARGE
            return await asyncio.to_thread(read, source, response, packed=is_large)
        for _ in range(2):
            pool = self._pool = self._pool or _pool()
            try:
                return await self._read_in(pool, source, response)
            except BrokenProcessPool:
                # The one that died may have died of another's document.
                if self._pool is pool:
                    self._pool = None
        raise ParseError(
            "the process that read this document died; it may be too much for memory"
        )

    async def _read_in(
        self, pool: ProcessPoolExecutor, source: Source, response: Response
    ) -> Parsed:
        """Return what a process of *pool* makes of *response*; end one that hangs."""
        reading = pool.submit(_read_packed, source, response)
        waiting = asyncio.wrap_future(reading)
        while not (await asyncio.wait([waiting], timeout=self.longest_s))[0]:
            # What is not being read waits for those before it.
            if reading.running():
                self._end(pool)
                raise ParseError(
                    f"it was not read within {self.longest_s:g} seconds, so its"
                    " reading was ended; look at the document"
                )
        return waiting.result()

    def _end(self, pool: ProcessPoolExecutor) -> None:
        """End the processes of *pool*; what else they were reading is read again."""
        if self._pool is pool:
            self._pool = None
            for process in multiprocessing.active_children():
                process.kill()

    def _is_portable(self, source: Source) -> bool:
        """Tell whether a source can be sent to a process; another's may not be."""
        name = source.settings.name
        if name not in self._portable:
            try:
                pickle.dumps(source)
            except (pickle.PicklingError, TypeError, AttributeError):
                self._portable[name] = False
            else:
                self._portable[name] = True
        return self._portable[name]

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def _read_packed(source: Source, response: Response) -> Parsed:
    return read(source, response, packed=True)


def _pool() -> ProcessPoolExecutor:
    """Return worker processes that know nothing of our threads and sockets."""
    methods = multiprocessing.get_all_start_methods()
    method = "forkserver" if "forkserver" in methods else "spawn"
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        # Imported once, before the workers part.
        context.set_forkserver_preload(list(_NEEDED))
    return ProcessPoolExecutor(
        min(_cores(), MOST_WORKERS),
        mp_context=context,
        # The collector need not look through what was imported.
        initializer=gc.freeze,
    )


def _cores() -> int:
    """Return how many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def without_body(response: Response) -> Response:
    """Return *response* as it is kept once it was read."""
    return replace(response, body=b"")
