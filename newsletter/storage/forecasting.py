"""What reconciling the readers' file would come to, computed instead of done.

The decision is Reconciliation's own; only what it writes is kept in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from hashlib import sha256
from typing import Any

from sqlalchemy import Row

from newsletter.matching import profile_hash
from newsletter.model import (
    Forecast,
    Foreseen,
    Profile,
    Subscriber,
    SubscriberSpec,
)
from newsletter.storage.codec import subscriber_of
from newsletter.storage.members import read_profile
from newsletter.storage.reconciling import Reconciliation

_COLUMNS = frozenset(f.name for f in fields(Subscriber)) - {"id"}
#: Of whoever is no reader yet: no issue and no shown entry has it.
_NO_ID = 0


@dataclass(slots=True, kw_only=True)
class Forecasting(Reconciliation):
    """A reconciliation that writes nothing; used once."""

    profiles: dict[str, Profile] = field(default_factory=dict)
    written: list[Subscriber] = field(default_factory=list)

    def forecast(self, specs: Sequence[SubscriberSpec]) -> Forecast:
        """Return whom reconciling would add or change."""
        report = self.decide(specs)
        return Forecast(
            readers=tuple(
                Foreseen(
                    subscriber=subscriber,
                    profile=self._profile(subscriber.profile_hash),
                    joins=subscriber.id == _NO_ID,
                )
                for subscriber in self.written
            ),
            report=report,
        )

    def _profile(self, name: str) -> Profile:
        """Return a profile of the file, or of a reader who goes as they were."""
        return self.profiles.get(name) or read_profile(self.connection, name)

    def _keep_profile(self, spec: SubscriberSpec) -> str:
        name = profile_hash(spec.profile)
        self.profiles[name] = spec.profile
        return name

    def _write(self, row: Row[Any], values: Mapping[str, object]) -> None:
        known: Mapping[str, Any] = {n: v for n, v in values.items() if n in _COLUMNS}
        self.written.append(replace(subscriber_of(row), **known))

    def _add(self, values: Mapping[str, object]) -> int:
        known: dict[str, Any] = {n: v for n, v in values.items() if n in _COLUMNS}
        # Random at joining; here the same each time, so that a page can name them.
        stand_in = sha256(f"not yet: {values['address_key']}".encode()).hexdigest()
        known["public_id"] = stand_in[:32]
        self.written.append(Subscriber(id=_NO_ID, **known))
        return _NO_ID

    def _record(self, subscriber_id: int, kind: str, detail: str) -> None:
        """Leave no event."""
