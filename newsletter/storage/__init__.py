"""The store: one database is one newsletter."""

from __future__ import annotations

from newsletter.storage.addresses import address_key
from newsletter.storage.migrating import Migration
from newsletter.storage.opening import (
    Store,
    backup,
    is_there,
    migrate,
    open_scratch,
    open_store,
    open_to_look,
)

__all__ = [
    "Migration",
    "Store",
    "address_key",
    "backup",
    "is_there",
    "migrate",
    "open_scratch",
    "open_store",
    "open_to_look",
]
