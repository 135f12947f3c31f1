"""From legal IR to what a file holds: nodes, graphs inside of them, and constants, still without bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...compiler.diagnostics import error
from ...compiler.dims import Sym
from ...compiler.fold import constant
from ...compiler.ir import Func, Op, Region, Value
from ...compiler.ops.bound import BindSizes
from ...compiler.ops.control import While
from ...compiler.ops.core import Const
from ...compiler.ops.recurrent import Recurrent
from ...compiler.ops.shape import Concat
from ...compiler.types import DType, TensorType
from ...compiler.weights import Weight
from ...formats.onnx.model import Attribute as StoredAttribute
from ...formats.onnx.model import Declared, Graph, Node
from ...formats.onnx.tensors import number_of
from ...formats.onnx.writer import Stored
from ..common.names import unique
from ..common.table import STRUCTURE, Table
from ..common.unsupported import row_of
from .directed import Directed, joined_directions
from .forms import Draft, lowest_opset, rendered
from .sizes import Sizes
from .standard import Use, is_optional_output, newest
from .table import ANY_DOMAIN, Attribute, Call, Dims, Inline, Nested, Operand, uses
from .tidy import tidy


@dataclass
class Built:
    """What is to be written: the graph, the opsets that it needs, and how often each operator is used.

    ``renamed`` are the source's names of outputs that could not keep them, by those that they have in the file.
    """

    graph: Graph
    opsets: dict[str, int]
    counts: Counter[str]
    custom: tuple[str, ...] = ()
    renamed: dict[str, str] = field(default_factory=lambda: dict[str, str]())


def build(func: Func, table: Table[Call], limit: int) -> Built:
    """Translate a function whose operations are all legal, in the lowest opset that has all of it.

    Raises:
        CompileError: B001, an operation is not legal; B002, a size is not known when the network runs.
    """
    taken: set[str] = set()
    names = [unique(p.name or a.name or "input", taken) for a, p in zip(func.args, func.inputs, strict=True)]
    outputs = [unique(p.name or v.name or "output", taken) for v, p in zip(func.returns, func.outputs, strict=True)]
    shared = _Shared(table, taken)
    builder = _Builder(shared, None)
    inputs = [builder.bind(a, name) for a, name in zip(func.args, names, strict=True)]
    builder.region(func.body, outputs)
    tidy(builder, _Builder)
    opset = lowest_opset(shared.drafts)
    if opset > limit:
        text = f"the sizes of {func.name} are computed by operators that ONNX has from opset {opset} on"
        raise error("B001", text, help=f"--opset {opset} would do")
    graph = _Finished(shared, opset).graph(builder, inputs, outputs)
    domains = dict.fromkeys((d.domain for d in shared.drafts if d.domain), 1)
    counts = Counter(d.operator for d in shared.drafts)
    named = zip(outputs, func.outputs, strict=True)
    renamed = {name: port.name for name, port in named if port.name and port.name != name}
    return Built(graph, {"": opset, **domains}, counts, tuple(shared.custom), renamed)


@dataclass
class _Shared:
    """What all graphs of a model have in common: names, constants, and all nodes.

    ``wholes`` are tensors that hold several values behind each other, ``custom`` operators of the user's own.
    """

    table: Table[Call]
    taken: set[str]
    types: dict[str, TensorType] = field(default_factory=lambda: dict[str, TensorType]())
    values: dict[Value, str] = field(default_factory=lambda: dict[Value, str]())
    wholes: dict[tuple[Value, ...], str] = field(default_factory=lambda: dict[tuple[Value, ...], str]())
    constants: dict[str, Weight] = field(default_factory=lambda: dict[str, Weight]())
    stored: dict[Weight, str] = field(default_factory=lambda: dict[Weight, str]())
    labels: set[str] = field(default_factory=lambda: set[str]())
    drafts: list[Draft] = field(default_factory=lambda: list[Draft]())
    custom: dict[str, None] = field(default_factory=lambda: dict[str, None]())

    def unique(self, name: str) -> str:
        """Return a name that no tensor has yet."""
        return unique(name, self.taken)


class _Builder:
    """Builds the graph of one region; ``outer`` builds the one around it."""

    def __init__(self, shared: _Shared, outer: _Builder | None) -> None:
        self.shared = shared
        self.outer = outer
        self.nodes: list[Draft] = []
        self.own: set[str] = set()
        self.inputs: list[str] = []
        self.outputs: list[str] = []
        self.sizes = Sizes(self, self.capture)
        self.done: set[Op] = set()
        self._location = ""

    def bind(self, value: Value, name: str) -> str:
        """Let a tensor of this name, which the graph is given, be a value."""
        self.shared.values[value] = name
        self.shared.types[name] = value.type
        self.inputs.append(name)
        self.sizes.learn(value.type.shape, name)
        return name

    def region(self, region: Region, outputs: Sequence[str] | None = None) -> None:
        """Translate a region whose arguments are bound; ``outputs`` are the names of its results."""
        returned = region.returns
        wanted: dict[Value, str] = {}
        if outputs is not None:
            for value, name in zip(returned, outputs, strict=True):
                if value.owner is not None and value.owner.parent is region and not isinstance(value.owner, Const):
                    wanted.setdefault(value, name)
        self.ops(region, wanted)
        for place, value in enumerate(returned):
            name = None if outputs is None else outputs[place]
            self.outputs.append(self._output(value, name))

    def _output(self, value: Value, name: str | None) -> str:
        """Return the name of a tensor that this graph computes and that is no other output."""
        found = self.value(value)
        if (name is None or found == name) and found in self.own and found not in self.outputs:
            return found
        return self.computed("Identity", [found], value.type, name=name)

    def ops(self, region: Region, wanted: Mapping[Value, str] | None = None) -> None:
        """Append what a region computes."""
        outer, self.done = self.done, set()
        for op in region.ops:
            if isinstance(op, BindSizes):
                self.sizes.bind(op.sizes, self.value(op.x))
            elif not isinstance(op, STRUCTURE) and op not in self.done:
                self._emit(op, wanted or {})
        self.done = outer

    def _emit(self, op: Op, wanted: Mapping[Value, str]) -> None:
        self._location = op.location.node if op.location else ""
        joined = joined_directions(self, op) if isinstance(op, Concat) else None
        if joined is not None:
            operator, attributes = ("Identity", {}) if len(joined) == 1 else ("Concat", {"axis": 0})
            self.node(operator, joined, [self.result(op.results[0], wanted)], attributes)
            return
        row = row_of(self.shared.table, op)
        call = row.call(op)
        operator = call.operator or row.kernel
        if row.kernel == ANY_DOMAIN:
            self.shared.custom[f"{call.domain}.{operator}"] = None
        inputs = [self.operand(v) for v in call.inputs]
        attributes: dict[str, Any] = dict(call.attributes)
        if isinstance(op, While):
            attributes["body"] = self._loop(op)
        elif call.regions:
            attributes = {k: self._inner(v) if isinstance(v, Region) else v for k, v in attributes.items()}
        directed = Directed(self, op, call, wanted) if isinstance(op, Recurrent) else None
        outputs = directed.outputs() if directed else [self._define(r, operator, call, wanted) for r in op.results]
        use = next(uses(operator, call, op), None)
        self._append(Draft(operator, self._label(operator), inputs, outputs, attributes, use, call.domain))
        if directed:
            directed.finish(outputs)

    def _define(self, value: Value, operator: str, call: Call, wanted: Mapping[Value, str]) -> str:
        """Name a result; one that nobody reads is left out where that is possible."""
        place = value.owner.results.index(value) if value.owner else 0
        if not value.uses and not call.domain and place and is_optional_output(operator, newest(), place):
            return ""
        return self.result(value, wanted)

    def result(self, value: Value, wanted: Mapping[Value, str]) -> str:
        """Name a value that this graph computes."""
        owner = value.owner
        name = wanted.get(value)
        if name is None:
            name = self.shared.unique(value.name or (owner.spec.name if owner else "value"))
        self.shared.values[value] = name
        self.new(name, value.type)
        self.sizes.learn(value.type.shape, name)
        return name

    def new(self, name: str, type: TensorType) -> str:
        """Note a tensor that this graph computes."""
        self.shared.types[name] = type
        self.own.add(name)
        return name

    def _run(self, region: Region, names: Sequence[str]) -> str:
        """Compute what a region returns for arguments of these names, in this graph."""
        for arg, name in zip(region.args, names, strict=True):
            self.shared.values[arg] = name
        self.ops(region)
        return self.value(region.returns[0])

    def _loop(self, op: While) -> _Builder:
        """Build the body of a loop: it returns whether it goes on, then the carried values."""
        inner = _Builder(self.shared, self)
        for name, dtype in (("iteration", DType.I64), ("go_on", DType.BOOL)):
            unique = self.shared.unique(name)
            self.shared.types[unique] = TensorType(dtype, ())
            inner.inputs.append(unique)
        for arg in op.body.args:
            inner.bind(arg, self.shared.unique(arg.name or "carried"))
        inner.region(op.body)
        goes_on = inner._run(op.condition, inner.outputs)
        if goes_on not in inner.own or goes_on in inner.outputs:
            goes_on = inner.computed("Identity", [goes_on], self.shared.types[goes_on])
        inner.outputs.insert(0, goes_on)
        return inner

    def _inner(self, region: Region) -> _Builder:
        inner = _Builder(self.shared, self)
        inner.region(region)
        return inner

    def operand(self, operand: Operand) -> str:
        """Return the name of an operand's tensor, nothing if it is left out."""
        match operand:
            case None:
                return ""
            case Weight():
                return self.constant(operand)
            case Dims():
                return self.sizes.vector(operand)
            case Inline():
                return self._run(operand.region, [self.value(v) for v in operand.values])
            case Nested():
                inputs = [self.operand(v) for v in operand.inputs]
                return self.computed(operand.operator, inputs, operand.type, operand.attributes)
            case Value():
                return self.value(operand)

    def value(self, value: Value) -> str:
        """Return the name of a value's tensor."""
        if value in self.shared.values:
            return self.shared.values[value]
        weight = constant(value)
        assert weight is not None
        self.shared.values[value] = self.constant(weight, value.name)
        return self.shared.values[value]

    def constant(self, weight: Weight, name: str | None = None) -> str:
        """Return the name of a constant; equal ones share one."""
        if weight not in self.shared.stored:
            unique = self.shared.unique(name or "constant")
            self.shared.stored[weight] = unique
            self.shared.constants[unique] = weight
            self.shared.types[unique] = weight.type
        return self.shared.stored[weight]

    def computed(
        self,
        operator: str,
        inputs: Sequence[str],
        type: TensorType,
        attributes: Mapping[str, Attribute] | None = None,
        *,
        name: str | None = None,
    ) -> str:
        """Append a node with one result, and return what that is called."""
        out = self.new(name or self.shared.unique(operator.lower()), type)
        self.node(operator, inputs, [out], attributes or {})
        return out

    def node(self, operator: str, inputs: Sequence[str], outputs: list[str], attributes: Mapping[str, Any]) -> None:
        """Append a node."""
        types = tuple(None if not n else self.shared.types[n].dtype for n in inputs)
        known = tuple(n in self.shared.constants for n in inputs)
        results = tuple(self.shared.types[n].dtype for n in outputs)
        use = Use(operator, types, results, frozenset(attributes), known)
        self._append(Draft(operator, self._label(operator), list(inputs), outputs, dict(attributes), use))

    def _append(self, draft: Draft) -> None:
        self.nodes.append(draft)
        self.shared.drafts.append(draft)

    def _label(self, operator: str) -> str:
        return unique(self._location or operator, self.shared.labels)

    def type(self, tensor: str) -> TensorType:
        """Return the type of a tensor."""
        return self.shared.types[tensor]

    def capture(self, key: str) -> str:
        """Return a size that the graph around this one tells.

        Raises:
            CompileError: B002, none does.
        """
        if self.outer is None:
            raise error("B002", f"the size {key} is needed when the network runs, but no shape tells it")
        found = self.outer.sizes.local(key)
        return self.outer.capture(key) if found is None else found


