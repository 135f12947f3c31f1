"""Parts of a graph as functions: what some tensors need, up to where the part ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from ....compiler.budget import count_operations
from ....formats.tensorflow.model import Function, Node
from ..flatten import Call, Result

Aliases = Mapping[Result, Result]
"""Tensors that are others inside of a part."""


@dataclass
class Library:
    """The functions of a graph, to which bodies of branches and loops are added under new names."""

    functions: dict[str, Function]
    _numbers: Counter[str] = field(default_factory=lambda: Counter[str]())

    def name(self, wanted: str) -> str:
        """Return a name that no function has."""
        return self.unused(wanted, self.functions)

    def unused(self, wanted: str, taken: Collection[str]) -> str:
        """Return a name that is not taken: with a number where the name itself is."""
        name = wanted
        while name in taken:
            self._numbers[wanted] += 1
            name = f"{wanted}_{self._numbers[wanted]}"
        return name


def followed(result: Result, aliases: Aliases) -> Result:
    """Follow aliases from a tensor to the one that it is; at most as often as there are aliases."""
    for _ in range(len(aliases) + 1):
        if result not in aliases:
            break
        result = aliases[result]
    return result


@dataclass
class Part:
    """Nodes of a graph: what some tensors need, the tensors from outside that are read, and the nodes waited for.

    ``aliases`` are tensors that are others in this part.
    """

    graph: Mapping[str, Call]
    is_inside: Callable[[str], bool]
    aliases: Aliases
    calls: dict[str, Call] = field(default_factory=lambda: dict[str, Call]())
    outer: dict[Result, None] = field(default_factory=lambda: dict[Result, None]())
    waits: dict[str, None] = field(default_factory=lambda: dict[str, None]())

    def add(self, results: Iterable[Result]) -> list[Result]:
        """Insert what ``results`` need; return the tensors from outside that nothing here has read before."""
        found: list[Result] = []
        stack = [followed(result, self.aliases) for result in results]
        while stack:
            result = stack.pop()
            if result.node not in self.graph or not self.is_inside(result.node):
                found += [] if result in self.outer else [result]
                self.outer[result] = None
            elif result.node not in self.calls:
                call = self.graph[result.node]
                self.calls[call.name] = call
                stack += [followed(operand, self.aliases) for operand in call.inputs]
                stack += [Result(name) for name in call.before if self._holds(name)]
                self.waits |= {name: None for name in call.before if not self._holds(name)}
        return found

    def _holds(self, name: str) -> bool:
        return name in self.graph and self.is_inside(name)


def outlined(name: str, part: Part, outer: Iterable[Result], results: Sequence[Result], scope: str) -> Function:
    """Return a part as a function of the tensors ``outer``, in their order.

    Nodes are called as they are within ``scope``, which the call of the function is named after.
    """
    count_operations(0, nodes=len(part.calls))
    own = f"{scope}/"
    shortens = all(node.startswith(own) for node in part.calls)
    local = {node: node.removeprefix(own) if shortens else node for node in part.calls}
    arguments = _argument_names(outer, local.values())

    def inner(result: Result) -> Result:
        found = followed(result, part.aliases)
        return Result(arguments[found]) if found in arguments else Result(local[found.node], found.number)

    nodes: list[Node] = []
    for call in part.calls.values():
        before = tuple(local[b] for b in call.before if b in local)
        nodes.append(node_of(Call(local[call.name], call.op, tuple(map(inner, call.inputs)), before, call.attributes)))
    given = tuple(arguments.values())
    return Function(name, given, (None,) * len(given), tuple(nodes), tuple(inner(result).flat for result in results))


def node_of(call: Call) -> Node:
    """Return a call as it is stored; tensors are named the same way in graphs and in functions."""
    inputs = (*(operand.flat for operand in call.inputs), *(f"^{name}" for name in call.before))
    return Node(call.name, call.op, inputs, call.attributes)


def _argument_names(outer: Iterable[Result], taken: Collection[str]) -> dict[Result, str]:
    """Name the arguments of a function after the tensors that they stand for."""
    found: dict[Result, str] = {}
    used = set(taken)
    for result in outer:
        name = result.node if result.number == 0 else f"{result.node}_{result.number}"
        while name in used:
            name += "_"
        found[result] = name
        used.add(name)
    return found


def scope_of(names: Iterable[str], default: str) -> str:
    """Return the name scope that nodes have in common.

    >>> scope_of(["net/while/add", "net/while/Exit"], "loop")
    'net/while'
    """
    scopes = [name.split("/")[:-1] for name in names]
    same = takewhile(lambda parts: len(set(parts)) == 1, zip(*scopes, strict=False))
    return "/".join(parts[0] for parts in same) or default
