"""A project folder as a person would have it, and the command line over it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.warm import Warm


@cache
def warm() -> Warm:
    """Return this process's helper that runs commands; see ``cool``."""
    return Warm()


def cool() -> None:
    """End the helper, if there is one; what it covered is counted then."""
    if warm.cache_info().currsize:
        warm().close()
        warm.cache_clear()


#: Readers that most tests need; each test may write its own.
READERS = """
[[subscribers]]
address = "ada@example.org"
timezone = "Europe/London"
schedule = "daily 07:30"
interests = ["mamba"]

[[subscribers]]
address = "grace@example.org"
timezone = "America/New_York"
schedule = "daily 07:30"
interests = ["robot*"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A folder with a configuration, as a person would have it."""

    root: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def outbox(self) -> Path:
        return self.root / "outbox"

    def write(self, newsletter: str, readers: str = READERS) -> None:
        """Write both files; the head of newsletter.toml is ours."""
        folder = self.root / "config"
        folder.mkdir(exist_ok=True)
        head = (
            '[newsletter]\ntitle = "Test Papers"\n'
            'from = "Test Papers <digest@example.org>"\n'
            'base_url = "https://digest.example.org"\n'
        )
        (folder / "newsletter.toml").write_text(head + newsletter, "utf-8")
        self.write_readers(readers)

    def write_readers(self, readers: str) -> None:
        (self.root / "config" / "subscribers.toml").write_text(readers, "utf-8")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command line in the project's folder."""
        return subprocess.Popen(  # noqa: S603 - our own command line
            [sys.executable, "-m", "newsletter", *arguments],
            cwd=self.root,
            env=self._environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        """Run a command to its end; its exit code must be *code*."""
        found, out, err = warm().run(arguments, cwd=self.root, env=self._environ())
        assert found == code, f"{arguments}\n{out}\n{err}"
        return out, err

    def _environ(self) -> dict[str, str]:
        ours = {k: v for k, v in os.environ.items() if not k.startswith("NEWSLETTER_")}
        return {**ours, **self.environ}

    def json(self, *arguments: str) -> Any:  # noqa: ANN401 - what json gives
        """Run a command with ``--json`` and read what it prints."""
        return json.loads(self.run(*arguments, "--json")[0])

    def mails(self) -> dict[str, EmailMessage]:
        """Return every mail of the outbox by its key."""
        return {path.stem: read_mail(path) for path in self.outbox.glob("*/*.eml")}

    def files(self) -> frozenset[Path]:
        """Return every file there is, relative to the root."""
        found = (p.relative_to(self.root) for p in self.root.rglob("*") if p.is_file())
        return frozenset(found)


def read_mail(path: Path) -> EmailMessage:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message
