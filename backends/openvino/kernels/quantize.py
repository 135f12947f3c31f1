"""Rows for integers that stand for real numbers."""

from __future__ import annotations

from functools import partial

import numpy as np

from ....compiler.fold import constant
from ....compiler.ir import Op, Value
from ....compiler.ops import quantize as ir
from ....compiler.types import Array, DType
from ....compiler.weights import Weight
from ..table import Call, Nested, Operand, condition, emits

INTEGERS = "i4 u4 i8 u8"
"""Types of which kernels make use."""


@condition("scales and zero points that are constants")
def _known(op: ir.Quantize | ir.Dequantize) -> str | None:
    known = constant(op.scale) is not None and constant(op.zero) is not None
    return None if known else "scales or zero points that are computed"


def _reads_back(op: ir.Quantize, user: Op) -> bool:
    if not isinstance(user, ir.Dequantize) or user.x is not op.result:
        return False
    return constant(user.scale) == constant(op.scale) and constant(user.zero) == constant(op.zero)


@condition("nothing reads the integers but what makes numbers of them by the same scale")
def _only_rounds(op: ir.Quantize) -> str | None:
    return None if all(_reads_back(op, user) for user in op.result.users) else "integers that something else reads"


@condition("integers that numbers were rounded to by the same scale")
def _rounded(op: ir.Dequantize) -> str | None:
    writer = op.x.owner
    if not isinstance(writer, ir.Quantize) or not _reads_back(writer, op):
        return "integers that are no rounded numbers"
    return _only_rounds(writer)


def _bounds(op: ir.Quantize) -> tuple[Weight, Weight]:
    """Return the least and the largest number that integers stand for, in the shape of the scale."""
    scale, zero = constant(op.scale), constant(op.zero)
    assert scale is not None and zero is not None
    shape = np.broadcast_shapes(scale.array().shape, zero.array().shape)
    type = scale.type.with_shape(shape)
    low, high = op.dtype.bounds
    return scale.derive(type, partial(_number, integer=low), zero), scale.derive(
        type, partial(_number, integer=high), zero
    )


def _number(scale: Array, zero: Array, *, integer: int) -> Array:
    return (integer - zero.astype(np.float64)) * scale


@emits(ir.Quantize, "FakeQuantize", dtypes={"x": "f32", "dtype": INTEGERS}, when=(_known, _only_rounds))
def fake_integers(op: ir.Quantize) -> Call:
    """What reads it is the same rounding, so that this is not written."""
    low, high = _bounds(op)
    return Call((op.x, low, high, low, high), {"levels": 1 << op.dtype.bits, "auto_broadcast": "numpy"})


@emits(ir.Dequantize, "FakeQuantize", dtypes={"x": INTEGERS}, when=(_known, _rounded))
def fake_quantize(op: ir.Dequantize) -> Call:
    """FakeQuantize for a pair of quantize and dequantize: as many levels as the integers in between have."""
    writer = op.x.owner
    assert isinstance(writer, ir.Quantize)
    low, high = _bounds(writer)
    return Call((writer.x, low, high, low, high), {"levels": 1 << writer.dtype.bits, "auto_broadcast": "numpy"})


@condition("constant integers of few bits, several for a scale, and a zero point of their type")
def _constant_integers(op: ir.Dequantize) -> str | None:
    if constant(op.x) is None:
        return "integers that are computed"
    if op.scale.type.shape == op.x.type.shape and op.x.type.rank:
        return "as many scales as integers"
    zero = constant(op.zero)
    assert zero is not None
    low, high = op.x.type.dtype.bounds
    array = zero.array()
    return None if ((array >= low) & (array <= high)).all() else "a zero point of another type"


@emits(ir.Dequantize, "Multiply", dtypes={"x": INTEGERS, "scale": "f32"}, when=(_known, _constant_integers))
def compressed(op: ir.Dequantize) -> Call:
    """A constant of few bits stays one: converted, moved and scaled."""
    numbers = _floats(op.x, op)
    zero = constant(op.zero)
    assert zero is not None
    if zero.array().any():
        type = op.x.type.dtype
        point = zero.derive(zero.type.with_dtype(type), _as_is)
        as_float = Nested("Convert", zero.type.with_dtype(DType.F32), (point,), {"destination_type": DType.F32})
        numbers = Nested("Subtract", op.result.type, (numbers, as_float))
    return Call((numbers, op.scale))


def _as_is(array: Array) -> Array:
    return array


def _floats(value: Value, op: ir.Dequantize) -> Operand:
    to = op.scale.type.dtype
    return Nested("Convert", value.type.with_dtype(to), (value,), {"destination_type": to})
