"""Issues that every theme must be able to show: usual ones, and hostile ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

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

_AT = datetime(2026, 3, 5, 7, 30, tzinfo=UTC)
#: An element and an attribute that no theme has: where one shows, a text got out.
HOLE = "newsletter-hole"
#: Tries to end a text, an attribute in either kind of quotes, a style, a comment.
ESCAPES = (
    f"<{HOLE}> \"><{HOLE}> '><{HOLE}> \" {HOLE}=1 ' {HOLE}=2 {HOLE}=3"
    f" </style><{HOLE}> --><{HOLE}> </mj-text><{HOLE}> <script>alert(1)</script>"
)
#: What a template must not read again.
REREAD = "{{7*7}} {% for x in y %} {# gone #}"
_SUMMARY = (
    "We ask how a model of the weather can be told apart from the weather itself. A"
    " small network reads three days of pressure and says where it would have been"
    " wrong; on long series it is right about storms and wrong about fog, which we"
    " did not expect. Code and data are public, and 28.82 % of the runs are on them."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An issue to try a theme with."""

    #: What it is, for messages: "an issue without entries".
    name: str
    issue: Issue
    #: Its texts try to get out of where they are put.
    is_hostile: bool = False
    #: What a reader gets on a full day: weight and looks are judged by it.
    is_usual: bool = False
    #: Too long as it is: only what is cut to fit is made of it.
    is_long: bool = False


def samples() -> tuple[Sample, ...]:
    """Return all samples, the plainest first."""
    return (
        Sample(name="an issue without entries", issue=_issue(())),
        Sample(name="an issue of one entry", issue=_issue((_section(_full(1)),))),
        Sample(name="an issue of twelve entries", issue=_twelve(), is_usual=True),
        Sample(name="an issue with what comes close", issue=_close()),
        Sample(name="an issue with little known", issue=_bare()),
        Sample(name="an issue in Arabic", issue=_arabic()),
        Sample(name="an issue of hostile texts", issue=_hostile(), is_hostile=True),
        Sample(name="an issue too long for a mail", issue=_long(), is_long=True),
    )


def _match(number: int, title: str, **said: object) -> Match:
    """Return a match with little known; *said* replaces fields of its version."""
    version = EntryVersion(
        id=number,
        entry_id=number,
        source="sample-notes",
        title=title,
        url=f"https://example.org/entries/{number}",
    )
    version = replace(version, **said)  # type: ignore[arg-type] # any field of it
    return Match(
        candidate=Candidate(
            entry_id=number,
            version=version,
            sources=(SourceListing(source=version.source, listed_at=_AT),),
            listed_at=_AT,
        ),
        score=2500,
        reasons=Reasons(),
    )


def _full(number: int, title: str = "Telling weather from its model") -> Match:
    """Return a match with all that a card can show."""
    given = _match(
        number,
        title,
        summary=_SUMMARY,
        tldr="A model says where it would have been wrong.",
        authors=tuple(f"Author Number{n}" for n in range(1, 15)),
        links=tuple(
            Link(label=label, url=f"https://example.org/{label}/{number}")
            for label in ("pdf", "code", "discussion")
        ),
        language="en",
        published_at=_AT,
    )
    names = ("sample-notes", "sample-papers")
    reasons = Reasons(
        interests=("Weather", "Models of all kinds"),
        parts=(
            ScorePart(field=Field.TITLE, term="weather", millis=2000),
            ScorePart(field=Field.SUMMARY, term="storm*", millis=1000),
        ),
        votes_millis=300,
        freshness_millis=500,
        title_places=((8, 15),),
        summary_places=((24, 31), (94, 98)),
    )
    sources = tuple(SourceListing(source=name, listed_at=_AT) for name in names)
    candidate = replace(given.candidate, votes=42, sources=sources)
    return replace(given, candidate=candidate, reasons=reasons)


def _section(*matches: Match, heading: str = "", is_close: bool = False) -> Section:
    return Section(heading=heading, matches=matches, is_close=is_close)


