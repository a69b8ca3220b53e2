"""A new theme: a copy of another, with comments that say what each file is."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from newsletter.errors import ThemeError
from newsletter.rendering.shipped import SHIPPED
from newsletter.rendering.themes import (
    BODY_MJML,
    BODY_TEXT,
    SETTINGS,
    SUBJECT,
    Theme,
    check_name,
)

#: What stands at the head of each file of a new theme.
_HEADS = {
    SUBJECT: "The subject, one line. `issue` is all that a theme is given.",
    BODY_MJML: (
        "The HTML part: MJML with Jinja between elements, in text and in the values"
        " of attributes. It is compiled once; Jinja runs for each mail."
    ),
    BODY_TEXT: (
        "The text part: the same links as the HTML, in the same order; the filter"
        " wrap keeps lines under 79 columns."
    ),
}
_OTHER = "Macros that other files of the theme import."
_SETTINGS_HEAD = """\
# description: what people read who choose between themes.
# language: where the theme's words are of one language; dates are written in it.
# Without it each reader gets theirs: words in _("…") are looked up.
# images = true: images may be loaded from elsewhere, which tells who reads.
"""


def make_theme(name: str, *, like: Theme, folder: Path) -> Path:
    """Make the theme *name* in *folder*, like another; return its folder.

    Mails look the same in both until a file is changed.

    Args:
        name: Of the new folder.
        like: What is copied.
        folder: The operator's folder of themes; it may not be there yet.

    Raises:
        ThemeError: The name cannot be had, or the folder cannot be written.
    """
    check_name(name)
    target = folder / name
    if target.exists():
        raise ThemeError(
            f"{target} is there already, and stays as it is; take another name, or"
            " remove it first",
            file=name,
        )
    if name in SHIPPED:
        raise ThemeError(
            f"{name!r} is the name of a theme that comes with the program; take"
            " another name, so that both can be had",
            file=name,
        )
    try:
        _write(target, like)
    except OSError as exc:
        raise ThemeError(
            f"{target} cannot be written: {exc.strerror}; give yourself the right to"
            f" write into {folder}",
            file=name,
        ) from exc
    return target


def _write(target: Path, like: Theme) -> None:
    """Write all files aside first, so that a folder is there whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as scratch:
        made = Path(scratch) / target.name
        for file, text in like.files.items():
            place = made / file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(_headed(file, text), "utf-8")
        shutil.move(made, target)


def _headed(file: str, text: str) -> str:
    if file == SETTINGS:
        return text if text.startswith("#") else _SETTINGS_HEAD + text
    if not file.endswith(".j2") or text.startswith("{# "):
        return text
    # Jinja leaves out a comment and the end of its line: mails stay the same.
    return f"{{# {_HEADS.get(file, _OTHER)} #}}\n{text}"
