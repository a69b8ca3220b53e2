"""What is wrong with the MJML of a theme, by the table of what there is."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from newsletter.accepting import Fault, error, warning
from newsletter.rendering.judging.document import (
    UNKNOWN,
    Attribute,
    Element,
    cdata_line,
    elements,
)
from newsletter.rendering.judging.elements import (
    DROPPED,
    attributes,
    is_element,
    knows_attribute,
    may_stand_in,
    mistake_in,
    places_of,
)

#: Elements that are refused, and why; the cure after it.
_REFUSED = {
    "mj-include": (
        "mj-include reads a file of this machine into the mail",
        (
            "write the elements here, or import a macro of the theme:"
            ' {% import "parts.html.j2" as parts %}'
        ),
    ),
    "mj-html-attributes": (
        "the compiler does not read mj-html-attributes",
        "write the attributes where the elements are",
    ),
}
#: Elements that pass and do nothing.
_IDLE = {
    "mj-font": (
        "mj-font loads a font from elsewhere, which is left out of every mail",
        "name fonts that readers have: Georgia, Helvetica, Arial, sans-serif",
    ),
}


def faults_of(source: str, *, file: str) -> Iterator[Fault]:
    """Yield what is wrong with the MJML template *source*.

    Args:
        source: With its Jinja.
        file: For the faults.
    """
    if line := cdata_line(source):
        yield error(
            "the compiler does not read CDATA",
            "write the text, with &lt; and &amp; where it has < and &",
            file=file,
            line=line,
        )
    seen: set[str] = set()
    for element in elements(source):
        seen.add(element.name)
        yield from _faults_of(element, file)
    if "mjml" in seen and "mj-title" not in seen:
        yield warning(
            "the mail has no title, which screen readers say first",
            "put <mj-title>{{ issue.title }}</mj-title> into mj-head",
            file=file,
        )


def _faults_of(element: Element, file: str) -> Iterator[Fault]:
    name = element.name
    if name in _REFUSED:
        yield error(*_REFUSED[name], file=file, line=element.line)
        return
    if name in _IDLE:
        yield warning(*_IDLE[name], file=file, line=element.line)
    if not is_element(name):
        yield error(
            _unknown(element), _near_element(name), file=file, line=element.line
        )
        return
    yield from _misplaced(element, file)
    for attribute in element.attributes:
        yield from _attribute_faults(element, attribute, file)


def _unknown(element: Element) -> str:
    if element.name.startswith("mj-"):
        return f"MJML has no element {element.name}"
    where = f"in {element.parent}" if element.parent else "at the top"
    return f"<{element.name}> stands {where}, where only MJML may stand"


def _near_element(name: str) -> str:
    if not name.startswith("mj"):
        return "put it into mj-text or mj-raw"
    near = get_close_matches(name, list(attributes()), n=1)
    return f"perhaps {near[0]} is meant" if near else "take one that there is, or HTML"


def _misplaced(element: Element, file: str) -> Iterator[Fault]:
    name, parent = element.name, element.parent
    if parent is None:
        if name != "mjml":
            what, cure = f"{name} stands outside mjml", "put it into mj-body"
            yield error(what, cure, file=file, line=element.line)
        return
    if not is_element(parent) or may_stand_in(name, parent):
        return
    places = places_of(name)
    cure = f"put it into {' or '.join(places)}" if places else "take it out"
    what = f"{name} stands in {parent}, where it does not belong"
    yield error(what, cure, file=file, line=element.line)


def _attribute_faults(
    element: Element, attribute: Attribute, file: str
) -> Iterator[Fault]:
    name, key, line = element.name, attribute.name, attribute.line
    if not knows_attribute(name, key):
        near = get_close_matches(key, list(attributes()[name]), n=1)
        cure = f"perhaps {near[0]} is meant" if near else "take it out"
        yield error(f"{name} has no attribute {key}", cure, file=file, line=line)
    elif (name, key) == ("mj-style", "inline"):
        yield error(
            "the compiler does not put styles into elements (inline)",
            "take the attribute out, or write style=… where the elements are",
            file=file,
            line=line,
        )
    elif UNKNOWN not in attribute.value:
        takes = mistake_in(name, key, attribute.value)
        if takes is not None:
            what = f"{key} of {name} is {attribute.value!r}"
            yield error(what, f"it takes {takes}", file=file, line=line)
    if key in DROPPED.get(name, ()):
        yield warning(
            f"{key} of {name} is left out by the compiler",
            "say it with style=… in HTML, or in mj-style",
            file=file,
            line=line,
        )
