"""Your own daily papers: a personalised digest newsletter for every reader."""

from __future__ import annotations

__version__ = "0.1.0"
