from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.matching.tokens import is_cjk, token_spans, tokenize


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Naïve U-Net", "naive u net"),
        ("ＷＩＤＥ", "wide"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("ﬁne", "fine"),
        ("cs.CL GPT-4o snake_case", "cs cl gpt 4o snake case"),
        ("C++ and C# and F# on .NET", "c++ and c# and f# on .net"),
        ("abc++ xc# asp.net c++11 .network", "abc xc asp net c 11 network"),
        ("用C++写", "用 c++ 写"),
        ("状態 空間モデル", "状 態 空 間 モ デ ル"),
        ("한국어 모델", "한 국 어 모 델"),
        ("ﾊﾟｽ", "パ ス"),
        ("e\u0301cole \u00e9cole", "ecole ecole"),
        ("각", "각"),
        ("㎆", "mb"),
        ("½ x²", "1 2 x2"),
        ("", ""),
        ("--- …", ""),
    ],
)
def test_case_accents_and_width_do_not_matter(text: str, tokens: str) -> None:
    assert " ".join(tokenize(text)) == tokens


def test_places_are_in_the_text_as_it_was_given() -> None:
    text = "Die Straße — naïve ﬁne 日本 C++"
    found = [(token, text[start:end]) for token, start, end in token_spans(text)]
    assert found == [
        ("die", "Die"),
        ("strasse", "Straße"),
        ("naive", "naïve"),
        ("fine", "ﬁne"),
        ("日", "日"),
        ("本", "本"),
        ("c++", "C++"),
    ]
    assert token_spans("An Ox") == (("an", 0, 2), ("ox", 3, 5))


@given(st.text(max_size=80))
def test_spans_are_the_tokens_in_order_and_within_the_text(text: str) -> None:
    spans = token_spans(text)
    assert tuple(token for token, _, _ in spans) == tokenize(text)
    assert all(0 <= start < end <= len(text) for _, start, end in spans)
    assert [s for _, s, _ in spans] == sorted(s for _, s, _ in spans)


@given(st.text(alphabet="aé ü日が각ﬁＷ\u0301\u3099-_", max_size=30))
def test_case_and_composition_change_no_token(text: str) -> None:
    from unicodedata import normalize  # noqa: PLC0415 - used here only

    for form in ("NFC", "NFD", "NFKC"):
        assert tokenize(normalize(form, text)) == tokenize(text)
    assert tokenize(text.upper()) == tokenize(text.upper().lower())


def test_cjk_is_one_character() -> None:
    assert is_cjk("日")
    assert not is_cjk("ab")
    assert not is_cjk("a")
