"""Servers that mean harm: each ends in words, in time, and reaches nothing inside."""

from __future__ import annotations

import gzip
import json
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from newsletter.model import Failure, FetchSettings, Poll, Request, SourceSettings
from newsletter.ports import PollJob
from newsletter.sources import make_source
from newsletter.sources.fetcher import HttpFetcher
from tests.support.hostile import (
    HostileServer,
    Script,
    answer,
    bomb,
    drips_body,
    drips_head,
    hangs,
    pours,
    redirects,
    resets,
    says,
    streams_feed,
)
from tests.support.project import Project
from tests.support.storable import check

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
DEADLINE_S = 1.0
#: What a deadline may be late by on a busy machine.
GRACE_S = 1.5
MOST_MEMORY = 50_000_000
FEED = (
    b'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>'
    b"<item><title>One</title><guid>1</guid></item></channel></rss>"
)
PACKED = gzip.compress(FEED, mtime=0)
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
TOO_SLOW = "did not answer in full within 1 seconds (fetch.timeout_s)"
UNUSABLE = "gave no usable answer"


class FixedClock:
    def now(self) -> datetime:
        return NOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one server's source."""

    poll: Poll
    server: HostileServer

    @property
    def failure(self) -> Failure:
        assert self.poll.readings == ()
        (failure,) = self.poll.failures
        return failure


def fetched(
    urls: Mapping[str, str],
    settings: FetchSettings,
    resolver: AbstractResolver | None = None,
) -> dict[str, Poll]:
    """Poll all of *urls* at once, each a source of kind feed."""
    jobs = [
        PollJob(
            source=make_source(SourceSettings(name=name, kind="feed", url=url)),
            requests=(Request(source=name, url=url),),
        )
        for name, url in urls.items()
    ]
    # All of them are on one host.
    together = replace(settings, per_host=100)
    fetcher = HttpFetcher(together, clock=FixedClock(), resolver=resolver)
    started = time.monotonic()
    polls = list(fetcher.poll(jobs, as_of=NOW))
    assert time.monotonic() - started < settings.timeout_s + GRACE_S
    return {poll.source: poll for poll in polls}


def attacked(scripts: Mapping[str, Script]) -> dict[str, Outcome]:
    """Poll one server per script, all at once; only they may be connected to."""
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(HostileServer(script))
            for name, script in scripts.items()
        }
        settings = FetchSettings(
            timeout_s=DEADLINE_S,
            allow_private=tuple(server.host for server in servers.values()),
        )
        polls = fetched({n: s.url for n, s in servers.items()}, settings)
        return {n: Outcome(poll=polls[n], server=servers[n]) for n in servers}


@pytest.fixture
def inside() -> Iterator[HostileServer]:
    """Give a server that nobody may connect to."""
    with HostileServer(says(answer(FEED))) as server:
        yield server


# --- time ---------------------------------------------------------------------------


def test_who_drips_or_hangs_is_left_at_the_deadline() -> None:
    slow = {"head": drips_head, "body": drips_body, "hangs": hangs}
    for outcome in attacked(slow).values():
        assert TOO_SLOW in outcome.failure.reason
        assert len(outcome.server.wires) == 1
        assert outcome.server.wires[0].sent < 100


POURING: Mapping[str, tuple[Script, str]] = {
    "body": (pours(OK + b"\r\n", b"x" * 65_536, 10**9), "larger than 10000000 bytes"),
    "feed": (streams_feed(200_000_000), "larger than 10000000 bytes"),
    "fields": (pours(OK, b"X-A: y\r\n" * 1000, 10**9), "Too many headers"),
    "line": (pours(OK + b"X: ", b"y" * 65_536, 10**9), "Got more than 8190 bytes"),
    "trailers": (
        pours(CHUNKED + b"0\r\n", b"X: y\r\n" * 1000, 10**9),
        "Too many headers",
    ),
    "empty gzip members": (
        pours(
            OK + b"Content-Encoding: gzip\r\n\r\n",
            gzip.compress(b"", mtime=0) * 1000,
            10**9,
        ),
        TOO_SLOW,
    ),
    "interim answers": (
        pours(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100, 10**9),
        TOO_SLOW,
    ),
}


@pytest.mark.parametrize("name", POURING)
def test_who_pours_without_an_end_is_cut_off(name: str) -> None:
    script, said = POURING[name]
    outcome = attacked({name: script})[name]
    assert said in outcome.failure.reason
    # It was not taken whole: what is under way when we go is a few buffers.
    assert outcome.server.wires[0].sent < 60_000_000


