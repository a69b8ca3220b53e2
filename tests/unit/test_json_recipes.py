"""The recipes of the documentation, read out of its pages, on what the APIs answer."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from docs.build import REPOSITORY
from newsletter.config.schema import SourceTable
from newsletter.errors import ParseError
from newsletter.identity import aliases
from newsletter.model import (
    Listing,
    Page,
    Request,
    Response,
    SourceSettings,
    SourceState,
)
from newsletter.sources import KINDS
from newsletter.sources.json_api import JsonApi
from tests.support import pages

SEEN = datetime(2026, 7, 2, 12, tzinfo=UTC)
DOCS = REPOSITORY / "docs"
PAGES = (DOCS / "reference" / "configuration.md", DOCS / "how-to" / "json-apis.md")
BIORXIV = {
    "messages": [{"status": "ok", "cursor": 0, "count": 3, "total": "3"}],
    "collection": [
        {
            "title": "\n Waves of {Delta}FosB in\n mice ",
            "doi": "10.1101/2026.06.28.000001",
            "authors": "Kaur, M.; Shukla, A.; van der Berg, C.",
            "version": "1",
            "category": "neuroscience",
            "date": "2026-6-30",
            "abstract": "We show <i>waves</i>.",
        },
        {"title": "New version", "doi": "10.1101/1", "version": "2"},
        {"title": "Plants", "doi": "10.1101/2", "version": "1", "category": "botany"},
    ],
}


def recipes() -> dict[str, SourceSettings]:
    """Return every source of kind json that a page shows, by name."""
    tables = [
        table
        for page in PAGES
        for block in pages.blocks(page)
        if block.kind == "toml"
        for table in tomllib.loads(block.text).get("sources", ())
        if table.get("kind") == "json"
    ]
    read = [SourceTable.model_validate(table) for table in tables]
    return {
        table.name: SourceSettings(
            name=table.name,
            kind=table.kind,
            url=table.url,
            first_days=table.first_days,
            options=dict(table.model_extra or {}),
        )
        for table in read
    }


RECIPES = recipes()


def asked(name: str) -> Request:
    source = JsonApi(RECIPES[name])
    (request,) = source.requests(SourceState(name=name), SEEN)
    return request


def parsed(name: str, body: bytes, request: Request | None = None) -> Page:
    request = request or asked(name)
    answer = Response(
        request=request,
        status=200,
        headers={},
        body=body,
        seen_at=SEEN,
        final_url=request.url,
    )
    return JsonApi(RECIPES[name]).parse(answer)


def answers(name: str, folder: Path) -> dict[str, Page | str]:
    """Return what a recipe makes of each captured answer, or why it makes nothing."""
    found: dict[str, Page | str] = {}
    for file in sorted(folder.glob("*.json")):
        try:
            found[file.name] = parsed(name, file.read_bytes())
        except ParseError as error:
            found[file.name] = str(error)
    return found


def check_texts(listing: Listing) -> None:
    said = " ".join((listing.title, listing.summary, *listing.authors))
    assert "\n" not in said
    assert "jats:" not in said
    assert not any(tag in said for tag in ("<i>", "</", "<sub>", "&lt;", "&amp;"))
    assert listing.url is not None
    assert listing.listed_at <= SEEN


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_has_no_mistakes(name: str) -> None:
    assert list(KINDS["json"](RECIPES[name])) == []


def test_all_recipes_are_there_and_ask_for_what_is_new() -> None:
    assert {name: asked(name).url for name in RECIPES} == {
        "crossref": "https://api.crossref.org/works?query.bibliographic=perovskite"
        "&filter=from-created-date:2026-06-29&rows=100&cursor=*"
        "&mailto=digest@example.org",
        "openalex": "https://api.openalex.org/works?filter=title_and_abstract.search:"
        "perovskite,from_publication_date:2026-06-18&sort=publication_date:desc"
        "&per-page=100&page=1",
        "semantic-scholar": "https://api.semanticscholar.org/graph/v1/paper/search/bulk"
        "?query=%22state%20space%20model%22&publicationDateOrYear=2026-06-25:"
        "&sort=publicationDate:desc&fields=title,abstract,url,authors,externalIds,"
        "publicationDate,citationCount,fieldsOfStudy",
        "biorxiv": "https://api.biorxiv.org/details/biorxiv/2026-06-29/2026-07-02/0",
    }


def test_crossref_is_read_as_it_answers(shared: Path) -> None:
    found = answers("crossref", shared / "wire" / "scholarly_json" / "crossref")
    read = [page for page in found.values() if isinstance(page, Page)]
    listings = [listing for page in read for listing in page.listings]
    assert len(listings) > 300
    for listing in listings:
        check_texts(listing)
        assert aliases(listing)[0].startswith(("doi:", "arxiv:"))
    reasons = {r.reason for page in read for r in page.rejected}
    assert reasons <= {"it has no title"}
    # Single works, and a cursor that is none.
    refused = {said for said in found.values() if isinstance(said, str)}
    assert "the API says: Cursor specified but it is invalid" in refused
    assert "`items` gives null; expected a list" in refused
    by_doi = {listing.guid: listing for listing in listings}
    paper = by_doi["10.1002/zaac.19271660112"]
    assert paper.title == (
        "Eigenschaftszusammenhänge der spezifischen Wärmen cₚ – Cᵥ"
        " im flüssigen Zustande"
    )
    assert paper.authors == ("W. Herz",)
    assert paper.published_at == datetime(1927, 9, 21, tzinfo=UTC)
    assert paper.listed_at == datetime(2005, 1, 6, 22, 4, 14, tzinfo=UTC)


def test_a_cursor_is_sent_back_whole(shared: Path) -> None:
    folder = shared / "wire" / "scholarly_json" / "crossref"
    document = json.loads((folder / "crossref_056_200.json").read_text("utf-8"))
    document["message"]["items"] *= 5
    document["message"]["next-cursor"] = "a+b/c=="
    (further,) = parsed("crossref", json.dumps(document).encode()).further
    assert "&rows=100&cursor=a%2Bb%2Fc%3D%3D&mailto=" in str(further.url)
    assert further.page == 1
    again = parsed("crossref", json.dumps(document).encode(), further)
    assert [(r.url, r.page) for r in again.further] == [(further.url, 2)]


def test_openalex_is_read_as_it_answers(shared: Path) -> None:
    folder = shared / "wire" / "scholarly_json" / "openalex"
    for file in sorted(folder.glob("*_200.json")):
        document = json.loads(file.read_text("utf-8"))
        works = document.get("results") or [document]
        page = parsed("openalex", json.dumps({"results": works}).encode())
        assert len(page.listings) == len(works)
        for listing in page.listings:
            check_texts(listing)
            assert str(listing.guid).startswith("https://openalex.org/W")
    text = (folder / "openalex_011_200.json").read_bytes()
    (listing,) = parsed("openalex", text).listings
    assert listing.authors[0] == "Jakub Lála"
    assert listing.summary.startswith("Large Language Models (LLMs) generalize well")
    assert aliases(listing)[0] == "arxiv:2312.07559"
    assert listing.categories[0] == "Topic Modeling"
    assert listing.published_at == datetime(2023, 1, 1, tzinfo=UTC)
    assert listing.listed_at == datetime(2023, 12, 15, tzinfo=UTC)
    page_of_errors = (folder / "openalex_001_404.txt").read_bytes()
    with pytest.raises(ParseError, match="this is an HTML page"):
        parsed("openalex", page_of_errors)


def test_semantic_scholar_is_read_as_it_answers(shared: Path) -> None:
    folder = shared / "wire" / "scholarly_json" / "semanticscholar"
    for file in sorted(folder.glob("*_200.json")):
        document = json.loads(file.read_text("utf-8"))
        body: Any = document if "data" in document else {"data": [document]}
        (listing,) = parsed("semantic-scholar", json.dumps(body).encode()).listings
        check_texts(listing)
    whole = (folder / "semanticscholar_011_200.json").read_bytes()
    (paper,) = parsed("semantic-scholar", whole).listings
    assert paper.title == "Augmenting large language models with chemistry tools"
    assert paper.authors[:2] == ("Andrés M Bran", "Sam Cox")
    assert aliases(paper)[:2] == (
        "arxiv:2304.05376",
        "doi:10.1038/s42256-024-00832-8",
    )
    assert paper.votes == 500


def test_a_token_of_semantic_scholars_is_added_where_there_was_none() -> None:
    body = {"total": 2, "token": "T+1", "data": [{"paperId": "1", "title": "A"}]}
    (further,) = parsed("semantic-scholar", json.dumps(body).encode()).further
    assert str(further.url).endswith("fieldsOfStudy&token=T%2B1")
    body["token"] = None
    assert not parsed("semantic-scholar", json.dumps(body).encode(), further).further
    assert parsed("semantic-scholar", b'{"total": 0, "offset": 0}') == Page()
    with pytest.raises(ParseError, match="the API says: Title match not found"):
        JsonApi(RECIPES["crossref"]).parse(
            Response(
                request=asked("crossref"),
                status=200,
                headers={},
                body=b'{"error": "Title match not found"}',
                seen_at=SEEN,
            )
        )


def test_biorxiv_is_read_page_by_page() -> None:
    page = parsed("biorxiv", json.dumps(BIORXIV).encode())
    (listing,) = page.listings
    assert not page.rejected
    assert listing == Listing(
        source="biorxiv",
        guid="10.1101/2026.06.28.000001",
        title="Waves of ΔFosB in mice",
        url="https://www.biorxiv.org/content/10.1101/2026.06.28.000001v1",
        listed_at=datetime(2026, 6, 30, tzinfo=UTC),
        summary="We show waves.",
        authors=("Kaur, M.", "Shukla, A.", "van der Berg, C."),
        categories=("neuroscience",),
        identifiers=(
            "10.1101/2026.06.28.000001",
            "https://www.biorxiv.org/content/10.1101/2026.06.28.000001v1",
        ),
        published_at=datetime(2026, 6, 30, tzinfo=UTC),
    )
    (further,) = page.further
    assert str(further.url).endswith("/2026-06-29/2026-07-02/3")
    (further,) = parsed("biorxiv", json.dumps(BIORXIV).encode(), further).further
    assert str(further.url).endswith("/6")
    end = b'{"messages": [{"status": "no posts found"}], "collection": []}'
    assert parsed("biorxiv", end, further) == Page()
