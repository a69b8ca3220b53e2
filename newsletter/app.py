"""The composition root: Settings -> App.

The only place that wires things together and reads the wall clock.
"""

from __future__ import annotations

import os
import secrets as random_bytes
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from newsletter import storage
from newsletter.accepting import CHECKER, ThemeVerdict
from newsletter.assembling import Assembler
from newsletter.blocks import BlockDecider
from newsletter.config import (
    Settings,
    existing_secrets,
    load_settings,
    load_subscribers,
    secrets_of,
)
from newsletter.deciding import Decider, Plan, Tokenise
from newsletter.delivery.greeting import greet
from newsletter.delivery.outbox import Outbox
from newsletter.delivery.smtp import Smtp
from newsletter.errors import (
    ConfigError,
    ConflictError,
    NotFoundError,
    StorageError,
    ThemeError,
)
from newsletter.matching import documents
from newsletter.mime import ascii_address
from newsletter.model import (
    FetchSettings,
    Greeting,
    Issue,
    LedgerRow,
    Outcome,
    Poll,
    ReconcileReport,
    SmtpServer,
    SourceSettings,
    SubscriberSpec,
)
from newsletter.ports import Clock, Fetcher, LeaseInfo, Pace, Renderer, Transport
from newsletter.rendering import Compiled, is_spoken
from newsletter.rendering.making import make_theme
from newsletter.rendering.themes import load_theme
from newsletter.sources import KINDS, make_source
from newsletter.storage.turns import Turn, beating
from newsletter.theming import (
    FALLBACK,
    Fallback,
    Themes,
    judge_named,
    keep,
    themes_before,
)
from newsletter.usecases import diagnose as diagnosing
from newsletter.usecases import members
from newsletter.usecases.deliver import Deliver, DeliverReport, Delivery
from newsletter.usecases.diagnose import Finding, Grade
from newsletter.usecases.prepare import (
    Blockwise,
    Fate,
    Preparation,
    Prepare,
    PrepareReport,
)
from newsletter.usecases.preview import Previewing
from newsletter.usecases.proof import Proofs, anonymous
from newsletter.usecases.refresh import Refresh, RefreshReport, SourceReport

if TYPE_CHECKING:
    from newsletter.sources.discovering import Discovery

#: One process at a time refreshes, releases and prepares.
TURN = "prepare"
#: Leases of issues last for minutes, so this is often enough for them.
KEEP_ALIVE_EVERY_S = 30.0
#: Signs links of rehearsals and previews where no secret is set yet.
_STAND_IN = (b"rehearsal",)


class SystemClock:
    """The wall clock; the only one."""

    def now(self) -> datetime:
        """Return the present instant, UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Another process has the turn."""

    other: LeaseInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveUp:
    """It kept the turn for too long: this run only delivers."""

    other: LeaseInfo


Event = (
    Fallback
    | ReconcileReport
    | SourceReport
    | RefreshReport
    | Preparation
    | PrepareReport
    | Delivery
    | DeliverReport
    | Waiting
    | GaveUp
)
Tell = Callable[[Event], None]


def _silent(event: Event) -> None:
    del event


@dataclass(slots=True, kw_only=True)
class RunReport:
    """What one run did. None: that stage was left to another process."""

    #: Why mails go out with the packaged theme. None: they do with the configured.
    fallback: Fallback | None = None
    reconciled: ReconcileReport | None = None
    refreshed: RefreshReport | None = None
    prepared: PrepareReport | None = None
    delivered: DeliverReport | None = None

    @property
    def is_trouble(self) -> bool:
        """Tell whether a person must look: exit code 1."""
        broken = self.refreshed and any(s.broken for s in self.refreshed.sources)
        failed = self.prepared and self.prepared[Fate.FAILED]
        return bool(broken or failed or (self.delivered and self.delivered.is_trouble))


