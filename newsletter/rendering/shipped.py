"""Themes that come with the program, by the hash of their files.

They were judged by the tests before they were shipped, so no run has to. A
theme that was changed, here too, has another hash and is judged like any other.
"""

from __future__ import annotations

#: Name -> Theme.hash. A test tells what to write here after a change.
SHIPPED = {
    "compact": "dac47e4e68f86325fb0681412f515255f8f96031802ed06df813773e16453259",
    "default": "3a8dab72f18f89d0c68ba4cc0ad6a710007084bd0bda698cdb0ebc02b84ce8f7",
}


def is_shipped(theme_hash: str) -> bool:
    """Tell whether these are the files of a theme as it was shipped."""
    return theme_hash in SHIPPED.values()
