"""Between the values that flow and the rows that last.

A reference in ``issues.items`` is the JSON list
``[entry, version, listed_at, votes, [[source, listed_at], …]]``, instants in
microseconds since 1970: a million issues a day are a million small rows. What
only comes close has ``[[field, word, millis], …]`` behind that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Any

from sqlalchemy import Row

from newsletter.model import (
    Acronym,
    Acronyms,
    Edition,
    EntryVersion,
    Field,
    IssueItem,
    IssueRecord,
    LedgerRow,
    Link,
    Listing,
    Newsletter,
    Ranking,
    Receipt,
    ScorePart,
    SourceListing,
    Subscriber,
    Window,
)
from newsletter.storage.columns import from_ticks, pack, to_ticks

_TICK = timedelta(microseconds=1)
#: What of an issue is a column of the same name and value.
_PLAIN = (
    "key",
    "subscriber_id",
    "public_id",
    "slot",
    "as_of",
    "prepared_at",
    "address",
    "name",
    "timezone",
    "language",
    "profile_hash",
    "edition_hash",
    "theme",
    "theme_hash",
    "headings",
    "skipped",
)
#: What of a version is what the listing says, as it says it.
_SAID = (
    "source",
    "title",
    "url",
    "summary",
    "authors",
    "categories",
    "published_at",
    "tldr",
    "thumbnail",
    "language",
)
#: The columns of ``weighed_of``.
WEIGHED = (
    "id",
    "entry_id",
    "source",
    "title",
    "url",
    "summary",
    "authors",
    "categories",
)
#: Columns of a subscriber, by the names of the fields.
SUBSCRIBER = tuple(field.name for field in fields(Subscriber))


def name_of(content: str) -> str:
    """Return the name of an immutable row: the SHA-256 of its content, in hex."""
    return sha256(content.encode()).hexdigest()


# --- entries ------------------------------------------------------------------


def version_row(listing: Listing) -> dict[str, object]:
    """Return the columns of a version that come from *listing*."""
    links = pack([[link.label, link.url] for link in listing.links])
    return {"links": links} | {name: getattr(listing, name) for name in _SAID}


def version_of(row: Row[Any]) -> EntryVersion:
    """Return the version that *row* of entry_versions holds."""
    links = tuple(Link(label=label, url=url) for label, url in json.loads(row.links))
    said = {name: getattr(row, name) for name in _SAID}
    return EntryVersion(id=row.id, entry_id=row.entry_id, links=links, **said)


def weighed_of(row: Row[Any]) -> EntryVersion:
    """Return of a version what is weighed and named; the rest is not read."""
    return EntryVersion(
        id=row.id,
        entry_id=row.entry_id,
        source=row.source,
        title=row.title,
        url=row.url,
        summary=row.summary,
        authors=row.authors,
        categories=row.categories,
    )


# --- subscribers --------------------------------------------------------------


def subscriber_of(row: Row[Any]) -> Subscriber:
    """Return the subscriber that *row* holds; an erased one has no address."""
    said = {name: getattr(row, name) for name in SUBSCRIBER}
    return Subscriber(**said | {"address": row.address or ""})


def subscribers_of(rows: Iterable[Row[Any]]) -> Iterator[Subscriber]:
    """Yield what ``subscriber_of`` returns, of rows with SUBSCRIBER's columns."""
    place = SUBSCRIBER.index("address")
    for row in rows:
        said = dict(zip(SUBSCRIBER, row, strict=True))
        if row[place] is None:
            said["address"] = ""
        yield Subscriber(**said)


# --- issues -------------------------------------------------------------------


class ItemPacker:
    """Packs lists of items of which many hold the same ones: each item once."""

    def __init__(self) -> None:
        """Know no item yet."""
        self._texts: dict[int, str] = {}
        # An item is kept as long as its text: its id is nobody else's.
        self._kept: list[IssueItem] = []

    def __call__(self, items: Sequence[IssueItem]) -> str:
        """Return *items* as ``issues.items`` holds them."""
        texts = self._texts
        for item in items:
            if id(item) not in texts:
                texts[id(item)] = _pack_items([item])[1:-1]
                self._kept.append(item)
        return f"[{','.join([texts[id(item)] for item in items])}]"


