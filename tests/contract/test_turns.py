"""One process at a time, whatever the database; and whether that is whole."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter import storage
from newsletter.errors import StorageError
from newsletter.ports import LeaseInfo
from newsletter.storage.turns import Turn, beating
from tests.contract.world import NOW, World
from tests.support.issues import FixedClock


def turn(world: World, *, patience_s: float = 0) -> Turn:
    return Turn(
        name="prepare",
        leases=world.store.leases,
        clock=FixedClock(at=NOW),
        patience_s=patience_s,
    )


def nobody(other: LeaseInfo) -> None:
    raise AssertionError(other)


def test_a_turn_that_is_free_is_held_and_given_back(world: World) -> None:
    with turn(world).held("me", on_wait=nobody, on_give_up=nobody) as ours:
        assert ours
        other = world.store.leases.acquire(
            "prepare", holder="you", now=NOW, ttl=timedelta(seconds=1)
        )
        assert other is not None
        assert other.holder == "me"
    with turn(world).held("you", on_wait=nobody, on_give_up=nobody) as ours:
        assert ours


def test_who_waits_in_vain_is_told_for_whom_and_leaves_the_turn(world: World) -> None:
    told: list[str] = []

    def tell(word: str) -> Callable[[LeaseInfo], None]:
        return lambda other: told.append(f"{word} {other.holder}")

    with turn(world).held("me", on_wait=nobody, on_give_up=nobody):
        with turn(world).held(
            "you", on_wait=tell("waits for"), on_give_up=tell("gives up on")
        ) as ours:
            assert not ours
        with turn(world).held("me", on_wait=nobody, on_give_up=nobody) as ours:
            assert ours
    assert told == ["waits for me", "gives up on me"]


def test_who_waits_for_long_is_told_once(world: World) -> None:
    told: list[LeaseInfo] = []
    with (
        turn(world).held("me", on_wait=nobody, on_give_up=nobody),
        turn(world, patience_s=0.5).held(
            "you", on_wait=told.append, on_give_up=lambda _: None
        ) as ours,
    ):
        assert not ours
    assert [other.holder for other in told] == ["me"]


def test_who_waits_long_enough_gets_the_turn(world: World) -> None:
    waiting = threading.Event()
    first = turn(world).held("me", on_wait=nobody, on_give_up=nobody)
    first.__enter__()

    def leave() -> None:
        waiting.wait()
        first.__exit__(None, None, None)

    threading.Thread(target=leave).start()
    with turn(world, patience_s=60).held(
        "you", on_wait=lambda _: waiting.set(), on_give_up=nobody
    ) as ours:
        assert ours


def test_a_beat_that_finds_the_database_busy_is_not_the_last() -> None:
    beats: list[int] = []
    enough = threading.Event()

    def beat() -> None:
        beats.append(1)
        if len(beats) == 3:
            enough.set()
        raise StorageError("busy")

    with beating(beat, every_s=0.001):
        assert enough.wait(20)


def test_a_sound_database_says_what_it_is(world: World) -> None:
    said = world.store.verify()
    assert said.startswith(("SQLite 3.", "PostgreSQL "))
    assert "schema 0" in said


def test_a_damaged_file_is_named_as_such(tmp_path: Path) -> None:
    file = tmp_path / "newsletter.db"
    url = f"sqlite:///{file}"
    assert not storage.is_there(url)
    storage.open_store(url, secret=b"s").close()
    assert storage.is_there(url)
    content = bytearray(file.read_bytes())
    # Past the first pages, which hold the schema that opening reads.
    content[-3 * 4096 :] = b"\x5a" * (3 * 4096)
    file.write_bytes(bytes(content))
    store = storage.open_store(url, secret=b"s")
    with pytest.raises(StorageError, match="damaged"):
        store.verify()
    store.close()


def test_a_database_on_a_server_is_there_until_opening_says_otherwise() -> None:
    assert storage.is_there("postgresql+psycopg://nobody@127.0.0.1:1/none")