@dataclass(kw_only=True)
class App:
    """Everything wired, over one open store. Use it as a context manager."""

    settings: Settings
    #: None: there is no subscribers.toml.
    specs: tuple[SubscriberSpec, ...] | None
    store: storage.Store
    secrets: tuple[bytes, ...]
    #: Variables; the password for SMTP is in one.
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: A rehearsal on a copy: nothing is fetched, delivered or kept.
    dry: bool = False
    #: The themes, as far as they were looked at before the store was open.
    looked_at: Themes | None = None
    #: Why the packaged theme is in the settings. None: the configured one is.
    fallback: Fallback | None = None
    clock: Clock = field(default_factory=SystemClock)
    #: May be shared with other apps, so that a theme is compiled once for all.
    compiled: Compiled = field(default_factory=Compiled, repr=False)
    #: Who we are in leases.
    holder: str = field(
        default_factory=lambda: (
            f"{socket.gethostname()}:{os.getpid()}:{random_bytes.token_hex(4)}"
        )
    )

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the store."""
        self.store.close()

    # --- the stages, strung together ---

    def run(
        self, *, at: datetime | None, everyone: bool = False, tell: Tell = _silent
    ) -> RunReport:
        """Run all stages for everyone due at *at* (None: now)."""
        as_of = at or self.clock.now()
        self._check_way_out(at)
        report = self._begin(tell)
        with self._turn(tell) as ours:
            if ours:
                report.reconciled = self._reconcile(as_of, tell)
                report.refreshed = self._refresh(as_of, tell)
                report.prepared = self._prepare(
                    as_of, everyone=everyone, refreshed=report.refreshed, tell=tell
                )
        if not self.dry:
            report.delivered = self._deliver(tell)
        return report

    def refresh(self, *, at: datetime | None, tell: Tell = _silent) -> RunReport:
        """Fetch and release only."""
        report = RunReport()
        with self._turn(tell) as ours:
            if ours:
                report.refreshed = self._refresh(at or self.clock.now(), tell)
        return report

    def prepare(
        self, *, at: datetime | None, everyone: bool = False, tell: Tell = _silent
    ) -> RunReport:
        """Release, match and compose only."""
        as_of = at or self.clock.now()
        report = self._begin(tell)
        with self._turn(tell) as ours:
            if ours:
                report.reconciled = self._reconcile(as_of, tell)
                report.refreshed = self._release(as_of)
                report.prepared = self._prepare(
                    as_of, everyone=everyone, refreshed=report.refreshed, tell=tell
                )
        return report

    def deliver(self, *, tell: Tell = _silent) -> RunReport:
        """Render and hand over only."""
        report = self._begin(tell)
        report.delivered = self._deliver(tell)
        return report

    def _begin(self, tell: Tell) -> RunReport:
        """Refuse to work for a theme that may not be mailed; say of a fallback.

        Raises:
            ThemeError: Nothing goes out with the configured theme.
        """
        if not self.dry:
            self.themes.mailable(self.settings.newsletter.theme)
            self._keep_verdicts()
        if self.fallback is not None:
            tell(self.fallback)
        return RunReport(fallback=self.fallback)

    def _deliver(self, tell: Tell) -> DeliverReport:
        self._check_way_out(None)
        delivered = Deliver(
            ledger=self.store.ledger,
            subscribers=self.store.subscribers,
            # Issues may name another theme than the one of now.
            assembler=replace(self.assembler, renderer=self.themes.mailable),
            transport=self._transport(),
            clock=self.clock,
            holder=self.holder,
            window=self.settings.delivery.window,
            expire_after=self.settings.delivery.expire_after,
            after_crash=self.settings.delivery.after_crash,
            keep_alive=_keep_alive,
            tell=tell,
        ).run()
        self._keep_verdicts()
        tell(delivered)
        return delivered

    def _keep_verdicts(self) -> None:
        """Keep what was accepted, so that the next run need not judge it again.

        What was refused is judged again: by then a limit may not be in its way.
        """
        for verdict in self.themes.judged.values():
            if verdict.is_accepted:
                self.store.verdicts.keep(verdict, at=self.clock.now())
        self.themes.judged.clear()

    def resolve(self, key: str, *, repeat: bool) -> LedgerRow:
        """End the doubt about an unknown or held issue; return what it was.

        Args:
            key: An unambiguous beginning is enough.
            repeat: Send it again; else never.

        Raises:
            NotFoundError: There is no such issue.
            ConflictError: It waits for nobody, or is too old to be sent.
        """
        row, now = self.store.ledger.find(key), self.clock.now()
        oldest = now - self.settings.delivery.expire_after
        if repeat and row.record.prepared_at < oldest:
            raise ConflictError(
                f"issue {row.record.key} waited longer than delivery.expire_after and"
                " is of no use any more; drop it, or set that key to more"
            )
        self.store.ledger.resolve(row.record.key, repeat=repeat, at=now)
        return row

    def _reconcile(self, as_of: datetime, tell: Tell) -> ReconcileReport:
        reconciled = members.reconcile(
            self.specs,
            subscribers=self.store.subscribers,
            clock=self.clock,
            as_of=as_of,
        )
        tell(reconciled)
        return reconciled

    def _refresh(self, as_of: datetime, tell: Tell) -> RefreshReport:
        if self.dry:
            return self._release(as_of)
        report = self._refresher(tell).run(as_of)
        tell(report)
        return report

    def _release(self, as_of: datetime) -> RefreshReport:
        """Release what is due without asking any source."""
        return self._refresher(_silent).release_only(as_of)

    def _refresher(self, tell: Tell) -> Refresh:
        return Refresh(
            sources=tuple(make_source(s) for s in self.settings.sources),
            states=self.store.sources,
            entries=self.store.entries,
            fetcher=_fetcher(
                self.settings.fetch, clock=self.clock, pace=self.store.pace
            ),
            clock=self.clock,
            tell=tell,
        )

    def _prepare(
        self, as_of: datetime, *, everyone: bool, refreshed: RefreshReport, tell: Tell
    ) -> PrepareReport:
        decider = Decider(
            entries=self.store.entries,
            ledger=self.store.ledger,
            edition=self.settings.edition(),
            theme_hash=self._theme_hash(),
            catch_up=self.settings.catch_up,
            source_order=self.source_order,
        )
        notes: list[str] = []
        report = Prepare(
            decider=decider,
            subscribers=self.store.subscribers,
            ledger=self.store.ledger,
            clock=self.clock,
            blockwise=self._blockwise(decider, notes.append),
            tell=tell,
        ).run(
            as_of,
            everyone=everyone,
            all_failing=refreshed.all_failing and not refreshed.released,
        )
        report.notes += notes
        tell(report)
        return report

    def _blockwise(self, decider: Decider, warn: Callable[[str], None]) -> Blockwise:
        """Return what makes a decider for blocks, over compiled profiles."""
        store = self.store

        def make(
            as_of: datetime,
            *,
            everyone: bool,
            edition_hash: str,
            is_waiting: Callable[[Plan], bool],
        ) -> BlockDecider:
            from newsletter.library import Library  # noqa: PLC0415 - numpy costs 0.1 s, and most runs have few readers

            library = Library(
                chunks=store.chunks,
                subscribers=store.subscribers,
                warn=warn,
                acronyms=decider.edition.acronyms,
            )
            library.bring_up_to_date()
            return BlockDecider(
                decider=decider,
                entries=store.entries,
                ledger=store.ledger,
                book=library,
                as_of=as_of,
                everyone=everyone,
                edition_hash=edition_hash,
                is_waiting=is_waiting,
            )

        return make

    def diagnose(self, *, ask: bool) -> Iterator[Finding]:
        """Look at what a run needs; with *ask*, at sources and SMTP server too."""
        settings, store, now = self.settings, self.store, self.clock.now()
        delivery = settings.delivery
        yield from diagnosing.of_newsletter(
            settings.newsletter, sources=settings.sources, is_smtp=delivery.is_smtp
        )
        yield self._look_at_theme()
        yield from diagnosing.of_languages(
            [settings.newsletter.language, *(s.language for s in self.specs or ())],
            is_spoken=is_spoken,
        )
        if ask:
            polls = _poll_once(settings, settings.sources, clock=self.clock)
            yield from diagnosing.of_sources(settings.sources, polls, as_of=now)
        yield from diagnosing.of_guard(store.entries)
        if not delivery.is_smtp:
            yield diagnosing.of_part("outbox", self._outbox().look)
        elif ask:
            yield from diagnosing.of_greeting(
                self._greet, name=f"{delivery.smtp.host}:{delivery.smtp.port}", now=now
            )
        yield from diagnosing.of_readers(
            store.subscribers, planned=len(self.specs or ()), now=now
        )
        yield from diagnosing.of_issues(store.ledger)

    def _look_at_theme(self) -> Finding:
        name = self.settings.newsletter.theme
        return diagnosing.of_theme(
            self.themes.look(name),
            has_fallback=self.settings.has_theme_fallback and name != FALLBACK,
        )

    def _greet(self) -> Greeting:
        newsletter = self.settings.newsletter
        sender = newsletter.bounce_address or newsletter.from_address
        return greet(self._server(), sender=ascii_address(sender))

    # --- parts that several commands need ---

    @property
    def source_order(self) -> tuple[str, ...]:
        """Return the sources' names in configuration order."""
        return tuple(source.name for source in self.settings.sources)

    @cached_property
    def themes(self) -> Themes:
        """Return the themes, and what is known of them."""
        find = partial(self.store.verdicts.find, checker=CHECKER)
        if self.looked_at is not None:
            self.looked_at.find = find
            return self.looked_at
        return Themes(
            folders=self.settings.template_folders,
            find=find,
            has_fallback=self.settings.has_theme_fallback,
            compiled=self.compiled,
        )

    def renderer(self, theme: str) -> Renderer:
        """Return a theme's renderer, compiled once, accepted or not."""
        return self.themes.renderer(theme)

    def _theme_hash(self) -> str:
        name = self.settings.newsletter.theme
        if not self.dry:
            return self.themes.mailable(name).theme_hash
        try:
            return self.renderer(name).theme_hash
        except ThemeError:
            if not self.settings.has_theme_fallback:
                raise
            return self.renderer(FALLBACK).theme_hash

    def theme_doubt(self) -> str | None:
        """Return what a rehearsal says of a theme that is not accepted yet."""
        return self.themes.doubt(self.settings.newsletter.theme)

    @cached_property
    def assembler(self) -> Assembler:
        """Return the one way to make a mail."""
        return Assembler(
            entries=self.store.entries,
            subscribers=self.store.subscribers,
            ledger=self.store.ledger,
            renderer=self.renderer,
            signers=(),
            secrets=self.secrets,
        )

    def check_may_send_to(self, address: str) -> None:
        """Refuse a reader who could not leave.

        Raises:
            ConfigError: Mail would go there, and say no way to get no more.
        """
        _check_way_to_leave(self.settings, [address])

    def outbox_files_of(self, subscriber_id: int) -> tuple[Path, ...]:
        """Return the files of the outbox that are mails to a reader."""
        keys = frozenset(self.store.ledger.keys_of(subscriber_id))
        folder = self.settings.delivery.outbox
        files = sorted(folder.glob("*/*")) if keys else []
        return tuple(path for path in files if path.stem in keys)

    def forget_in_outbox(self, subscriber_id: int) -> None:
        """Take a reader out of the lists of the outbox; mails stay as they are.

        Raises:
            TransientDeliveryError: The lists cannot be written.
        """
        self._outbox().forget(frozenset(self.store.ledger.keys_of(subscriber_id)))

    @property
    def has_secret(self) -> bool:
        """Tell whether links are signed for real, not by a rehearsal's stand-in."""
        return self.secrets != _STAND_IN

    def previewing(
        self,
        at: datetime | None = None,
        *,
        with_left_out: bool = True,
        tokenise: Tokenise = documents,
    ) -> Previewing:
        """Return what shows issues as they would be sent *at* (None: now).

        Args:
            at: An instant that counts as now.
            with_left_out: Tell of a mail what it does not show, which takes time.
            tokenise: Takes entries apart; one that keeps them saves that.
        """
        return Previewing(
            entries=self.store.entries,
            subscribers=self.store.subscribers,
            ledger=self.store.ledger,
            assembler=self.assembler,
            edition=self.settings.edition(),
            catch_up=self.settings.catch_up,
            source_order=self.source_order,
            settle={s.name: s.settle for s in self.settings.sources},
            specs=self.specs or (),
            now=at or self.clock.now().replace(microsecond=0),
            with_left_out=with_left_out,
            tokenise=tokenise,
        )

    def send_proof(self, issue: Issue) -> Outcome:
        """Send a reader's issue to ``preview_to``, and to nobody else.

        No trace of it is left in the store.

        Raises:
            ConfigError: There is no ``preview_to``, or no password for SMTP.
            RenderError: The theme fails on it.
            DeliveryError: The transport takes no mail.
        """
        to = self.settings.preview_to
        if to is None:
            raise ConfigError(
                self.settings.document.problem(
                    ("newsletter", "preview_to"),
                    "is not set, and previews go to nobody else; set it to your own"
                    ' address: preview_to = "editor@example.org"',
                )
            )
        proofs = Proofs(assembler=self.assembler, to=to)
        key = random_bytes.token_hex(16)
        return proofs.send(issue, key=key, transport=self._transport())

    def html_for_anybody(self, issue: Issue) -> str:
        """Return the HTML of *issue* without its reader: no address, no token."""
        return self.renderer(issue.theme).render(anonymous(issue)).html

    def _check_way_out(self, at: datetime | None) -> None:
        """Refuse before anything is done what the transport must not do.

        Raises:
            ConfigError: Mail would go out that must not.
        """
        if not self.settings.delivery.is_smtp or self.dry:
            return
        self._server()
        if at is not None and at > self.clock.now():
            raise ConfigError(
                "--at is in the future and the transport is smtp: the mail would be"
                " real and too early; add --dry-run to see who would get what"
            )
        # Two are enough to tell: one at most has our own address.
        readers = self.store.subscribers.active(limit=2)
        _check_way_to_leave(self.settings, [reader.address for reader in readers])

    def _server(self) -> SmtpServer:
        """Return the SMTP server, with its password.

        Raises:
            ConfigError: It wants one, and none is set.
        """
        delivery = self.settings.delivery
        if delivery.smtp.username is None:
            return delivery.smtp
        password = self.environ.get(delivery.password_env)
        if not password:
            raise ConfigError(
                "delivery.smtp.username is set, but the variable"
                f" {delivery.password_env} is not; put the password there"
            )
        return replace(delivery.smtp, password=password)

    def _transport(self) -> Transport:
        if self.settings.delivery.is_smtp:
            return Smtp(self._server(), clock=self.clock)
        return self._outbox()

    def _outbox(self) -> Outbox:
        return Outbox(
            self.settings.delivery.outbox,
            clock=self.clock,
            title=self.settings.newsletter.title,
            list_id=self.settings.newsletter.list_id,
        )

    @contextmanager
    def _turn(self, tell: Tell) -> Iterator[bool]:
        """Hold the turn, renewed; False where another keeps it for too long."""
        if self.dry:
            yield True
            return
        turn = Turn(name=TURN, leases=self.store.leases, clock=self.clock)
        with turn.held(
            self.holder,
            on_wait=lambda other: tell(Waiting(other=other)),
            on_give_up=lambda other: tell(GaveUp(other=other)),
        ) as ours:
            yield ours


