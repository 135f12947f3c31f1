"""Integers that are weights."""

from __future__ import annotations

from math import prod

import numpy as np

from ....compiler.dims import static
from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops import arith
from ....compiler.ops.index import Gather
from ....compiler.ops.linear import Linear, MatMul
from ....compiler.ops.quantize import Dequantize
from ....compiler.ops.shape import Reshape, Transpose
from ....compiler.ops.window import Conv, ConvTranspose
from ....compiler.types import Array, DType
from ..lowering import Build, improve

IMAGES = 4
"""Rank of a batch of images: filters over volumes are cut into layers, which would be done in every call."""

READERS = (Conv, ConvTranspose, Linear, MatMul, Gather, Reshape, Transpose)
"""What reads weights that are integers: XNNPACK unfolds them once, or they are moved as integers."""


@improve(Dequantize, benefit=2)
def store_numbers(op: Dequantize, e: Build) -> None:
    """Constants become the numbers that they stand for, where no kernel would unfold them once for all calls."""
    weight, scale, zero = (constant(v) for v in (op.x, op.scale, op.zero))
    if weight is None or scale is None or zero is None:
        return
    if not all(isinstance(user, READERS) and op.x.type.rank <= IMAGES for user in op.result.users):
        e.replace(e.constant(weight.derive(op.result.type, Dequantize.evaluate, scale, zero)))


@improve(Gather)
def gather_integers(op: Gather, e: Build) -> None:
    """Look up integers and scale what was found: a table is larger."""
    writer = op.x.owner
    if not isinstance(writer, Dequantize) or writer.x.type.shape != op.x.type.shape:
        return
    if constant(writer.x) is not None and writer.scale.type.size == 1 == writer.zero.type.size:
        found = e.clone(op, writer.x, op.indices)
        e.replace(e(Dequantize, found, e.reshape(writer.scale, ()), e.reshape(writer.zero, ())))


@improve(Reshape, Transpose)
def move_integers(op: Reshape | Transpose, e: Build) -> None:
    """Turn weights while they are integers: XNNPACK takes for a weight what DEQUANTIZE makes of a constant."""
    writer = op.x.owner
    if not isinstance(writer, Dequantize) or constant(writer.x) is None or writer.x.type.shape != op.x.type.shape:
        return
    scale, zero = (_moved(op, v, e) for v in (writer.scale, writer.zero))
    if scale is not None and zero is not None:
        e.replace(e(Dequantize, e.clone(op, writer.x), scale, zero))


def _moved(op: Reshape | Transpose, v: Value, e: Build) -> Value | None:
    """Return what broadcasts to the result as ``v``, of one number per position of an axis, does to the operand."""
    if v.type.size == 1:
        return e.reshape(v, ())
    before, after = static(op.x.type.shape), static(op.result.type.shape)
    wide = e.reshape(v, (*(1,) * (len(before) - v.type.rank), *v.type.shape))
    if isinstance(op, Transpose):
        return e.transpose(wide, op.perm)
    places = [i for i, d in enumerate(wide.type.shape) if d != 1]
    axis = next((i for i, d in enumerate(after) if d != 1 and prod(after[:i]) == prod(before[: places[0]])), None)
    if len(places) != 1 or axis is None or after[axis] != before[places[0]]:
        return None
    return e.reshape(v, [d if i == axis else 1 for i, d in enumerate(after)])


@improve(Dequantize)
def sign_weights(op: Dequantize, e: Build) -> None:
    """Weights of u8 are those of i8 with another zero point, which XNNPACK takes."""
    weight = constant(op.x)
    if weight is None or op.x.type.dtype is not DType.U8:
        return
    signed = e.constant(weight.derive(op.x.type.with_dtype(DType.I8), _signed))
    e.replace(e(Dequantize, signed, op.scale, e(arith.Sub, e(arith.Cast, op.zero, to=DType.I32), 128)))


def _signed(weight: Array) -> Array:
    return (weight ^ 0x80).view(np.int8)