def issue_row(
    record: IssueRecord, pack_items: ItemPacker | None = None
) -> dict[str, object]:
    """Return the columns of an issue that come from *record*.

    Args:
        record: What the ledger keeps of it.
        pack_items: Where several records are packed in a row: what packs them.
    """
    packed = pack_items or _pack_items
    return {name: getattr(record, name) for name in _PLAIN} | {
        "window_after": record.window.after,
        "window_until": record.window.until,
        "window_not_before": record.window.not_before,
        "items": packed(record.items),
        "more": packed(record.more),
        "new": record.receipt.new,
        "matched": record.receipt.matched,
        "shown": record.receipt.shown,
    }


def ledger_row(row: Row[Any]) -> LedgerRow:
    """Return the issue that *row* holds, and where it stands."""
    plain = {name: getattr(row, name) for name in _PLAIN}
    items = _unpack_items(row.items)
    close = sum(bool(item.close) for item in items)
    record = IssueRecord(
        window=Window(
            after=row.window_after,
            until=row.window_until,
            not_before=row.window_not_before,
        ),
        items=items,
        more=_unpack_items(row.more),
        receipt=Receipt(new=row.new, matched=row.matched, shown=row.shown, close=close),
        **plain,
    )
    return LedgerRow(
        record=record,
        state=row.state,
        reason=row.reason,
        attempts=row.attempts,
        retry_at=row.retry_at,
        updated_at=row.updated_at,
    )


def _pack_items(items: Iterable[IssueItem]) -> str:
    return pack(
        [
            [
                item.entry_id,
                item.version_id,
                to_ticks(item.listed_at),
                item.votes,
                [[s.source, to_ticks(s.listed_at)] for s in item.sources],
                *(
                    [[[p.field, p.term, p.millis] for p in item.close]]
                    * bool(item.close)
                ),
            ]
            for item in items
        ]
    )


def _unpack_items(text: str) -> tuple[IssueItem, ...]:
    return tuple(
        IssueItem(
            entry_id=entry,
            version_id=version,
            listed_at=from_ticks(listed),
            votes=votes,
            sources=tuple(
                SourceListing(source=source, listed_at=from_ticks(ticks))
                for source, ticks in sources
            ),
            close=tuple(
                ScorePart(field=Field(name), term=word, millis=millis)
                for parts in close
                for name, word, millis in parts
            ),
        )
        for entry, version, listed, votes, sources, *close in json.loads(text)
    )


def item_entries(text: str) -> list[int]:
    """Return only the entries that ``issues.items`` refers to."""
    return [item[0] for item in json.loads(text)]


# --- editions -----------------------------------------------------------------


def pack_edition(edition: Edition) -> str:
    """Return *edition* as canonical JSON: numbers as text, spans as microseconds."""
    pairs = [[each.short, each.long] for each in edition.acronyms.pairs]
    return pack(
        {
            # Keys that came later stand only where they say something: editions
            # of before keep their names.
            **({"acronyms": pairs} if pairs else {}),
            "newsletter": asdict(edition.newsletter),
            "ranking": {
                name: value // _TICK if isinstance(value, timedelta) else str(value)
                for name, value in asdict(edition.ranking).items()
                if value or name != "frequency"
            },
        }
    )


@lru_cache(maxsize=8)
def unpack_edition(text: str) -> Edition:
    """Return the edition that pack_edition wrote; each issue of a run asks for it."""
    content = json.loads(text)
    return Edition(
        newsletter=Newsletter(**content["newsletter"]),
        ranking=Ranking(**_unpack_ranking(content["ranking"])),
        acronyms=Acronyms(
            tuple(
                Acronym(short=short, long=long)
                for short, long in content.get("acronyms", ())
            )
        ),
    )


def _unpack_ranking(content: Mapping[str, str | int]) -> dict[str, Any]:
    # An edition of before there was a key has what held then.
    content = {"frequency": "0", **content}
    return {
        name: value * _TICK if isinstance(value, int) else Decimal(value)
        for name, value in content.items()
    }