def _fetcher(
    settings: FetchSettings, *, clock: Clock, pace: Pace | None = None
) -> Fetcher:
    from newsletter.sources.fetcher import HttpFetcher  # noqa: PLC0415 - aiohttp costs 0.2 s, and few commands fetch

    return HttpFetcher(settings, clock=clock, pace=pace)


def _poll_once(
    settings: Settings, sources: Sequence[SourceSettings], *, clock: Clock
) -> Mapping[str, Poll]:
    """Ask *sources* as if for the first time; keep nothing. By name."""
    from newsletter.sources.discovering import poll_once  # noqa: PLC0415 - as in _fetcher

    return poll_once(
        [make_source(source) for source in sources],
        fetcher=_fetcher(settings.fetch, clock=clock),
        as_of=clock.now(),
    )


def _keep_alive(beat: Callable[[], None]) -> AbstractContextManager[None]:
    return beating(beat, every_s=KEEP_ALIVE_EVERY_S)


def read_settings(folder: Path, environ: Mapping[str, str]) -> Settings:
    """Read and check newsletter.toml, for the kinds of source that there are.

    Raises:
        ConfigError: It has mistakes; all are named.
    """
    return load_settings(folder, environ, kinds=KINDS)


def discover_source(
    folder: Path, environ: Mapping[str, str], wanted: SourceSettings
) -> Discovery:
    """Read once what *wanted* points at; nothing is stored or configured.

    Raises:
        ConfigError: The configuration has mistakes.
        SourceError: Nothing that can be read is there.
    """
    from newsletter.sources.discovering import discover  # noqa: PLC0415 - as in _fetcher

    fetch = read_settings(folder, environ).fetch
    clock = SystemClock()
    fetcher = _fetcher(fetch, clock=clock)
    return discover(wanted, fetcher=fetcher, as_of=clock.now())


