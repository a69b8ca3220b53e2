"""The ledger, on every database."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from newsletter.errors import ConflictError, NotFoundError
from newsletter.model import (
    Acronym,
    Acronyms,
    Field,
    IssueItem,
    IssueState,
    LedgerRow,
    Outcome,
    Receipt,
    ScorePart,
    SourceListing,
    SubscriberStatus,
    Window,
)
from newsletter.storage.schema import attempts, issues
from tests.contract.world import (
    DAY,
    HOUR,
    NOW,
    World,
    edition,
    item,
    listing,
    spec,
)

LEASE = timedelta(minutes=5)
S = IssueState
TICK = timedelta(microseconds=1)


def lease(world: World, n: int = 10, *, holder: str = "me", at=NOW) -> list[LedgerRow]:  # type: ignore[no-untyped-def] # noqa: ANN001 - an instant
    return list(world.store.ledger.lease(n, holder=holder, now=at, until=at + LEASE))


def keys(rows: list[LedgerRow]) -> list[str]:
    return [row.record.key for row in rows]


def outcome(key: str, state: IssueState, **changes: object) -> Outcome:
    return replace(Outcome(key=key, state=state, at=NOW), **changes)  # type: ignore[arg-type] # tests name what they change


def end(world: World, key: str, state: IssueState, **changes: object) -> None:
    """Take an issue to *state* in the way that delivery does."""
    lease(world)
    world.store.ledger.mark_inflight([key], holder="me", now=NOW)
    world.store.ledger.record([outcome(key, state, **changes)], holder="me")


# --- editions -----------------------------------------------------------------


def test_an_edition_is_named_by_its_content(world: World) -> None:
    name = world.store.ledger.put_edition(edition())
    assert world.store.ledger.put_edition(edition()) == name
    assert world.store.ledger.edition(name) == edition()
    known = Acronyms((Acronym(short="LLM", long="large language model"),))
    other = replace(edition(), acronyms=known)
    assert world.store.ledger.edition(world.store.ledger.put_edition(other)) == other
    assert world.store.ledger.put_edition(edition("Other Papers")) != name
    with pytest.raises(NotFoundError, match="no edition"):
        world.store.ledger.edition("nothing")


# --- preparing ----------------------------------------------------------------


def test_every_field_of_an_issue_comes_back_as_it_was(world: World) -> None:
    ada = world.reader(name="Àda 🦉", timezone="Asia/Kathmandu", language="zh-Hant")
    whole = world.record(
        ada,
        window=Window(after=7, until=2**40, not_before=NOW - 14 * DAY + TICK),
        prepared_at=NOW + TICK,
        items=(
            IssueItem(
                entry_id=2**40,
                version_id=7,
                listed_at=NOW - TICK,
                votes=0,
                sources=(
                    SourceListing(source="hf", listed_at=NOW - DAY),
                    SourceListing(source='a "b", c\\', listed_at=NOW - TICK),
                ),
            ),
            item(3, votes=None, sources=()),
            item(4, close=(ScorePart(field=Field.TITLE, term='"ä"', millis=812),)),
        ),
        headings=("State spaces", "", "Close"),
        more=(item(9, votes=12),),
        receipt=Receipt(new=612, matched=41, shown=12, close=1),
        skipped=(date(2026, 2, 28), date(2026, 3, 1)),
    )
    bare = world.record(ada, NOW + DAY, items=(), headings=(), theme="")
    assert world.prepare(ada, whole)
    assert world.prepare(world.store.subscribers.get(ada.public_id), bare)
    found = world.store.ledger.find(whole.key)
    assert found.record == whole
    assert repr(found.record) == repr(whole)
    assert world.store.ledger.find(bare.key).record == bare
    assert (found.state, found.reason, found.attempts) == (S.READY, None, 0)
    assert (found.retry_at, found.updated_at) == (None, NOW)


def test_preparing_moves_the_reader_on(world: World) -> None:
    ada = world.reader()
    days = (date(2026, 2, 28), date(2026, 3, 1))
    assert world.prepare(
        ada, None, cursor=9, next_slot=NOW + DAY, skipped=days, left_out=True
    )
    after = world.store.subscribers.get(ada.public_id)
    assert (after.cursor, after.next_slot, after.skipped) == (9, NOW + DAY, days)
    assert (after.left_out, after.version) == (True, ada.version + 1)
    assert world.store.ledger.recent() == ()
    assert world.prepare(after, None, next_slot=None)
    assert world.store.subscribers.get(ada.public_id).next_slot is None


def test_a_reader_who_changed_meanwhile_is_not_prepared(world: World) -> None:
    ada = world.reader()
    world.read_file(spec(ada.address, name="Changed"))
    assert not world.prepare(ada, world.record(ada))
    assert world.store.ledger.recent() == ()
    assert world.store.subscribers.get(ada.public_id).cursor is None


def test_a_reader_who_left_meanwhile_is_not_prepared(world: World) -> None:
    left = world.move(world.reader(), SubscriberStatus.PAUSED)
    assert not world.prepare(left, world.record(left))
    assert world.store.ledger.recent() == ()


def test_a_slot_has_one_issue(world: World) -> None:
    ada = world.reader()
    world.issue(ada)
    again = world.store.subscribers.get(ada.public_id)
    other = world.record(again, key="f" * 32)
    with pytest.raises(ConflictError, match="has an issue for 2026-03-02 06:00"):
        world.prepare(again, other)
    assert world.store.subscribers.get(ada.public_id) == again
    assert len(world.store.ledger.recent()) == 1


def test_two_who_prepare_one_reader_make_one_issue(world: World) -> None:
    ada = world.reader()
    records = [world.record(ada, NOW + n * HOUR) for n in range(8)]
    took = []
    barrier = threading.Barrier(len(records))

    def prepare(number: int) -> None:
        barrier.wait()
        took.append(world.prepare(ada, records[number]))

    threads = [threading.Thread(target=prepare, args=(n,)) for n in range(len(records))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(took) == [False] * 7 + [True]
    assert len(world.store.ledger.recent()) == 1
    assert world.store.subscribers.get(ada.public_id).version == ada.version + 1


def test_taken_slots_and_the_last_one(world: World) -> None:
    ada = world.reader()
    ledger = world.store.ledger
    assert ledger.last_slot(ada.id) is None
    world.issue(ada, NOW + DAY)
    world.issue(ada, NOW)
    assert ledger.last_slot(ada.id) == NOW + DAY
    assert ledger.is_taken(ada.id, NOW)
    assert not ledger.is_taken(ada.id, NOW + TICK)
    assert not ledger.is_taken(ada.id + 1, NOW)


# --- what was shown -----------------------------------------------------------


def test_shown_are_the_cards_of_recent_issues(world: World) -> None:
    ada = world.reader()
    world.issue(ada, NOW - 9 * DAY, items=(item(1),))
    world.issue(ada, NOW, items=(item(2), item(3)), more=(item(4),))
    shown = world.store.ledger.shown
    assert shown(ada.id, [1, 2, 4, 5], since=NOW - 9 * DAY) == {1, 2}
    assert shown(ada.id, [1, 2, 4, 5], since=NOW) == {2}
    assert shown(ada.id, [], since=NOW) == frozenset()
    assert shown(ada.id + 1, [1, 2], since=NOW - 9 * DAY) == frozenset()


def test_a_joined_entry_keeps_its_shown_history(world: World) -> None:
    ada = world.reader()
    world.show(listing("2601.00001", "hf"))
    world.show(listing("10.1000/b", "arxiv"))
    older, younger = (c.entry_id for c in world.window())
    world.issue(ada, items=(item(younger),))
    both = ("2601.00001", "10.1000/b")
    assert world.put(listing("x", "blog", identifiers=both)).joined == 1
    shown = world.store.ledger.shown
    assert shown(ada.id, [older], since=NOW) == {older}
    assert shown(ada.id, [younger], since=NOW) == {younger}
    assert world.store.entries.aliases_of([older, younger, 99]) == {
        older: {older, younger},
        younger: {older, younger},
        99: {99},
    }


# --- leasing ------------------------------------------------------------------


def test_the_oldest_issues_are_leased_first_and_once(world: World) -> None:
    ada = world.reader()
    made = [world.issue(ada, NOW + n * HOUR).key for n in (2, 0, 1)]
    assert keys(lease(world, 2)) == [made[1], made[2]]
    assert keys(lease(world, 2)) == [made[0]]
    assert lease(world, holder="other") == []


def test_a_lease_that_ran_out_is_free(world: World) -> None:
    key = world.issue(world.reader()).key
    lease(world)
    assert lease(world, holder="other", at=NOW + LEASE - TICK) == []
    assert keys(lease(world, holder="other", at=NOW + LEASE)) == [key]
    assert (
        world.store.ledger.mark_inflight([key], holder="me", now=NOW + LEASE)
        == frozenset()
    )


def test_two_who_lease_at_once_share_the_work(world: World) -> None:
    ada = world.reader()
    for n in range(12):
        world.issue(ada, NOW + n * HOUR)
    taken: list[str] = []
    barrier = threading.Barrier(4)

    def work(holder: str) -> None:
        barrier.wait()
        while rows := lease(world, 2, holder=holder):
            taken.extend(keys(rows))

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 12


def test_a_retry_is_leased_when_it_is_due(world: World) -> None:
    key = world.issue(world.reader()).key
    end(world, key, S.RETRY, retry_at=NOW + HOUR, code=451, reason="greylisted")
    row = world.store.ledger.find(key)
    assert (row.state, row.retry_at, row.reason) == (
        S.RETRY,
        NOW + HOUR,
        "greylisted",
    )
    assert row.attempts == 1
    assert lease(world, at=NOW + HOUR - TICK) == []
    assert keys(lease(world, at=NOW + HOUR)) == [key]


def test_a_retry_without_a_time_is_due_at_once(world: World) -> None:
    key = world.issue(world.reader()).key
    end(world, key, S.RETRY)
    assert keys(lease(world)) == [key]


def test_an_inflight_issue_is_leased_again_when_its_lease_ran_out(
    world: World,
) -> None:
    key = world.issue(world.reader()).key
    lease(world)
    world.store.ledger.mark_inflight([key], holder="me", now=NOW)
    assert lease(world, holder="other") == []
    (row,) = lease(world, holder="other", at=NOW + LEASE)
    assert (row.record.key, row.state) == (key, S.INFLIGHT)
    marked = world.store.ledger.mark_inflight([key], holder="other", now=NOW + LEASE)
    assert marked == {key}
    assert world.store.ledger.find(key).attempts == 2


# --- inflight -----------------------------------------------------------------


def test_only_the_holder_may_send(world: World) -> None:
    key = world.issue(world.reader()).key
    mark = world.store.ledger.mark_inflight
    assert mark([key], holder="me", now=NOW) == frozenset()
    lease(world)
    assert mark([key], holder="other", now=NOW) == frozenset()
    assert mark([key, "0" * 32], holder="me", now=NOW) == {key}
    assert mark([], holder="me", now=NOW) == frozenset()
    assert world.store.ledger.find(key).state == S.INFLIGHT


@pytest.mark.parametrize("status", set(SubscriberStatus) - {SubscriberStatus.ACTIVE})
def test_who_left_gets_nothing(world: World, status: SubscriberStatus) -> None:
    world.read_file(spec("ada@example.org"), spec("bob@example.org"))
    ada = world.store.subscribers.get("ada@example.org")
    bob = world.store.subscribers.get("bob@example.org")
    left, stays = world.issue(ada).key, world.issue(bob).key
    lease(world)
    world.move(ada, status)
    marked = world.store.ledger.mark_inflight([left, stays], holder="me", now=NOW)
    assert marked == {stays}
    row = world.store.ledger.find(left)
    assert (row.state, row.reason, row.attempts) == (S.FAILED, "suppressed", 0)
    with pytest.raises(ConflictError, match="not leased"):
        world.store.ledger.record([outcome(left, S.SENT)], holder="me")


def test_a_suppressed_address_gets_nothing_though_its_reader_is_active(
    world: World,
) -> None:
    """The reader moved on to another address; the issue still names the old."""
    world.read_file(
        *(spec(f"{n}@example.org") for n in range(3)),
        spec("old@example.org", id="ada"),
    )
    ada = world.store.subscribers.get("old@example.org")
    key = world.issue(ada).key
    world.read_file(
        *(spec(f"{n}@example.org") for n in range(3)),
        spec("new@example.org", id="ada"),
        spec("old@example.org"),
    )
    world.move(
        world.store.subscribers.get("old@example.org"), SubscriberStatus.COMPLAINED
    )
    lease(world)
    assert not world.store.ledger.mark_inflight([key], holder="me", now=NOW)
    assert world.store.ledger.find(key).reason == "suppressed"


# --- outcomes -----------------------------------------------------------------


def test_an_outcome_is_written_and_the_lease_given_back(world: World) -> None:
    key = world.issue(world.reader()).key
    end(world, key, S.SENT, code=250, reason="queued", at=NOW + HOUR)
    row = world.store.ledger.find(key)
    assert (row.state, row.reason, row.updated_at) == (S.SENT, "queued", NOW + HOUR)
    with world.store.database.read() as connection:
        (tried,) = connection.execute(select(attempts)).all()
        assert (tried.issue_key, tried.state, tried.code) == (key, S.SENT, 250)
        stored = connection.execute(select(issues)).one()
        assert (stored.lease_holder, stored.lease_until) == (None, None)
    assert lease(world, at=NOW + DAY) == []


def test_one_refused_outcome_does_not_lose_the_others(world: World) -> None:
    ada = world.reader()
    first, second = (world.issue(ada, NOW + n * HOUR).key for n in range(2))
    lease(world)
    world.store.ledger.mark_inflight([first], holder="me", now=NOW)
    with pytest.raises(ConflictError, match=second):
        world.store.ledger.record(
            [outcome(second, S.SENT), outcome(first, S.SENT)], holder="me"
        )
    assert world.store.ledger.find(first).state == S.SENT
    assert world.store.ledger.find(second).state == S.READY


def test_an_outcome_needs_an_issue_and_its_lease(world: World) -> None:
    key = world.issue(world.reader()).key
    record = world.store.ledger.record
    with pytest.raises(ConflictError, match="not in the ledger"):
        record([outcome("0" * 32, S.SENT)], holder="me")
    with pytest.raises(ConflictError, match="ready and not leased by me"):
        record([outcome(key, S.SENT)], holder="me")
    record([], holder="me")


def test_a_mail_that_cannot_be_made_fails_before_it_flies(world: World) -> None:
    key = world.issue(world.reader()).key
    lease(world)
    world.store.ledger.record(
        [outcome(key, S.FAILED, reason="broken: no title")], holder="me"
    )
    assert world.store.ledger.find(key).state == S.FAILED


def test_old_issues_expire_unless_somebody_works_on_them(world: World) -> None:
    ada = world.reader()
    old, retried, leased, young = (
        world.issue(ada, NOW + n * HOUR).key for n in range(4)
    )
    lease(world, 2)
    world.store.ledger.mark_inflight([retried], holder="me", now=NOW)
    world.store.ledger.record(
        [outcome(retried, S.RETRY, retry_at=NOW + 9 * DAY)], holder="me"
    )
    later = NOW + LEASE
    assert keys(lease(world, 2, at=later))[1] == leased
    with world.store.database.write() as connection:
        connection.execute(
            issues.update().where(issues.c.key == old).values(lease_until=None)
        )
    expire = world.store.ledger.expire
    assert expire(prepared_before=NOW + 3 * HOUR, now=later) == 2
    assert expire(prepared_before=NOW + 3 * HOUR, now=later) == 0
    states = {key: world.store.ledger.find(key).state for key in (old, retried)}
    assert set(states.values()) == {S.FAILED}
    assert world.store.ledger.find(old).reason == "expired"
    assert world.store.ledger.find(retried).retry_at is None
    assert world.store.ledger.find(leased).state == S.READY
    assert world.store.ledger.find(young).state == S.READY


# --- after a crash, and when a person decides -----------------------------------


def inflight(world: World, slot: datetime = NOW) -> str:
    """Return the key of an issue that is on its way, leased by me."""
    key = world.issue(world.reader(), slot).key
    lease(world)
    assert world.store.ledger.mark_inflight([key], holder="me", now=NOW) == {key}
    return key


def test_what_was_on_its_way_when_its_sender_went_is_unknown(world: World) -> None:
    key = inflight(world)
    waiting = world.issue(world.store.subscribers.get("ada@example.org"), NOW + HOUR)
    ledger = world.store.ledger
    assert ledger.give_up(now=NOW + LEASE - TICK) == ()
    (row,) = ledger.give_up(now=NOW + LEASE)
    assert (row.record.key, row.state, row.attempts) == (key, S.UNKNOWN, 1)
    assert row.reason is not None
    assert "ended before the server's answer" in row.reason
    assert ledger.give_up(now=NOW + DAY) == ()
    assert keys(lease(world, at=NOW + DAY)) == [waiting.key]


def test_a_lease_that_is_renewed_is_not_given_up(world: World) -> None:
    key = inflight(world)
    ledger = world.store.ledger
    ledger.renew(holder="other", until=NOW + DAY)
    ledger.renew(holder="me", until=NOW + 2 * LEASE)
    assert ledger.give_up(now=NOW + 2 * LEASE - TICK) == ()
    assert keys(list(ledger.give_up(now=NOW + 2 * LEASE))) == [key]


def test_waiting_are_issues_on_their_way_and_to_be_tried_again(world: World) -> None:
    first = inflight(world)
    ada = world.store.subscribers.get("ada@example.org")
    retried, _ready = (world.issue(ada, NOW + n * HOUR).key for n in (1, 2))
    end(world, retried, S.RETRY, retry_at=NOW + DAY)
    ledger = world.store.ledger
    assert keys(list(ledger.waiting())) == [first, retried]
    assert keys(list(ledger.waiting(limit=1))) == [first]


@pytest.mark.parametrize("state", [S.UNKNOWN, S.HELD])
def test_a_person_has_an_issue_sent_again(world: World, state: IssueState) -> None:
    key = world.issue(world.reader()).key
    end(world, key, state, reason="554 5.7.1")
    world.store.ledger.resolve(key, repeat=True, at=NOW + HOUR)
    (row,) = lease(world, at=NOW + HOUR)
    assert (row.record.key, row.reason) == (key, "a person decided to send it again")
    assert (row.attempts, row.updated_at) == (1, NOW + HOUR)
    assert world.store.ledger.mark_inflight([key], holder="me", now=NOW + HOUR)


@pytest.mark.parametrize("state", [S.UNKNOWN, S.HELD])
def test_a_person_drops_an_issue_and_it_is_no_trouble_any_more(
    world: World, state: IssueState
) -> None:
    key = world.issue(world.reader()).key
    end(world, key, state)
    assert keys(list(world.store.ledger.troubles())) == [key]
    world.store.ledger.resolve(key, repeat=False, at=NOW + HOUR)
    row = world.store.ledger.find(key)
    assert (row.state, row.reason, row.retry_at) == (S.FAILED, "dropped", None)
    assert world.store.ledger.troubles() == ()
    assert lease(world, at=NOW + DAY) == []
    with world.store.database.read() as connection:
        tried = connection.execute(select(attempts).order_by(attempts.c.id)).all()
    assert [t.state for t in tried] == [state, S.FAILED]


@pytest.mark.parametrize("state", [S.SENT, S.WRITTEN, S.FAILED, S.RETRY])
def test_only_what_is_in_doubt_is_resolved(world: World, state: IssueState) -> None:
    key = world.issue(world.reader()).key
    end(world, key, state)
    before = world.store.ledger.find(key)
    for repeat in (True, False):
        with pytest.raises(ConflictError, match=f"is {state}; only one that is unkno"):
            world.store.ledger.resolve(key, repeat=repeat, at=NOW + HOUR)
    assert world.store.ledger.find(key) == before
    with pytest.raises(ConflictError, match="is not in the ledger"):
        world.store.ledger.resolve("0" * 32, repeat=True, at=NOW)


# --- looking back -------------------------------------------------------------


def test_an_issue_is_found_by_the_beginning_of_its_key(world: World) -> None:
    ada = world.reader()
    world.issue(ada, NOW, key="ab" + "0" * 30)
    world.issue(ada, NOW + HOUR, key="ac" + "0" * 30)
    find = world.store.ledger.find
    assert find("ab").record.key == "ab" + "0" * 30
    assert find("ac" + "0" * 30).record.slot == NOW + HOUR
    with pytest.raises(ConflictError, match="several"):
        find("a")
    for unknown in ("ad", "", "%", "ab_", "AB", "é"):
        with pytest.raises(NotFoundError, match="no issue"):
            find(unknown)


def test_recent_issues_come_newest_first(world: World) -> None:
    ada = world.reader()
    made = [world.issue(ada, NOW + n * HOUR).key for n in range(3)]
    assert keys(list(world.store.ledger.recent(limit=2))) == [made[2], made[1]]


def test_troubles_are_what_a_person_must_see(world: World) -> None:
    ada = world.reader()
    made = [world.issue(ada, NOW + n * HOUR).key for n in range(6)]
    wanted = [
        (S.SENT, None),
        (S.FAILED, "suppressed"),
        (S.FAILED, "refused: 550"),
        (S.UNKNOWN, None),
        (S.HELD, "554 5.7.1"),
        (S.FAILED, None),
    ]
    with world.store.database.write() as connection:
        for key, (state, reason) in zip(made, wanted, strict=True):
            connection.execute(
                issues.update()
                .where(issues.c.key == key)
                .values(state=state, reason=reason)
            )
    troubles = list(world.store.ledger.troubles())
    assert keys(troubles) == list(reversed(made[2:]))
    assert keys(list(world.store.ledger.troubles(limit=1))) == [made[5]]
    assert world.store.ledger.counts() == {
        S.SENT: 1,
        S.FAILED: 3,
        S.UNKNOWN: 1,
        S.HELD: 1,
    }
