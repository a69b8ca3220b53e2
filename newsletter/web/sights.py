"""What the pages say: values for the templates, made of what was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from zoneinfo import ZoneInfo

from newsletter.model import Foreseen, LedgerRow, Subscriber
from newsletter.usecases.preview import Preview, Standing, name_of, who
from newsletter.web import entries
from newsletter.web.checks import CLIPPED_AT, HEAVY_AT, Checks, check
from newsletter.web.choices import NEXT, NOW, Choice, View
from newsletter.web.desk import Sight
from newsletter.web.trial import trial_values


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One way to look at an issue."""

    label: str
    href: str
    is_current: bool
    #: Of a view.
    name: str = ""


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
    checks = None if mail is None else check(mail.html, text=mail.text, whole=mail.size)
    issues = tuple(_issue_tabs(sight))
    return {
        **reader_list(sight),
        **_switches(choice),
        "issues": issues,
        "leaf": _leaf(issues),
        "views": tuple(_view_tabs(choice, preview, checks)),
        "frame": choice.but(at=sight.at, q="", view=View.MAIL),
        "here": choice.fields(at=sight.at, q=""),
        "preview": preview,
        "mail": mail,
        "checks": checks,
        "trial": trial_values(sight),
        "notes": tuple(notes(sight, mail)),
        "about": _about(preview) if preview is not None else (),
        "cards": tuple(entries.cards(preview)),
        "more": tuple(entries.more(preview)),
        "left_out": tuple(entries.groups(preview)),
        "unmatched": entries.unmatched(preview, choice.find),
        "kilobytes": kilobytes,
    }


def reader_list(sight: Sight) -> Mapping[str, object]:
    """Return what the list of readers shows."""
    return {
        "sight": sight,
        "choice": sight.choice,
        "readers": tuple(_reader_rows(sight)),
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
                issue=NOW if sight.choice.is_past else sight.choice.issue,
                draft="",
                find="",
            ),
            "is_current": name_of(reader) == sight.choice.reader,
        }


def _state(subscriber: Subscriber) -> str:
    return "" if subscriber.status == "active" else str(subscriber.status)


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
        choice.is_past and issue.startswith(choice.issue)
    )
    return Tab(
        label=label, href=choice.but(issue=issue, find=""), is_current=is_current
    )


def _leaf(issues: tuple[Tab, ...]) -> Mapping[str, object]:
    """Return the issues before and after the current one, in the order of time."""
    now, upcoming, *past = issues or (None, None)
    in_time = [*reversed(past), *([now, upcoming] if now and upcoming else [])]
    place = next((n for n, tab in enumerate(in_time) if tab.is_current), -1)
    return {
        "older": in_time[place - 1] if place > 0 else None,
        "newer": in_time[place + 1] if 0 <= place < len(in_time) - 1 else None,
        "place": place + 1 if 0 <= place < len(past) else 0,
        "past": len(past),
    }


def _local(at: datetime, reader: Subscriber) -> str:
    return f"{at.astimezone(ZoneInfo(reader.timezone)):%a %d %b %Y, %H:%M}"


def _view_tabs(
    choice: Choice, preview: Preview | None, checks: Checks | None
) -> Iterator[Tab]:
    count = checks.warnings if checks is not None else 0
    labels = {
        View.MAIL: "Mail",
        View.TEXT: "Text",
        View.HEADERS: "Headers",
        View.CHECKS: f"Checks ({count})" if count else "Checks",
        View.REASONS: "Reasons",
        View.LEFT_OUT: "Left out",
        View.PROFILE: "Profile",
        View.SOURCE: "Source",
    }
    if preview is None or preview.receipt is None:
        return
    current = view_of(choice, preview)
    for view, label in labels.items():
        if preview.message is not None or view in _WITHOUT_MAIL:
            yield Tab(
                label=label,
                href=choice.but(view=view, find=""),
                is_current=view is current,
                name=view,
            )


#: What there is to see where nothing would be sent.
_WITHOUT_MAIL = (View.LEFT_OUT, View.PROFILE)


def view_of(choice: Choice, preview: Preview) -> View:
    """Return which view is shown: of what has no mail, not every one is."""
    if preview.message is not None or choice.view in _WITHOUT_MAIL:
        return choice.view
    return View.LEFT_OUT


def _switches(choice: Choice) -> Mapping[str, tuple[Tab, ...]]:
    """Return how the frame can be looked at."""
    return {
        "widths": _switch(choice, "width", ("phone", "Phone"), ("desktop", "Desktop")),
        "schemes": _switch(choice, "scheme", ("light", "Light"), ("dark", "Dark")),
        "images": _switch(choice, "images", ("on", "On"), ("off", "Off")),
    }


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
    if sight.choice.draft and (sight.trial is None or sight.trial.tried is None):
        yield (
            "The profile that you tried is no longer kept here; this is by the "
            "reader's own. Try it again in the view Profile."
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