def check_sources(
    folder: Path, environ: Mapping[str, str], names: Sequence[str]
) -> tuple[tuple[SourceSettings, Poll], ...]:
    """Ask the sources *names* (none: all) now, and store nothing.

    Raises:
        ConfigError: The configuration has mistakes.
        NotFoundError: There is no such source.
    """
    settings = read_settings(folder, environ)
    there = {source.name: source for source in settings.sources}
    for name in names:
        if name not in there:
            known = ", ".join(there) or "none"
            raise NotFoundError(f"there is no source {name!r}; there are: {known}")
    asked = [there[name] for name in names or there]
    polls = _poll_once(settings, asked, clock=SystemClock())
    return tuple((source, polls[source.name]) for source in asked)


def open_app(
    folder: Path,
    environ: Mapping[str, str],
    *,
    dry: bool = False,
    check_subscribers: bool = True,
    mails: bool = False,
) -> App:
    """Read and check the whole configuration, then open (or create) the store.

    Nothing is created before everything has been checked: after a mistake no
    file is new.

    Args:
        folder: The configuration folder.
        environ: Variables that override the file, and the secrets.
        dry: Work on a copy in memory; create nothing at all.
        check_subscribers: Read subscribers.toml too.
        mails: Mails are to go out, so the theme must be accepted.

    Raises:
        ConfigError: The configuration has mistakes; all are named.
        ThemeError: The configured theme cannot be used.
        StorageError: The database cannot be opened.
    """
    settings = read_settings(folder, environ)
    specs = load_subscribers(folder, settings) if check_subscribers else None
    _check_way_to_leave(settings, [spec.address for spec in specs or ()])
    settings, themes, fallback = _themed(settings, environ, mails=mails and not dry)
    if dry:
        secrets = existing_secrets(settings, environ) or _STAND_IN
        store = storage.open_scratch(
            settings.database_url, secret=secrets[0], former=secrets[1:]
        )
    else:
        secrets = secrets_of(settings, environ)
        store = storage.open_store(
            settings.database_url, secret=secrets[0], former=secrets[1:]
        )
    return App(
        settings=settings,
        specs=specs,
        store=store,
        secrets=secrets,
        environ=environ,
        dry=dry,
        looked_at=themes,
        fallback=fallback,
    )


