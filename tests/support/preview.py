"""A running preview over a project's configuration, and a browser of few words."""

from __future__ import annotations

import http.client
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Self

from newsletter.app import App, open_app
from newsletter.web.desk import Desk
from newsletter.web.door import Door
from newsletter.web.preview import preview_app
from newsletter.web.serving import Serving, listen
from tests.support.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server said."""

    status: int
    #: Names in lower case; of several of a name, the last.
    headers: Mapping[str, str]
    body: str


def ask(
    port: int,
    path: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
) -> Answer:
    """Send one request as it stands; nothing is added but what HTTP needs."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        said = {name.lower(): value for name, value in response.getheaders()}
        return Answer(
            status=response.status, headers=said, body=response.read().decode()
        )
    finally:
        connection.close()


@dataclass(slots=True)
class RunningPreview:
    """The preview of one configuration folder, on a free port."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    serving: Serving = field(default_factory=Serving)
    door: Door = field(init=False)
    thread: threading.Thread = field(init=False)

    def __enter__(self) -> Self:
        listener = listen(0)
        self.door = Door(port=listener.getsockname()[1])
        app = preview_app(
            Desk(folder=self.folder, environ=self.environ),
            door=self.door,
            stop=self.serving.stop,
            is_ending=lambda: self.serving.is_ending,
        )
        self.thread = threading.Thread(
            target=self.serving.run, args=(app, listener), daemon=True
        )
        self.thread.start()
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.serving.stop()
        self.thread.join(timeout=30)
        assert not self.thread.is_alive()

    def _wait(self) -> None:
        for _ in range(600):
            if self.serving.is_up:
                return
            time.sleep(0.05)
        raise AssertionError("the preview does not come up")

    @property
    def home(self) -> str:
        return f"/{self.door.room}/"

    @property
    def cookie(self) -> dict[str, str]:
        return {"Cookie": f"{self.door.cookie}={self.door.session}"}

    def ask(self, path: str, **more: object) -> Answer:
        """Send a request without a cookie."""
        return ask(self.door.port, path, **more)  # type: ignore[arg-type] # as ask's

    def get(self, query: str = "", page: str = "") -> Answer:
        """Look at a page as whoever was let in."""
        return self.ask(self.home + page + query, headers=self.cookie)

    def mail(self, page: str) -> Answer:
        """Return what the frame of *page* shows."""
        found = re.search(r'<iframe[^>]* src="mail([^"]*)"', page)
        assert found
        return self.get(found[1].replace("&amp;", "&"), "mail")


def rss(*titles: str, day: int = 4) -> str:
    items = "".join(
        f"<item><title>{title}</title><link>https://example.org/{n}-{day}</link>"
        f"<guid>{n}-{day}</guid><pubDate>0{day} May 2026 06:0{n}:00 GMT</pubDate>"
        f"<description>About {title}.</description></item>"
        for n, title in enumerate(titles)
    )
    return f'<rss version="2.0"><channel><title>N</title>{items}</channel></rss>'


def do(project: Project, work: Callable[[App], object]) -> None:
    """Do what a command does, in another store."""
    with open_app(project.root / "config", {}) as app:
        work(app)


def said(page: str) -> str:
    """Return the text of a page."""
    text = re.sub(r"<style.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(text))
