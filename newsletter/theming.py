"""Which theme mails go out with: only one that was judged and accepted.

    files -> hash -> shipped? -> a verdict in the store? -> judged now

A verdict is looked for by the hash of the files. Where there is none, the
theme is judged at once, in a process of its own; what is refused sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from newsletter import storage
from newsletter.accepting import CHECKER, ThemeVerdict, why_refused
from newsletter.config import Settings
from newsletter.errors import (
    NotFoundError,
    StorageError,
    ThemeError,
    UnacceptedThemeError,
)
from newsletter.ports import Renderer
from newsletter.rendering import Compiled
from newsletter.rendering.judging import judge, refused
from newsletter.rendering.shipped import is_shipped
from newsletter.rendering.themes import Theme, load_theme

#: What is sent in place of a theme that is refused, where that is wanted.
FALLBACK = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """Mails go out with another theme than the configured one."""

    #: The configured one.
    theme: str
    why: str


@dataclass(slots=True, kw_only=True)
class Themes:
    """The themes of a project, and what is known of them. For one thread."""

    #: The operator's, before those of the program.
    folders: Sequence[Path]
    #: What the store knows of a theme, by hash.
    find: Callable[[str], ThemeVerdict | None]
    has_fallback: bool = False
    compiled: Compiled = field(default_factory=Compiled)
    #: What this process has found itself, by hash.
    judged: dict[str, ThemeVerdict] = field(default_factory=dict)
    _renderers: dict[str, Renderer] = field(default_factory=dict)
    _mailable: dict[str, Renderer] = field(default_factory=dict)

    def load(self, name: str) -> Theme:
        """Return the theme's files as they are now.

        Raises:
            ThemeError: There is no such theme, or it cannot be read.
        """
        return load_theme(name, folders=self.folders)

    def renderer(self, name: str) -> Renderer:
        """Return a theme's renderer, compiled once, accepted or not.

        Raises:
            ThemeError: It cannot be used.
        """
        if name not in self._renderers:
            self._renderers[name] = self.compiled.of(self.load(name))
        return self._renderers[name]

    def known(self, theme: Theme) -> ThemeVerdict | None:
        """Return what is known of these files; None: nobody has judged them."""
        if is_shipped(theme.hash):
            return ThemeVerdict(theme=theme.name, theme_hash=theme.hash, faults=())
        found = self.judged.get(theme.hash)
        return found or self.find(theme.hash)

    def doubt(self, name: str) -> str | None:
        """Return why *name* may not be mailed as it is; None: it was accepted."""
        try:
            theme = self.load(name)
        except ThemeError as exc:
            return str(exc)
        verdict = self.known(theme)
        if verdict is None:
            return f"theme {name!r} is not accepted yet: a run judges it first"
        return None if verdict.is_accepted else why_refused(verdict)

    def look(self, name: str) -> ThemeVerdict:
        """Return the verdict on the theme *name*, judged where it is not known."""
        try:
            theme = self.load(name)
        except ThemeError as exc:
            return refused(name, exc)
        return self.verdict(theme)

    def verdict(self, theme: Theme) -> ThemeVerdict:
        """Return what is known of these files; judge them where nothing is."""
        found = self.known(theme)
        if found is None:
            found = judge(theme)
            if found.is_final:
                self.judged[theme.hash] = found
        return found

    def accepted(self, name: str) -> Renderer:
        """Return the renderer of a theme that mails may go out with.

        Raises:
            UnacceptedThemeError: It was refused.
            ThemeError: There is no such theme, or it cannot be read.
        """
        # Read once: what is rendered with is what was judged.
        theme = self.load(name)
        verdict = self.verdict(theme)
        if not verdict.is_accepted:
            first = verdict.errors[0]
            raise UnacceptedThemeError(
                why_refused(verdict), file=first.file or name, line=first.line
            )
        return self.compiled.of(theme)

    def mailable(self, name: str) -> Renderer:
        """Return what a mail in theme *name* goes out with: it, or the fallback.

        Raises:
            UnacceptedThemeError: It was refused, and there is no fallback.
            ThemeError: It cannot be read, and there is no fallback.
        """
        if name not in self._mailable:
            self._mailable[name] = self._mailable_now(name)
        return self._mailable[name]

    def _mailable_now(self, name: str) -> Renderer:
        try:
            return self.accepted(name)
        except ThemeError:
            if not self.has_fallback or name == FALLBACK:
                raise
        return self.mailable(FALLBACK)

    def why_not(self, name: str) -> Fallback | None:
        """Return why the fallback is sent in place of *name*; None: it is not.

        Raises:
            ThemeError: *name* cannot be sent, and there is no fallback.
        """
        try:
            self._mailable[name] = self.accepted(name)
        except ThemeError as exc:
            self.mailable(name)
            return Fallback(theme=name, why=str(exc))
        return None


def judge_named(name: str, *, folders: Sequence[Path]) -> ThemeVerdict:
    """Judge the theme *name* now; one that cannot even be read is refused.

    Raises:
        NotFoundError: There is no such theme.
    """
    try:
        theme = load_theme(name, folders=folders)
    except ThemeError as exc:
        if exc.file == name:
            # No file of it is named: it is not there at all.
            raise NotFoundError(str(exc)) from exc
        return refused(name, exc)
    return judge(theme)


def themes_before(settings: Settings, *, secrets: Sequence[bytes]) -> Themes:
    """Return the themes, over a store that is neither made nor migrated."""

    def find(theme_hash: str) -> ThemeVerdict | None:
        try:
            store = storage.open_to_look(settings.database_url, secret=secrets[0])
        except (NotFoundError, StorageError):
            # There is none yet, or an older one, which knows of no verdict.
            return None
        try:
            return store.verdicts.find(theme_hash, checker=CHECKER)
        finally:
            store.close()

    return Themes(
        folders=settings.template_folders,
        find=find,
        has_fallback=settings.has_theme_fallback,
    )


def keep(
    verdicts: Iterable[ThemeVerdict],
    *,
    url: str,
    secrets: Sequence[bytes],
    at: datetime,
) -> bool:
    """Keep *verdicts*, where there is a database; tell whether there is one.

    Raises:
        StorageError: It cannot be opened.
    """
    if not storage.is_there(url):
        return False
    store = storage.open_store(url, secret=secrets[0])
    try:
        for verdict in verdicts:
            if verdict.is_final and verdict.theme_hash:
                store.verdicts.keep(verdict, at=at)
    finally:
        store.close()
    return True
