"""A kind of source of another package, as the documentation shows one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from docs.build import REPOSITORY
from tests.support import pages
from tests.support.project import Project
from tests.support.web import HttpServer

PAGE = REPOSITORY / "docs" / "how-to" / "own-kinds.md"
SOURCE = """
[fetch]
allow_private = ["{host}"]

[[sources]]
name = "rentals"
kind = "notices"
url = "{url}/notices.txt"
prefix = "Rent: "
"""


@pytest.fixture
def rentals(tmp_path: Path, http_server: HttpServer) -> Project:
    """Give a project beside which the package of the page is installed."""
    (code,) = [b.text for b in pages.blocks(PAGE) if b.kind == "python"]
    announced = next(b.text for b in pages.blocks(PAGE) if "entry-points" in b.text)
    site, root = tmp_path / "site", tmp_path / "project"
    info = site / "notices-1.0.dist-info"
    for folder in (site, info, root):
        folder.mkdir()
    (site / "notices.py").write_text(code, "utf-8")
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: notices\nVersion: 1.0\n"
    )
    # As an installer writes what pyproject.toml announces.
    entry = announced.splitlines()[1].replace('"', "")
    (info / "entry_points.txt").write_text(f"[newsletter.kinds]\n{entry}\n")
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    said = f"{today} Mamba <b>for</b> hire\nno day\n"
    http_server.routes["/notices.txt"] = lambda _: (200, {}, said.encode())
    project = Project(root=root, environ={"PYTHONPATH": str(site)})
    project.write(SOURCE.format(host=http_server.host, url=http_server.url))
    return project


def test_a_kind_of_another_package_brings_entries(rentals: Project) -> None:
    out, _ = rentals.run("sources", "check", "rentals")
    assert "rentals (notices)" in out
    assert "  1 entry\n" in out
    assert "not used: line 2: expected a day and a title" in out
    rentals.run("run", "--everyone")
    subjects = [str(mail["Subject"]) for mail in rentals.mails().values()]
    assert any("Rent: Mamba for hire" in subject for subject in subjects)


def test_its_keys_are_checked_like_any_other(rentals: Project) -> None:
    file = rentals.root / "config" / "newsletter.toml"
    text = file.read_text("utf-8")
    file.write_text(text + 'prefx = "x"\n', "utf-8")
    _, err = rentals.run("status", code=2)
    assert (
        "config/newsletter.toml:14: sources[1].prefx: a source of kind 'notices' has"
        " no such key; did you mean prefix?" in err
    )
    file.write_text(text.replace('"Rent: "', "7"), "utf-8")
    _, err = rentals.run("status", code=2)
    assert "newsletter.toml:13: sources[1].prefix: expected text in quotes" in err


def test_without_the_package_the_kind_is_not_there(rentals: Project) -> None:
    alone = Project(root=rentals.root)
    _, err = alone.run("status", code=2)
    assert 'there is no kind "notices"; expected "arxiv" or "feed" or "files" or' in err
