"""The engine beside the reference evaluator, on made-up readers and papers.

    python -m tests.support.exactness --decisions 100000

Everything is compared: which columns match, their order, scores, reasons and
places, and which matches were released before. Texts are short and words few,
so that much occurs; a decision is one reader's about one paper. Ends with 1
where anything differs, and says what.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np
from numpy.typing import NDArray

from newsletter.matching import documents, explain, match_profile
from newsletter.matching.batch import Stemmed, in_stems, make_batch
from newsletter.matching.book import open_book
from newsletter.matching.chunks import chunk_from_bytes, chunk_to_bytes
from newsletter.matching.compiling import compile_profiles
from newsletter.matching.engine import (
    RANKER,
    Columns,
    Ranker,
    Windows,
    best,
    matched,
    reasons,
)
from newsletter.matching.finding import Found, find
from newsletter.matching.kernel import rank_compiled
from newsletter.matching.keys import FIELD_BITS
from newsletter.matching.ranking import rank_plainly
from newsletter.matching.reference import Document, weighed_terms
from newsletter.model import (
    NO_ACRONYMS,
    Acronym,
    Acronyms,
    Candidate,
    Interest,
    Match,
    Profile,
    Ranking,
    Term,
)
from tests.support.made_up import AS_OF, MANY, WORDS, Maker, some_ranking

#: Words of made-up papers that stand for one another.
ACRONYMS = Acronyms(
    (
        Acronym(short=WORDS[0], long=f"{WORDS[1]} {WORDS[2]}"),
        Acronym(short=WORDS[3], long=WORDS[4]),
        Acronym(short=MANY[0], long=f"{MANY[1]} {WORDS[0]}"),
    )
)
#: The share of rounds in which much occurs.
WIDE = 0.1
RANKERS: dict[str, Ranker] = {"plain": rank_plainly, "compiled": rank_compiled}


@dataclass(slots=True)
class Trial:
    """One round: some profiles against some columns."""

    chance: Random
    profiles: Sequence[Profile]
    candidates: Sequence[Candidate]
    ranking: Ranking
    chunk_rows: int = 4096
    block_columns: int = 4096
    ranker: Ranker = RANKER
    stemmed: Stemmed = in_stems
    acronyms: Acronyms = NO_ACRONYMS
    #: What differs, in words.
    wrong: list[str] = field(default_factory=list)

    def run(self) -> int:
        """Compare; return how many decisions were made."""
        found = self._found()
        rows = list(range(len(self.profiles)))
        self.chance.shuffle(rows)
        due = np.array(rows[: self.chance.randint(1, len(rows))], np.int64)
        windows = self._windows(len(due))
        wanted = self._wanted(due, windows)
        seen = matched(found, rows=due, windows=windows, ranker=self.ranker)
        excluded = self._excluded(due, wanted, seen)
        answer = best(
            found, rows=due, windows=windows, excluded=excluded, ranker=self.ranker
        )
        parts = np.split(answer.column, answer.ptr[1:-1])
        scores = np.split(answer.score, answer.ptr[1:-1])
        out = np.split(excluded.column, excluded.ptr[1:-1])
        for place, row in enumerate(due.tolist()):
            left = [m for m in wanted[place] if m[0] not in set(out[place].tolist())]
            shown = left[: self.profiles[row].max_items]
            self._expect(row, "matches", int(answer.matches[place]), len(left))
            self._expect(row, "order", parts[place].tolist(), [c for c, _ in shown])
            self._expect(
                row, "scores", scores[place].tolist(), [m.score for _, m in shown]
            )
        if not self.wrong:
            self._check_reasons(
                found, np.repeat(due, np.diff(answer.ptr)), answer.column
            )
        return int(windows.masks.sum(axis=1)[windows.of_row].sum())

    def _expect(self, row: int, what: str, got: object, wanted: object) -> None:
        if got != wanted and len(self.wrong) < 5:
            self.wrong.append(f"{what}: {got} for {wanted}: {self.profiles[row]}")

    def _found(self) -> Found:
        size = self.chunk_rows
        chunks = [
            chunk_from_bytes(
                chunk_to_bytes(
                    compile_profiles(
                        self.profiles[at : at + size], acronyms=self.acronyms
                    )
                )
            )
            for at in range(0, len(self.profiles), size)
        ]
        batch = make_batch(
            self.candidates, as_of=AS_OF, ranking=self.ranking, stemmed=self.stemmed
        )
        return find(open_book(chunks), batch, block_columns=self.block_columns)

    def _windows(self, rows: int) -> Windows:
        """Return windows that hold of each entry one column, or none."""
        masks = np.zeros((self.chance.randint(1, 4), len(self.candidates)), np.bool_)
        for mask in masks:
            share = self.chance.choice((0.3, 0.9, 1.0))
            columns = list(enumerate(self.candidates))
            self.chance.shuffle(columns)
            one = {c.entry_id: at for at, c in columns if self.chance.random() < share}
            mask[list(one.values())] = True
        of_row = [self.chance.randrange(len(masks)) for _ in range(rows)]
        return Windows(masks=masks, of_row=np.array(of_row, np.int64))

    def _wanted(
        self, due: NDArray[np.int64], windows: Windows
    ) -> list[list[tuple[int, Match]]]:
        """Return by due row the reference's matches, each with its column."""
        tokens = documents(self.candidates)
        seen: list[tuple[list[int], list[Candidate], list[Document]]] = []
        for mask in windows.masks:
            here = np.flatnonzero(mask).tolist()
            seen.append(
                (here, [self.candidates[c] for c in here], [tokens[c] for c in here])
            )
        found = []
        for row, window in zip(due.tolist(), windows.of_row.tolist(), strict=True):
            columns, candidates, here = seen[window]
            column_of = {
                c.entry_id: at for at, c in zip(columns, candidates, strict=True)
            }
            matches = match_profile(
                self.profiles[row],
                candidates,
                as_of=AS_OF,
                ranking=self.ranking,
                documents=here,
                acronyms=self.acronyms,
            )
            found.append([(column_of[m.candidate.entry_id], m) for m in matches])
        return found

    def _excluded(
        self,
        due: NDArray[np.int64],
        wanted: Sequence[Sequence[tuple[int, Match]]],
        seen: Columns,
    ) -> Columns:
        """Return some of what was seen before as repeats."""
        columns: list[int] = []
        ptr = [0]
        for place, row in enumerate(due.tolist()):
            got = seen.column[seen.ptr[place] : seen.ptr[place + 1]].tolist()
            before = sorted(c for c, m in wanted[place] if m.candidate.seen_before)
            self._expect(row, "seen before", sorted(got), before)
            columns += [c for c in before if self.chance.random() < 0.5]
            ptr.append(len(columns))
        return Columns(ptr=np.array(ptr, np.int64), column=np.array(columns, np.int64))

    def _check_reasons(
        self, found: Found, rows: NDArray[np.int64], columns: NDArray[np.int32]
    ) -> None:
        some = self.chance.sample(range(len(rows)), min(len(rows), 60))
        rows, cards = rows[some], columns[some].astype(np.int64)
        why = reasons(found, rows=rows, columns=cards)
        for place, (row, column) in enumerate(
            zip(rows.tolist(), cards.tolist(), strict=True)
        ):
            profile, candidate = self.profiles[row], self.candidates[column]
            match = self._explained(profile, candidate)
            here = slice(why.ptr[place], why.ptr[place + 1])
            known = weighed_terms(profile, acronyms=self.acronyms)
            terms = [known[t][0] for t in why.term[here].tolist()]
            got = [
                (term.text, f)
                for term, bits in zip(terms, why.fields[here].tolist(), strict=True)
                for f, bit in FIELD_BITS.items()
                if bits & bit
            ]
            wanted = [(p.term, p.field) for p in match.reasons.parts]
            self._expect(row, "reasons", got, wanted)
            first = int(why.interest[place])
            label = profile.interests[first].label if first >= 0 else None
            self._expect(
                row, "interest", label, next(iter(match.reasons.interests), None)
            )
            self._check_places(row, terms, match)

    def _explained(self, profile: Profile, candidate: Candidate) -> Match:
        return explain(
            profile,
            candidate,
            as_of=AS_OF,
            ranking=self.ranking,
            acronyms=self.acronyms,
        )

    def _check_places(self, row: int, terms: Sequence[Term], match: Match) -> None:
        """The terms that the engine names bring all highlights."""
        named = Profile(
            interests=tuple(Interest(query="", tree=t) for t in terms),
            stem=self.profiles[row].stem,
        )
        other = self._explained(named, match.candidate).reasons
        got = other.title_places, other.summary_places
        wanted = match.reasons.title_places, match.reasons.summary_places
        self._expect(row, "places", got, wanted)


