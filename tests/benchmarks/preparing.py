"""Fills a store, or prepares for everyone due in it, in a process of its own.

    python -m tests.benchmarks.preparing fill newsletter.db READERS ENTRIES
    python -m tests.benchmarks.preparing compile newsletter.db
    python -m tests.benchmarks.preparing blocks newsletter.db
    python -m tests.benchmarks.preparing alone newsletter.db

Prints as JSON what it took: seconds by the clock and of the processor, the most
bytes that the process ever had, and how many met which fate.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime, timedelta

from newsletter.library import Library
from newsletter.model import SourceSettings
from newsletter.ports import Shown
from newsletter.storage import Store, open_store
from tests.support.crowd import SECRET, prepare
from tests.support.many import Language, entries, profile, put_profiles, put_readers
from tests.support.weighing import most_used

AS_OF = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
SLOT = AS_OF + timedelta(minutes=30)
JOINED = AS_OF - timedelta(days=9)
#: As in a run of the program.
BLOCK = 2000
#: Profiles that are made at once.
_AT_ONCE = 5000


def fill(store: Store, readers: int, count: int) -> None:
    """Add entries, and readers with a profile each who are due after them."""
    language = Language(1)
    settings = SourceSettings(
        name="preprints", kind="feed", url="https://example.org/", first_days=99.0
    )
    found = entries(language, count, AS_OF)
    shown = Shown(source=settings, listings=found, seen_at=AS_OF)
    store.entries.put([shown], as_of=AS_OF)
    store.entries.release(as_of=AS_OF, settle={})
    for start in range(0, readers, _AT_ONCE):
        size = min(_AT_ONCE, readers - start)
        made = [profile(language) for _ in range(size)]
        hashes = put_profiles(store, made, AS_OF)
        put_readers(
            store, hashes, first=start, joined_at=JOINED, next_slot=SLOT, cursors=(0,)
        )


def library_of(store: Store) -> Library:
    return Library(chunks=store.chunks, subscribers=store.subscribers, warn=sys.exit)


def main(what: str, file: str, *numbers: str) -> None:
    store = open_store(f"sqlite:///{file}", secret=SECRET)
    began, worked = time.perf_counter(), time.process_time()
    counts = {}
    if what == "fill":
        fill(store, *map(int, numbers))
    elif what == "compile":
        library_of(store).bring_up_to_date()
    else:
        at = SLOT + timedelta(minutes=1)
        library = library_of(store) if what == "blocks" else None
        if library is not None:
            library.bring_up_to_date()
        report = prepare(store, library, at=at, block=BLOCK).run(at)
        counts = {fate.value: many for fate, many in report.counts.items()}
    found = {
        "wall_s": time.perf_counter() - began,
        "cpu_s": time.process_time() - worked,
        "peak": most_used(),
        "counts": counts,
    }
    sys.stdout.write(json.dumps(found))
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