# --- answers ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bad:
    """A server and what is to be said of it."""

    script: Script
    said: str
    status: int | None = None


ANSWERS: Mapping[str, Bad] = {
    "a bomb": Bad(
        says(answer(bomb(), "Content-Encoding: gzip")), "larger than 10000000 bytes"
    ),
    "gzip in gzip": Bad(
        says(answer(gzip.compress(PACKED), "Content-Encoding: gzip")),
        "neither RSS nor Atom",
        200,
    ),
    "gzip, gzip": Bad(
        says(answer(gzip.compress(PACKED), "Content-Encoding: gzip, gzip")),
        "'gzip, gzip', which nobody asked for",
    ),
    "half a gzip": Bad(
        says(answer(PACKED[:-30], "Content-Encoding: gzip")),
        "its compression breaks off before the end",
    ),
    "said to be longer": Bad(says(answer(FEED, length=len(FEED) + 10)), UNUSABLE),
    "said to be shorter": Bad(says(answer(FEED, length=len(FEED) - 20)), ""),
    "reset in mid-body": Bad(resets(answer(FEED, length=5000)), UNUSABLE),
    "closed at once": Bad(says(b""), "Server disconnected"),
    "100,000 fields": Bad(
        says(OK + b"".join(b"X-%d: y\r\n" % n for n in range(100_000)) + b"\r\n"),
        "Too many headers",
    ),
    "a line of a megabyte": Bad(
        says(OK + b"X: " + b"y" * 1_000_000 + b"\r\n\r\n"), "Got more than 8190 bytes"
    ),
    "a chunk of letters": Bad(says(CHUNKED + b"zz\r\nxx\r\n"), UNUSABLE),
    "a chunk below zero": Bad(says(CHUNKED + b"-5\r\nxx\r\n"), UNUSABLE),
    "a chunk beyond all": Bad(says(CHUNKED + b"f" * 18 + b"\r\nxx\r\n"), UNUSABLE),
    "half a chunk": Bad(says(CHUNKED + b"5\r\nhe"), UNUSABLE),
    "no HTTP": Bad(says(b"220 mail.example.org ESMTP\r\n"), UNUSABLE),
    "204": Bad(says(b"HTTP/1.1 204 No Content\r\n\r\n"), "answers 204 No Content", 204),
    "206": Bad(says(answer(FEED, status="206 Partial Content")), "answers 206", 206),
    "410": Bad(says(answer(status="410 Gone")), "answers 410 Gone", 410),
    "301 to nowhere": Bad(says(answer(status="301 Moved")), "answers 301 Moved", 301),
    "304 unasked": Bad(says(b"HTTP/1.1 304 Not Modified\r\n\r\n"), "304", 304),
    "a path": Bad(says(answer(b"/etc/passwd")), "neither RSS nor Atom", 200),
    "a page": Bad(
        says(answer(b"<!doctype html><title>x</title>")), "this is an HTML page", 200
    ),
}


def test_an_answer_that_is_none_is_named_in_words() -> None:
    found = attacked({name: bad.script for name, bad in ANSWERS.items()})
    for name, bad in ANSWERS.items():
        failure = found[name].failure
        assert bad.said in failure.reason, name
        assert failure.status == bad.status, name
        assert found[name].server.url in failure.reason


def test_a_server_that_wants_a_rest_says_for_how_long() -> None:
    script = says(answer(b"", "Retry-After: 120", status="429 Too Many Requests"))
    failure = attacked({"s": script})["s"].failure
    assert (failure.status, failure.retry_after_s) == (429, 120.0)


@pytest.mark.parametrize(
    "wish",
    [
        "9" * 5_000,
        "Mon, 04 May 99999999999 12:00:00 GMT",
        "Mon, 04 May 2026 12:00:00 +99999999999999999999",
        "Fri, 31 Dec 9999 23:59:59 -2300",
        "-1",
        "NaN",
    ],
    ids=["digits", "year", "zone", "last day", "below zero", "no number"],
)
def test_an_absurd_wish_for_a_rest_is_no_fault_of_ours(wish: str) -> None:
    script = says(answer(b"", f"Retry-After: {wish}", status="503 Busy"))
    failure = attacked({"s": script})["s"].failure
    assert failure.status == 503
    assert failure.retry_after_s is None or failure.retry_after_s >= 0


