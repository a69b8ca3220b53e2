"""The process in which a theme is judged: it reads files, tries them, says faults.

    stdin   {"name": …, "hash": …, "language": …, "images": …, "files": {…}}
    stdout  one JSON list a line: ["at", what is tried now], ["fault", …], ["done"]

It limits itself before it looks at the theme. What stops it from outside (the
kernel, whoever started it) is told from the last line that it wrote.
"""

from __future__ import annotations

import json
import math
import re
import resource
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import astuple, fields
from difflib import get_close_matches
from pathlib import Path
from types import FrameType

from jinja2 import Environment
from jinja2.exceptions import SecurityError

from newsletter.accepting import Fault, Severity, error
from newsletter.errors import RenderError, ThemeError
from newsletter.rendering import templates
from newsletter.rendering.cutting import Run
from newsletter.rendering.judging import mails, source
from newsletter.rendering.judging.samples import Sample, samples
from newsletter.rendering.judging.tracing import (
    TooLargeError,
    Traced,
    place_of,
    traced,
)
from newsletter.rendering.mjml import compile_mjml
from newsletter.rendering.renderer import ThemeRenderer
from newsletter.rendering.seen import (
    CardView,
    Fit,
    IssueView,
    LineView,
    LinkView,
    ReceiptView,
    SectionView,
    SenderView,
)
from newsletter.rendering.themes import BODY_MJML, BODY_TEXT, SUBJECT, Theme
from newsletter.rendering.view import view
from newsletter.rendering.words import words_for

#: Seconds of CPU for the theme; ours alone takes a fifth of it.
CPU_S = 2
#: Bytes of address space; our program takes 35 MB of it.
MEMORY = 256 * 1024 * 1024
#: What Jinja says of a name that one of our values does not have.
_NO_FIELD = re.compile(r"'newsletter[\w.]*\.(\w+) object' has no attribute '(\w+)'")
_VIEWS = {
    kind.__name__: kind
    for kind in (
        *(IssueView, SectionView, CardView, LineView, LinkView),
        *(ReceiptView, SenderView, Run),
    )
}
#: What to do where a theme takes too much.
_LESS = "make loops end and texts short: a mail is made in milliseconds"


class OutOfTimeError(Exception):
    """The theme used up its time."""


def main() -> None:
    """Judge the theme that stdin tells."""
    given = json.loads(sys.stdin.read())
    theme = Theme(
        name=given["name"],
        folder=Path(),
        files=given["files"],
        hash=given["hash"],
        language=given["language"],
        images=given["images"],
    )
    _limit()
    try:
        for fault in faults_of(theme, tell=lambda at: _say("at", at)):
            _say("fault", *astuple(fault))
    except MemoryError:
        _say("fault", *astuple(_too_much("memory", None, None)))
    except OutOfTimeError:
        _say("fault", *astuple(_too_much("time", None, None)))
    _say("done")


