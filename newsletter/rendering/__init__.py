"""Issue to subject, HTML and text, by a theme: MJML once, what mails share once.

theme's files ── load ──> Theme ── compile_mjml ──> Jinja over HTML, once
catalogue ── words_for ──> Words ── its functions in Jinja, per language
Issue ── view ──> IssueView (plain values) ── Jinja, pieces kept ──> Rendered
"""

from newsletter.rendering.compiled import Compiled
from newsletter.rendering.renderer import ThemeRenderer, load_renderer
from newsletter.rendering.themes import Theme, load_theme, own_folders
from newsletter.rendering.words import is_spoken

__all__ = [
    "Compiled",
    "Theme",
    "ThemeRenderer",
    "is_spoken",
    "load_renderer",
    "load_theme",
    "own_folders",
]
