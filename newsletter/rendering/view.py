"""What a theme sees of an issue: plain values, cut, cleaned and dated.

A theme gets no model object: nothing here leads back to the store, every
link may be shown, and every text has an end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from newsletter.model import Issue, Link, Match, Reasons, Section
from newsletter.rendering.addresses import (
    MAX_URL,
    contact_url,
    leave_mailto,
    safe_url,
)
from newsletter.rendering.cutting import Run, cut, runs
from newsletter.rendering.days import Days
from newsletter.rendering.keeping import Kept, Shelf

#: Characters of a summary in a mail with room for it.
SUMMARY = 320
#: Of a title on a card; no paper's is longer, a hostile feed's is.
TITLE = 400
#: Of names: authors, sources, labels, headings.
NAME = 80
AUTHORS = 3
BADGES = 4
LINKS = 6
PARTS = 6
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


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
    #: Of the theme's words, BCP 47.
    language: str
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
    #: The reader's address.
    reader: str
    sender: SenderView


def view(
    issue: Issue, *, language: str, fit: Fit, shelf: Shelf | None = None
) -> IssueView:
    """Return what a theme in *language* sees of *issue* where *fit* has room.

    Args:
        issue: What was decided.
        language: Of the theme's own words, BCP 47.
        fit: How much there is room for.
        shelf: Keeps what mails of this theme share. None: all is made anew.
    """
    zone = ZoneInfo(issue.timezone)
    today = issue.slot.astimezone(zone).date()
    days = Days(language=language, today=today, zone=zone)
    # What only comes close is not what the mail is about.
    matches = [m for m in issue.selection.matches if not m.reasons.is_close]
    return IssueView(
        title=cut(issue.newsletter.title, NAME),
        language=days.language,
        date=days.full(today),
        highlights=tuple(cut(m.candidate.version.title, 120) for m in matches[:4]),
        count=len(matches),
        sections=_sections(issue.selection.sections, days, fit, shelf),
        receipt=_receipt(issue, fit, shelf),
        skipped=_skipped(issue.skipped, days),
        reader=cut(issue.address, 254),
        sender=_sender(issue),
    )


def _sections(
    sections: tuple[Section, ...], days: Days, fit: Fit, shelf: Shelf | None
) -> tuple[SectionView, ...]:
    views: list[SectionView] = []
    number = 0
    for section in sections:
        whole = len(section.matches)
        if fit.cards is not None:
            whole = min(whole, max(0, fit.cards - number))
        cards = tuple(
            _card(match, number + place, days, fit, shelf)
            for place, match in enumerate(section.matches[:whole], 1)
        )
        lines = tuple(_line(match, fit, shelf) for match in section.matches[whole:])
        is_headed = fit.headings or section.is_close
        views.append(
            SectionView(
                heading=cut(section.heading, NAME) if is_headed else "",
                cards=cards,
                lines=lines,
                is_close=section.is_close,
            )
        )
        number += len(section.matches)
    return tuple(views)


def _card(
    match: Match, number: int, days: Days, fit: Fit, shelf: Shelf | None
) -> CardView:
    """Return the card of *match*: what mails share of it, and the reader's own."""
    date = days.short(_shown_at(match))
    said = _said(match, date, fit) if shelf is None else _kept(match, date, fit, shelf)
    # Not replace(), which takes twice as long, for each card of each mail.
    return CardView(
        number=number,
        title=said.title,
        url=said.url,
        authors=said.authors,
        badges=said.badges,
        votes=said.votes,
        date=date,
        tldr=said.tldr,
        summary=said.summary,
        interests=_some(match.reasons.interests, PARTS),
        score=_score(match.reasons),
        is_close=match.reasons.is_close,
        links=said.links,
        language=said.language,
        _kept=said._kept,  # noqa: SLF001 - our own, hidden from themes alone
    )


def _kept(match: Match, date: str, fit: Fit, shelf: Shelf) -> CardView:
    """Return what mails share of the card of *match*, made once."""
    version, reasons = match.candidate.version, match.reasons
    key = (
        version.id,
        reasons.title_places,
        reasons.summary_places,
        tuple([source.source for source in match.candidate.sources]),
        match.candidate.votes,
        date,
        fit.summary,
        fit.url,
    )
    return shelf.said(
        key,
        version,
        CardView,
        lambda kept: replace(_said(match, date, fit), _kept=kept),
    )


def _said(match: Match, date: str, fit: Fit) -> CardView:
    """Return the card of *match* without what is a reader's own."""
    version = match.candidate.version
    reasons = match.reasons
    url, links = _links(match, fit)
    language = version.language or ""
    return CardView(
        number=0,
        title=runs(version.title, reasons.title_places, TITLE),
        url=url,
        authors=_authors(version.authors),
        badges=_badges(tuple(s.source for s in match.candidate.sources)),
        votes=match.candidate.votes,
        date=date,
        tldr=cut(version.tldr or "", fit.summary),
        summary=runs(version.summary, reasons.summary_places, fit.summary),
        interests=(),
        score="",
        is_close=False,
        links=links,
        language=language if _LANGUAGE.fullmatch(language) else None,
    )


