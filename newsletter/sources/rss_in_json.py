"""RSS as JSON: the names of RSS 2.0, in objects.

{"rss": {"version": "2.0", "channel": {"title": …, "item": [
{"title": …, "link": …, "pubDate": …, "guid": {"#value": …}}]}}}
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from newsletter.sources.documents import (
    MOST_ITEMS,
    Document,
    Entry,
    Head,
    Reference,
    Text,
    TextKind,
)
from newsletter.sources.looks import looks_like_html


def read_rss_in_json(body: bytes) -> Document | None:
    """Return what *body* says; None: it is JSON of another kind."""
    # A glance, since other JSON is large and is read elsewhere.
    if b'"rss"' not in body[:1000]:
        return None
    try:
        whole = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    channel = _object(_object(whole, "rss"), "channel")
    items = channel.get("item")
    if not isinstance(items, list):
        return None
    return Document(
        feed=Head(
            title=_text(channel, "title"),
            subtitle=_text(channel, "description"),
            link=_string(channel.get("link")),
            language=_string(channel.get("language")),
            ttl=_string(channel.get("ttl")),
        ),
        entries=tuple(map(_entry, items[:MOST_ITEMS])),
        left_out=max(0, len(items) - MOST_ITEMS),
    )


def _object(row: object, name: str) -> Mapping[str, Any]:
    value = row.get(name) if isinstance(row, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _string(value: object) -> str:
    """Return text, a number, or what an object with attributes holds."""
    if isinstance(value, Mapping):
        value = value.get("#value")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def _rows(value: object) -> Iterator[object]:
    """Yield what stands there, be it one or a list."""
    if isinstance(value, list):
        yield from value
    elif value is not None:
        yield value


def _text(row: Mapping[str, Any], name: str) -> Text:
    value = _string(row.get(name))
    is_html = name == "description" or looks_like_html(value)
    return Text(value=value, kind=TextKind.HTML if is_html else TextKind.TEXT)


def _entry(item: object) -> Entry:
    """Return one item; of what is no object, nothing."""
    row = item if isinstance(item, Mapping) else {}
    links = [Reference(href=_string(link)) for link in _rows(row.get("link"))]
    for enclosure in _rows(row.get("enclosure")):
        said = enclosure if isinstance(enclosure, Mapping) else {}
        media = _string(said.get("type")).lower()
        href = _string(said.get("url"))
        links.append(Reference(href=href, rel="enclosure", media=media))
    return Entry(
        id=_string(row.get("guid")),
        title=_text(row, "title"),
        summary=_text(row, "description"),
        link=_string(row.get("link")),
        links=tuple(links),
        comments=_string(row.get("comments")),
        published=_string(row.get("pubDate")),
        authors=tuple(
            _string(row[name]) for name in ("author", "dc:creator") if name in row
        ),
        terms=tuple(map(_string, _rows(row.get("category")))),
    )
