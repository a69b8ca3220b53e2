"""Lists of subscriptions, in and out: OPML (https://opml.org/spec2.opml).

    <opml version="2.0"><body>
      <outline text="Labs">
        <outline type="rss" text="Lab notes" category="notes,robots"
                 xmlUrl="https://lab.example.org/feed.xml"/></outline></body></opml>

A folder is an outline without an address. Files come from strangers: what
declares a document type is refused, so that no entity is ever expanded, and
nesting costs no stack.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from newsletter.errors import ParseError
from newsletter.identity import canonical_url
from newsletter.model import Rejected, SourceSettings
from newsletter.text import clean_text

#: Of the attribute that keeps a source's name where its title would not.
_OURS = "tag:example.org,2026:newsletter"
_NAME = "newsletter:name"
#: Kinds whose address any reader of feeds can follow.
_FEEDS = frozenset({"feed", "arxiv"})
#: Before the declaration, which must come first (XML, 2.8).
_BLANKS = b" \t\r\n"
_MOST_TITLE = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One subscription."""

    url: str
    #: Empty: it has none.
    title: str
    #: As people wrote them: folders from the outermost in, then categories.
    tags: tuple[str, ...] = ()
    #: What we called it when we wrote it. None: others wrote it, or by its title.
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriptions:
    """What a file holds."""

    #: Each address once.
    outlines: tuple[Outline, ...]
    #: Outlines whose address is none.
    rejected: tuple[Rejected, ...]


def parse_opml(document: bytes) -> Subscriptions:
    """Return the subscriptions that an OPML file lists.

    Raises:
        ParseError: It is no OPML, damaged, or declares a document type.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    try:
        parser.Parse(document.lstrip(_BLANKS), True)  # noqa: FBT003 - it takes no name
    except expat.ExpatError as error:
        raise ParseError(
            f"this is no OPML: line {error.lineno}, column {error.offset + 1}:"
            f" {expat.ErrorString(error.code)}"
        ) from error
    except ParseError:
        raise  # said already, and a ValueError itself
    except (LookupError, ValueError) as error:
        raise ParseError(f"this is no OPML that can be read: {error}") from error
    return Subscriptions(
        outlines=tuple(reader.found.values()), rejected=tuple(reader.rejected)
    )


def _refuse(*_: object) -> None:
    raise ParseError(
        "this declares a document type (<!DOCTYPE …>), in which traps are hidden;"
        " take that out of the file if you trust it"
    )


@dataclass(slots=True)
class _Reader:
    """Collects outlines as they come."""

    found: dict[str, Outline] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    #: Of each open outline: its name as a folder. None: it is a subscription.
    _open: list[str | None] = field(default_factory=list)
    _depth: int = 0

    def start(self, element: str, raw: Mapping[str, str]) -> None:
        """Take the beginning of an element."""
        self._depth += 1
        name = element.lower()
        if self._depth == 1 and name != "opml":
            raise ParseError(f"this is no OPML: it begins with <{name[:40]}>")
        if name != "outline":
            return
        said = {key.lower(): value for key, value in raw.items()}
        title = clean_text(said.get("title") or said.get("text") or "", markup=True)
        url = said.get("xmlurl", "").strip()
        self._open.append(None if url else title)
        if url:
            self._take(url, title[:_MOST_TITLE], said)

    def end(self, element: str) -> None:
        """Take the end of an element."""
        self._depth -= 1
        if element.lower() == "outline":
            self._open.pop()

    def _take(self, url: str, title: str, said: Mapping[str, str]) -> None:
        key = None if " " in url else canonical_url(url)
        if key is None:
            reason = f"{url[:200]!r} is no http or https address"
            self.rejected.append(
                Rejected(place=title or "an outline without a title", reason=reason)
            )
            return
        known = self.found.get(key)
        tags = (
            *(known.tags if known else ()),
            *(folder for folder in self._open if folder),
            *_categories(said.get("category", "")),
        )
        self.found[key] = Outline(
            url=known.url if known else url,
            title=known.title if known else title,
            tags=tuple(dict.fromkeys(tags)),
            name=known.name if known else said.get(_NAME),
        )


def _categories(said: str) -> Iterator[str]:
    """Yield the words of "/Tourism/New York,news"."""
    for path in said.split(","):
        for part in path.split("/"):
            if text := clean_text(part):
                yield text


def is_in_opml(source: SourceSettings) -> bool:
    """Tell whether a source is one that a list of subscriptions can name."""
    return source.url is not None and source.kind in _FEEDS


def write_opml(
    title: str, sources: Iterable[SourceSettings], *, kept: Sequence[str] = ()
) -> bytes:
    """Return sources as OPML 2.0, in their order; the first tag is the folder.

    Args:
        title: Of the list.
        sources: Those that can be named.
        kept: Names that could not be told from the title again.
    """
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<opml version="2.0" xmlns:newsletter={quoteattr(_OURS)}>',
        f"  <head><title>{escape(title)}</title></head>",
        "  <body>",
    ]
    for folder, group in groupby(filter(is_in_opml, sources), key=_folder):
        rows = [_outline(source, is_kept=source.name in kept) for source in group]
        if folder is None:
            lines += [f"    {row}" for row in rows]
        else:
            lines.append(f"    <outline text={quoteattr(folder)}>")
            lines += [f"      {row}" for row in rows]
            lines.append("    </outline>")
    return "\n".join([*lines, "  </body>", "</opml>", ""]).encode()


def _folder(source: SourceSettings) -> str | None:
    return source.tags[0] if source.tags else None


def _outline(source: SourceSettings, *, is_kept: bool) -> str:
    said = {
        "type": "rss",
        "text": source.name,
        "title": source.name,
        "xmlUrl": source.url or "",
        "category": ",".join(source.tags),
        _NAME: source.name if is_kept else "",
    }
    pairs = (f"{key}={quoteattr(value)}" for key, value in said.items() if value)
    return f"<outline {' '.join(pairs)}/>"
