"""Compiled profiles in the store, on every database."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, update

from newsletter.library import Library
from newsletter.matching import profile_hash
from newsletter.matching.chunks import chunk_from_bytes
from newsletter.matching.grammar import parse_query
from newsletter.model import (
    NO_ACRONYMS,
    Acronym,
    Acronyms,
    Interest,
    Profile,
    SubscriberStatus,
)
from newsletter.ports import NewChunk
from newsletter.storage.schema import profile_chunks, profile_places
from newsletter.weighing import Limits
from tests.contract.world import World, spec


def profile(word: str) -> Profile:
    return Profile(interests=(Interest(query=word, tree=parse_query(word)),))


def library(world: World, said: list[str] | None = None, *, rows: int = 4) -> Library:
    told = [] if said is None else said
    return Library(
        chunks=world.store.chunks,
        subscribers=world.store.subscribers,
        warn=told.append,
        chunk_rows=rows,
    )


def join(world: World, *words: str, schedule: str = "daily 07:30") -> list[str]:
    """Add a reader for each of *words*; return the profiles' hashes."""
    world.read_file(
        *(
            spec(f"{n}-{word}@example.org", profile=profile(word), schedule=(schedule,))
            for n, word in enumerate(words)
        )
    )
    return [profile_hash(profile(word)) for word in words]


def chunks(world: World) -> dict[int, tuple[str, int, int]]:
    """Return each chunk's due_with, version and rows."""
    query = select(profile_chunks).order_by(profile_chunks.c.id)
    with world.store.database.read() as connection:
        rows = connection.execute(query).all()
    return {row[0]: (row[1], row[2], row[4]) for row in rows}


def damage(world: World, number: int, **values: object) -> None:
    with world.store.database.write() as connection:
        connection.execute(
            update(profile_chunks).where(profile_chunks.c.id == number).values(**values)
        )


def test_each_profile_is_compiled_once(world: World) -> None:
    names = join(world, "ant", "bee", "cat", "ant", "dog", "eel", "fox")
    assert world.store.chunks.places(names) == {}
    library(world).bring_up_to_date()
    places = world.store.chunks.places(names)
    assert places.keys() == set(names)
    assert sorted(rows for _, _, rows in chunks(world).values()) == [2, 4]
    for number, stored in world.store.chunks.load(chunks(world)).items():
        assert stored.compiler == library(world).compiler
        members = world.store.chunks.members(number)
        assert chunk_from_bytes(stored.data).rows == len(members)
        assert [places[name].row for name in members] == list(range(len(members)))
    before = chunks(world)
    library(world).bring_up_to_date()
    assert chunks(world) == before
    assert world.store.chunks.waiting() == {}


def test_who_falls_due_together_is_compiled_together(world: World) -> None:
    world.read_file(
        spec("1@example.org", profile=profile("ant")),
        spec("2@example.org", profile=profile("cow"), schedule=("mon 18:00",)),
        spec("3@example.org", profile=profile("dog"), timezone="Asia/Tokyo"),
    )
    library(world).bring_up_to_date()
    assert sorted(due_with for due_with, *_ in chunks(world).values()) == [
        '["daily 07:30"] Asia/Tokyo',
        '["daily 07:30"] UTC',
        '["mon 18:00"] UTC',
    ]


def test_an_edit_touches_one_chunk(world: World) -> None:
    words = [f"word{n}" for n in range(10)]
    join(world, *words)
    library(world).bring_up_to_date()
    before = chunks(world)
    join(world, *words[:9], "another")
    library(world).bring_up_to_date()
    after = chunks(world)
    changed = [number for number in after if after[number] != before.get(number)]
    assert len(changed) == 1
    assert after[changed[0]][1:] == (2, 3)


def test_a_new_compiler_makes_all_again(world: World) -> None:
    names = join(world, "ant", "bee", "cat", "dog", "eel")
    library(world).bring_up_to_date()
    for number in chunks(world):
        damage(world, number, compiler=library(world).compiler + 1, data=b"of another")
    said: list[str] = []
    library(world, said).bring_up_to_date()
    assert {version for _, version, _ in chunks(world).values()} == {2}
    assert library(world).limits(names).keys() == set(names)
    # That was to be expected, and nobody needs to know.
    assert said == []


