"""What must hold of every mail, whatever is in it: findings in words.

    mail -> findings(mail): nothing, or what is wrong and where

What other programs say of mails is beside: SpamAssassin over many at once, and
the checks of npm (is this MJML, which clients will not show this).
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from pathlib import Path
from typing import Any

from tests.support.issues import html_links, text_links

#: Octets of HTML; beyond 102,400 Gmail cuts a mail.
MOST_HTML = 100_000
SPAM_BELOW = 0.5
REPOSITORY = Path(__file__).resolve().parents[2]

#: What only a template has. Prose may hold braces: two of them with a name of
#: ours, or the signs of a tag, are none.
_UNEXPANDED = re.compile(
    r"\{\{\s*(?:issue|card|entry|section|parts|run|link|loop|text|say)\b"
    r"|\{%-?\s*\w|</?mj-\w+|<!--\s*nl\w+|\bnl0\w*e\b"
)
#: Commands of TeX and what stands around formulas: a word after a backslash,
#: a script in braces, a formula between two dollars.
_TEX = re.compile(
    r"\\(?:[a-zA-Z]{2,}\b|[{}$%&_#]|['\"^`~=.][a-zA-Z{])"
    r"|[_^]\{|\$[^$\s][^$\n]{0,80}?[\\_^{][^$\n]{0,80}?\$"
)
_ENTITY = re.compile(r"&(?:[a-zA-Z]{2,31}|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")
#: What makes a mail program ask somebody: links are asked only when followed.
_REMOTE = re.compile(
    r"""<(?:img|link|script|iframe|object|embed|video|audio|source|form|base)\b
    |\bsrc\s*=|\bbackground\s*=|\bsrcset\s*=|@import|url\s*\(""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail and its two parts."""

    raw: bytes
    message: EmailMessage
    text: str
    html: str


def read(raw: bytes) -> Mail:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    return Mail(
        raw=raw,
        message=message,
        text=plain.get_content().replace("\r\n", "\n"),
        html=html.get_content().replace("\r\n", "\n"),
    )


def seen(html: str) -> str:
    """Return what people read of *html*: no tags, no styles."""
    bare = re.sub(r"<style\b.*?</style>|<!--.*?-->", " ", html, flags=re.DOTALL)
    return unescape(re.sub(r"<[^>]*>", "", bare))


def findings(mail: Mail) -> Iterator[str]:
    """Yield what is wrong with a mail."""
    size = len(mail.html.encode())
    if size > MOST_HTML:
        yield f"HTML of {size} octets"
    html, text = html_links(mail.html), text_links(mail.text)
    if html != text:
        unlike = [pair for pair in zip(html, text, strict=False) if len({*pair}) > 1]
        yield f"links differ: {len(html)} and {len(text)}, first {unlike[:1]}"
    # What stands between tags is read by people alone.
    tags = "".join(re.findall(r"<style\b.*?</style>|<[^>]*>", mail.html, re.DOTALL))
    if remote := _REMOTE.search(tags):
        yield f"asks somebody: {_around(tags, remote)}"
    parts = {"text": mail.text, "HTML": seen(mail.html)}
    for name, part in parts.items():
        # Addresses hold any characters.
        prose = re.sub(r"(?:https?://|mailto:)\S+", "", part)
        for what, pattern in (
            ("template", _UNEXPANDED),
            ("TeX", _TEX),
            ("entity", _ENTITY),
        ):
            if found := pattern.search(prose):
                yield f"{what} in the {name}: {_around(prose, found)}"


def _around(text: str, found: re.Match[str]) -> str:
    return text[max(0, found.start() - 40) : found.end() + 40]


def lint_by(judges: Path) -> Callable[[bytes], list[str]]:
    """Return the independent lint of octets, but for what only signing brings."""
    spec = importlib.util.spec_from_file_location("judge", judges / "mail_lint.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def lint(raw: bytes) -> list[str]:
        return [said for said in module.lint(raw) if not said.startswith("DKIM ")]

    return lint


def spam_scores(
    program: str, files: Sequence[Path]
) -> dict[Path, tuple[float, frozenset[str]]]:
    """Return the score of each mail and the rules that it met.

    One process takes them all: to start it costs as much as twenty mails.
    """
    ended = subprocess.run(  # noqa: S603 - our own words, no shell
        [program, "-L", "-t", *map(str, files)],
        capture_output=True,
        check=False,
        timeout=3000,
    )
    said = re.findall(
        rb"^X-Spam-Status: \w+, score=(-?[\d.]+) .*?tests=(.*?)\s+autolearn=",
        ended.stdout,
        re.MULTILINE | re.DOTALL,
    )
    assert len(said) == len(files), ended.stderr[-2000:]
    return {
        file: (float(score), frozenset(re.findall(r"\w+", rules.decode())))
        for file, (score, rules) in zip(files, said, strict=True)
    }


def mjml_faults(browser: Mapping[str, str], theme: Path) -> list[str]:
    """Return what npm's MJML, strict, has against the source of a theme."""
    faults: list[str] = _ask_node(browser, "mjml.mjs", theme)
    return faults


def unshown(browser: Mapping[str, str], *mails: Path) -> dict[str, int]:
    """Return which features some mail clients do not show, and how many of them."""
    return dict(_ask_node(browser, "caniemail.mjs", *mails))


def _ask_node(browser: Mapping[str, str], script: str, *files: Path) -> Any:  # noqa: ANN401 - what json gives
    ended = subprocess.run(  # noqa: S603 - our own words, no shell
        [browser["NODE"], str(REPOSITORY / "tests/browser" / script), *map(str, files)],
        env=dict(browser),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)
