"""Our table of MJML against the strict validator of npm's mjml.

Each generated document has one case a line, so that a line is what both name.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from newsletter.accepting import Severity
from newsletter.rendering.judging import elements, structure
from newsletter.rendering.mjml import to_html
from tests.integration.conftest import MODULES

SCRIPT = Path(__file__).parents[1] / "support" / "strict_mjml.mjs"
Strict = Callable[[Sequence[str]], list[dict[int, str]]]

ELEMENTS = tuple(sorted(elements.attributes().keys() - {"mjml"}))
#: Every attribute of every element, and some that none has.
NAMES = tuple(
    sorted(
        {name for known in elements.attributes().values() for name in known}
        | {"colour", "css-clas", "onclick", "style", "class", "Padding"}
    )
)
VALUES = (
    "#1b1a18", "#fff", "#ff", "red", "rebeccapurple", "infrared", "transparent",
    "rgb(1,2,3)", "12px", "50%", "0", "-3px", "2em", "1.5", "1px 2px", "1px 2% 0 4px",
    "1px 2px 3px 4px 5px", "34 32px", "left", "top", "middle", "auto", "justify",
    "full-width", "true", "no-repeat", "37", "nonsense", "inline", "ltr",
)  # fmt: skip
#: Where we say more than npm does, and why. (element, attribute or value).
ON_PURPOSE: Mapping[str, str] = {
    "mj-html-attributes": "the compiler does not read it",
    "mj-style inline": "the compiler does not do it",
}


@pytest.fixture(scope="module")
def strict() -> Strict:
    """Give npm's validator; without it skip, but never in CI."""
    node = shutil.which("node")
    if node is None or not (MODULES / "mjml").is_dir():
        reason = f"not installed: node, or {MODULES / 'mjml'}"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}, and CI runs every test")
        pytest.skip(reason)

    def ask(documents: Sequence[str]) -> list[dict[int, str]]:
        done = subprocess.run(  # noqa: S603 - our own script
            [node, str(SCRIPT)],
            input=json.dumps(documents),
            env={**os.environ, "NODE_MODULES": str(MODULES)},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [dict(found) for found in json.loads(done.stdout)]

    return ask


def ours(document: str) -> dict[int, str]:
    """Return our errors by line."""
    return {
        fault.line or 0: fault.what
        for fault in structure.faults_of(document, file="body.mjml.j2")
        if fault.severity is Severity.ERROR
    }


def compare(strict: Strict, documents: Sequence[str]) -> list[str]:
    """Return each line on which one finds a fault and the other does not."""
    differ: list[str] = []
    for document, said in zip(documents, strict(documents), strict=True):
        found, lines = ours(document), document.split("\n")
        # That a mail should have a title is a warning of ours.
        theirs = {n: m for n, m in said.items() if not m.startswith("Missing")}
        differ += [
            f"{lines[n - 1]}: npm {theirs.get(n)!r}, we {found.get(n)!r}"
            for n in sorted(found.keys() ^ theirs.keys())
        ]
    return differ


#: Where an element may stand: what opens and closes around it.
AROUND = {
    "mj-accordion-element": "mj-body mj-section mj-column mj-accordion",
    "mj-accordion-text": (
        "mj-body mj-section mj-column mj-accordion mj-accordion-element"
    ),
    "mj-accordion-title": (
        "mj-body mj-section mj-column mj-accordion mj-accordion-element"
    ),
    "mj-carousel-image": "mj-body mj-section mj-column mj-carousel",
    "mj-navbar-link": "mj-body mj-section mj-column mj-navbar",
    "mj-social-element": "mj-body mj-section mj-column mj-social",
    "mj-section": "mj-body",
    "mj-wrapper": "mj-body",
    "mj-hero": "mj-body",
    "mj-column": "mj-body mj-section",
    "mj-group": "mj-body mj-section",
    "mj-body": "",
    "mj-head": "",
} | dict.fromkeys(
    "mj-attributes mj-breakpoint mj-font mj-html-attributes mj-preview mj-style"
    " mj-title".split(),
    "mj-head",
)


def document(element: str, attributes: Iterator[str]) -> str:
    """Return a document with one *element* a line, each with one of *attributes*."""
    around = AROUND.get(element, "mj-body mj-section mj-column").split()
    opened = "".join(f"<{name}>" for name in around)
    closed = "".join(f"</{name}>" for name in reversed(around))
    cases = "\n".join(f"<{element} {said}></{element}>" for said in attributes)
    return f"<mjml>{opened}\n{cases}\n{closed}</mjml>"


def known_to_differ(element: str, attribute: str = "") -> bool:
    return element in ON_PURPOSE or f"{element} {attribute}" in ON_PURPOSE


def test_every_attribute_of_every_element_is_known_to_both_or_to_none(
    strict: Strict,
) -> None:
    documents = [
        document(
            element,
            (f'{name}=""' for name in NAMES if not known_to_differ(element, name)),
        )
        # Whether an empty value is one is another question.
        .replace('=""', '="{{ value }}"')
        for element in ELEMENTS
        if not known_to_differ(element)
    ]
    plain = [text.replace("{{ value }}", "") for text in documents]
    theirs = [
        {n for n, message in found.items() if "illegal" in message}
        for found in strict(plain)
    ]
    mine = [
        {n for n, what in ours(text).items() if "has no attribute" in what}
        for text in documents
    ]
    assert sum(map(len, theirs)) > 2000
    assert (
        sum(len(text.splitlines()) for text in documents) - sum(map(len, theirs)) > 400
    )
    for text, one, other in zip(documents, theirs, mine, strict=True):
        lines = text.split("\n")
        assert [lines[n - 1] for n in sorted(one ^ other)] == []


def test_every_value_of_every_attribute_is_taken_by_both_or_by_none(
    strict: Strict,
) -> None:
    documents = [
        document(
            element,
            (
                f'{name}="{value}"'
                for name, kind in known.items()
                for value in VALUES
                if not known_to_differ(element, name)
                # npm's pattern for whole numbers takes all that holds a digit.
                and not (kind == "number" and re.search(r"\d\D|\D\d", value))
            ),
        )
        for element, known in elements.attributes().items()
        if element != "mjml" and not known_to_differ(element)
    ]
    assert compare(strict, documents) == []


def test_elements_may_stand_in_the_same_places(strict: Strict) -> None:
    names = [*ELEMENTS, "mj-foo", "mj-texts", "mjx-text"]
    parents = [n for n in ELEMENTS if n not in elements.ENDING]
    documents = []
    for parent in parents:
        if known_to_differ(parent) or parent == "mj-attributes":
            continue
        around = [*AROUND.get(parent, "mj-body mj-section mj-column").split(), parent]
        opened = "".join(f"<{name}>" for name in around)
        closed = "".join(f"</{name}>" for name in reversed(around))
        cases = "\n".join(
            f"<{name}></{name}>" for name in names if not known_to_differ(name)
        )
        documents.append(f"<mjml>{opened}\n{cases}\n{closed}</mjml>")
    assert len(documents) > 10
    assert compare(strict, documents) == []


def test_in_mj_attributes_elements_are_named_with_attributes_that_they_have(
    strict: Strict,
) -> None:
    text = (
        "<mjml><mj-head><mj-attributes>\n"
        '<mj-all colour="x" />\n<mj-class name="a" colour="x" />\n'
        '<mj-text colour="x" />\n<mj-text color="red" />\n<mj-foo a="b" />\n'
        "</mj-attributes></mj-head><mj-body></mj-body></mjml>"
    )
    assert compare(strict, [text]) == []
    assert sorted(ours(text)) == [4, 6]


@pytest.mark.parametrize("case", ON_PURPOSE)
def test_what_we_refuse_beyond_npm_is_refused_with_its_reason(
    strict: Strict, case: str
) -> None:
    element, _, attribute = case.partition(" ")
    said = f'{attribute}="inline"' if attribute else ""
    text = document(element, iter([said]))
    (theirs,) = strict([text])
    assert not any(n == 2 for n in theirs)
    assert "the compiler does not" in ours(text)[2]


@pytest.mark.parametrize(
    ("element", "attribute"),
    [(e, a) for e, names in elements.DROPPED.items() for a in sorted(names)],
)
def test_what_is_said_to_be_left_out_by_the_compiler_is(
    element: str, attribute: str
) -> None:
    kind = elements.attributes()[element][attribute]
    value = {"any": "zq7", "length": "7px", "lengths": "7px", "px": "7px"}.get(
        kind, kind.rpartition("|")[2]
    )
    with_it = document(element, iter([f'{attribute}="{value}"']))
    without = document(element, iter([""]))
    assert to_html(with_it, file="x") == to_html(without, file="x")
    assert attribute in "".join(
        fault.what for fault in structure.faults_of(with_it, file="x")
    )
