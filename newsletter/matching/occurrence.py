"""Where a term occurs in an entry: tokens, stems, fields, places.

A term's leaf occurs where the tokens of one of its patterns stand in a row
within one value of one of its fields; the last token of a prefix may go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from newsletter.matching.stems import PLAIN, stems
from newsletter.matching.terms import ANYWHERE, Leaf, Pattern, leaf_of
from newsletter.matching.tokens import token_spans, tokenize
from newsletter.model import NO_ACRONYMS, Acronyms, Candidate, Field, Term

#: Words of an entry, those of the title twice: the mean of 11,000 papers.
USUAL_LENGTH = 220

_Tokens = tuple[str, ...]
_Places = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A candidate's tokens: for each field its values, each a tuple of tokens."""

    values: Mapping[Field, tuple[_Tokens, ...]]
    #: Every token of title and summary, to tell soon what cannot occur.
    words: frozenset[str]
    #: Title and summary in the stems of a language, made when first asked for.
    _stemmed: dict[str, Document] = field(
        default_factory=dict, repr=False, compare=False
    )

    def in_stems(self, language: str) -> Document:
        """Return the same with title and summary in stems; "none": itself."""
        if language == PLAIN:
            return self
        if language not in self._stemmed:
            texts = {
                each: tuple(stems(value, language) for value in self.values[each])
                for each in ANYWHERE
            }
            self._stemmed[language] = Document(
                values={**self.values, **texts},
                words=frozenset(stems(tuple(self.words), language)),
            )
        return self._stemmed[language]


def documents(candidates: Sequence[Candidate]) -> tuple[Document, ...]:
    """Return *candidates* tokenised, in their order; share it between profiles."""
    return tuple(document_of(candidate) for candidate in candidates)


def document_of(candidate: Candidate) -> Document:
    """Return *candidate* tokenised."""
    version = candidate.version
    title, summary = tokenize(version.title), tokenize(version.summary)
    return Document(
        values={
            Field.TITLE: (title,),
            Field.SUMMARY: (summary,),
            Field.AUTHOR: tuple(tokenize(name) for name in version.authors),
            Field.CATEGORY: tuple(tokenize(name) for name in version.categories),
            Field.SOURCE: tuple(tokenize(s.source) for s in candidate.sources),
        },
        words=frozenset(title + summary),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How a profile's terms are read: to the letter, or by stems and acronyms."""

    stem: str = PLAIN
    acronyms: Acronyms = NO_ACRONYMS

    def leaf(self, term: Term) -> Leaf:
        """Return what *term* looks for."""
        return leaf_of(term, stem=self.stem, acronyms=self.acronyms)


def occurs(leaf: Leaf, document: Document) -> bool:
    """Tell whether *leaf* occurs in any of its fields."""
    return any(True for _ in fields_of(leaf, document))


def fields_of(leaf: Leaf, document: Document) -> Iterator[Field]:
    """Yield the fields where *leaf* occurs, each once."""
    likely = [p for p in leaf.patterns if _may_occur(p, leaf, document)]
    for each in leaf.fields if likely else ():
        if any(_is_in(pattern, document, each) for pattern in likely):
            yield each


def prominence(
    leaf: Leaf, document: Document, weights: Mapping[Field, int]
) -> Mapping[Field, int]:
    """Return how much *leaf* stands out in title and summary, in thousandths.

    1000: once in the summary of an entry of the usual length, where summaries
    weigh one. It grows with each further place, ever less, to 4000 at most.
    BM25 with k1 = 3 and b = 0.75, its fields weighed before (Robertson,
    Zaragoza, Taylor 2004); the usual length is fixed, so that an entry is worth
    the same in any company.

    Args:
        leaf: One that is looked for in title, summary or both.
        document: Where.
        weights: What a place in each field counts, in hundredths.

    Returns:
        Each field's share, where it occurs and counts.
    """
    counts = {
        each: weights[each] * _often(leaf, document, each) for each in leaf.fields
    }
    often = sum(counts.values())
    length = sum(
        (2 if each is Field.TITLE else 1) * sum(map(len, document.values[each]))
        for each in ANYWHERE
    )
    # 4 tf / (tf + 3 · (1/4 + 3/4 · length / usual)), times four on both sides.
    even = 4 * often * USUAL_LENGTH + 100 * (3 * USUAL_LENGTH + 9 * length)
    whole = 16_000 * often * USUAL_LENGTH // even
    return {each: whole * count // often for each, count in counts.items() if count}


def _often(leaf: Leaf, document: Document, where: Field) -> int:
    """Return at how many places of a field *leaf* occurs."""
    return sum(
        sum(1 for _ in starts(pattern, tokens))
        for pattern in leaf.patterns
        for tokens in document.in_stems(pattern.stem).values[where]
    )


def _may_occur(pattern: Pattern, leaf: Leaf, document: Document) -> bool:
    """Tell soon what cannot occur: some word of it does so nowhere."""
    if leaf.fields != ANYWHERE:
        return True
    last = 1 if pattern.prefix else 0
    whole = pattern.tokens[: len(pattern.tokens) - last]
    return document.in_stems(pattern.stem).words.issuperset(whole)


def _is_in(pattern: Pattern, document: Document, where: Field) -> bool:
    values = document.in_stems(pattern.stem).values[where]
    return any(True for tokens in values for _ in starts(pattern, tokens))


def starts(pattern: Pattern, tokens: _Tokens) -> Iterator[int]:
    """Yield where *pattern* begins in *tokens*, which are stems if it is of stems."""
    head, last = pattern.tokens[:-1], pattern.tokens[-1]
    for start in range(len(tokens) - len(head)):
        end = tokens[start + len(head)]
        fits = end.startswith(last) if pattern.prefix else end == last
        if fits and tokens[start : start + len(head)] == head:
            yield start


def places(leaves: Sequence[Leaf], text: str, where: Field) -> _Places:
    """Return where *leaves* occur in *text*: sorted, disjoint, touching ones merged.

    Args:
        leaves: Those that do not ask for *where* are passed over.
        text: The value of that field, as it was given.
        where: Title or summary.
    """
    here = {p for leaf in leaves if where in leaf.fields for p in leaf.patterns}
    if not here:
        return ()
    spans = token_spans(text)
    plain = tuple(token for token, _, _ in spans)
    streams = {p.stem: stems(plain, p.stem) for p in here}
    found = sorted(
        (spans[start][1], spans[start + len(pattern.tokens) - 1][2])
        for pattern in here
        for start in starts(pattern, streams[pattern.stem])
    )
    merged: list[tuple[int, int]] = []
    for start, end in found:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