def _issue(sections: Sequence[Section], *, more: int = 20, **said: object) -> Issue:
    shown = sum(len(s.matches) for s in sections if not s.is_close)
    close = sum(len(s.matches) for s in sections if s.is_close)
    more = more if shown else 0
    receipt = Receipt(new=600, matched=shown + more, shown=shown, close=close)
    selection = Selection(
        sections=tuple(sections),
        more=tuple(_match(100 + n, f"Another entry, number {n}") for n in range(more)),
        receipt=receipt,
    )
    issue = Issue(
        key="0" * 32,
        newsletter=Newsletter(
            title="Sample Papers",
            from_name="Sample Papers",
            from_address="digest@example.org",
            list_id="sample-papers.example.org",
            base_url="https://digest.example.org",
            contact="https://example.org/about",
            postal_address="Example Society, 1 Sample Street, Exampleton",
        ),
        public_id="0" * 32,
        address="ada@example.org",
        name="Ada",
        timezone="Europe/London",
        language="en",
        slot=_AT,
        as_of=_AT,
        prepared_at=_AT,
        selection=selection,
        skipped=(date(2026, 3, 3), date(2026, 3, 4)),
        theme="sample",
        unsubscribe_url="https://digest.example.org/unsubscribe/sample",
        preferences_url="https://digest.example.org/preferences/sample",
    )
    return replace(issue, **said)  # type: ignore[arg-type] # any field of it


def _twelve() -> Issue:
    cards = tuple(
        _full(n, f"Entry {n} about weather and its models") for n in range(12)
    )
    return _issue(
        (
            _section(*cards[:7], heading="Weather"),
            _section(*cards[7:], heading="Models of all kinds"),
        )
    )


def _close() -> Issue:
    near = _full(2, "Sparse states of the sky")
    near = replace(near, reasons=replace(near.reasons, is_close=True))
    close = _section(near, heading=CLOSE, is_close=True)
    return _issue((_section(_full(1)), close), more=0)


def _bare() -> Issue:
    """Return an issue of entries and a sender of which nearly nothing is known."""
    newsletter = Newsletter(
        title="Notes",
        from_name="",
        from_address="digest@example.org",
        list_id="notes.example.org",
    )
    return _issue(
        (_section(_match(1, "", url=None), _match(2, "Only a title", url=None)),),
        more=0,
        newsletter=newsletter,
        name="",
        skipped=(),
        unsubscribe_url=None,
        preferences_url=None,
    )


def _arabic() -> Issue:
    text = "ندرس كيف يمكن للنموذج أن يخطئ في الطقس. " * 6
    title = "نماذج الطقس وما لا تعرفه"
    card = _match(1, title, summary=text, language="ar", authors=("ابن سينا",))
    chinese = _match(2, "天气与其模型", summary="我们研究了天气模型的错误。" * 30)
    # For a reader of Arabic: frame and all.
    return replace(_issue((_section(card, chinese),)), language="ar")


def _hostile() -> Issue:
    """Return an issue whose every text tries to be something else."""
    card = _match(
        1,
        ESCAPES[:380],
        url='https://example.org/?a="><b>&c=1',
        summary=f"{REREAD} {ESCAPES}",
        tldr=ESCAPES,
        authors=(f"<{HOLE}>", "Mallory\r\nBcc: all@example.org", f'"{HOLE}=1'),
        links=(
            Link(label="code", url="javascript:alert(1)"),
            Link(label=f"<{HOLE}>", url="https://example.org/hostile"),
        ),
        source=f"<{HOLE}>",
    )
    label = f"<{HOLE}>"
    reasons = Reasons(
        interests=(label,),
        parts=(ScorePart(field=Field.TITLE, term=label, millis=2000),),
        title_places=((0, 9),),
    )
    script = _match(2, "javascript:alert(1)", summary="\u202eover\u2066ride \U0001f9a0")
    bare = _match(3, ESCAPES[:150], url=None)
    issue = _issue(
        (_section(replace(card, reasons=reasons), script, bare, heading=label),)
    )
    newsletter = replace(
        issue.newsletter,
        title=f"Notes <{HOLE}>",
        from_name=f'"<{HOLE}>',
        postal_address=f"1 <{HOLE}> Street",
    )
    return replace(issue, newsletter=newsletter, address=f'"<{HOLE}>"@example.org')


def _long() -> Issue:
    """Return an issue that no mail has room for as it is."""
    crowd = tuple(f"Author Number{n}" for n in range(438))
    cards = tuple(
        _match(
            n,
            f"{n} " + "wide words " * 45 + "W" * 100,
            summary="A summary without an end. " * 800,
            authors=crowd,
            links=(Link(label="pdf", url=f"https://example.org/pdf/{n}"),),
        )
        for n in range(60)
    )
    return _issue((_section(*cards),))
