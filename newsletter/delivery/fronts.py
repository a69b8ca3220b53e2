"""Pages of an archive that lead to others: its front, its readers, the way in."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from email.utils import parseaddr
from html import unescape
from pathlib import Path

from newsletter.delivery.files import write_whole
from newsletter.delivery.reading import PAGES, encoded
from newsletter.delivery.shelves import MOST, Row, Shelf

#: Readers of a page of readers.
READERS = 200
#: Readers that the front page names itself.
_NAMED = 12
_READER = re.compile(r'<li\b[^>]*\bdata-reader="([^"]*)"')
#: The outbox as seen from a page: at its top, in the archive, in readers/.
_TOP, _HERE, _DEEP = "", "../../", "../../../"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What an archive holds, as front pages tell it."""

    title: str
    list_id: str
    #: In order: 2026-02, 2026-03.
    months: tuple[str, ...] = ()
    readers: int = 0


def contents_in(folder: Path) -> Contents | None:
    """Return what an archive says that it holds; None: there is none."""
    try:
        said = json.loads((folder / "contents.json").read_text("utf-8"))
        return Contents(**{**said, "months": tuple(said["months"])})
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def list_page(shelf: Shelf, number: int, *, title: str, deep: bool) -> bytes:
    """Return a page of a month's mails or, *deep*, of a reader's."""
    rows = shelf.page(number)[::-1]
    heading = shelf.stem if not deep else rows[0].to if rows else ""
    page = PAGES.get_template("list.html.j2").render(
        title=title,
        heading=heading,
        is_reader=deep,
        rows=rows,
        up=_DEEP if deep else _HERE,
        here="../" if deep else "",
        newer=shelf.path(number + 1).name if number < shelf.last else None,
        older=shelf.path(number - 1).name if number > 1 else None,
    )
    return encoded(page)


def put_readers(
    folder: Path, fresh: Mapping[str, str], *, without: Collection[str], title: str
) -> int:
    """Write the pages of readers with *fresh* ones; return how many there are.

    Args:
        folder: The archive's.
        fresh: The name of a new reader's pages -> as in the To field.
        without: Names of those to leave out.
        title: The newsletter's.
    """
    before = _readers(folder)
    known = {name: to for page in before for name, to in page} | dict(fresh)
    every = sorted(
        ((name, to) for name, to in known.items() if name not in without),
        key=lambda reader: (_address(reader[1]), reader[0]),
    )
    pages = [every[n : n + READERS] for n in range(0, len(every), READERS) or (0,)]
    ends = [(_address(p[0][1]), _address(p[-1][1])) for p in pages if p]
    for number, page in enumerate(pages, 1):
        is_same = number < len(before) and before[number - 1] == page
        # The first tells where each begins; the last may have got a successor.
        if number == 1 or not is_same or number == len(pages):
            text = PAGES.get_template("readers.html.j2").render(
                title=title, number=number, readers=page, ends=ends, total=len(every)
            )
            path = folder / f"readers-{number}.html"
            write_whole(path, encoded(text), durably=False)
    for number in range(len(pages) + 1, len(before) + 1):
        (folder / f"readers-{number}.html").unlink()
    return len(every)


def _readers(folder: Path) -> list[list[tuple[str, str]]]:
    """Return the readers of each page: the name of their pages, and who they are."""
    pages: list[list[tuple[str, str]]] = []
    while (path := folder / f"readers-{len(pages) + 1}.html").exists():
        found = _READER.findall(path.read_text("utf-8"))
        readers = (json.loads(unescape(data)) for data in found)
        pages.append([(name, to) for name, to in readers])
    return pages


def _address(to: str) -> str:
    return (parseaddr(to)[1] or to).casefold()


def write_fronts(
    outbox: Path, folder: Path, contents: Contents, months: Sequence[Shelf]
) -> None:
    """Write contents.json, the archive's front, and the way in to the outbox.

    Args:
        outbox: The outbox.
        folder: The archive's.
        contents: What it holds.
        months: Its months, newest first.
    """
    said = json.dumps(asdict(contents), ensure_ascii=False, indent=1)
    write_whole(folder / "contents.json", said.encode(), durably=False)
    rows: list[Row] = []
    for shelf in months:
        rows += shelf.newest(MOST - len(rows))
    front = {
        "contents": contents,
        "rows": rows,
        "months": [(x.stem, len(x), x.path(x.last).name, x.last) for x in months],
        "named": _readers(folder)[0] if contents.readers <= _NAMED else (),
    }
    template = PAGES.get_template("front.html.j2")
    page = template.render(**front, up=_HERE, here="")
    write_whole(folder / "index.html", encoded(page), durably=False)
    others = sorted(outbox.glob("archive/*/contents.json"))
    if len(others) > 1:
        sharing = [(x.parent.name, contents_in(x.parent)) for x in others]
        page = PAGES.get_template("sharing.html.j2").render(sharing=sharing)
    else:
        page = template.render(**front, up=_TOP, here=f"archive/{folder.name}/")
    write_whole(outbox / "index.html", encoded(page))
