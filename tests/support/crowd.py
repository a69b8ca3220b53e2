"""Many readers of every kind over a few weeks of entries, in a store."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from newsletter.blocks import BlockDecider
from newsletter.composing import MORE_TITLES
from newsletter.deciding import Decider, Plan
from newsletter.matching import documents, match_profile
from newsletter.matching.grammar import parse_query
from newsletter.model import (
    Candidate,
    CatchUp,
    CatchUpPolicy,
    Edition,
    Interest,
    Listing,
    Match,
    Mute,
    Newsletter,
    Order,
    Profile,
    Ranking,
    Sections,
    SourceSettings,
    SubscriberSpec,
)
from newsletter.ports import Shown, Subscribers
from newsletter.storage import Store, open_store
from newsletter.usecases.prepare import Blockwise, Prepare
from newsletter.weighing import Ask, Book, Found, Limits, Weighed

#: A Monday, before anything is due.
START = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SECRET = b"a secret of the tests"
#: Readers in one transaction.
BLOCK = 50
SOURCES = ("hf", "arxiv", "blog")
_WORDS = """mamba diffusion robot language attention graph memory token policy
 image video speech protein weather market sparse dense survey""".split()
_QUERIES = (
    "mamba",
    "diffus*",
    '"language token"',
    "title:robot",
    "graph AND NOT survey",
    "source:blog",
    "video OR (speech AND memory)",
    "weather market -sparse",
    "policy^3",
)
_SCHEDULES = (
    ("daily 07:30",),
    ("weekdays 07:30",),
    ("mon,thu 18:00",),
    ("daily 07:30", "daily 18:00"),
    ("monthly 1 07:30",),
)
_ZONES = ("UTC", "Europe/London", "Asia/Kathmandu", "America/Los_Angeles")


@dataclass(frozen=True, slots=True)
class Stopped:
    """A clock that stands."""

    at: datetime

    def now(self) -> datetime:
        return self.at


# --- what fills the store -------------------------------------------------------


def listings(chance: Random, day: datetime, count: int, seen: int) -> list[Listing]:
    """Return a day's listings; some are of entries that another source showed."""
    found = []
    for number in range(count):
        again = seen and chance.random() < 0.4
        name = chance.randrange(seen) if again else seen + number
        source = chance.choice(SOURCES)
        found.append(
            Listing(
                source=source,
                guid=f"{source}-{name}",
                title=" ".join(chance.choices(_WORDS, k=4)),
                url=f"https://example.org/{source}/{name}",
                summary=" ".join(chance.choices(_WORDS, k=12)),
                listed_at=day - chance.randrange(30) * HOUR,
                identifiers=(f"2603.{name:05}",),
                votes=chance.choice([None, 0, 3, 50]),
            )
        )
    return found


def show(store: Store, found: Sequence[Listing], at: datetime) -> None:
    """Store and release what all sources show."""
    for source in SOURCES:
        settings = SourceSettings(name=source, kind="feed", url="https://example.org/")
        unique = {one.guid: one for one in found if one.source == source}
        shown = Shown(source=settings, listings=tuple(unique.values()), seen_at=at)
        store.entries.put([shown], as_of=at)
    store.entries.release(as_of=at, settle={})


def profile(chance: Random, *, fills: bool = True) -> Profile:
    """Return a profile of some random kind."""
    queries = chance.sample(_QUERIES, k=chance.randrange(4))
    mutes = chance.sample(_WORDS, k=chance.choice([0, 0, 1]))
    return Profile(
        interests=tuple(
            Interest(
                query=query,
                tree=parse_query(query),
                name=chance.choice(["", "A name"]),
                weight=Decimal(chance.choice(["1", "0.5", "2.25"])),
            )
            for query in queries
        ),
        mutes=tuple(Mute(query=query, tree=parse_query(query)) for query in mutes),
        order=chance.choice(list(Order)),
        sections=chance.choice(list(Sections)),
        max_items=chance.choice([1, 2, 3, 12]),
        min_votes=chance.choice([0, 0, 1, 10]),
        fill=fills and chance.random() < 0.1,
        skip_empty=chance.random() < 0.8,
    )


def readers(
    chance: Random, count: int, *, profiles: int = 40, fills: bool = True
) -> list[SubscriberSpec]:
    """Return *count* readers who share some profiles."""
    shared = [profile(chance, fills=fills) for _ in range(profiles)]
    return [
        SubscriberSpec(
            address=f"reader-{number}@example.org",
            timezone=chance.choice(_ZONES),
            language="en",
            schedule=chance.choice(_SCHEDULES),
            profile=chance.choice(shared),
        )
        for number in range(count)
    ]


