"""Issues made by rule: any number of them, the same ones every time.

Each entry is about three or four of forty words, amid others. Each reader
looks for five of the forty, and gets the entries that have one, with the words
highlighted; no two of the first thousand readers look for the same five.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from newsletter.model import (
    Candidate,
    EntryVersion,
    Field,
    Issue,
    Link,
    Match,
    Reasons,
    ScorePart,
    Section,
    SourceListing,
)
from tests.support.issues import issue, places

WORDS = tuple(
    "gate state memory token model weather diffusion protein kernel sparse graph"
    " reward policy agent robot speech audio vision pixel depth scale law data"
    " label noise prompt chain proof theorem energy field quantum circuit compiler"
    " cache index query stream latency".split()
)
OTHERS = tuple(
    "we show that this can be had at less cost when each step is taken with care and"
    " what was seen before counts for what comes next so the method needs no labels"
    " it holds over long runs on small machines and we say where it does not".split()
)
ASIDES = (
    "a naïve baseline, at 28.82 % of the cost",
    "模型学会放弃不再需要的信息",
    "النموذج يتعلم أن ينسى",
    "\N{ROCKET}\N{FAMILY} for 3 < 4 & 5 > 2",
    "as Erdős and Rényi did = again",
)
ZONES = ("UTC", "Europe/London", "America/New_York", "Asia/Tokyo", "Pacific/Auckland")
ENTRIES = 60
HOSTILE = (
    "<script>alert(1)</script> {{7*7}} {% raw %}",
    "</mj-text></td></table><!--nl0s0000e--> <!-- x -->",
    "one\r\nBcc: all@example.org\r\n\r\ntwo",
    "\N{FAMILY}\u200d\N{ROCKET}\ufe0f \u202edrow\u2066 \u2028\x00\x85\t end",
    "=?utf-8?q?x?= =3D = " + "=" * 90,
    "T" * 500,
    "",
)


def pick(most: int, *seed: object) -> int:
    """Return a number below *most* that *seed* alone decides."""
    digest = hashlib.sha256(repr(seed).encode()).digest()
    return int.from_bytes(digest[:8], "big") % most


def prose(words: int, about: Sequence[str], *seed: object) -> str:
    """Return so many words, some of them of *about*, here and there an aside."""
    said = [OTHERS[pick(len(OTHERS), *seed, n)] for n in range(words)]
    for n, word in enumerate(about):
        said[pick(words, "place", *seed, n)] = word
    if pick(3, *seed) == 0:
        said.insert(words // 2, ASIDES[pick(len(ASIDES), "aside", *seed)])
    return " ".join(said).capitalize()


def version(number: int) -> EntryVersion:
    """Return the entry *number*; every twelfth is hostile."""
    about = [WORDS[pick(len(WORDS), "about", number, n)] for n in range(4)]
    title = prose(6 + pick(6, "title", number), about[:2], "t", number)
    if number % 12 == 11:
        title = HOSTILE[number // 12 % len(HOSTILE)]
    labels = ("paper", "pdf", "code", "discussion")[: pick(5, "links", number)]
    return EntryVersion(
        id=number + 1,
        entry_id=number + 1,
        source="daily-papers",
        title=title,
        url=None if number % 17 == 16 else f"https://example.org/{number}?a=1&b=ü",
        summary=prose(40 + pick(60, "summary", number), about, "s", number),
        authors=tuple(f"Author {n} of {number}" for n in range(pick(7, "a", number))),
        links=tuple(
            Link(label=x, url=f"https://example.org/{x}/{number}") for x in labels
        ),
        published_at=datetime(2026, 3, 1 + number % 4, 9, tzinfo=UTC)
        if number % 3
        else None,
        tldr=prose(12, about, "tldr", number) if number % 4 == 0 else None,
        language=(None, "en", "zh", "not a language")[number % 4],
    )


VERSIONS = tuple(version(number) for number in range(ENTRIES))


def candidate(said: EntryVersion) -> Candidate:
    """Return *said* as a window holds it, with sources and perhaps votes."""
    number = said.entry_id
    listed = datetime(2026, 3, 2, 9, tzinfo=UTC) + timedelta(hours=number % 30)
    names = ("daily-papers", "arxiv", "lab notes & more")[: 1 + number % 3]
    return Candidate(
        entry_id=number,
        version=said,
        sources=tuple(SourceListing(source=name, listed_at=listed) for name in names),
        listed_at=listed,
        votes=number if number % 2 else None,
    )


def found(said: EntryVersion, words: Sequence[str]) -> Match:
    """Return the match of *said* with the reasons that *words* give."""
    title, summary = places(said.title, *words), places(said.summary, *words)
    hits = [word for word in words if word in f"{said.title} {said.summary}".lower()]
    return Match(
        candidate=candidate(said),
        score=1000 * len(hits),
        reasons=Reasons(
            interests=tuple(f"All on <{word}>" for word in hits[:2]),
            parts=tuple(
                ScorePart(field=Field.TITLE, term=word, millis=1000 + 37 * n)
                for n, word in enumerate(hits)
            ),
            freshness_millis=pick(500, "fresh", said.id),
            title_places=title,
            summary_places=summary,
        ),
    )


def wanted(reader: int) -> tuple[str, ...]:
    """Return the five words that *reader* looks for."""
    order = sorted(WORDS, key=lambda word: pick(1 << 40, "wanted", reader, word))
    return tuple(order[:5])


def _rank(said: EntryVersion, words: Sequence[str], reader: int) -> tuple[bool, int]:
    text = f"{said.title} {said.summary}".casefold()
    return not any(word in text for word in words), pick(1 << 40, reader, said.id)


def made_issue(
    reader: int,
    *,
    versions: Sequence[EntryVersion] = VERSIONS,
    cards: int | None = None,
    more: int | None = None,
) -> Issue:
    """Return the issue of *reader*.

    Args:
        reader: Any number; each looks for words of their own.
        versions: What there is to choose from.
        cards: None: it differs from reader to reader.
        more: Titles that are not shown. None: the same.
    """
    words = wanted(reader)
    some = sorted(versions, key=lambda said: _rank(said, words, reader))
    count = 1 + pick(14, "cards", reader) if cards is None else cards
    end = count + (reader % 25 if more is None else more)
    matches = tuple(found(said, words) for said in some[:count])
    others = tuple(found(said, words) for said in some[count:end])
    if reader % 3 == 0:
        half = count // 2
        parts = [("State & <spaces>", matches[:half]), ("Weather", matches[half:])]
    else:
        parts = [("", matches)]
    sections = tuple(
        Section(heading=heading, matches=part) for heading, part in parts if part
    )
    base = issue(
        sections=sections,
        address=f"reader{reader}@example.org",
        name=("Ada", "Zoë", "")[reader % 3],
        timezone=ZONES[reader % len(ZONES)],
        key=f"{pick(1 << 62, 'key', reader):032x}",
        unsubscribe_url=f"https://digest.example.org/u/{pick(1 << 62, reader)}",
        preferences_url=f"https://digest.example.org/p/{pick(1 << 62, reader)}"
        if reader % 4
        else None,
        skipped=tuple(date(2026, 3, 1 + n) for n in range(reader % 8)),
    )
    return replace(base, selection=replace(base.selection, more=others))
