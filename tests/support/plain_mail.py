"""A mail by the email package alone: what the quick way is held to."""

from __future__ import annotations

import re
from email.message import EmailMessage
from email.policy import EmailPolicy

from newsletter.mime import _fields, _fold
from newsletter.model import Issue, Rendered


class _Folding(EmailPolicy):
    """The SMTP policy, but header fields keep the words that we gave them."""

    def header_store_parse(self, name: str, value: str) -> tuple[str, str]:
        return name, value

    def fold(self, name: str, value: str) -> str:
        return _fold(name, str(value))

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("ascii")


def plain_mail(rendered: Rendered, issue: Issue) -> bytes:
    """Return the mail of *issue*, each body encoded as a whole by the package."""
    message = EmailMessage(policy=_Folding(linesep="\r\n"))
    for name, value in _fields(rendered.subject, issue):
        message[name] = value
    message.set_content(_lines(rendered.text), cte="quoted-printable")
    message.add_alternative(
        _lines(rendered.html), subtype="html", cte="quoted-printable"
    )
    for part in message.iter_parts():
        # The policy gives every part one; it belongs to the message alone.
        del part["MIME-Version"]
    message.set_boundary(f"=_{issue.key}")
    return message.as_bytes()


def plain_body(text: str) -> bytes:
    """Return *text* as a body in quoted-printable."""
    message = EmailMessage(policy=EmailPolicy(linesep="\r\n"))
    message.set_content(_lines(text), cte="quoted-printable")
    return message.as_bytes().partition(b"\r\n\r\n")[2]


def _lines(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    return (
        re.sub("[\ud800-\udfff\ufffe\uffff]", "\N{REPLACEMENT CHARACTER}", text) + "\n"
    )
