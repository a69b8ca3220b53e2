"""What other programs say of our mail."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.assembling import assemble
from newsletter.rendering import load_renderer
from tests.support.issues import NEWSLETTER, hostile, issue, rich, several

RENDERER = load_renderer("default", folders=())


def program(name: str) -> str:
    """Return where *name* is; without it skip, but never where CI runs."""
    found = shutil.which(name)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is not installed, and CI runs every test")
        pytest.skip(f"{name} is not installed")
    return found


def run(
    *command: str, given: bytes = b"", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # noqa: S603 - our own words, no shell
        command, input=given, env=env, capture_output=True, timeout=90, check=False
    )


def mail(**fields: object) -> bytes:
    now = datetime.now(UTC).replace(microsecond=0)
    given = replace(issue(several(), prepared_at=now), **fields)  # type: ignore[arg-type] # any field of it
    return assemble(given, renderer=RENDERER).content


def test_spamassassin_finds_little_to_say() -> None:
    ended = run(program("spamassassin"), "-L", "-t", given=mail())
    score = re.search(rb"X-Spam-Status: .*?score=(-?[\d.]+)", ended.stdout)
    assert score is not None
    assert float(score[1]) < 1.0, ended.stdout.decode(errors="replace")[-2000:]


def test_notmuch_shows_both_parts_and_the_subject(tmp_path: Path) -> None:
    notmuch = program("notmuch")
    box = tmp_path / "mail"
    box.mkdir()
    (box / "a.eml").write_bytes(mail())
    settings = tmp_path / "config"
    settings.write_text(
        f"[database]\npath={box}\n[user]\nprimary_email=a@example.org\n"
    )
    environ = {**os.environ, "NOTMUCH_CONFIG": str(settings), "HOME": str(tmp_path)}
    run(notmuch, "new", env=environ)
    command = (notmuch, "show", "--format=json", "--include-html", "*")
    shown = run(*command, env=environ).stdout
    message = json.loads(shown)[0][0][0]
    assert message["headers"]["Subject"].startswith("Mamba forgets on purpose")
    assert message["headers"]["To"] == "Ada <ada@example.org>"
    (body,) = message["body"]
    assert [part["content-type"] for part in body["content"]] == [
        "text/plain",
        "text/html",
    ]
    for part in body["content"]:
        assert "大规模语言模型的选择性遗忘" in part["content"]


@pytest.mark.parametrize(
    ("newsletter", "unsubscribe_url", "findings"),
    [
        (NEWSLETTER, "https://digest.example.org/u/x", []),
        (replace(NEWSLETTER, unsubscribe_mailto=None), None, ["no List-Unsubscribe"]),
        (
            replace(
                NEWSLETTER,
                title="Tägliche Aufsätze über Systeme, die vergessen können 大规模",
                from_name='Digest, "the" Zoë-and-a-name-that-goes-on-and-on',
                list_id=f"{'a-long-label.' * 12}example.org",
            ),
            f"https://digest.example.org/u/{'x' * 400}",
            [],
        ),
    ],
)
def test_the_independent_lint_finds_nothing(
    newsletter: object,
    unsubscribe_url: str | None,
    findings: list[str],
    tmp_path: Path,
    judges: Path,
) -> None:
    path = tmp_path / "a.eml"
    selection = issue([hostile(), rich()]).selection
    path.write_bytes(
        mail(
            newsletter=newsletter, unsubscribe_url=unsubscribe_url, selection=selection
        )
    )
    lint = judges / "mail_lint.py"
    ended = run(sys.executable, str(lint), str(path))
    assert ended.stderr == b""
    said = re.findall(r"^   - (.*)$", ended.stdout.decode(), re.MULTILINE)
    assert [line for line in said if not line.startswith("DKIM ")] == findings
