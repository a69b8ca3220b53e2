from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yarl

from newsletter.errors import ParseError
from newsletter.model import (
    Link,
    Listing,
    Page,
    Poll,
    Reading,
    Request,
    Response,
    SourceSettings,
    SourceState,
    Validator,
)
from newsletter.polling import next_state
from newsletter.sources import KINDS
from newsletter.sources.huggingface import PAGE_SIZE, HuggingFace

URL = "https://api.example.org/daily_papers?sort=trending"
SOURCE = HuggingFace(SourceSettings(name="hf", kind="huggingface", url=URL))
DAY = date(2026, 5, 28)
SEEN = datetime(2026, 5, 28, 12, tzinfo=UTC)


def response(
    body: object, *, day: date | None = DAY, seen_at: datetime = SEEN, page: int = 0
) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(
        request=Request(source="hf", url=URL, day=day, page=page),
        status=200,
        headers={},
        body=content,
        seen_at=seen_at,
    )


def parsed(body: object, **how: Any) -> Page:  # noqa: ANN401 - response's own
    return SOURCE.parse(response(body, **how))


def row(**paper: object) -> dict[str, object]:
    return {
        "paper": {
            "id": "2605.28293",
            "title": "A\n  title",
            "summary": "Some\nsummary of 360^circ.",
            "upvotes": 12,
            "publishedAt": "2026-05-27T00:00:00.000Z",
            "submittedOnDailyAt": "2026-05-28T01:33:35.016Z",
            "authors": [{"name": "Ann Lee"}, {"name": "X", "hidden": True}],
            **paper,
        },
        "thumbnail": "https://cdn.example.org/t.png",
    }


def days(state: SourceState, as_of: str) -> list[str]:
    instant = datetime.fromisoformat(as_of).replace(tzinfo=UTC)
    return [str(r.day)[5:] for r in SOURCE.requests(state, instant)]


@pytest.mark.parametrize("day", ["9999-12-31T00:00:00Z", "2099-01-01T03:00:00Z"])
def test_a_day_that_is_years_ahead_is_none(day: str) -> None:
    (listing,) = parsed([row(submittedOnDailyAt=day)]).listings
    assert listing.listed_at == SEEN


def test_a_paper_is_read_whole() -> None:
    page = parsed(
        [
            row(
                ai_summary="In short.",
                ai_keywords=["x"],
                githubRepo="https://code.example.org/a",
                projectPage="https://a.example.org",
            )
        ]
    )
    assert page.listings == (
        Listing(
            source="hf",
            guid="2605.28293",
            title="A title",
            url="https://huggingface.co/papers/2605.28293",
            listed_at=datetime(2026, 5, 28, 1, 33, 35, 16000, tzinfo=UTC),
            summary="Some summary of 360°.",
            authors=("Ann Lee",),
            links=(
                Link(label="paper", url="https://arxiv.org/abs/2605.28293"),
                Link(label="pdf", url="https://arxiv.org/pdf/2605.28293"),
                Link(label="code", url="https://code.example.org/a"),
                Link(label="page", url="https://a.example.org/"),
            ),
            identifiers=("2605.28293",),
            published_at=datetime(2026, 5, 27, tzinfo=UTC),
            votes=12,
            tldr="In short.",
            thumbnail="https://cdn.example.org/t.png",
        ),
    )


@pytest.mark.parametrize(
    ("submitted", "seen_at", "listed_at"),
    [
        # An instant is what it is.
        ("2026-05-28T01:33:35Z", "2026-05-28T12:00", "2026-05-28T01:33:35"),
        # A date only: the first sighting ...
        ("2026-05-28T00:00:00.000Z", "2026-05-28T12:00", "2026-05-28T12:00"),
        (None, "2026-05-28T12:00", "2026-05-28T12:00"),
        ("nonsense", "2026-05-28T12:00", "2026-05-28T12:00"),
        # ... but never later than the end of its day: a back-fill keeps dates.
        (None, "2026-06-20T12:00", "2026-05-28T23:59:59.999999"),
        ("2026-05-20T00:00:00Z", "2026-06-20T12:00", "2026-05-20T23:59:59.999999"),
        ("2026-05-28T01:33:35", "2026-05-28T12:00", "2026-05-28T01:33:35"),
    ],
)
def test_when_a_paper_counts_as_listed(
    submitted: str | None, seen_at: str, listed_at: str
) -> None:
    seen = datetime.fromisoformat(seen_at).replace(tzinfo=UTC)
    (listing,) = parsed([row(submittedOnDailyAt=submitted)], seen_at=seen).listings
    assert listing.listed_at == datetime.fromisoformat(listed_at).replace(tzinfo=UTC)


