"""What newsletter.toml and subscribers.toml may hold: every key, kind, default."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from newsletter.config.values import (
    Address,
    BaseAddress,
    DatabaseAddress,
    Duration,
    Factor,
    Filled,
    LanguageTag,
    Lines,
    ListName,
    Mailbox,
    Names,
    OneLine,
    PlainName,
    Private,
    ProxyAddress,
    Rules,
    SomeTime,
    StemLanguage,
    WebAddress,
    Weight,
    ZoneName,
    as_interest,
    kinds_in,
)

#: More would not fit a database's whole numbers.
_MANY = 1_000_000_000


class _Table(BaseModel):
    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def _empty_is_not_set(cls, data: object) -> object:
        """Drop optional keys that hold an empty text where a text may stand."""
        if not isinstance(data, dict):
            return data
        optional = {
            info.alias or name
            for name, info in cls.model_fields.items()
            if not info.is_required() and str in kinds_in(info.annotation)
        }
        return {k: v for k, v in data.items() if v != "" or k not in optional}


class NewsletterTable(_Table):
    """``[newsletter]``."""

    title: Annotated[Filled, Field(description='title = "Daily Papers"')]
    from_: Annotated[
        Mailbox,
        Field(alias="from", description='from = "Daily Papers <digest@example.org>"'),
    ]
    list_id: ListName = ""
    base_url: BaseAddress = ""
    unsubscribe_mailto: Address = ""
    reply_to: Address = ""
    bounce_address: Address = ""
    contact: WebAddress = ""
    postal_address: Lines = ""
    language: LanguageTag = "en"
    timezone: ZoneName = "UTC"
    theme: PlainName = "default"
    theme_fallback: Literal["none", "default"] = "none"
    preview_to: Address = ""
    secret_env: Annotated[
        Names, Field(description="the name of a variable, or a list")
    ] = []
    secret_file: Annotated[
        Names, Field(description="the name of a file, or a list")
    ] = []


class DatabaseTable(_Table):
    """``[database]``."""

    url: DatabaseAddress = "sqlite:///outbox/newsletter.db"


class CatchUpTable(_Table):
    """``[catch_up]``."""

    policy: Literal["late", "merge"] = "late"
    at_most: Duration = timedelta(hours=6)
    max_lookback: SomeTime = timedelta(days=14)
    repeat_days: Annotated[int, Field(ge=0, le=3650, description="days, 0 to 3650")] = (
        60
    )


class SmtpTable(_Table):
    """``[delivery.smtp]``."""

    host: Filled = "localhost"
    port: Annotated[int, Field(ge=1, le=65535, description="1 to 65535")] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password_env: Filled = "NEWSLETTER_SMTP_PASSWORD"  # noqa: S105 - a variable's name
    helo: str = ""
    ca_file: str = ""
    connections: Annotated[int, Field(ge=1, le=100, description="1 to 100")] = 4
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
    window: Annotated[int, Field(ge=1, le=1000, description="1 to 1000")] = 8
    smtp: SmtpTable = SmtpTable()
    dkim: Annotated[list[DkimTable], Field(description="[[delivery.dkim]] tables")] = []


class FetchTable(_Table):
    """``[fetch]``."""

    allow_private: list[Private] = []
    max_bytes: Annotated[
        int,
        Field(
            ge=1_000,
            le=1_000_000_000,
            description="bytes, 1_000 to 1_000_000_000, such as 10_000_000",
        ),
    ] = 10_000_000
    timeout_s: Annotated[
        float, Field(gt=0, le=3600, description="seconds, such as 30, up to 3600")
    ] = 30
    per_host: Annotated[int, Field(ge=1, le=100, description="1 to 100")] = 2
    spacing_s: Annotated[
        float, Field(ge=0, le=60, description="seconds, such as 0.1, up to 60")
    ] = 0.1
    proxy: ProxyAddress = ""
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
    frequency: Annotated[Factor, Field(le=1, description="0 to 1, such as 0.5")] = (
        Decimal(0)
    )


class RetentionTable(_Table):
    """``[retention]``."""

    sightings: SomeTime = timedelta(days=180)
    issues: SomeTime = timedelta(days=180)
    entries: SomeTime = timedelta(days=400)


class LogTable(_Table):
    """``[log]``."""

    format: Literal["text", "json"] = "text"


class SourceTable(_Table):
    """One ``[[sources]]``; the keys of its kind are checked by that."""

    model_config = ConfigDict(extra="allow")

    name: Annotated[PlainName, Field(description='name = "lab-notes"')]
    kind: Annotated[Filled, Field(description='kind = "feed"')]
    url: WebAddress | None = None
    path: Filled | None = None
    settle: Duration = timedelta(0)
    first_days: Annotated[
        float, Field(ge=0, le=36_500, description="days, such as 3, up to 36500")
    ] = 3
    max_new: Annotated[
        int, Field(ge=1, le=_MANY, description=f"1 to {_MANY}, such as 2000")
    ] = 2000
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

    query: Annotated[OneLine, Field(description='query = "diffusion"')]
    name: OneLine = ""
    weight: Weight = Decimal(1)


Interest = Annotated[InterestTable, BeforeValidator(as_interest)]


class ReaderKeys(_Table):
    """What ``[defaults]`` and a subscriber share. None: not said here."""

    timezone: ZoneName | None = None
    language: LanguageTag | None = None
    schedule: Rules | None = None
    interests: list[Interest] | None = None
    mutes: list[OneLine] | None = None
    order: Literal["relevance", "votes", "newest"] | None = None
    sections: Literal["interest", "source", "none"] | None = None
    max_items: Annotated[int | None, Field(ge=1, le=100, description="1 to 100")] = None
    min_votes: Annotated[
        int | None, Field(ge=0, le=_MANY, description=f"0 to {_MANY}")
    ] = None
    stem: StemLanguage | None = None
    fill: bool | None = None
    skip_empty: bool | None = None


class SubscriberTable(ReaderKeys):
    """One ``[[subscribers]]``."""

    address: Annotated[Address, Field(description='address = "ada@example.org"')]
    id: Filled | None = None
    name: OneLine = ""


class NewsletterFile(_Table):
    """newsletter.toml."""

    newsletter: Annotated[
        NewsletterTable, Field(description="a [newsletter] table with title and from")
    ]
    database: DatabaseTable = DatabaseTable()
    defaults: ReaderKeys = ReaderKeys()
    catch_up: CatchUpTable = CatchUpTable()
    delivery: DeliveryTable = DeliveryTable()
    fetch: FetchTable = FetchTable()
    ranking: RankingTable = RankingTable()
    retention: RetentionTable = RetentionTable()
    log: LogTable = LogTable()
    sources: Annotated[list[SourceTable], Field(description="[[sources]] tables")] = []


class SubscribersFile(_Table):
    """subscribers.toml."""

    subscribers: Annotated[
        list[SubscriberTable], Field(description="[[subscribers]] tables")
    ] = []
