"""Turning operators into operations: subgraphs, constants, and integers that stand for real numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import count

from ...compiler.budget import check_depth, count_operations
from ...compiler.diagnostics import CompileError, Location, at, error
from ...compiler.ir import Region, Value
from ...compiler.ops.core import Const
from ...compiler.value_analysis import Known
from ...compiler.weights import Weight
from ...formats.tflite.constants import constant_weight, element_type
from ...formats.tflite.contents import Contents, StoredGraph, StoredOperator, StoredTensor
from ...formats.tflite.reader import ABSENT
from ..problems import Problems
from .custom import custom, custom_options
from .emitter import Emitter
from .handles import Complex, Handle, Imported, Piece
from .quantization import Scales, rounding
from .refused import REFUSED
from .registry import HANDLERS, Entry
from .schedule import needed_operators
from .surroundings import Around, Resources


@dataclass
class Scope:
    """The tensors of one subgraph while it is imported, by number; None where one could not be built.

    ``calls`` are the subgraphs around this one; ``is_conditional`` says that data decide whether or how often it runs.
    """

    graph: StoredGraph
    values: dict[int, Imported | None]
    path: str = ""
    calls: tuple[int, ...] = ()
    is_conditional: bool = False


@dataclass
class Importer:
    """Builds the operations of one region; what can't be built is collected in ``problems``.

    ``carries`` says whether unknown operators become custom ones, ``rounds`` whether the rounding of kernels
    that multiply numbers by weights of few bits is inserted.  ``rounded`` counts the operators whose kernels round as
    the operations do not, by how they do it.
    """

    contents: Contents
    carries: bool = False
    rounds: bool = False
    region: Region = field(default_factory=Region)
    known: Known = field(default_factory=Known)
    problems: Problems = field(default_factory=Problems)
    resources: Resources = field(default_factory=Resources)
    scales: Scales = field(default_factory=Scales)
    unknown: count[int] = field(default_factory=count)
    rounded: Counter[str] = field(default_factory=lambda: Counter[str]())

    @property
    def file(self) -> str | None:
        """The name of the file, which locations of operations have."""
        return None if self.contents.path is None else str(self.contents.path)

    def run(self, scope: Scope, wanted: Iterable[int]) -> list[Imported | None]:
        """Import what ``wanted`` tensors need, in the file's order, and return them; None where one can't be built."""
        wanted = list(wanted)
        for operator in needed_operators(scope.graph, wanted, set(scope.values)):
            with at(Location(scope.path + _label(scope.graph, operator), self.file)):
                results = self._operator(operator, scope)
            for number, value in zip(operator.info.outputs, results, strict=True):
                scope.values[number] = value
                name = scope.graph.tensors[number].info.name
                if isinstance(value, Value) and value.name is None and name:
                    value.name = scope.path + name
        return [_whole(self._tensor(number, scope)) for number in wanted]

    def _tensor(self, number: int, scope: Scope) -> Imported | None:
        """Return the value of a tensor as stored; a constant is inserted at its first use."""
        if number == ABSENT:
            return None
        if number not in scope.values:
            tensor = scope.graph.tensors[number]
            scope.values[number] = None
            with at(Location(scope.path + tensor.info.name, self.file)), self.problems.collect():
                scope.values[number] = self._first(number, scope)
        return scope.values[number]

    def _first(self, number: int, scope: Scope) -> Value:
        """Return what a tensor holds that no operator has written: a constant, or what the last call left there."""
        tensor = scope.graph.tensors[number]
        name = tensor.info.name
        if tensor.is_constant:
            value = self._constant(constant_weight(self.contents, tensor), name)
        elif tensor.info.is_variable:
            shape = tuple(max(d, 1) for d in tensor.info.shape)
            zeros = self._constant(Weight.splat(0, element_type(tensor), shape), name)
            value = self.resources.find(_variable(number, scope), zeros)
        else:
            raise error("F014", f"nothing computes the tensor {name!r} before it is read", help="The file is damaged.")
        return value

    def _constant(self, weight: Weight, name: str) -> Value:
        value = self.region.insert(Const(weight)).result
        value.name = name or None
        return value

    def _operator(self, operator: StoredOperator, scope: Scope) -> Sequence[Imported | None]:
        """Import one operator; even where its operands could not be built, say whether it is supported."""
        nothing = [None] * len(operator.info.outputs)
        operands = [self._tensor(number, scope) for number in operator.info.inputs]
        is_whole = all(v is not None or n == ABSENT for v, n in zip(operands, operator.info.inputs, strict=True))
        with self.problems.collect():
            entry = HANDLERS.get(operator.name)
            if entry is None and not (operator.is_custom and self.carries):
                raise _unsupported(operator)
            if not is_whole:
                return nothing
            emit = self._emitter(operator, scope, entry)
            if entry is None:
                return emit.all(custom(emit, operands))
            return self._handle(entry, emit, operands, scope)
        return nothing

    def _emitter(self, operator: StoredOperator, scope: Scope, entry: Entry | None) -> Emitter:
        tensors = scope.graph.tensors
        inputs = tuple(None if n == ABSENT else tensors[n] for n in operator.info.inputs)
        outputs = tuple(tensors[n] for n in operator.info.outputs)
        is_raw = entry is None or entry.integers == "raw"
        around = Around(self, scope)
        return Emitter(self.region, self.known, operator, inputs, outputs, around, is_raw)

    def _handle(
        self, entry: Entry, emit: Emitter, operands: Sequence[Imported | None], scope: Scope
    ) -> Sequence[Imported]:
        operands = operands if entry.name == "CONCATENATION" else [_whole(v) for v in operands]
        given = operands if emit.is_raw else [self._real(emit, i, v, scope) for i, v in enumerate(operands)]
        how = rounding(entry.name, (*emit.inputs, *emit.outputs)) if entry.integers == "real" else None
        if how == "hybrid" and self.rounds:
            emit = replace(emit, rounds=True)
        elif how is not None:
            self.rounded[how] += 1
        results = _call(entry, emit, given)
        if len(results) < len(emit.outputs):
            raise emit.fail(f"has {len(emit.outputs)} results, of which {len(results)} are supported")
        for slot, value in emit.left.items():
            number = emit.operator.info.inputs[slot]
            scope.values[number] = stored = self._stored(emit, value, emit.inputs[slot])
            handle = _variable(number, scope)
            if scope.is_conditional and handle in self.resources.found:
                raise emit.fail("keeps a state from call to call in a branch or a loop")
            self.resources.leave(handle, stored)
        return [self._stored(emit, value, tensor) for value, tensor in zip(results, emit.outputs, strict=False)]

    def _real(self, emit: Emitter, slot: int, value: Imported | None, scope: Scope) -> Imported | None:
        """Return the numbers that an operand's integers stand for."""
        tensor = emit.inputs[slot]
        if not isinstance(value, Value) or tensor is None:
            return value
        if tensor.blocks is not None:
            return self.scales.blocks(emit, value, tensor, lambda number: self._tensor(number, scope))
        return self.scales.real(emit, value, tensor)

    def _stored(self, emit: Emitter, value: Imported, tensor: StoredTensor | None) -> Imported:
        """Return a result as the file stores it: integers, if they stand for numbers.

        Raises:
            CompileError: F006, the file states another element type.
        """
        if not isinstance(value, Value) or tensor is None:
            return value
        stored = self.scales.stored(emit, value, tensor)
        stated = element_type(tensor)
        if stored.type.dtype is not stated:
            text = f"gives {stored.type.dtype}, but the file states {stated} for {tensor.info.name!r}"
            raise emit.fail(text, code="F006", help="The file is damaged.")
        return stored

    def enter(self, index: int, operands: Sequence[Imported], scope: Scope) -> list[Imported]:
        """Import a subgraph into the region that is being built.

        Raises:
            CompileError: F006, it takes other operands; F021, it calls itself; F022, a part could not be imported.
        """
        if not 0 <= index < len(self.contents.graphs):
            raise error("F006", f"there is no subgraph {index}", help="The file is damaged.")
        graph = self.contents.graphs[index]
        if index in scope.calls:
            raise error("F021", f"the subgraph {graph.name or index!r} calls itself")
        if len(operands) != len(graph.inputs):
            raise error("F006", f"the subgraph {index} takes {len(graph.inputs)} tensors, but is given {len(operands)}")
        check_depth(len(scope.calls), "subgraphs")
        count_operations(0, nodes=1 + len(graph.operators))
        values: dict[int, Imported | None] = dict(zip(graph.inputs, operands, strict=True))
        path = f"{scope.path}{graph.name or index}/"
        inner = Scope(graph, values, path, (*scope.calls, index), scope.is_conditional)
        found = self.run(inner, graph.outputs)
        results = [value for value in found if value is not None]
        if len(results) < len(found):
            raise error("F022", f"the subgraph {graph.name or index!r} could not be imported")
        return results


