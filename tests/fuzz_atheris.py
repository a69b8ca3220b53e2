"""One parser under atheris, which follows what its documents reach.

    python -m tests.fuzz_atheris feed 10

Started by ``tests.fuzz`` where atheris is installed; it is not in the lock.
"""

from __future__ import annotations

import sys
import tempfile
from importlib import import_module
from pathlib import Path


def main(name: str, seconds: str) -> None:
    atheris = import_module("atheris")
    # Only what is imported in here is followed, so nothing was before.
    with atheris.instrument_imports(include=["newsletter", "feedparser"]):
        fuzz = import_module("tests.fuzz")
        # Kinds are imported at their first use.
        for kind in ("feed", "arxiv", "huggingface"):
            fuzz.TARGETS[kind].call(b"")
    with tempfile.TemporaryDirectory() as corpus:
        for number, sample in enumerate(fuzz.SAMPLES.get(name, ())):
            (Path(corpus) / str(number)).write_bytes(sample)
        limits = (f"-max_total_time={seconds}", "-max_len=20000", "-timeout=20")
        # What fails is printed; nothing is left in the working directory.
        places = (f"-artifact_prefix={corpus}/", corpus)
        atheris.Setup([sys.argv[0], *limits, *places], fuzz.TARGETS[name].call)
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
