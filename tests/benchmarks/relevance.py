"""How well matching finds what concerns a reader, measured on judged sets.

    python -m tests.benchmarks.relevance [FOLDER]

FOLDER holds papers.jsonl.gz. Every row goes through ``selecting.select``, as
an issue does; intervals are of the difference to the first row, over readers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import log2
from pathlib import Path
from random import Random
from statistics import fmean

from newsletter.matching import (
    LOOKED_AT,
    Archive,
    Document,
    documents,
)
from newsletter.matching.grammar import parse_query
from newsletter.matching.mining import mine
from newsletter.model import (
    NO_ACRONYMS,
    Acronyms,
    Interest,
    Profile,
    Ranking,
    Selection,
)
from newsletter.selecting import select
from tests.benchmarks.relevance_sets import (
    Judged,
    Pool,
    Reader,
    older_texts,
    set_a,
    set_b,
    set_c,
)

#: Cards of an issue.
TEN = 10
SAMPLES = 2000
USUAL_RANKING = Ranking()
USUAL = Path(__file__).parents[3] / "shared" / "data" / "corpus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One setting of a profile."""

    name: str
    stem: str = "none"
    acronyms: Acronyms = NO_ACRONYMS
    fill: bool = False
    #: Filled up with the help of related words, as issues are.
    related: bool = True
    ranking: Ranking = USUAL_RANKING
    #: A week in which nothing matches has an issue too.
    always: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One reader's figures, as means over the pools with something relevant."""

    ndcg: float
    #: Of the cards that matched, those that are relevant. None: none matched.
    precision: float | None
    #: Of what is relevant, at most ten, what stands on a card.
    recall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A pool, tokenised, and what was listed up to its end."""

    pool: Pool
    tokens: Sequence[Document]
    archive: Archive

    def listed(self) -> Archive:
        """Return what was listed up to the pool's end."""
        return self.archive


def read(judged: Judged) -> Iterator[Read]:
    """Yield the pools, tokenised."""
    listed = list(documents(judged.older))
    for pool in judged.pools:
        tokens = documents(pool.candidates)
        listed += tokens
        yield Read(pool=pool, tokens=tokens, archive=Archive(listed[-LOOKED_AT:]))


def score(reader: Reader, pools: Sequence[Read], way: Way) -> Score:
    """Make every issue that *reader* would get, and judge it."""
    profile = Profile(
        interests=(Interest(query=reader.query, tree=parse_query(reader.query)),),
        max_items=TEN,
        stem=way.stem,
        fill=way.fill,
        skip_empty=not way.always,
    )
    gains, recalls, hits, matched = [], [], 0, 0
    for one in pools:
        pool = one.pool
        wanted = {c.entry_id for c in pool.candidates} & reader.relevant
        if not wanted:
            continue
        found = select(
            pool.candidates,
            profile,
            as_of=pool.as_of,
            ranking=way.ranking,
            shown=lambda _: frozenset(),
            documents=one.tokens,
            acronyms=way.acronyms,
            archive=one.listed if way.related else Archive,
        )
        cards = found.matches if isinstance(found, Selection) else ()
        good = [card.candidate.entry_id in wanted for card in cards]
        real = [g for g, c in zip(good, cards, strict=True) if not c.reasons.is_close]
        gains.append(_dcg(good) / _dcg([True] * min(TEN, len(wanted))))
        recalls.append(sum(good) / min(TEN, len(wanted)))
        hits, matched = hits + sum(real), matched + len(real)
    return Score(
        ndcg=fmean(gains),
        precision=hits / matched if matched else None,
        recall=fmean(recalls),
    )


def _dcg(good: Sequence[bool]) -> float:
    return sum(1 / log2(place + 1) for place, hit in enumerate(good, 1) if hit)


def interval(differences: Sequence[float]) -> tuple[float, float]:
    """Return where 95 % of the means of samples of readers lie."""
    chance = Random(11)  # noqa: S311 - no secret, the same every time
    means = sorted(
        fmean(chance.choices(differences, k=len(differences))) for _ in range(SAMPLES)
    )
    return means[SAMPLES // 40], means[-SAMPLES // 40]


def measure(judged: Judged, ways: Sequence[Way]) -> Mapping[str, tuple[Score, ...]]:
    """Return every reader's score, by way."""
    pools = tuple(read(judged))
    return {
        way.name: tuple(score(reader, pools, way) for reader in judged.readers)
        for way in ways
    }


def table(judged: Judged, found: Mapping[str, Sequence[Score]]) -> str:
    """Return the figures of one set, a way on each line."""
    entries = sum(len(pool.candidates) for pool in judged.pools)
    head = f"{'nDCG@10':>8} {'against the first':>20} {'precision':>10} {'recall':>8}"
    size = f"{len(judged.readers)} readers, {len(judged.pools)} pools"
    lines = [f"{judged.name}: {size}, {entries} entries", f"  {'':44} {head}"]
    base = next(iter(found.values()))
    for name, scores in found.items():
        low, high = interval(
            [s.ndcg - b.ndcg for s, b in zip(scores, base, strict=True)]
        )
        precise = [s.precision for s in scores if s.precision is not None]
        lines.append(
            f"  {name:44} {fmean(s.ndcg for s in scores):8.3f}"
            f" {f'{low:+.3f} to {high:+.3f}':>20}"
            f" {fmean(precise) if precise else 0:10.3f}"
            f" {fmean(s.recall for s in scores):8.3f}"
        )
    return "\n".join(lines)


def ways(acronyms: Acronyms) -> tuple[Way, ...]:
    """Return what is compared, the baseline first."""
    often = Ranking(frequency=Decimal(1))
    return (
        Way(name="literal"),
        Way(name="stems", stem="en"),
        Way(name="stems, acronyms", stem="en", acronyms=acronyms),
        Way(
            name="stems, acronyms, frequency",
            stem="en",
            acronyms=acronyms,
            ranking=often,
        ),
        Way(name="literal, filled", fill=True),
        Way(name="stems, acronyms, filled", stem="en", acronyms=acronyms, fill=True),
        Way(
            name="stems, acronyms, frequency, filled",
            stem="en",
            acronyms=acronyms,
            fill=True,
            ranking=often,
        ),
        Way(
            name="the same, without related words",
            stem="en",
            acronyms=acronyms,
            fill=True,
            related=False,
            ranking=often,
        ),
        Way(
            name="all, no issue where nothing matches",
            stem="en",
            acronyms=acronyms,
            fill=True,
            ranking=often,
            always=False,
        ),
    )


def main(folder: Path) -> int:
    """Print all figures; 2: there is no corpus."""
    if not (folder / "papers.jsonl.gz").is_file():
        sys.stderr.write(f"relevance: there is no {folder}/papers.jsonl.gz\n")
        return 2
    mined = mine(older_texts(folder))
    acronyms = Acronyms(tuple(each.acronym for each in mined))
    sys.stdout.write(f"{len(mined)} acronyms from what is older\n")
    sets: Sequence[Callable[[Path], Judged]] = (set_a, set_b, set_c)
    for make in sets:
        judged = make(folder)
        sys.stdout.write(f"\n{table(judged, measure(judged, ways(acronyms)))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else USUAL))
