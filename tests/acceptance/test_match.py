"""``newsletter match``: the back-test as a person reads it."""

from __future__ import annotations

import os
import pty
import re
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from newsletter.matching.grammar import MAX_DEPTH, MAX_LENGTH
from tests.support.project import Project

AT = "2026-05-07T12:00Z"
FEED = """
[[sources]]
name = "notes"
kind = "feed"
path = "notes.xml"
first_days = 4000
"""
READERS = """
[[subscribers]]
address = "ada@example.org"
schedule = "daily 07:30"
interests = [
  "mamba",
  { query = "robot* AND kernels", name = "Robots", weight = 2 },
]
mutes = ["survey"]
"""
#: Day of May, title, description.
ENTRIES = (
    (4, "Mamba with fast kernels", "A linear layer."),
    (4, "A survey of mamba", "All of it, with kernels."),
    (5, "Mamba for robots", "A linear layer and its kernels."),
    (5, "Robots that fold", "Laundry."),
    (6, "Kernels of attention", "A linear layer."),
    (7, "Gardening", "A day in the garden."),
    (7, "Robots in the garden", "Weeding."),
    (7, "Weather", "Rain."),
)
QUERY = "mamba AND kernels -survey"
GOLDEN = """\
8 entries listed in 3 days, 2 matched (0.7 a day)

A day
  Mon 04 May     1  #
  Tue 05 May     1  #
  Wed 06 May     0
  Thu 07 May     0

The best
  1. Mamba with fast kernels
     4.25 = title: mamba 2.0 · title: kernels 2.0 · fresh 0.25
     https://example.org/0
  2. Mamba for robots
     3.32 = title: mamba 2.0 · summary: kernels 1.0 · fresh 0.32
     https://example.org/2

Nearly
     1 more without AND mamba
            Kernels of attention
     1 more without NOT survey
            A survey of mamba

Terms that may be added with OR
  "linear layer"  in 2 of 2, and in 1 of 6 others
"""


def rss() -> str:
    items = "".join(
        f"<item><title>{title}</title><link>https://example.org/{n}</link>"
        f"<guid>{n}</guid><pubDate>0{day} May 2026 12:00:00 GMT</pubDate>"
        f"<description>{text}</description></item>"
        for n, (day, title, text) in enumerate(ENTRIES)
    )
    return (
        '<rss version="2.0"><channel><title>Notes</title>'
        f"<link>https://example.org/</link>{items}</channel></rss>"
    )


@pytest.fixture
def notes(project: Project) -> Project:
    """A project in which the feed was read."""
    project.write(FEED, READERS)
    (project.root / "notes.xml").write_text(rss(), "utf-8")
    project.run("refresh", "--at", AT)
    return project


