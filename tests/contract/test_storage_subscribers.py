"""Readers, on every database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from newsletter.errors import ConflictError, NotFoundError
from newsletter.model import Origin, Profile, SubscriberStatus
from newsletter.storage.schema import issues, profiles, subscriber_events, subscribers
from tests.contract.world import DAY, HOUR, NOW, World, spec

ADA, BOB, EVE = "ada@example.org", "bob@example.org", "eve@example.org"
SLOT = NOW.replace(hour=7, minute=30, second=0, microsecond=0)
S = SubscriberStatus


def events(world: World, address: str) -> list[tuple[str, str]]:
    who = world.store.subscribers.get(address)
    table = subscriber_events
    query = select(table.c.kind, table.c.detail).where(table.c.subscriber_id == who.id)
    with world.store.database.read() as connection:
        return [(e.kind, e.detail) for e in connection.execute(query.order_by("id"))]


def set_origin(world: World, address: str, origin: Origin) -> None:
    """Make a reader one whom the file does not govern."""
    update = subscribers.update().where(subscribers.c.address == address)
    with world.store.database.write() as connection:
        connection.execute(update.values(origin=origin))


# --- the file -----------------------------------------------------------------


def test_a_new_reader_joins_with_the_first_slot_after(world: World) -> None:
    report = world.read_file(
        spec("Ada@Example.org", name="Ada", timezone="Europe/London", language="fr")
    )
    assert report.added == ("Ada@Example.org",)
    ada = world.store.subscribers.get(ADA)
    assert (ada.address, ada.name, ada.language) == ("Ada@Example.org", "Ada", "fr")
    assert (ada.status, ada.origin) == (S.ACTIVE, Origin.FILE)
    assert (ada.joined_at, ada.next_slot, ada.cursor) == (NOW, SLOT, None)
    assert (ada.skipped, ada.left_out, ada.version) == ((), False, 1)
    assert len(ada.public_id) == 32
    assert events(world, ADA) == [("joined", "")]


def test_the_same_file_again_changes_nothing(world: World) -> None:
    before = world.reader()
    report = world.read_file(spec(ADA), at=NOW + HOUR)
    assert report.unchanged == 1
    assert (report.added, report.changed, report.kept) == ((), (), ())
    assert world.store.subscribers.get(ADA) == before


def test_an_address_in_other_capitals_is_the_same_reader(world: World) -> None:
    before = world.reader("ada@bücher.example")
    report = world.read_file(spec("ADA@xn--bcher-kva.example"))
    assert report.changed == ("ADA@xn--bcher-kva.example",)
    after = world.store.subscribers.get("ada@BÜCHER.example")
    assert (after.id, after.address) == (before.id, "ADA@xn--bcher-kva.example")


def test_a_changed_name_raises_the_version_and_keeps_the_slot(world: World) -> None:
    before = world.reader()
    world.read_file(spec(ADA, name="Ada"), at=NOW + HOUR)
    after = world.store.subscribers.get(ADA)
    assert (after.name, after.version) == ("Ada", before.version + 1)
    assert after.next_slot == before.next_slot
    assert events(world, ADA)[1:] == [("changed", "name")]


def test_a_changed_profile_is_kept_under_its_hash(world: World) -> None:
    before = world.reader()
    profile = Profile(max_items=3)
    world.read_file(spec(ADA, profile=profile))
    after = world.store.subscribers.get(ADA)
    assert after.profile_hash != before.profile_hash
    assert world.store.subscribers.profile(after.profile_hash) == profile
    assert world.store.subscribers.profile(before.profile_hash) == Profile()
    with pytest.raises(NotFoundError, match="no profile"):
        world.store.subscribers.profile("nothing")


def test_readers_with_one_profile_share_its_row(world: World) -> None:
    world.read_file(spec(ADA), spec(BOB))
    with world.store.database.read() as connection:
        assert len(connection.execute(select(profiles)).all()) == 1


@pytest.mark.parametrize(
    "change", [{"schedule": ("daily 09:00",)}, {"timezone": "America/New_York"}]
)
def test_a_changed_schedule_or_zone_moves_the_slot(
    world: World, change: dict[str, object]
) -> None:
    before = world.reader()
    world.read_file(spec(ADA, **change))
    after = world.store.subscribers.get(ADA)
    assert after.next_slot is not None
    assert before.next_slot is not None
    assert after.next_slot > before.next_slot


def test_a_slot_that_is_due_already_is_not_moved(world: World) -> None:
    before = world.reader()
    world.read_file(spec(ADA, schedule=("daily 23:00",)), at=SLOT)
    after = world.store.subscribers.get(ADA)
    assert after.next_slot == before.next_slot == SLOT
    assert after.schedule == ("daily 23:00",)


def test_an_id_keeps_the_reader_when_the_address_changes(world: World) -> None:
    before = world.reader(ADA, id="ada")
    report = world.read_file(spec("ada@new.example", id="ada"))
    assert report.changed == ("ada@new.example",)
    after = world.store.subscribers.get("ada@new.example")
    assert (after.id, after.public_id) == (before.id, before.public_id)
    with pytest.raises(NotFoundError):
        world.store.subscribers.get(ADA)


def test_an_id_can_be_given_and_taken_later(world: World) -> None:
    before = world.reader()
    assert world.read_file(spec(ADA, id="ada")).changed == (ADA,)
    assert world.read_file(spec(ADA, id="lovelace")).changed == (ADA,)
    assert world.read_file(spec(ADA)).changed == (ADA,)
    assert world.store.subscribers.get(ADA).id == before.id


def test_an_address_that_was_moved_away_from_is_free_in_the_same_file(
    world: World,
) -> None:
    ada = world.reader(ADA, id="ada")
    report = world.read_file(spec(ADA, id="bob"), spec(BOB, id="ada"))
    assert (report.added, report.changed) == ((ADA,), (BOB,))
    assert world.store.subscribers.get(BOB).id == ada.id


def test_an_address_that_another_reader_has_is_not_taken_over(world: World) -> None:
    world.read_file(spec(ADA, id="ada"), spec(BOB, id="bob"))
    report = world.read_file(spec(BOB, id="ada"), spec(BOB, id="bob"))
    assert report.kept == ((BOB, "the address belongs to another reader"),)
    assert world.store.subscribers.get(ADA).status == S.ACTIVE


def test_a_second_line_for_one_reader_is_kept_out(world: World) -> None:
    world.read_file(spec(ADA, id="ada"))
    report = world.read_file(spec(ADA, id="ada"), spec(ADA))
    assert report.kept == ((ADA, "the address belongs to another reader"),)
    assert report.unchanged == 1


def test_an_address_of_another_origin_is_left_alone(world: World) -> None:
    world.reader(ADA, name="As she wrote it")
    set_origin(world, ADA, Origin.COMMAND)
    report = world.read_file(spec(ADA, name="As the file says"))
    assert report.kept == ((ADA, "the address belongs to a reader of origin command"),)
    assert world.store.subscribers.get(ADA).name == "As she wrote it"
    assert world.read_file().deactivated == ()


def test_who_is_taken_out_is_paused_and_comes_back_anew(world: World) -> None:
    people = [spec(f"{n}@example.org") for n in range(4)]
    world.read_file(*people)
    gone = world.store.subscribers.get("3@example.org")
    world.issue(gone)
    assert world.read_file(*people[:3]).deactivated == ("3@example.org",)
    paused = world.store.subscribers.get("3@example.org")
    assert (paused.status, paused.status_reason) == (S.PAUSED, "file")
    assert paused.next_slot is None

    later = NOW + 30 * DAY
    report = world.read_file(*people[:3], spec("3@example.org", name="C"), at=later)
    assert report.returned == ("3@example.org",)
    back = world.store.subscribers.get("3@example.org")
    assert (back.id, back.status, back.name) == (gone.id, S.ACTIVE, "C")
    assert (back.joined_at, back.cursor) == (later, None)
    assert back.next_slot == SLOT + 30 * DAY
    assert back.version > paused.version
    kinds = [kind for kind, _ in events(world, "3@example.org")]
    assert kinds == ["joined", "paused", "active"]


def test_more_than_a_third_gone_at_once_changes_nothing(world: World) -> None:
    people = [spec(f"{n}@example.org") for n in range(5)]
    world.read_file(*people)
    report = world.read_file(*people[:3], spec("new@example.org", name="New"))
    assert report.refused == ("3@example.org", "4@example.org")
    assert report.added == ()
    assert world.store.subscribers.counts() == {S.ACTIVE: 5}


def test_exactly_a_third_may_go(world: World) -> None:
    world.read_file(spec(ADA), spec(BOB), spec(EVE))
    assert world.read_file(spec(ADA), spec(BOB)).deactivated == (EVE,)


@pytest.mark.parametrize(
    "status", [S.UNSUBSCRIBED, S.BOUNCED, S.COMPLAINED, S.PAUSED, S.PENDING]
)
def test_the_file_lifts_no_status_that_is_not_its_own(
    world: World, status: SubscriberStatus
) -> None:
    before = world.move(world.reader(), status)
    report = world.read_file(spec(ADA, name="Back"))
    assert report.kept == ((ADA, f"{status}: a test"),)
    assert world.store.subscribers.get(ADA) == before


def test_the_file_does_not_bring_back_who_was_erased(world: World) -> None:
    world.move(world.reader(ADA, id="ada"), S.ERASED)
    report = world.read_file(spec(ADA, id="ada"))
    assert report.kept == ((ADA, "the address must get no mail: erased"),)
    assert world.store.subscribers.counts() == {S.ERASED: 1}


def test_a_reader_cannot_move_to_a_suppressed_address(world: World) -> None:
    world.read_file(spec(ADA, id="ada"), spec(BOB))
    world.move(world.store.subscribers.get(BOB), S.ERASED)
    report = world.read_file(spec(BOB, id="ada"))
    assert report.kept == ((BOB, "the address must get no mail: erased"),)
    assert world.store.subscribers.get(ADA).status == S.ACTIVE


# --- reading ------------------------------------------------------------------


def test_a_reader_is_found_by_address_and_by_public_id(world: World) -> None:
    ada = world.reader()
    assert world.store.subscribers.get("ADA@EXAMPLE.ORG") == ada
    assert world.store.subscribers.get(ada.public_id) == ada
    for name in ("nobody@example.org", "", "%", "\udcff@example.org"):
        with pytest.raises(NotFoundError, match="subscribers list"):
            world.store.subscribers.get(name)


def test_readers_come_in_pages_by_id(world: World) -> None:
    world.read_file(*(spec(f"{n}@example.org") for n in range(5)))
    first = world.store.subscribers.find(limit=3)
    rest = world.store.subscribers.find(after_id=first[-1].id, limit=3)
    assert [s.address[0] for s in (*first, *rest)] == list("01234")


def test_only_active_readers_are_due(world: World) -> None:
    world.read_file(spec(ADA), spec(BOB), spec(EVE, schedule=("daily 12:00",)))
    store = world.store.subscribers
    world.move(store.get(BOB), S.PAUSED)
    assert [s.address for s in store.due(SLOT)] == [ADA]
    assert store.due(SLOT - timedelta(microseconds=1)) == ()
    assert [s.address for s in store.due(SLOT + 6 * HOUR)] == [ADA, EVE]
    assert [s.address for s in store.active()] == [ADA, EVE]
    assert store.due(SLOT, after_id=store.get(ADA).id) == ()


def test_the_next_due_is_the_earliest_slot(world: World) -> None:
    assert world.store.subscribers.next_due() is None
    world.read_file(spec(ADA, schedule=("daily 12:00",)), spec(BOB))
    due = world.store.subscribers.next_due()
    assert due is not None
    assert due.address == BOB


def test_counts_name_only_what_there_is(world: World) -> None:
    world.read_file(spec(ADA), spec(BOB), spec(EVE))
    world.move(world.store.subscribers.get(EVE), S.BOUNCED)
    assert world.store.subscribers.counts() == {S.ACTIVE: 2, S.BOUNCED: 1}


# --- statuses -----------------------------------------------------------------


@pytest.mark.parametrize("status", [S.UNSUBSCRIBED, S.BOUNCED, S.COMPLAINED])
def test_leaving_suppresses_the_address_and_coming_back_lifts_it(
    world: World, status: SubscriberStatus
) -> None:
    ada = world.reader()
    left = world.move(ada, status)
    assert (left.status, left.status_reason) == (status, "a test")
    assert (left.next_slot, left.version) == (None, ada.version + 1)
    assert world.store.subscribers.is_suppressed("ADA@example.org")
    assert not world.store.subscribers.is_suppressed(BOB)

    later = NOW + 3 * DAY
    back = world.move(ada, S.ACTIVE, at=later)
    assert not world.store.subscribers.is_suppressed(ADA)
    assert (back.joined_at, back.cursor, back.next_slot) == (
        later,
        None,
        SLOT + 3 * DAY,
    )
    assert events(world, ADA)[1:] == [(status, "a test"), ("active", "a test")]


def test_pausing_suppresses_nothing(world: World) -> None:
    world.move(world.reader(), S.PAUSED)
    assert not world.store.subscribers.is_suppressed(ADA)


def test_the_same_status_again_changes_nothing(world: World) -> None:
    left = world.move(world.reader(), S.UNSUBSCRIBED)
    assert world.move(left, S.UNSUBSCRIBED, at=NOW + DAY) == left
    assert len(events(world, ADA)) == 2


def test_a_second_reason_to_suppress_leaves_the_first(world: World) -> None:
    ada = world.move(world.reader(), S.COMPLAINED)
    world.move(ada, S.UNSUBSCRIBED)
    assert world.store.subscribers.is_suppressed(ADA)
    world.move(ada, S.ERASED)
    report = world.read_file(spec(ADA))
    assert report.kept == ((ADA, "the address must get no mail: complained"),)


def test_erasing_removes_the_person_and_keeps_the_row(world: World) -> None:
    ada = world.reader(ADA, name="Ada", id="ada")
    world.issue(ada, name="Ada")
    erased = world.move(ada, S.ERASED)
    assert (erased.address, erased.name) == ("", "")
    assert world.store.subscribers.is_suppressed(ADA)
    with world.store.database.read() as connection:
        row = connection.execute(select(issues)).one()
        assert (row.address, row.name) == ("", "")
        person = connection.execute(select(subscribers)).one()
        assert (person.address_key, person.file_id) == (None, None)
    with pytest.raises(NotFoundError):
        world.store.subscribers.get(ADA)
    with pytest.raises(ConflictError, match="erased"):
        world.move(ada, S.ACTIVE)


def test_nobody_has_no_status(world: World) -> None:
    ada = world.reader()
    with world.store.database.write() as connection:
        connection.execute(subscriber_events.delete())
        connection.execute(subscribers.delete())
    with pytest.raises(NotFoundError, match="no reader number"):
        world.move(ada, S.PAUSED)
