"""Where finished mail goes: a folder."""

from newsletter.delivery.outbox import Outbox

__all__ = ["Outbox"]
