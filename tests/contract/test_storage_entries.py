"""Entries, identity, the order of release and windows, on every database."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from newsletter.model import Link, Listing, PutReport, SourceListing
from newsletter.storage.schema import entry_versions, listings, sightings
from tests.contract.world import DAY, HOUR, NOW, World, listing, post

A, B, C = "2601.00001", "10.1000/b", "10.1000/c"
TICK = timedelta(microseconds=1)


def count(world: World, table: object) -> int:
    with world.store.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0  # type: ignore[arg-type] # any of the tables


def both(name: str, first: str, second: str, **changes: object) -> Listing:
    """Return a blog's listing that says two entries to be one story."""
    return listing(name, "blog", identifiers=(first, second), **changes)


# --- storing ------------------------------------------------------------------


def test_what_is_new_is_counted(world: World) -> None:
    report = world.put(listing(A), listing(B))
    assert report == PutReport(source="hf", new=2)
    assert world.put(listing(A), listing(C)) == PutReport(source="hf", new=1, known=1)
    assert world.put() == PutReport(source="hf")


def test_every_field_of_a_version_comes_back_as_it_was(world: World) -> None:
    shown = listing(
        A,
        title="Straße 🦉",
        url="https://example.org/a?b=c",
        summary="x\n\ny",
        authors=("A. Müller", "李 四"),
        categories=("cs.LG",),
        links=(Link(label="code", url="https://example.org/code"),),
        published_at=NOW - DAY + TICK,
        tldr="short",
        thumbnail="https://example.org/a.png",
        language="de",
    )
    world.show(shown)
    (candidate,) = world.window()
    version = candidate.version
    names = [name for name in shown.__slots__ if hasattr(version, name)]
    assert len(names) == 11
    assert {n: getattr(version, n) for n in names} == {
        n: getattr(shown, n) for n in names
    }
    assert world.store.entries.versions([version.id, 999]) == {version.id: version}


def test_a_changed_text_is_a_new_version_and_the_old_one_stays(world: World) -> None:
    world.show(listing(A))
    (before,) = world.window()
    report = world.put(listing(A, title="Retitled"))
    assert report == PutReport(source="hf", changed=1)
    assert world.titles() == ["Retitled"]
    kept = world.store.entries.versions([before.version.id])
    assert kept[before.version.id] == before.version


def test_a_text_that_changes_back_is_a_version_again(world: World) -> None:
    world.show(listing(A))
    world.put(listing(A, title="Retitled"))
    world.put(listing(A))
    assert world.titles() == [f"About {A}"]
    assert count(world, entry_versions) == 3


def test_two_sources_spell_one_paper_differently_without_alternating(
    world: World,
) -> None:
    mine, theirs = listing(A, "hf", title="One"), listing(A, "arxiv", title="Two")
    for _ in range(3):
        world.show(mine)
        world.show(theirs)
    assert count(world, entry_versions) == 2
    (candidate,) = world.window()
    assert candidate.version.title == "One"
    (candidate,) = world.window(order=("arxiv", "hf"))
    assert candidate.version.title == "Two"


def test_one_entry_twice_in_one_document_is_one_listing(world: World) -> None:
    twice = [
        listing(A, title="First", listed_at=NOW, votes=1),
        listing(A, title="Second", listed_at=NOW - HOUR, votes=3),
    ]
    assert world.show(*twice) == PutReport(source="hf", new=1)
    assert world.show(*twice) == PutReport(source="hf", known=1)
    (candidate,) = world.window()
    assert (candidate.version.title, candidate.votes) == ("Second", 3)
    assert candidate.listed_at == NOW
    assert count(world, entry_versions) == 1


def test_nothing_is_stored_of_a_document_that_fails(world: World) -> None:
    broken = replace(listing(B), listed_at=NOW.replace(tzinfo=None))
    with pytest.raises(Exception, match="aware"):
        world.put(listing(A), broken)
    assert count(world, listings) == count(world, entry_versions) == 0


# --- admission ----------------------------------------------------------------


def test_what_is_too_old_at_the_first_fetch_is_passed_over(world: World) -> None:
    report = world.put(
        listing(A), listing(B, listed_at=NOW - 3 * DAY - TICK), first=True
    )
    assert report == PutReport(source="hf", new=2, passed_over=1)
    assert world.release() == 1
    assert world.titles() == [f"About {A}"]
    assert world.release(NOW + 30 * DAY) == 0


