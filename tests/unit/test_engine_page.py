"""The page on matching: its chunk is the one that the code makes."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from newsletter.matching.batch import make_batch
from newsletter.matching.book import open_book
from newsletter.matching.compiling import compile_profiles
from newsletter.matching.engine import Columns, Windows, best
from newsletter.matching.finding import CODE_BITS, find
from newsletter.matching.keys import FIELD_BITS
from newsletter.matching.ranking import edge_bits
from newsletter.matching.working import Asked, make_work
from tests.unit.test_engine import NOW, PLAIN, entry, profile

PAGE = Path(__file__).resolve().parents[2] / "docs/discussions/matching.md"
PROFILES = [
    profile("mamba^2 robot*"),
    profile("(mamba OR robot*) -survey"),
    profile("!survey"),
]
DAY = (
    entry(1, "Mamba for robots", "state space models"),
    entry(2, "A survey of robotics", "mamba and others"),
    entry(3, "Cooking", "with robots"),
    entry(4, "Gardens", "and soil"),
)
CHUNK = compile_profiles(PROFILES)
FOUND = find(open_book([CHUNK]), make_batch(DAY, as_of=NOW, ranking=PLAIN))
LEAVES = ("mamba", "survey", "robot*")


def block(lines: list[str]) -> str:
    return "\n".join(["```", *lines, "```"])


def spelt(bits: int) -> str:
    return "".join("01"[bits >> column & 1] for column in range(len(DAY)))


def test_the_arrays() -> None:
    names = """gain_ptr gain_node gain_weight weights gate_ptr gate_level edge_ptr
     edges root kind""".split()
    lines = [
        f"{name:11}  {' '.join(map(str, getattr(CHUNK.arrays, name).tolist()))}"
        for name in names
    ]
    assert block(lines) in PAGE.read_text("utf-8")


def test_the_postings() -> None:
    (here,) = FOUND.blocks
    lines = []
    for name, row in zip(LEAVES, FOUND.row[1:].tolist(), strict=True):
        postings = here.postings[here.ptr[row] : here.ptr[row + 1]].tolist()
        fields = {bit: field for field, bit in FIELD_BITS.items()}
        said = ", ".join(
            f"{p >> CODE_BITS} {fields[p & ((1 << CODE_BITS) - 1)]}" for p in postings
        )
        lines.append(f"{name:6}  {said:30}  bits {spelt(int(here.bits[row, 0]))}")
    assert block(lines) in PAGE.read_text("utf-8")


def test_the_circuit() -> None:
    nothing = np.zeros(3, np.int64)
    asked = Asked(
        rows=np.arange(3),
        window=nothing,
        limit=nothing,
        out_ptr=np.zeros(4, np.int64),
        out=nothing[:0],
    )
    masks = np.ones((1, len(DAY)), np.bool_)
    work = make_work(FOUND, 0, FOUND.blocks[0], asked, masks)
    # Gates 0 and 1 of row 1, and both rows' roots.
    edges = np.array([-2, -4, work.root[1], work.root[2]], np.int64)
    values = edge_bits(work, np.arange(3), edges, np.array([1, 1, 1, 2]))
    names = ("gate 4", "gate 5", "root", "row 2")
    text = PAGE.read_text("utf-8")
    for name, value in zip(names, values[:, 0].tolist(), strict=True):
        (line,) = [x for x in text.split("\n") if x.startswith(name) and "bits" in x]
        assert line.endswith(f"bits {spelt(value)}")


def test_the_answer() -> None:
    answer = best(
        FOUND,
        rows=np.arange(3),
        windows=Windows(
            masks=np.ones((1, len(DAY)), np.bool_), of_row=np.zeros(3, np.int64)
        ),
        excluded=Columns(ptr=np.zeros(4, np.int64), column=np.zeros(0, np.int64)),
    )
    cards = [
        f"{column}: {score}"
        for column, score in zip(
            answer.column.tolist(), answer.score.tolist(), strict=True
        )
    ]
    lines = [
        f"row {row}  {'  '.join(cards[first:last])}"
        for row, (first, last) in enumerate(pairwise(answer.ptr.tolist()))
    ]
    assert block(lines) in PAGE.read_text("utf-8")
