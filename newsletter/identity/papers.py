"""arXiv ids, in every shape that they are written in.

    2508.13426v2   arXiv:2508.13426v2 [cs.CL]   oai:arXiv.org:2508.13426v1
    math.GT/0309136v1 = math/0309136            10.48550/arXiv.2508.13426
    https://arxiv.org/pdf/2508.13426v2.pdf?download=1#page=3

The scheme is https://info.arxiv.org/help/arxiv_identifier.html: month and
number since April 2007, before that an archive and seven digits. The class
after the archive's dot was never part of the name.
"""

from __future__ import annotations

import re

from newsletter.identity.addresses import parse_url
from newsletter.identity.dois import ARXIV_PREFIX, doi_of

#: With other words before the slash it is a path, not a paper.
_ARCHIVES = "|".join(
    "acc-phys adap-org alg-geom ao-sci astro-ph atom-ph bayes-an chao-dyn chem-ph"
    " cmp-lg comp-gas cond-mat cs dg-ga funct-an gr-qc hep-ex hep-lat hep-ph hep-th"
    " math math-ph mtrl-th nlin nucl-ex nucl-th patt-sol physics plasm-ph q-alg"
    " q-bio quant-ph solv-int supr-con".split()
)
_MONTH = r"\d{2}(?:0[1-9]|1[0-2])"
_ID = (
    rf"(?:(?P<new>{_MONTH}\.\d{{4,5}})"
    rf"|(?P<archive>{_ARCHIVES})(?:\.[a-z\-]{{2,}})?/(?P<number>{_MONTH}\d{{3}}))"
    r"(?:v\d+)?"
)
_FLAGS = re.ASCII | re.IGNORECASE
_BARE = re.compile(_ID, _FLAGS)
#: What every shape has; most addresses have it not, and are not looked into.
_DIGITS = re.compile(r"\d{4}\.\d{4}|\d{7}", re.ASCII)
#: The last part is what arXiv prints down the margin.
_WRITTEN = re.compile(
    r"(?:oai:arxiv\.org:|(?:arxiv\s+preprint\s+)?arxiv(?::\s*|\s+))?"
    rf"{_ID}(?:\.pdf)?(?:\s*\[[a-z.\-]+\](?:\s+\d{{1,2}}\s+\w+\s+\d{{4}})?)?",
    _FLAGS,
)
_PATH = re.compile(
    r"/+(?:abs|pdf|html|ps|dvi|src|e-print|format|papers?|overview)/+"
    rf"(?:arxiv:)?{_ID}(?:\.pdf|\.ps(?:\.gz)?)?/*",
    _FLAGS,
)
#: arXiv, its mirrors, and who shows its papers under their ids.
_HOSTS = re.compile(
    r"(?:(?:www|export|rss|browse|lanl|xxx|[a-z]{2})\.)?arxiv\.org|xxx\.lanl\.gov"
    r"|ar5iv(?:\.labs\.arxiv)?\.org|(?:www\.)?(?:alphaxiv\.org|arxiv-vanity\.com)"
    r"|(?:www\.)?(?:huggingface\.co|hf\.co)",
    re.ASCII,
)


def paper_id(text: str) -> str | None:
    """Return the arXiv id that *text* is a form of, without version; else None.

    As it is written, as a DOI, and as the addresses of arxiv.org, its mirrors,
    alphaxiv.org and huggingface.co/papers. Lists of papers are none.
    """
    text = text.strip().rstrip(".,;)")
    if not _DIGITS.search(text):
        return None
    if doi := doi_of(text):
        found = _BARE.fullmatch(doi.removeprefix(ARXIV_PREFIX))
    elif "://" in text:
        found = _in_path(text)
    else:
        found = _WRITTEN.fullmatch(text) or _in_path(f"https://{text}")
    return _name(found) if found else None


def is_bare(text: str) -> bool:
    """Tell whether *text* is an arXiv id only where someone says that it is one."""
    return bool(_BARE.fullmatch(text.strip()))


def _in_path(text: str) -> re.Match[str] | None:
    url = parse_url(text)
    if url is None or not _HOSTS.fullmatch(url.host or ""):
        return None
    return _PATH.fullmatch(url.path)


def _name(found: re.Match[str]) -> str:
    if found["new"]:
        return found["new"]
    return f"{found['archive'].lower()}/{found['number']}"
