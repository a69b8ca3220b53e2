"""All HTTP and file reading, with its manners.

asyncio lives here and nowhere else: one loop per poll, inside one call. The
address that was checked is the one connected to, for every hop, since the
check stands in the socket factory. One deadline covers look-up, connection,
redirects and body; the body is decompressed by us, under a cap.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import zlib
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from newsletter.errors import FetchError, ParseError
from newsletter.model import (
    Failure,
    FetchSettings,
    Page,
    Poll,
    Reading,
    Request,
    Response,
)
from newsletter.ports import Clock, PollJob, Source
from newsletter.sources.addresses import address_in, refusal
from newsletter.sources.limits import within
from newsletter.sources.wording import presentable, without_credentials

#: Requests that one poll of one source may make.
MOST_REQUESTS = 20
MOST_HOPS = 5
#: Names of files that are read where a source's ``path`` is a folder.
DOCUMENTS = (".xml", ".rss", ".atom", ".rdf", ".json")
#: Polls in the air at once.
MOST_POLLS = 32
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OK, _UNCHANGED = 200, 304
_ENCODINGS = frozenset({"gzip", "x-gzip", "deflate"})


@dataclass(frozen=True, slots=True)
class HttpFetcher:
    """See ports.Fetcher."""

    settings: FetchSettings
    clock: Clock = field(kw_only=True)
    #: Who looks names up; its answers are checked like any. None: the system.
    resolver: AbstractResolver | None = field(default=None, kw_only=True)

    def poll(self, jobs: Iterable[PollJob], *, as_of: datetime) -> Iterator[Poll]:
        """See ports.Fetcher."""
        todo = list(jobs)
        if todo:
            seen_at = min(self.clock.now(), as_of)
            round_ = _Round(self.settings, seen_at, self.resolver)
            yield from asyncio.run(round_.run(todo))


@dataclass(slots=True)
class _Round:
    """One round of polls over one client session."""

    settings: FetchSettings
    seen_at: datetime
    resolver: AbstractResolver | None
    hosts: dict[str, asyncio.Semaphore] = field(init=False)
    polls: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        """Make the limits; they belong to one loop."""
        self.hosts = defaultdict(lambda: asyncio.Semaphore(self.settings.per_host))
        self.polls = asyncio.Semaphore(MOST_POLLS)

    async def run(self, jobs: Iterable[PollJob]) -> list[Poll]:
        """Return one poll per job, in their order."""
        connector = aiohttp.TCPConnector(
            limit=0,
            use_dns_cache=False,
            force_close=True,
            socket_factory=self._socket,
            resolver=self.resolver,
        )
        async with aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            trust_env=False,
            proxy=self.settings.proxy,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            headers={
                "User-Agent": self.settings.user_agent,
                "Accept-Encoding": "gzip, deflate",
                "Accept": "application/json, application/atom+xml, "
                "application/rss+xml, application/xml;q=0.9, */*;q=0.5",
            },
        ) as session:
            work: list[Coroutine[Any, Any, Poll]] = [
                self._poll(session, job) for job in jobs
            ]
            return await asyncio.gather(*work)

    def _socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Make the socket for one address, straight before it is connected."""
        family, kind, protocol, _, address = info
        host, port = str(address[0]), int(address[1])
        # With a proxy every connection is to that one, which a person chose.
        said = refusal(host, port, self.settings.allow_private)
        if said is not None and self.settings.proxy is None:
            raise OSError(errno.EACCES, said)
        return socket.socket(family, kind, protocol)

    async def _poll(self, session: aiohttp.ClientSession, job: PollJob) -> Poll:
        """Make a source's requests, and those that its pages ask for."""
        waiting = list(job.requests)
        readings: list[Reading] = []
        failures: list[Failure] = []
        made = 0
        async with self.polls:
            while waiting:
                request = waiting.pop(0)
                if request.path is None:
                    made += 1
                if made > MOST_REQUESTS:
                    failures.append(_too_many(request))
                    break
                try:
                    reading = await self._read(session, job.source, request)
                except (FetchError, ParseError) as error:
                    failures.append(_failure(request, error))
                    continue
                readings.append(reading)
                if reading.page is not None:
                    waiting[:0] = reading.page.further
        return Poll(
            source=job.source.settings.name,
            readings=tuple(readings),
            failures=tuple(failures),
        )

    async def _read(
        self, session: aiohttp.ClientSession, source: Source, request: Request
    ) -> Reading:
        if request.path is not None:
            return await asyncio.to_thread(self._local, source, request)
        response = await self._fetch(session, request)
        if response.unchanged:
            return Reading(response=response, page=None)
        page = await asyncio.to_thread(source.parse, response)
        return Reading(response=response, page=within(page))

    def _local(self, source: Source, request: Request) -> Reading:
        """Read a file; of a folder, which documents are in it."""
        path = Path(request.path or "")
        if path.is_dir():
            page = _files(request, path)
            # Without a document nothing was read: the first fetch is yet to come.
            return Reading(
                response=self._empty(request), page=page if page.further else None
            )
        response = self._file(request, path)
        return Reading(response=response, page=within(source.parse(response)))

    def _empty(self, request: Request) -> Response:
        """Return the answer of a folder, which says nothing but what is in it."""
        return Response(
            request=request, status=_OK, headers={}, body=b"", seen_at=self.seen_at
        )

    def _file(self, request: Request, path: Path) -> Response:
        """Read a file as if it were an answer."""
        try:
            with path.open("rb") as stream:
                body = stream.read(self.settings.max_bytes + 1)
        except OSError as error:
            raise FetchError(f"{path} cannot be read: {error.strerror}") from error
        if len(body) > self.settings.max_bytes:
            raise FetchError(self._too_big(str(path)))
        return Response(
            request=request,
            status=_OK,
            headers={},
            body=body,
            seen_at=self.seen_at,
        )

    async def _fetch(
        self, session: aiohttp.ClientSession, request: Request
    ) -> Response:
        """Fetch one URL within the deadline, over all its redirects."""
        url = request.url or ""
        try:
            async with asyncio.timeout(self.settings.timeout_s):
                return await self._follow(session, request)
        except FetchError:
            # Said already, and a ConnectionError itself.
            raise
        except TimeoutError as error:
            raise FetchError(
                f"{url} did not answer in full within {self.settings.timeout_s:g} "
                "seconds (fetch.timeout_s)"
            ) from error
        except aiohttp.ClientProxyConnectionError as error:
            raise FetchError(
                f"{url} was not asked: the proxy (fetch.proxy) cannot be reached: "
                f"{_said(error)}"
            ) from error
        except OSError as error:
            raise FetchError(f"{url} cannot be reached: {_said(error)}") from error
        except (aiohttp.ClientError, ValueError) as error:
            what = str(error) or type(error).__name__
            raise FetchError(f"{url} gave no usable answer: {what}") from error

    async def _follow(
        self, session: aiohttp.ClientSession, request: Request
    ) -> Response:
        target = request.url or ""
        for _ in range(MOST_HOPS + 1):
            url = _checked(target, self.settings)
            async with (
                self.hosts[url.host or ""],
                session.get(
                    url, headers=_conditions(request), allow_redirects=False
                ) as answer,
            ):
                if answer.status in _REDIRECTS and "Location" in answer.headers:
                    target = str(url.join(URL(answer.headers["Location"])))
                    continue
                return await self._answer(request, answer)
        raise FetchError(f"{request.url} redirects more than {MOST_HOPS} times")

    async def _answer(
        self, request: Request, answer: aiohttp.ClientResponse
    ) -> Response:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        is_asked = bool(request.validator.etag or request.validator.last_modified)
        if answer.status == _UNCHANGED and is_asked:
            body = b""
        elif answer.status == _OK:
            body = await self._body(request, answer, headers)
        else:
            raise FetchError(
                f"{request.url} answers {answer.status} {answer.reason or ''}".rstrip(),
                status=answer.status,
                retry_after_s=_retry_after(headers, self.seen_at),
            )
        return Response(
            request=request,
            status=answer.status,
            headers=headers,
            body=body,
            seen_at=self.seen_at,
            final_url=str(answer.url),
        )

    async def _body(
        self,
        request: Request,
        answer: aiohttp.ClientResponse,
        headers: Mapping[str, str],
    ) -> bytes:
        """Read and decompress the body; never more than the cap in memory."""
        encoding = headers.get("content-encoding", "identity").strip().lower()
        if encoding not in {"identity", ""} | _ENCODINGS:
            raise FetchError(
                f"{request.url} is encoded as {encoding!r}, which nobody asked for"
            )
        sink = _Inflater(cap=self.settings.max_bytes, is_packed=encoding in _ENCODINGS)
        async for chunk in answer.content.iter_any():
            if not sink.feed(chunk):
                raise FetchError(self._too_big(request.url or ""))
        if not sink.is_whole:
            raise ValueError("its compression breaks off before the end")
        return bytes(sink.out)

    def _too_big(self, what: str) -> str:
        return (
            f"{what} is larger than {self.settings.max_bytes} bytes (fetch.max_bytes)"
        )


