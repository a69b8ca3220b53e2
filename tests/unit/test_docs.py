"""The documentation: every link leads somewhere, every command is described."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs import build
from newsletter.cli import cli


@pytest.mark.parametrize(
    ("link", "mistakes"),
    [
        ("[a](README.md)", 0),
        ("[a](#a-good-heading)", 0),
        ('[a](README.md#a-good-heading "with a title")', 0),
        ("[a](https://example.org/x#y) [b](mailto:a@example.org)", 0),
        ("`[a](gone.md)`\n\n```\n[a](gone.md)\n```", 0),
        ("[a](gone.md)", 1),
        ("[a](#gone)", 1),
        ("![a](gone.png) [b](README.md#gone)", 2),
    ],
)
def test_a_link_leads_somewhere(tmp_path: Path, link: str, mistakes: int) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"# A `good` heading!\n\n{link}\n", "utf-8")
    assert len(list(build.broken_links(page))) == mistakes


def test_no_link_of_ours_is_broken() -> None:
    assert not [m for page in build.pages() for m in build.broken_links(page)]


def test_every_command_is_in_the_reference() -> None:
    written = build.REFERENCE.read_text("utf-8")
    for name in cli.list_commands(build.context_of(cli, "newsletter")):
        assert f"\n## newsletter {name}\n" in written
    assert written == build.reference(), "run make docs"
