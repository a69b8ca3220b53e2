"""Themes that come with the program, by the hash of their files.

They were judged by the tests before they were shipped, so no run has to. A
theme that was changed, here too, has another hash and is judged like any other.
"""

from __future__ import annotations

#: Name -> Theme.hash. A test tells what to write here after a change.
SHIPPED = {
    "default": "b04314da0fac5616e9ba5c0e937e22d86c6bcbf69ba865b8234fae3964214c9c",
}


def is_shipped(theme_hash: str) -> bool:
    """Tell whether these are the files of a theme as it was shipped."""
    return theme_hash in SHIPPED.values()