def _themed(
    settings: Settings, environ: Mapping[str, str], *, mails: bool
) -> tuple[Settings, Themes, Fallback | None]:
    """Look at the configured theme before anything is created.

    Returns:
        The settings with the theme that is used, the themes as far as they were
        looked at, and why another than the configured one is used.

    Raises:
        ThemeError: It cannot be read; where *mails* go out, it was refused.
    """
    secrets = existing_secrets(settings, environ) or _STAND_IN
    themes = themes_before(settings, secrets=secrets)
    theme = settings.newsletter.theme
    if not mails:
        if not settings.has_theme_fallback:
            themes.load(theme)
        return settings, themes, None
    fallback = themes.why_not(theme)
    if fallback is not None:
        newsletter = replace(settings.newsletter, theme=FALLBACK)
        settings = replace(settings, newsletter=newsletter)
    return settings, themes, fallback


def judge_themes(
    folder: Path, environ: Mapping[str, str], names: Sequence[str]
) -> tuple[ThemeVerdict, ...]:
    """Judge the themes *names* (none: the configured one) anew; keep nothing.

    Raises:
        ConfigError: The configuration has mistakes; all are named.
        NotFoundError: There is no such theme.
    """
    settings = read_settings(folder, environ)
    folders = settings.template_folders
    return tuple(
        judge_named(name, folders=folders)
        for name in names or (settings.newsletter.theme,)
    )


