"""A query interface like arXiv's, over papers of our own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.support.web import Answer, Asked


def entry(name: str, published: datetime, *, version: int = 1, title: str = "") -> str:
    """Return a paper as the interface shows it; each version is a month younger."""
    updated = published + timedelta(days=30 * (version - 1))
    return (
        f"<entry><id>http://arxiv.org/abs/{name}v{version}</id>"
        f"<title>{title or f'Robots, part {name}'}</title>"
        f"<updated>{updated:%Y-%m-%dT%H:%M:%SZ}</updated>"
        f'<link href="https://arxiv.org/abs/{name}v{version}" rel="alternate"/>'
        "<summary>We move robots.</summary>"
        '<category term="cs.AI"/><category term="cs.RO"/>'
        f"<published>{published:%Y-%m-%dT%H:%M:%SZ}</published>"
        "<arxiv:comment>9 pages</arxiv:comment>"
        '<arxiv:primary_category term="cs.RO"/>'
        "<author><name>Ann Lee</name></author></entry>"
    )


def document(entries: Sequence[str], total: int | None) -> bytes:
    """Return an answer that shows *entries* of *total*; None: it does not say."""
    count = f"<os:totalResults>{total}</os:totalResults>" if total is not None else ""
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom"'
        ' xmlns:os="http://a9.com/-/spec/opensearch/1.1/"'
        ' xmlns:arxiv="http://arxiv.org/schemas/atom">'
        f"<title>arXiv Query</title>{count}{''.join(entries)}</feed>"
    ).encode()


@dataclass(slots=True)
class Archive:
    """Papers, newest first, in pages."""

    #: When each was published.
    papers: list[datetime]
    #: start -> how many answers from there on are empty, without reason.
    empty: Counter[int] = field(default_factory=Counter)
    #: (start, max_results) of each request.
    asked: list[tuple[int, int]] = field(default_factory=list)

    @classmethod
    def daily(cls, newest: datetime, *, days: int, a_day: int) -> Archive:
        """Return one with *a_day* papers on each of *days*, some minutes apart."""
        return cls(
            [
                newest - timedelta(days=day, minutes=number)
                for day in range(days)
                for number in range(a_day)
            ]
        )

    def name(self, published: datetime) -> str:
        """Return the id of the paper of that minute of its month."""
        minute = (published.day * 24 + published.hour) * 60 + published.minute
        return f"{published:%y%m}.{minute:05}"

    def body(self, query: Mapping[str, str]) -> bytes:
        """Return the page that *query* asks for."""
        start, size = int(query["start"]), int(query["max_results"])
        self.asked.append((start, size))
        shown = sorted(self.papers, reverse=True)[start : start + size]
        if self.empty[start] > 0:
            self.empty[start] -= 1
            shown = []
        return document([entry(self.name(p), p) for p in shown], len(self.papers))

    def answer(self, asked: Asked) -> Answer:
        """Answer a request over HTTP."""
        kind = {"Content-Type": "application/atom+xml; charset=utf-8"}
        return 200, kind, self.body(asked.query)
