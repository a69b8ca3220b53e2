"""Rows of JSON as listings: which expression of the table gives what.

title = "title[0]"        {"title": ["A paper"], "DOI": "10.1000/x",
key = "DOI"        <->     "author": [{"given": "Ann", "family": "Lee"}],
authors = "author"         "published": {"date-parts": [[2026, 6, 30]]}}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from yarl import URL

from newsletter.errors import ConfigError, ParseError
from newsletter.identity import canonical_url, doi_of, paper_id
from newsletter.model import Listing, Page, Rejected, Response, SourceSettings
from newsletter.sources.expressions import Expression, compiled
from newsletter.sources.rows import (
    complaint_of,
    date_of,
    kind_of,
    names_of,
    people_of,
    text_of,
    texts_of,
    votes_of,
)
from newsletter.sources.syndication import SUMMARY_CHARS, guid_of

#: Finds the list of rows; all others are asked of one row each.
ITEMS = "items"
#: Tells which rows are meant.
ONLY = "only"
FIELDS = (
    "key",
    "title",
    "link",
    "summary",
    "authors",
    "published",
    "listed",
    "votes",
    "categories",
)
EXPRESSIONS = (ITEMS, ONLY, *FIELDS)
#: A title that is longer is a text.
_MOST_TITLE = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RowReader:
    """Makes listings of one source's rows."""

    source: str
    expressions: Mapping[str, Expression]
    #: What says it was listed later than now waits for that time.
    may_wait: bool = False

    def rows(self, document: object) -> Sequence[object]:
        """Return a document's rows.

        Raises:
            ParseError: There is no list of them.
        """
        expression = self.expressions.get(ITEMS)
        found = expression.of(document) if expression else document
        if isinstance(found, list):
            return found
        if complaint := complaint_of(document):
            raise ParseError(f"the API says: {complaint}")
        where = "`items` gives" if expression else "this is"
        raise ParseError(f"{where} {kind_of(found)}; expected a list")

    def page(self, rows: Sequence[tuple[str, object]], response: Response) -> Page:
        """Return what rows say, each with its place.

        Raises:
            ParseError: There are some, and none can be used.
        """
        listings: list[Listing] = []
        rejected: list[Rejected] = []
        for place, row in rows:
            try:
                if self._is_meant(row):
                    listings.append(self._listing(row, response))
            except ParseError as error:
                rejected.append(Rejected(place=place, reason=str(error)))
        if rejected and not listings:
            raise ParseError(
                f"none of {len(rejected)} rows can be used; the first ("
                f"{rejected[0].place}): {rejected[0].reason}"
            )
        return Page(listings=tuple(listings), rejected=tuple(rejected))

    def _is_meant(self, row: object) -> bool:
        """Tell whether ``only`` lets a row through: JMESPath's own truth.

        Raises:
            ParseError: It is no object, or the expression fails.
        """
        if not isinstance(row, Mapping):
            raise ParseError(f"{kind_of(row)} stands where an object was expected")
        if ONLY not in self.expressions:
            return True
        found = self.expressions[ONLY].of(row)
        return found is not None and found is not False and found not in ("", [], {})

    def _listing(self, row: Any, response: Response) -> Listing:  # noqa: ANN401 - any object
        """Return a row as a listing.

        Raises:
            ParseError: It has no title, or an expression fails.
        """
        found = {key: self._found(key, row) for key in FIELDS}
        title = text_of(found["title"], most=_MOST_TITLE)
        if not title:
            raise ParseError("it has no title")
        keys = [key for raw in texts_of(found["key"]) if (key := guid_of(raw))]
        url = _address(found["link"], response)
        names = dict.fromkeys((*keys, url or ""))
        named = [name for name in names if paper_id(name) or doi_of(name)]
        published, listed = self._dates(found, response)
        return Listing(
            source=self.source,
            guid=keys[0] if keys else None,
            title=title,
            url=url or _address_of(keys),
            listed_at=listed,
            summary=text_of(found["summary"], most=SUMMARY_CHARS),
            authors=people_of(found["authors"]),
            categories=names_of(found["categories"]),
            identifiers=tuple(named),
            published_at=published,
            votes=votes_of(found["votes"]),
        )

    def _found(self, key: str, row: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
        expression = self.expressions.get(key)
        return expression.of(row) if expression else None

    def _dates(
        self, found: Mapping[str, Any], response: Response
    ) -> tuple[datetime | None, datetime]:
        """Return when it was published, and when it counts as listed."""
        seen_at = response.seen_at
        published, listed = date_of(found["published"]), date_of(found["listed"])
        if listed is not None and self.may_wait:
            return published, listed
        return published, min(listed or published or seen_at, seen_at)


def _address(value: object, response: Response) -> str | None:
    """Return the first http(s) address in a value; ``/path`` is joined, no more."""
    for raw in map(str.strip, texts_of(value)):
        base = response.final_url if raw.startswith("/") else None
        try:
            joined = str(URL(base).join(URL(raw))) if base else raw
        except (ValueError, TypeError):
            continue
        if url := canonical_url(joined):
            return url
    return None


def _address_of(keys: Sequence[str]) -> str | None:
    """Return where a paper is read that is only named."""
    for key in keys:
        if paper := paper_id(key):
            return f"https://arxiv.org/abs/{paper}"
        if doi := doi_of(key):
            return f"https://doi.org/{doi}"
    return next((url for key in keys if (url := canonical_url(key))), None)


def row_reader(
    settings: SourceSettings, usual: Mapping[str, str], *, may_wait: bool = False
) -> RowReader:
    """Return what reads a source's rows.

    Args:
        settings: Its table.
        usual: Expressions of keys that the table does not say.
        may_wait: What says it was listed later than now waits for that time.

    Raises:
        ConfigError: An expression is broken, or one is missing.
    """
    for key, what in broken(settings, usual):
        raise ConfigError(f"source {settings.name!r}: {key}: {what}")
    texts = {**usual, **settings.options}
    expressions = {k: compiled(k, texts[k]) for k in EXPRESSIONS if k in texts}
    return RowReader(source=settings.name, expressions=expressions, may_wait=may_wait)


def broken(
    settings: SourceSettings, usual: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield (key, what is wrong) of the expressions of a table."""
    texts = {**usual, **settings.options}
    for key in EXPRESSIONS:
        if key in texts:
            try:
                compiled(key, texts[key])
            except ConfigError as error:
                yield key, str(error)
    if "title" not in texts:
        yield "title", f"is required, and not there; {_SUCH_AS['title']}"
    if "key" not in texts and "link" not in texts:
        yield "key", f"it or link is required, and not there; {_SUCH_AS['key']}"


_SUCH_AS = {
    "title": 'expected an expression that gives a row\'s title, such as "title"',
    "key": 'expected an expression that gives a row\'s own name, such as "id"',
}