class _Finished:
    """Turns what was built into the graph of a file, in the form that an opset has."""

    def __init__(self, shared: _Shared, opset: int) -> None:
        self.shared = shared
        self.opset = opset
        self.needed: set[str] = set()
        self.empty = Weight.of(np.zeros(0, np.float32))

    def graph(self, builder: _Builder, inputs: Sequence[str], outputs: Sequence[str]) -> Graph:
        """Return the main graph: it has the constants of all."""
        made = self._graph(builder)
        self.needed.update(outputs)
        constants = {n: Stored(n, w) for n, w in self.shared.constants.items() if n in self.needed}
        return replace(made, constants=constants, inputs={n: self._declared(n) for n in inputs})

    def _graph(self, builder: _Builder) -> Graph:
        nodes = tuple(self._finish(draft) for draft in builder.nodes)
        shown = [n for n in (*builder.inputs, *sorted(builder.own)) if n in self.shared.types]
        return Graph(
            nodes=nodes,
            inputs={n: self._declared(n) for n in builder.inputs},
            outputs=tuple(builder.outputs),
            constants={},
            stated={n: self._declared(n) for n in shown},
        )

    def _declared(self, name: str) -> Declared:
        type = self.shared.types[name]
        return Declared("tensor", number_of(type.dtype), tuple(str(d) if isinstance(d, Sym) else d for d in type.shape))

    def _finish(self, draft: Draft) -> Node:
        inputs, given = rendered(draft, self.opset, self.shared.constants, self._nothing)
        attributes = {name: self._attribute(value) for name, value in given.items()}
        outputs = list(draft.outputs)
        while outputs and not outputs[-1]:
            outputs.pop()
        self.needed.update(inputs)
        return Node(draft.operator, draft.domain, "", draft.label, tuple(inputs), tuple(outputs), attributes)

    def _nothing(self) -> str:
        """Return the name of an empty tensor."""
        name = self.shared.stored.get(self.empty)
        if name is None:
            name = self.shared.unique("nothing")
            self.shared.stored[self.empty] = name
            self.shared.constants[name] = self.empty
        return name

    def _attribute(self, value: Any) -> StoredAttribute:
        if isinstance(value, _Builder):
            return self._graph(value)
        return Stored("", value) if isinstance(value, Weight) else value
