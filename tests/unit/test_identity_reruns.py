"""Sources that break their promise to call a thing the same for ever."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsletter.identity import (
    Known,
    Resolution,
    Shown,
    name_all,
    resolve,
    strangers,
    url_alias,
)
from newsletter.model import Listing

NOW = datetime(2026, 5, 4, tzinfo=UTC)
DAY = timedelta(days=1)
HOST = "https://example.org"


def post(guid: str | None, **changes: object) -> Listing:
    """Return a post of a blog that names all that can be named."""
    whole = Listing(
        source="blog",
        guid=guid,
        title="On owls",
        url=f"{HOST}/owls",
        listed_at=NOW,
        summary="They see at night.",
        published_at=NOW,
    )
    return replace(whole, **changes)  # type: ignore[arg-type] # any of its fields


@dataclass(slots=True)
class Memory:
    """What a store keeps of one source, in plain dictionaries."""

    entries: dict[str, int] = field(default_factory=dict)
    url_guids: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    said: dict[tuple[int, Listing], None] = field(default_factory=dict)
    last: int = 0

    def put(self, *listings: Listing) -> list[int]:
        """Return the entry of each listing's place, new ones counted on."""
        return self.entries_of(self.resolve(listings))

    def new(self, *listings: Listing) -> int:
        """Return how many entries *listings* make."""
        before = self.last
        self.put(*listings)
        return self.last - before

    def resolve(self, listings: tuple[Listing, ...]) -> Resolution:
        named = name_all(listings)
        needed = {name for _, names in named for name in names}
        found = {n: e for n, e in self.entries.items() if n in needed}
        titles = {one.title for one, _ in strangers(named, found)}
        known = Known(
            entries=found,
            url_guids={u: frozenset(g) for u, g in self.url_guids.items()},
            shown=tuple(
                Shown(
                    entry=entry,
                    guids=self.guids_of(entry),
                    url=url_alias(one.url),
                    title=one.title,
                    summary=one.summary,
                    published_at=one.published_at,
                )
                for entry, one in self.said
                if one.title in titles
            ),
        )
        for one in listings:
            if one.guid and (url := url_alias(one.url)):
                self.url_guids[url].add(one.guid)
        return resolve(named, known)

    def guids_of(self, entry: int) -> frozenset[str]:
        names = (name for name, e in self.entries.items() if e == entry)
        prefix = "guid:blog:"
        return frozenset(n.removeprefix(prefix) for n in names if n.startswith(prefix))

    def entries_of(self, found: Resolution) -> list[int]:
        for row in found.renamed:
            for guid in row.guids:
                self.entries.pop(f"guid:blog:{guid}", None)
                self.url_guids[row.url or ""].discard(guid)
        for name in found.withdrawn:
            self.entries.pop(name, None)
        roots = {younger: older for older, younger in found.joins}
        self.entries = {n: roots.get(e, e) for n, e in self.entries.items()}
        first, ids = self.last, []
        for one in found.assignments:
            entry = one.entry if one.entry > 0 else first - one.entry
            self.last = max(self.last, entry)
            self.entries |= dict.fromkeys(one.aliases, entry)
            self.said[entry, one.listing] = None
            ids.append(entry)
        return ids


def test_a_site_that_moves_keeps_its_posts() -> None:
    memory = Memory()
    posts = [
        post(f"http://old.example/{n}", title=f"Post {n}", url=f"{HOST}/{n}")
        for n in range(5)
    ]
    assert memory.put(*posts) == [1, 2, 3, 4, 5]
    moved = [replace(p, guid=f"https://new.example/{n}") for n, p in enumerate(posts)]
    found = memory.resolve(tuple(moved))
    assert found.withdrawn == frozenset()
    assert sorted(row.entry for row in found.renamed) == [1, 2, 3, 4, 5]
    assert memory.entries_of(found) == [1, 2, 3, 4, 5]
    # From now on by the new guid: texts may change, and the link is a name.
    later = [replace(p, title="New", summary="x", published_at=None) for p in moved]
    assert memory.put(*later) == [1, 2, 3, 4, 5]
    assert memory.put(*(replace(p, guid=None) for p in later)) == [1, 2, 3, 4, 5]


def test_two_of_link_text_and_date_are_enough_and_one_is_not() -> None:
    changes: dict[str, object] = {
        "url": f"{HOST}/2026/owls",
        "summary": "Edited.",
        "published_at": NOW + DAY,
    }
    for kept in changes:
        other = {name: value for name, value in changes.items() if name != kept}
        for name, value in other.items():
            memory = Memory()
            memory.put(post("a"))
            assert memory.new(post("b", **{name: value})) == 0, name
        memory = Memory()
        memory.put(post("a"))
        assert memory.new(post("b", **other)) == 1, kept
    memory = Memory()
    memory.put(post("a"))
    assert memory.new(post("b", title="On mice")) == 1


