"""Values of JSON rows, each read as what it should be, or as nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def string_of(row: Mapping[str, Any], name: str) -> str:
    """Return the text of that name; empty: there is none."""
    value = row.get(name)
    return value if isinstance(value, str) else ""


def instant_of(value: object) -> datetime | None:
    """Return an ISO 8601 instant, UTC; None: it is none."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value.strip())
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
