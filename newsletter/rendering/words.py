"""The words of one language: messages, numbers, lists, and which way they run.

A reader's language is looked for exactly, then among its parents ("de-AT",
then "de"); where there is no catalogue, all is English, dates and numbers too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.lists import format_list
from babel.numbers import format_decimal

from newsletter.rendering.catalogues import (
    ENGLISH,
    FOLDER,
    SOURCE,
    Catalogue,
    Hole,
    catalogue,
    english_form,
    languages,
    pieces,
)

#: Around a text that may run the other way than what it stands in (UAX 9).
FSI, PDI = "\u2068", "\u2069"
#: Says of a line, as a letter would, that it runs from right to left.
RLM = "\u200f"
#: Scripts from right to left.
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_STRONG = {"ltr": frozenset({"L"}), "rtl": frozenset({"R", "AL"})}
_LETTERS = frozenset({"L", "R", "AL"})
#: The digit zero of CLDR's numbering systems; those that are missing write 0-9.
_ZEROS = {
    "adlm": "\U0001e950",
    "arab": "\u0660",
    "arabext": "\u06f0",
    "beng": "\u09e6",
    "cakm": "\U00011136",
    "deva": "\u0966",
    "hmnp": "\U0001e140",
    "mtei": "\uabf0",
    "mymr": "\u1040",
    "nkoo": "\u07c0",
    "olck": "\u1c50",
    "tibt": "\u0f20",
}


class Ready(str):
    """Text that stands in a message as it is."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a frame is written with; the same object for the same language."""

    #: BCP 47, as it stands on the mail.
    language: str
    locale: Locale
    catalogue: Catalogue
    #: "ltr" or "rtl".
    direction: str
    #: CLDR's name of the digits: "latn", "arab".
    numbering: str

    @property
    def is_rtl(self) -> bool:
        """Tell whether the frame runs from right to left."""
        return self.direction == "rtl"

    # --- messages ---

    def text(self, message: str) -> str:
        """Return *message* in this language, its holes still open."""
        return self.catalogue.messages.get(message, message)

    def forms(self, one: str, many: str) -> tuple[str, ...]:
        """Return the plural forms of a message, their holes still open."""
        return self.catalogue.plurals.get(one, (one, many))

    def form(self, number: int, one: str) -> int:
        """Return which of the forms of *one* is said of *number*."""
        # What is not translated is said in English, by the rule of English.
        is_known = one in self.catalogue.plurals
        return self.catalogue.form(number) if is_known else english_form(number)

    def say(self, message: str, **values: object) -> str:
        """Return *message* with its *values*, as plain text.

        Raises:
            KeyError: A value is missing.
        """
        return self._filled(self.text(message), values)

    def say_of(self, num: int, one: str, many: str, **values: object) -> str:
        """Return a message in the form that *num* takes; it may say ``%(num)s``.

        Raises:
            KeyError: A value is missing.
        """
        form = self.forms(one, many)[self.form(num, one)]
        return self._filled(form, {"num": num, **values})

    def _filled(self, text: str, values: Mapping[str, object]) -> str:
        return "".join(
            self.said(values[part.name]) if isinstance(part, Hole) else part
            for part in pieces(text)
        )

    def said(self, value: object) -> str:
        """Return a message's value: numbers written out, other scripts kept apart."""
        if isinstance(value, int):
            return self.number(value)
        return value if isinstance(value, Ready) else self.isolated(str(value))

    # --- which way ---

    def runs_otherwise(self, text: str) -> bool:
        """Tell whether *text*, within a sentence, could change the order around it."""
        if not self.is_rtl and (text.isascii() or _RIGHT_TO_LEFT.search(text) is None):
            return False
        # What is inside changes nothing around it.
        return not {*_ends(text)} <= _STRONG[self.direction]

    def isolated(self, text: str) -> str:
        """Return *text* so that the order around it stays what it is."""
        return f"{FSI}{text}{PDI}" if self.runs_otherwise(text) else text

    def mirrored(self, value: str) -> str:
        """Return "left", "right" or "top right bottom left" as this frame has it."""
        if not self.is_rtl:
            return value
        sides = value.split()
        if len(sides) == 4:  # noqa: PLR2004 - a box has four sides
            top, right, bottom, left = sides
            return f"{top} {left} {bottom} {right}"
        return {"left": "right", "right": "left"}.get(value, value)

    # --- numbers and lists ---

    def number(self, number: int) -> str:
        """Return 1,234 or 1.234, in the digits that CLDR gives the language."""
        if 0 <= number < 1000 and self.numbering == "latn":  # noqa: PLR2004 - no group is parted
            return str(number)
        return self.digits(_number(number, self.locale))

    def decimal(self, number: Decimal) -> str:
        """Return 2.0 or 2,0 with all its places, groups not parted."""
        return self.digits(_decimal(number, self.locale))

    def digits(self, text: str) -> str:
        """Return *text*, which has the digits 0 to 9, with those of the language."""
        table = _digits(self.numbering)
        return text.translate(table) if table else text

    def listed(self, texts: Sequence[str]) -> str:
        """Return "a, b and c"."""
        return _listed(tuple(texts), self.locale)


