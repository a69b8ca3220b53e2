"""SQLite's full-text index and the engine agree on real papers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from newsletter.matching.batch import make_batch
from newsletter.matching.book import open_book
from newsletter.matching.compiling import compile_profiles
from newsletter.matching.engine import Windows, best
from newsletter.matching.finding import find
from newsletter.model import Profile, Ranking
from tests.support import fts5
from tests.support.workload import AS_OF, DENSE, SELECTIVE, Taste, World, real_papers

ENTRIES = 1000
PROFILES = 800


def engine_matches(world: World, profiles: list[Profile]) -> list[list[int]]:
    batch = make_batch(world.candidates, as_of=AS_OF, ranking=Ranking())
    windows = Windows(
        masks=np.ones((1, ENTRIES), np.bool_), of_row=np.zeros(PROFILES, np.int64)
    )
    answer = best(
        find(open_book([compile_profiles(profiles)]), batch),
        rows=np.arange(PROFILES),
        windows=windows,
        limit=ENTRIES,
    )
    return [sorted(x.tolist()) for x in np.split(answer.column, answer.ptr[1:-1])]


@pytest.mark.long
@pytest.mark.parametrize("taste", [SELECTIVE, DENSE], ids=["selective", "dense"])
def test_the_index_finds_the_same(shared: Path, taste: Taste) -> None:
    world = World(real_papers(shared / "corpus" / "papers.jsonl.gz"), ENTRIES)
    profiles = list(world.profiles(PROFILES, taste))
    index = fts5.index_of(world.candidates)
    wanted = [fts5.matching(index, p.interests[0].tree) for p in profiles]
    assert engine_matches(world, profiles) == wanted
    assert sum(map(len, wanted)) > 5 * PROFILES
