"""Settings: the whole of newsletter.toml, checked, as the product's own values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from unicodedata import normalize

from pydantic import ValidationError

from newsletter import __version__
from newsletter.config import later
from newsletter.config.acronyms import load_acronyms
from newsletter.config.bundled import starter_folder
from newsletter.config.environment import FILE, merged
from newsletter.config.reading import Document, problems_of, read_document
from newsletter.config.schema import (
    DeliveryTable,
    NewsletterFile,
    NewsletterTable,
    ReaderKeys,
    SmtpTable,
    SourceTable,
)
from newsletter.config.values import ascii_domain, mailbox
from newsletter.errors import ConfigError
from newsletter.model import (
    Acronyms,
    AfterCrash,
    CatchUp,
    CatchUpPolicy,
    Edition,
    FetchSettings,
    Newsletter,
    Ranking,
    Security,
    SmtpServer,
    SourceSettings,
)

#: kind -> what yields (key, what is wrong) of a source's own keys.
Kinds = Mapping[str, Callable[[SourceSettings], Iterable[tuple[str, str]]]]

_SQLITE = "sqlite:///"
_SECRET_ENV = "NEWSLETTER_SECRET"  # noqa: S105 - a variable's name


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """``[delivery]``, with its paths made absolute."""

    transport: str
    outbox: Path
    expire_after: timedelta
    #: Issues per commit.
    window: int
    after_crash: AfterCrash
    #: Without its password, which only who sends needs to know.
    smtp: SmtpServer
    #: The variable that holds it.
    password_env: str

    @property
    def is_smtp(self) -> bool:
        """Tell whether mail goes to a server, and so to people."""
        return self.transport == "smtp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that newsletter.toml and the environment say."""

    #: Relative paths start here: the parent of the configuration folder.
    root: Path
    newsletter: Newsletter
    sources: tuple[SourceSettings, ...]
    catch_up: CatchUp
    ranking: Ranking
    #: What acronyms.toml says.
    acronyms: Acronyms
    fetch: FetchSettings
    delivery: Delivery
    database_url: str
    #: Names of variables that may hold a secret; the first that is set signs.
    secret_env: tuple[str, ...]
    #: Files that may hold one, after the variables; the first may be made.
    secret_files: tuple[Path, ...]
    #: Folders of themes, looked at before the packaged one.
    template_folders: tuple[Path, ...]
    #: A theme that is refused is replaced by the packaged one, for that run.
    has_theme_fallback: bool
    #: What a subscriber has who says nothing else.
    defaults: ReaderKeys
    #: Who gets previews by mail. None: nobody.
    preview_to: str | None
    #: Where all of this was read, for mistakes that show later.
    document: Document = field(repr=False)

    def edition(self) -> Edition:
        """Return what every mail of now has in common."""
        return Edition(
            newsletter=self.newsletter, ranking=self.ranking, acronyms=self.acronyms
        )


def load_settings(
    folder: Path,
    environ: Mapping[str, str],
    *,
    kinds: Kinds,
    text: str | None = None,
) -> Settings:
    """Read and check newsletter.toml, with *environ* laid over it.

    Args:
        folder: The configuration folder.
        environ: Variables; those named NEWSLETTER_SECTION__KEY count.
        kinds: Of sources, each with what checks the keys that only it has.
        text: What the file is to say. None: what it says.

    Raises:
        ConfigError: With every mistake, each with file, line and key.
    """
    document, problems = merged(_document(folder, text), environ)
    try:
        file = NewsletterFile.model_validate(document.data)
    except ValidationError as error:
        found = problems_of(document, error, NewsletterFile)
        raise ConfigError(*problems, *found) from error
    mistakes = sorted(
        _mistakes(file, kinds, document, _root(folder)),
        key=lambda m: document.line(m[0]),
    )
    problems += tuple(document.problem(path, what) for path, what in mistakes)
    if problems:
        raise ConfigError(*problems)
    acronyms = load_acronyms(folder)
    return _settings(_root(folder), file, document, acronyms)


def _document(folder: Path, text: str | None) -> Document:
    file = folder / FILE
    if text is not None or file.exists():
        return read_document(file, text)
    what = f"{file} is not there" if folder.is_dir() else f"there is no folder {folder}"
    raise ConfigError(
        f"{what}: name another folder with --config, copy the starter from "
        f"{starter_folder()}, or run `newsletter demo` to look at the product first"
    )


def _root(folder: Path) -> Path:
    """Return where relative paths start: the parent of the configuration folder."""
    # ``parent`` of ``..`` is ``.``, which is not where that folder lies.
    whole = folder.resolve() if ".." in folder.parts else folder.absolute()
    return whole.parent


def _mistakes(
    file: NewsletterFile, kinds: Kinds, document: Document, root: Path
) -> Iterator[tuple[Sequence[str | int], str]]:
    """Yield what is wrong between keys, and what is yet to come."""
    yield from later.refused(file)
    first: dict[str, int] = {}
    for number, source in enumerate(file.sources):
        earlier = first.setdefault(source.name, number)
        if earlier != number:
            where = document.line(("sources", earlier, "name"))
            yield (
                ("sources", number, "name"),
                f"line {where} names a source {source.name!r} too; expected another",
            )
        check = kinds.get(source.kind)
        if check is None:
            yield ("sources", number, "kind"), _unknown_kind(source.kind, kinds)
            continue
        for key, what in check(_source(root, source, file.fetch.interval)):
            yield ("sources", number, key), what
    yield from _smtp_mistakes(file.delivery, root)


