from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from newsletter.errors import ParseError
from newsletter.model import (
    Link,
    Listing,
    Page,
    Request,
    Response,
    SourceSettings,
    SourceState,
    Validator,
)
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
        (b"[" * 100_000, "no JSON"),
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
        SourceState(name="hf", first_ok_at=SEEN),
    ):
        assert len(days(state, "2026-05-28T07:00")) == 14


def test_days_are_those_of_utc() -> None:
    late = datetime(2026, 5, 28, 23, 30, tzinfo=UTC)
    assert SOURCE.requests(SourceState(name="hf"), late)[-1].day == DAY


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
