"""Sources that rename or repeat themselves, and the flood guard, on every database."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from newsletter.model import Listing, ListingState, PutReport, SourceState
from newsletter.storage.schema import entries, entry_aliases, listings, url_guids
from tests.contract.world import DAY, HOUR, NOW, World, item, listing, post

PENDING, HELD = ListingState.PENDING, ListingState.HELD
RELEASED, DROPPED = ListingState.RELEASED, ListingState.DROPPED
PASSED = ListingState.PASSED_OVER


def count(world: World, table: object) -> int:
    with world.store.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0  # type: ignore[arg-type] # any of the tables


def blog(number: int, days: float = 0, host: str = "http://a.example") -> Listing:
    """Return a post of a blog, *days* old, whose guid is below *host*."""
    at = NOW - days * DAY
    return post(
        f"{host}/?p={number}",
        f"https://a.example/{number}",
        title=f"Post {number}",
        summary=f"What post {number} says.",
        listed_at=at,
        published_at=at,
    )


def rewritten(one: Listing) -> Listing:
    """Return a post after a change of software: its title alone is the same."""
    path = one.title.lower().replace(" ", "-")
    return replace(
        one,
        guid=f"tag:{path}",
        url=f"https://b.example/{path}",
        summary="",
        published_at=None,
        listed_at=NOW + DAY,
    )


BLOG = [blog(n, days=n) for n in range(12)]


# --- the same under another guid ------------------------------------------------


def test_a_site_that_changes_all_its_guids_brings_nothing_new(world: World) -> None:
    world.show(*BLOG)
    moved = [
        replace(one, guid=str(one.guid).replace("http:", "https:")) for one in BLOG
    ]
    report = world.put(*moved, blog(12), at=NOW + DAY)
    assert report == PutReport(source="blog", new=1, known=12, renamed=12)
    assert world.put(*moved, blog(12)) == PutReport(source="blog", known=13)
    assert world.release(NOW + DAY) == 1
    assert len(world.window()) == 13
    # And from now on by the new ones, whatever else changes.
    edited = [replace(one, title="New", published_at=None) for one in moved]
    assert world.put(*edited) == PutReport(source="blog", changed=12)


def test_a_site_that_changes_its_links_too_brings_nothing_new(world: World) -> None:
    world.show(*BLOG)
    moved = [
        replace(one, guid=f"https://b.example/{n}", url=f"https://b.example/{n}")
        for n, one in enumerate(BLOG)
    ]
    report = world.put(*moved, at=NOW + DAY)
    assert report == PutReport(source="blog", changed=12, renamed=12)
    assert world.release(NOW + DAY) == 0


def test_a_new_guid_at_every_fetch_is_no_news_and_no_more_rows(world: World) -> None:
    for hour in range(4):
        at = NOW + hour * HOUR
        anew = [
            replace(one, guid=f"{n}-{hour}", listed_at=at, published_at=at)
            for n, one in enumerate(BLOG)
        ]
        assert world.put(*anew, at=at).new == (0 if hour else 12)
    assert count(world, entry_aliases) == 24
    assert count(world, url_guids) == 12


def test_todays_issue_is_new_each_day_at_the_same_link(world: World) -> None:
    for day in range(4):
        at = NOW + day * DAY
        today = post(
            f"issue-{day}",
            "https://a.example/today",
            title="Today",
            summary=f"What there is on day {day}.",
            listed_at=at,
            published_at=at,
        )
        assert world.show(today, at=at).new == 1
        assert world.put(today, at=at).known == 1
    assert len(world.window()) == 4


def test_a_renamed_podcast_keeps_its_episodes_apart(world: World) -> None:
    show = "https://podcast.example/show"
    episodes = [replace(blog(n), url=show) for n in range(30)]
    world.show(*episodes)
    moved = [replace(one, guid=f"new-{n}") for n, one in enumerate(episodes)]
    fresh = replace(blog(30), url=show)
    report = world.put(*moved, fresh)
    assert report == PutReport(source="blog", new=1, known=30, renamed=30)
    assert count(world, entries) == 31


# --- what looks like a flood ----------------------------------------------------


def test_a_site_that_changes_all_but_its_titles_is_held(world: World) -> None:
    world.show(*BLOG)
    flood = [rewritten(one) for one in BLOG]
    news = [blog(n, days=-1) for n in (20, 21)]
    report = world.put(*flood, *news, at=NOW + DAY)
    assert report == PutReport(source="blog", new=14, held=12, held_reruns=12)
    assert world.store.entries.held() == {"blog": 12}
    assert world.release(NOW + DAY) == 2
    # What is held holds nothing else up.
    assert world.put(*flood, *news, blog(22), at=NOW + DAY).new == 1
    assert world.release(NOW + DAY) == 1


def test_what_was_dropped_does_not_come_back(world: World) -> None:
    world.show(*BLOG)
    flood = [rewritten(one) for one in BLOG]
    world.put(*flood, at=NOW + DAY)
    assert world.store.entries.drop_held("blog") == 12
    assert world.put(*flood, at=NOW + DAY) == PutReport(source="blog", known=12)
    # Nor under yet other names.
    again = [replace(one, guid=f"{one.guid}#2") for one in flood]
    assert world.put(*again, at=NOW + DAY).renamed == 12
    anew = [replace(one, guid=f"{one.guid}#3", summary="Edited.") for one in flood]
    anew = [replace(one, url=f"{one.url}/index") for one in anew]
    assert world.put(*anew, at=NOW + DAY).held_reruns == 12
    assert world.release(NOW + 9 * DAY) == 0


def test_what_was_let_through_is_released_once(world: World) -> None:
    world.show(*BLOG)
    flood = [rewritten(one) for one in BLOG]
    world.put(*flood, at=NOW + DAY)
    assert world.store.entries.release_held("blog") == 12
    assert world.release(NOW + DAY) == 12
    assert world.put(*flood, at=NOW + DAY) == PutReport(source="blog", known=12)
    assert world.release(NOW + 9 * DAY) == 0


def test_a_link_that_is_given_away_is_as_suspicious_as_a_title(world: World) -> None:
    world.show(*BLOG)
    other = [
        replace(one, guid=f"{n}", title=f"Other {n}", summary="", published_at=None)
        for n, one in enumerate(BLOG)
    ]
    assert world.put(*other).held_reruns == 12


def test_a_feed_of_daily_titles_is_held_once(world: World) -> None:
    """Twelve towns' weather: the same titles and links, each day another text."""

    def weather(day: int) -> list[Listing]:
        at = NOW + day * DAY
        return [
            replace(
                one,
                guid=f"{one.url}/{day}",
                summary=f"Day {day}: {one.summary}",
                listed_at=at,
                published_at=at,
            )
            for one in BLOG
        ]

    assert world.put(*weather(0), first=True).held == 0
    assert world.put(*weather(1)).held == 12
    assert world.put(*weather(2)).held == 12
    assert world.store.entries.release_held("blog") == 24
    for day in (3, 4):
        assert world.put(*weather(day)) == PutReport(source="blog", new=12)


