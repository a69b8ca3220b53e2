"""Any JSON API, by expressions in its table: see docs/how-to/json-apis.md.

    url = "https://api.example.org/works?from={since}&cursor={next:*}"
    items = "message.items"       {"message": {"next-cursor": "x1",
    title = "title[0]"              "items": [{"title": ["A paper"], …}, …]}}
    next = 'message."next-cursor"'

Pages follow one another by a number or an offset that we count, or by what
the answer says of the next one: its address, or a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import ceil

from yarl import URL

from newsletter.errors import ConfigError, ParseError
from newsletter.identity import canonical_url
from newsletter.model import (
    Page,
    Rejected,
    Request,
    Response,
    SourceSettings,
    SourceState,
    Validator,
)
from newsletter.sources import unknown_keys
from newsletter.sources.expressions import Expression, compiled
from newsletter.sources.mapping import EXPRESSIONS, RowReader, broken, row_reader
from newsletter.sources.placeholders import NEXT, Template
from newsletter.sources.rows import json_of, texts_of

PAGE_SIZE, SINCE_DAYS = "page_size", "since_days"
KEYS = (*EXPRESSIONS, NEXT, PAGE_SIZE, SINCE_DAYS)
#: After a time without a good poll, what was missed is asked for again so far back.
MOST_DAYS = 30
_USUAL_DAYS = 3
_COUNTED = frozenset({"page", "offset"})
_MANY = 1_000_000


@dataclass(slots=True)
class JsonApi:
    """A source of kind ``json``; see ports.Source."""

    settings: SourceSettings
    _rows: RowReader = field(init=False, repr=False, compare=False)
    _next: Expression | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile its expressions.

        Raises:
            ConfigError: One is broken, or missing.
        """
        following = self.settings.options.get(NEXT)
        self._rows = row_reader(self.settings, {})
        self._next = compiled(NEXT, following) if following is not None else None

    @staticmethod
    def mistakes(settings: SourceSettings) -> Iterator[tuple[str, str]]:
        """Yield (key, what is wrong) of a table."""
        yield from unknown_keys(settings, KEYS)
        yield from broken(settings, {})
        yield from _broken_next(settings)
        yield from _broken_numbers(settings)
        for sentence in Template(settings.url or "").mistakes():
            yield "url", sentence

    def requests(self, state: SourceState, as_of: datetime) -> tuple[Request, ...]:
        """Ask for the first page."""
        settings = self.settings
        if settings.path is not None:
            return (Request(source=settings.name, path=settings.path),)
        url = self._template.first(self._dates(state, as_of))
        validator = state.validators.get(url, Validator())
        return (Request(source=settings.name, url=url, validator=validator),)

    @property
    def _template(self) -> Template:
        return Template(self.settings.url or "")

    def _dates(self, state: SourceState, as_of: datetime) -> Mapping[str, str]:
        """Return the days to ask for: so many, or since the last good poll."""
        today = as_of.date()
        days = _number(self.settings.options.get(SINCE_DAYS, _USUAL_DAYS))
        if state.last_ok_at is None:
            days = max(days, ceil(self.settings.first_days))
        else:
            gap = (today - state.last_ok_at.date()).days + 1
            days = max(days, min(gap, MOST_DAYS))
        since = today - timedelta(days=min(days, (today - today.min).days))
        return {"since": since.isoformat(), "today": today.isoformat()}

    def parse(self, response: Response) -> Page:
        """See ports.Source."""
        document = json_of(response.body, expected="a JSON document")
        rows = self._rows.rows(document)
        placed = [(f"item {number}", row) for number, row in enumerate(rows, 1)]
        page = self._rows.page(placed, response)
        if not rows or response.request.url is None:
            return page
        try:
            url = self._following(document, response, len(rows))
        except ParseError as error:
            fault = Rejected(place="the next page", reason=str(error))
            return replace(page, rejected=(*page.rejected, fault))
        if url is None:
            return page
        number = response.request.page + 1
        further = Request(source=self.settings.name, url=url, page=number)
        return replace(page, further=(further,))

    def _following(self, document: object, response: Response, rows: int) -> str | None:
        """Return the address of the next page; None: this is the last one.

        Raises:
            ParseError: There is one, and it cannot be told where.
        """
        if rows < _number(self.settings.options.get(PAGE_SIZE, 0)):
            return None
        asked = response.request.url or ""
        if self._next is None:
            is_counted = bool(_COUNTED & set(self._template.names()))
            following = self._template.following(asked, rows=rows, value="")
            return following if is_counted else None
        value = next(iter(texts_of(self._next.of(document))), "")
        if not value:
            return None
        if NEXT in self._template.names():
            return self._template.following(asked, rows=rows, value=value)
        return _address(value, response)


def _address(value: str, response: Response) -> str | None:
    """Return where the answer says that the next page is; None: here.

    Raises:
        ParseError: That is no address.
    """
    asked = response.request.url or ""
    try:
        joined = URL(response.final_url or asked).join(URL(value.strip()))
    except (ValueError, TypeError):
        joined = URL()
    is_address = "/" in value or value.strip().startswith("?")
    if not is_address or canonical_url(str(joined)) is None:
        raise ParseError(
            f"`next` gives {value[:80]!r}, which is no address; where it is a value"
            " to be sent, put {next:} into the url"
        )
    return None if str(joined) == asked else str(joined)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _broken_next(settings: SourceSettings) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with how pages follow one another."""
    names = set(Template(settings.url or "").names())
    text = settings.options.get(NEXT)
    if text is not None:
        try:
            compiled(NEXT, text)
        except ConfigError as error:
            yield NEXT, str(error)
    elif NEXT in names:
        yield "url", "it holds {next}, and no key `next` says what to put there"
    if text is not None and NEXT not in names and names & _COUNTED:
        yield NEXT, "the url counts its pages already; leave out one of the two"


def _broken_numbers(settings: SourceSettings) -> Iterator[tuple[str, str]]:
    for key, least, most in ((PAGE_SIZE, 1, _MANY), (SINCE_DAYS, 0, 36_500)):
        value = settings.options.get(key, least)
        if type(value) is not int or not least <= value <= most:
            yield key, f"{value!r} is no whole number; expected {least} to {most}"
    if SINCE_DAYS in settings.options and "{since}" not in (settings.url or ""):
        yield SINCE_DAYS, "it is of no use without {since} in the url"
