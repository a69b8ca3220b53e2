"""What every change of a reader has in common, within an open transaction.

Each raises ``version``, so that a preparation that read the reader before
writes nothing, and each leaves an event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    delete,
    insert,
    or_,
    select,
    update,
)

from newsletter.errors import NotFoundError
from newsletter.matching import profile_from_json, profile_hash, profile_to_json
from newsletter.model import (
    FailReason,
    IssueState,
    Origin,
    Profile,
    SubscriberSpec,
    SubscriberStatus,
)
from newsletter.schedule import next_slot, parse_schedule, zone
from newsletter.storage import chunks
from newsletter.storage.addresses import AddressHasher
from newsletter.storage.columns import pack
from newsletter.storage.database import blocks
from newsletter.storage.schema import (
    IS_OPEN,
    attempts,
    issues,
    profile_places,
    profiles,
    subscriber_events,
    subscribers,
    suppressions,
)


def locked(connection: Connection, subscriber_id: int) -> Row[Any]:
    """Return a reader's row, which no other transaction changes until the end.

    Raises:
        NotFoundError: There is none.
    """
    row = connection.execute(
        select(subscribers).where(subscribers.c.id == subscriber_id).with_for_update()
    ).first()
    if row is None:
        raise NotFoundError(f"there is no reader number {subscriber_id}")
    return row


def change(connection: Connection, row: Row[Any], values: Mapping[str, object]) -> None:
    """Write *values* over a reader's row, and raise its version."""
    connection.execute(
        update(subscribers)
        .where(subscribers.c.id == row.id)
        .values(version=subscribers.c.version + 1, **values)
    )


def standing(
    status: SubscriberStatus, reason: str | None, at: datetime
) -> dict[str, object]:
    """Return the columns of a status; of one that is not active, no slot is due."""
    return {
        "status": status,
        "status_reason": reason,
        "status_at": at,
        "next_slot": None,
    }


def joining(
    schedule: tuple[str, ...], timezone: str, *, as_of: datetime
) -> dict[str, object]:
    """Return the columns of a reader who joins at *as_of*, anew or at last."""
    return {
        "joined_at": as_of,
        "cursor": None,
        "next_slot": first_slot(schedule, timezone, as_of),
        "skipped": (),
        "left_out": False,
    }


def first_slot(schedule: tuple[str, ...], timezone: str, as_of: datetime) -> datetime:
    """Return the first slot after *as_of*."""
    return next_slot(parse_schedule(schedule), zone(timezone), as_of)


def forget(connection: Connection, row: Row[Any], *, at: datetime) -> None:
    """Remove what tells who the reader is; the numbers stay true."""
    nobody = put_profile(connection, Profile(), at=at)
    mine = issues.c.subscriber_id == row.id
    held = select(issues.c.profile_hash).where(mine).distinct()
    hashes = {row.profile_hash, *connection.scalars(held)}
    connection.execute(
        update(subscribers)
        .where(subscribers.c.id == row.id)
        .values(
            address=None,
            address_key=None,
            file_id=None,
            name="",
            consent_at=None,
            consent_how=None,
            profile_hash=nobody,
        )
    )
    connection.execute(
        update(subscriber_events)
        .where(subscriber_events.c.subscriber_id == row.id)
        .values(detail="")
    )
    _forget_issues(connection, mine, nobody, at=at)
    _drop_profiles(connection, hashes - {nobody})


def _forget_issues(
    connection: Connection, mine: ColumnElement[bool], nobody: str, *, at: datetime
) -> None:
    """Remove from a reader's issues what tells whose they are."""
    # What servers said may bear the address.
    said = attempts.c.issue_key.in_(select(issues.c.key).where(mine))
    connection.execute(update(attempts).where(said).values(reason=None))
    rows = connection.execute(select(issues.c.key, issues.c.headings).where(mine)).all()
    for issue in rows:
        # Headings are names of interests; there are as many as there are cards.
        connection.execute(
            update(issues)
            .where(issues.c.key == issue.key)
            .values(
                address="",
                name="",
                profile_hash=nobody,
                reason=None,
                headings=("",) * len(issue.headings),
            )
        )
    # What may be on its way keeps its state: only who sends it knows its end.
    waits = issues.c.state.in_([IssueState.READY, IssueState.RETRY])
    connection.execute(
        update(issues)
        .where(mine, IS_OPEN, waits)
        .values(
            state=IssueState.FAILED,
            reason=FailReason.SUPPRESSED.value,
            retry_at=None,
            lease_holder=None,
            lease_until=None,
            updated_at=at,
        )
    )


