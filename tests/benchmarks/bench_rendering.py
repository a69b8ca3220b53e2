"""One mail of ten cards: MJML compiled once, or anew for every mail."""

from __future__ import annotations

from newsletter.model import Section
from newsletter.rendering import load_renderer, load_theme, templates
from newsletter.rendering.mjml import compile_mjml, to_html
from newsletter.rendering.themes import BODY_MJML
from newsletter.rendering.view import Fit, view
from tests.benchmarks.harness import Bench
from tests.support.issues import issue, rich, same_but_white_space, several

TEN = (*several(), *several()[1:], rich())
ISSUE = issue(sections=(Section(heading="", matches=TEN),))


def test_mjml_once_or_per_mail(bench: Bench) -> None:
    theme = load_theme("default", folders=())
    per_mail = templates.environment(theme.files).get_template(BODY_MJML)
    compiled = compile_mjml(theme.source(BODY_MJML), file=BODY_MJML)
    files = {**theme.files, BODY_MJML: compiled.source}
    once = templates.environment(files).get_template(BODY_MJML)
    seen = view(ISSUE, language=theme.language, fit=Fit())

    def mjml_per_mail() -> str:
        return to_html(per_mail.render(issue=seen), file=BODY_MJML)

    def jinja_per_mail() -> str:
        return once.render(issue=seen)

    assert same_but_white_space(mjml_per_mail(), jinja_per_mail())
    renderer = load_renderer("default", folders=())
    bench(
        f"one mail of {len(TEN)} cards, {len(jinja_per_mail()) // 1000} KB of HTML",
        {
            "Jinja, then MJML for every mail": mjml_per_mail,
            "MJML once, Jinja for every mail": jinja_per_mail,
            "the latter with view, subject and text": lambda: renderer.render(ISSUE),
        },
    )
