"""When hosts may be asked again, over all processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from newsletter.storage.database import Database
from newsletter.storage.schema import hosts, lock


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlPace:
    """Hosts in a table; see ports.Pace. Safe from any thread."""

    database: Database

    def reserve(self, host: str, *, spacing: timedelta, now: datetime) -> datetime:
        """See ports.Pace."""
        with self.database.write() as connection:
            lock(connection, "leases")
            free_at = connection.scalar(
                select(hosts.c.free_at).where(hosts.c.host == host)
            )
            at = now if free_at is None else max(free_at, now)
            _put(connection, host, is_new=free_at is None, free_at=at + spacing)
        return at

    def pause(self, host: str, *, until: datetime) -> None:
        """See ports.Pace."""
        with self.database.write() as connection:
            lock(connection, "leases")
            known = connection.execute(
                select(hosts.c.paused_until).where(hosts.c.host == host)
            ).first()
            if known is None:
                _put(connection, host, is_new=True, free_at=until, paused_until=until)
            elif known.paused_until is None or known.paused_until < until:
                _put(connection, host, is_new=False, paused_until=until)

    def pauses(self, now: datetime) -> Mapping[str, datetime]:
        """See ports.Pace."""
        query = select(hosts.c.host, hosts.c.paused_until).where(
            hosts.c.paused_until > now
        )
        with self.database.read() as connection:
            return {row.host: row.paused_until for row in connection.execute(query)}


def _put(
    connection: Connection, host: str, *, is_new: bool, **values: datetime
) -> None:
    if is_new:
        connection.execute(insert(hosts).values(host=host, **values))
    else:
        connection.execute(update(hosts).where(hosts.c.host == host).values(**values))
