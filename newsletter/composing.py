"""What an issue holds: order, caps, sections, receipt, or nothing.

Matches come in rank order, less mutes, ``min_votes`` and repeats; the first
``max_items`` become cards, the next few a list of titles. Room that is left
may be filled with what comes close, in a section of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from newsletter.model import (
    Match,
    Profile,
    Receipt,
    Section,
    Sections,
    Selection,
    Skip,
)

#: How many of what matched but is not shown stand with their titles.
MORE_TITLES = 20
#: Over what does not match and only comes close.
CLOSE = "Close to your interests"


def compose(
    matches: Sequence[Match],
    *,
    profile: Profile,
    new: int,
    close: Sequence[Match] = (),
) -> Selection | Skip:
    """Return the issue's cards in sections with its receipt, or a skip.

    Args:
        matches: All that matched, best first.
        profile: Whose limits and sections apply.
        new: Distinct entries in the window.
        close: What comes close, closest first; it fills the room that is left,
            and alone is no reason for an issue.
    """
    cards = matches[: profile.max_items]
    if not cards and profile.skip_empty:
        return Skip(receipt=Receipt(new=new, matched=0, shown=0))
    fill = close[: profile.max_items - len(cards)]
    more = matches[len(cards) : len(cards) + MORE_TITLES]
    return Selection(
        sections=(*_sections(cards, profile), *sections_of(fill, [CLOSE] * len(fill))),
        more=tuple(more),
        receipt=Receipt(
            new=new, matched=len(matches), shown=len(cards), close=len(fill)
        ),
    )


def sections_of(
    matches: Sequence[Match], headings: Sequence[str]
) -> tuple[Section, ...]:
    """Return cards in reading order under their headings, one heading per card."""
    pairs = zip(headings, matches, strict=True)
    groups = groupby(pairs, key=lambda pair: (pair[0], pair[1].reasons.is_close))
    return tuple(
        Section(
            heading=heading,
            matches=tuple(match for _, match in group),
            is_close=is_close,
        )
        for (heading, is_close), group in groups
    )


def _sections(cards: Sequence[Match], profile: Profile) -> tuple[Section, ...]:
    """Group *cards*; sections stand in profile order, or by their best card."""
    if profile.sections is Sections.NONE:
        return sections_of(cards, [""] * len(cards))
    if profile.sections is Sections.SOURCE:
        headings = [match.candidate.sources[0].source for match in cards]
        order = list(dict.fromkeys(headings))
    else:
        headings = [_interest(match) for match in cards]
        order = [*dict.fromkeys(i.label for i in profile.interests), ""]
    placed = sorted(
        zip(headings, cards, strict=True), key=lambda pair: order.index(pair[0])
    )
    return sections_of([match for _, match in placed], [h for h, _ in placed])


def _interest(match: Match) -> str:
    """Return the first interest that matched; empty where there is none."""
    return match.reasons.interests[0] if match.reasons.interests else ""
