"""Where each key of a TOML document stands: its line.

The document is known to be valid: tomllib has read it. What is wanted here is
only the line of each key, and of each element of an array.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field

#: Keys from the document down; a number is a place in an array, from 0.
Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:\s+|#[^\n]*)*")
_KEY = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_\-]+))\s*""")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'",
    re.DOTALL,
)
_BARE = re.compile(r"[^,\]}\n#]*")


def lines_of(text: str) -> Mapping[Path, int]:
    """Return the line (from 1) of every key and array element of *text*."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


def _unescaped(quoted: str) -> str:
    """Return a quoted key as it is meant: with its escapes read."""
    return str(tomllib.loads(f'key = "{quoted}"')["key"])


@dataclass(slots=True)
class _Scanner:
    text: str
    at: int = 0
    lines: dict[Path, int] = field(default_factory=dict)
    #: The latest place of each ``[[name]]``, from 0.
    counts: dict[Path, int] = field(default_factory=dict)
    #: Offsets of the line ends; counting them anew for each key takes seconds.
    ends: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.ends = [found.start() for found in re.finditer("\n", self.text)]

    def document(self) -> None:
        """Read headers and pairs to the end."""
        table: Path = ()
        self._blank()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._blank()

    def _blank(self) -> None:
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _note(self, path: Path) -> None:
        self.lines.setdefault(path, bisect_left(self.ends, self.at) + 1)

    def _header(self) -> Path:
        """Read ``[name]`` or ``[[name]]``; return the path of what follows."""
        is_array = self.text.startswith("[[", self.at)
        start = self.at
        self.at += 2 if is_array else 1
        names = self._keys()
        end = self.at
        self.at = start
        path: Path = ()
        for name in names[:-1]:
            path += (name,)
            if path in self.counts:
                # Below a [[list]]: within its latest table.
                path += (self.counts[path],)
        path += names[-1:]
        if is_array:
            self.counts[path] = self.counts.get(path, -1) + 1
            self._note(path)
            path += (self.counts[path],)
        self._note(path)
        self.at = end + (2 if is_array else 1)
        return path

    def _keys(self) -> tuple[str, ...]:
        """Read a dotted key."""
        names: list[str] = []
        while found := _KEY.match(self.text, self.at):
            quoted, literal, bare = found.groups()
            names.append(_unescaped(quoted) if quoted else literal or bare or "")
            self.at = found.end()
            if not self.text.startswith(".", self.at):
                break
            self.at += 1
        return tuple(names)

    def _pair(self, table: Path) -> None:
        start = self.at
        names = self._keys()
        if not names:
            # Nothing that we know: give up quietly, lines are a courtesy.
            self.at = len(self.text)
            return
        path, end = table + names, self.at
        self.at = start
        for length in range(len(table) + 1, len(path) + 1):
            self._note(path[:length])
        self.at = end + 1
        self._value(path)

    def _value(self, path: Path) -> None:
        self._blank()
        sign = self.text[self.at : self.at + 1]
        if sign == "[":
            self._array(path)
        elif sign == "{":
            self._inline(path)
        else:
            found = _STRING.match(self.text, self.at) or _BARE.match(self.text, self.at)
            # Nothing where a value should be: give up, do not stand still.
            self.at = found.end() if found and found[0] else len(self.text)

    def _array(self, path: Path) -> None:
        self.at += 1
        number = 0
        while not self._closed("]"):
            self._note((*path, number))
            self._value((*path, number))
            number += 1
            self._comma()

    def _inline(self, path: Path) -> None:
        self.at += 1
        while not self._closed("}"):
            self._pair(path)
            self._comma()

    def _comma(self) -> None:
        self._blank()
        if self.text.startswith(",", self.at):
            self.at += 1

    def _closed(self, sign: str) -> bool:
        self._blank()
        if self.at < len(self.text) and self.text[self.at] != sign:
            return False
        self.at += 1
        return True
