"""What a command without argument looks like."""

from __future__ import annotations

from pylatexenc.latex2text import get_default_latex_context_db

from newsletter.text.tables import BRACED, WORDS

_TABLE = get_default_latex_context_db()


def symbol_of(name: str) -> str | None:
    """Return what the command *name* looks like; None: nobody knows it.

    Only its fixed signs are taken from pylatexenc. Its commands with arguments
    are ours to read: without their arguments they raise.
    """
    if name in WORDS:
        return WORDS[name]
    spec = _TABLE.get_macro_spec(name)
    shown = spec.simplify_repl if spec else None
    if not isinstance(shown, str) or "%" in shown or "\\" in shown:
        return None
    return shown.strip() or None


def braced_sign(name: str) -> str | None:
    """Return the sign that preprint servers write as ``{Delta}``; None: it is none."""
    if name in BRACED:
        return BRACED[name]
    symbol = symbol_of(name) or ""
    is_greek = len(symbol) == 1 and "\u0370" <= symbol <= "\u03ff"
    return symbol if is_greek else None
