from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter import ledger
from newsletter.errors import ConflictError
from newsletter.ledger import Stage, verdict
from newsletter.model import FailReason, IssueState

SLOT = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)
S = IssueState


def test_a_key_is_the_beginning_of_a_documented_hash() -> None:
    text = "papers.example.org\nabc\n2026-11-24T07:30:00Z\n"
    expected = sha256(text.encode()).hexdigest()[:32]
    assert ledger.public_key("papers.example.org", "abc", SLOT) == expected


def test_a_key_is_the_same_in_every_zone() -> None:
    there = SLOT.astimezone(timezone(timedelta(hours=9)))
    assert ledger.public_key("a", "b", there) == ledger.public_key("a", "b", SLOT)


def test_list_reader_and_slot_each_make_another_key() -> None:
    keys = {
        ledger.public_key("a", "b", SLOT),
        ledger.public_key("a.b", "b", SLOT),
        ledger.public_key("a", "c", SLOT),
        ledger.public_key("a", "b", SLOT + timedelta(minutes=1)),
    }
    assert len(keys) == 4


def test_the_table_of_moves_is_the_documented_one() -> None:
    allowed = {(a, b) for a in S for b in S if ledger.may_move(a, b)}
    assert allowed == {
        *((a, b) for a in (S.READY, S.RETRY) for b in (S.INFLIGHT, S.FAILED, S.HELD)),
        *(
            (S.INFLIGHT, b)
            for b in (
                S.INFLIGHT,
                S.SENT,
                S.WRITTEN,
                S.RETRY,
                S.FAILED,
                S.UNKNOWN,
                S.HELD,
            )
        ),
        (S.WRITTEN, S.INFLIGHT),
        (S.FAILED, S.RETRY),
        (S.UNKNOWN, S.RETRY),
        (S.UNKNOWN, S.FAILED),
        (S.HELD, S.READY),
        (S.HELD, S.FAILED),
    }


def test_what_is_sent_stays_sent() -> None:
    with pytest.raises(ConflictError, match="that is sent cannot become ready"):
        ledger.check_move(S.SENT, S.READY)
    ledger.check_move(S.READY, S.INFLIGHT)


def test_open_and_final_states_are_told_apart() -> None:
    assert {s for s in S if not ledger.is_final(s)} == {S.READY, S.RETRY, S.INFLIGHT}


def test_an_attempt_can_always_be_recorded_and_nothing_leads_back_to_ready() -> None:
    assert all(ledger.may_move(S.INFLIGHT, s) for s in S if s is not S.READY)
    assert [s for s in S if ledger.may_move(s, S.READY)] == [S.HELD]


def test_waits_grow_and_end() -> None:
    waits = [ledger.retry_after(n, greylisted=False) for n in range(1, 9)]
    assert waits[0] == timedelta(minutes=15)
    assert waits == sorted(waits)
    assert waits[-1] == waits[-2] == timedelta(hours=4)


def test_greylisting_is_answered_after_five_minutes_once() -> None:
    assert ledger.retry_after(1, greylisted=True) == timedelta(minutes=5)
    assert ledger.retry_after(2, greylisted=True) == timedelta(minutes=30)


@pytest.mark.parametrize(
    ("stage", "code", "state"),
    [
        (Stage.GREETING, 421, S.RETRY),
        (Stage.GREETING, None, S.RETRY),
        (Stage.GREETING, 554, S.HELD),
        (Stage.RECIPIENT, 450, S.RETRY),
        (Stage.RECIPIENT, 452, S.RETRY),
        (Stage.RECIPIENT, 550, S.FAILED),
        (Stage.CONTENT, 451, S.RETRY),
        (Stage.CONTENT, None, S.RETRY),
        (Stage.DOT, 250, S.SENT),
        (Stage.DOT, 451, S.RETRY),
        (Stage.DOT, 554, S.HELD),
        (Stage.DOT, None, S.UNKNOWN),
    ],
)
def test_replies_mean_what_the_fault_table_says(
    stage: Stage, code: int | None, state: IssueState
) -> None:
    found = verdict(stage, code)
    assert found.state is state
    assert (found.reason is FailReason.REFUSED) == (state is S.FAILED)
    assert found.greylisted == (code == 450)


@pytest.mark.parametrize(
    ("enhanced", "state"),
    [
        ("5.1.1", S.FAILED),
        ("5.2.1", S.FAILED),
        ("5.71.0", S.FAILED),
        (None, S.FAILED),
        ("5.7.1", S.HELD),
    ],
)
def test_a_recipient_refused_by_policy_is_not_the_readers_fault(
    enhanced: str | None, state: IssueState
) -> None:
    assert verdict(Stage.RECIPIENT, 550, enhanced).state is state


@given(st.sampled_from(Stage), st.none() | st.integers(-1, 999))
def test_no_reply_whatever_breaks_the_promise(stage: Stage, code: int | None) -> None:
    found = verdict(stage, code)
    ledger.check_move(S.INFLIGHT, found.state)
    if stage is not Stage.DOT:
        # The content was not taken: neither sent nor perhaps sent.
        assert found.state in {S.RETRY, S.FAILED, S.HELD}
    elif found.state is S.RETRY:
        # Sent again only where the server said that it did not take it.
        assert code in range(400, 500)
    else:
        assert (found.state is S.SENT) == (code in range(200, 300))
        assert (found.state is S.HELD) == (code in range(500, 600))
