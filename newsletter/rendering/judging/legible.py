"""Whether text can be read on its background, in light and in dark.

Only what a theme states is judged: the colour of the nearest element that has
one, on the nearest background that has one. What a mail program puts there by
itself is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from newsletter.rendering.judging.colours import Rgb, contrast, rgb
from newsletter.rendering.judging.reading import Page, Tag, declared

#: WCAG 2.2, 1.4.3, level AA: of text, and of large text.
LEAST, LEAST_LARGE = 4.5, 3.0
#: Pixels: 18 points, or 14 points where it is bold.
_LARGE, _LARGE_BOLD = 24.0, 18.66
_BOLD = 700
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_DARK = re.compile(r"@media[^{]*prefers-color-scheme\s*:\s*dark")
_COMPOUND = re.compile(r"(?P<tag>[a-z][a-z0-9]*|\*)?(?P<classes>(?:\.[\w-]+)*)")
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "b", "strong", "th"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One selector of a style sheet, with what it sets."""

    #: Compounds from left to right, with what joins each to the one before.
    parts: tuple[tuple[str, str, frozenset[str]], ...]
    declared: Mapping[str, str]
    #: Properties that outdo what stands in the element itself.
    important: frozenset[str]
    weight: tuple[int, int]
    is_dark: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Faint:
    """A text that is hard to read."""

    tag: Tag
    text: str
    colour: str
    background: str
    ratio: float
    least: float
    is_dark: bool


def faint(page: Page) -> Iterator[Faint]:
    """Yield each text whose contrast is under what level AA asks for."""
    rules = tuple(rule for _, style in page.styles for rule in rules_of(style))
    for is_dark in (False, True) if any(r.is_dark for r in rules) else (False,):
        active = tuple(r for r in rules if is_dark or not r.is_dark)
        shown = _Shown(rules=active, known={})
        for tag, text in page.texts:
            found = _faint(tag, text, shown, is_dark=is_dark)
            if found is not None:
                yield found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What elements look like under some rules."""

    rules: tuple[Rule, ...]
    known: dict[Tag, Mapping[str, str]]

    def of(self, tag: Tag) -> Mapping[str, str]:
        """Return what is stated of *tag* itself, by property."""
        if tag not in self.known:
            self.known[tag] = self._of(tag)
        return self.known[tag]

    def _of(self, tag: Tag) -> Mapping[str, str]:
        given = tag.attributes
        stated = {"background-color": given["bgcolor"]} if "bgcolor" in given else {}
        matching = sorted(
            (rule for rule in self.rules if matches(rule, tag)),
            key=lambda rule: rule.weight,
        )
        for rule in matching:
            stated |= _normal(rule.declared)
        stated |= _normal(tag.style)
        for rule in matching:
            outdoing = {
                name: value
                for name, value in rule.declared.items()
                if name in rule.important
            }
            stated |= _normal(outdoing)
        return stated

    def nearest(self, tag: Tag, name: str) -> str | None:
        """Return what *tag* or the nearest that it stands in says of *name*."""
        values = (self.of(one).get(name) for one in tag.ancestors())
        return next((v for v in values if v not in {None, "transparent"}), None)

    def is_hidden(self, tag: Tag) -> bool:
        return any(self.of(one).get("display") == "none" for one in tag.ancestors())


def _normal(given: Mapping[str, str]) -> dict[str, str]:
    """Return declarations with the colour of ``background`` under its own name."""
    found = dict(given)
    for word in found.get("background", "").split():
        if rgb(word) is not None:
            found.setdefault("background-color", word)
    return found


def _faint(tag: Tag, text: str, shown: _Shown, *, is_dark: bool) -> Faint | None:
    if tag.name in {"title", "script", "style"} or shown.is_hidden(tag):
        return None
    colour = shown.nearest(tag, "color")
    background = shown.nearest(tag, "background-color")
    ink, paper = _rgb(colour), _rgb(background)
    if ink is None or paper is None:
        return None
    ratio, least = contrast(ink, paper), _least(tag, shown)
    if ratio >= least:
        return None
    return Faint(
        tag=tag,
        text=text.strip(),
        colour=str(colour),
        background=str(background),
        ratio=ratio,
        least=least,
        is_dark=is_dark,
    )


def _rgb(value: str | None) -> Rgb | None:
    return None if value is None else rgb(value)


def _least(tag: Tag, shown: _Shown) -> float:
    size = re.match(r"([\d.]+)px", shown.nearest(tag, "font-size") or "")
    weight = shown.nearest(tag, "font-weight") or ""
    is_bold = weight == "bold" or (weight.isdigit() and int(weight) >= _BOLD)
    is_bold = is_bold or (not weight and tag.name in _HEADINGS)
    if size is None:
        return LEAST
    return (
        LEAST_LARGE if float(size[1]) >= (_LARGE_BOLD if is_bold else _LARGE) else LEAST
    )


# --- style sheets -------------------------------------------------------------


def rules_of(style: str) -> Iterator[Rule]:
    """Yield the rules of *style* for a screen; others than dark media are left out."""
    style = _COMMENT.sub("", style.lower())
    for number, (head, body) in enumerate(_blocks(style)):
        if not head.startswith("@"):
            yield from _rules(head, body, number, is_dark=False)
        elif _DARK.match(head):
            for inner, (selector, said) in enumerate(_blocks(body)):
                yield from _rules(selector, said, number + inner, is_dark=True)


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Yield what stands before each outer pair of braces, and in it."""
    start, depth, head = 0, 0, ""
    for found in re.finditer(r"[{}]", text):
        if found[0] == "{":
            depth += 1
            if depth == 1:
                head, start = text[start : found.start()].strip(), found.end()
        elif depth:
            depth -= 1
            if not depth:
                yield head.rpartition(";")[2].strip(), text[start : found.start()]
                start = found.end()


