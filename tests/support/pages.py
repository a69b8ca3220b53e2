"""Pages of the documentation as scripts: what they say to type, typed.

Blocks marked ``sh`` are typed. A block marked ``toml`` below a line that names
a file in ``config/`` is written into that file: with a ``[newsletter]`` or
``[[subscribers]]`` at its beginning it is the whole file, else it is added.
Other blocks are only read.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(
    r"(?P<before>[^\n]*\n\n?)^```(?P<kind>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_FILE = re.compile(r"`(config/\w+\.toml)`")
_NAMED = re.compile(r"\bnewsletter((?: [a-z][a-z-]*)+)")
#: A page that serves until it is told to end is told so after a while.
_SERVES = re.compile(r"^(\S*newsletter preview)(?: --open)?", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block."""

    kind: str
    text: str
    #: The file that the line before it names.
    file: str | None


def blocks(page: Path) -> Iterator[Block]:
    for found in _BLOCK.finditer(page.read_text("utf-8")):
        named = _FILE.search(found["before"])
        yield Block(
            kind=found["kind"],
            text=found["text"],
            file=named[1] if named else None,
        )


def script(page: Path, hosts: Mapping[str, str], *, skip: str = "") -> str:
    """Return *page* as a script for bash.

    Args:
        page: Its file.
        hosts: What is written -> what is meant here: addresses of test servers.
        skip: A pattern; lines of commands that match it are left out.
    """
    lines = ["set -eu"]
    for block in blocks(page):
        text = block.text
        for written, meant in hosts.items():
            text = text.replace(written, meant)
        if block.kind == "sh":
            kept = (x for x in text.splitlines() if not (skip and re.match(skip, x)))
            text = "\n".join(kept)
            lines.append(_SERVES.sub(r"timeout --preserve-status -s INT 6 \1", text))
        elif block.kind == "toml" and block.file:
            is_whole = text.startswith(("[newsletter]", "[[subscribers]]"))
            sign = ">" if is_whole else ">>"
            lines.append(f"cat {sign} {block.file} <<'END_OF_FILE'\n{text}END_OF_FILE")
    return "\n".join(lines) + "\n"


def commands_named(page: Path) -> Iterator[tuple[str, ...]]:
    """Yield every command that a page names, in blocks and within the text."""
    text = page.read_text("utf-8")
    code = [found["text"] for found in _BLOCK.finditer(text)]
    code += re.findall(r"`([^`\n]+)`", text)
    for piece in code:
        for found in _NAMED.finditer(piece):
            yield tuple(found[1].split())


def install(folder: Path) -> None:
    """Put the program where the pages say that it is."""
    program = folder / ".venv" / "bin" / "newsletter"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m newsletter "$@"\n')
    program.chmod(0o755)
