"""Every mail of days of real papers, in every theme: what must hold of each.

Readers differ in what they ask for, in order, sections, limits and language;
each theme of templates/ renders every issue of theirs.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from pathlib import Path

import pytest

from newsletter.app import open_app
from tests.conftest import missing
from tests.support import mail_checks
from tests.support.corpus import load_publisher, serve_corpus
from tests.support.web import HttpServer

REPOSITORY = Path(__file__).parents[2]
FIRST = date(2026, 5, 11)
THEMES = sorted(
    path.name
    for path in (REPOSITORY / "templates").iterdir()
    if (path / "theme.toml").is_file()
)
#: English is in the themes themselves.
LANGUAGES = (
    "en",
    *sorted(x.name for x in (REPOSITORY / "newsletter" / "locale").glob("[a-z]*")),
)
#: Rules of SpamAssassin that together give a tenth of a point at most.
HARMLESS = frozenset({"HTML_MESSAGE", "NO_RECEIVED", "NO_RELAYS", "TRACKER_ID"})
#: Rules about the words of an abstract, which are not ours: ten long words in a
#: row (LONGWORDS, 2.2), "this ad" (1.0). Nothing else may come with them.
PROSE = frozenset({"LONGWORDS", "THIS_AD"})
INTERESTS = (
    '["diffusion"]',
    '["source:hf"]',
    "[]",
    '["agent*", { query = \'"language model*"\', name = "Language models" }]',
    '[\'"reinforcement learning" OR title:reward*\', "robot*"]',
    '["video", "benchmark AND NOT robot*"]',
    '["source:arxiv AND (proof OR bound* OR theor*)"]',
    '["\\"deep learning\\""]',
    '["category:stat.ML", "category:math.OC", "quantum OR photon*"]',
    '["author:wang", "author:müller", "graph*"]',
    '["speech OR audio", { query = "medical", name = "<b>Health & co</b>" }]',
    '["energy OR carbon", "nothing-is-called-this"]',
    '["nothing-is-called-this-at-all"]',
)
EXTRAS = (
    'order = "relevance"',
    'order = "votes"\nmax_items = 30\nsections = "source"',
    'order = "newest"\nsections = "interest"\nmutes = ["survey"]',
    'sections = "interest"\nfill = true\nmax_items = 15',
    'max_items = 100\nsections = "source"',
)


def readers() -> str:
    """Return a table of readers: each interest twice, the rest in turn."""
    extras, languages = cycle(EXTRAS), cycle(LANGUAGES)
    tables = (
        f'[[subscribers]]\naddress = "r{number:02}@example.org"\n'
        f'name = "{"R. أدا" if number % 3 else "Zoë"}"\nskip_empty = false\n'
        f'language = "{next(languages)}"\n{next(extras)}\ninterests = {interests}\n'
        for number, interests in enumerate(INTERESTS * 2)
    )
    return "\n".join(tables)


def mails(
    root: Path, corpus: Path, server: HttpServer, days: int
) -> Iterator[tuple[str, bytes]]:
    """Yield every mail of so many days, in each theme, with what to call it."""
    folder = root / "config"
    folder.mkdir()
    publisher = load_publisher(corpus)
    head = (
        '[newsletter]\ntitle = "Corpus"\nfrom = "Digest <digest@example.org>"\n'
        'base_url = "https://digest.example.org"\n'
        'postal_address = "Example Society, 1 Sample Street"\n'
    )
    tables = serve_corpus(publisher, server)
    (folder / "newsletter.toml").write_text(head + tables, "utf-8")
    (folder / "subscribers.toml").write_text(readers(), "utf-8")
    environ = {k: v for k, v in os.environ.items() if not k.startswith("NEWSLETTER_")}
    for day in (FIRST + timedelta(days=n) for n in range(days)):
        publisher.now = datetime(day.year, day.month, day.day, 9, 0, tzinfo=UTC)
        with open_app(folder, environ) as app:
            assert not app.run(at=publisher.now, everyone=True).is_trouble
    with open_app(folder, environ) as app:
        for row in app.store.ledger.recent(limit=10_000):
            issue = app.assembler.issue(row.record)
            for theme in THEMES:
                mail = app.assembler.make_of(replace(issue, theme=theme))
                name = f"{theme} {row.record.slot:%m-%d} {row.record.address}"
                yield f"{name} {issue.language}", mail.content


def check(given: Iterator[tuple[str, bytes]], judges: Path, folder: Path) -> int:
    """Write the mails, and compare what is wrong with them with nothing."""
    lint = mail_checks.lint_by(judges)
    wrong: list[str] = []
    for name, raw in given:
        (folder / f"{name}.eml").write_bytes(raw)
        said = [*mail_checks.findings(mail_checks.read(raw)), *lint(raw)]
        wrong += (f"{name}: {finding}" for finding in said)
    assert not wrong, f"{len(wrong)} findings\n" + "\n".join(wrong[:40])
    return len([*folder.iterdir()])


def test_every_mail_of_a_day_is_sound(
    tmp_path: Path, shared: Path, judges: Path, http_server: HttpServer
) -> None:
    corpus = shared / "corpus" / "papers.jsonl.gz"
    box = tmp_path / "mails"
    box.mkdir()
    count = check(mails(tmp_path, corpus, http_server, 1), judges, box)
    assert count == 26 * len(THEMES)


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_every_mail_of_twenty_days_is_sound_and_no_spam(
    tmp_path: Path, shared: Path, judges: Path, http_server: HttpServer
) -> None:
    program = shutil.which("spamassassin") or missing("spamassassin is not installed")
    corpus = shared / "corpus" / "papers.jsonl.gz"
    box = tmp_path / "mails"
    box.mkdir()
    count = check(mails(tmp_path, corpus, http_server, 20), judges, box)
    assert count == 20 * 26 * len(THEMES)
    scores = mail_checks.spam_scores(program, sorted(box.iterdir()))
    rules = Counter(rule for _, met in scores.values() for rule in met)
    spam = {
        path.stem: (score, met)
        for path, (score, met) in scores.items()
        if score >= mail_checks.SPAM_BELOW and not met <= HARMLESS | PROSE
    }
    assert not spam, f"{len(spam)} of {count}; rules {rules.most_common(9)}: {spam}"
    assert rules["LONGWORDS"] + rules["THIS_AD"] < count / 50
