"""Integers that stand for real numbers: dequantized before an operation, quantized after it, as the file states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...compiler.ir import Region, Value
from ...compiler.ops.quantize import Dequantize, Quantize
from ...compiler.types import DType
from ...formats.tflite.constants import element_type
from ...formats.tflite.contents import Contents, StoredOperator, StoredTensor
from ...formats.tflite.model import Quantization
from ...formats.tflite.reader import ABSENT
from ..common.quantize import spread
from .emitter import Emitter
from .handles import Imported

QUANTIZED = frozenset({DType.I2, DType.I4, DType.I8, DType.U8, DType.I16, DType.I32, DType.I64, DType.U4})
"""Element types whose scales say what they stand for; those of 32 bits and more are biases."""


def is_quantized(tensor: StoredTensor) -> bool:
    """Say whether a tensor's integers stand for real numbers."""
    is_stated = tensor.quantization is not None or tensor.blocks is not None
    return is_stated and tensor.info.dtype not in ("FLOAT32", "FLOAT16") and element_type(tensor) in QUANTIZED


HYBRID = frozenset(
    {
        "BATCH_MATMUL",
        "BIDIRECTIONAL_SEQUENCE_LSTM",
        "BIDIRECTIONAL_SEQUENCE_RNN",
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "FULLY_CONNECTED",
        "LSTM",
        "RNN",
        "SVDF",
        "TRANSPOSE_CONV",
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        "UNIDIRECTIONAL_SEQUENCE_RNN",
    }
)
"""Builtins whose kernels, given numbers and weights that are integers, round the numbers to integers as well."""


def rounding(name: str, tensors: Sequence[StoredTensor | None]) -> str | None:
    """Return how a kernel computes where the import has numbers: "hybrid", in "integers", or None for exactly so."""
    found = [t for t in tensors if t is not None and is_quantized(t)]
    if not all(t.is_constant for t in found):
        return "integers"
    return "hybrid" if name in HYBRID and found else None


def hybrid_builtins(contents: Contents) -> set[str]:
    """Return the builtins whose kernels round the numbers that they multiply."""
    return {
        operator.name
        for graph in contents.graphs
        for operator in graph.operators
        if rounding(operator.name, [graph.tensors[n] for n in _tensors(operator)]) == "hybrid"
    }


def _tensors(operator: StoredOperator) -> list[int]:
    return [n for n in (*operator.info.inputs, *operator.info.outputs) if n != ABSENT]


@dataclass
class Scales:
    """Inserts conversions; what integers stand for is inserted once in each region."""

    _real: dict[tuple[Region, Value], Value] = field(default_factory=lambda: dict[tuple[Region, Value], Value]())

    def real(self, emit: Emitter, value: Value, tensor: StoredTensor) -> Value:
        """Return the numbers that integers stand for; the value itself if they are what they are."""
        if tensor.quantization is None or not is_quantized(tensor):
            return value
        key = (emit.region, value)
        if key not in self._real:
            scale, zero = self._operands(emit, value, tensor.quantization, tensor.info.name)
            self._real[key] = emit(Dequantize(value, scale, zero))
        return self._real[key]

    def blocks(
        self, emit: Emitter, value: Value, tensor: StoredTensor, find: Callable[[int], Imported | None]
    ) -> Value:
        """Return the numbers that integers stand for whose scales count for blocks along the last axis."""
        assert tensor.blocks is not None
        key = (emit.region, value)
        if key not in self._real:
            scales = find(tensor.blocks.scales)
            zeros = None if tensor.blocks.zeros is None else find(tensor.blocks.zeros)
            if not isinstance(scales, Value) or (tensor.blocks.zeros is not None and not isinstance(zeros, Value)):
                raise emit.fail(f"reads {tensor.info.name!r}, whose scales are no tensor", code="F006")
            axis, size = value.type.rank - 1, tensor.blocks.size
            scale = spread(emit, emit.cast(scales, DType.F32), value, axis, size)
            zero = emit.const(0, DType.I32) if not isinstance(zeros, Value) else emit.cast(zeros, DType.I32)
            self._real[key] = emit(Dequantize(value, scale, spread(emit, zero, value, axis, size)))
        return self._real[key]

    def stored(self, emit: Emitter, value: Value, tensor: StoredTensor) -> Value:
        """Return the integers that stand for numbers; the value itself if the file states no scale."""
        if tensor.quantization is None or not is_quantized(tensor) or not value.type.dtype.is_float:
            return value
        scale, zero = self._operands(emit, value, tensor.quantization, tensor.info.name)
        integers = emit(Quantize(value, scale, zero, element_type(tensor)))
        integers.name = tensor.info.name or None
        return integers

    @staticmethod
    def _operands(emit: Emitter, value: Value, given: Quantization, name: str) -> tuple[Value, Value]:
        """Return the scale and the zero point of a tensor, one for all or one per position of an axis."""
        rank, axis = value.type.rank, given.axis
        shape: tuple[int, ...] = ()
        if len(given.scales) > 1:
            if not 0 <= axis < rank or value.type.shape[axis] != len(given.scales):
                text = f"has {len(given.scales)} scales for axis {axis} of {name!r}, which is {value.type}"
                raise emit.fail(text, code="F016", help="The file is damaged.")
            shape = (len(given.scales), *[1] * (rank - 1 - axis))
        zeros = np.asarray(given.zeros if any(given.zeros) else given.zeros[:1])
        scale = emit.const(np.asarray(given.scales, np.float32).reshape(shape))
        return scale, emit.const(zeros.reshape(shape if zeros.size > 1 else ()), DType.I32)
