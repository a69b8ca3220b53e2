"""One theme, compiled: Issue -> Rendered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from newsletter.errors import RenderError
from newsletter.model import Issue, Rendered
from newsletter.quoting import Segment
from newsletter.rendering import templates
from newsletter.rendering.catalogues import SOURCE
from newsletter.rendering.cutting import clean
from newsletter.rendering.keeping import Shelf
from newsletter.rendering.mjml import compile_mjml
from newsletter.rendering.seen import Fit, IssueView
from newsletter.rendering.themes import (
    BODY_MJML,
    BODY_TEXT,
    SUBJECT,
    Theme,
    load_theme,
)
from newsletter.rendering.view import view
from newsletter.rendering.ways import Parts, Way, plain_way, sharing_way
from newsletter.rendering.words import FSI, PDI, words_for

#: Bytes of HTML in UTF-8; Gmail cuts at 102 KB.
MAX_HTML = 100_000
#: Characters; a subject that is longer is read by nobody.
MAX_SUBJECT = 200
#: Whose templates are kept ready; one takes about a tenth of a second.
MAX_LANGUAGES = 64


class ThemeRenderer:
    """Implements ports.Renderer; safe to use from several threads."""

    def __init__(self, theme: Theme) -> None:
        """Compile all templates of *theme*.

        Raises:
            ThemeError: One does not parse, or is missing.
        """
        self._theme = theme
        source = theme.source(BODY_MJML)
        for file in (SUBJECT, BODY_TEXT):
            theme.source(file)
        with templates.naming_theme_faults():
            plain_env = templates.environment(theme.files)
            for file in theme.files:
                if file.endswith(".j2"):
                    plain_env.get_template(file)
        compiled = compile_mjml(source, file=BODY_MJML)
        self._files = {**theme.files, BODY_MJML: compiled.source}
        self._lines = {BODY_MJML: compiled.theme_line}
        self._shelf = Shelf()
        #: The plain and the sharing way by language; the MJML is the same in all.
        self._ways = lru_cache(maxsize=MAX_LANGUAGES)(self._ways_in)
        self._ways_of(theme.language or SOURCE)

    def _ways_of(self, language: str) -> tuple[Way, Way]:
        return self._ways(words_for(self._theme.language or language).language)

    def _ways_in(self, language: str) -> tuple[Way, Way]:
        words = words_for(language)
        with templates.naming_theme_faults():
            env = templates.environment(self._files, words)
            plain = plain_way(env, self._lines)
            sharing = sharing_way(self._files, plain, words=words, shelf=self._shelf)
        return plain, sharing

    @property
    def theme(self) -> str:
        """Return the theme's name."""
        return self._theme.name

    @property
    def theme_hash(self) -> str:
        """Return the hash of all the theme's files."""
        return self._theme.hash

    def render(self, issue: Issue) -> Rendered:
        """Return the mail's subject, HTML (under 100 KB) and text.

        Raises:
            RenderError: The theme fails on this issue, or its frame alone
                leaves no room for the cards.
        """
        try:
            return self._rendered(issue, self._ways_of(issue.language)[1])
        except RenderError:
            # The plain way tells the place, or does without what failed.
            return self.render_plainly(issue)

    def render_plainly(self, issue: Issue) -> Rendered:
        """Return the same, made anew by the templates alone.

        Raises:
            RenderError: As ``render`` does.
        """
        return self._rendered(issue, self._ways_of(issue.language)[0])

    @property
    def shelf(self) -> Shelf:
        """Return what is kept of the mails of late."""
        return self._shelf

    def _rendered(self, issue: Issue, way: Way) -> Rendered:
        seen, html = self._fitted(issue, way)
        return Rendered(
            subject=_subject(way.subject(seen)),
            html_parts=html,
            text_parts=way.text(seen),
        )

    def _fitted(self, issue: Issue, way: Way) -> tuple[IssueView, Parts]:
        """Return the first view that fits, by the three steps of the design."""
        cards = len(issue.selection.matches)
        for fit in _steps():
            seen, html = self._html_of(issue, fit, way)
            if _fits(html):
                return seen, html
        for fit in _lines():
            found = self._most_cards(issue, fit, cards, way)
            if found is not None:
                return found
        raise RenderError(
            f"{BODY_MJML}: the HTML is over {MAX_HTML} bytes with every card cut to"
            f" one line; make the frame of theme {self.theme!r} smaller",
            template=BODY_MJML,
        )

    def _most_cards(
        self, issue: Issue, fit: Fit, cards: int, way: Way
    ) -> tuple[IssueView, Parts] | None:
        """Return the view with the most whole cards that fits. None: not even 0."""
        best = None
        low, high = 0, cards
        while low < high:
            middle = (low + high) // 2
            seen, html = self._html_of(issue, replace(fit, cards=middle), way)
            if _fits(html):
                best, low = (seen, html), middle + 1
            else:
                high = middle
        return best

    def _html_of(self, issue: Issue, fit: Fit, way: Way) -> tuple[IssueView, Parts]:
        seen = view(
            issue,
            language=self._theme.language or issue.language,
            fit=fit,
            shelf=way.shelf,
            images=self._theme.images,
        )
        return seen, way.html(seen)


def load_renderer(name: str, *, folders: Sequence[Path]) -> ThemeRenderer:
    """Return the renderer of the theme *name*.

    Args:
        name: A folder's name in one of *folders*, or of a theme that comes
            with the program.
        folders: The operator's folders of themes, first come first.

    Raises:
        ThemeError: There is no such theme, or it cannot be used.
    """
    return ThemeRenderer(load_theme(name, folders=folders))


def _subject(said: str) -> str:
    """Return the subject on one line, with what keeps a title's order apart."""
    # Values bear no isolates of their own, so these are the frame's.
    parts = re.split(f"([{FSI}{PDI}])", said)
    line = " ".join("".join(p if p in {FSI, PDI} else clean(p) for p in parts).split())
    line = line[:MAX_SUBJECT]
    return line + PDI * (line.count(FSI) - line.count(PDI))


def _fits(html: Parts) -> bool:
    shared = sum(part.size for part in html if type(part) is Segment)
    others = "".join([part for part in html if type(part) is not Segment])
    return shared + len(others.encode()) < MAX_HTML


def _steps() -> Iterator[Fit]:
    """Yield all, then without the list of titles, then with short summaries."""
    yield Fit()
    yield Fit(more=False)
    yield Fit(more=False, summary=200)
    yield Fit(more=False, summary=0)


def _lines() -> Iterator[Fit]:
    """Yield how to make one line of a card, ever shorter.

    The first is the design's; the others are for a hundred hostile titles,
    because an entry that composing chose is never dropped.
    """
    line = Fit(more=False, summary=0)
    yield line
    yield replace(line, line=80)
    yield replace(line, line=80, url=300)
    yield replace(line, line=20, url=300, headings=False)
    yield replace(line, line=20, url=0, headings=False)
