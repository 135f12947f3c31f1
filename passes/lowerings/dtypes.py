"""Computing in another element type, where TFLite has a kernel for that one only."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...compiler.fold import constant
from ...compiler.ir import Op, Value
from ...compiler.lowering import Build
from ...compiler.opdef import OPS, Pure
from ...compiler.operands import Elements
from ...compiler.ops import index, linear, reduce, shape, spatial, window
from ...compiler.ops.arith import BitCast, Cast
from ...compiler.ops.core import Const
from ...compiler.traits import Grows, Moves, ops_with
from ...compiler.types import DType
from ...compiler.value_ranges import EXACT_BITS, fits_i32, is_counted, needs_64_bits
from .registry import lower

CONVERSIONS = tuple(
    cls for cls in OPS.values() if cls.spec.has(Pure) and not cls.spec.regions and cls not in (Cast, BitCast, Const)
)
"""Operations whose operands can be converted, and their results back."""


MOVED_AS = {DType.BOOL: DType.U8, DType.I16: DType.I32, DType.U16: DType.I32, DType.U32: DType.I32}
"""Types that some kernels don't move, and one with all their numbers that they do."""


@lower(*ops_with(Moves), benefit=0, general=True)
def move_as_another_type(op: Op, e: Build) -> None:
    """Convert to a type that the kernel moves, and back: no number changes."""
    dtype = op.results[0].type.dtype
    if dtype in MOVED_AS:
        most = np.iinfo(MOVED_AS[dtype].numpy).max
        e.require(not isinstance(op, shape.Pad) or op.value <= most, f"padding with {op.attributes.get('value')}")
        _convert(op, {dtype: MOVED_AS[dtype]}, e)


EXACT = {
    DType.BOOL: DType.I32,
    DType.I8: DType.I32,
    DType.U8: DType.I32,
    DType.I16: DType.I32,
    DType.U16: DType.I32,
    DType.U32: DType.I64,
}
"""Types whose numbers all fit another one; what overflows there is cut as it would have been."""


@lower(*CONVERSIONS, benefit=-1, general=True)
def compute_in_wider_integers(op: Op, e: Build) -> None:
    """Compute small integers in i32, and u32 in i64, where kernels lack them."""
    dtype = _first_dtype(op)
    if dtype is not None and dtype in EXACT and not _asks_for_truth(op):
        _convert(op, {dtype: EXACT[dtype]}, e)


def _asks_for_truth(op: Op) -> bool:
    """Whether an operation combines truth values, which others would have to become again."""
    return isinstance(op, reduce.Reduce) and op.kind in ("any", "all")


def _grows(op: Op) -> bool:
    if isinstance(op, reduce.Reduce):
        return op.kind not in ("mean", "max", "min", "any", "all")
    if isinstance(op, index.ScatterNd | index.ScatterElements | index.Scatter):
        return op.reduction in ("add", "mul")
    return op.spec.has(Grows)


@lower(*CONVERSIONS, benefit=-2, general=True)
def compute_in_i32(op: Op, e: Build) -> None:
    """Kernels that take i32 only; exact as long as the numbers fit, which is said where it is not known."""
    if _first_dtype(op) is not DType.I64:
        return
    for v in op.operands:
        e.require(v is None or constant(v) is None or fits_i32(v), f"{op.spec.name} of i64 by numbers beyond 2^31")
    given = [v for v in op.operands if v is not None]
    e.require(not any(map(needs_64_bits, given)), f"{op.spec.name} of numbers whose bits i32 has half of")
    if not all(map(fits_i32, given)) or (_grows(op) and not all(map(is_counted, given))):
        e.warn(f"{op.spec.name} of i64 is computed in i32: numbers beyond 2^31 would be cut")
    _convert(op, {DType.I64: DType.I32}, e)


FLOAT_KERNELS = (
    window.Conv,
    window.ConvTranspose,
    linear.MatMul,
    linear.Linear,
    spatial.Resize,
    reduce.Reduce,
)
"""Operations that have floating-point kernels only, but also a meaning for integers."""


@lower(*FLOAT_KERNELS, benefit=-2, general=True)
def compute_integers_in_f32(op: Op, e: Build) -> None:
    """Compute i32 in f32, which is exact up to 2^24; a warning says where it may not be."""
    if _first_dtype(op) is DType.I32:
        if not all(_is_small(v) for v in op.operands):
            e.warn(f"{op.spec.name} of i32 is computed in f32: numbers beyond 2^24 would be rounded")
        _convert(op, {DType.I32: DType.F32}, e)


@lower(window.MaxPool, window.AveragePool, benefit=3)
def pool_integers_in_f32(op: Op, e: Build) -> None:
    """At once: what never wins a maximum is put around numbers, and would be cut in integers of fewer bits."""
    dtype = _first_dtype(op)
    if dtype is None or not dtype.is_int:
        return
    if dtype.bits > EXACT_BITS and not all(_is_small(v) for v in op.operands):
        e.warn(f"{op.spec.name} of {dtype} is computed in f32: numbers beyond 2^24 would be rounded")
    _convert(op, {dtype: DType.F32}, e)


def _is_small(value: Value | None) -> bool:
    """Whether a value comes from a type of few bits."""
    return value is None or (isinstance(value.owner, Cast) and value.owner.x.type.dtype.bits <= EXACT_BITS)


def _first_dtype(op: Op) -> DType | None:
    """The element type of the first operand; conditions are none, which can have no other one."""
    pairs = zip(op.operands, _classes(op), strict=True)
    return next((v.type.dtype for v, taken in pairs if v is not None and taken is not Elements.TRUTH), None)


def _classes(op: Op) -> list[Elements | None]:
    """What the operation takes as each operand; None for anything."""
    names = op.spec.operands
    return [op.spec.elements.get(names[min(slot, len(names) - 1)]) for slot in range(len(op.operands))]


def _convert(op: Op, types: dict[DType, DType], e: Build) -> None:
    compute_as(op, types, e, Cast)


def compute_as(op: Op, types: Mapping[DType, DType], e: Build, how: type[Cast | BitCast]) -> None:
    """Do the same with converted operands, and convert the results back; conditions of others stay as they are."""
    operands = [
        v if v is None or not _is_taken(types.get(v.type.dtype), taken) else e(how, v, to=types[v.type.dtype])
        for v, taken in zip(op.operands, _classes(op), strict=True)
    ]
    if tuple(operands) == op.operands:
        return
    results = e.each(op.clone(operands))
    e.replace(
        *(v if v.type == r.type else e(how, v, to=r.type.dtype) for v, r in zip(results, op.results, strict=True))
    )


def _is_taken(dtype: DType | None, taken: Elements | None) -> bool:
    """Whether an operand becomes of another type that the operation takes, too."""
    return dtype is not None and (taken is None or dtype in taken)


WIDER = {DType.BF16: DType.F32, DType.F16: DType.F32}
"""Floating-point types of 16 bits that some kernels lack."""


@lower(*CONVERSIONS, benefit=-3, general=True)
def compute_halves_in_f32(op: Op, e: Build) -> None:
    """Half precision in single precision: it has all of its numbers."""
    found = {v.type.dtype for v in (*op.operands, *op.results) if v is not None} & WIDER.keys()
    if found:
        compute_as(op, {dtype: WIDER[dtype] for dtype in found}, e, Cast)
