"""Look at everything that a run needs, and say what to do about what is wrong.

Nothing is stored and no mail is sent: sources are asked as if for the first
time, the SMTP server is greeted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from newsletter.accepting import ThemeVerdict
from newsletter.errors import NewsletterError
from newsletter.model import (
    Greeting,
    IssueState,
    Newsletter,
    Poll,
    SourceSettings,
    SubscriberStatus,
)
from newsletter.ports import Entries, Ledger, Subscribers

#: A slot that nobody served for this long: does anybody call `run` at all?
OVERDUE = timedelta(hours=1)
#: A certificate that ends sooner needs somebody to look.
CERTIFICATE_ENDS = timedelta(days=14)
#: A source that showed nothing new for this long may be dead.
SILENT = timedelta(days=90)
#: Mails are at most this large: 100 KB of HTML and its text, encoded.
LARGEST_MAIL = 500_000
#: Domains that belong to nobody (RFC 2606, RFC 6761).
_RESERVED = ("example", "test", "invalid", "localhost", "local")
_EXAMPLES = ("example.org", "example.com", "example.net")


class Grade(StrEnum):
    """How bad a finding is."""

    FINE = "fine"
    #: Worth knowing; nothing is wrong.
    NOTE = "note"
    #: Works, and will disappoint somebody.
    WARNING = "warning"
    #: Does not work.
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    area: str
    grade: Grade
    what: str
    #: The next thing to do. None: nothing.
    cure: str | None = None


def of_newsletter(
    newsletter: Newsletter,
    *,
    sources: Sequence[SourceSettings],
    is_smtp: bool,
) -> Iterator[Finding]:
    """Say what the configuration lacks, though it has no mistake."""
    area = "configuration"
    yield Finding(
        area=area,
        grade=Grade.FINE,
        what=f"no mistake in it: {newsletter.title!r} as {newsletter.list_id}",
    )
    if not sources:
        yield Finding(
            area=area,
            grade=Grade.ERROR,
            what="there is no source, so there is nothing to send",
            cure="`newsletter sources add URL`",
        )
    if _is_reserved(newsletter.from_address):
        yield Finding(
            area=area,
            grade=Grade.WARNING if is_smtp else Grade.NOTE,
            what=f"newsletter.from is {newsletter.from_address}, an example",
            cure="set newsletter.from to an address of yours before mail goes out",
        )
    if is_smtp and newsletter.base_url is None:
        yield Finding(
            area=area,
            grade=Grade.NOTE,
            what="without newsletter.base_url mails have no one-click unsubscribe"
            " (RFC 8058), which large mailbox providers ask of bulk senders",
            cure="set newsletter.base_url once your pages to leave are reachable",
        )


def of_languages(
    languages: Iterable[str], *, is_spoken: Callable[[str], bool]
) -> Iterator[Finding]:
    """Say which languages of readers the frame of a mail is not written in.

    Args:
        languages: Of the newsletter and of readers; each may come often.
        is_spoken: Tells whether there are words in a language.
    """
    for language in sorted(set(languages)):
        if not is_spoken(language):
            yield Finding(
                area="language",
                grade=Grade.NOTE,
                what=f"there are no words in {language!r}: the frame of these mails"
                " is in English",
                cure="correct it if it is mistyped; docs/how-to/languages.md says how"
                " to translate the frame",
            )


def _is_reserved(address: str) -> bool:
    domain = address.rpartition("@")[2].casefold()
    return domain in _EXAMPLES or domain.rpartition(".")[2] in _RESERVED


def of_sources(
    sources: Sequence[SourceSettings], polls: Mapping[str, Poll], *, as_of: datetime
) -> Iterator[Finding]:
    """Say what every source brought when it was asked just now.

    Args:
        sources: In configuration order.
        polls: What each brought, by name; nothing of it was kept.
        as_of: When they were asked.
    """
    for source in sources:
        yield _of_source(source, polls[source.name], as_of)


def _of_source(settings: SourceSettings, poll: Poll, as_of: datetime) -> Finding:
    area = f"source {settings.name}"
    cure = f"`newsletter sources check {settings.name}` tells more; correct its address"
    if poll.failures:
        is_lost = settings.required or not poll.readings
        return Finding(
            area=area,
            grade=Grade.ERROR if is_lost else Grade.WARNING,
            what=poll.failures[0].reason,
            cure=f"{cure}, or `newsletter sources remove {settings.name}`",
        )
    pages = [reading.page for reading in poll.readings if reading.page is not None]
    dates = [listing.listed_at for page in pages for listing in page.listings]
    rejected = sum(len(page.rejected) for page in pages)
    if not dates:
        return Finding(
            area=area, grade=Grade.NOTE, what="can be read, and is empty now"
        )
    many = "1 entry" if len(dates) == 1 else f"{len(dates)} entries"
    said = f"{many}, the newest of {max(dates):%d %b %Y}"
    if rejected:
        return Finding(
            area=area,
            grade=Grade.WARNING,
            what=f"{said}; {rejected} more could not be used",
            cure=f"`newsletter sources check {settings.name}` says why",
        )
    if max(dates) < as_of - SILENT:
        what = f"{said}: it may be dead"
        return Finding(area=area, grade=Grade.NOTE, what=what)
    return Finding(area=area, grade=Grade.FINE, what=said)


def of_greeting(
    greet: Callable[[], Greeting], *, name: str, now: datetime
) -> Iterator[Finding]:
    """Greet the SMTP server *name*."""
    area = "smtp"
    try:
        greeting = greet()
    except NewsletterError as error:
        yield Finding(area=area, grade=Grade.ERROR, what=str(error))
        return
    how = greeting.tls or "in clear"
    who = "logged in" if greeting.logged_in else "without a user name"
    yield Finding(
        area=area,
        grade=Grade.FINE,
        what=f"{name} answers as {greeting.name or 'nobody'}, {how}, {who}",
    )
    yield from _of_limits(greeting, area, now)


def _of_limits(greeting: Greeting, area: str, now: datetime) -> Iterator[Finding]:
    if greeting.refusal is not None:
        yield Finding(
            area=area,
            grade=Grade.ERROR,
            what=f"it takes no mail from our sender: {greeting.refusal}",
            cure="set newsletter.bounce_address or newsletter.from to an address that"
            " it lets you use",
        )
    ends = greeting.expires_at
    if ends is not None and ends < now + CERTIFICATE_ENDS:
        yield Finding(
            area=area,
            grade=Grade.WARNING,
            what=f"its certificate ends on {ends:%d %b %Y}; no mail goes after that",
            cure="ask who runs it to renew the certificate",
        )
    if greeting.max_bytes is not None and greeting.max_bytes < LARGEST_MAIL:
        yield Finding(
            area=area,
            grade=Grade.WARNING,
            what=f"it takes mails up to {greeting.max_bytes} bytes only",
            cure=f"ask who runs it for {LARGEST_MAIL}, or lower max_items",
        )


def of_readers(
    subscribers: Subscribers, *, planned: int, now: datetime
) -> Iterator[Finding]:
    """Say whether there are readers, and whether anybody serves them.

    Args:
        subscribers: Those that there are.
        planned: How many subscribers.toml names; the next run reads it.
        now: By the clock.
    """
    counts = subscribers.counts()
    if not counts.get(SubscriberStatus.ACTIVE, 0):
        yield _no_readers(planned)
        return
    said = ", ".join(f"{number} {status}" for status, number in counts.items())
    yield Finding(area="readers", grade=Grade.FINE, what=said)
    upcoming = subscribers.next_due()
    due = upcoming.next_slot if upcoming else None
    if upcoming is not None and due is not None and due < now - OVERDUE:
        yield Finding(
            area="readers",
            grade=Grade.WARNING,
            what=f"{upcoming.address} was due at {due:%Y-%m-%d %H:%M} UTC, and no run"
            " has come since",
            cure="let cron call `newsletter run` every 15 minutes",
        )


def _no_readers(planned: int) -> Finding:
    if planned:
        return Finding(
            area="readers",
            grade=Grade.FINE,
            what=f"subscribers.toml names {planned}, whom the next run takes in",
        )
    return Finding(
        area="readers",
        grade=Grade.WARNING,
        what="there is no active reader",
        cure="add one to subscribers.toml, or `newsletter subscribers add ADDRESS`",
    )


def of_issues(ledger: Ledger) -> Iterator[Finding]:
    """Say which issues wait for a person."""
    counts = ledger.counts()
    for state, what in (
        (IssueState.UNKNOWN, "perhaps sent, perhaps not"),
        (IssueState.HELD, "held: the server refuses us, or we refuse their theme"),
    ):
        if number := counts.get(state, 0):
            yield Finding(
                area="issues",
                grade=Grade.WARNING,
                what=f"{number} {what}",
                cure="`newsletter status` names each, and what to say of it",
            )
    if number := counts.get(IssueState.FAILED, 0):
        yield Finding(
            area="issues",
            grade=Grade.NOTE,
            what=f"{number} failed; each with its reason in `newsletter status`",
        )


def of_guard(entries: Entries) -> Iterator[Finding]:
    """Say what the flood guard holds."""
    for source, number in entries.held().items():
        yield Finding(
            area=f"source {source}",
            grade=Grade.WARNING,
            what=f"{number} listings are held: it looked like a flood",
            cure=f"`newsletter sources release {source}`, or `drop {source}`",
        )


def of_theme(verdict: ThemeVerdict, *, has_fallback: bool) -> Finding:
    """Say whether mails may go out with the configured theme.

    Args:
        verdict: What is known of its files, or was found just now.
        has_fallback: Where it is refused, the packaged theme is sent.
    """
    area, name = "theme", verdict.theme
    cure = f"`newsletter theme check {name}` tells each fault with its line"
    if not verdict.is_accepted:
        instead = "; the packaged theme is sent instead" if has_fallback else ""
        return Finding(
            area=area,
            grade=Grade.WARNING if has_fallback else Grade.ERROR,
            what=f"{name!r} is not accepted: {verdict.errors[0]}{instead}",
            cure=cure,
        )
    if verdict.faults:
        many = len(verdict.faults)
        said = "1 warning" if many == 1 else f"{many} warnings"
        what = f"{name!r} is accepted, with {said}"
        return Finding(area=area, grade=Grade.NOTE, what=what, cure=cure)
    return Finding(area=area, grade=Grade.FINE, what=f"{name!r} is accepted")


def of_part(area: str, look: Callable[[], str]) -> Finding:
    """Return what *look* says is fine, or what it raises."""
    try:
        return Finding(area=area, grade=Grade.FINE, what=look())
    except NewsletterError as error:
        return Finding(area=area, grade=Grade.ERROR, what=str(error))
