"""Types of 64 bits that kernels lack, by their bits: those of u64 add up like those of i64, those of f64 move alike."""

from __future__ import annotations

import numpy as np

from ...compiler.fold import constant
from ...compiler.ir import Op, Value
from ...compiler.lowering import Build
from ...compiler.ops import activation, arith, index, logic, reduce, shape
from ...compiler.traits import Moves, Ordered, SameBits, ops_with
from ...compiler.types import DType
from .dtypes import compute_as
from .registry import lower, simplify

SIGNED = {DType.U64: DType.I64}


@simplify(arith.BitCast)
def merge_bit_casts(op: arith.BitCast, e: Build) -> None:
    """Two in a row are one, or none."""
    if op.to is op.x.type.dtype:
        e.replace(op.x)
    elif isinstance(op.x.owner, arith.BitCast):
        e.replace(e(arith.BitCast, op.x.owner.x, to=op.to))


@lower(*ops_with(Moves), general=True)
def move_bits(op: Op, e: Build) -> None:
    """Where only data moves, numbers of 64 bits move as i64."""
    dtype = op.results[0].type.dtype
    if dtype not in (DType.U64, DType.F64):
        return
    if isinstance(op, shape.Pad) and op.value != 0:
        _pad_bits(op, e)
    else:
        compute_as(op, {dtype: DType.I64}, e, arith.BitCast)


def _pad_bits(op: shape.Pad, e: Build) -> None:
    """What is put around is zero bits for the kernel: the true ones are subtracted before and added again."""
    dtype = op.x.type.dtype
    bits = e(arith.BitCast, e.number(op.value, dtype), to=DType.I64)
    moved = e(arith.Sub, e(arith.BitCast, op.x, to=DType.I64), bits)
    padded = e.clone(op, moved, value=0.0)
    e.replace(e(arith.BitCast, e(arith.Add, padded, bits), to=dtype))


@lower(*ops_with(SameBits), benefit=2, general=True)
def compute_unsigned_as_signed(op: Op, e: Build) -> None:
    """Sums, products and bits of u64 are those of i64, before they are clamped."""
    if isinstance(op, index.ScatterNd | index.ScatterElements) and op.indices.type.dtype is DType.U64:
        return  # positions become i32 before
    if op.attributes.get("activation", "none") == "none" and any(
        v is not None and v.type.dtype is DType.U64 for v in op.operands
    ):
        ordered = isinstance(op, index.ScatterNd | index.ScatterElements) and op.reduction in ("max", "min")
        (_compute_shifted if ordered else _compute_signed)(op, e)


@lower(*ops_with(Ordered), benefit=2, general=True)
def compare_unsigned_as_signed(op: Op, e: Build) -> None:
    """With the first bit flipped, u64 is ordered like i64."""
    if any(v is not None and v.type.dtype is DType.U64 for v in op.operands):
        _compute_shifted(op, e)


@lower(reduce.Reduce, benefit=2)
def reduce_unsigned(op: reduce.Reduce, e: Build) -> None:
    """Reduce u64 as i64: sums and products wrap alike; for extremes the sign bit is flipped."""
    if op.x.type.dtype is DType.U64 and op.kind in ("sum", "prod", "max", "min"):
        (_compute_signed if op.kind in ("sum", "prod") else _compute_shifted)(op, e)


@lower(arith.Div, arith.FloorDiv, arith.Mod, arith.Pow, arith.Sign, logic.ShiftRight, benefit=2)
def divide_unsigned(op: Op, e: Build) -> None:
    """Quotients and powers of u64 in i64; exact as long as the numbers fit, which is said where it is not known."""
    if op.results[0].type.dtype is not DType.U64:
        return
    if not all(_fits_signed(v) for v in op.operands):
        e.warn(f"{op.spec.name} of u64 is computed in i64: numbers beyond 2^63 would count as negative")
    _compute_signed(op, e)


@lower(arith.Abs, activation.Relu, activation.Clip, benefit=2)
def clamp_unsigned(op: arith.Abs | activation.Relu | activation.Clip, e: Build) -> None:
    """Numbers of u64 are not negative; other bounds are compared with."""
    if op.x.type.dtype is not DType.U64:
        return
    out = op.x
    if isinstance(op, activation.Clip):
        low, high = activation.binding(op.min, op.max, DType.U64)
        out = out if low is None else e(arith.Max, out, low)
        out = out if high is None else e(arith.Min, out, high)
    e.replace(out)


@lower(arith.Cast, benefit=2)
def convert_unsigned(op: arith.Cast, e: Build) -> None:
    """By way of i64; of floats beyond its range, what is beyond is added."""
    source, beyond = op.x.type.dtype, 2.0**63
    if source is DType.U64:
        signed = e(arith.BitCast, op.x, to=DType.I64)
        out = e(arith.Cast, signed, to=op.to)
        if op.to.is_float:
            out = e(logic.Select, e(logic.Less, signed, 0), e(arith.Add, out, 2 * beyond), out)
        e.replace(out)
    elif op.to is DType.U64:
        if source.is_float:
            x = e(arith.Cast, op.x, to=DType.F32)
            far = e(logic.GreaterEqual, x, beyond)
            near = e(arith.Cast, e(logic.Select, far, e(arith.Sub, x, beyond), x), to=DType.I64)
            signed = e(logic.Select, far, _turned(near, e), near)
        else:
            signed = e(arith.Cast, op.x, to=DType.I64)
        e.replace(e(arith.BitCast, signed, to=DType.U64))


@lower(arith.Sub, arith.Neg)
def subtract_in_f64(op: arith.Sub | arith.Neg, e: Build) -> None:
    """Add the negative, which is a product: there are no other kernels for f64."""
    if op.result.type.dtype is DType.F64 and op.attributes.get("activation", "none") == "none":
        (*first, last) = (v for v in op.operands if v is not None)
        negated = e(arith.Mul, last, -1.0)
        e.replace(e(arith.Add, *first, negated) if first else negated)


def _compute_signed(op: Op, e: Build) -> None:
    compute_as(op, SIGNED, e, arith.BitCast)


def _compute_shifted(op: Op, e: Build) -> None:
    """Compute on signed numbers in the same order."""
    operands = [v if v is None or v.type.dtype not in SIGNED else _turned(_signed(v, e), e) for v in op.operands]
    results = e.each(op.clone(operands))
    pairs = zip(results, op.results, strict=True)
    e.replace(*(v if v.type == r.type else e(arith.BitCast, _turned(v, e), to=DType.U64) for v, r in pairs))


def _signed(value: Value, e: Build) -> Value:
    return e(arith.BitCast, value, to=DType.I64)


def _turned(value: Value, e: Build) -> Value:
    """Turn the first bit: the sum overflows."""
    return e(arith.Add, value, e.number(np.iinfo(np.int64).min, DType.I64))


def _fits_signed(value: Value | None) -> bool:
    """Whether all numbers are known to be less than 2^63."""
    weight = constant(value)
    if weight is not None:
        return not (weight.array() >> 63).any() if weight.type.dtype is DType.U64 else True
    if value is None or value.type.dtype is not DType.U64:
        return True
    source = value.owner.x.type.dtype if isinstance(value.owner, arith.Cast | arith.BitCast) else DType.U64
    return source.is_int and source.bits < 64 and source.value.startswith("u")
