"""All HTTP and file reading, with its manners.

asyncio lives here and beside it (hosts, parsing, answers), nowhere else: one
loop per round, in a thread of its own, while the caller stores what comes. The
address that was checked is the one connected to, for every hop, since the
check stands in the socket factory. One deadline covers look-up, connection,
redirects and body; the body is decompressed by us, under a cap.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from threading import Thread
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
    Request,
    Response,
)
from newsletter.polling import retry_after_s
from newsletter.ports import Clock, Pace, PollJob, Source
from newsletter.sources.addresses import address_in, refusal
from newsletter.sources.answers import Deadline, inflater_for
from newsletter.sources.hosts import Hosts
from newsletter.sources.parsing import Readers, without_body
from newsletter.sources.shelf import Answered, Finished, Parsed, Shelf
from newsletter.sources.unpacking import PACKED, unpacked
from newsletter.sources.wording import presentable, without_credentials

#: Requests that one poll of one source may make.
MOST_REQUESTS = 20
MOST_HOPS = 5
#: Names of files that are read where a source's ``path`` is a folder.
DOCUMENTS = (".xml", ".rss", ".atom", ".rdf", ".json", ".jsonl", ".ndjson")
#: Answers that are in memory at once, unread; and of these, how many large ones.
MOST_BODIES = 32
MOST_LARGE = 2
LARGE = 1_000_000
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
_OK, _UNCHANGED, _BAD_REQUEST = 200, 304, 400
#: After these the other requests of a poll are not made.
_TOO_MUCH = frozenset({429, 503})
_TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class HttpFetcher:
    """See ports.Fetcher."""

    settings: FetchSettings
    clock: Clock = field(kw_only=True)
    #: When hosts may be asked, over all processes. None: of others nothing is known.
    pace: Pace | None = field(default=None, kw_only=True)
    #: Who looks names up; its answers are checked like any. None: the system.
    resolver: AbstractResolver | None = field(default=None, kw_only=True)

    def poll(self, jobs: Iterable[PollJob], *, as_of: datetime) -> Iterator[Poll]:
        """See ports.Fetcher."""
        todo = list(jobs)
        if not todo:
            return
        shelf = Shelf(len(todo))
        round_ = _Round(
            settings=self.settings,
            seen_at=min(self.clock.now(), as_of),
            resolver=self.resolver,
            hosts=Hosts(settings=self.settings, clock=self.clock, pace=self.pace),
            shelf=shelf,
            readers=Readers(len(todo)),
        )
        thread = Thread(target=round_.run, args=(todo,), name="fetch", daemon=True)
        thread.start()
        # What there is outlives the round: the collector need not look through it
        # whenever some pages have come.
        gc.freeze()
        try:
            yield from shelf
        finally:
            gc.unfreeze()
            round_.stop()
            thread.join()
            shelf.close()


@dataclass(slots=True, kw_only=True)
class _Round:
    """One round of polls over one client session."""

    settings: FetchSettings
    seen_at: datetime
    resolver: AbstractResolver | None
    hosts: Hosts
    shelf: Shelf
    readers: Readers
    bodies: asyncio.Semaphore = field(init=False)
    large: asyncio.Semaphore = field(init=False)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    task: asyncio.Task[None] | None = None
    is_stopped: bool = False

    def __post_init__(self) -> None:
        """Make the limits; they belong to the round's loop."""
        self.bodies = asyncio.Semaphore(MOST_BODIES)
        self.large = asyncio.Semaphore(MOST_LARGE)

    def run(self, jobs: Sequence[PollJob]) -> None:
        """Do all polls; the shelf gets what they bring, or the fault that ends them."""
        try:
            with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
                runner.run(self._all(jobs))
        except BaseExceptionGroup as faults:
            self.shelf.fail(faults.exceptions[0])
        except BaseException as fault:  # noqa: BLE001 - raised where the polls are taken
            self.shelf.fail(fault)
        finally:
            self.readers.close()

    def stop(self) -> None:
        """End what is still on its way; nobody wants it any more."""
        self.is_stopped = True
        if self.task is not None and not self.task.done():
            with suppress(RuntimeError):  # it has just ended by itself
                self.loop.call_soon_threadsafe(self.task.cancel)

    async def _all(self, jobs: Sequence[PollJob]) -> None:
        self.task = asyncio.current_task()
        if self.is_stopped:
            return
        connector = aiohttp.TCPConnector(
            limit=0,
            use_dns_cache=False,
            socket_factory=self._socket,
            resolver=self.resolver,
        )
        async with (
            aiohttp.ClientSession(
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
            ) as session,
            asyncio.TaskGroup() as group,
        ):
            for number, job in enumerate(jobs):
                group.create_task(self._one(session, number, job))

    async def _one(
        self, session: aiohttp.ClientSession, number: int, job: PollJob
    ) -> None:
        self.shelf.put(number, await self._poll(session, job))

    def _socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Make the socket for one address, straight before it is connected."""
        family, kind, protocol, _, address = info
        host, port = str(address[0]), int(address[1])
        # With a proxy every connection is to that one, which a person chose.
        said = refusal(host, port, self.settings.allow_private)
        if said is not None and self.settings.proxy is None:
            raise OSError(errno.EACCES, said)
        return socket.socket(family, kind, protocol)

    async def _poll(self, session: aiohttp.ClientSession, job: PollJob) -> Finished:
        """Make a source's requests, and those that its pages ask for."""
        poll = Finished(source=job.source.settings.name)
        waiting = list(job.requests)
        made = size = 0
        while waiting:
            request = waiting.pop(0)
            made += request.path is None
            if made > MOST_REQUESTS or size > 2 * self.settings.max_bytes:
                poll.failures.append(_too_many(request, made))
                break
            try:
                async with AsyncExitStack() as held:
                    answer, many = await self._read(session, job.source, request, held)
            except (FetchError, ParseError) as error:
                poll.failures.append(_failure(request, error))
                if isinstance(error, FetchError) and error.status in _TOO_MUCH:
                    poll.failures += [_not_asked(other, error) for other in waiting]
                    break
                continue
            size += many
            poll.answers.append(answer)
            waiting[:0] = answer.parsed.further
        return poll

    async def _read(
        self,
        session: aiohttp.ClientSession,
        source: Source,
        request: Request,
        held: AsyncExitStack,
    ) -> tuple[Answered, int]:
        """Return one answer, read, and how many bytes its document had.

        What bounds memory is held until it has been read.
        """
        if request.path is not None:
            await held.enter_async_context(self.large)
            response, listed = await asyncio.to_thread(self._local, request)
            if listed is not None:
                # Without a document nothing was read: the first is yet to come.
                page = listed if listed.further else None
                parsed = Parsed(page=page, further=listed.further)
                return Answered(response=response, parsed=parsed), 0
        else:
            response = await self._fetch(session, request, held)
        if response.unchanged:
            return Answered(response=response, parsed=Parsed(page=None)), 0
        if response.status == _BAD_REQUEST:
            raise await self._said_no(source, response)
        parsed = await self.readers.read(source, response)
        answered = Answered(response=without_body(response), parsed=parsed)
        return answered, len(response.body)

    async def _said_no(self, source: Source, response: Response) -> FetchError:
        """Return a 400 in the words that its body has for the reason, if any."""
        reason = ""
        try:
            await self.readers.read(source, response)
        except ParseError as error:
            reason = f": {error}"
        return FetchError(
            f"{response.request.url} answers 400 Bad Request{reason}",
            status=_BAD_REQUEST,
        )

    def _local(self, request: Request) -> tuple[Response, Page | None]:
        """Read a file; of a folder, which documents are in it."""
        path = Path(request.path or "")
        if path.is_dir():
            return self._answer_of_file(request, b""), _files(request, path)
        return self._file(request, path), None

    def _answer_of_file(self, request: Request, body: bytes) -> Response:
        return Response(
            request=request, status=_OK, headers={}, body=body, seen_at=self.seen_at
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
        if path.name.lower().endswith(PACKED):
            body = unpacked(body, cap=self.settings.max_bytes, name=str(path))
        return self._answer_of_file(request, body)

    async def _fetch(
        self, session: aiohttp.ClientSession, request: Request, held: AsyncExitStack
    ) -> Response:
        """Fetch one URL within the deadline, over all its redirects."""
        url = request.url or ""
        try:
            return await self._follow(session, request, held)
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
        self, session: aiohttp.ClientSession, request: Request, held: AsyncExitStack
    ) -> Response:
        deadline = Deadline(self.settings.timeout_s)
        target = request.target or request.url or ""
        moved_to, is_for_good = None, True
        for _ in range(MOST_HOPS + 1):
            url = _checked(target, self.settings)
            async with (
                self.hosts.turn(url.host_port_subcomponent or "", request),
                deadline.running(),
                session.get(
                    url, headers=_conditions(request), allow_redirects=False
                ) as answer,
            ):
                if answer.status in _REDIRECTS and "Location" in answer.headers:
                    target = str(url.join(URL(answer.headers["Location"])))
                    is_for_good = is_for_good and answer.status in _PERMANENT
                    moved_to = target if is_for_good else moved_to
                    continue
                response = await self._answer(request, answer, deadline, held)
                return replace(response, moved_to=moved_to)
        raise FetchError(f"{request.url} redirects more than {MOST_HOPS} times")

    async def _answer(
        self,
        request: Request,
        answer: aiohttp.ClientResponse,
        deadline: Deadline,
        held: AsyncExitStack,
    ) -> Response:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        is_asked = bool(request.validator.etag or request.validator.last_modified)
        if answer.status == _UNCHANGED and is_asked:
            body = b""
        elif answer.status in {_OK, _BAD_REQUEST}:
            body = await self._body(request, answer, headers, deadline, held)
        else:
            raise await self._refusal(request, answer, headers)
        return Response(
            request=request,
            status=answer.status,
            headers=headers,
            body=body,
            seen_at=self.seen_at,
            final_url=str(answer.url),
        )

    async def _refusal(
        self,
        request: Request,
        answer: aiohttp.ClientResponse,
        headers: Mapping[str, str],
    ) -> FetchError:
        """Return an answer that brings nothing, as a fault."""
        wait = retry_after_s(headers, self.hosts.clock.now())
        if answer.status == _TOO_MANY:
            await self.hosts.rest(answer.url.host_port_subcomponent or "", wait)
        return FetchError(
            f"{request.url} answers {answer.status} {answer.reason or ''}".rstrip(),
            status=answer.status,
            retry_after_s=wait,
        )

    async def _body(
        self,
        request: Request,
        answer: aiohttp.ClientResponse,
        headers: Mapping[str, str],
        deadline: Deadline,
        held: AsyncExitStack,
    ) -> bytes:
        """Read and decompress the body; never more than the cap in memory."""
        url = request.url or ""
        sink = inflater_for(url, headers, cap=self.settings.max_bytes)
        async with deadline.waiting():
            await held.enter_async_context(self.bodies)
        is_large = False
        async for chunk in answer.content.iter_any():
            if not sink.feed(chunk):
                raise FetchError(self._too_big(url))
            if not is_large and len(sink.out) > LARGE:
                is_large = True
                async with deadline.waiting():
                    await held.enter_async_context(self.large)
        if not sink.is_whole:
            raise ValueError("its compression breaks off before the end")
        return bytes(sink.out)

    def _too_big(self, what: str) -> str:
        return (
            f"{what} is larger than {self.settings.max_bytes} bytes (fetch.max_bytes)"
        )


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
        n
        for n in names
        if not n.startswith(".") and n.lower().removesuffix(PACKED).endswith(DOCUMENTS)
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


def _too_many(request: Request, made: int) -> Failure:
    what = f"{MOST_REQUESTS} requests" if made > MOST_REQUESTS else "twice max_bytes"
    return Failure(
        request=request, reason=f"more than {what} in a poll; the rest comes later"
    )


def _not_asked(request: Request, error: FetchError) -> Failure:
    """Return what becomes of a request after its server had enough of us."""
    return Failure(
        request=request,
        reason=presentable(f"not asked after that: {request.url}"),
        status=error.status,
        retry_after_s=error.retry_after_s,
    )
