"""What every store keeps besides: leases, sources, its schema and its epoch."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from newsletter.model import Move, Rhythm, SourceState, SubscriberStatus, Validator
from newsletter.ports import LeaseInfo
from newsletter.storage import migrate, open_scratch, open_store
from newsletter.storage.schema import HEAD, metadata
from tests.contract.world import DAY, HOUR, NOW, SECRET, World, listing, spec

TTL = timedelta(seconds=30)


# --- leases -------------------------------------------------------------------


def test_one_holder_at_a_time(world: World) -> None:
    acquire = world.store.leases.acquire
    assert acquire("run", holder="a", now=NOW, ttl=TTL) is None
    other = acquire("run", holder="b", now=NOW, ttl=TTL)
    assert other == LeaseInfo(holder="a", until=NOW + TTL)
    assert acquire("else", holder="b", now=NOW, ttl=TTL) is None


def test_a_lease_is_renewed_by_its_holder_and_ends_by_itself(world: World) -> None:
    acquire = world.store.leases.acquire
    acquire("run", holder="a", now=NOW, ttl=TTL)
    assert acquire("run", holder="a", now=NOW + TTL / 2, ttl=TTL) is None
    assert acquire("run", holder="b", now=NOW + TTL, ttl=TTL) is not None
    assert acquire("run", holder="b", now=NOW + TTL * 1.5, ttl=TTL) is None


def test_only_the_holder_gives_a_lease_back(world: World) -> None:
    leases = world.store.leases
    leases.acquire("run", holder="a", now=NOW, ttl=TTL)
    leases.release("run", holder="b")
    assert leases.acquire("run", holder="b", now=NOW, ttl=TTL) is not None
    leases.release("run", holder="a")
    assert leases.acquire("run", holder="b", now=NOW, ttl=TTL) is None


def test_of_many_who_want_a_lease_one_gets_it(world: World) -> None:
    barrier = threading.Barrier(8)
    got: list[str] = []

    def want(holder: str) -> None:
        barrier.wait()
        if world.store.leases.acquire("run", holder=holder, now=NOW, ttl=TTL) is None:
            got.append(holder)

    threads = [threading.Thread(target=want, args=(f"t{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1


# --- sources ------------------------------------------------------------------


def test_a_source_that_was_never_asked_has_a_fresh_state(world: World) -> None:
    assert world.state("hf") == SourceState(name="hf")


def test_every_field_of_a_source_comes_back_as_it_was(world: World) -> None:
    state = SourceState(
        name="hf",
        validators={
            "https://example.org/a": Validator(etag=b'W/"\xff\x00"'),
            "https://example.org/b": Validator(last_modified=b"Mon, 2 Mar"),
            "https://example.org/c": Validator(),
        },
        complete_day=date(2026, 3, 1),
        first_ok_at=NOW,
        last_ok_at=NOW + DAY,
        next_poll_at=NOW + 2 * DAY,
        failures=3,
        failing_since=NOW,
        last_error="503 Service Unavailable",
        last_change_at=NOW,
        note="empty: weekend",
        gone_url="https://example.org/a",
        moves={
            "https://example.org/a": Move(target="https://example.org/z", times=2),
            "https://example.org/b": Move(target="https://example.org/y"),
        },
        rhythm=Rhythm(
            at_least=timedelta(minutes=90),
            skip_hours=frozenset({0, 23}),
            skip_days=frozenset({5, 6}),
        ),
    )
    sources = world.store.sources
    sources.save([state, SourceState(name="other", moves=state.moves)])
    assert world.state("hf") == state
    sources.save([state])
    assert world.state("hf") == state
    slow = SourceState(name="slow", rhythm=Rhythm(skip_hours=frozenset({1})))
    sources.save([slow])
    assert world.state("slow") == slow
    later = replace(
        SourceState(name="hf"),
        validators={"https://example.org/b": Validator(etag=b"new")},
    )
    sources.save([later])
    assert world.state("hf") == later
    sources.save([SourceState(name="hf")])
    assert world.state("hf") == SourceState(name="hf")
    assert world.state("arxiv") == SourceState(name="arxiv")
    assert world.state("other").moves == state.moves
    sources.save([])
    sources.save([state])
    sources.forget("hf")
    assert world.state("hf") == SourceState(name="hf")


# --- hosts --------------------------------------------------------------------


def test_requests_to_a_host_are_kept_apart_over_all_processes(world: World) -> None:
    pace, apart = world.store.pace, timedelta(seconds=3)

    def turn(host: str, now: datetime) -> datetime:
        return pace.reserve(host, spacing=apart, now=now)

    assert turn("a.example.org", NOW) == NOW
    assert turn("a.example.org", NOW) == NOW + apart
    assert turn("a.example.org", NOW) == NOW + 2 * apart
    assert turn("b.example.org", NOW) == NOW
    assert turn("a.example.org", NOW + HOUR) == NOW + HOUR


def test_a_host_that_asked_us_to_wait_is_known_until_then(world: World) -> None:
    pace = world.store.pace
    assert pace.pauses(NOW) == {}
    pace.pause("a.example.org", until=NOW + HOUR)
    pace.reserve("b.example.org", spacing=timedelta(seconds=3), now=NOW)
    pace.pause("b.example.org", until=NOW + 2 * HOUR)
    pace.pause("b.example.org", until=NOW + HOUR)
    assert pace.pauses(NOW) == {
        "a.example.org": NOW + HOUR,
        "b.example.org": NOW + 2 * HOUR,
    }
    pace.pause("a.example.org", until=NOW + 3 * HOUR)
    assert pace.pauses(NOW + 2 * HOUR) == {"a.example.org": NOW + 3 * HOUR}
    assert pace.pauses(NOW + 3 * HOUR) == {}


# --- the schema ---------------------------------------------------------------


def test_the_sum_of_the_migrations_is_the_schema(world: World) -> None:
    with world.store.database.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == HEAD


def test_the_partial_indexes_are_there(world: World) -> None:
    with world.store.database.read() as connection:
        found = {
            index["name"]: index.get("dialect_options", {})
            for table in ("subscribers", "issues", "listings")
            for index in inspect(connection).get_indexes(table)
        }
    for name in (
        "ix_subscribers_due",
        "ix_issues_open",
        "ix_issues_trouble",
        "ix_listings_waiting",
    ):
        assert any(key.endswith("_where") for key in found[name]), name


@pytest.mark.usefixtures("world")
def test_migrating_twice_does_nothing(url: str) -> None:
    again = migrate(url)
    assert (again.before, again.after, again.copy) == (HEAD, HEAD, None)
    assert not again.is_change


def test_the_epoch_is_drawn_once_per_database(world: World, url: str) -> None:
    again = open_store(url, secret=SECRET)
    assert again.epoch == world.store.epoch
    assert len(again.epoch) == 32
    again.close()


# --- secrets ------------------------------------------------------------------


def test_a_new_secret_still_knows_what_the_old_one_suppressed(
    world: World, url: str
) -> None:
    ada = world.move(world.reader(), SubscriberStatus.UNSUBSCRIBED)
    rotated = open_store(url, secret=b"new", former=[SECRET])
    assert rotated.subscribers.is_suppressed(ada.address)
    rotated.close()
    stranger = open_store(url, secret=b"new")
    assert not stranger.subscribers.is_suppressed(ada.address)
    stranger.close()


# --- the rehearsal ------------------------------------------------------------


def test_a_rehearsal_sees_everything_and_keeps_nothing(world: World, url: str) -> None:
    world.show(listing("2601.00001"))
    ada = world.reader()
    scratch = World(store=open_scratch(url, secret=SECRET))
    assert scratch.store.epoch == world.store.epoch
    assert scratch.store.subscribers.get(ada.public_id) == ada

    scratch.show(listing("2601.00002"))
    scratch.read_file(spec(ada.address), spec("bob@example.org"))
    assert scratch.prepare(ada, scratch.record(ada))
    assert not scratch.prepare(ada, scratch.record(ada, NOW + DAY))
    assert len(scratch.window()) == 2
    assert len(scratch.store.ledger.recent()) == 1
    scratch.store.close()

    assert len(world.window()) == 1
    assert world.store.ledger.recent() == ()
    assert world.store.subscribers.find() == (ada,)


@pytest.mark.usefixtures("world")
def test_what_fails_in_a_rehearsal_undoes_only_itself(url: str) -> None:
    scratch = World(store=open_scratch(url, secret=SECRET))
    scratch.show(listing("2601.00001"))
    broken = replace(listing("2601.00002"), listed_at=NOW.replace(tzinfo=None))
    with pytest.raises(Exception, match="aware"):
        scratch.put(listing("2601.00003"), broken)
    assert len(scratch.window()) == 1
    assert scratch.put(listing("2601.00003")).new == 1
    scratch.store.close()