def test_a_file_without_a_day_counts_from_its_first_sighting() -> None:
    (listing,) = parsed([row(submittedOnDailyAt=None)], day=None).listings
    assert listing.listed_at == SEEN


def test_unknown_votes_are_not_none_at_all() -> None:
    values = [None, True, "7", -3, 0]
    votes = [parsed([row(upvotes=value)]).listings[0].votes for value in values]
    assert votes == [None, None, None, 0, 0]


def test_one_bad_row_is_named_and_the_rest_goes_on() -> None:
    page = parsed([row(), "text", {}, row(id="x"), row(title=""), {"paper": None}])
    assert len(page.listings) == 1
    assert [(r.place, r.reason) for r in page.rejected] == [
        ("paper 2", "text stands where a paper was expected"),
        ("paper 3", "it has no `paper`"),
        ("paper 4", "it has no arXiv id ('x')"),
        ("paper 5", "it has no title"),
        ("paper 6", "it has no `paper`"),
    ]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>", "an HTML page"),
        (b"nope", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "nested too deep"),
        ({"error": "Invalid date"}, "the API says: Invalid date"),
        ({"a": 1}, "this is an object; expected a list"),
        (3, "this is a number"),
        (None, "this is null"),
        (["{'paper': 1}", "x"], "none of 2 papers could be read"),
    ],
)
def test_what_is_no_list_of_papers_is_said_to_be_what_it_is(
    body: object, said: str
) -> None:
    with pytest.raises(ParseError, match=said):
        parsed(body)


def test_an_empty_day_is_fine() -> None:
    assert parsed([]) == Page()


def test_a_full_page_asks_for_the_next_one() -> None:
    full = [row(id=f"2605.{n:05}") for n in range(PAGE_SIZE)]
    (request,) = parsed(full).further
    assert request.page == 1
    assert request.day == DAY
    assert request.url is not None
    assert "p=1" in request.url
    assert "sort=trending" in request.url
    assert parsed(full, day=None).further == ()
    assert parsed(full[:-1]).further == ()


def test_a_first_poll_looks_back_the_first_days() -> None:
    fresh = SourceState(name="hf")
    assert days(fresh, "2026-05-28T07:00") == ["05-25", "05-26", "05-27", "05-28"]


def test_a_poll_asks_since_the_last_complete_day_and_the_last_three_again() -> None:
    asked = SourceState(name="hf", first_ok_at=SEEN, complete_day=date(2026, 5, 27))
    assert days(asked, "2026-05-28T07:00") == ["05-25", "05-26", "05-27", "05-28"]
    behind = SourceState(name="hf", first_ok_at=SEEN, complete_day=date(2026, 5, 20))
    assert days(behind, "2026-05-28T07:00")[0] == "05-21"


def test_a_poll_asks_for_fourteen_days_at_most() -> None:
    for state in (
        SourceState(name="hf", first_ok_at=SEEN, complete_day=date(2026, 1, 1)),
        SourceState(name="hf", first_ok_at=SEEN - timedelta(days=60)),
    ):
        assert len(days(state, "2026-05-28T07:00")) == 14


def test_while_no_day_is_complete_none_is_asked_for_that_the_first_poll_left() -> None:
    """Its papers would count as new."""
    fresh = SourceState(name="hf")
    for hours, first_days in ((1, 3.0), (1, 0.0), (30, 3.0), (30, 0.5)):
        source = HuggingFace(replace(SOURCE.settings, first_days=first_days))
        later = SEEN + timedelta(hours=hours)
        state = replace(fresh, first_ok_at=SEEN)
        first = {r.day for r in source.requests(fresh, SEEN)}
        second = {r.day for r in source.requests(state, later)}
        assert {day for day in second if day and day <= DAY} <= first