def in_terminal(project: Project, columns: int, arguments: Sequence[str]) -> str:
    """Return what a command prints on a terminal."""
    ours, theirs = pty.openpty()
    environ = {k: v for k, v in os.environ.items() if not k.startswith("NEWSLETTER_")}
    process = subprocess.Popen(  # noqa: S603 - our own command line
        [sys.executable, "-m", "newsletter", *arguments],
        cwd=project.root,
        env={**environ, "COLUMNS": str(columns), "TERM": "xterm"},
        stdout=theirs,
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            said += os.read(ours, 65536)
        except OSError:  # How Linux says that nobody writes any more.
            break
    os.close(ours)
    assert process.wait(timeout=100) == 0
    return said.decode().replace("\r\n", "\n")


def test_a_query_is_told_whole(notes: Project) -> None:
    out, err = notes.run("match", QUERY, "--days", "3", "--at", AT)
    assert err == ""
    assert out == GOLDEN


def test_a_terminal_shows_the_same_within_its_width(notes: Project) -> None:
    arguments = ("match", QUERY, "--days", "3", "--at", AT)
    wide, narrow = (in_terminal(notes, n, arguments) for n in (120, 40))
    assert "\x1b[" in wide
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", text) for text in (wide, narrow)]
    assert plain[0].replace("█", "#") == GOLDEN
    assert max(map(len, plain[1].splitlines())) <= 40
    assert " ".join(plain[1].split()) == " ".join(plain[0].split())


def test_a_readers_parts_are_told_apart(notes: Project) -> None:
    out, _ = notes.run("match", "--subscriber", "ada@example.org", "--at", AT)
    assert "8 entries listed in 30 days, 2 matched (0.1 a day)" in out
    assert "     for mamba, Robots\n" in out
    assert (
        "What each interest brought\n"
        "     2  (1 alone)     mamba\n"
        "     1  (0 alone)     Robots\n"
        "\n"
        "What each mute took away\n"
        "     1  (1 alone)     survey\n"
        "\n"
        "Nearly\n"
    ) in out
    assert "  2 more without AND kernels  (in Robots)\n" in out
    assert "  1 more without the mute survey\n            A survey of mamba\n" in out
    assert "  for mamba\n" in out


def test_json_has_all_of_it(notes: Project) -> None:
    found = notes.json("match", "--subscriber", "ada@example.org", "--at", AT)
    assert (found["weighed"], found["matched"]) == (8, 2)
    assert len(found["per_day"]) == 31
    assert found["per_day"]["2026-05-05"] == 1
    assert found["matches"][0]["interests"] == ["mamba", "Robots"]
    assert found["interests"] == [
        {"query": "mamba", "entries": 2, "alone": 1},
        {"query": "Robots", "entries": 1, "alone": 0},
    ]
    assert found["mutes"] == [{"query": "survey", "entries": 1, "alone": 1}]
    assert {
        "what": "the mute survey",
        "within": "",
        "more": 1,
        "titles": ["A survey of mamba"],
    } in found["nearly"]
    mamba, robots = found["suggested"]
    assert (mamba["interest"], robots["terms"]) == ("mamba", [])
    assert [term["text"] for term in mamba["terms"]] == ['"linear layer"']
    assert found["absent"] == []


def test_a_reader_of_the_file_is_known_before_the_first_run(notes: Project) -> None:
    assert notes.json("subscribers", "list") == []
    found = notes.json("match", "--subscriber", "Ada@example.org", "--at", AT)
    assert found["matched"] == 2


def test_many_days_are_told_by_the_week(notes: Project) -> None:
    out, _ = notes.run("match", "mamba", "--days", "100", "--at", AT)
    assert "A week, from Monday\n" in out
    assert "  Mon 04 May     3  ###\n" in out


def test_nothing_matched_says_why(notes: Project) -> None:
    out, _ = notes.run("match", "mambo AND robot*", "--at", AT)
    assert out == (
        "8 entries listed in 30 days, 0 matched (0.0 a day)\n"
        "mambo does not occur at all; look at its spelling\n"
        "\n"
        "Nearly\n"
        "     3 more without AND mambo\n"
        "            Robots in the garden\n"
    )


def test_an_empty_archive_says_what_to_do(project: Project) -> None:
    project.write("", "")
    out, _ = project.run("match", "mamba", "--at", AT)
    assert "0 entries listed in 30 days" in out
    assert "newsletter refresh" in out
    assert project.json("match", "mamba", "--at", AT)["matches"] == []


def test_nobody_of_that_address_says_where_to_look(notes: Project) -> None:
    _, err = notes.run("match", "--subscriber", "eve@example.org", code=2)
    assert "eve@example.org" in err
    assert "newsletter subscribers list" in err
    _, err = notes.run("match", code=2)
    assert "--subscriber" in err


@pytest.mark.parametrize(
    ("query", "place", "cure"),
    [
        ("", 1, "write a word"),
        ("*", 1, "expected a letter or a digit"),
        ('""', 2, "expected a letter or a digit"),
        ("NOT survey", 1, "make a mute of it: survey"),
        ("mamba AND", 10, "expected a word or a phrase"),
        ("colour:red", 1, "expected title:"),
        ("(" * 200 + "mamba" + ")" * 200, MAX_DEPTH + 1, f"more than {MAX_DEPTH}"),
        ("mamba " * MAX_LENGTH, 61, f"longer than {MAX_LENGTH} characters; divide"),
    ],
)
def test_a_query_that_cannot_be_tried_is_refused_with_place_and_cure(
    project: Project, query: str, place: int, cure: str
) -> None:
    project.write("", "")
    before = project.files()
    _, err = project.run("match", query, code=2)
    assert f"(at character {place} of" in err
    assert cure in err
    assert project.files() == before


def test_what_is_within_the_limits_is_tried(notes: Project) -> None:
    many = " ".join(f"word{n}" for n in range(500)) + " mamba"
    assert notes.json("match", many, "--at", AT)["matched"] == 3
    longest = ("mamba " * MAX_LENGTH)[:MAX_LENGTH].rstrip()
    assert notes.json("match", longest, "--at", AT)["matched"] == 3
    deep = "(robots OR " * MAX_DEPTH + "mamba" + ")" * MAX_DEPTH
    assert notes.json("match", deep, "--at", AT)["matched"] == 5
    both = "(robots AND " * MAX_DEPTH + "mamba" + ")" * MAX_DEPTH
    assert notes.json("match", both, "--at", AT)["matched"] == 1


@pytest.mark.long
def test_a_month_of_real_papers_is_tried_soon(project: Project, shared: Path) -> None:
    papers = shared / "corpus" / "papers.jsonl.gz"
    project.write(
        "[fetch]\nmax_bytes = 100_000_000\n[[sources]]\nname = 'papers'\n"
        f"kind = 'files'\npath = '{papers}'\nfirst_days = 4000\nmax_new = 100_000\n"
    )
    at = ("--at", "2026-05-29T12:00Z")
    project.run("refresh", *at)
    before = seconds_of_children()
    found = project.json("match", 'title:mamba OR "state space model*"', *at)
    # Usually 1.3 seconds; of the processor, whatever else the machine does.
    assert seconds_of_children() - before < 3
    assert (found["weighed"], found["matched"]) == (7590, 52)
    (suggested,) = found["suggested"]
    assert suggested["terms"][0]["text"] == "ssm"


def seconds_of_children() -> float:
    """Return what processes that ended have taken of the processor."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_days_without_a_match_take_one_line(notes: Project) -> None:
    out, _ = notes.run("match", QUERY, "--days", "20", "--at", AT)
    assert "A day\n  17 days without a match\n  Mon 04 May     1  #\n" in out
    weeks, _ = notes.run("match", QUERY, "--days", "120", "--at", AT)
    assert "weeks without a match\n  Mon 04 May     2  ##\n" in weeks
