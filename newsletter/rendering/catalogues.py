"""Catalogues of the frame's words: found, read, and looked over for mistakes.

newsletter/locale/<language>/LC_MESSAGES/newsletter.po

They are read as they are written: there is no compiled file to keep beside
them. A folder more is a language more; nothing else lists the languages.
English is what the templates themselves say, and needs none.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from babel.messages import Message
from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError, read_po

#: In the wheel and in the repository alike.
FOLDER = Path(__file__).resolve().parents[1] / "locale"
#: What msgids are written in.
SOURCE = "en"
_PLACE = Path("LC_MESSAGES", "newsletter.po")
_HOLE = re.compile(r"%\((?P<name>\w+)\)s|%(?P<percent>%)?")
_LISTED = re.compile(r"[A-Za-z]{2,3}(_[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class Hole:
    """Where a value stands in a message: ``%(name)s``."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """One language's messages."""

    #: By the English.
    messages: Mapping[str, str]
    #: By the English singular; one text for each plural form.
    plurals: Mapping[str, tuple[str, ...]]
    #: Number to place among a message's plural forms.
    form: Callable[[int], int]


def english_form(number: int) -> int:
    """Return which of the two English forms *number* takes."""
    return 0 if number == 1 else 1


ENGLISH = Catalogue(
    messages=MappingProxyType({}), plurals=MappingProxyType({}), form=english_form
)


@lru_cache(maxsize=512)
def pieces(message: str) -> tuple[str | Hole, ...]:
    """Return *message* in order: text as it is said, and holes for values.

    Raises:
        ValueError: A percent sign is neither doubled nor part of a hole.
    """
    found: list[str | Hole] = []
    end = 0
    for hole in _HOLE.finditer(message):
        found.append(message[end : hole.start()])
        end = hole.end()
        if hole["name"]:
            found.append(Hole(hole["name"]))
        elif hole["percent"]:
            found.append("%")
        else:
            raise ValueError(f"{message!r}: write %(name)s for a value, %% for a %")
    return tuple(piece for piece in (*found, message[end:]) if piece != "")


def languages(folder: Path = FOLDER) -> tuple[str, ...]:
    """Return what there is a catalogue for, as folders are named: de, pt_BR."""
    return tuple(
        sorted(
            path.name
            for path in folder.iterdir()
            if _LISTED.fullmatch(path.name) and (path / _PLACE).is_file()
        )
    )


def place_of(language: str, folder: Path = FOLDER) -> Path:
    """Return where the catalogue of *language* is, or would be."""
    return folder / language / _PLACE


@lru_cache(maxsize=64)
def catalogue(language: str, folder: Path = FOLDER) -> Catalogue:
    """Return the catalogue of *language*, which is one of ``languages``."""
    read = read_catalogue(place_of(language, folder), language)
    messages: dict[str, str] = {}
    plurals: dict[str, tuple[str, ...]] = {}
    for message in _messages(read):
        texts = _texts(message)
        if message.fuzzy or not all(texts):
            continue
        if isinstance(message.id, str):
            messages[message.id] = texts[0]
        elif len(texts) == read.num_plurals:
            plurals[message.id[0]] = texts
    return Catalogue(
        messages=MappingProxyType(messages),
        plurals=MappingProxyType(plurals),
        form=gettext.c2py(read.plural_expr),
    )


def read_catalogue(path: Path, language: str) -> Catalog:
    """Return the file at *path* as Babel reads it.

    Raises:
        PoFileError: It is no catalogue.
    """
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def _messages(read: Catalog) -> Iterator[Message]:
    # The first has no msgid: it is the file's head.
    return (message for message in read if message.id)


def _texts(message: Message) -> tuple[str, ...]:
    said = message.string
    return tuple(said) if isinstance(said, list | tuple) else (said or "",)


# --- mistakes ------------------------------------------------------------------


def faults(path: Path, language: str, expected: Catalog) -> Iterator[str]:
    """Yield what is wrong with the catalogue at *path*, each with file and line.

    Args:
        path: A file.
        language: As its folder is named.
        expected: All that templates and modules say, in English.
    """
    try:
        read = read_catalogue(path, language)
    except PoFileError as exc:
        yield f"{path}, line {exc.lineno + 1}: {exc}; mend the line"
        return
    found = {str(message.id): message for message in _messages(read)}
    for message in _messages(expected):
        if str(message.id) not in found:
            yield f"{path}: {message.id!r} is missing; run `make messages`"
    wanted = {str(message.id) for message in _messages(expected)}
    for key, message in found.items():
        place = f"{path}, line {message.lineno}"
        if key not in wanted:
            yield f"{place}: {message.id!r} is said nowhere; run `make messages`"
        else:
            for fault in _faults_of(message, read.num_plurals):
                yield f"{place}: {message.id!r} {fault}"


def _faults_of(message: Message, forms: int) -> Iterator[str]:
    texts = _texts(message)
    if message.fuzzy:
        yield "is marked fuzzy; read it and take the mark away"
    if not all(texts):
        yield "is not translated; fill in every msgstr"
        return
    if message.pluralizable and len(texts) != forms:
        yield f"has {len(texts)} plural forms; the head of the file says {forms}"
    ids = (message.id,) if isinstance(message.id, str) else message.id
    wanted = {name for text in ids for name in _names(text)}
    for text in texts:
        try:
            found = _names(text)
        except ValueError as exc:
            yield f"is broken: {exc}"
            continue
        # "one entry" may do without its number; all else must be said.
        left_out = wanted - found - ({"num"} if message.pluralizable else set())
        if found - wanted or left_out:
            odd = ", ".join(sorted((found - wanted) | left_out))
            yield f"has other values than {text!r}: {odd}; use the same %(name)s"


def _names(text: str) -> frozenset[str]:
    return frozenset(p.name for p in pieces(text) if isinstance(p, Hole))
