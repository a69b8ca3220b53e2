r"""arXiv's announcements (rss.arxiv.org), and its query API.

    <item><guid>oai:arXiv.org:2508.13426v1</guid> … <arxiv:announce_type>new
    <description>arXiv:2508.13426v1 Announce Type: new \nAbstract: We study …
    <dc:creator>Ann Lee, Bo Chen (MIT), J\"org M\"uller</dc:creator></item>

A replacement is not new. One paper stands once per category in a day's list,
Friday's list stands over the weekend or the list is empty: none of that brings
anything new, and none is a failure. What is the query API's alone is in
arxiv_query.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from newsletter.errors import ParseError
from newsletter.identity import paper_id
from newsletter.model import (
    Link,
    Listing,
    Page,
    Rejected,
    Request,
    Response,
    SourceSettings,
    SourceState,
)
from newsletter.sources import unknown_keys
from newsletter.sources.arxiv_query import (
    MOST_BACK_DAYS,
    continued,
    first_request,
    is_query,
)
from newsletter.sources.documents import Document
from newsletter.sources.rhythm import rhythm_of
from newsletter.sources.syndication import (
    Item,
    beyond,
    items_of,
    one_request,
    read_syndicated,
)
from newsletter.text import clean_names, clean_text

#: Announcements that are new; all others (replace, …) are of old papers.
_NEW = frozenset({"new", "cross"})
_TYPE = re.compile(r"\s*arXiv:\S+\s+Announce Type:\s*([\w-]+)")
#: What stands before an abstract in the feeds.
_HEAD = re.compile(r"\s*arXiv:\S+\s+Announce Type:\s*\S+\s*(?:Abstract:\s*)?")
#: What stood behind a title in the feeds until 2024.
_TAIL = re.compile(r"\s*\(arXiv:(\S+)\s*(?:\[([\w.\-]+)\])?[^()]*\)\s*$")
#: At the end of a name; nested ones go from the innermost.
_AFFILIATION = re.compile(r"\s*\([^()]*\)(?=\s*(?:[,()]|and\b|$))")
_BETWEEN_NAMES = re.compile(r"\s*,(?!\s*(?:Jr|Sr|II|III|IV)\b)\s*(?:and\s+)?|\s+and\s+")
_UPDATED = re.compile(r"\(arXiv:[^()]*\bUPDATED\b[^()]*\)\s*$")
_GROUP = re.compile(r"\s*([^,:]*\bCollaborations?)\s*:\s*", re.IGNORECASE)
_MARKUP = re.compile(r"\s*<p\b", re.IGNORECASE)
_FAULT = "/api/errors"


@dataclass(frozen=True, slots=True)
class Arxiv:
    """A source of kind ``arxiv``; see ports.Source."""

    settings: SourceSettings

    @staticmethod
    def mistakes(settings: SourceSettings) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with its own keys."""
        yield from unknown_keys(settings, ("back_days",))
        days = settings.options.get("back_days", 1)
        is_number = isinstance(days, int | float) and not isinstance(days, bool)
        if not (is_number and 0 < float(str(days)) <= MOST_BACK_DAYS):
            yield "back_days", f"expected days, more than 0, at most {MOST_BACK_DAYS}"
        elif "back_days" in settings.options and not is_query(settings.url):
            yield "back_days", "only a search (…/api/query) can look back"

    def requests(self, state: SourceState, as_of: datetime) -> tuple[Request, ...]:
        """Ask for the one document that there is; of a search, its first page."""
        if is_query(self.settings.url):
            return (first_request(self.settings, state, as_of),)
        return (one_request(self.settings, state),)

    def parse(self, response: Response) -> Page:
        """See ports.Source."""
        document = read_syndicated(response)
        _check(document)
        items = tuple(items_of(self.settings, response, document))
        page = _page(items)
        if is_query(response.request.url):
            return continued(page, response, len(items))
        return replace(
            page,
            rejected=(*page.rejected, *beyond(document)),
            rhythm=rhythm_of(document.feed),
        )


def _page(items: Sequence[Item]) -> Page:
    """Return what the items say, each paper once.

    Raises:
        ParseError: None of them is a paper.
    """
    papers: dict[str, Listing] = {}
    rejected: list[Rejected] = []
    for number, item in enumerate(items, 1):
        if _is_replacement(item):
            continue
        try:
            paper = _listing(item)
        except ParseError as error:
            rejected.append(Rejected(place=f"item {number}", reason=str(error)))
            continue
        name = str(paper.guid)
        papers[name] = _both(papers[name], paper) if name in papers else paper
    if rejected and not papers:
        raise ParseError(
            f"none of {len(rejected)} items is a paper of arXiv's; the first:"
            f' {rejected[0].reason}. Of another site, the kind is "feed"'
        )
    return Page(listings=tuple(papers.values()), rejected=tuple(rejected))


