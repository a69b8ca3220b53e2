"""Five hundred mails: made anew each, by MJML compiled once, by sharing.

The five hundred readers look for different words, so their highlights differ;
all get twelve cards of the same sixty entries. Each way renders and encodes
all of it: subject, HTML, text, header fields and both bodies.
"""

from __future__ import annotations

from email import message_from_bytes, policy

from newsletter import mime
from newsletter.model import Issue, Rendered
from newsletter.rendering import load_renderer, load_theme, templates
from newsletter.rendering.mjml import to_html
from newsletter.rendering.themes import BODY_MJML
from newsletter.rendering.view import Fit, view
from newsletter.rendering.ways import plain_way
from tests.benchmarks.harness import Bench
from tests.support.generated import made_issue, wanted
from tests.support.issues import same_but_white_space
from tests.support.plain_mail import plain_mail

MAILS = 500
ISSUES = tuple(made_issue(reader, cards=12, more=20) for reader in range(MAILS))


def _html(content: bytes) -> str:
    part = message_from_bytes(content, policy=policy.default).get_body(("html",))
    return "" if part is None else str(part.get_content())


def test_mails_anew_by_the_compiled_theme_and_by_sharing(bench: Bench) -> None:
    assert len({frozenset(wanted(reader)) for reader in range(MAILS)}) == MAILS
    theme = load_theme("default", folders=())
    plain = plain_way(templates.environment(theme.files), {})
    warm = load_renderer("default", folders=())

    def anew(issue: Issue) -> bytes:
        """Jinja, then MJML, then the email package, for this one mail."""
        seen = view(issue, language=theme.language or "en", fit=Fit())
        rendered = Rendered(
            subject=plain.subject(seen).strip(),
            html_parts=(to_html("".join(plain.html(seen)), file=BODY_MJML),),
            text_parts=plain.text(seen),
        )
        return plain_mail(rendered, issue)

    def compiled(issue: Issue) -> bytes:
        return plain_mail(warm.render_plainly(issue), issue)

    def shared(issue: Issue) -> bytes:
        return mime.build_message(warm.render(issue), issue)

    def from_empty() -> list[bytes]:
        warm.shelf.clear()
        return [shared(issue) for issue in ISSUES]

    assert [shared(issue) for issue in ISSUES] == [compiled(i) for i in ISSUES]
    first = ISSUES[0]
    assert same_but_white_space(_html(anew(first)), _html(shared(first)))
    hits = warm.shelf.found / warm.shelf.asked
    size = sum(len(warm.render(issue).html.encode()) for issue in ISSUES) // MAILS
    bench(
        f"{MAILS} mails of 12 cards and 20 titles, {size // 1000} KB of HTML each;"
        f" hits {hits:.0%}, {warm.shelf.size // 1000} KB kept",
        {
            "Jinja, MJML, email package": lambda: [anew(i) for i in ISSUES],
            "MJML once, Jinja, email package": lambda: [compiled(i) for i in ISSUES],
            "shared, from an empty shelf": from_empty,
            "shared": lambda: [shared(i) for i in ISSUES],
        },
    )
