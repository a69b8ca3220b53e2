"""More readers than are prepared one by one, by the command line."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from newsletter.matching.chunks import COMPILER_VERSION
from tests.support.project import Project

READERS = 230
BLOG = """
[[sources]]
name = "blog"
kind = "feed"
path = "blog.xml"
first_days = 4000
"""


def item(number: int) -> str:
    word = "mamba" if number % 2 else "diffusion"
    return (
        f"<item><title>Post {number} about {word}</title>"
        f"<link>https://blog.example/{number}</link><guid>{number}</guid>"
        f"<pubDate>{number % 4 + 1:02} May 2026 06:00:00 GMT</pubDate></item>"
    )


def feed(*numbers: int) -> str:
    return (
        '<rss version="2.0"><channel><title>Blog</title>'
        "<link>https://blog.example/</link>"
        f"{''.join(map(item, numbers))}</channel></rss>"
    )


def reader(number: int) -> str:
    word = ("mamba", "diffusion", "weather")[number % 3]
    return f"""
[[subscribers]]
address = "reader-{number}@example.org"
interests = ["{word}", "title:nothing{number % 7}"]
"""


@pytest.mark.long
def test_many_readers_get_theirs_and_a_damaged_chunk_is_named(
    project: Project,
) -> None:
    project.write(BLOG, "".join(map(reader, range(READERS))))
    blog = project.root / "blog.xml"
    blog.write_text(feed(*range(10)), "utf-8")
    out, err = project.run("prepare", "--everyone", "--at", "2026-05-05T12:00Z")
    # `prepare` asks no source, so there is nothing yet.
    assert "nothing for reader-0@example.org" in out
    out, err = project.run("refresh", "--at", "2026-05-05T12:30Z")
    out, err = project.run("prepare", "--everyone", "--at", "2026-05-05T13:00Z")
    assert err == ""
    assert "for reader-0@example.org: 10 new, 5 matched, 5 shown" in out
    assert "nothing for reader-2@example.org: 10 new, 0 matched" in out

    (database,) = project.root.rglob("newsletter.db")
    with closing(sqlite3.connect(database)) as raw, raw:
        compilers = raw.execute("SELECT compiler FROM profile_chunks").fetchall()
        # The other half of the number is the acronyms': there are none.
        assert compilers == [(COMPILER_VERSION << 32,)]
        raw.execute("UPDATE profile_chunks SET data = substr(data, 1, 99)")
    blog.write_text(feed(*range(10, 14)), "utf-8")
    project.run("refresh", "--at", "2026-05-06T12:00Z")
    out, err = project.run("prepare", "--everyone", "--at", "2026-05-06T13:00Z")
    assert "for reader-0@example.org: 4 new, 2 matched, 2 shown" in out
    assert "were made again from the queries" in err
