from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.identity import (
    Known,
    Resolution,
    aliases,
    canonical_url,
    content_hash,
    doi_of,
    needed_aliases,
    paper_id,
    resolve,
)
from newsletter.model import Link, Listing

NOW = datetime(2026, 5, 4, tzinfo=UTC)


def listing(
    guid: str | None = None,
    url: str | None = None,
    *names: str,
    title: str = "A title",
    source: str = "feed",
    votes: int | None = None,
    listed_at: datetime = NOW,
) -> Listing:
    return Listing(
        source=source,
        guid=guid,
        title=title,
        url=url,
        listed_at=listed_at,
        identifiers=names,
        votes=votes,
    )


def resolved(*listings: Listing, **known: int) -> Resolution:
    names = {name.replace("__", ":"): entry for name, entry in known.items()}
    return resolve(listings, Known(entries=names))


def entries(found: Resolution) -> list[int]:
    return [assignment.entry for assignment in found.assignments]


@pytest.mark.parametrize(
    "text",
    [
        "2508.13426",
        "2508.13426v3",
        "oai:arXiv.org:2508.13426v1",
        "arXiv:2508.13426",
        "http://arxiv.org/abs/2508.13426v1",
        "https://www.arxiv.org/pdf/2508.13426",
        "https://arxiv.org/pdf/2508.13426v2.pdf",
        "https://export.arxiv.org/abs/2508.13426/",
        "https://arxiv.org/html/2508.13426v1",
        "https://huggingface.co/papers/2508.13426",
        "https://hf.co/papers/2508.13426",
        "https://doi.org/10.48550/arXiv.2508.13426",
        "10.48550/ARXIV.2508.13426",
        "  2508.13426 ",
    ],
)
def test_every_shape_of_a_papers_name_is_one(text: str) -> None:
    assert paper_id(text) == "2508.13426"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://arxiv.org/abs/quant-ph/0201082v1", "quant-ph/0201082"),
        ("math.GT/0309136", "math.gt/0309136"),
        ("https://example.org/abs/2508.13426", None),
        ("https://arxiv.org/list/cs.LG/recent", None),
        ("https://arxiv.org", None),
        ("12508.134266", None),
        ("2508.13426 and more", None),
        ("http://[broken/abs/2508.13426", None),
        ("", None),
    ],
)
def test_old_names_have_a_slash_and_others_are_none(
    text: str, expected: str | None
) -> None:
    assert paper_id(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.1000/XYZ", "10.1000/xyz"),
        ("doi:10.1000/xyz", "10.1000/xyz"),
        ("https://doi.org/10.1000/xyz.", "10.1000/xyz"),
        ("http://dx.doi.org/10.1000/a%2Fb", "10.1000/a/b"),
        ("https://example.org/10.1000/xyz", None),
        ("10.1/x", None),
        ("words", None),
    ],
)
def test_a_doi_is_case_folded(text: str, expected: str | None) -> None:
    assert doi_of(text) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTP://Example.ORG:80/A?b=1#f", "http://example.org/A?b=1"),
        ("https://example.org:443", "https://example.org/"),
        ("https://example.org/?utm_source=x&a=1&fbclid=2", "https://example.org/?a=1"),
        ("https://example.org/a?utm_medium=rss", "https://example.org/a"),
        ("https://me:secret@example.org/a", "https://example.org/a"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("http://[2001:db8::1]:8080/", "http://[2001:db8::1]:8080/"),
        ("ftp://example.org/a", None),
        ("javascript:alert(1)", None),
        ("/relative", None),
        ("http://exa mple.org/", None),
        ("http://example.org:99999/", None),
        ("http:///a", None),
        ("https://example.org/" + "a" * 5000, None),
    ],
)
def test_an_address_has_one_form(url: str, expected: str | None) -> None:
    assert canonical_url(url) == expected


@given(st.text(max_size=60) | st.from_regex(r"https?://[^ ]{0,40}"))
def test_no_text_is_too_strange_for_a_name(text: str) -> None:
    found = canonical_url(text)
    if found is not None:
        assert canonical_url(found) == found
    paper_id(text)
    doi_of(text)
    aliases(listing(text or None, text, text))


