"""The kinds of value that a configuration holds, each checked in one sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from email.utils import getaddresses
from ipaddress import ip_network
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from email_validator import EmailNotValidError, ValidatedEmail, validate_email
from pydantic import AfterValidator, BeforeValidator
from yarl import URL

from newsletter.errors import ConfigError
from newsletter.matching.stems import LANGUAGES, PLAIN
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
_LIST_ID_MAX = 255
#: The longest duration: arithmetic on instants must not leave the calendar.
_LONGEST = timedelta(days=36_500)
_DATABASES = ("sqlite:///", "postgresql://", "postgresql+psycopg://")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ALLOWED = re.compile(r"\[([^\]]*)\](?::(\d{1,5}))?|([^:]*):(\d{1,5})|(.*)", re.ASCII)
_LAST_PORT = 65_535
#: Marks a list that may be written as one text, in which a comma divides nothing.
ONE_TEXT = "one text"
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]*", re.ASCII)


def duration(value: object) -> timedelta:
    """Read "90s", "30m", "6h", "14d" or "2w"."""
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(
            f"{value!r} is not a duration; expected a number with its unit in quotes, "
            'such as "30m", "6h" or "14d"'
        )
    length = int(found[1]) * _UNITS[found[2]]
    if length > _LONGEST:
        raise ValueError(f"{value!r} is too long; expected at most {_LONGEST.days}d")
    return length


def some_time(value: timedelta) -> timedelta:
    """Refuse a duration of nothing."""
    if not value:
        raise ValueError("nothing at all is too short; expected more than 0s")
    return value


def _checked(value: str) -> ValidatedEmail:
    """Check one e-mail address without asking any server."""
    try:
        return validate_email(
            value.strip(),
            check_deliverability=False,
            # Few relays take other letters before the @ (RFC 6531).
            allow_smtputf8=False,
            test_environment=True,
        )
    except EmailNotValidError as error:
        raise ValueError(
            f"{value!r} is not an address; expected one like ada@example.org ({error})"
        ) from error


def bare_address(value: str) -> str:
    """Check one e-mail address; return it in its usual form."""
    return _checked(value).normalized


def ascii_domain(address: str) -> str:
    """Return the domain of a checked address as DNS has it (IDNA 2008)."""
    return _checked(address).ascii_domain


def mailbox(value: str) -> tuple[str, str]:
    """Read "Name <address>" or an address alone; return both halves."""
    try:
        [(name, address)] = getaddresses([value])
        return name, bare_address(address)
    except ValueError as error:
        raise ValueError(
            f"{value!r} is not a sender; expected one like "
            '"Daily Papers <digest@example.org>", a name with a comma in quotes of '
            "its own"
        ) from error


def sender(value: str) -> str:
    """Check "Name <address>" or an address alone."""
    mailbox(filled(value))
    return value


def web_address(value: str) -> str:
    """Check an http(s) address."""
    try:
        # Blanks and line ends would end a header or a request early.
        url = URL() if re.search(r"\s", value.strip()) else URL(value.strip())
    except ValueError:
        url = URL()
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError(
            f"{_without_user(value)!r} is not an address; expected one that begins"
            " with https:// or http://"
        )
    if url.user is not None or url.password is not None:
        raise ValueError(
            f"{_without_user(value)!r} holds a user name, which would be sent to "
            "nobody; expected an address without"
        )
    return value.strip()


def proxy_address(value: str) -> str:
    """Check the address of a proxy; a user name and a password may be in it."""
    try:
        url = URL("" if re.search(r"\s", value.strip()) else value.strip())
    except ValueError:
        url = URL()
    if url.scheme != "http" or not url.host or url.raw_path_qs != "/":
        raise ValueError(
            f"{_without_user(value)!r} is not the address of a proxy; expected one "
            "like http://proxy.example.org:3128"
        )
    return value.strip()


def base_address(value: str) -> str:
    """Check the address that our own links begin with."""
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
    if len(value) > _LIST_ID_MAX or not _LIST_ID.fullmatch(value):
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
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is not a number; expected {least} to {most}")  # noqa: TRY004 - pydantic reports ValueError
    read = Decimal(str(value))
    if not read.is_finite() or not least <= read <= most:
        raise ValueError(f"{value!r} is out of range; expected {least} to {most}")
    if round(read, places) != read:
        raise ValueError(f"{value!r} has too many decimals; expected {places} at most")
    return read


def filled(value: str) -> str:
    """Refuse empty text, and text with line ends or other controls."""
    if not value.strip() or _CONTROL.search(value):
        raise ValueError(f"{value!r} is empty or has a line end; expected some text")
    return value.strip()


def one_line(value: str) -> str:
    """Return text as one line; no other control may be in it."""
    joined = re.sub(r"\s*[\t\n\r]\s*", " ", value.strip())
    if _CONTROL.search(joined):
        raise ValueError(f"{value!r} has a control character; leave it out")
    return joined


def lines(value: str) -> str:
    """Return text of one or more lines; no other control may be in it."""
    return "\n".join(one_line(line) for line in value.strip().splitlines())


def database(value: str) -> str:
    """Check the address of a database that can be opened."""
    place = value.removeprefix("sqlite:///")
    if not value.startswith(_DATABASES) or place in {"", ":memory:"}:
        raise ValueError(
            f"{_without_password(value)!r} names no database that can be opened; "
            "expected sqlite:///path/to/file.db or postgresql+psycopg://user@host/name"
        )
    return value


def _without_password(url: str) -> str:
    """What is complained of ends in logs and in cron's mail."""
    return re.sub(r"(//[^/@:]*):[^@]*@", r"\1:…@", url)


