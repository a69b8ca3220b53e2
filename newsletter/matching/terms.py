"""What a term looks for: patterns of tokens in some fields of an entry.

    mamba, stem "none"   ->  (mamba)                  in title, summary
    title:"language mod*" -> (language mod*)          in title
    models, stem "en"    ->  (model, of English)      in title, summary

Both evaluators ask only this, so a term means the same to both.
"""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.model import Field, Term

#: Where a term without a field may occur.
ANYWHERE = (Field.TITLE, Field.SUMMARY)
#: No stems: tokens are compared as they are.
PLAIN = "none"


@dataclass(frozen=True, slots=True, order=True)
class Pattern:
    """Tokens that stand in a row within one value of a field."""

    tokens: tuple[str, ...]
    #: The last token may go on.
    prefix: bool = False
    #: The language whose stems are compared; the tokens are stems then.
    stem: str = PLAIN


@dataclass(frozen=True, slots=True)
class Leaf:
    """What is asked of an entry: does one of some patterns occur in some field?

    A term occurs in a field where any of its patterns does. Two terms are the
    same one where their leaves are equal.
    """

    #: Distinct and sorted, at least one.
    patterns: tuple[Pattern, ...]
    #: In the order of ``Field``, at least one.
    fields: tuple[Field, ...]


def leaf_of(term: Term, *, stem: str = PLAIN) -> Leaf:
    """Return what *term* looks for in a profile with those stems."""
    del stem
    return Leaf(
        patterns=(Pattern(term.tokens, term.prefix),),
        fields=(term.field,) if term.field else ANYWHERE,
    )
