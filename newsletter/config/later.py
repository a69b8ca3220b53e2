"""What the configuration knows and this version does not do yet.

Such a key is read and checked like any other, and refused where it would be
silently ignored. A value equal to its default asks for nothing and passes.
When a stage arrives, its line here goes.
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.config.places import Path
from newsletter.config.schema import (
    NewsletterFile,
    RetentionTable,
    SmtpTable,
)

NOT_YET = "is not there yet in this version"


def refused(file: NewsletterFile) -> Iterator[tuple[Path, str]]:
    """Yield (place, sentence) for all in newsletter.toml that is yet to come."""
    smtp = file.delivery.smtp
    if smtp.connections not in {1, SmtpTable().connections}:
        yield (
            ("delivery", "smtp", "connections"),
            f"more than one {NOT_YET}: all mails go over one; leave it out",
        )
    for name in ("rate_per_second", "per_domain", "per_day"):
        if getattr(smtp, name):
            yield (
                ("delivery", "smtp", name),
                f"a limit {NOT_YET}; leave it out, and let the relay keep to it",
            )
    for number, _ in enumerate(file.delivery.dkim):
        yield (
            ("delivery", "dkim", number),
            f"signing {NOT_YET}; leave the table out and let the relay sign",
        )
    for name in RetentionTable.model_fields:
        if getattr(file.retention, name) != getattr(RetentionTable(), name):
            yield (
                ("retention", name),
                f"pruning {NOT_YET}, so everything is kept; leave it out",
            )
    if file.log.format != "text":
        yield ("log", "format"), f'"json" {NOT_YET}; use "text"'
