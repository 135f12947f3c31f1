"""From legal IR to what a file holds: nodes, functions and constants, still without bytes."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from ...compiler.diagnostics import error
from ...compiler.dims import Shape
from ...compiler.fold import constant
from ...compiler.ir import Func, Op, Port, Region, Value
from ...compiler.ops.bound import BindSizes
from ...compiler.ops.control import While
from ...compiler.ops.core import Const
from ...compiler.types import DType, TensorType
from ...compiler.weights import Weight
from ...formats.tensorflow.model import Attribute as StoredAttribute
from ...formats.tensorflow.model import Function, FunctionName, Graph, Node, StoredShape
from ...formats.tensorflow.saved_model import Port as StoredPort
from ...formats.tensorflow.tensors import NUMBERS, ElementType
from ...formats.tensorflow.tensors import Dims as StoredDims
from ...formats.tensorflow.writer import Restored
from ..common.layout import describe
from ..common.sharing import EqualWeights
from ..common.table import STRUCTURE, Table
from ..common.unsupported import row_of
from .operators import Operator, operators
from .sizes import Sizes
from .table import TABLE, Attribute, Call, Dims, Nested, Operand
from .variables import Variables

SMALL = 1 << 10
"""Bytes up to which a constant stands in every function that reads it; others are arguments."""


@dataclass(frozen=True)
class Ends:
    """The tensors that are a function's inputs and outputs, in order."""

    inputs: list[str]
    outputs: list[str]


@dataclass
class Built:
    """What is to be written: the graph, the ends of each function in it by its key, how often operators are used."""

    graph: Graph
    ends: dict[str, Ends]
    counts: Counter[str]
    variables: Restored | None = None


@dataclass(frozen=True)
class Dialect:
    """What a kind of graph has: how operators are called, what each takes, and the numbers of its element types."""

    table: Table[Call]
    schemas: Mapping[str, Operator]
    elements: Mapping[DType, int]


def tensorflow() -> Dialect:
    """Return the dialect of graphs for TensorFlow itself: table, schemas, element types."""
    return Dialect(TABLE, operators(), NUMBERS)


def build(funcs: Mapping[str, Func], *, variables: bool = False, dialect: Dialect | None = None) -> Built:
    """Translate functions whose operations are all legal into one graph; with ``variables`` their weights become such.

    Raises:
        CompileError: B001, an operation is not legal; B002, a size is not known when the network runs.
    """
    shared = _Shared(dialect or tensorflow())
    kept = Variables() if variables else None
    ends: dict[str, Ends] = {}
    start = builder = _Main(shared, kept)
    nodes: list[Node] = []
    for key, func in funcs.items():
        builder = start if len(funcs) == 1 else _Main(shared, kept, builder)
        ports = [*zip(func.inputs, func.args, strict=True), *zip(func.outputs, func.returns, strict=True)]
        signature = key if len(funcs) > 1 else None
        stated = (_layout(place, *port, signature) for place, port in enumerate(ports))
        layouts = {
            builder.unique(p.name or v.name or "tensor"): said for (p, v), said in zip(ports, stated, strict=True)
        }
        names = [*layouts][: len(func.args)]
        inputs = [builder.placeholder(a, name, layouts.pop(name)) for a, name in zip(func.args, names, strict=True)]
        ends[key] = Ends(inputs, builder.main(func.body, layouts))
        nodes += builder.nodes
    restored = None if kept is None else kept.restored(builder.unique)
    return Built(Graph((*nodes, *(kept.nodes if kept else ())), shared.functions), ends, shared.counts, restored)


def _layout(place: int, port: Port, value: Value, signature: str | None) -> str:
    """Return what the file says of an input or output: place, the source's name, how its axes lie, whose it is."""
    own = {} if signature is None else {"signature": signature}
    return json.dumps({"place": place, "name": port.name, **describe(port, value), **own}, separators=(",", ":"))


def stored_dims(shape: Shape) -> StoredDims:
    """Return sizes as files state them, those that have names open."""
    return tuple(size if isinstance(size, int) else None for size in shape)


def stored_ports(
    ports: list[Port], values: list[Value] | tuple[Value, ...], tensors: list[str], elements: Mapping[DType, int]
) -> dict[str, StoredPort]:
    """Return inputs or outputs as a signature has them."""
    return {
        port.name or tensor: StoredPort(f"{tensor}:0", ElementType(elements[v.type.dtype]), stored_dims(v.type.shape))
        for port, v, tensor in zip(ports, values, tensors, strict=True)
    }


