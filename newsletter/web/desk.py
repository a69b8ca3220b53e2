"""What whoever previews looks at: one reader, one issue, one instant.

Each request reads the configuration and opens the store anew, to read only:
an edit shows at the next look, a run meanwhile is not kept waiting, and a
database that is not there yet may come. Kept between requests are themes that
are compiled (by what their files hold), entries in tokens (by their texts), the
last previews, and what was tried.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar

from newsletter import app as root
from newsletter.app import App
from newsletter.config import Tried, try_profile
from newsletter.errors import NotFoundError
from newsletter.model import Foreseen, Issue, LedgerRow
from newsletter.rendering import Compiled, own_folders
from newsletter.usecases.preview import (
    ALL,
    Found,
    Preview,
    Previewing,
    Wanted,
    name_of,
)
from newsletter.web.changes import Changes, compare, shown_in
from newsletter.web.choices import NEXT, NOW, Choice, View
from newsletter.web.drafts import Draft
from newsletter.web.tokens import KeptTokens
from newsletter.web.told import Told, told_of
from newsletter.web.watching import Watch

T = TypeVar("T")

#: Readers that the list shows at once.
READERS_SHOWN = 50
#: Previews kept, so that a page and its frame are one.
PREVIEWS_KEPT = 8
#: Tried profiles kept, for going back to; and sentences to be said once.
DRAFTS_KEPT = 50


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """The last of something, by name; safe from any thread."""

    most: int
    _things: OrderedDict[str, T] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, thing: T, name: str | None = None) -> str:
        """Keep *thing* and return its name; without one it gets one."""
        name = name or secrets.token_urlsafe(9)
        with self._lock:
            self._things[name] = thing
            self._things.move_to_end(name)
            if len(self._things) > self.most:
                self._things.popitem(last=False)
        return name

    def get(self, name: str) -> T | None:
        """Return what is kept by that name. None: nothing is any more."""
        with self._lock:
            return self._things.get(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A profile in the form, and what it would change."""

    draft: Draft
    #: None: nothing was tried, the form holds the reader's own profile.
    tried: Tried | None = None
    #: None: there is nothing to compare.
    changes: Changes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """All that one page shows."""

    choice: Choice
    #: When it was looked at.
    at: datetime
    title: str
    found: Found
    #: None: there are no readers.
    reader: Foreseen | None
    past: tuple[LedgerRow, ...] = ()
    preview: Preview | None = None
    #: None: no profile can be tried here.
    trial: Trial | None = None
    #: Readers of the file that would go at once, so the file is not followed.
    refused: tuple[str, ...] = ()
    has_entries: bool = True
    has_secret: bool = True
    #: Whom previews go to. None: nobody.
    preview_to: str | None = None
    #: What was done just now.
    told: Told | None = None
    #: What the files were when it was made.
    stamp: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Looks things up for the pages. Safe from any thread."""

    folder: Path
    environ: Mapping[str, str]
    compiled: Compiled = field(default_factory=Compiled)
    tokens: KeptTokens = field(default_factory=KeptTokens)
    _previews: Kept[Preview] = field(default_factory=lambda: Kept(PREVIEWS_KEPT))
    _drafts: Kept[Draft] = field(default_factory=lambda: Kept(DRAFTS_KEPT))
    _told: Kept[Told] = field(default_factory=lambda: Kept(DRAFTS_KEPT))

    @property
    def watch(self) -> Watch:
        """Return what tells when files have changed."""
        themes = (self.folder.parent / "templates", *own_folders())
        return Watch(configuration=self.folder, themes=themes)

    def look(self, choice: Choice) -> Sight:
        """Return what a page of *choice* shows.

        Raises:
            ConfigError: The configuration has mistakes.
            NotFoundError: There is no database, reader or issue of that name.
            StorageError: The database cannot be read.
            ThemeError: The theme cannot be used.
            RenderError: The theme fails on this issue.
        """
        # Before anything is read: an edit meanwhile counts as one after it.
        stamp = self.watch.stamp()
        with self._open() as app:
            previewing = self._previewing(app, choice)
            found = previewing.search(choice.q, limit=READERS_SHOWN)
            reader = _chosen(previewing, choice, found)
            sight = Sight(
                choice=choice,
                at=previewing.now,
                title=app.settings.newsletter.title,
                found=found,
                reader=reader,
                refused=previewing.forecast.report.refused,
                has_entries=previewing.has_entries(),
                has_secret=app.has_secret,
                preview_to=app.settings.preview_to,
                told=self._told.get(choice.said),
                stamp=stamp,
            )
            if reader is None:
                return sight
            choice = replace(choice, reader=name_of(reader))
            return self._with_issue(
                replace(sight, choice=choice, past=previewing.past(reader.subscriber)),
                reader,
                previewing,
                app,
            )

    def _with_issue(
        self, sight: Sight, reader: Foreseen, previewing: Previewing, app: App
    ) -> Sight:
        """Return *sight* with the issue, by the reader's profile or a tried one."""
        choice = sight.choice
        trial = self._trial(choice, reader, app)
        tried = _profiled(reader, trial)
        wanted = ALL if choice.view is View.LEFT_OUT else None
        if tried is None or choice.is_past or choice.view is not View.PROFILE:
            preview = self._make(choice, tried or reader, previewing, wanted)
            return replace(sight, preview=preview, trial=trial)
        before = _made(choice.issue, reader, previewing, None)
        # Why all others are left out is not shown here, and takes longer.
        preview = self._make(choice, tried, previewing, Wanted(shown_in(before)))
        trial = replace(trial, changes=compare(before, preview))
        return replace(sight, preview=preview, trial=trial)

    def find(self, choice: Choice) -> Sight:
        """Return what the list of readers shows; raises as ``look`` does."""
        with self._open() as app:
            previewing = self._previewing(app, choice)
            return Sight(
                choice=choice,
                at=previewing.now,
                title=app.settings.newsletter.title,
                found=previewing.search(choice.q, limit=READERS_SHOWN),
                reader=None,
            )

    def preview(self, choice: Choice) -> Preview:
        """Return the issue of *choice*; raises as ``look`` does.

        At an instant that a page showed, it is the very one of that page.
        """
        kept = self._previews.get(_key(choice, choice.at)) if choice.at else None
        if kept is not None:
            return kept
        with self._open() as app:
            previewing = self._previewing(app, choice)
            reader = previewing.reader(choice.reader)
            tried = _profiled(reader, self._trial(choice, reader, app))
            return self._make(choice, tried or reader, previewing, None)

    # --- what is tried, sent, given away ---

    def keep_draft(self, draft: Draft) -> str:
        """Keep a profile that is tried; return its name."""
        return self._drafts.put(draft)

    def send(self, choice: Choice) -> str:
        """Send the issue of *choice* to ``preview_to``; return the name of what to say.

        Raises:
            NewsletterError: As ``look`` does; or there is no ``preview_to``.
        """
        issue = self._issue(choice)
        with self._open() as app:
            told = told_of(app.send_proof(issue), app.settings)
        return self._told.put(told)

    def html_for_anybody(self, choice: Choice) -> str:
        """Return the mail's HTML without its reader; raises as ``look`` does."""
        issue = self._issue(choice)
        with self._open() as app:
            return app.html_for_anybody(issue)

    def warm(self) -> None:
        """Compile the theme and load what the first look needs.

        Raises:
            NewsletterError: As ``look`` does.
        """
        self.look(Choice(view=View.LEFT_OUT))

    def _issue(self, choice: Choice) -> Issue:
        issue = self.preview(choice).issue
        if issue is None:
            raise NotFoundError("there is no mail to show; look at the page around it")
        return issue

    def _open(self) -> App:
        return root.open_to_look(self.folder, self.environ, compiled=self.compiled)

    def _previewing(self, app: App, choice: Choice) -> Previewing:
        return app.previewing(choice.at, with_left_out=False, tokenise=self.tokens)

    def _trial(self, choice: Choice, reader: Foreseen, app: App) -> Trial:
        draft = self._drafts.get(choice.draft) if choice.draft else None
        if draft is None:
            return Trial(draft=Draft.of(reader.profile))
        return Trial(draft=draft, tried=try_profile(draft.data(), app.settings))

    def _make(
        self,
        choice: Choice,
        reader: Foreseen,
        previewing: Previewing,
        wanted: Wanted | None,
    ) -> Preview:
        """Make a preview, and keep it for its frame."""
        made = _made(choice.issue, reader, previewing, wanted)
        named = replace(choice, reader=name_of(reader))
        self._previews.put(made, _key(named, previewing.now))
        return made


def _key(choice: Choice, at: datetime) -> str:
    return repr((choice.reader, choice.issue, at, choice.draft))


def _profiled(reader: Foreseen, trial: Trial) -> Foreseen | None:
    """Return the reader with the tried profile. None: none can be used."""
    if trial.tried is None or trial.tried.profile is None:
        return None
    return replace(reader, profile=trial.tried.profile)


def _made(
    issue: str, reader: Foreseen, previewing: Previewing, wanted: Wanted | None
) -> Preview:
    if issue == NOW:
        return previewing.everyone_now(reader, wanted=wanted)
    if issue == NEXT:
        return previewing.next_slot(reader, wanted=wanted)
    return previewing.past_issue(reader.subscriber, issue)


def _chosen(previewing: Previewing, choice: Choice, found: Found) -> Foreseen | None:
    """Return the reader of *choice*, else the first one. None: there is none."""
    if choice.reader:
        return previewing.reader(choice.reader)
    if not found.readers:
        return None
    return previewing.reader(name_of(found.readers[0]))
