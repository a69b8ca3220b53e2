"""How hosts are treated: a few requests at once, a pause between two, rests.

A host that answers 429 is left alone by every source until the time that it
names, also by later runs; a source may ask for a longer pause between two
requests, which then holds over all processes.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from newsletter.errors import FetchError
from newsletter.model import FetchSettings, Request
from newsletter.ports import Clock, Pace

#: Requests in the air at once, over all hosts.
MOST_IN_THE_AIR = 128
#: A turn that is farther off than this is waited for by the next run.
LONGEST_TURN_S = 90.0
#: What a host gets that says 429 and no time.
SHORT_REST_S = 60.0
LONGEST_REST = timedelta(hours=23)
_TOO_MANY = 429


@dataclass(slots=True, kw_only=True)
class Hosts:
    """Turns at hosts, for one round of polls in one event loop."""

    settings: FetchSettings
    clock: Clock
    #: None: nothing is known of other processes.
    pace: Pace | None
    _turns: dict[str, asyncio.Semaphore] = field(init=False)
    _lone: dict[str, asyncio.Semaphore] = field(init=False)
    _air: asyncio.Semaphore = field(init=False)
    _free_at: dict[str, float] = field(default_factory=dict)
    _rests: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the limits; they belong to one loop."""
        self._turns = defaultdict(lambda: asyncio.Semaphore(self.settings.per_host))
        self._lone = defaultdict(lambda: asyncio.Semaphore(1))
        self._air = asyncio.Semaphore(MOST_IN_THE_AIR)
        if self.pace is not None:
            self._rests.update(self.pace.pauses(self.clock.now()))

    @asynccontextmanager
    async def turn(self, host: str, request: Request) -> AsyncIterator[None]:
        """Wait for a turn at *host*, and have it.

        Raises:
            FetchError: It has asked us to wait, or the turn is too far off.
        """
        lone = self._lone if request.spacing_s else self._turns
        async with lone[host]:
            self._check(host)
            await self._keep_apart(host, request.spacing_s)
            async with self._air:
                # While we waited, another source may have been told to.
                self._check(host)
                yield

    def _check(self, host: str) -> None:
        until = self._rests.get(host)
        now = self.clock.now()
        if until is not None and until > now:
            raise FetchError(
                f"{host} has asked us to wait until {until:%Y-%m-%d %H:%M} UTC (429);"
                " it is not asked before",
                status=_TOO_MANY,
                retry_after_s=(until - now).total_seconds(),
            )

    async def _keep_apart(self, host: str, spacing_s: float) -> None:
        """Wait until the pause after the request before is over."""
        loop = asyncio.get_running_loop()
        if spacing_s and self.pace is not None:
            now = self.clock.now()
            spacing = timedelta(seconds=spacing_s)
            at = await asyncio.to_thread(
                self.pace.reserve, host, spacing=spacing, now=now
            )
            wait = (at - now).total_seconds()
        else:
            wait = self._free_at.get(host, 0.0) - loop.time()
            pause = spacing_s or self.settings.spacing_s
            self._free_at[host] = loop.time() + max(wait, 0.0) + pause
        if wait > LONGEST_TURN_S:
            raise FetchError(
                f"{host} is busy with requests of ours for {wait:.0f} seconds; it is"
                " asked later"
            )
        if wait > 0:
            await asyncio.sleep(wait)

    async def rest(self, host: str, seconds: float | None) -> None:
        """Leave *host* alone for so long (None: it did not say)."""
        wait = timedelta(seconds=SHORT_REST_S if seconds is None else seconds)
        until = self.clock.now() + min(wait, LONGEST_REST)
        self._rests[host] = max(until, self._rests.get(host, until))
        if self.pace is not None:
            await asyncio.to_thread(self.pace.pause, host, until=until)