def _shown_at(match: Match) -> datetime:
    return match.candidate.version.published_at or match.candidate.listed_at


def _line(match: Match, fit: Fit, shelf: Shelf | None) -> LineView:
    if shelf is None:
        return _said_line(match, fit)
    version = match.candidate.version
    key = (version.id, fit.line, fit.url)
    return shelf.said(
        key, version, LineView, lambda kept: replace(_said_line(match, fit), _kept=kept)
    )


def _said_line(match: Match, fit: Fit) -> LineView:
    version = match.candidate.version
    offered = (version.url, *(link.url for link in version.links[: 2 * LINKS]))
    safe = (safe_url(url, limit=fit.url) for url in offered)
    return LineView(
        title=cut(version.title, fit.line).strip() or "(no title)",
        url=next((url for url in safe if url is not None), None),
    )


def _links(match: Match, fit: Fit) -> tuple[str | None, tuple[LinkView, ...]]:
    """Return where the title leads, and the other links, each address once."""
    version = match.candidate.version
    offered = (Link(label="", url=version.url or ""), *version.links[: 2 * LINKS])
    found: dict[str, str] = {}
    for link in offered:
        url = safe_url(link.url, limit=fit.url)
        if url is not None and url not in found:
            found[url] = cut(link.label, NAME) or "link"
    addresses = tuple(found)
    main = addresses[0] if addresses else None
    others = tuple(
        LinkView(label=_label(found[url]), url=url) for url in addresses[1 : LINKS + 1]
    )
    return main, others


def _label(label: str) -> str:
    return "PDF" if label.casefold() == "pdf" else label[:1].upper() + label[1:]


def _authors(names: tuple[str, ...]) -> str:
    first = tuple(name for name in (cut(n, NAME) for n in names[:AUTHORS]) if name)
    rest = len(names) - AUTHORS
    if rest == 1:
        # "and 1 more" would take the room of the name.
        return ", ".join((*first, cut(names[-1], NAME)))
    return f"{', '.join(first)} and {rest} more" if rest > 1 else ", ".join(first)


def _badges(sources: tuple[str, ...]) -> tuple[str, ...]:
    """Return names of sources; a source listed twice is one badge."""
    return _some(tuple(dict.fromkeys(sources)), BADGES)


def _some(names: tuple[str, ...], most: int) -> tuple[str, ...]:
    shown = tuple(cut(name, NAME) for name in names[:most])
    return (*shown, f"{len(names) - most} more") if len(names) > most else shown


def _score(reasons: Reasons) -> str:
    parts = [
        f"{part.field}: {cut(part.term, NAME)} {_points(part.millis)}"
        for part in reasons.parts[:PARTS]
    ]
    rest = sum(part.millis for part in reasons.parts[PARTS:])
    named = (("other", rest), ("votes", reasons.votes_millis))
    parts += [f"{name} {_points(m)}" for name, m in named if m]
    if reasons.freshness_millis:
        parts.append(f"fresh {_points(reasons.freshness_millis)}")
    return " \N{MIDDLE DOT} ".join(parts)


@lru_cache(maxsize=4096)
def _points(millis: int) -> str:
    """Return thousandths as points: 2.0, 0.5; small ones with what they have."""
    points = Decimal(millis) / 1000
    step = Decimal("0.1") if millis >= 100 else Decimal("0.001")  # noqa: PLR2004 - one tenth
    return str(points.quantize(step, rounding=ROUND_HALF_UP))


def _receipt(issue: Issue, fit: Fit, shelf: Shelf | None) -> ReceiptView:
    receipt = issue.selection.receipt
    titles = issue.selection.more if fit.more else ()
    return ReceiptView(
        new=receipt.new,
        matched=receipt.matched,
        shown=receipt.shown,
        more=receipt.more,
        close=receipt.close,
        titles=tuple(_line(match, fit, shelf) for match in titles[:20]),
    )


def _skipped(dates: tuple[date, ...], days: Days) -> str:
    """Return "Tuesday and Wednesday"; many days as their number and span."""
    if len(dates) > 5:  # noqa: PLR2004 - a working week can be read as a list
        return f"{len(dates)} days since {days.weekday(dates[0])}"
    *others, last = (days.weekday(day) for day in dates) if dates else ("",)
    return f"{', '.join(others)} and {last}" if others else last


def _sender(issue: Issue) -> SenderView:
    newsletter = issue.newsletter
    leave = safe_url(issue.unsubscribe_url)
    return SenderView(
        name=cut(newsletter.from_name or newsletter.title, NAME),
        address=cut(newsletter.from_address, 254),
        contact_url=contact_url(newsletter.contact),
        preferences_url=safe_url(issue.preferences_url),
        unsubscribe_url=leave or leave_mailto(newsletter.unsubscribe_mailto),
        postal_address=cut(newsletter.postal_address or "", 300),
    )
