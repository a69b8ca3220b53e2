"""What is asked and written for many readers at once, on every database."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import product
from random import Random

from newsletter.model import IssueRecord, Subscriber, SubscriberStatus, Window
from newsletter.ports import Draft, Question
from newsletter.windows import NOTHING, Columns, bounds_of
from tests.contract.world import DAY, HOUR, NOW, ORDER, World, item, listing, spec

TICK = timedelta(microseconds=1)


def many(world: World, count: int) -> list[Subscriber]:
    names = [f"reader-{number:04}@example.org" for number in range(count)]
    world.read_file(*(spec(name) for name in names))
    return list(world.store.subscribers.find(limit=count))


def draft(who: Subscriber, record: IssueRecord | None, **changes: object) -> Draft:
    values: dict[str, object] = {
        "cursor": 3,
        "next_slot": NOW + DAY,
        "skipped": (),
        "left_out": False,
    }
    return Draft(subscriber=who, record=record, **(values | changes))  # type: ignore[arg-type] # tests name what they change


def again(world: World, who: Subscriber) -> Subscriber:
    return world.store.subscribers.get(who.public_id)


# --- writing --------------------------------------------------------------------


def test_many_are_written_as_each_alone_is(world: World) -> None:
    # More than one statement holds.
    everyone = many(world, 1203)
    half = len(everyone) // 2
    records = {
        who.id: world.record(who, items=(item(1), item(n % 7)), more=(item(9),))
        for n, who in enumerate(everyone[:half])
    }
    drafts = [
        draft(who, records.get(who.id), cursor=n, skipped=(NOW.date(),) * (n % 3))
        for n, who in enumerate(everyone)
    ]
    took = world.store.ledger.prepare_all(drafts, at=NOW)
    assert took == {who.id for who in everyone}
    for one in drafts[:: len(drafts) // 20]:
        after = again(world, one.subscriber)
        assert (after.cursor, after.next_slot) == (one.cursor, one.next_slot)
        assert (after.skipped, after.version) == (
            one.skipped,
            one.subscriber.version + 1,
        )
        found = world.store.ledger.issues_of(one.subscriber.id)
        expected = [one.record] if one.record else []
        assert [row.record for row in found] == expected
    assert sum(world.store.ledger.counts().values()) == half


def test_who_changed_or_left_is_not_written_and_the_others_are(world: World) -> None:
    ada, bob, cid, dan = many(world, 4)
    world.move(ada, SubscriberStatus.PAUSED)
    world.store.subscribers.rewrite(
        bob.id,
        spec(bob.address, name="B", timezone="Asia/Tokyo"),
        origin=bob.origin,
        as_of=NOW,
        at=NOW,
    )
    world.issue(cid)
    before = [again(world, who) for who in (ada, bob, cid)]
    drafts = [
        draft(who, world.record(who)) for who in (ada, bob, again(world, cid), dan)
    ]
    assert world.store.ledger.prepare_all(drafts, at=NOW) == {dan.id}
    assert [again(world, who) for who in (ada, bob, cid)] == before
    assert len(world.store.ledger.recent()) == 2
    assert world.store.ledger.prepare_all([], at=NOW) == frozenset()


def test_two_who_write_the_same_block_make_one_issue_each(world: World) -> None:
    everyone = many(world, 60)
    took: list[frozenset[int]] = []
    blocks = [
        [draft(who, world.record(who, NOW + n * HOUR)) for who in order]
        for n, order in enumerate((everyone, everyone[::-1], everyone[30:]))
    ]
    barrier = threading.Barrier(len(blocks))

    def write(drafts: Sequence[Draft]) -> None:
        barrier.wait()
        took.append(world.store.ledger.prepare_all(drafts, at=NOW))

    threads = [threading.Thread(target=write, args=(block,)) for block in blocks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(number for each in took for number in each) == [
        w.id for w in everyone
    ]
    assert {again(world, who).version for who in everyone} == {everyone[0].version + 1}
    assert sum(world.store.ledger.counts().values()) == len(everyone)


# --- asking ---------------------------------------------------------------------


def test_taken_and_last_slots_are_answered_for_many(world: World) -> None:
    ada, bob, cid = many(world, 3)
    world.issue(ada, NOW)
    world.issue(ada, NOW + DAY)
    world.issue(bob, NOW)
    ledger = world.store.ledger
    wanted = {ada.id: NOW, bob.id: NOW + DAY, cid.id: NOW}
    assert ledger.taken(wanted) == {ada.id}
    assert ledger.taken({}) == frozenset()
    assert ledger.last_slots([ada.id, bob.id, cid.id]) == {
        ada.id: NOW + DAY,
        bob.id: NOW,
    }


def test_shown_for_many_is_shown_for_each(world: World) -> None:
    chance = Random(3)  # noqa: S311 - the same every time
    world.show(listing("2601.00001", "hf"), listing("2601.00002", "hf"))
    world.show(listing("10.1000/b", "arxiv"), listing("10.1000/c", "arxiv"))
    first, second, third, fourth = (c.entry_id for c in world.window())
    both = ("2601.00001", "10.1000/b")
    everyone = many(world, 40)
    for who in everyone:
        for day in range(3):
            cards = chance.sample([first, second, third, fourth, 12, 123], k=2)
            shown = tuple(item(c, votes=second, version_id=first) for c in cards)
            world.issue(who, NOW + day * DAY, items=shown, more=(item(fourth),))
    # Two of the four are one from now on.
    world.show(listing("2601.00001", "blog", identifiers=both))
    questions = {
        who.id: Question(
            entry_ids=frozenset(chance.sample([first, second, fourth, 2, 12], k=3)),
            since=NOW + chance.randrange(4) * DAY,
        )
        for who in everyone
    }
    expected = {
        number: found
        for number, asked in questions.items()
        if (
            found := world.store.ledger.shown(
                number, asked.entry_ids, since=asked.since
            )
        )
    }
    assert len(expected) > 10
    assert world.store.ledger.shown_to(questions) == expected


def test_a_source_that_is_named_like_an_entry_was_not_shown(world: World) -> None:
    (ada,) = many(world, 1)
    odd = item(5).sources[0].__class__(source="[7,", listed_at=NOW)
    world.issue(ada, items=(item(5, sources=(odd,)),))
    asked = {ada.id: Question(entry_ids=frozenset({7}), since=NOW)}
    assert world.store.ledger.shown_to(asked) == {}


def test_profiles_are_read_by_hash(world: World) -> None:
    ada, *_ = many(world, 2)
    found = world.store.subscribers.profiles([ada.profile_hash, "nobody's"])
    assert found == {
        ada.profile_hash: world.store.subscribers.profile(ada.profile_hash)
    }


def test_an_erased_reader_is_read_with_the_others(world: World) -> None:
    ada, bob = many(world, 2)
    world.move(ada, SubscriberStatus.ERASED)
    found = world.store.subscribers.find()
    assert [who.address for who in found] == ["", bob.address]
    assert found == (again(world, ada), again(world, bob))


# --- windows --------------------------------------------------------------------


def random_days(world: World) -> list[datetime]:
    """Show entries again and again by three sources; return the releases."""
    chance = Random(8)  # noqa: S311 - the same every time
    releases = []
    for day in range(8):
        # Once the run's instant lies before an earlier one's.
        at = NOW + day * DAY - (3 * DAY if day == 5 else timedelta(0))
        for source in ORDER:
            names = chance.sample(range(12), k=4)
            shown = [
                listing(
                    f"2601.{name:05}",
                    source,
                    listed_at=at - chance.randrange(40) * HOUR,
                    votes=chance.choice([None, 4]),
                    title=f"{source} {name} {day}",
                )
                for name in names
            ]
            world.put(*shown, at=at, first_days=99.0)
        world.release(at)
        releases.append(at)
    return releases


def test_every_window_is_told_from_one_read(world: World) -> None:
    releases = random_days(world)
    until = world.store.entries.seq_at(max(releases))
    limits = [None, *releases, releases[0] - TICK, releases[3] + TICK, NOW + 99 * DAY]
    windows = [
        Window(after=after, until=until, not_before=not_before)
        for after, not_before in product(range(until + 1), limits)
    ]
    columns = Columns(world.store.entries.wide(bounds_of(windows), source_order=ORDER))
    met = set()
    for window in windows:
        view = columns.view(window)
        met.add(view)
        told = tuple(columns.candidates[c] for c in columns.views[view])
        assert told == world.store.entries.window(window, source_order=ORDER)
    assert len(met) == len(columns.views)
    assert len(columns.views) < len(windows)
    assert any(c.seen_before for c in columns.candidates)


def test_a_narrower_read_tells_the_windows_within(world: World) -> None:
    releases = random_days(world)
    until = world.store.entries.seq_at(max(releases))
    bounds = Window(after=5, until=until, not_before=releases[2])
    read = world.store.entries.wide(bounds, source_order=ORDER)
    columns = Columns(read)
    inside = Window(after=7, until=until, not_before=releases[4])
    told = tuple(columns.candidates[c] for c in columns.views[columns.view(inside)])
    assert told == world.store.entries.window(inside, source_order=ORDER)
    assert told
    assert read.holds(inside)
    for outside in (
        Window(after=4, until=until, not_before=releases[2]),
        Window(after=5, until=until - 1, not_before=releases[2]),
        Window(after=5, until=until, not_before=releases[1]),
        Window(after=5, until=until),
    ):
        assert not read.holds(outside)
    assert columns.view(Window(after=until, until=until)) == NOTHING
