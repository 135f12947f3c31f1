"""What is known about the numbers that tensors can hold."""

from __future__ import annotations

from .fold import constant
from .ir import Op, Value
from .opdef import Pure
from .ops import activation, arith, index, logic, reduce, shape, spatial, window
from .traits import KeepsSign, Moves, NonNegative
from .types import DType

EXACT_BITS = 16
"""Integers of so many bits are exact in f32."""

DEPTH = 8
"""Operations that are looked at in a row."""


def nonnegative(value: Value | None, depth: int = DEPTH) -> bool:
    """Say whether no element of a tensor is negative; False also where it can't be told."""
    if value is None or depth == 0:
        return False
    weight = constant(value)
    if weight is not None:
        array = weight.array()
        return array.dtype.kind in "bu" or not (array < 0).any()
    if value.type.dtype is DType.BOOL or value.type.dtype.value.startswith("u"):
        return True
    return value.owner is not None and _gives_nonnegative(value.owner, value, depth - 1)


def _gives_nonnegative(op: Op, result: Value, depth: int) -> bool:
    if op.spec.has(NonNegative) or _is_clamped(op):
        return True
    match op:
        case shape.Range():
            return nonnegative(op.start, depth) and nonnegative(op.step, depth)
        case arith.Mod(truncated=False):
            return nonnegative(op.b, depth)
        case index.TopK():
            return result is op.results[1]
        case arith.Max():
            return any(nonnegative(v, depth) for v in op.operands)
        case index.Gather() | index.GatherElements() | index.GatherNd():
            return nonnegative(op.operands[0], depth)
        case logic.Select():
            return nonnegative(op.a, depth) and (_holds_negative(op.condition, op.b) or nonnegative(op.b, depth))
        case _:
            return _keeps_nonnegative(op) and all(nonnegative(v, depth) for v in op.operands)


def _is_clamped(op: Op) -> bool:
    """Whether an operation ends in something that lets no negative number through, whatever it reads."""
    if isinstance(op, reduce.Reduce):
        return op.kind in ("l1", "l2", "sum_square")
    if isinstance(op, activation.Clip):
        return op.min >= 0
    return op.attributes.get("activation") in ("relu", "relu6")


def _keeps_nonnegative(op: Op) -> bool:
    """Whether an operation gives no negative numbers if it reads none."""
    match op:
        case arith.Cast():
            return not (op.to.bits < op.x.type.dtype.bits and op.x.type.dtype.is_int)
        case reduce.Reduce():
            return op.kind in ("max", "min", "sum", "prod", "mean")
        case shape.Pad():
            return op.mode != "constant" or op.value >= 0
        case spatial.Resize():
            return op.mode != "cubic"
        case _:
            return op.spec.has(KeepsSign)


def _holds_negative(condition: Value, value: Value) -> bool:
    """Whether a condition is that elements of a value are less than zero."""
    test = condition.owner
    if not isinstance(test, logic.Less) or test.a is not value:
        return False
    bound = constant(test.b)
    return bound is not None and bound.type.size == 1 and not bound.array().any()


I32_MAX = (1 << 31) - 1


def fits_i32(value: Value) -> bool:
    """Say whether all elements are known to fit 32 bits: constants, sizes and positions do."""
    weight = constant(value)
    if weight is not None:
        array = weight.array()
        return bool((abs(array.astype("float64")) <= I32_MAX).all())
    if isinstance(value.owner, arith.Cast):
        return _is_narrow(value.owner.x.type.dtype)
    return isinstance(value.owner, shape.ShapeOf | index.ArgMax | index.ArgMin) or _is_narrow(value.type.dtype)


def _is_narrow(dtype: DType) -> bool:
    """Whether a type's numbers fit 32 bits; floating-point ones that are cast are taken to be counts."""
    return dtype.bits < 64 and dtype is not DType.U32


_OFFSET = (arith.Add, arith.Sub, arith.Mul, logic.BitwiseXor, logic.BitwiseOr)
"""Operations that a large constant makes large."""


def needs_64_bits(value: Value, depth: int = DEPTH) -> bool:
    """Say whether numbers are surely beyond 32 bits: the bits of floats, and what large constants were added to."""
    while isinstance(value.owner, shape.Reshape | shape.Transpose):
        value = value.owner.x
    op = value.owner
    if op is None or depth == 0:
        return False
    if isinstance(op, arith.BitCast):
        return op.x.type.dtype.is_float or needs_64_bits(op.x, depth - 1)
    given = [v for v in op.operands if v is not None and v.type.dtype is value.type.dtype]
    if isinstance(op, _OFFSET):  # of two that are large, it may be the difference
        if sum(_are_bits(v, depth - 1) for v in given) == 1:
            return True  # numbers differ by more than 32 bits from all but a few others
        large = [constant(v) is not None and not fits_i32(v) for v in given]
        needy = [needs_64_bits(v, depth - 1) for v in given]
        if any(needy):
            return _is_small_constant(given[1 - needy.index(True)])
        return any(large)
    return _is_among(op, value) and any(needs_64_bits(v, depth - 1) for v in given)


def _is_small_constant(value: Value) -> bool:
    """Whether a value is a constant that leaves numbers beyond 32 bits about as large as they are."""
    weight = constant(value)
    return weight is not None and fits_i32(value) and not (weight.array() == 0).any()


def _is_among(op: Op, result: Value) -> bool:
    """Whether the numbers of a result are among those that are read."""
    match op:
        case arith.Max() | arith.Min() | window.MaxPool():
            return True
        case reduce.Reduce():
            return op.kind in ("max", "min")
        case index.ScatterNd() | index.ScatterElements() | index.Scatter():
            return op.reduction in ("none", "max", "min")
        case index.TopK() | index.Unique():
            return result is op.results[0]
        case _:
            return op.spec.has(Moves)


def _are_bits(value: Value, depth: int) -> bool:
    """Say whether integers are the bits of floats, moved, or with something added that is none."""
    op = value.owner
    if op is None or depth == 0:
        return False
    if isinstance(op, arith.BitCast):
        return op.x.type.dtype.is_float or _are_bits(op.x, depth - 1)
    if not (isinstance(op, _OFFSET) or op.spec.has(Moves)):
        return False
    found = sum(_are_bits(v, depth - 1) for v in op.operands if v is not None and v.type.dtype is value.type.dtype)
    return found == 1 if isinstance(op, _OFFSET) else found > 0


def is_counted(value: Value, depth: int = DEPTH) -> bool:
    """Say whether a tensor holds constants, sizes and positions only, or what is computed from them alone.

    Then it fits 32 bits in any network that fits into memory; False also where it can't be told.
    """
    if depth == 0 or constant(value) is not None:
        return depth > 0 and fits_i32(value)
    match value.owner:
        case None:
            return False
        case shape.ShapeOf() | index.ArgMax() | index.ArgMin() | index.NonZero():
            return True
        case index.TopK():
            return value is value.owner.results[1]
        case op:
            given = [v for v in op.operands if v is not None]
            return bool(given) and op.spec.has(Pure) and all(is_counted(v, depth - 1) for v in given)