def test_days_are_those_of_utc() -> None:
    late = datetime(2026, 5, 28, 23, 30, tzinfo=UTC)
    assert SOURCE.requests(SourceState(name="hf"), late)[-1].day == DAY


# --- weeks, months, and the list of now ------------------------------------------


W22_W23 = ["2026-W22", "2026-W23"]
YEARS = ["2024-W52", "2025-W01"]
FIVE_WEEKS = ["2026-W27", "2026-W28", "2026-W29", "2026-W30", "2026-W31"]
PERIODS = 'expected "day" or "week" or "month"'
NO_KEY = "a source of kind 'huggingface' has no such key"


def hf(url: str = URL, *, first_days: float = 3.0, **options: object) -> HuggingFace:
    table = SourceSettings(
        name="hf", kind="huggingface", url=url, first_days=first_days, options=options
    )
    return HuggingFace(table)


def asked(source: HuggingFace, as_of: str, **state: object) -> list[dict[str, str]]:
    known = SourceState(name="hf", **state)  # type: ignore[arg-type] # any of its keys
    instant = datetime.fromisoformat(as_of).replace(tzinfo=UTC)
    return [dict(yarl.URL(r.url or "").query) for r in source.requests(known, instant)]


def named(source: HuggingFace, by: str, as_of: str, **state: object) -> list[str]:
    return [query[by] for query in asked(source, as_of, **state)]


@pytest.mark.parametrize(
    ("by", "as_of", "first", "later"),
    [
        # A Thursday: the week is asked for from its first poll on.
        ("week", "2026-05-28T12:00", ["2026-W22"], ["2026-W22"]),
        # Monday and Tuesday: three days ago was the week before.
        (
            "week",
            "2026-06-01T07:00",
            ["2026-W22", "2026-W23"],
            ["2026-W22", "2026-W23"],
        ),
        # The year of a week is that of its Thursday.
        ("week", "2027-01-01T12:00", ["2026-W53"], ["2026-W53"]),
        (
            "week",
            "2024-12-31T12:00",
            ["2024-W52", "2025-W01"],
            ["2024-W52", "2025-W01"],
        ),
        ("month", "2026-05-28T12:00", ["2026-05"], ["2026-05"]),
        ("month", "2026-03-01T07:00", ["2026-02", "2026-03"], ["2026-02", "2026-03"]),
        ("month", "2027-01-02T07:00", ["2026-12", "2027-01"], ["2026-12", "2027-01"]),
    ],
)
def test_the_current_period_is_asked_for_and_what_the_first_days_reach(
    by: str, as_of: str, first: list[str], later: list[str]
) -> None:
    assert named(hf(by=by), by, as_of) == first
    read = datetime.fromisoformat(as_of).replace(tzinfo=UTC)
    assert named(hf(by=by), by, as_of, first_ok_at=read) == later


@pytest.mark.parametrize(
    ("by", "as_of", "complete", "periods"),
    [
        ("week", "2026-06-01T07:00", "2026-05-24", ["2026-W22", "2026-W23"]),
        ("week", "2026-06-01T13:00", "2026-05-31", ["2026-W23"]),
        (
            "week",
            "2026-07-30T13:00",
            "2026-05-31",
            [f"2026-W{w}" for w in range(27, 32)],
        ),
        ("month", "2026-06-01T07:00", "2026-04-30", ["2026-05", "2026-06"]),
        ("month", "2026-06-15T07:00", "2026-05-31", ["2026-06"]),
        ("month", "2026-12-15T07:00", "2026-05-31", ["2026-11", "2026-12"]),
        # By day until Wednesday.
        ("week", "2026-05-28T12:00", "2026-05-27", ["2026-W22"]),
        # A run as of a day before that.
        ("week", "2026-05-28T12:00", "2026-08-02", ["2026-W22"]),
    ],
)
def test_a_period_is_asked_for_until_it_is_complete(
    by: str, as_of: str, complete: str, periods: list[str]
) -> None:
    day = date.fromisoformat(complete)
    assert named(hf(by=by), by, as_of, first_ok_at=SEEN, complete_day=day) == periods


