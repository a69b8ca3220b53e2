"""A picture of a mail, by a Chromium that is on this machine.

us -- JSON, one NUL after each --> fd 3 of Chromium
us <-- the same ------------------ fd 4

Over a pipe, not a port: a port could be used by any other user. Chromium gets
a profile folder of its own that is thrown away, runs no script, and finds no
host. The commands are those of the Chrome DevTools Protocol.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from threading import Lock, Timer
from typing import IO, Any

from newsletter.errors import NotFoundError, RenderError
from newsletter.web.frame import Scheme

#: Seconds that a picture may take.
TIME_LIMIT_S = 20.0
#: Pixels of CSS; the rest of a longer mail is not in the picture.
HIGHEST = 8000
_SCALE = 2
_NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
MISSING = (
    "A picture needs Chromium, Chrome or Edge on this machine, and none was found. "
    "Install one (Debian, Ubuntu: `sudo apt install chromium`), then look again."
)
_SWITCHES = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-sync",
    "--hide-scrollbars",
    "--mute-audio",
    # Nothing has an address, not even this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=http://127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",
)
#: Chromium wants its pipes as 3 and 4, which may be taken in this process.
_PLACE_PIPES = """
import fcntl, os, sys
ours = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 16) for fd in sys.argv[1:3]]
os.dup2(ours[0], 3), os.dup2(ours[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def find_browser(environ: Mapping[str, str]) -> str | None:
    """Return the path of a Chromium on this machine. None: there is none."""
    path = environ.get("PATH", os.defpath)
    found = (shutil.which(name, path=path) for name in _NAMES)
    return next((program for program in found if program), None)


@dataclass(frozen=True, slots=True)
class Camera:
    """Makes pictures, one at a time; safe from any thread."""

    environ: Mapping[str, str]
    time_limit_s: float = TIME_LIMIT_S
    _lock: Lock = field(default_factory=Lock)

    @property
    def program(self) -> str | None:
        """Return the browser. None: there is none."""
        return find_browser(self.environ) if os.name == "posix" else None

    def take(self, html: str, *, width: int, scheme: Scheme) -> bytes:
        """Return a PNG of *html*, *width* pixels of CSS wide.

        Raises:
            NotFoundError: There is no browser.
            RenderError: It made no picture in time.
        """
        program = self.program
        if program is None:
            raise NotFoundError(MISSING)
        with self._lock, _running(program, self.time_limit_s) as talk:
            try:
                return _shot(talk, html, width=width, scheme=scheme)
            except (OSError, ValueError, KeyError) as error:
                raise RenderError(
                    f"{program} made no picture within {self.time_limit_s:g} s; try "
                    "again, and if it stays so, start it by hand to see whether it "
                    "runs",
                    template="",
                ) from error


@dataclass(slots=True)
class _Talk:
    """Commands and answers, one after the other."""

    commands: IO[bytes]
    answers: IO[bytes]
    _buffer: bytes = b""
    _number: int = 0
    _session: str | None = None

    def ask(self, method: str, **params: object) -> dict[str, Any]:
        """Give a command and return its answer.

        Raises:
            OSError: Nobody is there any more.
            ValueError: It was refused.
        """
        self._number += 1
        said: dict[str, Any] = {
            "id": self._number,
            "method": method,
            "params": params,
        }
        if self._session:
            said["sessionId"] = self._session
        self.commands.write(json.dumps(said).encode() + b"\0")
        self.commands.flush()
        while True:
            answer = json.loads(self._next())
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise ValueError(f"{method}: {answer['error']}")
                found: dict[str, Any] = answer["result"]
                return found

    def enter(self, target: str) -> None:
        """Speak to the page *target* from now on."""
        answer = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = str(answer["sessionId"])

    def _next(self) -> bytes:
        while b"\0" not in self._buffer:
            chunk = os.read(self.answers.fileno(), 1 << 16)
            if not chunk:
                raise ConnectionResetError("the browser is gone")
            self._buffer += chunk
        one, _, self._buffer = self._buffer.partition(b"\0")
        return one


def _shot(talk: _Talk, html: str, *, width: int, scheme: Scheme) -> bytes:
    talk.enter(str(talk.ask("Target.createTarget", url="about:blank")["targetId"]))
    talk.ask("Emulation.setScriptExecutionDisabled", value=True)
    talk.ask(
        "Network.emulateNetworkConditions",
        offline=True,
        latency=0,
        downloadThroughput=0,
        uploadThroughput=0,
    )
    talk.ask(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=800,
        deviceScaleFactor=_SCALE,
        mobile=False,
    )
    talk.ask(
        "Emulation.setEmulatedMedia",
        features=[{"name": "prefers-color-scheme", "value": str(scheme)}],
    )
    frame = talk.ask("Page.getFrameTree")["frameTree"]["frame"]["id"]
    talk.ask("Page.setDocumentContent", frameId=frame, html=html)
    size = talk.ask("Page.getLayoutMetrics")["cssContentSize"]
    clip = {
        "x": 0,
        "y": 0,
        "width": width,
        "height": max(1, min(int(size["height"]), HIGHEST)),
        "scale": 1,
    }
    taken = talk.ask(
        "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip
    )
    return b64decode(taken["data"])


@contextmanager
def _running(program: str, time_limit_s: float) -> Iterator[_Talk]:
    """Start a browser; end it, whatever it does, when all is said or time is up."""
    with TemporaryDirectory(
        prefix="newsletter-picture-", ignore_cleanup_errors=True
    ) as folder:
        process, talk = _start(program, folder)
        timer = Timer(time_limit_s, _kill, [process])
        timer.daemon = True
        timer.start()
        try:
            yield talk
        finally:
            timer.cancel()
            _kill(process)
            process.wait()
            for stream in (talk.commands, talk.answers):
                with suppress(OSError):
                    stream.close()


def _start(program: str, folder: str) -> tuple[subprocess.Popen[bytes], _Talk]:
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    switches = [*_SWITCHES, f"--user-data-dir={folder}"]
    if os.geteuid() == 0:
        # As root Chromium refuses to start otherwise; the mail has no script.
        switches.append("--no-sandbox")
    try:
        process = subprocess.Popen(  # noqa: S603 - a program found on PATH, our own words
            [
                *(sys.executable, "-I", "-S", "-c", _PLACE_PIPES),
                *(str(theirs_in), str(theirs_out), program, *switches),
            ],
            pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={"PATH": os.environ.get("PATH", os.defpath), "HOME": folder},
        )
    finally:
        os.close(theirs_in)
        os.close(theirs_out)
    return process, _Talk(os.fdopen(ours_out, "wb"), os.fdopen(ours_in, "rb"))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the browser and all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