def test_a_flood_is_held_until_a_person_decides(world: World) -> None:
    flood = [listing(A), listing(B), listing(C)]
    report = world.put(*flood, max_new=2)
    assert report == PutReport(source="hf", new=3, held=3)
    entries = world.store.entries
    assert entries.held() == {"hf": 3}
    assert world.release() == 0
    assert world.put(*flood, max_new=2) == PutReport(source="hf", known=3)

    assert entries.release_held("arxiv") == entries.drop_held("arxiv") == 0
    assert entries.release_held("hf") == 3
    assert entries.held() == {}
    assert world.release() == 3


def test_a_flood_that_is_dropped_never_comes(world: World) -> None:
    world.put(listing(A), listing(B), max_new=1)
    assert world.store.entries.drop_held("hf") == 2
    assert world.release(NOW + DAY) == 0
    assert world.put(listing(A), listing(B)) == PutReport(source="hf", known=2)


def test_what_is_known_is_no_flood(world: World) -> None:
    world.put(listing(A), listing(B))
    report = world.put(listing(A), listing(B), listing(C), max_new=1)
    assert report == PutReport(source="hf", new=1, known=2)


# --- release ------------------------------------------------------------------


def test_listings_are_released_in_order_when_they_have_settled(world: World) -> None:
    world.put(listing(A, listed_at=NOW), listing(B, listed_at=NOW - HOUR))
    world.put(listing(C, "arxiv", listed_at=NOW - 2 * HOUR))
    assert world.release(NOW, hf=HOUR) == 2
    assert world.release(NOW, hf=HOUR) == 0
    assert world.release(NOW + HOUR - TICK, hf=HOUR) == 0
    assert world.release(NOW + HOUR, hf=HOUR) == 1
    titles = [world.titles(seq - 1, seq) for seq in (1, 2, 3)]
    assert titles == [[f"About {name}"] for name in (C, B, A)]


def test_seq_at_counts_by_the_as_of_of_the_release(world: World) -> None:
    entries = world.store.entries
    assert (entries.seq_at(NOW), entries.first_release_at()) == (0, None)
    world.show(listing(A), at=NOW)
    world.show(listing(B), listing(C), at=NOW + HOUR)
    assert entries.seq_at(NOW - TICK) == 0
    assert entries.seq_at(NOW) == 1
    assert entries.seq_at(NOW + HOUR) == 3
    assert entries.first_release_at() == NOW


def test_two_who_release_at_once_leave_no_gap_for_a_cursor(world: World) -> None:
    """Whenever somebody looks, all numbers up to the newest are there."""
    for n in range(60):
        world.put(listing(f"2601.{n:05}", listed_at=NOW + n * HOUR))
    barrier = threading.Barrier(4)
    gaps: list[object] = []
    done = threading.Event()

    def release(number: int) -> None:
        barrier.wait()
        for n in range(number, 60, 3):
            world.release(NOW + n * HOUR)

    def look() -> None:
        barrier.wait()
        cursor = 0
        while not done.is_set() or cursor < world.store.entries.seq_at(NOW + 99 * DAY):
            until = world.store.entries.seq_at(NOW + 99 * DAY)
            seen = world.window(cursor, until)
            if len(seen) != until - cursor:
                gaps.append((cursor, until, len(seen)))
            cursor = until
        gaps.extend([] if cursor == 60 else [cursor])

    releasers = [threading.Thread(target=release, args=(n,)) for n in range(3)]
    reader = threading.Thread(target=look)
    for thread in (*releasers, reader):
        thread.start()
    for thread in releasers:
        thread.join()
    done.set()
    reader.join()
    assert gaps == []


def test_a_place_is_never_given_twice(world: World) -> None:
    """A join may remove the newest listing; a cursor may stand on its place."""
    world.show(listing(A))
    world.show(listing(B))
    world.put(both("x", A, B))
    assert world.store.entries.seq_at(NOW) == 1
    world.show(listing(C), at=NOW)
    assert f"About {C}" in [c.version.title for c in world.window(after=2)]


# --- windows ------------------------------------------------------------------


def test_a_window_is_open_below_and_closed_above(world: World) -> None:
    for n, name in enumerate((A, B, C)):
        world.show(listing(name), at=NOW + n * HOUR)
    assert world.titles(1, 2) == [f"About {B}"]
    assert world.titles(3, 3) == []
    assert len(world.window(0, 3, not_before=NOW + HOUR)) == 2
    assert len(world.window(0, 3, not_before=NOW + HOUR + TICK)) == 1


