from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from newsletter.assembling import assemble
from newsletter.delivery import Outbox
from newsletter.errors import DeliveryError, TransientDeliveryError
from newsletter.model import IssueState, Message, Outcome
from newsletter.rendering import load_renderer
from tests.support.issues import SLOT, FixedClock, hostile, issue

RENDERER = load_renderer("default", folders=())


def letter(number: int, day: date = date(2026, 3, 5), **fields: object) -> Message:
    slot = datetime(day.year, day.month, day.day, 7, 30, tzinfo=UTC)
    given = issue(key=f"{number:032x}", slot=slot, prepared_at=slot)
    given = replace(given, **fields)  # type: ignore[arg-type] # any field of it
    return assemble(given, renderer=RENDERER)


def outbox(folder: Path) -> Outbox:
    return Outbox(
        folder,
        clock=FixedClock(),
        title="Daily Papers",
        list_id="daily-papers.example.org",
    )


def put(box: Outbox, messages: Sequence[Message]) -> tuple[Outcome, ...]:
    return tuple(box.send(messages))


def names(folder: Path) -> set[str]:
    """Return every file but those of the lists."""
    found = (x.relative_to(folder) for x in folder.rglob("*") if x.is_file())
    return {path.as_posix() for path in found if path.parts[0] != "archive"}


def test_nothing_is_touched_before_the_first_mail(tmp_path: Path) -> None:
    outbox(tmp_path / "box").close()
    assert not (tmp_path / "box").exists()


def test_mails_land_under_day_and_key_with_pages_beside(tmp_path: Path) -> None:
    box = outbox(tmp_path / "deep" / "box")
    first, second = letter(1), letter(2, date(2026, 3, 6))
    outcomes = put(box, [first, second])
    assert [(o.key, o.state, o.at) for o in outcomes] == [
        (first.key, IssueState.WRITTEN, SLOT),
        (second.key, IssueState.WRITTEN, SLOT),
    ]
    folder = tmp_path / "deep" / "box"
    assert (folder / "2026-03-05" / f"{first.key}.eml").read_bytes() == first.content
    box.close()
    assert names(folder) == {
        "index.html",
        f"2026-03-05/{first.key}.eml",
        f"2026-03-05/{first.key}.html",
        f"2026-03-06/{second.key}.eml",
        f"2026-03-06/{second.key}.html",
    }


def test_a_mail_written_again_replaces_itself(tmp_path: Path) -> None:
    message = letter(1)
    for content in (b"old", message.content):
        box = outbox(tmp_path)
        put(box, [replace(message, content=content)])
        box.close()
    assert names(tmp_path) == {
        "index.html",
        f"2026-03-05/{message.key}.eml",
        f"2026-03-05/{message.key}.html",
    }
    page = (tmp_path / "2026-03-05" / f"{message.key}.html").read_text()
    assert "Mamba forgets on purpose" in page


def test_the_index_lists_newest_first_by_day(tmp_path: Path) -> None:
    box = outbox(tmp_path)
    put(
        box,
        [
            letter(1, address="b@example.org"),
            letter(2, address="a@example.org", name=""),
            letter(3, date(2026, 3, 7)),
        ],
    )
    box.close()
    index = (tmp_path / "index.html").read_text()
    assert re.findall(r"<h2><time [^>]*>(.*?)</time></h2>", index) == [
        "Saturday, 7 March 2026",
        "Thursday, 5 March 2026",
    ]
    keys = [
        int(key, 16) for key in re.findall(r'href="[^"]*/([0-9a-f]{32})\.html"', index)
    ]
    assert keys == [3, 1, 2]
    assert "Ada &lt;b@example.org&gt;" in index
    assert "3 issues, newest first" in index