def test_other_acronyms_make_all_again(world: World) -> None:
    join(world, "ant", "bee")
    library(world).bring_up_to_date()
    ants = Acronyms((Acronym(short="ant", long="all new tools"),))
    for acronyms, version in ((NO_ACRONYMS, 1), (ants, 2), (ants, 2), (NO_ACRONYMS, 3)):
        other = library(world)
        other.acronyms = acronyms
        other.bring_up_to_date()
        assert [found for _, found, _ in chunks(world).values()] == [version]


def test_a_damaged_chunk_is_made_again_from_the_queries(world: World) -> None:
    names = join(world, "ant", "bee")
    library(world).bring_up_to_date()
    (number,) = chunks(world)
    whole = world.store.chunks.load([number])[number].data
    damage(world, number, data=whole[:-1] + bytes([whole[-1] ^ 1]))
    said: list[str] = []
    opened = library(world, said)
    assert opened.limits(names).keys() == set(names)
    assert len(said) == 1
    assert "made again from the queries" in said[0]
    assert world.store.chunks.load([number])[number].data == whole
    assert opened.book.rows == 2


def test_a_chunk_that_another_wrote_meanwhile_is_left_alone(world: World) -> None:
    first, second = join(world, "ant", "bee")
    library(world).bring_up_to_date()
    (number,) = chunks(world)
    old = world.store.chunks.load([number])[number]
    limits = Limits(max_items=12)

    def write(*names: str, replaces: bool = True) -> bool:
        return world.store.chunks.write(
            NewChunk(
                old=old if replaces else None,
                due_with=old.due_with,
                compiler=library(world).compiler,
                data=b"ours",
                profiles=[(name, limits) for name in names],
            )
        )

    assert not write(first, replaces=False)
    assert not write(first, "nobody's")
    assert write(second, first)
    assert not write(first, second)
    assert world.store.chunks.members(number) == (second, first)
    assert len(chunks(world)) == 1


def test_what_an_erased_reader_wanted_is_in_no_chunk(world: World) -> None:
    names = join(world, "ant", "bee")
    library(world).bring_up_to_date()
    (number,) = chunks(world)
    ada = world.store.subscribers.get("0-ant@example.org")
    world.move(ada, SubscriberStatus.ERASED)
    stored = world.store.chunks.load([number])[number]
    assert stored.data == b""
    assert world.store.chunks.places(names).keys() == {names[1]}
    # A run that is under way does without; the next one makes it again.
    said: list[str] = []
    library(world, said).bring_up_to_date()
    assert said == []
    assert world.store.chunks.members(number) == (names[1],)
    with world.store.database.read() as connection:
        left = select(func.count()).select_from(profile_places)
        # The empty profile that erased readers have waits in a chunk of its own.
        assert connection.scalar(left) == 2
    bob = world.store.subscribers.get("1-bee@example.org")
    world.move(bob, SubscriberStatus.ERASED)
    library(world).bring_up_to_date()
    assert world.store.chunks.members(number) == ()
    data = world.store.chunks.load([number])[number].data
    assert chunk_from_bytes(data).rows == 0


def test_a_reader_whose_chunk_is_gone_is_left_to_the_slow_way(world: World) -> None:
    names = join(world, "ant")
    assert library(world).limits(names) == {}


@pytest.mark.parametrize("most", [1, 2])
def test_more_chunks_than_may_be_open_are_opened_in_turn(
    world: World, most: int
) -> None:
    names = join(world, *(f"word{n}" for n in range(12)))
    opened = library(world)
    opened.most_open = most
    opened.bring_up_to_date()
    groups = [world.store.chunks.members(number) for number in chunks(world)]
    assert len(groups) == 3
    for group in (*groups, *groups):
        assert opened.limits(group).keys() == set(group)
        assert opened.book.rows <= most * 4
        rows = [opened.row(name) for name in group]
        assert sorted(rows) == list(range(min(rows), min(rows) + 4))
    # What one block needs is open at once, however much it is.
    assert opened.limits(names).keys() == set(names)
    assert opened.book.rows == 12
