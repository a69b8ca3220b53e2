"""The preview's routes: the page, the mail in its frame, the way out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp

from newsletter.errors import NewsletterError, NotFoundError
from newsletter.web import frame, sights
from newsletter.web.desk import Choice, Desk
from newsletter.web.door import Door, Doorkeeper
from newsletter.web.pages import fill, plain_page, style_sheet

#: Octets of a form; ours have one short field.
_LONGEST_FORM = 4096


def preview_app(
    folder: Path, environ: Mapping[str, str], *, door: Door, stop: Callable[[], None]
) -> ASGIApp:
    """Return the preview as an application.

    Args:
        folder: The configuration folder.
        environ: Variables that override the file, and the secrets.
        door: Who may come in.
        stop: Ends the server.
    """
    pages = _Pages(Desk(folder=folder, environ=environ), door, stop)
    routes = [
        Route("/", pages.page),
        Route("/mail", pages.mail),
        Route("/style.css", _style),
        Route("/end", pages.end, methods=["POST"]),
    ]
    app = Starlette(
        routes=[Mount(f"/{door.room}", app=Router(routes, redirect_slashes=False))],
        exception_handlers={
            HTTPException: pages.unknown,
            NewsletterError: pages.trouble,
            Exception: pages.bug,
        },
    )
    return Doorkeeper(app=app, door=door)


def _style(request: Request) -> Response:
    del request
    return Response(style_sheet(), media_type="text/css")


@dataclass(frozen=True, slots=True)
class _Pages:
    desk: Desk
    door: Door
    stop: Callable[[], None]

    # What reads files and the store is no coroutine: it runs in a thread.

    def page(self, request: Request) -> Response:
        """Show one reader's issue."""
        sight = self.desk.look(Choice.read(request.query_params))
        return HTMLResponse(
            fill("preview", form_token=self.door.form_token, **sights.page(sight))
        )

    def mail(self, request: Request) -> Response:
        """Show the mail itself, for the frame."""
        choice = Choice.read(request.query_params)
        preview = self.desk.preview(choice)
        issue, message = preview.issue, preview.message
        if issue is None or message is None:
            raise NotFoundError("there is no mail to show; look at the page around it")
        own = (issue.unsubscribe_url, issue.preferences_url)
        html = frame.framed(
            sights.mail_of(message.content).html,
            choice.scheme,
            dead=[url for url in own if url],
        )
        return HTMLResponse(
            html, headers={"Content-Security-Policy": frame.policy(html)}
        )

    async def end(self, request: Request) -> Response:
        """End the preview."""
        if not self.door.is_own_form(request.headers, await _form_token(request)):
            page = plain_page(
                "Not ended",
                "This did not come from a page of the preview. Ctrl-C in the "
                "terminal ends it too.",
                back=self._home,
            )
            return HTMLResponse(page, status_code=HTTPStatus.FORBIDDEN)
        self.stop()
        said = "Start it again with `newsletter preview`; this tab can be closed."
        return HTMLResponse(plain_page("The preview has ended", said))

    @property
    def _home(self) -> str:
        return f"/{self.door.room}/"

    # --- what goes wrong ---

    def unknown(self, request: Request, error: Exception) -> Response:
        """Answer for a page that there is not, or a method that it has not."""
        del request
        status, headers = HTTPStatus.NOT_FOUND, None
        if isinstance(error, HTTPException):
            status, headers = HTTPStatus(error.status_code), error.headers
        said = "The preview has one page; begin there."
        page = plain_page(status.phrase, said, back=self._home)
        return HTMLResponse(page, status_code=status, headers=headers)

    def trouble(self, request: Request, error: Exception) -> Response:
        """Say what an operator can mend."""
        del request
        is_missing = isinstance(error, NotFoundError)
        page = plain_page(
            "Nothing to show here" if is_missing else "This cannot be shown yet",
            *str(error).splitlines(),
            "Mend it, then look again; the preview reads everything anew.",
            back=self._home,
        )
        status = HTTPStatus.NOT_FOUND if is_missing else HTTPStatus.CONFLICT
        return HTMLResponse(page, status_code=status)

    def bug(self, request: Request, error: Exception) -> Response:
        """Say that it is not the operator's fault; the terminal has the details."""
        del request, error
        said = "This is a fault of the program. The terminal shows where it arose."
        page = plain_page("Something broke", said, back=self._home)
        return HTMLResponse(page, status_code=HTTPStatus.INTERNAL_SERVER_ERROR)


async def _form_token(request: Request) -> str:
    """Return what a form of ours carries; empty: it is none."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_FORM:
            return ""
    fields = parse_qs(body.decode("utf-8", "replace"))
    return fields.get("form_token", [""])[0]
