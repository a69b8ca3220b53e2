"""Readers and papers in any number, of the shape that real ones have.

Papers are recombined from real titles and sentences, with some rare made-up
words; names, categories and terms fall off as in life (Zipf). A reader's query
has five to ten words and phrases, most of them alternatives, some excluded.

    selective   an entry in 25 matches a profile: mostly phrases and rare words
    dense       an entry in 5: mostly words that many papers have
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from newsletter.matching.tokens import tokenize
from newsletter.model import (
    And,
    Candidate,
    EntryVersion,
    Field,
    Interest,
    Not,
    Or,
    Profile,
    Query,
    SourceListing,
    Term,
)

AS_OF = datetime(2026, 5, 4, 12, tzinfo=UTC)
STOP = frozenset(
    """a an and are as at be been but by can do for from has have how in into is it
    its more most not of on or our such than that the their them then there these
    they this those to was we were what when where which while who why will with
    using use used via also both each between show shows paper propose new""".split()
)
RARE = 60_000
RARE_SHARE = 0.02
BODY_LETTERS = 1300
FIELDS = ("cs", "stat", "math", "eess", "physics", "econ")
PARTS = ("LG", "CL", "CV", "AI", "ML", "IR", "RO", "SD")
CATEGORIES = tuple(f"{field}.{part}" for field in FIELDS for part in PARTS)
FOREIGN = (
    "我们提出了一种新的大语言模型训练方法。",
    "本研究では拡散モデルの学習を提案する。",
    "음성 인식 모델의 성능을 개선한다.",
)
FOREIGN_NAMES = ("Müller", "Łukasz", "Gómez", "Øystein", "Şahin", "李明", "田中太郎")

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taste:
    """How readers choose."""

    #: Shares of real words, pairs, triples, rare words, phrases with a rare word.
    mix: tuple[float, float, float, float, float]
    #: How steeply each kind falls off.
    steep: tuple[float, float, float, float, float]
    #: Shares of prefixes among words, of terms of an author, of a category.
    prefix: float
    author: float
    category: float
    category_steep: float
    prefix_letters: int


SELECTIVE = Taste(
    mix=(0.04, 0.26, 0.15, 0.20, 0.35),
    steep=(0.4, 0.4, 0.4, 0.6, 0.4),
    prefix=0.03,
    author=0.05,
    category=0.005,
    category_steep=0.4,
    prefix_letters=7,
)
DENSE = Taste(
    mix=(0.20, 0.40, 0.15, 0.10, 0.15),
    steep=(0.9, 0.9, 0.9, 0.9, 0.5),
    prefix=0.07,
    author=0.05,
    category=0.05,
    category_steep=1.0,
    prefix_letters=5,
)


def falling(chance: Generator, size: int, steep: float, count: int) -> Places:
    """Return *count* places below *size*, the first ones the most often."""
    weights = np.cumsum(1 / np.arange(1, size + 1) ** steep)
    return np.searchsorted(weights / weights[-1], chance.random(count))


def invented(chance: Generator, count: int) -> list[str]:
    """Return distinct words that no language has."""
    first = "b d f g k l m n p r s t v z br st tr kl".split()
    syllables = [one + two for one in first for two in "aeiou"]
    endings = ("", "n", "x", "net")
    found: dict[str, None] = {}
    while len(found) < count:
        places = chance.integers(0, len(syllables), chance.integers(2, 5))
        word = "".join(syllables[place] for place in places)
        found[word + endings[chance.integers(0, 4)]] = None
    return list(found)


def real_papers(corpus: Path, count: int = 2000) -> list[tuple[str, str]]:
    """Return title and abstract of the first papers of the corpus."""
    found = []
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["title"] and row["abstract"]:
                texts = (" ".join(row[name].split()) for name in ("title", "abstract"))
                found.append((next(texts), next(texts)))
            if len(found) == count:
                break
    return found


class World:
    """Papers, and what their readers may ask for; the same for the same seed."""

    def __init__(
        self, papers: Sequence[tuple[str, str]], entries: int, seed: int = 7
    ) -> None:
        """Make *entries* papers out of real ones."""
        self._chance = default_rng(seed)
        self._rare = invented(self._chance, RARE)
        names = [word.capitalize() for word in invented(self._chance, 5000)]
        self._names = [*names, *FOREIGN_NAMES]
        self._titles = [title.split() for title, _ in papers]
        cut = re.compile(r"(?<=[.!?])\s+")
        sentences = [s for _, text in papers for s in cut.split(text)]
        self._sentences = [s for s in sentences if len(s) > 20]
        self.candidates = tuple(self._candidate(n) for n in range(entries))
        self._pools = self._pool()
        self._terms: dict[tuple[object, ...], Term] = {}

    def _candidate(self, number: int) -> Candidate:
        chance = self._chance
        one, two = chance.integers(0, len(self._titles), 2)
        title = self._titles[one]
        if chance.random() < 0.5:
            end = self._titles[two]
            title = title[: max(2, len(title) // 2)] + end[len(end) // 2 :]
        names = falling(chance, len(self._names), 0.8, int(chance.integers(2, 7)))
        groups = falling(chance, len(CATEGORIES), 1.0, int(chance.integers(1, 4)))
        listed_at = AS_OF - timedelta(minutes=int(chance.integers(0, 3000)))
        return Candidate(
            entry_id=number + 1,
            version=EntryVersion(
                id=number + 1,
                entry_id=number + 1,
                source="preprints",
                title=" ".join(title),
                url=None,
                summary=" ".join(self._body()),
                authors=tuple(
                    f"{self._names[n][0]}. {self._names[n]}" for n in names.tolist()
                ),
                categories=tuple(CATEGORIES[n] for n in dict.fromkeys(groups.tolist())),
            ),
            sources=(SourceListing(source="preprints", listed_at=listed_at),),
            listed_at=listed_at,
            votes=int(falling(chance, 300, 1.0, 1)[0]),
            seen_before=bool(chance.random() < 0.1),
        )

    def _body(self) -> list[str]:
        chance = self._chance
        body: list[str] = []
        while sum(map(len, body)) < BODY_LETTERS:
            body.append(self._sentences[chance.integers(0, len(self._sentences))])
        if chance.random() < 0.03:
            body.append(FOREIGN[chance.integers(0, len(FOREIGN))])
        words = " ".join(body).split(" ")
        swapped = np.flatnonzero(chance.random(len(words)) < RARE_SHARE)
        rare = falling(chance, RARE, 1.0, len(swapped))
        for place, word in zip(swapped.tolist(), rare.tolist(), strict=True):
            words[place] = self._rare[word]
        return words

    def _pool(self) -> tuple[list[str], ...]:
        """Return words, pairs, triples, rare words, phrases; the likeliest first."""
        seen: Counter[str] = Counter()
        for candidate in self.candidates:
            version = candidate.version
            here: set[str] = set()
            for text in (version.title, version.summary):
                here.update(_runs(re.findall("[a-z0-9]+", text.lower())))
            seen.update(sorted(here))
        rare = frozenset(self._rare)
        pools: tuple[list[str], ...] = ([], [], [])
        most = len(self.candidates) / 4
        for run, count in seen.items():
            if count <= most and not rare.intersection(run.split()):
                pools[run.count(" ")].append(run)
        for pool in pools:
            noise = self._chance.gumbel(size=len(pool)) * 0.7
            likely = np.array([np.log(seen[run]) for run in pool]) + noise
            pool[:] = [pool[place] for place in np.argsort(-likely).tolist()]
        words = pools[0]
        phrases = [
            f"{self._rare[one]} {words[two]}"
            if one % 2
            else f"{words[two]} {self._rare[one]}"
            for one, two in zip(
                self._chance.integers(0, RARE, 4 * RARE).tolist(),
                self._chance.integers(0, len(words), 4 * RARE).tolist(),
                strict=True,
            )
        ]
        return (*pools, self._rare, phrases)

    def profiles(self, count: int, taste: Taste, seed: int = 11) -> Iterator[Profile]:
        """Yield *count* profiles, each of one query."""
        chance = default_rng(seed)
        sizes = chance.integers(5, 11, count)
        terms = self._drawn(chance, int(sizes.sum()), taste)
        for size, kind in zip(
            sizes.tolist(), chance.random(count).tolist(), strict=True
        ):
            query = _query([next(terms) for _ in range(size)], kind)
            yield Profile(interests=(Interest(query="", tree=query),))

    def _drawn(self, chance: Generator, count: int, taste: Taste) -> Iterator[Term]:
        kinds = chance.choice(5, count, p=taste.mix)
        places = np.empty(count, np.int64)
        for kind, (pool, steep) in enumerate(
            zip(self._pools, taste.steep, strict=True)
        ):
            here = np.flatnonzero(kinds == kind)
            places[here] = falling(chance, len(pool), steep, len(here))
        names = falling(chance, len(self._names), 0.8, count)
        groups = falling(chance, len(CATEGORIES), taste.category_steep, count)
        forms, weights = chance.random(count), chance.random(count)
        rows = zip(
            *(x.tolist() for x in (kinds, places, names, groups, forms, weights)),
            strict=True,
        )
        for kind, place, name, group, form, weight in rows:
            text = self._pools[kind][place]
            prefix = form < taste.prefix and " " not in text and len(text) > 5
            field = None
            if prefix:
                text = text[: taste.prefix_letters]
            if form > 1 - taste.author:
                field, text = Field.AUTHOR, self._names[name]
            elif form > 1 - taste.author - taste.category:
                field, text = Field.CATEGORY, CATEGORIES[group]
            elif form > 0.75:
                field = Field.TITLE
            heavy = ("2", "3", "0.5")[int(weight * 12)] if weight < 0.25 else "1"
            yield self._term(text, field, prefix, heavy)

    def _term(self, text: str, field: Field | None, prefix: bool, weight: str) -> Term:
        name = (text, field, prefix, weight)
        if name not in self._terms:
            self._terms[name] = Term(
                text=text,
                tokens=tokenize(text),
                field=field,
                prefix=prefix,
                weight=Decimal(weight),
            )
        return self._terms[name]


def _runs(words: Sequence[str]) -> Iterator[str]:
    """Yield runs of one to three words that begin and end with a telling one."""
    tells = [word not in STOP and len(word) > 2 for word in words]
    for length in (1, 2, 3):
        for start in range(len(words) - length + 1):
            if tells[start] and tells[start + length - 1]:
                yield " ".join(words[start : start + length])


def _query(terms: Sequence[Term], kind: float) -> Query:
    """Return one of four shapes over *terms*, five or more."""
    *wanted, last = terms
    first, second, *rest = terms
    if kind < 0.6:
        return Or(operands=tuple(terms))
    if kind < 0.8:
        return And(operands=(Or(operands=tuple(wanted)), Not(operand=last)))
    if kind < 0.9:
        return Or(operands=(And(operands=(first, second)), *rest))
    return And(
        operands=(
            Or(operands=(first, second)),
            Or(operands=tuple(rest[:-1])),
            Not(operand=last),
        )
    )
