"""One process at a time does what must not be done twice: by a lease, kept fresh."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from newsletter.errors import StorageError
from newsletter.ports import Clock, LeaseInfo, Leases

#: A turn is lost when its holder has not renewed it for this long.
TTL = timedelta(seconds=30)
RENEW_EVERY_S = 8.0
#: Who waits looks this often.
LOOK_EVERY_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one process at a time may do."""

    name: str
    leases: Leases
    clock: Clock
    #: How long to wait for another before giving up.
    patience_s: float = 120.0

    @contextmanager
    def held(
        self,
        holder: str,
        *,
        on_wait: Callable[[LeaseInfo], None],
        on_give_up: Callable[[LeaseInfo], None],
    ) -> Iterator[bool]:
        """Hold the turn, renewed; False where another keeps it for too long.

        Args:
            holder: Who we are.
            on_wait: Told once whom we wait for.
            on_give_up: Told who kept it for longer than our patience.
        """

        def take() -> LeaseInfo | None:
            return self.leases.acquire(
                self.name, holder=holder, now=self.clock.now(), ttl=TTL
            )

        if (other := self._wait(take, on_wait)) is not None:
            on_give_up(other)
            yield False
            return
        try:
            with beating(take, every_s=RENEW_EVERY_S):
                yield True
        finally:
            self.leases.release(self.name, holder=holder)

    def _wait(
        self,
        take: Callable[[], LeaseInfo | None],
        on_wait: Callable[[LeaseInfo], None],
    ) -> LeaseInfo | None:
        """Wait for the turn; return who has it when patience ends. None: we have."""
        give_up = time.monotonic() + self.patience_s
        told = False
        while (other := take()) is not None:
            if not told:
                on_wait(other)
                told = True
            if time.monotonic() > give_up:
                return other
            time.sleep(LOOK_EVERY_S)
        return None


@contextmanager
def beating(beat: Callable[[], object], *, every_s: float) -> Iterator[None]:
    """Call *beat* again and again from a thread, as long as this is entered."""
    done = threading.Event()

    def work() -> None:
        while not done.wait(every_s):
            # A database that is busy now may have time at the next beat.
            with suppress(StorageError):
                beat()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
