"""Rendered -> RFC 5322 bytes, with all header fields of a digest.

    From: Daily Papers <digest@example.org>
    To: Ada <ada@example.org>
    Subject: …
    Date: …                     when the issue was prepared: stable over retries
    Message-ID: <key@list_id>   the same
    List-Id, List-Unsubscribe, List-Unsubscribe-Post, List-Help
    MIME-Version: 1.0
    Content-Type: multipart/alternative; boundary="=_key"
        text/plain, quoted-printable
        text/html, quoted-printable

All is written here and not by the email package. Its policy makes
encoded-words of a long URI, over-long ones of a long subject, and differs
between versions of Python, while a past issue must come out byte for byte;
and it encodes each body anew, which takes longer than all the rest.
"""

from __future__ import annotations

import re
from base64 import b64encode
from email.utils import format_datetime, parseaddr
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

from newsletter.errors import PermanentDeliveryError
from newsletter.model import Issue, Newsletter, Rendered
from newsletter.quoting import quoted_printable

#: Names and values of header fields.
Fields = tuple[tuple[str, str], ...]
#: Characters of a display name or title; the rest is cut.
_MAX_PHRASE = 120
_MAX_SUBJECT = 250
#: RFC 5322, section 2.1.1.
_LINE = 78
#: Octets of text in an encoded-word: it then fits a line beside "Subject:", and
#: is below the 75 of RFC 2047, section 2.
_WORD = 42
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
#: The same less the two that keep a title's direction apart from its sentence's.
_CONTROLS_OF_SUBJECT = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066\u2067]+"
)
_CLOSED = re.compile(
    "[^\u2068\u2069]*(?:\u2068[^\u2068\u2069]*\u2069[^\u2068\u2069]*)*"
)
_BROKEN = re.compile("[\ud800-\udfff\ufffe\uffff]")
_UNSAFE_IN_URI = re.compile(r"[\s<>,\"]|[^\x21-\x7e]")


def build_message(rendered: Rendered, issue: Issue) -> bytes:
    """Return the mail of *issue*: CRLF, 7-bit, no line over 998 octets.

    The same arguments give the same bytes. Signing is not done here.

    Raises:
        PermanentDeliveryError: The address cannot stand in a 7-bit header.
    """
    boundary = f"=_{issue.key}"
    fields = [
        *_fields(rendered.subject, issue),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
    ]
    head = "".join(_fold(name, value) for name, value in fields)
    # The plainest part comes first (RFC 2046, section 5.1.4).
    return b"".join(
        (
            head.encode("ascii"),
            _part(boundary, "plain"),
            *quoted_printable(rendered.text_parts),
            _part(boundary, "html"),
            *quoted_printable(rendered.html_parts),
            f"\r\n--{boundary}--\r\n".encode("ascii"),
        )
    )


def ascii_address(address: str) -> str:
    """Return *address* with its domain in ASCII (IDNA).

    A local part that is not ASCII needs SMTPUTF8 (RFC 6531) of every server
    on the way, so it is refused rather than sent on and lost.

    Raises:
        PermanentDeliveryError: It is no address, or its local part is not ASCII.
    """
    local, at, domain = address.strip().rpartition("@")
    if (
        not at
        or not local
        or not domain
        or re.search(r"[\s<>,;\x00-\x1f]", address.strip())
    ):
        raise PermanentDeliveryError(
            f"{address!r} is not a mail address; correct it and prepare again"
        )
    if not local.isascii():
        raise PermanentDeliveryError(
            f"{address!r}: the part before the @ is not ASCII, which most mail servers"
            " refuse; use another address"
        )
    return f"{local}@{domain if domain.isascii() else _ascii_domain(domain)}"


def _ascii_domain(domain: str) -> str:
    try:
        checked = validate_email(
            f"local@{domain}", check_deliverability=False, globally_deliverable=False
        )
    except EmailNotValidError as exc:
        raise PermanentDeliveryError(
            f"{domain!r} is not the domain of a mail address: {exc}"
        ) from exc
    return checked.ascii_domain


# --- the fields -----------------------------------------------------------------


def _fields(subject: str, issue: Issue) -> list[tuple[str, str]]:
    """Return the header fields in order, each with its value ready to be folded."""
    newsletter = issue.newsletter
    who, replies, helps = _of_newsletter(newsletter)
    fields = [
        *who,
        ("To", _mailbox(issue.name, issue.address)),
        ("Subject", _unstructured(_subject(subject))),
        ("Date", format_datetime(issue.prepared_at)),
        ("Message-ID", f"<{issue.key}@{newsletter.list_id}>"),
    ]
    fields += [
        *replies,
        *_leaving(issue),
        *helps,
        ("Auto-Submitted", "auto-generated"),
        ("Feedback-ID", _feedback_id(issue, newsletter)),
    ]
    return fields