def test_a_body_that_is_an_address_is_not_fetched() -> None:
    with HostileServer(says(answer(FEED))) as server:
        server.script = says(answer(server.url.encode()))
        settings = FetchSettings(allow_private=(server.host,), timeout_s=DEADLINE_S)
        found = fetched({"s": server.url}, settings)
    assert "neither RSS nor Atom" in found["s"].failures[0].reason
    assert len(server.wires) == 1


def test_what_a_server_says_reaches_no_terminal_and_no_database_as_it_is() -> None:
    rude = (
        b"HTTP/1.1 500 \x1b]0;mine\x07\x1b[31mred\x00\xff\r\nContent-Length: 0\r\n\r\n"
    )
    long = b"HTTP/1.1 500 " + b"word " * 1500 + b"\r\nContent-Length: 0\r\n\r\n"
    for outcome in attacked({"rude": says(rude), "long": says(long)}).values():
        reason = outcome.failure.reason
        assert reason.isprintable()
        assert len(reason) <= 500
        assert "answers 500" in reason


def test_what_a_document_brings_is_cut_to_what_can_be_stored() -> None:
    item = {"id": "g" * 10_000, "title": "word " * 10_000, "url": "https://a/b"}
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": [item]}
    (reading,) = attacked({"s": says(answer(json.dumps(feed).encode()))})[
        "s"
    ].poll.readings
    assert reading.page is not None
    check(reading.page)
    assert len(reading.page.listings) == 1


# --- addresses ----------------------------------------------------------------------

#: Ways to this machine, or to what is no place to read from.
SPELLINGS = (
    "127.0.0.1",
    "0x7f.1",
    "2130706433",
    "017700000001",
    "127.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[fe80::1%25lo]",
    "[fec0::1]",
    "localhost",
    "127.0.0.1.",
    "０x7f.1",
    "①②⑦.0.0.1",
    "0.0.0.0",  # noqa: S104 - refused, not bound
    "224.0.0.1",
    "100.64.0.1",
    "192.0.0.8",
    "169.254.169.254",
)


def test_a_redirect_to_a_private_address_is_refused_in_every_spelling(
    inside: HostileServer,
) -> None:
    targets = {spelling: f"http://{spelling}:{inside.port}/" for spelling in SPELLINGS}
    found = attacked({s: redirects(url) for s, url in targets.items()})
    for spelling, outcome in found.items():
        check_refused(outcome.failure.reason, spelling)
        assert len(outcome.server.wires) == 1
    assert inside.wires == []


def test_a_source_at_a_private_address_is_refused_in_every_spelling(
    inside: HostileServer,
) -> None:
    settings = FetchSettings(timeout_s=DEADLINE_S)
    urls = {spelling: f"http://{spelling}:{inside.port}/" for spelling in SPELLINGS}
    for spelling, poll in fetched(urls, settings).items():
        assert poll.readings == ()
        check_refused(poll.failures[0].reason, spelling)
    assert inside.wires == []


def test_what_is_allowed_inside_is_read(inside: HostileServer) -> None:
    """The server that the tests above keep us from does answer."""
    settings = FetchSettings(allow_private=(inside.host,), timeout_s=DEADLINE_S)
    assert fetched({"s": inside.url}, settings)["s"].readings


def check_refused(reason: str, spelling: str) -> None:
    """What is no usual spelling may be refused as such, or not be known as a name."""
    said = (
        "is a private address",
        "not a canonical IPv4 address",
        "Name or service not known",
        "No address associated",
    )
    assert any(words in reason for words in said), (spelling, reason)
    if spelling in {"127.0.0.1", "[::1]", "224.0.0.1", "192.0.0.8"}:
        assert "is a private address" in reason


