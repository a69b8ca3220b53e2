"""Whom it concerns: the query language, the evaluators, profiles, reasons.

Nothing here but ``grammar`` needs lark: queries are parsed when they are
saved or tried out, never at night.
"""

from __future__ import annotations

from newsletter.matching.closeness import Near, closest, explain_close
from newsletter.matching.profiles import (
    profile_from_json,
    profile_hash,
    profile_to_json,
)
from newsletter.matching.reference import (
    Document,
    Objection,
    ObjectionKind,
    documents,
    explain,
    match_profile,
    objection,
    rank,
)
from newsletter.matching.related import LOOKED_AT, NO_ARCHIVE, Archive

__all__ = [
    "LOOKED_AT",
    "NO_ARCHIVE",
    "Archive",
    "Document",
    "Near",
    "Objection",
    "ObjectionKind",
    "closest",
    "documents",
    "explain",
    "explain_close",
    "match_profile",
    "objection",
    "profile_from_json",
    "profile_hash",
    "profile_to_json",
    "rank",
]