def keep_verdicts(
    folder: Path, environ: Mapping[str, str], verdicts: Sequence[ThemeVerdict]
) -> bool:
    """Keep *verdicts*, where there is a database; tell whether there is one.

    Raises:
        StorageError: It cannot be opened.
    """
    settings = read_settings(folder, environ)
    secrets = existing_secrets(settings, environ) or _STAND_IN
    now = SystemClock().now()
    return keep(verdicts, url=settings.database_url, secrets=secrets, at=now)


def new_theme(
    folder: Path, environ: Mapping[str, str], name: str, *, like: str
) -> Path:
    """Make a theme of one's own, as a copy of *like*; return its folder.

    Raises:
        ConfigError: The configuration has mistakes; all are named.
        ThemeError: The name cannot be had, or *like* cannot be read.
    """
    folders = read_settings(folder, environ).template_folders
    return make_theme(name, like=load_theme(like, folders=folders), folder=folders[0])


def open_to_look(
    folder: Path, environ: Mapping[str, str], *, compiled: Compiled | None = None
) -> App:
    """Read the whole configuration, then open the store to read only.

    Nothing is created or migrated. Where no secret is set yet, links are
    signed with a stand-in.

    Args:
        folder: The configuration folder.
        environ: Variables that override the file, and the secrets.
        compiled: Themes compiled for looks before. None: none are kept.

    Raises:
        ConfigError: The configuration has mistakes; all are named.
        NotFoundError: There is no database yet.
        StorageError: The database cannot be opened.
    """
    settings = read_settings(folder, environ)
    specs = load_subscribers(folder, settings)
    secrets = existing_secrets(settings, environ) or _STAND_IN
    store = storage.open_to_look(
        settings.database_url, secret=secrets[0], former=secrets[1:]
    )
    return App(
        settings=settings,
        specs=specs,
        store=store,
        secrets=secrets,
        environ=environ,
        dry=True,
        compiled=compiled or Compiled(),
    )


