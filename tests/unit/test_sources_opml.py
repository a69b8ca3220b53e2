"""Lists of subscriptions: what strangers write, and what we write."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import ParseError
from newsletter.identity import canonical_url
from newsletter.model import SourceSettings
from newsletter.sources.opml import Outline, parse_opml, write_opml

LIST = """<?xml version="1.0" encoding="ISO-8859-1"?>
<opml version="1.1"><head><title>Mine</title></head><body>
<outline text="Labs"><outline title="Caf\u00e9 &amp;amp; &lt;b&gt;lab&lt;/b&gt;"
 text="x" type="rss" xmlUrl=" https://lab.example.org/feed?a=1&amp;b=2 "
 category="/News/Robots,ai"/>
 <outline text="Deep"><outline TEXT="Low" XMLURL="http://low.example.org/"/></outline>
</outline>
<outline xmlUrl="https://bare.example.org/feed"/>
<outline text="no feed"/>
<outline text="Gopher" xmlUrl="gopher://old.example.org/"/>
<outline text="Feed" xmlUrl="feed://old.example.org/"/>
<outline text="Script" xmlUrl="javascript:alert(1)"/>
<outline xmlUrl="https://two words.example.org/"/>
<outline text="Again"><outline text="Twice" xmlUrl="http://low.example.org"/></outline>
</body></opml>""".encode("latin-1")


def wrapped(body: str) -> bytes:
    return f'<opml version="2.0"><body>{body}</body></opml>'.encode()


def test_a_list_is_read_with_folders_and_categories() -> None:
    found = parse_opml(LIST)
    assert found.outlines == (
        Outline(
            url="https://lab.example.org/feed?a=1&b=2",
            title="Café & lab",
            tags=("Labs", "News", "Robots", "ai"),
        ),
        Outline(
            url="http://low.example.org/", title="Low", tags=("Labs", "Deep", "Again")
        ),
        Outline(url="https://bare.example.org/feed", title=""),
    )
    assert [(row.place, row.reason) for row in found.rejected] == [
        ("Gopher", "'gopher://old.example.org/' is no http or https address"),
        ("Feed", "'feed://old.example.org/' is no http or https address"),
        ("Script", "'javascript:alert(1)' is no http or https address"),
        (
            "an outline without a title",
            "'https://two words.example.org/' is no http or https address",
        ),
    ]


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (b"", "no element found"),
        (b"title = 1", "line 1, column 1: syntax error"),
        (b"<html><body>", "it begins with <html>"),
        (b"<opml><body><outline text='a'>", "line 1, column 31: no element found"),
        (b"<opml><body><outline text='a & b'/>", "not well-formed"),
        (b'<?xml version="1.0" encoding="klingon"?><opml/>', "no OPML"),
        (b"<!DOCTYPE opml><opml/>", "declares a document type"),
        (
            b'<!DOCTYPE o [<!ENTITY x SYSTEM "file:///etc/passwd">]><opml>&x;</opml>',
            "declares a document type",
        ),
        (
            b'<!DOCTYPE o [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><opml/>',
            "declares a document type",
        ),
        (b'<opml><body><outline text="&x;"/></body></opml>', "undefined entity"),
    ],
)
def test_what_is_no_list_is_refused_in_words(document: bytes, says: str) -> None:
    with pytest.raises(ParseError, match=says):
        parse_opml(document)


def test_nesting_however_deep_costs_no_stack() -> None:
    feed = '<outline text="f" xmlUrl="https://f.example.org/"/>'
    deep = '<outline text="x">' * 50_000 + feed + "</outline>" * 50_000
    (outline,) = parse_opml(wrapped(deep)).outlines
    assert outline.tags == ("x",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
def test_encodings_are_read_as_declared(encoding: str) -> None:
    text = '<outline text="Caf\u00e9" xmlUrl="https://c.example.org/"/>'
    name = encoding.removesuffix("-sig")
    head = f'<?xml version="1.0" encoding="{name}"?>'
    document = (head + wrapped(text).decode()).encode(encoding)
    assert parse_opml(document).outlines[0].title == "Café"


def test_a_blank_line_before_the_declaration_does_no_harm() -> None:
    assert parse_opml(b"\r\n <?xml version='1.0'?>" + wrapped("")).outlines == ()


names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,50}", fullmatch=True)
feeds = st.builds(
    lambda name, host, query, tags: SourceSettings(
        name=name,
        kind="feed",
        url=f"https://{host.lower()}.example.org/?q={query}",
        tags=tuple(dict.fromkeys(tags)),
    ),
    names,
    st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True),
    st.from_regex(r"[a-z0-9&'\"<>%+]{0,20}", fullmatch=True),
    st.lists(names, max_size=3),
)


@given(st.lists(feeds, unique_by=lambda s: canonical_url(str(s.url)), max_size=6))
def test_what_is_written_is_read_again(sources: list[SourceSettings]) -> None:
    written = write_opml("Mine & yours", sources, kept=[s.name for s in sources])
    found = parse_opml(written)
    assert not found.rejected
    assert [(o.name, o.url, o.tags) for o in found.outlines] == [
        (s.name, s.url, s.tags) for s in sources
    ]


def test_folders_are_first_tags_and_the_order_is_kept() -> None:
    sources = [
        SourceSettings(name=n, kind=k, url=u, path=p, tags=t)
        for n, k, u, p, t in (
            ("a", "feed", "https://a.example.org/?x=1&y=2", None, ("labs", "ai")),
            ("b", "arxiv", "https://rss.arxiv.org/rss/cs.LG", None, ("labs",)),
            ("c", "feed", None, "/c.xml", ()),
            ("d", "json", "https://d.example.org/{since}", None, ("labs",)),
            ("E_e", "feed", "https://e.example.org/", None, ()),
        )
    ]
    assert write_opml("R&D", sources, kept=["E_e"]).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<opml version="2.0" xmlns:newsletter="tag:example.org,2026:newsletter">\n'
        "  <head><title>R&amp;D</title></head>\n"
        "  <body>\n"
        '    <outline text="labs">\n'
        '      <outline type="rss" text="a" title="a"'
        ' xmlUrl="https://a.example.org/?x=1&amp;y=2" category="labs,ai"/>\n'
        '      <outline type="rss" text="b" title="b"'
        ' xmlUrl="https://rss.arxiv.org/rss/cs.LG" category="labs"/>\n'
        "    </outline>\n"
        '    <outline type="rss" text="E_e" title="E_e"'
        ' xmlUrl="https://e.example.org/" newsletter:name="E_e"/>\n'
        "  </body>\n"
        "</opml>\n"
    )


def test_captured_lists_are_read_whole(shared: Path) -> None:
    folder = shared / "wire" / "feeds_opml"
    found = {file.name: parse_opml(file.read_bytes()) for file in folder.iterdir()}
    number = {name: len(row.outlines) for name, row in found.items()}
    assert number == {
        "nnw_Subs.opml": 206,
        "nnw_SubsNoTitleAttributes.opml": 206,
        "opmlparser_categories.opml": 0,
        "opmlparser_no-outlines.opml": 0,
        "opmlparser_outline.opml": 0,
    }
    assert not [row for each in found.values() for row in each.rejected]
    assert all(o.title for o in found["nnw_SubsNoTitleAttributes.opml"].outlines)
