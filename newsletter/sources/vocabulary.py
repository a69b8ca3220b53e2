"""What elements of feeds are called, whoever made the vocabulary.

Names are in lower case, with our own prefix for each namespace.
"""

from __future__ import annotations

from collections.abc import Mapping


def _all(*rows: tuple[str, str]) -> Mapping[str, str]:
    """Return {name: meaning} of ("meaning", "name name …")."""
    return {name: meaning for meaning, names in rows for name in names.split()}


#: Namespace in lower case -> our prefix; empty: RSS and Atom themselves.
NAMESPACES: Mapping[str, str] = {
    "": "",
    "http://www.w3.org/2005/atom": "",
    "http://purl.org/atom/ns#": "",
    "http://purl.org/rss/1.0/": "",
    "http://my.netscape.com/rdf/simple/0.9/": "",
    "http://blogs.law.harvard.edu/tech/rss": "",
    "http://purl.org/rss/1.0/modules/rss091#": "",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://search.yahoo.com/mrss": "media",
    "http://search.yahoo.com/mrss/": "media",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://purl.org/rss/1.0/modules/syndication/": "sy",
    "http://www.w3.org/1999/xhtml": "xhtml",
    "http://prismstandard.org/namespaces/1.2/basic/": "prism",
}
#: What an element of an item means.
IN_ITEMS: Mapping[str, str] = _all(
    ("title", "title dc:title media:title"),
    ("description", "description dc:description media:description"),
    ("description", "summary itunes:summary"),
    ("content", "content content:encoded"),
    ("id", "guid id"),
    ("link", "link"),
    ("enclosure", "enclosure"),
    ("comments", "comments"),
    ("published", "pubdate published issued dcterms:issued"),
    ("updated", "updated modified lastbuilddate dc:date dcterms:modified"),
    ("author", "author managingeditor dc:creator dc:author itunes:author"),
    ("term", "category keywords dc:subject media:category itunes:category"),
    ("terms", "tags itunes:keywords media:keywords"),
    ("thumbnail", "media:thumbnail"),
    # The strict reader leaves these to the lenient one.
    ("unusual", "body fullitem abstract xhtml:body"),
)
#: What an element of a channel or a feed means.
IN_CHANNELS: Mapping[str, str] = _all(
    ("title", "title dc:title"),
    ("subtitle", "description subtitle tagline"),
    ("link", "link"),
    ("language", "language dc:language"),
    ("ttl", "ttl"),
    ("update_period", "sy:updateperiod"),
    ("update_frequency", "sy:updatefrequency"),
    ("skip_hours", "skiphours"),
    ("skip_days", "skipdays"),
)
#: Elements that hold others and say nothing of the item itself.
PASSED_OVER = frozenset(
    "source contributor dc:contributor itunes:owner itunes:image image textinput"
    " cloud author managingeditor category itunes:category rights copyright".split()
)
#: What a text must consist of to be taken for HTML.
HTML_ELEMENTS = frozenset(
    "a abbr acronym address area article aside audio b big blockquote br button canvas"
    " caption center cite code col colgroup command datagrid datalist dd del details"
    " dfn dialog dir div dl dt em event-source fieldset figcaption figure font footer"
    " form h1 h2 h3 h4 h5 h6 header hr i img input ins kbd keygen label legend li m map"
    " menu meter multicol nav nextid nobr noscript ol optgroup option output p pre"
    " progress q s samp section select small sound source spacer span strike strong"
    " sub sup table tbody td textarea tfoot th thead time tr tt u ul var video"
    " wbr".split()
)
