"""Checks every link of the documentation and writes the command reference.

``python docs/build.py`` writes docs/reference/commands.md; with ``--check``
nothing is written, and a reference that is out of date is a mistake.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from newsletter.cli import cli

REPOSITORY = Path(__file__).resolve().parents[1]
REFERENCE = REPOSITORY / "docs" / "reference" / "commands.md"
HEAD = """\
# Commands

What `--help` says of each command; written by `make docs`.
"""
_FENCED = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def pages() -> tuple[Path, ...]:
    """Return every page there is."""
    return (*sorted(REPOSITORY.glob("*.md")), *sorted(REPOSITORY.glob("docs/**/*.md")))


def anchors(page: Path) -> frozenset[str]:
    """Return the names of a page's headings, as code hosts make them."""
    headings = _HEADING.findall(_FENCED.sub("", page.read_text("utf-8")))
    return frozenset(
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    )


def broken_links(page: Path) -> Iterator[str]:
    """Yield a sentence for every link of *page* to what is not there."""
    text = _CODE.sub("", _FENCED.sub("", page.read_text("utf-8")))
    for target in _LINK.findall(text):
        if _ELSEWHERE.match(target):
            continue
        name, _, anchor = target.partition("#")
        file = page if not name else (page.parent / name)
        if not file.exists():
            yield f"{page}: {target}: there is no such file"
        elif anchor and anchor not in anchors(file):
            yield f"{page}: {target}: no such heading"


def context_of(
    command: click.Command, name: str, parent: click.Context | None = None
) -> click.Context:
    """Return the context in which *command* is called *name*."""
    settings = command.context_settings
    return click.Context(
        command, info_name=name, parent=parent, terminal_width=80, **settings
    )


def commands(context: click.Context) -> Iterator[str]:
    """Yield a section for the command of *context* and for each below it."""
    command = context.command
    yield f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                yield from commands(context_of(below, name, context))


def reference() -> str:
    """Return the command reference."""
    return "\n".join((HEAD, *commands(context_of(cli, "newsletter"))))


def main(*, check: bool) -> int:
    """Write or check; return the exit code."""
    said = reference()
    mistakes = []
    if not check:
        REFERENCE.parent.mkdir(exist_ok=True)
        REFERENCE.write_text(said, "utf-8")
    elif not REFERENCE.exists() or REFERENCE.read_text("utf-8") != said:
        mistakes.append(f"{REFERENCE.relative_to(REPOSITORY)}: stale: run make docs")
    mistakes += [mistake for page in pages() for mistake in broken_links(page)]
    click.echo("\n".join([*mistakes, f"docs: {len(pages())} pages checked"]))
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
