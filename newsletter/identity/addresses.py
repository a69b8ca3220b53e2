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
#: What is longer is nobody's link.
_LONGEST_URL = 4000


@lru_cache(maxsize=1_000)
def canonical_url(url: str) -> str | None:
    """Return an address in the one form that stands for it; None: no http(s).

    Host in lower case and ASCII, no default port, no fragment, no tracking
    parameters; what need not be percent-encoded is not.
    """
    parsed = parse_url(url)
    if parsed is None:
        return None
    if parsed.raw_path == "/":
        parsed = parsed.with_path("/", keep_query=True)
    bare = str(parsed.with_query(None).with_fragment(None))
    # Taken out of the text: a query put together anew may be another one.
    query = "&".join(
        part for part in parsed.raw_query_string.split("&") if not _is_tracker(part)
    )
    whole = f"{bare}?{query}" if query else bare
    # Letters beyond ASCII are written as several; what is long by then is none.
    return whole if len(whole) <= _LONGEST_URL else None


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
