"""A profile as TOML, with the keys and the quoting of subscribers.toml."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import tomlkit

from newsletter.model import Interest, Profile, Subscriber

#: Of a profile, besides its queries; in the order of the reference.
_KEYS = "order sections max_items min_votes stem fill skip_empty".split()


def reader_toml(reader: Subscriber, wanted: Profile) -> str:
    """Return a reader's profile, zone, language and schedule as TOML."""
    rules = reader.schedule
    document = tomlkit.document()
    document.add("timezone", tomlkit.item(reader.timezone))
    document.add("language", tomlkit.item(reader.language))
    document.add("schedule", tomlkit.item(rules[0] if len(rules) == 1 else list(rules)))
    return tomlkit.dumps(document) + profile_toml(wanted)


def profile_toml(wanted: Profile) -> str:
    """Return a profile as TOML: every key, so that no default changes it.

    Read below any ``[[subscribers]]`` with an address it is *wanted* again.
    """
    document = tomlkit.document()
    document.add("interests", _lines([_interest(i) for i in wanted.interests]))
    document.add("mutes", _lines([_text(mute.query) for mute in wanted.mutes]))
    for key in _KEYS:
        value = getattr(wanted, key)
        plain = value if isinstance(value, bool | int) else str(value)
        document.add(key, tomlkit.item(plain))
    return tomlkit.dumps(document)


def _lines(items: Sequence[object]) -> tomlkit.items.Array:
    found = tomlkit.array()
    for item in items:
        found.append(item)
    return found.multiline(multiline=bool(items))


def _interest(interest: Interest) -> object:
    """Return an interest as one writes it: a query, or a table where it has more."""
    if not interest.name and interest.weight == 1:
        return _text(interest.query)
    table = tomlkit.inline_table()
    table.append("query", _text(interest.query))
    if interest.name:
        table.append("name", tomlkit.string(interest.name))
    if interest.weight != 1:
        weight: Decimal = interest.weight
        whole = weight == weight.to_integral_value()
        table.append("weight", int(weight) if whole else float(weight))
    return table


def _text(query: str) -> tomlkit.items.String:
    """Return a query in quotes that its own quotes do not disturb."""
    return tomlkit.string(query, literal='"' in query and "'" not in query)