@contextmanager
def opened(file: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{file}", secret=SECRET)
    try:
        yield store
    finally:
        store.close()


def rows(file: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return all that preparing writes, whole."""
    with closing(sqlite3.connect(file)) as raw:
        return {
            table: raw.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()  # noqa: S608 - two names of ours
            for table in ("subscribers", "issues")
        }


# --- preparing ------------------------------------------------------------------


def edition() -> Edition:
    return Edition(
        newsletter=Newsletter(
            title="Papers",
            from_name="",
            from_address="digest@example.org",
            list_id="papers.example.org",
        ),
        ranking=Ranking(votes=Decimal("0.25")),
    )


def decider(
    store: Store, policy: CatchUpPolicy = CatchUpPolicy.LATE, *, repeat_days: int = 5
) -> Decider:
    return Decider(
        entries=store.entries,
        ledger=store.ledger,
        edition=edition(),
        theme_hash="t" * 64,
        catch_up=CatchUp(
            policy=policy, max_lookback=timedelta(days=6), repeat_days=repeat_days
        ),
        source_order=SOURCES,
    )


def prepare(
    store: Store,
    book: Book | None,
    *,
    at: datetime,
    block: int = BLOCK,
    policy: CatchUpPolicy = CatchUpPolicy.LATE,
) -> Prepare:
    """Return the use case; by blocks where there is a *book*."""
    decides = decider(store, policy)
    blockwise = None if book is None else block_maker(store, decides, book)
    return Prepare(
        decider=decides,
        subscribers=store.subscribers,
        ledger=store.ledger,
        clock=Stopped(at),
        blockwise=blockwise,
        many=0,
        block=block,
    )


def block_maker(store: Store, decides: Decider, book: Book) -> Blockwise:
    def make(
        as_of: datetime, *, everyone: bool, edition_hash: str, is_waiting: object
    ) -> BlockDecider:
        assert callable(is_waiting)

        def waits(plan: Plan) -> bool:
            return bool(is_waiting(plan))

        return BlockDecider(
            decider=decides,
            entries=store.entries,
            ledger=store.ledger,
            book=book,
            as_of=as_of,
            everyone=everyone,
            edition_hash=edition_hash,
            is_waiting=waits,
        )

    return make


# --- books ----------------------------------------------------------------------


def plain(store: Store) -> Book:
    return PlainBook(store.subscribers)


def compiled(store: Store) -> Book:
    """Return a book of the engine, with chunks of few profiles and few open."""
    from newsletter.library import Library  # noqa: PLC0415 - numba takes a second

    library = Library(
        chunks=store.chunks,
        subscribers=store.subscribers,
        warn=pytest.fail,
        most_open=5,
        chunk_rows=4,
    )
    library.bring_up_to_date()
    return library


# --- a book over the reference evaluator ----------------------------------------


@dataclass(slots=True)
class PlainBook:
    """Weighs by the reference evaluator: slow, and what all others must equal."""

    subscribers: Subscribers
    opened: dict[str, Profile] = field(default_factory=dict)

    def limits(self, hashes: Iterable[str]) -> Mapping[str, Limits]:
        wanted = set(hashes)
        self.opened |= self.subscribers.profiles(wanted - self.opened.keys())
        known = wanted & self.opened.keys()
        return {name: Limits.of(self.opened[name]) for name in known}

    def profile(self, profile_hash: str) -> Profile:
        return self.opened[profile_hash]

    def weigh(
        self,
        candidates: Sequence[Candidate],
        views: Sequence[Sequence[int]],
        *,
        as_of: datetime,
        ranking: Ranking,
    ) -> Weighed:
        return PlainlyWeighed(self, tuple(candidates), tuple(views), as_of, ranking)


@dataclass(frozen=True, slots=True)
class PlainlyWeighed:
    book: PlainBook
    candidates: tuple[Candidate, ...]
    views: tuple[Sequence[int], ...]
    as_of: datetime
    ranking: Ranking

    def before(self, asks: Sequence[Ask]) -> Sequence[tuple[int, ...]]:
        return [
            tuple(c for c, match in self._matches(ask) if match.candidate.seen_before)
            for ask in asks
        ]

    def best(self, asks: Sequence[Ask]) -> Sequence[Found]:
        found = []
        for ask in asks:
            left = [c for c, _ in self._matches(ask) if c not in ask.excluded]
            most = self.book.opened[ask.profile_hash].max_items + MORE_TITLES
            found.append(Found(matched=len(left), columns=tuple(left[:most])))
        return found

    def interests(
        self, profile_hash: str, columns: Sequence[int]
    ) -> Sequence[int | None]:
        found: list[int | None] = []
        profile = self.book.opened[profile_hash]
        for column in columns:
            candidate = self.candidates[column]
            holding = [
                place
                for place, interest in enumerate(profile.interests)
                if self._match(Profile(interests=(interest,)), [candidate])
            ]
            found.append(holding[0] if holding else None)
        return found

    def _matches(self, ask: Ask) -> list[tuple[int, Match]]:
        columns = {id(self.candidates[c]): c for c in self.views[ask.view]}
        candidates = [self.candidates[c] for c in self.views[ask.view]]
        profile = self.book.opened[ask.profile_hash]
        return [
            (columns[id(match.candidate)], match)
            for match in self._match(profile, candidates)
        ]

    def _match(
        self, profile: Profile, candidates: Sequence[Candidate]
    ) -> tuple[Match, ...]:
        return match_profile(
            profile,
            candidates,
            as_of=self.as_of,
            ranking=self.ranking,
            documents=documents(candidates),
        )
