"""One profile against a day of a thousand entries, by the reference evaluator."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from newsletter.matching import documents, match_profile
from newsletter.matching.grammar import parse_query
from newsletter.model import (
    Candidate,
    EntryVersion,
    Interest,
    Profile,
    Ranking,
    SourceListing,
)
from tests.benchmarks.harness import Bench

AS_OF = datetime(2026, 3, 5, 7, 30, tzinfo=UTC)
WORDS = """model state space diffusion robot language attention graph memory token
 train learn policy image video speech protein weather market sparse dense deep wide
 long short fast slow small large local global random exact linear causal""".split()
QUERIES = ("mamba", '"state space model*"', "title:diffus*", "robot* AND NOT market")


def entries(count: int) -> tuple[Candidate, ...]:
    """Return entries of 10 + 150 words, the same every time."""
    chance = Random(7)  # noqa: S311 - no secret, the same every time
    return tuple(
        Candidate(
            entry_id=number,
            version=EntryVersion(
                id=number,
                entry_id=number,
                source="preprints",
                title=" ".join(chance.choices(WORDS, k=10)),
                url=f"https://example.org/papers/{number}",
                summary=" ".join(chance.choices(WORDS, k=150)),
            ),
            sources=(SourceListing(source="preprints", listed_at=AS_OF),),
            listed_at=AS_OF - timedelta(minutes=number),
        )
        for number in range(count)
    )


def test_tokens_once_or_per_profile(bench: Bench) -> None:
    day = entries(1000)
    tokens = documents(day)
    profile = Profile(
        interests=tuple(Interest(query=q, tree=parse_query(q)) for q in QUERIES)
    )
    ranking = Ranking()

    def anew() -> object:
        return match_profile(profile, day, as_of=AS_OF, ranking=ranking)

    def shared() -> object:
        return match_profile(
            profile, day, as_of=AS_OF, ranking=ranking, documents=tokens
        )

    found = match_profile(profile, day, as_of=AS_OF, ranking=ranking)
    assert found == shared()
    bench(
        f"one profile of {len(QUERIES)} queries, {len(day)} entries,"
        f" {len(found)} matches",
        {
            "entries tokenised for every profile": anew,
            "entries tokenised once for all profiles": shared,
        },
    )
