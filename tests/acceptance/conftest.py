"""What acceptance tests share: project folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Give an empty project folder."""
    return Project(root=tmp_path)


@pytest.fixture
def make_project(tmp_path: Path) -> Callable[[str], Project]:
    """Give a way to make several project folders."""

    def make(name: str) -> Project:
        root = tmp_path / name
        root.mkdir()
        return Project(root=root)

    return make
