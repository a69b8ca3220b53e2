"""MJML as this program takes it: elements, where they may stand, attributes.

The compiler passes what it does not know in silence, so this table says what
there is. It states what MJML 5 documents; the tests hold it against the strict
validator of npm's mjml, and name where we differ on purpose.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from newsletter.rendering.judging.colours import is_colour

#: Attributes that several elements have, all of one meaning.
_GROUPS = {
    "@padding": {
        "lengths": "padding",
        "length": "padding-top padding-bottom padding-left padding-right",
    },
    "@border": {"any": "border border-bottom border-left border-right border-top"},
    "@background": {
        "any": "background-url background-size background-position"
        " background-position-x background-position-y",
        "repeat|no-repeat": "background-repeat",
    },
}
#: An element, then a line for each kind of value: the attributes that take it.
_TABLE = """
mj-accordion
  = @padding
  any: border font-family icon-unwrapped-alt icon-unwrapped-url
  any: icon-wrapped-alt icon-wrapped-url
  colour: container-background-color
  left|right: icon-position
  length: icon-height icon-width
  top|middle|bottom: icon-align
mj-accordion-element
  any: border font-family icon-unwrapped-alt icon-unwrapped-url
  any: icon-wrapped-alt icon-wrapped-url
  colour: background-color
  left|right: icon-position
  length: icon-height icon-width
  top|middle|bottom: icon-align
mj-accordion-text
  = @padding
  any: font-family font-weight
  colour: background-color color
  line: line-height
  px: font-size
  spacing: letter-spacing
mj-accordion-title
  = @padding
  any: font-family font-weight
  colour: background-color color
  px: font-size
mj-attributes
mj-body
  any: id
  colour: background-color
  px: width
mj-breakpoint
  px: width
mj-button
  = @padding @border
  any: border-radius font-family font-style font-weight href name rel target
  any: text-decoration text-transform title
  colour: background-color color container-background-color
  left|center|right: align
  left|right|center: text-align
  length: height width
  lengths: inner-padding
  line: line-height
  px: font-size
  spacing: letter-spacing
  top|bottom|middle: vertical-align
mj-carousel
  = @padding
  any: border-radius left-icon right-icon tb-border tb-border-radius
  colour: container-background-color tb-hover-border-color
  colour: tb-selected-border-color
  left|center|right: align
  length: icon-width tb-width
  visible|hidden|supported: thumbnails
mj-carousel-image
  any: alt border-radius href rel src target tb-border tb-border-radius
  any: thumbnails-src title
mj-column
  = @padding @border
  any: border-radius inner-border inner-border-bottom inner-border-left
  any: inner-border-radius inner-border-right inner-border-top
  colour: background-color inner-background-color
  length: width
  ltr|rtl: direction
  top|bottom|middle: vertical-align
mj-divider
  = @padding
  any: border-style
  colour: border-color container-background-color
  left|center|right: align
  length: width
  px: border-width
mj-font
  any: href name
mj-group
  colour: background-color
  length: width
  ltr|rtl: direction
  top|bottom|middle: vertical-align
mj-head
mj-hero
  = @padding
  any: background-position background-url border-radius mode
  colour: background-color inner-background-color
  length: background-height background-width height inner-padding-bottom
  length: inner-padding-left inner-padding-right inner-padding-top
  lengths: inner-padding
  top|bottom|middle: vertical-align
mj-html-attributes
mj-image
  = @padding @border
  any: alt border-radius href name rel sizes src srcset target title usemap
  colour: container-background-color
  left|center|right: align
  length: max-height
  px: font-size width
  px-or-auto: height
  true|false: fluid-on-mobile
mj-navbar
  = @padding
  any: base-url hamburger ico-close ico-font-family ico-open
  any: ico-text-decoration ico-text-transform
  colour: ico-color
  left|center|right: align ico-align
  length: ico-font-size ico-padding-bottom ico-padding-left ico-padding-right
  length: ico-padding-top
  lengths: ico-padding
  line: ico-line-height
