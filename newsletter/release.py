"""When a listing counts: what is let in at a fetch, and what is due.

fetched -> admit: pending | passed over | held -> due(as_of): the next seq
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.model import HeldFor, ListingState, PendingListing

#: So many reruns in one fetch, and half of what is new, are no accident.
FEWEST_RERUNS = 10
#: So many old listings in one fetch are an archive, not a latecomer.
FEWEST_OLD = 20
#: A source that had been read showed by then what was older than this.
OLD_AFTER = timedelta(days=14)
#: What was let in this long ago no longer tells what a source does usually.
HABIT_LASTS = timedelta(days=180)
_ACCEPTED = frozenset({ListingState.PENDING, ListingState.RELEASED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """What a source shows for the first time, and what it showed before like it."""

    listed_at: datetime
    #: What became of its earlier ones with the same link, the oldest first.
    same_link: tuple[ListingState, ...] = ()
    #: The same of those with the same title.
    same_title: tuple[ListingState, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What becomes of a newcomer."""

    state: ListingState
    #: None: it is not held.
    held_for: HeldFor | None = None


def is_old(listed_at: datetime, read_at: datetime) -> bool:
    """Tell whether a source last read *at* would have shown it long before."""
    return read_at - listed_at > OLD_AFTER


def admit(
    new: Sequence[Newcomer],
    *,
    first: bool,
    as_of: datetime,
    read_at: datetime,
    first_days: float,
    max_new: int,
    late_before: int = 0,
) -> tuple[Admission, ...]:
    """Return what becomes of one fetch's new listings, in their order.

    At a source's first fetch what was listed before ``as_of - first_days`` is
    passed over. If more than *max_new* remain, all that remain are held: a
    source that changed all its names, or published its archive, would flood
    every reader. At a later fetch, where fewer remain, those are held that
    look like either (see ``_doubts``), and the others let in.

    Args:
        new: What this source shows for the first time.
        first: No earlier fetch of the source could be parsed.
        as_of: The run's.
        read_at: When the source was read before, but not after *as_of*.
        first_days: In days; may be a fraction.
        max_new: The most that one fetch may bring unasked.
        late_before: How many old listings were let in lately.
    """
    try:
        oldest = as_of - timedelta(days=first_days)
    except OverflowError:
        oldest = None
    young = [not first or oldest is None or one.listed_at >= oldest for one in new]
    if sum(young) > max_new:
        doubts: Sequence[HeldFor | None] = [HeldFor.FLOOD] * len(new)
    elif first:
        doubts = [None] * len(new)
    else:
        doubts = _doubts(new, read_at, late_before)
    return tuple(
        _admission(doubt) if is_young else Admission(state=ListingState.PASSED_OVER)
        for is_young, doubt in zip(young, doubts, strict=True)
    )


def _admission(doubt: HeldFor | None) -> Admission:
    state = ListingState.HELD if doubt else ListingState.PENDING
    return Admission(state=state, held_for=doubt)


def _doubts(
    new: Sequence[Newcomer], read_at: datetime, late_before: int
) -> list[HeldFor | None]:
    """Return why each of *new* is to be held; None: it is not.

    Not for what a source does by habit: a table of contents brings articles
    that are weeks old, a forecast has the same title every day. What a person
    released once is a habit.
    """
    reruns = [_is_rerun(one) for one in new]
    if sum(reruns) < max(FEWEST_RERUNS, len(new) / 2):
        reruns = [False] * len(new)
    old = [is_old(one.listed_at, read_at) for one in new]
    if sum(old) < FEWEST_OLD or late_before >= FEWEST_OLD:
        old = [False] * len(new)
    return [
        HeldFor.RERUN if rerun else HeldFor.OLD if late else None
        for rerun, late in zip(reruns, old, strict=True)
    ]


def _is_rerun(one: Newcomer) -> bool:
    """Tell whether its link or title was another's, and never came again before."""
    return any(
        states and not _ACCEPTED.intersection(states[1:])
        for states in (one.same_link, one.same_title)
    )


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
