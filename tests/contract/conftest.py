"""One body of tests over every database that a store can stand on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.storage import migrate, open_store
from tests.contract.world import SECRET, World


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of a database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'newsletter.db'}"
    return str(request.getfixturevalue("pg_database"))


@pytest.fixture
def world(url: str) -> Iterator[World]:
    """Return an empty store."""
    migrate(url)
    store = open_store(url, secret=SECRET)
    yield World(store=store)
    store.close()
