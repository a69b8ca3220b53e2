"""The secret that signs links: in a variable, or in a file that is made for it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex

from filelock import FileLock

from newsletter.config.settings import Settings
from newsletter.errors import ConfigError


def existing_secrets(
    settings: Settings, environ: Mapping[str, str]
) -> tuple[bytes, ...]:
    """Return the secrets that are set; the first signs, all are accepted."""
    found = [environ[name] for name in settings.secret_env if environ.get(name)]
    found += [
        file.read_text("utf-8").strip()
        for file in settings.secret_files
        if file.exists()
    ]
    return tuple(value.encode() for value in found if value)


def secrets_of(settings: Settings, environ: Mapping[str, str]) -> tuple[bytes, ...]:
    """Return the secrets; make one (0600) where none is set and one may be made.

    Raises:
        ConfigError: None is set, and none may be made.
    """
    found = existing_secrets(settings, environ)
    if found:
        return found
    if not settings.secret_files:
        names = " or ".join(settings.secret_env)
        raise ConfigError(
            f"no secret is set: set {names} (or newsletter.secret_file) to a long "
            "random value; links are signed with it"
        )
    file = settings.secret_files[0]
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(file.with_name(f"{file.name}.lock")):
        if not file.exists():
            _write_secret(file)
    return existing_secrets(settings, environ)


def _write_secret(file: Path) -> None:
    """Write 256 random bits that only the owner may read; whole, or not at all."""
    draft = file.with_name(f"{file.name}.{os.getpid()}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(token_hex(32) + "\n")
    draft.replace(file)
