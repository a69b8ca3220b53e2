"""Readers by command: added, rewritten, erased without a trace; on every database."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from newsletter import storage
from newsletter.errors import ConflictError, NotFoundError, StorageError
from newsletter.matching.grammar import parse_query
from newsletter.model import (
    Interest,
    IssueState,
    Origin,
    Outcome,
    Profile,
    Subscriber,
    SubscriberStatus,
)
from newsletter.storage.schema import metadata, profiles, subscribers
from tests.contract.world import DAY, HOUR, NOW, SECRET, World, spec

S = SubscriberStatus
SECRETIVE = Profile(
    interests=(Interest(query="zebrafish", tree=parse_query("zebrafish")),)
)


def add(world: World, address: str = "ada@example.org", **changes: object):  # type: ignore[no-untyped-def] # noqa: ANN201 - a subscriber
    reason = str(changes.pop("reason", ""))
    return world.store.subscribers.add(
        spec(address, **changes),
        origin=Origin.COMMAND,
        consent="by letter",
        reason=reason,
        as_of=NOW,
        at=NOW + HOUR,
    )


def rewrite(world: World, number: int, **changes: object):  # type: ignore[no-untyped-def] # noqa: ANN201 - a subscriber
    return world.store.subscribers.rewrite(
        number,
        spec("x@example.org", **changes),
        origin=Origin.COMMAND,
        as_of=NOW,
        at=NOW + DAY,
    )


def test_a_reader_who_is_added_joins_and_their_consent_is_kept(world: World) -> None:
    ada = add(world, name="Ada", timezone="Europe/London", profile=SECRETIVE)
    assert (ada.address, ada.name, ada.origin) == (
        "ada@example.org",
        "Ada",
        Origin.COMMAND,
    )
    assert (ada.status, ada.joined_at, ada.cursor, ada.version) == (
        S.ACTIVE,
        NOW,
        None,
        1,
    )
    assert ada.next_slot == NOW.replace(hour=7, minute=30, second=0, microsecond=0)
    assert world.store.subscribers.get("ADA@example.org") == ada
    assert world.store.subscribers.profile(ada.profile_hash) == SECRETIVE
    with world.store.database.read() as connection:
        row = connection.execute(select(subscribers)).one()
    assert (row.consent_at, row.consent_how) == (NOW + HOUR, "by letter")
    (event,) = world.store.subscribers.events(ada.id)
    assert (event.kind, event.origin, event.at, event.detail) == (
        "joined",
        Origin.COMMAND,
        NOW + HOUR,
        "",
    )


def test_an_address_is_a_readers_once(world: World) -> None:
    world.move(add(world), S.PAUSED)
    with pytest.raises(ConflictError, match=r"is a reader already \(paused, from comm"):
        add(world, "Ada@Example.ORG")
    world.reader("bob@example.org")
    with pytest.raises(ConflictError, match="from file"):
        add(world, "bob@example.org")


def test_who_must_get_no_mail_comes_back_with_a_reason_alone(world: World) -> None:
    world.move(add(world), S.ERASED)
    with pytest.raises(ConflictError, match="must get no mail: erased"):
        add(world)
    again = add(world, reason="they wrote to us")
    assert again.status is S.ACTIVE
    assert not world.store.subscribers.is_suppressed("ada@example.org")
    assert world.store.subscribers.events(again.id)[0].detail == "they wrote to us"


def test_a_rewritten_reader_is_not_prepared_by_who_read_them_before(
    world: World,
) -> None:
    ada = add(world)
    after = rewrite(world, ada.id, profile=SECRETIVE, schedule=("daily 12:00",))
    assert after.version == ada.version + 1
    assert after.schedule == ("daily 12:00",)
    assert after.next_slot == NOW.replace(hour=12, minute=0, second=0, microsecond=0)
    assert (after.address, after.name) == (ada.address, ada.name)
    assert not world.prepare(ada, world.record(ada))
    event = world.store.subscribers.events(ada.id)[-1]
    assert (event.kind, event.at) == ("changed", NOW + DAY)
    assert event.detail == "next_slot, profile_hash, schedule"


def test_a_due_slot_is_not_taken_away_and_nothing_changed_is_no_event(
    world: World,
) -> None:
    ada = add(world)
    due = world.store.subscribers.rewrite(
        ada.id,
        spec("x@example.org", timezone="Asia/Tokyo"),
        origin=Origin.COMMAND,
        as_of=NOW + DAY,
        at=NOW + DAY,
    )
    assert due.next_slot == ada.next_slot
    assert rewrite(world, ada.id, timezone="Asia/Tokyo") == due
    assert len(world.store.subscribers.events(ada.id)) == 2


def test_nobody_and_the_erased_are_not_rewritten(world: World) -> None:
    with pytest.raises(NotFoundError, match="no reader number"):
        rewrite(world, 999)
    gone = world.move(add(world), S.ERASED)
    with pytest.raises(ConflictError, match="is erased"):
        rewrite(world, gone.id)


def everything(world: World) -> str:
    """Return all that any table holds, as text."""
    with world.store.database.read() as connection:
        return "\n".join(
            str(tuple(row))
            for table in metadata.sorted_tables
            for row in connection.execute(select(table))
        )


def lived_in(world: World) -> str:
    """Make a reader who left traces everywhere; return the key of an open issue."""
    ada = add(world, "ada.secret@example.org", name="Ada Secretive", profile=SECRETIVE)
    world.read_file(spec("bob@example.org", id="b"))
    headings = ("zebrafish",)
    sent, waiting = (
        world.issue(ada, NOW + n * HOUR, headings=headings).key for n in range(2)
    )
    ledger = world.store.ledger
    ledger.lease(1, holder="me", now=NOW, until=NOW + HOUR)
    ledger.mark_inflight([sent], holder="me", now=NOW)
    said = "550 5.1.1 <ada.secret@example.org>: no such user"
    outcome = Outcome(key=sent, state=IssueState.FAILED, at=NOW, code=550, reason=said)
    ledger.record([outcome], holder="me")
    world.store.subscribers.set_status(
        ada.id,
        S.BOUNCED,
        reason=said,
        origin=Origin.DELIVERY,
        as_of=NOW,
        at=NOW,
    )
    return waiting


def test_an_erased_reader_leaves_no_trace_but_the_numbers(world: World) -> None:
    waiting = lived_in(world)
    before = everything(world)
    for trace in ("ada.secret", "Ada Secretive", "zebrafish"):
        assert trace in before
    ada = world.store.subscribers.get("ada.secret@example.org")
    issues_before = world.store.ledger.counts()
    gone = world.move(ada, S.ERASED)
    left = everything(world)
    for trace in ("ada.secret", "Secretive", "zebrafish"):
        assert trace not in left
    assert (gone.status, gone.address, gone.name) == (S.ERASED, "", "")
    assert sum(world.store.ledger.counts().values()) == sum(issues_before.values())
    row = world.store.ledger.find(waiting)
    assert (row.state, row.reason) == (IssueState.FAILED, "suppressed")
    assert world.store.ledger.keys_of(ada.id)[1] == waiting
    assert world.store.subscribers.is_suppressed("Ada.Secret@example.org")
    assert [e.kind for e in world.store.subscribers.events(ada.id)] == [
        "joined",
        "bounced",
        "erased",
    ]
    report = world.read_file(spec("bob@example.org", id="b"), spec(ada.address))
    assert report.kept == ((ada.address, "the address must get no mail: bounced"),)


def test_a_reason_that_names_the_erased_is_not_kept(world: World) -> None:
    ada, bob = add(world, name="Ada"), add(world, "bob@example.org")
    for reader, reason in ((ada, "ADA asked"), (bob, "asked by letter")):
        gone = world.store.subscribers.set_status(
            reader.id,
            S.ERASED,
            reason=reason,
            origin=Origin.COMMAND,
            as_of=NOW,
            at=NOW,
        )
        assert gone.status_reason == ("" if reader is ada else reason)
    assert world.store.subscribers.events(ada.id)[-1].detail == ""
    assert world.store.subscribers.events(bob.id)[-1].detail == "asked by letter"


def test_what_is_on_its_way_to_the_erased_keeps_its_state(world: World) -> None:
    ada = add(world)
    key = world.issue(ada).key
    ledger = world.store.ledger
    ledger.lease(1, holder="me", now=NOW, until=NOW + HOUR)
    ledger.mark_inflight([key], holder="me", now=NOW)
    world.move(ada, S.ERASED)
    assert ledger.find(key).state is IssueState.INFLIGHT
    ledger.record([Outcome(key=key, state=IssueState.SENT, at=NOW)], holder="me")
    assert ledger.find(key).state is IssueState.SENT


def test_a_profile_that_others_have_stays(world: World) -> None:
    ada = add(world, profile=SECRETIVE)
    bob = add(world, "bob@example.org", profile=SECRETIVE)
    world.move(ada, S.ERASED)
    assert world.store.subscribers.profile(bob.profile_hash) == SECRETIVE
    world.move(bob, S.ERASED)
    with world.store.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(profiles)) == 1


def test_the_bytes_of_a_sqlite_file_forget_too(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/newsletter.db"
    store = storage.open_store(url, secret=SECRET)
    world = World(store=store)
    lived_in(world)
    ada = store.subscribers.get("ada.secret@example.org")

    def traces() -> set[str]:
        # While it is open: closing would tidy the log away anyhow.
        return {
            trace
            for file in tmp_path.glob("newsletter.db*")
            for trace in ("ada.secret", "Ada Secretive", "zebrafish")
            if trace.encode() in file.read_bytes()
        }

    assert traces() == {"ada.secret", "Ada Secretive", "zebrafish"}
    world.move(ada, S.ERASED)
    assert traces() == set()
    store.close()


def test_traces_that_another_reader_keeps_in_the_log_are_told(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/newsletter.db"
    store = storage.open_store(url, secret=SECRET, busy_timeout_s=0.2)
    other = storage.open_store(url, secret=SECRET)
    world = World(store=store)
    lived_in(world)
    ada = store.subscribers.get("ada.secret@example.org")
    with other.database.read() as connection:
        connection.execute(select(subscribers)).all()
        with pytest.raises(StorageError, match="it is done, but another process"):
            world.move(ada, S.ERASED)
    with pytest.raises(NotFoundError):
        store.subscribers.get("ada.secret@example.org")
    other.close()
    store.close()


def test_a_rehearsal_scrubs_nothing(tmp_path: Path) -> None:
    store = storage.open_scratch(f"sqlite:///{tmp_path}/none.db", secret=SECRET)
    world = World(store=store)
    assert world.move(add(world), S.ERASED).status is S.ERASED
    store.close()
    assert not list(tmp_path.iterdir())


def test_keys_of_a_reader_come_in_the_order_of_their_slots(world: World) -> None:
    ada = add(world)
    later, first = (world.issue(ada, NOW + n * HOUR).key for n in (2, 1))
    assert world.store.ledger.keys_of(ada.id) == (first, later)
    assert world.store.ledger.keys_of(ada.id + 1) == ()


def flying(world: World) -> tuple[Subscriber, str]:
    """Return a reader and the key of an issue that is on its way to them."""
    ada = add(world)
    key = world.issue(ada).key
    ledger = world.store.ledger
    ledger.lease(1, holder="me", now=NOW, until=NOW + HOUR)
    ledger.mark_inflight([key], holder="me", now=NOW)
    return ada, key


def test_what_a_server_says_of_the_erased_is_not_kept(world: World) -> None:
    ada, key = flying(world)
    world.move(ada, S.ERASED)
    said = Outcome(key=key, state=IssueState.SENT, at=NOW, reason="for ada@example.org")
    world.store.ledger.record([said], holder="me")
    row = world.store.ledger.find(key)
    assert (row.state, row.reason) == (IssueState.SENT, None)
    assert "ada@" not in everything(world)


def test_what_comes_back_from_its_way_to_the_erased_ends(world: World) -> None:
    ada, key = flying(world)
    ledger = world.store.ledger
    world.move(ada, S.ERASED)
    ledger.record([Outcome(key=key, state=IssueState.RETRY, at=NOW)], holder="me")
    assert ledger.lease(1, holder="me", now=NOW, until=NOW + HOUR) == ()
    row = ledger.find(key)
    assert (row.state, row.reason) == (IssueState.FAILED, "suppressed")
    assert ledger.troubles() == ()


def test_a_doubt_about_the_erased_is_dropped_and_not_repeated(world: World) -> None:
    ada, key = flying(world)
    ledger = world.store.ledger
    ledger.record([Outcome(key=key, state=IssueState.UNKNOWN, at=NOW)], holder="me")
    world.move(ada, S.ERASED)
    with pytest.raises(ConflictError, match="whose data were erased"):
        ledger.resolve(key, repeat=True, at=NOW)
    ledger.resolve(key, repeat=False, at=NOW)
    assert ledger.find(key).state is IssueState.FAILED
