"""From a word to its stem, by Snowball's rules for some languages.

    models, modelling, modelled  ->  model

The words are tokens: in lower case and without accents, on both sides of a
match, so rules that ask for an accent do not apply.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from threading import local

from Stemmer import Stemmer

#: What a profile may say (ISO 639-1), and what Snowball calls it.
LANGUAGES: Mapping[str, str] = {
    "ar": "arabic",
    "ca": "catalan",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "ne": "nepali",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}
#: No stems: tokens are compared as they are.
PLAIN = "none"
#: One per thread and language: they are not made to be shared.
_stemmers = local()


@lru_cache(maxsize=1 << 17)
def stem(token: str, language: str) -> str:
    """Return the stem of *token*; with "none" the token itself.

    Args:
        token: As ``tokenize`` returns it.
        language: One of ``LANGUAGES``, or "none".
    """
    if language == PLAIN:
        return token
    found: str = _stemmer(language).stemWord(token)
    return found


def stems(tokens: tuple[str, ...], language: str) -> tuple[str, ...]:
    """Return *tokens*, each as its stem."""
    return tuple(stem(token, language) for token in tokens)


def _stemmer(language: str) -> Stemmer:
    known: dict[str, Stemmer] = _stemmers.__dict__
    if language not in known:
        # Our cache is shared by all threads; its own would not be.
        known[language] = Stemmer(LANGUAGES[language], 0)
    return known[language]
