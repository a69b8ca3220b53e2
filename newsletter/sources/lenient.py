"""Every other document of RSS or Atom, by feedparser, from bytes.

Not well-formed, cut off, with a document type, in an old encoding, of an old
format: feedparser makes something of it. It is given bytes to read, never a
name: it would open the file or the address of that name.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

import feedparser

from newsletter.errors import ParseError
from newsletter.sources.documents import (
    MOST_ITEMS,
    Document,
    Entry,
    Head,
    Reference,
    Text,
    TextKind,
    main_link,
    mended,
)
from newsletter.sources.looks import looks_like_html

#: More of what is not well-formed is not read: feedparser's way through it takes
#: seconds for each megabyte.
MOST_BYTES = 4_000_000
#: Attributes of one element, and categories of one item: feedparser compares each
#: with all before it, and ten thousand keep it for a quarter of a minute.
MOST_ATTRIBUTES = 1_000
MOST_CATEGORIES = 500
_KINDS = {
    "text/html": TextKind.HTML,
    "application/xhtml+xml": TextKind.XHTML,
}
#: feedparser keeps the last hour and the last day only.
_SKIPPED = re.compile(
    rb"<skip(hours|days)\b[^>]*>(.{0,2000}?)</skip\1", re.IGNORECASE | re.DOTALL
)
_HOUR_OR_DAY = re.compile(rb">\s*(\w{1,20})\s*<")
_FIRST_ITEM = re.compile(rb"<(?:\w+:)?(?:item|entry)\b", re.IGNORECASE)
#: Python takes hours to decode some megabytes of it, and feedparser any codec's word.
_SLOW_CODEC = re.compile(rb"puny_?code", re.IGNORECASE)
_LONG_TAG = re.compile(rb"<[^<>]{2000,}")
_CATEGORY = re.compile(rb"<(?:\w+:)?(?:category|subject|keywords)\b", re.IGNORECASE)


def read_leniently(body: bytes, content_type: str = "") -> Document:
    """Return what *body* says.

    Args:
        body: Without white space before it.
        content_type: The header of the answer; empty: there was none.

    Raises:
        ParseError: It is no feed.
    """
    if len(body) > MOST_BYTES:
        raise ParseError(
            f"this is not well-formed, and with {len(body)} bytes too large to be"
            f" read all the same (at most {MOST_BYTES})"
        )
    if _SLOW_CODEC.search(body[:1000] + content_type.encode("utf-8", "replace")):
        raise ParseError("this says that it is encoded as a host's name is (punycode)")
    if _is_overloaded(body):
        raise ParseError(
            "this is not well-formed, and some of it has too many attributes or"
            " categories to be read all the same"
        )
    document = _parsed(body, _headers(body, content_type))
    if not document.version and not document.entries:
        fault = document.get("bozo_exception")
        what = f": {fault}" if fault else ""
        raise ParseError(f"this is neither RSS nor Atom{what}")
    is_atom = str(document.version).startswith("atom")
    entries = document.entries[:MOST_ITEMS]
    return Document(
        feed=_head(document.feed, body),
        entries=tuple(_entry(entry, is_atom=is_atom) for entry in entries),
        left_out=len(document.entries) - len(entries),
    )


def _is_overloaded(body: bytes) -> bool:
    """Tell whether feedparser would take much longer than for others of its size."""
    return any(
        found[0].count(b"=") > MOST_ATTRIBUTES for found in _LONG_TAG.finditer(body)
    ) or any(
        len(_CATEGORY.findall(item)) > MOST_CATEGORIES
        for item in _FIRST_ITEM.split(body)
    )


def _parsed(body: bytes, headers: Mapping[str, str]) -> Any:  # noqa: ANN401 - feedparser's own dictionary
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return feedparser.parse(
                BytesIO(body),
                response_headers=headers,
                sanitize_html=False,
                resolve_relative_uris=False,
            )
        except Exception as error:
            # feedparser lets faults of its own through on damaged documents.
            raise ParseError(f"the document cannot be read ({error})") from error


def _headers(body: bytes, content_type: str) -> dict[str, str]:
    """Return what feedparser should know of the answer.

    Without a content type it takes undeclared UTF-8 for ISO-8859-1, so what
    is UTF-8 throughout is said to be. Not told is the address: it would make
    guids into links below it, which change when the feed moves.
    """
    if "charset" not in content_type.lower() and _is_undeclared_utf8(body):
        content_type = "application/xml; charset=utf-8"
    return {"content-type": content_type} if content_type else {}


def _is_undeclared_utf8(body: bytes) -> bool:
    if b"encoding=" in body[:200] or body[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return False
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _head(feed: Any, body: bytes) -> Head:  # noqa: ANN401 - feedparser's own dictionary
    skipped = dict(_skipped(body))
    return Head(
        title=_text(feed, "title"),
        subtitle=_text(feed, "subtitle"),
        link=_string(feed, "link"),
        language=_string(feed, "language"),
        ttl=_string(feed, "ttl"),
        update_period=_string(feed, "sy_updateperiod"),
        update_frequency=_string(feed, "sy_updatefrequency"),
        skip_hours=skipped.get("hours", ()),
        skip_days=skipped.get("days", ()),
        others=feed,
    )


def _skipped(body: bytes) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the hours and the days, which stand before the first item."""
    first = _FIRST_ITEM.search(body)
    for found in _SKIPPED.finditer(body[: first.start() if first else None]):
        names = _HOUR_OR_DAY.findall(found[2])
        yield found[1].decode().lower(), tuple(name.decode() for name in names)


