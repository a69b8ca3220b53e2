"""What a tried profile changes of an issue: what appears, what goes, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.model import Match
from newsletter.selecting import LeftOut, Reason
from newsletter.usecases.preview import Preview

_GONE = {
    Reason.NO_ROOM: "it still matches, but others are better and there is no room",
    Reason.SHOWN_BEFORE: "an earlier issue showed it",
    Reason.FEW_VOTES: "it has too few votes",
    Reason.UNMATCHED: "no interest asks for it any more",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A card that the tried profile does not show."""

    match: Match
    #: Half a sentence.
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Two issues of one window, side by side."""

    appeared: tuple[Match, ...]
    gone: tuple[Gone, ...]
    stayed: int
    #: What stays stands in another order.
    is_reordered: bool

    @property
    def is_none(self) -> bool:
        """Tell whether both issues show the same."""
        return not (self.appeared or self.gone or self.is_reordered)


def compare(before: Preview, after: Preview) -> Changes:
    """Return what differs between the cards of two issues.

    Args:
        before: By the profile that the reader has.
        after: By the one that is tried, with what it leaves out.
    """
    old, new = _cards(before), _cards(after)
    then = [match.candidate.entry_id for match in old]
    now = [match.candidate.entry_id for match in new]
    both = set(then) & set(now)
    why = {left.candidate.entry_id: left for left in after.left_out}
    return Changes(
        appeared=tuple(m for m in new if m.candidate.entry_id not in both),
        gone=tuple(
            Gone(match=match, why=_why(why.get(match.candidate.entry_id)))
            for match in old
            if match.candidate.entry_id not in both
        ),
        stayed=len(both),
        is_reordered=[i for i in then if i in both] != [i for i in now if i in both],
    )


def shown_in(preview: Preview) -> frozenset[int]:
    """Return the ids of the entries that an issue shows."""
    return frozenset(match.candidate.entry_id for match in _cards(preview))


def _cards(preview: Preview) -> Sequence[Match]:
    return preview.issue.selection.matches if preview.issue is not None else ()


def _why(left: LeftOut | None) -> str:
    if left is None:
        return "the slot has no issue"
    if left.reason is Reason.MUTED:
        return f"the mute {left.mute} leaves it out"
    return _GONE[left.reason]
