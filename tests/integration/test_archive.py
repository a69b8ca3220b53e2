"""The lists of an outbox: by day, by month, by reader, for all who share it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from html import unescape
from itertools import pairwise
from pathlib import Path

import pytest

from newsletter.assembling import assemble
from newsletter.delivery import Outbox
from newsletter.delivery.files import clear_outbox
from newsletter.delivery.shelves import MOST, Shelf, reader_of
from newsletter.errors import TransientDeliveryError
from newsletter.model import Message
from newsletter.rendering import load_renderer
from tests.support.issues import NEWSLETTER, FixedClock, issue, match

RENDERER = load_renderer("default", folders=())
LIST = NEWSLETTER.list_id
FIRST = date(2026, 3, 5)
#: One mail, whose key, reader and subject are replaced: rendering is not what
#: is tested here.
MODEL = assemble(issue([match(1, "Subject 0000")], more=0), renderer=RENDERER).content


def letter(
    number: int, day: date = FIRST, reader: str = "ada", list_id: str = LIST
) -> Message:
    content = (
        MODEL.replace(b"Subject 0000", f"Subject {number:04}".encode())
        .replace(b"Ada <ada@example.org>", f"R <{reader}@example.org>".encode())
        .replace(b"<daily-papers.example.org>", f"<{list_id}>".encode())
    )
    return Message(
        key=f"{number:032x}",
        envelope_from="digest@example.org",
        envelope_to=f"{reader}@example.org",
        content=content,
        day=day,
        shown=number % 12,
    )


def put(
    folder: Path, *letters: Message, list_id: str = LIST, title: str = "Papers"
) -> Outbox:
    box = Outbox(folder, clock=FixedClock(), title=title, list_id=list_id)
    list(box.send(letters))
    box.close()
    return box


def lists(folder: Path, list_id: str = LIST) -> Path:
    return folder / "archive" / list_id


def subjects(page: Path) -> list[int]:
    return [int(n) for n in re.findall(r">Subject (\d{4})</a>", page.read_text())]


def links(page: Path) -> dict[str, Path]:
    """Return the files that a page leads to, by the words of the link."""
    found = re.findall(
        r'<a [^>]*?href="([^"#]+)[^"]*"[^>]*>(.*?)</a>', page.read_text()
    )
    return {unescape(words): (page.parent / to).resolve() for to, words in found}


def walk(page: Path, words: str) -> Iterator[Path]:
    """Yield *page*, and those that the link *words* leads to, one after another."""
    while True:
        yield page
        further = links(page).get(words)
        if further is None:
            return
        page = further


def stamps(folder: Path) -> dict[Path, int]:
    return {x: x.stat().st_ino for x in folder.rglob("*") if x.is_file()}


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an outbox of 330 mails: 30 days, 11 readers each, over two months."""
    folder = tmp_path_factory.mktemp("full")
    days = [date(2026, 3, 20) + timedelta(days=n) for n in range(30)]
    for number, day in enumerate(days):
        ours = (letter(11 * number + n, day, f"r{n:02}") for n in range(11))
        put(folder, *ours)
    return folder


def test_every_link_of_every_page_leads_to_a_file(full: Path) -> None:
    pages = list(full.rglob("*.html"))
    assert len(pages) > 330
    for page in pages:
        for words, to in links(page).items():
            assert to.is_file(), (page, words)


