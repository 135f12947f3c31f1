"""A graph without calls of functions: these are replaced by the nodes of their bodies when one is asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import NamedTuple

from ...compiler.budget import check_depth, count_operations
from ...compiler.diagnostics import error
from ...formats.tensorflow.model import Attribute, Function, FunctionName, Node, Placeholder

CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
"""Operators that call a function, which an attribute names."""


class Result(NamedTuple):
    """One result of a node, by the node's name and the result's number."""

    node: str
    number: int = 0

    def __str__(self) -> str:
        return f"{self.node}:{self.number}"

    @property
    def flat(self) -> str:
        """The tensor's name as graphs and functions write it: the number is left out if it is 0."""
        return str(self) if self.number else self.node


@dataclass(frozen=True, slots=True)
class Call:
    """A node with what it reads; ``before`` are the nodes whose effects come first.

    ``chain`` are the functions around it.
    """

    name: str
    op: str
    inputs: tuple[Result, ...]
    before: tuple[str, ...]
    attributes: Mapping[str, Attribute]
    chain: tuple[str, ...] = ()

    @classmethod
    def of(cls, node: Node) -> Call:
        """Read a node of a graph: its data inputs become ``inputs``, its control inputs ``before``."""
        inputs = tuple(parse(text) for text in node.inputs if not text.startswith("^"))
        return cls(node.name, node.op, inputs, _before(node, ""), node.attributes)


@dataclass
class Flat:
    """The nodes of a graph by name; those of a function's body are called ``call/node``.

    ``results_of`` gives the names of an operator's results, by which the nodes of a function refer to them: nothing if
    there is one alone, or a list.
    """

    functions: Mapping[str, Function]
    results_of: Callable[[str], Sequence[str]]
    calls: dict[str, Call] = field(default_factory=lambda: dict[str, Call]())
    _aliases: dict[Result, Result] = field(default_factory=lambda: dict[Result, Result]())
    _effects: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict[str, tuple[str, ...]]())

    def add(self, nodes: Sequence[Node]) -> None:
        """Insert the nodes of a graph.

        Raises:
            CompileError: F015, two have the same name.
        """
        for node in nodes:
            self._insert(Call.of(node))

    def enter(self, function: Function, prefix: str = "", chain: tuple[str, ...] = ()) -> list[Result]:
        """Insert the nodes of a function's body, and return its results; its arguments are nodes without inputs.

        Raises:
            CompileError: F021, it is one of those around it; M004 or M005, there are too many nodes.
        """
        return self._enter(function, prefix, (*chain, function.name), {})

    def resolve(self, result: Result) -> Result:
        """Follow arguments and results of functions to the node that computes a tensor.

        Raises:
            CompileError: F006, F014 or F021, a function is called that does not fit or does not exist.
        """
        seen: set[Result] = set()
        while True:
            call = self.calls.get(result.node)
            if call is not None and self.function_of(call) is not None:
                self._expand(call)
            if result not in self._aliases:
                break
            if result in seen:
                raise error("F013", f"the tensor {result} is computed from itself", help="The model is damaged.")
            seen.add(result)
            result = self._aliases[result]
        if result.node not in self.calls:
            raise error("F014", f"nothing computes the tensor {str(result)!r}", help="The model is damaged.")
        return result

    def effects_of(self, name: str) -> tuple[str, ...]:
        """Return the nodes in a function's body whose effects its caller waits for."""
        call = self.calls.get(name)
        if call is not None and self.function_of(call) is not None:
            self._expand(call)
        return self._effects.get(name, ())

    def find(self, name: str) -> Result | None:
        """Return the tensor that a user calls ``node`` or ``node:1``, also in functions; None if there is none."""
        wanted = parse(name)
        parts = wanted.node.split("/")
        for end in range(1, len(parts)):
            call = self.calls.get("/".join(parts[:end]))
            if call is not None and self.function_of(call) is not None:
                self._expand(call)
        return wanted if wanted.node in self.calls else None

    def function_of(self, call: Call) -> Function | None:
        """Return the function that a node calls; None if it is an operator.

        Raises:
            CompileError: F006, there is no such function.
        """
        if call.op in self.functions:
            return self.functions[call.op]
        if call.op not in CALLS:
            return None
        named = call.attributes.get("f")
        if not isinstance(named, FunctionName) or named.name not in self.functions:
            name = named.name if isinstance(named, FunctionName) else ""
            raise error("F006", f"{call.name!r} calls the function {name!r}, which is not there")
        return self.functions[named.name]

    def _expand(self, call: Call) -> None:
        """Insert the body of the function that a node calls, once."""
        if call.name in self._effects:
            return
        function = self.function_of(call)
        assert function is not None
        if function.name in call.chain:
            raise error("F021", f"the function {function.name!r} calls itself")
        if len(call.inputs) != len(function.arguments):
            takes = f"the function {function.name!r} takes {len(function.arguments)} tensors"
            raise error("F006", f"{takes}, but is given {len(call.inputs)}")
        self._effects[call.name] = ()
        named = call.attributes.get("f")
        given = {**call.attributes, **(named.attributes if isinstance(named, FunctionName) else {})}
        prefix, chain = f"{call.name}/", (*call.chain, function.name)
        results = self._enter(function, prefix, chain, given)
        for argument, operand in zip(function.arguments, call.inputs, strict=True):
            del self.calls[prefix + argument]
            self._aliases[Result(prefix + argument)] = operand
        for number, result in enumerate(results):
            self._aliases[Result(call.name, number)] = result
        self._effects[call.name] = tuple(prefix + name for name in function.effects)

    def _enter(
        self, function: Function, prefix: str, chain: tuple[str, ...], given: Mapping[str, Attribute]
    ) -> list[Result]:
        check_depth(len(chain), "functions")
        count_operations(0, nodes=1 + len(function.nodes))
        names = names_in(function, self.functions, self.results_of)
        for argument in function.arguments:
            self._insert(Call(prefix + argument, "_Arg", (), (), {}, chain))
        for node in function.nodes:
            inputs = tuple(inside(text, names, prefix) for text in node.inputs if not text.startswith("^"))
            attributes = {name: _bound(value, given) for name, value in node.attributes.items()}
            self._insert(Call(prefix + node.name, node.op, inputs, _before(node, prefix), attributes, chain))
        return [inside(text, names, prefix) for text in function.results]

    def _insert(self, call: Call) -> None:
        if call.name in self.calls:
            raise error("F015", f"two nodes are called {call.name!r}", help="The model is damaged.")
        self.calls[call.name] = call


