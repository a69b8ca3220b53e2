"""The page of figures about conformance, and feedparser's own cases.

``python -m tests.support.conformance_page`` writes docs/reference/conformance.md.
"""

from __future__ import annotations

import ast
import os
import re
from calendar import timegm
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from newsletter.errors import ParseError
from newsletter.text import clean_names
from tests.support.conformance import (
    RULES,
    SUITES,
    Ours,
    Unit,
    agrees,
    read,
    read_leniently_only,
    texts_of,
    units,
)

HEAD = (
    "# How feeds are read\n\n"
    "Readers of feeds publish what they expect of their test files. This page"
    " compares it with what the strict reader, or the lenient one where that is not"
    " sure, makes of the same files. It is written by `python -m"
    " tests.support.conformance_page`, and a test keeps it true.\n\n"
    "A unit is one field of one entry of one file that the expected result has:"
    " title, link, id, date, summary, authors, categories. Both sides go through the"
    " cleaning that every entry goes through; dates are compared as instants, in whole"
    " seconds. A unit agrees, or one of the rules below explains it, or it is wrong."
    "\n\n"
    "| suite | units | agree | by a rule | wrong | wrong in % | wrong, lenient reader"
    " alone |\n|---|---:|---:|---:|---:|---:|---:|\n"
)
RULES_HEAD = (
    "\n## Rules\n\n"
    "Each is a convention: what is kept, not what is understood. It holds for one"
    " field, and only where nothing else differs.\n\n"
    "| rule | field | units | in words |\n|---|---|---:|---|\n"
)

# --- feedparser's own suite ---------------------------------------------------------

_EXPECT = re.compile(rb"Expect:[ \t]*(.+?)\s*(?:-->|\n\s*\n|\n\w+:)", re.DOTALL)
_HEADER = re.compile(rb"^Header:[ \t]*([\w-]+):[ \t]*(.+?)\s*$", re.MULTILINE)
#: Where its tests serve the files.
SERVED = "http://127.0.0.1:8097/case.xml"
#: The names of its result -> the field that we use.
_KEYS = {
    "title": "title",
    "link": "link",
    "id": "id",
    "guid": "id",
    "summary": "summary",
    "description": "summary",
    "content": "summary",
    "authors": "authors",
    "author": "authors",
    "tags": "categories",
    "category": "categories",
    "published_parsed": "date",
    "updated_parsed": "date",
}


def assertions(source: str) -> Iterator[tuple[int, str, Any]]:
    """Yield (entry, field, expected) of each comparison that we can translate."""
    try:
        tree = ast.parse(source.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Eq):
            continue
        path = _path(node.left)
        try:
            expected = ast.literal_eval(node.comparators[0])
        except ValueError:
            continue
        if len(path) < 3 or path[0] != "entries" or not isinstance(path[1], int):
            continue
        key = str(path[2]).removesuffix("_detail")
        last = path[-1]
        if key in _KEYS and (len(path) == 3 or last in {"value", "name", "term"}):
            yield path[1], _KEYS[key], expected


def _path(node: ast.expr) -> list[Any]:
    """Return entries[0]['title'] as ["entries", 0, "title"]; empty: not such."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        return [*_path(node.value), node.attr]
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return [*_path(node.value), node.slice.value]
    return []


def feedparser_units(folder: Path) -> Iterator[Unit]:
    """Yield every assertion of feedparser's suite that we can translate."""
    for file in sorted((folder / "feedparser").rglob("*.xml")):
        body = file.read_bytes()
        found = _EXPECT.search(body)
        source = found[1].decode("utf-8", "replace") if found else ""
        headers = {k.decode().lower(): v.decode() for k, v in _HEADER.findall(body)}
        headers.setdefault("content-location", SERVED)
        wanted = list(assertions(source))
        try:
            ours = read(body, file.name, headers)
        except ParseError:
            ours = []
        for number, name, expected in wanted:
            entry = ours[number] if number < len(ours) else Ours()
            agree = _is_meant(name, expected, entry)
            yield Unit(
                suite="feedparser",
                file=str(file.relative_to(folder / "feedparser")),
                entry=number,
                field=name,
                expected=expected,
                ours=entry,
                verdict="agree" if agree else "wrong",
            )


def _is_meant(name: str, expected: Any, ours: Ours) -> bool:  # noqa: ANN401 - a literal
    """Tell whether what feedparser expects of one value is among what we have."""
    if name == "summary":
        return any(text in texts_of(expected) for text in ours.texts or ("",))
    if name == "date":
        return expected is None or instant(expected) in ours.dates
    if name in {"authors", "categories"}:
        (wanted,) = clean_names([str(expected)]) or ("",)
        return wanted in getattr(ours, name) or not wanted
    return agrees(name, expected, ours)


def instant(row: Sequence[int]) -> datetime:
    """Return broken-down time, UTC."""
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=timegm(tuple(row)))


# --- the page ---


def _row(folder: Path, suite: str) -> str:
    found = Counter(unit.verdict for unit in units(folder, suite))
    alone = Counter(u.verdict for u in units(folder, suite, read_leniently_only))
    total = sum(found.values())
    explained = total - found["agree"] - found["wrong"]
    share = 100 * found["wrong"] / total
    return (
        f"| {suite} | {total} | {found['agree']} | {explained} | {found['wrong']}"
        f" | {share:.1f} | {alone['wrong']} |\n"
    )


def _wrong(rows: Iterable[Unit]) -> Iterator[str]:
    for row in rows:
        if row.verdict == "wrong":
            yield f"- {row.suite}, `{row.file}`: {row.field}\n"


def page(folder: Path) -> str:
    """Return the page of figures."""
    every = [unit for suite in SUITES for unit in units(folder, suite)]
    own = list(feedparser_units(folder))
    files = len(list((folder / "feedparser").rglob("*.xml")))
    known = len({unit.file for unit in own})
    agree = sum(unit.verdict == "agree" for unit in own)
    used = Counter(unit.verdict for unit in every)
    rules = "".join(
        f"| {rule.name} | {rule.field} | {used[rule.name]} | {rule.sentence} |\n"
        for rule in RULES
    )
    return (
        f"{HEAD}{''.join(_row(folder, suite) for suite in SUITES)}{RULES_HEAD}{rules}"
        "\nEpisodes that podcastparser sorts by date are compared by their titles.\n"
        "\n## feedparser's own cases\n\n"
        f"All {files} are read, or refused in words. {known} of them assert something"
        " of an entry's field that we use, in a form that can be translated:"
        f" {len(own)} assertions, of which {agree} hold and {len(own) - agree} do not."
        f" The other {files - known} are about the feed itself, about encodings, or"
        " about fields that no entry of ours has.\n"
        "\n## What is wrong\n\n"
        "Not all of it is ours: feed-rs takes what stands in an RSS `author` for an"
        ' address, name and all, and calls everybody "author".\n\n'
        f"{''.join(_wrong([*every, *own]))}"
    )


if __name__ == "__main__":
    _ROOT = Path(__file__).resolve().parents[2]
    _SHARED = Path(os.environ.get("NEWSLETTER_SHARED") or _ROOT.parent / "shared")
    (_ROOT / "docs" / "reference" / "conformance.md").write_text(
        page(_SHARED / "data" / "conformance"), "utf-8"
    )