def _check_way_to_leave(settings: Settings, addresses: Sequence[str]) -> None:
    """Refuse to send to others than ourselves what nobody can leave.

    Raises:
        ConfigError: There is such a reader.
    """
    newsletter = settings.newsletter
    if not settings.delivery.is_smtp or newsletter.has_way_to_leave:
        return
    ours = newsletter.from_address.casefold()
    other = next((a for a in addresses if a.casefold() != ours), None)
    if other is not None:
        raise ConfigError(
            settings.document.problem(
                ("delivery", "transport"),
                f'"smtp" would send to {other}, who has no way to leave; set'
                " newsletter.base_url or newsletter.unsubscribe_mailto (mail to"
                " newsletter.from alone needs neither)",
            )
        )


def diagnose(
    folder: Path, environ: Mapping[str, str], *, ask: bool
) -> Iterator[Finding]:
    """Look at everything that a run needs; create nothing.

    Args:
        folder: The configuration folder.
        environ: Variables that override the file, and the secrets.
        ask: Ask the sources and the SMTP server too.

    Raises:
        ConfigError: The configuration has mistakes; all are named.
        ThemeError: The configured theme cannot be used.
    """
    url = read_settings(folder, environ).database_url
    finding, is_usable = _look_at_database(folder, environ, url)
    yield finding
    if not is_usable:
        # The rest is looked at over an empty one, in memory.
        environ = {**environ, "NEWSLETTER_DATABASE__URL": f"sqlite:///{os.devnull}"}
    with open_app(folder, environ, dry=not is_usable) as app:
        yield from app.diagnose(ask=ask)


def _look_at_database(
    folder: Path, environ: Mapping[str, str], url: str
) -> tuple[Finding, bool]:
    """Return what is to be said of the database, and whether it can be used."""
    try:
        if not storage.is_there(url):
            what = f"there is none yet at {url}; the first run makes it"
            return Finding(area="database", grade=Grade.NOTE, what=what), False
        with open_app(folder, environ) as app:
            what = app.store.verify()
            return Finding(area="database", grade=Grade.FINE, what=what), True
    except StorageError as error:
        what = str(error)
        return Finding(area="database", grade=Grade.ERROR, what=what), False
