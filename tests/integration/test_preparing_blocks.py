"""Preparing by blocks writes what preparing one by one does."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from shutil import copyfile
from typing import Any

import pytest

from newsletter.blocks import BlockDecider
from newsletter.matching import profile_hash
from newsletter.model import (
    Candidate,
    CatchUpPolicy,
    Origin,
    Profile,
    Ranking,
    SubscriberSpec,
    SubscriberStatus,
)
from newsletter.storage import Store
from newsletter.usecases.prepare import Fate, Preparation, Prepare
from newsletter.weighing import Book, Weighed
from tests.support.crowd import (
    DAY,
    HOUR,
    START,
    PlainBook,
    block_maker,
    compiled,
    listings,
    opened,
    plain,
    prepare,
    readers,
    rows,
    show,
)

BOOKS = {"reference": plain, "engine": compiled}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One run, and what came before it."""

    at: datetime
    everyone: bool = False
    all_failing: bool = False
    as_of: datetime | None = None


def steps(chance: Random) -> list[Step]:
    """Return two weeks of runs at odd hours."""
    found, at = [], START
    for _ in range(9):
        at += chance.choice([6, 12, 24, 24, 40, 60]) * HOUR + timedelta(minutes=31)
        found.append(
            Step(
                at=at,
                everyone=chance.random() < 0.25,
                all_failing=chance.random() < 0.25,
                as_of=at - 20 * HOUR if chance.random() < 0.15 else None,
            )
        )
    return found


def run(use: Prepare, step: Step) -> dict[int, list[object]]:
    """Prepare; return what was told, by reader."""
    told: dict[int, list[object]] = {}

    def tell(one: Preparation) -> None:
        facts = (one.fate, one.slot, one.key, one.receipt, one.best, one.forced)
        told.setdefault(one.subscriber.id, []).append(facts)

    object.__setattr__(use, "tell", tell)
    report = use.run(
        step.as_of or step.at, everyone=step.everyone, all_failing=step.all_failing
    )
    assert sum(report.counts.values()) == len(told)
    return told


def come_back(store: Store, at: datetime) -> None:
    """Have some readers leave and join again before slots that were served."""
    for reader in store.subscribers.active(limit=15):
        for status in (SubscriberStatus.PAUSED, SubscriberStatus.ACTIVE):
            store.subscribers.set_status(
                reader.id,
                status,
                reason="a test",
                origin=Origin.COMMAND,
                as_of=at - 3 * DAY,
                at=at,
            )


def weeks(
    tmp_path: Path, seed: int, make_book: Callable[[Store], Book], policy: CatchUpPolicy
) -> set[Fate]:
    """Live through two weeks twice; return the fates that were met."""
    chance = Random(seed)  # noqa: S311 - the same every time
    ours, theirs = tmp_path / "blocks.db", tmp_path / "alone.db"
    specs = readers(chance, 120)
    with opened(ours) as store:
        show(store, listings(chance, START, 25, 0), START)
        store.subscribers.reconcile(specs[:90], as_of=START, at=START)
    seen, fates = 25, set()
    for number, step in enumerate(steps(chance)):
        with opened(ours) as store:
            if chance.random() < 0.8:
                show(store, listings(chance, step.at, 12, seen), step.at)
                seen += 12
            if number == 3:
                store.subscribers.reconcile(specs, as_of=step.at, at=step.at)
            if number == 6:
                come_back(store, step.at)
        with closing(sqlite3.connect(ours)) as raw:
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        copyfile(ours, theirs)
        with opened(ours) as store:
            by_blocks = prepare(store, make_book(store), at=step.at, policy=policy)
            told = run(by_blocks, step)
        with opened(theirs) as store:
            assert told == run(prepare(store, None, at=step.at, policy=policy), step)
        assert rows(ours) == rows(theirs), f"step {number}"
        fates |= {fact[0] for facts in told.values() for fact in facts}  # type: ignore[index] # a tuple, as told
    return fates


@pytest.mark.parametrize("book", BOOKS)
@pytest.mark.parametrize("policy", CatchUpPolicy)
def test_two_weeks_by_blocks_are_two_weeks_one_by_one(
    tmp_path: Path, book: str, policy: CatchUpPolicy
) -> None:
    fates = weeks(tmp_path, 11, BOOKS[book], policy)
    assert fates >= {Fate.PREPARED, Fate.SKIPPED, Fate.LEFT_OUT}


# --- what a calm run does not meet -----------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return a store with sixty readers who are due at eight, and what they may get."""
    chance = Random(4)  # noqa: S311 - the same every time
    specs = [
        replace(spec, schedule=("daily 07:30",), timezone="UTC")
        for spec in readers(chance, 60, fills=False)
    ]
    with opened(tmp_path / "newsletter.db") as store:
        show(store, listings(chance, START, 25, 0), START)
        store.subscribers.reconcile(specs, as_of=START, at=START)
        yield store


EIGHT = START + 8 * HOUR


def test_due_slots_wait_while_every_source_fails(store: Store) -> None:
    use = prepare(store, plain(store), at=EIGHT)
    report = use.run(EIGHT, all_failing=True)
    assert report.counts == {Fate.WAITING: 60}
    assert store.ledger.counts() == {}
    later = EIGHT + 2 * HOUR
    report = prepare(store, plain(store), at=later).run(later, all_failing=True)
    assert report[Fate.WAITING] == 0
    assert report[Fate.PREPARED] > 30