def test_names_come_surest_first_and_once() -> None:
    paper = replace(
        listing("oai:arXiv.org:2508.13426v1", "https://arxiv.org/abs/2508.13426"),
        identifiers=("10.1000/xyz", "10.48550/arXiv.2508.13426"),
        links=(
            Link(label="pdf", url="https://arxiv.org/pdf/2508.13426"),
            Link(label="discussion", url="https://arxiv.org/abs/9999.99999"),
        ),
    )
    assert aliases(paper) == (
        "arxiv:2508.13426",
        "doi:10.1000/xyz",
        "url:arxiv.org/abs/2508.13426",
        "guid:feed:oai:arXiv.org:2508.13426v1",
    )


def test_http_and_https_are_one_name() -> None:
    assert aliases(listing(None, "http://example.org/a")) == aliases(
        listing(None, "https://example.org/a")
    )


def test_what_has_neither_guid_nor_link_goes_by_what_it_says() -> None:
    (only,) = aliases(listing())
    assert only.startswith("text:feed:")
    assert entries(resolved(listing(), listing(), listing(title="B"))) == [-1, -2]
    assert entries(resolve([listing()], Known(entries={only: 7}))) == [7]


def test_ten_notes_on_one_page_are_ten_notes() -> None:
    page = "https://example.org/notes"
    notes = [listing(None, page, title=f"Note {n}") for n in range(10)]
    found = resolve(notes, Known())
    assert len(set(entries(found))) == 10
    assert found.withdrawn == {"url:example.org/notes"}
    # One note whose text changes stays one.
    one = resolved(listing(None, page, title="New"), **{"url__example.org/notes": 3})
    assert entries(one) == [3]


def test_what_is_known_by_any_name_is_the_same_entry() -> None:
    found = resolved(
        listing("g1", "https://example.org/a", "2508.13426"),
        listing("g2", "https://example.org/b"),
        **{"url__example.org/b": 4, "arxiv__2508.13426": 9},
    )
    assert entries(found) == [9, 4]
    assert found.joins == ()
    assert "guid:feed:g1" in found.assignments[0].aliases


def test_two_entries_found_to_be_one_join_the_older() -> None:
    found = resolved(
        listing("g1", "https://example.org/a"),
        **{"url__example.org/a": 9, "guid__feed__g1": 4},
    )
    assert entries(found) == [4]
    assert found.joins == ((4, 9),)


def test_three_entries_join_the_oldest_whatever_the_order() -> None:
    first = listing("g1", "https://example.org/a")
    second = listing("g1", "https://example.org/a", "2508.13426")
    found = resolved(
        first,
        second,
        **{"url__example.org/a": 9, "guid__feed__g1": 7, "arxiv__2508.13426": 4},
    )
    assert entries(found) == [4]
    assert sorted(found.joins) == [(4, 7), (4, 9)]


def test_two_new_ones_found_to_be_one_share_their_entry() -> None:
    found = resolved(
        listing("g1", "https://example.org/a"),
        listing("g2", "https://example.org/b", "10.1000/x"),
        listing("g2", "https://example.org/b", "10.1000/x"),
    )
    assert entries(found) == [-1, -2]


def test_two_papers_are_never_one_whatever_they_share() -> None:
    found = resolved(
        listing(None, "https://example.org/both", "2508.00001"),
        listing(None, "https://example.org/both", "2508.00002"),
    )
    assert entries(found) == [-1, -2]
    known = resolved(
        listing(None, "https://example.org/both", "2508.00002"),
        **{"url__example.org/both": 3, "arxiv__2508.00002": 5, "arxiv__2508.00001": 3},
    )
    assert entries(known) == [5]
    assert known.joins == ()