def test_an_entry_that_another_source_lists_later_is_weighed_again(
    world: World,
) -> None:
    world.show(listing(A, "arxiv", title="As arXiv has it"), at=NOW)
    world.show(
        listing(A, "hf", title="As HF has it", votes=7, listed_at=NOW + DAY),
        at=NOW + DAY,
    )
    (first,) = world.window(0, 1)
    assert first.sources == (SourceListing(source="arxiv", listed_at=NOW),)
    assert (first.votes, first.seen_before) == (None, False)
    assert first.version.title == "As arXiv has it"
    (second,) = world.window(1, 2)
    assert second.entry_id == first.entry_id
    assert second.sources == (
        SourceListing(source="hf", listed_at=NOW + DAY),
        SourceListing(source="arxiv", listed_at=NOW),
    )
    assert (second.votes, second.seen_before) == (7, True)
    assert (second.version.title, second.listed_at) == ("As HF has it", NOW + DAY)
    (whole,) = world.window(0, 2)
    assert (whole.seen_before, whole.listed_at) == (False, NOW + DAY)


def test_what_was_released_before_the_lookback_is_not_in_the_window(
    world: World,
) -> None:
    world.show(listing(A, "arxiv"), at=NOW)
    world.show(listing(A, "hf", listed_at=NOW), at=NOW + DAY)
    (candidate,) = world.window(0, 2, not_before=NOW + DAY)
    assert not candidate.seen_before
    assert len(candidate.sources) == 2
    assert world.window(0, 1, not_before=NOW + DAY) == ()


def test_sources_that_are_not_configured_rank_last_by_name(world: World) -> None:
    for source in ("zebra", "blog", "ant", "hf"):
        world.show(listing(A, source))
    (candidate,) = world.window(order=("hf", "blog"))
    names = [s.source for s in candidate.sources]
    assert names == ["hf", "blog", "ant", "zebra"]
    (candidate,) = world.window(order=())
    assert candidate.version.source == "ant"


def test_votes_are_the_greatest_of_the_latest_sightings(world: World) -> None:
    world.show(listing(A, votes=5), at=NOW)
    world.show(listing(A, "arxiv", votes=3), at=NOW)
    world.put(listing(A, votes=9), at=NOW + HOUR)
    assert [c.votes for c in world.window()] == [9]
    world.put(listing(A, votes=2), at=NOW + 2 * HOUR)
    assert [c.votes for c in world.window()] == [3]
    assert [c.votes for c in world.window(0, 1)] == [2]


def test_a_sighting_is_written_only_when_votes_changed(world: World) -> None:
    for hour in range(3):
        world.put(listing(A, votes=5), listing(B), at=NOW + hour * HOUR)
    assert count(world, sightings) == 1
    world.put(listing(A, votes=6), at=NOW + 3 * HOUR)
    assert count(world, sightings) == 2


def test_an_older_look_at_votes_does_not_replace_a_newer_one(world: World) -> None:
    world.show(listing(A, votes=5), at=NOW)
    for _ in range(2):
        world.put(listing(A, votes=1), at=NOW - DAY)
    assert [c.votes for c in world.window()] == [5]
    assert count(world, sightings) == 2


def test_zero_votes_are_known_votes(world: World) -> None:
    world.show(listing(A, votes=0), listing(B))
    assert [c.votes for c in world.window()] == [0, None]


def test_a_large_window_is_read_whole(world: World) -> None:
    many = [listing(f"2601.{n:05}") for n in range(1200)]
    world.show(*many)
    found = world.window(0, 2000)
    assert [c.entry_id for c in found] == sorted(c.entry_id for c in found)
    assert len(found) == 1200
    ids = [c.version.id for c in found]
    assert set(world.store.entries.versions(ids)) == set(ids)


def test_back_tests_read_what_was_listed_in_a_time(world: World) -> None:
    shown = listing(
        A,
        listed_at=NOW - DAY,
        summary="At length.",
        authors=("Ann Lee",),
        categories=("cs.LG",),
        published_at=NOW,
        tldr="In short.",
        thumbnail="https://example.org/a.png",
    )
    world.show(shown, at=NOW)
    world.show(listing(A, "arxiv", listed_at=NOW - 9 * DAY), at=NOW)
    world.show(listing(B, listed_at=NOW), at=NOW)
    world.put(listing(C, listed_at=NOW - DAY), max_new=0)
    read = world.store.entries.listed_between
    (candidate,) = read(NOW - DAY, NOW, source_order=("hf", "arxiv"))
    assert candidate.version.title == f"About {A}"
    assert (candidate.listed_at, candidate.seen_before) == (NOW - DAY, False)
    assert len(candidate.sources) == 2
    (whole,) = world.store.entries.versions([candidate.version.id]).values()
    assert (whole.tldr, whole.published_at) == ("In short.", NOW)
    assert candidate.version == replace(
        whole, published_at=None, tldr=None, thumbnail=None
    )
    assert len(read(NOW - DAY, NOW + TICK, source_order=())) == 2


