"""From legal IR to an ML program, still without coremltools."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from ...compiler.diagnostics import error
from ...compiler.dims import Dim, Sym, substitute
from ...compiler.fold import constant
from ...compiler.ir import Func, Op, Port, Region, Value
from ...compiler.ops.bound import BindSizes
from ...compiler.types import DType, TensorType
from ...compiler.weights import Weight
from ...formats.coreml.program import STORED, Argument, Block, Input, Program, Step, Tensor, walk
from ...formats.layout import KEY
from ..common.layout import describe
from ..common.operands import Dims
from ..common.table import STRUCTURE, Table
from ..common.unsupported import row_of
from .sizes import Place, Sizes
from .table import Call, Carried, Nested, Operand

IN_ORDER = {"shape": ("x",), "slice_by_index": ("x",), "squeeze": ("x",), "reshape": ("x",)}
"""What operations that compute sizes call their operands, if not x and y."""

NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]")
"""Characters that names in a program of MIL can not have."""

RESERVED = (
    *("any", "bool", "dict", "false", "func", "list", "program", "state", "string", "tensor", "true", "tuple"),
    *("bf16", "fp16", "fp32", "fp64", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))),
)
"""Keywords of MIL, which tensors can not have as names."""


def build(func: Func, table: Table[Call]) -> tuple[Program, Counter[str]]:
    """Translate a function whose operations are all legal; return how often each operation is called.

    Raises:
        CompileError: B001, an operation is not legal, or there is no input or no output; B002, a size is not known
            when the network runs.
    """
    for what, ports in (("input", func.inputs), ("output", func.outputs)):
        if not ports:
            text = f"a model of Core ML needs an {what}, and this network has none"
            raise error("B001", text, help="write another format")
    return _Builder(table).program(func)


class _Builder:
    """Steps in order, and the tensors of values; ``outer`` builds what is around a block."""

    def __init__(self, table: Table[Call], outer: _Builder | None = None) -> None:
        self._table = table
        self._outer = outer
        self._steps: list[Step] = []
        self._values: dict[Value, Tensor] = {}
        self._types: dict[Tensor, TensorType] = {} if outer is None else outer._types
        self._names = set(RESERVED) if outer is None else outer._names
        self._numbers = count() if outer is None else outer._numbers
        self._ends: dict[Value, str] = {}
        self._label = ""
        self._sizes = Sizes(self, self._size_outside)

    def program(self, func: Func) -> tuple[Program, Counter[str]]:
        """Translate all operations of a function, with its inputs and outputs."""
        names = [self._unique(p.name or "input") for p in func.inputs]
        results = [self._unique(p.name or "output") for p in func.outputs]
        inputs = tuple(self._input(v, name) for v, name in zip(func.args, names, strict=True))
        self._ends = {v: n for v, n in zip(func.returns, results, strict=True) if self._may_be_called(v, func)}
        self._run(func.body)
        outputs = tuple(self._end(v, name) for v, name in zip(func.returns, results, strict=True))
        said = {KEY: _said(func, names, results)}
        counts = Counter(step.operator for step in walk(self._steps))
        return Program(inputs, tuple(self._steps), outputs, said), counts

    def _input(self, value: Value, name: str) -> Input:
        """Return an input: no numbers of fewer bits, no truth values, and at least one axis."""
        type = value.type
        outer = type.with_dtype(_outside(type.dtype)).with_shape(type.shape or (1,))
        given = Input(name, self._tensor(outer), outer, tuple(map(_least, outer.shape)))
        inner: Tensor = given.tensor
        self._sizes.learn(type.shape, inner)
        if not type.shape:
            inner = self._call("squeeze", {"x": inner, "axes": (0,)}, [type.with_dtype(outer.dtype)])[0]
        if type.dtype is DType.BOOL:
            inner = self._call("cast", {"x": inner, "dtype": "bool"}, [type])[0]
        self._values[value] = inner
        return given

    def _may_be_called(self, value: Value, func: Func) -> bool:
        """Whether the step that gives a value may have the name of an output."""
        op = value.owner
        is_only = op is not None and len(op.results) == 1 and constant(value) is None
        return is_only and list(func.returns).count(value) == 1 and value.type.rank > 0 and not _is_truth(value)

    def _end(self, value: Value, name: str) -> Tensor:
        """Return an output; what can't have its name is given by one more step."""
        if value in self._ends:
            return self._values[value]
        type = value.type.with_dtype(_outside(value.type.dtype))
        found = self.value(value)
        if _is_truth(value):
            label = "" if not type.shape else name
            (found,) = self._call("cast", {"x": found, "dtype": "int32"}, [type], name=label)
        if not type.shape:
            return self._call("expand_dims", {"x": found, "axes": (0,)}, [type.with_shape((1,))], name=name)[0]
        if _is_truth(value):
            assert isinstance(found, Tensor)
            return found
        return self._call("identity", {"x": found}, [type], name=name)[0]

    def _run(self, region: Region) -> None:
        """Append what a region computes."""
        for op in region.ops:
            if isinstance(op, BindSizes):
                self._sizes.bind(op.sizes, self.value(op.x))
            elif not isinstance(op, STRUCTURE):
                self._emit(op)

    def _block(self, region: Region) -> Block:
        """Build a block, which returns nothing but what it has computed, each once."""
        inner = _Builder(self._table, self)
        takes = tuple(inner._tensor(v.type) for v in region.args)
        for value, tensor in zip(region.args, takes, strict=True):
            inner._values[value] = tensor
            inner._sizes.learn(value.type.shape, tensor)
        inner._run(region)
        computed = {tensor for step in inner._steps for tensor, _ in step.results}
        returns: list[Tensor] = []
        for value in region.returns:
            found = inner.value(value)
            if found not in computed or found in returns:
                (found,) = inner._call("identity", {"x": found}, [value.type])
            assert isinstance(found, Tensor)
            returns.append(found)
        types = (value.type for value in region.returns)
        return Block(takes, tuple(inner._steps), tuple(zip(returns, types, strict=True)))

    def _size_outside(self, key: str) -> Place:
        """Return a size that a tensor around the block tells.

        Raises:
            CompileError: B002, none does.
        """
        if self._outer is None:
            raise error("B002", f"the size {key} is needed when the network runs, but no shape tells it")
        found = self._outer._sizes.local(key)
        return self._outer._size_outside(key) if found is None else found

    def _emit(self, op: Op) -> None:
        row = row_of(self._table, op)
        call = row.call(op)
        self._label = (op.location.node if op.location is not None else "") or op.results[0].name or op.spec.name
        arguments = {name: self.operand(v) for name, v in call.arguments.items()}
        types = [r.type for r in op.results]
        named = self._ends.get(op.results[0], "")
        blocks = {name: self._block(region) for name, region in call.blocks.items()}
        results = self._call(call.operator or row.kernel, arguments, types, name=named, blocks=blocks)
        for result, tensor in zip(op.results, results, strict=True):
            self._values[result] = tensor
            self._sizes.learn(result.type.shape, tensor)

    def operand(self, operand: Operand) -> Argument:
        """Return what an operation is called with."""
        match operand:
            case Dims():
                return self._sizes.vector(operand)
            case Nested():
                arguments = {name: self.operand(v) for name, v in operand.arguments.items()}
                return self._call(operand.operator, arguments, [operand.type])[0]
            case Value():
                return self.value(operand)
            case Carried():
                return tuple(self._variable(value) for value in operand.values)
            case tuple() if any(isinstance(part, Value) for part in operand):
                return tuple(self.value(part) for part in operand if isinstance(part, Value))
            case _:
                return operand  # pyright: ignore[reportReturnType] -- tuples of values are above

    def _variable(self, value: Value) -> Tensor:
        """Return the tensor of a value, of a constant one that is computed: loops carry no others."""
        found = self.value(value)
        return found if isinstance(found, Tensor) else self._call("identity", {"x": found}, [value.type])[0]

    def value(self, value: Value) -> Place:
        """Return the tensor of a value, or a constant."""
        weight = constant(value)
        if weight is not None:
            return weight
        if value not in self._values:
            assert self._outer is not None
            return self._outer.value(value)
        return self._values[value]

    def constant(self, weight: Weight) -> Place:
        """Return a constant as it is: it has no step of its own."""
        return weight

    def type(self, tensor: Place) -> TensorType:
        """Return the type of a tensor."""
        return tensor.type if isinstance(tensor, Weight) else self._types[tensor]

    def computed(
        self,
        operator: str,
        inputs: Sequence[Place],
        type: TensorType,
        attributes: Mapping[str, Any] | None = None,
    ) -> Tensor:
        """Append a step that computes sizes, and return its result."""
        if operator == "concat":
            operands: dict[str, Argument] = {"values": tuple(inputs)}
        else:
            operands = dict(zip(IN_ORDER.get(operator, ("x", "y")), inputs, strict=True))
        return self._call(operator, {**operands, **(attributes or {})}, [type])[0]

    def _call(
        self,
        operator: str,
        arguments: Mapping[str, Argument],
        types: Sequence[TensorType],
        *,
        name: str = "",
        blocks: Mapping[str, Block] | None = None,
    ) -> list[Tensor]:
        """Append a step, and return its results."""
        results = [self._tensor(type) for type in types]
        label = name or self._unique(self._label or operator)
        pairs = tuple(zip(results, types, strict=True))
        self._steps.append(Step(operator, label, dict(arguments), pairs, blocks or {}))
        return results

    def _tensor(self, type: TensorType) -> Tensor:
        tensor = Tensor(next(self._numbers))
        self._types[tensor] = type
        return tensor

    def _unique(self, name: str) -> str:
        """Return a name that nothing else has, of letters that names of a program may have."""
        clean = NOT_IN_NAMES.sub("_", name)
        clean = clean if clean[:1].isalpha() else f"var_{clean}"
        found, number = clean, 0
        while found in self._names:
            number += 1
            found = f"{clean}_{number}"
        self._names.add(found)
        return found


def _is_truth(value: Value) -> bool:
    return value.type.dtype is DType.BOOL


def _outside(dtype: DType) -> DType:
    """Return the type that an input or output has: there are no truth values."""
    return DType.I32 if dtype is DType.BOOL else STORED[dtype]


def _least(size: Dim) -> int:
    """Return the smallest size that an open axis can have."""
    if not isinstance(size, Sym):
        return size
    found = substitute(size, dict.fromkeys(size.names, 1))
    return max(found, 1) if isinstance(found, int) else 1


def _said(func: Func, names: Sequence[str], results: Sequence[str]) -> str:
    """Return what the file says of its inputs and outputs: names, types, and how their axes lie."""
    sides = (("inputs", func.inputs, func.args, names), ("outputs", func.outputs, func.returns, results))
    said = {s: [_port(*each) for each in zip(ports, values, own, strict=True)] for s, ports, values, own in sides}
    return json.dumps(said, separators=(",", ":"))


def _port(port: Port, value: Value, tensor: str) -> dict[str, Any]:
    return {"name": port.name, "dtype": value.type.dtype.value, "tensor": tensor, **describe(port, value)}
