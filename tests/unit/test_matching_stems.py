from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import QueryError
from newsletter.matching import documents, explain, match_profile, objection
from newsletter.matching.grammar import parse_query
from newsletter.matching.mining import introduced, mine
from newsletter.matching.occurrence import Wording, prominence
from newsletter.matching.profiles import profile_from_json, profile_to_json
from newsletter.matching.reference import holds, weighed_terms
from newsletter.matching.stems import LANGUAGES, stem
from newsletter.matching.terms import Pattern, leaf_of
from newsletter.matching.tree import to_text, tree_from_json, tree_to_json
from newsletter.model import (
    Acronym,
    Acronyms,
    Candidate,
    EntryVersion,
    Field,
    Interest,
    Mute,
    Profile,
    Ranking,
    SourceListing,
    Term,
)

NOW = datetime(2026, 5, 4, 7, 30, tzinfo=UTC)
PLAIN = Ranking(freshness=Decimal(0))
KNOWN = Acronyms(
    (
        Acronym(short="LLM", long="large language model"),
        Acronym(short="RL", long="reinforcement learning"),
    )
)
ENGLISH = Wording(stem="en", acronyms=KNOWN)
WORDS = st.sampled_from("model models modelling agent agents llm llms the a".split())


def candidate(title: str, summary: str = "", entry: int = 1) -> Candidate:
    version = EntryVersion(
        id=entry,
        entry_id=entry,
        source="hf",
        title=title,
        url=None,
        summary=summary,
        authors=("Ada Modelling",),
    )
    return Candidate(
        entry_id=entry,
        version=version,
        sources=(SourceListing(source="hf", listed_at=NOW),),
        listed_at=NOW,
    )


def profile(*queries: str, stem: str = "en") -> Profile:
    interests = tuple(Interest(query=q, tree=parse_query(q)) for q in queries)
    return Profile(interests=interests, stem=stem)


@pytest.mark.parametrize(
    ("query", "title", "expected"),
    [
        ("model", "Modelling agents", True),
        ("modelling", "A model", True),
        ('"language model"', "Languages, modelled", True),
        ('"language model"', "A model of language", False),
        ('"models"=', "A model", False),
        ('"models"=', "Two models", True),
        ("title:models", "A model", True),
        ("author:model", "x", False),
        ("author:modelling", "x", True),
        ("modell*", "A model", False),
        ('"languages model*"', "Language models", False),
        ("LLM", "Large language models", True),
        ("LLMs", "A large language model", True),
        ('"large language models"', "An LLM", True),
        ('"LLM"=', "A large language model", False),
        ("LLM*", "A large language model", False),
        ("author:LLM", "A large language model", False),
        ("NOT LLM AND agent", "An agent of a large language model", False),
        ('"LLM agents"', "Agents of large language models", False),
        ('"LLM agents"', "A large language model agent", True),
        ('"large language model agents"', "An LLM agent", True),
        ('"tuning LLM agents"', "Tuned large language model agents", True),
        ('"LLM LLM"', "An LLM, a large language model", False),
        ('"LLM LLM"', "A large language model LLM", True),
        ('"LLM LLM"', "Large language models, large language models", False),
        ('"LLM agents"=', "A large language model agent", False),
    ],
)
def test_words_match_their_inflections_and_acronyms_their_long_forms(
    query: str, title: str, *, expected: bool
) -> None:
    (document,) = documents([candidate(title)])
    assert holds(parse_query(query), document, ENGLISH) is expected


def test_without_stems_a_profile_means_what_it_says_to_the_letter() -> None:
    (document,) = documents([candidate("Large language models")])
    to_the_letter = Wording(acronyms=KNOWN)
    assert not holds(parse_query("LLM"), document, to_the_letter)
    assert not holds(parse_query('"language model"'), document, to_the_letter)
    assert leaf_of(parse("models"), acronyms=KNOWN) == leaf_of(parse("models"))


def parse(query: str) -> Term:
    term = parse_query(query)
    assert isinstance(term, Term)
    return term


