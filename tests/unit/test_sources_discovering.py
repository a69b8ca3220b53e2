"""What an address means, before anything is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from newsletter.model import Poll, Reading, Response, SourceSettings
from newsletter.ports import PollJob
from newsletter.sources.discovering import discover

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
PAPERS = "https://huggingface.co/api/daily_papers"


@dataclass
class Empty:
    """A fetcher whose every answer is a list of nothing."""

    asked: list[str] = field(default_factory=list)

    def poll(self, jobs: Iterable[PollJob], *, as_of: datetime) -> Iterator[Poll]:
        for job in jobs:
            self.asked += [request.url or "" for request in job.requests]
            body = b"[]" if job.source.settings.kind == "huggingface" else b"<rss/>"
            readings = [
                Response(
                    request=request, status=200, headers={}, body=body, seen_at=as_of
                )
                for request in job.requests
            ]
            yield Poll(
                source=job.source.settings.name,
                readings=tuple(
                    Reading(response=r, page=job.source.parse(r)) for r in readings
                ),
                failures=(),
            )


def found(url: str, kind: str = "") -> tuple[str, str | None, dict[str, object]]:
    wanted = SourceSettings(name="", kind=kind, url=url)
    settings = discover(wanted, fetcher=Empty(), as_of=NOW).settings
    return settings.kind, settings.url, dict(settings.options)


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("/papers", {}),
        ("/papers/", {}),
        ("/papers/date/2026-05-20", {}),
        ("/papers/week/2026-W20", {"by": "week"}),
        ("/papers/month/2026-05/", {"by": "month"}),
        ("/papers/trending", {"sort": "trending"}),
        ("/api/daily_papers", {}),
        ("/api/daily_papers?date=2026-05-20&limit=3", {}),
        (
            "/api/daily_papers?week=2026-W20&sort=trending",
            {"by": "week", "sort": "trending"},
        ),
        ("/api/daily_papers?month=2026-05", {"by": "month"}),
    ],
)
def test_a_list_of_daily_papers_is_known_by_its_address(
    path: str, options: dict[str, object]
) -> None:
    assert found(f"https://huggingface.co{path}") == ("huggingface", PAPERS, options)


def test_hosts_that_are_its_own_too_are_asked_by_its_usual_name() -> None:
    for host in ("www.huggingface.co", "hf.co"):
        asked = found(f"https://{host}/papers/week/2026-W20")
        assert asked == ("huggingface", PAPERS, {"by": "week"})


def test_what_the_keys_do_not_say_stays_in_the_address() -> None:
    asked = found(f"{PAPERS}?submitter=ann&date=2026-05-20&p=2&sort=trending")
    assert asked == ("huggingface", f"{PAPERS}?submitter=ann", {"sort": "trending"})


def test_its_page_means_its_list_wherever_the_kind_is_said() -> None:
    for site in ("https://huggingface.co", "http://mirror.example.org:8080"):
        asked = found(f"{site}/papers/trending", "huggingface")
        where = f"{site}/api/daily_papers"
        assert asked == ("huggingface", where, {"sort": "trending"})
    other = "https://mirror.example.org/list.json"
    assert found(other, "huggingface") == ("huggingface", other, {})


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://rss.arxiv.org/rss/cs.LG", "arxiv"),
        ("https://export.arxiv.org/api/query?search_query=x", "arxiv"),
        ("https://arxiv.org/api/query?search_query=x", "arxiv"),
        ("https://www.arxiv.org/api/query?search_query=x", "arxiv"),
        ("https://arxiv.example.org/api/query", "feed"),
        ("https://huggingface.co/papers/2605.00001", "feed"),
        ("https://huggingface.co/blog/feed.xml", "feed"),
        ("https://example.org/papers", "feed"),
    ],
)
def test_other_addresses_keep_theirs(url: str, kind: str) -> None:
    assert found(url) == (kind, url, {})
