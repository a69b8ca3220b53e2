"""Themes to judge: the packaged default, and copies of it with one fault each."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

PACKAGED = Path(__file__).resolve().parents[2] / "templates" / "default"
BODY, PARTS, TEXT = "body.mjml.j2", "parts.html.j2", "body.txt.j2"
SUBJECT, SETTINGS = "subject.txt.j2", "theme.toml"
#: A place of the HTML part within an mj-text, once in every mail.
HERE = "{{ issue.date }}</p>"
#: The same of the text part.
THERE = "{{ issue.date | wrap }}"
#: Within the body, between sections.
BETWEEN = "    <mj-section>\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One change to the default theme."""

    file: str
    old: str
    new: str

    def line(self) -> int:
        """Return the line of the file on which the change begins."""
        text = (PACKAGED / self.file).read_text("utf-8")
        return text[: text.index(self.old)].count("\n") + 1


def plant(folder: Path, *changes: Planted, name: str = "mine") -> Path:
    """Make *folder*/*name*, the default theme with *changes*."""
    theme = folder / name
    shutil.copytree(PACKAGED, theme)
    for change in changes:
        file = theme / change.file
        text = file.read_text("utf-8")
        assert change.old in text, change
        file.write_text(text.replace(change.old, change.new, 1), "utf-8")
    return theme


def body(new: str, old: str = HERE) -> Planted:
    """Return a change to the HTML part."""
    return Planted(file=BODY, old=old, new=new)
