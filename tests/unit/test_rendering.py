from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.errors import RenderError, ThemeError
from newsletter.model import Field as QueryField
from newsletter.model import Link, Match, Reasons, ScorePart, Section
from newsletter.rendering import ThemeRenderer, load_renderer, load_theme
from newsletter.rendering.mjml import to_html
from newsletter.rendering.renderer import MAX_SUBJECT
from newsletter.rendering.templates import environment
from newsletter.rendering.view import Fit, view
from tests.support.issues import (
    LISTED,
    NEWSLETTER,
    close_issue,
    hostile,
    html_links,
    issue,
    match,
    rich,
    same_but_white_space,
    several,
    text_links,
    voted,
)

REPOSITORY = Path(__file__).resolve().parents[2]
DEFAULT = load_renderer("default", folders=())
COMPACT = load_renderer("compact", folders=())
DAY = "Thursday, March 5, 2026"


def write_theme(folder: Path, **files: str) -> Path:
    """Write a small theme named plain; files are named like body_mjml."""
    theme = folder / "plain"
    theme.mkdir(parents=True)
    parts = {
        "subject_txt": "{{ issue.title }}",
        "body_mjml": (
            "<mjml><mj-body><mj-section><mj-column>\n"
            "<mj-text>{{ issue.title }}</mj-text>\n"
            "</mj-column></mj-section></mj-body></mjml>"
        ),
        "body_txt": "{{ issue.title }}",
        **files,
    }
    for name, content in parts.items():
        (theme / f"{name.replace('_', '.')}.j2").write_text(content, encoding="utf-8")
    (theme / "theme.toml").write_text('language = "en"\n', encoding="utf-8")
    return folder


def plain_renderer(folder: Path, **files: str) -> ThemeRenderer:
    return load_renderer("plain", folders=(write_theme(folder, **files),))


# --- what a mail holds ------------------------------------------------------------


def test_a_card_has_every_part_in_both_bodies() -> None:
    rendered = DEFAULT.render(issue([rich()]))
    html = re.sub(r"<[^>]+>", "", rendered.html)
    for part in (
        "Author Number1, Author Number2, Author Number3 and 12 more",
        "142 votes",
        "Mar 2",
        "A tiny gate lets long-context models forget",
        "Why this:",
        "State spaces",
        "title: mamba 2.0 · title: state space 2.0 · fresh 0.5",
        "Discussion",
        "612 new, 30 matched, 1 shown, 29 more matched.",
        "Nothing matched on Tuesday and Wednesday.",
        "Also matched, not shown above:",
        "You get this because ada@example.org reads Daily Papers.",
        "Example Society, 1 Sample Street, 12345 Exampleton",
        DAY,
    ):
        assert part in html
        assert part in " ".join(rendered.text.split())
    for source in ("daily-papers", "arxiv-cs-lg"):
        assert source in html
        assert source in rendered.text


def test_the_subject_has_the_first_title_and_the_count() -> None:
    assert DEFAULT.render(issue([rich(), match(2)])).subject == (
        "Mamba forgets on purpose: state space models with a gate that lets go + 1 more"
    )
    assert DEFAULT.render(issue([match(2, "One")])).subject == "One"


def test_subject_and_preheader_bear_no_data_of_the_reader() -> None:
    rendered = DEFAULT.render(issue(name="Ada Lovelace"))
    preheader = rendered.html.partition("<!--[if mso | IE]>")[0]
    for secret in ("ada@example.org", "Lovelace", "State spaces"):
        assert secret not in rendered.subject
        assert secret not in preheader
    assert "Also: Diffusion models for weather" in preheader


def test_a_long_subject_is_cut_with_its_isolates_closed(tmp_path: Path) -> None:
    subject = "{{ 'x' * 190 }} {{ issue.title | isolate }}"
    renderer = plain_renderer(tmp_path, subject_txt=subject)
    given = issue(newsletter=replace(NEWSLETTER, title="النشرة اليومية للأوراق"))
    said = renderer.render(given).subject
    assert len(said) == MAX_SUBJECT + 1
    assert said.endswith("\u2068النشرة ا\u2069")


