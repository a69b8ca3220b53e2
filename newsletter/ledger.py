"""What became of an issue: its key, its states and moves, when to try again.

    ready -> inflight -> sent | written | retry | failed | unknown | held
    retry -> inflight

The promise: every due key reaches sent, failed with a reason, or a visible
unknown; none is lost, and none is repeated but by an operator's policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from newsletter.errors import ConflictError
from newsletter.model import FailReason, IssueState

#: Hex digits of a public key: 128 bits.
KEY_DIGITS = 32

#: After the first, second, … failed attempt; the last one stands for all more.
RETRY_AFTER = (
    timedelta(minutes=15),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
)
#: A greylisting server wants to see us again, but not sooner.
GREYLIST_WAIT = timedelta(minutes=5)

_S = IssueState
_MOVES: Mapping[IssueState, frozenset[IssueState]] = {
    _S.READY: frozenset({_S.INFLIGHT, _S.FAILED, _S.HELD}),
    _S.RETRY: frozenset({_S.INFLIGHT, _S.FAILED, _S.HELD}),
    # To itself: an outbox file is written again when the lease ran out.
    _S.INFLIGHT: frozenset(
        {_S.INFLIGHT, _S.SENT, _S.WRITTEN, _S.RETRY, _S.FAILED, _S.UNKNOWN, _S.HELD}
    ),
    _S.SENT: frozenset(),
    # Handed to SMTP from the outbox.
    _S.WRITTEN: frozenset({_S.INFLIGHT}),
    # By `deliver --retry-failed`.
    _S.FAILED: frozenset({_S.RETRY}),
    # By `deliver --resolve-unknown repeat | drop`.
    _S.UNKNOWN: frozenset({_S.RETRY, _S.FAILED}),
    _S.HELD: frozenset({_S.READY, _S.FAILED}),
}
#: States from which nothing moves by itself.
FINAL = frozenset({_S.SENT, _S.WRITTEN, _S.FAILED, _S.UNKNOWN, _S.HELD})


def public_key(list_id: str, public_id: str, slot: datetime) -> str:
    """Return an issue's key: the first 128 bits of SHA-256, in hex.

    The digest is over three lines in UTF-8, each ended by a line feed: the
    list id, the subscriber's public id, the slot as ``2026-11-24T07:30:00Z``.
    None of the three can hold a line feed.
    """
    stamp = slot.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = sha256(f"{list_id}\n{public_id}\n{stamp}\n".encode()).hexdigest()
    return digest[:KEY_DIGITS]


def is_final(state: IssueState) -> bool:
    """Tell whether nothing moves an issue on by itself."""
    return state in FINAL


def may_move(old: IssueState, new: IssueState) -> bool:
    """Tell whether an issue may go from *old* to *new*."""
    return new in _MOVES[old]


def check_move(old: IssueState, new: IssueState) -> None:
    """Refuse a move that the table does not have.

    Raises:
        ConflictError: An issue never goes from *old* to *new*.
    """
    if not may_move(old, new):
        raise ConflictError(f"an issue that is {old} cannot become {new}")


def retry_after(attempt: int, *, greylisted: bool) -> timedelta:
    """Return how long to wait after the *attempt*-th failed attempt (from 1)."""
    if greylisted and attempt <= 1:
        return GREYLIST_WAIT
    return RETRY_AFTER[min(max(attempt, 1), len(RETRY_AFTER)) - 1]


class Stage(StrEnum):
    """How far an SMTP transaction had come (RFC 5321, 3.3)."""

    #: Banner, EHLO, MAIL: the destination, not the recipient.
    GREETING = "greeting"
    #: RCPT: the recipient.
    RECIPIENT = "recipient"
    #: DATA, and the content up to its end.
    CONTENT = "content"
    #: The final dot and the answer to it.
    DOT = "dot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a reply means for an issue."""

    state: IssueState
    #: None: not failed.
    reason: FailReason | None = None
    #: Wait as greylisting servers want.
    greylisted: bool = False
    #: There is no such mailbox.
    bounced: bool = False


def verdict(stage: Stage, code: int | None, enhanced: str | None = None) -> Verdict:
    """Return what a server's reply means at a stage.

    Args:
        stage: Where the transaction stood.
        code: The reply code (RFC 5321, 4.2). None: the connection was lost.
        enhanced: The enhanced code (RFC 3463), such as 5.1.1. None: not given.
    """
    kind = None if code is None else code // 100
    if kind == 5:  # noqa: PLR2004 - permanent negative completion
        return _refused(stage, code, enhanced)
    if stage is not Stage.DOT:
        greylisted = stage is Stage.RECIPIENT and code == 450  # noqa: PLR2004 - RFC 6647
        return Verdict(state=IssueState.RETRY, greylisted=greylisted)
    if kind == 2:  # noqa: PLR2004 - positive completion
        return Verdict(state=IssueState.SENT)
    if kind == 4:  # noqa: PLR2004 - transient negative completion
        return Verdict(state=IssueState.RETRY)
    # No answer, or none that says who has the message now.
    return Verdict(state=IssueState.UNKNOWN)


def _refused(stage: Stage, code: int | None, enhanced: str | None) -> Verdict:
    # 5.7: security or policy (RFC 3463, 3.8), as where our host is on a block list.
    if stage is Stage.RECIPIENT and not (enhanced or "").startswith("5.7."):
        return Verdict(
            state=IssueState.FAILED,
            reason=FailReason.REFUSED,
            bounced=_is_no_mailbox(code, enhanced),
        )
    # It is us, not the reader: a person looks before anything goes on.
    return Verdict(state=IssueState.HELD)


def _is_no_mailbox(code: int | None, enhanced: str | None) -> bool:
    """Tell whether a refused recipient will be refused for ever.

    An address that is wrong (5.1) or closed (5.2.1) will; a mailbox that is
    full (5.2.2) or a route that is broken (5.4) may be mended. Without an
    enhanced code: 550, 551 and 553 speak of the mailbox (RFC 5321, 4.2.3).
    """
    if enhanced is None:
        return code in {550, 551, 553}
    return enhanced.startswith("5.1.") or enhanced == "5.2.1"