@dataclass(slots=True)
class _Inflater:
    """Decompresses gzip and zlib with a hard limit on what comes out."""

    cap: int
    is_packed: bool
    out: bytearray = field(default_factory=bytearray)
    stream: Any = None

    @property
    def is_whole(self) -> bool:
        """Tell whether what was packed has come to its end."""
        return self.stream is None or self.stream.eof

    def feed(self, chunk: bytes) -> bool:
        """Take one chunk; False: more came out than the cap allows."""
        if not self.is_packed:
            self.out += chunk
            return len(self.out) <= self.cap
        while chunk:
            if self.stream is None or self.stream.eof:
                # 47: gzip or zlib, told apart by the header; one member each.
                self.stream = zlib.decompressobj(47)
            try:
                self.out += self.stream.decompress(chunk, self.cap - len(self.out) + 1)
            except zlib.error as error:
                raise ValueError(f"its compression is damaged ({error})") from error
            if len(self.out) > self.cap:
                return False
            chunk = self.stream.unused_data or self.stream.unconsumed_tail
        return True


def _files(request: Request, folder: Path) -> Page:
    """Return the documents in a folder as what is to be read further, by name.

    Raises:
        FetchError: The folder cannot be read.
    """
    try:
        names = sorted(p.name for p in folder.iterdir() if p.is_file())
    except OSError as error:
        raise FetchError(f"{folder} cannot be read: {error.strerror}") from error
    documents = [
        n for n in names if not n.startswith(".") and n.lower().endswith(DOCUMENTS)
    ]
    further = (replace(request, path=str(folder / name)) for name in documents)
    return Page(further=tuple(further))


