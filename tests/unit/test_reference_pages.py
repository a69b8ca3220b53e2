"""The reference pages name what the code has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from newsletter.config import schema
from newsletter.model import Field

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
TABLES = [
    table
    for table in vars(schema).values()
    if isinstance(table, type) and issubclass(table, BaseModel) and table.model_fields
]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_every_key_is_in_the_reference(table: type[BaseModel]) -> None:
    page = (REFERENCE / "configuration.md").read_text("utf-8")
    for name, field in table.model_fields.items():
        key = field.alias or name
        assert re.search(rf"[`\[.{{ ]{key}[`\] =]", page), key


def test_every_field_of_a_query_is_in_the_reference() -> None:
    page = (REFERENCE / "query-language.md").read_text("utf-8")
    assert all(f"`{field}:`" in page for field in Field)
