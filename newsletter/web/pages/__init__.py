"""The templates of the pages, and the one style sheet."""

from __future__ import annotations

from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

_ENVIRONMENT = Environment(
    loader=PackageLoader("newsletter.web", "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def fill(template: str, **values: object) -> str:
    """Return what the template of that name makes of *values*, escaped."""
    return _ENVIRONMENT.get_template(f"{template}.html.j2").render(**values)


def plain_page(
    title: str, *paragraphs: str, back: str | None = None, stamp: str = ""
) -> str:
    """Return a page that only says something.

    Without the style sheet where there is no way *back*: whoever gets it may
    not be let in. With a *stamp* it looks again by itself when files change.
    """
    return fill("plain", title=title, paragraphs=paragraphs, back=back, stamp=stamp)


def style_sheet() -> str:
    """Return the style sheet."""
    return (files(__name__) / "style.css").read_text("utf-8")


def script() -> str:
    """Return the script; every page but for live reload works without it."""
    return (files(__name__) / "preview.js").read_text("utf-8")