def _without_user(url: str) -> str:
    """Return *url* as it may be shown: some sites have a secret for a user name."""
    return re.sub(r"//[^/?#]*@", "//…@", url)


def private(value: str) -> str:
    """Check an address, block of addresses or localhost, with or without a port."""
    found = _ALLOWED.fullmatch(value.strip())
    host = next((g for g in found.group(1, 3, 5) if g), "") if found else ""
    port = int(next((g for g in found.group(2, 4) if g), 0)) if found else 0
    try:
        ip_network("127.0.0.1" if host == "localhost" else host, strict=False)
    except ValueError:
        host = ""
    if not host or port > _LAST_PORT:
        raise ValueError(
            f"{value!r} is not an address in digits; expected one like "
            "127.0.0.1:8000, [::1]:8000, 10.0.0.0/8 or localhost"
        )
    return value.strip()


def names(value: object) -> object:
    """Read one name, or a list."""
    return [value] if isinstance(value, str) else value


def stem_language(value: str) -> str:
    """Check a language whose words have stems, or "none"."""
    if value == PLAIN or value in LANGUAGES:
        return value
    named = {name: code for code, name in LANGUAGES.items()}
    code = named.get(value.casefold(), value.casefold().partition("-")[0])
    hint = f'; did you mean "{code}"?' if code in LANGUAGES else ""
    raise ValueError(
        f"{value!r} is no language whose stems are known; expected "
        f'"none" or one of {", ".join(LANGUAGES)}{hint}'
    )


def language_tag(value: str) -> str:
    """Check the shape of a language tag (BCP 47); any language may be asked for."""
    if _TAG.fullmatch(value):
        return value
    dashed = value.replace("_", "-")
    hint = f'; did you mean "{dashed}"?' if _TAG.fullmatch(dashed) else ""
    raise ValueError(
        f'{value!r} is no language tag; expected one like "en", "de" or "pt-BR"{hint}'
    )


def as_interest(value: object) -> object:
    """Read an interest that is a query and nothing else."""
    if not isinstance(value, str | Mapping):
        raise ValueError(  # noqa: TRY004 - pydantic reports ValueError
            f'{value!r} is not an interest; expected a query in quotes, as "robot*"'
            ', or { query = "robot*", name = "Robots" }'
        )
    return {"query": value} if isinstance(value, str) else value


def kinds_in(annotation: Any) -> frozenset[Any]:  # noqa: ANN401 - any annotation
    """Return the plain types of which *annotation* may hold one."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        also = {str} if ONE_TEXT in arguments else set()
        return kinds_in(arguments[0]) | also
    if origin is Union or origin is UnionType:
        return frozenset().union(*map(kinds_in, arguments))
    return frozenset({str if origin is Literal else origin or annotation})


Duration = Annotated[timedelta, BeforeValidator(duration)]
SomeTime = Annotated[timedelta, BeforeValidator(duration), AfterValidator(some_time)]
Address = Annotated[str, AfterValidator(bare_address)]
Mailbox = Annotated[str, AfterValidator(sender)]
WebAddress = Annotated[str, AfterValidator(web_address)]
BaseAddress = Annotated[str, AfterValidator(base_address)]
DatabaseAddress = Annotated[str, AfterValidator(database)]
ProxyAddress = Annotated[str, AfterValidator(proxy_address)]
Private = Annotated[str, AfterValidator(private)]
ZoneName = Annotated[str, AfterValidator(zone_name)]
Rules = Annotated[list[str], BeforeValidator(rules), ONE_TEXT]
Names = Annotated[list[str], BeforeValidator(names), ONE_TEXT]
ListName = Annotated[str, AfterValidator(list_name)]
PlainName = Annotated[str, AfterValidator(plain_name)]
Factor = Annotated[Decimal, BeforeValidator(factor)]
Weight = Annotated[Decimal, BeforeValidator(weight)]
Filled = Annotated[str, AfterValidator(filled)]
OneLine = Annotated[str, AfterValidator(one_line)]
Lines = Annotated[str, AfterValidator(lines)]
LanguageTag = Annotated[str, AfterValidator(language_tag)]
StemLanguage = Annotated[str, AfterValidator(stem_language)]
