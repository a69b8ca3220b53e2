"""A macro's body in place of a call of it, where that means the same.

{{ parts.card(card, 3) }}  ->  its statements, in a scope of their own, with
names of that file called ``parts.name``
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy

from jinja2 import nodes

from newsletter.rendering.reads import Macro, Module, Names, Path, UnknownError


def put_in(
    macro: Macro, call: nodes.Call, here: Module, name_of: Callable[[str], str]
) -> nodes.With | None:
    """Return the body of *macro*, for *call* in *here*, or None if it may not move.

    Args:
        macro: What is called.
        call: Its arguments are looked at, not what it stands in.
        here: What the names of the call mean.
        name_of: Returns a name that nobody else has, for a parameter.
    """
    try:
        given = macro.arguments(call)
    except UnknownError:
        return None
    if not _may_move(macro, given, here):
        return None
    replaced: dict[str, nodes.Expr] = dict(_moved_names(macro, here))
    targets: list[nodes.Expr] = []
    values: list[nodes.Expr] = []
    for parameter, value in given.items():
        if isinstance(value, nodes.Name | nodes.Const):
            replaced[parameter] = value
        else:
            name = name_of(parameter)
            replaced[parameter] = nodes.Name(name, "load")
            targets.append(nodes.Name(name, "store"))
            values.append(value)
    body = [_replaced(_copied(part), replaced) for part in macro.node.body]
    return nodes.With(targets, values, body)


def expression(path: Path) -> nodes.Expr:
    """Return the expression that reads *path*."""
    found: nodes.Expr = nodes.Name(path[0], "load")
    for attribute in path[1:]:
        found = nodes.Getattr(found, attribute, "load")
    return found


def _moved_names(macro: Macro, here: Module) -> dict[str, nodes.Expr]:
    """Return how what *macro*'s file gives a meaning is called from *here*."""
    if macro.home is here:
        return {}
    alias = next(
        (name for name, module in here.modules.items() if module is macro.home), None
    )
    if alias is None:
        return {}
    return {name: expression((alias, name)) for name in macro.home.macros}


def _may_move(macro: Macro, given: Mapping[str, nodes.Expr], here: Module) -> bool:
    """Tell whether all names in *macro* mean the same where it is called."""
    inside = [n for part in macro.node.body for n in _with_itself(part, nodes.Name)]
    stored = {name.name for name in inside if name.ctx != "load"}
    loaded = {name.name for name in inside if name.ctx == "load"}
    known = {*macro.parameters, *macro.home.macros}
    passed = {
        name.name
        for value in given.values()
        for name in _with_itself(value, nodes.Name)
    }
    is_reachable = macro.home is here or macro.home in here.modules.values()
    return (
        is_reachable
        and not macro.home.modules
        and loaded <= known | stored | {"loop"}
        and "loop" not in _outer_loops(macro.node)
        and not stored & (known | passed)
        and not any(
            part.find(kind) or isinstance(part, kind)
            for part in macro.node.body
            for kind in (nodes.Macro, nodes.CallBlock, nodes.Block, nodes.Include)
        )
    )


def _outer_loops(macro: nodes.Macro) -> Names:
    """Return "loop" where *macro* speaks of a loop that it is not in itself."""

    def visit(node: nodes.Node) -> bool:
        if isinstance(node, nodes.Name):
            return node.name == "loop"
        if isinstance(node, nodes.For):
            return visit(node.iter) or any(map(visit, node.else_))
        return any(map(visit, node.iter_child_nodes()))

    return frozenset({"loop"}) if any(map(visit, macro.body)) else frozenset()


def _with_itself(node: nodes.Node, kind: type[nodes.Name]) -> Iterator[nodes.Name]:
    if isinstance(node, kind):
        yield node
    yield from node.find_all(kind)


def _copied(node: nodes.Node) -> nodes.Node:
    """Return a copy of *node* that shares only the environment."""
    return deepcopy(node, {id(node.environment): node.environment})


def _replaced(node: nodes.Node, by: Mapping[str, nodes.Expr]) -> nodes.Node:
    """Return *node* with the names in *by* replaced, wherever they are read."""
    if isinstance(node, nodes.Name):
        return _copied(by[node.name]) if node.name in by else node
    for name, value in node.iter_fields():
        if isinstance(value, nodes.Node):
            setattr(node, name, _replaced(value, by))
        elif isinstance(value, list):
            setattr(node, name, [_in_list(part, by) for part in value])
    return node


def _in_list(part: object, by: Mapping[str, nodes.Expr]) -> object:
    return _replaced(part, by) if isinstance(part, nodes.Node) else part
