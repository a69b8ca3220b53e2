"""Names for new sources: by their title, and none twice."""

from __future__ import annotations

from collections.abc import Container, Iterable

from newsletter.config import slug

#: Characters of a name that is made of a title.
MOST_NAME = 40


def free_name(wanted: Iterable[str], taken: Container[str]) -> str:
    """Return a name that nothing has yet: ``lab-notes-2``.

    Args:
        wanted: Titles and the like; the first that makes a name is taken.
        taken: Names that there are.
    """
    slugs = (slug(text, "")[:MOST_NAME].strip("-") for text in wanted)
    name = next(filter(None, slugs), "source")
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free
