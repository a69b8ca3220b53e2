"""``newsletter match``: what a query, or a profile, would have brought lately."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from itertools import groupby

import click

from newsletter.cli.context import Instant, open_app, profile_of
from newsletter.cli.lines import Line, heading, longest_bar, print_lines
from newsletter.cli.output import counted, json_option, print_json
from newsletter.model import Interest, Match, Profile
from newsletter.usecases.backtest import BackTest, back_test

#: How many of the best are printed; ``--json`` prints all.
BEST = 20
#: How many near misses.
NEARLY = 10
#: Thousandths of a score; less would be shown as 0.0.
_LEAST_SHOWN = 5
#: Beyond so many days a bar is a week's.
_MOST_ROWS = 62
#: More empty rows in a row are one.
_MOST_EMPTY = 3


@click.command()
@click.argument("query", required=False)
@click.option("--subscriber", "name", metavar="ADDRESS", help="Try a reader's profile.")
@click.option("--days", type=click.IntRange(1, 400), default=30, show_default=True)
@click.option(
    "--at", type=Instant(), help="Look back from this instant. [default: now]"
)
@json_option
@click.pass_context
def match(
    ctx: click.Context,
    query: str | None,
    name: str | None,
    days: int,
    at: datetime | None,
    *,
    as_json: bool,
) -> None:
    """Show what QUERY, or a reader's profile, would have brought lately.

    How many a day, the best with their reasons, what each interest brought and
    each mute took away, what more would have matched without one piece of the
    query, and terms that may be added.
    """
    if (query is None) == (name is None):
        raise click.UsageError("give a QUERY or --subscriber ADDRESS, one of the two")
    profile = _query_profile(query) if query is not None else None
    with _uncollected(), open_app(ctx, check_subscribers=name is not None) as app:
        test = back_test(
            profile if profile is not None else profile_of(app, name or ""),
            entries=app.store.entries,
            as_of=at or app.clock.now(),
            days=days,
            ranking=app.settings.ranking,
            acronyms=app.settings.acronyms,
            source_order=app.source_order,
        )
    if as_json:
        print_json(_as_json(test))
    else:
        print_lines(_lines(test))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector from going through the whole archive again and again.

    All that is read is used to the end; a fifth of the time would go into that.
    """
    gc.disable()
    try:
        yield
    finally:
        # Or it would go through all of it once more at the end of the process.
        gc.freeze()
        gc.enable()


def _query_profile(query: str) -> Profile:
    from newsletter.matching.grammar import parse_query  # noqa: PLC0415 - lark, only here

    return Profile(interests=(Interest(query=query, tree=parse_query(query)),))


# --- for programs ---


def _as_json(test: BackTest) -> Mapping[str, object]:
    return {
        "weighed": test.weighed,
        "matched": len(test.matches),
        "per_day": {day.isoformat(): n for day, n in test.per_day.items()},
        "matches": [
            {
                "title": match.candidate.version.title,
                "url": match.candidate.version.url,
                "listed_at": match.candidate.listed_at,
                "score": match.score / 1000,
                "why": why(match),
                "interests": match.reasons.interests,
            }
            for match in test.matches
        ],
        **{
            key: [
                {"query": s.label, "entries": len(s.places), "alone": s.alone}
                for s in shares
            ]
            for key, shares in (("interests", test.interests), ("mutes", test.mutes))
        },
        "nearly": test.nearly,
        "suggested": [
            {"interest": share.label, "terms": terms}
            for share, terms in zip(test.interests, test.suggested, strict=True)
        ],
        "absent": test.absent,
    }


# --- for people ---


def _lines(test: BackTest) -> Iterator[Line]:
    found = len(test.matches)
    yield Line(
        text=f"{counted(test.weighed, 'entry', 'entries')} listed in "
        f"{counted(test.days, 'day')}, {found} matched ({found / test.days:.1f} a day)",
        style="bold",
    )
    if not test.weighed:
        yield Line(text="run `newsletter refresh` first, or look back with --at")
        return
    for term in test.absent:
        yield Line(text=f"{term} does not occur at all; look at its spelling")
    if found:
        yield from _chart(test.per_day)
        yield from _best(test)
    yield from _shares(test)
    yield from _near_misses(test)
    yield from _suggestions(test)


