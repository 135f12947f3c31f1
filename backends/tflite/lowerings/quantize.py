"""Integers that stand for numbers: what moves them, and those that are weights."""

from __future__ import annotations

from typing import cast

import numpy as np

from ....compiler.fold import constant
from ....compiler.ir import Op, Value
from ....compiler.ops import arith
from ....compiler.ops.core import Const
from ....compiler.ops.index import Gather
from ....compiler.ops.linear import Linear, MatMul
from ....compiler.ops.quantize import Dequantize, Quantize
from ....compiler.ops.recurrent import Recurrent
from ....compiler.ops.shape import Pad, Reshape, Transpose
from ....compiler.ops.window import AveragePool, Conv, ConvTranspose, MaxPool, holds_elements
from ....compiler.types import Array, DType
from ....formats.tflite.model import Quantization
from ..hybrid import is_block_weight
from ..lowering import Build, improve
from ..quantization import SAME_SCALE, data_operands, keeps_scales, stated
from ..signed import is_uneven
from ..table import demands_of, gives_integers, runs_on_integers

IMAGES = 4
"""Rank of a batch of images: filters over volumes are cut into layers, which would be done in every call."""

READERS = (Conv, ConvTranspose, Linear, MatMul, Gather, Reshape, Transpose, Recurrent)
"""What reads weights that are integers: XNNPACK unfolds them once, or they are moved as integers.

Recurrent layers that are no kernels become products.
"""


@improve(Dequantize, benefit=2)
def store_numbers(op: Dequantize, e: Build) -> None:
    """Constants become the numbers that they stand for, where no kernel would unfold them once for all calls."""
    weight, scale, zero = (constant(v) for v in (op.x, op.scale, op.zero))
    if weight is None or scale is None or zero is None:
        return
    is_unfolded = op.x.type.rank <= IMAGES and _is_unfolded(op.result) and stated(op) is not None
    if is_unfolded or runs_on_integers(op.result) or is_block_weight(op) is None:
        return
    e.replace(e.constant(weight.derive(op.result.type, Dequantize.evaluate, scale, zero)))


def _is_unfolded(numbers: Value) -> bool:
    return all(isinstance(user, READERS) and not _is_fused(user) for user in numbers.users)


def _is_fused(op: Op) -> bool:
    return isinstance(op, Recurrent) and op.strategy == "fused"


@improve(Gather)
def gather_integers(op: Gather, e: Build) -> None:
    """Look up integers and scale what was found: a table is larger."""
    writer = op.x.owner
    if not isinstance(writer, Dequantize) or writer.x.type.shape != op.x.type.shape:
        return
    scale, zero = constant(writer.scale), constant(writer.zero)
    if constant(writer.x) is None or scale is None or zero is None or zero.type.size != 1:
        return
    if scale.type.size == 1:
        found = e.clone(op, writer.x, op.indices)
        e.replace(e(Dequantize, found, e.reshape(writer.scale, ()), e.reshape(writer.zero, ())))
    elif op.axis == 0 and scale.type.shape[:1] == (scale.type.size,) and not zero.array().any():
        found = e(arith.Cast, e.clone(op, writer.x, op.indices), to=scale.type.dtype)
        e.replace(e(arith.Mul, found, e.clone(op, writer.scale, op.indices)))


@improve(*SAME_SCALE)
def move_integers(op: Op, e: Build) -> None:
    """Move integers, not the numbers that they stand for: a quarter of the bytes, and kernels on integers read them."""
    writers = [v.owner for v in data_operands(op)]
    if not keeps_scales(op) or not all(isinstance(w, Dequantize) and constant(w.x) is None for w in writers):
        return
    found = cast(list[Dequantize], writers)
    own, dtype = stated(found[0]), found[0].x.type.dtype
    if own is None or len(own.scales) > 1:
        return
    if any(stated(w) != own or w.x.type != w.result.type.with_dtype(dtype) for w in found):
        return
    moved = on_integers(op, [w.x for w in found], own, found[0].x.type.dtype, e, is_exact=True)
    if moved is not None:
        e.replace(*(e(Dequantize, r, found[0].scale, found[0].zero) for r in moved))


