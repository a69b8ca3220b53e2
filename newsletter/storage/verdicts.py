"""What checking themes came to."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select

from newsletter.accepting import Fault, Severity, ThemeVerdict
from newsletter.storage.columns import pack
from newsletter.storage.database import Database
from newsletter.storage.schema import lock, theme_verdicts


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlVerdicts:
    """Verdicts in a table; see ports.Verdicts. Safe from any thread."""

    database: Database

    def find(self, theme_hash: str, *, checker: int) -> ThemeVerdict | None:
        """See ports.Verdicts."""
        table = theme_verdicts.c
        query = select(table.theme, table.faults).where(
            table.theme_hash == theme_hash, table.checker == checker
        )
        with self.database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return ThemeVerdict(
            theme=row.theme,
            theme_hash=theme_hash,
            checker=checker,
            faults=tuple(_fault(*said) for said in json.loads(row.faults)),
        )

    def keep(self, verdict: ThemeVerdict, *, at: datetime) -> None:
        """See ports.Verdicts."""
        table = theme_verdicts
        with self.database.write() as connection:
            # Two checks of one theme at once: the later one counts.
            lock(connection, "leases")
            connection.execute(
                delete(table).where(
                    table.c.theme_hash == verdict.theme_hash,
                    table.c.checker == verdict.checker,
                )
            )
            connection.execute(
                insert(table).values(
                    theme_hash=verdict.theme_hash,
                    checker=verdict.checker,
                    theme=verdict.theme,
                    accepted=verdict.is_accepted,
                    faults=pack([list(astuple(fault)) for fault in verdict.faults]),
                    checked_at=at,
                )
            )


def _fault(
    severity: str, file: str | None, line: int | None, what: str, cure: str
) -> Fault:
    return Fault(
        severity=Severity(severity), file=file, line=line, what=what, cure=cure
    )
