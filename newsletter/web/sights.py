"""What the pages say: values for the templates, made of what was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from zoneinfo import ZoneInfo

from newsletter.model import Foreseen, LedgerRow, Match, Subscriber
from newsletter.rendering.cutting import cut
from newsletter.selecting import LeftOut, Reason
from newsletter.usecases.preview import Preview, Standing, name_of, who
from newsletter.web.desk import NEXT, NOW, Choice, Sight, View

#: Bytes of HTML where Gmail begins to cut, and where we begin to warn.
CLIPPED_AT, HEAVY_AT = 102_000, 90_000
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One way to look at an issue."""

    label: str
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail, taken apart as a reader's program would."""

    subject: str
    fields: tuple[tuple[str, str], ...]
    html: str
    text: str
    #: The whole mail, as it goes over the wire.
    source: str
    size: int

    @property
    def weight(self) -> int:
        """Return the bytes of the HTML part."""
        return len(self.html.encode())


def mail_of(content: bytes) -> Mail:
    """Return the parts of *content*, an RFC 5322 message."""
    message = message_from_bytes(content, policy=policy.default)
    return Mail(
        subject=str(message["Subject"]),
        fields=tuple((name, str(value)) for name, value in message.items()),
        html=_part(message, "html"),
        text=_part(message, "plain"),
        source=content.decode("ascii", "replace"),
        size=len(content),
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return "" if part is None else str(part.get_content())


def page(sight: Sight) -> Mapping[str, object]:
    """Return what the template of the one page sees."""
    preview, choice = sight.preview, sight.choice
    mail = None
    if preview is not None and preview.message is not None:
        mail = mail_of(preview.message.content)
    return {
        "sight": sight,
        "choice": choice,
        "readers": tuple(_reader_rows(sight)),
        "issues": tuple(_issue_tabs(sight)),
        "views": tuple(_view_tabs(choice, preview)),
        "widths": _switch(choice, "width", ("phone", "Phone"), ("desktop", "Desktop")),
        "schemes": _switch(choice, "scheme", ("light", "Light"), ("dark", "Dark")),
        "frame": choice.but(at=sight.at, q="", view=View.MAIL),
        "preview": preview,
        "mail": mail,
        "notes": tuple(notes(sight, mail)),
        "about": _about(preview) if preview is not None else (),
        "cards": tuple(_cards(preview)),
        "more": tuple(_more(preview)),
        "left_out": tuple(_groups(preview)),
        "unmatched": _unmatched(preview, choice.find),
        "kilobytes": kilobytes,
    }


def kilobytes(size: int) -> str:
    """Return a size for people: 56.3 KB."""
    return f"{size / 1000:.1f} KB"


# --- who and which ----------------------------------------------------------------


def _reader_rows(sight: Sight) -> Iterator[Mapping[str, object]]:
    for reader in sight.found.readers:
        subscriber = who(reader)
        joins = isinstance(reader, Foreseen) and reader.joins
        yield {
            "address": subscriber.address,
            "name": subscriber.name,
            "state": "joins at the next run" if joins else _state(subscriber),
            "href": sight.choice.but(
                reader=name_of(reader),
                issue=_kept_issue(sight.choice.issue),
                find="",
            ),
            "is_current": name_of(reader) == sight.choice.reader,
        }


def _state(subscriber: Subscriber) -> str:
    return "" if subscriber.status == "active" else str(subscriber.status)


def _kept_issue(issue: str) -> str:
    """Return which issue of another reader is the like of *issue*."""
    return issue if issue in {NOW, NEXT} else NOW


def _issue_tabs(sight: Sight) -> Iterator[Tab]:
    if sight.reader is None:
        return
    reader, choice = sight.reader.subscriber, sight.choice
    upcoming = reader.next_slot
    label = "Next slot"
    if upcoming is not None:
        word = "Due since" if upcoming <= sight.at else "Next slot,"
        label = f"{word} {_local(upcoming, reader)}"
    for issue, said in ((NOW, "Now"), (NEXT, label)):
        yield _issue_tab(choice, issue, said)
    for row in sight.past:
        said = f"{_local(row.record.slot, reader)} ({row.state})"
        yield _issue_tab(choice, row.record.key, said)


def _issue_tab(choice: Choice, issue: str, label: str) -> Tab:
    # A beginning of a key is enough to name an issue.
    is_current = choice.issue == issue or (
        choice.issue not in {NOW, NEXT} and issue.startswith(choice.issue)
    )
    return Tab(
        label=label, href=choice.but(issue=issue, find=""), is_current=is_current
    )


def _local(at: datetime, reader: Subscriber) -> str:
    return f"{at.astimezone(ZoneInfo(reader.timezone)):%a %d %b %Y, %H:%M}"


def _view_tabs(choice: Choice, preview: Preview | None) -> Iterator[Tab]:
    labels = {
        View.MAIL: "Mail",
        View.TEXT: "Text",
        View.HEADERS: "Headers",
        View.REASONS: "Reasons",
        View.LEFT_OUT: "Left out",
        View.SOURCE: "Source",
    }
    if preview is None or preview.receipt is None:
        return
    current = _view(choice, preview)
    for view, label in labels.items():
        if preview.message is not None or view is View.LEFT_OUT:
            yield Tab(
                label=label,
                href=choice.but(view=view, find=""),
                is_current=view is current,
            )


def _view(choice: Choice, preview: Preview) -> View:
    return choice.view if preview.message is not None else View.LEFT_OUT


def _switch(choice: Choice, name: str, *options: tuple[str, str]) -> tuple[Tab, ...]:
    return tuple(
        Tab(
            label=label,
            href=choice.but(**{name: type(getattr(choice, name))(value)}),
            is_current=getattr(choice, name) == value,
        )
        for value, label in options
    )


# --- what is said of it -----------------------------------------------------------


def notes(sight: Sight, mail: Mail | None) -> Iterator[str]:
    """Yield what whoever looks should know; `…` is a command."""
    if not sight.has_entries:
        yield (
            "No entries have been fetched yet. Run `newsletter refresh` in a "
            "terminal, then look again."
        )
    if sight.refused:
        yield (
            f"subscribers.toml has lost {len(sight.refused)} readers at once, more "
            "than a third: a run would not follow it, and neither does this page. "
            "Put them back, or take leave of each with `newsletter subscribers "
            "unsubscribe ADDRESS`."
        )
    preview = sight.preview
    if sight.reader is None or preview is None:
        return
    if sight.reader.joins:
        yield (
            "This reader joins at the next run. Key, Message-ID and signed links "
            "are made then and will be others; all else is as shown."
        )
    if preview.message is not None and not sight.has_secret:
        yield (
            "No secret is set yet (the first run makes one): signed links are "
            "stand-ins, and will be others."
        )
    yield from _standing_notes(preview, is_next=sight.choice.issue == NEXT)
    if mail is not None and mail.weight >= HEAVY_AT:
        yield (
            f"The HTML part weighs {kilobytes(mail.weight)}: Gmail shows about "
            f"{kilobytes(CLIPPED_AT)} and hides the rest behind a link. Fewer or "
            "shorter cards make it lighter."
        )


def _standing_notes(preview: Preview, *, is_next: bool) -> Iterator[str]:
    reader = preview.reader
    if preview.standing is Standing.INACTIVE:
        reason = f" ({reader.status_reason})" if reader.status_reason else ""
        yield f"This reader is {reader.status}{reason} and gets no mail."
    elif preview.standing is Standing.SKIPPED:
        yield (
            "There is nothing to show, so no mail would be written. What was weighed "
            "and why it does not fit is listed below."
        )
    elif preview.standing is Standing.LEFT_OUT:
        yield (
            "This slot was missed by more than [catch_up] at_most: it would be left "
            "out, and its entries wait for the next one."
        )
    elif preview.standing is Standing.SERVED:
        yield "This reader has an issue for this minute already; it is in the list."
    elif preview.row is not None and preview.theme_changed:
        yield (
            f"The theme {preview.row.record.theme} has changed since this issue was "
            "prepared: what is shown may differ from what was sent."
        )
    elif is_next:
        yield (
            "By what is known now. What comes in until then is weighed as well, and "
            "fresher entries count for more."
        )


def _about(preview: Preview) -> tuple[tuple[str, str], ...]:
    """Return the figures of a preview, each with its name."""
    said = []
    if preview.slot is not None:
        slot = _local(preview.slot, preview.reader)
        said.append(("Slot", f"{slot} {preview.reader.timezone}"))
    if preview.row is not None:
        said.append(("State", _row_state(preview.row)))
    if preview.receipt is not None:
        receipt = preview.receipt
        figures = (
            f"{receipt.new} new, {receipt.matched} matched, {receipt.shown} shown, "
            f"{receipt.more} more matched"
        )
        if receipt.close:
            figures += f", {receipt.close} close"
        said.append(("Receipt", figures))
    return tuple(said)


def _row_state(row: LedgerRow) -> str:
    return f"{row.state}{f': {row.reason}' if row.reason else ''}"


# --- reasons and what was left out ------------------------------------------------


def _cards(preview: Preview | None) -> Iterator[Mapping[str, object]]:
    if preview is None or preview.issue is None:
        return
    for section in preview.issue.selection.sections:
        for match in section.matches:
            yield {"heading": section.heading, **_entry(match)}


def _entry(match: Match) -> Mapping[str, object]:
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


def _more(preview: Preview | None) -> Iterator[Mapping[str, object]]:
    """Yield the titles of a past issue's receipt; of the rest nothing is known."""
    if preview is not None and preview.row is not None and preview.issue is not None:
        yield from (_entry(match) for match in preview.issue.selection.more)


def _groups(preview: Preview | None) -> Iterator[Mapping[str, object]]:
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
                    {**_entry(match), "mute": mute}
                    for match, mute in found[:ENTRIES_SHOWN]
                ],
            }


def _unmatched(preview: Preview | None, find: str) -> Mapping[str, object]:
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