def _chart(per_day: Mapping[date, int]) -> Iterator[Line]:
    """Yield a bar for each day, or each week where they are many."""
    by_week = len(per_day) > _MOST_ROWS
    counts: Counter[date] = Counter()
    for day, number in per_day.items():
        counts[day - timedelta(days=day.weekday() if by_week else 0)] += number
    most, room = max(counts.values()), longest_bar()
    yield from heading("A week, from Monday" if by_week else "A day")
    for is_empty, group in groupby(counts.items(), key=lambda row: not row[1]):
        rows = list(group)
        if is_empty and len(rows) > _MOST_EMPTY:
            what = "weeks" if by_week else "days"
            yield Line(head=f"  {len(rows)} {what} without a match")
            continue
        for day, number in rows:
            bar = number if most <= room else -(-number * room // most)
            yield Line(head=f"  {day:%a %d %b}  {number:4}  ", bar=bar)


def _best(test: BackTest) -> Iterator[Line]:
    yield from heading("The best")
    is_several = len(test.interests) > 1
    for place, match in enumerate(test.matches[:BEST], 1):
        version = match.candidate.version
        yield Line(head=f"{place:3}. ", text=version.title, style="bold")
        yield Line(head="     ", text=f"{_score(match.score)} = {why(match)}")
        if is_several:
            whom = ", ".join(match.reasons.interests)
            yield Line(head="     for ", text=whom, style="cyan")
        if version.url:
            yield Line(head="     ", text=version.url, style="dim")
    if len(test.matches) > BEST:
        more = len(test.matches) - BEST
        yield Line(head="     ", text=f"… and {more} more (--json prints all)")


def why(match: Match) -> str:
    """Return a score's split: title: mamba 2.0 · fresh 0.5."""
    reasons = match.reasons
    parts = [f"{p.field}: {p.term} {_points(p.millis)}" for p in reasons.parts]
    for word, millis in (
        ("votes", reasons.votes_millis),
        ("fresh", reasons.freshness_millis),
    ):
        if millis >= _LEAST_SHOWN:
            parts.append(f"{word} {_points(millis)}")
    return " · ".join(parts) or "everything matches"


def _points(millis: int) -> str:
    """Return 2.0, or 0.45: no more digits than it needs, so that a sum can be seen."""
    return _score(millis).removesuffix("0")


def _score(millis: int) -> str:
    # In whole numbers: a score and its one uneven part are rounded alike.
    hundredths = (millis + 5) // 10
    return f"{hundredths // 100}.{hundredths % 100:02}"


def _shares(test: BackTest) -> Iterator[Line]:
    """Yield what interests and mutes did, where there are several to tell apart."""
    shown = test.interests if len(test.interests) > 1 or test.mutes else ()
    for words, shares in (
        ("What each interest brought", shown),
        ("What each mute took away", test.mutes),
    ):
        if shares:
            yield from heading(words)
        for share in shares:
            yield Line(
                head=f"  {len(share.places):4}  {f'({share.alone} alone)':<14}",
                text=share.label,
            )


def _near_misses(test: BackTest) -> Iterator[Line]:
    nearly = test.nearly
    if nearly:
        yield from heading("Nearly")
    for miss in nearly[:NEARLY]:
        is_told = miss.within and len(test.interests) > 1
        within = f"  (in {miss.within})" if is_told else ""
        yield Line(head=f"  {miss.more:4} more without ", text=f"{miss.what}{within}")
        yield Line(head="            ", text=miss.titles[0], style="dim")
    if len(nearly) > NEARLY:
        more = len(nearly) - NEARLY
        yield Line(head="            ", text=f"… and {counted(more, 'other piece')}")


def _suggestions(test: BackTest) -> Iterator[Line]:
    if any(test.suggested):
        yield from heading("Terms that may be added with OR")
    width = max(
        (len(term.text) for terms in test.suggested for term in terms), default=0
    )
    for share, terms in zip(test.interests, test.suggested, strict=True):
        if terms and len(test.interests) > 1:
            yield Line(head="  for ", text=share.label, style="cyan")
        size = len(share.places)
        for term in terms:
            others = test.weighed - size
            yield Line(
                head=f"  {term.text:<{width}}  ",
                text=f"in {term.matched} of {size}, and in {term.others} of {others}"
                " others",
            )
