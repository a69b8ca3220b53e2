"""``newsletter sources import-opml`` and ``export-opml``: subscriptions in and out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
from yarl import URL

from newsletter import app as root
from newsletter.cli.naming import free_name
from newsletter.cli.output import counted, warn
from newsletter.config import Settings, add_sources, slug
from newsletter.errors import ConfigError, ParseError
from newsletter.identity import canonical_url
from newsletter.model import SourceSettings
from newsletter.sources import KINDS, kind_by_address
from newsletter.sources.opml import (
    Outline,
    Subscriptions,
    is_in_opml,
    parse_opml,
    write_opml,
)

#: What may be a name, or a tag, as it is.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]*", re.ASCII)
_FEEDS = ("feed", "feeds")


@click.command("import-opml")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Only say what would be added.")
@click.pass_context
def import_opml(ctx: click.Context, file: Path, *, dry_run: bool) -> None:
    """Add the feeds of an OPML list to newsletter.toml.

    Nothing is asked for: `newsletter sources check` does that. Folders and
    categories become tags. What is configured already is left as it is.
    """
    folder: Path = ctx.find_root().obj["folder"]
    found = _read(file)
    plan = _Plan(found.outlines)
    if dry_run:
        plan.tables(root.read_settings(folder, os.environ))
    else:
        add_sources(folder, plan.tables, environ=os.environ, kinds=KINDS)
    for row in plan.added:
        tags = f"  [{', '.join(row.tags)}]" if row.tags else ""
        click.echo(f"  {row.name}  {row.url}{tags}")
    for left_out in found.rejected:
        warn(f"{left_out.place} was left out: {left_out.reason}")
    for tag in plan.nameless:
        warn(f"{tag!r} makes no tag: it has no letter of a to z, and no digit")
    verb = "would be added to" if dry_run else "added to"
    click.echo(
        f"{counted(len(plan.added), *_FEEDS)} {verb} {folder / 'newsletter.toml'};"
        f" {plan.known} there already, {len(found.rejected)} left out"
    )


@click.command("export-opml")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.pass_context
def export_opml(ctx: click.Context, file: Path | None) -> None:
    """Write the feeds as an OPML list.

    It goes to FILE, or to the standard output. The first tag of a feed is its
    folder, all are its categories. What no other program could read as a feed is
    named and left out.
    """
    settings = root.read_settings(ctx.find_root().obj["folder"], os.environ)
    document = write_opml(
        settings.newsletter.title,
        settings.sources,
        kept=[s.name for s in settings.sources if free_name([s.name], ()) != s.name],
    )
    left_out = [source for source in settings.sources if not is_in_opml(source)]
    for source in left_out:
        where = "a file" if source.url is None else f"of kind {source.kind!r}"
        warn(f"{source.name} was left out: it is {where}, and no feed on the web")
    if file is None:
        click.echo(document.decode(), nl=False)
        return
    try:
        file.write_bytes(document)
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from error
    number = len(settings.sources) - len(left_out)
    click.echo(f"{counted(number, *_FEEDS)} written to {file}")


def _read(file: Path) -> Subscriptions:
    try:
        return parse_opml(file.read_bytes())
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error
    except ParseError as error:
        raise ConfigError(f"{file}: {error}") from error


@dataclass(slots=True)
class _Plan:
    """Which outlines become sources, and of what names."""

    outlines: Sequence[Outline]
    added: list[SourceSettings] = field(default_factory=list)
    #: Outlines whose address is configured.
    known: int = 0
    #: Folders and categories that make no tag.
    nameless: dict[str, None] = field(default_factory=dict)

    def tables(self, settings: Settings) -> Sequence[Mapping[str, object]]:
        """Return a table for each outline that is new to *settings*."""
        there = {canonical_url(source.url or "") for source in settings.sources}
        taken = {source.name for source in settings.sources}
        for outline in self.outlines:
            if canonical_url(outline.url) in there:
                self.known += 1
                continue
            source = SourceSettings(
                name=_name(outline, taken),
                kind=_kind(outline.url),
                url=outline.url,
                tags=tuple(self._tags(outline.tags)),
            )
            taken.add(source.name)
            self.added.append(source)
        return [_table(source) for source in self.added]

    def _tags(self, words: Iterable[str]) -> Iterable[str]:
        """Return words as tags, each once."""
        found: dict[str, None] = {}
        for word in words:
            if tag := word if _NAME.fullmatch(word) else slug(word, ""):
                found[tag] = None
            else:
                self.nameless[word] = None
        return found


def _name(outline: Outline, taken: set[str]) -> str:
    """Return the name that it had with us, else one by its title, else its host."""
    named = outline.name
    if named and _NAME.fullmatch(named) and named not in taken:
        return named
    return free_name((outline.title, URL(outline.url).host or ""), taken)


def _kind(url: str) -> str:
    """Return the kind; a list names feeds, and arXiv's are of a kind of their own."""
    kind = kind_by_address(url)
    return kind if kind == "arxiv" else "feed"


def _table(source: SourceSettings) -> Mapping[str, object]:
    table: dict[str, object] = {
        "name": source.name,
        "kind": source.kind,
        "url": source.url,
    }
    return {**table, "tags": list(source.tags)} if source.tags else table
