"""Judged sets: simulated readers, what they type, and what concerns them.

    A  a reader of one concept: papers that bear it as a keyword; types its words
    B  a reader of a concept and its neighbours; types the concept only
    C  a reader of an arXiv category; types what the category is called

The keywords were made by a model from the abstracts, so literal words are
favoured; what is older than the held-out weeks may be learned from.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from newsletter.matching.mining import mine
from newsletter.matching.stems import stems
from newsletter.matching.tokens import tokenize
from newsletter.model import Candidate, EntryVersion, SourceListing

Concept = tuple[str, ...]
#: "large language models (LLMs)" is one keyword.
_BRACKETS = re.compile(r"\([^)]*\)")

#: Weeks from here on are weighed; what lies before may be learned from.
HELD_OUT = date(2026, 1, 1)
#: Papers of the held-out weeks that a concept must have to make a reader.
LEAST = 11
#: Of a concept with its neighbours, and how many neighbours there are at most.
LEAST_WIDE, NEIGHBOURS = 25, 10
#: Papers that must bear both for one to be the other's neighbour, and how much
#: more often than by chance.
TOGETHER, LIFT = 2, 4.0
#: What one would type for a category of arXiv.
CATEGORIES = {
    "cs.CL": '"natural language processing" OR "language model"',
    "cs.CV": '"computer vision" OR "image recognition"',
    "cs.RO": "robotics OR robot",
    "cs.CR": "cryptography OR security",
    "cs.SE": '"software engineering"',
    "cs.IR": '"information retrieval" OR recommendation',
    "cs.HC": '"human computer interaction"',
    "cs.MA": '"multi agent systems"',
    "cs.SD": "sound OR audio",
    "cs.DC": '"distributed computing" OR "parallel computing"',
    "cs.CY": '"computers and society"',
    "eess.IV": '"image processing" OR "medical imaging"',
    "stat.ML": '"statistical learning"',
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Someone with one interest, and what of the held-out weeks concerns them."""

    query: str
    relevant: frozenset[int]


@dataclass(frozen=True, slots=True)
class Pool:
    """What a week, or a day, brought."""

    as_of: datetime
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """A set of readers over pools, and the texts that may be learned from."""

    name: str
    readers: tuple[Reader, ...]
    pools: tuple[Pool, ...]
    #: What was listed before the first of them, the newest last.
    older: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class _Paper:
    number: int
    day: date
    title: str
    summary: str
    concepts: frozenset[Concept]
    written: Mapping[Concept, str]
    categories: tuple[str, ...]
    votes: int | None
    source: str

    def candidate(self) -> Candidate:
        """Return the paper as a window has it; votes were counted at the end."""
        at = datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC)
        version = EntryVersion(
            id=self.number,
            entry_id=self.number,
            source=self.source,
            title=self.title,
            url=None,
            summary=self.summary,
        )
        return Candidate(
            entry_id=self.number,
            version=version,
            sources=(SourceListing(source=self.source, listed_at=at),),
            listed_at=at,
            votes=self.votes,
        )


