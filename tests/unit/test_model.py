"""What the values say of themselves."""

from __future__ import annotations

import pytest

from newsletter.model import Newsletter


@pytest.mark.parametrize(
    ("base_url", "mailto", "has_one"),
    [
        (None, None, False),
        ("https://example.org", None, True),
        (None, "leave@example.org", True),
    ],
)
def test_a_way_to_leave_is_a_page_or_an_address(
    base_url: str | None, mailto: str | None, *, has_one: bool
) -> None:
    newsletter = Newsletter(
        title="Papers",
        from_name="",
        from_address="digest@example.org",
        list_id="papers.example.org",
        base_url=base_url,
        unsubscribe_mailto=mailto,
    )
    assert newsletter.has_way_to_leave == has_one
