"""When two addresses are one mailbox, and how to know one again by its hash."""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

import idna


def address_key(address: str) -> str:
    """Return what is equal for equal addresses; total, and asks no server.

    The domain in its ASCII form (IDNA 2008 with the mapping of UTS 46, RFC
    5891), the local part case folded: RFC 5321 (section 2.4) lets a server
    tell cases apart, but none that people use does.
    """
    # What a command line hands over may hold halves of characters.
    whole = address.encode("utf-8", "replace").decode("utf-8")
    local, at, domain = whole.strip().rpartition("@")
    return f"{_fold(local)}{at}{_ascii(domain)}"


def _fold(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _ascii(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True).decode("ascii").casefold()
    except idna.IDNAError:
        # Not a name that can be registered: equal only to itself.
        return _fold(domain)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressHasher:
    """Keyed hashes of addresses: without the secret nobody can try names."""

    #: Makes new hashes.
    secret: bytes
    #: Earlier ones; what they hashed is still known.
    former: tuple[bytes, ...] = ()

    def hash(self, key: str) -> str:
        """Return the hash of an address key."""
        return _digest(self.secret, key)

    def hashes(self, keys: Iterable[str]) -> dict[str, str]:
        """Return every hash that any of *keys* may be stored under, with its key."""
        secrets = (self.secret, *self.former)
        return {_digest(secret, key): key for key in keys for secret in secrets}


def _digest(secret: bytes, key: str) -> str:
    return hmac.digest(secret, b"suppressed address\0" + key.encode(), "sha256").hex()
