"""When a listing counts: what is let in at a fetch, and what is due.

fetched -> admit: pending | passed over | held -> due(as_of): the next seq
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from newsletter.model import ListingState, PendingListing


def admit(
    listed_at: Sequence[datetime],
    *,
    first: bool,
    as_of: datetime,
    first_days: float,
    max_new: int,
) -> tuple[ListingState, ...]:
    """Return what becomes of one fetch's new listings, in their order.

    At a source's first fetch what was listed before ``as_of - first_days`` is
    passed over. If more than *max_new* remain, all that remain are held: a
    source that changed all its guids, or published its archive, would flood
    every reader.

    Args:
        listed_at: Of the listings that this source shows for the first time.
        first: No earlier fetch of the source could be parsed.
        as_of: The run's.
        first_days: In days; may be a fraction.
        max_new: The most that one fetch may bring unasked.
    """
    try:
        oldest = as_of - timedelta(days=first_days)
    except OverflowError:
        oldest = None
    young = [not first or oldest is None or instant >= oldest for instant in listed_at]
    rest = ListingState.HELD if sum(young) > max_new else ListingState.PENDING
    return tuple(rest if is_young else ListingState.PASSED_OVER for is_young in young)


def due(
    pending: Sequence[PendingListing],
    *,
    as_of: datetime,
    settle: Mapping[str, timedelta],
) -> tuple[int, ...]:
    """Return the ids that get the next places, in the order in which they do.

    A listing is due when ``listed_at`` and its source's settling time are
    over at *as_of*; a source that *settle* does not name settles at once.
    """
    none = timedelta(0)
    # Subtracted, not added: a sum may leave the calendar, a difference cannot.
    ripe = [p for p in pending if as_of - p.listed_at >= settle.get(p.source, none)]
    return tuple(p.id for p in sorted(ripe, key=lambda p: (p.listed_at, p.id)))