@pytest.mark.parametrize("by", ["week", "month"])
def test_a_period_is_complete_half_a_day_after_its_end(by: str) -> None:
    """Its requests bear its last day: that is the one to be read to its end."""
    last = date(2026, 5, 31)
    source = hf(by=by)
    state = SourceState(name="hf", first_ok_at=SEEN)
    known = []
    for as_of in ("2026-05-30T12:00", "2026-06-01T11:59", "2026-06-01T12:00"):
        instant = datetime.fromisoformat(as_of).replace(tzinfo=UTC)
        requests = source.requests(state, instant)
        assert requests[0].day == last
        readings = [answered(request, instant) for request in requests]
        poll = Poll(source="hf", readings=tuple(readings), failures=())
        known.append(
            next_state(
                source.settings, state, poll, started_at=instant, now=instant
            ).complete_day
        )
    assert known == [None, None, last]


def answered(request: Request, seen_at: datetime) -> Reading:
    found = Response(
        request=request, status=200, headers={}, body=b"[]", seen_at=seen_at
    )
    return Reading(response=found, page=SOURCE.parse(found))


def test_what_is_talked_of_now_is_one_list_of_no_day() -> None:
    source = hf("https://api.example.org/daily_papers", sort="trending")
    (request,) = source.requests(SourceState(name="hf"), SEEN)
    assert dict(yarl.URL(request.url or "").query) == {
        "sort": "trending",
        "limit": "100",
        "p": "0",
    }
    assert request.day is None
    full = [row(id=f"2605.{n:05}", upvotes=n) for n in (7, 3, 5)]
    page = source.parse(replace(response(full), request=request))
    assert [paper.votes for paper in page.listings] == [7, 3, 5]
    many = [row(id=f"2605.{n:05}") for n in range(PAGE_SIZE)]
    assert source.parse(replace(response(many), request=request)).further == ()


def test_a_paper_talked_of_again_keeps_the_day_on_which_it_was_listed() -> None:
    (listing,) = parsed(
        [row(submittedOnDailyAt="2026-03-02T05:00:00Z")], day=None
    ).listings
    assert listing.listed_at == datetime(2026, 3, 2, 5, tzinfo=UTC)


def test_the_order_may_be_said_with_any_period() -> None:
    bare = "https://api.example.org/daily_papers"
    for options in ({"by": "day"}, {"by": "week"}, {"by": "month"}):
        source = hf(bare, sort="trending", first_days=0, **options)
        assert {q["sort"] for q in asked(source, "2026-05-28T12:00")} == {"trending"}
    (query, *_) = asked(hf(bare, sort="publishedAt"), "2026-05-28T12:00")
    assert (query["date"], query["sort"]) == ("2026-05-25", "publishedAt")


def test_the_address_does_not_say_which_period() -> None:
    source = hf(f"{URL}&week=2026-W01&date=2026-01-01&p=7", by="week")
    assert asked(source, "2026-05-28T12:00") == [
        {"week": "2026-W22", "sort": "trending", "limit": "100", "p": "0"}
    ]