def test_papers_are_told_apart_by_their_ids_whatever_their_titles(
    world: World,
) -> None:
    papers = [listing(f"2601.{n:05}", title="Editorial") for n in range(1, 41)]
    world.put(*papers[:20])
    assert world.put(*papers[20:]) == PutReport(source="hf", new=20)


def archive(numbers: range, at: datetime = NOW) -> list[Listing]:
    """Return posts that were weeks old *at*."""
    return [replace(blog(n), listed_at=at - (15 + n % 9) * DAY) for n in numbers]


def test_an_archive_that_comes_later_is_held(world: World) -> None:
    world.show(*BLOG)
    report = world.put(*BLOG, *archive(range(100, 130)), blog(12))
    assert report == PutReport(source="blog", new=31, known=12, held=30, held_old=30)
    assert world.release() == 1
    assert world.put(*archive(range(200, 219))) == PutReport(source="blog", new=19)


def test_an_archive_at_the_first_fetch_is_what_first_days_makes_of_it(
    world: World,
) -> None:
    report = world.put(*BLOG, *archive(range(100, 130)), first=True)
    assert (report.new, report.held, report.passed_over) == (42, 0, 38)


def test_who_was_not_asked_for_long_brings_what_came_meanwhile(world: World) -> None:
    world.show(*BLOG)
    state = SourceState(name="blog", last_ok_at=NOW - 30 * DAY)
    world.store.sources.save([state])
    assert world.put(*archive(range(100, 130))).held == 0
    # The clock of a run for the past is ahead of it.
    world.store.sources.save([replace(state, last_ok_at=NOW + 300 * DAY)])
    assert world.put(*archive(range(200, 230))).held == 30


