"""The preview's routes: the page, the mail in its frame, what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp

from newsletter.errors import NewsletterError, NotFoundError
from newsletter.usecases.proof import NOWHERE
from newsletter.web import frame, sights
from newsletter.web.choices import NOW, Choice, Images, View, Width
from newsletter.web.copies import single_file
from newsletter.web.desk import Desk
from newsletter.web.door import PAGE_POLICY, Door, Doorkeeper
from newsletter.web.drafts import LONGEST_FORM, Draft
from newsletter.web.forms import Fields, one, read_form, singly
from newsletter.web.pages import fill, plain_page, script, style_sheet
from newsletter.web.picture import Camera

#: Octets of a form with a few short fields.
_SHORT_FORM = 4096
#: Pixels of CSS of a picture.
_WIDTHS = {Width.PHONE: 375, Width.DESKTOP: 720}
_WITH_SCRIPT = {"Content-Security-Policy": PAGE_POLICY}


def preview_app(
    desk: Desk,
    *,
    door: Door,
    stop: Callable[[], None],
    is_ending: Callable[[], bool],
) -> ASGIApp:
    """Return the preview as an application.

    Args:
        desk: Looks things up.
        door: Who may come in.
        stop: Ends the server.
        is_ending: Tells whether it is about to end.
    """
    pages = _Pages(desk, door, stop, is_ending, Camera(desk.environ))
    routes = [
        Route("/", pages.page),
        Route("/mail", pages.mail),
        Route("/readers", pages.readers),
        Route("/file", pages.file),
        Route("/picture", pages.picture),
        Route("/events", pages.events),
        Route("/style.css", _style),
        Route("/preview.js", _script),
        Route("/try", pages.attempt, methods=["POST"]),
        Route("/send", pages.send, methods=["POST"]),
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


def _script(request: Request) -> Response:
    del request
    return Response(script(), media_type="text/javascript")


@dataclass(frozen=True, slots=True)
class _Pages:
    desk: Desk
    door: Door
    stop: Callable[[], None]
    is_ending: Callable[[], bool]
    camera: Camera

    # What reads files and the store is no coroutine: it runs in a thread.

    def page(self, request: Request) -> Response:
        """Show one reader's issue."""
        sight = self.desk.look(Choice.read(request.query_params))
        page = fill(
            "preview",
            form_token=self.door.form_token,
            browser=self.camera.program,
            **sights.page(sight),
        )
        return HTMLResponse(page, headers=_WITH_SCRIPT)

    def readers(self, request: Request) -> Response:
        """Show the list of readers alone, for the script that finds as one types."""
        sight = self.desk.find(Choice.read(request.query_params))
        return HTMLResponse(fill("readers", **sights.reader_list(sight)))

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
        policy = frame.policy(html, images=choice.images is Images.ON)
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})

    def file(self, request: Request) -> Response:
        """Give the mail as one file for anybody."""
        choice = Choice.read(request.query_params)
        html = single_file(self.desk.html_for_anybody(choice), dead=(NOWHERE,))
        return _download(html.encode(), choice, "html", "text/html; charset=utf-8")

    def picture(self, request: Request) -> Response:
        """Give a picture of the mail for anybody."""
        choice = Choice.read(request.query_params)
        html = single_file(
            self.desk.html_for_anybody(choice), dead=(NOWHERE,), scheme=choice.scheme
        )
        png = self.camera.take(html, width=_WIDTHS[choice.width], scheme=choice.scheme)
        return _download(png, choice, "png", "image/png")

    async def events(self, request: Request) -> Response:
        """Tell, as it happens, that files have changed."""
        since = request.query_params.get("since", "")
        stream = self.desk.watch.events(since, self.is_ending)
        return StreamingResponse(stream, media_type="text/event-stream")

    # --- what is posted ---

    async def attempt(self, request: Request) -> Response:
        """Take in a profile to try, and show what it would bring."""
        fields = await self._posted(request, most_octets=LONGEST_FORM)
        if fields is None:
            return self._foreign("Not tried")
        choice = Choice.read(singly(fields))
        name = self.desk.keep_draft(Draft.read(fields))
        issue = NOW if choice.is_past else choice.issue
        return self._back(replace(choice, draft=name, issue=issue, view=View.PROFILE))

    async def send(self, request: Request) -> Response:
        """Send the issue that is shown to the editor."""
        fields = await self._posted(request, most_octets=_SHORT_FORM)
        if fields is None:
            return self._foreign("Not sent")
        choice = Choice.read(singly(fields))
        said = await run_in_threadpool(self.desk.send, choice)
        return self._back(replace(choice, at=None), said=said)

    async def end(self, request: Request) -> Response:
        """End the preview."""
        if await self._posted(request, most_octets=_SHORT_FORM) is None:
            return self._foreign("Not ended", "Ctrl-C in the terminal ends it too.")
        self.stop()
        said = "Start it again with `newsletter preview`; this tab can be closed."
        return HTMLResponse(plain_page("The preview has ended", said))

    async def _posted(self, request: Request, *, most_octets: int) -> Fields | None:
        """Return what a form of ours carries. None: it is none of ours."""
        fields = await read_form(request, most_octets=most_octets)
        token = one(fields, "form_token")
        return fields if self.door.is_own_form(request.headers, token) else None

    def _foreign(self, title: str, *more: str) -> Response:
        said = (
            "This did not come from a page of this preview, or was too long. Go back "
            "and try again."
        )
        page = plain_page(title, said, *more, back=self._home)
        return HTMLResponse(page, status_code=HTTPStatus.FORBIDDEN)

    def _back(self, choice: Choice, *, said: str = "") -> Response:
        """Lead to a page by GET, so that reloading it posts nothing again."""
        query = choice.but() + (f"&said={said}" if said else "")
        return RedirectResponse(self._home + query, status_code=HTTPStatus.SEE_OTHER)

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
        """Say what an operator can mend; the page looks again when it is mended."""
        is_missing = isinstance(error, NotFoundError)
        # What was posted must not be posted again by looking again.
        stamp = self.desk.watch.stamp() if request.method == "GET" else ""
        page = plain_page(
            "Nothing to show here" if is_missing else "This cannot be shown yet",
            *str(error).splitlines(),
            "Mend it, then look again; the preview reads everything anew.",
            back=self._home,
            stamp=stamp,
        )
        status = HTTPStatus.NOT_FOUND if is_missing else HTTPStatus.CONFLICT
        return HTMLResponse(page, status_code=status, headers=_WITH_SCRIPT)

    def bug(self, request: Request, error: Exception) -> Response:
        """Say that it is not the operator's fault; the terminal has the details."""
        del request, error
        said = "This is a fault of the program. The terminal shows where it arose."
        page = plain_page("Something broke", said, back=self._home)
        return HTMLResponse(page, status_code=HTTPStatus.INTERNAL_SERVER_ERROR)


def _download(content: bytes, choice: Choice, ending: str, kind: str) -> Response:
    """Give a file to keep; its name says nothing of the reader."""
    shown = f"{choice.at:%Y-%m-%d}" if choice.at else "mail"
    name = f"preview-{shown}-{choice.width}-{choice.scheme}.{ending}"
    return Response(
        content,
        media_type=kind,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            # Opened in place, it is as far from us as the frame is.
            "Content-Security-Policy": frame.policy("", images=False),
        },
    )
