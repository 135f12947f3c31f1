"""Rows for integers that stand for real numbers."""

from __future__ import annotations

from functools import partial

import numpy as np

from ....compiler.dims import static
from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops import quantize as ir
from ....compiler.scales import common_run
from ....compiler.types import Array, DType, TensorType
from ....compiler.weights import Weight
from ....formats.onnx.tensors import number_of
from ..table import Call, Nested, Operand, condition, emits


@condition("a scale for all, one per position along an axis, or one per block of a constant matrix")
def _one_axis(op: ir.Quantize | ir.Dequantize) -> str | None:
    axes = _axes(op.scale)
    if isinstance(op, ir.Dequantize) and _blocks(op) is not None:
        return None
    if len(axes) > 1 or op.result.type.shape != op.x.type.shape:
        return "scales along several axes, or along one that the data has not"
    if op.zero.type.size != 1 and op.zero.type.size != op.scale.type.size:
        return "zero points along other axes than the scale"
    return None if op.zero.type.size == 1 or _axes(op.zero) == axes else "zero points along another axis than the scale"


def _axes(value: Value) -> list[int]:
    """The axes along which there are several, counted from the end."""
    return [i - value.type.rank for i, d in enumerate(value.type.shape) if d != 1]


@condition("zero points that the element type has")
def _fitting_zero(op: ir.Quantize | ir.Dequantize) -> str | None:
    weight, dtype = constant(op.zero), _integers(op)
    if weight is None:
        return None if op.zero.type.dtype is dtype else f"zero points of {op.zero.type.dtype} that are computed"
    low, high = dtype.bounds
    array = weight.array()
    fits = bool(((array >= low) & (array <= high)).all())
    return None if fits else f"a zero point that is not of the type {dtype}"


def _integers(op: ir.Quantize | ir.Dequantize) -> DType:
    return op.dtype if isinstance(op, ir.Quantize) else op.x.type.dtype


def _blocks(op: ir.Dequantize) -> tuple[Weight, Weight | None, int] | None:
    """Return scales and zero points of the blocks of a constant matrix, and the axis along which these lie, or None."""
    scale, zero = constant(op.scale), constant(op.zero)
    if scale is None or zero is None or op.x.type.rank != 2 or scale.type.shape != op.x.type.shape:
        return None
    for axis in (1, 0):
        step = _step(scale, zero, axis)
        if step > 1:
            points = None if zero.type.size == 1 and not zero.array().any() else _each(zero, scale, axis, step)
            points = None if points is None else points.derive(points.type.with_dtype(op.x.type.dtype), _as_is)
            return _each(scale, scale, axis, step), points, axis
    return None


def _step(scale: Weight, zero: Weight, axis: int) -> int:
    """Return how many elements along an axis share their scales and zero points; it divides the axis, or 1."""
    return common_run(*(np.moveaxis(np.broadcast_to(w.array(), scale.array().shape), axis, -1) for w in (scale, zero)))


def _each(weight: Weight, like: Weight, axis: int, step: int) -> Weight:
    """Return the first of every ``step`` elements along an axis."""
    rows, columns = static(like.type.shape)
    shape = (rows, columns // step) if axis else (rows // step, columns)
    first = partial(_first, shape=(rows, columns), axis=axis, step=step)
    return weight.derive(weight.type.with_shape(shape), first)


def _first(array: Array, *, shape: tuple[int, int], axis: int, step: int) -> Array:
    whole = np.broadcast_to(array, shape)
    return whole[:, ::step] if axis else whole[::step]


def _as_is(array: Array) -> Array:
    return array


def _call(op: ir.Quantize | ir.Dequantize) -> Call:
    blocks = _blocks(op) if isinstance(op, ir.Dequantize) else None
    if blocks is not None:
        scales, points, axis = blocks
        size = static(op.x.type.shape)[axis] // static(scales.type.shape)[axis]
        return Call((op.x, scales, points), {"axis": axis, "block_size": size})
    axes = _axes(op.scale)
    count = op.scale.type.size if axes else 1
    shape = (count,) if axes else ()
    scale = _flat(op.scale, TensorType(op.scale.type.dtype, shape))
    zero: Operand = _flat(op.zero, TensorType(_integers(op), shape))
    if isinstance(op, ir.Dequantize) and op.x.type.dtype is DType.I32:
        zero = None
    return Call((op.x, scale, zero), {"axis": op.x.type.rank + axes[0]} if axes else {})


def _flat(value: Value, type: TensorType) -> Operand:
    """Return scales or zero points as a number, or as a vector."""
    weight = constant(value)
    if weight is not None:
        return weight.derive(type, partial(_spread, type=type))
    flat: Operand = value
    if value.type.rank != type.rank:
        shape = Weight.of(np.asarray([-1] * type.rank, np.int64))
        flat = Nested("Reshape", value.type.with_shape(type.shape), (value, shape))
    if value.type.dtype is type.dtype:
        return flat
    return Nested("Cast", type, (flat,), {"to": number_of(type.dtype)})


def _spread(array: Array, *, type: TensorType) -> Array:
    shape = tuple(d for d in type.shape if isinstance(d, int))
    flat = array.reshape(-1) if array.size > 1 or not shape else array.reshape(())
    return np.broadcast_to(flat.reshape(()) if not shape else flat, shape).astype(type.dtype.numpy)


@condition("integers of 32 bits without a zero point")
def _plain_sums(op: ir.Dequantize) -> str | None:
    if op.x.type.dtype is not DType.I32:
        return None
    zero = constant(op.zero)
    return None if zero is not None and not zero.array().any() else "integers of 32 bits with a zero point"


emits(ir.Quantize, "QuantizeLinear", when=(_one_axis, _fitting_zero))(_call)
emits(ir.Dequantize, "DequantizeLinear", when=(_one_axis, _fitting_zero, _plain_sums))(_call)
