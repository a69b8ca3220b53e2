"""The values that a theme sees of an issue, and how much room they have.

A theme gets no model object: nothing here leads back to the store, every
link may be shown, and every text has an end.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from newsletter.rendering.addresses import MAX_URL
from newsletter.rendering.cutting import Run
from newsletter.rendering.keeping import Kept

#: Characters of a summary in a mail with room for it.
SUMMARY = 320


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How much of an issue a mail has room for; the default is all."""

    #: The receipt's list of titles.
    more: bool = True
    #: Characters of summary and TL;DR.
    summary: int = SUMMARY
    #: Cards before those of one line. None: all.
    cards: int | None = None
    #: Characters of a title on one line.
    line: int = 200
    #: Longer links are left out.
    url: int = MAX_URL
    headings: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """A labelled link that may be shown."""

    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """An entry on one line: a card without room, or a title of the receipt."""

    title: str
    url: str | None
    #: Hidden from themes. None: it is shared with no other mail.
    _kept: Kept | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardView:
    """An entry with all that is shown of it."""

    #: 1 for the first card of the mail.
    number: int
    title: tuple[Run, ...]
    #: Where the title leads. None: nowhere that may be linked to.
    url: str | None
    #: "Ada, Bo, Cy and 12 more"; may be empty.
    authors: str
    #: Names of the sources that show it.
    badges: tuple[str, ...]
    #: None: no source counts votes.
    votes: int | None
    #: In the subscriber's zone; may be empty.
    date: str
    tldr: str
    summary: tuple[Run, ...]
    #: Labels of the interests that match.
    interests: tuple[str, ...]
    #: "title: mamba 2.0 · fresh 0.5"; may be empty.
    score: str
    #: It does not match and shares words with those interests.
    is_close: bool
    #: Without the one of the title.
    links: tuple[LinkView, ...]
    #: BCP 47. None: unknown.
    language: str | None
    #: https. None: the source gives no picture, or the theme asks for none.
    image: str | None
    #: Hidden from themes. None: it is shared with no other mail.
    _kept: Kept | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionView:
    """Cards under one heading (empty: none), then those of one line."""

    heading: str
    cards: tuple[CardView, ...]
    lines: tuple[LineView, ...]
    #: It holds what does not match and only comes close; its heading is never cut.
    is_close: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptView:
    """What the window held: 612 new, 41 matched, 12 shown, 29 more matched."""

    new: int
    matched: int
    shown: int
    more: int
    #: Cards of what did not match and only comes close.
    close: int
    #: Titles of the best that are not shown.
    titles: tuple[LineView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderView:
    """Who sends, and how to reach or leave them."""

    name: str
    address: str
    #: https or mailto. None: none given.
    contact_url: str | None
    preferences_url: str | None
    #: https or mailto.
    unsubscribe_url: str | None
    postal_address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueView:
    """One mail, as a theme sees it."""

    #: Of the newsletter.
    title: str
    #: Of the frame's words, BCP 47.
    language: str
    #: Of the frame: "ltr" or "rtl".
    direction: str
    #: The slot's day in the subscriber's zone, in words.
    date: str
    #: Titles of the first cards, at most four; they bear no reader's data.
    highlights: tuple[str, ...]
    #: Cards of what matched, those of one line too.
    count: int
    sections: tuple[SectionView, ...]
    receipt: ReceiptView
    #: "Tuesday and Wednesday"; empty: no day was skipped.
    skipped: str
    #: "Nothing matched on Tuesday and Wednesday."; the same.
    skipped_note: str
    #: The reader's address.
    reader: str
    sender: SenderView
