"""Looks for documents that a parser cannot stand.

    python -m tests.fuzz --seconds 60

Each parser in turn gets mutated documents for its share of the time. Nothing
but a SourceError may leave a parser, none may take longer than some seconds,
and what comes out can be stored. What fails is shrunk and printed. Where
atheris is installed (it is not in the lock) it takes half of the time.
"""

from __future__ import annotations

import argparse
import faulthandler
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from newsletter.errors import SourceError
from newsletter.identity import canonical_url
from newsletter.sources.addresses import address_in, is_allowed, is_public, refusal
from newsletter.sources.discovering import alternates_of
from newsletter.text import clean_text, first_sentences, split_authors
from tests.support.mutations import SAMPLES, WORDS, mutated
from tests.support.storable import answer_of, check, read

#: What no document of these sizes may take.
MOST_SECONDS = 5.0
#: A parser that hangs is ended with its place.
HANG_SECONDS = 60
#: Examples between two looks at the clock.
BATCH = 100


def reads(kind: str) -> Callable[[bytes], None]:
    """Return what a source of *kind* must do with any document."""

    def target(body: bytes) -> None:
        with suppress(SourceError):
            check(read(kind, body))

    return target


def finds_feeds(body: bytes) -> None:
    for alternate in alternates_of(answer_of(body)):
        assert alternate.url.startswith(("http://", "https://"))


def cleans_text(body: bytes) -> None:
    # With halves of characters where it is no UTF-8.
    raw = body.decode("utf-8", "surrogateescape")
    for markup in (False, True):
        text = clean_text(raw, markup=markup)
        text.encode()
        assert "\0" not in text
        assert "\n" not in text
        assert len(first_sentences(text, 80)) <= 80
        assert clean_text(raw, markup=markup) == text
    for name in split_authors(raw):
        assert name.strip() == name


def reads_addresses(body: bytes) -> None:
    host = body.decode("utf-8", "replace")
    found = address_in(host)
    is_allowed(host, 80, (host, "10.0.0.0/8", ""))
    if found is None:
        assert refusal(host, 80, ()) is not None
    elif not is_public(found):
        assert refusal(found, 80, ()) is not None


def names_urls(body: bytes) -> None:
    url = canonical_url(body.decode("utf-8", "replace"))
    if url is not None:
        assert url.startswith(("http://", "https://"))
        assert canonical_url(url) == url


@dataclass(frozen=True, slots=True)
class Target:
    """What is fuzzed, and with what."""

    call: Callable[[bytes], None]
    documents: st.SearchStrategy[bytes]


_HOSTS = (b"127.0.0.1", b"0x7f.1", b"[::ffff:10.0.0.1]", b"fe80::1%lo", b"localhost.")
_URLS = (
    b"https://Example.org:443/a/../b?utm_source=x&a=1&a=2#f",
    b"http://user:pw@[2001:db8::1]:8080/%7Ea/%zz;p?q=%E4%BD%A0",
    b"//xn--bcher-kva.example.org/\xe4\xbd\xa0",
)
_TEXTS = (
    b'T$^2$PO: a {\\em na\\"ive} method &amp; 28.82\\% of $\\frac{a}{b}$ <b>x</b>',
    b"Kaur, M., Shukla, A. and Smith, John; Doe, Jane (MIT, USA) & Co. <a@example.org>",
    b"<p>Hello <script>x</script> &lt;think&gt; \xe2\x80\xae</p>",
    b" ".join(WORDS),
)


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


_any = st.binary(max_size=400)
TARGETS: Mapping[str, Target] = {
    **{
        kind: Target(reads(kind), st.one_of(mutated(SAMPLES[kind]), _any))
        for kind in ("feed", "arxiv", "huggingface")
    },
    "json feed": Target(reads("feed"), mutated(SAMPLES["json feed"])),
    "page": Target(finds_feeds, st.one_of(mutated(SAMPLES["page"]), _any)),
    "text": Target(
        cleans_text, st.one_of(mutated(_TEXTS), st.text(max_size=300).map(_utf8))
    ),
    "address": Target(reads_addresses, st.one_of(mutated(_HOSTS), _any)),
    "url": Target(names_urls, st.one_of(mutated(_URLS), _any)),
}


def say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def timed(call: Callable[[bytes], None], body: bytes) -> None:
    """Call, and fail where that takes too long."""
    started = time.process_time()
    call(body)
    taken = time.process_time() - started
    assert taken < MOST_SECONDS, f"{taken:.1f} seconds for {len(body)} bytes"


def fuzz(name: str, seconds: float) -> tuple[int, str | None]:
    """Try one target for so long; return how many documents, and what failed."""
    tried = 0
    target = TARGETS[name]

    @settings(
        max_examples=BATCH,
        derandomize=False,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(target.documents)
    def batch(body: bytes) -> None:
        nonlocal tried
        tried += 1
        last[0] = body
        timed(target.call, body)

    last = [b""]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
        try:
            batch()
        except Exception as error:  # noqa: BLE001 - any is a finding
            return tried, f"{type(error).__name__}: {error}\n  {last[0][:4000]!r}"
        finally:
            faulthandler.cancel_dump_traceback_later()
    return tried, None


def run_atheris(seconds: float) -> list[str]:
    """Let atheris try every target, each in a process; return what failed."""
    if find_spec("atheris") is None:
        say("atheris is not installed: only our own mutations are tried")
        return []
    failed = []
    for name in TARGETS:
        share = str(max(1, int(seconds / len(TARGETS))))
        command = [sys.executable, "-m", "tests.fuzz_atheris", name, share]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ourselves
        say(f"{name:12} by atheris: {'ok' if not done.returncode else 'FAILED'}")
        if done.returncode:
            failed.append(
                f"{name}, by atheris: {done.stdout[-3000:]}{done.stderr[-1000:]}"
            )
    return failed


def main() -> int:
    """Fuzz all targets and say what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="in all")
    parser.add_argument("--only", choices=TARGETS, help="one target alone")
    asked = parser.parse_args()
    names = [asked.only] if asked.only else list(TARGETS)
    share = 0.5 if find_spec("atheris") and not asked.only else 1.0
    failed = []
    for name in names:
        tried, fault = fuzz(name, share * asked.seconds / len(names))
        say(f"{name:12} {tried:7} documents: {'ok' if fault is None else 'FAILED'}")
        if fault is not None:
            failed.append(f"{name}: {fault}")
    if not asked.only:
        failed += run_atheris(asked.seconds * (1 - share))
    say(*failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
