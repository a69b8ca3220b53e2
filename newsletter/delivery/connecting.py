"""A connection to an SMTP server that may be trusted with mail and a password.

    connect -> 220 -> EHLO -> STARTTLS, EHLO (RFC 3207) -> AUTH (RFC 4954)

TLS that is wanted is required: where it cannot be had, nothing was said in
clear but EHLO, and nothing more is.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from newsletter.errors import PermanentDeliveryError, TransientDeliveryError
from newsletter.model import Security, SmtpServer


def connect(
    server: SmtpServer, *, timeout_s: float, command_timeout_s: float
) -> smtplib.SMTP:
    """Return a connection that is ready for MAIL.

    Args:
        server: Whom to connect to, and how.
        timeout_s: For the connection itself.
        command_timeout_s: For each answer.

    Raises:
        TransientDeliveryError: It cannot be reached, or has no time now.
        PermanentDeliveryError: TLS or the password is not as configured.
    """
    with _told(server):
        smtp = _open(server, timeout_s)
        try:
            _introduce(smtp, server, command_timeout_s)
        except BaseException:
            smtp.close()
            raise
    return smtp


def trusted(server: SmtpServer) -> ssl.SSLContext:
    """Return how certificates are checked: chain, time and name.

    Raises:
        OSError: The file of certificates cannot be read.
    """
    return ssl.create_default_context(cafile=server.ca_file)


def _open(server: SmtpServer, timeout_s: float) -> smtplib.SMTP:
    where = (server.host, server.port)
    if server.security is Security.TLS:
        return smtplib.SMTP_SSL(
            *where,
            local_hostname=server.helo,
            timeout=timeout_s,
            context=trusted(server),
        )
    return smtplib.SMTP(*where, local_hostname=server.helo, timeout=timeout_s)


def _introduce(
    smtp: smtplib.SMTP, server: SmtpServer, command_timeout_s: float
) -> None:
    sock = smtp.sock
    if sock is not None:
        sock.settimeout(command_timeout_s)
        # The dot must not wait for the acknowledgement of what stands before it.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    smtp.ehlo_or_helo_if_needed()
    if server.security is Security.STARTTLS:
        smtp.starttls(context=trusted(server))
        smtp.ehlo_or_helo_if_needed()
    if server.username is not None:
        _log_in(smtp, server.username, server.password or "")


def _log_in(smtp: smtplib.SMTP, username: str, password: str) -> None:
    if not (username + password).isascii():
        raise PermanentDeliveryError(
            "the user name or the password for delivery.smtp holds letters other than"
            " ASCII, which logging in cannot carry here; choose one without"
        )
    try:
        smtp.login(username, password)
    except (smtplib.SMTPResponseException, smtplib.SMTPServerDisconnected):
        raise
    except (smtplib.SMTPException, ValueError) as error:
        # None of our ways to log in is the server's, or it asks nonsense.
        raise smtplib.SMTPNotSupportedError(str(error)) from error


@contextmanager
def _told(server: SmtpServer) -> Iterator[None]:
    """Say what went wrong, and what to do about it."""
    name = f"{server.host}:{server.port}"
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise PermanentDeliveryError(
            f"the certificate of {name} cannot be trusted: {error.verify_message};"
            " nothing was sent. Set delivery.smtp.host to the name that the"
            " certificate bears, or delivery.smtp.ca_file to whom you trust"
        ) from error
    except ssl.SSLError as error:
        raise PermanentDeliveryError(
            f"{name} and we cannot agree on TLS: {error.reason or error}; nothing was"
            " sent. Look at delivery.smtp.port and security: 587 goes with"
            ' "starttls", 465 with "tls"'
        ) from error
    except smtplib.SMTPAuthenticationError as error:
        raise _of_code(error.smtp_code)(
            f"{name} does not accept the user name {server.username!r} with its"
            f" password: {said(error)}; correct delivery.smtp.username or the"
            " variable that holds the password",
            code=error.smtp_code,
        ) from error
    except smtplib.SMTPNotSupportedError as error:
        raise PermanentDeliveryError(_not_supported(name, error)) from error
    except smtplib.SMTPResponseException as error:
        raise _of_code(error.smtp_code)(
            f"{name} takes no mail now: {said(error)}; nothing was sent, the next run"
            " tries again",
            code=error.smtp_code,
        ) from error
    except OSError as error:  # among them smtplib's own
        raise TransientDeliveryError(
            f"{name} cannot be reached: {_why(error)}; nothing was sent, the next run"
            " tries again"
        ) from error


def said(error: smtplib.SMTPResponseException) -> str:
    """Return a server's reply on one line."""
    text = error.smtp_error
    words = text.decode("ascii", "replace") if isinstance(text, bytes) else str(text)
    return f"{error.smtp_code} {' '.join(words.split())[:200]}"


def _not_supported(name: str, error: Exception) -> str:
    if "STARTTLS" in str(error):
        return (
            f"{name} does not offer STARTTLS, so nothing was sent; use a port that"
            ' does, security = "tls", or, for a relay on this machine alone,'
            ' security = "none"'
        )
    return (
        f"{name} wants no user name in a way that we know ({error}); leave"
        " delivery.smtp.username out, or use the port that asks for it"
    )


def _why(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return f"there is no such name ({error.strerror}); look at delivery.smtp.host"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there; look at delivery.smtp.host and port"
    if isinstance(error, TimeoutError):
        return "it does not answer"
    return str(error) or type(error).__name__


def _of_code(
    code: int,
) -> type[PermanentDeliveryError | TransientDeliveryError]:
    return PermanentDeliveryError if code >= 500 else TransientDeliveryError  # noqa: PLR2004 - RFC 5321
