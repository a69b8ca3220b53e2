"""The values that rows are made of; no database needed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from newsletter.model import ListingState
from newsletter.storage import address_key
from newsletter.storage.addresses import AddressHasher
from newsletter.storage.columns import Named, from_ticks, to_ticks
from newsletter.storage.database import BLOCK, blocks

# --- addresses ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada@Example.ORG", "ada@example.org"),
        ("  ada@example.org ", "ada@example.org"),
        ("ada@bücher.example", "ADA@xn--bcher-kva.example"),
        ("STRASSE@example.org", "straße@example.org"),
        ("ada@faß.example", "ada@xn--fa-hia.example"),
        ("e\u0301va@example.org", "éva@example.org"),
    ],
)
def test_spellings_of_one_mailbox_have_one_key(one: str, other: str) -> None:
    assert address_key(one) == address_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@example.org", "ada@example.com"),
        ("ada+news@example.org", "ada@example.org"),
        ("a.da@example.org", "ada@example.org"),
        ("ada@a_b.example", "ada@ab.example"),
    ],
)
def test_other_mailboxes_have_other_keys(one: str, other: str) -> None:
    assert address_key(one) != address_key(other)


@given(st.text())
def test_every_text_has_a_key_that_is_its_own_key(text: str) -> None:
    key = address_key(text)
    assert address_key(key) == key


def test_a_hash_tells_nothing_without_the_secret() -> None:
    mine, theirs = AddressHasher(secret=b"a"), AddressHasher(secret=b"b")
    assert mine.hash("ada@example.org") != theirs.hash("ada@example.org")
    both = AddressHasher(secret=b"b", former=(b"a",))
    hashes = both.hashes(["ada@example.org"])
    assert set(hashes) == {mine.hash("ada@example.org"), theirs.hash("ada@example.org")}


# --- instants -----------------------------------------------------------------


@given(
    st.datetimes(
        min_value=datetime(1900, 1, 1),
        timezones=st.just(UTC),
    )
)
def test_an_instant_comes_back_to_the_microsecond(instant: datetime) -> None:
    assert from_ticks(to_ticks(instant)) == instant


def test_an_instant_of_another_zone_is_the_same_instant() -> None:
    east = timezone(timedelta(hours=5, minutes=45))
    instant = datetime(2026, 3, 2, 6, tzinfo=east)
    assert from_ticks(to_ticks(instant)) == instant
    assert from_ticks(to_ticks(instant)).tzinfo is UTC


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="must be aware"):
        to_ticks(datetime(2026, 3, 2, 6))


# --- blocks -------------------------------------------------------------------


def test_blocks_hold_everything_in_order() -> None:
    assert list(blocks([])) == []
    numbers = range(BLOCK * 2 + 1)
    found = list(blocks(numbers))
    assert [len(block) for block in found] == [BLOCK, BLOCK, 1]
    assert [n for block in found for n in block] == list(numbers)


def test_a_word_is_stored_by_its_value_whatever_it_comes_as() -> None:
    column, dialect = Named(ListingState), sqlite.dialect()
    words: tuple[Any, ...] = (ListingState.HELD, "held", None)
    assert [column.process_bind_param(word, dialect) for word in words] == [
        "held",
        "held",
        None,
    ]
    with pytest.raises(ValueError, match="no such state"):
        column.process_bind_param(cast("Any", "no such state"), dialect)
