from __future__ import annotations

from dataclasses import replace

from newsletter.accepting import ThemeVerdict, error, warning, why_refused

BAD = error("a loop", "end it", file="body.mjml.j2", line=3)
FAINT = warning("it is faint", "darken it", file=None)
VERDICT = ThemeVerdict(theme="mine", theme_hash="a", faults=(FAINT, BAD))


def test_errors_refuse_and_warnings_do_not() -> None:
    assert not VERDICT.is_accepted
    assert VERDICT.errors == (BAD,)
    assert replace(VERDICT, faults=(FAINT,)).is_accepted
    assert not replace(VERDICT, faults=(), is_final=False).is_accepted


def test_a_fault_is_a_sentence_with_its_place() -> None:
    assert str(BAD) == "body.mjml.j2, line 3: a loop; end it"
    assert str(FAINT) == "theme: it is faint; darken it"
    assert str(replace(BAD, line=None)) == "body.mjml.j2: a loop; end it"


def test_a_refusal_says_why_and_which_command_tells_all() -> None:
    said = why_refused(VERDICT)
    assert "'mine' is not accepted" in said
    assert "body.mjml.j2, line 3: a loop; end it" in said
    assert "`newsletter theme check mine`" in said
    assert "more" not in said
    more = why_refused(replace(VERDICT, faults=(BAD, BAD, BAD)))
    assert "(and 2 more)" in more
    unfinished = why_refused(replace(VERDICT, faults=(BAD,), is_final=False))
    assert "could not be checked" in unfinished
