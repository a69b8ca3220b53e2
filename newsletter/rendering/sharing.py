"""A template, rewritten so that mails share what they have in common.

Within a loop over cards or lines, what reads only what is the same in every
mail that shows the card becomes a piece, made once and kept with the card::

    {% for card in section.cards %}        {% for card in section.cards %}
    <h3>{{ card.title }}</h3>         ->   piece 1 of card, else make and keep it
    {{ card.authors }}
    <p>{{ card.score }}</p>                <p>{{ card.score }}</p>
    {% endfor %}                           {% endfor %}

A macro that is not such a piece as a whole is put in where it is called, so
that its parts can be. Long constant text becomes a segment, too. The bytes
are those of the template as written; what is not understood is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame

from newsletter.quoting import Segment
from newsletter.rendering.moving import expression, put_in
from newsletter.rendering.reads import (
    Macro,
    Module,
    Names,
    Path,
    Paths,
    UnknownError,
    reads,
)

#: What is looped over, and what of each thing in it is the same in every mail.
_FIXED_LINE = frozenset({"title", "url"})
_FIXED_CARD = _FIXED_LINE | {
    "authors", "badges", "date", "image", "language", "links", "summary", "tldr",
    "votes",
}  # fmt: skip
FIXED: Mapping[str, Names] = {
    "cards": _FIXED_CARD,
    "lines": _FIXED_LINE,
    "titles": _FIXED_LINE,
}
#: Of a card, what is a reader's own, yet the same for many.
OWN = ("interests", "score", "is_close")
#: Of a card, where it stands.
PLACE = ("number",)
#: Of an issue, what most mails of one run have in common.
_COMMON = frozenset({"language", "title"})
_LOOP = frozenset({"first", "last", "index", "index0", "length"})
_HEADING = frozenset({"heading"})
#: Constant text that is shorter is not worth a segment.
_LONG = 200
#: How deep macros are put into one another.
_DEPTH = 4
#: Filters that look a piece up, and that keep it: of a card, of a card at its
#: place, of what is a reader's own.
FILTERS: Mapping[tuple[str, ...], tuple[str, str]] = {
    (): ("nl_kept", "nl_keep"),
    PLACE: ("nl_kept_there", "nl_keep_there"),
    OWN: ("nl_kept_own", "nl_keep_own"),
}
#: What names of ours begin with; those of pieces and segments with the others.
_OURS, _WHOLE = "nl_", ("nl_piece_", "nl_text_")


@dataclass(slots=True, kw_only=True)
class _Loop:
    """The loop whose body is looked at."""

    #: What each thing in it is called.
    name: str
    fixed: Names
    #: How many macros were put into one another to get here.
    depth: int = 0


@dataclass(slots=True, kw_only=True)
class _Item:
    """One statement or expression, and what it reads besides what is fixed."""

    node: nodes.Stmt
    #: None: it stays as it is.
    keys: Paths | None
    #: It reads what is a reader's own.
    is_loose: bool = False
    #: It reads nothing of the card, and is as quickly made as looked up.
    is_light: bool = False


@dataclass(slots=True, kw_only=True)
class Sharing:
    """Rewrites one template."""

    #: Of the theme; with a number it names a piece.
    file: str
    module: Module
    #: Segments of constant text, by the names that templates have for them.
    segments: dict[str, Segment]
    #: How many pieces were found.
    pieces: int = 0
    _names: int = 0

    def rewrite(self, template: nodes.Template) -> bool:
        """Rewrite *template* in place; False: it has names like those of ours."""
        names = {name.name for name in template.find_all(nodes.Name)}
        names |= {name for macro in self.module.all_macros() for name in macro.names()}
        if any(name.startswith(_OURS) for name in names):
            return False
        template.body = self._body(template.body, None)
        # Of what is new here: Jinja wants both.
        if template.environment is not None:
            template.set_environment(template.environment)
        template.set_lineno(1)
        return True

    def _body(self, body: Sequence[nodes.Node], loop: _Loop | None) -> list[nodes.Node]:
        """Return *body* rewritten; *loop* is the one over cards that it is in."""
        if loop is None:
            return [new for node in body for new in self._outside(node)]
        items = [item for node in body for item in self._items(node, loop)]
        groups = _groups(items, loop)
        return [node for group in groups for node in self._made(group, loop)]

    # --- outside of loops over cards -------------------------------------------

    def _outside(self, node: nodes.Node) -> Iterator[nodes.Node]:
        if isinstance(node, nodes.Output):
            self._constants(node)
        elif isinstance(node, nodes.For) and not node.recursive:
            node.body = self._body(node.body, _loop_over(node))
        elif isinstance(node, nodes.If):
            self._branches(node, None)
        elif isinstance(node, nodes.With):
            node.body = self._body(node.body, None)
        yield node

    def _branches(self, node: nodes.If, loop: _Loop | None) -> None:
        node.body = self._body(node.body, loop)
        node.else_ = self._body(node.else_, loop)
        for other in node.elif_:
            self._branches(other, loop)

    def _constants(self, node: nodes.Output) -> None:
        for place, child in enumerate(node.nodes):
            if isinstance(child, nodes.TemplateData) and _is_worth_it(child.data):
                name = f"{_WHOLE[1]}{len(self.segments)}"
                self.segments[name] = Segment(child.data)
                node.nodes[place] = nodes.Name(name, "load")

    # --- within a loop over cards ------------------------------------------------

    def _items(self, node: nodes.Node, loop: _Loop) -> Iterator[_Item]:
        if isinstance(node, nodes.Output):
            for child in node.nodes:
                yield self._item(nodes.Output([child], lineno=node.lineno), loop)
        elif isinstance(node, nodes.Stmt):
            yield self._item(node, loop)

    def _item(self, node: nodes.Stmt, loop: _Loop) -> _Item:
        try:
            found = reads(node, self.module)
        except UnknownError:
            return _Item(node=self._inside(node, loop), keys=None)
        keys = frozenset(path for path in found if not _is_fixed(path, loop))
        is_loose = any(_is_own(path, loop) for path in keys)
        # Nothing is kept by what is a reader's own and a card at once.
        is_mixed = is_loose and (keys != found or (loop.name, *PLACE) in keys)
        if is_mixed or not all(_may_be_key(key, loop) for key in keys):
            return _Item(node=self._inside(node, loop), keys=None)
        is_light = keys == found and not is_loose and bool(keys)
        return _Item(node=node, keys=keys, is_loose=is_loose, is_light=is_light)

    def _inside(self, node: nodes.Stmt, loop: _Loop) -> nodes.Stmt:
        """Return *node*, which is no piece as a whole, with pieces in it."""
        if isinstance(node, nodes.If):
            self._branches(node, loop)
        elif isinstance(node, nodes.Output):
            (called,) = node.nodes
            macro = (
                self.module.macro(called.node)
                if isinstance(called, nodes.Call)
                else None
            )
            if isinstance(called, nodes.Call) and macro is not None:
                return self._put_in(node, called, macro, loop)
        return node

    def _put_in(
        self, node: nodes.Output, call: nodes.Call, macro: Macro, loop: _Loop
    ) -> nodes.Stmt:
        """Return the body of *macro* in place of *call*, with pieces in it."""
        moved = None
        if loop.depth < _DEPTH:
            moved = put_in(macro, call, self.module, self._name)
        if moved is None:
            return node
        moved.body = self._body(moved.body, replace(loop, depth=loop.depth + 1))
        moved.lineno = node.lineno
        return moved

    def _made(self, group: list[_Item], loop: _Loop) -> Iterator[nodes.Node]:
        """Yield the statements for items that belong together."""
        while group and group[0].is_light:
            # What it reads would part pieces that are else the same.
            yield group.pop(0).node
        if not group:
            return
        body = list(_together(item.node for item in group))
        is_left = any(item.keys is None for item in group)
        if is_left or all(_is_constant(node) for node in body):
            yield from body
            return
        self.pieces += 1
        paths = sorted({path for item in group for path in item.keys or ()})
        read: tuple[str, ...] = OWN if any(item.is_loose for item in group) else ()
        if (loop.name, *PLACE) in paths:
            read = PLACE
        # What is read of the card the filters read themselves, which is faster.
        others = [path for path in paths if path[0] != loop.name]
        yield from self._piece(body, others, loop.name, FILTERS[read])

    def _piece(
        self,
        body: list[nodes.Node],
        paths: list[Path],
        thing: str,
        filters: tuple[str, str],
    ) -> Iterator[nodes.Node]:
        """Yield how a piece of *thing* is looked up, or made and kept."""
        name, line = self._name("piece"), body[0].lineno
        find, keep = filters

        def value() -> nodes.Name:
            return nodes.Name(name, "load")

        def asked(function: str, *given: nodes.Expr) -> nodes.Stmt:
            of = nodes.Name(thing, "load")
            keys = [expression(path) for path in paths]
            args = [*given, nodes.Const(f"{self.file}:{self.pieces}"), *keys]
            call = nodes.Filter(of, function, args, [], None, None)
            return nodes.Assign(nodes.Name(name, "store"), call, lineno=line)

        yield asked(find)
        is_none = nodes.Compare(value(), [nodes.Operand("eq", nodes.Const(None))])
        made = nodes.AssignBlock(nodes.Name(name, "store"), None, body, lineno=line)
        yield nodes.If(is_none, [made, asked(keep, value())], [], [], lineno=line)
        yield nodes.Output([value()], lineno=line)

    def _name(self, what: str) -> str:
        self._names += 1
        return f"{_OURS}{what}_{self._names}"


class Generator(CodeGenerator):
    """Puts pieces and segments out as they are: not escaped again, not copied."""

    def _output_child_pre(
        self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo
    ) -> None:
        if _is_whole(node):
            self.write("(")
        else:
            super()._output_child_pre(node, frame, finalize)

    def _output_child_post(
        self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo
    ) -> None:
        if _is_whole(node):
            self.write(")")
        else:
            super()._output_child_post(node, frame, finalize)


def _is_whole(node: nodes.Expr) -> bool:
    return isinstance(node, nodes.Name) and node.name.startswith(_WHOLE)


def _loop_over(node: nodes.For) -> _Loop | None:
    """Return the loop over cards or lines that *node* is, or None."""
    if not isinstance(node.target, nodes.Name) or not isinstance(
        node.iter, nodes.Getattr
    ):
        return None
    fixed = FIXED.get(node.iter.attr)
    return None if fixed is None else _Loop(name=node.target.name, fixed=fixed)


def _is_fixed(path: Path, loop: _Loop) -> bool:
    return path[0] == loop.name and len(path) > 1 and path[1] in loop.fixed


def _is_own(path: Path, loop: _Loop) -> bool:
    return len(path) == 2 and path[0] == loop.name and path[1] in OWN  # noqa: PLR2004 - name and attribute


def _may_be_key(path: Path, loop: _Loop) -> bool:
    """Tell whether what *path* leads to may tell one piece from another."""
    if path[0] == loop.name:
        return path == (loop.name, *PLACE) or _is_own(path, loop)
    # Others might not be there to be read, where the template does not read them.
    known = {"issue": _COMMON, "loop": _LOOP}.get(path[0], _HEADING)
    return len(path) == 1 or (len(path) == 2 and path[1] in known)  # noqa: PLR2004 - name and attribute


def _groups(items: list[_Item], loop: _Loop) -> Iterator[list[_Item]]:
    """Yield neighbours that are one piece, or that all stay as they are."""
    group: list[_Item] = []
    kind: tuple[bool, Paths] | None = None
    for item in items:
        this = kind
        if not group or not _is_constant(item.node):
            this = _kind(item, loop)
        if this != kind and not all(_is_constant(other.node) for other in group):
            yield group
            group = []
        kind = this
        group.append(item)
    if group:
        yield group


def _kind(item: _Item, loop: _Loop) -> tuple[bool, Paths] | None:
    """Return what parts pieces: what stands elsewhere in each mail is its own."""
    if item.keys is None:
        return None
    places = {path for path in item.keys if path[0] in {loop.name, "loop"}}
    return item.is_loose, frozenset(places)


def _together(body: Iterator[nodes.Node]) -> Iterator[nodes.Node]:
    """Yield *body* with neighbours made one that put something out."""
    last: nodes.Output | None = None
    for node in body:
        if isinstance(node, nodes.Output) and last is not None:
            last.nodes.extend(node.nodes)
            continue
        if last is not None:
            yield last
        last = node if isinstance(node, nodes.Output) else None
        if last is None:
            yield node
    if last is not None:
        yield last


def _is_constant(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Output) and all(
        isinstance(child, nodes.TemplateData) for child in node.nodes
    )


def _is_worth_it(text: str) -> bool:
    return len(text) >= _LONG and "\n" in text
