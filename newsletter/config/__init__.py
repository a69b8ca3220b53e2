"""Settings from TOML and environment, read once; every mistake with its place."""

from __future__ import annotations

from newsletter.config.bundled import sample_folder, starter_folder
from newsletter.config.settings import Delivery, Settings, load_settings
from newsletter.config.subscribers import load_subscribers

__all__ = [
    "Delivery",
    "Settings",
    "load_settings",
    "load_subscribers",
    "sample_folder",
    "starter_folder",
]
