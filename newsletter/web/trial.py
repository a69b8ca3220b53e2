"""What the pages say of a profile that is tried out: form, mistakes, difference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from newsletter.config import Mistake, profile_toml, reader_toml
from newsletter.config.subscribers import pointed
from newsletter.matching.stems import LANGUAGES, PLAIN
from newsletter.model import Foreseen, Order, Origin, Profile, Sections
from newsletter.web import entries
from newsletter.web.changes import Changes
from newsletter.web.desk import Sight, Trial
from newsletter.web.drafts import Draft, filled

#: Keys whose mistakes have a place in the form.
_FIELDS = "interests mutes order sections stem max_items min_votes".split()
_ORDERS = {
    Order.RELEVANCE: "Best matches first",
    Order.VOTES: "Most votes first",
    Order.NEWEST: "Newest first",
}
_SECTIONS = {
    Sections.NONE: "None, one list",
    Sections.INTEREST: "By interest",
    Sections.SOURCE: "By source",
}


def trial_values(sight: Sight) -> Mapping[str, object] | None:
    """Return what the templates see of a trial. None: there is no reader."""
    trial, reader = sight.trial, sight.reader
    if trial is None or reader is None:
        return None
    mistakes = () if trial.tried is None else trial.tried.mistakes
    profile = None if trial.tried is None else trial.tried.profile
    return {
        "draft": trial.draft,
        "is_tried": profile is not None,
        "mistakes": len(mistakes),
        "rows": tuple(_rows(trial, mistakes)),
        "said": _said(mistakes, trial.draft),
        "choices": _choices(trial.draft),
        "changes": None if trial.changes is None else _changes(trial.changes),
        "toml": "" if profile is None else _toml(reader, profile),
        "is_file": reader.subscriber.origin is Origin.FILE,
        "address": reader.subscriber.address,
        "back": sight.choice.but(draft=""),
    }


def _rows(trial: Trial, mistakes: Sequence[Mistake]) -> Iterator[Mapping[str, object]]:
    """Yield the rows of the form, each with what is wrong with it."""
    for place, row in enumerate(filled(trial.draft.rows)):
        found = [m for m in mistakes if m.key == "interests" and m.place == place]
        yield {
            "row": row,
            "number": place + 1,
            "wrong": {m.part or "query" for m in found},
            "mistakes": [_mistake(m, row.query) for m in found],
        }


def _said(
    mistakes: Sequence[Mistake], draft: Draft
) -> Mapping[str, Sequence[Mapping[str, str]]]:
    """Return what is wrong with each field that is no row, by its key."""
    said: dict[str, list[Mapping[str, str]]] = {key: [] for key in _FIELDS}
    mutes = draft.mutes.splitlines()
    for mistake in mistakes:
        if mistake.key == "interests" and mistake.place is not None:
            continue
        query = ""
        where = ""
        if mistake.key == "mutes" and mistake.place is not None:
            query = mutes[mistake.place]
            where = f"Line {mistake.place + 1}. "
        said.setdefault(mistake.key, []).append(_mistake(mistake, query, where))
    return said


def _mistake(mistake: Mistake, query: str, where: str = "") -> Mapping[str, str]:
    if mistake.position is None:
        return {"what": where + mistake.what, "pointed": ""}
    return {
        "what": f"{where}At character {mistake.position}: {mistake.what}",
        "pointed": pointed(query, mistake.position - 1),
    }


def _choices(draft: Draft) -> Mapping[str, Sequence[tuple[str, str, bool]]]:
    """Return the options of each list: value, words, whether it is chosen."""
    stems = {PLAIN: "None, as written", **LANGUAGES}
    return {
        "order": _options(_ORDERS, draft.order),
        "sections": _options(_SECTIONS, draft.sections),
        "stem": _options(
            {code: name[:1].upper() + name[1:] for code, name in stems.items()},
            draft.stem,
        ),
    }


def _options(
    words: Mapping[str, str] | Mapping[Order, str] | Mapping[Sections, str], chosen: str
) -> Sequence[tuple[str, str, bool]]:
    return [(str(value), said, value == chosen) for value, said in words.items()]


def _changes(changes: Changes) -> Mapping[str, object]:
    return {
        "is_none": changes.is_none,
        "stayed": changes.stayed,
        "is_reordered": changes.is_reordered,
        "appeared": [entries.entry(match) for match in changes.appeared],
        "gone": [
            {**entries.entry(gone.match), "why": gone.why} for gone in changes.gone
        ],
    }


def _toml(reader: Foreseen, profile: Profile) -> str:
    if reader.subscriber.origin is Origin.FILE:
        return profile_toml(profile)
    # A file for `profile edit` says all, so that nothing else changes.
    return reader_toml(reader.subscriber, profile)