def _entry(item: Any, *, is_atom: bool) -> Entry:  # noqa: ANN401 - feedparser's own dictionary
    links = tuple(_links(item))
    return Entry(
        id=_string(item, "id"),
        title=_title(item),
        summary=_text(item, "summary"),
        contents=tuple(map(_construct, item.get("content") or ())),
        link=main_link(links, first=is_atom) or _string(item, "link"),
        links=links,
        comments=_string(item, "comments"),
        published=_string(item, "published"),
        updated=_string(item, "updated"),
        authors=tuple(_authors(item)),
        terms=tuple(str(tag.get("term") or "") for tag in item.get("tags") or ()),
        thumbnails=tuple(
            str(picture.get("url") or "")
            for picture in item.get("media_thumbnail") or ()
        ),
        others=item,
    )


def _string(row: Any, name: str) -> str:  # noqa: ANN401 - feedparser's own dictionary
    """Return a field; not its own ``get``, which looks under other names too."""
    value = dict.get(row, name)
    return value if isinstance(value, str) else ""


def _text(row: Any, name: str) -> Text:  # noqa: ANN401 - feedparser's own dictionary
    """Return a text construct, only where its type is known.

    feedparser repeats an entry's content under other names without it.
    """
    detail = dict.get(row, f"{name}_detail")
    return _construct(detail) if isinstance(detail, dict) else Text()


def _title(item: Any) -> Text:  # noqa: ANN401 - feedparser's own dictionary
    """Return the title that is the item's own.

    In the details feedparser keeps the last one, be it an author's.
    """
    title, value = _text(item, "title"), _string(item, "title")
    if value in {"", title.value}:
        return title
    kind = TextKind.HTML if looks_like_html(value) else TextKind.TEXT
    return Text(value=value, kind=kind, language=title.language)


def _construct(detail: Mapping[str, Any]) -> Text:
    return Text(
        value=str(detail.get("value") or ""),
        kind=_KINDS.get(str(detail.get("type") or ""), TextKind.TEXT),
        language=str(detail.get("language") or ""),
    )


def _links(item: Any) -> Iterator[Reference]:  # noqa: ANN401 - feedparser's own dictionary
    for link in item.get("links") or ():
        yield Reference(
            href=str(link.get("href") or ""),
            rel=str(link.get("rel") or "alternate"),
            media=str(link.get("type") or ""),
            title=str(link.get("title") or ""),
        )


def _authors(item: Any) -> Iterator[str]:  # noqa: ANN401 - feedparser's own dictionary
    """Yield the names; one alone as it was written, where that is known.

    feedparser parts names from addresses, of some forms only.
    """
    rows: Any = item.get("authors") or ()
    names = [str(row.get("name") or row.get("email") or "") for row in rows]
    written = _string(item, "author")
    if written and [name for name in names if name] == names[:1]:
        email = _string(rows[0], "email")
        if written not in {names[0], f"{names[0]} ({email})"}:
            names = [written]
    # It mends what was encoded twice everywhere but in names.
    yield from map(mended, names or ([written] if written else []))
