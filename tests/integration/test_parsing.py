"""Answers of many sources are read in worker processes, of few in a thread."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

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
from newsletter.sources.parsing import WORTH_WORKERS

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
