from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter import links
from newsletter.errors import LinkError
from newsletter.links import Purpose

NEW, OLD = b"the new secret", b"the old secret"
PUBLIC_ID = "0123456789abcdef" * 2
SLOT = datetime(2026, 5, 4, 7, 30, tzinfo=UTC)


def test_a_token_says_who_and_which_slot() -> None:
    token = links.issue_token([NEW], public_id=PUBLIC_ID, slot=SLOT)
    assert links.read_issue_token([NEW], token) == (PUBLIC_ID, SLOT)


def test_a_token_is_short_and_the_same_each_time() -> None:
    token = links.issue_token([NEW], public_id=PUBLIC_ID, slot=SLOT)
    assert token == links.issue_token([NEW, OLD], public_id=PUBLIC_ID, slot=SLOT)
    assert len(token) <= 60


def test_leaving_and_preferences_have_each_their_own_page() -> None:
    base = "https://a.example.org"
    assert links.unsubscribe_url(base, "t") == "https://a.example.org/u/t"
    assert links.preferences_url(base, "t") == "https://a.example.org/p/t"


def test_keys_rotate() -> None:
    token = links.issue_token([OLD], public_id=PUBLIC_ID, slot=SLOT)
    assert links.read_issue_token([NEW, OLD], token) == (PUBLIC_ID, SLOT)
    with pytest.raises(LinkError):
        links.read_issue_token([NEW], token)


def test_a_token_is_good_for_one_purpose_only() -> None:
    token = links.sign([NEW], Purpose.CONFIRM, b"x")
    assert links.read([NEW], Purpose.CONFIRM, token) == b"x"
    with pytest.raises(LinkError):
        links.read([NEW], Purpose.ISSUE, token)


def test_a_signed_token_of_another_shape_is_refused() -> None:
    token = links.sign([NEW], Purpose.ISSUE, b"short")
    with pytest.raises(LinkError, match="form"):
        links.read_issue_token([NEW], token)


TOKEN = links.issue_token([NEW], public_id=PUBLIC_ID, slot=SLOT)
letters = st.sampled_from(string.printable) | st.characters()


@given(st.integers(0, len(TOKEN)), st.integers(0, 2), letters | st.just(""))
@example(len(TOKEN), 0, "=")
@example(len(TOKEN), 0, "\n")
@example(40, 0, "!")
def test_a_token_altered_anywhere_is_refused(place: int, cut: int, put: str) -> None:
    altered = TOKEN[:place] + put + TOKEN[place + cut :]
    if altered != TOKEN:
        with pytest.raises(LinkError):
            links.read_issue_token([NEW], altered)


@pytest.mark.parametrize("letter", string.ascii_letters + string.digits + "-_")
def test_a_tokens_last_letter_has_one_spelling_only(letter: str) -> None:
    altered = TOKEN[:-1] + letter
    if letter == TOKEN[-1]:
        assert links.read_issue_token([NEW], altered) == (PUBLIC_ID, SLOT)
    else:
        with pytest.raises(LinkError):
            links.read_issue_token([NEW], altered)


def test_a_slot_before_1970_comes_back() -> None:
    slot = datetime(1969, 12, 31, 23, 59, tzinfo=UTC)
    token = links.issue_token([NEW], public_id=PUBLIC_ID, slot=slot)
    assert links.read_issue_token([NEW], token) == (PUBLIC_ID, slot)


@given(st.binary(max_size=40))
def test_any_payload_comes_back_in_letters_that_a_url_may_hold(payload: bytes) -> None:
    token = links.sign([NEW], Purpose.CONFIRM, payload)
    assert links.read([NEW], Purpose.CONFIRM, token) == payload
    assert {*token} <= {*string.ascii_letters, *string.digits, *"-_."}


@given(st.text(max_size=100))
def test_any_text_is_refused_in_words(token: str) -> None:
    with pytest.raises(LinkError, match="link"):
        links.read_issue_token([NEW], token)


@given(st.binary(min_size=16, max_size=16), st.integers(0, 10**9))
def test_every_reader_and_slot_come_back(raw: bytes, minutes: int) -> None:
    slot = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes % 10**8)
    token = links.issue_token([NEW], public_id=raw.hex(), slot=slot)
    assert links.read_issue_token([NEW], token) == (raw.hex(), slot)