def _checked(target: str, settings: FetchSettings) -> URL:
    """Return *target* as an address that we are willing to ask."""
    url = URL(target)
    shown = without_credentials(target)
    if url.scheme not in {"http", "https"} or not url.host:
        raise FetchError(f"{shown} is no http or https address")
    if url.user is not None or url.password is not None:
        raise FetchError(f"{shown} holds a user name, which is not sent")
    if settings.proxy is not None and (address := address_in(url.host)):
        # A proxy would connect to it, and no socket of ours see where to.
        said = refusal(address, url.port or 0, settings.allow_private)
        if said is not None:
            raise FetchError(f"{target} cannot be reached: {said}")
    return url


def _conditions(request: Request) -> dict[str, str]:
    """Return the fields of a conditional request (RFC 9110, 13.1)."""
    fields: dict[str, str] = {}
    if request.validator.etag:
        fields["If-None-Match"] = _opaque(request.validator.etag)
    if request.validator.last_modified:
        fields["If-Modified-Since"] = _opaque(request.validator.last_modified)
    return fields


def _opaque(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return Retry-After in seconds (RFC 9110, 10.2.3); None: none that we can read."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value[:9])
    try:
        then = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    aware = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())


def _said(error: OSError) -> str:
    """Return what the system says of a failed connection, without its numbers."""
    inner = getattr(error, "os_error", None)
    source = inner if isinstance(inner, OSError) else error
    return source.strerror or str(source) or type(source).__name__


def _failure(request: Request, error: FetchError | ParseError) -> Failure:
    if isinstance(error, FetchError):
        return Failure(
            request=request,
            reason=presentable(str(error)),
            status=error.status,
            retry_after_s=error.retry_after_s,
        )
    reason = presentable(f"{request.url or request.path}: {error}")
    return Failure(request=request, reason=reason, status=_OK)


def _too_many(request: Request) -> Failure:
    return Failure(
        request=request,
        reason=f"more than {MOST_REQUESTS} requests in a poll; the rest comes later",
    )
