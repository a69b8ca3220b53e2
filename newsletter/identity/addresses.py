"""Addresses: one form for each, whatever way readers came.

HTTP://Example.ORG:80/%7Eann?utm_source=rss&id=3#top -> http://example.org/~ann?id=3
"""

from __future__ import annotations

import re
from functools import lru_cache

from yarl import URL

#: Query parameters that say how a reader came, not where.
_TRACKERS = re.compile(
    r"utm_\w+|fbclid|gclid|dclid|gbraid|wbraid|gad_source|srsltid|msclkid|ttclid"
    r"|twclid|li_fat_id|mc_cid|mc_eid|mkt_tok|igshid|yclid|_ga|_gl|_hsenc|_hsmi"
    r"|__hs(?:tc|sc|fp)|hsa_\w+|pk_\w+|mtm_\w+|piwik_\w+|vero_id|wickedid"
    r"|oly_anon_id|oly_enc_id|__s|at_campaign|at_medium|ref_src|cmpid|ns_campaign"
    r"|ns_source|ns_mchannel|s_cid|spm|xtor|guccounter|guce_referrer(?:_sig)?",
    re.ASCII | re.IGNORECASE,
)
#: The same, where only this value says so: "came from the feed".
_FROM_FEED = re.compile(r"rss=1|af=R|source=rss\b.*|from=rss|ref=rss", re.ASCII)
#: As it stands in ASCII: a name, or an address.
_HOST = re.compile(r"[A-Za-z0-9._\-]+|[0-9A-Fa-f:.]+(?:%\w+)?", re.ASCII)
#: What nearly all links look like: nothing to decode, to add or to take out
#: but parameters. A host has a letter first, and no part of a path a dot.
_PLAIN = re.compile(
    r"(https?://[a-z](?:[a-z0-9\-]*[a-z0-9])?(?:\.[a-z](?:[a-z0-9\-]*[a-z0-9])?)*"
    r"(?:/[A-Za-z0-9_~\-][A-Za-z0-9_~.\-]*)+/?)(?:\?([A-Za-z0-9_~.\-=&]+))?",
    re.ASCII,
)
#: What is longer is nobody's link.
_LONGEST_URL = 4000


@lru_cache(maxsize=1_000)
def canonical_url(url: str) -> str | None:
    """Return an address in the one form that stands for it; None: no http(s).

    Host in lower case and ASCII, no default port, no fragment, no tracking
    parameters; what need not be percent-encoded is not.
    """
    plain = _PLAIN.fullmatch(url)
    if plain and len(url) <= _LONGEST_URL:
        return _joined(plain[1], plain[2] or "")
    return _canonical(url)


def _canonical(url: str) -> str | None:
    """Return what ``canonical_url`` does, of any address."""
    parsed = parse_url(url)
    if parsed is None:
        return None
    if parsed.raw_path == "/":
        parsed = parsed.with_path("/", keep_query=True)
    bare = str(parsed.with_query(None).with_fragment(None))
    whole = _joined(bare, parsed.raw_query_string)
    # Letters beyond ASCII are written as several; what is long by then is none.
    return whole if len(whole) <= _LONGEST_URL else None


def is_plain(url: str) -> bool:
    """Tell whether *url* is whole and has nothing that is written in two ways."""
    return bool(_PLAIN.fullmatch(url))


def _joined(bare: str, query: str) -> str:
    """Return an address with its query, but for the trackers.

    Taken out of the text: a query put together anew may be another one.
    """
    kept = "&".join(part for part in query.split("&") if not _is_tracker(part))
    return f"{bare}?{kept}" if kept else bare


def _is_tracker(part: str) -> bool:
    key = part.partition("=")[0]
    return bool(_TRACKERS.fullmatch(key) or _FROM_FEED.fullmatch(part))


def parse_url(text: str) -> URL | None:
    """Return *text* as an http(s) address with a host; None: it is none."""
    if len(text) > _LONGEST_URL:
        return None
    try:
        url = URL(text.strip())
        host = (url.raw_host or "").rstrip(".")
        usable = url.scheme in {"http", "https"} and bool(_HOST.fullmatch(host))
        # Both fail late on some text that is no address.
        _ = url.port, url.query
    except (ValueError, TypeError, UnicodeError):
        return None
    if not usable:
        return None
    if host != url.raw_host:
        url = url.with_host(host)
    if url.is_default_port():
        url = url.with_port(None)
    return url.with_user(None)