def _whole(value: Imported | None) -> Imported | None:
    """Return a value; of a part whose size depends on data the tensor that it is."""
    return value.cut() if isinstance(value, Piece) else value


def _call(entry: Entry, emit: Emitter, given: Sequence[Imported | None]) -> tuple[Imported, ...]:
    """Run a handler; one that only moves elements moves both parts of complex ones."""
    told = options(emit.operator)
    if entry.integers != "moved" or not any(isinstance(v, Complex) for v in given):
        return entry.call(emit, given, told)
    real = entry.call(emit, [v.real if isinstance(v, Complex) else v for v in given], told)
    imag = entry.call(emit, [v.imag if isinstance(v, Complex) else v for v in given], told)
    pairs = zip(real, imag, strict=True)
    return tuple(Complex(a, b) for a, b in pairs if isinstance(a, Value) and isinstance(b, Value))


def _variable(number: int, scope: Scope) -> Handle:
    """Return the handle of a variable tensor."""
    return Handle("tensor", scope.path + (scope.graph.tensors[number].info.name or f"state_{number}"))


def options(operator: StoredOperator) -> Mapping[str, object]:
    """Return what an operator's handler is told: a builtin's options, or the map in a custom operator's flexbuffer."""
    return custom_options(operator) if operator.is_custom else operator.options


def _label(graph: StoredGraph, operator: StoredOperator) -> str:
    """What messages call an operator: its first result, or its number and builtin."""
    names = (graph.tensors[n].info.name for n in operator.info.outputs)
    return next((name for name in names if name), f"#{graph.operators.index(operator)} {operator.name}")


def _unsupported(operator: StoredOperator) -> CompileError:
    help = "Cut it off with --inputs and --outputs"
    if operator.is_custom:
        help = f"{help}, declare it with --op-library, or carry it with --allow-custom-ops."
        close = get_close_matches(operator.name, HANDLERS, 1, 0.8)
        text = f"the custom operator {operator.name} is not supported"
        return error("F001", text, help=f"Is it {close[0]}? {help}" if close else help)
    why = f"It {REFUSED[operator.name]}. " if operator.name in REFUSED else ""
    text = f"the builtin {operator.name} (version {operator.info.version}) is not supported"
    return error("F001", text, help=f"{why}{help}.")
