"""Saying hello to an SMTP server without sending anything.

connect, STARTTLS, AUTH as for mail -> MAIL FROM -> RSET -> QUIT
"""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from datetime import UTC, datetime

from newsletter.delivery.connecting import connect, said
from newsletter.errors import TransientDeliveryError
from newsletter.model import Greeting, SmtpServer

CONNECT_TIMEOUT_S = 10.0
COMMAND_TIMEOUT_S = 20.0


def greet(server: SmtpServer, *, sender: str) -> Greeting:
    """Return what *server* says, up to whether it takes mail from *sender*.

    Raises:
        TransientDeliveryError: It cannot be reached, or has no time now.
        PermanentDeliveryError: TLS or the password is not as configured.
    """
    smtp = connect(
        server, timeout_s=CONNECT_TIMEOUT_S, command_timeout_s=COMMAND_TIMEOUT_S
    )
    try:
        refusal = _refusal(smtp, sender)
        tls, expires_at = _tls(smtp)
        return Greeting(
            name=_name(smtp),
            tls=tls,
            expires_at=expires_at,
            logged_in=server.username is not None,
            max_bytes=_max_bytes(smtp),
            refusal=refusal,
        )
    except (smtplib.SMTPException, OSError) as error:
        raise TransientDeliveryError(
            f"{server.host}:{server.port} broke off while it was greeted: {error};"
            " look whether it lives, then try again"
        ) from error
    finally:
        with suppress(smtplib.SMTPException, OSError):
            smtp.quit()
        smtp.close()


def _refusal(smtp: smtplib.SMTP, sender: str) -> str | None:
    """Return why it takes no mail from *sender*; None: it does."""
    code, text = smtp.mail(sender)
    refused = code // 100 != 2  # noqa: PLR2004 - positive completion
    if not refused:
        smtp.rset()
    return said(smtplib.SMTPResponseException(code, text)) if refused else None


def _name(smtp: smtplib.SMTP) -> str:
    """Return what it calls itself: the first word of its answer to EHLO."""
    words = (smtp.ehlo_resp or smtp.helo_resp or b"").decode("ascii", "replace").split()
    return words[0] if words else ""


def _tls(smtp: smtplib.SMTP) -> tuple[str | None, datetime | None]:
    """Return the version of TLS, and when the certificate ends."""
    if not isinstance(smtp.sock, ssl.SSLSocket):
        return None, None
    until = (smtp.sock.getpeercert() or {}).get("notAfter")
    if not isinstance(until, str):  # the standard library's types allow for it
        return smtp.sock.version(), None
    seconds = ssl.cert_time_to_seconds(until)
    return smtp.sock.version(), datetime.fromtimestamp(seconds, UTC)


def _max_bytes(smtp: smtplib.SMTP) -> int | None:
    """Return the largest mail that it takes (RFC 1870); None: it does not say."""
    size = smtp.esmtp_features.get("size", "")
    return int(size) if size.isdecimal() and int(size) else None
