"""The quick way gives the bytes of the plain way, whatever it keeps."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter import mime
from newsletter.errors import RenderError
from newsletter.model import EntryVersion, Issue, Rendered, Section
from newsletter.quoting import Segment
from newsletter.rendering import ThemeRenderer, load_renderer
from newsletter.rendering.keeping import Kept, Shelf
from newsletter.rendering.templates import environment
from tests.support.generated import VERSIONS, made_issue
from tests.support.issues import (
    hostile,
    html_links,
    issue,
    match,
    rich,
    several,
    voted,
)
from tests.support.plain_mail import plain_mail

GOLDEN = Path(__file__).resolve().parents[1] / "data" / "golden"


def shared_part(rendered: Rendered) -> float:
    """Return how much of the HTML mails share, from 0 to 1."""
    shared = sum(len(p) for p in rendered.html_parts if isinstance(p, Segment))
    return shared / len(rendered.html)


def check(renderer: ThemeRenderer, issues: Iterable[Issue]) -> list[float]:
    """Hold both ways to each other; return how much each mail shares."""
    found = []
    for given in issues:
        quick, plain = renderer.render(given), renderer.render_plainly(given)
        # One part is the plain way's; it must not have stood in for the quick one.
        assert len(plain.html_parts) == 1
        assert len(quick.html_parts) > 1
        assert quick.subject == plain.subject
        assert quick.html == plain.html
        assert quick.text == plain.text
        assert mime.build_message(quick, given) == plain_mail(plain, given)
        found.append(shared_part(quick))
    return found


def test_many_mails_are_those_of_the_plain_way() -> None:
    renderer = load_renderer("default", folders=())
    shared = check(renderer, map(made_issue, range(60)))
    assert min(shared) > 0.3
    assert renderer.shelf.found / renderer.shelf.asked > 0.5


def test_the_same_card_may_match_for_one_and_come_close_for_another() -> None:
    renderer = load_renderer("default", folders=())
    given = made_issue(1)
    sections = given.selection.sections
    close = tuple(
        replace(
            section,
            is_close=True,
            matches=tuple(
                replace(each, reasons=replace(each.reasons, is_close=True))
                for each in section.matches
            ),
        )
        for section in sections
    )
    near = replace(given, selection=replace(given.selection, sections=close))
    check(renderer, [given, near, given])
    assert "Close to:" in renderer.render(near).html
    assert "Close to:" not in renderer.render(given).html


@pytest.mark.long
def test_five_hundred_mails_are_those_of_the_plain_way() -> None:
    renderer = load_renderer("default", folders=())
    assert min(check(renderer, map(made_issue, range(500)))) > 0.3
    assert renderer.shelf.found / renderer.shelf.asked > 0.8


@pytest.mark.long
def test_real_papers_are_those_of_the_plain_way(shared: Path) -> None:
    with gzip.open(shared / "corpus" / "papers.jsonl.gz", "rt", encoding="utf-8") as f:
        rows = [json.loads(line) for _, line in zip(range(4000), f, strict=False)]
    versions = [
        EntryVersion(
            id=number,
            entry_id=number,
            source="arxiv",
            title=row["title"],
            url=f"https://example.org/{row['id']}",
            summary=row["abstract"],
            authors=tuple(row["authors"]),
            published_at=datetime(2026, 3, 1 + number % 4, tzinfo=UTC),
        )
        for number, row in enumerate(rows[::10])
    ]
    renderer = load_renderer("default", folders=())
    issues = (made_issue(n, versions=versions) for n in range(500))
    assert min(check(renderer, issues)) > 0.3


# --- past mails -----------------------------------------------------------------


def test_mails_of_the_first_theme_are_what_they_were() -> None:
    """The hashes are of mails by the code before anything was shared."""
    renderer = load_renderer("first", folders=(GOLDEN,))
    for line in (GOLDEN / "mails.sha256").read_text("ascii").splitlines():
        name, digest = line.split()
        given = issue(several()) if name == "several" else made_issue(int(name))
        for _ in range(2):
            content = mime.build_message(renderer.render(given), given)
            assert hashlib.sha256(content).hexdigest() == digest, name


# --- texts that mean harm -----------------------------------------------------------

TEXTS = (
    "<script>alert(1)</script>",
    "{{7*7}} {% raw %} {# x #} {{ issue.__class__ }}",
    "</mj-text></mj-column> <mj-raw>",
    "<!--nl000000000000s0001e--> nl000000000000x0001e <!-- x",
    "one\r\nBcc: all@example.org\r\n\r\ntwo\rthree",
    "\N{FAMILY}\u200d\N{ROCKET}\ufe0f \u202edrow\u2066 \u2028 \x00\x1b \x85",
    "nl_piece_1 nl_kept = =3D =\n= " + "=" * 200,
    "t" * 500,
    "\ud800 \uffff half",
    "",
)


@pytest.mark.parametrize("text", TEXTS)
def test_hostile_texts_are_the_same_and_stay_text(text: str) -> None:
    renderer = load_renderer("default", folders=())
    given = match(
        7,
        text,
        "one",
        "script",
        summary=f"{text} " * (20_000 // (len(text) + 1)),
        authors=tuple(f"{text} {n}" for n in range(438)),
        tldr=text,
        language=text,
    )
    issues = [
        issue([given, hostile(), rich()]),
        issue([given], address="x@example.org"),
    ]
    check(renderer, issues + issues)
    rendered = renderer.render(issues[0])
    assert "<script" not in rendered.html
    assert "49" not in rendered.subject
    assert "\n" not in rendered.subject
    assert len(rendered.html.encode()) < 100_000
    head = mime.build_message(rendered, issues[0]).partition(b"\r\n\r\n")[0]
    assert b"\r\nBcc:" not in head


@pytest.mark.parametrize("count", [26, 40, 100, 200])
def test_crowded_mails_are_the_same_and_fit(count: int) -> None:
    renderer = load_renderer("default", folders=())
    matches = tuple(replace(rich(), score=n) for n in range(count))
    half = count // 2
    sections = (
        Section(heading="One", matches=matches[:half]),
        Section(heading="Two", matches=matches[half:]),
    )
    issues = [issue(matches), issue(sections=sections)]
    assert min(check(renderer, issues)) > 0.3
    assert len(renderer.render(issues[0]).html.encode()) < 100_000
    assert len(html_links(renderer.render(issues[0]).html)) >= count


# --- themes of all kinds ------------------------------------------------------------

PARTS = """\
{% macro mark(runs) %}{% for r in runs %}<i>{{ r.text }}</i>{% endfor %}{% endmacro %}
{% macro own(card) %}<p>{{ card.score }} {{ card.interests | join }}</p>{% endmacro %}
{% macro all(card, level=2, ruled=false) %}
{{ mark(card.title) }} {{ level }}{% if ruled %}<hr />{% endif %}
{{ own(card) }}
{% set said = card.authors ~ card.number %}{{ said }}
{% endmacro %}
{% macro own_names(card, level) %}
{% for level in card.badges %}{{ level }}{% endfor %}{{ level }}{{ card.score }}
{% endmacro %}
{% macro again(card, n) %}
{{ n }}{% if n %}{{ again(card, n - 1) }}{% endif %}
{% endmacro %}
{% macro link(card) %}
{% for link in card.links %}{{ link.url }}{% endfor %}
{% endmacro %}
"""
BODIES = {
    "a macro with defaults": "{{ parts.all(card) }}",
    "a macro with names": "{{ parts.all(card, ruled=loop.first, level=3) }}",
    "a macro too few": "{{ parts.all(card, true and 1, loop.index) }}",
    "a macro that calls itself": "{{ parts.again(card, 3) }}",
    "a macro whose name is a variable's": "{{ parts.link(card) }}",
    "macros by their own names": "{{ given(card) }}{{ own(card) }}{{ card.url }}",
    "what cannot be a key": "{% set a = [1] %}{{ card.url }}{{ a | join }}",
    "own and shared at once": "{{ card.score }}{{ card.title|plain }}{{ card.score }}",
    "own within a choice": (
        "{% if card.votes %}{{ card.votes }}{{ card.score }}{% else %}none{% endif %}"
    ),
    "a name set in a choice": (
        "{% set a = 'x' %}{% if card.score %}{% set a = card.score %}{% endif %}"
        "{{ a }}{{ card.url }}"
    ),
    "a name set outside": "{{ outside }}{% if card.votes %}{{ outside }}{% endif %}",
    "the loop itself": (
        "{{ loop.cycle('a', 'b') }}{{ loop.changed(card.date) }}{{ loop.index }}"
        "{{ loop.previtem.url if not loop.first else '' }}{{ card.url }}"
    ),
    "the card by another name": "{% set c = card %}{{ c.score }}{{ c.url }}",
    "the card as a whole": "{{ card | attr('score') }}{{ card.url }}",
    "the card by a key": "{{ card['score'] }}{{ card.url }}",
    "another card": "{% set card = section.cards[0] %}{{ card.url }}{{ card.number }}",
    "the reader": "{{ card.url }} for {{ issue.reader }} {{ issue.language }}",
    "a filter over a piece": (
        "{% filter upper %}{{ card.url }}{{ card.score }}{% endfilter %}"
    ),
    "a call with a body": (
        "{% macro box() %}<b>{{ caller() }}</b>{% endmacro %}"
        "{% call box() %}{{ card.url }}{{ card.number }}{% endcall %}"
    ),
    "a with": "{% with u = card.url, s = card.score %}{{ u }}{{ s }}{% endwith %}",
    "a store": (
        "{% set ns = namespace(n=0) %}{% for link in card.links %}"
        "{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}{{ card.url }}"
    ),
    "a capture": "{% set u %}<u>{{ card.url }}</u>{% endset %}{{ u }}{{ card.score }}",
    "another loop": (
        "{% for card in section.cards %}{{ card.number }}{{ card.url }}{% endfor %}"
    ),
    "equal but not alike": (
        "{% set k = 1 if loop.first else true %}{{ card.url }}{{ k }}"
    ),
    "a macro with names of its own": "{{ parts.own_names(card, loop.index) }}",
    "what is not escaped": "{{ card.url | safe }}{{ '<b>'|safe }}{{ card.score|safe }}",
    "names like those of ours": (
        "{% set nl_piece_1 = '<b>' %}{{ nl_piece_1 }}{{ card.url }}{{ nl_piece_1 }}"
    ),
    "messages": (
        '{{ _("TL;DR") }}{{ card.url }}{{ _("<b>%% & %(a)s %(b)s", b=card.score,'
        " a=card.title|plain) }}{{ _('%(a)s', a=card.votes) }}{{ _('') }}"
    ),
    "plural messages": (
        '{{ ngettext("%(num)s vote", "%(num)s votes", card.number) }}'
        '{{ ngettext("%(num)s & %(x)s", "%(num)ss", num=card.authors|length, x=1) }}'
    ),
    "messages that are not understood": (
        '{% set m = "TL;DR" %}{{ _(m) }}{{ _(*["%(x)s"], x=card.score) }}'
        '{{ _("%(x)s", **{"x": card.url}) }}{{ ngettext(m, m, 2) }}'
        '{{ _("100%") if card.number > 99 else "" }}'
    ),
    "a name for messages that is the theme's own": (
        "{% set _ = card.url %}{{ _ }}{% set issue = card %}{{ issue.language }}"
    ),
    "messages where escaping is turned off": (
        '{% autoescape false %}{{ _("<i>&") }}{{ "<i>" }}{{ card.title | plain }}'
        '{{ _("%(t)s", t=card.title|plain) }}{% endautoescape %}{{ _("<i>") }}'
    ),
    "markup in messages": (
        '{{ _("a < %(x)s", x=parts.mark(card.title)) }}{{ card.url | isolate }}'
    ),
    "numbers and sides": (
        "{{ 12345 | number }}{{ card.number | number }}{{ 'left' | mirror }}"
        "{{ '1 2 3 4' | mirror }}{{ issue.language }}{{ issue.direction }}"
    ),
    "carriage returns": "{{ card.url }}{{ '\\r\\n' }}{{ card.authors }}\\r",
    "a part of the file": "{% include 'piece.html.j2' %}{{ card.url }}",
}
MJML = """\
{{% import "parts.html.j2" as parts %}}{{% set outside = issue.count %}}
{{% from "parts.html.j2" import link as given, own %}}
<mjml><mj-body><mj-section><mj-column>
{{% for section in issue.sections %}}{{% for card in section.cards %}}
<mj-text>{body}</mj-text>
{{% endfor %}}{{% for line in section.lines %}}{{{{ line.title }}}}{{% endfor %}}
{{% endfor %}}
</mj-column></mj-section></mj-body></mjml>
"""
TEXT = (
    '{{% import "parts.html.j2" as parts %}}{{% set outside = issue.count %}}'
    '{{% from "parts.html.j2" import link as given, own %}}\n\n'
    "{{% for section in issue.sections %}}{{% for card in section.cards %}}\n"
    "{body}\n{{% endfor %}}{{% endfor %}}\n\n"
)


def theme(folder: Path, body: str, parts: str = PARTS) -> ThemeRenderer:
    """Return the renderer of a theme whose card is *body* in both parts."""
    own = folder / "own"
    own.mkdir()
    # A piece of a file is no MJML: it stands in a macro there.
    mjml_body = body if "include" not in body else "{{ parts.link(card) }}"
    files = {
        "subject.txt.j2": "{{ issue.count }}",
        "body.mjml.j2": MJML.format(body=mjml_body),
        "body.txt.j2": TEXT.format(body=body),
        "parts.html.j2": parts,
        "piece.html.j2": "{{ card.score }}{{ card.url }}",
        "theme.toml": "",
    }
    for name, content in files.items():
        (own / name).write_text(content, encoding="utf-8")
    return load_renderer("own", folders=(folder,))


@pytest.mark.parametrize("kind", BODIES)
def test_whatever_a_theme_does_both_ways_are_the_same(
    tmp_path: Path, kind: str
) -> None:
    renderer = theme(tmp_path, BODIES[kind])
    for language in ("en", "ar", "en", "ar"):
        check(renderer, (replace(made_issue(n), language=language) for n in range(12)))


def test_a_theme_that_fails_fails_alike_and_names_its_line(tmp_path: Path) -> None:
    renderer = theme(tmp_path, "{{ card.url }}\n{{ card.nothing }}")
    with pytest.raises(RenderError) as quick:
        renderer.render(issue())
    with pytest.raises(RenderError) as plain:
        renderer.render_plainly(issue())
    assert str(quick.value) == str(plain.value)
    assert (quick.value.template, quick.value.line) == ("body.mjml.j2", 6)


def test_what_the_quick_way_cannot_do_the_plain_way_does(tmp_path: Path) -> None:
    """Here a name is read that the template itself does not come to."""
    body = "{% if card.number == 0 %}{{ card.url }}{{ nobody.heading }}{% endif %}x"
    renderer = theme(tmp_path, body)
    for given in map(made_issue, range(3)):
        assert renderer.render(given) == renderer.render_plainly(given)


def test_a_theme_has_nothing_that_is_left_to_chance() -> None:
    env = environment({})
    assert "random" not in env.filters
    assert "lipsum" not in env.globals


def test_what_is_kept_is_hidden_from_themes(tmp_path: Path) -> None:
    renderer = theme(tmp_path, "{{ card._kept }}")
    with pytest.raises(RenderError, match="unsafe"):
        renderer.render(issue())


def test_the_default_theme_shares_all_of_a_card_but_its_reasons() -> None:
    renderer = load_renderer("default", folders=())
    given = issue([rich()])
    renderer.render(given)
    other = replace(rich(), reasons=replace(rich().reasons, interests=("Other",)))
    rendered = renderer.render(issue([other], address="bo@example.org"))
    loose = "".join(p for p in rendered.html_parts if not isinstance(p, Segment))
    for said in ("Mamba", "We study", "Author Number1", "142", "example.org/code"):
        assert said in rendered.html
        assert said not in loose
    assert "bo@example.org" in loose


# --- what is kept -------------------------------------------------------------------


def test_another_text_of_the_same_id_is_not_mistaken_for_the_first() -> None:
    renderer = load_renderer("default", folders=())
    for title in ("One", "Two", "One"):
        check(renderer, [issue([match(1, title)]), issue([match(1, title)])])
        assert title in renderer.render(issue([match(1, title)])).html


def test_whatever_differs_of_a_card_is_shown() -> None:
    renderer = load_renderer("default", folders=())
    base = voted(rich(), 5, "daily-papers")
    dated = replace(
        base.candidate.version, published_at=datetime(2025, 2, 3, tzinfo=UTC)
    )
    others = (
        base,
        voted(base, 6, "daily-papers"),
        voted(base, 5, "daily-papers", "arxiv"),
        replace(base, candidate=replace(base.candidate, version=dated)),
        replace(base, reasons=replace(base.reasons, title_places=((0, 5),))),
        replace(base, reasons=replace(base.reasons, summary_places=())),
        replace(base, reasons=replace(base.reasons, freshness_millis=100)),
        replace(base, reasons=replace(base.reasons, interests=("Other",))),
    )
    seen = set()
    for other in (*others, *others):
        given = issue([other])
        check(renderer, [given, issue([match(9), other])])
        seen.add(renderer.render(given).html)
    assert len(seen) == len(others)
    check(renderer, [issue([others[3]], timezone="America/New_York")])


def test_a_shelf_keeps_to_its_bound_and_what_was_used_of_late() -> None:
    shelf = Shelf(max_bytes=400_000)
    first = VERSIONS[0]
    made: list[int] = []

    def said(number: int) -> str:
        version = replace(first, id=number + 1)

        def make(kept: Kept) -> str:
            made.append(kept.version.id - 1)
            return f"view {number}"

        return shelf.said(number, version, str, make)

    for number in range(1000):
        assert said(number) == f"view {number}"
        assert said(0) == "view 0"
        assert shelf.size <= 200_000
    assert made.count(0) == 1
    said(1)
    assert made.count(1) == 2


def test_a_theme_that_makes_ever_more_of_a_card_is_not_kept_up_with() -> None:
    shelf = Shelf()
    kept = Kept(VERSIONS[0])
    made = [shelf.keep_piece(kept, number, f"piece {number}") for number in range(150)]
    assert made == [f"piece {number}" for number in range(150)]
    assert len(kept.pieces) == sum(isinstance(piece, Segment) for piece in made) == 100


def test_pieces_of_no_card_keep_to_the_bound_too() -> None:
    shelf = Shelf(max_bytes=400_000)
    for number in range(2000):
        shelf.keep_piece(None, number, "x" * 100)
        assert shelf.size <= 200_000
    assert shelf.loose(1999) == "x" * 100
    assert shelf.loose(0) is None
    shelf.clear()
    assert shelf.loose(1999) is None
    assert shelf.size == 0


def test_threads_share_one_renderer() -> None:
    renderer = load_renderer("default", folders=())
    issues = [made_issue(n % 20) for n in range(80)]
    plain = {i.key: renderer.render_plainly(i).html for i in issues}
    with ThreadPoolExecutor(4) as pool:
        rendered = list(pool.map(renderer.render, issues))
    assert [r.html for r in rendered] == [plain[i.key] for i in issues]


def test_segments_are_put_out_as_they_are() -> None:
    renderer = load_renderer("default", folders=())
    given = issue([rich()])
    one, two = renderer.render(given), renderer.render(given)
    same = [a is b for a, b in zip(one.html_parts, two.html_parts, strict=True)]
    kept = [isinstance(part, Segment) for part in two.html_parts]
    assert all(is_same for is_same, is_kept in zip(same, kept, strict=True) if is_kept)
    assert sum(kept) > 5
