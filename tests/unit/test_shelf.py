"""Finished polls wait in order, and beyond some megabytes in a file."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from newsletter.model import Failure, Listing, Page, Request, Response
from newsletter.sources.shelf import Answered, Finished, Parsed, Shelf, pack

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def finished(name: str, *texts: str, packed: bool = True) -> Finished:
    request = Request(source=name, url="https://example.org/")
    response = Response(request=request, status=200, headers={}, body=b"", seen_at=NOW)
    pages = [
        Page(
            listings=(
                Listing(source=name, guid=None, title=text, url=None, listed_at=NOW),
            )
        )
        for text in texts
    ]
    return Finished(
        source=name,
        answers=[
            Answered(
                response=response, parsed=Parsed(page=pack(page) if packed else page)
            )
            for page in pages
        ],
        failures=[Failure(request=request, reason="x")],
    )


def titles(shelf: Shelf) -> list[list[str]]:
    return [
        [
            listing.title
            for reading in poll.readings
            if reading.page is not None
            for listing in reading.page.listings
        ]
        for poll in shelf
    ]


@pytest.mark.parametrize("room", [0, 400, 10_000])
def test_polls_come_out_in_their_order_wherever_they_waited(room: int) -> None:
    shelf = Shelf(4, most_in_memory=room)
    for number in (3, 1, 0, 2):
        shelf.put(number, finished(f"s{number}", f"a{number}", f"b{number}"))
    assert titles(shelf) == [["a0", "b0"], ["a1", "b1"], ["a2", "b2"], ["a3", "b3"]]
    assert shelf.is_spilt == (room < 10_000)
    shelf.close()


def test_who_takes_waits_for_who_puts() -> None:
    shelf, found = Shelf(2), []
    taker = threading.Thread(target=lambda: found.extend(titles(shelf)))
    taker.start()
    shelf.put(1, finished("s1", "later", packed=False))
    shelf.put(0, finished("s0", "sooner"))
    taker.join(10)
    assert found == [["sooner"], ["later"]]


def test_what_ends_the_round_is_raised_where_polls_are_taken() -> None:
    shelf = Shelf(2)
    shelf.put(0, finished("s0", "a"))
    shelf.fail(MemoryError("gone"))
    polls = iter(shelf)
    assert next(polls).source == "s0"
    with pytest.raises(MemoryError):
        next(polls)
