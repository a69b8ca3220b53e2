"""What is one story: the names an entry goes by, and when two are one.

    arxiv:2508.13426   any shape of an arXiv paper's name, its DOI among them
    doi:10.1000/xyz    case folded
    url:example.org/a  canonical, whatever the scheme
    guid:source:name   what a source calls it, within that source
    text:source:hash   what it says, where a source gives it no guid

Every name is an alias; many lead to one entry. Titles differ between sources
(retitled, truncated, TeX) and are never a name. A URL is a name only while a
source gives it to one guid.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from yarl import URL

from newsletter.model import Listing

_NEW_ID = r"\d{4}\.\d{4,5}"
_OLD_ID = r"[a-z][a-z\-]+(?:\.[a-z]{2})?/\d{7}"
_ARXIV_ID = re.compile(rf"({_NEW_ID}|{_OLD_ID})(?:v\d+)?", re.ASCII | re.IGNORECASE)
_ARXIV_OAI = re.compile(r"(?:oai:arxiv\.org:|arxiv:\s*)(\S+)", re.ASCII | re.IGNORECASE)
_ARXIV_DOI = re.compile(r"10\.48550/arxiv\.(\S+)", re.ASCII | re.IGNORECASE)
_ARXIV_PATH = re.compile(
    r"/(?:abs|pdf|html|ps|format|papers?)/(.+?)(?:\.pdf|\.ps)?/?", re.ASCII
)
_ARXIV_HOSTS = re.compile(
    r"(?:(?:www|export|rss|browse)\.)?arxiv\.org|(?:www\.)?alphaxiv\.org"
    r"|huggingface\.co|hf\.co",
    re.ASCII,
)
_DOI = re.compile(r"(?:doi:\s*)?(10\.\d{4,9}/\S+)", re.ASCII | re.IGNORECASE)
_DOI_HOSTS = frozenset({"doi.org", "dx.doi.org", "www.doi.org"})

#: Query parameters that say how a reader came, not where.
_TRACKERS = re.compile(
    r"utm_\w+|fbclid|gclid|dclid|msclkid|mc_cid|mc_eid|igshid|yclid|_hsenc|_hsmi"
    r"|vero_id|wickedid|oly_anon_id|oly_enc_id|__s|at_campaign|at_medium|ref_src"
    r"|cmpid|ns_campaign|ns_source|ns_mchannel|s_cid|spm|xtor",
    re.ASCII | re.IGNORECASE,
)
#: As it stands in ASCII: a name, or an address.
_HOST = re.compile(r"[A-Za-z0-9._\-]+|[0-9A-Fa-f:.]+(?:%\w+)?", re.ASCII)
#: What is longer is nobody's link.
_LONGEST_URL = 4000


# --- names ----------------------------------------------------------------------


def paper_id(text: str) -> str | None:
    """Return the arXiv id that *text* is a form of, without version; else None.

    A bare id, ``oai:arXiv.org:…``, ``arXiv:…``, the DOI 10.48550/arXiv.…, and
    the addresses of arxiv.org and huggingface.co/papers.
    """
    text = text.strip()
    found = _ARXIV_OAI.fullmatch(text) or _ARXIV_DOI.search(text)
    name = found[1] if found else text
    if found is None and "://" in text:
        name = _paper_path(text)
    whole = _ARXIV_ID.fullmatch(name.rstrip("/"))
    return whole[1].lower() if whole else None


def _paper_path(text: str) -> str:
    """Return what may be an arXiv id in the path of *text*; empty: nothing."""
    url = _url(text)
    if url is None or not _ARXIV_HOSTS.fullmatch(url.host or ""):
        return ""
    found = _ARXIV_PATH.fullmatch(url.path)
    return found[1] if found else ""


def doi_of(text: str) -> str | None:
    """Return the DOI that *text* is a form of, case folded; else None."""
    text = text.strip()
    if "://" in text:
        url = _url(text)
        if url is None or (url.host or "") not in _DOI_HOSTS:
            return None
        text = url.path.removeprefix("/")
    found = _DOI.fullmatch(text)
    return found[1].rstrip(".").casefold() if found else None


def canonical_url(url: str) -> str | None:
    """Return an address in the one form that stands for it; None: no http(s).

    Host in lower case, no default port, no fragment, no tracking parameters.
    """
    parsed = _url(url)
    if parsed is None:
        return None
    kept = [(k, v) for k, v in parsed.query.items() if not _TRACKERS.fullmatch(k)]
    if len(kept) != len(parsed.query):
        parsed = parsed.with_query(kept)
    if parsed.raw_path == "/":
        parsed = parsed.with_path("/", keep_query=True)
    found = str(parsed.with_fragment(None))
    # Letters beyond ASCII are written as several; what is long by then is none.
    return found if len(found) <= _LONGEST_URL else None


def _url(text: str) -> URL | None:
    """Return *text* as an http(s) address with a host; None: it is none."""
    if len(text) > _LONGEST_URL:
        return None
    try:
        url = URL(text.strip())
        host = url.raw_host or ""
        usable = url.scheme in {"http", "https"} and bool(_HOST.fullmatch(host))
        # Both fail late on some text that is no address.
        _ = url.port, url.query
    except (ValueError, TypeError, UnicodeError):
        return None
    if not usable:
        return None
    if url.is_default_port():
        url = url.with_port(None)
    return url.with_user(None)


def aliases(listing: Listing) -> tuple[str, ...]:
    """Return the names that *listing* gives its entry, the surest first."""
    said = [*listing.identifiers, listing.url or "", listing.guid or ""]
    linked = [link.url for link in listing.links if link.label in {"paper", "pdf"}]
    found = [f"arxiv:{p}" for text in (*said, *linked) if (p := paper_id(text))]
    found += [
        f"doi:{doi}" for text in said if (doi := doi_of(text)) and not paper_id(text)
    ]
    if (url := _url_alias(listing)) is not None:
        found.append(url)
    found.append(_guid_alias(listing) if listing.guid else _text_alias(listing))
    return tuple(dict.fromkeys(found))


def _url_alias(listing: Listing) -> str | None:
    """Return the name by address; http and https are one."""
    url = canonical_url(listing.url) if listing.url else None
    return None if url is None else f"url:{url.partition('://')[2]}"


def _guid_alias(listing: Listing) -> str:
    return f"guid:{listing.source}:{listing.guid}"


def _text_alias(listing: Listing) -> str:
    """Return the last resort of what has no guid: its address and what it says.

    Without it, an item with neither guid nor link would be new at each poll.
    """
    said = f"{_url_alias(listing)}\n{listing.title}\n{listing.summary}"
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


# --- which entry each listing belongs to -----------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the store knows, restricted to the names that were asked for."""

    #: alias -> entry id; the smaller id is the older entry.
    entries: Mapping[str, int] = field(default_factory=dict)
    #: url alias -> the guids that this source gave it to before.
    url_guids: Mapping[str, frozenset[str]] = field(default_factory=dict)


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


