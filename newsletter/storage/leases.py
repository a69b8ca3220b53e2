"""One process at a time, by a row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, or_, select, update

from newsletter.ports import LeaseInfo
from newsletter.storage.database import Database
from newsletter.storage.schema import leases, lock


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlLeases:
    """Leases in a table; see ports.Leases. Safe from any thread."""

    database: Database

    def acquire(
        self, name: str, *, holder: str, now: datetime, ttl: timedelta
    ) -> LeaseInfo | None:
        """See ports.Leases."""
        until = now + ttl
        is_free = or_(leases.c.holder == holder, leases.c.until <= now)
        with self.database.write() as connection:
            lock(connection, "leases")
            taken = connection.execute(
                update(leases)
                .where(leases.c.name == name, is_free)
                .values(holder=holder, until=until)
            )
            if taken.rowcount:
                return None
            other = connection.execute(
                select(leases.c.holder, leases.c.until).where(leases.c.name == name)
            ).first()
            if other is not None:
                return LeaseInfo(holder=other.holder, until=other.until)
            connection.execute(
                insert(leases).values(name=name, holder=holder, until=until)
            )
        return None

    def release(self, name: str, *, holder: str) -> None:
        """See ports.Leases."""
        with self.database.write() as connection:
            connection.execute(
                delete(leases).where(leases.c.name == name, leases.c.holder == holder)
            )
