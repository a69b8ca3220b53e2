"""arXiv's query interface: which page is asked for, and where the last one is.

    …/api/query?search_query=cat:cs.LG&sortBy=submittedDate&sortOrder=descending
               &start=100&max_results=100
    <feed><opensearch:totalResults>214881</opensearch:totalResults><entry>…

Newest first, pages are followed until one reaches what is too old to be
wanted. A page is empty now and then although more is counted: it is asked for
once more, then said to be missing, and the next one is tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from yarl import URL

from newsletter.errors import ParseError
from newsletter.identity import paper_id
from newsletter.model import (
    Listing,
    Page,
    Rejected,
    Request,
    Response,
    SourceSettings,
    SourceState,
    Validator,
)

#: Papers of a page where the address does not say, and the most that arXiv gives.
PAGE_SIZE = 100
MOST_PER_PAGE = 2000
#: Pages that one poll asks for; it may make as many requests.
MOST_PAGES = 20
#: arXiv's terms: one request in three seconds.
SPACING_S = 3.0
#: Read again behind the last poll: what moderators held appears days after its date.
BACK_DAYS = 7.0
MOST_BACK_DAYS = 3650
#: An empty page is asked for twice; the one behind it once.
_AGAIN, _BEHIND = 2, 3
_TOTAL = re.compile(rb"<(?:[\w.-]+:)?totalResults\b[^>]*>\s*(\d{1,12})\s*<")
#: The counts stand in the head of the document.
_HEAD = 8000
_BEGINNING = datetime.min.replace(tzinfo=UTC)


def is_query(url: str | None) -> bool:
    """Tell whether *url* is a search, not a list of announcements."""
    return URL(url or "").path.rstrip("/") == "/api/query"


def first_request(
    settings: SourceSettings, state: SourceState, as_of: datetime
) -> Request:
    """Return how to ask for the newest papers."""
    url = _asked(URL(settings.url or ""))
    return Request(
        source=settings.name,
        url=str(url),
        validator=state.validators.get(str(url), Validator()),
        spacing_s=SPACING_S,
        since=_since(settings, state, as_of) if _is_newest_first(url) else None,
    )


def _asked(url: URL) -> URL:
    """Return *url* with order and page said, its own words kept."""
    said = url.query
    order = {} if "sortBy" in said else {"sortBy": "submittedDate"}
    if "sortOrder" not in said:
        order["sortOrder"] = "descending"
    return url.update_query(
        {**order, "start": str(_start(url)), "max_results": str(_size(url))}
    )


def _is_newest_first(url: URL) -> bool:
    """Tell whether age says where to stop; a list of ids is read to its end."""
    said = url.query
    order = (said.get("sortBy"), said.get("sortOrder"))
    return order == ("submittedDate", "descending") and not said.get("id_list")


def _since(settings: SourceSettings, state: SourceState, as_of: datetime) -> datetime:
    """Return how far back to read: at first the first days, later some days again.

    Where nobody says how many, what was too old at the first poll stays so: if
    that poll broke off, the next one would find it and take it for new.
    """
    said = settings.options.get("back_days")
    back = float(said) if isinstance(said, int | float) else None
    if state.first_ok_at is None:
        return _before(as_of, max(back or 0.0, settings.first_days))
    since = _before(min(state.last_ok_at or as_of, as_of), back or BACK_DAYS)
    if back is not None:
        return since
    return max(since, _before(min(state.first_ok_at, as_of), settings.first_days))


def _before(instant: datetime, days: float) -> datetime:
    try:
        return instant - timedelta(days=days)
    except OverflowError:
        return _BEGINNING


def _start(url: URL) -> int:
    said = url.query.get("start", "")
    return int(said[:9]) if said.isdecimal() else 0


def _size(url: URL) -> int:
    said = url.query.get("max_results", "")
    size = int(said[:9]) if said.isdecimal() else 0
    return min(size or PAGE_SIZE, MOST_PER_PAGE)


def continued(page: Page, response: Response, rows: int) -> Page:
    """Return a page with what is to be asked next, and without what is too old.

    Args:
        page: What the document says.
        response: Where it stood.
        rows: How many entries the document has, usable or not.

    Raises:
        ParseError: The first page is empty for the second time.
    """
    request, url = response.request, URL(response.request.url or "")
    total = _total(response.body)
    missing = tuple(_missing(page, url, total))
    page = replace(page, rejected=(*page.rejected, *missing))
    if not rows:
        return _behind_nothing(page, request, total or 0)
    since = request.since
    read = replace(page, listings=tuple(p for p in page.listings if _is_in(p, since)))
    end = _start(url) + rows
    is_last = rows < _size(url) if total is None else end >= total
    if is_last or _is_past(page, since) or not _is_followed(request):
        return read
    return _with_next(read, request, end, total)


def _total(body: bytes) -> int | None:
    found = _TOTAL.search(body, 0, _HEAD)
    return int(found[1]) if found else None


def _is_followed(request: Request) -> bool:
    """Tell whether pages have an end that we can know; by relevance they have not."""
    return request.since is not None or bool(
        URL(request.url or "").query.get("id_list")
    )


def _is_in(paper: Listing, since: datetime | None) -> bool:
    """Tell whether it is wanted.

    Pages shift: how far the last one reaches is chance, and what it shows
    beyond would count as new.
    """
    return since is None or paper.published_at is None or paper.published_at >= since


def _is_past(page: Page, since: datetime | None) -> bool:
    """Tell whether a page ends with what is too old."""
    return bool(page.listings) and not _is_in(page.listings[-1], since)


def _missing(page: Page, url: URL, total: int | None) -> Iterator[Rejected]:
    """Yield the ids that were asked for and left out.

    arXiv passes over in silence what it does not know.
    """
    asked = [name for name in url.query.get("id_list", "").split(",") if name.strip()]
    if total is None or _start(url) or total > _size(url) or total >= len(asked):
        return
    found = {paper.guid for paper in page.listings}
    for name in asked:
        if paper_id(name) not in found:
            yield Rejected(place=name.strip(), reason="arXiv knows no such paper")


def _behind_nothing(page: Page, request: Request, total: int) -> Page:
    """Return what to do with an empty page: nothing, where nothing more is counted.

    Raises:
        ParseError: It is the first page, and empty for the second time.
    """
    url = URL(request.url or "")
    start, end = _start(url), _start(url) + _size(url)
    if total <= start:
        return page
    if request.attempt < _AGAIN:
        return _with_next(page, request, start, total, attempt=_AGAIN)
    said = f"arXiv counts {total} papers and shows none of them"
    if request.page + 1 == _AGAIN:
        raise ParseError(f"{said}, asked twice; the next poll asks again")
    row = Rejected(place=f"papers {start + 1} to {min(end, total)}", reason=said)
    page = replace(page, rejected=(*page.rejected, row))
    if request.attempt >= _BEHIND or end >= total:
        return page
    return _with_next(page, request, end, total, attempt=_BEHIND)


def _with_next(
    page: Page, request: Request, start: int, total: int | None, *, attempt: int = 1
) -> Page:
    """Return *page* with the request that begins at *start*, or why there is none."""
    if request.page + 1 >= MOST_PAGES:
        reason = (
            f"only the newest {start} of {total or 'all'} papers were read, by"
            f" {MOST_PAGES} requests; put a larger max_results (at most"
            f" {MOST_PER_PAGE}) into its address, or make its search narrower"
        )
        row = Rejected(place=f"page {MOST_PAGES}", reason=reason)
        return replace(page, rejected=(*page.rejected, row))
    url = URL(request.url or "").update_query({"start": str(start)})
    following = replace(
        request,
        url=str(url),
        validator=Validator(),
        page=request.page + 1,
        attempt=attempt,
    )
    return replace(page, further=(following,))
