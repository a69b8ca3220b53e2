"""Pages to leaf through an outbox in a browser, made from its files alone.

The mails are not ours to trust: the HTML part stands in a sandboxed frame,
under a policy that allows neither scripts nor anything from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from email.utils import parsedate_to_datetime
from itertools import groupby, islice
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from newsletter.delivery.files import write_whole

#: Mails that the index lists.
MOST = 500
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_NAME = re.compile(r"[0-9a-f]{32}\.eml")
#: Octets that hold the header of any mail of ours.
_HEADER = 65_536
_SHOWN = ("From", "To", "Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail of the outbox, as its header tells it."""

    path: Path
    day: str
    subject: str
    #: As in the mail.
    to: str
    #: Seconds since the epoch, of the Date field; 0: it has none.
    sent_at: float

    @property
    def page(self) -> str:
        """Return the link to its page, from the index."""
        return f"{self.day}/{self.path.stem}.html"


def write_pages(folder: Path, *, title: str, written: Collection[Path]) -> None:
    """Write index.html and the pages of new mails and their neighbours.

    Args:
        folder: The outbox.
        title: The newsletter's.
        written: What is new or written again; other pages stay as they are.
    """
    letters = _letters(folder)
    new = frozenset(written)
    for place, letter in enumerate(letters):
        newer = letters[place - 1] if place else None
        older = letters[place + 1] if place + 1 < len(letters) else None
        around = {x.path for x in (newer, letter, older) if x is not None}
        page = letter.path.with_suffix(".html")
        if around & new or not page.exists():
            write_whole(page, _page(letter, newer=newer, older=older, title=title))
    days = [(day, tuple(group)) for day, group in groupby(letters, lambda x: x.day)]
    index = _PAGES.get_template("index.html.j2").render(
        title=title, days=days, count=len(letters), most=MOST
    )
    write_whole(folder / "index.html", _encoded(index))


def _letters(folder: Path) -> tuple[Letter, ...]:
    """Return the newest mails by day, time and addressee."""
    letters = [_letter(path) for path in islice(_newest(folder), MOST)]
    letters.sort(key=lambda x: x.to)
    letters.sort(key=lambda x: (x.day, x.sent_at), reverse=True)
    return tuple(letters)


def _newest(folder: Path) -> Iterator[Path]:
    days = (x for x in folder.iterdir() if _DAY.fullmatch(x.name) and x.is_dir())
    for day in sorted(days, reverse=True):
        files = (x for x in day.iterdir() if _NAME.fullmatch(x.name))
        dated = ((x.stat().st_mtime_ns, x.name, x) for x in files)
        yield from (path for _, _, path in sorted(dated, reverse=True))


def _letter(path: Path) -> Letter:
    with path.open("rb") as file:
        header = BytesHeaderParser(policy=policy.default).parsebytes(file.read(_HEADER))
    return Letter(
        path=path,
        day=path.parent.name,
        subject=str(header.get("Subject", "")) or "(no subject)",
        to=str(header.get("To", "")),
        sent_at=_seconds(str(header.get("Date", ""))),
    )


def _seconds(date: str) -> float:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _page(
    letter: Letter, *, newer: Letter | None, older: Letter | None, title: str
) -> bytes:
    message = BytesParser(policy=policy.default).parsebytes(letter.path.read_bytes())
    page = _PAGES.get_template("mail.html.j2").render(
        title=title,
        letter=letter,
        newer=newer,
        older=older,
        fields=[(name, str(message[name])) for name in _SHOWN if name in message],
        html=_in_new_windows(_part(message, "html")),
        text=_part(message, "plain"),
    )
    return _encoded(page)


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return "" if part is None else str(part.get_content())


def _in_new_windows(html: str) -> str:
    """Make links leave the frame, which must not be led anywhere itself."""
    return re.sub(r"(<head\b[^>]*>)", r'\1<base target="_blank">', html, count=1)


def _encoded(page: str) -> bytes:
    # A mail from elsewhere may decode to halves of characters.
    return page.encode("utf-8", "replace")


_PAGES = Environment(
    loader=PackageLoader("newsletter.delivery", "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
