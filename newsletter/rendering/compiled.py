"""Themes that are compiled already, by what their files hold."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from newsletter.rendering.renderer import ThemeRenderer
from newsletter.rendering.themes import Theme

#: Compiled themes kept: one for each edit that may be taken back.
KEPT = 4


@dataclass(frozen=True, slots=True)
class Compiled:
    """Compiles a theme when its files are others than before; safe from any thread."""

    _kept: OrderedDict[tuple[Path, str], ThemeRenderer] = field(
        default_factory=OrderedDict
    )
    _lock: Lock = field(default_factory=Lock)

    def of(self, theme: Theme) -> ThemeRenderer:
        """Return the renderer of *theme*.

        Raises:
            ThemeError: It cannot be used.
        """
        key = (theme.folder, theme.hash)
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        found = ThemeRenderer(theme)
        with self._lock:
            self._kept[key] = found
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found