def _check(document: Document) -> None:
    """Look whether arXiv answers with a fault, which it dresses as a feed.

    Raises:
        ParseError: It does.
    """
    feed = document.feed
    if str(feed.get("title") or "").startswith("Feed error"):
        what = clean_text(str(feed.get("subtitle") or feed["title"]))
        raise ParseError(f"arXiv says: {what}; look at the categories in its address")
    for item in document.entries:
        name, title = str(item.get("id") or ""), str(item.get("title") or "")
        if _FAULT in name or (title == "Error" and paper_id(name) is None):
            what = clean_text(str(item.get("summary") or item.get("title") or ""))
            raise ParseError(f"arXiv says: {what}; look at the query in its address")


def _is_replacement(item: Item) -> bool:
    """Tell whether it announces an old paper; what does not say so does not."""
    kind = _announced_as(item)
    return bool(kind and kind not in _NEW) or bool(_UPDATED.search(item.text("title")))


def _announced_as(item: Item) -> str | None:
    """Return the type of an announcement. None: it is none, as in the query API."""
    said = str(item.item.get("arxiv_announce_type") or "").strip()
    found = _TYPE.match(item.raw("summary"))
    return said or (found[1] if found else None)


def _both(first: Listing, second: Listing) -> Listing:
    """Return a paper that stands in the list twice, once per category, as one."""
    every = dict.fromkeys((*first.categories, *second.categories))
    return replace(first, categories=tuple(every))


def _listing(item: Item) -> Listing:
    """Return an item as a listing.

    Raises:
        ParseError: It has no title, or no id of arXiv's.
    """
    title, name, category = _title(item)
    name = name or _name(item)
    if name is None or not title:
        raise ParseError(f"it has no {'title' if name else 'id of arXiv'}")
    published, listed = _dates(item)
    return Listing(
        source=item.source,
        guid=name,
        title=title,
        url=f"https://arxiv.org/abs/{name}",
        listed_at=listed,
        summary=_abstract(item),
        authors=_authors(item),
        categories=tuple(
            dict.fromkeys((*_primary(item), *item.categories(), *category))
        ),
        links=(Link(label="pdf", url=f"https://arxiv.org/pdf/{name}"),),
        identifiers=(name, *item.identifiers(None)),
        published_at=published,
    )


def _title(item: Item) -> tuple[str, str | None, tuple[str, ...]]:
    """Return the title; where it ends in "(arXiv:… [hep-ex])", that apart."""
    title = item.text("title")
    found = _TAIL.search(title)
    if found is None:
        return title, None, ()
    category = (found[2],) if found[2] else ()
    bare = title[: found.start()].removesuffix(".")
    return bare, paper_id(f"arXiv:{found[1]}"), category


def _name(item: Item) -> str | None:
    """Return the paper's id without version, from its guid or its link."""
    names = (paper_id(str(item.item.get(key) or "")) for key in ("id", "link"))
    return next((name for name in names if name is not None), None)


def _primary(item: Item) -> tuple[str, ...]:
    """Return the category that it belongs to, where arXiv says it apart."""
    said = item.item.get("arxiv_primary_category")
    term = said.get("term") if isinstance(said, Mapping) else said
    return clean_names([str(term or "")])


def _dates(item: Item) -> tuple[datetime | None, datetime]:
    """Return when it was published, and when it counts as listed.

    Not ``updated``: in the feeds it is when the feed was made.
    """
    seen_at = item.response.seen_at
    published = item.published()
    listed = min(published or seen_at, seen_at)
    # An announcement's date is the day's, and another when the list is repeated.
    return None if _announced_as(item) else published, listed


def _abstract(item: Item) -> str:
    """Return the abstract as text. It is prose with TeX: ``a<b`` is no tag in it."""
    raw = item.raw("summary")
    return clean_text(_HEAD.sub("", raw, count=1), markup=bool(_MARKUP.match(raw)))


def _authors(item: Item) -> tuple[str, ...]:
    """Return the authors, without their affiliations.

    The feeds give all of them in one string; the API gives each.
    """
    rows = item.item.get("authors") or ()
    names = [str(row.get("name") or "") for row in rows]
    if len(names) == 1:
        return clean_names(tuple(_split(names[0])))
    return clean_names(names)


def _split(raw: str) -> Iterator[str]:
    """Yield names: here always given name first, so every comma divides."""
    text = clean_text(raw, markup="<a" in raw)
    group = _GROUP.match(text)
    if group:
        yield group[1].strip()
        text = text[group.end() :]
    bare = _AFFILIATION.sub("", text)
    while bare != text:
        text, bare = bare, _AFFILIATION.sub("", bare)
    yield from _BETWEEN_NAMES.split(bare)
