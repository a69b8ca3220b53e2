from __future__ import annotations

from collections.abc import Sequence
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
    name_all,
    paper_id,
)
from newsletter.identity import resolve as resolve_named
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


def resolve(rows: Sequence[Listing], known: Known) -> Resolution:
    return resolve_named(name_all(rows), known)


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
        "2508.13426v1.pdf",
        "arXiv:2508.13426v2 [cs.CL]",
        "arXiv:2508.13426v2  [stat.ML]  19 Aug 2025",
        "arxiv 2508.13426",
        "arXiv preprint arXiv:2508.13426",
        "ARXIV:2508.13426v1.",
        "arxiv.org/abs/2508.13426",
        "www.arxiv.org/pdf/2508.13426v1",
        "http://www.arxiv.org:80/abs/2508.13426v12",
        "https://arxiv.org/abs/2508.13426v1?context=cs.LG#comments",
        "https://arxiv.org/pdf/2508.13426v2.pdf?download=1#page=3",
        "https://arxiv.org/ps/2508.13426v1.ps.gz",
        "https://arxiv.org/e-print/2508.13426",
        "https://arxiv.org/src/2508.13426v3",
        "https://arxiv.org//abs/arXiv:2508.13426",
        "https://de.arxiv.org/abs/2508.13426",
        "https://ar5iv.labs.arxiv.org/html/2508.13426",
        "https://ar5iv.org/abs/2508.13426",
        "https://www.alphaxiv.org/abs/2508.13426v1",
        "https://alphaxiv.org/overview/2508.13426",
        "https://www.arxiv-vanity.com/papers/2508.13426/",
        "https://huggingface.co/papers/2508.13426#community",
        "hf.co/papers/2508.13426?utm_source=mail",
        "http://dx.doi.org/10.48550/arXiv.2508.13426v2",
        "https://doi.org/10.48550%2FarXiv.2508.13426?x=1",
        "doi:10.48550/arXiv.2508.13426",
    ],
)
def test_every_shape_of_a_papers_name_is_one(text: str) -> None:
    assert paper_id(text) == "2508.13426"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://arxiv.org/abs/quant-ph/0201082v1", "quant-ph/0201082"),
        ("math.GT/0309136", "math/0309136"),
        ("math/0309136v2", "math/0309136"),
        ("http://arxiv.org/abs/math.GT/0309136v1", "math/0309136"),
        ("https://arxiv.org/pdf/cond-mat.supr-con/9901001v1.pdf", "cond-mat/9901001"),
        ("oai:arXiv.org:hep-th/9901001", "hep-th/9901001"),
        ("10.48550/arXiv.hep-th/9901001", "hep-th/9901001"),
        ("http://xxx.lanl.gov/abs/hep-th/9901001", "hep-th/9901001"),
        ("arXiv:hep-th/9901001v3 [hep-th] 1 Jan 1999", "hep-th/9901001"),
        ("post/0309136", None),
        ("math/0313136", None),
        ("2513.13426", None),
        ("1234.56789012", None),
        ("https://arxiv.org/list/cs/2508.13426", None),
        ("https://arxiv.org/a/lee_a_1", None),
        ("https://huggingface.co/papers/date/2025-08-01", None),
        ("https://huggingface.co/someone/2508.13426", None),
        ("https://example.org/10.48550/arXiv.2508.13426", None),
        ("https://notarxiv.org/abs/2508.13426", None),
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
        ("DOI: 10.1000/xyz", "10.1000/xyz"),
        ("DOI 10.1000/xyz", "10.1000/xyz"),
        ("urn:doi:10.1000/xyz", "10.1000/xyz"),
        ("info:doi/10.1000/xyz", "10.1000/xyz"),
        ("doi.org/10.1000/xyz", "10.1000/xyz"),
        ("https://www.doi.org/10.1000/xyz/?utm_source=rss#top", "10.1000/xyz"),
        ("10.1000.10/xyz", "10.1000.10/xyz"),
        ("10.1000%2Fxyz", "10.1000/xyz"),
        ("10.1000/xyz.,;", "10.1000/xyz"),
        ("10.1000/xyz)", "10.1000/xyz"),
        ("10.1016/S0140-6736(05)67728-8", "10.1016/s0140-6736(05)67728-8"),
        ("10.1016/0022-3697(73)90030-(5)", "10.1016/0022-3697(73)90030-(5)"),
        (
            "10.1002/(SICI)1(1998)2:3<4::AID-5>3.0.CO;2-#",
            "10.1002/(sici)1(1998)2:3<4::aid-5>3.0.co;2-#",
        ),
        ("10.1101/2026.06.30.123456v1", "10.1101/2026.06.30.123456"),
        ("10.1101/743294v2", "10.1101/743294"),
        # Not everything that ends in v1 is a version.
        ("10.1000/2026v1", "10.1000/2026v1"),
        ("https://example.org/10.1000/xyz", None),
        ("10.1/x", None),
        ("10.1000/", None),
        ("10.1000/.,", None),
        ("10.1000/x and more", None),
        ("words", None),
        ("http://[broken/10.1000/x", None),
    ],
)
def test_a_doi_is_case_folded(text: str, expected: str | None) -> None:
    assert doi_of(text) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "www.biorxiv.org/content/10.1101/2026.06.30.123456v1",
            "10.1101/2026.06.30.123456",
        ),
        (
            "www.biorxiv.org/content/10.64898/2026.06.30.123456v2.full.pdf+html",
            "10.64898/2026.06.30.123456",
        ),
        (
            "www.medrxiv.org/content/10.1101/2026.06.30.26123456v1.full-text?rss=1",
            "10.1101/2026.06.30.26123456",
        ),
        ("www.biorxiv.org/content/10.1101/743294v1.abstract", "10.1101/743294"),
        ("www.biorxiv.org/content/10.1101/743294", "10.1101/743294"),
        ("biorxiv.org/cgi/content/short/743294v1?rss=1", None),
        (
            "www.nature.com/articles/s41586-024-07000-1",
            "10.1038/s41586-024-07000-1",
        ),
        ("www.nature.com/articles/d41586-026-00001-x", "10.1038/d41586-026-00001-x"),
        (
            "www.nature.com/articles/s41586-024-07000-1.pdf#Sec1",
            "10.1038/s41586-024-07000-1",
        ),
        ("www.nature.com/collections/s41586-024-07000-1", None),
        ("www.nature.com/articles/some-words", None),
        ("www.science.org/doi/10.1126/science.abc1234?af=R", "10.1126/science.abc1234"),
        ("www.science.org/doi/suppl/10.1126/science.abc1234", None),
        ("www.science.org/news/some-words", None),
        ("dl.acm.org/doi/abs/10.1145/3580305.3599123", "10.1145/3580305.3599123"),
        ("onlinelibrary.wiley.com/doi/full/10.1002/anie.1", "10.1002/anie.1"),
        ("x.onlinelibrary.wiley.com/doi/10.1002/anie.1/full", "10.1002/anie.1"),
        # The DOI goes on behind another slash: half of one would be another.
        (
            "onlinelibrary.wiley.com/doi/10.1002/(SICI)1097(19980815/30)17:15",
            None,
        ),
        (
            "link.springer.com/article/10.1007/s00453-026-1-1#Abs1",
            "10.1007/s00453-026-1-1",
        ),
        ("link.springer.com/content/pdf/10.1007/s1-2.pdf", "10.1007/s1-2"),
        (
            "genomebiology.biomedcentral.com/articles/10.1186/s13059-026-1-1",
            "10.1186/s13059-026-1-1",
        ),
        (
            "www.frontiersin.org/journals/ai/articles/10.3389/frai.2026.1/full",
            "10.3389/frai.2026.1",
        ),
        (
            "journals.aps.org/prl/abstract/10.1103/PhysRevLett.1.2",
            "10.1103/physrevlett.1.2",
        ),
        (
            "iopscience.iop.org/article/10.1088/1361-6471/ab12/meta",
            "10.1088/1361-6471/ab12",
        ),
        (
            "journals.plos.org/plosone/article?id=10.1371/journal.pone.0123456&rss=1",
            "10.1371/journal.pone.0123456",
        ),
        (
            "journals.plos.org/plosone/article/file?id=10.1371/journal.pone.0123456",
            "10.1371/journal.pone.0123456",
        ),
        ("example.org/doi/10.1000/xyz", None),
    ],
)
def test_an_address_is_a_doi_only_where_its_publisher_makes_it_one(
    path: str, expected: str | None
) -> None:
    assert doi_of(f"https://{path}") == expected


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
        ("https://XN--BCHER-KVA.example/", "https://xn--bcher-kva.example/"),
        ("http://example.org./a", "http://example.org/a"),
        ("https://example.org/%7Ea/%41%2f", "https://example.org/~a/A%2F"),
        ("https://example.org/a/../b/./c", "https://example.org/b/c"),
        ("https://example.org/a?", "https://example.org/a"),
        ("https://example.org/?a&b=%2f&gclid=1&c=+", "https://example.org/?a&b=/&c=+"),
        ("https://example.org/?MTM_source=x&pk_kwd=y", "https://example.org/"),
        ("https://example.org/?source=rss----1&x=1", "https://example.org/?x=1"),
        ("https://example.org/?source=letter", "https://example.org/?source=letter"),
        ("https://example.org/a?rss=1#!page", "https://example.org/a"),
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


