"""The fetcher over real sockets: conditions, caps, deadlines, redirects, addresses."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from newsletter.errors import ParseError
from newsletter.model import (
    FetchSettings,
    Page,
    Poll,
    Rejected,
    Request,
    Response,
    SourceSettings,
    SourceState,
    Validator,
)
from newsletter.ports import PollJob
from newsletter.sources.fetcher import MOST_HOPS, MOST_REQUESTS, HttpFetcher
from tests.support.web import Answer, Asked, HttpServer

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


class FixedClock:
    def now(self) -> datetime:
        return NOW


@dataclass(frozen=True)
class Echo:
    """A source that keeps bodies as they are, as rejected rows."""

    settings: SourceSettings
    pages: int = 1

    def requests(self, state: SourceState, as_of: datetime) -> tuple[Request, ...]:
        raise NotImplementedError

    def parse(self, response: Response) -> Page:
        if response.body == b"bad":
            raise ParseError("this is bad")
        further: tuple[Request, ...] = ()
        if response.request.page + 1 < self.pages:
            further = (replace(response.request, page=response.request.page + 1),)
        said = Rejected(place="body", reason=response.body.decode("latin-1"))
        return Page(rejected=(said,), further=further)


def poll(
    server: HttpServer,
    *paths: str,
    settings: FetchSettings | None = None,
    validator: Validator | None = None,
    pages: int = 1,
    as_of: datetime = NOW,
) -> Poll:
    used = settings or FetchSettings()
    used = replace(used, allow_private=(*used.allow_private, server.host))
    requests = tuple(
        Request(
            source="s",
            url=path if "://" in path else server.url + path,
            validator=validator or Validator(),
        )
        for path in paths
    )
    return fetched(used, requests, pages=pages, as_of=as_of)


def fetched(
    settings: FetchSettings,
    requests: tuple[Request, ...],
    *,
    pages: int = 1,
    as_of: datetime = NOW,
    resolver: AbstractResolver | None = None,
) -> Poll:
    source = Echo(SourceSettings(name="s", kind="feed", url="x"), pages=pages)
    fetcher = HttpFetcher(settings, clock=FixedClock(), resolver=resolver)
    (found,) = fetcher.poll([PollJob(source=source, requests=requests)], as_of=as_of)
    return found


def body_of(found: Poll) -> str:
    assert found.failures == ()
    page = found.readings[0].page
    assert page is not None
    return page.rejected[0].reason


def reason_of(found: Poll) -> str:
    assert found.readings == ()
    return found.failures[0].reason


def answering(body: bytes, status: int = 200, **headers: str) -> Answer:
    return status, {k.replace("_", "-"): v for k, v in headers.items()}, body


def test_a_body_arrives_with_who_asked_said(http_server: HttpServer) -> None:
    http_server.routes["/a"] = lambda _: answering(b"hello", X_Test="yes")
    found = poll(http_server, "/a", settings=FetchSettings(user_agent="me/1 (+you)"))
    assert body_of(found) == "hello"
    response = found.readings[0].response
    assert response.headers["x-test"] == "yes"
    assert response.final_url == http_server.url + "/a"
    assert http_server.requests[0].headers["User-Agent"] == "me/1 (+you)"


def test_the_first_sighting_is_the_earlier_of_clock_and_run(
    http_server: HttpServer,
) -> None:
    http_server.routes["/a"] = lambda _: answering(b"x")
    for as_of, seen in (
        (NOW - timedelta(days=9), NOW - timedelta(days=9)),
        (NOW + timedelta(days=9), NOW),
    ):
        found = poll(http_server, "/a", as_of=as_of)
        assert found.readings[0].response.seen_at == seen


def test_what_the_server_gave_is_given_back_as_it_was(http_server: HttpServer) -> None:
    def route(asked: Asked) -> Answer:
        known = asked.headers.get("If-None-Match") == 'W/"odd, tag"'
        since = asked.headers.get("If-Modified-Since") == "yesterday-ish"
        return answering(b"", 304) if known and since else answering(b"new")

    http_server.routes["/a"] = route
    validator = Validator(etag=b'W/"odd, tag"', last_modified=b"yesterday-ish")
    (reading,) = poll(http_server, "/a", validator=validator).readings
    assert reading.response.unchanged
    assert reading.page is None
    assert body_of(poll(http_server, "/a")) == "new"


@pytest.mark.parametrize(
    ("packed", "encoding"),
    [
        (gzip.compress(b"hello", mtime=0), "gzip"),
        (gzip.compress(b"hel", mtime=0) + gzip.compress(b"lo", mtime=0), "gzip"),
        (zlib.compress(b"hello"), "deflate"),
        (b"hello", "identity"),
    ],
    ids=["gzip", "two members", "deflate", "identity"],
)
def test_bodies_are_unpacked(
    http_server: HttpServer, packed: bytes, encoding: str
) -> None:
    http_server.routes["/a"] = lambda _: answering(packed, Content_Encoding=encoding)
    assert body_of(poll(http_server, "/a")) == "hello"


def test_a_bomb_is_cut_off_at_the_cap(http_server: HttpServer) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    http_server.routes["/a"] = lambda _: answering(bomb, Content_Encoding="gzip")
    http_server.routes["/b"] = lambda _: answering(b"x" * 3_000)
    small = FetchSettings(max_bytes=2_000)
    for path in ("/a", "/b"):
        found = poll(http_server, path, settings=small)
        assert "larger than 2000 bytes (fetch.max_bytes)" in reason_of(found)


@pytest.mark.parametrize(
    ("body", "encoding", "said"),
    [
        (b"not gzip", "gzip", "compression is damaged"),
        (b"x", "br", "'br', which nobody asked for"),
    ],
)
def test_a_damaged_or_unknown_encoding_is_said(
    http_server: HttpServer, body: bytes, encoding: str, said: str
) -> None:
    http_server.routes["/a"] = lambda _: answering(body, Content_Encoding=encoding)
    assert said in reason_of(poll(http_server, "/a"))


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("120", 120.0),
        ("Mon, 04 May 2026 12:01:00 GMT", 60.0),
        ("Mon, 04 May 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
    ],
)
def test_a_refusal_keeps_its_status_and_wish(
    http_server: HttpServer, retry_after: str, seconds: float | None
) -> None:
    http_server.routes["/a"] = lambda _: answering(b"", 429, Retry_After=retry_after)
    (failure,) = poll(http_server, "/a").failures
    assert failure.status == 429
    assert failure.retry_after_s == seconds
    assert "429" in failure.reason


def test_one_request_that_fails_costs_the_others_nothing(
    http_server: HttpServer,
) -> None:
    http_server.routes["/good"] = lambda _: answering(b"fine")
    http_server.routes["/bad"] = lambda _: answering(b"bad")
    found = poll(http_server, "/missing", "/bad", "/good")
    assert [f.status for f in found.failures] == [404, 200]
    assert "this is bad" in found.failures[1].reason
    assert len(found.readings) == 1


def test_pages_are_followed_twenty_times_at_most(http_server: HttpServer) -> None:
    http_server.routes["/a"] = lambda _: answering(b"x")
    assert len(poll(http_server, "/a", pages=3).readings) == 3
    endless = poll(http_server, "/a", pages=1000)
    assert len(endless.readings) == MOST_REQUESTS
    assert "more than 20 requests" in endless.failures[0].reason


def test_redirects_are_followed_a_few_times(http_server: HttpServer) -> None:
    http_server.routes["/old"] = lambda _: answering(b"", 301, Location="/new")
    http_server.routes["/new"] = lambda _: answering(b"moved")
    http_server.routes["/loop"] = lambda _: answering(b"", 302, Location="/loop")
    found = poll(http_server, "/old")
    assert body_of(found) == "moved"
    assert found.readings[0].response.final_url == http_server.url + "/new"
    assert f"redirects more than {MOST_HOPS} times" in reason_of(
        poll(http_server, "/loop")
    )


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("file:///etc/passwd", "no http or https address"),
        ("https://me:secret@example.org/", "user name"),
        ("http://10.255.255.1:9/", "10.255.255.1 is a private address"),
    ],
)
def test_a_redirect_leads_nowhere_else(
    http_server: HttpServer, location: str, said: str
) -> None:
    http_server.routes["/a"] = lambda _: answering(b"", 302, Location=location)
    assert said in reason_of(poll(http_server, "/a"))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]"]
)
def test_a_private_address_is_never_connected_to(
    http_server: HttpServer, host: str
) -> None:
    http_server.routes["/"] = lambda _: answering(b"secret")
    port = http_server.host.partition(":")[2]
    request = Request(source="s", url=f"http://{host}:{port}/")
    reason = reason_of(fetched(FetchSettings(timeout_s=5), (request,)))
    if host == "2130706433":
        assert "not a canonical IPv4 address" in reason
    else:
        assert "private address" in reason
        assert "allow_private in [fetch]" in reason
    assert http_server.requests == []


class Names(AbstractResolver):
    """Knows names; each look-up takes the next of a name's answers.

    An address that a test allows stands for the public Internet here.
    """

    def __init__(self, **answers: tuple[tuple[str, ...], ...]) -> None:
        self.answers = {name: list(given) for name, given in answers.items()}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        given = self.answers[host.partition(".")[0]]
        addresses = given.pop(0) if len(given) > 1 else given[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=family,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Hold nothing."""


