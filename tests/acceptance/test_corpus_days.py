"""Ten days of real papers: who gets what, checked against a bookkeeping oracle.

The oracle knows nothing of seq, cursors, aliases or SQL. It reads the same
documents with the same parsers, keeps in plain dictionaries which source
showed which paper at which run, and ranks with the reference evaluator.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.app import App, open_app, read_settings
from newsletter.config import load_subscribers
from newsletter.matching import match_profile
from newsletter.model import (
    Candidate,
    EntryVersion,
    IssueRecord,
    Listing,
    Request,
    Response,
    Sections,
    SourceListing,
    SubscriberSpec,
)
from newsletter.schedule import next_slot, parse_schedule, zone
from newsletter.sources import make_source
from tests.support.corpus import Publisher, load_publisher, serve_corpus
from tests.support.web import HttpServer

FIRST = date(2026, 5, 11)
DAYS = tuple(FIRST + timedelta(days=n) for n in range(10))
HOUR = timedelta(hours=1)

READERS = """
[[subscribers]]
address = "diffusion@example.org"
timezone = "Europe/London"
schedule = "daily 07:30"
interests = ["diffusion"]

[[subscribers]]
address = "hf@example.org"
schedule = "daily 12:00"
interests = ["source:hf"]
order = "votes"
max_items = 100

[[subscribers]]
address = "votes@example.org"
timezone = "America/New_York"
schedule = "weekdays 18:00"
interests = ["agent*", { query = '"language model*"', name = "Language models" }]
order = "votes"
max_items = 30

[[subscribers]]
address = "newest@example.org"
timezone = "Asia/Tokyo"
schedule = "weekdays 20:15"
interests = ['"reinforcement learning" OR title:reward*', "robot*"]
mutes = ["survey"]
order = "newest"

[[subscribers]]
address = "weekly@example.org"
timezone = "Asia/Kolkata"
schedule = "mon,thu 08:00"
interests = ["video", "benchmark AND NOT robot*"]
sections = "interest"
"""


def paper_of(url: str | None) -> str:
    """Return the arXiv id at the end of a paper's address."""
    found = re.search(r"(\d{4}\.\d{4,5})(v\d+)?$", url or "")
    assert found, url
    return found[1]


