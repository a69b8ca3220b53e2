"""Which links may stand in a mail: https, http and mailto, in plain ASCII."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import SplitResult, quote, urlsplit

#: Longer ones are no links that a person follows, and would eat the mail's size.
MAX_URL = 2000
#: These are as they should be: a host's name and a path of unreserved characters.
_PLAIN = re.compile(r"https?://[A-Za-z0-9.-]*[A-Za-z0-9](?:/[A-Za-z0-9._~/-]*)?")
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
#: Reserved and unreserved characters of RFC 3986, and the percent sign.
_SAFE = "!#$%&'()*+,/:;=?@[]~-._"


def safe_url(url: str | None, *, limit: int = MAX_URL) -> str | None:
    """Return *url* as it may be linked to, or None where it may not.

    No other scheme than https, http and mailto; no user information, which
    only serves to deceive; no control characters; white space and what is
    not ASCII is encoded, so that the text part never breaks it.
    """
    url = (url or "").strip()
    if _PLAIN.fullmatch(url):
        return url if len(url) <= limit else None
    encoded = (_known if len(url) <= MAX_URL else _encoded)(url)
    return encoded if encoded and len(encoded) <= limit else None


def _encoded(url: str) -> str | None:
    if not url or _FORBIDDEN.search(url):
        return None
    try:
        parts = urlsplit(url)
        encoded = _mailto(parts) if parts.scheme == "mailto" else _web(parts)
    except ValueError:
        return None
    return encoded


_known = lru_cache(maxsize=2048)(_encoded)


def _mailto(parts: SplitResult) -> str | None:
    if "@" not in parts.path or parts.netloc:
        return None
    return quote(parts.geturl(), safe=_SAFE)


def _web(parts: SplitResult) -> str | None:
    if parts.scheme not in {"http", "https"} or "@" in parts.netloc:
        return None
    if not parts.hostname or re.search(r"[\s\\<>\"'`{}|^%]", parts.netloc):
        return None
    if not parts.netloc.isascii():
        parts = parts._replace(netloc=parts.netloc.encode("idna").decode("ascii"))
    return quote(parts.geturl(), safe=_SAFE)


def contact_url(contact: str | None) -> str | None:
    """Return the link for a contact that is a URL or a mail address."""
    if contact and "@" in contact and ":" not in contact:
        return safe_url(f"mailto:{contact}")
    return safe_url(contact)


def leave_mailto(address: str | None) -> str | None:
    """Return the link that writes to the address for leaving (RFC 6068)."""
    return safe_url(f"mailto:{address}?subject=unsubscribe") if address else None