def words_for(language: str, folder: Path = FOLDER) -> Words:
    """Return the words for readers of *language*; English where there are none.

    Args:
        language: BCP 47: "de", "pt-BR". Anything else is English.
        folder: Of the catalogues.
    """
    return _words_for(language[:60], folder)


def is_spoken(language: str) -> bool:
    """Tell whether there are words in *language*, or in its parent."""
    found = words_for(language).language.partition("-")[0]
    return found == language.partition("-")[0].casefold()


@lru_cache(maxsize=512)
def _words_for(language: str, folder: Path) -> Words:
    locale = _locale(language)
    known = languages(folder)
    for name in _and_parents(locale):
        if name in known:
            return _words(locale, name, folder)
        if name == SOURCE:
            return _words(locale, None, folder)
    return _words(Locale(SOURCE), None, folder)


@lru_cache(maxsize=512)
def _words(locale: Locale, name: str | None, folder: Path) -> Words:
    return Words(
        language=str(locale).replace("_", "-"),
        locale=locale,
        catalogue=ENGLISH if name is None else catalogue(name, folder),
        direction=locale.text_direction,
        numbering=locale.default_numbering_system,
    )


def _locale(language: str) -> Locale:
    """Return the locale of as much of *language* as CLDR knows."""
    parts = language.replace("_", "-").split("-")
    for end in range(len(parts), 0, -1):
        try:
            return Locale.parse("-".join(parts[:end]), sep="-")
        except (ValueError, UnknownLocaleError):
            continue
    return Locale(SOURCE)


def _and_parents(locale: Locale) -> Iterator[str]:
    """Yield the names of catalogues that do, best first: zh_Hant_TW, zh_Hant."""
    parents = get_global("parent_exceptions")
    name = str(locale)
    while name not in {"", "root"}:
        # Who reads one script of a language may not read the other.
        if Locale.parse(name).script or _script(name) in {None, _script(str(locale))}:
            yield name
        name = parents.get(name) or name.rpartition("_")[0]


def _script(name: str) -> str | None:
    """Return the script that *name* is most likely written in."""
    own = Locale.parse(name).script
    likely = get_global("likely_subtags")
    found = own or likely.get(name) or likely.get(name.partition("_")[0])
    return found if own or not found else Locale.parse(found).script


@lru_cache(maxsize=2048)
def _ends(text: str) -> tuple[str, ...]:
    """Return the directions of the first and last letter of *text*, as UAX 9 does."""
    strong = [d for d in map(unicodedata.bidirectional, text) if d in _LETTERS]
    return (strong[0], strong[-1]) if strong else ()


@lru_cache(maxsize=4096)
def _number(number: int, locale: Locale) -> str:
    return format_decimal(number, locale=locale, numbering_system="default")


@lru_cache(maxsize=4096)
def _decimal(number: Decimal, locale: Locale) -> str:
    places = -int(number.as_tuple().exponent)
    shape = f"0.{'0' * places}"
    return format_decimal(
        number, format=shape, locale=locale, numbering_system="default"
    )


@lru_cache(maxsize=64)
def _digits(system: str) -> dict[int, str]:
    zero = _ZEROS.get(system)
    if zero is None:
        return {}
    return {ord("0") + n: chr(ord(zero) + n) for n in range(10)}


@lru_cache(maxsize=1024)
def _listed(texts: tuple[str, ...], locale: Locale) -> str:
    # English without a country: "a, b and c", as we write ourselves.
    own = Locale("en", "001") if str(locale) == SOURCE else locale
    return format_list(texts, locale=own)
