"""A week of cron: every 15 minutes a run, by a clock that the test moves on.

The week is the one in which Europe's clocks go forward, so a London reader's
half past one does not exist on the Sunday.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from newsletter.app import open_app
from newsletter.model import IssueRecord, IssueState
from tests.support.corpus import Publisher, load_publisher, serve_corpus
from tests.support.project import Project
from tests.support.web import HttpServer

START = datetime(2026, 3, 26, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
RUNS = 7 * 24 * 4
#: zone -> local times; two readers in each of six zones.
READERS = {
    "Europe/London": (time(1, 30), time(7, 30)),
    "America/New_York": (time(7, 30), time(23, 50)),
    "America/St_Johns": (time(6, 45), time(18, 0)),
    "Asia/Kolkata": (time(0, 0), time(9, 10)),
    "Asia/Tokyo": (time(7, 30), time(20, 15)),
    "Pacific/Auckland": (time(8, 0), time(12, 5)),
}
#: 01:30 does not come on this day in London: it moves forward by the gap.
GAP = (("Europe/London", time(1, 30)), date(2026, 3, 29), time(2, 30))


@dataclass(slots=True)
class MovingClock:
    """A clock that stands where the test puts it."""

    at: datetime

    def now(self) -> datetime:
        return self.at


def address_of(zone: str, at: time) -> str:
    return f"{zone.replace('/', '.').lower()}.{at:%H%M}@example.net"


def readers() -> str:
    return "".join(
        f'[[subscribers]]\naddress = "{address_of(zone, at)}"\ntimezone = "{zone}"\n'
        f'schedule = "daily {at:%H:%M}"\ninterests = ["agent*", "video", "diffusion"]\n'
        "skip_empty = false\n"
        for zone, times in READERS.items()
        for at in times
    )


def a_week(
    project: Project, publisher: Publisher
) -> dict[str, list[tuple[IssueRecord, datetime]]]:
    """Run for a week; return every reader's issues, each with its run."""
    found: dict[str, list[tuple[IssueRecord, datetime]]] = defaultdict(list)
    known: set[str] = set()
    for number in range(RUNS):
        now = publisher.now = START + number * QUARTER
        with open_app(project.root / "config", {}) as app:
            app.clock = MovingClock(now)
            assert not app.run(at=None).is_trouble
            for row in app.store.ledger.recent(limit=20):
                if row.record.key not in known:
                    known.add(row.record.key)
                    assert row.state == IssueState.WRITTEN
                    found[row.record.address].append((row.record, now))
    return found


def check_reader(
    zone: str, at: time, issues: list[tuple[IssueRecord, datetime]]
) -> None:
    """One issue a day, at the right local time, in the first run after it."""
    tz = ZoneInfo(zone)
    end = START + (RUNS - 1) * QUARTER
    slots = {}
    for record, run in issues:
        local = record.slot.astimezone(tz)
        assert local.date() not in slots, "two in one day"
        slots[local.date()] = local.time()
        assert record.slot <= run < record.slot + QUARTER
    first = START.astimezone(tz).date()
    days = [first + timedelta(days=n) for n in range(9)]
    wanted = {
        day: GAP[2] if ((zone, at), day) == GAP[:2] else at
        for day in days
        if START < datetime.combine(day, at, tz) <= end
    }
    assert slots == wanted
    assert len(wanted) in {6, 7}


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_week_of_cron_gives_each_reader_one_issue_a_day_at_their_own_hour(
    project: Project, shared: Path, http_server: HttpServer
) -> None:
    publisher = replace(load_publisher(shared / "corpus" / "papers.jsonl.gz"), arxiv={})
    tables = serve_corpus(publisher, http_server).replace('"0s"', '"1h"')
    project.write(tables, readers())
    issues = a_week(project, publisher)
    for zone, times in READERS.items():
        for at in times:
            mine = issues.pop(address_of(zone, at))
            check_reader(zone, at, mine)
            cards = [item.entry_id for record, _ in mine for item in record.items]
            assert len(cards) == len(set(cards)) > 0
    assert not issues
    assert len(project.mails()) >= 12 * 6