@dataclass(slots=True)
class Oracle:
    """Who must get what, by plain bookkeeping."""

    folder: Path
    publisher: Publisher
    #: paper -> source -> its first listing, with its latest text and votes.
    known: dict[str, dict[str, Listing]] = field(default_factory=dict)
    #: (run, paper, source) in the order of release.
    releases: list[tuple[int, str, str]] = field(default_factory=list)
    run: int = 0
    #: reader -> how many releases were weighed.
    weighed: dict[str, int] = field(default_factory=dict)
    #: reader -> papers shown, with the number of the card's issue.
    shown: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def readers(self) -> tuple[SubscriberSpec, ...]:
        settings = read_settings(self.folder, {})
        return load_subscribers(self.folder, settings) or ()

    def observe(self, as_of: datetime) -> None:
        """Read both sites as a run at *as_of* does."""
        self.run += 1
        settings = read_settings(self.folder, {})
        hf, arxiv = (make_source(s) for s in settings.sources)
        days = [as_of.date() - timedelta(days=n) for n in range(14)]
        for day in reversed(days):
            body = self.publisher.daily(day)
            self._read(hf.parse(_response("hf", body, as_of, day)).listings)
        body = self.publisher.atom()
        self._read(arxiv.parse(_response("arxiv", body, as_of, None)).listings)

    def _read(self, listings: tuple[Listing, ...]) -> None:
        for listing in listings:
            paper = paper_of(listing.url)
            sources = self.known.setdefault(paper, {})
            if listing.source not in sources:
                self.releases.append((self.run, paper, listing.source))
                sources[listing.source] = listing
            else:
                first = sources[listing.source].listed_at
                sources[listing.source] = replace(listing, listed_at=first)

    def serve(self, reader: SubscriberSpec, as_of: datetime) -> list[str]:
        """Return the papers that *reader* must get now, best first."""
        start = self.weighed.get(reader.address, 0)
        self.weighed[reader.address] = len(self.releases)
        fresh: dict[str, list[str]] = {}
        for _, paper, source in self.releases[start:]:
            fresh.setdefault(paper, []).append(source)
        numbers = {paper: n for n, paper in enumerate(self.known, 1)}
        before = {paper for _, paper, _ in self.releases[:start]}
        settings = read_settings(self.folder, {})
        candidates = [
            self._candidate(numbers[paper], paper, sources)
            for paper, sources in fresh.items()
            if not (paper in before and paper in self.shown[reader.address])
        ]
        matches = match_profile(
            reader.profile, candidates, as_of=as_of, ranking=settings.ranking
        )
        cards = [paper_of(m.candidate.version.url) for m in matches]
        cards = cards[: reader.profile.max_items]
        self.shown[reader.address] |= set(cards)
        return cards

    def _candidate(self, number: int, paper: str, fresh: list[str]) -> Candidate:
        known = self.known[paper]
        best = known.get("hf") or known["arxiv"]
        return Candidate(
            entry_id=number,
            version=EntryVersion(
                id=number,
                entry_id=number,
                source=best.source,
                title=best.title,
                url=best.url,
                summary=best.summary,
                authors=best.authors,
                categories=best.categories,
            ),
            sources=tuple(
                SourceListing(source=name, listed_at=known[name].listed_at)
                for name in ("hf", "arxiv")
                if name in known
            ),
            listed_at=max(known[name].listed_at for name in fresh),
            votes=known["hf"].votes if "hf" in known else None,
        )


def _response(source: str, body: bytes, as_of: datetime, day: date | None) -> Response:
    return Response(
        request=Request(source=source, url="http://example.org/", day=day),
        status=200,
        headers={"content-type": "application/json" if day else "application/atom+xml"},
        body=body,
        seen_at=as_of,
        final_url="http://example.org/",
    )


def cards_of(app: App, record: IssueRecord) -> list[str]:
    """Return the papers of an issue's cards, in reading order."""
    ids = [item.version_id for item in record.items]
    versions = app.store.entries.versions(ids)
    return [paper_of(versions[n].url) for n in ids]


@pytest.fixture(scope="module")
def publisher_of_corpus(shared: Path) -> Publisher:
    return load_publisher(shared / "corpus" / "papers.jsonl.gz")


@dataclass(slots=True)
class Site:
    """A project over a served corpus, and its oracle."""

    root: Path
    publisher: Publisher
    oracle: Oracle

    def app(self) -> App:
        return open_app(self.root / "config", dict(_environ()))

    def records(self) -> dict[str, list[IssueRecord]]:
        """Return every reader's issues, oldest first."""
        found: dict[str, list[IssueRecord]] = defaultdict(list)
        with self.app() as app:
            for row in reversed(app.store.ledger.recent(limit=10_000)):
                found[row.record.address].append(row.record)
        return found


def _environ() -> Iterator[tuple[str, str]]:
    return (i for i in os.environ.items() if not i[0].startswith("NEWSLETTER_"))


@pytest.fixture
def site(
    tmp_path: Path, publisher_of_corpus: Publisher, http_server: HttpServer
) -> Site:
    folder = tmp_path / "config"
    folder.mkdir()
    publisher = replace(publisher_of_corpus)
    head = '[newsletter]\ntitle = "Corpus"\nfrom = "digest@example.org"\n'
    text = head + serve_corpus(publisher, http_server)
    (folder / "newsletter.toml").write_text(text, "utf-8")
    (folder / "subscribers.toml").write_text(READERS, "utf-8")
    return Site(tmp_path, publisher, Oracle(folder, publisher))


