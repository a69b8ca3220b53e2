"""Themes that come with the program, by the hash of their files.

They were judged by the tests before they were shipped, so no run has to. A
theme that was changed, here too, has another hash and is judged like any other.
"""

from __future__ import annotations

#: Name -> Theme.hash. A test tells what to write here after a change.
SHIPPED = {
    "compact": "0470241c3394408767b76f185785be1b574d2bb0895923f27bf7ba61959ee42a",
    "default": "d763f1aa9d604babc889af01e0c960df35c7d263cae593c9eb987d9d459d0c61",
}


def is_shipped(theme_hash: str) -> bool:
    """Tell whether these are the files of a theme as it was shipped."""
    return theme_hash in SHIPPED.values()
