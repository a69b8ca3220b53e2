"""From profiles to a chunk: trees become circuits, terms become leaves.

Happens when profiles are saved, never in the nightly run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from newsletter.matching.chunks import WEIGHT_UNITS, Arrays, Chunk, Kind, narrow
from newsletter.matching.keys import (
    Ints,
    Keys,
    Numbers,
    field_bits,
    leaf_keys,
    pattern_keys,
    pointers,
)
from newsletter.matching.occurrence import Wording
from newsletter.matching.reference import weighed_terms
from newsletter.matching.terms import Leaf
from newsletter.matching.tree import is_true_of_nothing
from newsletter.model import (
    NO_ACRONYMS,
    Acronyms,
    Not,
    Or,
    Order,
    Profile,
    Query,
    Term,
)

#: The edge of what is always true: the never, inverted.
ALWAYS = 1
ORDERS = tuple(Order)


def compile_profiles(
    profiles: Sequence[Profile], *, acronyms: Acronyms = NO_ACRONYMS
) -> Chunk:
    """Return *profiles* compiled, one a row, in their order.

    Args:
        profiles: With their trees.
        acronyms: Short forms that find their long ones, in profiles with stems;
            with others the same profiles are another chunk.

    Raises:
        ValueError: A weight has more than four decimals.
    """
    draft = _Draft(acronyms)
    for profile in profiles:
        draft.add(profile)
    return draft.chunk()


@dataclass(slots=True)
class _Draft:
    """A chunk while it is made: nodes are leaves as met, then -1, -2, … gates."""

    acronyms: Acronyms
    leaves: dict[Leaf, int] = field(default_factory=dict)
    gain_counts: list[int] = field(default_factory=list)
    gain_node: list[int] = field(default_factory=list)
    gain_weight: list[int] = field(default_factory=list)
    gate_counts: list[int] = field(default_factory=list)
    gate_level: list[int] = field(default_factory=list)
    edge_counts: list[int] = field(default_factory=list)
    edges: list[int] = field(default_factory=list)
    root: list[int] = field(default_factory=list)
    kind: list[int] = field(default_factory=list)
    interest_counts: list[int] = field(default_factory=list)
    interests: list[int] = field(default_factory=list)
    max_items: list[int] = field(default_factory=list)
    min_votes: list[int] = field(default_factory=list)
    order: list[int] = field(default_factory=list)

    def add(self, profile: Profile) -> None:
        """Add a row."""
        wording = Wording(stem=profile.stem, acronyms=self.acronyms)
        gains = weighed_terms(profile, acronyms=self.acronyms)
        for term, weight in gains:
            self.gain_node.append(self.leaf(term, wording))
            self.gain_weight.append(self._weight(weight))
        self.gain_counts.append(len(gains))
        circuit = _Circuit(draft=self, wording=wording)
        root, kind = circuit.row(profile)
        self.root.append(root)
        self.kind.append(kind)
        self.gate_counts.append(len(circuit.levels))
        self.gate_level += circuit.levels
        self.interest_counts.append(len(circuit.interests))
        self.interests += circuit.interests
        self.max_items.append(profile.max_items)
        self.min_votes.append(max(profile.min_votes, 0))
        self.order.append(ORDERS.index(profile.order))

    def leaf(self, term: Term, wording: Wording) -> int:
        """Return the node of what *term* looks for."""
        leaf = wording.leaf(term)
        return self.leaves.setdefault(leaf, len(self.leaves) + 1)

    def _weight(self, weight: Decimal) -> int:
        units = int(weight * WEIGHT_UNITS)
        if units != weight * WEIGHT_UNITS:
            raise ValueError(f"the weight {weight} has more than four decimals")
        return units

    def chunk(self) -> Chunk:
        """Return what was added."""
        leaves = list(self.leaves)
        keys, heads, openings = pattern_keys([p for x in leaves for p in x.patterns])
        ptr = pointers(np.array([len(x.patterns) for x in leaves], np.int64))
        fields = np.array([field_bits(x) for x in leaves], np.uint8)
        order = np.argsort(leaf_keys(ptr, keys, fields), kind="stable")
        rank = np.zeros(len(leaves) + 1, np.int64)
        rank[order + 1] = np.arange(len(leaves)) + 1
        weights, gain_weight = np.unique(
            np.array(self.gain_weight, np.int64), return_inverse=True
        )
        patterns, leaf_ptr = _sorted(ptr, keys, order)
        arrays = Arrays(
            weights=narrow(weights),
            leaf_ptr=narrow(leaf_ptr),
            leaf_patterns=patterns,
            leaf_fields=fields[order],
            heads=heads,
            openings=openings,
            gain_ptr=_ptr(self.gain_counts),
            gain_node=narrow(rank[np.array(self.gain_node, np.int64)]),
            gain_weight=narrow(gain_weight),
            gate_ptr=_ptr(self.gate_counts),
            gate_level=_narrow(self.gate_level),
            edge_ptr=_ptr(self.edge_counts),
            edges=_renamed(self.edges, rank),
            root=_renamed(self.root, rank),
            kind=np.array(self.kind, np.uint8),
            interest_ptr=_ptr(self.interest_counts),
            interests=_renamed(self.interests, rank),
            max_items=_narrow(self.max_items),
            min_votes=_narrow(self.min_votes),
            order=_narrow(self.order),
        )
        tokens = [p for leaf in leaves for p in leaf.patterns]
        return Chunk(
            arrays=arrays,
            languages=tuple(sorted({p.stem for p in tokens})),
            longest=max((len(p.tokens) for p in tokens), default=0),
        )


def _sorted(ptr: Ints, keys: Keys, order: Ints) -> tuple[Keys, Ints]:
    """Return leaves' patterns in another order of leaves, and where each begins."""
    counts = np.diff(ptr)[order]
    found = pointers(counts)
    at = np.arange(len(keys)) + np.repeat(ptr[:-1][order] - found[:-1], counts)
    return keys[at], found