def _before(node: Node, prefix: str) -> tuple[str, ...]:
    return tuple(prefix + text[1:] for text in node.inputs if text.startswith("^"))


def _bound(value: Attribute, given: Mapping[str, Attribute]) -> Attribute:
    """Give an attribute of a function's node what the caller says."""
    return given.get(value.name, ()) if isinstance(value, Placeholder) else value


def parse(text: str) -> Result:
    """Read the name of a tensor of a graph.

    >>> parse("a/b"), parse("a/b:2")
    (Result(node='a/b', number=0), Result(node='a/b', number=2))
    """
    node, _, number = text.rpartition(":")
    return Result(node, int(number)) if node and number.isdecimal() else Result(text)


def names_in(
    function: Function, functions: Collection[str], results_of: Callable[[str], Sequence[str]]
) -> dict[str, Sequence[str]]:
    """Return what a function's arguments and nodes are called, each with the names of its results."""
    names: dict[str, Sequence[str]] = dict.fromkeys(function.arguments, ())
    for node in function.nodes:
        names[node.name] = () if node.op in CALLS or node.op in functions else results_of(node.op)
    return names


def calls_of(
    function: Function, functions: Collection[str], results_of: Callable[[str], Sequence[str]]
) -> tuple[dict[str, Call], list[Result]]:
    """Return a function's nodes by name, and its results.

    Raises:
        CompileError: F014, one reads what is not there; F015, two have the same name.
    """
    names = names_in(function, functions, results_of)
    calls: dict[str, Call] = {}
    for node in function.nodes:
        if node.name in calls:
            raise error("F015", f"two nodes are called {node.name!r}", help="The model is damaged.")
        inputs = tuple(inside(text, names) for text in node.inputs if not text.startswith("^"))
        calls[node.name] = Call(node.name, node.op, inputs, _before(node, ""), node.attributes)
    return calls, [inside(text, names) for text in function.results]


def inside(text: str, names: Mapping[str, Sequence[str]], prefix: str = "") -> Result:
    """Read the name of a tensor in a function: an argument, or ``node:result:number``.

    Raises:
        CompileError: F014, the operator has no such result.
    """
    node, *rest = text.split(":")
    if node not in names:
        close = get_close_matches(node, names, 1)
        help = f"Is it {close[0]!r}?" if close else "The model is damaged."
        raise error("F014", f"a function reads {text!r}, which nothing computes", help=help)
    number = int(rest[-1]) if rest and rest[-1].isdecimal() else 0
    if len(rest) == 2 and names[node]:
        if rest[0] not in names[node]:
            raise error("F014", f"a function reads {text!r}, but {node!r} has no such result")
        number += list(names[node]).index(rest[0])
    return Result(prefix + node, number)
