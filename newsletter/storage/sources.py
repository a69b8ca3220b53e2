"""What is remembered of sources between polls."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from newsletter.model import SourceState, Validator
from newsletter.storage.database import Database
from newsletter.storage.schema import source_validators, sources


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlSources:
    """Sources in tables; see ports.Sources. Safe from any thread."""

    database: Database

    def state(self, name: str) -> SourceState:
        """See ports.Sources."""
        by_source = source_validators.c.source == name
        with self.database.read() as connection:
            row = connection.execute(
                select(sources).where(sources.c.name == name)
            ).first()
            found = connection.execute(select(source_validators).where(by_source)).all()
        if row is None:
            return SourceState(name=name)
        validators = {
            v.url: Validator(etag=v.etag, last_modified=v.last_modified) for v in found
        }
        return SourceState(validators=validators, **row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it

    def save(self, state: SourceState) -> None:
        """See ports.Sources."""
        by_name = sources.c.name == state.name
        values = {
            column.name: getattr(state, column.name) for column in sources.columns
        }
        validators = [
            {
                "source": state.name,
                "url": url,
                "etag": validator.etag,
                "last_modified": validator.last_modified,
            }
            for url, validator in state.validators.items()
        ]
        with self.database.write() as connection:
            if not connection.execute(
                update(sources).where(by_name).values(**values)
            ).rowcount:
                connection.execute(insert(sources).values(**values))
            connection.execute(
                delete(source_validators).where(
                    source_validators.c.source == state.name
                )
            )
            if validators:
                connection.execute(insert(source_validators), validators)

    def forget(self, name: str) -> None:
        """See ports.Sources."""
        with self.database.write() as connection:
            connection.execute(
                delete(source_validators).where(source_validators.c.source == name)
            )
            connection.execute(delete(sources).where(sources.c.name == name))
