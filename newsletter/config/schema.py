"""What newsletter.toml and subscribers.toml may hold: every key, kind, default."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from newsletter.config.values import (
    Address,
    BaseAddress,
    Duration,
    Factor,
    Filled,
    ListName,
    Mailbox,
    MaybeAddress,
    MaybeWebAddress,
    PlainName,
    Rules,
    SomeTime,
    WebAddress,
    Weight,
    ZoneName,
)


class _Table(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class NewsletterTable(_Table):
    """``[newsletter]``."""

    title: Filled
    from_: Annotated[Mailbox, Field(alias="from")]
    list_id: ListName = ""
    base_url: BaseAddress = ""
    unsubscribe_mailto: MaybeAddress = ""
    reply_to: MaybeAddress = ""
    bounce_address: MaybeAddress = ""
    contact: MaybeWebAddress = ""
    postal_address: str = ""
    language: str = "en"
    timezone: ZoneName = "UTC"
    theme: PlainName = "default"
    secret_env: str | list[str] = "NEWSLETTER_SECRET"  # noqa: S105 - a variable's name
    secret_file: str | list[str] = ""


class DatabaseTable(_Table):
    """``[database]``."""

    url: Filled = "sqlite:///outbox/newsletter.db"


class CatchUpTable(_Table):
    """``[catch_up]``."""

    policy: Literal["late", "merge"] = "late"
    at_most: Duration = timedelta(hours=6)
    max_lookback: SomeTime = timedelta(days=14)
    repeat_days: Annotated[int, Field(ge=0, le=3650)] = 60


class SmtpTable(_Table):
    """``[delivery.smtp]``."""

    host: Filled = "localhost"
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password_env: Filled = "NEWSLETTER_SMTP_PASSWORD"  # noqa: S105 - a variable's name
    helo: str = ""
    ca_file: str = ""
    connections: Annotated[int, Field(ge=1, le=100)] = 4
    rate_per_second: Annotated[float, Field(ge=0)] = 0
    per_domain: Annotated[int, Field(ge=0)] = 0
    per_day: Annotated[int, Field(ge=0)] = 0


class DkimTable(_Table):
    """One ``[[delivery.dkim]]``."""

    domain: Filled
    selector: Filled
    key_file: Filled


class DeliveryTable(_Table):
    """``[delivery]``."""

    transport: Literal["outbox", "smtp"] = "outbox"
    outbox: Filled = "outbox"
    after_crash: Literal["ask", "repeat"] = "ask"
    expire_after: SomeTime = timedelta(hours=36)
    window: Annotated[int, Field(ge=1, le=1000)] = 8
    smtp: SmtpTable = SmtpTable()
    dkim: list[DkimTable] = []


class FetchTable(_Table):
    """``[fetch]``."""

    allow_private: list[str] = []
    max_bytes: Annotated[int, Field(ge=1_000, le=1_000_000_000)] = 10_000_000
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 30
    per_host: Annotated[int, Field(ge=1, le=100)] = 2
    interval: Duration = timedelta(hours=1)


class RankingTable(_Table):
    """``[ranking]``."""

    title: Factor = Decimal(2)
    summary: Factor = Decimal(1)
    author: Factor = Decimal(1)
    category: Factor = Decimal(1)
    source: Factor = Decimal(1)
    votes: Factor = Decimal(0)
    freshness: Factor = Decimal("0.5")
    half_life: SomeTime = timedelta(days=3)


class RetentionTable(_Table):
    """``[retention]``."""

    sightings: SomeTime = timedelta(days=180)
    issues: SomeTime = timedelta(days=180)
    entries: SomeTime = timedelta(days=400)


class LogTable(_Table):
    """``[log]``."""

    format: Literal["text", "json"] = "text"


class SourceTable(_Table):
    """One ``[[sources]]``."""

    name: PlainName
    kind: Filled
    url: Annotated[WebAddress | None, Field()] = None
    path: Filled | None = None
    settle: Duration = timedelta(0)
    first_days: Annotated[float, Field(ge=0, le=100_000)] = 3
    max_new: Annotated[int, Field(ge=1)] = 2000
    tags: list[PlainName] = []
    required: bool = False
    #: None: the one of [fetch].
    interval: Duration | None = None

    @model_validator(mode="after")
    def _one_place(self) -> SourceTable:
        if (self.url is None) == (self.path is None):
            both = "has both url and path" if self.url else "has neither url nor path"
            raise ValueError(f"the source {both}; expected exactly one of the two")
        return self


class InterestTable(_Table):
    """One of ``interests``, written as a table."""

    query: Filled
    name: str = ""
    weight: Weight = Decimal(1)


class ReaderKeys(_Table):
    """What ``[defaults]`` and a subscriber share. None: not said here."""

    timezone: ZoneName | None = None
    language: str | None = None
    schedule: Rules | None = None
    interests: list[str | InterestTable] | None = None
    mutes: list[Filled] | None = None
    order: Literal["relevance", "votes", "newest"] | None = None
    sections: Literal["interest", "source", "none"] | None = None
    max_items: Annotated[int, Field(ge=1, le=100)] | None = None
    min_votes: Annotated[int, Field(ge=0)] | None = None
    stem: str | None = None
    fill: bool | None = None
    skip_empty: bool | None = None


class SubscriberTable(ReaderKeys):
    """One ``[[subscribers]]``."""

    address: Address
    id: Filled | None = None
    name: str = ""


class NewsletterFile(_Table):
    """newsletter.toml."""

    newsletter: NewsletterTable
    database: DatabaseTable = DatabaseTable()
    defaults: ReaderKeys = ReaderKeys()
    catch_up: CatchUpTable = CatchUpTable()
    delivery: DeliveryTable = DeliveryTable()
    fetch: FetchTable = FetchTable()
    ranking: RankingTable = RankingTable()
    retention: RetentionTable = RetentionTable()
    log: LogTable = LogTable()
    sources: list[SourceTable] = []


class SubscribersFile(_Table):
    """subscribers.toml."""

    subscribers: list[SubscriberTable] = []