@dataclass
class _Shared:
    """What all graphs of a file have in common; names of nodes, too, since converters put functions into graphs."""

    dialect: Dialect
    names: set[str] = field(default_factory=lambda: set[str]())
    functions: dict[str, Function] = field(default_factory=lambda: dict[str, Function]())
    counts: Counter[str] = field(default_factory=lambda: Counter[str]())

    def element(self, dtype: DType) -> ElementType:
        """Return an element type as the file has it."""
        return ElementType(self.dialect.elements[dtype])

    def stored(self, value: Any) -> StoredAttribute:
        """Return an attribute as files have it."""
        if isinstance(value, DType):
            return self.element(value)
        if isinstance(value, tuple):
            return tuple(map(self.stored, cast(tuple[Any, ...], value)))
        return value

    def function_name(self, word: str) -> str:
        """Return a name that no function has yet."""
        return f"{word}_{len(self.functions)}"


Key = Value | Weight | str
"""What a function takes from the graph around it: a value, a large constant, or a size by its name."""


class _Builder:
    """Builds a graph or the body of a function; tensors are known by how nodes of it name them."""

    def __init__(self, shared: _Shared) -> None:
        self.shared = shared
        self.nodes: list[Node] = []
        self.types: dict[str, TensorType] = {}
        self.sizes = Sizes(self, self.capture_size)
        self._values: dict[Value, str] = {}
        self._constants: dict[Weight, str] = {}
        self._place = ""

    def unique(self, name: str) -> str:
        """Return a name for a node that no other has, of letters that names may have."""
        clean = _NOT_IN_NAMES.sub("_", name)
        clean = clean if clean and _BEGINS.match(clean) else f"n{clean}"
        found, number = clean, 0
        while found.lower() in self.shared.names:
            number += 1
            found = f"{clean}_{number}"
        self.shared.names.add(found.lower())
        return found

    def region(self, region: Region, wanted: Mapping[Value, str] | None = None) -> None:
        """Append what the region computes and its results need; ``wanted`` are names of nodes."""
        needed = _needed(region)
        for op in region.ops:
            if isinstance(op, BindSizes):
                self.sizes.bind(op.sizes, self.value(op.x))
            elif op in needed:
                self._emit(op, wanted or {})

    def _emit(self, op: Op, wanted: Mapping[Value, str]) -> None:
        row = row_of(self.shared.dialect.table, op)
        call = row.call(op)
        attributes: dict[str, Any] = dict(call.attributes)
        self._place = _label(op)
        inputs = [self.operand(v) for v in call.inputs]
        types = [r.type for r in op.results]
        if call.regions:
            inputs, types = self._call_functions(op, attributes, inputs, types)
        operator = call.operator or row.kernel
        name = wanted.get(op.results[0]) if op.results else None
        if operator == "Identity" and name is None:
            self.define(op.results[0], inputs[0])
            return
        results = self.node(operator, inputs, types, attributes, name or self.unique(_label(op)))
        for value, result in zip(op.results, results, strict=False):
            self.define(value, result)

    def _call_functions(
        self, op: Op, attributes: dict[str, Any], inputs: list[str], types: list[TensorType]
    ) -> tuple[list[str], list[TensorType]]:
        """Make functions of regions; return operands with what these read beside them, and all results' types."""
        bodies = {word: _Body(self.shared, self) for word, v in attributes.items() if isinstance(v, Region)}
        for word, body in bodies.items():
            body.fill(attributes[word])
        captured = list(dict.fromkeys(key for body in bodies.values() for key in body.captured))
        passed = [self.capture(key) for key in captured]
        inputs = [*inputs, *passed]
        if isinstance(op, While):  # what the body only reads goes round with the rest
            types = [*types, *(self.types[tensor] for tensor in passed)]
        for word, body in bodies.items():
            goes_round = isinstance(op, While) and word == "body"
            attributes[word] = body.finish(word, captured, [self.types[t] for t in passed], returns=goes_round)
        attributes["output_shapes"] = tuple(StoredShape(stored_dims(t.shape)) for t in types)
        if isinstance(op, While):
            attributes["parallel_iterations"] = 10
        return inputs, types

    def node(
        self,
        operator: str,
        inputs: Sequence[str],
        types: Sequence[TensorType],
        attributes: Mapping[str, Any],
        name: str,
    ) -> list[str]:
        """Append a node and return its results."""
        schema = self.shared.dialect.schemas[operator]
        told = schema.attributes([self.types[i].dtype for i in inputs], [t.dtype for t in types])
        stored = {key: self.shared.stored(value) for key, value in {**told, **attributes}.items()}
        self.nodes.append(Node(name, operator, tuple(inputs), stored))
        self.shared.counts[operator] += 1
        results = self.results(name, operator, len(types))
        self.types.update(zip(results, types, strict=True))
        return results

    def results(self, name: str, operator: str, count: int) -> list[str]:
        """Return how nodes of this graph name the results of one."""
        del operator
        return [name if place == 0 else f"{name}:{place}" for place in range(count)]

    def define(self, value: Value, tensor: str) -> None:
        """Let a tensor stand for a value of the IR, of whose sizes it tells."""
        self._values[value] = tensor
        self.types[tensor] = value.type
        self.sizes.learn(value.type.shape, tensor)

    def operand(self, operand: Operand) -> str:
        """Return the tensor of an operand."""
        match operand:
            case Weight():
                return self.constant(operand, self._name_of(operand))
            case Dims():
                return self.sizes.vector(operand)
            case Nested():
                inputs = [self.operand(v) for v in operand.inputs]
                return self.computed(operand.operator, inputs, operand.type, operand.attributes)
            case Value():
                return self.value(operand)

    def value(self, value: Value) -> str:
        """Return the tensor of a value."""
        if value not in self._values:
            weight = constant(value)
            if weight is None:
                return self.capture(value)
            self._values[value] = self.constant(weight, value.name or self._name_of(weight))
        return self._values[value]

    def _name_of(self, weight: Weight) -> str | None:
        """What a weight without a name is called after: the operation that reads it."""
        return f"{self._place}/weights" if weight.type.rank and weight.type.dtype.is_float else None

    def constant(self, weight: Weight, name: str | None = None) -> str:
        """Return the tensor of a constant; equal ones share one."""
        if weight not in self._constants:
            node = self.unique(name or "const")
            attributes = {"dtype": self.shared.element(weight.type.dtype), "value": weight}
            self.nodes.append(Node(node, "Const", (), attributes))
            (self._constants[weight],) = self.results(node, "Const", 1)
            self.types[self._constants[weight]] = weight.type
        return self._constants[weight]

    def computed(
        self,
        operator: str,
        inputs: Sequence[str],
        type: TensorType,
        attributes: Mapping[str, Attribute] | None = None,
        name: str | None = None,
    ) -> str:
        """Append a node with one result, and return that."""
        return self.node(operator, inputs, [type], attributes or {}, name or self.unique(operator.lower()))[0]

    def type(self, tensor: str) -> TensorType:
        """Return the type of a tensor."""
        return self.types[tensor]

    def capture(self, key: Key) -> str:
        """Return a tensor that may belong to the graph around this one."""
        if isinstance(key, Weight):
            return self.constant(key)
        if isinstance(key, str):
            found = self.sizes.local(key)
            return self.capture_size(key) if found is None else found
        return self.value(key)

    def capture_size(self, key: str) -> str:
        """Return a size that the graph around this one tells.

        Raises:
            CompileError: B002, none does.
        """
        raise error("B002", f"the size {key} is needed when the network runs, but no shape tells it")


