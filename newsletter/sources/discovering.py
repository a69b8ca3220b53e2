"""From the address that a person has to a source that can be read.

    https://lab.example.org/  --html-->  <link rel="alternate" href="/feed.xml">
                              --feed-->  title, entries, kind

Everything goes through the one fetcher, with all its checks and manners.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from html.parser import HTMLParser
from typing import ClassVar

from yarl import URL

from newsletter.errors import ParseError, SourceError
from newsletter.model import (
    Page,
    Poll,
    Request,
    Response,
    SourceSettings,
    SourceState,
)
from newsletter.ports import Fetcher, PollJob, Source
from newsletter.sources import kind_by_address, make_source
from newsletter.sources.json_feed import is_json, title_of
from newsletter.sources.syndication import is_html, syndicated_title

_PAPERS_API = "/api/daily_papers"
_PAPERS_HOSTS = frozenset({"huggingface.co", "www.huggingface.co", "hf.co"})
#: What people see: all of today, a day, a week, a month, or what is talked of.
_PAPERS_PAGE = re.compile(
    r"/papers(?:/(?P<by>date|week|month)/[\w-]+|/(?P<trending>trending))?/?", re.ASCII
)
#: Which period and page, and the order, are not the address's to say.
_SAID_BY_KEYS = ("date", "week", "month", "sort", "p", "limit")
#: Feeds named by one page that are tried.
MOST_ALTERNATES = 10
_UNNAMED = "new"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternate:
    """A feed that a page names."""

    url: str
    title: str
    #: It says no more than that: many an API does.
    is_any_json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """A source that was read, not configured yet."""

    settings: SourceSettings
    #: What it calls itself; empty: nothing.
    title: str
    poll: Poll
    #: The page that named it. None: its own address was given.
    page: str | None = None
    #: Other feeds that the page names.
    others: tuple[Alternate, ...] = ()


def poll_once(
    sources: Sequence[Source], *, fetcher: Fetcher, as_of: datetime
) -> dict[str, Poll]:
    """Ask sources as if for the first time; keep nothing. By name."""
    jobs = [
        PollJob(source=s, requests=s.requests(SourceState(name=s.settings.name), as_of))
        for s in sources
    ]
    return {poll.source: poll for poll in fetcher.poll(jobs, as_of=as_of)}


def discover(wanted: SourceSettings, *, fetcher: Fetcher, as_of: datetime) -> Discovery:
    """Read what *wanted* points at; of a page, the first feed that it names.

    Args:
        wanted: With its url or path; an empty kind is found out.
        fetcher: Asks.
        as_of: Which days a source is asked for.

    Raises:
        ConfigError: There is no such kind.
        SourceError: Nothing that can be read is there.
    """
    first = _guessed(wanted)
    watched, poll = _read(first, fetcher, as_of)
    if poll.readings and not poll.failures:
        return Discovery(settings=first, title=watched.title, poll=poll)
    page = watched.page_seen
    if page is None or first.kind != "feed":
        raise SourceError(poll.failures[0].reason)
    return _of_page(first, page, fetcher, as_of)


def _of_page(
    wanted: SourceSettings, page: Response, fetcher: Fetcher, as_of: datetime
) -> Discovery:
    """Return the first feed of a page that can be read.

    Raises:
        ParseError: It names none, or none that can be read.
    """
    alternates = alternates_of(page)
    where = page.final_url or page.request.path
    if not alternates:
        raise ParseError(
            f"{where} is a page that names no feed; look on it for the address of its"
            " RSS, Atom or JSON feed, and add that"
        )
    reasons = []
    for alternate in alternates[:MOST_ALTERNATES]:
        settings = _guessed(replace(wanted, url=alternate.url, path=None, kind=""))
        watched, poll = _read(settings, fetcher, as_of)
        if poll.readings and not poll.failures:
            return Discovery(
                settings=settings,
                title=watched.title or alternate.title,
                poll=poll,
                page=where,
                others=tuple(other for other in alternates if other is not alternate),
            )
        reasons.append(poll.failures[0].reason)
    raise ParseError(
        f"{where} names {len(alternates)} feeds, and none can be read: {reasons[0]}"
    )


def _guessed(wanted: SourceSettings) -> SourceSettings:
    """Return *wanted* with its kind, by its address where none is said."""
    named = replace(wanted, name=wanted.name or _UNNAMED)
    url = URL(wanted.url or "")
    is_papers = wanted.kind == "huggingface" or (
        not wanted.kind and url.host in _PAPERS_HOSTS
    )
    papers = _daily_papers(url) if is_papers else None
    if papers is not None:
        where, options = papers
        options = {**wanted.options, **options}
        return replace(named, kind="huggingface", url=where, options=options)
    if wanted.kind:
        return named
    return replace(named, kind=kind_by_address(wanted.url or ""))


def _daily_papers(url: URL) -> tuple[str, Mapping[str, object]] | None:
    """Return where a list of Daily Papers is asked for, and the keys that it means.

    Which week or month it was does not matter: a source follows the current
    one. None: *url* is no such list.
    """
    if url.path.rstrip("/") == _PAPERS_API:
        by = next((by for by in ("week", "month") if by in url.query), "")
        said = {"by": by, "sort": url.query.get("sort", "")}
        rest = url.without_query_params(*_SAID_BY_KEYS)
        return str(rest), {key: value for key, value in said.items() if value}
    page = _PAPERS_PAGE.fullmatch(url.path)
    if page is None or not url.host:
        return None
    host = "huggingface.co" if url.host in _PAPERS_HOSTS else url.host
    where = str(url.origin().with_host(host).with_path(_PAPERS_API))
    if page["trending"]:
        return where, {"sort": "trending"}
    return where, {"by": page["by"]} if page["by"] in {"week", "month"} else {}


def _read(
    settings: SourceSettings, fetcher: Fetcher, as_of: datetime
) -> tuple[_Watched, Poll]:
    watched = _Watched(inner=make_source(settings))
    polls = poll_once([watched], fetcher=fetcher, as_of=as_of)
    return watched, polls[settings.name]


@dataclass(slots=True, kw_only=True)
class _Watched:
    """A source that remembers the answer, and what it calls itself."""

    inner: Source
    title: str = ""
    #: An answer that is a page.
    page_seen: Response | None = None

    @property
    def settings(self) -> SourceSettings:
        return self.inner.settings

    def requests(self, state: SourceState, as_of: datetime) -> tuple[Request, ...]:
        return self.inner.requests(state, as_of)

    def parse(self, response: Response) -> Page:
        if is_html(response.body):
            self.page_seen = response
        page = self.inner.parse(response)
        self.title = self.title or _title(response)
        return page


def _title(response: Response) -> str:
    try:
        if is_json(response.body):
            return title_of(response.body)
        return syndicated_title(response)
    except ParseError:
        return ""


def alternates_of(page: Response) -> tuple[Alternate, ...]:
    """Return the feeds that a page names, those of comments last.

    ``<link rel="alternate" type="application/rss+xml" title="…" href="…">``
    (HTML, 4.6.7.2), relative to ``<base href>`` and the page's address.
    """
    reader = _Links()
    reader.feed(page.body.decode("utf-8", "replace"))
    base = _joined(page.final_url or "", reader.base)
    found: dict[str, Alternate] = {}
    for title, href, kind in reader.found:
        url = _joined(base, href)
        if url.startswith(("http://", "https://")):
            is_any_json = kind == "application/json"
            alternate = Alternate(url=url, title=title, is_any_json=is_any_json)
            found.setdefault(url, alternate)
    return tuple(sorted(found.values(), key=_rank))


def _joined(base: str, href: str) -> str:
    try:
        return str(URL(base).join(URL(href.strip()))) if base else href.strip()
    except ValueError:
        return ""


def _rank(alternate: Alternate) -> tuple[bool, bool]:
    """Put feeds of comments last, and before them what is JSON of any kind."""
    said = f"{alternate.title} {alternate.url}".casefold()
    return "comment" in said, alternate.is_any_json


@dataclass(eq=False)
class _Links(HTMLParser):
    """Collects what a page says of its feeds."""

    TYPES: ClassVar[frozenset[str]] = frozenset(
        {
            "application/rss+xml",
            "application/atom+xml",
            "application/feed+json",
            "application/json",
            "application/rdf+xml",
        }
    )

    base: str = ""
    #: (title, href, type) in their order.
    found: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "base" and not self.base:
            self.base = said.get("href", "")
        is_alternate = "alternate" in said.get("rel", "").casefold().split()
        kind = said.get("type", "").partition(";")[0].strip().casefold()
        if tag == "link" and is_alternate and kind in self.TYPES and said.get("href"):
            self.found.append((said.get("title", "").strip(), said["href"], kind))