def test_matched_terms_are_highlighted_where_matching_found_them() -> None:
    html = DEFAULT.render(issue([rich()])).html
    hits = re.findall(r'<mark class="hit"[^>]*>([^<]*)</mark>', html)
    assert hits == ["Mamba", "state space", "state space"]


def test_an_issue_without_cards_says_so_kindly() -> None:
    rendered = DEFAULT.render(issue([], more=0, skipped=()))
    assert rendered.subject == "Nothing new for you in Daily Papers"
    assert "nothing is wrong" in rendered.html
    assert "nothing is wrong" in " ".join(rendered.text.split())
    assert "612 new, 29 matched, 0 shown" in rendered.text
    assert "Nothing matched on" not in rendered.text


def test_sections_have_their_headings() -> None:
    sections = (
        Section(heading="State spaces", matches=(rich(),)),
        Section(heading="<Weather>", matches=(match(2),)),
    )
    rendered = DEFAULT.render(issue(sections=sections))
    assert re.findall(r"<h2[^>]*>([^<]*)</h2>", rendered.html) == [
        "State spaces",
        "&lt;Weather&gt;",
        "The receipt",
    ]
    assert rendered.html.count("<h3") == 2
    assert "== <Weather> ==" in rendered.text


def test_without_ways_to_leave_the_footer_names_none() -> None:
    bare = replace(
        NEWSLETTER, unsubscribe_mailto=None, contact=None, postal_address=None
    )
    rendered = DEFAULT.render(
        issue([], more=0, newsletter=bare, unsubscribe_url=None, preferences_url=None)
    )
    assert html_links(rendered.html) == text_links(rendered.text) == []


def test_leaving_by_mail_stands_in_where_there_is_no_page() -> None:
    rendered = DEFAULT.render(
        issue([], more=0, unsubscribe_url=None, preferences_url=None)
    )
    assert html_links(rendered.html) == [
        "mailto:leave@example.org?subject=unsubscribe",
        "https://example.org/about",
    ]


def test_dates_are_those_of_the_readers_zone() -> None:
    late = datetime(2026, 3, 5, 20, tzinfo=UTC)
    rendered = DEFAULT.render(issue(slot=late, timezone="Pacific/Auckland"))
    assert "Friday, March 6, 2026" in rendered.text


def test_a_date_of_another_year_names_it_and_an_impossible_one_is_left_out() -> None:
    old = match(1, published_at=datetime(2019, 7, 1, tzinfo=UTC))
    first = match(2, published_at=datetime.min.replace(tzinfo=UTC))
    text = DEFAULT.render(issue([old], timezone="America/New_York")).text
    assert "Jun 30, 2019" in text
    assert DEFAULT.render(issue([first], timezone="America/New_York")).text


@pytest.mark.parametrize(
    ("skipped", "said"),
    [
        ((date(2026, 3, 4),), "Wednesday."),
        ((date(2026, 2, 23), date(2026, 3, 4)), "Mon, Feb 23 and Wednesday."),
        (tuple(date(2026, 3, n) for n in (2, 3, 4)), "Monday, Tuesday and Wednesday."),
        (tuple(date(2026, 2, n) for n in range(2, 9)), "7 days since Mon, Feb 2."),
    ],
)
def test_skipped_days_read_like_speech(skipped: tuple[date, ...], said: str) -> None:
    text = DEFAULT.render(issue(skipped=skipped)).text
    assert f"Nothing matched on {said}" in " ".join(text.split())


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, ""),
        (1, "A1"),
        (3, "A1, A2, A3"),
        (4, "A1, A2, A3, A4"),
        (5, "A1, A2, A3 and 2 more"),
    ],
)
def test_the_first_authors_stand_for_all(count: int, said: str) -> None:
    authors = tuple(f"A{n}" for n in range(1, count + 1))
    seen = view(issue([match(1, authors=authors)]), language="en", fit=Fit())
    assert seen.sections[0].cards[0].authors == said


