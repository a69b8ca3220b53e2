"""The mail as a sandboxed frame shows it: light or dark, whatever the system says.

A frame has the system's colour scheme, and no attribute of it changes what
its media queries find. So they are answered here, in a copy: a query for the
wanted scheme becomes one that always holds, one for the other never. Mail
programs that recolour by themselves are not imitated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from urllib.parse import urlsplit

from markupsafe import escape

_STYLE = re.compile(r"(<style\b[^>]*>)(.*?)(</style>)", re.DOTALL | re.IGNORECASE)
#: Elements whose ``media`` asks for a scheme.
_TAG = re.compile(r"<(?:style|source|link|meta)\b[^>]*>", re.IGNORECASE)
_QUERY = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)", re.IGNORECASE)
_PROPERTY = re.compile(r"(?<![\w-])color-scheme\s*:\s*[^;}]*", re.IGNORECASE)
_META = re.compile(
    r"(<meta\b[^>]*\bname=\"color-scheme\"[^>]*\bcontent=\")[^\"]*", re.IGNORECASE
)
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_IMAGE = re.compile(
    r"<img\b[^>]*\bsrc=\"(https?://[^\"/?#]+)|url\(['\"]?(https?://[^'\")/?#]+)",
    re.IGNORECASE,
)
_HOST = re.compile(r"[a-z0-9.-]+(?::\d+)?", re.IGNORECASE)
_ALWAYS, _NEVER = "(min-width:0px)", "(max-width:0px)"

#: What the frame may do: open a link in a tab of its own.
SANDBOX = "allow-popups allow-popups-to-escape-sandbox"


class Scheme(StrEnum):
    """Which colours a mail program asks for."""

    LIGHT = "light"
    DARK = "dark"


def framed(html: str, scheme: Scheme | None, *, dead: Iterable[str] = ()) -> str:
    """Return the copy of a mail's *html* that a frame shows.

    Args:
        html: As it is sent.
        scheme: Which colours it is asked for. None: what the system asks for.
        dead: Links that lead nowhere here: trying them out would act for the
            reader.
    """
    if scheme is not None:
        html = _in_scheme(html, scheme)
    for url in dead:
        html = html.replace(
            f'href="{escape(url)}"',
            'href="#" target="_self" title="Leads nowhere in the preview"',
        )
    # The frame itself must not be led anywhere.
    return _HEAD.sub(lambda found: f'{found[0]}<base target="_blank">', html, count=1)


def _in_scheme(html: str, scheme: Scheme) -> str:
    html = _STYLE.sub(lambda found: found[1] + _css(found[2], scheme) + found[3], html)
    html = _TAG.sub(lambda found: _answered(found[0], scheme), html)
    return _META.sub(rf"\g<1>{scheme}", html)


def _css(text: str, scheme: Scheme) -> str:
    return _PROPERTY.sub(f"color-scheme: {scheme}", _answered(text, scheme))


def _answered(text: str, scheme: Scheme) -> str:
    """Return *text* with every question about the scheme answered."""
    return _QUERY.sub(
        lambda found: _ALWAYS if found[1].lower() == scheme else _NEVER, text
    )


def policy(html: str, *, images: bool = True) -> str:
    """Return the Content-Security-Policy of the frame that shows *html*.

    Images are loaded from where the mail has them, and nothing else is.

    Args:
        html: What is shown.
        images: Whether any are shown.
    """
    found = {one or other for one, other in _IMAGE.findall(html)}
    hosts = sorted(url for url in found if _HOST.fullmatch(urlsplit(url).netloc))
    sources = " ".join(["data:", *hosts]) if images else "'none'"
    return (
        "default-src 'none'; style-src 'unsafe-inline'; "
        f"img-src {sources}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
        f"sandbox {SANDBOX}"
    )
