from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.composing import CLOSE
from newsletter.matching import closest, documents
from newsletter.matching.grammar import parse_query
from newsletter.model import (
    Acronym,
    Acronyms,
    Candidate,
    Edition,
    EntryVersion,
    Interest,
    IssueRecord,
    Mute,
    Newsletter,
    Profile,
    Ranking,
    Receipt,
    Sections,
    Selection,
    Skip,
    SourceListing,
    Window,
)
from newsletter.rendering.view import Fit, view
from newsletter.selecting import recall, refer, select
from newsletter.storage.codec import pack_edition, unpack_edition

NOW = datetime(2026, 5, 4, 7, 30, tzinfo=UTC)
KNOWN = Acronyms((Acronym(short="SSM", long="state space model"),))
TITLES = (
    "State space models at last",
    "The state of robots",
    "A model of deep space",
    "Space weather",
    "Gardening",
    "Cooking",
    "Painting",
    "Dancing",
)


def candidate(entry: int, title: str, **fields: object) -> Candidate:
    version = EntryVersion(
        id=entry * 10, entry_id=entry, source="hf", title=title, url=None
    )
    base = Candidate(
        entry_id=entry,
        version=version,
        sources=(SourceListing(source="hf", listed_at=NOW),),
        listed_at=NOW - timedelta(hours=entry),
        votes=5,
    )
    return replace(base, **fields)  # type: ignore[arg-type] # any field of it


FIELD = tuple(candidate(n, title) for n, title in enumerate(TITLES, 1))


def wanting(*queries: str, mutes: tuple[str, ...] = (), **fields: object) -> Profile:
    base = Profile(
        interests=tuple(Interest(query=q, tree=parse_query(q)) for q in queries),
        mutes=tuple(Mute(query=q, tree=parse_query(q)) for q in mutes),
        stem="en",
        fill=True,
        max_items=4,
    )
    return replace(base, **fields)  # type: ignore[arg-type] # any field of it


def near(profile: Profile, field: tuple[Candidate, ...] = FIELD) -> list[int]:
    found = closest(profile, field, documents=documents(field), acronyms=KNOWN)
    return [each.candidate.entry_id for each in found]


def chosen(
    profile: Profile, field: tuple[Candidate, ...] = FIELD, shown: tuple[int, ...] = ()
) -> Selection | Skip:
    return select(
        field,
        profile,
        as_of=NOW,
        ranking=Ranking(),
        shown=lambda ids: ids & set(shown),
        acronyms=KNOWN,
    )


def sections(found: Selection | Skip) -> list[tuple[str, bool, list[int]]]:
    assert isinstance(found, Selection)
    return [
        (s.heading, s.is_close, [m.candidate.entry_id for m in s.matches])
        for s in found.sections
    ]


# --- what is close ----------------------------------------------------------------


def test_close_is_what_shares_words_and_does_not_match() -> None:
    assert near(wanting('"state space model"')) == [3, 2, 4]
    assert near(wanting("SSM")) == [3, 2, 4]
    assert near(wanting('"state space model"', stem="none")) == [3, 1, 2, 4]
    assert near(wanting("model*")) == []
    assert near(wanting("opera")) == []
    assert near(Profile(fill=True)) == []


@pytest.mark.parametrize(
    ("profile", "left"),
    [
        (wanting('"state space model"', mutes=("robots",)), [3, 4]),
        (wanting('"state space model" -robot'), [3, 4]),
        (wanting('"state space model" AND NOT (robot OR weather)'), [3]),
        (wanting('title:"state space model"'), [3, 2, 4]),
        (wanting('summary:"state space model"'), []),
        (wanting('author:"state space model"'), []),
    ],
)
def test_never_close_is_what_is_muted_or_left_out_or_asked_for_elsewhere(
    profile: Profile, left: list[int]
) -> None:
    assert near(profile) == left


def test_what_another_interest_leaves_out_may_still_be_close_to_this_one() -> None:
    assert near(wanting('"state space model" -robot', '"quiet state"')) == [3, 2, 4]


def test_few_votes_are_never_close() -> None:
    field = (FIELD[0], replace(FIELD[1], votes=1), *FIELD[2:])
    assert near(wanting('"state space model"', min_votes=2), field) == [3, 4]


def test_a_word_of_half_the_entries_brings_nobody_closer() -> None:
    field = tuple(candidate(n, "The thing" if n < 3 else "A cat") for n in range(1, 5))
    assert near(wanting('"the opera"'), field) == []
    assert near(wanting('"the opera"'), (*field, candidate(5, "A dog"))) == [1, 2]
    assert near(wanting('"the opera"'), (*field, candidate(5, "The dog"))) == []


def test_the_worth_of_a_word_is_that_of_bm25() -> None:
    (first, *_) = closest(
        wanting('"state space model"^2'), FIELD, documents=documents(FIELD)
    )
    lengths = [2 * len(title.split()) for title in TITLES]
    mean = sum(lengths) / len(lengths)

    def worth(entries_with_it: int) -> float:
        rarity = log((8 - entries_with_it + 0.5) / (entries_with_it + 0.5))
        often = 2
        return (
            2 * rarity * often * 2.2 / (often + 1.2 * (0.25 + 0.75 * lengths[2] / mean))
        )

    found = {part.term: part.millis for part in first.parts}
    assert found == {
        "space": pytest.approx(1000 * worth(3), abs=2),
        "model": pytest.approx(1000 * worth(2), abs=2),
    }


@given(st.permutations(FIELD))
def test_the_order_of_a_window_does_not_matter(field: list[Candidate]) -> None:
    profile = wanting('"state space model"')
    assert near(profile, tuple(field)) == near(profile)


