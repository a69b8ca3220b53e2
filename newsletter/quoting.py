r"""Text in quoted-printable (RFC 2045, section 6.7), line by line, once.

A line is encoded whatever stands before and after it, so what many mails
share is encoded once: all of its whole lines. Its first and last line belong
to the mail, since they go on in what stands beside it::

    "...ends here.</p>\n<p>a whole line</p>\n<p>it goes on ..."
     head               lines, encoded        tail
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Self

#: Characters of a line without its end; lines that are longer get soft breaks.
#: Beyond the 76 of RFC 2045, within the 78 of RFC 5322: what mails have had
#: from the first, and a past one must come out byte for byte.
LINE = 78
#: Lines of a mail that are looked up before they are encoded: how many, how long.
_KNOWN = 1024
_LONGEST = 4096
_BROKEN = re.compile("[\ud800-\udfff\ufffe\uffff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_HANDLER = "newsletter.quoting"
#: These stand for themselves; "=" is seen to before.
_PLAIN = bytes((9, 10, *range(32, 127)))
_CONTROLS = re.compile(rb"[^\t\n -~]+")
_EQUALS = ord("=")
_SPACES = frozenset((b" ", b"\t"))
_SPELT = tuple(b"=%02X" % octet for octet in range(256))


class Segment(str):
    """Text that many mails share, with the encoding of its whole lines."""

    __slots__ = ("head", "lines", "size", "tail")

    #: Up to the first line's end; all of a text that has none.
    head: str
    #: The whole lines after it, encoded.
    lines: bytes
    #: What stands after the last line's end.
    tail: str
    #: Octets in UTF-8.
    size: int

    def __new__(cls, text: str) -> Self:
        """Encode *text*, which has line feeds for line ends and no others."""
        self = super().__new__(cls, text)
        first, last = text.find("\n") + 1, text.rfind("\n") + 1
        self.head = text[:first] if first else text
        self.lines = encode(text[first:last])
        self.tail = text[last:] if first else ""
        self.size = len(text) if text.isascii() else len(text.encode())
        return self

    def __str__(self) -> str:
        """Return itself: a template puts it out as it is, not a copy."""
        return self


def quoted_printable(parts: Sequence[str]) -> list[bytes]:
    """Return the body that *parts* are, to be joined: CRLF, each line ended.

    Empty lines at the end are left out. Half characters, which no encoding
    takes, are replaced.
    """
    loose, lines = _sorted_out(parts)
    if any("\r" in text for text in loose):
        return quoted_printable(_with_line_feeds(parts))
    # What is not a segment is encoded with what it stands beside.
    found: list[bytes] = []
    for text, shared in zip(loose, lines, strict=False):
        found += (_known(text) if len(text) <= _LONGEST else encode(text), shared)
    found.append(encode(loose[-1]))
    while found and not (last := found.pop().rstrip(b"\r\n")):
        pass
    # A soft break at the end goes on in an empty line, which is not one too many.
    return [*found, last, b"\r\n\r\n" if last.endswith(b"=") else b"\r\n"]


def _sorted_out(parts: Sequence[str]) -> tuple[list[str], list[bytes]]:
    """Return what to encode, and between each two of these what is encoded."""
    loose: list[str] = []
    lines: list[bytes] = []
    texts: list[str] = []
    for part in parts:
        if type(part) is Segment and (part.lines or part.tail):
            texts.append(part.head)
            loose.append("".join(texts))
            lines.append(part.lines)
            texts = [part.tail]
        else:
            texts.append(part)
    loose.append("".join(texts))
    return loose, lines


def _with_line_feeds(parts: Sequence[str]) -> tuple[str]:
    return ("".join(parts).replace("\r\n", "\n").replace("\r", "\n"),)


def encode(lines: str) -> bytes:
    """Return *lines* encoded, with CRLF where they have a line feed."""
    octets = lines.replace("=", "=3D").encode("ascii", _HANDLER)
    if octets.translate(None, _PLAIN):
        octets = _CONTROLS.sub(lambda found: _spelt(found[0]), octets)
    return b"\r\n".join(
        [
            line if len(line) <= LINE and line[-1:] not in _SPACES else _broken(line)
            for line in octets.split(b"\n")
        ]
    )


_known = lru_cache(maxsize=_KNOWN)(encode)


def _not_ascii(error: UnicodeError) -> tuple[bytes, int]:
    """Return how characters that are not ASCII are written, and where they end."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return _spelt(_BROKEN.sub(_REPLACEMENT, text).encode()), error.end


# An encoder that leaves to us what it cannot do is far faster than a pattern.
codecs.register_error(_HANDLER, _not_ascii)


def _spelt(octets: bytes) -> bytes:
    return b"".join([_SPELT[octet] for octet in octets])


def _broken(line: bytes) -> bytes:
    """Return an encoded line with soft breaks, and no white space at its end."""
    pieces: list[bytes] = []
    start = 0
    while len(line) - start > LINE:
        stop = start + LINE - 1
        # An escape is never broken.
        if line[stop - 2] == _EQUALS:
            stop -= 2
        elif line[stop - 1] == _EQUALS:
            stop -= 1
        pieces.append(line[start:stop])
        start = stop
    pieces.append(line[start:])
    if line[-1:] in _SPACES:
        rest, octet = pieces[-1][:-1], pieces[-1][-1]
        pieces[-1] = rest + _last_space(octet, room=LINE + 1 - len(pieces[-1]))
    return b"=\r\n".join(pieces)


def _last_space(octet: int, *, room: int) -> bytes:
    """Return the white space that ends a line: encoded, or before a soft break."""
    if room >= len(_SPELT[octet]):
        return _SPELT[octet]
    if room == len("=") + 1:
        return b"%c=\r\n" % octet
    return b"=\r\n" + _SPELT[octet]
