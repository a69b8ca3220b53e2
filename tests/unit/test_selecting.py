from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from newsletter import links
from newsletter.errors import NotFoundError
from newsletter.matching import documents
from newsletter.matching.grammar import parse_query
from newsletter.model import (
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
from newsletter.selecting import LeftOut, Reason, left_out, recall, refer, select

NOW = datetime(2026, 5, 4, 7, 30, tzinfo=UTC)
SECRET = b"a secret"
PROFILE = Profile(
    interests=tuple(
        Interest(query=q, tree=parse_query(q)) for q in ("mamba", "robot*")
    ),
    max_items=2,
    sections=Sections.INTEREST,
)


def candidate(entry: int, title: str, *, seen_before: bool = False) -> Candidate:
    version = EntryVersion(
        id=entry * 10, entry_id=entry, source="hf", title=title, url=None
    )
    return Candidate(
        entry_id=entry,
        version=version,
        sources=(SourceListing(source="hf", listed_at=NOW),),
        listed_at=NOW,
        votes=entry,
        seen_before=seen_before,
    )


FIELD = (
    candidate(1, "A robot"),
    candidate(2, "Mamba, again", seen_before=True),
    candidate(3, "Gardening", seen_before=True),
    candidate(4, "Mamba and robots"),
    candidate(5, "Mamba"),
)


def selected(*shown: int) -> tuple[Selection | Skip, list[frozenset[int]]]:
    asked: list[frozenset[int]] = []

    def ask(ids: frozenset[int]) -> frozenset[int]:
        asked.append(ids)
        return ids & set(shown)

    found = select(FIELD, PROFILE, as_of=NOW, ranking=Ranking(), shown=ask)
    return found, asked


def record(selection: Selection) -> IssueRecord:
    items, headings, more = refer(selection)
    return IssueRecord(
        key="k",
        subscriber_id=1,
        public_id="ab" * 16,
        slot=NOW,
        as_of=NOW,
        window=Window(after=0, until=5),
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


def edition(base_url: str | None = None) -> Edition:
    newsletter = Newsletter(
        title="T",
        from_name="",
        from_address="d@example.org",
        list_id="t.example.org",
        base_url=base_url,
    )
    return Edition(newsletter=newsletter, ranking=Ranking())


def test_only_matches_that_were_released_before_are_asked_about() -> None:
    _, asked = selected()
    assert asked == [frozenset({2})]


def test_what_was_shown_is_left_out_of_the_receipt_as_well() -> None:
    found, _ = selected(2)
    assert isinstance(found, Selection)
    assert found.receipt == Receipt(new=5, matched=3, shown=2)
    assert [m.candidate.entry_id for m in found.matches] == [4, 5]
    again, _ = selected()
    assert again.receipt == Receipt(new=5, matched=4, shown=2)


def test_nobody_is_asked_where_nothing_was_released_before() -> None:
    def never(ids: frozenset[int]) -> frozenset[int]:
        raise AssertionError(ids)

    found = select(FIELD[:1], PROFILE, as_of=NOW, ranking=Ranking(), shown=never)
    assert isinstance(found, Selection)


def test_an_issue_is_recalled_as_it_was_decided() -> None:
    found, _ = selected(2)
    assert isinstance(found, Selection)
    versions = {c.version.id: c.version for c in FIELD}
    issue = recall(
        record(found),
        versions=versions,
        profile=PROFILE,
        edition=edition("https://digest.example.org"),
        secrets=[SECRET],
    )
    assert issue.selection == found
    assert issue.unsubscribe_url is not None
    token = issue.unsubscribe_url.rpartition("/")[2]
    assert links.read_issue_token([SECRET], token) == ("ab" * 16, NOW)
    assert issue.preferences_url == f"https://digest.example.org/p/{token}"


def test_without_pages_of_our_own_there_are_no_links_to_them() -> None:
    found, _ = selected()
    assert isinstance(found, Selection)
    versions = {c.version.id: replace(c.version, title="Other") for c in FIELD}
    issue = recall(
        record(found),
        versions=versions,
        profile=PROFILE,
        edition=edition(),
        secrets=[SECRET],
    )
    assert (issue.unsubscribe_url, issue.preferences_url) == (None, None)
    assert len(issue.selection.matches) == 2


def test_a_text_that_is_gone_is_said() -> None:
    found, _ = selected()
    assert isinstance(found, Selection)
    with pytest.raises(NotFoundError, match="is no longer stored"):
        recall(
            record(found),
            versions={},
            profile=PROFILE,
            edition=edition(),
            secrets=[SECRET],
        )


def reasons(profile: Profile, *shown: int) -> list[tuple[int, str, str]]:
    """Return what is left out of an issue: entry, reason, mute."""
    asked: list[frozenset[int]] = []

    def ask(ids: frozenset[int]) -> frozenset[int]:
        asked.append(ids)
        return ids & set(shown)

    outcome = select(FIELD, profile, as_of=NOW, ranking=Ranking(), shown=ask)
    found = left_out(
        FIELD,
        profile,
        outcome,
        as_of=NOW,
        ranking=Ranking(),
        shown=ask,
        documents=documents(FIELD),
    )
    assert all(isinstance(left, LeftOut) for left in found)
    assert all(
        (left.match is None) == (left.reason is Reason.UNMATCHED) for left in found
    )
    assert all(seen <= {2, 3} for seen in asked)
    return [(left.candidate.entry_id, left.reason, left.mute) for left in found]


def test_all_that_an_issue_does_not_show_has_its_reason() -> None:
    muting = Mute(query="again", tree=parse_query("again"))
    assert reasons(PROFILE) == [
        (2, "no room", ""),
        (1, "no room", ""),
        (3, "unmatched", ""),
    ]
    assert reasons(PROFILE, 2) == [
        (2, "shown before", ""),
        (1, "no room", ""),
        (3, "unmatched", ""),
    ]
    assert reasons(replace(PROFILE, mutes=(muting,)), 2) == [
        (2, "muted", "again"),
        (1, "no room", ""),
        (3, "unmatched", ""),
    ]
    assert reasons(replace(PROFILE, min_votes=2)) == [
        (2, "no room", ""),
        (1, "few votes", ""),
        (3, "unmatched", ""),
    ]


def test_of_a_skip_everything_is_left_out() -> None:
    nothing = Interest(query="opera", tree=parse_query("opera"))
    found = reasons(replace(PROFILE, interests=(nothing,)))
    assert found == [(entry, "unmatched", "") for entry in (5, 4, 3, 2, 1)]


def test_the_left_out_and_the_cards_are_the_whole_window() -> None:
    everything = replace(PROFILE, interests=(), max_items=1)
    found = select(
        FIELD, everything, as_of=NOW, ranking=Ranking(), shown=lambda _: frozenset()
    )
    assert isinstance(found, Selection)
    cards = {m.candidate.entry_id for m in found.matches}
    rest = {entry for entry, _, _ in reasons(everything)}
    assert (cards | rest, cards & rest) == ({1, 2, 3, 4, 5}, set())
