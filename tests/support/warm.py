"""A process that has the command line imported, and forks for each command.

    test --(arguments, folder, environment, stdout, stderr)--> warm process
                                            forks: the command, as ``python -m`` would
    test <------------- exit code --------------+

Each command is a process of its own, with its own folder, environment and
streams; only the import, which is most of a short command's time, is done once.
What must be seen from its first byte (a kill, a signal, the script itself) is
started in the usual way.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pkgutil
import runpy
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, NoReturn


class Warm:
    """The test's end; one for each process of tests."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._socket = ours
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "tests.support.warm", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                cwd=Path(__file__).parents[2],
            )

    def run(
        self, arguments: tuple[str, ...], *, cwd: Path, env: Mapping[str, str]
    ) -> tuple[int, str, str]:
        """Run a command to its end; return its exit code and what it said."""
        order = {"arguments": arguments, "cwd": str(cwd), "env": dict(env)}
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            data = json.dumps(order).encode()
            head = len(data).to_bytes(4, "big")
            socket.send_fds(self._socket, [head], [out.fileno(), err.fileno()])
            self._socket.sendall(data)
            code = int.from_bytes(_exactly(self._socket, 2), "big", signed=True)
            return code, _text(out), _text(err)

    def close(self) -> None:
        """End the process."""
        self._socket.close()
        self._process.wait(timeout=30)


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionError("the warm process is gone")
        data += part
    return data


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    # As ``text=True`` of subprocess reads it.
    return stream.read().decode().replace("\r\n", "\n").replace("\r", "\n")


def serve(connection: socket.socket) -> None:
    """Fork for each command that is asked for, until the test ends."""
    while True:
        head, descriptors, _, _ = socket.recv_fds(connection, 4, 2)
        if not head:
            return
        order = json.loads(_exactly(connection, int.from_bytes(head, "big")))
        child = os.fork()
        if child == 0:
            connection.close()
            _become(order, *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        connection.sendall(code.to_bytes(2, "big", signed=True))


def _become(order: Mapping[str, object], out: int, err: int) -> NoReturn:
    """Be the command."""
    for target, descriptor in ((1, out), (2, err)):
        os.dup2(descriptor, target)
        os.close(descriptor)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    env, arguments = order["env"], order["arguments"]
    assert isinstance(env, dict)
    assert isinstance(arguments, list)
    os.environ.clear()
    os.environ.update(env)
    # What an interpreter does at its start.
    time.tzset()
    sys.path[:0] = filter(None, env.get("PYTHONPATH", "").split(os.pathsep))
    os.chdir(str(order["cwd"]))
    sys.argv = ["newsletter", *arguments]
    runpy.run_module("newsletter", run_name="__main__", alter_sys=True)
    sys.exit(0)


def _import_all() -> None:
    """Import what commands import when they begin."""
    importlib.import_module("newsletter.app")
    cli = importlib.import_module("newsletter.cli")
    for module in pkgutil.iter_modules(cli.__path__, "newsletter.cli."):
        importlib.import_module(module.name)


def main() -> None:
    """Import, then serve."""
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        _import_all()
        with contextlib.suppress(ConnectionError):
            serve(connection)


if __name__ == "__main__":
    main()
