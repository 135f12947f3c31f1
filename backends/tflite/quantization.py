"""Scales in files: tensors of integers state what numbers they stand for."""

from __future__ import annotations

from dataclasses import replace

from ...compiler.fold import constant
from ...compiler.ir import Value
from ...compiler.ops.quantize import Dequantize, Quantize
from ...compiler.ops.shape import Reshape, Transpose
from ...compiler.types import DType
from ...formats.tflite.model import Quantization

QUANTIZED = (DType.I8, DType.U8, DType.I16)
"""Element types whose tensors can state scales."""


def stated(op: Quantize | Dequantize) -> Quantization | None:
    """Return what an operation says about its integers; None if that is computed, or differs along several axes."""
    scale, zero = constant(op.scale), constant(op.zero)
    if scale is None or zero is None or scale.type.dtype is not DType.F32:
        return None
    rank, shape = op.x.type.rank, scale.type.shape
    axes = [rank - len(shape) + i for i, d in enumerate(shape) if d != 1]
    if len(axes) > 1 or zero.type.size not in (1, scale.type.size):
        return None
    scales = tuple(map(float, scale.array().reshape(-1)))
    zeros = tuple(map(int, zero.array().reshape(-1)))
    return Quantization(scales, zeros * (len(scales) // len(zeros)), axes[0] if axes else 0)


def quantization_of(value: Value) -> Quantization | None:
    """Return what integers stand for: as their writer says, else as a reader does."""
    writer = value.owner
    if isinstance(writer, Quantize):
        return stated(writer)
    if isinstance(writer, Reshape | Transpose):
        found = quantization_of(writer.x)
        return found if found is None or len(found.scales) == 1 else None
    readers = [use.op for use in value.uses if isinstance(use.op, Dequantize)]
    return stated(readers[0]) if readers else None


def is_consistent(op: Quantize | Dequantize) -> bool:
    """Whether nobody else says something else about the same integers."""
    integers = op.result if isinstance(op, Quantize) else op.x
    own = stated(op)
    readers = [use.op for use in integers.uses if isinstance(use.op, Dequantize)]
    return own == quantization_of(integers) and all(stated(r) == own for r in readers)


def unfolding(op: Dequantize, axis: int) -> tuple[Quantization | None, int]:
    """Return the scales of a constant whose scales differ along another ``axis`` once it is permuted, and the version.

    Numbers of 16 bits have none.
    """
    if op.x.type.dtype.is_float:
        return None, 3
    found = stated(op)
    if found is None or len(found.scales) == 1:
        return found, 2
    return replace(found, axis=axis), 5
