"""Values to fill a store with, and a store that is easily filled."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from newsletter.model import (
    Candidate,
    Edition,
    IssueItem,
    IssueRecord,
    Listing,
    Newsletter,
    Origin,
    Profile,
    PutReport,
    Ranking,
    Receipt,
    SourceListing,
    SourceSettings,
    SourceState,
    Subscriber,
    SubscriberSpec,
    SubscriberStatus,
    Window,
)
from newsletter.ports import Shown
from newsletter.storage import Store

#: A Monday morning.
NOW = datetime(2026, 3, 2, 6, 0, 0, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SECRET = b"a secret of the tests"
ORDER = ("hf", "arxiv", "blog")


def listing(name: str, source: str = "hf", **changes: object) -> Listing:
    """Return the listing of an entry that goes by *name*, an arXiv id or a DOI."""
    values: dict[str, Any] = {
        "source": source,
        "guid": f"{source}-{name}",
        "title": f"About {name}",
        "url": None,
        "listed_at": NOW,
        "identifiers": (name,),
    }
    return Listing(**(values | changes))


def post(guid: str | None, url: str | None, **changes: object) -> Listing:
    """Return the listing of a blog post, named by guid and URL only."""
    title = f"Post {guid} {url}"
    values: dict[str, Any] = {"source": "blog", "title": title, "listed_at": NOW}
    return Listing(guid=guid, url=url, **(values | changes))


def spec(address: str, **changes: object) -> SubscriberSpec:
    """Return a reader as the file would name one."""
    values: dict[str, Any] = {
        "timezone": "UTC",
        "language": "en",
        "schedule": ("daily 07:30",),
        "profile": Profile(),
    }
    return SubscriberSpec(address=address, **(values | changes))


def edition(title: str = "Test Papers") -> Edition:
    return Edition(
        newsletter=Newsletter(
            title=title,
            from_name="Papers",
            from_address="digest@example.org",
            list_id="papers.example.org",
            reply_to="re@example.org",
        ),
        ranking=Ranking(votes=Decimal("0.25"), half_life=timedelta(days=2, hours=1)),
    )


def item(entry_id: int, **changes: object) -> IssueItem:
    values: dict[str, Any] = {
        "version_id": 1,
        "listed_at": NOW,
        "votes": None,
        "sources": (SourceListing(source="hf", listed_at=NOW),),
    }
    return IssueItem(entry_id=entry_id, **(values | changes))


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """An open store, with the words of the tests."""

    store: Store

    # --- entries ---

    def state(self, name: str) -> SourceState:
        return self.store.sources.find([name])[name]

    def put(
        self,
        *listings: Listing,
        at: datetime = NOW,
        first: bool = False,
        max_new: int = 2000,
        first_days: float = 3.0,
    ) -> PutReport:
        """Store what one source, that of the first listing, shows *at*."""
        settings = SourceSettings(
            name=listings[0].source if listings else "hf",
            kind="feed",
            url="https://example.org/feed",
            max_new=max_new,
            first_days=first_days,
        )
        shown = Shown(source=settings, listings=listings, seen_at=at, first=first)
        (report,) = self.store.entries.put([shown], as_of=at)
        return report

    def release(self, at: datetime = NOW, **settle: timedelta) -> int:
        return self.store.entries.release(as_of=at, settle=settle)

    def show(self, *listings: Listing, at: datetime = NOW) -> PutReport:
        """Store and release."""
        report = self.put(*listings, at=at)
        self.release(at)
        return report

    def window(
        self,
        after: int = 0,
        until: int = 1000,
        not_before: datetime | None = None,
        order: Sequence[str] = ORDER,
    ) -> tuple[Candidate, ...]:
        window = Window(after=after, until=until, not_before=not_before)
        return self.store.entries.window(window, source_order=order)

    def titles(self, after: int = 0, until: int = 1000) -> list[str]:
        return [c.version.title for c in self.window(after, until)]

    # --- readers ---

    def read_file(self, *specs: SubscriberSpec, at: datetime = NOW) -> Any:  # noqa: ANN401 - a report; most tests look at one field
        return self.store.subscribers.reconcile(specs, as_of=at, at=at)

    def reader(self, address: str = "ada@example.org", **changes: object) -> Subscriber:
        """Return a reader of the file, alone in it, new."""
        self.read_file(spec(address, **changes))
        return self.store.subscribers.get(address)

    def move(
        self, who: Subscriber, status: SubscriberStatus, *, at: datetime = NOW
    ) -> Subscriber:
        return self.store.subscribers.set_status(
            who.id, status, reason="a test", origin=Origin.COMMAND, as_of=at, at=at
        )

    # --- issues ---

    def record(
        self, who: Subscriber, slot: datetime = NOW, **changes: object
    ) -> IssueRecord:
        """Return an issue of *who* for *slot*, not stored yet."""
        name = f"{who.public_id} {slot}".encode()
        values: dict[str, Any] = {
            "key": hashlib.sha256(name).hexdigest()[:32],
            "subscriber_id": who.id,
            "public_id": who.public_id,
            "slot": slot,
            "as_of": slot,
            "window": Window(after=0, until=3),
            "prepared_at": slot,
            "address": who.address,
            "name": who.name,
            "timezone": who.timezone,
            "language": who.language,
            "profile_hash": who.profile_hash,
            "edition_hash": self.store.ledger.put_edition(edition()),
            "theme": "default",
            "theme_hash": "t" * 64,
            "items": (item(1),),
            "headings": ("",),
            "more": (),
            "receipt": Receipt(new=3, matched=2, shown=1),
            "skipped": (),
        }
        return IssueRecord(**(values | changes))

    def prepare(
        self,
        who: Subscriber,
        record: IssueRecord | None,
        *,
        cursor: int = 3,
        next_slot: datetime | None = NOW + DAY,
        skipped: Sequence[date] = (),
        left_out: bool = False,
        at: datetime = NOW,
    ) -> bool:
        return self.store.ledger.prepare(
            who,
            record=record,
            cursor=cursor,
            next_slot=next_slot,
            skipped=skipped,
            left_out=left_out,
            at=at,
        )

    def issue(
        self, who: Subscriber, slot: datetime = NOW, **changes: object
    ) -> IssueRecord:
        """Return an issue of *who* for *slot*, ready in the ledger."""
        record = self.record(who, slot, **changes)
        assert self.prepare(self.store.subscribers.get(who.public_id), record, at=slot)
        return record
