"""From a legal function to a network of OpenVINO: layers, edges, and networks inside of layers.

Unlike regions, a network inside of a layer reads nothing from outside but by its Parameters: what it needs becomes an
operand of the layer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...compiler.diagnostics import error
from ...compiler.dims import Sym, is_static
from ...compiler.fold import constant
from ...compiler.ir import Func, Op, Region, Value
from ...compiler.ir import Port as OwnPort
from ...compiler.ops.bound import BindSizes
from ...compiler.ops.control import While
from ...compiler.ops.custom import Custom
from ...compiler.ops.shape import Reshape
from ...compiler.types import DType, TensorType
from ...compiler.weights import Weight
from ...formats.openvino.model import Body, Layer, Link, Network, Place, Port
from ...formats.openvino.weights import STORED_AS
from ..common.directions import beside
from ..common.operands import Attribute, Dims, Inline, Nested, Operand, ints, scalar
from ..common.table import STRUCTURE, Table
from ..common.unsupported import row_of
from .compressed import as_halves, is_compressible
from .names import Shared
from .sizes import Sizes
from .table import Call, opset_of

PRECISIONS = {DType.F64: "FP64", DType.F32: "FP32", DType.F16: "FP16", DType.BF16: "BF16", DType.BOOL: "BOOL"}
"""Element types as ports state them, where these are not OpenVINO's names in capitals."""

BRANCHES = {"then": "then_body", "otherwise": "else_body"}
"""Elements of an If by the regions of an operation."""

EXACT = ("FakeQuantize",)
"""Operations whose constants are not stored in fewer bits: they say which numbers integers stand for."""

HALVES = (DType.F16, DType.BF16)
"""Types in which numbers are stored rather than computed: what widens a constant of these is no computation."""


@dataclass
class Built:
    """What is to be written: the network, and how often each operation is used.

    ``custom`` are the operations that are in no operation set.  ``renamed`` are the source's names of outputs that
    could not keep them, by those that they have in the file.
    """

    network: Network
    counts: Counter[str]
    custom: tuple[str, ...] = ()
    renamed: dict[str, str] = field(default_factory=lambda: dict[str, str]())


def build(
    func: Func, table: Table[Call], *, compresses: bool = False, states: Mapping[str, Weight] | None = None
) -> Built:
    """Translate a function whose operations are all legal; ``compresses`` stores constants in 16 bits.

    Inputs and outputs that are ``states`` become variables, which begin with what these hold.

    Raises:
        CompileError: B001, an operation is not legal; B002, a size is not known when the network runs.
    """
    shared = Shared(table, compresses)
    names = [shared.tensor(p.name or a.name or "input") for a, p in zip(func.args, func.inputs, strict=True)]
    outputs = [shared.tensor(p.name or v.name or "output") for v, p in zip(func.returns, func.outputs, strict=True)]
    for value, name in (*zip(func.args, names, strict=True), *zip(func.returns, outputs, strict=True)):
        shared.named[value] = (*shared.named.get(value, ()), name)
    builder = _Builder(shared, None)
    first = states or {}
    for arg, name, port in zip(func.args, names, func.inputs, strict=True):
        if port.name in first:
            builder.read(arg, port.name, first[port.name])
        else:
            builder.bind(arg, name, _layout(port, arg))
    builder.ops(func.body)
    for value, name, port in zip(func.returns, outputs, func.outputs, strict=True):
        if port.name in first:
            builder.store(builder.value(value), port.name)
        else:
            builder.end(builder.value(value), name, _layout(port, value))
    network = builder.network(func.name)
    named = zip(outputs, func.outputs, strict=True)
    renamed = {name: port.name for name, port in named if port.name and port.name != name}
    custom = dict.fromkeys(op.code for op in func.walk() if isinstance(op, Custom))
    return Built(network, Counter(_types(network)), tuple(custom), renamed)