def _limit() -> None:
    """Take no more than the theme may have."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    signal.signal(signal.SIGPROF, _out_of_time)
    signal.setitimer(signal.ITIMER_PROF, CPU_S)
    # This one kills: where C code computes on, no handler is called. The kernel
    # counts whole seconds, and our imports have used some.
    until = math.ceil(used.ru_utime + used.ru_stime + CPU_S)
    resource.setrlimit(resource.RLIMIT_CPU, (until, until + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _out_of_time(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise OutOfTimeError


def _say(*words: object) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def faults_of(theme: Theme, *, tell: Callable[[str], None]) -> Iterator[Fault]:
    """Yield what is wrong with *theme*, in this process and without limits.

    Args:
        theme: What was read of its folder.
        tell: Called with what is tried next.
    """
    tell("reading it")
    found = list(source.faults_of(theme.files))
    yield from found
    if any(fault.severity is Severity.ERROR for fault in found):
        # What is not well-formed makes no mails: its faults would be echoes.
        return
    tell("compiling it")
    try:
        bench = _Bench(theme)
    except ThemeError as exc:
        yield error(*_split(str(exc)), file=exc.file, line=exc.line)
        return
    told: set[Fault] = set()
    for sample in samples():
        tell(f"rendering {sample.name}")
        found = list(bench.faults_of(sample))
        yield from (fault for fault in found if fault not in told)
        told.update(found)
        if any(fault.severity is Severity.ERROR for fault in found):
            # One sample after the other: the plainest that fails says it best.
            return


def _split(message: str) -> tuple[str, str]:
    """Return what an error says without its place, and what to do about it."""
    what = message.partition(": ")[2] or message
    fault, _, cure = what.rpartition("; ")
    return (fault, cure) if fault else (what, "correct it")


def _told(exc: Exception) -> tuple[str, str]:
    """Return what a template's failure says, in a theme's own words."""
    if isinstance(exc, RecursionError):
        return "a macro calls itself without end", "give it a case that ends it"
    message = str(exc).rstrip(".")
    if isinstance(exc, SecurityError):
        return message, "take what a theme is given: issue, and what is in it"
    found = _NO_FIELD.search(message)
    kind = _VIEWS.get(found[1]) if found else None
    if found is None or kind is None:
        return message, "ask first whether it is there: {% if … %}"
    there = [f.name for f in fields(kind) if not f.name.startswith("_")]
    near = get_close_matches(found[2], there, n=1)
    cure = f"perhaps {near[0]} is meant" if near else f"it has {', '.join(there)}"
    name = found[1].removesuffix("View").lower()
    return f"{name or found[1]} has no {found[2]}", cure


def _too_much(what: str, file: str | None, line: int | None) -> Fault:
    limit = f"{CPU_S} seconds" if what == "time" else f"{MEMORY >> 20} MB"
    return error(f"it takes more {what} than {limit}", _LESS, file=file, line=line)


class _Bench:
    """A theme, compiled, to try samples with."""

    def __init__(self, theme: Theme) -> None:
        """Compile *theme*.

        Raises:
            ThemeError: It cannot be used.
        """
        self.theme = theme
        self.about = mails.Theme(
            files=theme.files,
            has_remote_images=theme.images,
        )
        self.renderer = ThemeRenderer(theme)
        compiled = compile_mjml(theme.files[BODY_MJML], file=BODY_MJML)
        self.lines = {BODY_MJML: compiled.theme_line}
        self.files = {**theme.files, BODY_MJML: compiled.source}

    def faults_of(self, sample: Sample) -> Iterator[Fault]:
        """Yield what is wrong with the mail of *sample*."""
        found = [] if sample.is_long else list(self._mail_faults(sample))
        yield from found
        if not any(fault.severity is Severity.ERROR for fault in found):
            yield from self._sending_faults(sample)

    def _mail_faults(self, sample: Sample) -> Iterator[Fault]:
        """Judge the mail as the theme writes it, nothing cut."""
        language = self.theme.language or sample.issue.language
        images = self.theme.images
        seen = view(sample.issue, language=language, fit=Fit(), images=images)
        env = templates.environment(self.files, words_for(language))
        parts: list[Traced] = []
        for file in (SUBJECT, BODY_MJML, BODY_TEXT):
            part = self._part(env, file, sample, {"issue": seen})
            if isinstance(part, Fault):
                yield part
                return
            parts.append(part)
        subject, html, text = parts
        mail = mails.Mail(
            sample=sample, seen=seen, subject=subject, html=html, text=text
        )
        yield from mails.faults_of(mail, self.about)

    def _part(
        self,
        env: Environment,
        file: str,
        sample: Sample,
        values: Mapping[str, object],
    ) -> Traced | Fault:
        try:
            return traced(
                env.get_template(file),
                values,
                lines=self.lines,
                largest=source.LARGEST,
            )
        except TooLargeError as exc:
            return _too_large(sample, *exc.args)
        except MemoryError as exc:
            return _too_much("memory", *place_of(exc, file, self.lines))
        except OutOfTimeError as exc:
            return _too_much("time", *place_of(exc, file, self.lines))
        except templates.FAULTS as exc:
            at, line = place_of(exc, file, self.lines)
            what, cure = _told(exc)
            return error(f"{what} ({sample.name})", cure, file=at, line=line)

    def _sending_faults(self, sample: Sample) -> Iterator[Fault]:
        """Make the mail as a run does, cut to what it has room for."""
        try:
            made = self.renderer.render(sample.issue)
        except RenderError as exc:
            yield error(*_split(str(exc)), file=exc.template, line=exc.line)
        else:
            if sample.is_usual:
                yield from mails.weight_faults(len(made.html.encode()))


def _too_large(sample: Sample, file: str, line: int | None) -> Fault:
    what = f"{sample.name} becomes a mail of over {source.LARGEST // 1000:,} KB"
    return error(what, _LESS, file=file, line=line)


if __name__ == "__main__":
    main()