def test_a_date_only_in_a_week_is_no_later_than_the_weeks_end() -> None:
    sunday = date(2026, 5, 31)
    late = datetime(2026, 6, 20, tzinfo=UTC)
    for seen_at, listed_at in (
        (SEEN, SEEN),
        (late, datetime(2026, 5, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    ):
        bare = [row(submittedOnDailyAt=None)]
        (listing,) = parsed(bare, day=sunday, seen_at=seen_at).listings
        assert listing.listed_at == listed_at
    dated = [row(submittedOnDailyAt="2026-05-26")]
    (listing,) = parsed(dated, day=sunday, seen_at=late).listings
    assert listing.listed_at.date() == date(2026, 5, 26)


@pytest.mark.parametrize(
    ("options", "mistakes"),
    [
        ({"by": "week", "sort": "trending"}, []),
        ({"by": "day", "sort": "publishedAt"}, []),
        ({"by": "weekly"}, [f'by: {PERIODS}; did you mean "week"?']),
        ({"by": 7}, [f"by: {PERIODS}"]),
        (
            {"sort": "published"},
            ['sort: expected "publishedAt" or "trending"; did you mean "publishedAt"?'],
        ),
        ({"sorted": "trending"}, [f"sorted: {NO_KEY}; did you mean sort?"]),
    ],
)
def test_its_own_keys_are_checked(
    options: dict[str, object], mistakes: list[str]
) -> None:
    table = replace(hf().settings, options=options)
    found = KINDS["huggingface"](table)
    assert [f"{key}: {what}" for key, what in found] == mistakes


def test_a_file_has_no_period() -> None:
    table = replace(hf(by="week").settings, url=None, path="/x.json")
    assert list(KINDS["huggingface"](table)) == [
        ("by", "only what is asked by url has it")
    ]


# --- documents ----------------------------------------------------------------------


def test_past_the_end_there_is_an_empty_list_and_the_day_is_over() -> None:
    full = [row(id=f"2605.{n:05}") for n in range(PAGE_SIZE)]
    (request,) = parsed(full).further
    assert SOURCE.parse(replace(response([]), request=request)) == Page()


def test_validators_go_with_their_own_day() -> None:
    request = SOURCE.requests(SourceState(name="hf"), SEEN)[-1]
    validator = Validator(etag=b'"x"')
    state = SourceState(name="hf", validators={str(request.url): validator})
    assert SOURCE.requests(state, SEEN)[-1].validator == validator
    assert SOURCE.requests(state, SEEN + timedelta(days=1))[-1].validator == Validator()


def test_a_file_is_one_request() -> None:
    source = HuggingFace(SourceSettings(name="f", kind="huggingface", path="/x.json"))
    assert source.requests(SourceState(name="f"), SEEN) == (
        Request(source="f", path="/x.json"),
    )


def test_every_archived_day_is_read_or_refused_in_words(shared: Path) -> None:
    folder = shared / "wire" / "huggingface_daily_papers_json"
    counts, most = {}, 0
    for path in sorted(folder.glob("*.json")):
        day = date.fromisoformat(path.stem)
        late = datetime.combine(day, SEEN.time(), tzinfo=UTC) + timedelta(days=9)
        if path.stem == "2024-12-11":
            with pytest.raises(ParseError, match="papers could be read"):
                parsed(path.read_bytes(), day=day, seen_at=late)
            continue
        page = parsed(path.read_bytes(), day=day, seen_at=late)
        assert page.rejected == ()
        assert all(listing.listed_at.date() == day for listing in page.listings)
        counts[path.stem] = len(page.listings)
        most = max(most, *(len(listing.authors) for listing in page.listings))
    assert counts["2026-05-28"] == 42
    assert len(counts) == 15
    # Two of one name are two people.
    assert most == 438


def test_the_outer_date_of_publication_is_not_used() -> None:
    """Its meaning changed in 2025, and it is mislabelled since."""
    outer = {**row(), "publishedAt": "2030-01-01T00:00:00.000Z"}
    (listing,) = parsed([outer]).listings
    assert listing.published_at == datetime(2026, 5, 27, tzinfo=UTC)


def test_archived_papers_are_clean_in_every_era(shared: Path) -> None:
    folder = shared / "wire" / "huggingface_daily_papers_json"
    padded, most = 0, 0
    for path in sorted(folder.glob("*.json")):
        if path.stem == "2024-12-11":
            continue
        padded += path.read_bytes().count(b"\\n  ")
        day = date.fromisoformat(path.stem)
        for paper in parsed(path.read_bytes(), day=day).listings:
            assert paper.title == " ".join(paper.title.split())
            assert paper.votes is not None
            assert paper.authors
            assert paper.published_at is not None
            assert paper.thumbnail is None or paper.thumbnail.startswith("https://")
            most = max(most, len(paper.authors))
    assert padded > 0
    assert most > 100
