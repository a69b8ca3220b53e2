"""Variables that override the file: NEWSLETTER_SECTION__KEY."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel

from newsletter.config.places import Path
from newsletter.config.reading import Document
from newsletter.config.schema import NewsletterFile
from newsletter.errors import ConfigError

PREFIX = "NEWSLETTER_"


def merged(document: Document, environ: Mapping[str, str]) -> Document:
    """Return *document* with the variables of *environ* laid over it.

    Raises:
        ConfigError: A variable names no key.
    """
    data: dict[str, Any] = deepcopy(dict(document.data))
    variables: dict[Path, str] = {}
    problems: list[str] = []
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or "__" not in variable:
            continue
        path = tuple(variable.removeprefix(PREFIX).lower().split("__"))
        annotation = _annotation(path)
        if annotation is None:
            problems.append(_unknown(variable, path))
            continue
        table = data
        for part in path[:-1]:
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                break
        else:
            table[path[-1]] = _value(environ[variable], annotation)
            variables[path] = variable
    if problems:
        raise ConfigError(*problems)
    return replace(document, data=data, variables=variables)


def _annotation(path: tuple[str, ...]) -> Any:  # noqa: ANN401 - any annotation
    """Return what kind of value the key at *path* holds; None: there is no such key."""
    here: type[BaseModel] = NewsletterFile
    for part in path[:-1]:
        inner = here.model_fields.get(part)
        annotation = inner.annotation if inner else None
        if not isinstance(annotation, type) or not issubclass(annotation, BaseModel):
            return None
        here = annotation
    for name, field in here.model_fields.items():
        is_table = isinstance(field.annotation, type) and issubclass(
            field.annotation, BaseModel
        )
        if path[-1] == (field.alias or name) and not is_table:
            return field.annotation
    return None


def _value(text: str, annotation: Any) -> Any:  # noqa: ANN401 - a TOML value
    """Return *text* as the kind of value that the key holds; text where unsure."""
    kinds = {annotation, *get_args(annotation)}
    if list in kinds or any(
        getattr(kind, "__origin__", None) is list for kind in kinds
    ):
        return _list(text)
    if str in kinds:
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _list(text: str) -> Any:  # noqa: ANN401 - a TOML value
    if not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _unknown(variable: str, path: tuple[str, ...]) -> str:
    known = [
        f"{PREFIX}{section}__{field.alias or name}".upper()
        for section, table in NewsletterFile.model_fields.items()
        if isinstance(table.annotation, type)
        and issubclass(table.annotation, BaseModel)
        for name, field in table.annotation.model_fields.items()
    ]
    near = get_close_matches(variable, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    key = ".".join(path)
    return f"{variable} (environment): there is no key {key}{hint}"
