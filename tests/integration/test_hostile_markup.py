"""Markup that would run: from a feed through the real renderer nothing of it is left.

Every vector stands in every field of an item, escaped and as CDATA, in RSS and in
Atom. What the mail then has beyond the same mail of a harmless item is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pytest

from newsletter.errors import ParseError
from newsletter.model import Listing, Match, Rendered
from newsletter.rendering import load_renderer
from tests.support.issues import issue, match
from tests.support.storable import check_listing, read

DEFAULT = load_renderer("default", folders=())
#: Attributes whose value is an address.
_ADDRESSES = frozenset(
    {"href", "src", "action", "background", "formaction", "xlink:href"}
)
_RUNS = re.compile(
    r"(?:java|vb|live)script:|expression\s*\(|@import|behaviou?r\s*:|url\s*\("
)

#: Our own; more lie beside the project.
VECTORS = (
    "<script>alert(1)</script>",
    "<ScRiPt src=//x.example.org/x.js></sCrIpT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img/src='x'/onerror='alert(1)'//",
    "<svg onload=alert(1)><svg/onload=alert(1)>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href=' &#1;java\nscript&colon;alert(1)'>x</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD4='>x</a>",
    "<a href='vbscript:msgbox(1)' onclick=alert(1)>x</a>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe><object data=x><embed src=x>",
    "<form action='javascript:alert(1)'><button formaction='data:x'>x</button></form>",
    "<style>@import '//x.example.org';*{background:url(javascript:alert(1))}</style>",
    "<div style='width:expression(alert(1));background:url(//x.example.org)'>x</div>",
    "<base href='//x.example.org/'><meta http-equiv=refresh content='0;url=//x'>",
    "<link rel=stylesheet href='//x.example.org/x.css'>",
    "<math><mtext><table><mglyph><style><!--</style><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&amp;lt;script&amp;gt;alert(1)&amp;lt;/script&amp;gt;",
    '"><script>alert(1)</script>',
    "' onmouseover='alert(1)' x='",
    '" style="x:expression(alert(1))" onload="alert(1)',
    "</td></table></body></html><script>alert(1)</script>",
    "<mj-raw><script>alert(1)</script></mj-raw><mj-include path='/etc/passwd'/>",
    "{{ 7 * 7 }}{% include '/etc/passwd' %}",
    "]]><script>alert(1)</script><![CDATA[",
    "\u202e<img src=x onerror=alert(1)>\u2066",
    "javascript:alert(1)//https://example.org/",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "//x.example.org/'onmouseover='alert(1)",
    'https://example.org/"onmouseover="alert(1)',
    "https://example.org/<script>alert(1)</script>",
    "https://example.org/?a='><script>alert(1)</script>",
    "https://user:pass@example.org/",
    "file:///etc/passwd",
)


def vectors_of(shared: Path) -> Iterator[str]:
    """Yield the inputs of two collections that others made."""
    for file in sorted((shared / "html_sanitising" / "bleach").glob("*.test")):
        yield file.read_text("utf-8").partition("\n--\n")[0]
    for file in sorted((shared / "html_sanitising" / "hackers_org").glob("*.data")):
        _, _, after = file.read_text("utf-8").partition("\n\n")
        yield re.split(r"\n-{4,}\n", after)[0]


def documents(vector: str) -> Iterator[str]:
    """Yield feeds that have *vector* in every field of their item."""
    section = "<![CDATA[{}]]>".format(vector.replace("]]>", "]]]]><![CDATA[>"))
    clean = re.sub("[\x00-\x08]", "", vector)
    for inner in (escape(clean), escape(escape(clean)), section):
        attribute = quoteattr(clean)
        yield (
            '<?xml version="1.0"?><rss version="2.0" '
            'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
            'xmlns:dc="http://purl.org/dc/elements/1.1/" '
            'xmlns:media="http://search.yahoo.com/mrss/"><channel>'
            f"<title>{inner}</title><link>{inner}</link><language>{inner}</language>"
            f"<item><title>T {inner}</title><link>{inner}</link><guid>{inner}</guid>"
            f"<description>{inner}</description><dc:creator>{inner}</dc:creator>"
            f"<category>{inner}</category><content:encoded>{inner}</content:encoded>"
            f"<comments>{inner}</comments><media:thumbnail url={attribute}/>"
            f'<enclosure url={attribute} type="image/png"/>'
            "</item></channel></rss>"
        )
        yield (
            f'<feed xmlns="http://www.w3.org/2005/Atom" xml:base={attribute}>'
            f"<title>{inner}</title><entry><id>{inner}</id>"
            f'<title type="html">T {inner}</title><link href={attribute}/>'
            f'<link rel="enclosure" type="application/pdf" href={attribute}/>'
            f'<link rel="replies" href={attribute}/>'
            f"<author><name>{inner}</name></author>"
            f'<category term={attribute}/><summary type="html">{inner}</summary>'
            f'<content type="html">{inner}</content></entry></feed>'
        )


def listings_of(vector: str) -> Iterator[Listing]:
    for document in documents(vector):
        try:
            yield from read("feed", document.encode("utf-8", "replace")).listings
        except ParseError:
            continue


def match_of(number: int, listing: Listing) -> Match:
    return match(
        number,
        listing.title,
        url=listing.url,
        summary=listing.summary,
        authors=listing.authors,
        categories=listing.categories,
        links=listing.links,
        thumbnail=listing.thumbnail,
        language=listing.language,
    )


class Elements(HTMLParser):
    """Collects what a browser would make of a mail: elements and attributes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.values: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add((tag, name))
            self.values.append((name, value or ""))

    def handle_comment(self, data: str) -> None:
        self.tags.add(f"comment {data[:40]}")