mj-navbar-link
  = @padding
  any: font-family font-style font-weight href name rel target
  any: text-decoration text-transform
  colour: color
  line: line-height
  px: font-size
  spacing: letter-spacing
mj-preview
mj-raw
  file-start: position
mj-section
  = @padding @border @background
  any: border-radius
  colour: background-color
  full-width|false|: full-width
  left|center|right: text-align
  length: gutter
  lengths: text-padding
  ltr|rtl: direction
mj-social
  = @padding
  any: border border-radius font-family font-style font-weight
  any: text-decoration
  auto|fixed: table-layout
  colour: color container-background-color
  horizontal|vertical: mode
  left|right|center: align
  length: icon-height icon-size
  lengths: icon-padding inner-padding text-padding
  line: line-height
  px: font-size
  top|bottom|middle: vertical-align
mj-social-element
  = @padding
  any: alt border border-radius font-family font-style font-weight href name
  any: rel sizes src srcset target text-decoration title
  colour: background-color color
  left|center|right: align
  left|right: icon-position
  length: icon-height icon-size
  lengths: icon-padding text-padding
  line: line-height
  px: font-size
  top|middle|bottom: vertical-align
mj-spacer
  = @padding @border
  colour: container-background-color
  length: height
mj-style
  any: inline
mj-table
  = @padding
  any: border font-family font-weight
  auto|fixed|initial|inherit: table-layout
  colour: color container-background-color
  left|right|center: align
  length-or-auto: width
  line: line-height
  none|presentation: role
  number: cellpadding cellspacing
  px: font-size
  top|bottom|middle: vertical-align
mj-text
  = @padding
  any: font-family font-style font-weight text-decoration text-transform
  colour: background-color color container-background-color
  left|right|center|justify: align
  length: height
  line: line-height
  px: font-size
  spacing: letter-spacing
  top|bottom|middle: vertical-align
mj-title
mj-wrapper
  = @padding @border @background
  any: border-radius
  colour: background-color
  full-width|false|: full-width
  left|center|right: text-align
  length: gutter
  lengths: text-padding
  ltr|rtl: direction
  px: gap
