"""Signed links: who may leave, and which issue it was.

A token bears no time stamp: links to leave must work for years, and a past
issue made again must have the same bytes. One token an issue; each purpose
has a salt of its own, so that a token for one is none for another.

    AAAAAAAAAAAAAAAAAAAAAAABxCNi.LrztwzLg0_RnSNbu-YMCbOmT
    payload, base64url           signature
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from itsdangerous import BadData, HMACAlgorithm, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from newsletter.errors import LinkError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: A public id's octets, and those of the slot in minutes since 1970.
_ID_OCTETS, _SLOT_OCTETS = 16, 5
#: Three to four letters with no bit over, so one signature has one spelling.
_SIGNATURE_OCTETS = 18
_SHAPE = re.compile(r"[\w-]*\.[\w-]{24}", re.ASCII)


class Purpose(StrEnum):
    """What a token is good for; the salt of its signature."""

    #: What an issue's own links do: leave, preferences, a card's links.
    ISSUE = "issue"
    #: Confirming a new address.
    CONFIRM = "confirm"


class _ShortHmac(HMACAlgorithm):
    """HMAC-SHA-256, cut to 144 bits (RFC 2104, section 5: no less than half)."""

    default_digest_method = staticmethod(sha256)

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        """Return the signature's first octets: what folds into a header."""
        return super().get_signature(key, value)[:_SIGNATURE_OCTETS]


def sign(secrets: Sequence[bytes], purpose: Purpose, payload: bytes) -> str:
    """Return *payload* with a signature, safe in a URL; the first secret signs."""
    signed = _signer(secrets[:1], purpose).sign(base64_encode(payload))
    return signed.decode("ascii")


def read(secrets: Sequence[bytes], purpose: Purpose, token: str) -> bytes:
    """Return the payload that *token* carries; any of *secrets* may have signed.

    Raises:
        LinkError: It is damaged, forged, or for another purpose.
    """
    # A decoder that skips what it does not know would take other spellings too.
    shaped = token if _SHAPE.fullmatch(token) else ""
    try:
        return base64_decode(_signer(secrets[::-1], purpose).unsign(shaped))
    except BadData as error:
        raise LinkError(
            "this link is damaged or not one of ours; use the one in the mail, whole"
        ) from error


def issue_token(secrets: Sequence[bytes], *, public_id: str, slot: datetime) -> str:
    """Return the token of one subscriber's issue for one slot.

    Args:
        secrets: One or more; the first signs.
        public_id: 32 hex digits.
        slot: UTC, a whole minute.
    """
    minutes = (slot - _EPOCH) // timedelta(minutes=1)
    payload = bytes.fromhex(public_id) + minutes.to_bytes(_SLOT_OCTETS, signed=True)
    return sign(secrets, Purpose.ISSUE, payload)


def read_issue_token(secrets: Sequence[bytes], token: str) -> tuple[str, datetime]:
    """Return the public id and the slot that *token* names.

    Raises:
        LinkError: It is damaged, forged, or for another purpose.
    """
    payload = read(secrets, Purpose.ISSUE, token)
    if len(payload) != _ID_OCTETS + _SLOT_OCTETS:
        raise LinkError("this link is of a form that nobody here has signed")
    minutes = int.from_bytes(payload[_ID_OCTETS:], signed=True)
    return payload[:_ID_OCTETS].hex(), _EPOCH + timedelta(minutes=minutes)


def unsubscribe_url(base_url: str, token: str) -> str:
    """Return where POST means leave (RFC 8058) and GET shows a button."""
    return f"{base_url}/u/{token}"


def preferences_url(base_url: str, token: str) -> str:
    """Return where a subscriber tunes their profile."""
    return f"{base_url}/p/{token}"


def _signer(keys: Sequence[bytes], purpose: Purpose) -> Signer:
    """Return a signer; itsdangerous signs with the last key and accepts all."""
    return Signer(
        list(keys),
        salt=f"newsletter.{purpose}",
        digest_method=sha256,
        algorithm=_ShortHmac(),
    )
