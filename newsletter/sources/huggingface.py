"""Hugging Face Daily Papers: ``GET /api/daily_papers?date=2026-05-28``.

    [{"paper": {"id": "2605.28293", "title": …, "summary": …, "upvotes": 12,
      "authors": [{"name": …, "hidden": false}], "submittedOnDailyAt": …}, …}]

The listing day is a UTC date. A day grows until the next morning and its
votes for days, so each poll asks again for the last three. With ``by``, weeks
or months are asked for instead of days; without any of them,
``sort = "trending"`` is the list of now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from difflib import get_close_matches
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
from newsletter.sources import unknown_keys
from newsletter.sources.periods import Period, period_of
from newsletter.sources.rows import (
    complaint_of,
    instant_of,
    json_of,
    kind_of,
    string_of,
    votes_of,
)
from newsletter.text import clean_names, clean_text

#: The most that the API gives at once; its default of 50 cuts busy days.
PAGE_SIZE = 100
#: Days behind today that are asked for at most, so that a poll's requests suffice:
#: 14 days, five weeks, or two months.
MOST_DAYS: Mapping[str, int] = {"day": 13, "week": 27, "month": 31}
#: Days that are asked for again, for their votes.
AGAIN_DAYS = 3
#: Which period is ours to say, whatever the address says.
_PARAMETERS = ("date", "week", "month", "p")
#: Its own keys, and what they may say.
_KEYS: Mapping[str, tuple[str, ...]] = {
    "by": ("day", "week", "month"),
    "sort": ("publishedAt", "trending"),
}
_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class HuggingFace:
    """A source of kind ``huggingface``; see ports.Source."""

    settings: SourceSettings

    @staticmethod
    def mistakes(settings: SourceSettings) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with its own keys."""
        yield from unknown_keys(settings, tuple(_KEYS))
        for key, values in _KEYS.items():
            said = settings.options.get(key, values[0])
            if said not in values:
                near = get_close_matches(str(said), values, n=1)
                hint = f'; did you mean "{near[0]}"?' if near else ""
                listed = " or ".join(f'"{value}"' for value in values)
                yield key, f"expected {listed}{hint}"
            elif key in settings.options and settings.path is not None:
                yield key, "only what is asked by url has it"

    def requests(self, state: SourceState, as_of: datetime) -> tuple[Request, ...]:
        """Ask for each period since the last complete one, oldest first."""
        settings = self.settings
        if settings.path is not None:
            return (Request(source=settings.name, path=settings.path),)
        by = settings.options.get("by")
        if by is None and settings.options.get("sort") == "trending":
            return (self._request(None, state),)
        return tuple(
            self._request(period, state)
            for period in self._periods(str(by or "day"), state, as_of)
        )

    def _periods(
        self, by: str, state: SourceState, as_of: datetime
    ) -> Iterator[Period]:
        """Yield the current period and those since the last complete one.

        Until there is one: those that the first poll asked for. What it did
        not ask for would count as new.
        """
        today, most = as_of.date(), MOST_DAYS.get(by, 0)
        if state.complete_day is not None:
            start = state.complete_day + _DAY
        else:
            first = min(state.first_ok_at or as_of, as_of).date()
            start = first - ceil(min(self.settings.first_days, most)) * _DAY
        again = AGAIN_DAYS if by == "day" else 0
        start = min(start, today - again * _DAY)
        period = period_of(by, max(start, today - most * _DAY))
        while period.first <= today:
            yield period
            period = period_of(by, period.last + _DAY)

    def _request(self, period: Period | None, state: SourceState) -> Request:
        """Return the request of a period's first page; None: of the list of now."""
        said = URL(self.settings.url or "").without_query_params(*_PARAMETERS)
        query = {key: value for key, value in self._asked(period) if value}
        url = str(said.update_query(query))
        return Request(
            source=self.settings.name,
            url=url,
            validator=state.validators.get(url, Validator()),
            day=period.last if period else None,
        )

    def _asked(self, period: Period | None) -> Iterator[tuple[str, str]]:
        if period is not None:
            yield period.by, period.name
        yield "sort", str(self.settings.options.get("sort") or "")
        yield "limit", str(PAGE_SIZE)
        yield "p", "0"

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
            further = (_next_page(request),)
        return Page(listings=tuple(listings), further=further, rejected=tuple(rejected))

    def _listing(self, row: object, response: Response) -> Listing:
        if not isinstance(row, Mapping):
            raise ParseError(f"{kind_of(row)} stands where a paper was expected")
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
            votes=votes_of(paper.get("upvotes")),
            tldr=clean_text(string_of(paper, "ai_summary")) or None,
            thumbnail=canonical_url(string_of(row, "thumbnail")),
        )


def _next_page(request: Request) -> Request:
    """Return the request of the page behind that of *request*."""
    page = request.page + 1
    url = str(URL(request.url or "").update_query({"p": str(page)}))
    return replace(request, url=url, page=page, validator=Validator())


def _rows(body: bytes) -> Sequence[object]:
    """Return the document's rows.

    Raises:
        ParseError: It is no JSON list.
    """
    document = json_of(body, expected="a list of papers")
    if isinstance(document, list):
        return document
    if complaint := complaint_of(document):
        raise ParseError(f"the API says: {complaint}")
    raise ParseError(f"this is {kind_of(document)}; expected a list of papers")


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
    the end of the listing day, or of the week or month that was asked for, so
    that a back-fill keeps its dates.
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
