"""What is wrong with a theme as written: its settings, its Jinja, its MJML."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping

from jinja2 import TemplateSyntaxError, nodes

from newsletter.accepting import Fault, error
from newsletter.rendering import templates
from newsletter.rendering.judging import structure
from newsletter.rendering.themes import BODY_MJML, BODY_TEXT, SETTINGS, SUBJECT

#: Characters; a text that is longer is nothing for a mail.
LARGEST = 1_000_000
#: What must be there, and what it is.
_PARTS = {
    SUBJECT: "the line of the subject",
    BODY_MJML: "the HTML part",
    BODY_TEXT: "the text part",
}
_KEYS = {"description": 'description = "…"'}


def faults_of(files: Mapping[str, str]) -> Iterator[Fault]:
    """Yield what is wrong with the theme of *files*, by name."""
    yield from _settings_faults(files.get(SETTINGS))
    for file, what in _PARTS.items():
        if file not in files:
            yield error(
                f"the theme has no {file}, {what}",
                "add it; `newsletter theme new` shows what a theme has",
                file=file,
            )
    env = templates.environment(files)
    for file, source in sorted(files.items()):
        if not file.endswith(".j2"):
            continue
        try:
            template = env.parse(source, file, file)
        except TemplateSyntaxError as exc:
            what = f"Jinja does not understand it: {exc.message}"
            yield error(what, "correct it", file=file, line=exc.lineno)
            continue
        yield from _jinja_faults(template, file, files)
    if BODY_MJML in files:
        yield from structure.faults_of(files[BODY_MJML], file=BODY_MJML)


def _settings_faults(settings: str | None) -> Iterator[Fault]:
    if settings is None:
        return
    table = tomllib.loads(settings)
    for key, example in _KEYS.items():
        if key not in table:
            yield error(f"{key} is missing", f"add {example}", file=SETTINGS)


def _jinja_faults(
    template: nodes.Template, file: str, files: Mapping[str, str]
) -> Iterator[Fault]:
    if not file.endswith(".txt.j2"):
        yield from _holes(template, file)
    for node in template.find_all((nodes.Import, nodes.FromImport, nodes.Include)):
        name = getattr(node, "template", None)
        if isinstance(name, nodes.Const) and name.value not in files:
            yield error(
                f"the theme has no file {name.value!r}",
                f"add it, or take one of: {', '.join(sorted(files))}",
                file=file,
                line=node.lineno,
            )
    yield from _endless(template, file)


def _endless(template: nodes.Template, file: str) -> Iterator[Fault]:
    """Yield a constant that nothing has room for.

    Jinja computes constants when it compiles, before anything can be measured.
    """
    for product in template.find_all((nodes.Mul, nodes.Pow)):
        if _size(product) > LARGEST:
            yield error(
                "this makes a value too large for any mail",
                f"keep it under {LARGEST:,} characters",
                file=file,
                line=product.lineno,
            )
            return


def _holes(template: nodes.Template, file: str) -> Iterator[Fault]:
    """Yield where the escaping of HTML is switched off."""
    cure = "leave it out: what an entry says must not become markup"
    for found in template.find_all(nodes.Filter):
        if found.name == "safe":
            what = "the filter safe lets a text through unescaped"
            yield error(what, cure, file=file, line=found.lineno)
    for modified in template.find_all(nodes.ScopedEvalContextModifier):
        yield error("autoescape is changed here", cure, file=file, line=modified.lineno)


def _size(node: nodes.Node) -> float:
    """Return how many characters or digits a constant has; 0: it is none."""
    if isinstance(node, nodes.Mul):
        left, right = _size(node.left), _size(node.right)
        if _is_text(node.left) or _is_text(node.right):
            return left * _value(node.right) + right * _value(node.left)
        return left + right
    if isinstance(node, nodes.Pow):
        return _size(node.left) * _value(node.right)
    if not isinstance(node, nodes.Const):
        return 0
    value = node.value
    return len(value) if isinstance(value, str) else len(str(value))


def _is_text(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Const) and isinstance(node.value, str)


def _value(node: nodes.Node) -> float:
    """Return the number that a constant is; a great one where it is computed."""
    if isinstance(node, nodes.Const):
        return node.value if isinstance(node.value, int | float) else 0
    return 10 ** min(_size(node), 300) if _size(node) else 0
