"""The same thing under another guid: what a source showed before, shown anew.

    was   guid http://example.org/?p=7    link /a   "On owls"   Monday 9:00
    is    guid https://example.org/?p=7   link /a   "On owls"   Monday 9:00

A guid is a source's promise to call a thing the same for ever. Sites move,
change their software, or make a new guid at every fetch; then the promise is
broken, and every reader would get everything again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.identity.names import SURE, guid_alias, url_alias
from newsletter.model import Listing

#: A listing and its names.
Named = tuple[Listing, tuple[str, ...]]
#: So many of link, text and date must be the same beside the title.
_ENOUGH = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What one source once said of an entry, and what it called it then."""

    entry: int
    #: Every guid that the source gave it.
    guids: frozenset[str]
    #: As an alias. None: it had no link.
    url: str | None
    title: str
    summary: str
    published_at: datetime | None


def strangers(named: Sequence[Named], entries: Mapping[str, int]) -> tuple[Named, ...]:
    """Return those whose guid is new, and whom no surer name tells apart.

    Of these ``resolve`` wants to know what else their source called them.

    Args:
        named: Of one source's document.
        entries: alias -> entry, of all names that there are.
    """
    return tuple(
        (listing, names)
        for listing, names in named
        if listing.guid
        and not any(name.startswith(SURE) for name in names)
        and not any(name in entries for name in names if _is_guid(listing, name))
    )


def find_reruns(
    named: Sequence[Named], entries: Mapping[str, int], shown: Sequence[Shown]
) -> dict[str, Shown]:
    """Return what each new guid, by its alias, is another guid of.

    It is, where all that the source says of both is the same (see
    ``_is_same``), and the document no longer shows it under a guid that is
    known: where it does, the guids are what tells the two apart.
    """
    if not shown:
        return {}
    new = strangers(named, entries)
    strange = {id(listing) for listing, _ in new}
    taken = {
        entries[name]
        for listing, names in named
        if id(listing) not in strange
        for name in names
        if name in entries
    }
    # Of two that say the same, both are candidates; the older goes first.
    candidates: dict[str, list[Shown]] = defaultdict(list)
    for row in sorted(shown, key=lambda row: row.entry):
        candidates[row.title].append(row)
    still_shown = frozenset(taken)
    found: dict[str, Shown] = {}
    for listing, names in new:
        same = [row for row in candidates[listing.title] if _is_same(listing, row)]
        free = [row for row in same if row.entry not in taken]
        guid = next(name for name in names if _is_guid(listing, name))
        is_told_apart = any(row.entry in still_shown for row in same)
        if free and guid not in found and not is_told_apart:
            taken.add(free[0].entry)
            found[guid] = free[0]
    return found


def _is_guid(listing: Listing, name: str) -> bool:
    """Tell whether *name* is that by guid, with a teller or without."""
    return name.startswith(guid_alias(listing))


def _is_same(listing: Listing, row: Shown) -> bool:
    """Tell whether *listing* says what *row* said, but for its guid.

    The title and two of link, text and date; or less, where nothing differs.
    The link alone is not enough: it may always be that of the show, or of
    today's issue.
    """
    pairs = (
        (url_alias(listing.url), row.url),
        (listing.summary, row.summary),
        (listing.published_at, row.published_at),
    )
    agreeing = sum(bool(ours) and ours == theirs for ours, theirs in pairs)
    differing = sum(ours != theirs for ours, theirs in pairs)
    is_enough = agreeing >= _ENOUGH or (agreeing > 0 and not differing)
    return listing.title == row.title and is_enough
