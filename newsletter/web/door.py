"""Who may come in: everything about safety that does not depend on the page.

Listening on loopback alone stops neither a web page that sends requests to
it, nor DNS rebinding, nor another user of the machine. So:

- The Host field must be ours (rebinding).
- The printed address carries a token, which is exchanged for a cookie:
  HttpOnly, SameSite=Strict, and valid below one path that nobody can guess.
  Cookies know no ports: another server on this machine would be sent it too,
  if it knew the path.
- A request that another page caused (Sec-Fetch-Site, Origin) is refused.
- What changes something is a POST with a second token from the page.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newsletter.web.pages import plain_page

HOST = "127.0.0.1"
_NAMES = (HOST, "localhost")
#: What a browser says of a request that another page caused.
_FOREIGN = frozenset({"cross-site", "same-site"})
_POLICY = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
#: Of pages with our own script; it may ask this server, and nobody else.
PAGE_POLICY = f"{_POLICY}; script-src 'self'; connect-src 'self'"
#: Of every response, unless the page brings its own.
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def _random() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The secrets of one preview; a new start has new ones."""

    port: int
    #: In the printed address; good as often as it is used.
    token: str = field(default_factory=_random, repr=False)
    session: str = field(default_factory=_random, repr=False)
    #: In every form.
    form_token: str = field(default_factory=_random, repr=False)
    #: The path below which all pages are.
    room: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    #: Tokens that are good once.
    _once: set[str] = field(default_factory=set, repr=False)

    @property
    def origin(self) -> str:
        """Return the address without a path."""
        return f"http://{HOST}:{self.port}"

    @property
    def address(self) -> str:
        """Return the address to print."""
        return f"{self.origin}/?token={self.token}"

    def address_once(self) -> str:
        """Return an address that is good once.

        For a browser's command line, which other users of the machine can read.
        """
        token = _random()
        self._once.add(token)
        return f"{self.origin}/?token={token}"

    @property
    def cookie(self) -> str:
        """Return the cookie's name: two previews must not share one."""
        return f"newsletter_preview_{self.port}"

    def is_ours(self, host: str) -> bool:
        """Tell whether a Host field names this server."""
        return host.lower() in {f"{name}:{self.port}" for name in _NAMES}

    def admits(self, token: str) -> bool:
        """Tell whether *token* lets in; one that is good once is spent."""
        if _same(token, self.token):
            return True
        known = next((t for t in self._once if _same(token, t)), None)
        if known is None:
            return False
        self._once.discard(known)
        return True

    def knows(self, headers: Mapping[str, str]) -> bool:
        """Tell whether a request carries the cookie."""
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return False
        found = cookies.get(self.cookie)
        return found is not None and _same(found.value, self.session)

    def is_own_form(self, headers: Mapping[str, str], token: str) -> bool:
        """Tell whether a POST comes from a page of ours.

        Where a page sends no referrer, as ours, browsers say ``null`` for its
        origin; then Sec-Fetch-Site must speak for it.
        """
        origin = headers.get("origin", "null").lower()
        site = headers.get("sec-fetch-site")
        own = {f"http://{name}:{self.port}" for name in _NAMES}
        if origin not in own and (origin != "null" or site is None):
            return False
        return site in {None, "same-origin"} and _same(token, self.form_token)


def _same(given: str, wanted: str) -> bool:
    return compare_digest(given.encode("utf-8", "replace"), wanted.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Doorkeeper:
    """An ASGI application around another: lets in, and adds header fields."""

    app: ASGIApp
    door: Door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        refusal = self._answer(scope)
        await (refusal or self.app)(scope, receive, _with_headers(send))

    def _answer(self, scope: Scope) -> Response | None:
        """Return our own answer. None: the request may go on."""
        headers = Headers(scope=scope)
        if not self.door.is_ours(headers.get("host", "")):
            return _refused(400, "This address is not one of the preview's own.")
        if scope["path"] == "/" and scope["method"] in {"GET", "HEAD"}:
            token = QueryParams(scope["query_string"]).get("token")
            if token is not None:
                return self._enter(token)
        if headers.get("sec-fetch-site") in _FOREIGN:
            return _refused(403, "Another page asked for this; the preview said no.")
        if not self.door.knows(headers):
            return _refused(403, _NO_COOKIE)
        return None

    def _enter(self, token: str) -> Response:
        """Exchange a token for the cookie."""
        if not self.door.admits(token):
            return _refused(403, _NO_COOKIE)
        answer = RedirectResponse(f"/{self.door.room}/", status_code=303)
        answer.set_cookie(
            self.door.cookie,
            self.door.session,
            path=f"/{self.door.room}",
            httponly=True,
            samesite="strict",
        )
        return answer


_NO_COOKIE = (
    "Open the address that `newsletter preview` printed in the terminal, whole, "
    "with its token. It is another one at each start."
)


def _refused(status: int, why: str) -> Response:
    page = plain_page("The preview did not let this in", why)
    return HTMLResponse(page, status_code=status)


def _with_headers(send: Send) -> Send:
    """Return a *send* that adds the header fields of every response."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