@improve(Quantize)
def round_before_moving(op: Quantize, e: Build) -> None:
    """Quantize what is moved where that lets a kernel on integers give it."""
    inner, own = op.x.owner, stated(op)
    if inner is None or not keeps_scales(inner) or len(inner.results) > 1 or not op.x.has_one_use:
        return
    if own is None or len(own.scales) > 1 or not all(_is_near_integers(v) for v in data_operands(inner)):
        return
    if op.x.type.shape != op.result.type.shape:
        return  # a scale of more axes makes more of them
    rounded = [e(Quantize, v, op.scale, op.zero, dtype=op.dtype) for v in data_operands(inner)]
    moved = on_integers(inner, rounded, own, op.dtype, e, is_exact=False)
    if moved is not None:
        e.replace(*moved)


@improve(Quantize, steps=1)
def round_twice(op: Quantize, e: Build) -> None:
    """Let a kernel give the only scale that it can, and requantize to a coarser one: that costs one step at most."""
    inner, own = op.x.owner, stated(op)
    if inner is None or own is None or op.scale.type.size != 1 or not op.x.has_one_use or op.dtype is DType.U8:
        return
    demands = demands_of(inner)
    found = None if demands is None or op.dtype not in demands.types else demands.scale_of_result(inner, op.dtype)
    if found is None or found == (own.scales[0], own.zeros[0]) or found[0] > own.scales[0] * FINER:
        return
    scale, zero = e.constant(np.asarray(found[0], np.float32)), e.constant(np.asarray(found[1], np.int32))
    rounded = Quantize(e.clone(inner, *inner.operands), scale, zero, op.dtype)
    e.rw.insert(rounded)
    if gives_integers(rounded):
        e.replace(e(Quantize, e(Dequantize, rounded.result, scale, zero), op.scale, op.zero, dtype=op.dtype))


FINER = 1.001
"""How much coarser the scale between two roundings may be: a result whose largest number is not quite 1 has 1 / 256."""


def _is_near_integers(x: Value) -> bool:
    """Whether a value is computed from integers, moved or not, or is constant."""
    writer = x.owner
    if writer is None:
        return False
    near = (v.owner for v in writer.operands if v is not None)
    return (
        isinstance(writer, Dequantize | Const) or keeps_scales(writer) or any(isinstance(w, Dequantize) for w in near)
    )


def on_integers(
    op: Op, integers: list[Value], own: Quantization, dtype: DType, e: Build, *, is_exact: bool
) -> list[Value] | None:
    """Insert what moves integers as ``op`` moves numbers, if there is a kernel; ``is_exact`` rounds no filling."""
    if isinstance(op, MaxPool | AveragePool) and not holds_elements(op):
        return None
    attributes: dict[str, object] = {}
    if isinstance(op, Pad) and op.mode == "constant":
        filling = Quantize.evaluate(
            np.asarray(op.value, np.float32),
            np.asarray(own.scales[0], np.float32),
            np.asarray(own.zeros[0]),
            dtype=dtype,
        )
        if is_exact and (int(filling) - own.zeros[0]) * own.scales[0] != op.value:
            return None
        attributes["value"] = float(filling)
    given = iter(integers)
    data = {id(v) for v in data_operands(op)}
    moved = op.clone([next(given) if id(v) in data else v for v in op.operands], **attributes)
    if e.target.is_legal(moved):
        return list(e.each(moved))
    moved.drop_operands()
    return None


@improve(Quantize, benefit=3)
def there_and_back(op: Quantize, e: Build) -> None:
    """Integers that become numbers and the same integers again stay as they are."""
    writer, own = op.x.owner, stated(op)
    if not isinstance(writer, Dequantize) or own is None or writer.x.type != op.result.type:
        return
    if own == stated(writer) and all(SMALLEST < s < LARGEST for s in own.scales):
        e.replace(writer.x)


SMALLEST, LARGEST = 2.0**-100, 2.0**100
"""Between these, an integer times a scale by the scale is the integer again, but for less than a half."""


@improve(Dequantize, benefit=3)
def sign_weights(op: Dequantize, e: Build) -> None:
    """Weights of u8 are those of i8 with another zero point, which XNNPACK takes."""
    weight = constant(op.x)
    if weight is None or op.x.type.dtype is not DType.U8 or is_uneven(op):
        return
    signed = e.constant(weight.derive(op.x.type.with_dtype(DType.I8), _signed))
    e.replace(e(Dequantize, signed, op.scale, e(arith.Sub, e(arith.Cast, op.zero, to=DType.I32), 128)))


def _signed(weight: Array) -> Array:
    return (weight ^ 0x80).view(np.int8)