@pytest.fixture
def inside() -> Iterator[socket.socket]:
    """Listen on an address that nobody may connect to."""
    with socket.create_server(("127.0.0.9", 0)) as listener:
        listener.settimeout(0)
        yield listener


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def check_untouched(listener: socket.socket) -> None:
    with pytest.raises(BlockingIOError):
        listener.accept()


@pytest.fixture
def outside() -> Iterator[HttpServer]:
    with HttpServer() as server:
        yield server


def test_a_redirect_from_outside_leads_to_no_private_address(
    outside: HttpServer, inside: socket.socket
) -> None:
    target = f"http://127.0.0.9:{port_of(inside)}/"
    outside.routes["/"] = lambda _: answering(b"", 302, Location=target)
    settings = FetchSettings(allow_private=(outside.host,), timeout_s=5)
    port = outside.host.partition(":")[2]
    request = Request(source="s", url=f"http://public.example.org:{port}/")
    names = Names(public=(("127.0.0.1",),))
    found = fetched(settings, (request,), resolver=names)
    assert "127.0.0.9 is a private address" in reason_of(found)
    assert len(outside.requests) == 1
    check_untouched(inside)


def test_a_name_that_turns_to_a_private_address_is_not_followed_there(
    outside: HttpServer, inside: socket.socket
) -> None:
    port = port_of(inside)
    again = f"http://rebound.example.org:{port}/"
    outside.routes["/"] = lambda _: answering(b"", 302, Location=again)
    first = outside.host.partition(":")[2]
    settings = FetchSettings(allow_private=(outside.host,), timeout_s=5)
    request = Request(source="s", url=f"http://rebound.example.org:{first}/")
    names = Names(rebound=(("127.0.0.1",), ("127.0.0.9",)))
    found = fetched(settings, (request,), resolver=names)
    assert "127.0.0.9 is a private address" in reason_of(found)
    assert len(outside.requests) == 1
    check_untouched(inside)


