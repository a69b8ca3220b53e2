"""Themes judged as a person's are: in a real process, with its real limits."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from newsletter.accepting import Severity, ThemeVerdict
from newsletter.rendering.judging import judge
from newsletter.rendering.judging.child import faults_of
from newsletter.rendering.judging.samples import samples
from newsletter.rendering.shipped import SHIPPED
from newsletter.rendering.themes import load_theme
from newsletter.theming import judge_named
from tests.support.themes import (
    BETWEEN,
    BODY,
    HERE,
    PARTS,
    SETTINGS,
    SUBJECT,
    TEXT,
    THERE,
    Planted,
    body,
    plant,
)

LOOP = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
#: By the clock; the limits are the mechanism, this only sees that they work.
PATIENCE_S = 20


def found(folder: Path, *changes: Planted) -> ThemeVerdict:
    """Return what is found in this process, without limits."""
    plant(folder, *changes)
    theme = load_theme("mine", folders=[folder])
    faults = tuple(faults_of(theme, tell=lambda _: None))
    return ThemeVerdict(theme="mine", theme_hash=theme.hash, faults=faults)


def judged(folder: Path, *changes: Planted) -> ThemeVerdict:
    """Return what a process with its limits finds."""
    plant(folder, *changes)
    begun = time.monotonic()
    verdict = judge_named("mine", folders=[folder])
    assert time.monotonic() - begun < PATIENCE_S
    assert verdict.is_final
    return verdict


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_shipped_is_accepted_without_a_warning(name: str) -> None:
    verdict = judge(load_theme(name, folders=()))
    assert verdict.is_accepted
    assert verdict.faults == ()


def test_the_hashes_of_what_is_shipped_are_written_down() -> None:
    packaged = Path(__file__).resolve().parents[2] / "templates"
    names = sorted(path.name for path in packaged.iterdir() if path.is_dir())
    found = {name: load_theme(name, folders=()).hash for name in names}
    assert found == SHIPPED, f"write into newsletter/rendering/shipped.py: {found}"


REFUSED = {
    "a tag that is not closed": (
        body("{{ issue.date }</p>"),
        "Jinja does not understand it",
    ),
    "a misspelt field": (body("{{ issue.dat }}</p>"), "issue has no dat"),
    "an unknown element": (
        body("    <mj-sektion>\n", BETWEEN),
        "MJML has no element mj-sektion",
    ),
    "an unknown attribute": (
        body('    <mj-section colour="red">\n', BETWEEN),
        "mj-section has no attribute colour",
    ),
    "a value of the wrong kind": (
        body('    <mj-section padding="34">\n', BETWEEN),
        "padding of mj-section is '34'",
    ),
    "an endless loop": (body(LOOP + HERE), "more time than 2 seconds"),
    "an endless loop in the text": (
        Planted(file=TEXT, old=THERE, new=LOOP + THERE),
        "more time than 2 seconds",
    ),
    "a text of 50 MB, constant": (
        body("{{ 'x' * 50000000 }}</p>"),
        "too large for any mail",
    ),
    "a text of 50 MB": (body("{{ issue.date[:1] * 50000000 }}</p>"), None),
    "a text of 5 GB": (body("{{ issue.date[:1] * 5000000000 }}</p>"), "256 MB"),
    "a text of 2 MB": (body("{{ issue.date[:1] * 2000000 }}</p>"), "over 1,000 KB"),
    "a number without end, constant": (
        body("{{ 10 ** (10 ** 10) }}</p>"),
        "too large for any mail",
    ),
    "a file that is included": (
        body('    <mj-include path="/etc/hostname" />\n' + BETWEEN, BETWEEN),
        "mj-include reads a file of this machine",
    ),
    "styles to be inlined": (
        body('<mj-style inline="inline">', "<mj-style>"),
        "does not put styles into elements",
    ),
    "CDATA": (body("<![CDATA[x]]></p>"), "does not read CDATA"),
    "a paragraph that is not closed": (body("{{ issue.date }}"), "does not parse"),
    "a statement within a tag": (
        body(
            '    <mj-section {% if issue.count %}padding="3px"{% endif %}>\n', BETWEEN
        ),
        "inside an element's angle brackets",
    ),
    "a statement that MJML drops": (
        body(
            "<mj-preview>{% if issue.count %}x{% endif %}</mj-preview><mj-title>",
            "<mj-title>",
        ),
        "is dropped",
    ),
    "what the sandbox forbids": (
        body("{{ issue.__class__.__mro__ }}</p>"),
        "is unsafe",
    ),
    "a macro that calls itself": (
        Planted(
            file=PARTS,
            old="{% macro links(card) %}",
            new="{% macro links(card) %}{{ links(card) }}",
        ),
        "calls itself without end",
    ),
    "a text that is not escaped": (
        Planted(file=PARTS, old="{{ card.authors }}", new="{{ card.authors | safe }}"),
        "safe lets a text through",
    ),
    "escaping switched off": (
        body("{% autoescape false %}{{ issue.date }}{% endautoescape %}</p>"),
        "autoescape",
    ),
    "a file that is not there": (
        body(
            '{% import "pieces.html.j2" as parts %}',
            '{% import "parts.html.j2" as parts %}',
        ),
        "no file 'pieces.html.j2'",
    ),
    "no way to leave": (
        body("{% if false %}", "{% if issue.sender.unsubscribe_url %}"),
        "the link to unsubscribe is missing",
    ),
    "no way to the preferences": (
        Planted(
            file=TEXT, old="{% if issue.sender.preferences_url %}", new="{% if false %}"
        ),
        "the link to the preferences is missing",
    ),
    "grey on white": (
        body(
            'color:#999999">{% if issue.count and',
            'color:#655e53">{% if issue.count and',
        ),
        "#999999 on #ffffff is hard to read (contrast 2.8",
    ),
    "grey on black": (
        body(
            ".soft, .pad .soft { color: #444444", ".soft, .pad .soft { color: #b3aa9c"
        ),
        "hard to read in dark mode",
    ),
    "an image from elsewhere": (
        body('<img alt="" src="https://example.org/t.gif" />' + HERE),
        "https://example.org/t.gif is loaded when the mail is read",
    ),
    "a link of the HTML alone": (
        body('<a href="https://example.org/home">home</a></p>'),
        "https://example.org/home stands where the text part has",
    ),
}


#: What needs the limits, or has shown that it is told from one process to another.
APART = frozenset(
    {
        "a tag that is not closed",
        "an unknown element",
        "an endless loop",
        "an endless loop in the text",
        "a text of 50 MB, constant",
        "a text of 50 MB",
        "a text of 5 GB",
        "a file that is included",
    }
)


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_named_with_its_line(case: str, tmp_path: Path) -> None:
    change, said = REFUSED[case]
    verdict = (judged if case in APART else found)(tmp_path, change)
    assert not verdict.is_accepted
    first = verdict.errors[0]
    assert said is None or said in str(first), first
    assert first.file == change.file
    assert first.line is not None
    # A line may be off by the lines that the change itself has.
    assert 0 <= first.line - change.line() <= 1, (first, change.line())
    assert first.cure


def test_a_computation_that_python_cannot_leave_is_killed(tmp_path: Path) -> None:
    # One call, within which no signal is handled, and which takes minutes.
    change = body(
        "{% set a = issue.date[:1] %}{{ (a * 900000).rfind(a ~ 'b' ~ a * 400000) }}</p>"
    )
    (fault,) = judged(tmp_path, change).errors
    assert "stopped while rendering an issue without entries" in fault.what
    assert "time or memory" in fault.what


@pytest.mark.parametrize("file", [SUBJECT, BODY, TEXT, SETTINGS])
def test_a_missing_part_is_named(tmp_path: Path, file: str) -> None:
    theme = plant(tmp_path)
    (theme / file).unlink()
    (fault,) = judge_named("mine", folders=[tmp_path]).errors
    assert fault.file == file
    assert f"has no {file}" in fault.what


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ('language = "en"\n', "description is missing"),
        ('description = "x"\nlangage = "en"\n', "unknown key 'langage'"),
        ('description = "x"\nlanguage = 3\n', "language is 3"),
        ('description = "x\n', "theme.toml, line 1"),
        (
            'description = "x"\nlanguage = "en"\nimages = "yes"\n',
            "images is 'yes'",
        ),
    ],
)
def test_settings_that_are_wrong_are_named(
    tmp_path: Path, settings: str, said: str
) -> None:
    theme = plant(tmp_path)
    (theme / SETTINGS).write_text(settings, "utf-8")
    (fault,) = judge_named("mine", folders=[tmp_path]).errors
    assert said in str(fault)


def test_an_attribute_without_quotes_lets_a_text_out(tmp_path: Path) -> None:
    change = Planted(
        file=PARTS,
        old='href="{{ card.url }}" style',
        new='href="{{ card.url }}" title={{ card.title | plain }} style',
    )
    (fault,) = found(tmp_path, change).errors
    assert "gets out of where it is put" in fault.what


def test_a_text_in_a_style_is_refused(tmp_path: Path) -> None:
    change = body(
        "<mj-raw><style>.x { color: {{ issue.title }} }</style></mj-raw><mj-style>",
        "<mj-style>",
    )
    (fault,) = found(tmp_path, change).errors
    assert "style" in fault.what


def test_a_title_as_a_link_is_refused(tmp_path: Path) -> None:
    change = Planted(
        file=PARTS,
        old='{% if card.authors %}<p class="soft"',
        new='{% if card.authors %}<a href="{{ card.authors }}">x</a><p class="soft"',
    )
    (fault,) = found(tmp_path, change).errors
    assert fault.line is not None


WARNED = {
    "position": ("position:absolute;", "do not know position"),
    "flex": ("display:flex;", "do not know display: flex"),
    "grid": ("display:inline-grid;", "do not know display: grid"),
    "float": ("float:left;", "do not know float"),
    "var": ("width:var(--w);", "do not know var()"),
    "background image": (
        "background-image:url(data:image/gif;base64,x);",
        "do not know a background image",
    ),
}


@pytest.mark.parametrize("case", WARNED)
def test_what_mail_programs_do_not_show_is_a_warning(case: str, tmp_path: Path) -> None:
    style, said = WARNED[case]
    change = Planted(
        file=PARTS,
        old='<p class="soft small" style="',
        new=f'<p class="soft small" style="{style}',
    )
    verdict = found(tmp_path, change)
    assert verdict.is_accepted
    (fault,) = verdict.faults
    assert fault.severity is Severity.WARNING
    assert said in fault.what
    assert (fault.file, fault.line) == (PARTS, change.line())


@pytest.mark.parametrize(
    ("element", "said"),
    [
        ("<svg></svg>", "<svg>"),
        ("<video></video>", "<video>"),
        ("<form></form>", "<form>"),
        ('<img src="cid:x" />', "no alt text"),
        (
            '<a href="http://example.org/x">x</a>',
            "http://example.org/x is not encrypted",
        ),
    ],
)
def test_elements_that_do_no_good_are_named(
    tmp_path: Path, element: str, said: str
) -> None:
    change = body("{{ issue.date }}" + element + "</p>")
    faults = found(tmp_path, change).faults
    told = [fault for fault in faults if said in fault.what]
    assert [fault.severity for fault in told] == [Severity.WARNING]
    assert told[0].line == change.line()


def test_images_from_elsewhere_are_fine_where_the_theme_asks_for_them(
    tmp_path: Path,
) -> None:
    image = '<img alt="us" src="https://example.org/t.gif" />'
    theme = plant(tmp_path, body("{{ issue.date }}" + image + "</p>"))
    settings = (theme / SETTINGS).read_text("utf-8")
    wanted = settings.replace("images = false", "images = true")
    (theme / SETTINGS).write_text(wanted, "utf-8")
    assert judge_named("mine", folders=[tmp_path]).faults == ()


def test_a_heavy_theme_is_warned_of_and_one_too_heavy_refused(tmp_path: Path) -> None:
    heavy = Planted(
        file=PARTS,
        old="{{ why(card) }}\n",
        new='{{ why(card) }}<p>{{ "filler " * 900 }}</p>\n',
    )
    verdict = found(tmp_path / "a", heavy)
    assert verdict.is_accepted
    assert "KB of HTML" in verdict.faults[0].what
    verdict = found(tmp_path / "b", body('{{ "filler " * 15000 }}</p>'))
    assert "over 100000 bytes" in verdict.errors[0].what


def test_a_failure_of_the_check_itself_says_nothing_about_the_theme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A path that no process can start from stands for a machine that is ill.
    broken = tmp_path / "sitecustomize.py"
    broken.write_text("raise SystemExit('ill')")
    monkeypatch.setenv("PYTHONSTARTUP", str(broken))
    monkeypatch.setenv("PYTHONHOME", str(tmp_path))
    verdict = judge(load_theme("default", folders=()))
    assert not verdict.is_final
    assert not verdict.is_accepted
    assert "failed while starting" in verdict.errors[0].what


def test_the_child_sees_no_setting_and_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_SECRET", "s3cret")
    watch = tmp_path / "sitecustomize.py"
    watch.write_text(
        "import os, pathlib\n"
        f"seen = pathlib.Path({str(tmp_path / 'seen')!r})\n"
        "seen.write_text(repr(sorted(os.environ)))\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}")
    assert judge(load_theme("default", folders=())).is_final
    seen = (tmp_path / "seen").read_text()
    assert "PATH" in seen
    assert "NEWSLETTER" not in seen


def test_the_samples_are_what_they_say() -> None:
    by_name = {sample.name: sample.issue for sample in samples()}
    assert len(by_name) == len(samples())
    twelve = by_name["an issue of twelve entries"].selection
    assert len(twelve.matches) == 12
    assert all(match.reasons.interests for match in twelve.matches)
    long = by_name["an issue too long for a mail"].selection.matches[0]
    version = long.candidate.version
    assert len(version.summary) >= 20_000
    assert len(version.title) >= 500
    assert len(version.authors) == 438
