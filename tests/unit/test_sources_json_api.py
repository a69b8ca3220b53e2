"""Kind json: tables that are wrong, rows, pages and what comes after them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsletter.errors import ConfigError, ParseError
from newsletter.identity import aliases
from newsletter.model import (
    Listing,
    Page,
    Request,
    Response,
    SourceSettings,
    SourceState,
    Validator,
)
from newsletter.sources import KINDS, make_source
from newsletter.sources.expressions import compiled
from newsletter.sources.json_api import JsonApi
from newsletter.sources.placeholders import Template

SEEN = datetime(2026, 6, 30, 12, tzinfo=UTC)
URL = "https://api.example.org/works"
PLAIN = {"key": "id", "title": "title"}


def table(url: str | None = URL, **options: object) -> SourceSettings:
    path = None if url else "/works.json"
    return SourceSettings(name="x", kind="json", url=url, path=path, options=options)


def source(url: str = URL, **options: object) -> JsonApi:
    settings = table(url, **{**PLAIN, **options})
    assert list(KINDS["json"](settings)) == []
    made = make_source(settings)
    assert isinstance(made, JsonApi)
    return made


def first(api: JsonApi, **state: Any) -> Request:  # noqa: ANN401 - SourceState's own
    (request,) = api.requests(SourceState(name="x", **state), SEEN)
    return request


def parsed(api: JsonApi, document: object, request: Request | None = None) -> Page:
    request = request or first(api)
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return api.parse(
        Response(
            request=request,
            status=200,
            headers={},
            body=body,
            seen_at=SEEN,
            final_url=request.url,
        )
    )


def urls(page: Page) -> list[str | None]:
    return [request.url for request in page.further]


def rows(number: int) -> list[dict[str, object]]:
    return [{"id": n, "title": f"Number {n}"} for n in range(number)]


# --- tables -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "key", "says"),
    [
        ({"key": "id"}, "title", "is required, and not there; expected an expression"),
        ({"title": "t"}, "key", "it or link is required, and not there"),
        ({**PLAIN, "titel": "t"}, "titel", "has no such key; did you mean title?"),
        ({**PLAIN, "qq": "t"}, "qq", "no such key; expected one of authors, categor"),
        (
            {**PLAIN, "items": 7},
            "items",
            "7 is not text in quotes; expected a JMESPath",
        ),
        ({**PLAIN, "items": ""}, "items", "it is empty; expected a JMESPath"),
        (
            {**PLAIN, "items": "a..b"},
            "items",
            "'a..b' is no JMESPath: column 3: expected a name in",
        ),
        ({**PLAIN, "items": "join('', a"}, "items", "column 11: it ends too early"),
        ({**PLAIN, "items": "a b"}, "items", "column 3: Unexpected token: b"),
        (
            {**PLAIN, "items": "next-cursor"},
            "items",
            "column 5: Unknown token '-'; expected names, in double",
        ),
        ({**PLAIN, "items": "a."}, "items", "found its end"),
        ({**PLAIN, "items": "'abc"}, "items", "column 1: "),
        ({**PLAIN, "items": "(" * 9999}, "items", "is nested too deep"),
        (
            {**PLAIN, "items": "jion('', a)"},
            "items",
            "calls jion(); did you mean join()",
        ),
        ({**PLAIN, "items": "q(a)"}, "items", "calls q(); there is no such function"),
        ({**PLAIN, "next": "a["}, "next", "column 3"),
        (
            {**PLAIN, "page_size": "9"},
            "page_size",
            "'9' is no whole number; expected 1",
        ),
        ({**PLAIN, "page_size": 0}, "page_size", "0 is no whole number"),
        ({**PLAIN, "since_days": 3}, "since_days", "of no use without {since}"),
    ],
)
def test_a_mistake_in_a_table_is_named_with_its_key(
    options: dict[str, Any], key: str, says: str
) -> None:
    ((named, what),) = KINDS["json"](table(**options))
    assert named == key
    assert says in what


@pytest.mark.parametrize(
    ("url", "options", "key", "says"),
    [
        (
            "?a={sinc}",
            {},
            "url",
            "fill {sinc} with; did you mean {since}? A brac",
        ),
        ("?a={x}", {}, "url", "expected one of {since}, {today}, {page}, {offset}, {n"),
        ("?a={since:3}", {}, "url", "is a date, and said elsewhere; write {since}"),
        (
            "?a={page:x}",
            {},
            "url",
            "{page:x} counts; expected a number, as in {pag",
        ),
        ("?a={next:*}", {}, "url", "no key `next` says what to put there"),
        ("?{since}", {"since_days": True}, "since_days", "True is no whole number"),
        ("?a={page}", {"next": "n"}, "next", "the url counts its pages already"),
    ],
)
def test_a_mistake_in_an_address_is_named(
    url: str, options: dict[str, Any], key: str, says: str
) -> None:
    ((named, what),) = KINDS["json"](table(URL + url, **{**PLAIN, **options}))
    assert named == key
    assert says in what


def test_a_source_with_a_broken_table_is_not_made() -> None:
    with pytest.raises(ConfigError, match="source 'x': title: is required"):
        make_source(table(key="id"))
    with pytest.raises(ConfigError, match="is no JMESPath"):
        make_source(table(**PLAIN, next="a["))


# --- what is asked ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "state", "since"),
    [
        ({}, {}, "2026-06-27"),
        ({"since_days": 10}, {}, "2026-06-20"),
        ({"since_days": 0}, {"last_ok_at": SEEN}, "2026-06-29"),
        ({}, {"last_ok_at": SEEN}, "2026-06-27"),
        ({}, {"last_ok_at": SEEN + timedelta(days=99)}, "2026-06-27"),
        ({}, {"last_ok_at": SEEN - timedelta(days=9)}, "2026-06-20"),
        ({}, {"last_ok_at": SEEN - timedelta(days=99)}, "2026-05-31"),
        ({"since_days": 36_500}, {}, "1926-07-25"),
    ],
)
def test_days_reach_back_to_the_last_good_poll(
    days: dict[str, object], state: dict[str, object], since: str
) -> None:
    api = source(f"{URL}/{{since}}/{{today}}", **days)
    assert first(api, **state).url == f"{URL}/{since}/2026-06-30"


def test_the_first_poll_reaches_back_as_far_as_it_may_take() -> None:
    settings = SourceSettings(
        name="x", kind="json", url=f"{URL}/{{since}}", first_days=6.5, options=PLAIN
    )
    assert first(JsonApi(settings)).url == f"{URL}/2026-06-23"


def test_an_address_is_asked_for_with_its_validator() -> None:
    known = Validator(etag=b'"1"')
    assert first(source(), validators={URL: known}).validator == known
    assert first(source(), validators={f"{URL}/x": known}).validator == Validator()


def test_a_file_is_read_like_an_answer() -> None:
    api = JsonApi(table(None, **PLAIN))
    (request,) = api.requests(SourceState(name="x"), SEEN)
    assert request == Request(source="x", path="/works.json")
    answer = Response(
        request=request, status=200, headers={}, body=b'[{"title": "A"}]', seen_at=SEEN
    )
    assert [listing.title for listing in api.parse(answer).listings] == ["A"]


# --- rows -----------------------------------------------------------------------------


def test_a_row_is_read_whole() -> None:
    api = source(
        items="data.rows",
        key="[ids.doi, ids.own, ids.arxiv]",
        link="[paths.html, paths.page]",
        summary="text",
        authors="people",
        published="dates.out",
        votes="stars",
        categories="[field, fields[].name][]",
    )
    row = {
        "ids": {"doi": None, "own": 17, "arxiv": "2606.00001v2"},
        "title": "On\n <i>things</i>",
        "paths": {"html": "?", "page": "/papers/17?utm_source=x"},
        "text": ["One.", "Two."],
        "people": [{"given": "Ann", "family": "Lee"}, "Bo Chen"],
        "dates": {"out": "2026-6-29"},
        "stars": 4,
        "field": "cs.LG",
        "fields": [{"name": "Learning"}],
    }
    assert parsed(api, {"data": {"rows": [row]}}).listings == (
        Listing(
            source="x",
            guid="17",
            title="On things",
            url="https://api.example.org/papers/17",
            listed_at=datetime(2026, 6, 29, tzinfo=UTC),
            summary="One. Two.",
            authors=("Ann Lee", "Bo Chen"),
            categories=("cs.LG", "Learning"),
            identifiers=("2606.00001v2",),
            published_at=datetime(2026, 6, 29, tzinfo=UTC),
            votes=4,
        ),
    )


@pytest.mark.parametrize(
    ("row", "url"),
    [
        ({"id": "10.1000/xyz"}, "https://doi.org/10.1000/xyz"),
        ({"id": "arXiv:2606.00001v2"}, "https://arxiv.org/abs/2606.00001"),
        ({"id": "https://a.example.org/1"}, "https://a.example.org/1"),
        ({"id": "17"}, None),
        ({"id": "17", "url": "javascript:alert(1)"}, None),
        ({"id": "17", "url": ["//[", "//b.example.org/2"]}, "https://b.example.org/2"),
        ({"id": "17", "url": "works/17"}, None),
    ],
)
def test_what_gives_no_address_is_read_where_its_name_says(
    row: dict[str, object], url: str | None
) -> None:
    (listing,) = parsed(source(link="url"), [{"title": "A", **row}]).listings
    assert listing.url == url


def test_a_paper_is_known_by_its_names_and_its_address() -> None:
    api = source(key="[id, doi]", link="url")
    row = {
        "title": "A",
        "id": "W1",
        "doi": "10.1000/A",
        "url": "http://arxiv.org/abs/1",
    }
    (listing,) = parsed(api, [row]).listings
    assert listing.identifiers == ("10.1000/A",)
    row["url"] = "https://arxiv.org/pdf/2606.00001v2"
    (listing,) = parsed(api, [row]).listings
    assert listing.identifiers == ("10.1000/A", "https://arxiv.org/pdf/2606.00001v2")
    assert aliases(listing)[:2] == ("arxiv:2606.00001", "doi:10.1000/a")


@pytest.mark.parametrize(
    ("row", "listed"),
    [
        ({}, SEEN),
        ({"p": "2026-06-01"}, datetime(2026, 6, 1, tzinfo=UTC)),
        ({"p": "2030-06-01"}, SEEN),
        ({"p": [[None]]}, SEEN),
        ({"p": "2026-06-01", "l": "2026-06-20"}, datetime(2026, 6, 20, tzinfo=UTC)),
        ({"p": "2026-06-01", "l": "2030-01-01"}, SEEN),
    ],
)
def test_it_is_listed_when_published_and_never_later_than_seen(
    row: dict[str, object], listed: datetime
) -> None:
    (read,) = parsed(
        source(published="p", listed="l"), [{"title": "A", **row}]
    ).listings
    assert read.listed_at == listed


def test_a_row_that_cannot_be_used_is_named_and_the_others_go_on() -> None:
    api = source(authors="join(' ', [given, family])")
    good = {"id": 1, "title": "A", "given": "Ann", "family": "Lee"}
    page = parsed(api, [7, {"id": 2}, {"title": "B", "given": "Bo"}, good])
    assert [listing.authors for listing in page.listings] == [("Ann Lee",)]
    assert [(r.place, r.reason[:38]) for r in page.rejected] == [
        ("item 1", "a number stands where an object was ex"),
        ("item 2", "`authors` fails: In function join(), i"),
        ("item 3", "`authors` fails: In function join(), i"),
    ]
    with pytest.raises(ParseError, match=r"none of 2 rows can be .*\(item 1\): it"):
        parsed(source(), [{"titel": "A"}, {}])


def test_what_is_nested_too_deep_for_an_expression_is_said() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ParseError, match="`title` meets what is nested too deep"):
        compiled("title", "to_string(@)").of(deep)


def test_rows_that_are_not_meant_are_left_out_silently() -> None:
    api = source(only="version == '1'")
    said = [{"title": "A", "version": "1"}, {"title": "B", "version": "2"}, {}]
    page = parsed(api, said)
    assert [listing.title for listing in page.listings] == ["A"]
    assert not page.rejected
    number = source(only="n")
    kept = [{"title": "A", "n": 0}, {"title": "B", "n": []}, {"title": "C", "n": ""}]
    assert [x.title for x in parsed(number, kept).listings] == ["A"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<!DOCTYPE html><html>", "this is an HTML page; expected a JSON document"),
        (b'{"error": "slow down"}', "the API says: slow down"),
        (b'{"items": {"a": 1}}', "`items` gives an object; expected a list"),
        (b'{"items": null}', "`items` gives null; expected a list"),
        (b"[]", "`items` gives null; expected a list"),
        (b'{"items":' * 10_000 + b"1" + b"}" * 10_000, "nested too deep"),
    ],
)
def test_an_answer_of_another_shape_is_said_to_be_what_it_is(
    body: bytes, says: str
) -> None:
    with pytest.raises(ParseError, match=says):
        parsed(source(items="items"), body)


def test_without_items_the_document_is_the_list() -> None:
    with pytest.raises(ParseError, match="this is an object; expected a list"):
        parsed(source(), {"items": []})


# --- pages --------------------------------------------------------------------------


def test_pages_are_counted_until_one_is_empty_or_short() -> None:
    api = source(f"{URL}?p={{page:0}}&from={{offset}}&d={{since}}")
    asked = first(api)
    (second,) = parsed(api, rows(3), asked).further
    assert second == Request(source="x", url=f"{URL}?p=1&from=3&d=2026-06-27", page=1)
    (third,) = parsed(api, rows(2), second).further
    assert third.url == f"{URL}?p=2&from=5&d=2026-06-27"
    assert third.page == 2
    assert not parsed(api, [], third).further
    short = source(f"{URL}?page={{page}}", page_size=3)
    assert urls(parsed(short, rows(3))) == [f"{URL}?page=2"]
    assert urls(parsed(short, rows(2))) == []
    assert urls(parsed(source(), rows(3))) == []


def test_a_value_goes_where_the_address_has_a_place_for_it() -> None:
    api = source(f"{URL}?since={{since}}&cursor={{next:*}}#x", items="r", next="c")
    assert first(api).url == f"{URL}?since=2026-06-27&cursor=*#x"
    page = parsed(api, {"r": rows(1), "c": "a/b&c"})
    assert urls(page) == [f"{URL}?since=2026-06-27&cursor=a%2Fb%26c#x"]
    ends: tuple[object, ...] = (None, "", [])
    for end in ends:
        assert urls(parsed(api, {"r": rows(1), "c": end})) == []
    number = source(f"{URL}/{{next:0}}", items="r", next="sum([at, length(r)])")
    assert urls(parsed(number, {"r": rows(2), "at": 4})) == [f"{URL}/6"]


@pytest.mark.parametrize(
    ("url", "begun", "second"),
    [
        ("?t={next:}", "", "?t=T"),
        ("?t={next}&q=", "?q=", "?t=T&q="),
        ("?q=&t={next:}", "?q=", "?q=&t=T"),
        ("?a=1&t={next:}&b=2", "?a=1&b=2", "?a=1&t=T&b=2"),
        ("?t={next:}#f", "#f", "?t=T#f"),
    ],
)
def test_an_empty_token_is_left_out_of_the_first_request(
    url: str, begun: str, second: str
) -> None:
    api = source(URL + url, items="r", next="t")
    assert first(api).url == URL + begun
    assert urls(parsed(api, {"r": rows(1), "t": "T"})) == [URL + second]


def test_the_address_of_the_next_page_is_followed() -> None:
    api = source(items="r", next="links.next")
    for said, url in (
        ("https://api.example.org/works?p=2", f"{URL}?p=2"),
        ("/works?p=2", f"{URL}?p=2"),
        ("?p=2", f"{URL}?p=2"),
    ):
        assert urls(parsed(api, {"r": rows(1), "links": {"next": said}})) == [url]
    # Itself, and after an empty page: that would go on for ever.
    assert urls(parsed(api, {"r": rows(1), "links": {"next": URL}})) == []
    assert urls(parsed(api, {"r": [], "links": {"next": f"{URL}?p=2"}})) == []


@pytest.mark.parametrize("said", ["abc", "javascript:alert(1)", "http://[/", 7])
def test_a_next_page_that_is_nowhere_is_said_and_the_rows_are_kept(
    said: object,
) -> None:
    page = parsed(source(items="r", next="n"), {"r": rows(1), "n": said})
    assert len(page.listings) == 1
    assert [r.place for r in page.rejected] == ["the next page"]
    assert "put {next:} into the url" in page.rejected[0].reason


def test_a_next_that_fails_is_said_and_the_rows_are_kept() -> None:
    page = parsed(source(items="r", next="sum(n)"), {"r": rows(1), "n": "x"})
    assert len(page.listings) == 1
    assert "`next` fails" in page.rejected[0].reason


def test_an_address_that_was_not_made_here_is_not_counted_on() -> None:
    template = Template(f"{URL}?p={{page}}")
    assert template.following(f"{URL}?q=1", rows=1, value="") is None
    twice = Template("{since}/{since}")
    assert twice.following("2026-06-01/2026-06-02", rows=1, value="") is None
    same = "2026-06-01/2026-06-01"
    assert twice.following(same, rows=1, value="") == same
