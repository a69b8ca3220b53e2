"""Preparations of many readers in a few statements, within an open transaction.

Every question is asked by blocks of readers; each answer is the one that the
question for a single reader gets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import (
    Connection,
    bindparam,
    func,
    insert,
    literal_column,
    select,
    update,
)

from newsletter.model import IssueState
from newsletter.ports import Draft, Question
from newsletter.storage import bulk
from newsletter.storage.codec import ItemPacker, issue_row, item_entries
from newsletter.storage.database import blocks
from newsletter.storage.joins import aliases_of
from newsletter.storage.schema import IS_ACTIVE, issues, subscribers


def write(
    connection: Connection, drafts: Sequence[Draft], *, at: datetime
) -> frozenset[int]:
    """Write what may be written of *drafts*; return whose took.

    The readers' rows are locked and compared first, in the order of their
    ids, so that two who do this never wait for one another in a circle. What
    was compared then cannot change before the commit, and no count of written
    rows needs to be trusted (drivers add them up, or do not know).
    """
    ours = _locked(connection, {d.subscriber.id: d.subscriber.version for d in drafts})
    slots = {d.subscriber.id: d.record.slot for d in drafts if d.record is not None}
    ours -= taken(connection, {number: slots[number] for number in slots.keys() & ours})
    took = [draft for draft in drafts if draft.subscriber.id in ours]
    if took:
        bulk.run(connection, _MOVE, [_moved(draft) for draft in took])
    pack_items = ItemPacker()
    rows = [
        issue_row(draft.record, pack_items)
        | {"state": IssueState.READY, "attempts": 0, "updated_at": at}
        for draft in took
        if draft.record is not None
    ]
    if rows:
        bulk.run(connection, insert(issues), rows)
    return frozenset(ours)


_MOVE = (
    update(subscribers)
    .where(subscribers.c.id == bindparam("reader"))
    .values(
        cursor=bindparam("to_cursor"),
        next_slot=bindparam("to_slot"),
        skipped=bindparam("to_skipped"),
        left_out=bindparam("to_left_out"),
        # No parameter of its own, for ``bulk``.
        version=subscribers.c.version + literal_column("1"),
    )
)


def _moved(draft: Draft) -> dict[str, object]:
    return {
        "reader": draft.subscriber.id,
        "to_cursor": draft.cursor,
        "to_slot": draft.next_slot,
        "to_skipped": draft.skipped,
        "to_left_out": draft.left_out,
    }


def _locked(connection: Connection, versions: Mapping[int, int]) -> set[int]:
    """Return which readers are active and of that version, kept so to the end."""
    ours: set[int] = set()
    for block in blocks(sorted(versions)):
        query = select(subscribers.c.id, subscribers.c.version).where(
            subscribers.c.id.in_(block), IS_ACTIVE
        )
        rows = connection.execute(query.order_by(subscribers.c.id).with_for_update())
        ours.update(row.id for row in rows if row.version == versions[row.id])
    return ours


def taken(connection: Connection, slots: Mapping[int, datetime]) -> set[int]:
    """Return which readers have an issue for the slot that *slots* names."""
    found: set[int] = set()
    for block in blocks(slots):
        query = select(issues.c.subscriber_id, issues.c.slot).where(
            issues.c.subscriber_id.in_(block),
            issues.c.slot.in_({slots[number] for number in block}),
        )
        rows = connection.execute(query)
        found.update(r.subscriber_id for r in rows if r.slot == slots[r.subscriber_id])
    return found


def last_slots(
    connection: Connection, subscriber_ids: Iterable[int]
) -> dict[int, datetime]:
    """Return the slot of each reader's newest issue; absent: there is none."""
    found: dict[int, datetime] = {}
    number = issues.c.subscriber_id
    for block in blocks(subscriber_ids):
        query = select(number, func.max(issues.c.slot).label("slot"))
        rows = connection.execute(query.where(number.in_(block)).group_by(number))
        found.update({row.subscriber_id: row.slot for row in rows})
    return found


def shown(
    connection: Connection, questions: Mapping[int, Question]
) -> dict[int, frozenset[int]]:
    """Return which of the entries asked for each reader got; absent: none."""
    every = {entry for asked in questions.values() for entry in asked.entry_ids}
    names = aliases_of(connection, every)
    found: dict[int, set[int]] = {}
    for block in blocks(questions):
        query = select(issues.c.subscriber_id, issues.c.slot, issues.c["items"]).where(
            issues.c.subscriber_id.in_(block),
            issues.c.slot >= min(questions[number].since for number in block),
        )
        for row in connection.execute(query):
            asked = questions[row.subscriber_id]
            if row.slot >= asked.since:
                seen = _seen(asked.entry_ids, names, row.items)
                found.setdefault(row.subscriber_id, set()).update(seen)
    return {number: frozenset(seen) for number, seen in found.items() if seen}


def _seen(
    entries: frozenset[int], names: Mapping[int, frozenset[int]], items: str
) -> set[int]:
    """Return which *entries* stand in ``issues.items`` under any of their *names*.

    Most issues show none of them: a look at the text is enough for that.
    """
    likely = [e for e in entries if any(f"[{name}," in items for name in names[e])]
    if not likely:
        return set()
    cards = set(item_entries(items))
    return {entry for entry in likely if not cards.isdisjoint(names[entry])}
