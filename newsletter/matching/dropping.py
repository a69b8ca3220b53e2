"""What a query would match as well if one piece of it were not there.

    (mamba OR jamba) AND robot* -survey
                         ------ ------- without one of them, more would match

A piece is a node without which the query is wider: an operand of an AND or,
below an odd number of NOTs, of an OR. Nothing is guessed: an entry counts for
a piece where the tree without that node is true of it and the tree is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

from newsletter.matching.tree import is_true_of_nothing, to_text
from newsletter.model import And, Not, Or, Query, Term

#: The way to a node: which operand at each level.
Path = tuple[int, ...]
Holds = Callable[[Query], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A node without which a query is wider."""

    path: Path
    #: As it stands in the query, its operator before it: ``AND robot*``.
    text: str


def without(query: Query, path: Path) -> Query:
    """Return *query* without the node at *path*, one of several operands."""
    if isinstance(query, Not):
        return Not(operand=without(query.operand, path[1:]))
    if isinstance(query, Term):
        raise TypeError(f"a term has no parts to drop: {query.text}")
    place, rest = path[0], path[1:]
    inner = (without(query.operands[place], rest),) if rest else ()
    operands: tuple[Query, ...] = (
        *query.operands[:place],
        *inner,
        *query.operands[place + 1 :],
    )
    if len(operands) == 1:
        return operands[0]
    return And(operands=operands) if isinstance(query, And) else Or(operands=operands)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropping:
    """Tells of one query, entry by entry, which piece stands in the way."""

    query: Query
    #: In the order written.
    pieces: tuple[Piece, ...]
    #: Every node that is a piece, or has one below it.
    _roads: frozenset[Path]

    @classmethod
    def of(cls, query: Query) -> Self:
        """Return what tells it of *query*.

        No piece is what leaves, if dropped, a query that is true of nearly
        everything: nobody may write that.
        """
        pieces = tuple(
            piece
            for piece in _pieces(query, (), widens=True)
            if not is_true_of_nothing(without(query, piece.path))
        )
        roads = frozenset(
            piece.path[:end] for piece in pieces for end in range(len(piece.path) + 1)
        )
        return cls(query=query, pieces=pieces, _roads=roads)

    def culprits(self, holds: Holds) -> frozenset[Path]:
        """Return the pieces of which any one, dropped, makes the query true.

        None where it is true as it is.

        Args:
            holds: Tells whether a query is true of the entry.
        """
        is_true, turning = self._look(self.query, (), holds)
        if is_true or not turning:
            return frozenset()
        return turning & frozenset(piece.path for piece in self.pieces)

    def _look(
        self, query: Query, path: Path, holds: Holds
    ) -> tuple[bool, frozenset[Path]]:
        """Return whether *query* is true, and what turns that, if dropped."""
        if isinstance(query, Term) or path not in self._roads:
            return holds(query), frozenset()
        if isinstance(query, Not):
            is_true, turning = self._look(query.operand, (*path, 0), holds)
            return not is_true, turning
        # One operand of this value decides, whatever the others say.
        decisive = isinstance(query, Or)
        others = frozenset[Path]()
        deciding: list[frozenset[Path]] = []
        for place, operand in enumerate(query.operands):
            here = (*path, place)
            is_true, turning = self._look(operand, here, holds)
            if is_true is not decisive:
                others |= turning
                continue
            deciding.append(turning | {here})
            if len(deciding) > 1:
                return decisive, frozenset()
        return (decisive, deciding[0]) if deciding else (not decisive, others)


def _pieces(query: Query, path: Path, *, widens: bool) -> Iterator[Piece]:
    """Yield what makes *query* wider if dropped; narrower, unless it *widens*."""
    if isinstance(query, Term):
        return
    if isinstance(query, Not):
        yield from _pieces(query.operand, (*path, 0), widens=not widens)
        return
    for place, operand in enumerate(query.operands):
        here = (*path, place)
        if isinstance(query, And) is widens:
            yield Piece(path=here, text=_standing(query, operand))
        yield from _pieces(operand, here, widens=widens)


def _standing(whole: And | Or, operand: Query) -> str:
    """Return *operand* as it stands in *whole*, its operator before it."""
    text = to_text(operand)
    if isinstance(operand, Not):
        return text
    word = "AND" if isinstance(whole, And) else "OR"
    return f"{word} ({text})" if isinstance(operand, And | Or) else f"{word} {text}"
