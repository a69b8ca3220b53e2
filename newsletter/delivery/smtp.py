"""Hands mail to an SMTP server, one after the other over one kept connection.

    S: 220                                    once
    C: EHLO, STARTTLS, EHLO, AUTH
    C: MAIL, RCPT, DATA, content, "."         for each mail
    C: QUIT                                   at the end

What a lost connection means depends on how far a mail had come: before the
final dot the server does not have it, after the dot nobody can tell.
``smtplib.SMTP.sendmail`` raises the same error for both, so its commands are
given here one by one (RFC 5321, section 3.3).
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from newsletter.delivery.connecting import connect
from newsletter.errors import PermanentDeliveryError, TransientDeliveryError
from newsletter.ledger import Stage, verdict
from newsletter.model import IssueState, Message, Outcome, SmtpServer
from newsletter.ports import Clock

#: The first of a reply's text, where a server gives one (RFC 2034).
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?=\s|$)", re.ASCII)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
#: Characters of a reply that are kept.
_MAX_REPLY = 200
#: Refusals or losses one after the other that are no longer about one mail.
_IN_A_ROW = 3
_CLOSING = 421
_GO_AHEAD = 354
#: The mail is too large, which is said at MAIL where the size is announced.
_TOO_LARGE = 552
_WHEN = {
    Stage.GREETING: "before the mail began",
    Stage.RECIPIENT: "when it was told the recipient",
    Stage.CONTENT: "before it had the whole mail",
    Stage.DOT: "after it had the whole mail, before it said that it took it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long to wait for a server, in seconds (RFC 5321, section 4.5.3.2)."""

    connect: float = 30
    command: float = 300
    data: float = 120
    content: float = 180
    dot: float = 600
    quit: float = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reply:
    """What the server said, and when."""

    stage: Stage
    code: int
    text: str

    @property
    def enhanced(self) -> str | None:
        found = _ENHANCED.match(self.text)
        return found[0] if found else None

    @property
    def is_fine(self) -> bool:
        return self.code // 100 == 2 or self.code == _GO_AHEAD  # noqa: PLR2004 - positive

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class _LostError(Exception):
    """The connection is gone, or the server says that it goes (421)."""

    def __init__(self, stage: Stage, said: str) -> None:
        super().__init__(said)
        self.stage = stage