def check_all(site: Site, expected: Mapping[str, list[list[str]]]) -> None:
    """Compare every issue's cards with the oracle's, and look for repeats."""
    records = site.records()
    with site.app() as app:
        for reader in site.oracle.readers():
            got = [cards_of(app, record) for record in records[reader.address]]
            wanted = [cards for cards in expected[reader.address] if cards]
            if reader.profile.sections is Sections.NONE:
                assert got == wanted, reader.address
            # Sections move cards, and neither add nor drop one.
            assert [sorted(c) for c in got] == [sorted(c) for c in wanted]
            every = [paper for cards in got for paper in cards]
            assert len(every) == len(set(every)), reader.address
            assert every, reader.address


def check_bytes(site: Site) -> None:
    """Votes rose and texts came in since: every issue is still the same bytes."""
    written = {path.stem: path for path in site.root.glob("outbox/*/*.eml")}
    with site.app() as app:
        for records in site.records().values():
            for record in records:
                again = app.assembler.make(record).content
                assert again == written.pop(record.key).read_bytes()
    assert not written


def check_late_features(site: Site) -> None:
    """Papers that arXiv showed days before reach those who follow Daily Papers."""
    records = site.records()
    first_run: dict[str, dict[str, int]] = defaultdict(dict)
    for run, paper, source in site.oracle.releases:
        first_run[paper][source] = run
    late = {
        paper
        for paper, runs in first_run.items()
        if set(runs) == {"hf", "arxiv"} and runs["hf"] > runs["arxiv"]
    }
    with site.app() as app:
        for address in ("hf@example.org", "votes@example.org"):
            cards = {p for r in records[address] for p in cards_of(app, r)}
            assert len(cards & late) >= 3, address


@pytest.mark.long
def test_ten_days_of_run_everyone_bring_what_bookkeeping_says(site: Site) -> None:
    expected: dict[str, list[list[str]]] = defaultdict(list)
    for day in DAYS:
        as_of = datetime(day.year, day.month, day.day, 9, 0, tzinfo=UTC)
        site.publisher.now = as_of
        site.oracle.observe(as_of)
        with site.app() as app:
            report = app.run(at=as_of, everyone=True)
            assert not report.is_trouble
            again = app.run(at=as_of, everyone=True)
        assert again.refreshed is not None
        assert again.refreshed.new == 0
        assert again.refreshed.released == 0
        for reader in site.oracle.readers():
            cards = site.oracle.serve(reader, as_of)
            expected[reader.address].append(cards)
    check_all(site, expected)
    check_late_features(site)
    check_bytes(site)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_ten_days_of_runs_around_the_slots_bring_what_bookkeeping_says(
    site: Site,
) -> None:
    readers = site.oracle.readers()
    expected: dict[str, list[list[str]]] = defaultdict(list)
    start = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC)
    upcoming = {r.address: _slot_after(r, start) for r in readers}
    for day in DAYS:
        for as_of in _steps(day, readers):
            site.publisher.now = as_of
            site.oracle.observe(as_of)
            with site.app() as app:
                assert not app.run(at=as_of).is_trouble
            for reader in readers:
                if upcoming[reader.address] <= as_of:
                    expected[reader.address].append(site.oracle.serve(reader, as_of))
                    upcoming[reader.address] = _slot_after(reader, as_of)
    check_all(site, expected)
    check_late_features(site)
    for address, records in site.records().items():
        slots = [record.slot for record in records]
        assert len(slots) == len(set(slots)), address


def _slot_after(reader: SubscriberSpec, after: datetime) -> datetime:
    return next_slot(parse_schedule(reader.schedule), zone(reader.timezone), after)


def _steps(day: date, readers: tuple[SubscriberSpec, ...]) -> list[datetime]:
    """Return quarters of an hour around every slot of *day*, and midnight."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    steps = {start}
    for reader in readers:
        slot = _slot_after(reader, start)
        if slot < start + 24 * HOUR:
            steps |= {slot + n * HOUR / 4 for n in (-1, 0, 1)}
    return sorted(steps)