def test_every_issue_stands_once_in_its_month_newest_first(full: Path) -> None:
    found: list[int] = []
    for month, pages in (("2026-04", 2), ("2026-03", 2)):
        newest = lists(full) / f"{month}-{pages}.html"
        walked = list(walk(newest, "Older page"))
        assert len(walked) == pages
        assert list(walk(walked[-1], "Newer page")) == walked[::-1]
        for page in walked:
            found += subjects(page)
    days = [number // 11 for number in found]
    assert days == sorted(days, reverse=True)
    assert sorted(found) == list(range(330))


def test_the_front_tells_the_newest_the_months_and_the_readers(full: Path) -> None:
    front = full / "index.html"
    assert subjects(front) == [
        number for day in range(29, 20, -1) for number in range(11 * day, 11 * day + 11)
    ] + [220]
    text = front.read_text()
    assert "The newest 100; all of them" in text
    assert "198 issues, on 2 pages" in text
    assert "132 issues, on 2 pages" in text
    assert links(front)["April 2026"] == lists(full).resolve() / "2026-04-2.html"
    same = lists(full) / "index.html"
    assert subjects(same) == subjects(front)


def test_a_reader_has_a_page_of_their_own_issues_alone(full: Path) -> None:
    front = full / "index.html"
    page = links(front)["R <r03@example.org>"]
    assert subjects(page) == [11 * day + 3 for day in range(29, -1, -1)]
    assert "30 issues, newest first" in page.read_text()


def test_mails_lead_to_the_next_of_all_and_the_next_of_their_reader(full: Path) -> None:
    newest = full / "2026-04-18" / f"{11 * 29:032x}.html"
    every = [int(page.stem, 16) for page in walk(newest, "Older")]
    assert sorted(every) == list(range(330))
    assert [n // 11 for n in every] == sorted((n // 11 for n in every), reverse=True)
    own = list(walk(newest, "Their previous"))
    assert [int(page.stem, 16) for page in own] == [11 * n for n in range(29, -1, -1)]
    for younger, older in pairwise(own):
        assert links(older)["Their next"] == younger.resolve()


def test_one_mail_more_costs_a_handful_of_pages_however_many_there_are(
    full: Path, tmp_path: Path
) -> None:
    box = tmp_path / "box"
    shutil.copytree(full, box)
    before = stamps(box)
    put(box, letter(1000, date(2026, 4, 18), "r05"))
    changed = {p for p, node in stamps(box).items() if before.get(p) != node}
    told = sorted(path.relative_to(box).as_posix() for path in changed)
    # The mail and its page, those before and after it in two lists, and of each
    # list one page; the front twice, what it holds, and no page of readers.
    assert len(told) <= 11, told
    assert not [name for name in told if "readers-" in name]


def test_a_mail_that_comes_late_takes_its_place_by_day(tmp_path: Path) -> None:
    put(tmp_path, letter(1, date(2026, 3, 1)), letter(3, date(2026, 3, 3)))
    put(tmp_path, letter(2, date(2026, 3, 2)))
    assert subjects(tmp_path / "index.html") == [3, 2, 1]
    for number, beside in ((1, 2), (3, 2), (2, 3)):
        page = tmp_path / f"2026-03-0{number}" / f"{number:032x}.html"
        assert f"2026-03-0{beside}/{beside:032x}.html" in page.read_text()


def test_newsletters_that_share_an_outbox_leave_each_other_alone(
    tmp_path: Path,
) -> None:
    put(tmp_path, letter(1))
    first = stamps(lists(tmp_path))
    other = letter(2, list_id="other.example.org")
    put(tmp_path, other, list_id="other.example.org", title="Other & more")
    assert stamps(lists(tmp_path)) == first
    way_in = links(tmp_path / "index.html")
    assert list(way_in) == ["Papers", "Other & more"]
    assert subjects(way_in["Papers"]) == [1]
    assert subjects(way_in["Other & more"]) == [2]
    # Made again from the mails, each finds its own.
    shutil.rmtree(tmp_path / "archive")
    put(tmp_path, letter(3))
    assert subjects(tmp_path / "index.html") == [3, 1]


@pytest.mark.parametrize("lost", ["archive", f"archive/{LIST}/contents.json"])
def test_lists_that_are_lost_are_made_again_from_the_mails(
    tmp_path: Path, lost: str
) -> None:
    put(tmp_path, letter(1), letter(2, date(2026, 4, 1), "bob"))
    path = tmp_path / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    put(tmp_path, letter(3, date(2026, 4, 2)))
    assert subjects(tmp_path / "index.html") == [3, 2, 1]
    assert subjects(lists(tmp_path) / "2026-03-1.html") == [1]
    assert list(links(lists(tmp_path) / "readers-1.html"))[1:] == [
        "R <ada@example.org>",
        "R <bob@example.org>",
    ]


def test_what_a_killed_run_wrote_is_listed_by_the_next(tmp_path: Path) -> None:
    put(tmp_path, letter(1))
    box = Outbox(tmp_path, clock=FixedClock(), title="Papers", list_id=LIST)
    list(box.send([letter(2), letter(3)]))
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        check=True,
        capture_output=True,
        text=True,
    )
    # As if another process had sent those, and was killed before it closed.
    notes = lists(tmp_path)
    (notes / f".writing.{os.getpid()}").rename(
        notes / f".writing.{ended.stdout.strip()}"
    )
    put(tmp_path, letter(4))
    assert sorted(subjects(tmp_path / "index.html")) == [1, 2, 3, 4]
    assert not list(notes.glob(".writing.*"))
    # Killed between lists and pages: no row comes twice.
    (tmp_path / "2026-03-05" / f"{3:032x}.html").unlink()
    (notes / f".writing.{ended.stdout.strip()}").touch()
    put(tmp_path, letter(5))
    assert sorted(subjects(tmp_path / "index.html")) == [1, 2, 3, 4, 5]
    assert (tmp_path / "2026-03-05" / f"{3:032x}.html").exists()


def test_a_mail_whose_file_was_taken_keeps_its_page(tmp_path: Path) -> None:
    put(tmp_path, letter(1))
    mail = tmp_path / "2026-03-05" / f"{1:032x}.eml"
    mail.unlink()
    put(tmp_path, letter(2))
    assert sorted(subjects(tmp_path / "index.html")) == [1, 2]
    assert mail.with_suffix(".html").exists()


def test_many_readers_stand_by_address_on_pages_that_say_where_to_look(
    tmp_path: Path,
) -> None:
    many = [letter(n, reader=f"r{n:03}") for n in range(0, 500, 2)]
    put(tmp_path, *many)
    put(tmp_path, letter(1, reader="r001"), letter(999, reader="zoe"))
    first = lists(tmp_path) / "readers-1.html"
    text = first.read_text()
    assert "252 in all" in text
    ranges = [x for x in links(first) if " to " in x]
    assert ranges == [
        "r000@example.org to r396@example.org",
        "r398@example.org to zoe@example.org",
    ]
    every = [
        found
        for page in walk(first, "Next page")
        for found in re.findall(r"R &lt;(\w+)@", page.read_text())
    ]
    assert every == [f"r{n:03}" for n in sorted({*range(0, 500, 2), 1})] + ["zoe"]
    assert "All 252 readers" in (tmp_path / "index.html").read_text()


def test_a_reader_of_years_is_led_to_their_newest_page(tmp_path: Path) -> None:
    days = [date(2025, 1, 1) + timedelta(days=n) for n in range(2 * MOST + 5)]
    for start in range(0, len(days), 41):
        part = list(enumerate(days))[start : start + 41]
        put(tmp_path, *(letter(n, day) for n, day in part))
    page = lists(tmp_path) / "readers" / f"{reader_of('ada@example.org')}.html"
    walked = list(walk(page, "Older page"))
    assert [len(subjects(x)) for x in walked] == [5, MOST, MOST]
    assert [n for x in walked for n in subjects(x)] == list(range(len(days)))[::-1]


def test_a_forgotten_reader_is_in_no_list_and_the_others_stay(tmp_path: Path) -> None:
    letters = [letter(n, reader=("ada", "bob")[n % 2]) for n in range(2 * MOST)]
    box = put(tmp_path, *letters)
    box.forget({x.key for x in letters[::2]})
    for page in lists(tmp_path).rglob("*"):
        if page.is_file():
            assert "ada@example.org" not in page.read_text(), page
    assert "ada@example.org" not in (tmp_path / "index.html").read_text()
    pages = (lists(tmp_path) / f"2026-03-{n}.html" for n in (1, 2))
    assert sorted(x for page in pages for x in subjects(page)) == list(
        range(1, 2 * MOST, 2)
    )
    box.forget({"f" * 32})
    none = Outbox(tmp_path / "none", clock=FixedClock(), title="", list_id=LIST)
    none.forget({"f" * 32})
    assert not (tmp_path / "none").exists()


def test_lists_that_cannot_be_written_are_named_when_a_reader_is_forgotten(
    tmp_path: Path,
) -> None:
    box = put(tmp_path, letter(1))
    (tmp_path / "archive" / ".lock").unlink()
    (tmp_path / "archive" / ".lock").mkdir()
    with pytest.raises(TransientDeliveryError, match="still name the reader"):
        box.forget({letter(1).key})


def test_a_list_id_that_is_no_name_of_a_folder_gets_another(tmp_path: Path) -> None:
    strange = f"{'a-long-label.' * 20}example.org"
    put(tmp_path, letter(1), list_id=strange)
    (folder,) = (x for x in (tmp_path / "archive").iterdir() if x.is_dir())
    assert re.fullmatch("[0-9a-f]{32}", folder.name)
    assert subjects(tmp_path / "index.html") == [1]


def test_hostile_names_stay_text_in_every_list(tmp_path: Path) -> None:
    bad = letter(1)
    subject = '"><script>alert(1)</script>{{ 7*7 }}'
    given = f"Subject: {subject}".encode()
    content = bad.content.replace(b"Subject: Subject 0001", given)
    content = content.replace(b"R <ada@", b'"<b>\'data-row" <ada@')
    assert content != bad.content
    put(tmp_path, replace(bad, content=content))
    put(tmp_path, letter(2))
    for page in tmp_path.rglob("*.html"):
        text = page.read_text()
        assert "<script" not in text
        assert "<b>" not in text
        assert (
            'http-equiv="Content-Security-Policy" content="default-src \'none\'' in text
        )
    assert subject in unescape((tmp_path / "index.html").read_text())


def test_the_demo_clears_what_an_outbox_wrote_and_nothing_else(tmp_path: Path) -> None:
    put(tmp_path, letter(1))
    (tmp_path / "archive" / "mine").mkdir()
    (tmp_path / "archive" / "mine" / "notes.txt").write_text("keep")
    clear_outbox(tmp_path)
    kept = {x.name for x in tmp_path.rglob("*") if x.is_file()}
    assert kept == {".lock", "notes.txt"}


def test_the_last_page_is_found_among_thousands_by_halving(tmp_path: Path) -> None:
    for count in (0, 1, 2, 3, 7, 8, 9, 1000):
        folder = tmp_path / str(count)
        folder.mkdir()
        for number in range(1, count + 1):
            (folder / f"2026-03-{number}.html").touch()
        assert Shelf(folder, "2026-03").last == count
