"""The words and phrases of an entry that a query could have as terms."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from newsletter.matching.reference import Document
from newsletter.matching.stopwords import STOP_WORDS
from newsletter.matching.tokens import is_cjk
from newsletter.model import Field

#: Words of a phrase.
LONGEST = 3
_SHORTEST_PLURAL = 4
_LONGEST_ACRONYM = 5

#: One word, or several in a row.
Words = tuple[str, ...]


def texts(document: Document) -> Iterator[Words]:
    """Yield the tokens of title and summary."""
    yield from document.values[Field.TITLE]
    yield from document.values[Field.SUMMARY]


def phrases_of(document: Document) -> Iterator[Words]:
    """Yield the words and phrases of an entry that may be suggested."""
    for text in texts(document):
        starts = [_may_stand_alone(token) for token in text]
        for n, may_start in enumerate(starts):
            if may_start:
                for end in range(n, min(n + LONGEST, len(text))):
                    if starts[end] and _is_term(phrase := text[n : end + 1]):
                        yield phrase


def _may_stand_alone(token: str) -> bool:
    """Tell whether a suggestion may begin or end with *token*."""
    if is_cjk(token):
        return True
    return len(token) > 1 and not token.isdecimal() and token not in STOP_WORDS


def _is_term(phrase: Words) -> bool:
    """Tell whether *phrase* is more than one sign, or a term beside its acronym.

    Without its brackets ``learning (RL)`` is a phrase as any other.
    """
    *head, last = phrase
    if not head:
        return not is_cjk(last)
    initials = "".join(word[0] for word in head)
    return len(last) > _LONGEST_ACRONYM or not last.endswith((initials, f"{initials}s"))


def singular_of(form: Words) -> Words:
    """Return *form* with its last word in the singular, as English has it."""
    last = form[-1]
    is_plural = (
        len(last) >= _SHORTEST_PLURAL
        and last.endswith("s")
        and not last.endswith(("ss", "us", "is"))
    )
    return (*form[:-1], last[:-1]) if is_plural else form


def joined(words: Words) -> str:
    """Return *words* in a row; between CJK characters stands nothing."""
    text = words[0]
    for before, word in pairwise(words):
        text += word if is_cjk(before) and is_cjk(word) else f" {word}"
    return text