def test_what_is_not_said_is_no_evidence() -> None:
    bare = {"summary": "", "published_at": None}
    for said, new in (
        ({"url": None, "summary": "", "published_at": None}, 1),
        ({**bare, "url": f"{HOST}/a"}, 0),
        ({**bare, "url": None, "summary": "Text."}, 0),
    ):
        memory = Memory()
        memory.put(post("a", **said))
        assert memory.new(post("b", **said)) == new, said
    memory = Memory()
    memory.put(post("a", **bare))
    # Same link and no text, but another day: today's issue.
    assert memory.new(post("b", summary="", published_at=NOW)) == 1


def test_a_rolling_issue_is_new_each_day() -> None:
    memory = Memory()
    for n in range(5):
        day = post(f"issue-{n}", summary=f"Of day {n}.", published_at=NOW + n * DAY)
        assert memory.new(day) == 1
        assert memory.new(day) == 0


def test_a_new_guid_at_every_fetch_is_one_entry_and_no_more_names() -> None:
    memory = Memory()
    for n in range(6):
        at = NOW + n * DAY
        assert memory.put(post(f"random-{n}", published_at=at, listed_at=at)) == [1]
    assert set(memory.entries) == {"guid:blog:random-5", "url:example.org/owls"}
    assert memory.url_guids == {"url:example.org/owls": {"random-5"}}


def test_guids_that_stand_side_by_side_tell_two_apart() -> None:
    memory = Memory()
    assert memory.put(post("a"), post("b")) == [1, 2]
    # The document still shows one that says the same: this is a third.
    assert memory.put(post("b"), post("c")) == [2, 3]
    assert memory.put(post("a"), post("b"), post("c")) == [1, 2, 3]
    # All three are gone: the same three, and a fourth.
    assert memory.put(*(post(guid) for guid in "defg")) == [1, 2, 3, 4]


def test_one_guid_twice_is_renamed_once() -> None:
    memory = Memory()
    memory.put(post("a"), post("b"))
    assert memory.put(post("c"), post("c")) == [1]


def test_a_podcast_whose_episodes_share_a_link_keeps_them_apart() -> None:
    memory = Memory()

    def show(host: str, episodes: int) -> list[Listing]:
        return [
            post(f"{host}/{n}", title=f"Episode {n}", published_at=NOW + n * DAY)
            for n in range(episodes)
        ]

    assert memory.new(*show("http://a", 30)) == 30
    assert memory.new(*show("http://a", 31)) == 1
    assert memory.new(*show("https://b", 32)) == 1
    assert memory.new(*show("https://b", 32)) == 0
    # A new episode, with the show's usual title and text.
    usual = [post(f"usual-{n}", published_at=NOW + n * DAY) for n in range(4)]
    assert memory.new(*usual[:3]) == 3
    assert memory.new(*usual[1:]) == 1


def test_what_has_a_surer_name_needs_no_likeness() -> None:
    memory = Memory()
    memory.put(post("a", identifiers=("2508.00001",)))
    assert memory.new(post("b", identifiers=("2508.00002",))) == 1
    assert memory.new(post("c", identifiers=("2508.00001",))) == 0


def test_a_renamed_post_brings_what_its_new_link_leads_to() -> None:
    memory = Memory(entries={"url:example.org/new": 1}, last=1)
    memory.put(post("a", url=f"{HOST}/old"))
    found = memory.resolve((post("b", url=f"{HOST}/new"),))
    assert found.joins == ((1, 2),)


guids = st.sampled_from(["a", "b", "c", "d", None])
posts = st.builds(
    lambda guid, title, url, summary, day: post(
        guid,
        title=title,
        url=url and f"{HOST}/{url}",
        summary=summary,
        published_at=NOW + day * DAY if day else None,
    ),
    guids,
    st.sampled_from("xy"),
    st.sampled_from(["1", "2", None]),
    st.sampled_from(["", "p", "q"]),
    st.sampled_from([0, 1, 2]),
)
documents = st.lists(st.lists(posts, max_size=5), min_size=1, max_size=4)


@given(documents)
def test_whatever_came_before_a_document_again_brings_nothing_new(
    rows: list[list[Listing]],
) -> None:
    memory = Memory()
    for document in rows:
        memory.put(*document)
        assert memory.new(*document) == 0


@given(st.lists(posts, max_size=6, unique_by=lambda p: (p.title, p.url, p.summary)))
def test_guids_that_all_change_at_once_bring_nothing_new(rows: list[Listing]) -> None:
    # One guid each, and enough said to know it by.
    before = [
        replace(p, guid=f"http://a/{n}", published_at=NOW + n * DAY)
        for n, p in enumerate(rows)
        if p.url or p.summary
    ]
    memory = Memory()
    memory.put(*before)
    after = [replace(p, guid=f"https://b/{n}") for n, p in enumerate(before)]
    assert memory.new(*after) == 0
    assert memory.new(*before) == 0