def elements_of(html: str) -> Elements:
    elements = Elements()
    elements.feed(html)
    elements.close()
    return elements


@cache
def harmless() -> Elements:
    """Return the elements of mails whose items are harmless, of every form."""
    full = next(listings_of("https://example.org/a"))
    found = elements_of(DEFAULT.render(issue([match_of(1, full)])).html)
    other = elements_of(DEFAULT.render(issue()).html)
    found.tags |= other.tags
    found.attributes |= other.attributes
    return found


def check_mail(mail: Rendered) -> None:
    """Look whether a mail has nothing that a mail of ours does not have."""
    elements, known = elements_of(mail.html), harmless()
    assert elements.tags <= known.tags
    assert elements.attributes <= known.attributes
    for name, value in elements.values:
        assert not name.startswith("on")
        if name == "style":
            assert not _RUNS.search(value.casefold())
        if name in _ADDRESSES:
            assert value.startswith(("https://", "http://", "mailto:", "#"))
            assert "user:pass" not in value


def check_all(vectors: Sequence[str]) -> int:
    """Read and render all of *vectors*; return how many items came of them."""
    count = 0
    for vector in vectors:
        found = tuple(listings_of(vector))
        for listing in found:
            check_listing(listing)
        if found:
            cards = [match_of(n, listing) for n, listing in enumerate(found, 1)]
            check_mail(DEFAULT.render(issue(cards, more=0)))
        count += len(found)
    return count


@pytest.mark.parametrize("vector", VECTORS)
def test_nothing_that_runs_comes_through(vector: str) -> None:
    assert check_all([vector]) >= 3


def test_nothing_that_others_have_found_comes_through(shared: Path) -> None:
    vectors = tuple(vectors_of(shared))
    assert len(vectors) > 15
    assert check_all(vectors) >= 3 * len(vectors)


def test_what_looks_for_it_would_find_it() -> None:
    """The check can fail: a mail that was tampered with does not pass."""
    mail = DEFAULT.render(issue())
    for planted in (
        "<script>x</script>",
        '<a href="javascript:x">x</a>',
        '<td onclick="x">',
        '<td style="background:url(x)">',
        "<!-- x -->",
    ):
        html = mail.html.replace("</body>", f"{planted}</body>")
        with pytest.raises(AssertionError):
            check_mail(
                Rendered(
                    subject=mail.subject, html_parts=(html,), text_parts=mail.text_parts
                )
            )