class Smtp:
    """Implements ports.Transport by an SMTP server.

    Nothing is connected before the first mail, so making one is free.
    """

    is_repeatable = False

    def __init__(
        self, server: SmtpServer, *, clock: Clock, timeouts: Timeouts | None = None
    ) -> None:
        """Remember the server."""
        self._server = server
        self._clock = clock
        self._timeouts = timeouts or Timeouts()
        self._smtp: smtplib.SMTP | None = None
        #: Mails one after the other that were not the reader's fault.
        self._in_a_row = 0

    def send(self, messages: Sequence[Message]) -> Iterator[Outcome]:
        """Send *messages* one by one.

        Raises:
            TransientDeliveryError: The server cannot be reached, or goes away
                again and again.
            PermanentDeliveryError: It refuses us: TLS, password, sender, or
                mail after mail.
        """
        for message in messages:
            outcome = self._deliver(message)
            yield outcome
            self._stop_where_hopeless(outcome)

    def close(self) -> None:
        """Take leave; whatever the server says to that, the mails are there."""
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        with suppress(smtplib.SMTPException, OSError):
            self._wait(smtp, self._timeouts.quit)
            smtp.quit()
        smtp.close()

    # --- one mail ---

    def _deliver(self, message: Message) -> Outcome:
        was_open = self._smtp is not None
        try:
            return self._attempt(message)
        except _LostError as lost:
            self._drop()
            if lost.stage is Stage.DOT or not was_open:
                return self._after_loss(message, lost)
        # A kept connection may have grown too old: once more over a new one.
        try:
            return self._attempt(message)
        except _LostError as lost:
            self._drop()
            return self._after_loss(message, lost)

    def _after_loss(self, message: Message, lost: _LostError) -> Outcome:
        """Return what a loss on a new connection means.

        Raises:
            TransientDeliveryError: The mail had not begun: it is the server.
        """
        if lost.stage is Stage.GREETING:
            raise TransientDeliveryError(
                f"{self._name} broke off before it was given a mail: {lost};"
                " the next run tries again"
            ) from lost
        found = verdict(lost.stage, None)
        return Outcome(
            key=message.key,
            state=found.state,
            at=self._clock.now(),
            reason=f"{self._name} broke off {_WHEN[lost.stage]}: {lost}",
        )

    def _attempt(self, message: Message) -> Outcome:
        smtp = self._smtp
        if smtp is None:
            smtp = self._smtp = connect(
                self._server,
                timeout_s=self._timeouts.connect,
                command_timeout_s=self._timeouts.command,
            )
        refused = self._envelope(smtp, message)
        if refused is not None:
            self._reset(smtp)
            return self._outcome(message, refused)
        return self._outcome(message, self._content(smtp, message.content))

    def _envelope(self, smtp: smtplib.SMTP, message: Message) -> _Reply | None:
        """Give sender, recipient and DATA; return the refusal, None: go ahead."""
        self._wait(smtp, self._timeouts.command)
        size = [f"size={len(message.content)}"] if smtp.has_extn("size") else []
        with _watched(Stage.GREETING):
            reply = _reply(
                Stage.GREETING, *smtp.mail(message.envelope_from, options=size)
            )
        self._check_sender(reply, message)
        if not reply.is_fine:
            return reply
        with _watched(Stage.RECIPIENT):
            reply = _reply(Stage.RECIPIENT, *smtp.rcpt(message.envelope_to))
        if not reply.is_fine:
            return reply
        self._wait(smtp, self._timeouts.data)
        with _watched(Stage.CONTENT):
            reply = _reply(Stage.CONTENT, *smtp.docmd("DATA"))
        return None if reply.code == _GO_AHEAD else reply

    def _check_sender(self, reply: _Reply, message: Message) -> None:
        if reply.code // 100 == 5 and reply.code != _TOO_LARGE:  # noqa: PLR2004 - permanent
            self._drop()
            raise PermanentDeliveryError(
                f"{self._name} refuses the sender {message.envelope_from}: {reply};"
                " set newsletter.bounce_address or newsletter.from to one that it"
                " lets you use",
                code=reply.code,
                enhanced_code=reply.enhanced,
            )

    def _content(self, smtp: smtplib.SMTP, content: bytes) -> _Reply:
        self._wait(smtp, self._timeouts.content)
        with _watched(Stage.CONTENT):
            smtp.send(_stuffed(content))
            _check_silence(smtp)
            smtp.send(b".\r\n")
        self._wait(smtp, self._timeouts.dot)
        with _watched(Stage.DOT):
            return _reply(Stage.DOT, *smtp.getreply())

    def _outcome(self, message: Message, reply: _Reply) -> Outcome:
        if reply.code == _CLOSING:
            self._drop()
        found = verdict(reply.stage, reply.code, reply.enhanced)
        return Outcome(
            key=message.key,
            state=found.state,
            at=self._clock.now(),
            code=reply.code,
            reason=None if found.state is IssueState.SENT else str(reply),
            greylisted=found.greylisted,
            bounced=found.bounced,
        )

    # --- the connection ---

    @property
    def _name(self) -> str:
        return f"{self._server.host}:{self._server.port}"

    def _drop(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()

    def _reset(self, smtp: smtplib.SMTP) -> None:
        """End a transaction that was refused; what was said of it stands."""
        try:
            smtp.rset()
        except (smtplib.SMTPException, OSError):
            self._drop()

    def _wait(self, smtp: smtplib.SMTP, timeout_s: float) -> None:
        if smtp.sock is not None:
            smtp.sock.settimeout(timeout_s)

    def _stop_where_hopeless(self, outcome: Outcome) -> None:
        """Stop where mail after mail ends in a way that no reader is to blame for.

        Raises:
            PermanentDeliveryError: It is us whom the server does not want.
            TransientDeliveryError: It breaks off again and again.
        """
        is_ours = outcome.state is IssueState.HELD
        is_lost = outcome.code is None and outcome.state is not IssueState.SENT
        self._in_a_row = self._in_a_row + 1 if is_ours or is_lost else 0
        if self._in_a_row < _IN_A_ROW:
            return
        self._in_a_row = 0
        if is_ours:
            raise PermanentDeliveryError(
                f"{self._name} refuses mail after mail, the last one with:"
                f" {outcome.reason}; look at what it says, then run again",
                code=outcome.code,
            )
        raise TransientDeliveryError(
            f"{self._name} breaks off mail after mail; the next run tries again"
        )


@contextmanager
def _watched(stage: Stage) -> Iterator[None]:
    """Turn a lost connection into one that knows its stage."""
    try:
        yield
    except (smtplib.SMTPServerDisconnected, OSError) as error:
        raise _LostError(stage, str(error)) from error
    except smtplib.SMTPResponseException as error:
        # A reply that never ends: smtplib has closed the connection.
        raise _LostError(stage, str(error)) from error


def _reply(stage: Stage, code: int, said: bytes) -> _Reply:
    """Return a reply as one clean line.

    Raises:
        _LostError: The server closes the connection, and the mail is not its.
    """
    text = " ".join(_CONTROLS.sub(" ", said.decode("ascii", "replace")).split())
    if code == _CLOSING and stage is not Stage.DOT:
        raise _LostError(stage, f"{code} {text[:_MAX_REPLY]}")
    return _Reply(stage=stage, code=code, text=text[:_MAX_REPLY])


def _stuffed(content: bytes) -> bytes:
    """Return *content* with each leading dot doubled (RFC 5321, section 4.5.2)."""
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed


def _check_silence(smtp: smtplib.SMTP) -> None:
    """Look whether the server has gone, or spoken, before it has the whole mail.

    If so it does not have it, which after the dot nobody could tell.

    Raises:
        SMTPServerDisconnected: It has.
    """
    sock = smtp.sock
    if not isinstance(sock, socket.socket):  # smtplib has closed it
        raise smtplib.SMTPServerDisconnected("the connection is closed")
    before = sock.gettimeout()
    sock.settimeout(0)
    try:
        said = sock.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        sock.settimeout(before)
        return
    raise smtplib.SMTPServerDisconnected(
        "it spoke before the mail was complete" if said else "it closed the connection"
    )
