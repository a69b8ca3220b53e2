"""A theme: a folder of templates, found, read once and named by its hash.

templates/<name>/subject.txt.j2   one line
                 body.mjml.j2     the HTML part
                 body.txt.j2      the text part
                 theme.toml       description, language (where its words are
                                  of one), images (whether it shows any)
                 …                files that these import
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from newsletter.errors import ThemeError

SUBJECT = "subject.txt.j2"
BODY_MJML = "body.mjml.j2"
BODY_TEXT = "body.txt.j2"
SETTINGS = "theme.toml"

_PACKAGE = Path(__file__).resolve().parents[1]
#: Where themes come with the program: in the wheel, and in the repository.
_OWN_FOLDERS = (_PACKAGE / "_templates", _PACKAGE.parent / "templates")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_KEYS = ("description", "language", "images")


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """All that a theme's folder holds."""

    name: str
    folder: Path
    #: Text by path relative to the folder, with forward slashes.
    files: Mapping[str, str]
    #: SHA-256 in hex over all names and contents.
    hash: str
    #: BCP 47: what all of its mails are written in. None: each reader's language.
    language: str | None
    #: It shows pictures, which a mail program asks the sources for.
    images: bool

    def source(self, file: str) -> str:
        """Return the text of *file*.

        Raises:
            ThemeError: The theme has no such file.
        """
        try:
            return self.files[file]
        except KeyError:
            raise ThemeError(
                f"theme {self.name!r} in {self.folder} has no {file}; add it",
                file=file,
            ) from None


def load_theme(name: str, *, folders: Sequence[Path]) -> Theme:
    """Return the theme *name* from the first of the folders that has it.

    Args:
        name: A folder's name, never a path.
        folders: The operator's; after them come those of the program.

    Raises:
        ThemeError: There is none, or it cannot be read.
    """
    searched = (*folders, *_OWN_FOLDERS)
    check_name(name)
    for folder in searched:
        if (folder / name).is_dir():
            return _read(name, folder / name)
    places = ", ".join(str(folder) for folder in searched)
    raise ThemeError(f"no theme {name!r} in {places}; make one there", file=name)


def check_name(name: str) -> None:
    """Refuse what is no folder's name.

    Raises:
        ThemeError: It is none.
    """
    if not _NAME.fullmatch(name):
        raise ThemeError(
            f"{name!r} is no name of a theme: it takes letters, digits, - and _",
            file=name,
        )


def own_folders() -> tuple[Path, ...]:
    """Return where the themes are that come with the program."""
    return _OWN_FOLDERS


def _read(name: str, folder: Path) -> Theme:
    contents = {
        path.relative_to(folder).as_posix(): _bytes_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _is_left_out(path.relative_to(folder))
    }
    digest = hashlib.sha256()
    for file, content in sorted(contents.items()):
        for part in (file.encode(), content):
            # Lengths keep "ab" + "c" apart from "a" + "bc".
            digest.update(len(part).to_bytes(8, "big") + part)
    files = {file: _text_of(content, file) for file, content in contents.items()}
    language, images = _settings(files.get(SETTINGS))
    return Theme(
        name=name,
        folder=folder,
        files=MappingProxyType(files),
        hash=digest.hexdigest(),
        language=language,
        images=images,
    )


def _is_left_out(path: Path) -> bool:
    """Tell editors' and systems' own files, which are no part of the theme."""
    return any(part.startswith(".") or part.endswith("~") for part in path.parts)


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise ThemeError(f"{path} cannot be read: {exc}", file=path.name) from exc


def _text_of(content: bytes, file: str) -> str:
    try:
        return content.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        raise ThemeError(
            f"{file}, line {line}: not UTF-8; save it as UTF-8", file=file, line=line
        ) from exc


def _settings(settings: str | None) -> tuple[str | None, bool]:
    """Return language and images, as theme.toml has them."""
    if settings is None:
        raise ThemeError(f"the theme has no {SETTINGS}; add it", file=SETTINGS)
    table = _table(settings)
    language = table.get("language")
    if language is not None and not isinstance(language, str):
        raise ThemeError(
            f'{SETTINGS}: language is {language!r}; it takes text, like "en"',
            file=SETTINGS,
        )
    return language, _images(table)


def _images(table: Mapping[str, object]) -> bool:
    wanted = table.get("images", False)
    if not isinstance(wanted, bool):
        raise ThemeError(
            f"{SETTINGS}: images is {wanted!r}; it takes true or false", file=SETTINGS
        )
    return wanted


def _table(settings: str) -> dict[str, object]:
    try:
        table = tomllib.loads(settings)
    except tomllib.TOMLDecodeError as exc:
        found = re.search(r"at line (\d+)", str(exc))
        raise ThemeError(
            f"{SETTINGS}: {exc}",
            file=SETTINGS,
            line=int(found[1]) if found else None,
        ) from exc
    unknown = sorted(table.keys() - _KEYS)
    if unknown:
        raise ThemeError(
            f"{SETTINGS}: unknown key {unknown[0]!r}; it takes {', '.join(_KEYS)}",
            file=SETTINGS,
        )
    return table
