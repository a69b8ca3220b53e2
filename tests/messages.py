"""The frame's messages, gathered into the catalogues: ``python -m tests.messages``.

What templates and modules say in English is extracted; every catalogue gets
what is new, empty, and loses what is said no more. ``--check`` changes nothing
and names each mistake with file and line; ``--new fr`` begins a catalogue.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.pofile import write_po
from jinja2.ext import extract_from_ast

from newsletter.rendering.catalogues import (
    FOLDER,
    faults,
    languages,
    place_of,
    read_catalogue,
)
from newsletter.rendering.saying import SAY, SAY_OF
from newsletter.rendering.templates import environment

REPOSITORY = Path(__file__).resolve().parents[1]
#: How modules of the package say messages, and where in the call they stand.
_CALLS: dict[str, tuple[int, ...] | None] = {
    "mark": None,
    "say": None,
    "text": None,
    "say_of": (2, 3),
}
_HEAD = """\
# The words of a mail's frame: see docs/how-to/languages.md.
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals};\\n"

"""

Said = tuple[str, int, str | tuple[str, str]]


def said(repository: Path = REPOSITORY) -> Iterator[Said]:
    """Yield (file, line, message) for all that templates and modules say."""
    for path in sorted((repository / "templates").rglob("*.j2")):
        name = path.relative_to(repository).as_posix()
        template = environment({}).parse(path.read_text("utf-8"), name, name)
        for line, _, texts in extract_from_ast(template, (SAY, SAY_OF)):
            given = _listed(texts)
            yield name, line, _message(given)
    for path in sorted((repository / "newsletter" / "rendering").glob("*.py")):
        name = path.relative_to(repository).as_posix()
        with path.open("rb") as file:
            # All that is given in a call is found, and None for what is no text.
            for line, call, found, _ in extract_python(file, _CALLS, (), {}):
                given = _listed(found)
                kept = given[1:3] if call == "say_of" else given[:1]
                if kept and None not in kept:
                    yield name, line, _message(kept)


def _listed(found: object) -> list[str | None]:
    """Return what is given in a call: its texts, and None for all else."""
    return list(found) if isinstance(found, tuple) else [str(found) if found else None]


def _message(texts: Sequence[str | None]) -> str | tuple[str, str]:
    one, *others = [text for text in texts if text is not None]
    return (one, others[0]) if others else one


def expected(repository: Path = REPOSITORY) -> Catalog:
    """Return all messages, in English, by where they are said."""
    found = Catalog(project="newsletter", charset="utf-8")
    for file, line, message in said(repository):
        found.add(message, locations=[(file, line)])
    return found


def mistakes(folder: Path = FOLDER) -> list[str]:
    """Return what is wrong with all catalogues in *folder*."""
    wanted = expected()
    return [
        fault
        for language in languages(folder)
        for fault in faults(place_of(language, folder), language, wanted)
    ]


def bring_up(language: str, wanted: Catalog) -> None:
    """Write the catalogue of *language* with the messages that are *wanted*."""
    path = place_of(language)
    if path.is_file():
        catalogue = read_catalogue(path, language)
    else:
        path.parent.mkdir(parents=True)
        catalogue = Catalog(locale=language)
    catalogue.update(wanted, no_fuzzy_matching=True)
    body = BytesIO()
    # Without lines, which change with every edit of a template.
    write_po(
        body,
        catalogue,
        width=88,
        omit_header=True,
        ignore_obsolete=True,
        include_lineno=False,
    )
    plurals = f"nplurals={catalogue.num_plurals}; plural={catalogue.plural_expr}"
    head = _HEAD.format(language=language, plurals=plurals)
    path.write_bytes(head.encode() + body.getvalue())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--new", metavar="LANGUAGE", action="append", default=[])
    given = parser.parse_args()
    if not given.check:
        for language in (*languages(), *given.new):
            bring_up(language.replace("-", "_"), expected())
    found = mistakes()
    print("\n".join(found or ["every catalogue is whole"]))  # noqa: T201 - a script
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
