"""What whoever previews looks at: one reader, one issue, one instant.

Each request reads the configuration and opens the store anew, to read only:
an edit shows at the next look, a run meanwhile is not kept waiting, and a
database that is not there yet may come.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Self, TypeVar
from urllib.parse import urlencode

from newsletter import app as root
from newsletter.model import Foreseen, LedgerRow
from newsletter.usecases.preview import Found, Preview, Previewing, name_of
from newsletter.web.frame import Scheme

E = TypeVar("E", bound=StrEnum)

#: Readers that the list shows at once.
READERS_SHOWN = 50
#: Previews kept, so that a page and its frame are one.
PREVIEWS_KEPT = 8
#: Characters of what is searched for.
_LONGEST = 200


class View(StrEnum):
    """What of an issue is shown."""

    MAIL = "mail"
    TEXT = "text"
    HEADERS = "headers"
    REASONS = "reasons"
    LEFT_OUT = "left-out"
    SOURCE = "source"


class Width(StrEnum):
    """How wide the frame is."""

    PHONE = "phone"
    DESKTOP = "desktop"


NOW, NEXT = "now", "next"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the address of a page says; what it does not say is usual."""

    #: As ``name_of`` has it. Empty: the first reader.
    reader: str = ""
    #: ``now``, ``next``, or a key.
    issue: str = NOW
    #: None: this second.
    at: datetime | None = None
    view: View = View.MAIL
    width: Width = Width.DESKTOP
    scheme: Scheme = Scheme.LIGHT
    #: Readers searched for.
    q: str = ""
    #: Titles searched for, of what was left out.
    find: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        """Return what a query string says; what it garbles is usual too."""
        return cls(
            reader=query.get("reader", "")[:_LONGEST],
            issue=query.get("issue", NOW)[:_LONGEST] or NOW,
            at=_instant(query.get("at", "")),
            view=_one_of(View, query.get("view"), View.MAIL),
            width=_one_of(Width, query.get("width"), Width.DESKTOP),
            scheme=_one_of(Scheme, query.get("scheme"), Scheme.LIGHT),
            q=query.get("q", "")[:_LONGEST],
            find=query.get("find", "")[:_LONGEST],
        )

    def but(self, **changes: object) -> str:
        """Return the query string of this choice with *changes*."""
        changed = replace(self, **changes)  # type: ignore[arg-type] # fields of it
        said = {
            "reader": changed.reader,
            "issue": changed.issue,
            "at": _said(changed.at) if changed.at else "",
            "view": changed.view,
            "width": changed.width,
            "scheme": changed.scheme,
            "q": changed.q,
            "find": changed.find,
        }
        return "?" + urlencode({name: value for name, value in said.items() if value})


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _said(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _one_of(kind: type[E], text: str | None, usual: E) -> E:
    return next((member for member in kind if member.value == text), usual)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """All that one page shows."""

    choice: Choice
    #: When it was looked at.
    at: datetime
    title: str
    found: Found
    #: None: there are no readers.
    reader: Foreseen | None
    past: tuple[LedgerRow, ...] = ()
    preview: Preview | None = None
    #: Readers of the file that would go at once, so the file is not followed.
    refused: tuple[str, ...] = ()
    has_entries: bool = True
    has_secret: bool = True


_Key = tuple[str, str, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Looks things up for the pages. Safe from any thread."""

    folder: Path
    environ: Mapping[str, str]
    _kept: OrderedDict[_Key, Preview] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self, choice: Choice) -> Sight:
        """Return what a page of *choice* shows.

        Raises:
            ConfigError: The configuration has mistakes.
            NotFoundError: There is no database, reader or issue of that name.
            StorageError: The database cannot be read.
            ThemeError: The theme cannot be used.
            RenderError: The theme fails on this issue.
        """
        with root.open_to_look(self.folder, self.environ) as app:
            previewing = app.previewing(
                choice.at, with_left_out=choice.view is View.LEFT_OUT
            )
            found = previewing.search(choice.q, limit=READERS_SHOWN)
            reader = _chosen(previewing, choice, found)
            sight = Sight(
                choice=choice,
                at=previewing.now,
                title=app.settings.newsletter.title,
                found=found,
                reader=reader,
                refused=previewing.forecast.report.refused,
                has_entries=previewing.has_entries(),
                has_secret=app.has_secret,
            )
            if reader is None:
                return sight
            choice = replace(choice, reader=name_of(reader))
            return replace(
                sight,
                choice=choice,
                past=previewing.past(reader.subscriber),
                preview=self._make(choice.issue, reader, previewing),
            )

    def preview(self, choice: Choice) -> Preview:
        """Return the issue of *choice*; raises as ``look`` does.

        At an instant that a page showed, it is the very one of that page.
        """
        if choice.at is not None:
            with self._lock:
                kept = self._kept.get((choice.reader, choice.issue, choice.at))
            if kept is not None:
                return kept
        with root.open_to_look(self.folder, self.environ) as app:
            previewing = app.previewing(choice.at, with_left_out=False)
            reader = previewing.reader(choice.reader)
            return self._make(choice.issue, reader, previewing)

    def _make(self, issue: str, reader: Foreseen, previewing: Previewing) -> Preview:
        """Make a preview, and keep it for its frame."""
        made = _made(issue, reader, previewing)
        with self._lock:
            key = (name_of(reader), issue, previewing.now)
            self._kept[key] = made
            self._kept.move_to_end(key)
            if len(self._kept) > PREVIEWS_KEPT:
                self._kept.popitem(last=False)
        return made


def _made(issue: str, reader: Foreseen, previewing: Previewing) -> Preview:
    if issue == NOW:
        return previewing.everyone_now(reader)
    if issue == NEXT:
        return previewing.next_slot(reader)
    return previewing.past_issue(reader.subscriber, issue)


def _chosen(previewing: Previewing, choice: Choice, found: Found) -> Foreseen | None:
    """Return the reader of *choice*, else the first one. None: there is none."""
    if choice.reader:
        return previewing.reader(choice.reader)
    if not found.readers:
        return None
    return previewing.reader(name_of(found.readers[0]))