def _narrow(values: Sequence[int]) -> Numbers:
    return narrow(np.array(values, np.uint64))


def _ptr(counts: Sequence[int]) -> Numbers:
    return narrow(pointers(np.array(counts, np.int64)))


def _renamed(edges: Sequence[int], rank: Ints) -> Numbers:
    """Return edges with leaves in their final order, and gates after all leaves."""
    found = np.array(edges, np.int64)
    nodes = found >> 1
    named = np.where(
        nodes >= 0, rank[np.maximum(nodes, 0)], len(rank) - 1 - np.minimum(nodes, 0)
    )
    return narrow(named << 1 | found & 1)


@dataclass(slots=True)
class _Circuit:
    """The gates of one row; gate *g* is the node ``-1 - g`` until all are known."""

    draft: _Draft
    wording: Wording
    levels: list[int] = field(default_factory=list)
    interests: list[int] = field(default_factory=list)

    def row(self, profile: Profile) -> tuple[int, Kind]:
        """Make the gates of *profile*; return the edge that decides, and how."""
        wanted = [self._edges(i.tree, inverted=False) for i in profile.interests]
        muted = [e for m in profile.mutes for e in self._edges(m.tree, inverted=False)]
        if len(wanted) > 1:
            self.interests = [self._or(edges) for edges in wanted]
        every = list(dict.fromkeys(edge for edges in wanted for edge in edges))
        if not wanted:
            return (self._or(muted) ^ 1 if muted else ALWAYS), Kind.EVERYTHING
        is_open = any(is_true_of_nothing(i.tree) for i in profile.interests)
        if not (muted or is_open) and all(e > 0 and not e & 1 for e in every):
            return 0, Kind.PLAIN
        root = self._or(every)
        if muted:
            root = self._or([root ^ 1, *muted]) ^ 1
        return root, Kind.OPEN if is_open else Kind.CIRCUIT

    def _edges(self, query: Query, *, inverted: bool) -> list[int]:
        """Return edges of which one holds where *query* does (*inverted*: does not)."""
        if isinstance(query, Term):
            return [self.draft.leaf(query, self.wording) << 1 | inverted]
        if isinstance(query, Not):
            return self._edges(query.operand, inverted=not inverted)
        if isinstance(query, Or) is not inverted:
            return self._all(query.operands, inverted=inverted)
        return [self._or(self._all(query.operands, inverted=not inverted)) ^ 1]

    def _all(self, queries: Iterable[Query], *, inverted: bool) -> list[int]:
        edges = [e for query in queries for e in self._edges(query, inverted=inverted)]
        return list(dict.fromkeys(edges))

    def _or(self, edges: Sequence[int]) -> int:
        """Return the edge of a gate over *edges*; of one, itself."""
        if len(edges) == 1:
            return edges[0]
        below = [self.levels[-1 - (edge >> 1)] for edge in edges if edge < 0]
        self.levels.append(1 + max(below, default=0))
        self.draft.edges += edges
        self.draft.edge_counts.append(len(edges))
        return -len(self.levels) << 1
