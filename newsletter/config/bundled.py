"""Configurations that come with the product: the starter and the sample."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def starter_folder() -> Path:
    """Return the folder of a configuration to begin with.

    In a wheel it is packaged; in a checkout it is the repository's own.
    """
    packaged = _PACKAGE / "_config"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "config"


def sample_folder() -> Path:
    """Return the configuration folder of `newsletter demo`."""
    return starter_folder() / "demo"