def test_a_leaf_says_what_is_looked_for() -> None:
    leaf = leaf_of(parse("LLMs"), stem="en", acronyms=KNOWN)
    assert leaf.patterns == (
        Pattern(("larg", "languag", "model"), stem="en"),
        Pattern(("llm",), stem="en"),
        Pattern(("llms",), stem="en"),
    )
    assert leaf == leaf_of(parse('"large language model"'), stem="en", acronyms=KNOWN)


def test_terms_of_one_leaf_count_once_at_the_greatest_weight() -> None:
    who = profile("models", "model^3", '"models"=')
    terms = weighed_terms(who)
    assert [(t.text, w) for t, w in terms] == [
        ("model", Decimal(3)),
        ('"models"=', Decimal(1)),
    ]
    assert len(weighed_terms(replace(who, stem="none"))) == 2


def test_what_was_found_by_its_stem_or_long_form_is_highlighted() -> None:
    paper = candidate("Modelling with LLMs", "Naïve large language models, modelled.")
    (match,) = match_profile(
        profile("LLM", "model"), [paper], as_of=NOW, ranking=PLAIN, acronyms=KNOWN
    )
    title, summary = paper.version.title, paper.version.summary
    assert [title[a:b] for a, b in match.reasons.title_places] == ["Modelling", "LLMs"]
    assert [summary[a:b] for a, b in match.reasons.summary_places] == [
        "large language models",
        "modelled",
    ]
    again = explain(
        profile("LLM", "model"), paper, as_of=NOW, ranking=PLAIN, acronyms=KNOWN
    )
    assert again == match
    alone = explain(profile("LLM", "model"), paper, as_of=NOW, ranking=PLAIN)
    assert alone.score < match.score


def test_a_mute_has_stems_and_acronyms_too() -> None:
    paper = candidate("Agents that model")
    (document,) = documents([paper])
    mute = Mute(query="agent", tree=parse_query("agent"))
    muted = replace(profile("model"), mutes=(mute,))
    assert objection(profile("models"), paper, document) is None
    why = objection(muted, paper, document)
    assert why is not None
    assert why.mute == "agent"


@given(st.lists(WORDS, min_size=1, max_size=3), st.lists(WORDS, max_size=6))
def test_a_phrase_of_stems_is_a_row_of_words_with_those_stems(
    phrase: list[str], text: list[str]
) -> None:
    (document,) = documents([candidate(" ".join(text))])
    wanted = [stem(word, "en") for word in phrase]
    given_ = [stem(word, "en") for word in text]
    expected = any(given_[at : at + len(wanted)] == wanted for at in range(len(given_)))
    tree = parse_query(f'"{" ".join(phrase)}"')
    assert holds(tree, document, Wording(stem="en")) is expected


@given(st.lists(WORDS, min_size=1, max_size=4), st.lists(WORDS, max_size=8))
def test_stems_never_lose_what_matches_to_the_letter(
    phrase: list[str], text: list[str]
) -> None:
    (document,) = documents([candidate("x", " ".join(text))])
    tree = parse_query(f'"{" ".join(phrase)}"')
    assert holds(tree, document, ENGLISH) or not holds(tree, document)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_that_may_be_named_has_a_stemmer(language: str) -> None:
    assert stem("model", language)


def test_another_language_has_its_own_stems() -> None:
    (document,) = documents([candidate("Zwei Häuser")])
    assert holds(parse_query("Häusern"), document, Wording(stem="de"))
    assert not holds(parse_query("Häusern"), document, Wording(stem="en"))


@pytest.mark.parametrize(
    "query", ['"models"=', 'title:"a b"=^2 c', '(a AND NOT "LLMs"=)', "“models”="]
)
def test_an_exact_term_is_kept_as_json_and_as_text(query: str) -> None:
    tree = parse_query(query)
    assert tree_from_json(tree_to_json(tree)) == tree
    assert parse_query(to_text(tree)) == tree
    who = profile(query)
    assert profile_from_json(profile_to_json(who)) == who


