"""Kinds of source that other packages announce."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.errors import ConfigError
from newsletter.model import SourceSettings
from newsletter.sources import KINDS, _announced, make_source


@pytest.fixture
def announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Announce a kind whose module is not there, and one under a name of ours."""
    info = tmp_path / "half-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: half\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[newsletter.kinds]\nhalf = half_there:Half\nfeed = half_there:Feed\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    _announced.cache_clear()
    yield
    _announced.cache_clear()


@pytest.mark.usefixtures("announced")
def test_a_kind_that_cannot_be_loaded_is_a_mistake_with_its_place() -> None:
    assert "half" in KINDS
    settings = SourceSettings(name="s", kind="half", url="https://example.org/")
    with pytest.raises(ConfigError, match="'half' cannot be loaded from half_there"):
        make_source(settings)


@pytest.mark.usefixtures("announced")
def test_one_of_ours_cannot_be_replaced() -> None:
    settings = SourceSettings(name="s", kind="feed", url="https://example.org/")
    assert type(make_source(settings)).__module__ == "newsletter.sources.feed"
    assert len(KINDS) == len(list(KINDS))


def test_a_kind_that_nobody_announces_is_named() -> None:
    with pytest.raises(ConfigError, match="there is no kind 'nothing'"):
        make_source(SourceSettings(name="s", kind="nothing", url="x"))
