from __future__ import annotations

import pytest

from newsletter.sources.addresses import address_in, is_allowed, is_public, refusal


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",  # noqa: S104 - refused, not bound
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.8",
        "192.88.99.1",
        "168.63.129.16",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "0.1.2.3",
        "198.18.0.1",
        "198.19.255.255",
        "192.0.2.1",
        "198.51.100.1",
        "203.0.113.7",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::1",
        "2001::1",
        "fe80::1%eth0",
        "fec0::1",
        "fd00::1",
        "ff02::1",
        "100::1",
        "2001:db8::1",
        "3fff::1",
        "5f00::1",
        "2001:10::1",
        "2001:20::1",
        "2001:2::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "fec0::1%lo",
        "feff::1",
        "fe00::1",
        "200::1",
        "4000::1",
        "64:ff9b::8.8.8.8",
        "localhost",
        "",
    ],
)
def test_what_leads_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"]
)
def test_what_is_global_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("entry", "host", "port", "allowed"),
    [
        ("127.0.0.1:8000", "127.0.0.1", 8000, True),
        ("127.0.0.1:8000", "127.0.0.1", 8001, False),
        ("127.0.0.1", "127.0.0.1", 9, True),
        ("localhost:8000", "127.0.0.1", 8000, True),
        ("10.0.0.0/8", "10.1.2.3", 80, True),
        ("10.0.0.0/8", "11.1.2.3", 80, False),
        ("[::1]:8000", "::1", 8000, True),
        ("[::1]:8000", "::1", 80, False),
        ("[::1]", "::1", 80, True),
        ("::1", "::1", 80, True),
        ("fe80::1", "fe80::1%eth0", 80, True),
        ("127.0.0.1", "::ffff:127.0.0.1", 80, True),
        ("example.org:80", "10.0.0.1", 80, False),
        ("", "10.0.0.1", 80, False),
        ("10.0.0.1", "not-an-address", 80, False),
    ],
)
def test_an_exception_names_address_and_port(
    entry: str, host: str, port: int, allowed: bool
) -> None:
    assert is_allowed(host, port, [entry]) is allowed
    assert not is_allowed(host, port, [])


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0X7F.0x1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("0177.0.0.01", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("%31%32%37.0.0.1", "127.0.0.1"),
        ("localhost", "127.0.0.1"),
        ("LOCALHOST.", "127.0.0.1"),
        ("a.localhost", "127.0.0.1"),
        ("[::1]", "::1"),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1"),
        ("fe80::1%lo", "fe80::1%lo"),
        ("[::1%84x]", "::1%84x"),
        ("[::1%25lo]", "::1%25lo"),
        ("8.8.8.8", "8.8.8.8"),
        ("256.1.1.1", None),
        ("1.2.3.4.5", None),
        ("0x", None),
        ("1e100.example.org", None),
        ("localhost.example.org", None),
        ("", None),
    ],
)
def test_every_spelling_of_an_address_is_known_for_one(
    host: str, address: str | None
) -> None:
    assert address_in(host) == address


def test_a_refusal_says_what_would_allow_it() -> None:
    assert refusal("8.8.8.8", 80, ()) is None
    assert refusal("10.0.0.1", 80, ("10.0.0.0/8",)) is None
    said = refusal("::1", 8000, ())
    assert said is not None
    assert said.startswith("::1 is a private address")
    # What it proposes is what is taken.
    assert refusal("::1", 8000, (said.split('"')[1],)) is None
