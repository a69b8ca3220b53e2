"""The kinds of value that a configuration holds, each checked in one sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from email.utils import parseaddr
from typing import Annotated, TypeVar

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BeforeValidator
from yarl import URL

from newsletter.errors import ConfigError
from newsletter.schedule import parse_schedule, zone

T = TypeVar("T")

_UNITS: Mapping[str, timedelta] = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_DURATION = re.compile(r"(\d{1,6})\s*([smhdw])", re.ASCII)
_LIST_ID = re.compile(r"[A-Za-z0-9\-_]+(?:\.[A-Za-z0-9\-]+)+", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]*", re.ASCII)


def duration(value: object) -> timedelta:
    """Read "90s", "30m", "6h", "14d" or "2w"."""
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(
            f"{value!r} is not a duration; expected a number with its unit in quotes, "
            'such as "30m", "6h" or "14d"'
        )
    return int(found[1]) * _UNITS[found[2]]


def some_time(value: timedelta) -> timedelta:
    """Refuse a duration of nothing."""
    if not value:
        raise ValueError("nothing at all is too short; expected more than 0s")
    return value


def bare_address(value: str) -> str:
    """Check one e-mail address without asking any server."""
    try:
        found = validate_email(
            value.strip(),
            check_deliverability=False,
            allow_smtputf8=False,
            test_environment=True,
        )
    except EmailNotValidError as error:
        raise ValueError(
            f"{value!r} is not an address; expected one like ada@example.org ({error})"
        ) from error
    return found.normalized


def mailbox(value: str) -> tuple[str, str]:
    """Read "Name <address>" or an address alone; return both halves."""
    name, address = parseaddr(value)
    if not address:
        raise ValueError(
            f"{value!r} is not a sender; expected one like "
            '"Daily Papers <digest@example.org>"'
        )
    return name, bare_address(address)


def sender(value: str) -> str:
    """Check "Name <address>" or an address alone."""
    mailbox(value)
    return value


def web_address(value: str) -> str:
    """Check an http(s) address."""
    try:
        url = URL(value.strip())
    except ValueError:
        url = URL()
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError(
            f"{value!r} is not an address; expected one that begins with https:// "
            "or http://"
        )
    return value.strip()


def base_address(value: str) -> str:
    """Check the address that our own links begin with."""
    if not value.strip():
        return ""
    url = URL(web_address(value))
    if url.raw_query_string or url.raw_fragment:
        raise ValueError(f"{value!r} has a query or a fragment; expected none")
    return value.strip().rstrip("/")


def zone_name(value: str) -> str:
    """Check an IANA time zone."""
    return _ours(zone, value)


def rules(value: object) -> list[str]:
    """Check a schedule: one rule, or a list."""
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(rule, str) for rule in found):
        raise ValueError(
            f'{value!r} is not a schedule; expected "weekdays 07:30" or a list of such'
        )
    _ours(parse_schedule, found)
    return [" ".join(rule.split()) for rule in found]


def _ours(check: Callable[[T], object], value: T) -> T:
    """Run one of the product's own checks; its sentence is the error."""
    try:
        check(value)
    except ConfigError as error:
        # ConfigError is a ValueError too, but pydantic would keep its args.
        raise ValueError(str(error)) from error
    return value


def list_name(value: str) -> str:
    """Check a List-Id (RFC 2919, section 3)."""
    if value and not _LIST_ID.fullmatch(value):
        raise ValueError(
            f"{value!r} is not a list id; expected a dotted name such as "
            "daily-papers.example.org"
        )
    return value


def plain_name(value: str) -> str:
    """Check a name that stands in files and queries."""
    if not _NAME.fullmatch(value):
        raise ValueError(
            f"{value!r} is not a name; expected letters, digits, - and _ only"
        )
    return value


def factor(value: object) -> Decimal:
    """Read a weight of the ranking, 0 to 1000."""
    return _decimal(value, least=Decimal(0), most=Decimal(1000))


def weight(value: object) -> Decimal:
    """Read an interest's weight: 0.01 to 100, at most two decimals."""
    return _decimal(value, least=Decimal("0.01"), most=Decimal(100), places=2)


def _decimal(
    value: object, *, least: Decimal, most: Decimal, places: int = 6
) -> Decimal:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        read = Decimal(str(value)) if is_number else None
    except InvalidOperation:
        read = None
    if read is None or not read.is_finite() or not least <= read <= most:
        raise ValueError(f"{value!r} is out of range; expected {least} to {most}")
    if round(read, places) != read:
        raise ValueError(f"{value!r} has too many decimals; expected {places} at most")
    return read


def filled(value: str) -> str:
    """Refuse empty text, and text with line ends."""
    if not value.strip() or re.search(r"[\x00-\x1f\x7f]", value):
        raise ValueError(f"{value!r} is empty or has a line end; expected some text")
    return value.strip()


Duration = Annotated[timedelta, BeforeValidator(duration)]
SomeTime = Annotated[timedelta, BeforeValidator(duration), AfterValidator(some_time)]
Address = Annotated[str, AfterValidator(bare_address)]
Mailbox = Annotated[str, AfterValidator(sender)]
WebAddress = Annotated[str, AfterValidator(web_address)]
BaseAddress = Annotated[str, AfterValidator(base_address)]
ZoneName = Annotated[str, AfterValidator(zone_name)]
Rules = Annotated[list[str], BeforeValidator(rules)]
ListName = Annotated[str, AfterValidator(list_name)]
PlainName = Annotated[str, AfterValidator(plain_name)]
Factor = Annotated[Decimal, BeforeValidator(factor)]
Weight = Annotated[Decimal, BeforeValidator(weight)]
Filled = Annotated[str, AfterValidator(filled)]
#: Empty text means not set.
MaybeAddress = Annotated[
    str, AfterValidator(lambda value: bare_address(value) if value.strip() else "")
]
MaybeWebAddress = Annotated[
    str, AfterValidator(lambda value: web_address(value) if value.strip() else "")
]
