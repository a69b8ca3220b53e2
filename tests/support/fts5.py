"""Another judge of what matches: SQLite's full-text index, a query at a time.

It is given our tokens, so that it does not read letters and scripts its own
way; values of one field lie apart, so that no phrase goes from one to another.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from newsletter.matching.tokens import tokenize
from newsletter.model import And, Candidate, Field, Not, Or, Query, Term

_APART = " betweentwovalues "


def index_of(candidates: Sequence[Candidate]) -> sqlite3.Connection:
    """Return an index in memory; a row's id is its place in *candidates*."""
    found = sqlite3.connect(":memory:")
    columns = ", ".join(Field)
    found.execute(f"CREATE VIRTUAL TABLE entries USING fts5({columns})")
    for place, candidate in enumerate(candidates):
        version = candidate.version
        values = (
            (version.title,),
            (version.summary,),
            version.authors,
            version.categories,
            tuple(listing.source for listing in candidate.sources),
        )
        texts = [_APART.join(" ".join(tokenize(v)) for v in many) for many in values]
        marks = ", ".join("?" * (len(texts) + 1))
        found.execute(
            f"INSERT INTO entries (rowid, {columns}) VALUES ({marks})",  # noqa: S608 - names of ours
            (place, *texts),
        )
    return found


def matching(index: sqlite3.Connection, query: Query) -> list[int]:
    """Return the places of what *query* matches."""
    rows = index.execute(
        "SELECT rowid FROM entries WHERE entries MATCH ? ORDER BY rowid",
        (written(query),),
    )
    return [row[0] for row in rows]


def written(query: Query) -> str:
    """Return *query* as FTS5 has it; a NOT stands within an AND only.

    Raises:
        ValueError: A NOT stands elsewhere, or alone.
    """
    if isinstance(query, Term):
        fields = query.field or "{title summary}"
        star = " *" if query.prefix else ""
        return f'{fields} : "{" ".join(query.tokens)}"{star}'
    if isinstance(query, Or):
        return "(" + " OR ".join(written(x) for x in query.operands) + ")"
    if isinstance(query, And):
        wanted = [x for x in query.operands if not isinstance(x, Not)]
        unwanted = [x.operand for x in query.operands if isinstance(x, Not)]
        if wanted:
            found = " AND ".join(f"({written(x)})" for x in wanted)
            return "(" + " NOT ".join([f"({found})", *map(written, unwanted)]) + ")"
    raise ValueError(f"FTS5 cannot say {query}")
