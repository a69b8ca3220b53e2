"""What polls show is stored alike, one at a time or a handful at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from newsletter.model import Listing, SourceSettings
from newsletter.ports import Shown
from newsletter.storage import Store, open_store
from newsletter.storage.schema import metadata

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
SOURCES = [
    SourceSettings(name=name, kind="feed", url="https://example.org/feed")
    for name in ("a", "b", "c")
]
TABLES = "entries entry_aliases url_guids entry_versions listings sightings".split()


def rows(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Return all that is stored of entries."""
    with store.database.read() as connection:
        return {
            name: sorted(
                map(tuple, connection.execute(select(metadata.tables[name]))), key=repr
            )
            for name in TABLES
        }


def shown(source: SourceSettings, chance: Random, at: datetime) -> Shown:
    """Return a poll of few names, so that they meet: in it, and in other polls."""
    listings = [
        Listing(
            source=source.name,
            guid=chance.choice([None, f"g{chance.randrange(6)}"]),
            title=f"Title {chance.randrange(5)}",
            url=chance.choice([None, f"https://example.org/{chance.randrange(5)}"]),
            summary=chance.choice(["", "one", "two"]),
            listed_at=NOW + timedelta(days=chance.randrange(3)),
            published_at=chance.choice([None, NOW]),
            identifiers=chance.choice(
                [(), (), (f"2601.0000{chance.randrange(4)}",), ("10.1000/a",)]
            ),
            votes=chance.choice([None, 1, 2]),
        )
        for _ in range(chance.randrange(6))
    ]
    first = chance.random() < 0.2
    return Shown(source=source, listings=listings, seen_at=at, first=first)


@pytest.mark.parametrize("seed", range(6))
def test_a_handful_is_stored_as_its_polls_are(tmp_path: Path, seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - polls, the same ones each time
    one = open_store(f"sqlite:///{tmp_path / 'one.db'}", secret=b"test")
    many = open_store(f"sqlite:///{tmp_path / 'many.db'}", secret=b"test")
    for hour in range(12):
        at = NOW + timedelta(hours=hour)
        polls = [shown(chance.choice(SOURCES), chance, at) for _ in range(5)]
        single = [one.entries.put([poll], as_of=at)[0] for poll in polls]
        assert list(many.entries.put(polls, as_of=at)) == single
        assert rows(many) == rows(one)
    assert all(rows(one).values())
    one.close()
    many.close()
