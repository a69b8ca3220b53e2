"""Addresses that are plain need no second look."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from newsletter.identity import canonical_url, is_plain
from newsletter.identity.addresses import _PLAIN, _canonical

_URL = re.compile(r"https?://[^\s<>\"'&]+")
PIECES = st.lists(
    st.sampled_from(
        [
            *("https://", "http://", "HTTP://", "example.org", "EXAMPLE.org", "a-b.c"),
            *("127.0.0.1", "1e3", "0x7f", "xn--nxasmq6b", "user@", ":80", ":443", "."),
            *("/", "//", "/a", "/B~1", "/..", "/.x", "/x.html", "%7E", "%2f", " ", "é"),
            *("?", "a=1", "&", "utm_source=x", "rss=1", "=", "+", ";", "#", "top", "_"),
        ]
    ),
    max_size=9,
).map("".join)


@settings(max_examples=500)
@given(st.from_regex(_PLAIN, fullmatch=True) | PIECES)
def test_a_plain_address_is_the_form_that_any_would_get(url: str) -> None:
    assert canonical_url(url) == _canonical(url)


@given(st.from_regex(_PLAIN, fullmatch=True), st.sampled_from(["", "http://b.org/c/"]))
def test_a_plain_address_is_the_same_beside_any_base(url: str, base: str) -> None:
    joined = URL(base).join(URL(url)) if base else URL(url)
    assert is_plain(url)
    assert canonical_url(url) == _canonical(str(joined))


def test_real_addresses_get_the_form_that_any_would_get(shared: Path) -> None:
    texts = (
        path.read_text(encoding="utf-8", errors="replace")
        for path in sorted((shared / "wire").rglob("*.xml"))
    )
    urls = {url for text in texts for url in _URL.findall(text)[:200]}
    assert sum(map(is_plain, urls)) > len(urls) / 2 > 1000
    assert all(canonical_url(url) == _canonical(url) for url in urls)
