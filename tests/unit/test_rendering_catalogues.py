"""Catalogues are whole, say what templates say, and are refused where they do not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from newsletter.rendering import words
from newsletter.rendering.catalogues import (
    FOLDER,
    Hole,
    catalogue,
    faults,
    languages,
    pieces,
    place_of,
)
from tests.messages import expected, said

EXPECTED = expected()
GERMAN = place_of("de").read_text("utf-8")


def found(folder: Path, text: str, language: str = "de") -> list[str]:
    """Return the faults of a catalogue of *text*."""
    path = place_of(language, folder)
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return list(faults(path, language, EXPECTED))


def line_of(text: str, msgid: str) -> int:
    return text[: text.index(f'msgid "{msgid}')].count("\n") + 1


@pytest.mark.parametrize("language", languages())
def test_every_catalogue_is_whole_and_fresh(language: str) -> None:
    assert not list(faults(place_of(language), language, EXPECTED))


def test_there_are_catalogues_and_nothing_else_lists_them() -> None:
    assert {"ar", "de", "ja"} <= set(languages())
    package = FOLDER.parent
    for path in package.rglob("*.py"):
        assert not re.search(r"""["']ja["']""", path.read_text("utf-8")), path


def test_a_new_language_is_one_file(tmp_path: Path) -> None:
    assert not found(tmp_path, GERMAN, "pt_BR")
    spoken = words.words_for("pt-BR", tmp_path)
    assert (spoken.language, spoken.text("Contact")) == ("pt-BR", "Kontakt")
    assert words.words_for("pt", tmp_path).text("Contact") == "Contact"
    assert languages(tmp_path) == ("pt_BR",)


def test_readers_of_one_script_do_not_get_the_other(tmp_path: Path) -> None:
    assert not found(tmp_path, GERMAN, "zh")
    for tag, text in (("zh", "Kontakt"), ("zh-CN", "Kontakt"), ("zh-TW", "Contact")):
        assert words.words_for(tag, tmp_path).text("Contact") == text


@pytest.mark.parametrize(
    ("right", "wrong", "msgid", "says"),
    [
        ("von %(name)s (", "von %(nome)s (", "Sent by", "other values.*name, nome"),
        ("von %(name)s (", "von (", "Sent by", "other values than"),
        ("von %(name)s (", "von %(name) (", "Sent by", "write %.name.s for a value"),
        ('"Kontakt"', '"100 % Kontakt"', "Contact", "%% for a %"),
        ('"Kontakt"', '"%(title)s"', "Contact", "other values"),
        ('"Kontakt"', '""', "Contact", "is not translated; fill in every msgstr"),
        (
            'msgstr[1] "%(num)s Stimmen"\n',
            "",
            "%(num)s vote",
            "is not translated|has 1 plural forms",
        ),
        ('msgid "Contact"', 'msgid "Contakt"', "Contakt", "is said nowhere"),
    ],
)
def test_a_broken_message_is_refused_with_its_file_and_line(
    tmp_path: Path, right: str, wrong: str, msgid: str, says: str
) -> None:
    assert right in GERMAN
    text = GERMAN.replace(right, wrong, 1)
    *_, problem = [p for p in found(tmp_path, text) if "is missing" not in p]
    assert re.search(says, problem)
    line = line_of(text, msgid)
    assert problem.startswith(f"{place_of('de', tmp_path)}, line {line}: ")


def test_a_message_that_is_missing_or_only_guessed_is_named(tmp_path: Path) -> None:
    text = GERMAN.replace('msgid "Contact"\nmsgstr "Kontakt"\n', "")
    (problem,) = found(tmp_path / "a", text)
    assert "'Contact' is missing; run `make messages`" in problem
    text = GERMAN.replace('msgid "Contact"', '#, fuzzy\nmsgid "Contact"')
    (problem,) = found(tmp_path / "b", text)
    assert "'Contact' is marked fuzzy" in problem
    assert words.words_for("de", tmp_path / "b").text("Contact") == "Contact"


def test_a_file_that_is_no_catalogue_is_named_with_its_line(tmp_path: Path) -> None:
    (problem,) = found(tmp_path, 'msgid ""\nmsgstr ""\n\nmsgidd "x"\n')
    assert problem.startswith(f"{place_of('de', tmp_path)}, line 4: ")


def test_what_is_not_translated_is_said_in_english_by_its_rules(
    tmp_path: Path,
) -> None:
    head = place_of("ar").read_text("utf-8").partition("\n\n")[0]
    found(tmp_path, f'{head}\n\nmsgid "Contact"\nmsgstr "x"\n', "ar")
    spoken = words.words_for("ar", tmp_path)
    assert spoken.text("Contact") == "x"
    votes = [
        spoken.say_of(n, "%(num)s vote", "%(num)s votes") for n in (0, 1, 2, 11, 100)
    ]
    assert votes == ["0 votes", "1 vote", "2 votes", "11 votes", "100 votes"]


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ("", ()),
        ("plain", ("plain",)),
        ("%(a)s", (Hole("a"),)),
        ("a %(b)s%(c)s 5%%", ("a ", Hole("b"), Hole("c"), " 5", "%")),
    ],
)
def test_a_message_is_text_and_holes(
    message: str, parts: tuple[str | Hole, ...]
) -> None:
    assert pieces(message) == parts


def test_both_themes_and_the_modules_are_read_for_messages() -> None:
    files = {file for file, _, _ in said()}
    assert {
        "templates/default/body.mjml.j2",
        "templates/default/body.txt.j2",
        "templates/compact/body.mjml.j2",
        "newsletter/rendering/cards.py",
        "newsletter/rendering/days.py",
    } <= files


def test_a_catalogue_is_read_once() -> None:
    assert catalogue("de") is catalogue("de")
