"""What is one story: the names an entry goes by, and when two are one.

    arxiv:2508.13426   any shape of an arXiv paper's name, its DOI among them
    doi:10.1000/xyz    case folded
    url:example.org/a  canonical, whatever the scheme
    guid:source:name   what a source calls it, within that source
    text:source:hash   what it says, where a source gives it no guid

Every name is an alias; many lead to one entry. Titles differ between sources
(retitled, truncated, TeX) and are never a name. A URL is a name only while a
source gives it to one guid; a guid, only while the source does not give the
same thing another one.
"""

from newsletter.identity.addresses import canonical_url, is_plain
from newsletter.identity.dois import doi_of
from newsletter.identity.names import (
    SURE,
    aliases,
    content_hash,
    guid_alias,
    has_sure_name,
    url_alias,
)
from newsletter.identity.papers import paper_id
from newsletter.identity.reruns import Named, Shown, strangers
from newsletter.identity.resolving import (
    Assignment,
    Known,
    Resolution,
    name_all,
    resolve,
)

__all__ = [
    "SURE",
    "Assignment",
    "Known",
    "Named",
    "Resolution",
    "Shown",
    "aliases",
    "canonical_url",
    "content_hash",
    "doi_of",
    "guid_alias",
    "has_sure_name",
    "is_plain",
    "name_all",
    "paper_id",
    "resolve",
    "strangers",
    "url_alias",
]
