"""Real papers as two sites showed them, day after day: Daily Papers and arXiv."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from tests.support.web import Answer, Asked, HttpServer

#: What newsletter.toml needs to follow both sites.
TABLES = """
[fetch]
allow_private = ["{host}"]
interval = "0s"

[[sources]]
name = "hf"
kind = "huggingface"
url = "{url}/api/daily_papers"
first_days = 30
max_new = 5000

[[sources]]
name = "arxiv"
kind = "feed"
url = "{url}/arxiv.atom"
first_days = 30
max_new = 5000
"""

#: One paper of the corpus, as its JSON has it.
Row = dict[str, Any]


@dataclass(slots=True)
class Publisher:
    """Serves what both sites showed at ``now``, from the corpus."""

    arxiv: Mapping[date, list[Row]]
    papers: Mapping[date, list[Row]]
    now: datetime = datetime(2026, 5, 11, tzinfo=UTC)

    def arxiv_day(self) -> date:
        """Friday's list stands over the weekend."""
        day = self.now.date()
        return day - timedelta(days=max(0, day.weekday() - 4))

    def atom(self) -> bytes:
        day = self.arxiv_day()
        rows = "".join(_atom_entry(row, day) for row in self.arxiv.get(day, []))
        return (
            '<?xml version="1.0" encoding="utf-8"?>'
            '<feed xmlns="http://www.w3.org/2005/Atom"><id>tag:example.org,2026:a</id>'
            f"<title>listing</title><updated>{self.now:%Y-%m-%dT%H:%M:%SZ}</updated>"
            f"{rows}</feed>"
        ).encode()

    def daily(self, day: date) -> bytes:
        rows = [_daily_row(row, self.now) for row in self.papers.get(day, [])]
        shown = [row for row in rows if _listed(row) <= self.now]
        # Every fifth paper of two days before is featured again, with more votes.
        again = self.papers.get(day - timedelta(days=2), [])[::5]
        if self.now.date() >= day:
            shown += [_daily_row(row, self.now, again=day) for row in again]
        return json.dumps(shown).encode()


def _atom_entry(row: Row, day: date) -> str:
    authors = "".join(
        f"<author><name>{escape(str(name))}</name></author>" for name in row["authors"]
    )
    categories = "".join(
        f'<category term="{escape(str(name))}"/>' for name in row["categories"]
    )
    return (
        f"<entry><id>oai:arXiv.org:{row['id']}v1</id>"
        f"<title>{escape(str(row['title']))}</title>"
        f'<link rel="alternate" href="https://arxiv.org/abs/{row["id"]}"/>'
        f"<published>{day}T00:05:00Z</published><updated>{day}T00:05:00Z</updated>"
        f"<summary>{escape(str(row['abstract']))}</summary>{authors}{categories}</entry>"
    )


def _daily_row(row: Row, now: datetime, again: date | None = None) -> Row:
    submitted = str(row["submitted_on_daily"] or f"{row['listed']}T03:00:00.000Z")
    listed = date.fromisoformat(str(row["listed"]))
    age = max(0, (now.date() - listed).days)
    votes = int(str(row["upvotes"] or 0)) * min(age + 1, 4) // 4
    return {
        "paper": {
            "id": row["id"],
            "title": row["title"],
            "summary": row["abstract"],
            "authors": [{"name": n, "hidden": False} for n in row["authors"]],
            "publishedAt": row["published"],
            "submittedOnDailyAt": f"{again}T03:00:00.000Z" if again else submitted,
            "upvotes": votes,
        },
        "title": row["title"],
        "publishedAt": row["published"],
        "numComments": 0,
    }


def _listed(row: Row) -> datetime:
    stamp = str(row["paper"]["submittedOnDailyAt"])
    return datetime.fromisoformat(stamp)


def load_publisher(corpus: Path) -> Publisher:
    arxiv: dict[date, list[Row]] = defaultdict(list)
    papers: dict[date, list[Row]] = defaultdict(list)
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["source"] == "arxiv_daily":
                arxiv[date.fromisoformat(row["published"][:10])].append(row)
            else:
                papers[date.fromisoformat(row["listed"])].append(row)
    return Publisher(arxiv=arxiv, papers=papers)


def serve_corpus(publisher: Publisher, server: HttpServer) -> str:
    """Serve both sites; return the tables of newsletter.toml that follow them."""
    server.routes["/arxiv.atom"] = lambda request: _conditional(
        publisher.atom(), request, "application/atom+xml"
    )
    server.routes["/api/daily_papers"] = lambda request: _conditional(
        publisher.daily(date.fromisoformat(request.query["date"])),
        request,
        "application/json",
    )
    return TABLES.format(url=server.url, host=server.host)


def _conditional(body: bytes, request: Asked, kind: str) -> Answer:
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    if request.headers.get("If-None-Match") == etag:
        return 304, {"ETag": etag}, b""
    return 200, {"ETag": etag, "Content-Type": kind}, body
