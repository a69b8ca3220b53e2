"""What a theme sees of an issue: plain values, cut, cleaned and dated."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from newsletter.model import Issue, Section
from newsletter.rendering.addresses import contact_url, leave_mailto, safe_url
from newsletter.rendering.cards import NAME, Maker, mark
from newsletter.rendering.cutting import cut
from newsletter.rendering.days import Days
from newsletter.rendering.keeping import Shelf
from newsletter.rendering.seen import (
    Fit,
    IssueView,
    ReceiptView,
    SectionView,
    SenderView,
)
from newsletter.rendering.words import words_for

__all__ = ["CLOSE", "Fit", "view"]

#: What composing writes over what only comes close, in the frame's words.
CLOSE = mark("Close to your interests")


def view(
    issue: Issue,
    *,
    language: str,
    fit: Fit,
    shelf: Shelf | None = None,
    images: bool = False,
) -> IssueView:
    """Return what a theme in *language* sees of *issue* where *fit* has room.

    Args:
        issue: What was decided.
        language: Of the frame's words, BCP 47.
        fit: How much there is room for.
        shelf: Keeps what mails of this theme share. None: all is made anew.
        images: The theme shows pictures.
    """
    zone = ZoneInfo(issue.timezone)
    today = issue.slot.astimezone(zone).date()
    words = words_for(language)
    days = Days(words=words, today=today, zone=zone)
    maker = Maker(words=words, days=days, fit=fit, shelf=shelf, images=images)
    # What only comes close is not what the mail is about.
    matches = [m for m in issue.selection.matches if not m.reasons.is_close]
    return IssueView(
        title=cut(issue.newsletter.title, NAME),
        language=words.language,
        direction=words.direction,
        date=days.full(today),
        highlights=tuple(cut(m.candidate.version.title, 120) for m in matches[:4]),
        count=len(matches),
        sections=_sections(issue.selection.sections, maker),
        receipt=_receipt(issue, maker),
        skipped=days.skipped(issue.skipped),
        skipped_note=days.skipped_note(issue.skipped),
        reader=cut(issue.address, 254),
        sender=_sender(issue),
    )


def _sections(sections: Iterable[Section], maker: Maker) -> tuple[SectionView, ...]:
    views: list[SectionView] = []
    number = 0
    fit = maker.fit
    for section in sections:
        whole = len(section.matches)
        if fit.cards is not None:
            whole = min(whole, max(0, fit.cards - number))
        cards = tuple(
            maker.card(match, number + place)
            for place, match in enumerate(section.matches[:whole], 1)
        )
        views.append(
            SectionView(
                heading=_heading(section, maker),
                cards=cards,
                lines=tuple(maker.line(match) for match in section.matches[whole:]),
                is_close=section.is_close,
            )
        )
        number += len(section.matches)
    return tuple(views)


def _heading(section: Section, maker: Maker) -> str:
    # The one heading that is ours and not a reader's or a source's.
    if section.is_close and section.heading == CLOSE:
        return maker.words.text(CLOSE)
    is_headed = maker.fit.headings or section.is_close
    return cut(section.heading, NAME) if is_headed else ""


def _receipt(issue: Issue, maker: Maker) -> ReceiptView:
    receipt = issue.selection.receipt
    titles = issue.selection.more if maker.fit.more else ()
    return ReceiptView(
        new=receipt.new,
        matched=receipt.matched,
        shown=receipt.shown,
        more=receipt.more,
        close=receipt.close,
        titles=tuple(maker.line(match) for match in titles[:20]),
    )


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
