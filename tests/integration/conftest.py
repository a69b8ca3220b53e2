"""What integration tests share: the system's browser, driven from node."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
MODULES = REPOSITORY / "build" / "node" / "node_modules"


@pytest.fixture(scope="session")
def browser() -> dict[str, str]:
    """Give the environment for the browser; without one skip, but never in CI."""
    missing = []
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        missing.append("chromium")
    node = shutil.which("node")
    if node is None:
        missing.append("node")
    missing += [
        f"{MODULES / name}"
        for name in ("playwright-core", "axe-core")
        if not (MODULES / name).is_dir()
    ]
    if missing:
        reason = f"not installed: {', '.join(missing)}"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}, and CI runs every test")
        pytest.skip(reason)
    return {
        **os.environ,
        "CHROMIUM": str(chromium),
        "NODE": str(node),
        "NODE_MODULES": str(MODULES),
    }