def harmless(reason: str, row: Row[Any]) -> str:
    """Return *reason*, or nothing where it names the reader."""
    said = reason.casefold()
    names = (row.address, row.address_key, row.name)
    return "" if any(name and name.casefold() in said for name in names) else reason


def _drop_profiles(connection: Connection, hashes: Iterable[str]) -> None:
    """Remove profiles that nobody has and no issue was made with any more."""
    for name in hashes:
        uses = (
            select(subscribers.c.id).where(subscribers.c.profile_hash == name).exists(),
            select(issues.c.key).where(issues.c.profile_hash == name).exists(),
        )
        is_used = select(profiles.c.hash).where(profiles.c.hash == name, or_(*uses))
        if connection.scalar(is_used) is None:
            chunks.forget(connection, name)
            connection.execute(delete(profiles).where(profiles.c.hash == name))


def columns(spec: SubscriberSpec, profile: str) -> dict[str, object]:
    """Return the columns of what was written down of a reader, but who it is.

    Args:
        spec: As it was written down.
        profile: The hash under which the profile is kept.
    """
    return {
        "timezone": spec.timezone,
        "language": spec.language,
        "schedule": spec.schedule,
        "profile_hash": profile,
    }


def differences(
    row: Row[Any],
    wanted: Mapping[str, object],
    spec: SubscriberSpec,
    *,
    as_of: datetime,
) -> dict[str, object]:
    """Return what is to be written so that *row* has what is *wanted*.

    Another schedule or zone moves the next slot, unless it is due already.
    """
    values = {n: v for n, v in wanted.items() if getattr(row, n) != v}
    waits = row.next_slot is not None and row.next_slot > as_of
    if waits and values.keys() & {"schedule", "timezone"}:
        values["next_slot"] = first_slot(spec.schedule, spec.timezone, as_of)
    return values


def record_event(
    connection: Connection,
    subscriber_id: int,
    kind: str,
    *,
    origin: Origin,
    detail: str,
    at: datetime,
) -> None:
    """Append what happened to a reader."""
    connection.execute(
        insert(subscriber_events).values(
            subscriber_id=subscriber_id, at=at, kind=kind, origin=origin, detail=detail
        )
    )


def suppressed(
    connection: Connection, hasher: AddressHasher, keys: Iterable[str]
) -> dict[str, str]:
    """Return which of the address *keys* must get no mail, and why."""
    hashes = hasher.hashes(keys)
    found: dict[str, str] = {}
    for block in blocks(hashes):
        query = select(suppressions.c.address_hash, suppressions.c.reason)
        rows = connection.execute(query.where(suppressions.c.address_hash.in_(block)))
        found.update({hashes[row.address_hash]: row.reason for row in rows})
    return found


def put_profile(
    connection: Connection, profile: Profile, *, due_with: str = "", at: datetime
) -> str:
    """Keep *profile* under the hash of its content; return the hash.

    A new one is compiled by the next run that has many to prepare.

    Args:
        connection: In a transaction that has the lock of ``readers``.
        profile: Known already, or not.
        due_with: As ``due_with`` returns it. Empty: it is due for nobody.
        at: By the clock.
    """
    name = profile_hash(profile)
    known = select(profiles.c.hash).where(profiles.c.hash == name)
    if connection.scalar(known) is None:
        connection.execute(
            insert(profiles).values(
                hash=name, content=profile_to_json(profile), created_at=at
            )
        )
        connection.execute(
            insert(profile_places).values(profile_hash=name, due_with=due_with)
        )
    return name


def due_with(spec: SubscriberSpec) -> str:
    """Return what readers have in common who fall due together."""
    return f"{pack(list(spec.schedule))} {spec.timezone}"


def read_profile(connection: Connection, name: str) -> Profile:
    """Return the profile of that hash.

    Raises:
        NotFoundError: There is none.
    """
    content = connection.scalar(
        select(profiles.c.content).where(profiles.c.hash == name)
    )
    if content is None:
        raise NotFoundError(f"no profile has the hash {name}")
    return profile_from_json(content)


def read_profiles(connection: Connection, names: Iterable[str]) -> dict[str, Profile]:
    """Return the profiles of those hashes, unknown ones left out."""
    found: dict[str, Profile] = {}
    for block in blocks(dict.fromkeys(names)):
        query = select(profiles.c.hash, profiles.c.content)
        rows = connection.execute(query.where(profiles.c.hash.in_(block)))
        found.update({row.hash: profile_from_json(row.content) for row in rows})
    return found
