"""Where entries come from: what to ask each kind of source, and how to read it.

A kind is one module with a class, and one line in ``BUILT_IN``; another
package adds one by an entry point of the group ``newsletter.kinds``. It is
imported when a source of that kind is configured and something is to be known
of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from yarl import URL

from newsletter.errors import ConfigError
from newsletter.model import SourceSettings
from newsletter.ports import Source

#: (key, what is wrong with it) for each mistake in a source's own keys.
Check = Callable[[SourceSettings], Iterable[tuple[str, str]]]

#: kind -> module:class.
BUILT_IN: Mapping[str, str] = {
    "arxiv": "newsletter.sources.arxiv:Arxiv",
    "feed": "newsletter.sources.feed:Feed",
    "files": "newsletter.sources.files:Files",
    "huggingface": "newsletter.sources.huggingface:HuggingFace",
    "json": "newsletter.sources.json_api:JsonApi",
}
_ARXIV_FEEDS = frozenset({"rss.arxiv.org", "export.arxiv.org"})
_ARXIV = frozenset({"arxiv.org", "www.arxiv.org"})
#: Where other packages announce theirs.
GROUP = "newsletter.kinds"
#: They need no keys of their own: without any they are not imported to be checked.
_KEYLESS = frozenset({"arxiv", "feed", "huggingface"})


class _Kinds(Mapping[str, Check]):
    """Every kind that there is, with what checks its keys; found when asked for."""

    def __getitem__(self, kind: str) -> Check:
        if kind not in BUILT_IN and kind not in _announced():
            raise KeyError(kind)
        return _mistakes_in

    def __iter__(self) -> Iterator[str]:
        yield from sorted({*BUILT_IN, *_announced()})

    def __len__(self) -> int:
        return len({*BUILT_IN, *_announced()})


KINDS: Mapping[str, Check] = _Kinds()


@cache
def _announced() -> Mapping[str, str]:
    """Return the kinds of other packages; one of ours cannot be replaced."""
    found = {entry.name: entry.value for entry in entry_points(group=GROUP)}
    return {name: where for name, where in found.items() if name not in BUILT_IN}


def _class_of(kind: str) -> Any:  # noqa: ANN401 - a class that makes a Source
    where = BUILT_IN.get(kind) or _announced()[kind]
    module, _, name = where.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"the kind {kind!r} cannot be loaded from {where}: {error}; is the"
            " package that brings it installed whole?"
        ) from error


def _mistakes_in(settings: SourceSettings) -> Iterable[tuple[str, str]]:
    """Return what is wrong with the keys that only this kind has."""
    if settings.kind in _KEYLESS and not settings.options:
        return ()
    check: Check | None = getattr(_class_of(settings.kind), "mistakes", None)
    return tuple((check or unknown_keys)(settings))


def unknown_keys(
    settings: SourceSettings, known: Iterable[str] = ()
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with keys that the kind does not know."""
    names = tuple(known)
    for key in settings.options:
        if key in names:
            continue
        near = get_close_matches(key, [*names, *_COMMON], n=1)
        hint = f"did you mean {near[0]}?" if near else f"expected {_listed(names)}"
        yield key, f"a source of kind {settings.kind!r} has no such key; {hint}"


#: What every source may say.
_COMMON = (
    "name",
    "kind",
    "url",
    "path",
    "settle",
    "first_days",
    "max_new",
    "tags",
    "required",
    "interval",
)


def _listed(names: tuple[str, ...]) -> str:
    return f"one of {', '.join(sorted({*names, *_COMMON}))}"


def kind_by_address(address: str) -> str:
    """Return the kind of what is behind an address, as far as that tells it."""
    url = URL(address)
    if url.host == "huggingface.co" and (
        url.path.rstrip("/") in {"/papers", "/api/daily_papers"}
    ):
        return "huggingface"
    is_search = url.path.rstrip("/") == "/api/query" and url.host in _ARXIV
    return "arxiv" if url.host in _ARXIV_FEEDS or is_search else "feed"


def make_source(settings: SourceSettings) -> Source:
    """Return the source that *settings* describe.

    Raises:
        ConfigError: There is no such kind.
    """
    if settings.kind not in KINDS:
        raise ConfigError(
            f"source {settings.name!r}: there is no kind {settings.kind!r}; "
            f"expected one of {', '.join(KINDS)}"
        )
    source: Source = _class_of(settings.kind)(settings)
    return source