@dataclass
class Names(AbstractResolver):
    """Gives the next of its answers at every look-up, whatever the name."""

    answers: list[str]
    asked: int = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=family,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Hold nothing."""


def test_a_name_that_means_another_address_at_the_next_look_up_leads_nowhere() -> None:
    """The server that is allowed stands for the public Internet."""
    with HostileServer(says(b"")) as server:
        again = f"http://rebinding.example.org:{server.port}/"
        server.script = redirects(again)
        with HostileServer(says(answer(FEED)), "127.0.0.9", server.port) as inside:
            names = Names(["127.0.0.1", "127.0.0.9"])
            settings = FetchSettings(allow_private=(server.host,), timeout_s=DEADLINE_S)
            poll = fetched({"s": again}, settings, names)["s"]
    assert "127.0.0.9 is a private address" in poll.failures[0].reason
    assert (names.asked, len(server.wires), inside.wires) == (2, 1, [])


def test_redirects_without_an_end_are_followed_a_few_times() -> None:
    outcome = attacked({"s": redirects("/")})["s"]
    assert "redirects more than 5 times" in outcome.failure.reason
    assert len(outcome.server.wires) == 6


# --- secrets ------------------------------------------------------------------------

WITH_SECRET = (
    "http://user:secret@public.example.org/",
    "http://secret@public.example.org/",
    "http://user:secret@exa mple.org/",
    "//user:secret@public.example.org/",
    "ftp://user:secret@public.example.org/",
    "http://user:secret@[bad/",
    "http://user:secret@bad:port/",
    "http:/\\user:secret@public.example.org/",
    "user:secret@public.example.org",
)


def test_a_secret_in_an_address_is_neither_sent_nor_said() -> None:
    found = attacked({url: redirects(url) for url in WITH_SECRET})
    direct = fetched({url: url for url in WITH_SECRET}, FetchSettings(timeout_s=1))
    for url in WITH_SECRET:
        for failure in (*found[url].poll.failures, *direct[url].failures):
            assert "secret" not in failure.reason, url
        # What is an address below the server's own is asked for as that.
        for wire in found[url].server.wires[:1]:
            assert b"secret" not in wire.asked


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(root=tmp_path)


def test_a_secret_reaches_neither_terminal_nor_database(project: Project) -> None:
    secret = "http://user:secret@127.0.0.1:9/"
    with HostileServer(redirects(secret)) as server:
        project.write(configured(server.host, f"sneaky={server.url}"))
        out, err = project.run("refresh")
        said = out + err + "".join(project.run("sources", "check", code=1))
        said += "".join(project.run("status"))
        said += "".join(project.run("sources", "add", secret, code=1))
    assert "holds a user name, which is not sent" in said
    assert "secret" not in said
    for file in (project.root / "outbox").rglob("*"):
        assert not file.is_file() or b"secret@" not in file.read_bytes(), file


def test_a_secret_in_the_configuration_is_refused_and_not_repeated(
    project: Project,
) -> None:
    project.write(configured("127.0.0.1", "a=http://user:secret@example.org/"))
    out, err = project.run("refresh", code=2)
    assert "holds a user name" in err
    assert "secret" not in out + err


def configured(host: str, *sources: str) -> str:
    """Return tables for newsletter.toml: each source a name, = and its address."""
    tables = [f'[fetch]\nallow_private = ["{host}"]\ninterval = "0s"\ntimeout_s = 2\n']
    for source in sources:
        name, _, url = source.partition("=")
        tables.append(
            f'[[sources]]\nname = "{name}"\nkind = "feed"\nurl = "{url}"\n'
            "first_days = 3000\n"
        )
    return "\n".join(tables)


def test_a_hostile_source_stops_only_itself(project: Project) -> None:
    """Every header that we read, with nonsense in it; and a good source after it."""
    absurd = "Mon, 04 May 99999999999 12:00:00 +99999999999999999999"
    fields = (
        f"Retry-After: {absurd}",
        f"Expires: {absurd}",
        f"Date: {absurd}",
        "Age: " + "9" * 5000,
        f"Cache-Control: max-age={'9' * 400}, s-maxage=-1, max-age=\u00b2",
        'ETag: "\udcff\udc80"',
        f"Last-Modified: {absurd}\udcff",
        "RateLimit: limit=-1, remaining=x, reset=99999999999999999999999",
        'RateLimit-Policy: "x";q=\udcb2;w=99999999999999999999999999',
        "RateLimit-Reset: " + "9" * 400,
    )
    busy = "429 \x1b[31m\x00Too Many\x7f"
    with ExitStack() as stack:
        scripts = (
            says(answer(FEED, *fields)),
            says(answer(b"", *fields, status=busy)),
            says(answer(b"", *fields, status="503 Busy")),
            says(answer(FEED.replace(b"One", b"Two"))),
        )
        servers = [stack.enter_context(HostileServer(s)) for s in scripts]
        sources = [f"s{number}={server.url}" for number, server in enumerate(servers)]
        project.write(configured("127.0.0.0/8", *sources))
        for _ in range(2):
            out, err = project.run("refresh")
            assert "Traceback" not in err
            assert "\x1b" not in out + err
        found = states_in(project)
    assert [name for name, ok_at, _ in found if ok_at] == ["s0", "s3"]
    assert all((said or "").isprintable() for _, _, said in found)


def states_in(project: Project) -> list[tuple[str, str | None, str | None]]:
    """Return each source's name, when it was read last, what it complained of last."""
    with closing(sqlite3.connect(project.outbox / "newsletter.db")) as database:
        rows = database.execute(
            "SELECT name, last_ok_at, last_error FROM sources ORDER BY name"
        )
        return list(rows)


