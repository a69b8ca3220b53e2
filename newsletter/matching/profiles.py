"""Profiles as rows: canonical JSON, and the hash that names them.

The row holds each query as written and as its tree, so that neither
evaluator parses anything; the name is the hash of what was written, so that a
new version of the grammar does not rename profiles.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256

from newsletter.matching.tree import GRAMMAR_VERSION, tree_from_json, tree_to_json
from newsletter.model import Interest, Mute, Order, Profile, Sections


def profile_to_json(profile: Profile) -> str:
    """Return the profile's row: as written, with trees and grammar version."""
    written = _written(profile)
    trees = {
        "interests": [tree_to_json(i.tree) for i in profile.interests],
        "mutes": [tree_to_json(mute.tree) for mute in profile.mutes],
    }
    return _canonical({**written, "trees": trees, "grammar": GRAMMAR_VERSION})


def profile_hash(profile: Profile) -> str:
    """Return the profile's name: SHA-256, in hex, of what was written."""
    return sha256(_canonical(_written(profile)).encode()).hexdigest()


def profile_from_json(text: str) -> Profile:
    """Return the profile that ``profile_to_json`` wrote.

    Raises:
        ValueError: It wrote no such thing.
    """
    row = json.loads(text)
    trees = row["trees"]
    return Profile(
        interests=tuple(
            Interest(
                query=item["query"],
                tree=tree_from_json(tree),
                name=item["name"],
                weight=Decimal(item["weight"]),
            )
            for item, tree in zip(row["interests"], trees["interests"], strict=True)
        ),
        mutes=tuple(
            Mute(query=query, tree=tree_from_json(tree))
            for query, tree in zip(row["mutes"], trees["mutes"], strict=True)
        ),
        order=Order(row["order"]),
        sections=Sections(row["sections"]),
        max_items=row["max_items"],
        min_votes=row["min_votes"],
        stem=row["stem"],
        fill=row["fill"],
        skip_empty=row["skip_empty"],
    )


def _written(profile: Profile) -> Mapping[str, object]:
    return {
        "interests": [
            {"query": i.query, "name": i.name, "weight": str(i.weight.normalize())}
            for i in profile.interests
        ],
        "mutes": [mute.query for mute in profile.mutes],
        "order": profile.order,
        "sections": profile.sections,
        "max_items": profile.max_items,
        "min_votes": profile.min_votes,
        "stem": profile.stem,
        "fill": profile.fill,
        "skip_empty": profile.skip_empty,
    }


def _canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
