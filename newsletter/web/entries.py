"""What the pages say of entries: cards with their reasons, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from newsletter.model import Match
from newsletter.rendering.cutting import cut
from newsletter.selecting import LeftOut, Reason
from newsletter.usecases.preview import Preview

#: Titles that matched nothing, listed at once; and of each other reason.
TITLES_SHOWN = 100
ENTRIES_SHOWN = 50
LONGEST_TITLE = 300

_REASONS = {
    Reason.NO_ROOM: "Matched, but there was no room",
    Reason.SHOWN_BEFORE: "Shown in an earlier issue",
    Reason.FEW_VOTES: "Too few votes",
    Reason.MUTED: "Muted",
}


def cards(preview: Preview | None) -> Iterator[Mapping[str, object]]:
    """Yield the cards of an issue, with the heading that each stands under."""
    if preview is None or preview.issue is None:
        return
    for section in preview.issue.selection.sections:
        for match in section.matches:
            yield {"heading": section.heading, **entry(match)}


def entry(match: Match) -> Mapping[str, object]:
    """Return one entry with its score, taken apart."""
    reasons = match.reasons
    parts = [(str(p.field), p.term, _points(p.millis)) for p in reasons.parts]
    for word, millis in (
        ("votes", reasons.votes_millis),
        ("freshness", reasons.freshness_millis),
    ):
        if millis:
            parts.append((word, "", _points(millis)))
    version = match.candidate.version
    return {
        "title": _title(version.title),
        "url": _web(version.url),
        "sources": ", ".join(s.source for s in match.candidate.sources),
        "votes": match.candidate.votes,
        "interests": reasons.interests,
        "score": _points(match.score),
        "parts": parts,
    }


def _title(title: str) -> str:
    return cut(title, LONGEST_TITLE) or "(no title)"


def _points(millis: int) -> str:
    return f"{millis / 1000:.2f}"


def _web(url: str | None) -> str | None:
    """Return *url* where a page may link to it. None: it may not."""
    return url if url and url.startswith(("https://", "http://")) else None


def more(preview: Preview | None) -> Iterator[Mapping[str, object]]:
    """Yield the titles of a past issue's receipt; of the rest nothing is known."""
    if preview is not None and preview.row is not None and preview.issue is not None:
        yield from (entry(match) for match in preview.issue.selection.more)


def groups(preview: Preview | None) -> Iterator[Mapping[str, object]]:
    """Yield what matched and was left out, by reason."""
    if preview is None:
        return
    for reason, label in _REASONS.items():
        found = [
            (left.match, left.mute)
            for left in preview.left_out
            if left.reason is reason and left.match is not None
        ]
        if found:
            yield {
                "label": label,
                "count": len(found),
                "entries": [
                    {**entry(match), "mute": mute}
                    for match, mute in found[:ENTRIES_SHOWN]
                ],
            }


def unmatched(preview: Preview | None, find: str) -> Mapping[str, object]:
    """Return what no interest asks for; where *find* says so, only such titles."""
    found = [
        left
        for left in (preview.left_out if preview is not None else ())
        if left.reason is Reason.UNMATCHED
    ]
    wanted = [left for left in found if _speaks_of(left, find)]
    return {
        "count": len(found),
        "found": len(wanted),
        "entries": [
            {
                "title": _title(left.candidate.version.title),
                "url": _web(left.candidate.version.url),
                "sources": ", ".join(s.source for s in left.candidate.sources),
            }
            for left in wanted[:TITLES_SHOWN]
        ],
    }


def _speaks_of(left: LeftOut, find: str) -> bool:
    """Tell whether every word of *find* is in a title or summary."""
    version = left.candidate.version
    text = f"{version.title}\n{version.summary}".casefold()
    return all(word in text for word in find.casefold().split())
