"""A site that renames everything, as the operator and a reader meet it."""

from __future__ import annotations

import pytest

from tests.support.project import Project

BLOG = """
[[sources]]
name = "blog"
kind = "feed"
path = "blog.xml"
first_days = 4000
"""
READER = """
[[subscribers]]
address = "ada@example.org"
schedule = "daily 07:30"
"""


def rss(*items: str) -> str:
    return (
        '<rss version="2.0"><channel><title>Blog</title>'
        f"<link>https://blog.example/</link>{''.join(items)}</channel></rss>"
    )


def post(number: int, *, host: str = "http://blog.example", text: str = "") -> str:
    """Return a post, whose guid is below *host*, and so its link if it has a text."""
    link = f"{host if text else 'https://blog.example'}/{number}"
    return (
        f"<item><title>Post {number}</title><link>{link}</link>"
        f"<guid>{host}/?p={number}</guid><description>{text or number}</description>"
        f"<pubDate>{number % 4 + 1:02} May 2026 06:00:00 GMT</pubDate></item>"
    )


@pytest.mark.long
def test_a_site_that_renames_everything_reaches_nobody_twice(project: Project) -> None:
    project.write(BLOG, READER)
    feed = project.root / "blog.xml"

    def run(day: int, *items: str) -> tuple[str, str, int]:
        """Return what a run said, and how many mails there are by then."""
        feed.write_text(rss(*items), "utf-8")
        out, err = project.run("run", "--everyone", "--at", f"2026-05-{day:02}T12:00Z")
        return out, err, len(project.mails())

    _, _, mails = run(4, *(post(n) for n in range(12)))
    assert mails == 1
    moved = [post(n, host="https://blog.example") for n in range(12)]
    out, err, mails = run(5, *moved)
    assert "0 new, 12 known, 12 known by another guid" in out
    assert (err, mails) == ("", 1)

    rewritten = [post(n, host="https://new.example", text="Anew") for n in range(12)]
    out, err, mails = run(6, *rewritten, post(50, text="Real news"))
    assert "12 held" in out
    assert "12 of 13 new entries are held: 12 bear a title or link that" in err
    assert "`newsletter sources release blog`" in err
    assert "`newsletter sources drop blog`" in err
    assert mails == 2
    said, _ = project.run("status")
    assert "held:    12 listings of blog: `newsletter sources release blog`" in said
    said, _ = project.run("doctor")
    assert "12 listings are held: it looked like a flood" in said

    assert "12 listings" in project.run("sources", "drop", "blog")[0]
    out, err, mails = run(7, *rewritten, post(50, text="Real news"))
    assert "0 new, 13 known" in out
    assert (err, mails) == ("", 2)

    # Years of it, dated when they were written.
    archive = [post(n).replace("May 2026", "May 2016") for n in range(100, 130)]
    _, err, mails = run(8, *archive, post(51, text="More news"))
    assert "30 of 31 new entries are held: 30 are more than 14 days older" in err
    assert mails == 3
    assert "30 listings" in project.run("sources", "release", "blog")[0]
    _, _, mails = run(9, *archive)
    assert mails == 4
    assert run(10, *archive)[2] == 4
