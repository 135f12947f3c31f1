"""Integers of u8 as those of i8: kernels on integers compute with i8, whose zero point is 128 smaller.

Every number stays what it is.  Inputs and outputs keep their type; they are converted where kernels read or give them.
"""

from __future__ import annotations

import numpy as np

from ...compiler.diagnostics import at
from ...compiler.fold import constant
from ...compiler.ir import Module, Op, Value
from ...compiler.lowering import Build
from ...compiler.ops.core import Const
from ...compiler.ops.linear import Linear, MatMul
from ...compiler.ops.quantize import Dequantize, Quantize
from ...compiler.ops.shape import Pad
from ...compiler.ops.window import Conv, ConvTranspose
from ...compiler.rewrite import Rewriter, erase_dead
from ...compiler.scales import OFFSET
from ...compiler.types import DType
from ..common.target import Target
from .quantization import data_operands, keeps_scales, moved_group, stated

WEIGHTED = (Conv, ConvTranspose, Linear, MatMul)
"""What has weights."""


def sign(target: Target, module: Module) -> None:
    """Replace u8 by i8 wherever integers are only moved between those that quantize and those that dequantize.

    Weights of u8 whose zero points are not in the middle have kernels beside data of u8 only: then all stays u8.
    """
    if any(map(is_uneven, module.walk())):
        return
    _separate(target, module)
    done: set[Value] = set()
    for op in list(module.walk()):
        if not isinstance(op, Quantize) or op.result.type.dtype is not DType.U8 or op.result in done:
            continue
        group = moved_group(op.result)
        done.update(group)
        if all(map(_is_inside, group)) and _has_kernels(group):
            _convert(target, group)


def is_uneven(op: Op) -> bool:
    """Whether an operation is a weight of u8 that must stay one."""
    if not isinstance(op, Dequantize) or op.x.type.dtype is not DType.U8 or constant(op.x) is None:
        return False
    found = stated(op)
    return found is not None and found.zeros != (OFFSET,) and len(found.scales) == 1 and reads_bytes(op.result)


def reads_bytes(weight: Value) -> bool:
    """Whether a weight, moved or not, is read beside data of u8 by what gives u8."""
    readers = [r for user in weight.users if keeps_scales(user) for r in user.results]
    if readers:
        return all(map(reads_bytes, readers))
    found = [user for user in weight.users if isinstance(user, WEIGHTED)]
    return bool(found) and all(_reads_bytes(op, weight) and _is_quantized_again(op.result, 1) for op in found)


def _reads_bytes(op: Op, weight: Value) -> bool:
    others = [v for v in op.operands[:2] if v is not None and v is not weight]
    return all(_is_unsigned(v) for v in others)


def _is_unsigned(x: Value) -> bool:
    """Whether numbers are those that computed integers of u8 stand for, moved or not."""
    writer = x.owner
    if isinstance(writer, Dequantize):
        return writer.x.type.dtype is DType.U8
    return writer is not None and keeps_scales(writer) and all(map(_is_unsigned, data_operands(writer)))


def _is_inside(value: Value) -> bool:
    """Whether nobody sees the integers themselves."""
    writer = value.owner
    is_known = keeps_scales(writer) or (isinstance(writer, Quantize) and _is_uniform(writer))
    return is_known and all(
        keeps_scales(user) or (isinstance(user, Dequantize) and _is_uniform(user)) for user in value.users
    )


def _has_kernels(group: dict[Value, None]) -> bool:
    """Whether something computes these integers from others, or others from these."""
    written = any(isinstance(v.owner, Quantize) and _is_computed(v.owner.x) for v in group)
    return written or any(
        isinstance(user, Dequantize) and _is_quantized_again(user.result) for v in group for user in v.users
    )


def _is_uniform(op: Quantize | Dequantize) -> bool:
    found = stated(op)
    return found is not None and len(found.scales) == 1


def _convert(target: Target, group: dict[Value, None]) -> None:
    """Change the type of integers that are moved into each other, and what quantizes and dequantizes them."""
    readers = dict.fromkeys(user for value in group for user in value.users if isinstance(user, Dequantize))
    for value in group:
        value.type = value.type.with_dtype(DType.I8)
    for value in group:
        if isinstance(value.owner, Quantize):
            _replace(target, value.owner, dtype=DType.I8)
        elif isinstance(value.owner, Pad) and value.owner.mode == "constant":
            _refill(target, value.owner)
    for reader in readers:
        _replace(target, reader)


def _builder(target: Target, op: Op) -> Build:
    assert op.parent is not None
    return Build(Rewriter(op, op.parent), target)


def _signed_zero(op: Quantize | Dequantize, e: Build) -> Value:
    zero = constant(op.zero)
    assert zero is not None
    return e.constant(zero.array().astype(np.int32) - OFFSET)


def _replace(target: Target, op: Quantize | Dequantize, **attributes: DType) -> None:
    with at(op.location):
        e = _builder(target, op)
        e.replace(e.clone(op, op.operands[0], op.scale, _signed_zero(op, e), **attributes))
        erase_dead(op)


def _refill(target: Target, op: Pad) -> None:
    with at(op.location):
        e = _builder(target, op)
        e.replace(e.clone(op, op.x, value=op.value - OFFSET))
        erase_dead(op)


def _separate(target: Target, module: Module) -> None:
    """Convert inputs and outputs of u8 where kernels on integers could read or give them."""
    for op in list(module.walk()):
        if isinstance(op, Quantize) and op.dtype is DType.U8 and _is_uniform(op) and _is_computed(op.x):
            if not all(map(_is_inside, moved_group(op.result))):
                _insert(target, op, op.x)
        elif isinstance(op, Dequantize) and op.x.type.dtype is DType.U8 and _is_uniform(op):
            group = moved_group(op.x)
            is_variable = not any(isinstance(v.owner, Const) for v in group)
            if is_variable and not all(map(_is_inside, group)) and _is_quantized_again(op.result):
                _insert(target, op, None)


def _insert(target: Target, op: Quantize | Dequantize, x: Value | None) -> None:
    """Round to i8 and back before what rounds to u8, or after what was rounded to it: no number changes."""
    with at(op.location):
        e = _builder(target, op)
        zero = _signed_zero(op, e)
        own = x if x is not None else e.clone(op, op.x, op.scale, op.zero)
        there = e(Quantize, own, op.scale, zero, dtype=DType.I8)
        back = e(Dequantize, there, op.scale, zero)
        e.replace(back if x is None else e.clone(op, back, op.scale, op.zero))
        erase_dead(op)


def _is_computed(x: Value) -> bool:
    """Whether numbers are computed from integers."""
    writer = x.owner
    if writer is None:
        return False
    if keeps_scales(writer):
        return any(map(_is_computed, data_operands(writer)))
    return any(v is not None and isinstance(v.owner, Dequantize) for v in writer.operands)


def _is_quantized_again(x: Value, steps: int = 2) -> bool:
    """Whether numbers are quantized after at most so many operations, not counting what moves them."""
    return any(_leads_to_integers(user, steps) for user in x.users)


def _leads_to_integers(op: Op, steps: int) -> bool:
    if isinstance(op, Quantize):
        return steps < 2
    left = steps if keeps_scales(op) else steps - 1
    return left >= 0 and any(_is_quantized_again(r, left) for r in op.results)
