"""Cards and lines: what is shown of one entry, cut, cleaned and dated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from newsletter.model import Field, Link, Match, Reasons
from newsletter.rendering.addresses import safe_url
from newsletter.rendering.cutting import cut, runs
from newsletter.rendering.days import Days
from newsletter.rendering.keeping import Shelf
from newsletter.rendering.seen import CardView, Fit, LineView, LinkView
from newsletter.rendering.words import RLM, Ready, Words

#: Characters of a title on a card; no paper's is longer, a hostile feed's is.
TITLE = 400
#: Of names: authors, sources, labels, headings.
NAME = 80
AUTHORS = 3
BADGES = 4
LINKS = 6
PARTS = 6
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_HTTPS = "https://"


def mark(message: str) -> str:
    """Return *message*, which is translated elsewhere; extraction finds it here."""
    return message


#: What our sources call links; others are shown as they are called.
_LABELS: Mapping[str, str] = {
    "code": mark("Code"),
    "discussion": mark("Discussion"),
    "link": mark("Link"),
    "page": mark("Page"),
    "paper": mark("Paper"),
    "pdf": mark("PDF"),
}
_FIELDS: Mapping[Field, str] = {
    Field.TITLE: mark("title"),
    Field.SUMMARY: mark("summary"),
    Field.AUTHOR: mark("author"),
    Field.CATEGORY: mark("category"),
    Field.SOURCE: mark("source"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Makes the cards and lines of one mail."""

    words: Words
    days: Days
    fit: Fit
    #: Keeps what mails of this theme share. None: all is made anew.
    shelf: Shelf | None
    #: The theme shows pictures.
    images: bool

    def card(self, match: Match, number: int) -> CardView:
        """Return the card of *match*: what mails share of it, and the reader's own.

        Args:
            match: What matched, and why.
            number: 1 for the first of the mail.
        """
        date = self.days.short(_shown_at(match))
        said = (
            self._said(match, date) if self.shelf is None else self._kept(match, date)
        )
        words = self.words
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
            interests=_some(match.reasons.interests, PARTS, words),
            score=_score(match.reasons, words),
            is_close=match.reasons.is_close,
            links=said.links,
            language=said.language,
            image=said.image,
            _kept=said._kept,  # noqa: SLF001 - our own, hidden from themes alone
        )

    def line(self, match: Match) -> LineView:
        """Return the one line of *match*."""
        if self.shelf is None:
            return self._said_line(match)
        version = match.candidate.version
        key = (version.id, self.words.language, self.fit.line, self.fit.url)
        return self.shelf.said(
            key,
            version,
            LineView,
            lambda kept: replace(self._said_line(match), _kept=kept),
        )

    def _kept(self, match: Match, date: str) -> CardView:
        """Return what mails share of the card of *match*, made once."""
        version, reasons = match.candidate.version, match.reasons
        assert self.shelf is not None  # noqa: S101 - asked before
        key = (
            version.id,
            self.words.language,
            reasons.title_places,
            reasons.summary_places,
            tuple([source.source for source in match.candidate.sources]),
            match.candidate.votes,
            date,
            self.fit.summary,
            self.fit.url,
        )
        return self.shelf.said(
            key,
            version,
            CardView,
            lambda kept: replace(self._said(match, date), _kept=kept),
        )

    def _said(self, match: Match, date: str) -> CardView:
        """Return the card of *match* without what is a reader's own."""
        version, reasons, fit = match.candidate.version, match.reasons, self.fit
        url, links = self._links(match)
        language = version.language or ""
        sources = tuple(s.source for s in match.candidate.sources)
        return CardView(
            number=0,
            title=runs(version.title, reasons.title_places, TITLE),
            url=url,
            authors=_authors(version.authors, self.words),
            # A source that lists it twice is one badge.
            badges=_some(tuple(dict.fromkeys(sources)), BADGES, self.words),
            votes=match.candidate.votes,
            date=date,
            tldr=cut(version.tldr or "", fit.summary),
            summary=runs(version.summary, reasons.summary_places, fit.summary),
            interests=(),
            score="",
            is_close=False,
            links=links,
            language=language if _LANGUAGE.fullmatch(language) else None,
            image=self._image(version.thumbnail),
        )

    def _image(self, thumbnail: str | None) -> str | None:
        found = safe_url(thumbnail, limit=self.fit.url) if self.images else None
        return found if found and found.startswith(_HTTPS) else None

    def _said_line(self, match: Match) -> LineView:
        version = match.candidate.version
        offered = (version.url, *(link.url for link in version.links[: 2 * LINKS]))
        safe = (safe_url(url, limit=self.fit.url) for url in offered)
        title = cut(version.title, self.fit.line).strip()
        return LineView(
            title=title or self.words.text("(no title)"),
            url=next((url for url in safe if url is not None), None),
        )

    def _links(self, match: Match) -> tuple[str | None, tuple[LinkView, ...]]:
        """Return where the title leads, and the other links, each address once."""
        version = match.candidate.version
        offered = (Link(label="", url=version.url or ""), *version.links[: 2 * LINKS])
        found: dict[str, str] = {}
        for link in offered:
            url = safe_url(link.url, limit=self.fit.url)
            if url is not None and url not in found:
                found[url] = cut(link.label, NAME) or "link"
        addresses = tuple(found)
        main = addresses[0] if addresses else None
        others = tuple(
            LinkView(label=_label(found[url], self.words), url=url)
            for url in addresses[1 : LINKS + 1]
        )
        return main, others