class _Main(_Builder):
    """Builds a function of the graph itself, which may read constants of those before it: equal ones are one node.

    ``variables`` takes weights.
    """

    def __init__(self, shared: _Shared, variables: Variables | None, before: _Main | None = None) -> None:
        super().__init__(shared)
        self.variables = variables
        self.equal = None if before is None else before.equal or EqualWeights()
        if before is not None:
            self.types, self._constants = before.types, before._constants

    def constant(self, weight: Weight, name: str | None = None) -> str:
        """Return the tensor of a constant, or of a variable that holds it."""
        weight = weight if self.equal is None else self.equal.first(weight)
        if self.variables is None or weight in self._constants or not self.variables.takes(weight):
            return super().constant(weight, name)
        nodes, read = self.variables.add(weight, name or "variable", self.unique)
        self.nodes += nodes
        self.types[read] = weight.type
        self._constants[weight] = read
        return read

    def placeholder(self, value: Value, name: str, layout: str) -> str:
        """Append an input."""
        element = self.shared.element(value.type.dtype)
        shape = StoredShape(stored_dims(value.type.shape))
        self.nodes.append(Node(name, "Placeholder", (), {"dtype": element, "shape": shape}, layout))
        self.define(value, name)
        return name

    def main(self, region: Region, layouts: Mapping[str, str]) -> list[str]:
        """Append everything; return the outputs, each of which is the only result of a named node that nobody reads."""
        wanted = {value: name for value, name in zip(region.returns, layouts, strict=True) if _is_end(value, region)}
        self.region(region, wanted)
        outputs: list[str] = []
        for value, name in zip(region.returns, layouts, strict=True):
            tensor = self.value(value)
            outputs.append(tensor if tensor == name else self.computed("Identity", [tensor], value.type, name=name))
        self.nodes = [replace(n, layout=layouts[n.name]) if n.name in layouts else n for n in self.nodes]
        return outputs


