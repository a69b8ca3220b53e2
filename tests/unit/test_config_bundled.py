"""The starter and the sample that come with the product."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import feedparser
import pytest

from newsletter.config import (
    Settings,
    load_settings,
    load_subscribers,
    sample_folder,
    starter_folder,
)
from newsletter.matching.reference import documents, holds
from newsletter.model import (
    Candidate,
    EntryVersion,
    Interest,
    Listing,
    Mute,
    Order,
    Response,
    Sections,
    SourceListing,
    SourceState,
    SubscriberSpec,
)
from newsletter.sources import KINDS, make_source

#: What `newsletter demo` acts as of.
AS_OF = datetime(2026, 11, 20, 18, tzinfo=UTC)
FEEDS = ("lab-notes.xml", "preprints.xml")


def read(folder: Path) -> tuple[Settings, tuple[SubscriberSpec, ...]]:
    settings = load_settings(folder, {}, kinds=KINDS)
    readers = load_subscribers(folder, settings)
    assert readers is not None
    return settings, readers


def sample_file(name: str) -> bytes:
    return (sample_folder() / "sources" / name).read_bytes()


def sample_listings() -> list[Listing]:
    """Return what the product's own parsers make of the sample."""
    found: list[Listing] = []
    for settings in read(sample_folder())[0].sources:
        source = make_source(settings)
        for request in source.requests(SourceState(name=settings.name), AS_OF):
            assert request.path is not None
            page = source.parse(
                Response(
                    request=request,
                    status=200,
                    headers={},
                    body=Path(request.path).read_bytes(),
                    seen_at=AS_OF,
                )
            )
            assert not page.rejected
            found += page.listings
    return found


def candidate(number: int, listing: Listing) -> Candidate:
    return Candidate(
        entry_id=number,
        version=EntryVersion(
            id=number,
            entry_id=number,
            source=listing.source,
            title=listing.title,
            url=listing.url,
            summary=listing.summary,
            authors=listing.authors,
            categories=listing.categories,
        ),
        sources=(SourceListing(source=listing.source, listed_at=listing.listed_at),),
        listed_at=listing.listed_at,
        votes=listing.votes,
    )


# --- the starter ---


def test_the_starter_is_ready_to_use() -> None:
    settings, readers = read(starter_folder())
    assert {source.kind for source in settings.sources} == {"huggingface", "arxiv"}
    assert [reader.address for reader in readers] == ["you@example.org"]
    assert readers[0].profile.interests
    assert settings.delivery.transport == "outbox"


def test_the_starter_explains_itself() -> None:
    for file in ("newsletter.toml", "subscribers.toml"):
        assert (starter_folder() / file).read_text("utf-8").count("#") >= 2


# --- the sample ---


def test_the_sample_has_four_readers_who_differ() -> None:
    settings, readers = read(sample_folder())
    assert settings.newsletter.base_url == "https://digest.example.org"
    assert all(source.path and not source.interval for source in settings.sources)
    assert len(readers) == 4
    assert len({reader.profile for reader in readers}) == 4
    assert len({reader.timezone for reader in readers}) == 4
    assert {reader.profile.order for reader in readers} == set(Order)
    assert {reader.profile.sections for reader in readers} == set(Sections)


def test_the_sample_is_in_three_forms_that_other_readers_read() -> None:
    feeds = [feedparser.parse(BytesIO(sample_file(name))) for name in FEEDS]
    assert [feed.version for feed in feeds] == ["rss20", "atom10"]
    assert not any(feed.bozo for feed in feeds)
    rows = json.loads(sample_file("daily-papers.json"))
    assert len(rows) + sum(len(feed.entries) for feed in feeds) >= 40


def test_the_sample_is_dated_on_the_days_before_its_own() -> None:
    for listing in sample_listings():
        assert AS_OF - timedelta(days=4) < listing.listed_at <= AS_OF


def test_one_story_of_the_sample_is_in_two_sources() -> None:
    rows: list[dict[str, Any]] = json.loads(sample_file("daily-papers.json"))
    daily = {row["paper"]["id"] for row in rows}
    preprints = set(
        re.findall(r"abs/(\d{4}\.\d{5})", sample_file("preprints.xml").decode())
    )
    assert len(daily & preprints) == 1


@pytest.mark.parametrize("trick", ["<script>", "{{", "<think>", "Bcc:"])
def test_the_sample_has_a_hostile_entry(trick: str) -> None:
    (hostile,) = [one for one in sample_listings() if trick in one.title]
    assert hostile.url is None
    assert "\n" not in hostile.title
    assert "onclick" not in hostile.summary


@pytest.mark.parametrize(
    "text", ["ℓ₀-Bounded", "A₃B₂", "T²PO", "$0.10", "Café", "拡散モデル", "语音识别"]
)
def test_the_sample_has_tex_accents_and_cjk(text: str) -> None:
    assert any(text in listing.title for listing in sample_listings())


def test_every_query_of_the_sample_matches_something_and_not_everything() -> None:
    entries = documents([candidate(*each) for each in enumerate(sample_listings())])
    for reader in read(sample_folder())[1]:
        queries: list[Interest | Mute] = [*reader.profile.interests]
        queries += reader.profile.mutes
        for query in queries:
            found = sum(holds(query.tree, entry) for entry in entries)
            assert 0 < found < len(entries) / 2, query.query


def test_a_mute_of_the_sample_really_mutes() -> None:
    entries = documents([candidate(*each) for each in enumerate(sample_listings())])
    muted = [
        (reader.id, mute.query)
        for reader in read(sample_folder())[1]
        for mute in reader.profile.mutes
        if any(
            holds(mute.tree, entry)
            and any(holds(wish.tree, entry) for wish in reader.profile.interests)
            for entry in entries
        )
    ]
    assert muted