def _shown_at(match: Match) -> datetime:
    return match.candidate.version.published_at or match.candidate.listed_at


def _label(label: str, words: Words) -> str:
    known = _LABELS.get(label.casefold())
    return words.text(known) if known else label[:1].upper() + label[1:]


def _authors(names: tuple[str, ...], words: Words) -> str:
    first = [name for name in (cut(n, NAME) for n in names[:AUTHORS]) if name]
    rest = len(names) - AUTHORS
    if rest == 1:
        # "and 1 more" would take the room of the name.
        first.append(cut(names[-1], NAME))
    # Of names alone it could not be told which way the list runs.
    lead = RLM if words.is_rtl and first else ""
    said = Ready(lead + words.text(", ").join(map(words.isolated, first)))
    if rest <= 1:
        return str(said)
    return words.say_of(
        rest, "%(names)s and %(num)s more", "%(names)s and %(num)s more", names=said
    )


def _some(names: tuple[str, ...], most: int, words: Words) -> tuple[str, ...]:
    """Return the first of *names*, and how many more there are."""
    shown = tuple([cut(name, NAME) for name in names[:most]])
    if len(names) <= most:
        return shown
    return (*shown, words.say_of(len(names) - most, "%(num)s more", "%(num)s more"))


def _score(reasons: Reasons, words: Words) -> str:
    parts = [
        f"{words.text(_FIELDS[part.field])}: {words.isolated(cut(part.term, NAME))}"
        f" {_points(part.millis, words)}"
        for part in reasons.parts[:PARTS]
    ]
    rest = sum(part.millis for part in reasons.parts[PARTS:])
    named = (
        (mark("other"), rest),
        (mark("votes"), reasons.votes_millis),
        (mark("fresh"), reasons.freshness_millis),
    )
    parts += [f"{words.text(name)} {_points(m, words)}" for name, m in named if m]
    return " \N{MIDDLE DOT} ".join(parts)


def _points(millis: int, words: Words) -> str:
    return words.decimal(_rounded(millis))


@lru_cache(maxsize=4096)
def _rounded(millis: int) -> Decimal:
    """Return thousandths as points: 2.0, 0.5; small ones with what they have."""
    points = Decimal(millis) / 1000
    step = Decimal("0.1") if millis >= 100 else Decimal("0.001")  # noqa: PLR2004 - one tenth
    return points.quantize(step, rounding=ROUND_HALF_UP)
