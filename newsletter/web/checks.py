"""How heavy a mail is, and what of it some readers will not see as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from html.parser import HTMLParser

from newsletter.web.clients import STYLES, TAGS, Feature

#: Bytes of HTML where Gmail begins to cut, and where we begin to warn.
CLIPPED_AT, HEAVY_AT = 102_000, 90_000
#: Of one kind, so many are named.
NAMED = 5
#: Characters of an address that are shown.
LONGEST = 120
#: Of these comments programs other than Outlook see nothing.
_FOR_OUTLOOK = re.compile(r"<!--\[if\s+(?!!).*?<!\[endif\]-->", re.DOTALL)


class Grade(StrEnum):
    """How much it matters."""

    #: Somebody will miss something.
    WARNING = "warning"
    #: Plainer for some, and as easy to read.
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing to know of a mail."""

    grade: Grade
    what: str
    #: What to do about it; empty: nothing need be done.
    cure: str = ""
    #: Where it is, as far as it helps.
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """Bytes of a mail."""

    html: int
    text: int
    whole: int
    #: Where Gmail cuts the HTML.
    cap: int = CLIPPED_AT

    @property
    def share(self) -> int:
        """Return how much of the cap the HTML takes, in percent."""
        return round(100 * self.html / self.cap)

    @property
    def is_heavy(self) -> bool:
        """Tell whether it comes near to the cap."""
        return self.html >= HEAVY_AT


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """All that was looked at."""

    weight: Weight
    remarks: tuple[Remark, ...]
    #: What the mail uses and some programs ignore, what does harm first.
    features: tuple[Feature, ...]

    @property
    def warnings(self) -> int:
        """Return how many remarks matter."""
        return sum(remark.grade is Grade.WARNING for remark in self.remarks)


def check(html: str, *, text: str, whole: int) -> Checks:
    """Look at a mail's *html*.

    Args:
        html: As it is sent.
        text: The text part.
        whole: Bytes of the whole mail.
    """
    weight = Weight(html=len(html.encode()), text=len(text.encode()), whole=whole)
    seen = _Seen()
    # Programs that are not Outlook for Windows take this for a comment.
    seen.feed(_FOR_OUTLOOK.sub("", html))
    seen.close()
    features = tuple(
        sorted(
            (
                *_used(STYLES, "\n".join(seen.styles)),
                *_used(TAGS, "\n".join(seen.tags)),
            ),
            key=lambda feature: feature.is_harmless,
        )
    )
    remarks = (*_of_weight(weight), *_of_content(seen), *_of_features(features))
    return Checks(
        weight=weight,
        features=features,
        remarks=tuple(sorted(remarks, key=lambda r: r.grade is Grade.NOTE)),
    )


@dataclass
class _Seen(HTMLParser):
    """Collects what the checks are about."""

    styles: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    #: Addresses of images without an alternative text.
    mute_images: list[str] = field(default_factory=list)
    #: Addresses that anybody on the way can read and change.
    open_links: list[str] = field(default_factory=list)
    remote_images: set[str] = field(default_factory=set)
    _in_style: bool = False

    def __post_init__(self) -> None:
        """Begin."""
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take in one tag."""
        said = {name: value or "" for name, value in attrs}
        self.tags.append(self.get_starttag_text() or "")
        if "style" in said:
            self.styles.append(said["style"])
        self._in_style = tag == "style"
        source = said.get("src", "")
        if tag == "img":
            if "alt" not in said:
                self.mute_images.append(source)
            if source.startswith(("http://", "https://")):
                self.remote_images.add(source)
        for address in (said.get("href", ""), source):
            if address.casefold().startswith("http://"):
                self.open_links.append(address)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take in a tag that ends itself."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Leave a style."""
        if tag == "style":
            self._in_style = False

    def handle_data(self, data: str) -> None:
        """Take in a style sheet."""
        if self._in_style:
            self.styles.append(data)


def _used(features: Sequence[Feature], text: str) -> Iterator[Feature]:
    for feature in features:
        if feature.pattern.search(text):
            yield feature


def _of_weight(weight: Weight) -> Iterator[Remark]:
    if weight.html >= weight.cap:
        yield Remark(
            grade=Grade.WARNING,
            what=(
                f"Gmail cuts this mail: it shows the first {weight.cap // 1000} KB of "
                "HTML and hides the rest, with the links for leaving, behind a link."
            ),
            cure="Lower max_items, or make the theme lighter.",
        )
    elif weight.is_heavy:
        yield Remark(
            grade=Grade.WARNING,
            what=(
                f"The mail is heavy: {weight.share} % of what Gmail shows before it "
                "cuts. Cards were made shorter, or soon will be."
            ),
            cure="Lower max_items, or make the theme lighter.",
        )


def _of_content(seen: _Seen) -> Iterator[Remark]:
    if seen.mute_images:
        yield Remark(
            grade=Grade.WARNING,
            what=f"Without alternative text: {_counted(seen.mute_images, 'image')}. "
            "Who cannot see them, or has images off, learns nothing of them.",
            cure='Give each an alt in the theme; alt="" where it is ornament.',
            places=_some(seen.mute_images),
        )
    if seen.open_links:
        yield Remark(
            grade=Grade.WARNING,
            what=f"Not over https: {_counted(seen.open_links, 'address')}. Whoever is "
            "on the way can see and change what they lead to.",
            cure="Use the https address of the source where it has one.",
            places=_some(seen.open_links),
        )
    if seen.remote_images:
        yield Remark(
            grade=Grade.NOTE,
            what=f"From elsewhere: {_counted(sorted(seen.remote_images), 'image')}. "
            "Many programs ask before they load them; look at Images off.",
        )


def _of_features(features: Sequence[Feature]) -> Iterator[Remark]:
    harmful = [feature for feature in features if not feature.is_harmless]
    if harmful:
        names = ", ".join(feature.name for feature in harmful)
        yield Remark(
            grade=Grade.WARNING,
            what=f"Some programs do not know {names}.",
            cure="Look below at what their readers see, and try it there.",
        )


def _counted(found: Sequence[str], noun: str) -> str:
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{len(found)} {noun if len(found) == 1 else plural}"


def _some(addresses: Sequence[str]) -> tuple[str, ...]:
    unlike = list(dict.fromkeys(addresses))
    shown = [a[:LONGEST] + ("…" if len(a) > LONGEST else "") for a in unlike[:NAMED]]
    rest = len(unlike) - NAMED
    return (*shown, *([f"and {rest} more"] if rest > 0 else []))