# --- the issue --------------------------------------------------------------------


def test_room_that_is_left_is_filled_in_a_section_of_its_own() -> None:
    found = chosen(wanting('"state space model"', sections=Sections.NONE))
    assert sections(found) == [("", False, [1]), (CLOSE, True, [3, 2, 4])]
    assert found.receipt == Receipt(new=8, matched=1, shown=1, close=3)
    assert found.receipt.more == 0
    assert isinstance(found, Selection)
    assert [m.reasons.is_close for m in found.matches] == [False, True, True, True]


def test_no_more_than_the_room_is_filled_and_only_where_it_is_wanted() -> None:
    profile = wanting('"state space model"', max_items=2)
    assert sections(chosen(profile))[1] == (CLOSE, True, [3])
    assert len(sections(chosen(replace(profile, max_items=1)))) == 1
    assert len(sections(chosen(replace(profile, fill=False)))) == 1


def test_what_was_shown_before_does_not_fill() -> None:
    field = tuple(replace(each, seen_before=True) for each in FIELD)
    profile = wanting('"state space model"')
    assert sections(chosen(profile, field, shown=(3,)))[1] == (CLOSE, True, [2, 4])


def test_what_is_close_alone_makes_no_issue() -> None:
    profile = wanting('"quiet space"')
    assert chosen(profile) == Skip(receipt=Receipt(new=8, matched=0, shown=0))
    found = chosen(replace(profile, skip_empty=False))
    # The shorter title comes first.
    assert sections(found) == [(CLOSE, True, [4, 1, 3])]


def test_an_interest_of_the_same_name_does_not_mix_with_what_is_close() -> None:
    tree = parse_query('"state space model"')
    named = Interest(query='"state space model"', tree=tree, name=CLOSE)
    found = chosen(wanting(interests=(named,), sections=Sections.INTEREST))
    assert sections(found) == [(CLOSE, False, [1]), (CLOSE, True, [3, 2, 4])]


def test_the_words_that_are_shared_are_the_reasons() -> None:
    found = chosen(wanting('"state space model"'))
    assert isinstance(found, Selection)
    third = found.matches[1]
    assert third.candidate.entry_id == 3
    assert third.reasons.interests == ('"state space model"',)
    assert {(p.field, p.term) for p in third.reasons.parts} == {
        ("title", "space"),
        ("title", "model"),
    }
    title = third.candidate.version.title
    assert [title[a:b] for a, b in third.reasons.title_places] == ["model", "space"]
    assert third.score == sum(p.millis for p in third.reasons.parts) > 0


def test_only_the_interests_that_share_those_words_are_named() -> None:
    found = chosen(wanting('"state space model"', "space^3 -earth", '"deep opera"'))
    assert isinstance(found, Selection)
    named = {m.candidate.entry_id: m.reasons.interests for m in found.matches}
    assert named[2] == ('"state space model"',)
    assert sections(found) == [("", False, [1, 3, 4]), (CLOSE, True, [2])]


def test_a_word_of_two_terms_counts_once_at_the_greater_weight() -> None:
    def worth(query: str) -> dict[str, int]:
        found = closest(wanting(query), FIELD, documents=documents(FIELD))
        return {p.term: p.millis for n in found[:1] for p in n.parts}

    twice = worth('"deep state"^3 "state law"')
    assert twice == worth('"state law" "deep state"^3')
    assert twice["deep"] == worth('"deep state"^3')["deep"]


def record(selection: Selection) -> IssueRecord:
    items, headings, more = refer(selection)
    return IssueRecord(
        key="k",
        subscriber_id=1,
        public_id="ab" * 16,
        slot=NOW,
        as_of=NOW,
        window=Window(after=0, until=8),
        prepared_at=NOW,
        address="ada@example.org",
        name="Ada",
        timezone="UTC",
        language="en",
        profile_hash="p",
        edition_hash="e",
        theme="default",
        theme_hash="t",
        items=items,
        headings=headings,
        more=more,
        receipt=selection.receipt,
        skipped=(),
    )


def test_an_issue_is_recalled_whatever_its_window_was() -> None:
    profile = wanting("SSM", max_items=3)
    found = chosen(profile)
    assert isinstance(found, Selection)
    newsletter = Newsletter(
        title="T", from_name="", from_address="d@example.org", list_id="t.example.org"
    )
    edition = Edition(newsletter=newsletter, ranking=Ranking(), acronyms=KNOWN)
    # A window's rarities are not known any more: only these versions are.
    issue = recall(
        record(found),
        versions={c.version.id: c.version for c in FIELD[:3]},
        profile=profile,
        edition=unpack_edition(pack_edition(edition)),
        secrets=[b"a secret"],
    )
    assert issue.selection == found
    seen = view(issue, language="en", fit=Fit(headings=False))
    assert [(s.heading, s.is_close) for s in seen.sections] == [
        ("", False),
        (CLOSE, True),
    ]
    assert (seen.count, seen.receipt.close) == (1, 2)
    assert seen.highlights == (TITLES[0],)


def test_an_edition_without_acronyms_keeps_the_name_that_it_had() -> None:
    newsletter = Newsletter(
        title="T", from_name="", from_address="d@example.org", list_id="t.example.org"
    )
    plain = Edition(newsletter=newsletter, ranking=Ranking())
    assert "acronyms" not in pack_edition(plain)
    assert "frequency" not in pack_edition(plain)
    assert pack_edition(plain) != pack_edition(replace(plain, acronyms=KNOWN))
    often = replace(plain, ranking=Ranking(frequency=Decimal("0.5")))
    for each in (plain, often):
        assert unpack_edition(pack_edition(each)) == each