"""
#: Element -> what may stand directly in it. In what is missing here, nothing of MJML.
_LEAVES = (
    "mj-accordion mj-button mj-carousel mj-divider mj-image mj-navbar mj-raw"
    " mj-social mj-spacer mj-table mj-text"
)
_INSIDE = {
    "mjml": "mj-head mj-body mj-raw",
    "mj-head": "mj-attributes mj-breakpoint mj-font mj-html-attributes mj-preview"
    " mj-raw mj-style mj-title",
    "mj-body": "mj-hero mj-raw mj-section mj-wrapper",
    "mj-wrapper": "mj-hero mj-raw mj-section",
    "mj-section": "mj-column mj-group mj-raw",
    "mj-group": "mj-column mj-raw",
    "mj-column": _LEAVES,
    "mj-hero": _LEAVES,
    "mj-accordion": "mj-accordion-element mj-raw",
    "mj-accordion-element": "mj-accordion-text mj-accordion-title mj-raw",
    "mj-carousel": "mj-carousel-image",
    "mj-navbar": "mj-navbar-link mj-raw",
    "mj-social": "mj-raw mj-social-element",
}
#: Elements whose content is HTML, or text: MJML in it means nothing.
ENDING = frozenset(
    "mj-accordion-text mj-accordion-title mj-breakpoint mj-button mj-carousel-image"
    " mj-navbar-link mj-preview mj-raw mj-social-element mj-style mj-table mj-text"
    " mj-title".split()
)
#: What MJML has and our compiler leaves out in silence.
DROPPED = {
    "mj-accordion-title": frozenset({"font-weight"}),
    "mj-body": frozenset({"id"}),
    "mj-button": frozenset({"title"}),
    "mj-hero": frozenset({"border-radius"}),
    "mj-image": frozenset({"sizes"}),
    "mj-raw": frozenset({"position"}),
    "mj-section": frozenset({"gutter", "text-padding"}),
    "mj-social": frozenset({"border", "table-layout"}),
    "mj-social-element": frozenset({"border", "icon-position", "sizes", "srcset"}),
    "mj-spacer": frozenset(
        {"border", "border-bottom", "border-left", "border-right", "border-top"}
    ),
    "mj-table": frozenset({"font-weight", "role"}),
    "mj-text": frozenset({"background-color"}),
    "mj-wrapper": frozenset({"gap", "gutter", "text-padding"}),
}
#: Of the root; npm's validator does not look at it.
_ROOT = {"lang": "any", "dir": "ltr|rtl", "owa": "any"}
#: Taken by every element but those of the head.
_EVERYWHERE = {"css-class": "any", "mj-class": "any"}
#: Elements that only name others' attributes: these may be any.
_FREE = frozenset({"mj-all", "mj-class"})

_NUMBER = r"(?:\d+(?:\.\d+)?|\.\d+)"
_LENGTH = rf"(?:{_NUMBER}(?:px|%)|0)"
_KINDS: Mapping[str, tuple[str, str]] = {
    "px": (rf"{_NUMBER}px|0", "a number with px"),
    "px-or-auto": (rf"{_NUMBER}px|0|auto", "a number with px, or auto"),
    "length": (_LENGTH, "a number with px or %"),
    "length-or-auto": (rf"{_LENGTH}|auto", "a number with px or %, or auto"),
    "lengths": (rf"{_LENGTH}(?: {_LENGTH}){{0,3}}", "one to four numbers with px or %"),
    "line": (rf"{_NUMBER}(?:px|%)?|0", "a number, or one with px or %"),
    "spacing": (rf"-?{_NUMBER}(?:px|em)|0", "a number with px or em"),
    "number": (r"\d+", "a whole number"),
}


@cache
def attributes() -> Mapping[str, Mapping[str, str]]:
    """Return, for each element of MJML, its attributes and their kinds of value."""
    found: dict[str, dict[str, str]] = {"mjml": dict(_ROOT)}
    element = ""
    for line in _TABLE.strip().splitlines():
        kind, _, names = line.strip().partition(": ")
        if not line.startswith(" "):
            element = line
            found[element] = dict(_EVERYWHERE)
        elif kind.startswith("= "):
            for group in kind.split()[1:]:
                found[element] |= _kinds(_GROUPS[group])
        else:
            found[element] |= _kinds({kind: names})
    return found


def _kinds(group: Mapping[str, str]) -> dict[str, str]:
    return {name: kind for kind, names in group.items() for name in names.split()}


def is_element(name: str) -> bool:
    """Tell whether MJML has such an element."""
    return name in attributes() or name in _FREE


def may_stand_in(name: str, parent: str) -> bool:
    """Tell whether element *name* may stand directly in *parent*."""
    if parent == "mj-attributes":
        return is_element(name)
    return name in _INSIDE.get(parent, "").split()


def places_of(name: str) -> tuple[str, ...]:
    """Return the elements in which *name* may stand."""
    return tuple(parent for parent in _INSIDE if may_stand_in(name, parent))


def knows_attribute(element: str, name: str) -> bool:
    """Tell whether *element*, one of MJML, has the attribute *name*."""
    return element in _FREE or name in attributes()[element]


def mistake_in(element: str, name: str, value: str) -> str | None:
    """Return what the attribute takes, where *value* is none of it; else None.

    Args:
        element: One of MJML.
        name: One of its attributes.
        value: As written, without Jinja in it.
    """
    kind = attributes().get(element, {}).get(name, "any")
    if kind == "any":
        return None
    if kind == "colour":
        return None if is_colour(value) else "a colour, such as #1b1a18 or black"
    if kind in _KINDS:
        pattern, said = _KINDS[kind]
        return None if re.fullmatch(pattern, value) else said
    words = kind.split("|")
    return None if value in words else " or ".join(word for word in words if word)
