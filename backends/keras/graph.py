"""From legal IR to a program of layers and functions, still without Keras."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...compiler.diagnostics import error
from ...compiler.dims import Dim, Sym
from ...compiler.fold import constant
from ...compiler.ir import Func, Op, Port, Region, Value
from ...compiler.ops.core import Const, Return
from ...compiler.types import DType, TensorType
from ...compiler.weights import Weight
from ...formats.keras.build import NAMES
from ...formats.keras.program import Argument, Input, Program, Tensor
from ...formats.keras.program import Call as Step
from ..common.layout import describe
from ..common.table import Table
from ..common.unsupported import row_of
from .table import Call, Nested, Operand, Zeros, linear

MAX_INLINE = 256
"""Elements of integers up to which they stand in the model's description; floats are weights, which are trained."""


def build(func: Func, table: Table[Call]) -> tuple[Program, Counter[str]]:
    """Translate a function whose operations are all legal; return how often each layer and function is called.

    Raises:
        CompileError: B001, an operation is not legal, or there is no input or no output.
    """
    for what, ports in (("input", func.inputs), ("output", func.outputs)):
        if not ports:
            text = f"a model of Keras needs an {what}, and this network has none"
            raise error("B001", text, help="write another format")
    builder = _Builder(table)
    return builder.program(func), builder.counts