@lru_cache(maxsize=1)
def _papers(corpus: Path) -> tuple[_Paper, ...]:
    with gzip.open(corpus / "papers.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    texts = (f"{row['title']}. {' '.join(row['abstract'].split())}" for row in rows)
    # A short form and its long one are one concept, by all that was ever listed.
    same = {
        stems(tokenize(each.acronym.short), "en"): stems(
            tokenize(each.acronym.long), "en"
        )
        for each in mine(texts)
    }
    return tuple(_paper(number, row, same) for number, row in enumerate(rows, 1))


def _paper(
    number: int, row: Mapping[str, Any], same: Mapping[Concept, Concept]
) -> _Paper:
    written: dict[Concept, str] = {}
    for keyword in row.get("keywords") or ():
        words = tokenize(_BRACKETS.sub(" ", keyword))
        concept = same.get(stems(words, "en"), stems(words, "en"))
        if concept:
            written.setdefault(concept, " ".join(words))
    return _Paper(
        number=number,
        day=date.fromisoformat((row.get("listed") or row["published"])[:10]),
        title=" ".join(row["title"].split()),
        summary=" ".join(row["abstract"].split()),
        concepts=frozenset(written),
        written=written,
        categories=tuple(row["categories"]),
        votes=row["upvotes"],
        source=row["source"],
    )


def older_texts(corpus: Path) -> tuple[str, ...]:
    """Return title and summary of what was listed before the held-out weeks."""
    return tuple(
        f"{paper.title}. {paper.summary}"
        for paper in _papers(corpus)
        if paper.day < HELD_OUT
    )


def set_a(corpus: Path) -> Judged:
    """Return readers of one concept."""
    papers, held = _daily(corpus)
    bearing = _bearing(held)
    readers = tuple(
        Reader(query=_phrase(_spelling(papers, concept)), relevant=numbers)
        for concept, numbers in sorted(bearing.items())
        if len(numbers) >= LEAST
    )
    return Judged(name="A", readers=readers, pools=_weeks(held), older=_older(papers))


def set_b(corpus: Path) -> Judged:
    """Return readers of a concept and its neighbours, who type the concept only."""
    papers, held = _daily(corpus)
    bearing, older = _bearing(held), [p for p in papers if p.day < HELD_OUT]
    readers = []
    for concept, numbers in sorted(bearing.items()):
        near = _neighbours(concept, older)
        wide = numbers.union(*(bearing.get(each, frozenset()) for each in near))
        if len(numbers) >= LEAST and len(wide) >= LEAST_WIDE and len(near) > 1:
            query = _phrase(_spelling(papers, concept))
            readers.append(Reader(query=query, relevant=wide))
    return Judged(
        name="B", readers=tuple(readers), pools=_weeks(held), older=_older(papers)
    )


def set_c(corpus: Path) -> Judged:
    """Return readers of a category of arXiv; authors chose the categories."""
    papers = [p for p in _papers(corpus) if p.source == "arxiv_daily"]
    readers = tuple(
        Reader(
            query=query,
            relevant=frozenset(p.number for p in papers if category in p.categories),
        )
        for category, query in CATEGORIES.items()
    )
    pools = _pools((p.day, p) for p in papers if p.day >= date(2026, 5, 18))
    return Judged(
        name="C", readers=readers, pools=pools, older=_older(_daily(corpus)[0])
    )


def _older(papers: Iterable[_Paper]) -> tuple[Candidate, ...]:
    """Return what was listed before the held-out weeks, by day."""
    older = sorted((p for p in papers if p.day < HELD_OUT), key=lambda p: p.day)
    return tuple(paper.candidate() for paper in older)


def _daily(corpus: Path) -> tuple[list[_Paper], list[_Paper]]:
    """Return the papers that have keywords, and those of the held-out weeks."""
    papers = [p for p in _papers(corpus) if p.concepts]
    return papers, [p for p in papers if p.day >= HELD_OUT]


def _bearing(papers: Iterable[_Paper]) -> Mapping[Concept, frozenset[int]]:
    found: dict[Concept, set[int]] = defaultdict(set)
    for paper in papers:
        for concept in paper.concepts:
            found[concept].add(paper.number)
    return {concept: frozenset(numbers) for concept, numbers in found.items()}


def _neighbours(concept: Concept, papers: Sequence[_Paper]) -> tuple[Concept, ...]:
    """Return what stands beside *concept* more often than by chance."""
    often = Counter(each for paper in papers for each in paper.concepts)
    beside = Counter(
        each for p in papers if concept in p.concepts for each in p.concepts
    )
    lifts = {
        each: many * len(papers) / (often[concept] * often[each])
        for each, many in beside.items()
        if each != concept and many >= TOGETHER
    }
    near = sorted((e for e in lifts if lifts[e] >= LIFT), key=lambda e: (-beside[e], e))
    return tuple(near[:NEIGHBOURS])


def _spelling(papers: Iterable[_Paper], concept: Concept) -> str:
    """Return how most papers write *concept*."""
    spelt = Counter(p.written[concept] for p in papers if concept in p.written)
    return min(spelt.items(), key=lambda item: (-item[1], item[0]))[0]


def _phrase(words: str) -> str:
    return f'"{words}"'


def _weeks(papers: Iterable[_Paper]) -> tuple[Pool, ...]:
    return _pools((p.day + timedelta(days=6 - p.day.weekday()), p) for p in papers)


def _pools(placed: Iterable[tuple[date, _Paper]]) -> tuple[Pool, ...]:
    found: dict[date, list[_Paper]] = defaultdict(list)
    for day, paper in placed:
        found[day].append(paper)
    return tuple(
        Pool(
            as_of=datetime(day.year, day.month, day.day, tzinfo=UTC)
            + timedelta(days=1),
            candidates=tuple(p.candidate() for p in found[day]),
        )
        for day in sorted(found)
    )
