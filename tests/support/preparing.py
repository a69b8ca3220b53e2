"""One preparation in a process of its own, to be killed.

    python -m tests.support.preparing newsletter.db 2026-03-03T08:00:00+00:00 engine

Says "ready" before it writes anything, and "done" at the end.
"""

from __future__ import annotations

import sys
from datetime import datetime

from newsletter.storage import open_store
from tests.support.crowd import BLOCK, SECRET, compiled, plain, prepare


def main(file: str, instant: str, way: str) -> None:
    store = open_store(f"sqlite:///{file}", secret=SECRET)
    at = datetime.fromisoformat(instant)
    book = {"engine": compiled, "reference": plain}[way](store)
    use = prepare(store, book, at=at, block=BLOCK)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    use.run(at)
    store.close()
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
