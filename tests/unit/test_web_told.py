"""What the preview says of a mail that it sent."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.config import load_settings
from newsletter.model import IssueState, Outcome
from newsletter.web.told import told_of

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "reason", "words", "is_trouble"),
    [
        (IssueState.WRITTEN, None, "Written for editor@example.org into", False),
        (IssueState.SENT, None, "Sent to editor@example.org: localhost:587", False),
        (IssueState.UNKNOWN, "it broke off", "Perhaps sent to editor@", True),
        (IssueState.FAILED, "550 no", "Not sent to editor@example.org: 550 no", True),
        (IssueState.RETRY, None, "Not sent to editor@example.org: retry", True),
    ],
)
def test_each_outcome_is_said_in_words(
    state: IssueState, reason: str | None, words: str, is_trouble: bool, tmp_path: Path
) -> None:
    (tmp_path / "newsletter.toml").write_text(
        '[newsletter]\ntitle = "T"\nfrom = "t@example.org"\n'
        'preview_to = "editor@example.org"\n',
        "utf-8",
    )
    settings = load_settings(tmp_path, {}, kinds={})
    told = told_of(Outcome(key="0" * 32, state=state, at=AT, reason=reason), settings)
    assert words in told.text
    assert told.is_trouble is is_trouble
