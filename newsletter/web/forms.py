"""What a browser posts: read whole, bounded, and only from a page of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs

from starlette.requests import Request

#: Fields of a form; the longest of ours has three for each interest.
_MOST_FIELDS = 1000

Fields = Mapping[str, Sequence[str]]


async def read_form(request: Request, *, most_octets: int) -> Fields:
    """Return the fields of a form; none where it is longer, or is no form."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_octets:
            return {}
    try:
        return parse_qs(
            body.decode("utf-8", "replace"),
            keep_blank_values=True,
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        return {}


def one(fields: Fields, name: str) -> str:
    """Return a field's first value; empty: it has none."""
    return (fields.get(name) or ("",))[0]


def singly(fields: Fields) -> Mapping[str, str]:
    """Return the first value of every field."""
    return {name: values[0] for name, values in fields.items() if values}