def _smtp_mistakes(
    delivery: DeliveryTable, root: Path
) -> Iterator[tuple[Sequence[str | int], str]]:
    smtp, place = delivery.smtp, ("delivery", "smtp")
    if delivery.transport != "smtp":
        return
    if smtp.ca_file and not (root / smtp.ca_file).is_file():
        yield (
            (*place, "ca_file"),
            f"there is no file {root / smtp.ca_file}; expected certificates, PEM",
        )
    if smtp.username and smtp.security == "none" and not _is_here(smtp.host):
        yield (
            (*place, "security"),
            (
                'with "none" the password would go in clear over the network; '
                'expected "starttls" or "tls", or a relay on this machine'
            ),
        )


def _is_here(host: str) -> bool:
    """Tell whether *host* is this machine, by its usual names."""
    if host.casefold() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _unknown_kind(kind: str, kinds: Kinds) -> str:
    known = " or ".join(f'"{name}"' for name in kinds)
    near = get_close_matches(kind, list(kinds), n=1)
    hint = f'; did you mean "{near[0]}"?' if near else ""
    return f'there is no kind "{kind}"; expected {known}{hint}'


def _settings(
    root: Path, file: NewsletterFile, document: Document, acronyms: Acronyms
) -> Settings:
    newsletter = _newsletter(file.newsletter)
    database_url = _database_url(root, file.database.url)
    return Settings(
        root=root,
        newsletter=newsletter,
        sources=tuple(
            _source(root, source, file.fetch.interval) for source in file.sources
        ),
        catch_up=CatchUp(
            policy=CatchUpPolicy(file.catch_up.policy),
            at_most=file.catch_up.at_most,
            max_lookback=file.catch_up.max_lookback,
            repeat_days=file.catch_up.repeat_days,
        ),
        ranking=Ranking(**file.ranking.model_dump()),
        acronyms=acronyms,
        fetch=FetchSettings(
            allow_private=tuple(file.fetch.allow_private),
            max_bytes=file.fetch.max_bytes,
            timeout_s=file.fetch.timeout_s,
            per_host=file.fetch.per_host,
            spacing_s=file.fetch.spacing_s,
            proxy=file.fetch.proxy or None,
            user_agent=_user_agent(newsletter),
        ),
        delivery=Delivery(
            transport=file.delivery.transport,
            outbox=root / file.delivery.outbox,
            expire_after=file.delivery.expire_after,
            window=file.delivery.window,
            after_crash=AfterCrash(file.delivery.after_crash),
            smtp=_smtp(root, file.delivery.smtp),
            password_env=file.delivery.smtp.password_env,
        ),
        database_url=database_url,
        secret_env=_named(file.newsletter.secret_env) or (_SECRET_ENV,),
        secret_files=_secret_files(root, file.newsletter, database_url),
        template_folders=(root / "templates",),
        has_theme_fallback=file.newsletter.theme_fallback == "default",
        defaults=file.defaults,
        preview_to=file.newsletter.preview_to or None,
        document=document,
    )


def _newsletter(table: NewsletterTable) -> Newsletter:
    name, address = mailbox(table.from_)
    return Newsletter(
        title=table.title,
        from_name=name,
        from_address=address,
        list_id=table.list_id or f"{slug(table.title)}.{ascii_domain(address)}",
        base_url=table.base_url or None,
        unsubscribe_mailto=table.unsubscribe_mailto or None,
        reply_to=table.reply_to or None,
        bounce_address=table.bounce_address,
        contact=table.contact or None,
        postal_address=table.postal_address or None,
        language=table.language,
        timezone=table.timezone,
        theme=table.theme,
    )


def slug(title: str, default: str = "newsletter") -> str:
    """Return a title as part of a domain name: daily-papers.

    Args:
        title: Any text.
        default: For what has no letter of a to z, and no digit.
    """
    plain = normalize("NFKD", title.casefold()).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return words[:60].strip("-") or default


def _source(root: Path, table: SourceTable, interval: timedelta) -> SourceSettings:
    return SourceSettings(
        name=table.name,
        kind=table.kind,
        url=table.url,
        path=None if table.path is None else str(root / table.path),
        settle=table.settle,
        first_days=table.first_days,
        max_new=table.max_new,
        tags=tuple(table.tags),
        required=table.required,
        interval=interval if table.interval is None else table.interval,
        options=dict(table.model_extra or {}),
    )


def _smtp(root: Path, table: SmtpTable) -> SmtpServer:
    return SmtpServer(
        host=table.host,
        port=table.port,
        security=Security(table.security),
        username=table.username or None,
        helo=table.helo or None,
        ca_file=str(root / table.ca_file) if table.ca_file else None,
    )


def _user_agent(newsletter: Newsletter) -> str:
    contact = newsletter.contact or f"mailto:{newsletter.from_address}"
    return f"newsletter/{__version__} (+{contact})".encode("ascii", "ignore").decode()


def _database_url(root: Path, url: str) -> str:
    """Return the address with a SQLite file's path made absolute."""
    if not url.startswith(_SQLITE) or url == _SQLITE:
        return url
    return f"{_SQLITE}{root / url.removeprefix(_SQLITE)}"


def _named(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.strip() for name in names if name.strip())


def _secret_files(root: Path, table: NewsletterTable, url: str) -> tuple[Path, ...]:
    """Return where secrets are kept: as configured, else beside the SQLite file."""
    files = tuple(root / name for name in _named(table.secret_file))
    if files or not url.startswith(_SQLITE):
        return files
    return (Path(url.removeprefix(_SQLITE)).parent / ".secret",)
