"""Raised and lowered text, in Unicode where it can."""

from __future__ import annotations

from newsletter.text.tables import SUB, SUPER


def superscript(text: str) -> str:
    """Return *text* raised where Unicode can, else behind a caret."""
    return _script(text, SUPER, "^")


def subscript(text: str) -> str:
    """Return *text* lowered where Unicode can, else behind an underscore."""
    return _script(text, SUB, "_")


def _script(text: str, table: dict[int, int], sign: str) -> str:
    text = text.strip()
    if text in {"∘", "circ"}:
        return "°" if sign == "^" else "∘"
    if text in {"\u2032", "*", "†", "‡", "\u2033"}:
        return text
    known = all(ord(c) in table or c in ".," for c in text)
    if text and known and not (len(text) > 3 and text.isalpha()):  # noqa: PLR2004 - a word, not an index
        return text.translate(table)
    braced = f"{{{text}}}" if len(text) > 1 else text
    return f"{sign}{braced}" if text else ""
