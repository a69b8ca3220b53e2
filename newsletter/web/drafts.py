"""A profile that is tried out: what stands in the form, and what it says.

Fields hold text as it was typed, so that a mistake can be shown in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import zip_longest

from newsletter.model import Interest, Profile
from newsletter.web.forms import Fields, one

#: Rows of interests that a form may have, and those it offers beside the filled.
MOST_ROWS, SPARE_ROWS = 200, 2
#: Octets of the form.
LONGEST_FORM = 256_000
#: Fields of the form, each with one line of text.
_WORDS = ("order", "sections", "stem")
_NUMBERS = ("max_items", "min_votes")
_MARKS = ("fill", "skip_empty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One interest, as typed."""

    query: str = ""
    name: str = ""
    weight: str = ""

    @property
    def is_empty(self) -> bool:
        """Tell whether it asks for nothing."""
        return not (self.query.strip() or self.name.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What stands in the form."""

    rows: tuple[Row, ...] = ()
    #: One query a line.
    mutes: str = ""
    order: str = ""
    sections: str = ""
    stem: str = ""
    max_items: str = ""
    min_votes: str = ""
    fill: bool = False
    skip_empty: bool = True

    @classmethod
    def of(cls, profile: Profile) -> Draft:
        """Return the form of a profile."""
        return cls(
            rows=tuple(_row(interest) for interest in profile.interests),
            mutes="\n".join(mute.query for mute in profile.mutes),
            order=str(profile.order),
            sections=str(profile.sections),
            stem=profile.stem,
            max_items=str(profile.max_items),
            min_votes=str(profile.min_votes),
            fill=profile.fill,
            skip_empty=profile.skip_empty,
        )

    @classmethod
    def read(cls, fields: Fields) -> Draft:
        """Return what a browser sent; what it did not send is empty."""
        columns = [fields.get(name, ()) for name in ("query", "name", "weight")]
        rows = [
            Row(query=query, name=name, weight=weight)
            for query, name, weight in zip_longest(*columns, fillvalue="")
        ]
        words = {name: one(fields, name).strip() for name in (*_WORDS, *_NUMBERS)}
        return cls(
            rows=tuple(row for row in rows if not row.is_empty)[:MOST_ROWS],
            mutes="\n".join(_lines(one(fields, "mutes"))),
            fill=bool(fields.get("fill")),
            skip_empty=bool(fields.get("skip_empty")),
            order=words["order"],
            sections=words["sections"],
            stem=words["stem"],
            max_items=words["max_items"],
            min_votes=words["min_votes"],
        )

    def data(self) -> Mapping[str, object]:
        """Return the keys of a reader, as TOML would have them."""
        said = {name: getattr(self, name) for name in (*_WORDS, *_NUMBERS)}
        return {
            "interests": [_table(row) for row in self.rows],
            "mutes": _lines(self.mutes),
            **{name: text for name, text in said.items() if text and name in _WORDS},
            **{n: _number(t) for n, t in said.items() if t and n in _NUMBERS},
            **{name: getattr(self, name) for name in _MARKS},
        }


def _row(interest: Interest) -> Row:
    weight = "" if interest.weight == 1 else f"{interest.weight.normalize():f}"
    return Row(query=interest.query, name=interest.name, weight=weight)


def _table(row: Row) -> Mapping[str, object]:
    table: dict[str, object] = {"query": row.query.strip()}
    if row.name.strip():
        table["name"] = row.name
    if row.weight.strip():
        table["weight"] = _number(row.weight)
    return table


def _number(text: str) -> object:
    """Return a number; what is none stays text, and is named as a mistake."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text.strip().replace(",", "."))
    return text


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def filled(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Return *rows* with empty ones to write more."""
    return (*rows, *(Row() for _ in range(SPARE_ROWS)))
