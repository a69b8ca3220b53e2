"""Themes that come with the program, by the hash of their files.

They were judged by the tests before they were shipped, so no run has to. A
theme that was changed, here too, has another hash and is judged like any other.
"""

from __future__ import annotations

#: Name -> Theme.hash. A test tells what to write here after a change.
SHIPPED = {
    "compact": "82a491ed264130c938b78b20fdbdfbdc4be37b66f76cd23102991f76c27fe90f",
    "default": "d763f1aa9d604babc889af01e0c960df35c7d263cae593c9eb987d9d459d0c61",
}


def is_shipped(theme_hash: str) -> bool:
    """Tell whether these are the files of a theme as it was shipped."""
    return theme_hash in SHIPPED.values()
