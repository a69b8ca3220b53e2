"""Readers of four languages, by the command line alone."""

from __future__ import annotations

import re

from tests.support.project import Project

SOURCE = """
language = "ja"
theme = "{theme}"

[[sources]]
name = "notes"
kind = "feed"
path = "notes.xml"
first_days = 4000
"""
FEED = """<rss version="2.0"><channel><title>Notes</title>
<item><title>Mamba forgets</title><guid>1</guid><link>https://example.org/1</link>
<pubDate>04 May 2026 06:00:00 GMT</pubDate></item></channel></rss>"""
AT = "2026-05-04T12:00Z"
READERS = {
    "ada": ("en-GB", "Monday, 4 May 2026", "1 entry for you"),
    "bo": ("de", "Montag, 4. Mai 2026", "1 Eintrag für Sie"),
    "cy": ("ar", "الاثنين، 4 مايو 2026", "مادة واحدة لكم"),
    "di": (None, "2026年5月4日月曜日", "新着1件から1件をお届けします"),
    "ed": ("pt-BR", "Monday, May 4, 2026", "1 entry for you"),
}


def written(project: Project, theme: str) -> None:
    """Write a newsletter in *theme* whose readers name languages, or none."""
    readers = "".join(
        f'[[subscribers]]\naddress = "{name}@example.org"\n'
        + (f'language = "{language}"\n' if language else "")
        for name, (language, *_) in READERS.items()
    )
    project.write(SOURCE.format(theme=theme), readers)
    (project.root / "notes.xml").write_text(FEED, "utf-8")


def test_each_reader_gets_their_language_and_it_is_kept_with_the_issue(
    project: Project,
) -> None:
    written(project, "compact")
    project.run("run", "--everyone", "--at", AT)
    mails = project.mails()
    assert len(mails) == len(READERS)
    for key, mail in mails.items():
        _, day, count = READERS[str(mail["To"]).partition("@")[0]]
        for kind in ("plain", "html"):
            body = mail.get_body((kind,))
            assert body is not None
            assert day in body.get_content()
            assert count in body.get_content()
        path = next(project.outbox.glob(f"*/{key}.eml"))
        # Whatever the reader reads by now, a past issue is what it was.
        project.write_readers('[[subscribers]]\naddress = "ada@example.org"\n')
        shown = project.run("show", key)[0].encode()
        assert shown == path.read_bytes().replace(b"\r\n", b"\n")


def test_doctor_names_the_languages_that_have_no_words(project: Project) -> None:
    written(project, "default")
    out, _ = project.run("doctor", "--offline")
    assert re.findall("^note     language: (.*)$", out, re.MULTILINE) == [
        "there are no words in 'pt-BR': the frame of these mails is in English"
    ]
