"""DOIs, in every shape that they are written in.

    10.1000/XYZ   doi:10.1000/xyz.   https://doi.org/10.1000%2Fxyz
    https://www.biorxiv.org/content/10.1101/2026.06.30.123456v1.full.pdf

Of a publisher's address only where the DOI stands in it, whole, or follows
from it by a rule of the publisher's. Anything else there is an address.
"""

from __future__ import annotations

import re

from newsletter.identity.addresses import parse_url

#: arXiv's own: such a DOI is an arXiv id.
ARXIV_PREFIX = "10.48550/arxiv."
_FLAGS = re.ASCII | re.IGNORECASE
_PREFIX = r"10\.\d{4,9}(?:\.\d+)*"
_WRITTEN = re.compile(
    r"(?:(?:(?:urn:|info:)?doi(?::\s*|/|\s+))?(?:(?:dx\.|www\.)?doi\.org/)?)"
    rf"({_PREFIX})(?:/|%2F)(\S+)",
    _FLAGS,
)
_HOSTS = frozenset({"doi.org", "dx.doi.org", "www.doi.org"})
#: A preprint's versions are one text to whoever reads it.
_PREPRINT = re.compile(
    r"(10\.(?:1101|64898)/(?:\d{4}\.\d{2}\.\d{2}\.\d{6,9}|\d{6}))v\d+", re.ASCII
)
#: Of a DOI that stands in a path: what cannot be the beginning of more path.
_WHOLE = rf"({_PREFIX}/[\w.()\-]+?)"
_VIEW = r"(?:/(?:full|fulltext|abstract|abs|pdf|epdf|html|summary|meta|references))?"
_ATYPON = (
    rf"/doi/(?:(?:abs|full|pdf|epdf|pdfplus|pdfdirect|reader|epub|refs?)/)?"
    rf"{_WHOLE}{_VIEW}/?"
)
_ATYPON_HOSTS = (
    r"dl\.acm\.org|(?:www\.)?(?:science|pnas|nejm|annualreviews|ahajournals"
    r"|royalsocietypublishing)\.org|pubs\.acs\.org|epubs\.siam\.org"
    r"|(?:[\w\-]+\.)?onlinelibrary\.wiley\.com|journals\.sagepub\.com"
    r"|(?:www\.)?(?:tandfonline|worldscientific|liebertpub)\.com"
    r"|pubsonline\.informs\.org|ascopubs\.org|journals\.physiology\.org"
)
#: (hosts, path and query): who writes the DOI into the address.
_PUBLISHERS = tuple(
    (re.compile(hosts, _FLAGS), re.compile(rf"{path}(?:[?&].*)?", _FLAGS))
    for hosts, path in (
        (
            r"(?:www\.|connect\.)?(?:biorxiv|medrxiv)\.org",
            rf"/content/({_PREFIX}/\d[\d.]*\d)(?:v\d+)?(?:[./].*)?",
        ),
        (_ATYPON_HOSTS, _ATYPON),
        (
            r"link\.springer\.com",
            rf"/(?:article|chapter|book|content/pdf|epdf)/{_WHOLE}(?:\.pdf)?{_VIEW}/?",
        ),
        (
            r"[\w\-]+\.(?:biomedcentral|springeropen)\.com",
            rf"/(?:articles|counter/pdf)/{_WHOLE}(?:\.pdf)?{_VIEW}/?",
        ),
        (
            r"(?:www\.)?frontiersin\.org",
            rf"/(?:journals/[\w\-]+/)?articles/{_WHOLE}{_VIEW}/?",
        ),
        (
            r"journals\.aps\.org",
            rf"/\w+/(?:abstract|pdf|accepted)/{_WHOLE}/?",
        ),
        (
            r"iopscience\.iop\.org",
            rf"/article/({_PREFIX}/[\w\-]+/[\w\-]+){_VIEW}/?",
        ),
        (
            r"journals\.plos\.org",
            rf"/\w+/article(?:/\w+)?\?id={_WHOLE}",
        ),
    )
)
_NATURE_HOST = "nature.com"
_NATURE = re.compile(
    r"/articles/([sd]\d{5}-\d{3}-\d{4,5}-[a-z0-9])(?:_reference)?(?:\.pdf)?/?", _FLAGS
)
_CLOSERS = {")": "(", "]": "[", "}": "{", ">": "<"}


def doi_of(text: str) -> str | None:
    """Return the DOI that *text* is a form of, case folded; else None.

    Punctuation that a sentence left at its end is no part of it, nor is the
    version of a bioRxiv or medRxiv preprint.
    """
    text = text.strip()
    if "10." not in text and _NATURE_HOST not in text.lower():
        return None
    if "://" in text:
        text = _in_address(text) or ""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    suffix = _trimmed(found[2])
    if not suffix:
        return None
    return _PREPRINT.sub(r"\1", f"{found[1]}/{suffix}".casefold())


def _in_address(text: str) -> str | None:
    """Return the DOI that stands in an address; None: none that is sure."""
    url = parse_url(text)
    if url is None:
        return None
    host = url.host or ""
    if host in _HOSTS:
        return url.path.strip("/")
    if host.removeprefix("www.") == _NATURE_HOST:
        article = _NATURE.fullmatch(url.path)
        return f"10.1038/{article[1]}" if article else None
    for hosts, path in _PUBLISHERS:
        if hosts.fullmatch(host):
            found = path.fullmatch(url.path_qs)
            return found[1] if found else None
    return None


def _trimmed(suffix: str) -> str:
    """Return *suffix* without what follows it in prose; brackets stay in pairs."""
    while suffix:
        last = suffix[-1]
        opener = _CLOSERS.get(last)
        if last not in ".,;:!?'\"/" and (
            opener is None or suffix.count(last) <= suffix.count(opener)
        ):
            break
        suffix = suffix[:-1]
    return suffix
