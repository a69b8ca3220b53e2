from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
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
    assert len(token) <= 76
    assert links.unsubscribe_url("https://a.example.org", token).endswith(token)
    assert "/p/" in links.preferences_url("https://a.example.org", token)


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


@given(st.integers(0, 200), st.characters())
def test_an_altered_token_is_refused(place: int, letter: str) -> None:
    token = links.issue_token([NEW], public_id=PUBLIC_ID, slot=SLOT)
    place %= len(token) - 1  # the last letter has bits that no byte uses
    altered = token[:place] + letter + token[place + 1 :]
    if altered != token:
        with pytest.raises(LinkError):
            links.read_issue_token([NEW], altered)


@given(st.text(max_size=100))
def test_any_text_is_refused_in_words(token: str) -> None:
    with pytest.raises(LinkError, match="link"):
        links.read_issue_token([NEW], token)


@given(st.binary(min_size=16, max_size=16), st.integers(0, 10**9))
def test_every_reader_and_slot_come_back(raw: bytes, minutes: int) -> None:
    slot = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes % 10**8)
    token = links.issue_token([NEW], public_id=raw.hex(), slot=slot)
    assert links.read_issue_token([NEW], token) == (raw.hex(), slot)