def test_many_sources_interests_and_terms_are_counted_not_listed() -> None:
    given = voted(match(1), 3, *(f"s{n}" for n in range(7)), "s0")
    parts = tuple(
        ScorePart(field=QueryField.TITLE, term=f"t{n}", millis=40) for n in range(9)
    )
    reasons = Reasons(
        interests=tuple(f"i{n}" for n in range(9)), parts=parts, votes_millis=1250
    )
    seen = view(issue([replace(given, reasons=reasons)]), language="en", fit=Fit())
    card = seen.sections[0].cards[0]
    assert card.badges == ("s0", "s1", "s2", "s3", "3 more")
    assert card.interests[-1] == "3 more"
    assert card.score.endswith("title: t5 0.040 · other 0.1 · votes 1.3")


def test_an_unknown_language_of_a_theme_dates_in_english() -> None:
    for language in ("xx-notalanguage", "not a language!"):
        assert view(issue(), language=language, fit=Fit()).date == DAY


# --- links ------------------------------------------------------------------------


def test_both_bodies_have_the_same_links_in_the_same_order() -> None:
    rendered = DEFAULT.render(issue())
    found = html_links(rendered.html)
    assert found == text_links(rendered.text)
    assert found[:5] == [
        "https://example.org/papers/1",
        "https://example.org/paper/1",
        "https://example.org/pdf/1",
        "https://example.org/code/1",
        "https://example.org/discussion/1",
    ]


def test_no_link_of_another_scheme_is_ever_there() -> None:
    rendered = DEFAULT.render(issue([hostile()]))
    for url in html_links(rendered.html):
        assert url.startswith(("https://", "http://", "mailto:"))
    assert "javascript:" not in rendered.html
    assert "user:pass" not in rendered.html


def test_an_entry_without_a_link_is_shown_without_one() -> None:
    rendered = DEFAULT.render(issue([match(1, "", url=None)], more=0))
    assert "(no title)" in rendered.html
    assert "(no title)" in rendered.text
    assert html_links(rendered.html) == text_links(rendered.text)


def test_the_title_takes_the_first_link_where_the_entry_has_no_page() -> None:
    given = match(
        1, url=None, links=(Link(label="pdf", url="https://example.org/a b"),)
    )
    assert (
        html_links(DEFAULT.render(issue([given])).html)[0]
        == "https://example.org/a%20b"
    )


def test_nothing_is_asked_of_another_machine() -> None:
    html = DEFAULT.render(issue()).html
    assert not re.search(
        r"<(img|link|script|iframe|video|object)\b|url\(|@import", html
    )


# --- hostile texts and size ---------------------------------------------------------


def test_hostile_texts_stay_text() -> None:
    rendered = DEFAULT.render(issue([hostile()]))
    assert "{{7*7}} {% for x in y %}" in rendered.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &lt;mj-text&gt;" in rendered.html
    assert "<script" not in rendered.html
    assert "&lt;!--nl0s0000e--&gt; &lt;/td&gt;" in rendered.html
    assert "{# gone #}" in rendered.html
    for body in (rendered.html, rendered.text, rendered.subject):
        assert "\u202e" not in body
        assert "\x00" not in body
    assert "Mallory Bcc: all@example.org" in rendered.text


def test_the_text_part_keeps_to_78_columns_but_for_links() -> None:
    for line in DEFAULT.render(issue()).text.splitlines():
        assert len(line) <= 78 or re.search(r"(https?://|mailto:)\S+$", line)


@pytest.mark.parametrize(
    ("letter", "long_links"),
    [("x", True), ('"', True), ("\N{GRINNING FACE}", False), ("word ", False)],
)
def test_a_hundred_cards_of_huge_texts_fit(letter: str, *, long_links: bool) -> None:
    matches = [enormous(n, letter, long_links=long_links) for n in range(100)]
    sections = tuple(Section(heading=letter * 9000, matches=(m,)) for m in matches)
    for crowded in (issue(matches), issue(sections=sections)):
        rendered = DEFAULT.render(crowded)
        assert len(rendered.html.encode()) < 100_000
        assert html_links(rendered.html) == text_links(rendered.text)
        assert rendered.html.count("<li") + rendered.html.count("Why this") == 100


