"""What wants to run in a mail comes out of a feed as words, or not at all."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from newsletter.model import Listing, Request, Response, SourceSettings
from newsletter.sources.feed import Feed
from newsletter.text import clean_text

OWN = (
    "<script>alert(1)</script>text",
    "<img src=x onerror=alert(1)>text",
    "<a href='javascript:alert(1)'>text</a>",
    "&lt;script&gt;alert(1)&lt;/script&gt;text",
    "&amp;lt;img src=x onerror=alert(1)&amp;gt;",
    "<svg><title><script>alert(1)</script></title></svg>text",
    "<math><mtext></p><style><!--</style><img src onerror=alert(1)>",
    "<p style='x:expression(alert(1))'>text</p>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    '"><iframe src="data:text/html,x">',
    "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "java\u0000script:alert(1)",
)
ADDRESS = re.compile(r"https?://[^\s<>\"]+")


class Tags(HTMLParser):
    """Collects the tags that a browser would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.found.append(tag)


def tags(html: str) -> list[str]:
    reader = Tags()
    reader.feed(html)
    reader.close()
    return reader.found


def listed(vector: str) -> Listing:
    """Return what a feed says that has *vector* everywhere, in every manner."""
    quoted = escape(vector)
    body = (
        '<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel>'
        f"<link>{quoted}</link><item><title>t {quoted}</title><link>{quoted}</link>"
        f"<guid>{quoted}</guid><description>d {quoted}</description>"
        f"<author>{quoted}</author><category>{quoted}</category>"
        f"<comments>{quoted}</comments><enclosure url='{quoted}' type='image/png'/>"
        f"<media:thumbnail url='{quoted}'/>"
        f"<enclosure url='{quoted}' type='application/pdf'/></item></channel></rss>"
    ).encode()
    source = Feed(SourceSettings(name="f", kind="feed", url="https://example.org/f"))
    response = Response(
        request=Request(source="f", url="https://example.org/f"),
        status=200,
        headers={},
        body=body,
        seen_at=datetime(2026, 5, 4, tzinfo=UTC),
        final_url="https://example.org/f",
    )
    return source.parse(response).listings[0]


def check(vector: str) -> None:
    entry = listed(vector)
    links = [entry.url, entry.thumbnail, *(link.url for link in entry.links)]
    assert all(url is None or ADDRESS.fullmatch(url) for url in links), links
    texts = [entry.title, entry.summary, *entry.authors, *entry.categories]
    texts += [clean_text(vector, markup=markup) for markup in (True, False)]
    shown = "".join(f'<p title="{escape(text)}">{escape(text)}</p>' for text in texts)
    assert tags(shown) == ["p"] * len(texts)


@pytest.mark.parametrize(
    "markup",
    [
        "<script>alert(1)</script>text",
        "<img src=x onerror=alert(1)>text",
        "<a href='javascript:alert(1)'>text</a>",
        "<p style='x:expression(alert(1))'>text</p>",
        "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->text",
        "<iframe src='data:text/html,x'></iframe><object data=x></object>text",
    ],
)
def test_of_hostile_elements_only_their_text_is_kept(markup: str) -> None:
    assert clean_text(markup, markup=True) == "text"


@pytest.mark.parametrize("vector", OWN)
def test_hostile_markup_does_not_survive(vector: str) -> None:
    check(vector)


def test_no_known_vector_survives(shared: Path) -> None:
    files = sorted((shared / "html_sanitising").glob("*/*"))
    assert len(files) >= 19
    for file in files:
        said = file.read_text("utf-8")
        vector = re.split(r"^-{2,}$", said, maxsplit=1, flags=re.MULTILINE)[0]
        if file.suffix == ".data":
            vector = vector.partition("\n\n")[2]
        check(re.sub(r"[^\S\n]|[\x00-\x08\x0b\x0c\x0e-\x1f]", " ", vector))