def _is_end(value: Value, region: Region) -> bool:
    """Whether a value is computed in a region only to be returned by it, once."""
    owner = value.owner
    if owner is None or owner.parent is not region or isinstance(owner, Const) or len(owner.results) > 1:
        return False
    return value.has_one_use


class _Body(_Builder):
    """Builds a function of a region; ``outer`` builds the graph around it."""

    def __init__(self, shared: _Shared, outer: _Builder) -> None:
        super().__init__(shared)
        self.outer = outer
        self.captured: dict[Key, str] = {}
        self.arguments: list[str] = []
        self._results: list[tuple[str, TensorType]] = []

    def fill(self, region: Region) -> None:
        """Append what a region computes, which takes its own arguments first."""
        for arg in region.args:
            self.define(arg, self._argument(arg.type))
        self.region(region)
        self._results = [(self.value(v), v.type) for v in region.returns]

    def _argument(self, type: TensorType) -> str:
        name = self.unique("arg")
        self.arguments.append(name)
        self.types[name] = type
        return name

    def finish(self, word: str, keys: Sequence[Key], types: Sequence[TensorType], *, returns: bool) -> FunctionName:
        """Make what is captured arguments, in an order that several functions agree on, which it may also return."""
        own = self.arguments[: len(self.arguments) - len(self.captured)]
        order = {key: self.captured.get(key) or self.unique("unused") for key in keys}
        self.types.update(zip(order.values(), types, strict=True))
        arguments = [*own, *order.values()]
        results = [*self._results, *(zip(order.values(), types, strict=True) if returns else ())]
        name = self.shared.function_name(word)
        self.shared.functions[name] = Function(
            name,
            tuple(arguments),
            tuple(self.shared.element(self.types[a].dtype) for a in arguments),
            tuple(self.nodes),
            tuple(tensor for tensor, _ in results),
            outputs={f"result_{n}": self.shared.element(t.dtype) for n, (_, t) in enumerate(results)},
        )
        return FunctionName(name, {})

    def results(self, name: str, operator: str, count: int) -> list[str]:
        """In functions, results have the names that the operator gives them."""
        names: list[str] = []
        parameters = self.shared.dialect.schemas[operator].outputs if operator != "Const" else ()
        for parameter in parameters:
            many = count - len(parameters) + 1 if parameter.lists or parameter.count is not None else 1
            names += [f"{name}:{parameter.name}:{place}" for place in range(many)]
        return names or [f"{name}:output:0"]

    def constant(self, weight: Weight, name: str | None = None) -> str:
        """Return the tensor of a constant: of a large one, that of the graph around."""
        return super().constant(weight, name) if weight.nbytes <= SMALL else self.capture(weight)

    def capture(self, key: Key) -> str:
        """Return what the graph around gives, as an argument."""
        if isinstance(key, Value) and (key in self._values or constant(key) is not None):
            return self.value(key)
        if isinstance(key, str) and (found := self.sizes.local(key)) is not None:
            return found
        if key not in self.captured:
            type = self.outer.types[self.outer.capture(key)]
            self.captured[key] = self._argument(type)
        return self.captured[key]

    def capture_size(self, key: str) -> str:
        """Return a size that the graph around tells, as an argument."""
        return self.capture(key)


_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.\\/>-]")
_BEGINS = re.compile(r"[A-Za-z0-9.]")


def _label(op: Op) -> str:
    """What a node is called after: the source's name of its result or place."""
    named = next((r.name for r in op.results if r.name), None)
    return named or (op.location.node if op.location and op.location.node else op.spec.name)


def _needed(region: Region) -> set[Op]:
    """The operations that the region's results and sizes are computed from, as the calls read them."""
    needed: set[Op] = set()
    work = [v.owner for v in region.returns] + [op.x.owner for op in region.ops if isinstance(op, BindSizes)]
    while work:
        op = work.pop()
        if op is None or op in needed or op.parent is not region or isinstance(op, STRUCTURE):
            continue
        needed.add(op)
        work += [v.owner for v in op.operands if v is not None]
        work += [v.owner for inner in op.regions for o in inner.walk() for v in o.operands if v is not None]
    return needed
