"""One poll's listings put to the entries that they belong to.

names looked up -> what the store knows of them, and of what has new ones
-> identity.resolve -> joins, new entries, names
-> arrivals: listings, versions, sightings
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import delete, or_, select

from newsletter import identity
from newsletter.identity import SURE, Named
from newsletter.model import PutReport
from newsletter.storage.arrivals import Arrivals
from newsletter.storage.database import blocks
from newsletter.storage.handful import Handful
from newsletter.storage.joins import join
from newsletter.storage.schema import entry_aliases, url_guids


@dataclass(frozen=True, slots=True, kw_only=True)
class Putting:
    """One poll of one source, within an open transaction."""

    handful: Handful
    arrivals: Arrivals

    def run(self, named: Sequence[Named]) -> PutReport:
        """Store *named* (see identity.name_all); return what that changed."""
        given = _given_urls(named)
        known = self._known(named, given)
        resolution = identity.resolve(named, known)
        for older, younger in resolution.joins:
            join(self.handful.connection, younger, older=older)
        self._withdraw(resolution.withdrawn)
        self._forget(resolution.renamed)
        self._remember(given, known.url_guids)
        made = self._make_entries(resolution.assignments)
        self._add_aliases(resolution.assignments, made, known.entries)
        shown = {made.get(a.entry, a.entry): a.listing for a in resolution.assignments}
        return replace(
            self.arrivals.store(shown, made=frozenset(made.values())),
            joined=len(resolution.joins),
            renamed=len(resolution.renamed),
        )

    # --- what is known ---

    def _known(
        self, named: Sequence[Named], given: Mapping[str, frozenset[str]]
    ) -> identity.Known:
        """Return what the store knows of all the names that there are."""
        found = self._entries_of({alias for _, names in named for alias in names})
        strangers = identity.strangers(named, found)
        if self.arrivals.first and not found:
            # It has shown nothing yet that could go by another guid.
            strangers = ()
        shown: tuple[identity.Shown, ...] = ()
        if strangers:
            shown = self.arrivals.recall.shown([listing for listing, _ in strangers])
        # The papers that these entries are: two papers are never joined.
        every = {*found.values(), *(row.entry for row in shown)}
        return identity.Known(
            entries=self._papers_of(every) | found,
            url_guids=self._guids_of(given),
            shown=shown,
        )

    def _entries_of(self, names: Collection[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for block in blocks(self.handful.may_lead(names)):
            query = select(entry_aliases).where(entry_aliases.c.alias.in_(block))
            rows = self.handful.connection.execute(query)
            found.update({row.alias: row.entry_id for row in rows})
        return found

    def _papers_of(self, ids: Iterable[int]) -> dict[str, int]:
        found: dict[str, int] = {}
        for block in blocks(ids):
            query = select(entry_aliases).where(
                entry_aliases.c.entry_id.in_(block),
                or_(*(entry_aliases.c.alias.startswith(kind) for kind in SURE)),
            )
            rows = self.handful.connection.execute(query)
            found.update({row.alias: row.entry_id for row in rows})
        return found

    def _guids_of(self, urls: Collection[str]) -> dict[str, frozenset[str]]:
        """Return which guids this source gave these addresses to before."""
        found: dict[str, frozenset[str]] = {}
        source = self.arrivals.source.name
        for block in blocks(self.handful.may_be_given(source, urls)):
            query = select(url_guids.c.url, url_guids.c.guid).where(
                url_guids.c.source == source,
                url_guids.c.url.in_(block),
            )
            for row in self.handful.connection.execute(query):
                found[row.url] = found.get(row.url, frozenset()) | {row.guid}
        return found

    # --- what becomes known ---

    def _withdraw(self, names: Iterable[str]) -> None:
        """Take names away that turned out to be none."""
        for block in blocks(names):
            self.handful.connection.execute(
                delete(entry_aliases).where(entry_aliases.c.alias.in_(block))
            )

    def _forget(self, renamed: Iterable[identity.Shown]) -> None:
        """Take the guids away that gave way to others.

        Kept, they would be one more row at each poll of a source that makes a
        new guid every time.
        """
        source = self.arrivals.source.name
        for row in renamed:
            names = [f"guid:{source}:{guid}" for guid in row.guids]
            self.handful.connection.execute(
                delete(entry_aliases).where(entry_aliases.c.alias.in_(names))
            )
            self.handful.connection.execute(
                delete(url_guids).where(
                    url_guids.c.source == source,
                    url_guids.c.url == row.url,
                    url_guids.c.guid.in_(row.guids),
                )
            )

    def _remember(
        self,
        given: Mapping[str, frozenset[str]],
        before: Mapping[str, frozenset[str]],
    ) -> None:
        """Keep which guids this source gives an address to."""
        rows = [
            {"source": self.arrivals.source.name, "url": url, "guid": guid}
            for url, guids in given.items()
            for guid in sorted(guids - before.get(url, frozenset()))
        ]
        self.handful.give(rows)

    def _make_entries(
        self, assignments: Iterable[identity.Assignment]
    ) -> dict[int, int]:
        """Make the entries that are new; return their ids by the number they had.

        Ids rise in the order of the document: the smaller is the older.
        """
        return {
            a.entry: self.handful.make_entry(self.arrivals.seen_at)
            for a in assignments
            if a.entry < 0
        }

    def _add_aliases(
        self,
        assignments: Iterable[identity.Assignment],
        made: Mapping[int, int],
        known: Mapping[str, int],
    ) -> None:
        """Add the names that are new; those of joined entries moved with them."""
        rows = [
            {"alias": alias, "entry_id": made.get(a.entry, a.entry)}
            for a in assignments
            for alias in a.aliases
            if alias not in known
        ]
        self.handful.name(rows)


def _given_urls(named: Iterable[Named]) -> dict[str, frozenset[str]]:
    """Return the addresses that listings bear, each with the guids there."""
    given: dict[str, frozenset[str]] = {}
    for listing, names in named:
        if listing.guid is not None:
            for alias in names:
                if alias.startswith("url:"):
                    given[alias] = given.get(alias, frozenset()) | {listing.guid}
    return given
