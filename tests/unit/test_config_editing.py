"""newsletter.toml changed in place: what it is not about stays byte for byte."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.config import add_source, remove_source
from newsletter.errors import ConfigError, NotFoundError
from newsletter.sources import KINDS

HEAD = """# My newsletter.

[newsletter]  # who
title = "T"
from = 'digest@example.org'
"""
TWO = """
# the lab
[[sources]]
name = "lab"   # ours
kind = "feed"
url = "https://lab.example.org/feed"
# tags come later

# the blog: keep it
[[sources]]
name = "blog"
kind = "feed"
url = "https://blog.example.org/feed"
tags = [
  "a",  # first
]
# after the blog

[log]
format = "text"
"""
TABLE = {"name": "new", "kind": "feed", "url": "https://new.example.org/"}


def write(folder: Path, text: str) -> Path:
    file = folder / "newsletter.toml"
    file.write_bytes(text.encode())
    return file


def add(folder: Path, table: dict[str, object] | None = None) -> tuple[str, ...]:
    after = add_source(folder, table or dict(TABLE), environ={}, kinds=KINDS)
    return tuple(source.name for source in after.sources)


def remove(folder: Path, name: str) -> tuple[str, ...]:
    after = remove_source(folder, name, environ={}, kinds=KINDS)
    return tuple(source.name for source in after.sources)


def test_a_source_goes_below_the_last_one(tmp_path: Path) -> None:
    file = write(tmp_path, HEAD + TWO)
    assert add(tmp_path) == ("lab", "blog", "new")
    new = (
        '\n\n[[sources]]\nname = "new"\nkind = "feed"\nurl = "https://new.example.org/"'
    )
    assert file.read_text() == (HEAD + TWO).replace(
        "\n]\n# after", "\n]" + new + "\n# after"
    )
    assert remove(tmp_path, "new") == ("lab", "blog")
    assert [x for x in file.read_text().split("\n") if x] == [
        x for x in (HEAD + TWO).split("\n") if x
    ]


def test_a_source_takes_its_own_lines_along_and_no_others_comment(
    tmp_path: Path,
) -> None:
    file = write(tmp_path, HEAD + TWO)
    assert remove(tmp_path, "lab") == ("blog",)
    assert file.read_text() == HEAD + TWO.replace(
        '[[sources]]\nname = "lab"   # ours\nkind = "feed"\n'
        'url = "https://lab.example.org/feed"\n',
        "",
    )
    assert remove(tmp_path, "blog") == ()
    said = file.read_text()
    for comment in ("# the lab", "# the blog: keep it", "# after the blog", "[log]"):
        assert comment in said


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (HEAD, HEAD + "\n"),
        (HEAD.rstrip("\n"), HEAD + "\n"),
        (HEAD + "\n\n\n", HEAD + "\n"),
    ],
)
def test_the_first_source_goes_to_the_end(
    tmp_path: Path, before: str, after: str
) -> None:
    file = write(tmp_path, before)
    assert add(tmp_path) == ("new",)
    assert file.read_text() == (
        f'{after}[[sources]]\nname = "new"\nkind = "feed"\n'
        'url = "https://new.example.org/"\n'
    )
    assert remove(tmp_path, "new") == ()
    assert file.read_text() == HEAD


def test_marks_line_ends_rights_and_links_stay(tmp_path: Path) -> None:
    there = tmp_path / "elsewhere.toml"
    text = "\ufeff" + (HEAD + TWO).replace("\n", "\r\n")
    there.write_bytes(text.encode())
    there.chmod(0o640)
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "newsletter.toml").symlink_to(there)
    add(folder)
    assert (folder / "newsletter.toml").is_symlink()
    said = there.read_bytes().decode()
    assert said.startswith("\ufeff#")
    assert said.count("\n") == said.count("\r\n")
    assert there.stat().st_mode & 0o777 == 0o640
    names = {path.name for path in folder.iterdir()}
    assert names == {".newsletter.toml.lock", "newsletter.toml"}


def test_a_source_that_would_be_a_mistake_changes_nothing(tmp_path: Path) -> None:
    file = write(tmp_path, HEAD + TWO)
    for table in (
        {**TABLE, "name": "blog"},
        {**TABLE, "kind": "pigeon"},
        {**TABLE, "settle": "soon"},
        {**TABLE, "colour": "red"},
    ):
        with pytest.raises(ConfigError, match=r"newsletter\.toml:\d+: sources\[3\]"):
            add(tmp_path, dict(table))
    assert file.read_text() == HEAD + TWO


def test_a_source_that_is_not_there_is_named_with_those_that_are(
    tmp_path: Path,
) -> None:
    file = write(tmp_path, HEAD + TWO)
    with pytest.raises(NotFoundError, match="no source 'x'; there are: lab, blog"):
        remove(tmp_path, "x")
    write(tmp_path, HEAD)
    with pytest.raises(NotFoundError, match="there are: none"):
        remove(tmp_path, "x")
    assert file.read_text() == HEAD


def test_sources_in_one_list_are_left_to_a_person(tmp_path: Path) -> None:
    inline = (
        'sources = [{ name = "a", kind = "feed", url = "https://a.example.org/" }]\n'
        + HEAD
    )
    file = write(tmp_path, inline)
    with pytest.raises(ConfigError, match=r"write each as a \[\[sources\]\] table"):
        add(tmp_path)
    with pytest.raises(ConfigError, match=r"write each as a \[\[sources\]\] table"):
        remove(tmp_path, "a")
    assert file.read_text() == inline


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no folder"):
        add(tmp_path / "none")


def test_a_file_that_cannot_be_replaced_stays_and_is_named(tmp_path: Path) -> None:
    file = write(tmp_path, HEAD)
    # Where the draft would go stands a folder.
    (tmp_path / f".newsletter.toml.{os.getpid()}.new").mkdir()
    with pytest.raises(ConfigError, match="cannot be changed: Is a directory; it is"):
        add(tmp_path)
    assert file.read_text() == HEAD


def test_a_file_that_is_read_only_is_left_alone(tmp_path: Path) -> None:
    file = write(tmp_path, HEAD)
    file.chmod(0o444)
    with pytest.raises(ConfigError, match="cannot be changed: it is read-only; it is"):
        add(tmp_path)
    assert file.read_text() == HEAD


def test_a_lock_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    write(tmp_path, HEAD)
    (tmp_path / ".newsletter.toml.lock").mkdir()
    with pytest.raises(ConfigError, match="cannot be changed"):
        add(tmp_path)


pieces = st.lists(
    st.sampled_from(
        [
            "# a comment",
            "",
            "   # indented",
            '[[sources]]\nname = "{n}"\nkind = "feed"\nurl = "https://e.example.org/{n}"',
            '[[sources]]\nname = "{n}" # x\nkind = "feed"\npath = "{n}"\n# in it\n'
            "tags = ['''a\nb''']".replace("a\nb", "ab"),
            '[[sources]]\n  name = "{n}"\n  kind = "feed"\n\n  path = """{n}"""',
        ]
    ),
    max_size=8,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces)
def test_every_line_of_the_author_survives(tmp_path: Path, written: list[str]) -> None:
    body = "\n".join(p.replace("{n}", f"s{n}") for n, p in enumerate(written))
    text = f"{HEAD}\n{body}\n"
    file = write(tmp_path, text)
    add(tmp_path)
    added = file.read_text().split("\n")
    rest = iter(added)
    assert all(line in rest for line in text.rstrip("\n").split("\n") if line)
    remove(tmp_path, "new")
    again = [line for line in file.read_text().split("\n") if line.strip()]
    assert again == [line for line in text.split("\n") if line.strip()]
