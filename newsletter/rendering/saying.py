"""What a template says in the words of a language, and how that becomes constant.

A theme writes English messages; ``num`` and values are written out as the
language has it, and kept apart where their script runs the other way::

    {{ _("Sent by %(name)s.", name=issue.sender.name) }}
    {{ ngettext("%(num)s vote", "%(num)s votes", card.votes) }}
    {{ 1234 | number }}  {{ card.authors | isolate }}  {{ "left" | mirror }}

The plain way calls these functions for each mail. For the sharing way a
template is rewritten first, so that what a message says is text like any
other text of the template, and only the values are left to be filled in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass

from jinja2 import nodes, pass_eval_context
from jinja2.nodes import EvalContext
from jinja2.runtime import markup_join, str_join
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape

from newsletter.rendering.catalogues import Hole, pieces
from newsletter.rendering.words import Words

#: What messages are called by, in templates.
SAY, SAY_OF = "_", "ngettext"
#: Filters for rewritten templates alone: a value, and a number's plural form.
_SAID, _FORM = "nl_said", "nl_form"


@dataclass(frozen=True, slots=True)
class Speech:
    """What templates say the words of one language by."""

    words: Words

    @property
    def globals(self) -> Mapping[str, Callable[..., object]]:
        """Return functions by the names that templates have for them."""
        return {SAY: self.say, SAY_OF: self.say_of}

    @property
    def filters(self) -> Mapping[str, Callable[..., object]]:
        """Return filters by the names that templates have for them."""
        return {
            "number": self.words.number,
            "isolate": self.isolate,
            "mirror": self.words.mirrored,
            _SAID: self.said,
            _FORM: self.words.form,
        }

    @pass_eval_context
    def say(self, context: EvalContext, message: str, **values: object) -> str:
        """Return *message* in the language, its *values* filled in."""
        return self._filled(context, self.words.text(message), values)

    @pass_eval_context
    def say_of(
        self, context: EvalContext, one: str, many: str, num: int, **values: object
    ) -> str:
        """Return the message in the form that *num* takes."""
        form = self.words.forms(one, many)[self.words.form(num, one)]
        return self._filled(context, form, {"num": num, **values})

    @pass_eval_context
    def said(self, context: EvalContext, value: object) -> object:
        """Return a value as it stands in a message: markup stays markup."""
        if hasattr(value, "__html__"):
            return value
        if isinstance(value, str):
            return self.isolate(context, value)
        return self.words.said(value)

    @pass_eval_context
    def isolate(
        self, context: EvalContext, value: object, as_text: object = None
    ) -> str:
        """Return *value* kept apart; *as_text*: by characters, in HTML too."""
        text = str(value)
        if not self.words.runs_otherwise(text):
            return text
        if context.autoescape and not as_text:
            return Markup("<bdi>{}</bdi>").format(text)
        return self.words.isolated(text)

    def _filled(
        self, context: EvalContext, text: str, values: Mapping[str, object]
    ) -> str:
        parts = [
            self.said(context, values[part.name]) if isinstance(part, Hole) else part
            for part in pieces(text)
        ]
        # As "~" joins in a template, which is what is made of a message there.
        join = markup_join if context.autoescape else str_join
        return join(parts)


def spoken(template: nodes.Template, words: Words, *, escapes: bool) -> nodes.Template:
    """Return *template* with its messages in the place of calls for them.

    A call that is not understood stays: it says the same when the mail is made.

    Args:
        template: Parsed.
        words: Of the language.
        escapes: It is HTML, so that what it puts out is escaped.
    """
    stored = {n.name for n in template.find_all(nodes.Name) if n.ctx != "load"}
    stored |= {macro.name for macro in template.find_all(nodes.Macro)}
    stored |= _imported(template)
    known = {SAY, SAY_OF, "issue"} - stored
    found = _Speaker(template, words, known, escapes=escapes).visit(template)
    if template.environment is not None:
        template.set_environment(template.environment)
    template.set_lineno(1)
    return found  # type: ignore[no-any-return] # it is what was visited


def _imported(template: nodes.Template) -> set[str]:
    names: set[str] = {n.target for n in template.find_all(nodes.Import)}
    for node in template.find_all(nodes.FromImport):
        names |= {name[1] if isinstance(name, tuple) else name for name in node.names}
    return names


class _Speaker(NodeTransformer):
    """Puts messages in the place of calls for them."""

    def __init__(
        self, template: nodes.Template, words: Words, known: set[str], *, escapes: bool
    ) -> None:
        self._words = words
        #: None: it cannot be told.
        self._escapes: bool | None = escapes
        self._known = known
        # Copies of nodes share it; it is large, and cannot be copied.
        self._environment = template.environment

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802 - Jinja's names
        """Make one text of messages and what stands around them."""
        self.generic_visit(node)
        merged: list[nodes.Expr] = []
        for child in node.nodes:
            text = self._constant(child)
            last = merged[-1] if merged else None
            if text is not None and isinstance(last, nodes.TemplateData):
                merged[-1] = nodes.TemplateData(last.data + text)
            else:
                merged.append(child if text is None else nodes.TemplateData(text))
        node.nodes = merged
        return node

    def visit_ScopedEvalContextModifier(  # noqa: N802 - Jinja's names
        self, node: nodes.ScopedEvalContextModifier
    ) -> nodes.Node:
        """Leave text apart where a theme turns escaping on or off by itself."""
        before, self._escapes = self._escapes, None
        self.generic_visit(node)
        self._escapes = before
        return node

    def _constant(self, node: nodes.Expr) -> str | None:
        if isinstance(node, nodes.TemplateData):
            return node.data
        if self._escapes is None or not isinstance(node, nodes.Const):
            return None
        if not isinstance(node.value, str):
            return None
        return str(escape(node.value)) if self._escapes else node.value

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Node:  # noqa: N802 - Jinja's names
        self.generic_visit(node)
        is_of_issue = isinstance(node.node, nodes.Name) and node.node.name == "issue"
        if (
            is_of_issue
            and "issue" in self._known
            and node.attr in {"language", "direction"}
        ):
            return nodes.Const(getattr(self._words, node.attr))
        return node

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - Jinja's names
        self.generic_visit(node)
        called = node.node
        if not isinstance(called, nodes.Name) or called.name not in self._known:
            return node
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            return node
        values = {pair.key: pair.value for pair in node.kwargs}
        try:
            if called.name == SAY:
                return self._said(node.args, values)
            return self._said_of(node.args, values)
        except (KeyError, ValueError):
            return node

    def _said(
        self, args: list[nodes.Expr], values: Mapping[str, nodes.Expr]
    ) -> nodes.Expr:
        (message,) = _texts(args)
        return self._filled(self._words.text(message), values)

    def _said_of(
        self, args: list[nodes.Expr], values: Mapping[str, nodes.Expr]
    ) -> nodes.Expr:
        num = args[2] if len(args) == 3 else values["num"]  # noqa: PLR2004 - both texts and the number
        one, many = _texts(args[:2])
        forms = [
            self._filled(form, {"num": num, **values})
            for form in self._words.forms(one, many)
        ]
        place = nodes.Filter(
            self._copied(num), _FORM, [nodes.Const(one)], [], None, None
        )
        *others, last = enumerate(forms)
        found = last[1]
        for number, form in reversed(others):
            is_it = nodes.Compare(
                self._copied(place), [nodes.Operand("eq", nodes.Const(number))]
            )
            found = nodes.CondExpr(is_it, form, found)
        return found

    def _filled(self, text: str, values: Mapping[str, nodes.Expr]) -> nodes.Expr:
        """Return the expression for *text*, its holes filled.

        Raises:
            KeyError: A value is missing.
            ValueError: The message is broken.
        """
        parts: list[nodes.Expr] = [
            nodes.Filter(self._copied(values[part.name]), _SAID, [], [], None, None)
            if isinstance(part, Hole)
            else nodes.Const(part)
            for part in pieces(text)
        ]
        if len(parts) == 1 and isinstance(parts[0], nodes.Const):
            return parts[0]
        return nodes.Concat(parts) if parts else nodes.Const("")

    def _copied(self, node: nodes.Expr) -> nodes.Expr:
        return deepcopy(node, {id(self._environment): self._environment})


def _texts(args: Iterable[nodes.Expr]) -> list[str]:
    """Return *args*, which are constant texts.

    Raises:
        ValueError: One is something else.
    """
    found = [arg.value for arg in args if isinstance(arg, nodes.Const)]
    if len(found) != len(list(args)) or not all(isinstance(t, str) for t in found):
        raise ValueError
    return found