def compare(
    decisions: int,
    *,
    seed: int,
    ranker: Ranker = RANKER,
    stem: str = "none",
    acronyms: Acronyms = NO_ACRONYMS,
) -> tuple[int, list[str]]:
    """Make rounds until there were *decisions*; return how many, and what differs."""
    chance = Random(seed)  # noqa: S311 - no secret, the same every time
    made = 0
    while made < decisions:
        # Where much occurs much is tried; where little does, many are decided.
        is_wide = chance.random() < WIDE
        words = WORDS if is_wide else (*MANY, *WORDS)
        maker = Maker(chance=chance, words=words, stem=stem, is_wide=is_wide)
        entries = chance.randint(1, 40 if is_wide else 200)
        chunk_rows = chance.choice((1, 7, 100, 4096, 4096))
        # Small chunks and blocks are many: fewer readers then.
        most = 40 if chunk_rows > 7 else 4
        trial = Trial(
            chance=chance,
            candidates=maker.candidates(entries),
            profiles=[maker.profile() for _ in range(chance.randint(1, 10 * most))],
            ranking=some_ranking(chance),
            chunk_rows=chunk_rows,
            block_columns=chance.choice((1 + entries // 3, 64, 4096)),
            ranker=ranker,
            acronyms=acronyms,
        )
        made += trial.run()
        if trial.wrong:
            return made, trial.wrong
    return made, []


def main(arguments: Sequence[str]) -> int:
    """Compare; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ranker", choices=sorted(RANKERS), default="plain")
    parser.add_argument("--stem", default="none")
    parsed = parser.parse_args(arguments)
    made, wrong = compare(
        parsed.decisions,
        seed=parsed.seed,
        ranker=RANKERS[parsed.ranker],
        stem=parsed.stem,
        acronyms=NO_ACRONYMS if parsed.stem == "none" else ACRONYMS,
    )
    sys.stdout.write(
        "\n".join([*wrong, f"{made} decisions, {len(wrong)} differ"]) + "\n"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