@dataclass
class _Builder:
    """Calls in order, and the tensors of values."""

    table: Table[Call]
    counts: Counter[str] = field(default_factory=lambda: Counter[str]())

    def __post_init__(self) -> None:
        self._calls: list[Step] = []
        self._values: dict[Value, Tensor] = {}
        self._constants: dict[Weight, Argument] = {}
        self._inputs: list[Input] = []
        self._names: set[str] = set()
        self._number = 0
        self._zero: Tensor | None = None
        self._sources: dict[str, tuple[Tensor, TensorType, int]] = {}
        self._vectors: dict[Dim, Tensor] = {}
        self._place = ""

    def program(self, func: Func) -> Program:
        """Translate everything."""
        names = {p.name: self._unique(p.name or "tensor") for p in func.inputs}
        outputs = [self._unique(p.name or "output") for p in func.outputs]
        for port, value in zip(func.inputs, func.args, strict=True):
            self._values[value] = self._tensor()
            self._learn(value.type, self._values[value])
            self._inputs.append(Input(names[port.name], self._values[value], value.type))
        needed = _needed(func.body)
        for op in func.body.ops:
            if op in needed:
                self._emit(op)
        ends = [self._end(v, name) for v, name in zip(func.returns, outputs, strict=True)]
        return Program(self._inputs, self._calls, ends, _layout(func))

    def _end(self, value: Value, name: str) -> Tensor:
        """Return an output: what a layer of its name gives, which does nothing else."""
        given = self.value(value)
        self._place = name
        tensor = given if isinstance(given, Tensor) else self._shaped(given, value.type)
        settings = {"dtype": NAMES[value.type.dtype]} if value.type.dtype.is_float else {}
        return self._call("layers.Identity", (tensor,), settings, [value.type], name=name)[0]

    def _shaped(self, given: Argument, type: TensorType) -> Tensor:
        """Return a constant as a computed tensor."""
        zero = self._call("ops.cast", (self._any_zero(),), {"dtype": NAMES[type.dtype]}, [type.with_shape(())])[0]
        function = "ops.logical_or" if type.dtype is DType.BOOL else "ops.add"
        return self._call(function, (zero, given), {}, [type])[0]

    def _emit(self, op: Op) -> None:
        row = row_of(self.table, op)
        call = row.call(op)
        self._place = _label(op)
        arguments = tuple(self.operand(v) for v in call.inputs)
        types = [r.type for r in op.results]
        results = self._call(call.function or row.kernel, arguments, call.settings, types, weights=call.weights)
        self._values |= dict(zip(op.results, results, strict=True))
        for type, tensor in zip(types, results, strict=True):
            self._learn(type, tensor)

    def _learn(self, type: TensorType, tensor: Tensor) -> None:
        """Remember which open sizes a tensor's shape tells."""
        for axis, size in enumerate(type.shape):
            if isinstance(size, Sym) and linear(size) == (str(size), 1, 0):
                self._sources.setdefault(str(size), (tensor, type, axis))

    def _zeros(self, size: Dim) -> Tensor:
        """Return as many zeros as a size says.

        Raises:
            CompileError: B002, no shape tells the size.
        """
        if size not in self._vectors:
            place, self._place = self._place, f"size.{size}"
            self._vectors[size] = self._counted(size)
            self._place = place
        return self._vectors[size]

    def _counted(self, size: Dim) -> Tensor:
        found = linear(size) if isinstance(size, Sym) else None
        if found is None or found[0] not in self._sources:
            raise error("B002", f"the size {size} is needed when the network runs, but no shape tells it")
        name, factor, added = found
        tensor, type, axis = self._sources[name]
        whole = type.with_dtype(DType.I32)
        zeros = self._call("ops.zeros_like", (tensor,), {"dtype": "int32"}, [whole])[0]
        others = tuple(a for a in range(type.rank) if a != axis)
        vector = TensorType(DType.I32, (type.shape[axis],))
        if others:
            (zeros,) = self._call("ops.sum", (zeros,), {"axis": others}, [vector])
        if factor > 1:
            vector = vector.with_shape((vector.shape[0] * factor,))
            (zeros,) = self._call("ops.tile", (zeros,), {"repeats": (factor,)}, [vector])
        sized = vector.with_shape((size,))
        if added > 0:
            (zeros,) = self._call("ops.pad", (zeros,), {"pad_width": ((0, added),)}, [sized])
        if added < 0:
            (zeros,) = self._call("ops.get_item", (zeros,), {"key": (slice(-added, None),)}, [sized])
        return zeros

    def operand(self, operand: Operand) -> Argument:
        """Return what a layer or function is called with."""
        match operand:
            case Weight():
                return self.constant(operand)
            case Nested():
                inputs = tuple(self.operand(v) for v in operand.inputs)
                return self._call(operand.function, inputs, operand.settings, [operand.type])[0]
            case Value():
                return self.value(operand)
            case Zeros():
                return self._zeros(operand.size)
            case tuple():
                return tuple(self.operand(v) for v in operand)

    def value(self, value: Value) -> Argument:
        """Return the tensor of a value, or a constant."""
        weight = constant(value)
        return self.constant(weight) if weight is not None else self._values[value]

    def constant(self, weight: Weight) -> Argument:
        """Return a constant: in place if it is small, else the only row of an embedding, which is a weight."""
        if weight not in self._constants:
            dtype, size = weight.type.dtype, weight.type.size
            is_small = size in (0, 1) if dtype.is_float else isinstance(size, int) and size <= MAX_INLINE
            if size == 0 and weight.type.rank > 1:
                self._constants[weight] = self._empty(weight.type)
            else:
                self._constants[weight] = weight.array() if is_small else self._stored(weight)
        return self._constants[weight]

    def _empty(self, type: TensorType) -> Tensor:
        """Return a constant without elements, whose shape a list of elements could not tell."""
        flat = self._shaped(np.zeros(0, type.dtype.numpy), type.with_shape((0,)))
        return self._call("ops.reshape", (flat,), {"newshape": type.shape}, [type])[0]

    def _stored(self, weight: Weight) -> Tensor:
        type, dtype = weight.type, weight.type.dtype
        stored = type.with_dtype(DType.U8) if dtype is DType.BOOL else type
        row = weight.derive(stored.with_shape((1, type.size)), _as_row)
        settings: dict[str, Any] = {"input_dim": 1, "output_dim": type.size, "dtype": NAMES[stored.dtype]}
        if not dtype.is_float:
            settings |= {"embeddings_initializer": "zeros", "trainable": False}
        flat = stored.with_shape((type.size,))
        place, self._place = self._place, f"{self._place}.weights"
        (found,) = self._call("layers.Embedding", (self._any_zero(),), settings, [flat], weights=(row,))
        self._place = place
        if type.rank != 1:
            (found,) = self._call("ops.reshape", (found,), {"newshape": type.shape}, [stored])
        if stored is not type:
            (found,) = self._call("ops.cast", (found,), {"dtype": "bool"}, [type])
        return found

    def _any_zero(self) -> Tensor:
        """Return a zero that depends on an input: what depends on none is no part of a model of Keras."""
        if self._zero is None:
            first = self._inputs[0]
            whole = first.type.with_dtype(DType.I32)
            place, self._place = self._place, "zero"
            zeros = self._call("ops.zeros_like", (first.tensor,), {"dtype": "int32"}, [whole])[0]
            self._zero = self._call("ops.sum", (zeros,), {}, [whole.with_shape(())])[0]
            self._place = place
        return self._zero

    def _call(
        self,
        function: str,
        arguments: tuple[Argument, ...],
        settings: Any,
        types: list[TensorType],
        *,
        weights: tuple[Weight, ...] = (),
        name: str | None = None,
    ) -> list[Tensor]:
        """Append a call; what is nested in an operation's gets a name of its own."""
        if not any(isinstance(part, Tensor) for part in _parts(arguments)):
            arguments = self._computed(arguments)
        results = [self._tensor() for _ in types]
        label = name or self._unique(self._place or function.rpartition(".")[2].lower())
        pairs = tuple(zip(results, types, strict=True))
        self._calls.append(Step(function, label, arguments, settings, pairs, weights))
        self.counts[function.rpartition(".")[2] if function.startswith("layers.") else function] += 1
        return results

    def _computed(self, arguments: tuple[Argument, ...]) -> tuple[Argument, ...]:
        """Return constants of which the first one is computed: what is called with constants alone is no part."""
        first, *rest = arguments
        if isinstance(first, tuple):
            return (self._computed(first), *rest)
        assert isinstance(first, np.ndarray)
        return (self._shaped(first, Weight.of(first).type), *rest)

    def _tensor(self) -> Tensor:
        self._number += 1
        return Tensor(self._number)

    def _unique(self, name: str) -> str:
        """Return a name that nothing else has, of letters that names of layers and variables may have."""
        clean = _NOT_IN_NAMES.sub("_", name).lstrip("_.-") or "n"
        found, number = clean, 0
        while found.lower() in self._names:
            number += 1
            found = f"{clean}_{number}"
        self._names.add(found.lower())
        return found


