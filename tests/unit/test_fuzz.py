"""The short form of ``make fuzz``: the same every time, a few seconds in all."""

from __future__ import annotations

import pytest
from hypothesis import Phase, given, settings

from tests.fuzz import TARGETS, timed
from tests.support.mutations import SAMPLES
from tests.support.storable import check, read


@pytest.mark.parametrize("name", TARGETS)
def test_no_document_brings_a_parser_down(name: str) -> None:
    target = TARGETS[name]

    @settings(max_examples=60, phases=(Phase.generate, Phase.shrink))
    @given(target.documents)
    def any_document(body: bytes) -> None:
        timed(target.call, body)

    any_document()


@pytest.mark.parametrize("kind", ["feed", "arxiv", "huggingface"])
def test_the_first_sample_of_a_kind_is_read_while_it_is_whole(kind: str) -> None:
    page = read(kind, SAMPLES[kind][0])
    assert page.listings
    check(page)
