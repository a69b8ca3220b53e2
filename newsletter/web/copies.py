"""A mail as one file that can be given away: nothing is loaded, nobody is named.

What is shown already has no reader in it (see App.html_for_anybody); here the
rest goes that would ask a server for anything when the file is opened.
"""

from __future__ import annotations

import re

from newsletter.web.frame import Scheme, framed

#: Attributes that load something by themselves; those of links do not.
_LOADING = re.compile(
    r"(<(?!a\b)[a-z][a-z0-9]*\b[^>]*?)\s(?:src|srcset|background|poster|data|href)"
    r"=(?:\"(?!data:|#)[^\"]*\"|'(?!data:|#)[^']*'|(?![\"'])[^\s>]+)",
    re.IGNORECASE,
)
_URL = re.compile(r"url\(\s*(?:&quot;|['\"])?(?!data:|#)[^)]*\)", re.IGNORECASE)
_IMPORT = re.compile(r"@import\b[^;]*;?", re.IGNORECASE)
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\">"
    '<meta name="referrer" content="no-referrer">'
)


def single_file(
    html: str, *, dead: tuple[str, ...] = (), scheme: Scheme | None = None
) -> str:
    """Return *html* as a document that loads nothing.

    Args:
        html: Of a mail for nobody by name.
        dead: Links that lead nowhere.
        scheme: The colours that it always has. None: those of whoever opens it.
    """
    html = framed(html, scheme, dead=dead)
    before = None
    # A tag may load several things.
    while before != html:
        before, html = html, _LOADING.sub(r"\1", html)
    html = _IMPORT.sub("", _URL.sub("none", html))
    # First of all, so that it holds for all that follows.
    return _HEAD.sub(lambda found: found[0] + _POLICY, html, count=1)
