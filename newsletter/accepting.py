"""Whether a theme may be mailed: what was found in it, and the verdict.

A verdict holds for the files as they were, named by their hash, and for the
version of the checker that gave it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

#: Raised with every change to what is checked: verdicts of another are void.
CHECKER = 1


class Severity(StrEnum):
    """What a fault does to a theme."""

    #: No mail goes out with it.
    ERROR = "error"
    #: Some readers will see less than was meant.
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong with a theme."""

    severity: Severity
    #: Relative to the theme's folder. None: the theme as a whole.
    file: str | None
    #: From 1. None: not of one line.
    line: int | None
    what: str
    #: What to do about it.
    cure: str

    def __str__(self) -> str:
        """Return the place, what is wrong and what to do, as one sentence."""
        place = self.file or "theme"
        if self.line is not None:
            place = f"{place}, line {self.line}"
        return f"{place}: {self.what}; {self.cure}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeVerdict:
    """What checking one state of a theme came to."""

    theme: str
    #: Of all its files.
    theme_hash: str
    faults: tuple[Fault, ...]
    #: The version of the checker.
    checker: int = CHECKER
    #: False: the check could not be finished for a reason that is not the
    #: theme's, so it says nothing about it and is not kept.
    is_final: bool = True

    @property
    def errors(self) -> tuple[Fault, ...]:
        """Return what refuses the theme."""
        return tuple(f for f in self.faults if f.severity is Severity.ERROR)

    @property
    def is_accepted(self) -> bool:
        """Tell whether mails may go out with it."""
        return self.is_final and not self.errors


def error(what: str, cure: str, *, file: str | None, line: int | None = None) -> Fault:
    """Return a fault that refuses the theme."""
    return Fault(severity=Severity.ERROR, file=file, line=line, what=what, cure=cure)


def warning(
    what: str, cure: str, *, file: str | None, line: int | None = None
) -> Fault:
    """Return a fault that is told and refuses nothing."""
    return Fault(severity=Severity.WARNING, file=file, line=line, what=what, cure=cure)


def why_refused(verdict: ThemeVerdict) -> str:
    """Return why nothing is mailed with the theme, and the command that tells all."""
    name, errors = verdict.theme, verdict.errors
    tell = f"`newsletter theme check {name}`"
    if not verdict.is_final:
        return f"theme {name!r} could not be checked: {verdict.faults[0]}"
    rest = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return (
        f"theme {name!r} is not accepted, so nothing is sent with it: {errors[0]}"
        f"{rest}; {tell} tells all, and accepts it once that is mended"
    )
