"""A socket on loopback, and the server on it."""

from __future__ import annotations

import errno
import os
import socket
from dataclasses import dataclass, field

import uvicorn
from starlette.types import ASGIApp

from newsletter.errors import ConfigError
from newsletter.web.door import HOST

#: Tried first where no port is named.
USUAL_PORT = 8025
#: Answers that are under way at the end have this long.
_GRACE_S = 2


def listen(port: int | None) -> socket.socket:
    """Return a socket that listens on loopback only.

    Args:
        port: 0: any free one. None: the usual one where it is free, else any.

    Raises:
        ConfigError: The port cannot be had.
    """
    try:
        return _bound(USUAL_PORT if port is None else port)
    except OSError as error:
        if port is None:
            return _bound(0)
        why = (
            "is in use by another program"
            if error.errno == errno.EADDRINUSE
            else f"cannot be used ({error.strerror})"
        )
        raise ConfigError(
            f"port {port} of {HOST} {why}; name another one, or leave --port out "
            "to get a free one"
        ) from error


def _bound(port: int) -> socket.socket:
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            # A port that was ours a moment ago is free; one in use is not.
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((HOST, port))
        found.listen()
    except OSError:
        found.close()
        raise
    return found


@dataclass(slots=True)
class Serving:
    """Serves one application until it is told to stop."""

    _server: uvicorn.Server | None = field(default=None, init=False)

    def run(self, app: ASGIApp, listener: socket.socket) -> None:
        """Serve *app* on *listener*, which is closed at the end.

        In the main thread an interrupt ends it and is raised afterwards.
        """
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        self._server = uvicorn.Server(config)
        self._server.run(sockets=[listener])

    @property
    def is_up(self) -> bool:
        """Tell whether requests are answered."""
        return self._server is not None and self._server.started

    @property
    def is_ending(self) -> bool:
        """Tell whether it is about to end: answers that last must come to theirs."""
        return self._server is not None and self._server.should_exit

    def stop(self) -> None:
        """End it soon. Safe from any thread."""
        if self._server is not None:
            self._server.should_exit = True
