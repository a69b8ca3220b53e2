"""A store with very many readers, written in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import islice
from random import Random

from sqlalchemy import insert

from newsletter.matching import profile_hash, profile_to_json
from newsletter.matching.grammar import parse_query
from newsletter.model import (
    Interest,
    Listing,
    Mute,
    Origin,
    Profile,
    SubscriberStatus,
)
from newsletter.storage import Store
from newsletter.storage.schema import profile_places, profiles, subscribers

DUE_WITH = '["daily 07:30"] UTC'
#: So many rows are written at once.
_AT_ONCE = 10_000
_SYLLABLES = "ba ce di fo gu ka le mi no pu ra se ti vo xu za".split()


def words(count: int) -> list[str]:
    """Return *count* different words; the first ones are used most."""
    found = []
    for number in range(count):
        word, rest = "", number + 16
        while rest:
            word, rest = _SYLLABLES[rest % 16] + word, rest // 16
        found.append(word)
    return found


class Language:
    """Draws words as texts do: the nth word once for n times the first."""

    def __init__(self, seed: int, *, size: int = 20_000) -> None:
        self.chance = Random(seed)  # noqa: S311 - the same every time
        self.words = words(size)
        total, self._sums = 0.0, []
        for rank in range(size):
            total += 1 / (rank + 3)
            self._sums.append(total)

    def draw(self, count: int) -> list[str]:
        return self.chance.choices(self.words, cum_weights=self._sums, k=count)


def entries(language: Language, count: int, at: datetime) -> list[Listing]:
    """Return listings of *count* entries with 10 + 150 words each."""
    return [
        Listing(
            source="preprints",
            guid=f"{number}",
            title=" ".join(language.draw(10)).capitalize(),
            url=f"https://example.org/papers/{number}",
            summary=" ".join(language.draw(150)),
            authors=(f"Author {number % 97}",),
            listed_at=at - timedelta(minutes=number),
        )
        for number in range(count)
    ]


def profile(language: Language) -> Profile:
    """Return a profile of a few words and phrases, mostly plain lists of them."""
    chance = language.chance
    queries = []
    for _ in range(chance.randrange(1, 4)):
        rare = [w for w in language.draw(12) if len(w) > 4][:3] or language.draw(1)
        kind = chance.random()
        if kind < 0.6:
            queries.append(" ".join(rare))
        elif kind < 0.8:
            queries.append(f'"{" ".join(language.draw(2))}"')
        else:
            queries.append(f"title:{rare[0]} OR ({rare[-1]} AND NOT {rare[0]}x)")
    mutes = language.draw(1) if chance.random() < 0.2 else []
    return Profile(
        interests=tuple(
            Interest(query=q, tree=parse_query(q), weight=Decimal(1)) for q in queries
        ),
        mutes=tuple(Mute(query=q, tree=parse_query(q)) for q in mutes),
        max_items=10,
    )


def put_profiles(store: Store, found: Sequence[Profile], at: datetime) -> list[str]:
    """Keep profiles, all different or not; return their hashes, in order."""
    rows = {profile_hash(one): profile_to_json(one) for one in found}
    known = store.subscribers.profiles(rows)
    rows = {name: content for name, content in rows.items() if name not in known}
    with store.database.write() as connection:
        connection.execute(
            insert(profiles),
            [
                {"hash": name, "content": content, "created_at": at}
                for name, content in rows.items()
            ],
        )
        connection.execute(
            insert(profile_places),
            [{"profile_hash": name, "due_with": DUE_WITH} for name in rows],
        )
    return [profile_hash(one) for one in found]


def put_readers(
    store: Store,
    hashes: Sequence[str],
    *,
    first: int = 0,
    joined_at: datetime,
    next_slot: datetime,
    cursors: Sequence[int | None] = (0,),
) -> None:
    """Add an active reader for each of *hashes*, due at *next_slot*."""
    rows = _rows(hashes, first, joined_at, next_slot, cursors)
    while block := list(islice(rows, _AT_ONCE)):
        with store.database.write() as connection:
            connection.execute(insert(subscribers), block)


def _rows(
    hashes: Sequence[str],
    first: int,
    joined_at: datetime,
    next_slot: datetime,
    cursors: Sequence[int | None],
) -> Iterator[dict[str, object]]:
    for number, name in enumerate(hashes, first):
        address = f"reader-{number}@example.org"
        yield {
            "public_id": sha256(address.encode()).hexdigest()[:32],
            "address": address,
            "address_key": address,
            "name": "",
            "timezone": "UTC",
            "language": "en",
            "status": SubscriberStatus.ACTIVE,
            "status_at": joined_at,
            "origin": Origin.IMPORT,
            "profile_hash": name,
            "schedule": ("daily 07:30",),
            "cursor": cursors[number % len(cursors)],
            "next_slot": next_slot,
            "skipped": (),
            "left_out": False,
            "version": 1,
            "joined_at": joined_at,
        }
