"""A server of many feeds on many loopback addresses, in a process of its own.

    /0/17.xml    feed 17 at once        /100/17.xml    after 100 ms

Every feed has an ETag that stays and a list of entries that are its own; the
answers lie ready, so that the server costs as little as it can.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Iterator
from random import Random

#: Addresses that the feeds are spread over, as feeds are over hosts.
ADDRESSES = 500
ENTRIES = 15
#: Characters of text of an entry, so that a feed has about 50 KB.
TEXT = 2900
_WORDS = (
    "model attention diffusion state space language vision reasoning agents robots "
    "sparse kernel gradient benchmark corpus token latent policy reward quantum graph "
    "protein energy climate speech memory cache compiler proof lattice field neural"
).split()


def feed(number: int) -> bytes:
    """Return feed *number*: RSS 2.0 with HTML in its descriptions."""
    chance = Random(number)  # noqa: S311 - words, the same ones each time
    items = "".join(_item(number, n, chance) for n in range(ENTRIES))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
        f"<title>Feed {number}</title><link>https://f{number}.example.org/</link>"
        f"<description>Notes</description>{items}</channel></rss>"
    ).encode()


def _item(number: int, n: int, chance: Random) -> str:
    words = " ".join(chance.choices(_WORDS, k=8)).capitalize()
    return (
        f"<item><title>{words} &amp; more</title>"
        f"<link>https://f{number}.example.org/posts/{n}?utm_source=feed</link>"
        f'<guid isPermaLink="false">post-{number}-{n}</guid>'
        f"<dc:creator>Ann Lee, Bo Chen and Chris Day</dc:creator>"
        f"<category>{chance.choice(_WORDS)}</category>"
        f"<pubDate>Mon, {n + 1:02} Jun 2026 08:00:00 GMT</pubDate>"
        f"<description><![CDATA[{_html(chance)}]]></description></item>"
    )


def _html(chance: Random) -> str:
    parts, length = [], 0
    while length < TEXT:
        text = " ".join(chance.choices(_WORDS, k=40))
        part = (
            f'<p>{text}, <a href="https://example.org/{chance.randrange(999)}">see'
            f"</a> <em>{chance.choice(_WORDS)}</em> &mdash; 3 &lt; 4.</p>\n"
        )
        parts.append(part)
        length += len(part)
    return "".join(parts)


def address(number: int) -> str:
    """Return the loopback address that has feed *number*."""
    place = number % ADDRESSES
    return f"127.0.{place // 250 + 1}.{place % 250 + 1}"


def urls(port: int, count: int, *, delay_ms: int = 0) -> Iterator[str]:
    """Yield the addresses of the first *count* feeds."""
    for number in range(count):
        host = address(number)
        yield f"http://{host}:{port}/{delay_ms}/{number}.xml"


class _Conversation(asyncio.Protocol):
    """Answers requests of one connection, one after the other."""

    def __init__(self, feeds: list[bytes]) -> None:
        self.feeds = feeds
        self.got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.got += data
        while b"\r\n\r\n" in self.got:
            head, _, self.got = self.got.partition(b"\r\n\r\n")
            _, _, rest = head.partition(b" /")
            delay, _, name = rest.partition(b" ")[0].partition(b"/")
            answer = self.answer(int(name.partition(b".")[0]), b"f-None-Match:" in head)
            closes = b"onnection: close" in head
            asyncio.get_running_loop().call_later(
                int(delay) / 1000, self.send, answer, closes
            )

    def send(self, answer: bytes, closes: bool) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)
            if closes:
                self.transport.close()

    def answer(self, number: int, is_conditional: bool) -> bytes:
        head = b'ETag: "%d"\r\nContent-Type: application/rss+xml\r\n' % number
        if is_conditional:
            return b"HTTP/1.1 304 Not Modified\r\n" + head + b"\r\n"
        body = self.feeds[number]
        return b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (
            head,
            len(body),
            body,
        )


async def serve(count: int) -> None:
    """Serve *count* feeds until standard input ends; print the port."""
    feeds = [feed(number) for number in range(count)]
    loop, port = asyncio.get_running_loop(), 0
    for number in range(ADDRESSES):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address(number), port))
        port = listener.getsockname()[1]
        await loop.create_server(
            lambda: _Conversation(feeds), sock=listener, backlog=64
        )
    print(port, flush=True)  # noqa: T201 - what the bench waits for
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