def test_a_row_of_before_exact_terms_is_read_as_it_was_meant() -> None:
    row = {"text": "a", "tokens": ["a"], "field": None, "prefix": False, "weight": "1"}
    assert tree_from_json(row) == parse_query("a")
    assert tree_to_json(parse_query("a")) == row | {"tokens": ("a",)}


def test_a_sign_after_a_phrase_is_exact_only_at_its_end() -> None:
    assert parse_query('"x"=y') == parse_query('"x" OR =y')
    with pytest.raises(QueryError, match="drop the \\* or the ="):
        parse_query('"model*"=')


# --- how often --------------------------------------------------------------------


#: Hundredths.
WEIGHTS = {Field.TITLE: 200, Field.SUMMARY: 100}


def test_how_often_a_term_stands_counts_ever_less_and_for_the_length() -> None:
    leaf = leaf_of(parse("robot"))
    rest = "word " * 199

    def outstanding(title: str, summary: str) -> int:
        (document,) = documents([candidate(title, summary)])
        return sum(prominence(leaf, document, WEIGHTS).values())

    once = outstanding("a b c d e f g h i j", f"robot {rest}")
    assert once == 1000
    assert outstanding("a b c d e f g h i j", "robot " * 2 + "word " * 198) == 1600
    assert outstanding("robot " * 10, "robot " * 200) == 3945
    assert (
        outstanding("a b c", f"robot {rest} {rest}") < once < outstanding("", "robot")
    )


def test_frequency_changes_worth_only_where_it_is_asked_for() -> None:
    often = candidate("A robot", "robot robot robot " + "word " * 190)
    ranking = replace(PLAIN, frequency=Decimal(1))
    who = profile("robot", "author:ada")

    def parts(with_: Ranking) -> list[int]:
        (match,) = match_profile(who, [often], as_of=NOW, ranking=with_)
        assert match.score == sum(p.millis for p in match.reasons.parts)
        return [p.millis for p in match.reasons.parts]

    assert parts(PLAIN) == [2000, 1000, 1000]
    # Two for the title, three for the summary.
    whole = 16_000 * 5 * 220 // (23 * 220 + 9 * (4 + 193))
    assert parts(ranking) == [whole * 2 // 5, whole * 3 // 5, 1000]
    assert parts(replace(ranking, frequency=Decimal(0)))[1] == 1000
    half = parts(replace(ranking, frequency=Decimal("0.5")))
    assert abs(2 * half[1] - 1000 - whole * 3 // 5) < 4
    heavy = parts(replace(ranking, title=Decimal(0)))
    assert heavy == [0, 16_000 * 3 * 220 // (15 * 220 + 9 * (4 + 193)), 1000]


# --- mining -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("A large language model (LLM).", [("LLM", "large language model")]),
        ("Large language models (LLMs) are", [("LLM", "Large language models")]),
        (
            "proximal policy optimization (PPO)",
            [("PPO", "proximal policy optimization")],
        ),
        (
            "retrieval-augmented generation (RAG)",
            [("RAG", "retrieval-augmented generation")],
        ),
        ("we use 3D Gaussian splatting (3DGS),", [("3DGS", "3D Gaussian splatting")]),
        ("some words (see Fig) and (LLM)", []),
        ("the model (XYZ)", []),
        ("many of them (many)", []),
        ("end. Models (LM)", []),
        ("accuracy (AC)", []),
    ],
)
def test_a_bracket_introduces_a_short_form(
    text: str, pairs: list[tuple[str, str]]
) -> None:
    assert list(introduced(text)) == pairs


def test_what_texts_agree_on_is_mined() -> None:
    texts = ["A large language model (LLM)."] * 3
    texts += ["Contrastive language image pretraining (CLIP) of a clip."] * 3
    texts += ["Graph neural network (GNN)."] * 2
    texts += ["Mean average precision (MAP)"] * 3 + ["Maximum a posteriori (MAP)"] * 3
    assert [(m.acronym, m.texts) for m in mine(texts)] == [
        (Acronym(short="LLM", long="large language model"), 3)
    ]
    assert "GNN" in {m.acronym.short for m in mine(texts, least=2)}