def test_one_polls_repeats_are_one_first_listed_and_last_said() -> None:
    early, late = NOW, NOW + timedelta(days=1)
    found = resolved(
        listing("g", "https://example.org/a", votes=1, listed_at=early),
        listing("g", "https://example.org/a", votes=7, listed_at=late),
    )
    (only,) = found.assignments
    assert (only.listing.votes, only.listing.listed_at) == (7, early)


def test_one_guid_for_two_links_is_two_things() -> None:
    both = (
        listing("same", "https://example.org/a", title="A"),
        listing("same", "https://example.org/b", title="B"),
    )
    found = resolved(*both)
    assert entries(found) == [-1, -2]
    names = {alias for a in found.assignments for alias in a.aliases}
    assert "guid:feed:same" not in names
    again = resolve(
        both, Known(entries={n: -a.entry for a in found.assignments for n in a.aliases})
    )
    assert entries(again) == [1, 2]


def test_one_guid_and_link_for_two_texts_is_two_things() -> None:
    found = resolved(
        listing("same", "https://example.org/a", title="A"),
        listing("same", "https://example.org/a", title="B"),
        listing("same", "https://example.org/a", title="B"),
    )
    assert entries(found) == [-1, -2]
    assert found.withdrawn == {"url:example.org/a"}


def test_an_address_given_to_several_guids_is_no_name() -> None:
    found = resolved(
        listing("g1", "https://example.org/show"),
        listing("g2", "https://example.org/show"),
    )
    assert entries(found) == [-1, -2]
    assert found.withdrawn == {"url:example.org/show"}
    later = resolve(
        [listing("g3", "https://example.org/show")],
        Known(
            entries={"url:example.org/show": 1},
            url_guids={"url:example.org/show": frozenset({"g1"})},
        ),
    )
    assert entries(later) == [-1]
    assert later.withdrawn == {"url:example.org/show"}


def test_the_same_guid_later_is_the_same_entry_with_another_text() -> None:
    known = Known(
        entries={"url:example.org/a": 1, "guid:feed:g": 1},
        url_guids={"url:example.org/a": frozenset({"g"})},
    )
    found = resolve([listing("g", "https://example.org/a", title="New")], known)
    assert entries(found) == [1]


def test_all_names_that_are_used_are_asked_for() -> None:
    rows = [
        listing("same", "https://example.org/a", title="A"),
        listing("same", "https://example.org/b", title="B"),
        listing(None, None, "2508.13426"),
    ]
    used = {n for a in resolve(rows, Known()).assignments for n in a.aliases}
    assert used <= needed_aliases(rows)


def test_votes_and_time_make_no_other_text() -> None:
    first = listing("g", "https://example.org/a", votes=1)
    assert content_hash(first) == content_hash(
        replace(first, votes=2, listed_at=NOW + timedelta(days=1))
    )
    for change in (
        {"title": "x"},
        {"summary": "x"},
        {"authors": ("x",)},
        {"published_at": NOW},
        {"links": (Link(label="pdf", url="https://example.org/x"),)},
    ):
        assert content_hash(replace(first, **change)) != content_hash(first)


names = st.sampled_from(["a", "b", "c", None])
rows_of = st.lists(
    st.builds(
        lambda guid, path, paper, title: listing(
            guid,
            path and f"https://example.org/{path}",
            *([f"2508.0000{paper}"] if paper else []),
            title=title,
        ),
        names,
        names,
        st.sampled_from([0, 1, 2]),
        st.sampled_from(["x", "y"]),
    ),
    max_size=8,
)


@given(rows_of)
def test_the_same_document_again_brings_nothing_new(rows: list[Listing]) -> None:
    first = resolve(rows, Known())
    stored = {n: -a.entry for a in first.assignments for n in a.aliases}
    guids: dict[str, set[str]] = {}
    for row in rows:
        for alias in aliases(row):
            if alias.startswith("url:") and row.guid:
                guids.setdefault(alias, set()).add(row.guid)
    known = Known(entries=stored, url_guids={u: frozenset(g) for u, g in guids.items()})
    again = resolve(rows, known)
    assert all(entry > 0 for entry in entries(again))
    assert again.joins == ()
