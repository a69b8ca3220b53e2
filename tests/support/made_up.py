"""Made-up readers and papers, in which much occurs that seldom does.

Few words, some of them the beginning of others, in several scripts; phrases of
the papers themselves; NOT within NOT; entries that come twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from newsletter.matching.tokens import tokenize
from newsletter.matching.tree import is_true_of_nothing
from newsletter.model import (
    And,
    Candidate,
    EntryVersion,
    Field,
    Interest,
    Mute,
    Not,
    Or,
    Order,
    Profile,
    Query,
    Ranking,
    SourceListing,
    Term,
)

AS_OF = datetime(2026, 5, 4, 12, tzinfo=UTC)
_WORDS = """mamba mambas mam state states space model models modeling diffusion diffuse
 robot robotics graph naïve Naive über GPT-4 gpt U-Net c++ C# .NET the of survey
 大语言模型 日本語 拡散モデル 음성 ﬁne fine ²nd a b ab abc abcd""".split()
WORDS = tuple(_WORDS)
#: So many words more: then most terms do not occur, as in life.
MANY = tuple(
    f"{one}{two}{three}" for one in "bdkmrst" for two in "aeiou" for three in "lnpt"
)
NAMES = ("Ann Lee", "Lee Ann", "José Müller", "Jose Muller", "李明", "Bo")
GROUPS = ("cs.CL", "cs.LG", "stat.ML", "cs", "CL")
SOURCES = ("preprints", "daily-papers", "blog")


@dataclass(slots=True)
class Maker:
    """Makes papers and readers out of some words."""

    chance: Random
    words: Sequence[str] = WORDS
    stem: str = "none"
    #: Profiles that match nearly everything are as frequent as others.
    is_wide: bool = True
    #: Titles and summaries of the papers made so far, as tokens.
    said: list[tuple[str, ...]] = field(default_factory=list)

    def text(self, most: int) -> str:
        """Return a few words; the first ones the most often."""
        words, chance = self.words, self.chance
        count = chance.randint(0, most)
        places = [int(len(words) * chance.random() ** 1.5) for _ in range(count)]
        return " ".join(words[place] for place in places)

    def candidates(self, entries: int) -> tuple[Candidate, ...]:
        """Return columns: some entries come again, later and with more known."""
        found = []
        for entry in self.chance.sample(range(1, 10 * entries), entries):
            version = EntryVersion(
                id=entry,
                entry_id=entry,
                source="preprints",
                title=self.text(6),
                url=None,
                summary=self.text(14),
                authors=tuple(self.chance.sample(NAMES, self.chance.randint(0, 3))),
                categories=tuple(self.chance.sample(GROUPS, self.chance.randint(0, 2))),
            )
            times = self.chance.choice((1, 1, 1, 2, 3))
            found += [self._variant(version) for _ in range(times)]
        self.chance.shuffle(found)
        self.said = [
            tokenize(text)
            for candidate in found
            for text in (candidate.version.title, candidate.version.summary)
        ]
        return tuple(found)

    def _variant(self, version: EntryVersion) -> Candidate:
        listed_at = AS_OF - timedelta(
            hours=self.chance.choice((-1, 0, 0, 1, 5, 72, 100))
        )
        if self.chance.random() < 0.2:
            version = replace(version, title=self.text(6))
        sources = self.chance.sample(SOURCES, self.chance.randint(1, 2))
        return Candidate(
            entry_id=version.entry_id,
            version=version,
            sources=tuple(
                SourceListing(source=s, listed_at=listed_at) for s in sources
            ),
            listed_at=listed_at,
            votes=self.chance.choice((None, 0, 1, 1, 2, 50)),
            seen_before=self.chance.random() < 0.3,
        )

    def term(self) -> Term:
        """Return a word or phrase, perhaps a prefix, perhaps in a field."""
        where = self.chance.choice((None, None, None, *Field))
        pool = {Field.AUTHOR: NAMES, Field.CATEGORY: GROUPS, Field.SOURCE: SOURCES}
        length = self.chance.choice((1, 1, 1, 1, 2, 2, 3, 4, 5, 6))
        if where in pool:
            text = self.chance.choice(pool[where])
        elif self.said and length > 1:
            # Of chance, phrases hardly occur: these are of the papers.
            tokens = self.chance.choice(self.said)
            start = self.chance.randrange(max(1, len(tokens) - length))
            text = " ".join(tokens[start : start + length])
        else:
            text = " ".join(self.text(1) or "mamba" for _ in range(length))
        tokens = tokenize(text) or ("mamba",)
        prefix = self.chance.random() < 0.3
        if prefix:
            last = tokens[-1][: self.chance.randint(1, len(tokens[-1]))]
            tokens = (*tokens[:-1], last)
        weight = Decimal(self.chance.choice(("1", "1", "2", "0.5", "0.01", "33.33")))
        return Term(text=text, tokens=tokens, field=where, prefix=prefix, weight=weight)

    def _may_be_wide(self) -> bool:
        return self.is_wide or self.chance.random() < 0.02

    def tree(self, depth: int) -> Query:
        """Return a tree; seldom one that is true of nearly everything."""
        found = self.query(depth)
        while is_true_of_nothing(found) and not self._may_be_wide():
            found = self.query(depth)
        return found

    def query(self, depth: int) -> Query:
        """Return a tree, NOT within NOT too."""
        shape = self.chance.random()
        if depth == 0 or shape < 0.3:
            return self.term()
        if shape < 0.45:
            return Not(operand=self.query(depth - 1))
        operands = tuple(
            self.query(depth - 1) for _ in range(self.chance.randint(2, 4))
        )
        return And(operands=operands) if shape < 0.75 else Or(operands=operands)

    def profile(self) -> Profile:
        """Return a profile of any kind."""
        interests = tuple(
            Interest(
                query="",
                name=f"interest {number}",
                tree=self.tree(self.chance.choice((0, 1, 2, 4))),
                weight=Decimal(self.chance.choice(("1", "2.5", "0.07"))),
            )
            for number in range(
                self.chance.choice(
                    (0, 1, 1, 2, 3) if self._may_be_wide() else (1, 1, 2)
                )
            )
        )
        mutes = tuple(
            Mute(query="", tree=self.tree(self.chance.choice((0, 1, 2))))
            for _ in range(self.chance.choice((0, 0, 0, 1, 2)))
        )
        return Profile(
            interests=interests,
            mutes=mutes,
            order=self.chance.choice(tuple(Order)),
            max_items=self.chance.choice((1, 3, 12, 100)),
            min_votes=self.chance.choice((0, 0, 0, 1, 2)),
            stem=self.stem,
        )


def some_ranking(chance: Random) -> Ranking:
    """Return weights of the ranking, whole ones and others."""
    several = [Decimal(x) for x in ("0", "1", "1", "2", "0.333", "1000")]
    return Ranking(
        title=chance.choice(several),
        summary=chance.choice(several),
        author=chance.choice(several),
        category=chance.choice(several),
        source=chance.choice(several),
        votes=chance.choice(several),
        freshness=Decimal(chance.choice(("0", "0.5", "3"))),
    )
