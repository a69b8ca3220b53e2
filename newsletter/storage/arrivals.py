"""What a source shows of entries whose identity is settled.

Listings (the first time only), versions (where the text differs from that
source's last one), sightings (where the votes differ from the last ones).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from newsletter.identity import content_hash
from newsletter.model import (
    HeldFor,
    Listing,
    ListingState,
    PutReport,
    SourceSettings,
)
from newsletter.release import Admission, Newcomer, admit
from newsletter.storage.codec import version_row
from newsletter.storage.database import blocks
from newsletter.storage.handful import Handful
from newsletter.storage.recalling import Recall
from newsletter.storage.schema import entry_versions, listings, sightings


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """One poll of one source, within an open transaction."""

    handful: Handful
    source: SourceSettings
    as_of: datetime
    seen_at: datetime
    #: No earlier poll of the source parsed.
    first: bool

    @property
    def recall(self) -> Recall:
        """What this source showed before."""
        return Recall(connection=self.handful.connection, source=self.source.name)

    def store(
        self, shown: Mapping[int, Listing], *, made: Collection[int]
    ) -> PutReport:
        """Store what each entry is shown as; return what that changed.

        Args:
            shown: By entry.
            made: Those of them that were made a moment ago: nothing is known
                of them, and nothing is asked.
        """
        before = frozenset(shown).difference(made)
        known = self._listed(before)
        changed = self._add_versions(shown, before)
        self._add_sightings(shown, before)
        admitted = self._add_listings(
            {entry: found for entry, found in shown.items() if entry not in known}
        )
        states = [admission.state for admission in admitted]
        reasons = [admission.held_for for admission in admitted]
        return PutReport(
            source=self.source.name,
            new=len(states),
            passed_over=states.count(ListingState.PASSED_OVER),
            held=states.count(ListingState.HELD),
            held_reruns=reasons.count(HeldFor.RERUN),
            held_old=reasons.count(HeldFor.OLD),
            changed=len(changed & known),
            known=len(known - changed),
        )

    def _listed(self, entries: Iterable[int]) -> frozenset[int]:
        """Return which entries this source has shown before."""
        known: set[int] = set()
        for block in blocks(entries):
            query = select(listings.c.entry_id).where(
                listings.c.source == self.source.name, listings.c.entry_id.in_(block)
            )
            known.update(self.handful.connection.scalars(query))
        return frozenset(known)

    def _add_listings(self, new: Mapping[int, Listing]) -> tuple[Admission, ...]:
        """Add a listing for each entry that is new here; return what becomes of it."""
        admitted = self._admit(tuple(new.values()))
        rows = [
            {
                "entry_id": entry,
                "source": self.source.name,
                "guid": listing.guid,
                "listed_at": listing.listed_at,
                "seen_at": self.seen_at,
                "state": admission.state,
            }
            for (entry, listing), admission in zip(new.items(), admitted, strict=True)
        ]
        self.handful.add(listings, rows)
        return admitted

    def _admit(self, new: Sequence[Listing]) -> tuple[Admission, ...]:
        if self.first:
            # There is nothing before it that anything could be like.
            return admit(
                [Newcomer(listed_at=listing.listed_at) for listing in new],
                first=True,
                as_of=self.as_of,
                read_at=self.as_of,
                first_days=self.source.first_days,
                max_new=self.source.max_new,
            )
        recall = self.recall
        read_at = recall.read_at(self.as_of)
        return admit(
            recall.newcomers(new),
            first=False,
            as_of=self.as_of,
            read_at=read_at,
            first_days=self.source.first_days,
            max_new=self.source.max_new,
            late_before=recall.late_before(new, read_at=read_at, as_of=self.as_of),
        )

    def _add_versions(
        self, texts: Mapping[int, Listing], before: Iterable[int]
    ) -> frozenset[int]:
        """Add a version of each text that is new; return whose they are."""
        last = self._last_hashes(before)
        hashes = {entry: content_hash(listing) for entry, listing in texts.items()}
        rows = [
            {
                "entry_id": entry,
                "content_hash": hashes[entry],
                "seen_at": self.seen_at,
                **version_row(listing),
            }
            for entry, listing in texts.items()
            if hashes[entry] != last.get(entry)
        ]
        self.handful.add(entry_versions, rows)
        return frozenset(e for e in texts if hashes[e] != last.get(e))

    def _last_hashes(self, entries: Iterable[int]) -> dict[int, str]:
        """Return the hash of this source's last text of each entry."""
        found: dict[int, str] = {}
        for block in blocks(entries):
            newest = (
                select(func.max(entry_versions.c.id))
                .where(
                    entry_versions.c.entry_id.in_(block),
                    entry_versions.c.source == self.source.name,
                )
                .group_by(entry_versions.c.entry_id)
            )
            query = select(entry_versions.c.entry_id, entry_versions.c.content_hash)
            rows = self.handful.connection.execute(
                query.where(entry_versions.c.id.in_(newest))
            )
            found.update({row.entry_id: row.content_hash for row in rows})
        return found

    def _add_sightings(
        self, shown: Mapping[int, Listing], before: Iterable[int]
    ) -> None:
        """Add a sighting of each entry whose votes changed."""
        last = self._last_votes(e for e in before if shown[e].votes is not None)
        rows = [
            {
                "entry_id": entry,
                "source": self.source.name,
                "votes": listing.votes,
                "seen_at": self.seen_at,
            }
            for entry, listing in shown.items()
            if listing.votes is not None and listing.votes != last.get(entry)
        ]
        self.handful.add(sightings, rows)

    def _last_votes(self, entries: Iterable[int]) -> dict[int, int]:
        """Return the votes that each entry had here at its last sighting.

        Of those up to now: a run for a past instant adds to the past.
        """
        found: dict[int, int] = {}
        for block in blocks(entries):
            rows = self.handful.connection.execute(
                select(sightings.c.entry_id, sightings.c.votes)
                .where(
                    sightings.c.entry_id.in_(block),
                    sightings.c.source == self.source.name,
                    sightings.c.seen_at <= self.seen_at,
                )
                .order_by(sightings.c.seen_at, sightings.c.id)
            )
            # The last one wins.
            found.update({row.entry_id: row.votes for row in rows})
        return found
