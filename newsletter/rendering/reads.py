"""What a piece of a template reads: names and attributes, through macros too.

A path is a name and attributes: ``card.title`` is ("card", "title"). What is
not understood is Unknown, and then nothing is taken for granted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from jinja2 import nodes

Path = tuple[str, ...]
Paths = frozenset[Path]
Names = frozenset[str]

_NOTHING: Paths = frozenset()
#: These read what their parts read, and nothing else.
_PLAIN = (
    nodes.BinExpr,
    nodes.Compare,
    nodes.Concat,
    nodes.CondExpr,
    nodes.FilterBlock,
    nodes.Getitem,
    nodes.If,
    nodes.Literal,
    nodes.Operand,
    nodes.Output,
    nodes.Pair,
    nodes.Slice,
    nodes.UnaryExpr,
)


class UnknownError(Exception):
    """It cannot be told what a piece reads."""


@dataclass(slots=True, kw_only=True, eq=False)
class Module:
    """The macros of one file, and those that it has from others."""

    macros: dict[str, Macro] = field(default_factory=dict)
    #: By the name that an import gave it.
    modules: dict[str, Module] = field(default_factory=dict)

    def macro(self, called: nodes.Expr) -> Macro | None:
        """Return the macro that *called* names: ``name`` or ``module.name``."""
        match path_of(called):
            case (name,):
                return self.macros.get(name)
            case (module, name):
                found = self.modules.get(module)
                return None if found is None else found.macros.get(name)
        return None

    def all_macros(self) -> Iterator[Macro]:
        """Yield its macros, and those of the files that it imports."""
        yield from self.macros.values()
        for module in self.modules.values():
            yield from module.all_macros()

    def without(self, names: tuple[str, ...]) -> Module:
        """Return it as seen where *names* mean something else."""
        return Module(
            macros={k: m for k, m in self.macros.items() if k not in names},
            modules={k: m for k, m in self.modules.items() if k not in names},
        )

    @property
    def names(self) -> Names:
        """Return what the file itself gives a meaning."""
        return frozenset(self.macros) | frozenset(self.modules)


@dataclass(slots=True, kw_only=True, eq=False)
class Macro:
    """A macro, and the file where its names have their meaning."""

    node: nodes.Macro
    home: Module
    #: What it reads of its parameters. None: not looked at yet.
    _reads: Paths | None = None
    _is_open: bool = False

    @property
    def parameters(self) -> tuple[str, ...]:
        """Return the names of its parameters."""
        return tuple(arg.name for arg in self.node.args)

    def names(self) -> Names:
        """Return all names in it."""
        return frozenset(name.name for name in self.node.find_all(nodes.Name))

    def reads(self) -> Paths:
        """Return what it reads, as paths from its parameters.

        Raises:
            UnknownError: It reads something else, or cannot be told.
        """
        if self._reads is None:
            if self._is_open:
                raise UnknownError
            self._is_open = True
            try:
                inside = self.home.without(self.parameters)
                found = reads_of_body(self.node.body, inside)
            finally:
                self._is_open = False
            if any(path[0] not in self.parameters for path in found):
                raise UnknownError
            self._reads = found
        return self._reads

    def arguments(self, call: nodes.Call) -> dict[str, nodes.Expr]:
        """Return what *call* gives each parameter.

        Raises:
            UnknownError: It cannot be told, or a parameter gets nothing.
        """
        if call.dyn_args is not None or call.dyn_kwargs is not None:
            raise UnknownError
        names = self.parameters
        if len(call.args) > len(names):
            raise UnknownError
        # Defaults belong to the last parameters.
        with_default = names[len(names) - len(self.node.defaults) :]
        given = dict(zip(with_default, self.node.defaults, strict=True))
        given |= dict(zip(names, call.args, strict=False))
        given |= {pair.key: pair.value for pair in call.kwargs}
        if frozenset(given) != frozenset(names):
            raise UnknownError
        return given


def path_of(node: nodes.Expr) -> Path | None:
    """Return *node* as a path, or None where it is another expression."""
    attributes: list[str] = []
    while isinstance(node, nodes.Getattr):
        attributes.append(node.attr)
        node = node.node
    if not isinstance(node, nodes.Name):
        return None
    return (node.name, *reversed(attributes))


def reads(node: nodes.Node, module: Module, bound: Names = frozenset()) -> Paths:
    """Return what *node* reads, less the names in *bound*.

    Raises:
        UnknownError: It cannot be told, or it does more than read.
    """
    if isinstance(node, nodes.Name | nodes.Getattr):
        path = path_of(node)
        if path is None:
            return _of_children(node, module, bound)
        if path[0] in module.names:
            raise UnknownError
        return _NOTHING if path[0] in bound else frozenset({path})
    for kind, how in _HOW.items():
        if isinstance(node, kind):
            return how(node, module, bound)
    if isinstance(node, _PLAIN):
        return _of_children(node, module, bound)
    raise UnknownError


def reads_of_body(
    body: Iterable[nodes.Node], module: Module, bound: Names = frozenset()
) -> Paths:
    """Return what the nodes of one scope read; a name that one sets is its own.

    Raises:
        UnknownError: It cannot be told.
    """
    found = _NOTHING
    for node in body:
        if isinstance(node, nodes.Assign) and isinstance(node.target, nodes.Name):
            found |= reads(node.node, module, bound)
            bound |= {node.target.name}
        else:
            found |= reads(node, module, bound)
    return found


def _of_children(node: nodes.Node, module: Module, bound: Names) -> Paths:
    found = _NOTHING
    for child in node.iter_child_nodes():
        found |= reads(child, module, bound)
    return found


def _of_filter(node: nodes.Node, module: Module, bound: Names) -> Paths:
    if isinstance(node, nodes.Filter | nodes.Test) and node.dyn_args is None:
        return _of_children(node, module, bound)
    raise UnknownError


def _of_keyword(node: nodes.Node, module: Module, bound: Names) -> Paths:
    return _of_children(node, module, bound)


def _of_call(node: nodes.Node, module: Module, bound: Names) -> Paths:
    macro = module.macro(node.node) if isinstance(node, nodes.Call) else None
    if macro is None or not isinstance(node, nodes.Call):
        raise UnknownError
    given = macro.arguments(node)
    found = _NOTHING
    for name, *rest in macro.reads():
        path = path_of(given[name])
        if path is None:
            found |= reads(given[name], module, bound)
        elif path[0] in module.names:
            raise UnknownError
        elif path[0] not in bound:
            found |= {(*path, *rest)}
    return found


def _of_for(node: nodes.Node, module: Module, bound: Names) -> Paths:
    if not isinstance(node, nodes.For) or node.recursive:
        raise UnknownError
    names = {name.name for name in _named(node.target)}
    inside = bound | names | {"loop"}
    found = reads(node.iter, module, bound)
    found |= reads_of_body(node.body, module, inside)
    found |= reads_of_body(node.else_, module, bound)
    return found | (reads(node.test, module, inside) if node.test else _NOTHING)


def _of_with(node: nodes.Node, module: Module, bound: Names) -> Paths:
    if not isinstance(node, nodes.With):
        raise UnknownError
    found = _NOTHING
    inside = bound
    for target, value in zip(node.targets, node.values, strict=True):
        found |= reads(value, module, bound)
        inside |= {name.name for name in _named(target)}
    return found | reads_of_body(node.body, module, inside)


def _named(target: nodes.Node) -> list[nodes.Name]:
    return (
        [target]
        if isinstance(target, nodes.Name)
        else list(target.find_all(nodes.Name))
    )


_HOW: Mapping[type[nodes.Node], Callable[[nodes.Node, Module, Names], Paths]] = {
    nodes.Call: _of_call,
    nodes.Filter: _of_filter,
    nodes.Test: _of_filter,
    nodes.For: _of_for,
    nodes.With: _of_with,
    nodes.Keyword: _of_keyword,
}


def modules_of(
    template: nodes.Template, parse: Callable[[str], nodes.Template | None]
) -> Module:
    """Return the macros that *template* defines and imports at its top.

    Args:
        template: Parsed.
        parse: Returns another file of the theme, or None where there is none.
    """
    return _module(template, parse, frozenset())


def _module(
    template: nodes.Template,
    parse: Callable[[str], nodes.Template | None],
    above: frozenset[str],
) -> Module:
    module = Module()
    counts = _stores(template)
    for node in template.body:
        if isinstance(node, nodes.Macro) and counts[node.name] == 1:
            module.macros[node.name] = Macro(node=node, home=module)
        elif isinstance(node, nodes.Import | nodes.FromImport):
            file = node.template
            if not isinstance(file, nodes.Const) or node.with_context:
                continue
            found = None if file.value in above else parse(file.value)
            if found is not None:
                other = _module(found, parse, above | {file.value})
                _import(module, node, other, counts)
    return module


def _import(
    module: Module,
    node: nodes.Import | nodes.FromImport,
    other: Module,
    counts: Mapping[str, int],
) -> None:
    if isinstance(node, nodes.Import):
        if counts[node.target] == 1:
            module.modules[node.target] = other
        return
    for name in node.names:
        theirs, ours = name if isinstance(name, tuple) else (name, name)
        if theirs in other.macros and counts[ours] == 1:
            module.macros[ours] = other.macros[theirs]


def _stores(template: nodes.Template) -> dict[str, int]:
    """Return how often each name is given a meaning, wherever that is."""
    counts: dict[str, int] = {}

    def count(name: str) -> None:
        counts[name] = counts.get(name, 0) + 1

    for node in template.find_all(nodes.Node):
        # Parameters are seen to where a macro is looked at.
        if isinstance(node, nodes.Name):
            if node.ctx == "store":
                count(node.name)
        elif isinstance(node, nodes.Macro):
            count(node.name)
        elif isinstance(node, nodes.Import):
            count(node.target)
        elif isinstance(node, nodes.FromImport):
            for name in node.names:
                count(name[1] if isinstance(name, tuple) else name)
    return counts
