from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.composing import MORE_TITLES, compose, sections_of
from newsletter.model import (
    Candidate,
    EntryVersion,
    Interest,
    Match,
    Profile,
    Reasons,
    Receipt,
    Sections,
    Selection,
    Skip,
    SourceListing,
    Term,
)

NOW = datetime(2026, 5, 4, tzinfo=UTC)


def match(number: int, *interests: str, source: str = "hf") -> Match:
    version = EntryVersion(
        id=number, entry_id=number, source=source, title=f"t{number}", url=None
    )
    candidate = Candidate(
        entry_id=number,
        version=version,
        sources=(SourceListing(source=source, listed_at=NOW),),
        listed_at=NOW,
    )
    return Match(candidate=candidate, score=0, reasons=Reasons(interests=interests))


def interest(name: str) -> Interest:
    return Interest(query=name, tree=Term(text=name, tokens=(name,)))


def numbers(selection: Selection | Skip) -> list[int]:
    assert isinstance(selection, Selection)
    return [m.candidate.entry_id for m in selection.matches]


def test_the_first_become_cards_and_the_next_a_list() -> None:
    found = compose([match(n) for n in range(40)], profile=Profile(max_items=5), new=99)
    assert isinstance(found, Selection)
    assert numbers(found) == [0, 1, 2, 3, 4]
    assert [m.candidate.entry_id for m in found.more] == list(range(5, 5 + MORE_TITLES))
    assert found.receipt == Receipt(new=99, matched=40, shown=5)
    assert found.receipt.more == 35


def test_nothing_to_show_is_a_skip_with_its_receipt() -> None:
    found = compose([], profile=Profile(), new=7)
    assert found == Skip(receipt=Receipt(new=7, matched=0, shown=0))


def test_an_empty_issue_is_sent_to_who_wants_it() -> None:
    found = compose([], profile=Profile(skip_empty=False), new=7)
    assert found == Selection(
        sections=(), more=(), receipt=Receipt(new=7, matched=0, shown=0)
    )


def test_sections_by_interest_stand_in_the_profiles_order() -> None:
    profile = Profile(
        interests=(interest("a"), interest("b")), sections=Sections.INTEREST
    )
    cards = [
        match(1, "b"),
        match(2, "b", "a"),
        match(3, "a"),
        match(4),
        match(5, "a", "b"),
    ]
    found = compose(cards, profile=profile, new=9)
    assert isinstance(found, Selection)
    assert [s.heading for s in found.sections] == ["a", "b", ""]
    assert numbers(found) == [3, 5, 1, 2, 4]


def test_sections_by_source_stand_by_their_best_card() -> None:
    profile = Profile(sections=Sections.SOURCE)
    cards = [match(1, source="z"), match(2, source="a"), match(3, source="z")]
    found = compose(cards, profile=profile, new=9)
    assert isinstance(found, Selection)
    assert [s.heading for s in found.sections] == ["z", "a"]
    assert numbers(found) == [1, 3, 2]


def test_a_past_issue_gets_its_sections_back() -> None:
    cards = [match(1), match(2), match(3)]
    found = sections_of(cards, ["x", "x", ""])
    assert [(s.heading, len(s.matches)) for s in found] == [("x", 2), ("", 1)]
    assert sections_of([], []) == ()


def test_a_heading_per_card_is_required() -> None:
    with pytest.raises(ValueError, match="zip"):
        sections_of([match(1)], [])


@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from("abc"), unique=True).map(sorted),
            st.sampled_from("xyz"),
        ),
        max_size=40,
    ),
    st.sampled_from(Sections),
    st.integers(1, 12),
)
def test_whatever_the_sections_the_best_are_shown_once_and_in_their_order(
    found: list[tuple[list[str], str]], sections: Sections, max_items: int
) -> None:
    matches = [match(n, *who, source=src) for n, (who, src) in enumerate(found)]
    profile = Profile(
        interests=tuple(interest(name) for name in "abc"),
        sections=sections,
        max_items=max_items,
        skip_empty=False,
    )
    selection = compose(matches, profile=profile, new=len(matches))
    shown = numbers(selection)
    assert isinstance(selection, Selection)
    assert sorted(shown) == list(range(min(max_items, len(matches))))
    assert selection.receipt.shown == len(shown)
    assert selection.receipt.more >= len(selection.more)
    for section in selection.sections:
        inside = [m.candidate.entry_id for m in section.matches]
        assert inside
        assert inside == sorted(inside)
    headings = [s.heading for s in selection.sections for _ in s.matches]
    assert len({*headings}) == len(selection.sections)
    assert sections_of(selection.matches, headings) == selection.sections