@dataclass(slots=True)
class Disturbed(PlainBook):
    """A book during whose weighing readers change their minds."""

    disturb: Callable[[], None] = field(default=lambda: None)

    def weigh(
        self,
        candidates: Sequence[Candidate],
        views: Sequence[Sequence[int]],
        *,
        as_of: datetime,
        ranking: Ranking,
    ) -> Weighed:
        self.disturb()
        return PlainBook.weigh(self, candidates, views, as_of=as_of, ranking=ranking)


def test_who_changes_while_a_block_is_decided_gets_what_they_want_by_then(
    store: Store,
) -> None:
    left, edited, *_ = store.subscribers.active()
    everything = Profile(max_items=5)

    def change() -> None:
        now = store.subscribers.get(edited.public_id)
        if now.version > edited.version:
            return
        store.subscribers.set_status(
            left.id,
            SubscriberStatus.PAUSED,
            reason="a test",
            origin=Origin.COMMAND,
            as_of=EIGHT,
            at=EIGHT,
        )
        spec = SubscriberSpec(
            address=edited.address,
            timezone="UTC",
            language="en",
            schedule=edited.schedule,
            profile=everything,
        )
        store.subscribers.rewrite(
            edited.id, spec, origin=Origin.COMMAND, as_of=EIGHT, at=EIGHT
        )

    book = Disturbed(store.subscribers, disturb=change)
    report = prepare(store, book, at=EIGHT).run(EIGHT)
    assert sum(report.counts.values()) == 60
    assert report[Fate.SERVED] == 1
    assert store.ledger.issues_of(left.id) == ()
    (row,) = store.ledger.issues_of(edited.id)
    assert row.record.profile_hash == profile_hash(everything)
    assert len(row.record.items) == 5
    # The edit, and one preparation.
    assert store.subscribers.get(edited.public_id).version == edited.version + 2


def test_a_reader_whose_zone_is_gone_stops_only_itself(
    store: Store, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "newsletter.db")) as raw, raw:
        raw.execute("UPDATE subscribers SET timezone = 'No/Where' WHERE id = 7")
    report = prepare(store, plain(store), at=EIGHT).run(EIGHT)
    assert report[Fate.FAILED] == 1
    assert sum(report.counts.values()) == 60
    assert len({i.record.subscriber_id for i in store.ledger.recent(limit=99)}) > 30


def test_few_readers_are_prepared_one_by_one(store: Store) -> None:
    def never(*_: object, **__: object) -> BlockDecider:
        raise AssertionError

    few = replace(prepare(store, None, at=EIGHT, block=100), blockwise=never, many=60)
    assert sum(few.run(EIGHT).counts.values()) == 60


def test_an_instant_before_all_releases_shows_nothing(store: Store) -> None:
    """A window that ends before the cursor is empty, and moves nobody back."""
    prepare(store, plain(store), at=EIGHT).run(EIGHT)
    before = {reader.id: reader.cursor for reader in store.subscribers.active()}
    early = START - DAY
    use = prepare(store, plain(store), at=EIGHT)
    report = use.run(early, everyone=True)
    assert sum(report.counts.values()) == 60
    assert {r.id: r.cursor for r in store.subscribers.active()} == before


def lagging(file: Path) -> None:
    """Make the readers' cursors older and older, and leave the last ones none."""
    with closing(sqlite3.connect(file)) as raw, raw:
        raw.execute("UPDATE subscribers SET cursor = max(45 - id, 0)")
        raw.execute("UPDATE subscribers SET cursor = NULL WHERE id > 55")
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@pytest.mark.parametrize("most", [1, 1000])
def test_windows_that_reach_ever_further_are_read_again(
    store: Store, tmp_path: Path, most: int
) -> None:
    file, theirs = tmp_path / "newsletter.db", tmp_path / "alone.db"
    for day in range(1, 9):
        at = START + day * DAY
        show(store, listings(Random(day), at, 6, 25 + 6 * day), at)  # noqa: S311 - the same every time
    lagging(file)
    copyfile(file, theirs)
    at = START + 8 * DAY + 8 * HOUR
    use = prepare(store, None, at=at, block=4)
    made = block_maker(store, use.decider, plain(store))

    def few(as_of: datetime, **others: Any) -> BlockDecider:  # noqa: ANN401 - handed on
        decider = made(as_of, **others)
        decider.most_columns = decider.most_views = most
        return decider

    report = replace(use, blockwise=few).run(at)
    assert report[Fate.PREPARED] > 30
    with opened(theirs) as other:
        prepare(other, None, at=at).run(at)
    assert rows(file) == rows(theirs)
    windows = {row[5] for row in rows(file)["issues"]}
    assert len(windows) > 15


def test_who_was_served_with_everyone_is_not_served_again(store: Store) -> None:
    first = prepare(store, plain(store), at=EIGHT).run(EIGHT, everyone=True)
    assert first[Fate.PREPARED] > 30
    again = prepare(store, plain(store), at=EIGHT).run(EIGHT, everyone=True)
    assert again[Fate.SERVED] == first[Fate.PREPARED]
    assert sum(store.ledger.counts().values()) == first[Fate.PREPARED]
