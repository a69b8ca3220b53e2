"""Addresses with places to fill in: dates, page numbers, cursors.

    https://api.example.org/works/{since}/{today}?page={page}
    https://api.example.org/works?from={since}&cursor={next:*}

The address that was asked tells what it was filled with, so the next page's
is made from it: nothing else need be remembered between the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from urllib.parse import quote

#: ``{name}`` or ``{name:first}``.
_PLACE = re.compile(r"\{(\w+)(?::([^{}]*))?\}", re.ASCII)
_DATES = ("since", "today")
#: Where counting begins that nobody says to begin elsewhere.
_COUNTED: Mapping[str, str] = {"page": "1", "offset": "0"}
NEXT = "next"
_KNOWN = (*_DATES, *_COUNTED, NEXT)
#: A parameter that is only the next token, where the first page has none.
_TOKEN = re.compile(r"(?<=[?&])[^=&?#{}]*=\{next:?\}&?")
_OPEN_END = re.compile(r"[?&]+(?=#|$)")
_VALUES: Mapping[str, str] = {
    **dict.fromkeys(_DATES, r"\d{4}-\d\d-\d\d"),
    **dict.fromkeys(_COUNTED, r"\d{1,9}"),
    NEXT: r"[^/?&#]*",
}


@dataclass(frozen=True, slots=True)
class Template:
    """An address with places in it."""

    text: str

    def names(self) -> tuple[str, ...]:
        """Return the names of its places, in their order."""
        return tuple(found[1] for found in _PLACE.finditer(self.text))

    def mistakes(self) -> Iterator[str]:
        """Yield what is wrong with its places, one sentence each."""
        for found in _PLACE.finditer(self.text):
            name, first = found[1], found[2]
            if name not in _KNOWN:
                yield f"nothing is known to fill {found[0]} with; {_hint(name)}"
            elif first is not None and name in _DATES:
                yield f"{found[0]} is a date, and said elsewhere; write {{{name}}}"
            elif name in _COUNTED and not re.fullmatch(r"\d{1,9}", first or "0"):
                yield f"{found[0]} counts; expected a number, as in {{{name}:0}}"

    def first(self, dates: Mapping[str, str]) -> str:
        """Return the address of the first page.

        Args:
            dates: What ``since`` and ``today`` are.
        """
        return _filled(_without_token(self.text), {**self._begun(), **dates})

    def following(self, asked: str, *, rows: int, value: str) -> str | None:
        """Return the address of the page after *asked*; None: it cannot be told.

        Args:
            asked: The address of a page, as this made it.
            rows: How many rows that page has.
            value: What goes where ``next`` stands.
        """
        values = _read(self.text, asked) or _read(_without_token(self.text), asked)
        if values is None:
            return None
        for name, step in (("page", 1), ("offset", rows)):
            if name in values:
                values[name] = str(int(values[name]) + step)
        return _filled(self.text, {**values, NEXT: quote(value, safe="")})

    def _begun(self) -> dict[str, str]:
        places = _PLACE.finditer(self.text)
        return {p[1]: p[2] or _COUNTED.get(p[1], "") for p in places}


def _without_token(text: str) -> str:
    """Return the template of a first page: not every API takes an empty token."""
    return _OPEN_END.sub("", _TOKEN.sub("", text)) if _TOKEN.search(text) else text


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda found: values[found[1]], text)


def _read(text: str, asked: str) -> dict[str, str] | None:
    """Return what was filled into *text* to make *asked*; None: nothing does."""
    pattern, end = "", 0
    seen: set[str] = set()
    for found in _PLACE.finditer(text):
        name = found[1]
        pattern += re.escape(text[end : found.start()])
        pattern += f"(?P={name})" if name in seen else f"(?P<{name}>{_VALUES[name]})"
        seen.add(name)
        end = found.end()
    match = re.fullmatch(pattern + re.escape(text[end:]), asked)
    return None if match is None else match.groupdict()


def _hint(name: str) -> str:
    near = get_close_matches(name, _KNOWN, n=1)
    known = ", ".join(f"{{{each}}}" for each in _KNOWN)
    meant = f"did you mean {{{near[0]}}}?" if near else f"expected one of {known}"
    return f"{meant} A brace that is meant as such is %7B"
