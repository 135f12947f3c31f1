"""From legal IR to what a file holds: tensors, operators and subgraphs, still without bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from ...compiler.diagnostics import CompileError, Remark, counted, error, remark
from ...compiler.dims import is_static, static
from ...compiler.fold import constant
from ...compiler.ir import Func, Op, Region, Value
from ...compiler.ops.bound import BindSizes
from ...compiler.types import DType, TensorType
from ...compiler.weights import Weight
from ...formats.tflite.model import Blocks, CustomOptions, Model, Operator, Options, Signature, Subgraph, Tensor
from ..common.table import STRUCTURE, Row, Table
from ..common.unsupported import row_of
from . import emitters as _emitters  # noqa: F401  # pyright: ignore[reportUnusedImport] -- fills the table
from .check_scales import check_scales
from .names import Names, operand_name, place_of
from .quantization import QUANTIZED, is_stored_weight, quantization_of
from .sizes import Sizes
from .storage import not_storable
from .table import TABLE, Call, Dims, Operand, Stored, Unfolded, int_scalar, ints, options
from .versions import slice_version


def build(funcs: Mapping[str, Func], tables: Sequence[Table[Call]] = (TABLE,)) -> Model:
    """Translate functions whose operations are all legal, each a signature by its key; equal weights are shared.

    Of several tables, the first one that has a row for an operation is used.

    Raises:
        CompileError: B001, one is not; B002, a size is not known when the network runs; B003, an element type can't be
            stored; I007, scales break a rule of the format.
    """
    problems = [problem for func in funcs.values() for problem in not_storable(func)]
    if problems:
        raise CompileError(*problems)
    model = Model()
    for key, func in funcs.items():
        names = [p.name for p in func.inputs], [p.name for p in func.outputs]
        model.signatures.append(Signature(key, len(model.subgraphs), *names))
        main = _Builder(model, func.name if len(funcs) == 1 else key, func.body, tables=tables)
        main.translate()
        main.copy_shared_outputs()
    check_scales(model)
    _report_blocks(model)
    return model


def _report_blocks(model: Model) -> None:
    """Say that not all kernels compute rightly what the file holds."""
    count = sum(tensor.blocks is not None for graph in model.subgraphs for tensor in graph.tensors)
    if count:
        text = f"{counted(count, 'weight')} of 4 bits with scales of blocks: XNNPACK and optimized kernels take them"
        remark(Remark("warning", "emit", f"{text}, reference kernels (BUILTIN_REF) give zeros and no error"))


Key = Value | str
"""What a subgraph takes from the one around it: a value, or a size by its name."""


class _Builder:
    """Builds the subgraph of one region; ``outer`` builds the one around it."""

    def __init__(
        self,
        model: Model,
        name: str,
        region: Region,
        outer: _Builder | None = None,
        *,
        tables: Sequence[Table[Call]],
    ) -> None:
        self.model = model
        self.tables = tables
        self.region = region
        self.outer = outer
        self.graph = Subgraph(name)
        self.index = len(model.subgraphs)
        self.captured: dict[Key, int] = {}
        self.sizes = Sizes(self)
        self._tensors: dict[Value, int] = {}
        self._parameters: dict[tuple[TensorType, int], int] = {}
        self._names = Names(region)
        self._place = ""
        self._done: set[Op] = set()
        model.subgraphs.append(self.graph)

    def translate(self) -> None:
        """Translate what the region's results need, in order."""
        self.graph.inputs = [self._define(arg, "input") for arg in self.region.args]
        calls = {op: _call(op, self.tables) for op in self.region.ops if not isinstance(op, STRUCTURE)}
        needed = _needed(self.region, calls)
        for op in self.region.ops:
            if isinstance(op, BindSizes):
                self.sizes.bind(op.sizes, self.tensor(op.x))
            elif op in needed and op not in self._done:
                builtin, call = calls[op]
                self._place = place_of(op, builtin)
                self._emit(op, builtin, call)
        self.graph.outputs = [self.tensor(v, "output") for v in self.region.returns]

    def _emit(self, op: Op, builtin: str, call: Call) -> None:
        name = f"{op.spec.name}_{len(self.model.subgraphs)}"
        bodies = [_Builder(self.model, name, region, self, tables=self.tables) for region in call.regions]
        for body in bodies:
            body.translate()
        _check_options(op, call.options)
        captured = list(dict.fromkeys(key for body in bodies for key in body.captured))
        for body in bodies:
            body.take(captured)
        inputs = [self.tensor(v, f"{self._place}/{operand_name(builtin, i)}") for i, v in enumerate(call.inputs)]
        inputs += [self.capture(k) for k in captured]
        given, left = call.results(op)
        self._done.update((*call.of, *(() if call.merged is None else (call.merged,))))
        if call.overwrites:
            variables = self._variables([inputs[slot] for slot in call.overwrites])
            for slot, variable in zip(call.overwrites, variables, strict=True):
                inputs[slot] = variable
        outputs = [self._define(r, self._place) for r in given]
        if builtin == "WHILE":  # what the body only reads goes round with the rest
            bodies[1].graph.outputs += [bodies[1].captured[k] for k in captured]
            bodies[1].copy_moved_inputs()
            outputs += [self._like(self.capture(k), "after") for k in captured]
        for body in bodies:
            body.copy_repeated_outputs()
        self.operator(builtin, inputs, outputs, _numbered(call.options, bodies), call.version)
        for slot, result in zip(call.overwrites, left, strict=True):
            if result.uses:
                self._read_after(outputs[0], inputs[slot], self._define(result, f"{self._place}/state"))

    def operator(
        self,
        builtin: str,
        inputs: list[int],
        outputs: list[int],
        options: Options | CustomOptions | None = None,
        version: int = 1,
    ) -> None:
        """Append an operator."""
        self.graph.operators.append(Operator(builtin, version, inputs, outputs, options))

    def take(self, keys: list[Key]) -> None:
        """Make the captured values inputs, in an order that several subgraphs agree on."""
        for key in keys:
            if key not in self.captured:
                self.captured[key] = self._capturing(key)
        self.graph.inputs += [self.captured[key] for key in keys]

    def copy_moved_inputs(self) -> None:
        """Copy inputs that are outputs at another place: a loop writes its outputs over them one by one."""
        ins, outs = self.graph.inputs, self.graph.outputs
        for place, tensor in enumerate(outs):
            if tensor in ins and ins.index(tensor) != place:
                outs[place] = self._copy(tensor)

    def copy_repeated_outputs(self) -> None:
        """Copy outputs that are given twice: kernels move their memory, which one of the two then lacks."""
        outs = self.graph.outputs
        for place, tensor in enumerate(outs):
            if tensor in outs[:place]:
                outs[place] = self._copy(tensor)

    def copy_shared_outputs(self) -> None:
        """Copy outputs of the file that are given twice, or are its inputs: CompiledModel fills only one buffer.

        Those of open sizes stay: SLICE does not take a second size in a file that is resized.
        """
        ins, outs = self.graph.inputs, self.graph.outputs
        for place, tensor in enumerate(outs):
            if (tensor in ins or tensor in outs[:place]) and is_static(self.graph.tensors[tensor].type.shape):
                outs[place] = self._copy(tensor)

    def _copy(self, tensor: int) -> int:
        type = self.graph.tensors[tensor].type
        out = self._like(tensor, "copy")
        if type.rank:
            begin, size = (self.tensor(ints(*[n] * type.rank)) for n in (0, -1))
            self.operator("SLICE", [tensor, begin, size], [out], version=slice_version(type))
        else:
            self.operator("RESHAPE", [tensor, self.tensor(ints())], [out])
        return out

    def _variables(self, tensors: list[int]) -> list[int]:
        """Return copies that a kernel may overwrite, made whenever the graph runs."""
        types = [self.graph.tensors[t].type for t in tensors]
        copies = [self._like(tensor, "variable") for tensor in tensors]
        for copy in copies:
            self.graph.tensors[copy].is_variable = True
        weights = [
            self.model.weights[self.graph.tensors[t].buffer - 1] for t in tensors if self.graph.tensors[t].buffer
        ]
        if len(weights) == len(tensors) and len(set(types)) == 1:
            joined = Weight.of(np.concatenate([w.array() for w in weights]))
            self._split(self._parameter(joined, f"{self._place}/states"), copies)
        else:
            for tensor, copy in zip(tensors, copies, strict=True):
                self._split(tensor, [copy])
        return copies

    def _split(self, tensor: int, parts: list[int]) -> None:
        """Copy a tensor, or the parts of it: a kernel that also copies constants whenever the graph runs."""
        count = options("SplitOptions", numSplits=len(parts))
        self.operator("SPLIT", [self.tensor(int_scalar(0)), tensor], parts, count)

    def _read_after(self, result: int, variable: int, out: int) -> None:
        """Read a variable after the operator that gave ``result``: only what data depend on keeps its order."""
        largest = self.temporary(TensorType(self.graph.tensors[result].type.dtype, ()), f"{self._place}/largest")
        axes = ints(*range(self.type(result).rank))
        self.operator("REDUCE_MAX", [result, self.tensor(axes)], [largest], options("ReducerOptions"))
        always = Weight.of(np.asarray(True))
        self.operator("SELECT_V2", [self.tensor(always), variable, largest], [out], options("SelectV2Options"))

    def capture(self, key: Key) -> int:
        """Return the tensor of a value, or of a size, that the subgraph around this one may have to give.

        Raises:
            CompileError: B002, no tensor's shape tells the size.
        """
        if isinstance(key, str):
            found = self.sizes.local(key)
            if found is not None:
                return found
        elif key in self._tensors or constant(key) is not None:
            return self.tensor(key)
        elif self.outer is not None and is_stored_weight(key):
            return self._unfolded_here(key)
        if key not in self.captured:
            if self.outer is None:
                raise error("B002", f"the size {key} is needed when the network runs, but no shape tells it")
            self.captured[key] = self._capturing(key)
        return self.captured[key]

    def _unfolded_here(self, weight: Value) -> int:
        """Return a weight that the subgraph around this one stores: a loop would copy it in every iteration."""
        assert weight.owner is not None
        self._emit(weight.owner, *_call(weight.owner, self.tables))
        return self._tensors[weight]

    def _capturing(self, key: Key) -> int:
        """Append the tensor of what the subgraph around this one gives."""
        if isinstance(key, str):
            return self.temporary(TensorType(DType.I32, (1,)), f"size/{key}")
        return self.temporary(key.type, key.name or "captured")

    def tensor(self, operand: Operand, name: str = "constant") -> int:
        """Return the number of an operand's tensor, -1 for none; ``name`` is for what has no name in the source."""
        match operand:
            case None:
                return -1
            case Weight():
                return self._parameter(operand, name)
            case Dims():
                return self.sizes.vector(operand, name)
            case Stored():
                return self._stored(operand, name)
            case Unfolded():
                return self._unfolded(operand, name)
            case Value():
                return self._value(operand, name)

    def _parameter(self, weight: Weight, name: str) -> int:
        """Return the tensor of a nameless constant; equal ones share one."""
        key = (weight.type, self.model.buffer(weight))
        if key not in self._parameters:
            self._parameters[key] = self._append(weight.type, self._names.made(name), key[1])
        return self._parameters[key]

    def _unfolded(self, given: Unfolded, name: str) -> int:
        """Return the numbers that a constant stands for."""
        out = self.temporary(given.stored.weight.type.with_dtype(DType.F32), name)
        stored = self._stored(given.stored, f"{name}/stored")
        self.operator("DEQUANTIZE", [stored], [out], version=given.version)
        return out

    def _stored(self, given: Stored, name: str) -> int:
        """Return a constant of integers."""
        stored = self._append(given.weight.type, self._names.made(name), self.model.buffer(given.weight))
        self.graph.tensors[stored].quantization = given.quantization
        if given.blocks is not None:
            (_, columns), (_, count) = static(given.weight.type.shape), static(given.blocks.type.shape)
            scales = self._append(
                given.blocks.type, self._names.made(f"{name}/scales"), self.model.buffer(given.blocks)
            )
            self.graph.tensors[stored].blocks = Blocks(scales, None, columns // count)
        return stored

    def _value(self, value: Value, name: str) -> int:
        if value in self._tensors:
            return self._tensors[value]
        weight = constant(value)
        if weight is None:
            return self.capture(value)
        self._tensors[value] = self._append(value.type, self._name(value, name), self.model.buffer(weight))
        self._state_scales(value)
        return self._tensors[value]

    def _define(self, value: Value, name: str) -> int:
        self._tensors[value] = index = self._append(value.type, self._name(value, name))
        self._state_scales(value)
        self.sizes.learn(value.type.shape, index)
        return index

    def _state_scales(self, value: Value) -> None:
        if value.type.dtype in QUANTIZED:
            self.graph.tensors[self._tensors[value]].quantization = quantization_of(value)

    def type(self, tensor: int) -> TensorType:
        """Return the type of a tensor."""
        return self.graph.tensors[tensor].type

    def _name(self, value: Value, name: str) -> str:
        """Return the name of a value in the source, if it has one there."""
        return self._names.of_source(value.name) if value.name else self._names.made(name)

    def _like(self, tensor: int, what: str) -> int:
        """Append a tensor of the same type, which is called after this one."""
        found = self.graph.tensors[tensor]
        return self.temporary(found.type, f"{found.name}/{what}")

    def temporary(self, type: TensorType, name: str) -> int:
        """Append a tensor that is no value of the source."""
        return self._append(type, self._names.made(name))

    def _append(self, type: TensorType, name: str, buffer: int = 0) -> int:
        if buffer:
            static(type.shape)
        if any(isinstance(size, int) and size not in INTEGERS for size in type.shape):
            raise error("B003", f"a tensor would be {type}, but TFLite's sizes are integers of 32 bits")
        number = len(self.graph.tensors)
        self.graph.tensors.append(Tensor(type, name, buffer))
        return number


INTEGERS = range(-(2**31), 2**31)
"""What the schema's fields hold."""


def _check_options(op: Op, options: Options | CustomOptions | None) -> None:
    """Check that numbers in a builtin's options have room in the file.

    Raises:
        CompileError: B001, one has none.
    """
    if not isinstance(options, Options):
        return
    for name, value in options.fields.items():
        for number in cast(tuple[Any, ...], value) if isinstance(value, tuple) else (value,):
            if isinstance(number, int) and number not in INTEGERS:
                raise op.fail("B001", f"{name} would be {number}, but TFLite's options are integers of 32 bits")


def _call(op: Op, tables: Sequence[Table[Call]]) -> tuple[str, Call]:
    found = (table.legal(op) for table in tables)
    row = next((row for row in found if isinstance(row, Row)), None) or row_of(tables[-1], op)
    return row.kernel, row.call(op)


def _needed(region: Region, calls: dict[Op, tuple[str, Call]]) -> set[Op]:
    """The operations that the region's results and sizes are computed from, as the calls read them."""
    needed: set[Op] = set()
    work = [v.owner for v in region.returns] + [op.x.owner for op in region.ops if isinstance(op, BindSizes)]
    while work:
        op = work.pop()
        if op is None or op in needed or op not in calls:
            continue
        needed.add(op)
        call = calls[op][1]
        work += [v.owner for v in call.inputs if isinstance(v, Value)]
        inside = (v for r in call.regions for inner in r.walk() for v in inner.operands if v is not None)
        work += [v.owner for v in inside if not is_stored_weight(v)]
    return needed


def _numbered(given: Options | CustomOptions | None, bodies: list[_Builder]) -> Options | CustomOptions | None:
    """Replace regions by the numbers of their subgraphs."""
    if not isinstance(given, Options) or not bodies:
        return given
    numbers = iter(b.index for b in bodies)
    fields = {k: next(numbers) if isinstance(v, Region) else v for k, v in given.fields.items()}
    return Options(given.table, fields)
