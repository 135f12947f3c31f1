"""Imports the nodes of graphs and functions: each one by its handler, which inserts operations of the IR."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import count

from ...compiler.budget import check_depth
from ...compiler.diagnostics import CompileError, Location, at, error
from ...compiler.dims import Sym, symbol
from ...compiler.ir import Region, Value
from ...compiler.ops.core import Const
from ...compiler.value_analysis import Known
from ...formats.tensorflow.model import Function
from ..problems import Problems
from .emitter import Emitter
from .flatten import Call, Flat, Result
from .handles import Handle, Imported
from .refused import why_refused
from .registry import HANDLERS, results_of
from .schedule import WRITES, needed_calls, reached
from .variables import Variables


@dataclass
class Scope:
    """The tensors of one graph while it is imported; None where one could not be built.

    ``path`` are the nodes around it, ``chain`` the functions.  Of a part, the effects of calls that it is cut out of
    do not count.
    """

    flat: Flat
    values: dict[Result, Imported | None]
    path: str = ""
    chain: tuple[str, ...] = ()
    is_part: bool = False


@dataclass
class Importer:
    """Builds the operations of one region; what can't be built is collected in ``problems``."""

    variables: Variables
    file: str | None
    region: Region = field(default_factory=Region)
    known: Known = field(default_factory=Known)
    problems: Problems = field(default_factory=Problems)
    held: dict[tuple[Region, Handle], Value] = field(default_factory=lambda: dict[tuple[Region, Handle], Value]())
    unknown: count[int] = field(default_factory=count)

    def run(self, scope: Scope, wanted: Sequence[Result]) -> list[Imported | None]:
        """Import what ``wanted`` tensors need, and return them; None where one can't be built.

        Raises:
            CompileError: F013, F014 or F021, the graph is damaged; F031, it changes its variables.
        """
        calls = needed_calls(scope.flat, wanted, scope.values)
        self._check_effects(scope, wanted)
        for call in calls:
            with at(Location(scope.path + call.name, self.file)):
                results = self._call(call, scope)
            for number, value in enumerate(results):
                scope.values[Result(call.name, number)] = value
                if isinstance(value, Value) and value.name is None:
                    value.name = scope.path + (str(Result(call.name, number)) if number else call.name)
        found: list[Imported | None] = []
        for result in wanted:
            with self.problems.collect():
                found.append(self._value(result, scope))
        return found if len(found) == len(wanted) else [None] * len(wanted)

    def _check_effects(self, scope: Scope, wanted: Iterable[Result]) -> None:
        """Refuse a graph that leaves something for the next call.

        Raises:
            CompileError: F031.
        """
        ends = [scope.flat.resolve(r).node for r in wanted if r not in scope.values]
        effects = [] if scope.is_part else [n for r in wanted for n in (*scope.flat.effects_of(r.node), r.node)]
        for call in reached(scope.flat, (*ends, *effects), scope.values, is_part=scope.is_part):
            if call.op in WRITES:
                with at(Location(scope.path + call.name, self.file)):
                    help = "Export a signature that only reads them, or cut the model before it."
                    raise error("F031", f"the model changes a variable by {call.op}", help=help)

    def _value(self, result: Result, scope: Scope) -> Imported | None:
        """Return a tensor.

        Raises:
            CompileError: F005, the operator's handler does not give that result.
        """
        place = result if result in scope.values else scope.flat.resolve(result)
        if place not in scope.values:
            if Result(place.node) in scope.values and scope.values[Result(place.node)] is None:
                return None
            op = scope.flat.calls[place.node].op
            raise error("F005", f"the result {place.number} of {op} is not supported")
        return scope.values[place]

    def _call(self, call: Call, scope: Scope) -> Sequence[Imported | None]:
        """Import one node; even where its operands could not be built, say whether it is supported."""
        with self.problems.collect():
            entry = HANDLERS.get(call.op)
            if entry is None:
                raise _unsupported(call.op)
            operands = [self._value(operand, scope) for operand in call.inputs]
            if any(operand is None for operand in operands):
                return [None]
            emit = Emitter(self.region, self.known, call, Around(self, scope, call))
            return entry.call(emit, [v for v in operands if v is not None], call.attributes)
        return [None]

    def enter(self, function: Function, operands: Sequence[Imported], scope: Scope, call: Call) -> list[Imported]:
        """Import a function into the region that is being built.

        Raises:
            CompileError: F006, it takes other operands; F021, it calls itself; F022, a part could not be imported.
        """
        chain = (*scope.chain, *call.chain)
        if function.name in chain:
            raise error("F021", f"the function {function.name!r} calls itself")
        if len(operands) != len(function.arguments):
            takes = f"the function {function.name!r} takes {len(function.arguments)} tensors"
            raise error("F006", f"{takes}, but is given {len(operands)}")
        check_depth(len(chain), "functions")
        flat = Flat(scope.flat.functions, results_of)
        results = flat.enter(function)
        values: dict[Result, Imported | None] = {
            Result(name): value for name, value in zip(function.arguments, operands, strict=True)
        }
        inner = Scope(flat, values, f"{scope.path}{call.name}/", (*chain, function.name))
        self._check_function(flat, function)
        found = self.run(inner, results)
        complete = [value for value in found if value is not None]
        if len(complete) < len(found):
            raise error("F022", f"the function {function.name!r} could not be imported")
        return complete

    def _check_function(self, flat: Flat, function: Function) -> None:
        for call in reached(flat, function.effects):
            if call.op in WRITES:
                text = f"the function {function.name!r} changes a variable by {call.op} in a branch or a loop"
                raise error("F031", text)


