"""Which addresses a fetch may connect to: what is global, unless allowed.

``is_global`` of the standard library says yes to some that lead inside:
IPv4 within IPv6, NAT64, 6to4, Teredo, multicast, relays. These are refused
by list, after unwrapping (RFC 6890 and IANA's special-purpose registries).
"""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import unquote

#: All of IPv6 that is given out to hosts. Beyond it lie ``::127.0.0.1``,
#: NAT64 (``64:ff9b::/96``), link and site local, multicast, and what is nobody's.
_UNICAST_6 = IPv6Network("2000::/3")
#: Blocks of it that nothing public is read from.
_REFUSED_6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)
#: IPv4 blocks beyond what the standard library refuses.
_REFUSED_4 = tuple(
    IPv4Network(block)
    for block in (
        "100.64.0.0/10",  # shared address space
        "168.63.129.16/32",  # a cloud's inside
        "192.0.0.0/24",  # IETF protocol assignments
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",  # benchmarks
        "224.0.0.0/4",  # multicast
    )
)
#: What the system's look-up takes for an IPv4 address: 0x7f.1, 2130706433.
_NUMBERS = re.compile(r"(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+)){0,3}", re.ASCII)


def is_public(host: str) -> bool:
    """Tell whether *host*, an address in digits, is of the public Internet."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return _is_public_4(address)
    if address not in _UNICAST_6 or any(address in block for block in _REFUSED_6):
        return False
    return address.is_global


def _is_public_4(address: IPv4Address) -> bool:
    if any(address in block for block in _REFUSED_4):
        return False
    return address.is_global


def refusal(host: str, port: int, allowed: Sequence[str]) -> str | None:
    """Return why *host*, an address in digits, is not connected to. None: it may be.

    Args:
        host: An address in digits.
        port: The one that is connected to.
        allowed: See ``is_allowed``.
    """
    if is_public(host) or is_allowed(host, port, allowed):
        return None
    shown = f"[{host}]" if ":" in host else host
    return (
        f"{host} is a private address; if that is meant, add "
        f'"{shown}:{port}" to allow_private in [fetch]'
    )


def address_in(host: str) -> str | None:
    """Return the address that *host* spells. None: it is a name, to be looked up.

    Whoever looks names up takes ``0x7f.1``, ``2130706433`` and
    ``017700000001`` for 127.0.0.1, and so do we; ``localhost`` is no name
    but this machine (RFC 6761, section 6.3).
    """
    # As it stands first: a zone is written with a percent sign, too.
    found = _address_in(host.strip("[]").casefold())
    return found or _address_in(unquote(host).strip("[]").rstrip(".").casefold())


def _address_in(plain: str) -> str | None:
    if plain == "localhost" or plain.endswith(".localhost"):
        return "127.0.0.1"
    if _NUMBERS.fullmatch(plain):
        try:
            return socket.inet_ntoa(socket.inet_aton(plain))
        except OSError:
            return None
    try:
        ip_address(plain.partition("%")[0])
    except ValueError:
        return None
    return plain


def is_allowed(host: str, port: int, allowed: Sequence[str]) -> bool:
    """Tell whether one of *allowed* names the address, or the address and port.

    Args:
        host: An address in digits.
        port: The one that is connected to.
        allowed: Each ``address``, ``network/bits``, ``address:port`` or
            ``[address]:port``.
    """
    return any(_names(entry, host.partition("%")[0], port) for entry in allowed)


def _names(entry: str, host: str, port: int) -> bool:
    address, only_port = _divided(entry)
    if only_port is not None and only_port != port:
        return False
    try:
        return _unwrapped(host) in ip_network(address, strict=False)
    except (ValueError, TypeError):
        return False


def _unwrapped(host: str) -> IPv4Address | IPv6Address:
    address = ip_address(host)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _divided(entry: str) -> tuple[str, int | None]:
    """Return an entry's address and port; None: any port."""
    text = entry.strip().replace("localhost", "127.0.0.1")
    head, colon, tail = text.rpartition(":")
    if text.startswith("[") and "]" in text:
        address, _, rest = text[1:].partition("]")
        return address, int(rest[1:]) if rest[1:].isdecimal() else None
    if colon and ":" not in head and tail.isdecimal():
        return head, int(tail)
    return text, None
