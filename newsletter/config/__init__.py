"""Settings from TOML and environment, read once; every mistake with its place."""

from __future__ import annotations

from newsletter.config.bundled import sample_folder, starter_folder
from newsletter.config.settings import Delivery, Settings, load_settings
from newsletter.config.signing import existing_secrets, secrets_of
from newsletter.config.subscribers import load_subscribers

__all__ = [
    "Delivery",
    "Settings",
    "existing_secrets",
    "load_settings",
    "load_subscribers",
    "sample_folder",
    "secrets_of",
    "starter_folder",
]
