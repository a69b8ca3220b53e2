"""What a term looks for: patterns of tokens in some fields of an entry.

    mamba, stem "none"    ->  (mamba)                  in title, summary
    title:"language mod*" ->  (language mod*)          in title
    models, stem "en"     ->  (model, of English)      in title, summary
    LLMs, stem "en"       ->  (llm, of English) or
                              (llms, of English) or (larg languag model, …)
    "LLM agents"          ->  (llm agent, …) or (larg languag model agent, …)

Both evaluators ask only this, so a term means the same to both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from newsletter.matching.stems import PLAIN, stems
from newsletter.matching.tokens import tokenize
from newsletter.model import NO_ACRONYMS, Acronym, Acronyms, Field, Term

#: Where a term without a field may occur; only these have stems.
ANYWHERE = (Field.TITLE, Field.SUMMARY)

_ENGLISH = "en"

_Tokens = tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class Pattern:
    """Tokens that stand in a row within one value of a field."""

    tokens: _Tokens
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


@lru_cache(maxsize=1 << 16)
def leaf_of(term: Term, *, stem: str = PLAIN, acronyms: Acronyms = NO_ACRONYMS) -> Leaf:
    """Return what *term* looks for in a profile with those stems.

    Prefixes and exact terms are compared as they are written, and so is what
    is asked of authors, categories and sources. Without stems there are no
    acronyms either: such a profile means what it says, to the letter.
    """
    fields = (term.field,) if term.field else ANYWHERE
    if stem == PLAIN or term.prefix or term.exact or fields[0] not in ANYWHERE:
        return Leaf(patterns=(Pattern(term.tokens, term.prefix),), fields=fields)
    readings = _readings(stems(term.tokens, stem), _others(acronyms, stem))
    patterns = sorted({Pattern(tokens, stem=stem) for tokens in readings})
    return Leaf(patterns=tuple(patterns), fields=fields)


def _readings(
    own: _Tokens, others: Mapping[_Tokens, Sequence[_Tokens]]
) -> set[_Tokens]:
    """Return *own*, its other forms, and each with a part in another form.

    One part at a time, so that a long phrase has no end of readings.
    """
    wholes = {own, *others.get(own, ())}
    return wholes | {
        whole[:start] + form + whole[end:]
        for whole in wholes
        for start in range(len(whole))
        for end in range(start + 1, len(whole) + 1)
        if end - start < len(whole)
        for form in others.get(whole[start:end], ())
    }


def spelling_of(pattern: Pattern, *, acronyms: Acronyms) -> tuple[str, ...]:
    """Return the words of *pattern* as acronyms spell them; else its stems."""
    spelt = _spellings(acronyms, pattern.stem)
    return tuple(spelt.get(token, token) for token in pattern.tokens)


@lru_cache(maxsize=64)
def _others(acronyms: Acronyms, language: str) -> Mapping[_Tokens, Sequence[_Tokens]]:
    """Return, for each form in stems, the forms that it stands for."""
    found: dict[_Tokens, list[_Tokens]] = {}
    for acronym in acronyms.pairs:
        forms = [stems(form, language) for form in _forms(acronym, language)]
        for form in forms:
            found.setdefault(form, []).extend(forms)
    return found


@lru_cache(maxsize=64)
def _spellings(acronyms: Acronyms, language: str) -> Mapping[str, str]:
    """Return how each stem of an acronym's forms is written, the first time."""
    found: dict[str, str] = {}
    for acronym in acronyms.pairs:
        for form in _forms(acronym, language):
            for token, written in zip(stems(form, language), form, strict=True):
                found.setdefault(token, written)
    return found


def _forms(acronym: Acronym, language: str) -> tuple[_Tokens, ...]:
    """Return the long form, and the short one with its plural."""
    short, long = tokenize(acronym.short), tokenize(acronym.long)
    if language != _ENGLISH:
        return long, short
    # English stems leave LLMs as it is: no vowel stands before the s.
    return long, short, (*short[:-1], short[-1] + "s")