def enormous(number: int, letter: str, *, long_links: bool) -> Match:
    tail = "/x" * 900 if long_links else ""
    given = match(
        number,
        f"{number} {letter * 10_000}",
        url=f"https://example.org/papers/{number}{tail}",
        summary=letter * 10_000,
        tldr=letter * 10_000,
        authors=tuple(f"Author {letter * 300}" for _ in range(438)),
        links=tuple(
            Link(label=letter * 500, url=f"https://example.org/{number}/{n}{tail}")
            for n in range(30)
        ),
    )
    interests = tuple(letter * 500 for _ in range(50))
    return replace(given, reasons=replace(given.reasons, interests=interests))


def test_the_list_of_titles_goes_first_then_summaries_then_cards() -> None:
    kinds = set()
    for count in (1, 20, 24, 26, 30, 40, 60):
        given = issue([replace(rich(), score=n) for n in range(count)])
        html = DEFAULT.render(given).html
        kinds.add(
            (
                "Also matched" in html,
                "28.82" in html,
                "We study" in html,
                html.count("Why this") == count,
            )
        )
        assert len(html.encode()) < 100_000
    steps = [
        (True, True, True, True),
        (False, True, True, True),
        (False, False, True, True),
        (False, False, False, True),
        (False, False, False, False),
    ]
    assert kinds <= set(steps)
    assert {steps[0], steps[-1]} <= kinds


def test_as_many_cards_as_fit_stay_whole_and_they_are_the_first() -> None:
    given = issue([match(n, f"Title {n}") for n in range(100)], more=0)
    html = DEFAULT.render(given).html
    whole = html.count("Why this")
    assert 20 < whole < 100
    assert html.index("Title 99<") > html.rindex("Why this")
    assert len(html.encode()) > 95_000


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    title=st.text(max_size=300),
    summary=st.text(max_size=600),
    names=st.lists(st.text(max_size=40), max_size=5).map(tuple),
    url=st.text(max_size=60),
)
def test_no_text_breaks_a_mail(
    title: str, summary: str, names: tuple[str, ...], url: str
) -> None:
    given = match(
        1, title, summary=summary, authors=names, url=f"https://example.org/{url}"
    )
    rendered = DEFAULT.render(issue([given], more=0))
    rendered.html.encode()
    rendered.text.encode()
    assert "\n" not in rendered.subject
    assert html_links(rendered.html)[-3:] == text_links(rendered.text)[-3:]
    # What stands in the frame still stands there: nothing broke out of a card.
    frame = re.sub(r"<mark.*?</mark>", "", rendered.html)
    assert frame.count("<table") == frame.count("</table>")


# --- pictures and headlines ---------------------------------------------------------


def with_pictures(folder: Path, images: str) -> ThemeRenderer:
    """Return the default theme with *images* in its settings."""
    shutil.copytree(REPOSITORY / "templates" / "default", folder / "pictures")
    (folder / "pictures" / "theme.toml").write_text(f"images = {images}\n")
    return load_renderer("pictures", folders=(folder,))


def test_a_theme_that_asks_for_pictures_shows_those_of_https(tmp_path: Path) -> None:
    shown = match(1, 'A "gate"', thumbnail="https://example.org/a b.png")
    others = [
        match(2, thumbnail="http://example.org/b.png"),
        match(3, thumbnail="javascript:alert(1)"),
        match(4, thumbnail=None),
        match(5, thumbnail="data:image/png;base64,AAAA"),
        match(6, thumbnail="https://user:pass@example.org/c.png"),
    ]
    renderer = with_pictures(tmp_path, "true")
    for language, alt, side in (("en", "Picture", "right"), ("ar", "صورة", "left")):
        given = issue([shown, *others], language=language)
        html = renderer.render(given).html
        assert html == renderer.render_plainly(given).html
        (picture,) = re.findall("<img[^>]*>", html)
        assert 'src="https://example.org/a%20b.png"' in picture
        assert f'alt="{alt}: A &#34;gate&#34;" width="112" align="{side}"' in picture