# --- proxies ------------------------------------------------------------------------


def test_a_proxy_of_the_environment_is_not_used(
    monkeypatch: pytest.MonkeyPatch, inside: HostileServer
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, inside.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    poll = attacked({"s": says(answer(FEED))})["s"].poll
    assert (poll.failures, len(poll.readings)) == ((), 1)
    assert inside.wires == []


def test_a_proxy_that_the_configuration_names_is_asked_for_names() -> None:
    with HostileServer(says(answer(FEED))) as proxy:
        settings = FetchSettings(
            proxy=f"http://me:secret@{proxy.host}", timeout_s=DEADLINE_S
        )
        found = fetched({"s": "http://nowhere.example.org/feed"}, settings)
    assert (found["s"].failures, len(found["s"].readings)) == ((), 1)
    (wire,) = proxy.wires
    assert wire.asked.startswith(b"GET http://nowhere.example.org/feed HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic bWU6c2VjcmV0" in wire.asked


def test_a_proxy_is_not_asked_for_a_private_address() -> None:
    with HostileServer(says(answer(FEED))) as proxy:
        settings = FetchSettings(proxy=f"http://{proxy.host}", timeout_s=DEADLINE_S)
        urls = {spelling: f"http://{spelling}:81/" for spelling in SPELLINGS}
        urls |= {
            "%": "http://%31%32%37.0.0.1/",
            "below": "http://a.localhost/",
            "tls": "https://127.0.0.1/",
        }
        for spelling, poll in fetched(urls, settings).items():
            assert poll.readings == ()
            assert "is a private address" in poll.failures[0].reason, spelling
    assert proxy.wires == []


def test_a_proxy_may_be_asked_for_an_address_that_is_allowed() -> None:
    with HostileServer(says(answer(FEED))) as proxy:
        settings = FetchSettings(
            proxy=f"http://{proxy.host}", allow_private=("10.1.2.3:81",), timeout_s=1
        )
        found = fetched(
            {"yes": "http://10.1.2.3:81/", "no": "http://10.1.2.3/"}, settings
        )
    assert (len(found["yes"].readings), len(found["no"].readings)) == (1, 0)
    assert "10.1.2.3:80" in found["no"].failures[0].reason


def test_a_redirect_through_a_proxy_leads_to_no_private_address() -> None:
    with HostileServer(redirects("http://0x7f.1:81/")) as proxy:
        settings = FetchSettings(proxy=f"http://{proxy.host}", timeout_s=DEADLINE_S)
        found = fetched({"s": "http://nowhere.example.org/"}, settings)
    assert "127.0.0.1 is a private address" in found["s"].failures[0].reason
    assert len(proxy.wires) == 1


def test_a_proxy_that_is_not_there_is_named_without_its_password() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    settings = FetchSettings(proxy=f"http://me:secret@{host}", timeout_s=DEADLINE_S)
    reason = fetched({"s": "http://nowhere.example.org/"}, settings)["s"].failures[0]
    assert "the proxy (fetch.proxy) cannot be reached" in reason.reason
    assert "secret" not in reason.reason


# --- memory -------------------------------------------------------------------------


def test_no_server_makes_us_large() -> None:
    scripts = {
        **{name: script for name, (script, _) in POURING.items() if "gzip" not in name},
        "bomb": ANSWERS["a bomb"].script,
        "fields": ANSWERS["100,000 fields"].script,
        "line": ANSWERS["a line of a megabyte"].script,
    }
    with ExitStack() as stack:
        small = stack.enter_context(HostileServer(says(answer(FEED))))
        servers = [stack.enter_context(HostileServer(s)) for s in scripts.values()]
        found = weighed(small.url, *(server.url for server in servers))
    for name, server in zip(scripts, servers, strict=True):
        assert found[server.url]["said"], name
        assert found[server.url]["grown"] < MOST_MEMORY, name


def weighed(*urls: str) -> dict[str, dict[str, int]]:
    """Fetch *urls* in a process of its own; by address, what it took."""
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "tests.support.weighing", *urls],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, int]] = json.loads(done.stdout)
    return found
