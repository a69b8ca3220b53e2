"""Which entry each listing of one poll belongs to.

names -> what is known of them -> the entry that they lead to, or a new one
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from newsletter.identity.names import (
    SURE,
    aliases,
    content_hash,
    guid_alias,
    url_alias,
)
from newsletter.identity.reruns import Named, Shown, find_reruns
from newsletter.model import Listing


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the store knows, restricted to the names that were asked for."""

    #: alias -> entry id; the smaller id is the older entry.
    entries: Mapping[str, int] = field(default_factory=dict)
    #: url alias -> the guids that this source gave it to before.
    url_guids: Mapping[str, frozenset[str]] = field(default_factory=dict)
    #: What this source showed under the titles of ``strangers``.
    shown: tuple[Shown, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One listing and its entry."""

    listing: Listing
    #: Positive: an entry that there is. Negative: a new one, the same number
    #: for the same new entry.
    entry: int
    #: Names that lead to it from now on.
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Which entry each listing of one poll belongs to."""

    assignments: tuple[Assignment, ...]
    #: (older, younger): two entries found to be one.
    joins: tuple[tuple[int, int], ...]
    #: url aliases that turned out to be given to several guids: no names.
    withdrawn: frozenset[str]
    #: What goes by other guids from now on: its old ones are no names.
    renamed: tuple[Shown, ...] = ()


def resolve(named: Sequence[Named], known: Known) -> Resolution:
    """Return which entry each of one source's listings belongs to.

    Of several listings of one entry in one poll the first gives the time of
    listing and the last one text and votes.

    Args:
        named: ``name_all`` of what one source shows, in the order of its documents.
        known: What the store knows of all those names.
    """
    reruns = find_reruns(named, known.entries, known.shown)
    renamed = tuple(reruns.values())
    withdrawn = _ambiguous(named, known, renamed)
    same = {alias: row.entry for alias, row in reruns.items()}
    resolver = _Resolver(entries={**known.entries, **same})
    for listing, names in named:
        resolver.add(listing, tuple(n for n in names if n not in withdrawn))
    return Resolution(
        assignments=resolver.assignments(),
        joins=resolver.joins(),
        withdrawn=withdrawn,
        renamed=renamed,
    )


def name_all(listings: Sequence[Listing]) -> tuple[Named, ...]:
    """Return each listing with its names, one guid's different things told apart.

    A guid that one document gives to several things is no name by itself: the
    link is added where it tells them apart, else the content.
    """
    bearers: dict[str, list[Listing]] = defaultdict(list)
    for listing in listings:
        if listing.guid:
            bearers[guid_alias(listing)].append(listing)
    groups = {
        guid: {_tellers(listing) for listing in several}
        for guid, several in bearers.items()
        if len(several) > 1
    }
    return tuple((one, tuple(_told_apart(one, groups))) for one in listings)


def _told_apart(
    listing: Listing, groups: Mapping[str, set[tuple[str | None, str]]]
) -> Iterator[str]:
    """Yield the names of *listing*, its guid with a teller where it needs one."""
    for alias in aliases(listing):
        group = groups.get(alias, set())
        if len(group) < 2:  # noqa: PLR2004 - one thing needs no teller
            yield alias
            continue
        link, content = _tellers(listing)
        links = Counter(other for other, _ in group)
        yield f"{alias}|{link if link and links[link] == 1 else content}"


def _tellers(listing: Listing) -> tuple[str | None, str]:
    """Return what tells two things of one guid apart: the link, else the content."""
    return url_alias(listing.url), content_hash(listing)


def _ambiguous(
    named: Sequence[Named], known: Known, renamed: Iterable[Shown]
) -> frozenset[str]:
    """Return the url aliases that this source gives, or gave, to several guids.

    What has no guid counts by its text: a document that links ten notes to
    one page has ten notes. A guid that gave way to another counts no more.
    """
    given: dict[str, set[str]] = defaultdict(set)
    guids: dict[str, set[str]] = defaultdict(set)
    for listing, names in named:
        urls = [alias for alias in names if alias.startswith("url:")]
        for alias in urls:
            given[alias].update(n for n in names if n.startswith(("guid:", "text:")))
            guids[alias].update([listing.guid] if listing.guid else [])
    gone = frozenset(guid for row in renamed for guid in row.guids)
    return frozenset(
        alias
        for alias in given
        if len(given[alias]) > 1
        or len(guids[alias] | (known.url_guids.get(alias, frozenset()) - gone)) > 1
    )


def _age(entry: int) -> tuple[bool, int]:
    """Return the sort key of entries, the oldest first: stored ones, then new ones."""
    return entry < 0, abs(entry)


def _of_kind(names: Iterable[str], kind: str) -> set[str]:
    return {name for name in names if name.startswith(kind)}


def _are_two(ours: Iterable[str], theirs: Iterable[str]) -> bool:
    """Tell whether names say that there are two things, whatever they share.

    Two papers are never one; nor are two DOIs, unless they are one paper's.
    """
    for kind in SURE:
        one, other = _of_kind(ours, kind), _of_kind(theirs, kind)
        if one and other:
            return not one & other
    return False


def _by_trust(names: Iterable[str]) -> list[str]:
    """Return *names*, those by address last: a page may be of several things."""
    return sorted(names, key=lambda name: name.startswith("url:"))


def _merged(listings: Sequence[Listing]) -> Listing:
    """Return what one poll says of one entry: first listed, latest text and votes."""
    first, last = listings[0], listings[-1]
    if first is last:
        return last
    return replace(last, listed_at=first.listed_at, guid=first.guid)


@dataclass(slots=True)
class _Resolver:
    """Puts listings to entries, one after the other."""

    #: alias -> entry, the new ones included.
    entries: dict[str, int]
    #: younger -> older.
    joined: dict[int, int] = field(default_factory=dict)
    placed: dict[int, list[Listing]] = field(default_factory=dict)
    names: dict[int, dict[str, None]] = field(default_factory=dict)
    #: entry -> its arXiv ids and DOIs.
    sure: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    new: int = 0

    def __post_init__(self) -> None:
        """Note which papers the known entries are."""
        for alias, entry in self.entries.items():
            if alias.startswith(SURE):
                self.sure[entry].add(alias)

    def add(self, listing: Listing, names: Sequence[str]) -> None:
        """Place *listing* with the oldest entry that one of *names* leads to."""
        fitting = sorted(self._fitting(names), key=_age)
        if fitting:
            entry = fitting[0]
        else:
            self.new += 1
            entry = -self.new
        for younger in fitting[1:]:
            self._join(entry, younger)
        self.placed.setdefault(entry, []).append(listing)
        self.sure[entry].update(n for n in names if n.startswith(SURE))
        kept = self.names.setdefault(entry, {})
        for alias in names:
            if self._root(self.entries.setdefault(alias, entry)) == entry:
                kept[alias] = None

    def _fitting(self, names: Sequence[str]) -> set[int]:
        """Return the entries that are one by *names*, and no two of them two."""
        known = set(names)
        fitting: set[int] = set()
        for name in _by_trust(names):
            if name not in self.entries:
                continue
            entry = self._root(self.entries[name])
            if not _are_two(known, self.sure[entry]):
                fitting.add(entry)
                known |= self.sure[entry]
        return fitting

    def _root(self, entry: int) -> int:
        while entry in self.joined:
            entry = self.joined[entry]
        return entry

    def _join(self, older: int, younger: int) -> None:
        self.joined[younger] = older
        self.sure[older] |= self.sure.pop(younger, set())
        if younger in self.placed:
            self.placed.setdefault(older, []).extend(self.placed.pop(younger))
            self.names.setdefault(older, {}).update(self.names.pop(younger))

    def assignments(self) -> tuple[Assignment, ...]:
        """Return one assignment for each entry, in the order of first listing."""
        return tuple(
            Assignment(
                listing=_merged(listings),
                entry=entry,
                aliases=tuple(self.names[entry]),
            )
            for entry, listings in self.placed.items()
        )

    def joins(self) -> tuple[tuple[int, int], ...]:
        """Return the joins of entries that the store has."""
        return tuple((self._root(y), y) for y in self.joined if y > 0)