def _rules(head: str, body: str, number: int, *, is_dark: bool) -> Iterator[Rule]:
    said = declared(body)
    important = frozenset(re.findall(r"([a-z-]+)\s*:[^;]*!important", body))
    for selector in head.split(","):
        parts = _parts(selector.strip())
        if parts:
            names = sum(len(classes) for _, _, classes in parts)
            yield Rule(
                parts=parts,
                declared=said,
                important=important,
                weight=(names, number),
                is_dark=is_dark,
            )


def _parts(selector: str) -> tuple[tuple[str, str, frozenset[str]], ...]:
    """Return a selector's compounds; nothing of one that is not understood."""
    parts: list[tuple[str, str, frozenset[str]]] = []
    joint = " "
    for word in selector.replace(">", " > ").split():
        if word == ">":
            joint = ">"
            continue
        found = _COMPOUND.fullmatch(word)
        if found is None:
            return ()
        classes = frozenset(name for name in found["classes"].split(".") if name)
        parts.append((joint, found["tag"] or "*", classes))
        joint = " "
    return tuple(parts)


def matches(rule: Rule, tag: Tag) -> bool:
    """Tell whether the rule's selector names *tag*."""
    return _is(rule.parts[-1], tag) and _rest(rule.parts, len(rule.parts) - 1, tag)


def _rest(
    parts: tuple[tuple[str, str, frozenset[str]], ...], place: int, tag: Tag
) -> bool:
    """Tell whether what is left of *place* fits what *tag* stands in."""
    if place == 0:
        return True
    above = tag.parent
    while above is not None:
        if _is(parts[place - 1], above) and _rest(parts, place - 1, above):
            return True
        if parts[place][0] == ">":
            return False
        above = above.parent
    return False


def _is(part: tuple[str, str, frozenset[str]], tag: Tag) -> bool:
    _, name, classes = part
    own = tag.attributes.get("class", "").lower().split()
    return name in {"*", tag.name} and classes.issubset(own)
