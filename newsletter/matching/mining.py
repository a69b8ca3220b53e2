"""Acronyms, found where texts introduce them: "large language model (LLM)".

Schwartz and Hearst (2003): the letters of the short form are sought from
right to left in the words before the bracket; its first letter begins a word.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from newsletter.matching.stems import stems
from newsletter.matching.tokens import tokenize
from newsletter.model import Acronym

#: Fewer texts than this may be one author's own invention.
LEAST = 3
#: The long form that most texts give must have this share of them.
_AGREED = 0.6
#: A short form that is written small this often is a word of its own.
_SMALL = 0.1
_MOST_LETTERS = 10
_BRACKET = re.compile(r"\(\s*([A-Za-z0-9][\w\-/&.]{0,10}?)s?\s*[),;]")
_ENDS = re.compile(r"[.:;!?(),]\s|[()]")
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined:
    """An acronym, and how many texts introduce it so."""

    acronym: Acronym
    texts: int


def mine(texts: Iterable[str], *, least: int = LEAST) -> tuple[Mined, ...]:
    """Return the acronyms that *texts* agree on, the most frequent first.

    A short form that is also an ordinary word ("CAN", "CLIP") is left out, and
    so is one whose long forms differ from text to text.

    Args:
        texts: A title and summary each, in English.
        least: How many texts must introduce it.
    """
    longs: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    spelt: dict[tuple[str, tuple[str, ...]], Counter[str]] = defaultdict(Counter)
    written: Counter[str] = Counter()
    for text in texts:
        written.update(set(re.findall(r"[A-Za-z0-9\-]+", text)))
        for short, long in set(introduced(text)):
            sense = stems(tokenize(long), "en")
            longs[short][sense] += 1
            spelt[short, sense][" ".join(tokenize(long))] += 1
    found: list[Mined] = []
    for short, senses in longs.items():
        (sense, many), *_ = senses.most_common(1)
        agreed = many >= least and many >= _AGREED * senses.total()
        if agreed and not _is_word(short, written):
            long = min(spelt[short, sense].items(), key=lambda i: (-i[1], i[0]))[0]
            found.append(Mined(acronym=Acronym(short=short, long=long), texts=many))
    return tuple(sorted(found, key=lambda m: (-m.texts, m.acronym.short)))


def introduced(text: str) -> Iterator[tuple[str, str]]:
    """Yield (short, long) for every bracket that introduces a short form."""
    for bracket in _BRACKET.finditer(text):
        short = bracket[1]
        before = text[max(0, bracket.start() - 200) : bracket.start()]
        sentence = _ENDS.split(before)[-1]
        if _is_short(short):
            long = _long_form(short, sentence.rstrip())
            if long is not None:
                yield short, long


def _is_short(short: str) -> bool:
    capitals = sum(character.isupper() for character in short)
    return capitals > 1 and len(short) <= _MOST_LETTERS and len(tokenize(short)) == 1


def _long_form(short: str, before: str) -> str | None:
    """Return the end of *before* that spells *short*. None: there is none."""
    letters = [c.casefold() for c in short if c.isalnum()]
    at = _by_initials(letters, before)
    if at is not None:
        return before[at:]
    at = len(before)
    for place in range(len(letters) - 1, -1, -1):
        at -= 1
        while at >= 0 and (
            before[at].casefold() != letters[place]
            or (place == 0 and at > 0 and before[at - 1].isalnum())
        ):
            at -= 1
        if at < 0:
            return None
    long = before[at:]
    words = _WORD.findall(long)
    few = min(len(letters) + 5, 2 * len(letters))
    tokens = tokenize(long)
    is_itself = short.casefold() in tokens
    return long if 1 < len(words) <= few and len(tokens) > 1 and not is_itself else None


def _by_initials(letters: Sequence[str], before: str) -> int | None:
    """Return where the words begin whose first letters *letters* are.

    Letters alone would take "policy optimization" for PPO.
    """
    words = list(re.finditer(r"[^\s\-]+", before))[-len(letters) :]
    firsts = [word[0][0].casefold() for word in words]
    return words[0].start() if len(letters) > 1 and firsts == letters else None


def _is_word(short: str, written: Counter[str]) -> bool:
    small, others = 0, 0
    for word in (short.lower(), short.lower() + "s", short.capitalize()):
        small += written[word] if word != short else 0
    for word in (short, short + "s"):
        others += written[word]
    return small > _SMALL * (small + others)