def test_a_theme_that_does_not_ask_for_pictures_gets_none(tmp_path: Path) -> None:
    given = issue([match(1, thumbnail="https://example.org/a.png")])
    for renderer in (DEFAULT, COMPACT, with_pictures(tmp_path, "false")):
        html = renderer.render(given).html
        assert "<img" not in html
        assert "a.png" not in html


def test_the_compact_theme_has_headlines_and_one_line_of_each() -> None:
    rendered = COMPACT.render(issue())
    html = re.sub(r"<[^>]+>", "", rendered.html)
    for part in ("142 votes", "Mar 2", "Why this: State spaces", "612 new, 34 matched"):
        assert part in " ".join(html.split())
        assert part in " ".join(rendered.text.split())
    assert "Also matched, not shown above:" in html
    assert "Also matched, not shown above:" in rendered.text
    for part in ("We study", "A tiny gate", "Author Number1", "PDF"):
        assert part not in html
        assert part not in rendered.text
    assert html_links(rendered.html) == text_links(rendered.text)
    # The titles of the receipt, and the footer's.
    assert len(html_links(rendered.html)) == 5 + 20 + 3


@pytest.mark.parametrize("count", [0, 12, 60, 100])
def test_the_compact_theme_has_room_for_every_issue(count: int) -> None:
    given = [replace(rich(), score=n) for n in range(count)]
    sections = [Section(heading=f"Part {n}", matches=(m,)) for n, m in enumerate(given)]
    for each in (issue(given), issue(sections=sections), close_issue()):
        rendered = COMPACT.render(each)
        assert len(rendered.html.encode()) < 100_000
        assert html_links(rendered.html) == text_links(rendered.text)
        assert rendered.html == COMPACT.render_plainly(each).html
        assert rendered.text == COMPACT.render_plainly(each).text


# --- themes -----------------------------------------------------------------------


def slowest(given: ThemeRenderer, *, folder: Path) -> str:
    """Render by the oracle: Jinja first, then MJML, for this one mail."""
    theme = load_theme(given.theme, folders=(folder,))
    env = environment(theme.files)
    seen = view(issue(several()), language=theme.language or "en", fit=Fit())
    mjml = env.get_template("body.mjml.j2").render(issue=seen)
    return to_html(mjml.strip(), file="body.mjml.j2")


def test_compiled_once_or_per_mail_is_the_same_html() -> None:
    html = DEFAULT.render(issue(several())).html
    oracle = slowest(DEFAULT, folder=REPOSITORY / "templates")
    assert same_but_white_space(html, oracle)


def test_the_hash_covers_names_and_contents_of_all_files(tmp_path: Path) -> None:
    folder = write_theme(tmp_path)
    first = load_theme("plain", folders=(folder,)).hash
    assert load_theme("plain", folders=(folder,)).hash == first
    (folder / "plain" / "extra.html.j2").write_text("x")
    second = load_theme("plain", folders=(folder,)).hash
    (folder / "plain" / "extra.html.j2").rename(folder / "plain" / "extrb.html.j2")
    third = load_theme("plain", folders=(folder,)).hash
    (folder / "plain" / ".extra.swp").write_text("an editor's own")
    assert len({first, second, third}) == 3
    renderer = load_renderer("plain", folders=(folder,))
    assert (renderer.theme, renderer.theme_hash) == ("plain", third)


def test_the_operators_theme_comes_before_ours(tmp_path: Path) -> None:
    (write_theme(tmp_path) / "plain").rename(tmp_path / "default")
    renderer = load_renderer("default", folders=(tmp_path,))
    assert renderer.render(issue()).text == "Daily Papers\n"


@pytest.mark.parametrize("name", ["", "../default", "de/fault", ".", "a" * 65])
def test_a_theme_is_named_never_pathed(name: str) -> None:
    with pytest.raises(ThemeError, match="is no name of a theme"):
        load_theme(name, folders=())


