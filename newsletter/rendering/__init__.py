"""Issue to subject, HTML and text, by a theme: MJML once, what mails share once.

theme's files ── load ──> Theme ── compile_mjml ──> Jinja over HTML
Issue ── view ──> IssueView (plain values) ── Jinja, pieces kept ──> Rendered
"""

from newsletter.rendering.compiled import Compiled
from newsletter.rendering.renderer import ThemeRenderer, load_renderer
from newsletter.rendering.themes import Theme, load_theme, own_folders

__all__ = [
    "Compiled",
    "Theme",
    "ThemeRenderer",
    "load_renderer",
    "load_theme",
    "own_folders",
]
