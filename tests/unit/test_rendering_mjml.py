from __future__ import annotations

import pytest
from jinja2 import Environment

from newsletter.errors import ThemeError
from newsletter.rendering.mjml import compile_mjml, to_html


def body(inner: str) -> str:
    return f"<mjml><mj-body>{inner}</mj-body></mjml>"


def column(inner: str) -> str:
    return body(f"<mj-section><mj-column>{inner}</mj-column></mj-section>")


def filled(source: str, **values: object) -> str:
    compiled = compile_mjml(source, file="x.j2")
    return Environment(autoescape=True).from_string(compiled.source).render(**values)


def test_control_flow_survives_between_rows() -> None:
    html = filled(
        column("{% for n in range(3) %}<mj-text>n{{ n }}</mj-text>{% endfor %}")
    )
    assert [html.count(f">n{n}<") for n in range(4)] == [1, 1, 1, 0]


def test_operators_and_quotes_within_tags_survive() -> None:
    html = filled(
        column(
            "{% if 1 < n and '%}' != \"}}\" %}<mj-text>"
            '<a href="{{ \'a"b\' if n < 3 else "}}" }}">x</a></mj-text>{% endif %}'
        ),
        n=2,
    )
    assert '<a href="a&#34;b">x</a>' in html


def test_jinjas_comments_are_dropped() -> None:
    assert "secret" not in filled(body("{# secret <b> #}<mj-raw>a</mj-raw>"))


def test_what_stands_before_the_root_is_kept() -> None:
    assert ">7<" in filled("{% set n = 7 %}\n" + column("<mj-text>{{ n }}</mj-text>"))


def test_text_that_looks_like_a_marker_is_text() -> None:
    compiled = compile_mjml(column("<mj-text>{{ t }}</mj-text>"), file="x.j2")
    title = "<!--nl000000000000s0000e--> nl000000000000x0000e"
    html = Environment(autoescape=True).from_string(compiled.source).render(t=title)
    assert "&lt;!--nl000000000000s0000e--&gt; nl000000000000x0000e" in html


def test_no_font_is_asked_for() -> None:
    html = to_html(column('<mj-text font-family="Roboto">x</mj-text>'), file="x.j2")
    assert "fonts.googleapis" not in html


def test_errors_are_traced_to_the_themes_line() -> None:
    source = "{% set a = 1 %}\n\n" + column(
        "\n<mj-text>{{ a }} and\n{{ a +\n a }}</mj-text>\n{% if a %}{% endif %}"
    )
    compiled = compile_mjml(source, file="x.j2")
    lines = compiled.source.split("\n")
    assert compiled.theme_line(1) == 1
    for words, line in ((" a ", 4), (" a +", 5), ("  a ", 6), (" if a ", 7)):
        at = next(
            n for n, text in enumerate(lines, 1) if text == words.replace("  ", " ")
        )
        assert compiled.theme_line(at) in {line, 4}
    assert compiled.theme_line(lines.index(" a +") + 1) == 5
    assert compiled.theme_line(lines.index(" if a ") + 1) == 7


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        (
            body("\n<mj-raw><p {% if a %}b{% endif %}>c</p></mj-raw>"),
            2,
            "angle brackets",
        ),
        (body("\n{% raw %}{{ a }}{% endraw %}"), 2, "cannot stand in MJML"),
        (body("\n\n{% include 'a' %}"), 3, "cannot stand in MJML"),
        (
            (
                "<mjml><mj-head>\n<mj-preview>{% if a %}b{% endif %}</mj-preview>"
                "</mj-head><mj-body></mj-body></mjml>"
            ),
            2,
            "is dropped",
        ),
        (body("\n<mj-section>\n<mj-column></mj-section>"), 3, "does not parse"),
        (body("\n<p>a<br></p></i></b>"), 2, "does not parse"),
        (
            (
                "<mjml><mj-body><mj-raw>{% if a %}b{% endif %}</mj-raw></mj-body>\n"
                "<mj-head><mj-raw>{% if c %}d{% endif %}</mj-raw></mj-head></mjml>"
            ),
            1,
            "is moved",
        ),
        (column("\n<mj-text mj-class='{{ a }}'>x</mj-text>"), 2, "is dropped"),
        (body("\n<mj-include path='a' />"), None, "mj-include left out"),
        ("\n<mjml><mj-body>\n<mj-raw><br />", 3, "does not parse"),
        ("nothing", None, "does not parse"),
    ],
)
def test_what_the_compiler_cannot_keep_is_refused_with_its_line(
    source: str, line: int | None, message: str
) -> None:
    with pytest.raises(ThemeError, match=message) as caught:
        compile_mjml(source, file="body.mjml.j2")
    assert (caught.value.file, caught.value.line) == ("body.mjml.j2", line)
