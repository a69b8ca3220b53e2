"""What a preview needs of the store: what would come, computed and not done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from newsletter.errors import NewsletterError, NotFoundError, StorageError
from newsletter.matching import profile_hash
from newsletter.model import Foreseen, Profile, SubscriberSpec, SubscriberStatus, Window
from newsletter.ports import ID_AT_LEAST
from newsletter.storage import migrate, open_store, open_to_look
from newsletter.storage.schema import metadata
from tests.contract.world import DAY, HOUR, NOW, ORDER, SECRET, World, listing, spec

ADA, BOB, EVE = "ada@example.org", "bob@example.org", "eve@example.org"
LATER = NOW + DAY


def rows(world: World) -> dict[str, int]:
    """Return how many rows each table has, and the sum of all versions."""
    with world.store.database.read() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in metadata.sorted_tables
        }


# --- the order of release -----------------------------------------------------


def test_what_is_foreseen_is_what_releasing_then_does(world: World) -> None:
    world.show(listing("10.1000/old"), listing("10.1000/both"))
    world.put(
        listing("10.1000/both", "arxiv"),
        listing("10.1000/new", "arxiv", listed_at=NOW + HOUR),
        listing("10.1000/late", "arxiv", listed_at=NOW + 5 * HOUR),
    )
    world.put(listing("10.1000/slow", "blog"))
    settle = {"blog": 3 * DAY, "arxiv": HOUR}
    entries, as_of = world.store.entries, NOW + 3 * HOUR
    foreseen = entries.foresee(as_of=as_of, settle=settle)
    before = rows(world)
    after = entries.seq_at(NOW)
    window = Window(after=after, until=foreseen.seq_at(as_of), not_before=NOW - DAY)
    found = foreseen.window(window, source_order=ORDER)
    assert [(c.version.title, c.seen_before) for c in found] == [
        ("About 10.1000/both", True),
        ("About 10.1000/new", False),
    ]
    assert rows(world) == before
    assert foreseen.seq_at(NOW) == after
    assert foreseen.first_release_at() == NOW
    world.release(as_of, **settle)
    window = replace(window, until=entries.seq_at(as_of))
    assert entries.window(window, source_order=ORDER) == found


def test_before_the_first_release_the_coming_one_is_the_first(world: World) -> None:
    entries = world.store.entries
    assert entries.foresee(as_of=NOW, settle={}).first_release_at() is None
    world.put(listing("10.1000/a"), listing("10.1000/b"))
    foreseen = entries.foresee(as_of=NOW, settle={})
    assert foreseen.first_release_at() == NOW
    assert (foreseen.seq_at(NOW - HOUR), foreseen.seq_at(NOW)) == (0, 1)
    window = Window(after=0, until=1)
    assert len(foreseen.window(window, source_order=ORDER)) == 2


def test_where_nothing_is_due_the_order_is_as_it_stands(world: World) -> None:
    world.show(listing("10.1000/a"))
    world.put(listing("10.1000/b", listed_at=LATER))
    entries = world.store.entries
    assert entries.foresee(as_of=NOW, settle={}) is entries


# --- the readers' file --------------------------------------------------------


def foresee(world: World, *specs: SubscriberSpec) -> dict[str, Foreseen]:
    before = rows(world)
    forecast = world.store.subscribers.foresee(specs, as_of=LATER, at=LATER)
    assert rows(world) == before
    return {found.subscriber.address: found for found in forecast.readers}


def test_a_forecast_is_what_reconciling_then_does(world: World) -> None:
    many = [spec(f"r{n}@example.org") for n in range(4)]
    world.read_file(spec(ADA, name="Ada"), spec(EVE), *many)
    profile = Profile(max_items=3)
    file = (
        spec(ADA, name="Augusta", profile=profile, schedule=("mon 09:00",)),
        spec(BOB, profile=profile),
        *many,
    )
    found = foresee(world, *file)
    assert set(found) == {ADA, BOB, EVE}
    forecast = world.store.subscribers.foresee(file, as_of=LATER, at=LATER)
    report = world.read_file(*file, at=LATER)
    assert forecast.report == report
    for address, joins in ((ADA, False), (BOB, True), (EVE, False)):
        stored = world.store.subscribers.get(address)
        given = found[address]
        foreseen = replace(given.subscriber, version=stored.version)
        if joins:
            foreseen = replace(foreseen, id=stored.id, public_id=stored.public_id)
        assert foreseen == stored
        assert given.joins is joins
        assert world.store.subscribers.profile(stored.profile_hash) == given.profile
    assert found[EVE].subscriber.status is SubscriberStatus.PAUSED
    assert found[ADA].subscriber.profile_hash == profile_hash(profile)


def test_whoever_returns_to_the_file_is_foreseen_active(world: World) -> None:
    many = [spec(f"r{n}@example.org") for n in range(4)]
    world.read_file(spec(ADA), *many)
    world.read_file(*many)
    found = foresee(world, spec(ADA), *many)
    assert found[ADA].subscriber.status is SubscriberStatus.ACTIVE
    assert found[ADA].subscriber.joined_at == LATER


def test_a_stand_in_for_who_joins_is_the_same_each_time(world: World) -> None:
    one = foresee(world, spec(ADA), spec(BOB))
    other = foresee(world, spec(BOB), spec(ADA))
    assert one == other
    names = {found.subscriber.public_id for found in one.values()}
    assert len(names) == 2


# --- finding ------------------------------------------------------------------


def test_readers_are_found_by_their_ids(world: World) -> None:
    world.read_file(spec(ADA, id="Countess_1"), spec(BOB, id="builder"))
    ada = world.store.subscribers.get(ADA)

    def found(text: str) -> list[str]:
        return [s.address for s in world.store.subscribers.search(text, limit=50)]

    assert found("countess_") == [ADA]
    assert found("UILD") == [BOB]
    assert found(ada.public_id) == [ADA]
    assert found(ada.public_id[:ID_AT_LEAST].upper()) == [ADA]
    # Fewer are in many ids, and the middle of one is nothing to go by.
    assert found(ada.public_id[: ID_AT_LEAST - 1]) == []
    assert found(ada.public_id[3:20]) == []


def test_readers_are_found_by_address_or_name(world: World) -> None:
    world.read_file(
        spec("zoe@example.org", name="100% Zoe"),
        spec(ADA, name="Ada Lovelace"),
        spec("lovely_bob@example.org"),
        spec("LOVELYXBOB@example.org"),
    )
    gone = world.store.subscribers.get("zoe@example.org")
    search = world.store.subscribers.search

    def found(text: str, limit: int = 50) -> list[str]:
        return [s.address for s in search(text, limit=limit)]

    assert found("LOVE ") == [ADA, "lovely_bob@example.org", "LOVELYXBOB@example.org"]
    assert found("y_b") == ["lovely_bob@example.org"]
    assert found("0%") == ["zoe@example.org"]
    assert found("", limit=2) == [ADA, "lovely_bob@example.org"]
    assert found("nobody") == []
    world.move(gone, SubscriberStatus.ERASED)
    assert found("zoe") == []
    assert len(found("")) == 3


def test_a_readers_issues_come_newest_first(world: World) -> None:
    world.read_file(spec(ADA), spec(BOB))
    ada, bob = (world.store.subscribers.get(a) for a in (ADA, BOB))
    slots = [NOW, NOW + DAY, NOW + 2 * DAY]
    for slot in slots:
        world.issue(ada, slot)
    world.issue(bob)
    found = world.store.ledger.issues_of(ada.id)
    assert [row.record.slot for row in found] == slots[::-1]
    assert len(world.store.ledger.issues_of(ada.id, limit=2)) == 2


# --- a store that is only looked at -------------------------------------------


@pytest.fixture
def looking(world: World, url: str) -> Iterator[World]:
    """Return the same store as *world*, opened to read only."""
    assert world.titles() == []
    store = open_to_look(url, secret=SECRET)
    yield World(store=store)
    store.close()


def test_a_store_that_is_looked_at_cannot_be_written(
    world: World, looking: World
) -> None:
    world.show(listing("10.1000/a"))
    world.reader()
    assert looking.titles() == ["About 10.1000/a"]
    assert set(foresee(looking, spec(ADA), spec(BOB))) == {BOB}
    before = rows(world)
    with pytest.raises((NewsletterError, DBAPIError)):
        looking.put(listing("10.1000/b"))
    with pytest.raises((NewsletterError, DBAPIError)):
        looking.reader(BOB)
    assert rows(world) == before


def test_whoever_looks_keeps_no_run_waiting(world: World, looking: World) -> None:
    with looking.store.database.read() as connection:
        connection.scalar(select(func.count()).select_from(metadata.tables["entries"]))
        world.show(listing("10.1000/a"))
        world.reader()
    assert looking.titles() == ["About 10.1000/a"]


def test_a_database_that_is_not_there_is_not_made(url: str) -> None:
    with pytest.raises((NotFoundError, StorageError), match=r"newsletter (refresh|db)"):
        open_to_look(url, secret=SECRET)
    # It is still to be made.
    assert migrate(url).before is None
    open_store(url, secret=SECRET).close()