def test_of_a_names_addresses_only_the_public_one_is_connected_to(
    outside: HttpServer,
) -> None:
    outside.routes["/"] = lambda _: answering(b"hello")
    port = int(outside.host.partition(":")[2])
    with socket.create_server(("127.0.0.9", port)) as listener:
        listener.settimeout(0)
        settings = FetchSettings(allow_private=(outside.host,), timeout_s=5)
        request = Request(source="s", url=f"http://both.example.org:{port}/")
        names = Names(both=(("127.0.0.9", "127.0.0.1"),))
        assert body_of(fetched(settings, (request,), resolver=names)) == "hello"
        check_untouched(listener)


@pytest.mark.parametrize(
    "address", ["64:ff9b::7f00:9", "2002:7f00:9::", "::ffff:127.0.0.9", "fec0::1"]
)
def test_a_name_within_ipv6_leads_inside_no_more_than_any(
    address: str, inside: socket.socket
) -> None:
    request = Request(source="s", url=f"http://six.example.org:{port_of(inside)}/")
    names = Names(six=((address,),))
    found = fetched(FetchSettings(timeout_s=5), (request,), resolver=names)
    assert "is a private address" in reason_of(found)
    check_untouched(inside)


@pytest.fixture
def dripping() -> Iterator[str]:
    """Give a server that sends a byte now and then, and never ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
            while not stop.wait(0.05):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"127.0.0.1:{listener.getsockname()[1]}"
    stop.set()
    thread.join()
    listener.close()


def test_one_deadline_covers_the_whole_body(dripping: str) -> None:
    settings = FetchSettings(timeout_s=0.5, allow_private=(dripping,))
    started = time.monotonic()
    found = fetched(settings, (Request(source="s", url=f"http://{dripping}/"),))
    assert "did not answer in full within 0.5 seconds" in reason_of(found)
    assert time.monotonic() - started < 10


def test_nobody_at_the_other_end_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    settings = FetchSettings(allow_private=(host,))
    found = fetched(settings, (Request(source="s", url=f"http://{host}/"),))
    assert "cannot be reached" in reason_of(found)


def test_no_http_at_the_other_end_is_said(http_server: HttpServer) -> None:
    found = poll(http_server, "ftp://example.org/")
    assert "no http or https address" in reason_of(found)


def test_a_file_is_read_as_if_it_were_an_answer(tmp_path: Path) -> None:
    file = tmp_path / "feed.xml"
    file.write_bytes(b"hello")
    request = Request(source="s", path=str(file))
    assert body_of(fetched(FetchSettings(), (request,))) == "hello"
    too_big = fetched(FetchSettings(max_bytes=3), (request,))
    assert "feed.xml is larger than 3 bytes" in reason_of(too_big)
    file.unlink()
    missing = fetched(FetchSettings(), (request,))
    assert "feed.xml cannot be read: No such file" in reason_of(missing)


def test_of_a_folder_every_document_is_read_by_name(tmp_path: Path) -> None:
    for name in ("b.xml", "a.JSON", ".hidden.xml", "notes.txt", "c.rss"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "below.xml").mkdir()
    (tmp_path / "d.atom").write_bytes(b"bad")
    found = fetched(FetchSettings(), (Request(source="s", path=str(tmp_path)),))
    rows = [row.reason for r in found.readings if r.page for row in r.page.rejected]
    assert rows == ["a.JSON", "b.xml", "c.rss"]
    (failure,) = found.failures
    assert failure.reason == f"{tmp_path}/d.atom: this is bad"


def test_a_folder_of_many_files_is_read_whole_and_an_empty_one_is_no_failure(
    tmp_path: Path,
) -> None:
    request = Request(source="s", path=str(tmp_path))
    empty = fetched(FetchSettings(), (request,))
    assert (empty.failures, [r.page for r in empty.readings]) == ((), [None])
    for number in range(MOST_REQUESTS + 5):
        (tmp_path / f"{number:03}.xml").write_bytes(b"x")
    found = fetched(FetchSettings(), (request,))
    assert (found.failures, len(found.readings)) == ((), 1 + MOST_REQUESTS + 5)


def test_nothing_to_ask_asks_nothing() -> None:
    fetcher = HttpFetcher(FetchSettings(), clock=FixedClock())
    assert list(fetcher.poll([], as_of=NOW)) == []


def test_several_sources_are_asked_at_once(http_server: HttpServer) -> None:
    barrier = threading.Barrier(2, timeout=10)

    def together(_: Asked) -> Answer:
        barrier.wait()
        return answering(b"x")

    http_server.routes["/a"] = together
    settings = FetchSettings(allow_private=(http_server.host,), per_host=2)
    source = Echo(SourceSettings(name="s", kind="feed", url="x"))
    jobs = [
        PollJob(
            source=source, requests=(Request(source="s", url=f"{http_server.url}/a"),)
        )
        for _ in range(2)
    ]
    polls = list(HttpFetcher(settings, clock=FixedClock()).poll(jobs, as_of=NOW))
    assert all(found.readings for found in polls)
