"""Floats that hold whole numbers: nothing is gained by making integers of them that become floats again."""

from __future__ import annotations

from ...compiler.fold import constant
from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops.activation import Clip, Relu
from ...compiler.ops.arith import Add, Cast, Ceil, Floor, Neg, Round, Sub
from ...compiler.ops.linear import Linear, MatMul
from ...compiler.ops.window import Conv
from ...compiler.types import DType
from .registry import simplify

DEPTH = 8
"""How many operations are followed to see that a number is a whole one."""


@simplify(Cast)
def stay_whole_numbers(op: Cast, e: Build) -> None:
    """Whole numbers that become integers, or sums of two of these, and floats again: no conversions.

    A sum of two is rounded once either way.  Sums beyond the range of integers of 32 bits have no meaning.
    """
    match op.x.owner:
        case Cast():
            found = _floats(op.x, op.to)
            if found is not None:
                e.replace(found)
        case (Add(a=a, b=b, activation="none") | Sub(a=a, b=b, activation="none")) as both:
            given = [_floats(v, op.to) for v in (a, b)] if op.x.type.dtype is DType.I32 else [None]
            if None not in given:
                e.replace(e.clone(both, *given))
        case _:
            return


def _floats(value: Value, to: DType) -> Value | None:
    """Return the whole numbers of a type that integers were made of; None if those lost something."""
    match value.owner:
        case Cast(x=x, to=dtype) if dtype.is_int and x.type.dtype is to and to.is_float:
            return x if is_whole(x) and (dtype is DType.I32 or _is_within(x, dtype)) else None
        case _:
            return None


def _is_within(x: Value, dtype: DType) -> bool:
    """Whether numbers are clipped to what a type has."""
    low, high = dtype.bounds
    match x.owner:
        case Clip(min=least, max=most):
            return low <= least and most <= high
        case Round(x=inner):
            return _is_within(inner, dtype)
        case _:
            return False


def is_whole(value: Value, depth: int = DEPTH) -> bool:
    """Whether all numbers of a value are whole ones."""
    weight = constant(value)
    if weight is not None:
        return bool((weight.array() % 1 == 0).all())
    match value.owner:
        case Round() | Floor() | Ceil():
            return True
        case Cast(x=x):
            return not x.type.dtype.is_float or (depth > 0 and is_whole(x, depth - 1))
        case Clip(min=low, max=high):
            if low % 1 or high % 1:
                return False
        case Add() | Sub() | Neg() | Relu() | Conv() | MatMul() | Linear():
            pass
        case _:
            return False
    op = value.owner
    if op.attributes.get("activation", "none") not in ("none", "relu"):
        return False
    return depth > 0 and all(v is None or is_whole(v, depth - 1) for v in op.operands)
