"""Changing newsletter.toml in place: only the lines that it is about.

A source is a ``[[sources]]`` table. A new one goes below the last; one that
goes takes its own lines along, from its header to its last key. Everything
else, every comment and blank line, stays as its author wrote it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import tomlkit
from filelock import FileLock

from newsletter.config.environment import FILE
from newsletter.config.places import lines_of
from newsletter.config.settings import Kinds, Settings, load_settings
from newsletter.errors import ConfigError, NotFoundError

_MARK = "\ufeff"
_TABLES = "[["


def add_source(
    folder: Path,
    table: Mapping[str, object],
    *,
    environ: Mapping[str, str],
    kinds: Kinds,
) -> Settings:
    """Add a ``[[sources]]`` table of *table*; return the settings with it.

    Raises:
        ConfigError: The file cannot be changed, or would have a mistake then;
            it is as it was.
    """
    return add_sources(folder, lambda _: [table], environ=environ, kinds=kinds)


def add_sources(
    folder: Path,
    choose: Callable[[Settings], Sequence[Mapping[str, object]]],
    *,
    environ: Mapping[str, str],
    kinds: Kinds,
) -> Settings:
    """Add a ``[[sources]]`` table for each that *choose* returns, all or none.

    Args:
        folder: The configuration folder.
        choose: Returns tables, told of the settings as they are then.
        environ: See ``load_settings``.
        kinds: See ``load_settings``.

    Raises:
        ConfigError: The file cannot be changed, or would have a mistake then;
            it is as it was.
    """

    def change(text: str, settings: Settings) -> str:
        tables = choose(settings)
        return _added(text, tables, len(settings.sources)) if tables else text

    return _change(folder, change, environ=environ, kinds=kinds)


def remove_source(
    folder: Path, name: str, *, environ: Mapping[str, str], kinds: Kinds
) -> Settings:
    """Take the table of the source *name* out; return the settings without it.

    Raises:
        NotFoundError: There is no such source.
        ConfigError: The file cannot be changed; it is as it was.
    """

    def change(text: str, settings: Settings) -> str:
        names = [source.name for source in settings.sources]
        if name not in names:
            there = ", ".join(names) or "none"
            raise NotFoundError(f"there is no source {name!r}; there are: {there}")
        return _removed(text, names.index(name))

    return _change(folder, change, environ=environ, kinds=kinds)


def _change(
    folder: Path,
    change: Callable[[str, Settings], str],
    *,
    environ: Mapping[str, str],
    kinds: Kinds,
) -> Settings:
    """Read, change, check whole, and only then write."""
    with _alone(folder):
        before = load_settings(folder, environ, kinds=kinds)
        # Whoever links to a file elsewhere means that file.
        file = (folder / FILE).resolve()
        raw = file.read_bytes().decode("utf-8")
        mark = _MARK if raw.startswith(_MARK) else ""
        text = raw.removeprefix(mark)
        newline = "\r\n" if "\r\n" in text else "\n"
        changed = change(text.replace("\r\n", "\n"), before)
        after = load_settings(folder, environ, kinds=kinds, text=changed)
        _write(file, (mark + changed.replace("\n", newline)).encode())
        return after


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Be the only one who changes the folder's files."""
    if not folder.is_dir():
        yield  # reading says what is missing
        return
    try:
        with FileLock(folder / f".{FILE}.lock", timeout=30):
            yield
    except OSError as error:
        raise _unwritable(folder / FILE, error) from error


def _write(file: Path, content: bytes) -> None:
    """Replace *file* whole, with its permissions, or leave it as it was."""
    draft = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        if not file.stat().st_mode & 0o222:
            raise PermissionError(errno.EACCES, "it is read-only")
        with draft.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        draft.chmod(file.stat().st_mode & 0o7777)
        draft.replace(file)
    except OSError as error:
        # What made it fail is worth more than what makes cleaning up fail.
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise _unwritable(file, error) from error


def _unwritable(file: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{file} cannot be changed: {error.strerror or error}; it is as it was. Give"
        " yourself the right to write in its folder, or change it by hand"
    )


def _added(text: str, new: Sequence[Mapping[str, object]], number: int) -> str:
    """Return *text* with tables below the last of *number* sources."""
    lines = text.split("\n")
    document = tomlkit.document()
    tables = tomlkit.aot()
    for table in new:
        tables.append(tomlkit.item(dict(table)))
    document.add("sources", tables)
    added = tomlkit.dumps(document).rstrip("\n").split("\n")
    if number:
        end = _extent(text, number - 1)[1]
        return "\n".join([*lines[:end], "", *added, *_ended(lines[end:])])
    while lines and not lines[-1].strip():
        lines.pop()
    return "\n".join([*lines, "", *added, ""] if lines else [*added, ""])


def _ended(lines: list[str]) -> list[str]:
    """Return what follows; a file ends with a line end."""
    return lines or [""]


def _removed(text: str, number: int) -> str:
    """Return *text* without the lines of one source, and the blank ones above."""
    lines = text.split("\n")
    start, end = _extent(text, number)
    above = start
    while above and not lines[above - 1].strip():
        above -= 1
    # As many blank lines as there were above it; none at the beginning.
    keep = lines[above:start] if above and not _is_blank(lines[end : end + 1]) else []
    return "\n".join([*lines[:above], *keep, *lines[end:]])


def _is_blank(lines: list[str]) -> bool:
    return bool(lines) and not lines[0].strip()


def _extent(text: str, number: int) -> tuple[int, int]:
    """Return the lines (from 0, end exclusive) from a source's header to its last key.

    Raises:
        ConfigError: The sources are no ``[[sources]]`` tables.
    """
    places, lines = lines_of(text), text.split("\n")
    start = places[("sources", number)] - 1
    if not lines[start].lstrip().startswith(_TABLES):
        raise ConfigError(
            f"{FILE}:{start + 1}: sources: they stand in one list; write each as a"
            " [[sources]] table, then this can be changed by command"
        )
    own = ("sources", number)
    others = (line - 1 for path, line in places.items() if path[:2] != own)
    end = min((line for line in others if line > start), default=len(lines))
    while not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#"):
        end -= 1
    return start, end
