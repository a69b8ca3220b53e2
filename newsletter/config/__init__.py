"""Settings from TOML and environment, read once; every mistake with its place."""

from __future__ import annotations

from newsletter.config.bundled import sample_folder, starter_folder
from newsletter.config.editing import add_source, add_sources, remove_source
from newsletter.config.settings import Delivery, Settings, load_settings, slug
from newsletter.config.signing import existing_secrets, secrets_of
from newsletter.config.subscribers import (
    load_subscribers,
    read_profile,
    read_reader,
)
from newsletter.config.trying import Mistake, Tried, try_profile
from newsletter.config.writing import profile_toml, reader_toml

__all__ = [
    "Delivery",
    "Mistake",
    "Settings",
    "Tried",
    "add_source",
    "add_sources",
    "existing_secrets",
    "load_settings",
    "load_subscribers",
    "profile_toml",
    "read_profile",
    "read_reader",
    "reader_toml",
    "remove_source",
    "sample_folder",
    "secrets_of",
    "slug",
    "starter_folder",
    "try_profile",
]
