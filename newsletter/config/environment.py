"""Variables that override the file: NEWSLETTER_SECTION__KEY."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, cast

from pydantic import BaseModel

from newsletter.config.places import Path
from newsletter.config.reading import Document, keys_of
from newsletter.config.schema import NewsletterFile
from newsletter.config.values import kinds_in

PREFIX = "NEWSLETTER_"
FILE = "newsletter.toml"


def merged(
    document: Document, environ: Mapping[str, str]
) -> tuple[Document, tuple[str, ...]]:
    """Return *document* with the variables of *environ* laid over it.

    Also what is wrong with their names: one sentence each.
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
        elif _put(data, path, _value(environ[variable], annotation)):
            variables[path] = variable
    return replace(document, data=data, variables=variables), tuple(problems)


def _put(data: dict[str, Any], path: tuple[str, ...], value: object) -> bool:
    """Set the key at *path*; False: the file has no table there, which is told."""
    table: object = data
    for part in path[:-1]:
        if not isinstance(table, dict):
            return False
        table = table.setdefault(part, {})
    if not isinstance(table, dict):
        return False
    table[path[-1]] = value
    return True


def _annotation(path: tuple[str, ...]) -> Any:  # noqa: ANN401 - any annotation
    """Return what kind of value the key at *path* holds; None: there is no such key."""
    here: type[BaseModel] = NewsletterFile
    for part in path[:-1]:
        inner = keys_of(here).get(part)
        if inner is None or not _is_table(inner.annotation):
            return None
        here = cast("type[BaseModel]", inner.annotation)
    last = keys_of(here).get(path[-1])
    return None if last is None or _is_table(last.annotation) else last.annotation


def _is_table(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _value(text: str, annotation: Any) -> Any:  # noqa: ANN401 - a TOML value
    """Return *text* as the kind of value that the key holds; text where unsure."""
    kinds = kinds_in(annotation)
    if list in kinds and text.lstrip().startswith("["):
        return _read(json.loads, text)
    if str in kinds:
        return text
    if list in kinds:
        return [part.strip() for part in text.split(",") if part.strip()]
    # A second line would be a second key.
    return text if "\n" in text else _read(_plain, text)


def _plain(text: str) -> object:
    return tomllib.loads(f"value = {text}")["value"]


def _read(parse: Callable[[str], object], text: str) -> object:
    """Return what *parse* makes of *text*; what it cannot read stays text."""
    try:
        return parse(text)
    except ValueError:
        return text


def _unknown(variable: str, path: tuple[str, ...]) -> str:
    if path[0] == "sources":
        return (
            f"{variable} (environment): sources are named in {FILE} only; "
            "add a [[sources]] table there"
        )
    # What all have in common would make everything look near.
    known = list(_known("", NewsletterFile))
    near = get_close_matches(variable.removeprefix(PREFIX), known, n=1)
    hint = f"did you mean {PREFIX}{near[0]}?" if near else f"expected a key of {FILE}"
    return f"{variable} (environment): there is no key {'.'.join(path)}; {hint}"


def _known(prefix: str, table: type[BaseModel]) -> Iterator[str]:
    """Yield the name of every variable that is a key."""
    for key, info in keys_of(table).items():
        if _is_table(info.annotation):
            inner = cast("type[BaseModel]", info.annotation)
            yield from _known(f"{prefix}{key.upper()}__", inner)
        else:
            yield f"{prefix}{key.upper()}"
