"""Gzip files, unpacked under a cap on what comes out (RFC 1952)."""

from __future__ import annotations

import zlib

from newsletter.errors import FetchError

#: Ends the name of a file that is unpacked when it is read.
PACKED = ".gz"
#: 16: a gzip header and nothing else; 15: the largest window.
_GZIP = 16 + 15


def unpacked(body: bytes, *, cap: int, name: str) -> bytes:
    """Return what a gzip file holds, all its members; at most *cap* in memory.

    Args:
        body: Of the file.
        cap: Bytes that may come out.
        name: Of the file, for errors.

    Raises:
        FetchError: More would come out, or it is damaged.
    """
    out = bytearray()
    while body:
        stream = zlib.decompressobj(_GZIP)
        try:
            out += stream.decompress(body, cap - len(out) + 1)
        except zlib.error as error:
            raise FetchError(f"{name} cannot be unpacked: {error}") from error
        if len(out) > cap:
            raise FetchError(
                f"{name} is larger than {cap} bytes when unpacked (fetch.max_bytes)"
            )
        if not stream.eof:
            raise FetchError(f"{name} cannot be unpacked: its end is missing")
        # Some tools fill the last block up with zeros.
        body = stream.unused_data.lstrip(b"\0")
    return bytes(out)
