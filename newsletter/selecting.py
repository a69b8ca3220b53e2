"""Whom it concerns and what an issue holds, joined: matching, then composing.

``select`` makes the decision once; ``refer`` turns it into the references
that the ledger keeps; ``recall`` makes the very same issue from them again.
Delivery always goes through ``recall``, so a past issue shown later is made
by the code that made the mail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from newsletter import links
from newsletter.composing import compose, sections_of
from newsletter.errors import NotFoundError
from newsletter.matching import (
    NO_ARCHIVE,
    Archive,
    Document,
    Near,
    Objection,
    ObjectionKind,
    closest,
    explain,
    explain_close,
    match_profile,
    objection,
    rank,
)
from newsletter.matching import documents as _documents
from newsletter.model import (
    NO_ACRONYMS,
    Acronyms,
    Candidate,
    Edition,
    EntryVersion,
    Issue,
    IssueItem,
    IssueRecord,
    Match,
    Profile,
    Ranking,
    ScorePart,
    Selection,
    Skip,
)


def select(
    candidates: Sequence[Candidate],
    profile: Profile,
    *,
    as_of: datetime,
    ranking: Ranking,
    shown: Callable[[frozenset[int]], frozenset[int]],
    documents: Sequence[Document] | None = None,
    acronyms: Acronyms = NO_ACRONYMS,
    archive: Callable[[], Archive] = lambda: NO_ARCHIVE,
) -> Selection | Skip:
    """Return what an issue over *candidates* holds, or that it holds nothing.

    Args:
        candidates: The distinct entries of the window.
        profile: What the subscriber wants.
        as_of: What freshness counts from.
        ranking: What each place is worth.
        shown: Tells which of some entry ids the subscriber got before; asked
            at most once about matches and once about what comes close, and
            only about what was released before.
        documents: *candidates*, tokenised; made here where it is None.
        acronyms: Short forms that find their long ones.
        archive: Gives what was listed lately; asked where room is filled up.
    """
    tokenised = documents if documents is not None else _documents(candidates)
    matches = match_profile(
        profile,
        candidates,
        as_of=as_of,
        ranking=ranking,
        documents=tokenised,
        acronyms=acronyms,
    )
    repeats = _repeats((m.candidate for m in matches), shown)
    fresh = tuple(m for m in matches if m.candidate.entry_id not in repeats)
    room = profile.max_items - len(fresh)
    close: tuple[Match, ...] = ()
    if profile.fill and room > 0 and (fresh or not profile.skip_empty):
        near = closest(
            profile,
            candidates,
            documents=tokenised,
            acronyms=acronyms,
            archive=archive(),
        )
        close = _filling(near, profile, room, shown=shown, acronyms=acronyms)
    return compose(fresh, profile=profile, new=len(candidates), close=close)


def _filling(
    near: Sequence[Near],
    profile: Profile,
    room: int,
    *,
    shown: Callable[[frozenset[int]], frozenset[int]],
    acronyms: Acronyms,
) -> tuple[Match, ...]:
    """Return the first of what is *near* that the subscriber did not get before."""
    repeats = _repeats((each.candidate for each in near), shown)
    new = [each for each in near if each.candidate.entry_id not in repeats]
    return tuple(
        explain_close(profile, each.candidate, each.parts, acronyms=acronyms)
        for each in new[:room]
    )


def _repeats(
    candidates: Iterable[Candidate],
    shown: Callable[[frozenset[int]], frozenset[int]],
) -> frozenset[int]:
    """Return the entries that the subscriber got before."""
    ask = frozenset(c.entry_id for c in candidates if c.seen_before)
    return shown(ask) if ask else frozenset()


class Reason(StrEnum):
    """Why an entry of the window is not shown."""

    #: It matched, and there were better ones than ``max_items``.
    NO_ROOM = "no room"
    #: An earlier issue showed it.
    SHOWN_BEFORE = "shown before"
    MUTED = "muted"
    FEW_VOTES = "few votes"
    UNMATCHED = "unmatched"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """An entry of the window that is not shown, and why."""

    candidate: Candidate
    reason: Reason
    #: Score and reasons. None: no interest asks for it.
    match: Match | None = None
    #: The mute that left it out, as written; empty: none did.
    mute: str = ""


def left_out(
    candidates: Sequence[Candidate],
    profile: Profile,
    outcome: Selection | Skip,
    *,
    as_of: datetime,
    ranking: Ranking,
    shown: Callable[[frozenset[int]], frozenset[int]],
    documents: Sequence[Document],
    acronyms: Acronyms = NO_ACRONYMS,
    only: frozenset[int] | None = None,
) -> tuple[LeftOut, ...]:
    """Return what ``select`` saw and did not show, with its reason.

    The best first; at the end, newest first, what no interest asks for.

    Args:
        candidates: As for ``select``; so are the others.
        profile: What the subscriber wants.
        outcome: What ``select`` returned.
        as_of: What freshness counts from.
        ranking: What each place is worth.
        shown: Tells which of some entry ids the subscriber got before.
        documents: *candidates*, tokenised.
        acronyms: Short forms that find their long ones.
        only: Ids of entries that are asked for. None: all.
    """
    cards = outcome.matches if isinstance(outcome, Selection) else ()
    inside = {match.candidate.entry_id for match in cards}
    rest = [
        (candidate, objection(profile, candidate, document, acronyms=acronyms))
        for candidate, document in zip(candidates, documents, strict=True)
        if _is_asked(candidate.entry_id, inside, only)
    ]
    repeats = _repeats((c for c, why in rest if why is None), shown)
    wanted = [
        (explain(profile, c, as_of=as_of, ranking=ranking, acronyms=acronyms), why)
        for c, why in rest
        if why is None or why.kind is not ObjectionKind.UNMATCHED
    ]
    wanted.sort(key=lambda pair: rank(profile.order, pair[0]))
    unmatched = sorted(
        (c for c, why in rest if why and why.kind is ObjectionKind.UNMATCHED),
        key=lambda c: (c.listed_at, c.entry_id),
        reverse=True,
    )
    return (
        *(_left_out(match, why, repeats) for match, why in wanted),
        *(LeftOut(candidate=c, reason=Reason.UNMATCHED) for c in unmatched),
    )


def _is_asked(entry: int, inside: set[int], only: frozenset[int] | None) -> bool:
    return entry not in inside and (only is None or entry in only)


def _left_out(match: Match, why: Objection | None, repeats: frozenset[int]) -> LeftOut:
    candidate = match.candidate
    if why is None:
        is_repeat = candidate.entry_id in repeats
        reason = Reason.SHOWN_BEFORE if is_repeat else Reason.NO_ROOM
    else:
        reason = Reason.MUTED if why.mute else Reason.FEW_VOTES
    return LeftOut(
        candidate=candidate,
        reason=reason,
        match=match,
        mute=why.mute if why else "",
    )


def refer(
    selection: Selection,
) -> tuple[tuple[IssueItem, ...], tuple[str, ...], tuple[IssueItem, ...]]:
    """Return what the ledger keeps of *selection*: items, headings, more.

    One heading per item; ``more`` are the titles of the receipt's list.
    """
    items = tuple(_item(match) for match in selection.matches)
    headings = tuple(
        section.heading for section in selection.sections for _ in section.matches
    )
    return items, headings, tuple(_item(match) for match in selection.more)


def recall(
    record: IssueRecord,
    *,
    versions: Mapping[int, EntryVersion],
    profile: Profile,
    edition: Edition,
    secrets: Sequence[bytes],
) -> Issue:
    """Return the issue that *record* refers to, as it was decided.

    Raises:
        NotFoundError: A version that it refers to is gone.
    """

    def again(items: Sequence[IssueItem]) -> tuple[Match, ...]:
        return tuple(
            _recalled(
                item,
                profile,
                _candidate(item, versions, record.key),
                as_of=record.as_of,
                edition=edition,
            )
            for item in items
        )

    selection = Selection(
        sections=sections_of(again(record.items), record.headings),
        more=again(record.more),
        receipt=record.receipt,
    )
    base_url = edition.newsletter.base_url
    token = links.issue_token(secrets, public_id=record.public_id, slot=record.slot)
    return Issue(
        key=record.key,
        newsletter=edition.newsletter,
        public_id=record.public_id,
        address=record.address,
        name=record.name,
        timezone=record.timezone,
        language=record.language,
        slot=record.slot,
        as_of=record.as_of,
        prepared_at=record.prepared_at,
        selection=selection,
        skipped=record.skipped,
        theme=record.theme,
        unsubscribe_url=links.unsubscribe_url(base_url, token) if base_url else None,
        preferences_url=links.preferences_url(base_url, token) if base_url else None,
    )


def _recalled(
    item: IssueItem,
    profile: Profile,
    candidate: Candidate,
    *,
    as_of: datetime,
    edition: Edition,
) -> Match:
    """Return the match of *item*, or how close it came then."""
    if item.close:
        return explain_close(profile, candidate, item.close, acronyms=edition.acronyms)
    return explain(
        profile,
        candidate,
        as_of=as_of,
        ranking=edition.ranking,
        acronyms=edition.acronyms,
    )


def item_of(candidate: Candidate, close: tuple[ScorePart, ...] = ()) -> IssueItem:
    """Return the ledger's reference to what *candidate* is shown from."""
    return IssueItem(
        entry_id=candidate.entry_id,
        version_id=candidate.version.id,
        listed_at=candidate.listed_at,
        votes=candidate.votes,
        sources=candidate.sources,
        close=close,
    )


def _item(match: Match) -> IssueItem:
    reasons = match.reasons
    return item_of(match.candidate, reasons.parts if reasons.is_close else ())


def _candidate(
    item: IssueItem, versions: Mapping[int, EntryVersion], key: str
) -> Candidate:
    version = versions.get(item.version_id)
    if version is None:
        raise NotFoundError(
            f"issue {key} cannot be made again: the text of entry {item.entry_id} "
            "is no longer stored (retention.entries is shorter than its age)"
        )
    return Candidate(
        entry_id=item.entry_id,
        version=version,
        sources=item.sources,
        listed_at=item.listed_at,
        votes=item.votes,
    )