_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")


def _label(op: Op) -> str:
    """Return what an operation is called after: the source's node, else its result."""
    node = op.location.node if op.location is not None else ""
    return node or (op.results[0].name if op.results else "") or op.spec.name


def _parts(arguments: tuple[Argument, ...]) -> Iterator[Argument]:
    """Yield arguments, and what lists of them hold."""
    for argument in arguments:
        yield from _parts(argument) if isinstance(argument, tuple) else (argument,)


def _as_row(array: Any) -> Any:
    return np.asarray(array).reshape(1, -1)


def _layout(func: Func) -> bytes:
    """Return what the file says of inputs and outputs: names, types, and how their axes lie."""
    sides = (("inputs", func.inputs, func.args), ("outputs", func.outputs, func.returns))
    said = {side: [_port(p, v) for p, v in zip(ports, values, strict=True)] for side, ports, values in sides}
    return json.dumps(said, separators=(",", ":")).encode()


def _port(port: Port, value: Value) -> dict[str, Any]:
    return {"name": port.name, "dtype": value.type.dtype.value, **describe(port, value)}


def _needed(region: Region) -> set[Op]:
    """The operations that the results are computed from."""
    needed: set[Op] = set()
    work = [v.owner for v in region.returns]
    while work:
        op = work.pop()
        if op is None or op in needed or isinstance(op, Const | Return):
            continue
        needed.add(op)
        work += [v.owner for v in op.operands if v is not None]
    return needed
