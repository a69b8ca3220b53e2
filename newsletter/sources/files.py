r"""Archives: JSON Lines, JSON lists, and folders of documents.

    {"id": "2605.28293", "title": …, "abstract": …, "authors": ["Ann Lee"],
     "published": "2026-05-27", "listed": "2026-05-28", "upvotes": 12}

One row a line. A file that ends in .gz is unpacked where it is read. What
says that it was listed later than now waits for that day, so that an archive
can be gone through with ``--at``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from newsletter.errors import ParseError
from newsletter.model import (
    Page,
    Rejected,
    Request,
    Response,
    SourceSettings,
    SourceState,
)
from newsletter.sources import unknown_keys
from newsletter.sources.feed import Feed
from newsletter.sources.json_feed import is_json, is_json_feed
from newsletter.sources.mapping import EXPRESSIONS, ITEMS, RowReader, broken, row_reader
from newsletter.sources.rows import json_of

#: Where archives usually have it.
USUAL: Mapping[str, str] = {
    "key": "id",
    "title": "title",
    "link": "url",
    "summary": "summary || abstract",
    "authors": "authors",
    "published": "published",
    "listed": "listed",
    "votes": "votes || upvotes",
    "categories": "categories",
}
#: Endings of JSON Lines.
_LINES = (".jsonl", ".ndjson")


@dataclass(slots=True)
class Files:
    """A source of kind ``files``; see ports.Source."""

    settings: SourceSettings
    _rows: RowReader = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile its expressions.

        Raises:
            ConfigError: One is broken.
        """
        self._rows = row_reader(self.settings, USUAL, may_wait=True)

    @staticmethod
    def mistakes(settings: SourceSettings) -> Iterator[tuple[str, str]]:
        """Yield (key, what is wrong) of a table."""
        yield from unknown_keys(settings, EXPRESSIONS)
        yield from broken(settings, USUAL)
        if settings.url is not None:
            yield (
                "url",
                (
                    'a source of kind "files" is on this machine; expected path, or the'
                    ' kind "json" or "feed"'
                ),
            )

    def requests(self, state: SourceState, as_of: datetime) -> tuple[Request, ...]:
        """Ask for the file, or for what is in the folder."""
        del state, as_of
        return (Request(source=self.settings.name, path=self.settings.path),)

    def parse(self, response: Response) -> Page:
        """See ports.Source."""
        body = response.body
        name = (response.request.path or "").casefold().removesuffix(".gz")
        if name.endswith(_LINES):
            return self._lines(response)
        if not is_json(body):
            return Feed(self.settings).parse(response)
        try:
            document = json_of(body, expected="rows, or a feed")
        except ParseError:
            if _is_lines(body):
                return self._lines(response)
            raise
        if is_json_feed(document):
            return Feed(self.settings).parse(response)
        rows = self._rows.rows(document)
        return self._rows.page(_placed("item", rows), response)

    def _lines(self, response: Response) -> Page:
        """Return what the lines of a file say."""
        rows: list[tuple[str, object]] = []
        rejected: list[Rejected] = []
        for number, line in enumerate(response.body.split(b"\n"), 1):
            if not line.strip():
                continue
            try:
                rows.append((f"line {number}", json_of(line, expected="an object")))
            except ParseError as error:
                rejected.append(Rejected(place=f"line {number}", reason=str(error)))
        if rejected and not rows:
            raise ParseError(
                f"none of {len(rejected)} lines is JSON; {rejected[0].place}:"
                f" {rejected[0].reason}"
            )
        page = self._rows.page(self._chosen(rows), response)
        return replace(page, rejected=(*rejected, *page.rejected))

    def _chosen(self, rows: Sequence[tuple[str, Any]]) -> Sequence[tuple[str, object]]:
        """Return the rows that ``items`` names; without it all, with their lines."""
        if ITEMS not in self.settings.options:
            return rows
        return _placed("row", self._rows.rows([row for _, row in rows]))


def _placed(what: str, rows: Sequence[object]) -> list[tuple[str, object]]:
    return [(f"{what} {number}", row) for number, row in enumerate(rows, 1)]


def _is_lines(body: bytes) -> bool:
    """Tell whether the first line is a document by itself, and others follow."""
    first, _, rest = body.strip().partition(b"\n")
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return False
    return bool(rest)
