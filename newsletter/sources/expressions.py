"""JMESPath expressions of a source's table: compiled, checked, asked.

authors = "author[].{given: given, family: family}"    (https://jmespath.org)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import jmespath
from jmespath.exceptions import (
    EmptyExpressionError,
    IncompleteExpressionError,
    LexerError,
)
from jmespath.exceptions import ParseError as Unparsed
from jmespath.functions import Functions

from newsletter.errors import ConfigError, ParseError

_EXPECTING = re.compile(r"Expecting: (?P<what>.+), got: (?P<got>\w+)")
_WORD = re.compile(r"\w+")
#: What jmespath's parser calls its tokens, as people write them.
_TOKENS = {
    "unquoted_identifier": "a name",
    "quoted_identifier": 'a name in "double quotes"',
    "number": "a number",
    "star": "*",
    "dot": ".",
    "comma": ",",
    "colon": ":",
    "lbracket": "[",
    "rbracket": "]",
    "lbrace": "{",
    "rbrace": "}",
    "lparen": "(",
    "rparen": ")",
    "eof": "its end",
}


@dataclass(frozen=True, slots=True)
class Expression:
    """One key of the table, and the expression that it holds."""

    key: str
    compiled: jmespath.parser.ParsedResult

    def of(self, value: object) -> Any:  # noqa: ANN401 - any JSON value
        """Return what it finds in a JSON value; None: nothing.

        Raises:
            ParseError: It cannot be asked of such a value.
        """
        try:
            return self.compiled.search(value)
        except RecursionError as error:
            raise ParseError(f"`{self.key}` meets what is nested too deep") from error
        except (ValueError, TypeError) as error:
            said = str(error).partition("\n")[0]
            raise ParseError(f"`{self.key}` fails: {said}") from error


def compiled(key: str, text: object) -> Expression:
    """Return the expression that a key holds.

    Raises:
        ConfigError: It holds none; the sentence says where it is broken.
    """
    if not isinstance(text, str):
        raise ConfigError(f"{text!r} is not text in quotes; {_EXAMPLE}")
    try:
        parsed = jmespath.compile(text)
    except EmptyExpressionError as error:
        raise ConfigError(f"it is empty; {_EXAMPLE}") from error
    except Unparsed as error:
        raise ConfigError(f"{text!r} is no JMESPath: {_place(error)}") from error
    except RecursionError as error:
        raise ConfigError("it is nested too deep; write less brackets") from error
    for name in _functions(parsed.parsed):
        if name not in Functions.FUNCTION_TABLE:
            raise ConfigError(f"{text!r} calls {name}(); {_near(name)}")
    return Expression(key, parsed)


_SIGNS = (
    "expected names, in double quotes where they hold other signs than letters,"
    " digits and _, as in '\"next-cursor\"'; texts in 'single' ones"
)
_EXAMPLE = 'expected a JMESPath expression, such as "title" or "message.items"'


def _place(error: Unparsed) -> str:
    """Return where an expression is broken, and what was expected there."""
    column = f"column {error.lex_position + 1}"
    if isinstance(error, LexerError):
        return f"{column}: {error.message}; {_SIGNS}"
    if isinstance(error, IncompleteExpressionError):
        return f"{column}: it ends too early; expected what closes its brackets"
    found = _EXPECTING.fullmatch(error.msg)
    if found is None:
        return f"{column}: {error.msg}; {_EXAMPLE}"
    words = (_TOKENS.get(word, word) for word in _WORD.findall(found["what"]))
    wanted = " or ".join(dict.fromkeys(words))
    got = _TOKENS.get(found["got"], "") if found["got"] == "eof" else error.token_value
    return f"{column}: expected {wanted}, found {got}"


def _functions(node: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of all functions that an expression calls."""
    todo: list[Any] = [node]
    while todo:
        here = todo.pop()
        if here.get("type") == "function_expression":
            yield str(here["value"])
        todo += [child for child in here.get("children", ()) if isinstance(child, dict)]


def _near(name: str) -> str:
    known = sorted(Functions.FUNCTION_TABLE)
    near = get_close_matches(name, known, n=1)
    if near:
        return f"did you mean {near[0]}()?"
    return f"there is no such function; expected one of {', '.join(known)}"
