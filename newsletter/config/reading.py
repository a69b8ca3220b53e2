"""Reading one TOML file, and saying where in it something is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path as FilePath
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from newsletter.config.places import Path, lines_of
from newsletter.errors import ConfigError

#: What pydantic's kinds of error mean to whoever wrote the file.
_KINDS = {
    "bool_type": "true or false",
    "finite_number": "a finite number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "list_type": "a list",
    "model_type": "a table",
    "string_type": "text in quotes",
}

#: As much of a wrong value is shown.
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file (or the environment merged into it) with its places."""

    #: As people name it: config/newsletter.toml.
    name: str
    data: Mapping[str, Any]
    lines: Mapping[Path, int] = field(default_factory=dict)
    #: Keys that a variable of the environment set: its name.
    variables: Mapping[Path, str] = field(default_factory=dict)

    def problem(self, path: Sequence[str | int], what: str) -> str:
        """Return one mistake as people read it: file, line, key, what is wrong."""
        place = tuple(path)
        while place and place not in self.lines and place not in self.variables:
            place = place[:-1]
        if place in self.variables:
            return f"{self.variables[place]} (environment): {named(path)}: {what}"
        line = f":{self.lines[place]}" if place in self.lines else ""
        key = f"{named(path)}: " if path else ""
        return f"{self.name}{line}: {key}{what}"

    def line(self, path: Sequence[str | int]) -> int:
        """Return the line of the nearest part of *path* that has one; 0: none."""
        place = tuple(path)
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 0)


def named(path: Sequence[str | int]) -> str:
    """Return a path as people write it; arrays count from 1: sources[2].url."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            text += f".{part}" if text else part
    return text


def read_document(file: FilePath, text: str | None = None) -> Document:
    """Return the parsed file, or what *text* would make of it.

    Raises:
        ConfigError: It is not there, not UTF-8, or no TOML.
    """
    if text is None:
        text = _text(file)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_broken(file, text, str(error))) from error
    return Document(name=str(file), data=data, lines=lines_of(text))


def _text(file: FilePath) -> str:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be read: {error.strerror}; expected a file that you "
            "may read"
        ) from error
    try:
        # Some editors begin a file with a byte order mark.
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{file}:{line}: a byte is not UTF-8 (0x{raw[error.start]:02x}); "
            "save the file as UTF-8"
        ) from error
    return text.replace("\r\n", "\n")


def _broken(file: FilePath, text: str, said: str) -> str:
    """Turn "… (at line 3, column 5)" into a place."""
    what, _, where = said.rpartition(" (at ")
    numbers = [word.strip(",)") for word in where.split() if word.strip(",)").isdigit()]
    if len(numbers) == 2:  # noqa: PLR2004 - line and column
        line, column = numbers
    else:
        # It says "at end of document".
        last = text.rstrip("\n").rpartition("\n")[2]
        line, column = str(text.rstrip("\n").count("\n") + 1), str(len(last) + 1)
    return (
        f"{file}:{line}: column {column}: this is no TOML: {what}; expected "
        'key = "value", [table] or [[list]]'
    )


def problems_of(
    document: Document,
    error: ValidationError,
    model: type[BaseModel],
    at: Path = (),
) -> list[str]:
    """Return every mistake that pydantic found below *at*, in our words, by line."""
    details = sorted(
        error.errors(include_url=False), key=lambda d: document.line((*at, *d["loc"]))
    )
    return [document.problem((*at, *d["loc"]), _said(d, model)) for d in details]


def _said(detail: ErrorDetails, model: type[BaseModel]) -> str:
    """Return what is wrong, and what was expected."""
    kind, context = detail["type"], detail.get("ctx", {})
    here = _field_at(model, detail["loc"])
    hint = f"; expected {here.description}" if here and here.description else ""
    if kind == "missing":
        return f"is required, and not there{hint}"
    if kind == "extra_forbidden":
        return _unknown(detail, model)
    if kind == "value_error":
        return str(context["error"])
    given = _shown(detail["input"])
    if kind == "literal_error":
        return f"{given} is unknown; expected {_quoted(context['expected'])}"
    if kind in _KINDS:
        return f"{given} is not {_KINDS[kind]}{hint or _example(kind)}"
    return f"{given} is out of range{hint or '; ' + detail['msg']}"


def _shown(value: object) -> str:
    """Return a value as TOML writes it, roughly, and not too long."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _quoted(expected: str) -> str:
    return expected.replace("'", '"')


def _example(kind: str) -> str:
    if kind == "list_type":
        return '; expected one such as ["one", "two"]'
    if kind == "model_type":
        return "; expected [name] with its keys below, or { key = value }"
    return ""


def _unknown(detail: ErrorDetails, model: type[BaseModel]) -> str:
    """Say that nobody knows the key, and which one may be meant."""
    fields = sorted(keys_of(_table_at(model, detail["loc"][:-1])))
    near = get_close_matches(str(detail["loc"][-1]), fields, n=1)
    hint = (
        f"did you mean {near[0]}?" if near else f"expected one of {', '.join(fields)}"
    )
    return f"there is no such key; {hint}"


def keys_of(table: type[BaseModel]) -> Mapping[str, FieldInfo]:
    """Return the keys of a table, as they are written."""
    return {info.alias or name: info for name, info in table.model_fields.items()}


def _field_at(model: type[BaseModel], path: Sequence[str | int]) -> FieldInfo | None:
    """Return the key that ends *path*; None: it ends within a list, or nowhere."""
    if not path or not isinstance(path[-1], str):
        return None
    return keys_of(_table_at(model, path[:-1])).get(path[-1])


def _table_at(model: type[BaseModel], path: Sequence[str | int]) -> type[BaseModel]:
    """Return the table at *path*."""
    here = model
    for part in path:
        if isinstance(part, str) and part in keys_of(here):
            here = _table_in(keys_of(here)[part].annotation) or here
    return here


def _table_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = map(_table_in, get_args(annotation))
    return next((table for table in found if table is not None), None)
