"""What onnxruntime's recurrent layer of 8 bits rounds itself, as the IR has it: quantized and dequantized again."""

from __future__ import annotations

from functools import partial

import numpy as np

from ....compiler.dims import static
from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops.quantize import Dequantize, DynamicQuantize
from ....compiler.ops.shape import Reshape, Transpose
from ....compiler.types import Array, DType, TensorType
from ....compiler.weights import Weight
from ..table import Dims, Nested, Operand


def rounded(value: Value) -> Operand:
    """Return the numbers that a value is when rounded by the range of all of them; None if it is something else.

    What only moves the integers moves the numbers instead.
    """
    match value.owner:
        case Dequantize(x=x, scale=scale, zero=zero) if isinstance(scale.owner, DynamicQuantize):
            writer = scale.owner
            return _before(x, writer) if (scale, zero) == writer.results[1:] else None
        case _:
            return None


def _before(value: Value, writer: DynamicQuantize) -> Operand:
    """Return numbers that lie as integers do that were made of them."""
    if value is writer.results[0]:
        return writer.x
    if not isinstance(value.owner, Transpose | Reshape):
        return None
    inner = _before(value.owner.x, writer)
    if inner is None:
        return None
    type = value.type.with_dtype(inner.type.dtype)
    if isinstance(value.owner, Transpose):
        return Nested("Transpose", type, (inner,), {"perm": value.owner.perm})
    return Nested("Reshape", type, (inner, Dims(type.shape)))


def why_no_weights(value: Value) -> str | None:
    """Return why a weight is not one of integers with one scale, or one for every row, and one zero point."""
    match value.owner:
        case Dequantize(x=x, scale=scale, zero=zero):
            known = [constant(v) for v in (x, scale, zero)]
        case _:
            return "a weight of floats"
    if None in known or x.type.dtype not in (DType.I8, DType.U8):
        return "a weight that is computed, or not of 8 bits"
    rows = x.type.shape[0]
    if scale.type.size != 1 and (scale.type.size != rows or scale.type.shape[-1] != 1):
        return "scales along another axis than the rows of a weight"
    points = constant(zero)
    assert points is not None
    array = points.array()
    low, high = x.type.dtype.bounds
    return None if np.ptp(array) == 0 and low <= array.flat[0] <= high else "several zero points of a weight"


def integers_of(value: Value) -> tuple[Weight, Weight, Weight]:
    """Return a weight's integers, columns for gates, then its scales and its zero points.

    Raises:
        TypeError: the value is not a dequantized constant.
    """
    if not isinstance(value.owner, Dequantize):
        raise TypeError(f"{value.type} is not a weight of integers")
    x, scale, zero = (constant(v) for v in value.owner.operands)
    assert x is not None and scale is not None and zero is not None
    rows, columns = x.type.shape
    shape = () if scale.type.size == 1 else (rows,)
    scales, points = scale.type.with_shape(shape), x.type.with_shape(shape)
    return (
        x.derive(x.type.with_shape((columns, rows)), np.transpose),
        scale.derive(scales, partial(_in_shape, type=scales)),
        zero.derive(points, partial(_in_shape, type=points)),
    )


def _in_shape(array: Array, *, type: TensorType) -> Array:
    """Return numbers in a shape; one that stands for all is repeated."""
    shape = static(type.shape)
    return np.broadcast_to(array.reshape(-1 if shape else ()), shape)
