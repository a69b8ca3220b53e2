"""Where finished polls wait for those before them.

    worker 2 --> [   ][ 2 ][   ] --> 1, 2, 3 in order
                   ^ number 1 is still being asked

Answers come as they like and are stored in the order of the configuration. So
that one slow server costs no memory, what waits is packed, and of that more
than some megabytes lies in a temporary file.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from io import BytesIO
from operator import attrgetter
from tempfile import TemporaryFile
from threading import Condition
from typing import IO

from newsletter.model import Failure, Listing, Page, Poll, Reading, Request, Response

_FIELDS = tuple(one.name for one in fields(Listing))
_LISTED = attrgetter(*_FIELDS)
#: Bytes of packed pages that wait in memory; more lie in a file.
MOST_IN_MEMORY = 16_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A page that was read, maybe packed; and what must be known of it at once."""

    #: None: there was nothing to read, or the answer was "unchanged".
    page: Page | bytes | None
    further: tuple[Request, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One answered request; see model.Reading."""

    #: Without its body, which has been read.
    response: Response
    parsed: Parsed


@dataclass(slots=True, kw_only=True)
class Finished:
    """A poll as it waits."""

    source: str
    answers: list[Answered] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


def pack(page: Page) -> bytes:
    """Return *page* as bytes that pickle reads."""
    packed = BytesIO()
    packer = pickle.Pickler(packed, pickle.HIGHEST_PROTOCOL)
    packer.dispatch_table = {Listing: _flat}
    packer.dump(page)
    return packed.getvalue()


def _flat(listing: Listing) -> tuple[Callable[..., Listing], tuple[object, ...]]:
    """Return how to make *listing* anew: of most of a page's values, the quick way.

    What dataclasses do by themselves looks all fields up for each value.
    """
    return _listing, _LISTED(listing)


def _listing(*values: object) -> Listing:
    listing = object.__new__(Listing)
    for name, value in zip(_FIELDS, values, strict=True):
        object.__setattr__(listing, name, value)
    return listing


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the file a packed page lies."""

    offset: int
    length: int


@dataclass(slots=True)
class Shelf:
    """Polls by their number, given out in order. One thread puts, another takes."""

    count: int
    most_in_memory: int = MOST_IN_MEMORY
    _waiting: dict[int, Finished] = field(default_factory=dict)
    _places: dict[tuple[int, int], _Place] = field(default_factory=dict)
    _in_memory: int = 0
    _file: IO[bytes] | None = None
    _fault: BaseException | None = None
    _changed: Condition = field(default_factory=Condition)

    def put(self, number: int, poll: Finished) -> None:
        """Lay down a finished poll."""
        with self._changed:
            for index, answer in enumerate(poll.answers):
                if isinstance(answer.parsed.page, bytes):
                    self._keep(number, index, poll, answer.parsed.page)
            self._waiting[number] = poll
            self._changed.notify()

    def _keep(self, number: int, index: int, poll: Finished, packed: bytes) -> None:
        """Keep a packed page in memory while there is room, else in the file."""
        if self._in_memory + len(packed) <= self.most_in_memory:
            self._in_memory += len(packed)
            return
        if self._file is None:
            self._file = TemporaryFile()  # noqa: SIM115 - closed by close()
        offset = self._file.seek(0, 2)
        self._file.write(packed)
        self._places[number, index] = _Place(offset, len(packed))
        answer = poll.answers[index]
        empty = replace(answer.parsed, page=b"")
        poll.answers[index] = replace(answer, parsed=empty)

    def fail(self, fault: BaseException) -> None:
        """Let whoever takes know that no more will come."""
        with self._changed:
            self._fault = fault
            self._changed.notify()

    def __iter__(self) -> Iterator[Poll]:
        """Yield the polls in order, each when it is there."""
        for number in range(self.count):
            with self._changed:
                while number not in self._waiting:
                    if self._fault is not None:
                        raise self._fault
                    self._changed.wait()
                poll = self._waiting.pop(number)
                readings = tuple(
                    Reading(response=a.response, page=self._page(number, index, a))
                    for index, a in enumerate(poll.answers)
                )
            yield Poll(
                source=poll.source, readings=readings, failures=tuple(poll.failures)
            )

    def _page(self, number: int, index: int, answer: Answered) -> Page | None:
        page = answer.parsed.page
        if not isinstance(page, bytes):
            return page
        place = self._places.pop((number, index), None)
        if place is None:
            self._in_memory -= len(page)
        elif self._file is not None:
            self._file.seek(place.offset)
            page = self._file.read(place.length)
        unpacked: Page = pickle.loads(page)  # noqa: S301 - packed by ourselves, a moment ago
        return unpacked

    @property
    def is_spilt(self) -> bool:
        """Tell whether a file was needed."""
        return self._file is not None

    def close(self) -> None:
        """Remove the file, if there is one."""
        if self._file is not None:
            self._file.close()