@dataclass
class Around:
    """What the handler of one node may ask of the graph around it: functions, variables and new sizes."""

    importer: Importer
    scope: Scope
    node: Call

    def call(self, function: str, operands: Sequence[Imported]) -> list[Imported]:
        """Import the body of a function of the graph at this place, applied to operands."""
        return self.importer.enter(self._function(function), operands, self.scope, self.node)

    def region(
        self, function: str, operands: Sequence[Imported], arguments: Sequence[Value] = ()
    ) -> tuple[Region, list[Imported]]:
        """Import a function as a region with these arguments, and return what the function gives, too."""
        outer, own = self.importer.region, Region(arguments)
        self.importer.region = own
        try:
            results = self.importer.enter(self._function(function), operands, self.scope, self.node)
        finally:
            self.importer.region = outer
        return own, results

    def kept(self, function: str) -> list[bool]:
        """Return which of its arguments a function gives back as they are, in the same place."""
        found = self._function(function)
        pairs = zip(found.arguments, found.results, strict=False)
        return [self._origin(found, result) == argument for argument, result in pairs]

    @staticmethod
    def _origin(function: Function, result: str) -> str:
        """Follow a result through identities to an argument or node."""
        nodes = {node.name: node for node in function.nodes}
        for _ in nodes:
            node = nodes.get(result.split(":", maxsplit=1)[0])
            if node is None or node.op != "Identity" or not node.inputs:
                break
            result = node.inputs[0]
        return result

    def _function(self, name: str) -> Function:
        functions = self.scope.flat.functions
        if name not in functions:
            raise error("F006", f"there is no function {name!r}", help="The model is damaged.")
        return functions[name]

    def variable(self, handle: Handle) -> Value:
        """Return the constant that a variable holds, which is inserted once in each region."""
        key = (self.importer.region, handle)
        if key not in self.importer.held:
            weight = self.importer.variables.weight(handle.name)
            value = self.importer.region.insert(Const(weight)).result
            value.name = handle.name
            self.importer.held[key] = value
        return self.importer.held[key]

    def fresh(self) -> Sym:
        """Return a symbolic size with a new name, for a size that data decides about."""
        return symbol(f"unknown{next(self.importer.unknown)}")


def _unsupported(op: str) -> CompileError:
    help = "Cut it off with --inputs and --outputs, or declare it with --op-library."
    why = why_refused(op)
    if why is not None:
        return error("F001", f"the operator {op} is not supported", help=f"It {why}. {help}")
    close = get_close_matches(op, HANDLERS, 1, 0.85)
    return error("F001", f"the operator {op} is not supported", help=f"Is it {close[0]}? {help}" if close else help)
