"""What every tier shares: real servers on free ports, real data where it is.

What a machine lacks skips a test with its reason; where CI runs nothing is
skipped for that: it fails.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, make_url, text

from tests.support import postgres
from tests.support.project import cool
from tests.support.web import HttpServer

settings.register_profile(
    "house",
    # The same examples every time: a red run can be run again.
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("house")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """End what runs commands, before coverage is put together."""
    cool()


def missing(what: str) -> NoReturn:
    """Skip for something that this machine lacks; fail where CI runs."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}: it must be there where CI runs", pytrace=False)
    pytest.skip(what)


def beside(part: str) -> Path:
    """Return a part of the folder that lies beside the project, where it does."""
    usual = Path(__file__).parents[2] / "shared"
    folder = Path(os.environ.get("NEWSLETTER_SHARED") or usual) / part
    if not folder.is_dir():
        missing(f"there is no {folder} (set NEWSLETTER_SHARED)")
    return folder


@pytest.fixture(scope="session")
def shared() -> Path:
    """Give the folder of real feeds, papers and mails."""
    return beside("data")


@pytest.fixture(scope="session")
def judges() -> Path:
    """Give the folder of checkers that know nothing of our code."""
    return beside("judges")


@pytest.fixture
def http_server() -> Iterator[HttpServer]:
    """Give a real HTTP server whose answers the test sets."""
    with HttpServer() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Give the URL of a private PostgreSQL server."""
    if reason := postgres.why_not():
        missing(reason)
    with postgres.server() as url:
        yield url


@pytest.fixture
def pg_database(postgres_url: str) -> Iterator[str]:
    """Give the URL of an empty database of its own."""
    name = f"test_{uuid4().hex}"
    engine = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield (
        make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    )
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()
