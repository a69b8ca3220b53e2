"""arXiv's query interface: pages, where they end, and what it leaves unsaid."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from yarl import URL

from newsletter.errors import ParseError
from newsletter.identity import aliases
from newsletter.model import (
    Listing,
    Page,
    Rejected,
    Request,
    Response,
    SourceSettings,
    SourceState,
    Validator,
)
from newsletter.ports import Source
from newsletter.sources import KINDS, make_source
from newsletter.sources.arxiv_query import MOST_PAGES, SPACING_S
from tests.support.arxiv import Archive, document, entry

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
LONG_AGO = datetime.min.replace(tzinfo=UTC)
DAY = timedelta(days=1)
SEARCH = "https://export.arxiv.org/api/query?search_query=cat:cs.RO"
FRESH = SourceState(name="arxiv")


def settings(
    url: str = SEARCH, *, first_days: float = 3.0, **options: object
) -> SourceSettings:
    return SourceSettings(
        name="arxiv", kind="arxiv", url=url, first_days=first_days, options=options
    )


def arxiv(url: str = SEARCH, *, first_days: float = 3.0, **options: object) -> Source:
    return make_source(settings(url, first_days=first_days, **options))


def asked(source: Source, state: SourceState = FRESH, as_of: datetime = NOW) -> Request:
    (request,) = source.requests(state, as_of)
    return request


def query(request: Request) -> dict[str, str]:
    return dict(URL(request.url or "").query)


def parsed(source: Source, request: Request, body: bytes) -> Page:
    return source.parse(
        Response(request=request, status=200, headers={}, body=body, seen_at=NOW)
    )


def read(
    source: Source, archive: Archive, state: SourceState = FRESH, as_of: datetime = NOW
) -> list[Page]:
    """Follow the pages of a poll, as a fetcher does."""
    waiting = list(source.requests(state, as_of))
    pages: list[Page] = []
    while waiting:
        request = waiting.pop(0)
        pages.append(parsed(source, request, archive.body(query(request))))
        waiting[:0] = pages[-1].further
    return pages


def listed(pages: list[Page]) -> list[Listing]:
    return [paper for page in pages for paper in page.listings]


def said(pages: list[Page]) -> list[Rejected]:
    return [row for page in pages for row in page.rejected]


def after(first: datetime, last: datetime | None = None) -> SourceState:
    return SourceState(name="arxiv", first_ok_at=first, last_ok_at=last or first)


# --- what is asked -----------------------------------------------------------------


def test_the_newest_are_asked_for_in_hundreds_three_seconds_apart() -> None:
    request = asked(arxiv())
    assert query(request) == {
        "search_query": "cat:cs.RO",
        "sortBy": "submittedDate",
        "sortOrder": "descending",
        "start": "0",
        "max_results": "100",
    }
    assert request.spacing_s == SPACING_S == 3.0
    assert (request.page, request.day, request.attempt) == (0, None, 1)


@pytest.mark.parametrize(
    ("more", "size", "start"),
    [
        ("&max_results=25", "25", "0"),
        ("&max_results=99999", "2000", "0"),
        ("&max_results=0", "100", "0"),
        ("&max_results=many&start=x", "100", "0"),
        ("&start=40", "100", "40"),
    ],
)
def test_the_address_may_say_how_much(more: str, size: str, start: str) -> None:
    found = query(asked(arxiv(SEARCH + more)))
    assert (found["max_results"], found["start"]) == (size, start)


def test_a_search_keeps_its_words() -> None:
    words = "search_query=(cat:cs.LG+OR+cat:cs.CL)+ANDNOT+ti:%22large+model%22"
    request = asked(arxiv(f"https://export.arxiv.org/api/query?{words}"))
    there = parse_qs(urlsplit(request.url or "").query)
    assert there["search_query"] == ['(cat:cs.LG OR cat:cs.CL) ANDNOT ti:"large model"']


def test_what_the_server_gave_goes_with_the_first_page() -> None:
    url = asked(arxiv()).url or ""
    state = SourceState(name="arxiv", validators={url: Validator(etag=b"x")})
    assert asked(arxiv(), state).validator.etag == b"x"


def test_announcements_are_asked_for_as_ever() -> None:
    url = "https://rss.arxiv.org/rss/cs.LG"
    assert asked(arxiv(url)) == Request(source="arxiv", url=url)


# --- how far back --------------------------------------------------------------------


def test_the_first_poll_reads_the_first_days() -> None:
    assert asked(arxiv()).since == NOW - 3 * DAY
    assert asked(arxiv(first_days=30)).since == NOW - 30 * DAY
    assert asked(arxiv(first_days=0.5)).since == NOW - DAY / 2
    assert asked(arxiv(first_days=float("inf"))).since == datetime.min.replace(
        tzinfo=UTC
    )


def test_back_days_widens_the_first_poll_and_never_narrows_it() -> None:
    assert asked(arxiv(back_days=20)).since == NOW - 20 * DAY
    assert asked(arxiv(back_days=1)).since == NOW - 3 * DAY


def test_a_later_poll_reads_the_last_days_again() -> None:
    state = after(NOW - 90 * DAY, NOW - DAY)
    assert asked(arxiv(), state).since == NOW - 8 * DAY
    assert asked(arxiv(back_days=20), state).since == NOW - 21 * DAY
    asleep = after(NOW - 90 * DAY, NOW - 40 * DAY)
    assert asked(arxiv(), asleep).since == NOW - 47 * DAY


def test_days_count_from_the_instant_that_a_run_acts_as_of() -> None:
    state = after(NOW + 200 * DAY)
    assert asked(arxiv(), state).since == NOW - 3 * DAY
    assert asked(arxiv(back_days=5), state).since == NOW - 5 * DAY


def test_what_was_too_old_at_the_first_poll_does_not_become_new() -> None:
    archive = Archive.daily(NOW - DAY / 4, days=30, a_day=40)
    first = listed(read(arxiv(), archive))
    second = listed(read(arxiv(), archive, after(NOW), NOW + DAY / 24))
    assert {p.guid for p in second} <= {p.guid for p in first}
    assert len(first) == 120


def test_a_first_poll_that_broke_off_is_made_good_by_the_next() -> None:
    archive = Archive.daily(NOW - DAY / 4, days=30, a_day=60)
    (whole, *_), pages = read(arxiv(), archive), read(arxiv(), archive, after(NOW))
    assert len(whole.listings) == 100
    assert len(listed(pages)) == 180


# --- pages ---------------------------------------------------------------------------


def test_pages_are_followed_only_as_far_as_they_are_wanted() -> None:
    archive = Archive.daily(NOW - DAY / 4, days=400, a_day=60)
    pages = read(arxiv(), archive)
    assert archive.asked == [(0, 100), (100, 100)]
    assert len(listed(pages)) == 180
    assert min(p.listed_at for p in listed(pages)) >= NOW - 3 * DAY


def test_a_back_fill_reads_a_month() -> None:
    archive = Archive.daily(NOW - DAY / 4, days=400, a_day=60)
    pages = read(arxiv(first_days=30), archive)
    assert len(archive.asked) == 19
    assert len(listed(pages)) == 1800
    assert len({p.guid for p in listed(pages)}) == 1800
    assert said(pages) == []


def test_the_last_page_is_the_last() -> None:
    for number in (0, 1, 99, 100, 101, 200):
        archive = Archive([NOW - timedelta(minutes=n) for n in range(number)])
        assert len(listed(read(arxiv(), archive))) == number
        assert len(archive.asked) == max(1, -(-number // 100))


def test_a_page_that_is_shorter_than_asked_is_not_the_last() -> None:
    """arXiv may give fewer at once than the address asks for."""
    papers = [entry(f"2605.{n:05}", NOW - timedelta(minutes=n)) for n in range(70)]
    source = arxiv()
    page = parsed(source, asked(source), document(papers, 500))
    (following,) = page.further
    assert query(following)["start"] == "70"
    assert (following.page, following.validator) == (1, Validator())
    assert following.since == NOW - 3 * DAY


def test_an_answer_that_does_not_count_ends_with_a_short_page() -> None:
    papers = [entry(f"2605.{n:05}", NOW) for n in range(100)]
    source = arxiv()
    assert parsed(source, asked(source), document(papers, None)).further
    assert not parsed(source, asked(source), document(papers[1:], None)).further


def test_twenty_pages_are_the_most_and_what_is_left_is_said() -> None:
    archive = Archive.daily(NOW - DAY / 4, days=3, a_day=1000)
    pages = read(arxiv(), archive)
    assert len(archive.asked) == len(pages) == MOST_PAGES == 20
    (row,) = said(pages)
    assert row.reason.startswith("only the newest 2000 of 3000 papers were read")
    assert "larger max_results (at most 2000)" in row.reason
    wide = Archive.daily(NOW - DAY / 4, days=3, a_day=1000)
    assert said(read(arxiv(f"{SEARCH}&max_results=1000"), wide)) == []
    assert len(wide.asked) == 3


@pytest.mark.parametrize(
    "order", ["&sortBy=relevance", "&sortBy=lastUpdatedDate", "&sortOrder=ascending"]
)
def test_in_another_order_age_ends_nothing_so_one_page_is_read(order: str) -> None:
    archive = Archive.daily(NOW - DAY / 4, days=400, a_day=60)
    (page,) = read(arxiv(SEARCH + order), archive)
    assert len(page.listings) == 100
    assert page.rejected == ()


# --- pages that are empty without reason ---------------------------------------------


def test_an_empty_page_is_asked_for_once_more() -> None:
    archive = Archive.daily(NOW - DAY / 4, days=400, a_day=60)
    archive.empty = Counter({100: 1})
    pages = read(arxiv(), archive)
    assert archive.asked == [(0, 100), (100, 100), (100, 100)]
    assert len(listed(pages)) == 180
    assert said(pages) == []


def test_a_page_that_stays_empty_is_named_and_not_the_end() -> None:
    archive = Archive.daily(NOW - DAY / 4, days=400, a_day=120)
    archive.empty = Counter({100: 2})
    pages = read(arxiv(), archive)
    assert [start for start, _ in archive.asked] == [0, 100, 100, 200, 300]
    assert len(listed(pages)) == 260
    assert said(pages) == [
        Rejected(
            place="papers 101 to 200",
            reason="arXiv counts 48000 papers and shows none of them",
        )
    ]


def test_where_the_page_behind_is_empty_too_the_poll_ends() -> None:
    archive = Archive.daily(NOW - DAY / 4, days=400, a_day=120)
    archive.empty = Counter(dict.fromkeys(range(100, 5000, 100), 9))
    pages = read(arxiv(), archive)
    assert [start for start, _ in archive.asked] == [0, 100, 100, 200]
    assert [row.place for row in said(pages)] == [
        "papers 101 to 200",
        "papers 201 to 300",
    ]


def test_a_last_page_that_stays_empty_is_named() -> None:
    archive = Archive([NOW - timedelta(minutes=n) for n in range(130)])
    archive.empty = Counter({100: 2})
    (row,) = said(read(arxiv(), archive))
    assert row.place == "papers 101 to 130"


def test_a_first_page_that_stays_empty_is_a_failure() -> None:
    archive = Archive.daily(NOW - DAY / 4, days=3, a_day=3)
    archive.empty = Counter({0: 1})
    assert len(listed(read(arxiv(), archive))) == 9
    archive.empty = Counter({0: 2})
    with pytest.raises(ParseError, match="counts 9 papers and shows none of them, as"):
        read(arxiv(), archive)


def test_a_search_that_finds_nothing_is_no_failure() -> None:
    assert read(arxiv(), Archive([])) == [Page()]


# --- its other quirks ----------------------------------------------------------------


def test_ids_that_vanish_are_named() -> None:
    source = arxiv(
        "https://export.arxiv.org/api/query?id_list=2605.00001v2,9999.99999,nonsense/1"
    )
    body = document([entry("2605.00001", NOW - 90 * DAY, version=2)], 1)
    page = parsed(source, asked(source), body)
    assert [p.guid for p in page.listings] == ["2605.00001"]
    assert [(row.place, row.reason) for row in page.rejected] == [
        ("9999.99999", "arXiv knows no such paper"),
        ("nonsense/1", "arXiv knows no such paper"),
    ]
    none = parsed(source, asked(source), document([], 0))
    assert len(none.rejected) == 3


def test_a_list_of_ids_is_read_to_its_end_however_old() -> None:
    names = [f"2401.{number:05}" for number in range(30)]
    url = f"https://arxiv.org/api/query?id_list={','.join(names)}&max_results=20"
    source = arxiv(url)
    entries = [entry(name, NOW - 900 * DAY) for name in names]
    page = parsed(source, asked(source), document(entries[:20], 30))
    (rest,) = page.further
    last = parsed(source, rest, document(entries[20:], 30))
    assert len(page.listings) + len(last.listings) == 30
    assert (page.rejected, last.rejected, last.further) == ((), (), ())


def test_a_new_version_is_the_same_paper_of_the_same_day() -> None:
    source, then = arxiv(first_days=900), NOW - DAY
    bodies = [document([entry("2605.00001", then, version=v)], 1) for v in (1, 2)]
    pages = [parsed(source, asked(source), body) for body in bodies]
    (old,), (new,) = (page.listings for page in pages)
    assert aliases(old) == aliases(new)
    assert old == new
    assert new.listed_at == new.published_at == NOW - DAY


def test_the_primary_category_comes_first() -> None:
    source = arxiv()
    page = parsed(source, asked(source), document([entry("2605.00001", NOW)], 1))
    assert page.listings[0].categories == ("cs.RO", "cs.AI")


def test_an_error_without_an_address_of_its_own_is_one_too() -> None:
    body = document(
        ["<entry><id>x</id><title>Error</title><summary>bad query</summary></entry>"], 1
    )
    with pytest.raises(ParseError, match="arXiv says: bad query; look at the query"):
        parsed(arxiv(), asked(arxiv()), body)
    paper = entry("2605.00001", NOW, title="Error")
    assert parsed(arxiv(), asked(arxiv()), document([paper], 1)).listings


# --- keys ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "mistakes"),
    [
        ({"back_days": 30}, []),
        ({"back_days": 0.5}, []),
        ({"back_days": 0}, ["expected days, more than 0, at most 3650"]),
        ({"back_days": 4000}, ["expected days, more than 0, at most 3650"]),
        ({"back_days": float("nan")}, ["expected days, more than 0, at most 3650"]),
        ({"back_days": True}, ["expected days, more than 0, at most 3650"]),
        ({"back_days": "30"}, ["expected days, more than 0, at most 3650"]),
        (
            {"back_day": 3},
            ["a source of kind 'arxiv' has no such key; did you mean back_days?"],
        ),
    ],
)
def test_back_days_is_checked(options: dict[str, object], mistakes: list[str]) -> None:
    table = replace(settings(), options=options)
    assert [what for _, what in KINDS["arxiv"](table)] == mistakes


def test_only_a_search_can_look_back() -> None:
    feed = settings("https://rss.arxiv.org/rss/cs.LG", back_days=3)
    (mistake,) = KINDS["arxiv"](feed)
    assert mistake == ("back_days", "only a search (…/api/query) can look back")


# --- as it really is -----------------------------------------------------------------


def captured(shared: Path) -> dict[str, tuple[Request, Page | str]]:
    """Return each recording read as the answer to the address that was asked."""
    folder = shared / "wire" / "arxiv_api_atom"
    found: dict[str, tuple[Request, Page | str]] = {}
    for row in json.loads((folder / "requests.json").read_text("utf-8")):
        source = arxiv(row["url"])
        request = replace(asked(source), url=row["url"])
        try:
            page = parsed(source, request, (folder / row["file"]).read_bytes())
        except ParseError as error:
            found[row["file"]] = request, str(error)
        else:
            found[row["file"]] = request, page
    return found


def test_recorded_answers_are_read_as_what_they_are(shared: Path) -> None:
    found = {name: page for name, (_, page) in captured(shared).items()}
    assert len(found) == 11
    assert found.pop("id_abc_s0_m100.xml") == (
        "arXiv says: incorrect id format for abc; look at the query in its address"
    )
    pages = {name: page for name, page in found.items() if isinstance(page, Page)}
    assert len(pages) == 10
    unknown = {name: [r.place for r in page.rejected] for name, page in pages.items()}
    assert {name: ids for name, ids in unknown.items() if ids} == {
        "id_0000.0000_s0_m100.xml": ["0000.0000"],
        "id_0808.05394_1707.08567_s0_m100.xml": ["0808.05394"],
    }
    sizes = [len(pages[name].listings) for name in sorted(pages) if name[0] == "q"]
    assert sizes == [10, 15, 10, 10, 10]


def test_recorded_papers_have_what_the_interface_says_of_them(shared: Path) -> None:
    found = captured(shared)
    pages = [page for _, page in found.values() if isinstance(page, Page)]
    papers = [paper for page in pages for paper in page.listings]
    assert all(p.published_at == p.listed_at < NOW for p in papers)
    assert all(p.authors and p.summary and p.categories for p in papers)
    assert all("v" not in str(p.guid).rpartition(".")[2] for p in papers)
    assert all(p.url == f"https://arxiv.org/abs/{p.guid}" for p in papers)
    with_doi = next(p for p in papers if p.guid == "2202.12139")
    assert "doi:10.1109/icstw55395.2022.00035" in aliases(with_doi)
    assert with_doi.categories == ("cs.SE", "cs.LG")
    old = next(p for p in papers if str(p.guid).startswith("quant-ph"))
    assert aliases(old)[0] == "arxiv:quant-ph/0201082"


def test_recorded_pages_lead_to_one_another(shared: Path) -> None:
    """They were asked by relevance; asked by date the next would follow."""
    body = (shared / "wire" / "arxiv_api_atom" / "q_testing_s10_m10.xml").read_bytes()
    source = arxiv(f"{SEARCH}&start=10&max_results=10", first_days=9000)
    (following,) = parsed(source, asked(source), body).further
    assert query(following)["start"] == "20"