def needed_aliases(listings: Sequence[Listing]) -> frozenset[str]:
    """Return every name that ``resolve`` will want to know of."""
    named = _named(listings)
    return frozenset(alias for _, names in named for alias in names)


def resolve(listings: Sequence[Listing], known: Known) -> Resolution:
    """Return which entry each of one source's listings belongs to.

    Of several listings of one entry in one poll the first gives the time of
    listing and the last one text and votes.

    Args:
        listings: Of one source, in the order of its documents.
        known: What the store knows of ``needed_aliases(listings)``.
    """
    named = _named(listings)
    withdrawn = _ambiguous(named, known)
    resolver = _Resolver(entries=dict(known.entries))
    for listing, names in named:
        resolver.add(listing, tuple(n for n in names if n not in withdrawn))
    return Resolution(
        assignments=resolver.assignments(),
        joins=resolver.joins(),
        withdrawn=withdrawn,
    )


def _named(listings: Sequence[Listing]) -> list[tuple[Listing, tuple[str, ...]]]:
    """Return each listing with its names, one guid's different things told apart.

    A guid that one document gives to several things is no name by itself: the
    link is added where it tells them apart, else the content.
    """
    groups: dict[str, set[tuple[str | None, str]]] = defaultdict(set)
    for listing in listings:
        if listing.guid:
            groups[_guid_alias(listing)].add(_tellers(listing))
    return [(listing, tuple(_told_apart(listing, groups))) for listing in listings]


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
    return _url_alias(listing), content_hash(listing)


def _ambiguous(
    named: Sequence[tuple[Listing, tuple[str, ...]]], known: Known
) -> frozenset[str]:
    """Return the url aliases that this source gives, or gave, to several guids.

    What has no guid counts by its text: a document that links ten notes to
    one page has ten notes.
    """
    given: dict[str, set[str]] = defaultdict(set)
    guids: dict[str, set[str]] = defaultdict(set)
    for listing, names in named:
        urls = [alias for alias in names if alias.startswith("url:")]
        for alias in urls:
            given[alias].update(n for n in names if n.startswith(("guid:", "text:")))
            guids[alias].update([listing.guid] if listing.guid else [])
    return frozenset(
        alias
        for alias in given
        if len(given[alias]) > 1
        or len(guids[alias] | known.url_guids.get(alias, frozenset())) > 1
    )


def _age(entry: int) -> tuple[bool, int]:
    """Return the sort key of entries, the oldest first: stored ones, then new ones."""
    return entry < 0, abs(entry)


def _papers(names: Iterable[str]) -> set[str]:
    return {name for name in names if name.startswith("arxiv:")}


def _merged(listings: Sequence[Listing]) -> Listing:
    """Return what one poll says of one entry: first listed, latest text and votes."""
    first, last = listings[0], listings[-1]
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
    #: entry -> its arXiv names.
    papers: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    new: int = 0

    def __post_init__(self) -> None:
        """Note which papers the known entries are."""
        for alias in _papers(self.entries):
            self.papers[self.entries[alias]].add(alias)

    def add(self, listing: Listing, names: Sequence[str]) -> None:
        """Place *listing* with the oldest entry that one of *names* leads to."""
        ours = _papers(names)
        found = {self._root(self.entries[n]) for n in names if n in self.entries}
        fitting = sorted((e for e in found if self._agrees(e, ours)), key=_age)
        if fitting:
            entry = fitting[0]
        else:
            self.new += 1
            entry = -self.new
        for younger in fitting[1:]:
            self._join(entry, younger)
        self.placed.setdefault(entry, []).append(listing)
        self.papers[entry] |= ours
        kept = self.names.setdefault(entry, {})
        for alias in names:
            if self._root(self.entries.setdefault(alias, entry)) == entry:
                kept[alias] = None

    def _root(self, entry: int) -> int:
        while entry in self.joined:
            entry = self.joined[entry]
        return entry

    def _agrees(self, entry: int, ours: set[str]) -> bool:
        """Two papers are never one, whatever else they share."""
        theirs = self.papers[entry]
        return not ours or not theirs or bool(ours & theirs)

    def _join(self, older: int, younger: int) -> None:
        self.joined[younger] = older
        self.papers[older] |= self.papers.pop(younger)
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
