"""Settings: the whole of newsletter.toml, checked, as the product's own values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from unicodedata import normalize

from pydantic import ValidationError

from newsletter import __version__
from newsletter.config import later
from newsletter.config.environment import merged
from newsletter.config.reading import Document, problems_of, read_document
from newsletter.config.schema import (
    NewsletterFile,
    NewsletterTable,
    ReaderKeys,
    SmtpTable,
    SourceTable,
)
from newsletter.config.values import mailbox
from newsletter.errors import ConfigError
from newsletter.model import (
    CatchUp,
    CatchUpPolicy,
    Edition,
    FetchSettings,
    Newsletter,
    Ranking,
    SourceSettings,
)

FILE = "newsletter.toml"
_SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """``[delivery]``, with its paths made absolute."""

    transport: str
    outbox: Path
    expire_after: timedelta
    #: Issues per commit.
    window: int
    smtp: SmtpTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that newsletter.toml and the environment say."""

    #: Relative paths start here: the parent of the configuration folder.
    root: Path
    newsletter: Newsletter
    sources: tuple[SourceSettings, ...]
    catch_up: CatchUp
    ranking: Ranking
    fetch: FetchSettings
    delivery: Delivery
    database_url: str
    #: Names of variables that may hold a secret; the first that is set signs.
    secret_env: tuple[str, ...]
    #: Files that may hold one, after the variables; the first may be made.
    secret_files: tuple[Path, ...]
    #: Folders of themes, looked at before the packaged one.
    template_folders: tuple[Path, ...]
    #: What a subscriber has who says nothing else.
    defaults: ReaderKeys

    def edition(self) -> Edition:
        """Return what every mail of now has in common."""
        return Edition(newsletter=self.newsletter, ranking=self.ranking)


def load_settings(
    folder: Path, environ: Mapping[str, str], *, kinds: Collection[str]
) -> Settings:
    """Read and check newsletter.toml, with *environ* laid over it.

    Args:
        folder: The configuration folder.
        environ: Variables; those named NEWSLETTER_SECTION__KEY count.
        kinds: Of sources, that there are.

    Raises:
        ConfigError: With every mistake, each with file, line and key.
    """
    document = merged(_document(folder), environ)
    try:
        file = NewsletterFile.model_validate(document.data)
    except ValidationError as error:
        problems = problems_of(document, error, NewsletterFile)
        raise ConfigError(*problems) from error
    problems = [document.problem(path, what) for path, what in _mistakes(file, kinds)]
    if problems:
        raise ConfigError(*problems)
    return _settings(folder.absolute().parent, file)


def _document(folder: Path) -> Document:
    file = folder / FILE
    if not file.exists():
        raise ConfigError(
            f"{file} is not there: name another folder with --config, write the file "
            "(docs/quickstart.md begins with one), or run `newsletter demo` to look "
            "at the product first"
        )
    return read_document(file)


def _mistakes(
    file: NewsletterFile, kinds: Collection[str]
) -> Iterator[tuple[Sequence[str | int], str]]:
    """Yield what is wrong between keys, and what is yet to come."""
    yield from later.refused(file)
    names = Counter(source.name for source in file.sources)
    seen: set[str] = set()
    for number, source in enumerate(file.sources):
        if source.name in seen:
            many = f"{names[source.name]} sources are called {source.name!r}"
            yield ("sources", number, "name"), f"{many}; give each its own name"
        seen.add(source.name)
        if source.kind not in kinds:
            yield ("sources", number, "kind"), _unknown_kind(source.kind, kinds)


def _unknown_kind(kind: str, kinds: Collection[str]) -> str:
    known = " or ".join(f'"{name}"' for name in kinds)
    if kind in later.LATER_KINDS:
        return f'kind "{kind}" {later.NOT_YET}; expected {known}'
    return f'there is no kind "{kind}"; expected {known}'


def _settings(root: Path, file: NewsletterFile) -> Settings:
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
        fetch=FetchSettings(
            allow_private=tuple(file.fetch.allow_private),
            max_bytes=file.fetch.max_bytes,
            timeout_s=file.fetch.timeout_s,
            per_host=file.fetch.per_host,
            user_agent=_user_agent(newsletter),
        ),
        delivery=Delivery(
            transport=file.delivery.transport,
            outbox=root / file.delivery.outbox,
            expire_after=file.delivery.expire_after,
            window=file.delivery.window,
            smtp=file.delivery.smtp,
        ),
        database_url=database_url,
        secret_env=_several(file.newsletter.secret_env),
        secret_files=_secret_files(root, file.newsletter, database_url),
        template_folders=(root / "templates",),
        defaults=file.defaults,
    )


def _newsletter(table: NewsletterTable) -> Newsletter:
    name, address = mailbox(table.from_)
    domain = address.rpartition("@")[2].encode("idna").decode("ascii")
    return Newsletter(
        title=table.title,
        from_name=name,
        from_address=address,
        list_id=table.list_id or f"{slug(table.title)}.{domain}",
        base_url=table.base_url or None,
        unsubscribe_mailto=table.unsubscribe_mailto or None,
        reply_to=table.reply_to or None,
        bounce_address=table.bounce_address,
        contact=table.contact or None,
        postal_address=table.postal_address.strip() or None,
        language=table.language,
        timezone=table.timezone,
        theme=table.theme,
    )


def slug(title: str) -> str:
    """Return a title as part of a domain name: daily-papers."""
    plain = normalize("NFKD", title.casefold()).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return words[:60].strip("-") or "newsletter"


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
    )


def _user_agent(newsletter: Newsletter) -> str:
    contact = newsletter.contact or f"mailto:{newsletter.from_address}"
    return f"newsletter/{__version__} (+{contact})".encode("ascii", "ignore").decode()


def _database_url(root: Path, url: str) -> str:
    """Return the address with a SQLite file's path made absolute."""
    if not url.startswith(_SQLITE) or url == _SQLITE:
        return url
    return f"{_SQLITE}{root / url.removeprefix(_SQLITE)}"


def _several(value: str | list[str]) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    return tuple(name for name in names if name.strip())


def _secret_files(root: Path, table: NewsletterTable, url: str) -> tuple[Path, ...]:
    """Return where secrets are kept: as configured, else beside the SQLite file."""
    files = tuple(root / name for name in _several(table.secret_file))
    if files or not url.startswith(_SQLITE):
        return files
    return (Path(url.removeprefix(_SQLITE)).parent / ".secret",)
