"""Frames in the languages of readers: words, numbers, dates, directions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from html import unescape

import pytest

from newsletter import mime
from newsletter.composing import CLOSE
from newsletter.model import (
    Field,
    Issue,
    Link,
    Newsletter,
    Reasons,
    Receipt,
    ScorePart,
    Section,
)
from newsletter.rendering import ThemeRenderer, is_spoken, load_renderer, view
from newsletter.rendering.catalogues import catalogue, languages
from newsletter.rendering.text import columns
from newsletter.rendering.words import FSI, PDI, RLM, words_for
from tests.messages import said
from tests.support.generated import made_issue
from tests.support.issues import (
    html_links,
    issue,
    match,
    rich,
    several,
    text_links,
    voted,
)

THEMES = ("default", "compact")
RENDERERS = {name: load_renderer(name, folders=()) for name in THEMES}
LANGUAGES = ("en", *languages())
FRAMES = [(theme, language) for theme in THEMES for language in LANGUAGES]


def visible(html: str) -> str:
    """Return what a person sees or hears of the HTML."""
    html = re.sub(
        r"<style.*?</style>|<!--.*?-->|<!doctype[^>]*>", "", html, flags=re.DOTALL
    )
    heard = re.findall(r'(?:alt|aria-label)="([^"]*)"', html)
    return unescape(" ".join([*heard, re.sub(r"<[^>]+>", " ", html)]))


def strange(*, language: str, skipped: Sequence[date], count: int) -> Issue:
    """Return an issue in which nothing but the frame is in Latin letters."""
    parts = tuple(
        ScorePart(field=field, term="слово", millis=1500) for field in Field
    ) + tuple(ScorePart(field=Field.TITLE, term=f"слово {n}", millis=9) for n in "123")
    first = match(
        1,
        "Заголовок",
        summary="Текст",
        tldr="Кратко",
        authors=tuple("АБВГДЕ"),
        links=tuple(
            Link(label=label, url=f"https://example.org/{n}")
            for n, label in enumerate(
                ("paper", "pdf", "code", "discussion", "page", "")
            )
        ),
    )
    reasons = Reasons(
        interests=tuple(f"тема {n}" for n in range(9)),
        parts=parts,
        votes_millis=700,
        freshness_millis=300,
    )
    near = replace(reasons, is_close=True)
    first = voted(replace(first, reasons=reasons), 11, *"абвгде")
    other = voted(match(2, "", url=None, summary="", links=()), 1, "б")
    close = replace(match(3, "Рядом", summary=""), reasons=near)
    cards = (first, replace(other, reasons=reasons))[:count]
    bare = Newsletter(
        title="Газета",
        from_name="Газета",
        from_address="1@2.3",
        list_id="1.2.3",
        contact="https://example.org/about",
        postal_address="Улица 1",
    )
    sections = (
        *([Section(heading="", matches=cards)] if cards else []),
        Section(heading=CLOSE, matches=(voted(close, 3, "в"),), is_close=True),
    )
    given = issue(
        sections=sections,
        more=0,
        language=language,
        newsletter=bare,
        address="4@5.6",
        skipped=tuple(skipped),
    )
    receipt = Receipt(new=12345, matched=count, shown=count, close=1)
    more = (match(9, "Ещё", url="https://example.org/9"),)
    return replace(
        given, selection=replace(given.selection, receipt=receipt, more=more)
    )


def bodies(renderer: ThemeRenderer, language: str) -> str:
    """Return all that is said in mails that say everything a frame can say."""
    week = [date(2026, 2, 20 + n) for n in range(7)]
    texts = []
    for skipped, count in ((week[:2], 1), (week, 2), ((), 0)):
        given = strange(language=language, skipped=skipped, count=count)
        rendered = renderer.render(given)
        empty = renderer.render(replace(issue([], more=0), **_frame(given)))  # type: ignore[arg-type] # fields of it
        texts += [
            *(rendered.subject, visible(rendered.html), rendered.text),
            *(empty.subject, visible(empty.html), empty.text),
        ]
    return re.sub(r"(https?|mailto):\S+", "", "\n".join(texts))


def _frame(given: Issue) -> dict[str, object]:
    return {k: getattr(given, k) for k in ("language", "newsletter", "address")}


def words_of(texts: Sequence[str]) -> set[str]:
    plain = re.sub(r"%\(\w+\)s", " ", " ".join(texts))
    return {word.casefold() for word in re.findall(r"[^\W\d_]{2,}", plain)}


# --- words ------------------------------------------------------------------------


@pytest.mark.parametrize(("theme", "language"), FRAMES)
def test_no_english_word_is_left_in_a_frame(theme: str, language: str) -> None:
    found = words_of([bodies(RENDERERS[theme], language)])
    english = {
        text
        for _, _, message in said()
        for text in (message if isinstance(message, tuple) else (message,))
    }
    if language == "en":
        assert len(found & words_of(sorted(english))) > 40
        return
    own = [*catalogue(language).messages.values()]
    own += [t for texts in catalogue(language).plurals.values() for t in texts]
    assert found & words_of(sorted(english)) <= words_of(own)
    assert len(found & words_of(own)) > 30
    if language in {"ar", "ja"}:
        assert {word for word in found if word.isascii()} == {"pdf"} - (
            set() if theme == "default" else {"pdf"}
        )


def test_a_reader_of_german_gets_german() -> None:
    rendered = RENDERERS["default"].render(issue(language="de"))
    for part in (
        "Donnerstag, 5. März 2026",
        "5 Einträge für Sie, aus insgesamt 612 neuen",
        "Author Number1, Author Number2, Author Number3 und 12 weitere",
        "142 Stimmen",
        "Titel: mamba 2,0",
        "Nichts Passendes gab es am Dienstag und Mittwoch.",
        "weil ada@example.org „Daily Papers“ abonniert hat.",
    ):
        assert part in " ".join(rendered.text.split())
        assert part in " ".join(visible(rendered.html).split())
    assert rendered.subject.endswith(" + 4 weitere")
    assert '<html lang="de" dir="ltr"' in rendered.html


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("de", "de"),
        ("de-AT", "de-AT"),
        ("DE_ch", "de-CH"),
        ("de-XX", "de"),
        ("en-GB", "en-GB"),
        ("ar-EG", "ar-EG"),
        ("pt-BR", "en"),
        ("zz", "en"),
        ("", "en"),
        ("not a language!", "en"),
        ("x" * 5000, "en"),
    ],
)
def test_a_language_is_found_exactly_else_by_its_parent_else_english(
    asked: str, given: str
) -> None:
    assert words_for(asked).language == given
    assert (
        f'<html lang="{given}"'
        in RENDERERS["compact"].render(issue([rich()], language=asked)).html
    )


def test_which_languages_are_spoken_can_be_told() -> None:
    spoken = [*LANGUAGES, "en-GB", "de-AT", "AR"]
    assert [tag for tag in (*spoken, "pt-BR", "zz", "") if is_spoken(tag)] == spoken


def test_regions_have_their_own_months_in_the_words_of_the_language() -> None:
    january = datetime(2026, 1, 9, 8, tzinfo=UTC)
    given = issue([rich()], slot=january, language="de-AT")
    text = RENDERERS["default"].render(given).text
    assert "9. Jänner 2026" in text
    assert "Einstellungen" in text
    given = replace(given, language="en-GB")
    assert "Friday, 9 January 2026" in RENDERERS["default"].render(given).text


def test_a_theme_may_speak_one_language_whoever_reads() -> None:
    theme = replace(RENDERERS["default"]._theme, language="de")  # noqa: SLF001 - no second folder for one line
    for language in ("en", "ja"):
        rendered = ThemeRenderer(theme).render(issue(language=language))
        assert "Donnerstag, 5. März 2026" in rendered.text


def test_the_heading_of_composing_is_the_one_that_is_translated() -> None:
    assert view.CLOSE == CLOSE


# --- plural forms and numbers -----------------------------------------------------


@pytest.mark.parametrize(
    ("language", "number", "said_"),
    [
        ("ar", 0, "0 صوت"),
        ("ar", 1, "صوت واحد"),
        ("ar", 2, "صوتان"),
        ("ar", 3, "3 أصوات"),
        ("ar", 10, "10 أصوات"),
        ("ar", 11, "11 صوتًا"),
        ("ar", 99, "99 صوتًا"),
        ("ar", 100, "100 صوت"),
        ("ar", 103, "103 أصوات"),
        ("ar-EG", 1234, "١٬٢٣٤ صوتًا"),
        ("ar-SA", 3, "٣ أصوات"),
        ("ja", 0, "0票"),
        ("ja", 1, "1票"),
        ("ja", 1234, "1,234票"),
        ("de", 0, "0 Stimmen"),
        ("de", 1, "1 Stimme"),
        ("de", 1234, "1.234 Stimmen"),
        ("de-CH", 1234, "1’234 Stimmen"),
        ("en", 1, "1 vote"),
        ("en", 1234567, "1,234,567 votes"),
        ("en-IN", 1234567, "12,34,567 votes"),
    ],
)
def test_votes_are_counted_as_the_language_counts(
    language: str, number: int, said_: str
) -> None:
    given = issue([voted(match(1), number, "б")], more=0, language=language)
    for renderer in RENDERERS.values():
        rendered = renderer.render(given)
        assert said_ in rendered.text
        assert said_ in visible(rendered.html)


def test_arabic_has_six_forms_and_japanese_one() -> None:
    count = {
        language: len(catalogue(language).plurals["%(num)s vote"])
        for language in languages()
    }
    assert (count["ar"], count["ja"], count["de"]) == (6, 1, 2)
    forms = [catalogue("ar").form(n) for n in (0, 1, 2, 3, 10, 11, 99, 100, 101, 103)]
    assert forms == [0, 1, 2, 3, 3, 4, 4, 5, 5, 3]


@pytest.mark.parametrize(
    ("language", "total", "points", "day"),
    [
        ("en", "12,345", "1.5", "Mar 2"),
        ("de", "12.345", "1,5", "2. März"),
        ("ja", "12,345", "1.5", "3月2日"),
        ("ar", "12,345", "1.5", "2 مارس"),
        ("ar-EG", "١٢٬٣٤٥", "١٫٥", "٢ مارس"),
    ],
)
def test_totals_points_and_dates_are_written_as_the_language_writes_them(
    language: str, total: str, points: str, day: str
) -> None:
    given = strange(language=language, skipped=(), count=1)
    text = RENDERERS["default"].render(given).text
    for part in (total, points, day):
        assert part in text


def test_digits_of_every_numbering_system_are_known() -> None:
    for tag, nine in (
        ("ar-EG", "٩"),
        ("fa", "۹"),
        ("ne", "९"),
        ("bn", "৯"),
        ("my", "၉"),
        ("dz", "༩"),
    ):
        locale = words_for("ar-EG").locale.parse(tag, sep="-")
        words = replace(
            words_for("en"), locale=locale, numbering=locale.default_numbering_system
        )
        assert words.number(9) == nine


@pytest.mark.parametrize(
    ("language", "listed", "many"),
    [
        ("en", "Nothing matched on Monday, Tuesday and Wednesday.", "on 7 days since"),
        ("en-US", "Nothing matched on Monday, Tuesday, and Wednesday.", "on 7 days"),
        ("de", "gab es am Montag, Dienstag und Mittwoch.", "An 7 Tagen seit"),
        ("ja", "月曜日、火曜日、水曜日は、一致", "以降の7日間は"),
        ("ar", "في: الاثنين والثلاثاء والأربعاء.", "في 7 أيام منذ"),
    ],
)
def test_skipped_days_are_a_sentence_of_the_language(
    language: str, listed: str, many: str
) -> None:
    few = tuple(date(2026, 3, n) for n in (2, 3, 4))
    week = tuple(date(2026, 2, n) for n in range(2, 9))
    for renderer in RENDERERS.values():
        for skipped, said_ in ((few, listed), (week, many)):
            rendered = renderer.render(issue(skipped=skipped, language=language))
            text = rendered.text.replace("\n", "" if language == "ja" else " ")
            assert said_ in text
            assert said_ in visible(rendered.html)


# --- from right to left -----------------------------------------------------------


@pytest.mark.parametrize("theme", THEMES)
def test_an_arabic_frame_runs_from_right_to_left(theme: str) -> None:
    html = RENDERERS[theme].render(issue(language="ar")).html
    assert '<html lang="ar" dir="rtl"' in html
    assert "direction:ltr" not in html
    assert html.count("direction:rtl") >= 2
    body = html.partition("<body")[2]
    assert 'align="left"' not in body
    assert "text-align:left" not in body.replace("text-align:left;direction", "")
    assert "border-left:" not in body
    assert not re.search(r"padding:0 0 0 \d+px|margin:0 \d+px \d+(px)? 0", body)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", ["en", "de", "ja"])
def test_other_frames_run_from_left_to_right(theme: str, language: str) -> None:
    html = RENDERERS[theme].render(issue(language=language)).html
    assert f'<html lang="{language}" dir="ltr"' in html
    assert "rtl" not in html
    assert "<bdi>" not in html


def test_what_runs_the_other_way_is_kept_apart_within_sentences() -> None:
    rendered = RENDERERS["default"].render(issue(language="ar"))
    for name in ("ada@example.org", "Daily Papers", "State spaces"):
        assert f"<bdi>{name}</bdi>" in rendered.html
        assert f"{FSI}{name}{PDI}" in rendered.text
    assert f"{RLM}{FSI}Author Number1{PDI}، {FSI}Author Number2{PDI}" in rendered.html
    assert rendered.subject.startswith(f"{FSI}Mamba forgets on purpose")
    assert rendered.subject.endswith(f"{PDI} و4 مواد أخرى")
    content = mime.build_message(rendered, issue(language="ar"))
    assert b"Subject: =?utf-8?b?4oGo" in content


def test_an_arabic_name_is_kept_apart_in_an_english_frame_alone_where_it_must() -> None:
    first = match(4, "نماذج فضاء الحالة الانتقائية", authors=("ليلى", "Bo"))
    rendered = RENDERERS["default"].render(issue([first, match(2)]))
    assert rendered.subject == f"{FSI}نماذج فضاء الحالة الانتقائية{PDI} + 1 more"
    assert f"{FSI}ليلى{PDI}, Bo" in rendered.html
    mixed = match(5, "On النموذج and more")
    assert FSI not in RENDERERS["default"].render(issue([mixed, match(2)])).subject


# --- the text part and links --------------------------------------------------------


@pytest.mark.parametrize(("theme", "language"), FRAMES)
def test_the_text_part_keeps_to_78_columns_where_wide_letters_take_two(
    theme: str, language: str
) -> None:
    assert columns("日本語") == 6
    assert columns(f"{FSI}ab{PDI}{RLM}") == 2
    given = replace(strange(language=language, skipped=(), count=2), address="a" * 40)
    for each in (given, issue(language=language), issue([], language=language)):
        for line in RENDERERS[theme].render(each).text.splitlines():
            assert columns(line) <= 78 or re.search(r"(https?://|mailto:)\S+$", line)


@pytest.mark.parametrize(("theme", "language"), FRAMES)
def test_both_bodies_have_the_same_links_in_the_same_order(
    theme: str, language: str
) -> None:
    for given in (issue(language=language), made_issue(5), made_issue(9)):
        rendered = RENDERERS[theme].render(replace(given, language=language))
        assert len(html_links(rendered.html)) > 5
        assert html_links(rendered.html) == text_links(rendered.text)


HOSTILE = (
    "{{7*7}} {% raw %} %(num)s %% %s",
    "</mj-text></td></table><script>alert(1)</script>",
    "\u202edrow \u2066\u2067\u2068 open \u2069\u2069",
    "one\r\nBcc: all@example.org\r\n\r\ntwo",
)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(("theme", "language"), FRAMES)
def test_hostile_texts_stay_text_in_every_language(
    theme: str, language: str, text: str
) -> None:
    given = match(1, text, summary=text, tldr=text, authors=(text,) * 6, language=text)
    given = replace(given, reasons=replace(given.reasons, interests=(text,)))
    named = replace(issue().newsletter, title=text, from_name=text)
    sent = issue([voted(given, 2, text)], language=language, newsletter=named)
    rendered = RENDERERS[theme].render(sent)
    plain = RENDERERS[theme].render_plainly(sent)
    assert (rendered.html, rendered.text) == (plain.html, plain.text)
    assert "<script" not in rendered.html
    assert "49" not in visible(rendered.html)
    assert "\n" not in rendered.subject
    for body in (rendered.subject, rendered.html, rendered.text):
        assert not set(body) & set("\u202a\u202b\u202d\u202e\u2066\u2067\r")
        # What is opened is closed, and nothing closes what it did not open.
        depth = 0
        for sign in re.findall(f"[{FSI}{PDI}]", body):
            depth += 1 if sign == FSI else -1
            assert depth in {0, 1}
        assert depth == 0
    head = mime.build_message(rendered, sent).partition(b"\r\n\r\n")[0]
    assert b"\r\nBcc:" not in head


# --- both ways ----------------------------------------------------------------------


@pytest.mark.parametrize("theme", THEMES)
def test_readers_of_all_languages_get_the_mails_of_the_plain_way(theme: str) -> None:
    renderer = load_renderer(theme, folders=())
    tags = (*LANGUAGES, "de-AT", "ar-EG", "pt-BR")
    for number in range(36):
        given = replace(made_issue(number % 9), language=tags[number % len(tags)])
        quick, plain = renderer.render(given), renderer.render_plainly(given)
        assert len(quick.html_parts) > len(plain.html_parts) == 1
        assert quick.subject == plain.subject
        assert quick.html == plain.html
        assert quick.text == plain.text
    assert renderer.shelf.found > 0


def test_one_card_for_readers_of_two_languages_is_not_mistaken() -> None:
    """Neither its date nor its score, which the language changes, tells them apart."""
    renderer = load_renderer("default", folders=())
    undated = datetime.min.replace(tzinfo=UTC)
    authors, code = tuple("АБВГДЕ"), (Link(label="code", url="https://example.org/c"),)
    card = match(1, published_at=undated, authors=authors, links=code)
    card = replace(card, reasons=Reasons(interests=("тема",)))
    lines = issue([card], more=0, timezone="America/New_York")
    untitled = (match(9, ""),)
    lines = replace(lines, selection=replace(lines.selection, more=untitled))
    for language in ("de", "ja", "ar", "en", "de", "ja", "ar", "en"):
        given = replace(lines, language=language)
        assert renderer.render(given).html == renderer.render_plainly(given).html
        assert renderer.render(given).text == renderer.render_plainly(given).text


def test_what_a_frame_says_is_one_text_with_what_stands_around_it() -> None:
    """Else each mail would put it together anew."""
    renderer = load_renderer("default", folders=())
    for language, said_ in (("ar", "الحصيلة"), ("de", "Die Bilanz")):
        rendered = renderer.render(issue(several(), language=language))
        (part,) = [part for part in rendered.html_parts if said_ in part]
        assert f'color:#1b1a18">{said_}</h2><p style=' in part
