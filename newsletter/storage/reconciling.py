"""Making the readers of origin file be those that the file names.

file                           store
id = "ada", ada@new.example    ada@old.example  (file, id "ada")  -> address changed
bob@example.org                bob@example.org  (file, active)    -> as it was
eve@example.org                eve@example.org  (file, bounced)   -> kept out
joe@example.org                joe@example.org  (command)         -> left alone
new@example.org                                                   -> joins
                               old@example.org  (file, active)    -> paused
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from newsletter.model import (
    Origin,
    ReconcileReport,
    SubscriberSpec,
    SubscriberStatus,
)
from newsletter.storage import members
from newsletter.storage.addresses import AddressHasher, address_key
from newsletter.storage.database import blocks
from newsletter.storage.schema import lock, subscribers

#: Why the file's own pause; only such a pause is lifted by the file.
_BY_FILE = "file"
#: More than one in so many at once is taken for a mistake.
_GUARD = 3


@dataclass(slots=True, kw_only=True)
class Reconciliation:
    """One reconciliation, within an open transaction; used once."""

    connection: Connection
    hasher: AddressHasher
    as_of: datetime
    at: datetime
    #: Every row that matters, by the key that its address has now.
    by_key: dict[str, Row[Any]] = field(default_factory=dict)
    #: Which of the wanted addresses must get no mail, and why.
    suppressed: Mapping[str, str] = field(default_factory=dict)
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    kept: list[tuple[str, str]] = field(default_factory=list)
    unchanged: int = 0

    def run(self, specs: Sequence[SubscriberSpec]) -> ReconcileReport:
        """Reconcile, or change nothing where too many would go."""
        lock(self.connection, "readers")
        return self.decide(specs)

    def decide(self, specs: Sequence[SubscriberSpec]) -> ReconcileReport:
        """Reconcile; others who do so must be kept out."""
        rows = self._load(specs)
        found, rest = _match(specs, rows, self.by_key)
        known = {row.id for _, row in found}
        active = [row for row in rows if row.status == SubscriberStatus.ACTIVE]
        missing = [row for row in active if row.id not in known]
        if len(missing) * _GUARD > len(active):
            return ReconcileReport(refused=tuple(row.address for row in missing))
        for spec, row in found:
            self._renew(spec, row)
        for spec in rest:
            self._join(spec)
        for row in missing:
            self._deactivate(row)
        return ReconcileReport(
            added=tuple(self.added),
            changed=tuple(self.changed),
            deactivated=tuple(row.address for row in missing),
            returned=tuple(self.returned),
            kept=tuple(self.kept),
            unchanged=self.unchanged,
        )

    def _load(self, specs: Iterable[SubscriberSpec]) -> list[Row[Any]]:
        """Read what matters; return the rows of the file's own readers."""
        keys = [address_key(spec.address) for spec in specs]
        query = select(subscribers)
        own = list(
            self.connection.execute(query.where(subscribers.c.origin == Origin.FILE))
        )
        for block in blocks(keys):
            rows = self.connection.execute(
                query.where(subscribers.c.address_key.in_(block))
            )
            self.by_key |= {row.address_key: row for row in rows}
        self.by_key |= {row.address_key: row for row in own if row.address_key}
        self.suppressed = members.suppressed(self.connection, self.hasher, keys)
        return own

    # --- readers that the file named before ---

    def _renew(self, spec: SubscriberSpec, row: Row[Any]) -> None:
        """Make a known reader what the file says, unless that is not its to say."""
        why = self._why_kept(spec, row)
        if why is not None:
            self.kept.append((spec.address, why))
            return
        values = members.differences(row, self._columns(spec), spec, as_of=self.as_of)
        if row.status == SubscriberStatus.PAUSED:
            self._return(spec, row, values)
        elif not values:
            self.unchanged += 1
        else:
            self._change(spec, row, values)
        del self.by_key[row.address_key]
        self.by_key[address_key(spec.address)] = row

    def _why_kept(self, spec: SubscriberSpec, row: Row[Any]) -> str | None:
        """Return why the file may not touch that reader; None: it may."""
        by_file = (SubscriberStatus.PAUSED, _BY_FILE)
        returns = (row.status, row.status_reason) == by_file
        if row.status != SubscriberStatus.ACTIVE and not returns:
            return f"{row.status}: {row.status_reason or 'no reason given'}"
        key = address_key(spec.address)
        other = self.by_key.get(key)
        if other is not None and other.id != row.id:
            return "the address belongs to another reader"
        if key in self.suppressed and (returns or key != row.address_key):
            return f"the address must get no mail: {self.suppressed[key]}"
        return None

    def _columns(self, spec: SubscriberSpec) -> dict[str, object]:
        """Return what the file says of a reader."""
        return {
            "file_id": spec.id,
            "address": spec.address,
            "address_key": address_key(spec.address),
            "name": spec.name,
            **members.columns(spec, self._keep_profile(spec)),
        }

    def _change(
        self, spec: SubscriberSpec, row: Row[Any], values: Mapping[str, object]
    ) -> None:
        self._write(row, values)
        self._record(row.id, "changed", ", ".join(sorted(values)))
        self.changed.append(spec.address)

    def _return(
        self, spec: SubscriberSpec, row: Row[Any], values: Mapping[str, object]
    ) -> None:
        """Bring a reader back who had been taken out of the file."""
        standing = members.standing(SubscriberStatus.ACTIVE, None, self.at)
        joining = members.joining(spec.schedule, spec.timezone, as_of=self.as_of)
        self._write(row, {**values, **standing, **joining})
        self._record(row.id, SubscriberStatus.ACTIVE.value, _BY_FILE)
        self.returned.append(spec.address)

    # --- readers that come and go ---

    def _join(self, spec: SubscriberSpec) -> None:
        """Take in a reader whom the file names for the first time."""
        key = address_key(spec.address)
        other = self.by_key.get(key)
        if other is not None:
            self.kept.append((spec.address, _whose(other)))
            return
        if key in self.suppressed:
            why = f"the address must get no mail: {self.suppressed[key]}"
            self.kept.append((spec.address, why))
            return
        values = {
            "public_id": secrets.token_hex(16),
            "origin": Origin.FILE,
            "version": 1,
            **self._columns(spec),
            **members.standing(SubscriberStatus.ACTIVE, None, self.at),
            **members.joining(spec.schedule, spec.timezone, as_of=self.as_of),
        }
        self._record(self._add(values), "joined", "")
        self.added.append(spec.address)

    def _deactivate(self, row: Row[Any]) -> None:
        """Stop mail to a reader who was taken out of the file."""
        standing = members.standing(SubscriberStatus.PAUSED, _BY_FILE, self.at)
        self._write(row, standing)
        self._record(row.id, SubscriberStatus.PAUSED.value, _BY_FILE)

    # --- what is written; a forecast does otherwise ---

    def _keep_profile(self, spec: SubscriberSpec) -> str:
        """Keep a reader's profile; return its hash."""
        return members.put_profile(
            self.connection, spec.profile, due_with=members.due_with(spec), at=self.at
        )

    def _write(self, row: Row[Any], values: Mapping[str, object]) -> None:
        """Write over a reader's row."""
        members.change(self.connection, row, values)

    def _add(self, values: Mapping[str, object]) -> int:
        """Add a reader's row; return its id."""
        joined = insert(subscribers).values(**values).returning(subscribers.c.id)
        added: int = self.connection.execute(joined).scalar_one()
        return added

    def _record(self, subscriber_id: int, kind: str, detail: str) -> None:
        members.record_event(
            self.connection,
            subscriber_id,
            kind,
            origin=Origin.FILE,
            detail=detail,
            at=self.at,
        )


def _match(
    specs: Iterable[SubscriberSpec],
    rows: Iterable[Row[Any]],
    by_key: Mapping[str, Row[Any]],
) -> tuple[list[tuple[SubscriberSpec, Row[Any]]], list[SubscriberSpec]]:
    """Return who of the file is which of its readers, and who is none yet.

    By ``id`` first: only then is it known which addresses are moved away from.
    """
    specs = tuple(specs)
    by_id = {row.file_id: row for row in rows if row.file_id is not None}
    found = [(spec, by_id[spec.id]) for spec in specs if spec.id in by_id]
    claimed = {row.id for _, row in found}
    rest = []
    for spec in specs:
        if spec.id in by_id:
            continue
        row = by_key.get(address_key(spec.address))
        if row is None or row.origin != Origin.FILE or row.id in claimed:
            rest.append(spec)
        else:
            found.append((spec, row))
            claimed.add(row.id)
    return found, rest


def _whose(other: Row[Any]) -> str:
    """Return why an address cannot join: somebody has it."""
    if other.origin == Origin.FILE:
        return "the address belongs to another reader"
    return f"the address belongs to a reader of origin {other.origin}"
