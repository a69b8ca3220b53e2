"""A day of a thousand entries against ten thousand, to a million profiles.

The workload is made of real papers (tests/support/workload.py); where the
folder of them is not beside the project, all of this skips.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import numpy as np
import pytest

from newsletter.matching.batch import Batch, make_batch
from newsletter.matching.book import Book, open_book
from newsletter.matching.chunks import CHUNK_ROWS, chunk_from_bytes, chunk_to_bytes
from newsletter.matching.compiling import compile_profiles
from newsletter.matching.engine import Best, Ranker, Windows, best
from newsletter.matching.finding import find
from newsletter.matching.kernel import IS_COMPILED, rank_compiled
from newsletter.matching.ranking import rank_plainly
from newsletter.matching.tree import positive_terms
from newsletter.model import Candidate, Profile, Ranking
from tests.benchmarks.harness import Bench, Comparison, Figure
from tests.support import fts5
from tests.support.workload import AS_OF, DENSE, SELECTIVE, World, real_papers

CORES = 2
MILLION = 245  # chunks of 4,096
TASTES = {"selective": SELECTIVE, "dense": DENSE}
FASTEST: Ranker = rank_compiled if IS_COMPILED else rank_plainly
COMPILED = pytest.mark.skipif(not IS_COMPILED, reason="numba is not installed")


@lru_cache(maxsize=1)
def world_of(corpus: Path) -> World:
    """Return ten thousand papers; a day is the first thousand of them."""
    return World(real_papers(corpus), 1000)


def compiled(corpus: Path, taste: str, seed: int) -> bytes:
    """Return one chunk of readers."""
    profiles = world_of(corpus).profiles(CHUNK_ROWS, TASTES[taste], seed)
    return chunk_to_bytes(compile_profiles(list(profiles)))


@pytest.fixture(scope="module")
def corpus(shared: Path) -> Path:
    return shared / "corpus" / "papers.jsonl.gz"


@pytest.fixture(scope="module")
def day(corpus: Path) -> tuple[Candidate, ...]:
    return world_of(corpus).candidates


@pytest.fixture(scope="module")
def chunks(corpus: Path) -> Callable[[str], list[bytes]]:
    """Give a million profiles, compiled by as many processes as there are cores."""

    @lru_cache(maxsize=1)
    def made(taste: str) -> list[bytes]:
        with ProcessPoolExecutor(CORES, mp_context=get_context("spawn")) as pool:
            jobs = [pool.submit(compiled, corpus, taste, n) for n in range(MILLION)]
            return [job.result() for job in jobs]

    return made


def batch_of(candidates: tuple[Candidate, ...]) -> Batch:
    return make_batch(candidates, as_of=AS_OF, ranking=Ranking())


def ranked(
    book: Book,
    candidates: tuple[Candidate, ...],
    ranker: Ranker = FASTEST,
    *,
    rows: np.ndarray[tuple[int], np.dtype[np.int64]] | None = None,
    windows: int = 1,
    threads: int = CORES,
) -> Best:
    """Return the best ten of everyone due, from the candidates on."""
    due = np.arange(book.rows) if rows is None else rows
    masks = np.ones((windows, len(candidates)), np.bool_)
    for window in range(windows):
        # A window is what came after its cursor.
        masks[window, : window * len(candidates) // (2 * windows)] = False
    of_row = np.arange(len(due)) % windows
    return best(
        find(book, batch_of(candidates)),
        rows=due,
        windows=Windows(masks=masks, of_row=of_row),
        limit=10,
        threads=threads,
        ranker=ranker,
    )


def timed(
    bench: Bench,
    task: str,
    ways: Mapping[str, tuple[Callable[[], object], int]],
    *,
    turns: int = 5,
    clock: Callable[[], float] = perf_counter,
) -> None:
    """Compare ways by the seconds that they take for one of some things.

    Not ``bench(…)``: that repeats a way until it lasts, and has no ways that
    do a different number of things.
    """
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(turns + 1):
        for way, (run, things) in ways.items():
            started = clock()
            run()
            # The first turn fills caches, and compiles.
            if turn:
                taken[way].append((clock() - started) / things)
    base = median(next(iter(taken.values())))
    figures = tuple(
        Figure(
            way=way,
            median_s=median(times),
            least_s=min(times),
            most_s=max(times),
            ratio=base / median(times),
        )
        for way, times in taken.items()
    )
    bench.comparisons.append(Comparison(task=task, figures=figures))


@pytest.mark.parametrize("taste", ["selective", "dense"])
def test_the_curve(
    bench: Bench,
    chunks: Callable[[str], list[bytes]],
    day: tuple[Candidate, ...],
    taste: str,
) -> None:
    data = chunks(taste)
    loaded = [chunk_from_bytes(each) for each in data]
    million = open_book(loaded)
    stored, resident = sum(map(len, data)) / million.rows, million.nbytes / million.rows
    books = {n: open_book(loaded[: -(-n // CHUNK_ROWS)]) for n in (10_000, 100_000)}
    books[1_000_000] = million
    answer = ranked(million, day)
    share = answer.matches.mean() / len(day)
    fastest = {
        f"{book.rows:,} profiles, a profile": (
            lambda book=book: ranked(book, day),
            book.rows,
        )
        for book in books.values()
    }
    plain = {
        f"{book.rows:,} profiles by numpy alone, one core": (
            lambda book=book: ranked(book, day, rank_plainly, threads=1),
            book.rows,
        )
        for n, book in books.items()
        # A dense million takes numpy a dozen seconds.
        if taste == "selective" or n < 1_000_000
    }
    timed(
        bench,
        f"{taste} ({share:.1%} match): {len(day):,} entries, best 10, wall of a profile"
        f"\n{stored:.0f} bytes a profile stored, {resident:.0f} resident",
        {**fastest, **plain},
        turns=3,
    )
    timed(
        bench,
        f"{taste}: a million profiles, all of it",
        {
            "read and merge 245 chunks": (
                lambda: open_book([chunk_from_bytes(each) for each in data]),
                1,
            ),
            "the run": (lambda: ranked(million, day), 1),
        },
        turns=3,
    )
    if taste == "selective":
        some_due(bench, million, day)


def some_due(bench: Bench, book: Book, day: tuple[Candidate, ...]) -> None:
    """Measure runs in which few are due, or cursors differ."""
    chance = np.random.default_rng(1)
    some = np.sort(chance.choice(book.rows, 100_000, replace=False))
    few = np.sort(chance.choice(book.rows, 700, replace=False))
    timed(
        bench,
        "100,000 due of a million: wall of a due one",
        {
            "one window": (lambda: ranked(book, day, rows=some), len(some)),
            "200 windows": (
                lambda: ranked(book, day, rows=some, windows=200),
                len(some),
            ),
        },
        turns=3,
    )
    timed(
        bench,
        "700 due of a million, all of it",
        {"200 windows": (lambda: ranked(book, day, rows=few, windows=200), 1)},
    )
    book = open_book(book.chunks[:25])
    timed(
        bench,
        "one new entry, 102,400 profiles, all of it",
        {"all": (lambda: ranked(book, day[:1]), 1)},
    )


def test_ten_times_the_entries(bench: Bench, corpus: Path) -> None:
    world = World(real_papers(corpus), 10_000)
    profiles = [list(world.profiles(CHUNK_ROWS, SELECTIVE, n)) for n in range(12)]
    book = open_book([compile_profiles(some) for some in profiles])
    day = world.candidates
    timed(
        bench,
        f"{book.rows:,} selective profiles, wall of an entry",
        {
            "1,000 entries": (lambda: ranked(book, day[:1000]), 1000),
            "10,000 entries": (lambda: ranked(book, day), 10_000),
        },
        turns=3,
    )


def test_against_a_query_for_each(
    bench: Bench,
    corpus: Path,
    chunks: Callable[[str], list[bytes]],
    day: tuple[Candidate, ...],
) -> None:
    """A million profiles against a sample of them; what is fixed counts for all."""
    loaded = [chunk_from_bytes(each) for each in chunks("selective")]
    book, tenth = open_book(loaded), open_book(loaded[: MILLION // 10])
    profiles = list(world_of(corpus).profiles(400, SELECTIVE))
    index = fts5.index_of(day)
    texts = [f"{c.version.title}\n{c.version.summary}".lower() for c in day]
    patterns = [pattern_of(profile) for profile in profiles[:10]]

    def by_index() -> object:
        return [fts5.matching(index, p.interests[0].tree) for p in profiles]

    def by_pattern() -> object:
        return [[t for t in texts if pattern.search(t)] for pattern in patterns]

    timed(
        bench,
        f"selective, {len(day):,} entries, processor time of a profile",
        {
            "SQLite FTS5, a MATCH for each (sample)": (by_index, len(profiles)),
            "a regex for each, inexact (sample)": (by_pattern, len(patterns)),
            f"the engine, {book.rows:,} profiles": (
                lambda: ranked(book, day, threads=1),
                book.rows,
            ),
            f"the engine, {tenth.rows:,} profiles": (
                lambda: ranked(tenth, day, threads=1),
                tenth.rows,
            ),
            f"the engine by numpy alone, {book.rows:,} profiles": (
                lambda: ranked(book, day, rank_plainly, threads=1),
                book.rows,
            ),
        },
        turns=3,
        clock=process_time,
    )


def pattern_of(profile: Profile) -> re.Pattern[str]:
    """Return what many would write for a profile: any of its words."""
    words = [
        r"\W+".join(map(re.escape, term.tokens)) + (r"\w*" if term.prefix else "")
        for interest in profile.interests
        for term in positive_terms(interest.tree)
    ]
    return re.compile(rf"\b(?:{'|'.join(words)})\b")
