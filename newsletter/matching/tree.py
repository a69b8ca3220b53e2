"""Query trees: as JSON, as text, and the walks that several modules need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

from newsletter.model import And, Field, Not, Or, Query, Term

#: Raised when the same text would give another tree than before.
GRAMMAR_VERSION = 1

#: What json reads and writes.
Json: TypeAlias = (
    "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
)


def tree_to_json(query: Query) -> Json:
    """Return *query* as JSON: ``["or", …]``, ``["and", …]``, ``["not", x]``, a term."""
    if isinstance(query, Term):
        term: dict[str, Json] = {
            "text": query.text,
            "tokens": query.tokens,
            "field": query.field,
            "prefix": query.prefix,
            "weight": str(query.weight),
        }
        # Only where it is so: rows of the first grammar say nothing of it.
        return {**term, "exact": True} if query.exact else term
    if isinstance(query, Not):
        return ["not", tree_to_json(query.operand)]
    word = "and" if isinstance(query, And) else "or"
    return [word, *(tree_to_json(operand) for operand in query.operands)]


def tree_from_json(value: Json) -> Query:
    """Return the query that ``tree_to_json`` wrote.

    Raises:
        ValueError: It wrote no such thing.
    """
    if isinstance(value, Mapping):
        return _term(value)
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) < 2:  # noqa: PLR2004 - a word and an operand
        raise ValueError(f"not a query tree: {value!r}")
    operands = tuple(tree_from_json(operand) for operand in value[1:])
    if value[0] == "not":
        return Not(operand=operands[0])
    if value[0] == "and":
        return And(operands=operands)
    if value[0] == "or":
        return Or(operands=operands)
    raise ValueError(f"not a query tree: {value!r}")


def _term(value: Mapping[str, Json]) -> Term:
    tokens, field = value["tokens"], value["field"]
    if not isinstance(tokens, Sequence):
        raise ValueError(f"not a term: {value!r}")  # noqa: TRY004 - stored data, not a caller's type
    return Term(
        text=str(value["text"]),
        tokens=tuple(str(token) for token in tokens),
        field=None if field is None else Field(str(field)),
        prefix=bool(value["prefix"]),
        weight=Decimal(str(value["weight"])),
        exact=bool(value.get("exact", False)),
    )


def to_text(query: Query) -> str:
    """Return a query that parses to *query* again, all brackets written."""
    if isinstance(query, Term):
        field = f"{query.field}:" if query.field else ""
        weight = f"^{query.weight}" if query.weight != 1 else ""
        return f"{field}{query.text}{weight}"
    if isinstance(query, Not):
        return f"NOT {_bracketed(query.operand)}"
    if isinstance(query, And):
        return " AND ".join(_bracketed(operand) for operand in query.operands)
    first, *rest = (_bracketed(operand) for operand in query.operands)
    # A list that begins with a bare NOT would be read as leaving out.
    head = f"({first})" if isinstance(query.operands[0], Not) else first
    return " OR ".join((head, *rest))


def _bracketed(query: Query) -> str:
    text = to_text(query)
    return f"({text})" if isinstance(query, And | Or) else text


def is_true_of_nothing(query: Query) -> bool:
    """Tell whether *query* holds where none of its terms occurs."""
    if isinstance(query, Term):
        return False
    if isinstance(query, Not):
        return not is_true_of_nothing(query.operand)
    values = [is_true_of_nothing(operand) for operand in query.operands]
    return all(values) if isinstance(query, And) else any(values)


def positive_terms(query: Query, *, positive: bool = True) -> Iterator[Term]:
    """Yield the terms under an even number of NOTs, in the order written."""
    if isinstance(query, Term):
        if positive:
            yield query
    elif isinstance(query, Not):
        yield from positive_terms(query.operand, positive=not positive)
    else:
        for operand in query.operands:
            yield from positive_terms(operand, positive=positive)