# --- identity -----------------------------------------------------------------


def test_two_entries_found_to_be_one_are_joined_to_the_older(world: World) -> None:
    world.show(listing(A, "hf", votes=4), at=NOW)
    world.show(listing(B, "arxiv"), at=NOW + HOUR)
    older, younger = (c.entry_id for c in world.window())
    report = world.show(both("x", B, A), at=NOW + 2 * HOUR)
    assert report == PutReport(source="blog", new=1, joined=1)
    (candidate,) = world.window()
    assert candidate.entry_id == older
    assert [s.source for s in candidate.sources] == ["hf", "arxiv", "blog"]
    assert candidate.votes == 4
    assert candidate.version.entry_id == older
    (later,) = world.window(1, 2)
    assert (later.entry_id, later.seen_before) == (older, True)
    assert world.put(listing(B, "arxiv")).known == 1
    assert world.store.entries.aliases_of([older])[older] == {older, younger}


def test_a_join_keeps_the_listing_that_was_released_first(world: World) -> None:
    world.show(listing(A), at=NOW)
    world.show(listing(B), at=NOW + HOUR)
    world.put(both("x", A, B))
    assert len(world.window(0, 1)) == 1
    assert world.window(1, 2) == ()


def test_a_join_prefers_a_released_listing_to_one_that_waits(world: World) -> None:
    world.put(listing(A, listed_at=NOW + DAY))
    world.show(listing(B))
    world.put(both("x", A, B))
    assert len(world.window()) == 1
    assert world.release(NOW + 2 * DAY) == 1
    assert [len(c.sources) for c in world.window()] == [2]


def test_joins_of_joined_entries_lead_to_the_oldest(world: World) -> None:
    for name, source in ((A, "hf"), (B, "arxiv"), (C, "blog")):
        world.show(listing(name, source))
    first, second, third = (c.entry_id for c in world.window())
    world.put(both("x", B, C))
    assert world.store.entries.aliases_of([third])[third] == {second, third}
    world.put(both("y", A, C))
    everyone = {first, second, third}
    found = world.store.entries.aliases_of(everyone)
    assert set(found.values()) == {frozenset(everyone)}
    (candidate,) = world.window()
    assert candidate.entry_id == first


def test_a_url_is_no_name_where_the_source_gives_it_to_several_guids(
    world: World,
) -> None:
    """One real podcast has 131 entries, 130 guids and 9 links."""
    show = "https://podcast.example/show"
    episodes = [post(f"guid-{n}", show) for n in range(3)]
    assert world.put(*episodes[:2]) == PutReport(source="blog", new=2)
    assert world.put(*episodes) == PutReport(source="blog", new=1, known=2)
    assert world.release() == 3
    assert len(world.window()) == 3


def test_a_url_stops_being_a_name_when_a_second_guid_comes(world: World) -> None:
    show = "https://podcast.example/show"
    assert world.put(post("guid-1", show)).new == 1
    assert world.put(post("guid-2", show)).new == 1
    assert world.put(post("guid-1", show), post("guid-2", show)).known == 2
    world.release()
    assert len(world.window()) == 2


def test_a_url_joins_what_two_sources_show(world: World) -> None:
    url = "https://example.org/story?utm_source=feed"
    world.show(post("g1", url))
    world.show(listing("x", "hf", identifiers=(), guid="7", url=url))
    assert len(world.window()) == 1


def test_a_url_alone_is_a_name(world: World) -> None:
    assert world.put(post(None, "https://example.org/1")).new == 1
    assert world.put(post(None, "http://example.org/1#top", title="New")).changed == 1


def test_one_guid_twice_in_a_document_is_two_entries(world: World) -> None:
    twice = [
        post("same", "https://example.org/1", title="One"),
        post("same", "https://example.org/2", title="Two"),
    ]
    assert world.put(*twice).new == 2
    assert world.put(*twice).known == 2
