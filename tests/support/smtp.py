"""SMTP servers on free loopback ports: a willing one, and one that fails on cue."""

from __future__ import annotations

import socket
import ssl
import threading
from asyncio import Server
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import BinaryIO, Literal, Self

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

Stage = Literal[
    "banner",
    "ehlo",
    "starttls",
    "mail",
    "rcpt",
    "data",
    "body",
    "dot",
    "rset",
    "quit",
    "other",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail as a server took it."""

    sender: str
    recipient: str
    content: bytes


# --- a willing server -----------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class Mailroom:
    """What an aiosmtpd server took, and how it was asked."""

    port: int = 0
    mails: list[Mail] = field(default_factory=list)
    #: Whether each mail came over TLS.
    over_tls: list[bool] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    connections: int = 0

    async def handle_DATA(  # noqa: N802 - the name that aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        del session
        assert isinstance(envelope.content, bytes)
        mail = Mail(
            sender=str(envelope.mail_from),
            recipient=envelope.rcpt_tos[0],
            content=envelope.content,
        )
        self.mails.append(mail)
        assert server.transport is not None
        self.over_tls.append(server.transport.get_extra_info("sslcontext") is not None)
        return "250 2.0.0 taken"

    def log_in(
        self, server: SMTP, session: Session, envelope: Envelope, how: str, data: object
    ) -> AuthResult:
        del server, session, envelope, how
        assert isinstance(data, LoginPassword)
        given = (data.login.decode(), data.password.decode())
        self.logins.append(given)
        return AuthResult(success=given == ("digest", "s3cret"), handled=False)


class _Controller(Controller):
    """Listens on port 0; counts connections."""

    room: Mailroom

    def factory(self) -> SMTP:
        self.room.connections += 1
        smtp: SMTP = super().factory()  # type: ignore[no-untyped-call] # theirs
        return smtp

    def _trigger_server(self) -> None:
        # Its own look at the configured port, which is 0, would fail.
        assert isinstance(self.server, Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call] # theirs


@contextmanager
def mailroom(
    *,
    tls: ssl.SSLContext | None = None,
    from_the_start: bool = False,
    auth: bool = False,
) -> Iterator[Mailroom]:
    """Give a server that takes all mail: with *tls*, by STARTTLS or at once."""
    room = Mailroom()
    controller = _Controller(
        room,
        hostname="127.0.0.1",
        port=0,
        ssl_context=tls if from_the_start else None,
        tls_context=None if from_the_start else tls,
        require_starttls=tls is not None and not from_the_start,
        authenticator=room.log_in if auth else None,
        auth_required=auth,
        auth_require_tls=tls is not None and not from_the_start,
        decode_data=False,
    )
    controller.room = room
    controller.start()
    room.port = controller.port
    # The controller looked whether it works.
    room.connections = 0
    try:
        yield room
    finally:
        controller.stop()


def certificates(name: str) -> tuple[ssl.SSLContext, trustme.CA]:
    """Return a server's side of TLS for *name*, and who vouches for it."""
    ca = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert(name).configure_cert(context)
    return context, ca


# --- a server that fails on cue -------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens when a conversation comes to a stage.

    ``does``: a reply to give instead; "drop": close the connection; "hang":
    say nothing more; at the dot also "take and drop": take the mail first.
    """

    at: Stage
    does: str
    #: Which time the stage is reached, from 1 over all connections. None: all.
    times: tuple[int, ...] | None = None


#: Lines of a mail after which it may break off.
_FAR_ENOUGH = 10
#: Stage and usual answer of the simple commands.
_ANSWERS: dict[str, tuple[Stage, str]] = {
    "STAR": ("starttls", "454 4.7.0 no TLS now"),
    "MAIL": ("mail", "250 ok"),
    "RCPT": ("rcpt", "250 ok"),
    "RSET": ("rset", "250 ok"),
    "QUIT": ("quit", "221 bye"),
}


class _GoneError(Exception):
    """The conversation is over."""


@dataclass(slots=True)
class FaultyServer:
    """Speaks SMTP (RFC 5321) as far as its faults let it."""

    faults: tuple[Fault, ...] = ()
    extensions: tuple[str, ...] = ("8BITMIME", "SIZE 2000000")
    #: Called with each mail as it is taken, before the answer.
    on_mail: Callable[[Mail], None] = field(default=lambda _: None)
    #: Accepted: the server has them, whatever it said then.
    mails: list[Mail] = field(default_factory=list)
    #: Every line, of all connections.
    heard: list[str] = field(default_factory=list)
    connections: int = 0
    _reached: dict[str, int] = field(default_factory=dict)
    _open: list[socket.socket] = field(default_factory=list)
    _released: threading.Event = field(default_factory=threading.Event)
    _server: socket.socket = field(init=False)

    @property
    def port(self) -> int:
        port: int = self._server.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        # A window that does not grow: who does not read keeps the sender waiting.
        self._server = socket.socket()
        self._server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        self._server.bind(("127.0.0.1", 0))
        self._server.listen()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """End as a killed process does: every connection is cut."""
        self._released.set()
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for sock in self._open:
            _cut(sock)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._server.accept()
                self.connections += 1
                self._open.append(sock)
                threading.Thread(
                    target=self._converse, args=(sock,), daemon=True
                ).start()

    def _converse(self, sock: socket.socket) -> None:
        with suppress(OSError, _GoneError), sock.makefile("rb") as lines:
            if not self._fault("banner", sock):
                _say(sock, "220 mx.example.net ESMTP")
            said: dict[str, str] = {}
            while line := lines.readline():
                text = line.decode("ascii", "replace").strip()
                self.heard.append(text)
                verb = text[:4].upper()
                said[verb] = text
                if verb == "EHLO":
                    self._greet(sock)
                elif verb == "DATA":
                    self._take(sock, lines, said["MAIL"], said["RCPT"])
                else:
                    self._answer(verb, sock)

    def _answer(self, verb: str, sock: socket.socket) -> None:
        stage, usual = _ANSWERS.get(verb, ("other", "502 5.5.1 what?"))
        if not self._fault(stage, sock):
            _say(sock, usual)
            if verb == "QUIT":
                raise _GoneError

    def _greet(self, sock: socket.socket) -> None:
        if not self._fault("ehlo", sock):
            *others, last = ("mx.example.net", *self.extensions)
            for line in others:
                _say(sock, f"250-{line}")
            _say(sock, f"250 {last}")

    def _take(
        self, sock: socket.socket, lines: BinaryIO, sender: str, recipient: str
    ) -> None:
        if self._fault("data", sock):
            return
        _say(sock, "354 go ahead")
        content: list[bytes] = []
        while (line := lines.readline()) != b".\r\n":
            if not line:
                raise _GoneError
            content.append(line.removeprefix(b"."))
            if len(content) == _FAR_ENOUGH:
                self._fault("body", sock)
        mail = Mail(
            sender=sender,
            recipient=recipient[8:].strip("<>"),
            content=b"".join(content),
        )
        fault = self._next("dot")
        if fault is None or fault.does.startswith(("2", "take")):
            self.mails.append(mail)
            self.on_mail(mail)
        if fault is None:
            _say(sock, "250 2.0.0 taken")
        else:
            self._do(fault, sock)

    def _fault(self, stage: Stage, sock: socket.socket) -> bool:
        """Do the stage's fault, where it has one; tell whether it had."""
        fault = self._next(stage)
        if fault is not None:
            self._do(fault, sock)
        return fault is not None

    def _next(self, stage: Stage) -> Fault | None:
        time = self._reached[stage] = self._reached.get(stage, 0) + 1
        for fault in self.faults:
            if fault.at == stage and (fault.times is None or time in fault.times):
                return fault
        return None

    def _do(self, fault: Fault, sock: socket.socket) -> None:
        if fault.does[0].isdigit():
            _say(sock, fault.does)
            if not fault.does.startswith("421"):
                return
        elif fault.does == "hang":
            self._released.wait()
        _cut(sock)
        raise _GoneError


def _say(sock: socket.socket, line: str) -> None:
    sock.sendall(line.encode() + b"\r\n")


def _cut(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()
