"""What commands share: opening the app, reading an instant, exit codes."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.model import Profile

#: What ``--at`` takes: beyond these, calendars and databases end.
_FIRST_YEAR, _LAST_YEAR = 1971, 2200


class Instant(click.ParamType[datetime]):
    """An ISO 8601 instant; one without an offset is UTC."""

    name = "INSTANT"

    def convert(
        self,
        value: str | datetime,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> datetime:
        """Return an aware UTC instant."""
        if isinstance(value, datetime):
            return value
        try:
            read = datetime.fromisoformat(value.strip())
        except ValueError:
            self.fail(
                f"{value!r} is not an instant; expected one like 2026-11-24T07:30Z "
                "or 2026-11-24T08:30+01:00",
                param,
                ctx,
            )
        if not _FIRST_YEAR <= read.year <= _LAST_YEAR:
            self.fail(
                f"{value!r} is outside the years {_FIRST_YEAR} to {_LAST_YEAR}",
                param,
                ctx,
            )
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)


def open_app(
    ctx: click.Context,
    *,
    dry: bool = False,
    check_subscribers: bool = False,
    mails: bool = False,
) -> App:
    """Open the app over the configuration that ``--config`` names."""
    from newsletter import app  # noqa: PLC0415 - only commands that work pay for it

    folder: Path = ctx.find_root().obj["folder"]
    return app.open_app(
        folder,
        os.environ,
        dry=dry,
        check_subscribers=check_subscribers,
        mails=mails,
    )


def profile_of(app: App, address: str) -> Profile:
    """Return a reader's profile: as subscribers.toml has it, where it names them.

    Raises:
        NotFoundError: There is no such reader.
    """
    same = (s for s in app.specs or () if s.address.casefold() == address.casefold())
    spec = next(same, None)
    if spec is not None:
        return spec.profile
    subscribers = app.store.subscribers
    return subscribers.profile(subscribers.get(address).profile_hash)


def local(value: datetime, zone: str) -> str:
    """Return an instant in a reader's own zone: Tue 24 Nov 2026 07:30 Europe/London."""
    return f"{value.astimezone(ZoneInfo(zone)):%a %d %b %Y %H:%M} {zone}"