def test_a_theme_that_is_nowhere_names_the_folders(tmp_path: Path) -> None:
    with pytest.raises(ThemeError, match=re.escape(str(tmp_path))):
        load_theme("nowhere", folders=(tmp_path,))


@pytest.mark.parametrize(
    ("files", "file", "line", "message"),
    [
        ({"subject_txt": "a\n{{ issue. }}"}, "subject.txt.j2", 2, "expected name"),
        ({"body_txt": "{% if x %}"}, "body.txt.j2", 1, "end of template"),
        ({"body_mjml": "<mjml>\n{% nothing %}</mjml>"}, "body.mjml.j2", 2, "nothing"),
        (
            {"body_mjml": "<mjml><mj-body>\n<mj-raw><p>a</mj-raw></mj-body></mjml>"},
            "body.mjml.j2",
            2,
            "does not parse",
        ),
    ],
)
def test_a_broken_theme_is_refused_with_its_place(
    tmp_path: Path, files: dict[str, str], file: str, line: int, message: str
) -> None:
    with pytest.raises(ThemeError, match=message) as caught:
        plain_renderer(tmp_path, **files)
    assert (caught.value.file, caught.value.line) == (file, line)


def test_a_missing_file_of_a_theme_is_named(tmp_path: Path) -> None:
    folder = write_theme(tmp_path)
    (folder / "plain" / "body.txt.j2").unlink()
    with pytest.raises(ThemeError, match=r"has no body\.txt\.j2"):
        load_renderer("plain", folders=(folder,))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"language = 1", "takes text"),
        (b"images = 'yes'", "images is 'yes'; it takes true or false"),
        (b"colour = 1", "unknown key 'colour'"),
        (b"language", r"theme\.toml: "),
        (b"\xff", "not UTF-8"),
        (None, r"no theme\.toml"),
    ],
)
def test_a_broken_theme_toml_is_refused(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = write_theme(tmp_path) / "plain" / "theme.toml"
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(ThemeError, match=message):
        load_theme("plain", folders=(tmp_path,))


@pytest.mark.parametrize(
    ("files", "template", "line", "message"),
    [
        ({"subject_txt": "\n{{ nobody }}"}, "subject.txt.j2", 2, "undefined"),
        ({"body_txt": "\n\n{{ 1 + 'a' }}"}, "body.txt.j2", 3, "unsupported"),
        ({"body_txt": "{{ issue.__class__.x() }}"}, "body.txt.j2", 1, "unsafe"),
        ({"body_txt": "{% include 'no.txt.j2' %}"}, "body.txt.j2", 1, "no.txt.j2"),
        (
            {
                "body_mjml": "{% set a = 1 %}\n<mjml><mj-body>\n<mj-raw>{{ a }}"
                "<p\n>{{\n\n  nobody }}</p></mj-raw></mj-body></mjml>"
            },
            "body.mjml.j2",
            6,
            "undefined",
        ),
    ],
)
def test_a_theme_that_fails_on_a_mail_names_its_place(
    tmp_path: Path, files: dict[str, str], template: str, line: int, message: str
) -> None:
    renderer = plain_renderer(tmp_path, **files)
    with pytest.raises(RenderError, match=message) as caught:
        renderer.render(issue())
    assert (caught.value.template, caught.value.line) == (template, line)


def test_a_theme_whose_frame_alone_is_too_large_is_an_error(tmp_path: Path) -> None:
    renderer = plain_renderer(
        tmp_path,
        body_mjml="<mjml><mj-body><mj-raw>{{ 'x' * 100000 }}</mj-raw></mj-body></mjml>",
    )
    with pytest.raises(RenderError, match="make the frame of theme 'plain' smaller"):
        renderer.render(issue())


def test_a_listing_day_stands_in_for_a_publishing_day() -> None:
    assert LISTED.day == 2
    assert "Mar 2" in DEFAULT.render(issue([match(1)])).text
