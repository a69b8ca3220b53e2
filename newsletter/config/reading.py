"""Reading one TOML file, and saying where in it something is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path as FilePath
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from newsletter.config.places import Path, lines_of
from newsletter.errors import ConfigError

#: What pydantic's kinds of error mean to whoever wrote the file.
_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "a table",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "list_type": 'a list, as in ["one", "two"]',
    "model_attributes_type": "a table",
    "model_type": "a table",
    "string_type": "text in quotes",
}


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
        if place in self.variables:
            return f"{self.variables[place]} (environment): {what}"
        while place and place not in self.lines:
            place = place[:-1]
        line = f":{self.lines[place]}" if place in self.lines else ""
        key = f"{named(path)}: " if path else ""
        return f"{self.name}{line}: {key}{what}"


def named(path: Sequence[str | int]) -> str:
    """Return a path as people write it; arrays count from 1: sources[2].url."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            text += f".{part}" if text else part
    return text


def read_document(file: FilePath) -> Document:
    """Return the parsed file.

    Raises:
        ConfigError: It is not there, not UTF-8, or no TOML.
    """
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{file}: byte {error.start} is not UTF-8; save the file as UTF-8"
        ) from error
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_broken(file, str(error))) from error
    return Document(name=str(file), data=data, lines=lines_of(text))


def _broken(file: FilePath, said: str) -> str:
    """Turn "… (at line 3, column 5)" into a place."""
    what, _, where = said.rpartition(" (at ")
    numbers = [word.strip(",)") for word in where.split() if word.strip(",)").isdigit()]
    if len(numbers) == 2:  # noqa: PLR2004 - line and column
        line, column = numbers
        return f"{file}:{line}: column {column}: this is no TOML: {what}"
    return f"{file}: this is no TOML: {said}"


def problems_of(
    document: Document,
    error: ValidationError,
    model: type[BaseModel],
    at: Path = (),
) -> list[str]:
    """Return every mistake that pydantic found below *at*, in our words."""
    found = []
    for detail in error.errors(include_url=False):
        path = (*at, *(p for p in detail["loc"] if not _is_union_tag(p)))
        what = _said(detail, model)
        found.append(document.problem(path, what))
    return list(dict.fromkeys(found))


def _is_union_tag(part: str | int) -> bool:
    """Pydantic names the branch of a union within the place: not a key."""
    return isinstance(part, str) and (
        part in {"str", "list[str]"} or part.startswith(("function-", "Interest"))
    )


def _said(detail: ErrorDetails, model: type[BaseModel]) -> str:
    """Return what is wrong, and what was expected."""
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "missing":
        return "is required, and not there"
    if kind == "extra_forbidden":
        return _unknown(detail, model)
    if kind == "value_error":
        return str(context["error"])
    return f"{given!r} {_expected(kind, context) or detail['msg']}"


def _expected(kind: str, context: Mapping[str, Any]) -> str | None:
    if kind in {"enum", "literal_error"}:
        return f"is not one of {context['expected']}"
    for sign, word in (("ge", "at least"), ("gt", "more than"), ("le", "at most")):
        if sign in context:
            return f"is out of range; expected {word} {context[sign]}"
    return f"is not {_EXPECTED[kind]}" if kind in _EXPECTED else None


def _unknown(detail: ErrorDetails, model: type[BaseModel]) -> str:
    """Say that nobody knows the key, and which one may be meant."""
    fields = _fields_at(model, detail["loc"][:-1])
    name = str(detail["loc"][-1])
    near = get_close_matches(name, fields, n=1)
    hint = (
        f"did you mean {near[0]}?" if near else f"expected one of {', '.join(fields)}"
    )
    return f"there is no such key; {hint}"


def _fields_at(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """Return the keys that the table at *path* knows."""
    here = model
    for part in path:
        if isinstance(part, str) and part in here.model_fields:
            inner = _model_in(here.model_fields[part].annotation)
            here = inner or here
    return sorted(info.alias or name for name, info in here.model_fields.items())


def _model_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if (found := _model_in(argument)) is not None:
            return found
    return None
