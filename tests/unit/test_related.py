"""Words that are learned of an interest, and what they change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import log
from random import Random

import pytest

from newsletter.matching import Archive, closest, documents
from newsletter.matching.grammar import parse_query
from newsletter.matching.occurrence import Wording
from newsletter.matching.related import LEAST_MATCHES, MOST, MOST_KNOWN, Related
from newsletter.model import Candidate, EntryVersion, Interest, Profile

NOW = datetime(2026, 5, 4, 7, 30, tzinfo=UTC)
ENGLISH, LITERAL = Wording(stem="en"), Wording()


def candidate(entry: int, title: str) -> Candidate:
    version = EntryVersion(id=entry, entry_id=entry, source="hf", title=title, url=None)
    return Candidate(
        entry_id=entry,
        version=version,
        sources=(),
        listed_at=NOW - timedelta(hours=entry),
    )


def archive(*titles: str) -> Archive:
    return Archive(documents([candidate(n, t) for n, t in enumerate(titles, 1)]))


def interest(query: str) -> Interest:
    return Interest(query=query, tree=parse_query(query))


#: Six of robots, of which four walk; fourteen of other things, of which two walk.
WORLD = (
    "Robots that walk",
    "A robot walks far",
    "Walking robots and the law",
    "The robot that walked",
    "A robot at rest",
    "Robot law",
    "A walk in the park",
    "Walks at night",
    *(f"Other thing number {n}" for n in range(12)),
)


def test_what_stands_beside_a_word_more_than_by_chance_is_related() -> None:
    found = archive(*WORLD).related(interest("robot"), ENGLISH)
    # "law" stands beside it twice only, "a" and "the" say nothing.
    assert [(each.token, each.percent) for each in found] == [
        ("walk", 66),
    ]


def test_a_word_is_told_as_it_is_mostly_written() -> None:
    titles = ("Robot walking", "Robot walks", "Robots walking", *("A robot",) * 3)
    others = ("Nothing",) * 20
    found = archive(*titles, *others).related(interest("robot"), ENGLISH)
    assert [each.text for each in found] == ["walking"]


def test_words_are_ordered_by_the_weight_of_their_evidence() -> None:
    titles = [
        *("robot metal legs",) * 5,
        *("robot metal",) * 3,
        *("robot",) * 2,
        *("metal",) * 20,
        *("other",) * 70,
    ]
    found = archive(*titles).related(interest("robot"), LITERAL)
    worths = {
        word: with_it
        * log(
            ((with_it + 0.5) / (10 - with_it + 0.5))
            / ((n - with_it + 0.5) / (100 - n - 10 + with_it + 0.5))
        )
        for word, with_it, n in (("legs", 5, 5), ("metal", 8, 28))
    }
    assert [e.token for e in found] == sorted(worths, key=lambda w: -worths[w])
    # Rarer, but hardly ever beside anything else.
    assert [each.token for each in found] == ["legs", "metal"]


@pytest.mark.parametrize("matching", [0, 1, LEAST_MATCHES - 1])
def test_of_too_few_matches_nothing_is_learned(matching: int) -> None:
    titles = ("robot legs",) * matching + ("other",) * 20
    assert archive(*titles).related(interest("robot"), LITERAL) == ()


def test_numbers_short_words_and_single_characters_are_not_learned() -> None:
    titles = ("robot 2026 ai 人工", *("robot 2026 ai 人工 的",) * 6, *("other",) * 30)
    found = archive(*titles).related(interest("robot"), LITERAL)
    assert found == ()


def test_no_more_words_are_learned_than_a_person_can_read() -> None:
    titles = ("robot " + " ".join(f"word{chr(97 + n)}" for n in range(25)),) * 6
    found = archive(*titles, *("other",) * 30).related(interest("robot"), LITERAL)
    assert len(found) == MOST
    # All are worth the same: by the alphabet.
    assert [each.token for each in found[-2:]] == ["wordo", "wordp"]


def test_the_whole_query_decides_what_matches() -> None:
    titles = (*("robot legs",) * 6, *("robot war",) * 6, *("other",) * 30)
    found = archive(*titles).related(interest("robot AND NOT war"), LITERAL)
    assert "legs" in {each.token for each in found}
    assert "war" not in {each.token for each in found}


def test_the_order_of_an_archive_does_not_matter() -> None:
    titles = list(WORLD)
    first = archive(*titles).related(interest("robot"), ENGLISH)
    for seed in range(5):
        Random(seed).shuffle(titles)  # noqa: S311 - no secret
        assert archive(*titles).related(interest("robot"), ENGLISH) == first


def test_what_is_remembered_has_a_bound_however_many_interests_there_are() -> None:
    known = archive(*("robot legs",) * 6, *("other",) * 9)
    first = interest("robot")
    before = known.related(first, LITERAL)
    for number in range(MOST_KNOWN):
        known.related(replace(first, name=str(number)), LITERAL)
        assert len(known._known) <= MOST_KNOWN  # noqa: SLF001 - told by nothing else
    assert known.related(first, LITERAL) == before


# --- what they change ---------------------------------------------------------------

FIELD = tuple(
    candidate(n, title)
    for n, title in enumerate(
        (
            "The law of the sea",
            "A gait law",
            "A law of motors",
            "Gait and motors",
            "Gardening",
            "Cooking",
            "Painting",
            "Dancing",
            "Singing",
        ),
        1,
    )
)
MOTORS = (*("Robot law of motors",) * 6, *("Something else",) * 30)


def close(profile: Profile, known: Archive) -> list[tuple[int, list[str]]]:
    found = closest(profile, FIELD, documents=documents(FIELD), archive=known)
    return [(e.candidate.entry_id, [p.term for p in e.parts]) for e in found]


WHO = Profile(interests=(interest('"robot law"'),), fill=True)


def test_a_related_word_brings_closer_what_shares_a_word_of_ones_own() -> None:
    assert [entry for entry, _ in close(WHO, archive())] == [2, 3, 1]
    assert close(WHO, archive(*MOTORS)) == [
        (3, ["law", "motors"]),
        (2, ["law"]),
        (1, ["law"]),
    ]


def test_related_words_alone_bring_nothing_close() -> None:
    # The fourth has motors, and no word of the interest.
    assert 4 not in [entry for entry, _ in close(WHO, archive(*MOTORS))]


def test_words_of_ones_own_are_not_learned() -> None:
    learned = archive(*MOTORS).related(WHO.interests[0], LITERAL)
    assert learned == (Related(token="motors", text="motors", percent=100),)


def test_a_related_word_counts_half_and_by_how_often_it_stands_there() -> None:
    titles = (*("Robot law of gait",) * 3, *("Robot law",) * 3, *("Other",) * 30)
    own = Profile(interests=(interest("law gait"),), fill=True)
    (candidate_2,) = [n for n in FIELD if n.entry_id == 2]
    found = closest(WHO, FIELD, documents=documents(FIELD), archive=archive(*titles))
    best = next(e for e in found if e.candidate == candidate_2)
    direct = closest(
        replace(own, interests=(interest('"gait x"'),)),
        FIELD,
        documents=documents(FIELD),
    )
    whole = next(e for e in direct if e.candidate == candidate_2)
    (gait,) = [p.millis for p in best.parts if p.term == "gait"]
    # Half of the entries that match have it: a quarter of a word of one's own.
    assert gait == whole.parts[0].millis // 4
