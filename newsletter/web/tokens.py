"""Entries in tokens, kept between looks: the next one weighs much the same window."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from newsletter.matching import Document, documents
from newsletter.model import Candidate

#: Entries kept, with their tokens and stems: some 30 KB each.
MOST_KEPT = 4000


@dataclass(slots=True)
class KeptTokens:
    """Takes apart what it has not yet seen; safe from any thread.

    By all that tokens are made of, not by an id: another database has the
    same ids.
    """

    most: int = MOST_KEPT
    _kept: dict[Hashable, Document] = field(default_factory=dict)

    def __call__(self, candidates: Sequence[Candidate]) -> tuple[Document, ...]:
        """Return *candidates* tokenised, in their order."""
        kept = self._kept
        keys = [_key(candidate) for candidate in candidates]
        unseen = [
            (key, candidate)
            for key, candidate in zip(keys, candidates, strict=True)
            if key not in kept
        ]
        if unseen:
            made = documents([candidate for _, candidate in unseen])
            new = {key: doc for (key, _), doc in zip(unseen, made, strict=True)}
            kept = {**kept, **new}
            # Another look may hold the old one; it is never changed.
            self._kept = kept if len(kept) <= self.most else self._of(keys, kept)
        return tuple(kept[key] for key in keys)

    def _of(
        self, keys: Sequence[Hashable], kept: dict[Hashable, Document]
    ) -> dict[Hashable, Document]:
        """Return the present window alone, or nothing where it is too large itself."""
        return {key: kept[key] for key in keys} if len(keys) <= self.most else {}


def _key(candidate: Candidate) -> Hashable:
    version = candidate.version
    return (
        version.title,
        version.summary,
        version.authors,
        version.categories,
        tuple(listing.source for listing in candidate.sources),
    )
