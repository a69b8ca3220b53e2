"""RSS, Atom and JSON Feed, as they really are.

    <item><title>…</title><link>…</link><guid>…</guid><pubDate>…</pubDate></item>

An item may lack title, link, guid and date, each of them; what cannot be used
at all is rejected by itself and the rest goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from newsletter.errors import ParseError
from newsletter.identity import canonical_url
from newsletter.model import (
    Listing,
    Page,
    Rejected,
    Request,
    Response,
    SourceSettings,
    SourceState,
)
from newsletter.sources.json_feed import is_json, parse_json_feed
from newsletter.sources.rhythm import rhythm_of
from newsletter.sources.rss_in_json import read_rss_in_json
from newsletter.sources.syndication import (
    Item,
    beyond,
    items_of,
    one_request,
    read_syndicated,
)


@dataclass(frozen=True, slots=True)
class Feed:
    """A source of kind ``feed``; see ports.Source."""

    settings: SourceSettings

    def requests(self, state: SourceState, as_of: datetime) -> tuple[Request, ...]:
        """Ask for the one document that there is."""
        del as_of
        return (one_request(self.settings, state),)

    def parse(self, response: Response) -> Page:
        """See ports.Source."""
        if not is_json(response.body):
            document = read_syndicated(response)
        elif (rss := read_rss_in_json(response.body)) is not None:
            document = rss
        else:
            return parse_json_feed(self.settings, response)
        listings: list[Listing] = []
        rejected: list[Rejected] = []
        items = items_of(self.settings, response, document)
        for number, item in enumerate(items, 1):
            try:
                listings.append(_unproxied(item.listing(), item))
            except ParseError as error:
                rejected.append(Rejected(place=f"item {number}", reason=str(error)))
        return Page(
            listings=tuple(listings),
            rejected=(*rejected, *beyond(document)),
            rhythm=rhythm_of(document.feed),
        )


def _unproxied(listing: Listing, item: Item) -> Listing:
    """Return it with its own address where FeedBurner put one of its own.

    <link>http://feeds.feedburner.com/~r/Site/~3/1/a</link>
    <feedburner:origLink>http://site.example.org/a</feedburner:origLink>

    Elsewhere the same story stands under its own.
    """
    own = canonical_url(str(item.item.get("feedburner_origlink") or "").strip())
    return replace(listing, url=own) if own else listing
