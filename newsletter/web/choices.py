"""What the address of a page says: who, which issue, how to look at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self, TypeVar
from urllib.parse import urlencode

from newsletter.web.frame import Scheme

E = TypeVar("E", bound=StrEnum)

#: Characters of what is searched for.
_LONGEST = 200


class View(StrEnum):
    """What of an issue is shown."""

    MAIL = "mail"
    TEXT = "text"
    HEADERS = "headers"
    CHECKS = "checks"
    REASONS = "reasons"
    LEFT_OUT = "left-out"
    PROFILE = "profile"
    SOURCE = "source"


class Width(StrEnum):
    """How wide the frame is."""

    PHONE = "phone"
    DESKTOP = "desktop"


class Images(StrEnum):
    """Whether the frame shows images."""

    ON = "on"
    OFF = "off"


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
    images: Images = Images.ON
    #: Names a profile that is tried out. Empty: the reader's own.
    draft: str = ""
    #: Readers searched for.
    q: str = ""
    #: Titles searched for, of what was left out.
    find: str = ""
    #: Names what is to be said once.
    said: str = ""

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
            images=_one_of(Images, query.get("images"), Images.ON),
            draft=query.get("draft", "")[:_LONGEST],
            q=query.get("q", "")[:_LONGEST],
            find=query.get("find", "")[:_LONGEST],
            said=query.get("said", "")[:_LONGEST],
        )

    @property
    def is_past(self) -> bool:
        """Tell whether it names an issue of the ledger."""
        return self.issue not in {NOW, NEXT}

    def fields(self, **changes: object) -> Mapping[str, str]:
        """Return this choice with *changes*, for a form; what is empty is left out."""
        changed = replace(self, said="", **changes)  # type: ignore[arg-type] # fields of it
        said = {
            "reader": changed.reader,
            "issue": changed.issue,
            "at": _said(changed.at) if changed.at else "",
            "view": changed.view,
            "width": changed.width,
            "scheme": changed.scheme,
            "images": "" if changed.images is Images.ON else changed.images,
            "draft": changed.draft,
            "q": changed.q,
            "find": changed.find,
        }
        return {name: str(value) for name, value in said.items() if value}

    def but(self, **changes: object) -> str:
        """Return the query string of this choice with *changes*."""
        return "?" + urlencode(self.fields(**changes))


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
