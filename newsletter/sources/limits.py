"""What a page may be at most, whoever wrote it and whatever kind read it.

    Page --within--> the same page, fit to be stored and shown

Readers clean what they read. This is the last door before storage, the same
for all kinds, also those of other packages: no text that a database refuses, no
address but http(s), nothing of unbounded length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

from newsletter.identity import canonical_url
from newsletter.model import Link, Listing, Page, Rejected
from newsletter.sources.wording import presentable
from newsletter.text import first_sentences, one_line

#: Of one document. A day of all of arXiv has a tenth of that.
MOST_LISTINGS = 20_000
MOST_REJECTED = 1_000
MOST_TITLE = 1_000
MOST_SUMMARY = 20_000
#: The largest collaborations have three thousand members.
MOST_AUTHORS = 5_000
MOST_NAME = 300
MOST_CATEGORIES = 200
MOST_LINKS = 50
MOST_LABEL = 40
MOST_LANGUAGE = 35
#: Characters of an address; in a database's index it stands beside a guid.
MOST_URL = 2_000
#: Bytes in UTF-8; a longer one is known by its hash.
MOST_GUID = 500
#: What the smallest whole number of a database holds, about.
MOST_VOTES = 1_000_000_000
#: Of a character in UTF-8, at most.
_BYTES = 4
#: An address as it stands in ASCII.
_URL = re.compile(r"""https?://[^\x00-\x20"<>\\\x7f-\U0010ffff]+""")
#: What no text holds that was cleaned: controls, and halves of characters.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def within(page: Page) -> Page:
    """Return *page* with all of it within the limits."""
    kept = tuple(map(_listing, page.listings[:MOST_LISTINGS]))
    return replace(
        page,
        listings=tuple(listing for listing in kept if listing.title),
        rejected=tuple(_rejected(page, sum(not listing.title for listing in kept))),
    )


def _rejected(page: Page, untitled: int) -> Iterator[Rejected]:
    """Yield what was rejected, and what comes on top of it here."""
    for row in page.rejected[:MOST_REJECTED]:
        yield Rejected(
            place=first_sentences(_text(row.place), MOST_NAME),
            reason=presentable(row.reason),
        )
    for _ in range(min(untitled, MOST_REJECTED)):
        yield Rejected(place="an entry", reason="it has no title that can be shown")
    for rows, most in ((page.rejected, MOST_REJECTED), (page.listings, MOST_LISTINGS)):
        if len(rows) > most:
            yield Rejected(
                place=f"row {most + 1}",
                reason=f"it and {len(rows) - most - 1} more: over the limit of {most}",
            )


def _listing(listing: Listing) -> Listing:
    return listing if _is_within(listing) else _cut(listing)


def _is_within(listing: Listing) -> bool:
    """Tell whether a listing is as nearly all are; looked at quickly."""
    links = listing.links
    urls = [u for u in (listing.url, listing.thumbnail) if u is not None]
    urls += [link.url for link in links]
    names = (*listing.authors, *listing.categories, *listing.identifiers)
    others = (listing.guid or "", listing.tldr or "", listing.language or "")
    labels = [link.label for link in links]
    texts = "".join((listing.title, listing.summary, *names, *others, *labels))
    return (
        0 < len(listing.title) <= MOST_TITLE
        and len(listing.summary) <= MOST_SUMMARY
        and len(listing.tldr or "") <= MOST_SUMMARY
        and len(listing.authors) <= MOST_AUTHORS
        and max(len(listing.categories), len(listing.identifiers)) <= MOST_LINKS
        and len(links) <= MOST_LINKS
        and len(listing.guid or "") <= MOST_GUID // _BYTES
        and all(name and len(name) <= MOST_NAME for name in names)
        and all(len(label) <= MOST_LABEL for label in labels)
        and len(listing.language or "") <= MOST_LANGUAGE
        and (texts.isprintable() or not _UNFIT.search(texts))
        and all(len(url) <= MOST_URL and _URL.fullmatch(url) for url in urls)
        and 0 <= (listing.votes or 0) <= MOST_VOTES
        and listing.listed_at.tzinfo is UTC
        and (listing.published_at is None or listing.published_at.tzinfo is UTC)
    )


def _cut(listing: Listing) -> Listing:
    return replace(
        listing,
        guid=_guid(listing.guid),
        title=first_sentences(_text(listing.title), MOST_TITLE),
        url=_url(listing.url),
        listed_at=_instant(listing.listed_at),
        summary=first_sentences(_text(listing.summary), MOST_SUMMARY),
        authors=_names(listing.authors[:MOST_AUTHORS]),
        categories=_names(listing.categories[:MOST_CATEGORIES]),
        links=tuple(_links(listing.links[:MOST_LINKS])),
        identifiers=tuple(
            name
            for name in map(_text, listing.identifiers[:MOST_LINKS])
            if name and len(name) <= MOST_URL
        ),
        published_at=listing.published_at and _instant(listing.published_at),
        votes=listing.votes and max(0, min(listing.votes, MOST_VOTES)),
        tldr=listing.tldr and first_sentences(_text(listing.tldr), MOST_SUMMARY),
        thumbnail=_url(listing.thumbnail),
        language=_language(listing.language),
    )


def _text(text: str) -> str:
    return one_line(text) if _UNFIT.search(text) else text


def _names(names: Iterable[str]) -> tuple[str, ...]:
    kept = (first_sentences(_text(name), MOST_NAME) for name in names)
    return tuple(name for name in kept if name)


def _guid(guid: str | None) -> str | None:
    """Return a guid that an index can hold: a long one's hash tells as much."""
    name = _text(guid or "")
    whole = name.encode()
    return (
        f"sha256:{sha256(whole).hexdigest()}"
        if len(whole) > MOST_GUID
        else name or None
    )


def _url(url: str | None) -> str | None:
    """Return an http(s) address in ASCII; None: it is none, or too long to be one."""
    if url is None or _UNFIT.search(url):
        return None
    found = url if _URL.fullmatch(url) else canonical_url(url)
    return found if found is not None and len(found) <= MOST_URL else None


def _links(links: Iterable[Link]) -> Iterator[Link]:
    for link in links:
        if (url := _url(link.url)) is not None:
            yield Link(label=_text(link.label)[:MOST_LABEL], url=url)


def _language(language: str | None) -> str | None:
    return language if language is None or len(language) <= MOST_LANGUAGE else None


def _instant(instant: datetime) -> datetime:
    """Return an instant of UTC; one without a zone is taken for that."""
    try:
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(
            UTC
        )
    except OverflowError:
        # At an end of the calendar a zone does not matter.
        return instant.replace(tzinfo=UTC)