def test_articles_that_are_always_late_are_held_once(world: World) -> None:
    def table_of_contents(issue: int) -> list[Listing]:
        at = NOW + issue * 30 * DAY
        return archive(range(issue * 100, issue * 100 + 30), at)

    def put(issue: int) -> int:
        at = NOW + issue * 30 * DAY
        return world.put(*table_of_contents(issue), at=at, first_days=99).held

    world.put(
        *table_of_contents(0), at=NOW - timedelta(seconds=1), first=True, first_days=99
    )
    assert put(1) == 30
    assert world.store.entries.drop_held("blog") == 30
    # What was dropped makes no habit, nor does the first fetch.
    assert put(2) == 30
    assert world.store.entries.release_held("blog") == 30
    assert put(3) == 0
    # A habit that has rested for half a year is none.
    assert put(10) == 30


# --- joins ------------------------------------------------------------------------

A, B, C = "2601.00001", "10.1000/b", "10.1000/c"


@pytest.mark.parametrize("order", ["older first", "younger first"])
@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (RELEASED, PENDING),
        (RELEASED, HELD),
        (RELEASED, DROPPED),
        (RELEASED, PASSED),
        (PENDING, HELD),
        (PENDING, PASSED),
        (PENDING, DROPPED),
        (HELD, PASSED),
        (HELD, DROPPED),
        (PASSED, DROPPED),
    ],
)
def test_a_join_keeps_the_listing_that_is_nearest_to_readers(
    world: World, better: ListingState, worse: ListingState, order: str
) -> None:
    world.put(listing(A), listing(B))
    states = (better, worse) if order == "older first" else (worse, better)
    with world.store.database.write() as connection:
        ids = connection.scalars(select(listings.c.id).order_by(listings.c.id)).all()
        for n, (row, state) in enumerate(zip(ids, states, strict=True), 1):
            place = {"seq": n, "released_at": NOW} if state is RELEASED else {}
            connection.execute(
                update(listings)
                .where(listings.c.id == row)
                .values(state=state, **place)
            )
    world.put(listing("x", "blog", identifiers=(A, B)))
    with world.store.database.read() as connection:
        query = select(listings.c.state).where(listings.c.source == "hf")
        assert connection.scalars(query).all() == [better]


def test_who_got_one_of_a_chain_of_joins_gets_none_of_it_again(world: World) -> None:
    ada = world.reader()
    for name, source in ((A, "hf"), (B, "arxiv"), (C, "blog")):
        world.show(listing(name, source))
    first, second, third = (c.entry_id for c in world.window())
    world.issue(ada, items=(item(third),))
    shown = world.store.ledger.shown
    assert shown(ada.id, [first, second], since=NOW) == frozenset()
    world.put(listing("x", "blog", identifiers=(B, C)))
    assert shown(ada.id, [first, second], since=NOW) == {second}
    world.put(listing("y", "blog", identifiers=(A, B)))
    assert shown(ada.id, [first, second], since=NOW) == {first, second}
    # Its next listing is weighed as one that she has had.
    world.show(listing(A, "web"))
    (candidate,) = world.window(after=3)
    assert (candidate.entry_id, candidate.seen_before) == (first, True)


def test_a_preprint_and_its_paper_stay_two_until_a_document_names_both(
    world: World,
) -> None:
    page = "https://lab.example/paper"
    world.show(listing(B, "hf", url=page), at=NOW)
    world.show(listing(C, "arxiv", url=page), at=NOW)
    assert len(world.window()) == 2
    assert world.put(listing("x", "blog", identifiers=(C, B))).joined == 1
    assert len(world.window()) == 1
