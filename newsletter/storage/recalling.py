"""What a source showed before: to know it under another guid, to see a flood.

No index is by source alone or by title. What each poll asks goes by link and
by date; what goes through a source's listings is asked only of a fetch that
may be held.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, func, literal, select, type_coerce

from newsletter.identity import Shown, has_sure_name, url_alias
from newsletter.model import Listing, ListingState
from newsletter.release import (
    FEWEST_OLD,
    FEWEST_RERUNS,
    HABIT_LASTS,
    OLD_AFTER,
    Newcomer,
    is_old,
)
from newsletter.storage.columns import TICK
from newsletter.storage.database import blocks
from newsletter.storage.schema import (
    entry_aliases,
    entry_versions,
    listings,
    sources,
    url_guids,
)

_OLD_TICKS = OLD_AFTER // TICK


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Looks back at one source, within an open transaction."""

    connection: Connection
    source: str

    # --- what goes by another guid ---

    def shown(self, strangers: Sequence[Listing]) -> tuple[Shown, ...]:
        """Return what was shown under the titles of *strangers*.

        Found by their links and their dates: all that may be the same has one
        of the two.
        """
        links = {alias for one in strangers if (alias := url_alias(one.url))}
        dates = {one.listed_at for one in strangers if one.published_at is not None}
        found = {row.entry_id for row in self._by_link(links)} | self._by_date(dates)
        guids = self._guids_of(found)
        titles = {one.title for one in strangers}
        return tuple(
            Shown(
                entry=row.entry_id,
                guids=guids.get(row.entry_id, frozenset()),
                url=url_alias(row.url),
                title=row.title,
                summary=row.summary,
                published_at=row.published_at,
            )
            for row in self._versions_of(found)
            if row.title in titles
        )

    def _by_link(self, links: Iterable[str]) -> Iterable[Any]:
        """Yield the links that entries had here, with the entries, the oldest first."""
        prefix = literal(f"guid:{self.source}:")
        for block in blocks(sorted(links)):
            query = (
                select(url_guids.c.url, entry_aliases.c.entry_id)
                .join(entry_aliases, entry_aliases.c.alias == prefix + url_guids.c.guid)
                .where(url_guids.c.source == self.source, url_guids.c.url.in_(block))
                .order_by(entry_aliases.c.entry_id)
            )
            yield from self.connection.execute(query)

    def _by_date(self, dates: Iterable[datetime]) -> set[int]:
        found: set[int] = set()
        for block in blocks(sorted(dates)):
            query = select(listings.c.entry_id).where(
                listings.c.source == self.source, listings.c.listed_at.in_(block)
            )
            found.update(self.connection.scalars(query))
        return found

    def _guids_of(self, entries: Iterable[int]) -> dict[int, frozenset[str]]:
        """Return what this source calls each entry."""
        prefix = f"guid:{self.source}:"
        found: defaultdict[int, set[str]] = defaultdict(set)
        for block in blocks(sorted(entries)):
            query = select(entry_aliases).where(entry_aliases.c.entry_id.in_(block))
            for row in self.connection.execute(query):
                if row.alias.startswith(prefix):
                    found[row.entry_id].add(row.alias.removeprefix(prefix))
        return {entry: frozenset(names) for entry, names in found.items()}

    def _versions_of(self, entries: Iterable[int]) -> Iterable[Any]:
        for block in blocks(sorted(entries)):
            yield from self.connection.execute(
                select(
                    entry_versions.c.entry_id,
                    entry_versions.c.url,
                    entry_versions.c.title,
                    entry_versions.c.summary,
                    entry_versions.c.published_at,
                ).where(
                    entry_versions.c.entry_id.in_(block),
                    entry_versions.c.source == self.source,
                )
            )

    # --- what may be a flood ---

    def read_at(self, as_of: datetime) -> datetime:
        """Return when the source was read before; *as_of* where that is unknown."""
        query = select(sources.c.last_ok_at).where(sources.c.name == self.source)
        last: datetime | None = self.connection.scalar(query)
        return as_of if last is None else min(last, as_of)

    def newcomers(self, new: Sequence[Listing]) -> tuple[Newcomer, ...]:
        """Return *new* with what became of what was like them before.

        Looked up only where there are enough for a flood. What has an arXiv id
        or a DOI is told apart by that, and never like another.
        """
        if len(new) < FEWEST_RERUNS:
            return tuple(Newcomer(listed_at=one.listed_at) for one in new)
        # (link, title) of each; empty: none that would be looked up.
        likes = [
            ("", "") if has_sure_name(one) else (url_alias(one.url) or "", one.title)
            for one in new
        ]
        links = {link for link, _ in likes if link}
        titles = {title for _, title in likes if title}
        by_link = self._states((r.url, r.entry_id) for r in self._by_link(links))
        by_title = self._states(self._by_title(titles))
        return tuple(
            Newcomer(
                listed_at=one.listed_at,
                same_link=by_link.get(link, ()),
                same_title=by_title.get(title, ()),
            )
            for one, (link, title) in zip(new, likes, strict=True)
        )

    def late_before(
        self, new: Sequence[Listing], *, read_at: datetime, as_of: datetime
    ) -> int:
        """Return how many were old when they were let in lately.

        Not at the first fetch, where ``first_days`` says what is. Zero where
        too few of *new* are old for it to matter.
        """
        if sum(is_old(one.listed_at, read_at) for one in new) < FEWEST_OLD:
            return 0
        ours = listings.c.source == self.source
        began = select(func.min(listings.c.seen_at)).where(ours).scalar_subquery()
        waited = type_coerce(listings.c.seen_at, BigInteger) - type_coerce(
            listings.c.listed_at, BigInteger
        )
        query = select(func.count()).where(
            ours,
            listings.c.state.in_([ListingState.PENDING, ListingState.RELEASED]),
            listings.c.seen_at > began,
            listings.c.seen_at > as_of - HABIT_LASTS,
            waited > _OLD_TICKS,
        )
        return self.connection.scalar(query) or 0

    def _by_title(self, titles: Iterable[str]) -> Iterable[tuple[str, int]]:
        """Yield the titles that entries had here, with the entries."""
        ours = select(listings.c.entry_id).where(listings.c.source == self.source)
        for block in blocks(sorted(titles)):
            query = select(entry_versions.c.title, entry_versions.c.entry_id).where(
                entry_versions.c.entry_id.in_(ours),
                entry_versions.c.source == self.source,
                entry_versions.c.title.in_(block),
            )
            yield from ((r.title, r.entry_id) for r in self.connection.execute(query))

    def _states(
        self, likes: Iterable[tuple[str, int]]
    ) -> dict[str, tuple[ListingState, ...]]:
        """Return what became of the entries of each link or title, oldest first."""
        pairs = sorted(set(likes))
        states: dict[int, ListingState] = {}
        for block in blocks(sorted({entry for _, entry in pairs})):
            query = select(listings.c.entry_id, listings.c.state).where(
                listings.c.source == self.source, listings.c.entry_id.in_(block)
            )
            states.update({r.entry_id: r.state for r in self.connection.execute(query)})
        found: defaultdict[str, list[ListingState]] = defaultdict(list)
        for like, entry in pairs:
            # What is stored in this very poll has no listing yet.
            if entry in states:
                found[like].append(states[entry])
        return {like: tuple(every) for like, every in found.items()}