def test_two_papers_stay_two_though_a_document_takes_them_for_one() -> None:
    # By guid the one, by address the other; it says of itself that it is neither.
    found = resolved(
        listing("g", "https://example.org/both"),
        **{
            "url__example.org/both": 3,
            "arxiv__2508.00001": 3,
            "guid__feed__g": 5,
            "arxiv__2508.00002": 5,
        },
    )
    assert entries(found) == [5]
    assert found.joins == ()
    # Who names two papers shows one beside another.
    two = listing("g", None, "2508.00002", "https://arxiv.org/abs/2508.00001")
    assert aliases(two) == ("arxiv:2508.00002", "guid:feed:g")


def test_two_dois_are_one_only_where_one_document_names_both() -> None:
    preprint, paper = "10.1101/2026.06.30.123456", "10.1038/s41586-026-1-1"
    known = {
        "url__example.org/a": 3,
        f"doi__{preprint}": 3,
        f"doi__{paper}": 5,
    }
    page = "https://example.org/a"
    assert entries(resolved(listing("g", page, paper), **known)) == [5]
    assert entries(resolved(listing("g", page, "10.1000/else"), **known)) == [-1]
    both = resolved(listing("g", None, preprint, paper), **known)
    assert both.joins == ((3, 5),)
    # Of one arXiv id, two DOIs are a paper's two.
    again = resolved(
        listing("g", None, "2508.00001", paper),
        **{"arxiv__2508.00001": 2, f"doi__{preprint}": 2, f"doi__{paper}": 5},
    )
    assert again.joins == ((2, 5),)
    # What one name leads to, another may contradict.
    other = resolved(
        listing("g", page, "2508.00001"),
        **known | {"arxiv__2508.00001": 2, f"doi__{paper}": 2},
    )
    assert other.joins == ()


def test_a_bare_number_in_a_guid_is_no_paper() -> None:
    assert aliases(listing("2508.00001")) == ("guid:feed:2508.00001",)
    assert "arxiv:2508.00001" in aliases(listing("oai:arXiv.org:2508.00001v1"))


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
    assert used <= {name for _, names in name_all(rows) for name in names}


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
