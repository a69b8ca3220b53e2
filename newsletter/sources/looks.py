"""Whether text that should be plain looks like HTML: feeds do not always say."""

from __future__ import annotations

import re
from html.entities import entitydefs

from newsletter.sources.vocabulary import HTML_ELEMENTS

_CLOSING = re.compile(r"</\w+>|&#?\w+;")
_ANY_TAG = re.compile(r"</?(\w+)")
_ANY_ENTITY = re.compile(r"&(\w+);")


def looks_like_html(text: str) -> bool:
    """Tell whether text that is said to be plain is HTML after all.

    It closes a tag or has an entity, and has no tag or entity unknown to HTML.
    """
    if not _CLOSING.search(text):
        return False
    if any(tag.lower() not in HTML_ELEMENTS for tag in _ANY_TAG.findall(text)):
        return False
    return all(entity in entitydefs for entity in _ANY_ENTITY.findall(text))
