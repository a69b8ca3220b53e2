"""Where entries come from: what to ask each kind of source, and how to read it.

A kind is one module with a class, and one line in ``KINDS``. It is imported
when a source of that kind is configured.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from newsletter.errors import ConfigError
from newsletter.model import SourceSettings
from newsletter.ports import Source

#: kind -> module:class.
KINDS: Mapping[str, str] = {
    "arxiv": "newsletter.sources.arxiv:Arxiv",
    "feed": "newsletter.sources.feed:Feed",
    "huggingface": "newsletter.sources.huggingface:HuggingFace",
}


def make_source(settings: SourceSettings) -> Source:
    """Return the source that *settings* describe.

    Raises:
        ConfigError: There is no such kind.
    """
    where = KINDS.get(settings.kind)
    if where is None:
        raise ConfigError(
            f"source {settings.name!r}: there is no kind {settings.kind!r}; "
            f"expected one of {', '.join(KINDS)}"
        )
    module, _, name = where.partition(":")
    source: Source = getattr(import_module(module), name)(settings)
    return source
