"""An operator as a device's table sees it, in a file or before there is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from ....compiler.constants import is_weight
from ....compiler.dims import is_static, static, symbol
from ....compiler.fold import constant
from ....compiler.ir import Op, Value
from ....compiler.types import Array, DType, TensorType
from ....compiler.weights import Weight
from ....formats.tflite.constants import DTYPES, constant_weight, element_type
from ....formats.tflite.contents import Contents, StoredGraph, StoredTensor
from ....formats.tflite.model import Options, Quantization
from ....formats.tflite.schema import snake_case
from ....formats.tflite.tensors import TENSOR_TYPES
from ...common.table import Row
from ..calls import Call, Dims, Operand, Stored, Unfolded
from ..quantization import QUANTIZED, quantization_of
from ..table import TABLE


@dataclass(frozen=True)
class Tensor:
    """A tensor that an operator reads or writes; ``weight`` is what the file holds of a constant.

    ``writer`` looks for the operator that computes it, ``readers`` for those that read it in a file; two tensors with
    one ``key`` are the same; ``is_output`` says that the file gives it.
    """

    type: TensorType
    weight: Weight | None = None
    quantization: Quantization | None = None
    writer: Callable[[], Use | None] = field(default=lambda: None, repr=False)
    key: object = field(default=None, repr=False)
    readers: Callable[[], Sequence[Use]] = field(default=lambda: (), repr=False)
    is_output: bool = False

    @property
    def is_constant(self) -> bool:
        """Whether the file holds its elements, so that it is a constant."""
        return self.weight is not None

    @property
    def elements(self) -> Array | None:
        """The elements of a constant; None if the tensor is computed."""
        return None if self.weight is None else self.weight.array()


@dataclass(frozen=True)
class Use:
    """A builtin with what it reads (None: left out) and writes; options by the schema's names."""

    builtin: str
    version: int
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    options: Mapping[str, Any]

    def input(self, slot: int) -> Tensor | None:
        """Return what is read in a slot, None if nothing is."""
        return self.inputs[slot] if slot < len(self.inputs) else None

    @property
    def data(self) -> Tensor | None:
        """What the builtin works on: mostly its first operand."""
        return self.input(DATA.get(self.builtin, 0))

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All tensors that the operator reads and writes."""
        return (*(t for t in self.inputs if t is not None), *self.outputs)

    def option(self, name: str, default: Any = 0) -> Any:
        """Return an option, or its default where the file leaves it out."""
        return self.options.get(name, default)

    def quantized(self) -> Use:
        """Return the same with integers of 8 bits in place of floats."""
        inputs = tuple(None if t is None else _quantized(t) for t in self.inputs)
        return replace(self, inputs=inputs, outputs=tuple(map(_quantized, self.outputs)))

    @cached_property
    def is_static(self) -> bool:
        """Whether all sizes of all its tensors are numbers."""
        return all(is_static(t.type.shape) for t in self.tensors)


def _quantized(tensor: Tensor) -> Tensor:
    if not tensor.type.dtype.is_float:
        return tensor
    return replace(tensor, type=tensor.type.with_dtype(DType.I8), quantization=Quantization((1.0,), (0,)))


DATA = {"SPLIT": 1, "TRANSPOSE_CONV": 2, "SELECT_V2": 1, "SELECT": 1, "SCATTER_ND": 1, "EMBEDDING_LOOKUP": 1}
"""In which slot the data stands, where that is not the first one."""


def of_operation(row: Row[Call], op: Op) -> Use:
    """Return how the builtin of a row is used for an operation."""
    call = row.call(op)
    given: Mapping[str, Any] = call.options.fields if isinstance(call.options, Options) else {}
    results, _ = call.results(op)
    return Use(
        row.kernel,
        call.version,
        tuple(map(_of_operand, call.inputs)),
        tuple(map(_of_value, results)),
        {snake_case(name): _plain(value) for name, value in given.items()},
    )


def _plain(value: object) -> object:
    return TENSOR_TYPES[value] if isinstance(value, DType) else value


def _of_operand(operand: Operand) -> Tensor | None:
    match operand:
        case None:
            return None
        case Weight():
            return Tensor(operand.type, operand)
        case Dims():
            type = TensorType(operand.dtype, (len(operand.values),) if operand.shape is None else operand.shape)
            if not is_static(operand.values):
                return Tensor(type)
            sizes = np.asarray(operand.values, operand.dtype.numpy).reshape(static(type.shape))
            return Tensor(type, Weight.of(sizes))
        case Stored():
            return Tensor(operand.weight.type, operand.weight, operand.quantization)
        case Unfolded():
            return Tensor(operand.stored.weight.type.with_dtype(DType.F32), operand.stored.weight)
        case Value():
            return _of_value(operand)


def _of_value(value: Value) -> Tensor:
    scales = quantization_of(value) if value.type.dtype in QUANTIZED else None
    weight = constant(value)
    if weight is None and is_weight(value) and value.owner is not None:
        weight = constant(value.owner.operands[0])  # what a kernel unfolds once
    return Tensor(value.type, weight, scales, lambda: _writer(value), value)


def _writer(value: Value) -> Use | None:
    """Return the operator that computes a value, as any runtime would run it."""
    if value.owner is None:
        return None
    found = TABLE.legal(value.owner)
    return of_operation(found, value.owner) if isinstance(found, Row) else None


def of_graph(contents: Contents, graph: StoredGraph) -> list[Use]:
    """Return the uses of builtins of a subgraph in a file, in its order."""
    writers = {tensor: number for number, op in enumerate(graph.operators) for tensor in op.info.outputs}
    readers: dict[int, list[int]] = {}
    for place, op in enumerate(graph.operators):
        for number in op.info.inputs:
            readers.setdefault(number, []).append(place)
    uses: list[Use] = []

    def tensor(number: int) -> Tensor | None:
        if number < 0:
            return None
        writer = writers.get(number)
        found = _of_stored(contents, graph.tensors[number], lambda: None if writer is None else uses[writer])
        return replace(
            found,
            key=number,
            readers=lambda: [uses[place] for place in readers.get(number, ())],
            is_output=number in graph.outputs,
        )

    for op in graph.operators:
        inputs, outputs = (tuple(map(tensor, numbers)) for numbers in (op.info.inputs, op.info.outputs))
        written = tuple(t for t in outputs if t is not None)
        uses.append(Use("CUSTOM" if op.is_custom else op.name, op.info.version, inputs, written, op.options))
    return uses


def _of_stored(contents: Contents, tensor: StoredTensor, writer: Callable[[], Use | None]) -> Tensor:
    shape = tuple(d if d >= 0 else symbol(f"d{axis}") for axis, d in enumerate(tensor.info.shape))
    if tensor.info.dtype not in DTYPES:
        return Tensor(TensorType(DType.STRING, shape), writer=writer)  # handles, which no device but micro takes
    type = TensorType(element_type(tensor), shape)
    weight = constant_weight(contents, tensor) if tensor.is_constant and tensor.place is not None else None
    return Tensor(type, weight, tensor.quantization, writer)
