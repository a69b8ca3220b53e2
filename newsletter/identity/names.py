"""The names of one listing, and the hash of what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256

from newsletter.identity.addresses import canonical_url
from newsletter.identity.dois import doi_of
from newsletter.identity.papers import is_bare, paper_id
from newsletter.model import Listing

#: What names a thing wherever it stands: two of a kind are two things.
SURE = ("arxiv:", "doi:")


def aliases(listing: Listing) -> tuple[str, ...]:
    """Return the names that *listing* gives its entry, the surest first.

    At most one arXiv id: who shows two shows one paper beside another.
    """
    found = [f"arxiv:{paper}" for paper in _papers(listing)][:1]
    found += [
        f"doi:{doi}"
        for text in (*listing.identifiers, listing.url or "", listing.guid or "")
        if (doi := doi_of(text)) and not paper_id(text)
    ]
    if (url := url_alias(listing.url)) is not None:
        found.append(url)
    found.append(guid_alias(listing) if listing.guid else _text_alias(listing))
    return tuple(dict.fromkeys(found))


def has_sure_name(listing: Listing) -> bool:
    """Tell whether *listing* names an arXiv id or a DOI."""
    return any(name.startswith(SURE) for name in aliases(listing))


def _papers(listing: Listing) -> Iterator[str]:
    """Yield the arXiv ids that *listing* names, the surest first."""
    # Four digits, a dot and five are anybody's guid.
    guid = "" if is_bare(listing.guid or "") else listing.guid or ""
    linked = (link.url for link in listing.links if link.label in {"paper", "pdf"})
    for text in (*listing.identifiers, listing.url or "", guid, *linked):
        if paper := paper_id(text):
            yield paper


def url_alias(address: str | None) -> str | None:
    """Return the name by *address*; http and https are one. None: it is none."""
    url = canonical_url(address) if address else None
    return None if url is None else f"url:{url.partition('://')[2]}"


def guid_alias(listing: Listing) -> str:
    """Return the name by what its source calls it."""
    return f"guid:{listing.source}:{listing.guid}"


def _text_alias(listing: Listing) -> str:
    """Return the last resort of what has no guid: its address and what it says.

    Without it, an item with neither guid nor link would be new at each poll.
    """
    said = f"{url_alias(listing.url)}\n{listing.title}\n{listing.summary}"
    return f"text:{listing.source}:{sha256(said.encode()).hexdigest()}"


def content_hash(listing: Listing) -> str:
    """Return the hash of all that a version of an entry holds.

    Votes and the time of listing are not part of it: they change without the
    text being another.
    """
    said = [
        listing.title,
        listing.url,
        listing.summary,
        listing.authors,
        listing.categories,
        [(link.label, link.url) for link in listing.links],
        listing.published_at.isoformat() if listing.published_at else None,
        listing.tldr,
        listing.thumbnail,
        listing.language,
    ]
    text = json.dumps(said, ensure_ascii=True)
    return sha256(text.encode()).hexdigest()
