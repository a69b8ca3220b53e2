"""Answers of many sources are read in worker processes, of few in a thread."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.errors import ParseError
from newsletter.model import (
    FetchSettings,
    Listing,
    Page,
    Poll,
    Request,
    Response,
    SourceSettings,
    SourceState,
)
from newsletter.ports import PollJob
from newsletter.sources.fetcher import HttpFetcher
from newsletter.sources.parsing import WORTH_WORKERS, Readers
from newsletter.sources.shelf import Parsed

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


class FixedClock:
    def now(self) -> datetime:
        return NOW


@dataclass(frozen=True)
class Telling:
    """A source whose entries say which process read them."""

    settings: SourceSettings
    #: A folder where the first process that reads leaves a mark, and dies.
    dies: str | None = None
    #: Never gets to the end of a document that says so.
    hangs: bool = False
    #: What cannot be sent to another process.
    ties: object = field(default=None, compare=False)

    def requests(self, state: SourceState, as_of: datetime) -> tuple[Request, ...]:
        raise NotImplementedError

    def parse(self, response: Response) -> Page:
        if self.dies is not None:
            try:
                (Path(self.dies) / "mark").mkdir()
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        if self.hangs:
            time.sleep(600)
        title = f"{os.getpid()} {response.body.decode()}"
        said = Listing(
            source=self.settings.name, guid=None, title=title, url=None, listed_at=NOW
        )
        return Page(listings=(said,))


def polls(folder: Path, count: int, **kind: object) -> list[Poll]:
    jobs = []
    for number in range(count):
        name = f"s{number}"
        (folder / name).write_text(name)
        settings = SourceSettings(name=name, kind="feed", path=str(folder / name))
        source = Telling(settings, **kind)  # type: ignore[arg-type] # as a test says
        request = Request(source=name, path=settings.path)
        jobs.append(PollJob(source=source, requests=(request,)))
    fetcher = HttpFetcher(FetchSettings(), clock=FixedClock())
    return list(fetcher.poll(jobs, as_of=NOW))


def said(found: list[Poll]) -> list[list[str]]:
    return [
        listing.title.split()
        for poll in found
        for reading in poll.readings
        if reading.page
        for listing in reading.page.listings
    ]


@pytest.mark.parametrize(
    ("count", "ties", "is_here"),
    [
        (3, None, True),
        (WORTH_WORKERS, None, False),
        (WORTH_WORKERS, lambda: 0, True),
    ],
)
def test_where_answers_are_read(
    tmp_path: Path, count: int, ties: object, *, is_here: bool
) -> None:
    found = said(polls(tmp_path, count, ties=ties))
    assert [name for _, name in found] == [f"s{n}" for n in range(count)]
    assert {process == str(os.getpid()) for process, _ in found} == {is_here}


def test_a_process_that_dies_of_a_document_takes_no_other_with_it(
    tmp_path: Path,
) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    found = polls(tmp_path, WORTH_WORKERS, dies=str(marks))
    assert len(said(found)) == WORTH_WORKERS
    assert (marks / "mark").exists()


def telling(name: str, *, hangs: bool = False) -> tuple[Telling, Response]:
    settings = SourceSettings(name=name, kind="feed", url="https://example.org/")
    request = Request(source=name, url=settings.url)
    response = Response(
        request=request, status=200, headers={}, body=name.encode(), seen_at=NOW
    )
    return Telling(settings, hangs=hangs), response


def test_a_process_that_hangs_is_ended_and_the_others_are_read() -> None:
    sources = [telling(f"s{n}", hangs=n == 1) for n in range(6)]

    async def read() -> list[object]:
        readers = Readers(WORTH_WORKERS, longest_s=2)
        try:
            every = [readers.read(source, answer) for source, answer in sources]
            return await asyncio.gather(*every, return_exceptions=True)
        finally:
            readers.close()

    found = asyncio.run(read())
    assert [isinstance(one, Parsed) for one in found] == [n != 1 for n in range(6)]
    assert isinstance(found[1], ParseError)
    assert "not read within 2 seconds" in str(found[1])
