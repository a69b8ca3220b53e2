"""Entries in tokens, kept between looks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from newsletter.matching import documents
from newsletter.web.tokens import KeptTokens
from tests.support.issues import hostile, rich

PLAIN = rich().candidate


def test_kept_tokens_are_those_that_would_be_made_anew() -> None:
    kept = KeptTokens()
    window = (PLAIN, hostile().candidate)
    assert kept(window) == documents(window)
    again = kept(window[::-1])
    assert again == documents(window[::-1])
    assert again[1] is kept(window)[0]


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Another"},
        {"summary": "Another"},
        {"authors": ("Another",)},
        {"categories": ("another",)},
    ],
)
def test_another_text_under_the_same_id_is_taken_apart_anew(
    change: dict[str, object],
) -> None:
    kept = KeptTokens()
    version = replace(PLAIN.version, **change)  # type: ignore[arg-type] # fields of it
    other = replace(PLAIN, version=version)
    assert kept([PLAIN])[0] != kept([other])[0]
    assert kept([other]) == documents([other])


def test_another_source_is_taken_apart_anew() -> None:
    kept = KeptTokens()
    kept([PLAIN])
    (first, *rest) = PLAIN.sources
    other = replace(PLAIN, sources=(replace(first, source="elsewhere"), *rest))
    assert kept([other]) == documents([other])


def test_what_is_kept_has_a_bound() -> None:
    kept = KeptTokens(most=3)
    for start in range(0, 10, 2):
        window = [
            replace(PLAIN, version=replace(PLAIN.version, title=f"T {n}"))
            for n in range(start, start + 2)
        ]
        assert kept(window) == documents(window)
        assert len(kept._kept) <= 3  # noqa: SLF001 - the bound itself
    many = [
        replace(PLAIN, version=replace(PLAIN.version, title=f"M {n}")) for n in range(9)
    ]
    assert kept(many) == documents(many)
    assert len(kept._kept) <= 3  # noqa: SLF001 - the bound itself
