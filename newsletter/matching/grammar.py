"""The query language: text -> tree, or an error with its place.

    title:mamba OR "state space model*"^2 -survey

What is written here may be wrong in two ways: of a shape that the grammar
does not have, or true of nearly everything. Both are refused when a query is
saved, with the position and what was expected. This is the one module that
needs lark.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from newsletter.errors import QueryError
from newsletter.matching.tokens import is_cjk, tokenize
from newsletter.matching.tree import is_true_of_nothing, to_text
from newsletter.model import And, Field, Not, Or, Query, Term

#: Longer and deeper ones are nobody's handwriting.
MAX_LENGTH = 10_000
MAX_DEPTH = 50

#: OR and minus may stand anywhere in a list here; _list says where they may not.
_GRAMMAR = r"""
start: list
list: (OR | chain | minus)+
chain: unary (AND unary)*
?unary: NOT unary -> negated
      | atom
minus: MINUS atom
atom: FIELD? (WORD | PHRASE) WEIGHT?   -> term
    | FIELD? OPEN list CLOSE WEIGHT?   -> group

AND.3: /AND(?=[\s()"“”]|$)/
OR.3: /OR(?=[\s()"“”]|$)/
NOT.3: /NOT(?=[\s()"“”]|$)/
FIELD.2: /[^\s()"“”^:\-][^\s()"“”^:]*:/
WORD.1: /[^\s()"“”^:\-][^\s()"“”^:]*/
PHRASE.1: /["“”][^"“”]*["“”](=(?=[\s()^]|$))?/
WEIGHT.1: /\^[^\s()"“”]*/
MINUS.1: /-/
OPEN: "("
CLOSE: ")"
%ignore /\s+/
"""

_Node = Tree[Token]


def parse_query(text: str) -> Query:
    """Return the tree of *text*.

    Raises:
        QueryError: It cannot be read, or is true of an entry in which none
            of its terms occurs; with the position.
    """
    if not text.strip():
        raise QueryError("the query is empty; write a word", query=text, position=0)
    if len(text) > MAX_LENGTH:
        raise QueryError(
            f"the query is longer than {MAX_LENGTH} characters; divide it into several",
            query=text[:60] + "…",
            position=60,
        )
    return _Reader(text).read()


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", lexer="basic")


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one query; every complaint bears its text."""

    text: str

    def read(self) -> Query:
        """Return the tree, checked."""
        self._check_brackets()
        try:
            root = _parser().parse(self.text)
        except UnexpectedCharacters as error:
            raise self._unreadable(error.pos_in_stream or 0) from error
        except UnexpectedToken as error:
            raise self._unexpected(error.token) from error
        self._check_words(root)
        query = self._list(_child(root, 0), field=None)
        if is_true_of_nothing(query):
            raise self._error(_too_wide(query), 0)
        return query

    def _error(self, reason: str, position: int) -> QueryError:
        return QueryError(reason, query=self.text, position=position)

    # --- before and after parsing ---

    def _check_brackets(self) -> None:
        """Refuse brackets without a partner, and too many within one another."""
        opened: list[int] = []
        quoted = False
        for position, character in enumerate(self.text):
            if character in '"“”':
                quoted = not quoted
            elif character == "(" and not quoted:
                opened.append(position)
                if len(opened) > MAX_DEPTH:
                    raise self._error(
                        f"more than {MAX_DEPTH} brackets within one another", position
                    )
            elif character == ")" and not quoted:
                if not opened:
                    raise self._error("nothing opens this bracket", position)
                opened.pop()
        if opened and not quoted:
            raise self._error(
                "this bracket is never closed; expected ) after it", opened[-1]
            )

    def _check_words(self, root: _Node) -> None:
        """Refuse ``and`` and the like beside other terms: they are no operators."""
        terms = list(root.find_data("term"))
        for term in terms if len(terms) > 1 else []:
            word = term.children[0]
            if isinstance(word, Token) and word.lower() in {"and", "or", "not"}:
                raise self._error(
                    f'write {word.upper()}, or put it in quotes ("{word}") '
                    "to search for the word",
                    _start(word),
                )

    def _unreadable(self, position: int) -> QueryError:
        if self.text[position] in '"“”':
            return self._error("this quote is never closed", position)
        # Nothing else but a colon begins no token.
        return self._error(
            f"a colon needs a field before it ({_fields()}); put text with a colon "
            "in quotes",
            position,
        )

    def _unexpected(self, token: Token) -> QueryError:
        """Say what is wrong at *token*, which no rule of the grammar has there."""
        kind, position = token.type, token.start_pos
        if kind == "$END" or position is None:
            return self._error(
                "the query ends too soon; expected a word or a phrase",
                len(self.text.rstrip()),
            )
        before = self.text[:position].rstrip()
        after_field = before.endswith(":")
        if kind == "FIELD" and after_field:
            reason = "one field is enough; put text with a colon in quotes"
        elif kind == "MINUS" and before.endswith(("AND", "OR", "NOT")):
            reason = "write AND NOT instead of AND -, and NOT instead of NOT -"
        elif kind in {"AND", "OR"}:
            reason = f"{kind} needs a term on both sides; or put it in quotes"
        elif kind == "CLOSE":
            reason = "expected a word or a phrase before )"
        elif kind == "WEIGHT":
            reason = "^ follows a word or a phrase, as in mamba^2"
        elif after_field:
            reason = "a field needs a word, a phrase or brackets after its colon"
        else:
            reason = f"{str(token)!r} cannot stand here; expected a word or a phrase"
        return self._error(reason, position)

    # --- from the parser's tree to ours ---

    def _list(self, node: _Node, *, field: Field | None) -> Query:
        """Read a list: chains are alternatives, every minus leaves out of them all."""
        self._check_ors(node.children)
        alone = sum(isinstance(c, Tree) for c in node.children) == 1
        chains: list[Query] = []
        left_out: list[Query] = []
        after_or = False
        for child in node.children:
            if isinstance(child, Token):
                after_or = True
                continue
            if child.data == "minus":
                left_out.append(self._minus(child, field))
            else:
                chain = self._chain(child, field)
                is_lone_not = isinstance(chain, Not) and _is_negated(child)
                if isinstance(chain, Not) and is_lone_not and not (after_or or alone):
                    left_out.append(chain.operand)
                else:
                    chains.append(chain)
            after_or = False
        return self._joined(node, chains, left_out)

    def _joined(
        self, node: _Node, chains: Sequence[Query], left_out: Sequence[Query]
    ) -> Query:
        if not chains:
            raise self._error(
                "this only says what to leave out; add what to look for, "
                "or make it a mute without the minus",
                _first_position(node),
            )
        kept = chains[0] if len(chains) == 1 else Or(operands=tuple(chains))
        if not left_out:
            return kept
        return And(operands=(kept, *(Not(operand=query) for query in left_out)))

    def _check_ors(self, children: Sequence[Token | _Node]) -> None:
        """OR stands between two chains: not first, last, doubled, before a minus."""
        last = len(children) - 1
        for place, child in enumerate(children):
            if not isinstance(child, Token):
                continue
            if place in {0, last}:
                raise self._error(
                    "OR needs a term on both sides; or put it in quotes", _start(child)
                )
            following = children[place + 1]
            if isinstance(following, Token):
                raise self._error("one OR is enough", _start(following))
            if following.data == "minus":
                raise self._error(
                    "what a minus leaves out is no alternative; write AND NOT, "
                    "or drop the OR",
                    _first_position(following),
                )

    def _minus(self, node: _Node, field: Field | None) -> Query:
        minus, atom = node.children[0], _child(node, 1)
        start = _start(minus)
        if self.text[start + 1 : start + 2].isspace():
            raise self._error("no space after the minus, as in -survey", start)
        return self._atom(atom, field)

    def _chain(self, node: _Node, field: Field | None) -> Query:
        operands = tuple(
            self._unary(child, field)
            for child in node.children
            if isinstance(child, Tree)
        )
        return operands[0] if len(operands) == 1 else And(operands=operands)

    def _unary(self, node: _Node, field: Field | None) -> Query:
        nots = 0
        while node.data == "negated":
            nots += 1
            node = _child(node, 1)
        query = self._atom(node, field)
        # Two NOTs are none, so that ten thousand of them are no depth.
        return Not(operand=query) if nots % 2 else query

    def _atom(self, node: _Node, outer: Field | None) -> Query:
        parts = {c.type: c for c in node.children if isinstance(c, Token)}
        field = self._field(parts.get("FIELD"), outer)
        weight = parts.get("WEIGHT")
        if node.data == "group":
            if weight is not None:
                raise self._error(
                    "^ follows a word or a phrase, not brackets", _start(weight)
                )
            inner = next(c for c in node.children if isinstance(c, Tree))
            self._check_touch(parts.get("FIELD"), parts["OPEN"])
            return self._list(inner, field=field)
        token = parts.get("WORD") or parts["PHRASE"]
        self._check_touch(parts.get("FIELD"), token)
        return self._term(token, field, self._weight(token, weight))

    def _field(self, token: Token | None, outer: Field | None) -> Field | None:
        if token is None:
            return outer
        name = token[:-1]
        if name.lower() not in {f.value for f in Field}:
            raise self._error(
                f"there is no field {name!r}; expected {_fields()}, or put it in "
                f'quotes to search for it ("{name}:…")',
                _start(token),
            )
        if outer is not None:
            raise self._error(
                f"a second field within {outer}:(…); write them side by side",
                _start(token),
            )
        return Field(name.lower())

    def _check_touch(self, field: Token | None, following: Token) -> None:
        if field is not None and field.end_pos != following.start_pos:
            raise self._error(
                f"no space after the colon, as in {field}mamba", _start(following) - 1
            )

    def _weight(self, term: Token, token: Token | None) -> Decimal:
        if token is None:
            return Decimal(1)
        if term.end_pos != token.start_pos:
            raise self._error("no space before ^, as in mamba^2", _start(token))
        number = token[1:]
        if not re.fullmatch(r"\d{1,3}(\.\d{1,2})?", number, re.ASCII):
            raise self._error(
                f"{number!r} is no weight; expected 0.01 to 100 with at most two "
                "decimals, as in mamba^2.5",
                _start(token),
            )
        weight = Decimal(number)
        if not Decimal("0.01") <= weight <= 100:  # noqa: PLR2004 - the language's own
            raise self._error(
                f"the weight {number} is out of range; expected 0.01 to 100",
                _start(token),
            )
        return weight

    def _term(self, token: Token, field: Field | None, weight: Decimal) -> Term:
        is_phrase = token.type == "PHRASE"
        is_exact = is_phrase and token.endswith("=")
        written = token[1:-1].rstrip('"“”') if is_phrase else str(token)
        start = _start(token) + is_phrase
        body, star, rest = written.rstrip().partition("*")
        if rest:
            raise self._error(
                "* stands at the end of a word, or inside the closing quote",
                start + len(body),
            )
        tokens = tokenize(body)
        if not tokens:
            raise self._error(
                "nothing to search for here; expected a letter or a digit", start
            )
        if star and not _may_be_prefix(body, tokens):
            raise self._error("* needs at least 2 letters before it", start + len(body))
        if star and is_exact:
            reason = "a prefix is compared as it is written anyway; drop the * or the ="
            raise self._error(reason, start + len(body))
        words = " ".join(written.split())
        return Term(
            text=f'"{words}"{"=" * is_exact}' if is_phrase else written,
            tokens=tokens,
            field=field,
            prefix=bool(star),
            weight=weight,
            exact=is_exact,
        )


def _may_be_prefix(body: str, tokens: Sequence[str]) -> bool:
    """Tell whether the last word is long enough to be a prefix."""
    if body[-1:].isspace() or not tokenize(body[-1:]):
        return False
    last_word = tokenize(body.rsplit(maxsplit=1)[-1])
    return is_cjk(tokens[-1]) or sum(map(len, last_word)) > 1


def _too_wide(query: Query) -> str:
    """Say that *query* would match nearly everything, and what may be meant."""
    reason = "this is true of nearly everything: also where none of its words occurs"
    suggestion = _narrowed(query)
    if suggestion:
        return f"{reason}; did you mean {suggestion}?"
    if isinstance(query, Not):
        out = to_text(query.operand)
        return f"{reason}; say what to look for as well, or make a mute of it: {out}"
    return reason


def _narrowed(query: Query) -> str | None:
    """Return ``a AND NOT b`` for ``a OR NOT b``; None: there is no such reading."""
    if not isinstance(query, Or):
        return None
    wide = [operand for operand in query.operands if is_true_of_nothing(operand)]
    narrow = [operand for operand in query.operands if operand not in wide]
    if not narrow:
        return None
    kept = narrow[0] if len(narrow) == 1 else Or(operands=tuple(narrow))
    return to_text(And(operands=(kept, *wide)))


def _is_negated(chain: _Node) -> bool:
    """Tell a chain that is a lone NOT, written without brackets of its own."""
    return len(chain.children) == 1 and _child(chain, 0).data == "negated"


def _fields() -> str:
    return ", ".join(f"{field}:" for field in Field)


def _child(node: _Node, place: int) -> _Node:
    child = node.children[place]
    assert isinstance(child, Tree)  # noqa: S101 - the grammar says so
    return child


def _start(token: Token | _Node) -> int:
    assert isinstance(token, Token)  # noqa: S101 - the grammar says so
    return token.start_pos or 0


def _first_position(node: _Node) -> int:
    tokens = node.scan_values(lambda value: isinstance(value, Token))
    return min((_start(token) for token in tokens), default=0)