@lru_cache(maxsize=16)
def _of_newsletter(newsletter: Newsletter) -> tuple[Fields, Fields, Fields]:
    """Return what is the same in each mail: From, Reply-To with List-Id, List-Help."""
    who = ("From", _mailbox(newsletter.from_name, newsletter.from_address))
    replies = [("List-Id", f"{_phrase(newsletter.title)} <{newsletter.list_id}>")]
    if newsletter.reply_to:
        name, address = parseaddr(_cleaned(newsletter.reply_to))
        replies.insert(0, ("Reply-To", _mailbox(name, address)))
    helps = [newsletter.contact] if newsletter.contact else []
    return (
        (who,),
        tuple(replies),
        tuple(("List-Help", _uri(_contact(contact))) for contact in helps),
    )


def _leaving(issue: Issue) -> list[tuple[str, str]]:
    """Return the fields to leave by: RFC 2369, section 3.2, and RFC 8058."""
    fields: list[tuple[str, str]] = []
    uris: list[str] = []
    if issue.unsubscribe_url:
        uris.append(_uri(issue.unsubscribe_url))
    if issue.newsletter.unsubscribe_mailto:
        address = ascii_address(issue.newsletter.unsubscribe_mailto)
        uris.append(_uri(f"mailto:{address}?subject=unsubscribe"))
    if uris:
        fields.append(("List-Unsubscribe", ", ".join(uris)))
    # One-click wants https (RFC 8058, section 3.1); plain http gets no promise.
    if (issue.unsubscribe_url or "").startswith("https://"):
        fields.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    return fields


def _feedback_id(issue: Issue, newsletter: Newsletter) -> str:
    """Return campaign, kind and sender, from the broad ones to the fixed last."""
    sender = re.sub(r"[^A-Za-z0-9-]", "-", newsletter.list_id.partition(".")[0])
    return f"{issue.slot:%Y%m%d}:issue:digest:{sender[:15]}"


def _contact(contact: str) -> str:
    is_address = "@" in contact and ":" not in contact
    return f"mailto:{ascii_address(contact)}" if is_address else contact


def _uri(uri: str) -> str:
    """Return *uri* in angle brackets, what would end it there encoded."""

    def encoded(found: re.Match[str]) -> str:
        return "".join(f"%{octet:02X}" for octet in found[0].encode("utf-8"))

    return f"<{_UNSAFE_IN_URI.sub(encoded, _cleaned(uri))}>"


def _mailbox(name: str, address: str) -> str:
    phrase = _phrase(name)
    return f"{phrase} <{ascii_address(address)}>" if phrase else ascii_address(address)


def _phrase(name: str) -> str:
    """Return a display name: as it is, quoted, or as encoded-words."""
    name = _cleaned(name)[:_MAX_PHRASE].strip()
    if _ATOMS.fullmatch(name) and not _needs_encoding(name):
        return name
    if _needs_encoding(name):
        return _encoded_words(name)
    escaped = re.sub(r'(["\\])', r"\\\1", name)
    return f'"{escaped}"' if name else ""


def _subject(value: str) -> str:
    """Return a subject on one line; it keeps isolates where each one is closed."""
    value = _cleaned(value, _CONTROLS_OF_SUBJECT)[:_MAX_SUBJECT]
    # An open one would turn what a mail program shows beside the subject.
    return value if _CLOSED.fullmatch(value) else _cleaned(value)


def _unstructured(value: str) -> str:
    return _encoded_words(value) if _needs_encoding(value) else value


def _needs_encoding(value: str) -> bool:
    """Tell what plain text cannot carry, or would be read as an encoded-word."""
    return (
        not value.isascii()
        or "=?" in value
        or any(len(word) > _LINE // 2 for word in value.split())
    )


def _encoded_words(value: str) -> str:
    """Return *value* as encoded-words of at most 75 octets, parted by spaces."""
    chunks = [b""]
    for octets in (character.encode() for character in value):
        # A character is never split between two words (RFC 2047, section 5).
        if len(chunks[-1]) + len(octets) > _WORD:
            chunks.append(b"")
        chunks[-1] += octets
    return " ".join(f"=?utf-8?b?{b64encode(chunk).decode()}?=" for chunk in chunks)


def _cleaned(value: str, controls: re.Pattern[str] = _CONTROLS) -> str:
    """Return *value* on one line: what a header field can hold as it is."""
    value = _BROKEN.sub("\N{REPLACEMENT CHARACTER}", value)
    return " ".join(controls.sub(" ", value).split())


# --- parts and folding ----------------------------------------------------------


def _part(boundary: str, subtype: str) -> bytes:
    """Return what stands before a part's body."""
    return (
        f"\r\n--{boundary}\r\n"
        f'Content-Type: text/{subtype}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    ).encode("ascii")


def _fold(name: str, value: str) -> str:
    """Return the field in lines of at most 78 where spaces allow it.

    A word that is longer stands on a line of its own; the field's name too,
    then: the line may not hold a space and be too long.
    """
    lines = [f"{name}:"]
    for word in value.split(" "):
        if len(lines[-1]) + 1 + len(word) > _LINE:
            lines.append("")
        lines[-1] += f" {word}"
    return "\r\n".join((*lines, ""))
