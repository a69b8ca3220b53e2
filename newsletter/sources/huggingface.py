"""Hugging Face Daily Papers: ``GET /api/daily_papers?date=2026-05-28``.

    [{"paper": {"id": "2605.28293", "title": …, "summary": …, "upvotes": 12,
      "authors": [{"name": …, "hidden": false}], "submittedOnDailyAt": …}, …}]

The listing day is a UTC date. A day grows until the next morning and its
votes for days, so each poll asks again for the last three.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from typing import Any

from yarl import URL

from newsletter.errors import ParseError
from newsletter.identity import canonical_url, paper_id
from newsletter.model import (
    Link,
    Listing,
    Page,
    Rejected,
    Request,
    Response,
    SourceSettings,
    SourceState,
    Validator,
)
from newsletter.sources.rows import instant_of, string_of
from newsletter.text import clean_names, clean_text

#: The most that the API gives at once; its default of 50 cuts busy days.
PAGE_SIZE = 100
#: Days asked for at most, and days asked for again, for their votes.
MOST_DAYS = 14
AGAIN_DAYS = 3
_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class HuggingFace:
    """A source of kind ``huggingface``; see ports.Source."""

    settings: SourceSettings

    def requests(self, state: SourceState, as_of: datetime) -> tuple[Request, ...]:
        """Ask for each day since the last complete one, oldest first."""
        settings = self.settings
        if settings.path is not None:
            return (Request(source=settings.name, path=settings.path),)
        return tuple(
            self._request(day, 0, state) for day in self._days(state, as_of.date())
        )

    def _days(self, state: SourceState, today: date) -> Iterator[date]:
        """Yield *today* and every day since the last complete one, at most 14."""
        if state.first_ok_at is None:
            back = ceil(self.settings.first_days)
        elif state.complete_day is None:
            back = MOST_DAYS
        else:
            back = max((today - state.complete_day).days - 1, AGAIN_DAYS)
        for distance in range(min(max(back, 0), MOST_DAYS - 1), -1, -1):
            yield today - distance * _DAY

    def _request(self, day: date, page: int, state: SourceState | None) -> Request:
        url = str(
            URL(self.settings.url or "").update_query(
                {"date": day.isoformat(), "limit": str(PAGE_SIZE), "p": str(page)}
            )
        )
        known = state.validators.get(url) if state else None
        return Request(
            source=self.settings.name,
            url=url,
            validator=known or Validator(),
            day=day,
            page=page,
        )

    def parse(self, response: Response) -> Page:
        """See ports.Source."""
        rows = _rows(response.body)
        listings: list[Listing] = []
        rejected: list[Rejected] = []
        for number, row in enumerate(rows, 1):
            try:
                listings.append(self._listing(row, response))
            except ParseError as error:
                rejected.append(Rejected(place=f"paper {number}", reason=str(error)))
        if rows and not listings:
            raise ParseError(
                f"none of {len(rows)} papers could be read; the first: "
                f"{rejected[0].reason}"
            )
        request = response.request
        further: tuple[Request, ...] = ()
        if len(rows) >= PAGE_SIZE and request.day is not None:
            further = (self._request(request.day, request.page + 1, None),)
        return Page(listings=tuple(listings), further=further, rejected=tuple(rejected))

    def _listing(self, row: object, response: Response) -> Listing:
        if not isinstance(row, Mapping):
            raise ParseError(f"{_kind(row)} stands where a paper was expected")
        paper = row.get("paper")
        if not isinstance(paper, Mapping):
            raise ParseError("it has no `paper`")
        name = paper_id(string_of(paper, "id"))
        title = clean_text(string_of(paper, "title") or string_of(row, "title"))
        if name is None or not title:
            what = "title" if name else f"arXiv id ({string_of(paper, 'id')[:40]!r})"
            raise ParseError(f"it has no {what}")
        url = f"https://huggingface.co/papers/{name}"
        return Listing(
            source=self.settings.name,
            guid=name,
            title=title,
            url=url,
            listed_at=_listed_at(paper, response),
            summary=clean_text(
                string_of(paper, "summary") or string_of(row, "summary")
            ),
            authors=_authors(paper.get("authors")),
            links=tuple(_links(paper, name)),
            identifiers=(name,),
            published_at=instant_of(paper.get("publishedAt")),
            votes=_votes(paper.get("upvotes")),
            tldr=clean_text(string_of(paper, "ai_summary")) or None,
            thumbnail=canonical_url(string_of(row, "thumbnail")),
        )


def _rows(body: bytes) -> Sequence[object]:
    """Return the document's rows.

    Raises:
        ParseError: It is no JSON list.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        what = "an HTML page" if body.lstrip()[:1] == b"<" else "no JSON"
        raise ParseError(f"this is {what}; expected a list of papers") from error
    if isinstance(document, Mapping) and "error" in document:
        raise ParseError(f"the API says: {str(document['error'])[:200]}")
    if not isinstance(document, list):
        raise ParseError(f"this is {_kind(document)}; expected a list of papers")
    return document


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", type(None): "null"}
    return names.get(type(value), "a number")


def _votes(value: object) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool)
    return max(0, value) if is_count and isinstance(value, int) else None


def _authors(value: object) -> tuple[str, ...]:
    """Return the names that are not hidden."""
    rows = value if isinstance(value, list) else []
    return clean_names(
        [
            string_of(row, "name")
            for row in rows
            if isinstance(row, Mapping) and not row.get("hidden")
        ],
        each=True,
    )


def _links(paper: Mapping[str, Any], name: str) -> Iterator[Link]:
    yield Link(label="paper", url=f"https://arxiv.org/abs/{name}")
    yield Link(label="pdf", url=f"https://arxiv.org/pdf/{name}")
    for key, label in (("githubRepo", "code"), ("projectPage", "page")):
        url = canonical_url(string_of(paper, key))
        if url is not None:
            yield Link(label=label, url=url)


def _listed_at(paper: Mapping[str, Any], response: Response) -> datetime:
    """Return when the paper came onto the page.

    The instant of ``submittedOnDailyAt`` where it is one. Where it is a date
    only (midnight), or not given: the first sighting, but never later than
    the end of the listing day, so that a back-fill keeps its dates.
    """
    submitted = instant_of(paper.get("submittedOnDailyAt"))
    # What lies days ahead is no time at which anything was listed.
    if submitted is not None and submitted > response.seen_at + 2 * _DAY:
        return response.seen_at
    if submitted is not None and submitted.time() != time(0):
        return submitted
    day = submitted.date() if submitted else response.request.day
    if day is None:
        return response.seen_at
    end = datetime.combine(day + _DAY, time(0), tzinfo=UTC) - _TICK
    return min(response.seen_at, end)
