"""Issues to render and mail: everything filled in, and each part replaceable."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from html import unescape

from newsletter.composing import CLOSE
from newsletter.model import (
    Candidate,
    EntryVersion,
    Field,
    Issue,
    Link,
    Match,
    Newsletter,
    Reasons,
    Receipt,
    ScorePart,
    Section,
    Selection,
    SourceListing,
)

SLOT = datetime(2026, 3, 5, 7, 30, tzinfo=UTC)
LISTED = datetime(2026, 3, 2, 9, tzinfo=UTC)
KEY = "0123456789abcdef" * 2
TOKEN = "aWxpa2VwYXBlcnM" * 4
SUMMARY = (
    "We study how a state space model can let go of what it no longer needs. A"
    " small gate, trained without labels, decides for each token whether the state"
    " keeps or drops it. On long documents the model uses a third of the memory of"
    " our baseline, keeps its accuracy, and reads naïvely scaled inputs at 28.82 %"
    " of the cost; on short ones nothing changes, which surprised us."
)
NEWSLETTER = Newsletter(
    title="Daily Papers",
    from_name="Daily Papers",
    from_address="digest@example.org",
    list_id="daily-papers.example.org",
    base_url="https://digest.example.org",
    unsubscribe_mailto="leave@example.org",
    reply_to="editor@example.org",
    contact="https://example.org/about",
    postal_address="Example Society, 1 Sample Street, 12345 Exampleton",
)


def places(text: str, *words: str) -> tuple[tuple[int, int], ...]:
    """Return where *words* stand in *text*, as matching would."""
    found = {
        hit.span()
        for word in words
        for hit in re.finditer(re.escape(word), text, re.IGNORECASE)
    }
    return tuple(sorted(found))


def match(
    number: int,
    title: str = "A gate that lets state space models forget",
    *words: str,
    **version: object,
) -> Match:
    """Return a match whose *words* are highlighted; *version* replaces its fields."""
    base = EntryVersion(
        id=number,
        entry_id=number,
        source="daily-papers",
        title=title,
        url=f"https://example.org/papers/{number}",
        summary=SUMMARY,
    )
    said = replace(base, **version)  # type: ignore[arg-type] # any field of it
    return Match(
        candidate=Candidate(
            entry_id=number,
            version=said,
            sources=(SourceListing(source=said.source, listed_at=LISTED),),
            listed_at=LISTED,
        ),
        score=2000 * len(words) + 500,
        reasons=Reasons(
            interests=("State spaces",),
            parts=tuple(
                ScorePart(field=Field.TITLE, term=word, millis=2000) for word in words
            ),
            freshness_millis=500,
            title_places=places(said.title, *words),
            summary_places=places(said.summary, *words),
        ),
    )


def voted(given: Match, votes: int, *sources: str) -> Match:
    """Return *given* with votes and sources."""
    listings = tuple(SourceListing(source=s, listed_at=LISTED) for s in sources)
    candidate = replace(given.candidate, votes=votes, sources=listings)
    return replace(given, candidate=candidate)


def links(number: int, *labels: str) -> tuple[Link, ...]:
    """Return links to what belongs to an entry."""
    return tuple(
        Link(label=label, url=f"https://example.org/{label}/{number}")
        for label in labels
    )


def rich() -> Match:
    """Return a match that has everything a card can show."""
    return voted(
        match(
            1,
            "Mamba forgets on purpose: state space models with a gate that lets go",
            "mamba",
            "state space",
            links=links(1, "paper", "pdf", "code", "discussion"),
            authors=tuple(f"Author Number{n}" for n in range(1, 16)),
            tldr="A tiny gate lets long-context models forget, for a third of memory.",
        ),
        142,
        "daily-papers",
        "arxiv-cs-lg",
    )


def hostile() -> Match:
    """Return a match whose texts try to be something else."""
    return match(
        5,
        "{{7*7}} {% for x in y %} <script>alert(1)</script> <mj-text> " + "W" * 90,
        summary='<!--nl0s0000e--> </td></table> "quoted" & \u202edone\x00 {# gone #}',
        authors=("<b>Eve</b>", "Mallory\r\nBcc: all@example.org"),
        links=(
            Link(label="code", url="javascript:alert(1)"),
            Link(label="pdf", url="data:text/html,x"),
            Link(label="page", url="https://user:pass@example.org/"),
        ),
    )


def several() -> tuple[Match, ...]:
    """Return matches as a day brings them: rich, plain, Chinese, Arabic, hostile."""
    chinese = "我们研究了选择性状态空间模型如何放弃不再需要的信息。" * 6
    arabic = "ندرس كيف يمكن للنموذج أن ينسى. " * 5
    return (
        rich(),
        voted(match(2, "Diffusion models for weather", "diffusion"), 1, "lab-notes"),
        match(3, "大规模语言模型的选择性遗忘", summary=chinese, language="zh"),
        match(4, "نماذج فضاء الحالة الانتقائية", summary=arabic, language="ar"),
        hostile(),
    )


def issue(
    matches: Sequence[Match] | None = None,
    *,
    sections: Sequence[Section] | None = None,
    more: int = 20,
    **fields: object,
) -> Issue:
    """Return an issue of *matches*, or of *sections*; *fields* replace its own."""
    if sections is None:
        cards = several() if matches is None else tuple(matches)
        sections = (Section(heading="", matches=cards),) if cards else ()
    shown = sum(len(section.matches) for section in sections)
    others = tuple(match(100 + n, f"Another that matched, {n}") for n in range(more))
    base = Issue(
        key=KEY,
        newsletter=NEWSLETTER,
        public_id="f" * 32,
        address="ada@example.org",
        name="Ada",
        timezone="Europe/London",
        language="en",
        slot=SLOT,
        as_of=SLOT,
        prepared_at=SLOT,
        selection=Selection(
            sections=tuple(sections),
            more=others,
            receipt=Receipt(new=612, matched=shown + 29, shown=shown),
        ),
        skipped=(date(2026, 3, 3), date(2026, 3, 4)),
        theme="default",
        unsubscribe_url=f"https://digest.example.org/u/{TOKEN}",
        preferences_url=f"https://digest.example.org/p/{TOKEN}",
    )
    return replace(base, **fields)  # type: ignore[arg-type] # any field of it


def close_issue() -> Issue:
    """Return an issue of one match, and two entries that only come close."""
    near = tuple(
        replace(m, reasons=replace(m.reasons, is_close=True, freshness_millis=0))
        for m in (match(7, "Sparse state in weather models", "state"), hostile())
    )
    given = issue(
        sections=(
            Section(heading="", matches=(rich(),)),
            Section(heading=CLOSE, matches=near, is_close=True),
        ),
        more=0,
    )
    receipt = Receipt(new=612, matched=1, shown=1, close=2)
    selection = replace(given.selection, receipt=receipt)
    return replace(given, selection=selection)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedClock:
    """A clock that stands still."""

    at: datetime = SLOT

    def now(self) -> datetime:
        return self.at


def html_links(html: str) -> list[str]:
    """Return where the HTML part leads, in order."""
    return [unescape(url) for url in re.findall(r'<a [^>]*?href="([^"]*)"', html)]


def text_links(text: str) -> list[str]:
    """Return where the text part leads, in order: a link ends its line."""
    pattern = r"^(?:[^\n]*[ :])?((?:https?://|mailto:)\S+)$"
    return re.findall(pattern, text, re.MULTILINE)


def same_but_white_space(one: str, other: str) -> bool:
    """Tell whether two HTML texts differ in white space at most."""
    return re.sub(r"\s+", "", one) == re.sub(r"\s+", "", other)
