"""Readers: who they are, whether they get mail, and what became of that."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select

from newsletter.errors import ConflictError, NotFoundError
from newsletter.model import (
    Forecast,
    Origin,
    Profile,
    ReconcileReport,
    Subscriber,
    SubscriberEvent,
    SubscriberSpec,
    SubscriberStatus,
)
from newsletter.ports import ID_AT_LEAST
from newsletter.storage import members
from newsletter.storage.addresses import AddressHasher, address_key
from newsletter.storage.codec import SUBSCRIBER, subscriber_of, subscribers_of
from newsletter.storage.database import Database
from newsletter.storage.forecasting import Forecasting
from newsletter.storage.reconciling import Reconciliation
from newsletter.storage.schema import (
    IS_ACTIVE,
    lock,
    subscriber_events,
    subscribers,
    suppressions,
)

#: Statuses after which no mail may go to the address, whoever asks.
_SUPPRESSES = frozenset(
    {
        SubscriberStatus.UNSUBSCRIBED,
        SubscriberStatus.BOUNCED,
        SubscriberStatus.COMPLAINED,
        # Else the file, which may still name them, would bring them back.
        SubscriberStatus.ERASED,
    }
)


_OR_REACTIVATE = ", or let mail go again with `newsletter subscribers reactivate`"


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlSubscribers:
    """Readers in tables; see ports.Subscribers. Safe from any thread."""

    database: Database
    hasher: AddressHasher

    def reconcile(
        self, specs: Sequence[SubscriberSpec], *, as_of: datetime, at: datetime
    ) -> ReconcileReport:
        """See ports.Subscribers."""
        with self.database.write() as connection:
            return Reconciliation(
                connection=connection, hasher=self.hasher, as_of=as_of, at=at
            ).run(specs)

    def add(
        self,
        spec: SubscriberSpec,
        *,
        origin: Origin,
        consent: str,
        reason: str,
        as_of: datetime,
        at: datetime,
    ) -> Subscriber:
        """See ports.Subscribers."""
        key = address_key(spec.address)
        with self.database.write() as connection:
            lock(connection, "readers")
            self._check_free(connection, spec.address, key, reason=reason)
            self._suppress(connection, key, SubscriberStatus.ACTIVE, at)
            profile = members.put_profile(
                connection, spec.profile, due_with=members.due_with(spec), at=at
            )
            values = {
                "public_id": secrets.token_hex(16),
                "origin": origin,
                "version": 1,
                "address": spec.address,
                "address_key": key,
                "name": spec.name,
                "consent_at": at,
                "consent_how": consent,
                **members.columns(spec, profile),
                **members.standing(SubscriberStatus.ACTIVE, None, at),
                **members.joining(spec.schedule, spec.timezone, as_of=as_of),
            }
            joined = insert(subscribers).values(**values).returning(subscribers.c.id)
            number = connection.execute(joined).scalar_one()
            members.record_event(
                connection, number, "joined", origin=origin, detail=reason, at=at
            )
            return subscriber_of(members.locked(connection, number))

    def _check_free(
        self, connection: Connection, address: str, key: str, *, reason: str
    ) -> None:
        """Look whether nobody has the address, and mail may go there.

        Raises:
            ConflictError: Somebody has it; or it may not, and no *reason* says
                why it may again.
        """
        query = select(subscribers).where(subscribers.c.address_key == key)
        other = connection.execute(query).first()
        if other is not None:
            raise ConflictError(
                f"{address} is a reader already ({other.status}, from {other.origin});"
                f" see `newsletter subscribers show {address}`"
                + ("" if other.status == SubscriberStatus.ACTIVE else _OR_REACTIVATE)
            )
        why = members.suppressed(connection, self.hasher, [key]).get(key)
        if why is not None and not reason:
            raise ConflictError(
                f"{address} must get no mail: {why}. If they want it again, say so:"
                f" `newsletter subscribers add {address} --reason TEXT`"
            )

    def rewrite(
        self,
        subscriber_id: int,
        spec: SubscriberSpec,
        *,
        origin: Origin,
        as_of: datetime,
        at: datetime,
    ) -> Subscriber:
        """See ports.Subscribers."""
        with self.database.write() as connection:
            # A new profile is put under the lock of those who put them.
            lock(connection, "readers")
            row = members.locked(connection, subscriber_id)
            if row.status == SubscriberStatus.ERASED:
                raise ConflictError(f"reader {row.public_id} is erased")
            profile = members.put_profile(
                connection, spec.profile, due_with=members.due_with(spec), at=at
            )
            wanted = members.columns(spec, profile)
            values = members.differences(row, wanted, spec, as_of=as_of)
            if values:
                members.change(connection, row, values)
                members.record_event(
                    connection,
                    row.id,
                    "changed",
                    origin=origin,
                    detail=", ".join(sorted(values)),
                    at=at,
                )
            return subscriber_of(members.locked(connection, subscriber_id))

    def events(self, subscriber_id: int) -> tuple[SubscriberEvent, ...]:
        """See ports.Subscribers."""
        query = (
            select(subscriber_events)
            .where(subscriber_events.c.subscriber_id == subscriber_id)
            .order_by(subscriber_events.c.id)
        )
        with self.database.read() as connection:
            return tuple(
                SubscriberEvent(
                    at=row.at, kind=row.kind, origin=row.origin, detail=row.detail
                )
                for row in connection.execute(query)
            )

    def foresee(
        self, specs: Sequence[SubscriberSpec], *, as_of: datetime, at: datetime
    ) -> Forecast:
        """See ports.Subscribers."""
        with self.database.read() as connection:
            return Forecasting(
                connection=connection, hasher=self.hasher, as_of=as_of, at=at
            ).forecast(specs)

    def search(self, text: str, *, limit: int) -> tuple[Subscriber, ...]:
        """See ports.Subscribers."""
        key = subscribers.c.address_key
        wanted = text.strip()
        is_it = or_(
            key.contains(wanted.casefold(), autoescape=True),
            subscribers.c.name.icontains(wanted, autoescape=True),
            subscribers.c.file_id.icontains(wanted, autoescape=True),
        )
        if len(wanted) >= ID_AT_LEAST:
            begins = subscribers.c.public_id.startswith(
                wanted.casefold(), autoescape=True
            )
            is_it = or_(is_it, begins)
        query = select(subscribers).where(key.is_not(None), is_it)
        with self.database.read() as connection:
            rows = connection.execute(query.order_by(key).limit(limit))
            return tuple(subscriber_of(row) for row in rows)

    def get(self, name: str) -> Subscriber:
        """See ports.Subscribers."""
        key = address_key(name)
        is_it = or_(subscribers.c.public_id == key, subscribers.c.address_key == key)
        with self.database.read() as connection:
            row = connection.execute(select(subscribers).where(is_it)).first()
        if row is None:
            raise NotFoundError(
                f"no reader goes by {name!r}; `newsletter subscribers list` shows all"
            )
        return subscriber_of(row)

    def find(self, *, after_id: int = 0, limit: int = 1000) -> tuple[Subscriber, ...]:
        """See ports.Subscribers."""
        return self._page(after_id=after_id, limit=limit)

    def due(
        self, as_of: datetime, *, after_id: int = 0, limit: int = 1000
    ) -> tuple[Subscriber, ...]:
        """See ports.Subscribers."""
        is_due = subscribers.c.next_slot <= as_of
        return self._page(IS_ACTIVE, is_due, after_id=after_id, limit=limit)

    def active(self, *, after_id: int = 0, limit: int = 1000) -> tuple[Subscriber, ...]:
        """See ports.Subscribers."""
        return self._page(IS_ACTIVE, after_id=after_id, limit=limit)

    def _page(
        self, *conditions: ColumnElement[bool], after_id: int, limit: int
    ) -> tuple[Subscriber, ...]:
        query = (
            select(*(subscribers.c[name] for name in SUBSCRIBER))
            .where(subscribers.c.id > after_id, *conditions)
            .order_by(subscribers.c.id)
            .limit(limit)
        )
        with self.database.read() as connection:
            return tuple(subscribers_of(connection.execute(query)))

    def next_due(self) -> Subscriber | None:
        """See ports.Subscribers."""
        query = (
            select(subscribers)
            .where(IS_ACTIVE, subscribers.c.next_slot.is_not(None))
            .order_by(subscribers.c.next_slot, subscribers.c.id)
            .limit(1)
        )
        with self.database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else subscriber_of(row)

    def counts(self) -> Mapping[SubscriberStatus, int]:
        """See ports.Subscribers."""
        query = select(subscribers.c.status, func.count().label("readers")).group_by(
            subscribers.c.status
        )
        with self.database.read() as connection:
            return {row.status: row.readers for row in connection.execute(query)}

    def set_status(
        self,
        subscriber_id: int,
        status: SubscriberStatus,
        *,
        reason: str,
        origin: Origin,
        as_of: datetime,
        at: datetime,
    ) -> Subscriber:
        """See ports.Subscribers.

        The status that it has already: nothing happens.

        Raises:
            NotFoundError: There is no such subscriber.
            ConflictError: They are erased: there is nobody to bring back.
        """
        with self.database.write() as connection:
            if status == SubscriberStatus.ERASED:
                # Profiles come and go: under the lock of those who put them.
                lock(connection, "readers")
            row = members.locked(connection, subscriber_id)
            if row.status == status:
                return subscriber_of(row)
            if row.status == SubscriberStatus.ERASED:
                raise ConflictError(
                    f"reader {row.public_id} is erased and has no address any "
                    "more; add the reader anew instead"
                )
            self._suppress(connection, row.address_key, status, at)
            if status == SubscriberStatus.ERASED:
                reason = members.harmless(reason, row)
            values = members.standing(status, reason, at)
            if status == SubscriberStatus.ACTIVE:
                values |= members.joining(row.schedule, row.timezone, as_of=as_of)
            members.change(connection, row, values)
            if status == SubscriberStatus.ERASED:
                members.forget(connection, row, at=at)
            members.record_event(
                connection, row.id, status.value, origin=origin, detail=reason, at=at
            )
            changed = subscriber_of(members.locked(connection, subscriber_id))
        if status == SubscriberStatus.ERASED:
            self.database.scrub()
        return changed

    def _suppress(
        self,
        connection: Connection,
        key: str,
        status: SubscriberStatus,
        at: datetime,
    ) -> None:
        """Forbid mail to the address, or allow it again, as *status* wants."""
        hashes = self.hasher.hashes([key])
        is_it = suppressions.c.address_hash.in_(hashes)
        if status == SubscriberStatus.ACTIVE:
            connection.execute(delete(suppressions).where(is_it))
        # The first reason stands: it is the one that mattered.
        elif (
            status in _SUPPRESSES
            and not connection.execute(select(suppressions).where(is_it)).all()
        ):
            connection.execute(
                insert(suppressions).values(
                    address_hash=self.hasher.hash(key), reason=status.value, at=at
                )
            )

    def is_suppressed(self, address: str) -> bool:
        """See ports.Subscribers."""
        key = address_key(address)
        with self.database.read() as connection:
            return key in members.suppressed(connection, self.hasher, [key])

    def profile(self, profile_hash: str) -> Profile:
        """See ports.Subscribers."""
        with self.database.read() as connection:
            return members.read_profile(connection, profile_hash)

    def profiles(self, hashes: Iterable[str]) -> Mapping[str, Profile]:
        """See ports.Subscribers."""
        with self.database.read() as connection:
            return members.read_profiles(connection, hashes)
