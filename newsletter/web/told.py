"""What a page says, once, of what was done just now."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.config import Settings
from newsletter.model import IssueState, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A sentence or two; `…` is a command."""

    text: str
    is_trouble: bool = False


def told_of(outcome: Outcome, settings: Settings) -> Told:
    """Return what became of a preview that was sent."""
    to, delivery = settings.preview_to, settings.delivery
    if outcome.state is IssueState.WRITTEN:
        return Told(
            text=f"Written for {to} into the outbox, {delivery.outbox}, as "
            f"{outcome.key}.eml. No mail went out: the transport is the outbox."
        )
    if outcome.state is IssueState.SENT:
        server = f"{delivery.smtp.host}:{delivery.smtp.port}"
        return Told(text=f"Sent to {to}: {server} took it.")
    if outcome.state is IssueState.UNKNOWN:
        return Told(
            text=f"Perhaps sent to {to}: {outcome.reason}. Look whether it is there.",
            is_trouble=True,
        )
    return Told(
        text=f"Not sent to {to}: {outcome.reason or outcome.state}. "
        "`newsletter doctor` tells more.",
        is_trouble=True,
    )