def test_pages_lead_to_their_neighbours(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        box = outbox(tmp_path)
        put(box, [letter(number, date(2026, 3, number))])
        box.close()
    middle = (tmp_path / "2026-03-02" / f"{2:032x}.html").read_text()
    assert f'href="../2026-03-03/{3:032x}.html" rel="prev"' in middle
    assert f'href="../2026-03-01/{1:032x}.html" rel="next"' in middle


class Frame(HTMLParser):
    """Finds the frame that shows the mail."""

    def __init__(self) -> None:
        super().__init__()
        self.attributes: dict[str, str | None] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "iframe":
            self.attributes = dict(attrs)


def test_the_page_shows_the_mail_in_a_frame_without_rights(tmp_path: Path) -> None:
    box = outbox(tmp_path)
    put(box, [letter(1, name="<script>x</script>")])
    box.close()
    page = (tmp_path / "2026-03-05" / f"{1:032x}.html").read_text()
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in page
    assert "<script" not in page
    frame = Frame()
    frame.feed(page)
    assert frame.attributes["sandbox"] == "allow-popups allow-popups-to-escape-sandbox"
    shown = frame.attributes["srcdoc"] or ""
    mail = (tmp_path / "2026-03-05" / f"{1:032x}.eml").read_bytes()
    assert '<head><base target="_blank">' in shown
    assert "Mamba" in shown
    assert b"base target" not in mail


def test_files_of_others_do_not_break_the_index(tmp_path: Path) -> None:
    day = tmp_path / "2026-03-05"
    day.mkdir()
    (day / "notes.eml").write_text("not ours")
    (day / f"{9:032x}.eml").write_bytes(b"Date: never\r\n\r\n\xff")
    (day / f"{8:032x}.eml").write_bytes(b"")
    (tmp_path / "newsletter.db").write_bytes(b"")
    (tmp_path / "2026-03-06").write_text("a file named like a day")
    box = outbox(tmp_path)
    put(box, [letter(1)])
    box.close()
    index = (tmp_path / "index.html").read_text()
    assert "1 issue, newest first" in index
    assert "(no subject)" not in index
    assert "notes" not in index
    assert not (day / f"{9:032x}.html").exists()


@pytest.mark.parametrize("key", ["", "../etc", "A" * 32, "0" * 31])
def test_only_keys_become_names(tmp_path: Path, key: str) -> None:
    with pytest.raises(DeliveryError, match="is no issue key"):
        put(outbox(tmp_path), [replace(letter(1), key=key)])
    assert names(tmp_path) == set()


def test_what_a_killed_run_left_is_cleared_and_what_runs_is_spared(
    tmp_path: Path,
) -> None:
    day = tmp_path / "2026-03-05"
    day.mkdir()
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    spared = {
        f".x.eml.{os.getppid()}.tmp",
        ".x.eml.1.tmp",
        ".notes.tmp",
    }
    for name in (
        *spared,
        f".a.eml.{gone}.tmp",
        f".b.eml.{os.getpid()}.tmp",
        f".c.{10**30}.tmp",
    ):
        (day / name).write_text("half")
    put(outbox(tmp_path), [])
    assert {path.name for path in day.iterdir()} == spared


KILLED = """
import os, signal, sys
from pathlib import Path
from newsletter.delivery import files

def die(fd):
    os.kill(os.getpid(), signal.SIGKILL)

os.fdatasync = die
files.write_whole(Path(sys.argv[1]), b"x" * 1000)
"""


def test_a_kill_in_mid_write_leaves_no_partial_mail(tmp_path: Path) -> None:
    day = tmp_path / "2026-03-05"
    day.mkdir()
    target = day / f"{1:032x}.eml"
    command = [sys.executable, "-c", KILLED, str(target)]
    ended = subprocess.run(command, check=False)  # noqa: S603 - our own words
    assert ended.returncode < 0
    assert [path.suffix for path in day.iterdir()] == [".tmp"]
    box = outbox(tmp_path)
    put(box, [letter(1)])
    assert [path.name for path in day.iterdir()] == [target.name]


def test_a_mail_that_cannot_be_written_is_tried_again_and_the_rest_go(
    tmp_path: Path,
) -> None:
    (tmp_path / "2026-03-05" / f"{1:032x}.eml").mkdir(parents=True)
    first, second = put(outbox(tmp_path), [letter(1), letter(2)])
    assert first.state is IssueState.RETRY
    assert first.retry_at == SLOT + timedelta(minutes=5)
    assert f"{1:032x}.eml" in (first.reason or "")
    assert second.state is IssueState.WRITTEN
    assert not list(tmp_path.rglob(".*.tmp"))


def test_an_outbox_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "box").write_text("in the way")
    with pytest.raises(TransientDeliveryError, match=r"the outbox .*box takes no mail"):
        put(outbox(tmp_path / "box"), [letter(1)])


def test_a_day_that_is_a_file_stops_the_batch_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "2026-03-05").write_text("in the way")
    box = outbox(tmp_path)
    good, bad = letter(1, date(2026, 3, 4)), letter(2)
    outcomes = put(box, [good, bad])
    assert [o.state for o in outcomes] == [IssueState.WRITTEN, IssueState.RETRY]


def test_a_full_disk_stops_the_batch_and_is_named(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    day = tmp_path / "2026-03-05"
    day.mkdir()
    (day / f".{1:032x}.eml.{os.getpid()}.tmp").symlink_to(full)
    box = outbox(tmp_path)
    put(box, [])
    (day / f".{1:032x}.eml.{os.getpid()}.tmp").symlink_to(full)
    with pytest.raises(TransientDeliveryError, match="No space left on device"):
        put(box, [letter(1)])
    assert names(tmp_path) == set()


def test_an_index_that_cannot_be_written_is_an_error_that_says_the_mails_are_there(
    tmp_path: Path,
) -> None:
    (tmp_path / "index.html").mkdir()
    box = outbox(tmp_path)
    put(box, [letter(1)])
    with pytest.raises(TransientDeliveryError, match=r"its index\.html could not"):
        box.close()
    assert (tmp_path / "2026-03-05" / f"{1:032x}.eml").exists()


def test_a_hostile_mail_stays_within_its_page(tmp_path: Path) -> None:
    box = outbox(tmp_path)
    put(box, [letter(1, selection=issue([hostile()]).selection)])
    box.close()
    for page in tmp_path.rglob("*.html"):
        assert "<script" not in page.read_text()