def _types(network: Network) -> list[str]:
    """Return the types of all layers that compute something, also of those in bodies."""
    found: list[str] = []
    for layer in network.layers.values():
        if layer.type not in ("Parameter", "Const", "Result"):
            found.append(layer.type)
        for body in layer.bodies.values():
            found += _types(body.network)
    return found


def _layout(port: OwnPort, value: Value) -> str:
    """Return how the axes of an input or output lie, if the source names them."""
    rank = value.type.rank
    if not rank or len(port.axes) != rank:
        return ""
    perm = port.perm or tuple(range(rank))
    return f"[{','.join(port.axes[p] for p in perm)}]"


class _Builder:
    """Builds one network; ``outer`` builds the one around it."""

    def __init__(self, shared: Shared, outer: _Builder | None) -> None:
        self.shared = shared
        self.outer = outer
        self.layers: dict[int, Layer] = {}
        self.edges: dict[Place, Place] = {}
        self.types: dict[Place, TensorType] = {}
        self.values: dict[Value, Place] = {}
        self.constants: dict[Weight, Place] = {}
        self.wide: dict[Value, Place] = {}
        self.widened: dict[Weight, Place] = {}
        self.captured: dict[Place, Place] = {}
        self.results: list[int] = []
        self.sizes = Sizes(self, self.capture)
        self.done: set[Op] = set()
        self._location = ""
        self._is_exact = False

    # -- what the network begins and ends with

    def bind(self, value: Value, name: str, layout: str = "") -> Place:
        """Add the Parameter that a value is."""
        place = self._parameter(value.type, name, self.shared.names(value), layout)
        self.values[value] = place
        return place

    def _parameter(self, type: TensorType, name: str, names: tuple[str, ...] = (), layout: str = "") -> Place:
        shape = ",".join("?" if isinstance(d, Sym) else str(d) for d in type.shape)
        data: dict[str, Attribute] = {"shape": shape, "element_type": type.dtype}
        (place,) = self._add("Parameter", [], [type], data, label=name, names=(names,))
        layer = self.layers[place[0]]
        ports = tuple(replace(port, info=_said(layout)) for port in layer.outputs)
        self.layers[place[0]] = replace(layer, outputs=ports)
        self.sizes.learn(type.shape, place)
        return place

    def end(self, place: Place, name: str = "", layout: str = "") -> int:
        """Add the Result that a tensor is, and return its number."""
        label = self.shared.label(f"{name or 'result'}/sink_port_0")
        number = len(self.layers)
        port = replace(self._port(0, self.types[place]), info=_said(layout))
        names = (name,) if name else ()
        self.layers[number] = Layer(number, label, "Result", "opset1", inputs=(port,), output_names=names)
        self.edges[number, 0] = place
        self.results.append(number)
        return number

    def read(self, value: Value, variable: str, first: Weight) -> None:
        """Let a variable, which holds ``first`` before the first call, be a value."""
        data: dict[str, Attribute] = {
            "variable_id": variable,
            "variable_type": value.type.dtype,
            "variable_shape": ",".join(map(str, value.type.shape)),
        }
        (begin,) = self._add("Const", [], [first.type], {}, label=f"{variable}_first", weight=first)
        (place,) = self._add("ReadValue", [begin], [value.type], data, label=variable, opset="opset6")
        self._define(value, place)

    def store(self, place: Place, variable: str) -> None:
        """Store a tensor in a variable."""
        data: dict[str, Attribute] = {"variable_id": variable}
        self._add("Assign", [place], [self.types[place]], data, label=f"{variable}_last", opset="opset6")
        self.results.append(len(self.layers) - 1)

    def network(self, name: str) -> Network:
        """Return the network: all that a result needs, and all Parameters."""
        needed: set[int] = set()
        work = [*self.results, *(n for n, layer in self.layers.items() if layer.type == "Parameter")]
        while work:
            number = work.pop()
            if number not in needed:
                needed.add(number)
                work += [self.edges[number, port.id][0] for port in self.layers[number].inputs]
        layers = {n: layer for n, layer in self.layers.items() if n in needed}
        return Network(name, layers, {to: source for to, source in self.edges.items() if to[0] in needed})

    # -- operations

    def ops(self, region: Region) -> None:
        """Append what a region computes."""
        for op in region.ops:
            if isinstance(op, BindSizes):
                self.sizes.bind(op.sizes, self.value(op.x))
            elif not isinstance(op, STRUCTURE) and op not in self.done:
                self._emit(op)

    def _emit(self, op: Op) -> None:
        if isinstance(op, Reshape) and self._is_wide(op):
            return
        row = row_of(self.shared.table, op)
        call = row.call(op)
        self._location = op.location.node if op.location else ""
        self._is_exact = row.kernel in EXACT
        inputs = [self.operand(v) for v in call.inputs if v is not None]
        layers = call.layers or (op,)
        self.done.update(layers)
        types = [_with_unit(r.type, axis, len(layers)) for r, axis in zip(op.results, call.units, strict=False)]
        types = types or [r.type for r in op.results]
        bodies: dict[str, Body] = {}
        if isinstance(op, While):
            bodies, inputs = self._loop(op, inputs)
        elif call.regions:
            bodies, inputs = self._branches(call, inputs, len(op.results))
        names = tuple(self.shared.names(r) if not call.units else () for r in op.results)
        data = {name: v for name, v in call.attributes.items() if not isinstance(v, Region | Weight)}
        everything = [*types, *call.unread]
        opset, operator = call.extension or (opset_of(row.kernel, call.opset), row.kernel)
        more: dict[str, Any] = {"opset": opset, "bodies": bodies}
        places = self._add(operator, inputs, everything, data, names=names, **more)
        if call.units:
            for number, (place, axis) in enumerate(zip(places, call.units, strict=True)):
                self._drop(tuple(layer.results[number] for layer in layers), place, axis)
            return
        for result, place in zip(op.results, places, strict=False):
            self._define(result, place)

    def _define(self, value: Value, place: Place) -> None:
        """Let a result of a layer be a value."""
        self.values[value] = place
        self.sizes.learn(value.type.shape, place)

    def _drop(self, parts: tuple[Value, ...], place: Place, axis: int) -> None:
        """Let what a layer gives along an axis be values without it, or features of both directions side by side."""
        if len(parts) == 1:
            self.wide[parts[0]] = place
            self._define(parts[0], self._named("Squeeze", [place, self.constant(ints(axis))], parts[0]))
            return
        joined = beside(parts)
        if joined is not None:
            wide = parts[0].type.with_shape((*parts[0].type.shape[:2], len(parts), parts[0].type.shape[2]))
            moved = self.computed("Transpose", [place, self.constant(ints(0, 2, 1, 3))], wide)
            shape = self.constant(ints(0, 0, -1))
            self._define(joined.result, self._named("Reshape", [moved, shape], joined.result, {"special_zero": True}))
            self.done.add(joined)
            return
        for number, part in enumerate(parts):
            given = [place, self.constant(scalar(number, DType.I64)), self.constant(scalar(axis, DType.I64))]
            self._define(part, self._named("Gather", given, part, {"batch_dims": 0}))

    def _is_wide(self, op: Reshape) -> bool:
        """Let a reshape read what still has the axis that was dropped before it, if that makes no difference."""
        place = self.wide.get(op.x)
        if place is None or not (is_static(op.shape) or op.result.type == self.types[place]):
            return False
        if op.result.type == self.types[place] and op.result not in self.shared.named:
            self._define(op.result, place)
        else:
            shape = self.sizes.vector(Dims(op.shape))
            self._define(op.result, self._named("Reshape", [place, shape], op.result, {"special_zero": False}))
        return True

    def _named(
        self, operator: str, inputs: Sequence[Place], value: Value, attributes: Mapping[str, Attribute] | None = None
    ) -> Place:
        """Append a layer whose result is a value."""
        names = (self.shared.names(value),) if value.uses else ()
        (place,) = self._add(operator, inputs, [value.type], attributes or {}, names=names)
        return place

    def _loop(self, op: While, inputs: Sequence[Place]) -> tuple[dict[str, Body], list[Place]]:
        """Build the body of a loop, which also says whether it goes on; return it, and all operands."""
        inner = _Builder(self.shared, self)
        carried = [inner.bind(arg, arg.name or "carried") for arg in op.body.args]
        inner.ops(op.body)
        returned = [inner.value(v) for v in op.body.returns]
        if not all(is_static(arg.type.shape) for arg in op.body.args):
            returned = [inner.copied(place) if place in carried else place for place in returned]
        ends = [inner.end(place) for place in returned]
        goes_on = inner.end(inner.run(op.condition, returned))
        captured = list(inner.captured.items())
        first = len(inputs) - len(carried)
        given = [*carried, *(own for _, own in captured)]
        operands = [*inputs, *(outer for outer, _ in captured)]
        body = Body(
            inner.network("body"),
            tuple(Link(first + i, own[0]) for i, own in enumerate(given)),
            (
                *(Link(len(operands) + i, end) for i, end in enumerate(ends)),
                Link(-1, goes_on, purpose="execution_condition"),
            ),
            tuple(zip(ends, (place[0] for place in carried), strict=True)),
        )
        return {"body": body}, operands

    def _branches(self, call: Call, inputs: Sequence[Place], count: int) -> tuple[dict[str, Body], list[Place]]:
        """Build branches, and return them with all operands."""
        builders: dict[str, _Builder] = {}
        for name, region in call.attributes.items():
            if isinstance(region, Region):
                builders[BRANCHES[name]] = inner = _Builder(self.shared, self)
                inner.ops(region)
                for value in region.returns:
                    inner.end(inner.value(value))
        captured = list(dict.fromkeys(place for inner in builders.values() for place in inner.captured))
        operands = [*inputs, *captured]
        bodies = {
            name: Body(
                inner.network(name),
                tuple(Link(len(inputs) + captured.index(o), own[0]) for o, own in inner.captured.items()),
                tuple(Link(len(operands) + i, inner.results[i]) for i in range(count)),
            )
            for name, inner in builders.items()
        }
        return bodies, operands

    def run(self, region: Region, places: Sequence[Place]) -> Place:
        """Compute what a region returns for tensors, in this network."""
        for arg, place in zip(region.args, places, strict=True):
            self.values[arg] = place
        self.ops(region)
        return self.value(region.returns[0])

    # -- operands

    def operand(self, operand: Operand) -> Place:
        """Return where an operand is."""
        match operand:
            case Weight():
                return self.constant(operand)
            case Dims():
                return self.sizes.vector(operand)
            case Inline():
                return self.run(operand.region, [self.value(v) for v in operand.values])
            case Nested():
                inputs = [self.operand(v) for v in operand.inputs if v is not None]
                return self.computed(operand.operator, inputs, operand.type, operand.attributes)
            case Value():
                return self.value(operand)
            case None:
                raise AssertionError

    def value(self, value: Value) -> Place:
        """Return where a value is; one from outside comes in by a Parameter."""
        if value in self.values:
            return self.values[value]
        weight = constant(value)
        if weight is not None:
            return self._constant(weight, value)
        assert self.outer is not None
        self.values[value] = self._captured(self.outer.value(value))
        return self.values[value]

    def _captured(self, outer: Place) -> Place:
        """Return the Parameter that a tensor of the network around is."""
        assert self.outer is not None
        if outer not in self.captured:
            self.captured[outer] = self._parameter(self.outer.types[outer], "outside")
        return self.captured[outer]

    def _constant(self, weight: Weight, value: Value) -> Place:
        """Return where a constant is; an output is one of its own, since it has a name."""
        if value not in self.shared.named:
            return self.constant(weight, value.name or "constant")
        if value not in self.values:
            names = (self.shared.named[value],)
            (self.values[value],) = self._add("Const", [], [weight.type], {}, names=names, weight=weight)
        return self.values[value]

    def constant(self, weight: Weight, name: str = "constant") -> Place:
        """Return where a constant is; equal ones are one."""
        if self.shared.compresses and not self._is_exact and is_compressible(weight):
            return self._compressed(weight, name)
        if weight not in self.constants:
            (self.constants[weight],) = self._add("Const", [], [weight.type], {}, label=name, weight=weight)
        return self.constants[weight]

    def _compressed(self, weight: Weight, name: str) -> Place:
        """Return where a constant is once it has 32 bits again."""
        if weight not in self.widened:
            halves = weight.derive(weight.type.with_dtype(DType.F16), as_halves)
            (stored,) = self._add("Const", [], [halves.type], {}, label=f"{name}_compressed", weight=halves)
            to: dict[str, Attribute] = {"destination_type": DType.F32}
            (self.widened[weight],) = self._add("Convert", [stored], [weight.type], to, label=name)
        return self.widened[weight]

    def copied(self, place: Place) -> Place:
        """Return a copy: OpenVINO 2026.4 crashes on loops over open sizes whose results are their own parameters."""
        type = self.types[place]
        return self.computed("Convert", [place], type, {"destination_type": type.dtype})

    def computed(
        self,
        operator: str,
        inputs: Sequence[Place],
        type: TensorType,
        attributes: Mapping[str, Attribute] | None = None,
    ) -> Place:
        """Append a layer with one nameless result, and return where that is."""
        (place,) = self._add(operator, inputs, [type], attributes or {})
        return place

    def type(self, place: Place) -> TensorType:
        """Return the type of a tensor."""
        return self.types[place]

    def capture(self, key: str) -> Place:
        """Return a size that the network around this one tells.

        Raises:
            CompileError: B002, none does.
        """
        if self.outer is None:
            raise error("B002", f"the size {key} is needed when the network runs, but no shape tells it")
        found = self.outer.sizes.local(key)
        return self._captured(self.outer.capture(key) if found is None else found)

    # -- layers

    def _add(
        self,
        operator: str,
        inputs: Sequence[Place],
        types: Sequence[TensorType],
        attributes: Mapping[str, Attribute],
        *,
        label: str = "",
        names: tuple[tuple[str, ...], ...] = (),
        **more: Any,
    ) -> list[Place]:
        """Append a layer, and return where its results are."""
        number, count = len(self.layers), len(inputs)
        stated = next((n[0] for n in names if n), "")
        outputs = tuple(
            replace(self._port(count + i, type), names=names[i] if i < len(names) else ())
            for i, type in enumerate(types)
        )
        self.layers[number] = Layer(
            number,
            self.shared.label(label or stated or self._location or operator),
            operator,
            more.pop("opset", opset_of(operator)),
            {name: _text(value) for name, value in attributes.items()},
            tuple(self._port(i, self.types[place]) for i, place in enumerate(inputs)),
            outputs,
            info=("decompression",) if operator == "Convert" and self._is_stored(inputs[0]) else (),
            **more,
        )
        self.edges |= {(number, i): place for i, place in enumerate(inputs)}
        places = [(number, port.id) for port in outputs]
        self.types |= dict(zip(places, types, strict=True))
        return places

    def _is_stored(self, place: Place) -> bool:
        """Whether a tensor is a constant in a type that numbers are stored in."""
        return self.layers[place[0]].weight is not None and self.types[place].dtype in HALVES

    @staticmethod
    def _port(number: int, type: TensorType) -> Port:
        precision = PRECISIONS.get(type.dtype) or STORED_AS[type.dtype].upper()
        return Port(number, precision, tuple(-1 if isinstance(d, Sym) else d for d in type.shape))


def _with_unit(type: TensorType, axis: int, size: int) -> TensorType:
    return type.with_shape((*type.shape[:axis], size, *type.shape[axis:]))


def _said(layout: str) -> Mapping[str, Mapping[str, str]]:
    return {"layout": {"layout": layout}} if layout else {}


def _text(value: Attribute) -> str:
    """Return an attribute as the file has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(map(_text, value))
    return STORED_AS[value] if isinstance(value, DType) else str(value)
