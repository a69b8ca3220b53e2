"""A mail of the outbox as a page to read in a browser.

The mails are not ours to trust: the HTML part stands in a sandboxed frame,
under a policy that allows neither scripts nor anything from elsewhere.
"""

from __future__ import annotations

import re
from datetime import date
from email import policy
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.utils import parsedate_to_datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from newsletter.delivery.shelves import Row

#: Octets that hold the header of any mail of ours.
_HEADER = 65_536
_SHOWN = ("From", "To", "Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe")
_LIST = re.compile(r"<([^<>\s]+)>\s*$")


def read_header(path: Path) -> Message:
    """Return the header of the mail in a file."""
    with path.open("rb") as file:
        head = re.split(rb"\r?\n\r?\n", file.read(_HEADER), maxsplit=1)[0]
    return BytesHeaderParser(policy=policy.compat32).parsebytes(head)


def _field(header: Message, name: str) -> str:
    """Return a field as people read it; empty: it is not there.

    The policy that decodes every field as it is parsed takes ten times as long
    over a whole mail.
    """
    raw = header.get(name)
    said = "" if raw is None else str(policy.default.header_fetch_parse(name, raw))
    return said.encode("utf-8", "replace").decode("utf-8")


def list_of(header: Message) -> str:
    """Return the newsletter that a mail says it is of; empty: it does not say."""
    found = _LIST.search(_field(header, "List-Id"))
    return found[1] if found else ""


def row_of(header: Message, path: Path, shown: int | None) -> Row:
    """Return what a list tells of a mail."""
    return Row(
        key=path.stem,
        day=path.parent.name,
        subject=_field(header, "Subject") or "(no subject)",
        to=_field(header, "To"),
        sent_at=_seconds(_field(header, "Date")),
        shown=shown,
    )


def _seconds(sent: str) -> float:
    try:
        return parsedate_to_datetime(sent).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def mail_page(path: Path, row: Row, **around: object) -> bytes:
    """Return the page of a mail.

    Args:
        path: The mail's file.
        row: What the lists tell of it.
        around: What the template shows around it: where its lists are, and
            which mails come before and after.
    """
    message = BytesParser(policy=policy.compat32).parsebytes(path.read_bytes())
    page = PAGES.get_template("mail.html.j2").render(
        row=row,
        fields=[(name, _field(message, name)) for name in _SHOWN if name in message],
        html=_in_new_windows(_part(message, "text/html")),
        text=_part(message, "text/plain"),
        **around,
    )
    return encoded(page)


def _part(message: Message, kind: str) -> str:
    """Return the first part of a kind, as text; empty: there is none."""
    for part in message.walk():
        if part.get_content_type() == kind:
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)  # noqa: S101 - what decode=True gives
            return content.decode(part.get_content_charset("utf-8"), "replace")
    return ""


def _in_new_windows(html: str) -> str:
    """Make links leave the frame, which must not be led anywhere itself."""
    return re.sub(r"(<head\b[^>]*>)", r'\1<base target="_blank">', html, count=1)


def encoded(page: str) -> bytes:
    """Return a page as it is written."""
    return page.encode("utf-8")


def spoken(day: str) -> str:
    """Return a date as people say it: 2026-03-05 -> Thursday, 5 March 2026."""
    given = date.fromisoformat(day)
    return f"{given:%A}, {given.day} {given:%B %Y}"


def spoken_month(month: str) -> str:
    """Return a month as people say it: 2026-03 -> March 2026."""
    return f"{date.fromisoformat(f'{month}-01'):%B %Y}"


PAGES = Environment(
    loader=PackageLoader("newsletter.delivery", "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
PAGES.filters["spoken"] = spoken
PAGES.filters["spoken_month"] = spoken_month
