r"""What was said: HTML, TeX, entities, controls -> plain Unicode text.

    T$^2$PO: a {\em na\"ive} method &amp; 28.82\%  ->  T²PO: a naïve method & 28.82%

Text leaves here clean, and rendering only escapes. What merely looks like
markup in prose (``<think>``, ``snake_case``, ``$5 and $10``) survives.
"""

from __future__ import annotations

from newsletter.text.names import clean_names, split_authors
from newsletter.text.plain import clean_text, first_sentences, one_line

__all__ = [
    "clean_names",
    "clean_text",
    "first_sentences",
    "one_line",
    "split_authors",
]
