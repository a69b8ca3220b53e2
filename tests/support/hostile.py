"""A server that means harm: raw bytes over a real socket, whatever they are.

    fetcher --GET /--> [ thread per connection ] --> script(wire) --> log

A script is what one server does with every connection. Each connection is
remembered: when it came, what was asked, how many bytes were sent.
"""

from __future__ import annotations

import gzip
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Self

_HEAD_MOST = 1_000_000
#: A gigabyte of blanks is made of so many packed blocks of a mebibyte.
BOMB_BLOCKS = 1024


@dataclass(slots=True, kw_only=True)
class Wire:
    """One accepted connection, and what became of it."""

    socket: socket.socket
    accepted_at: float
    #: Set when the server ends: whoever waits should stop.
    is_over: threading.Event
    asked: bytes = b""
    sent: int = 0

    def send(self, data: bytes) -> None:
        """Send all of *data*; raises OSError when nobody takes it any more."""
        self.socket.sendall(data)
        self.sent += len(data)

    def drip(self, every_s: float, byte: bytes = b"x") -> None:
        """Send one byte now and then, until nobody takes it."""
        while not self.is_over.wait(every_s):
            self.send(byte)

    def reset(self) -> None:
        """Break the connection off: with a wait of 0 the system sends a reset."""
        self.socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.socket.close()


#: What a server does with a connection once the request's head is there.
Script = Callable[[Wire], None]


@dataclass(slots=True)
class HostileServer:
    """Does to every connection what its script says."""

    script: Script
    #: The address that it listens on.
    address: str = "127.0.0.1"
    port: int = 0
    wires: list[Wire] = field(default_factory=list)
    _listener: socket.socket = field(init=False)
    _is_over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    @property
    def host(self) -> str:
        """Where it listens, as allow_private writes it."""
        shown = f"[{self.address}]" if ":" in self.address else self.address
        return f"{shown}:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/"

    def __enter__(self) -> Self:
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        self._listener = socket.create_server((self.address, self.port), family=family)
        self.port = self._listener.getsockname()[1]
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        with suppress(OSError):
            # Wakes accept(), which closing alone does not.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for wire in self.wires:
            with suppress(OSError):
                wire.socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            wire = Wire(
                socket=connection,
                accepted_at=time.monotonic(),
                is_over=self._is_over,
            )
            self.wires.append(wire)
            self._start(self._serve, wire)

    def _serve(self, wire: Wire) -> None:
        # The other side goes when it has had enough, in the middle of anything.
        with wire.socket, suppress(OSError):
            while b"\r\n\r\n" not in wire.asked and len(wire.asked) < _HEAD_MOST:
                more = wire.socket.recv(65_536)
                if not more:
                    return
                wire.asked += more
            self.script(wire)
            with suppress(OSError):
                wire.socket.shutdown(socket.SHUT_WR)
                wire.socket.settimeout(1)
                wire.socket.recv(1)


def answer(
    body: bytes = b"", *fields: str, status: str = "200 OK", length: int | None = None
) -> bytes:
    r"""Return a whole answer.

    Args:
        body: What follows the head.
        fields: Each a header field, ``Name: value``; a byte that is no UTF-8 is
            written as ``\udcff``.
        status: Code and reason.
        length: What Content-Length says. None: the truth.
    """
    said = len(body) if length is None else length
    head = [f"HTTP/1.1 {status}", f"Content-Length: {said}", *fields, "", ""]
    return "\r\n".join(head).encode("utf-8", "surrogateescape") + body


def says(data: bytes) -> Script:
    """Return a script that sends *data* and closes."""
    return lambda wire: wire.send(data)


def redirects(location: str, status: str = "302 Found") -> Script:
    """Return a script that sends everybody to *location*."""
    return says(answer(b"", f"Location: {location}", status=status))


def drips_head(wire: Wire) -> None:
    """Send a byte a second, and never come to the end of the head."""
    wire.send(b"HTTP/1.1 200 OK\r\nX: ")
    wire.drip(1)


def drips_body(wire: Wire) -> None:
    """Send a byte a second of a body that is said to be large."""
    wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    wire.drip(1)


def hangs(wire: Wire) -> None:
    """Take the request and say nothing."""
    wire.is_over.wait()


def pours(head: bytes, chunk: bytes, most: int) -> Script:
    """Return a script that repeats *chunk* until *most* bytes were taken."""

    def script(wire: Wire) -> None:
        wire.send(head)
        while wire.sent < most and not wire.is_over.is_set():
            wire.send(chunk)

    return script


def resets(data: bytes) -> Script:
    """Return a script that breaks off after *data*."""

    def script(wire: Wire) -> None:
        wire.send(data)
        # What was sent shall arrive before the reset does.
        wire.is_over.wait(0.2)
        wire.reset()

    return script


@cache
def bomb() -> bytes:
    """Return a megabyte of gzip that unpacks to a gigabyte of blanks.

    One packed block is repeated: a full flush leaves nothing that the next
    needs of the one before. Its check sum is wrong, which nobody gets to see
    who does not unpack all of it.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(b" " * 2**20) + packer.flush(zlib.Z_FULL_FLUSH)
    head = gzip.compress(b"", mtime=0)[:10]
    return head + block * BOMB_BLOCKS + packer.flush(zlib.Z_FINISH) + b"\0" * 8


def endless_feed() -> Iterator[bytes]:
    """Yield a feed that has no end, an item at a time."""
    yield b'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>'
    number = 0
    while True:
        yield b"".join(
            b"<item><title>Item %d</title><guid>g%d</guid></item>" % (n, n)
            for n in range(number, number + 1000)
        )
        number += 1000


def streams_feed(most: int) -> Script:
    """Return a script that sends *most* bytes of a feed without an end."""

    def script(wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n\r\n")
        for piece in endless_feed():
            if wire.sent >= most or wire.is_over.is_set():
                return
            wire.send(piece)

    return script
