"""What is said of a fetch, made fit for a terminal, a log and a database.

Part of a sentence may be a server's own words: the reason of its refusal, an
address that it sends us to, a piece of a document.
"""

from __future__ import annotations

import re

from newsletter.text import first_sentences, one_line

#: Characters of a sentence that are kept.
MOST = 500
#: What stands before the host of an address; a path may hold an @ too.
_BEFORE_HOST = re.compile(r"^([A-Za-z][A-Za-z0-9+.\-]*:)?([/\\]*)[^/\\?#]*@")
_IN_TEXT = re.compile(r"(//)[^/\\?#\s]*@")


def without_credentials(url: str) -> str:
    """Return *url* without its user name and password."""
    return _BEFORE_HOST.sub(r"\1\2", url)


def presentable(sentence: str) -> str:
    """Return *sentence* on one line, of some length, with no secret of an address."""
    return first_sentences(one_line(_IN_TEXT.sub(r"\1", sentence)), MOST)
