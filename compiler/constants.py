"""What can be known of constants when a network is compiled."""

from __future__ import annotations

from .fold import constant
from .ir import Value
from .ops.quantize import Dequantize
from .types import Array

SMALL_CONSTANT = 1 << 16
"""Bytes up to which a constant's elements may decide about how an operation is run."""

SPLAT_TOLERANCE = 1e-6
"""Relative: exporters write 1/6 or sqrt(2) with the digits that float32 keeps; whole numbers are exact."""


def elements(value: Value | None) -> Array | None:
    """The elements of a small constant, None for what is computed or large."""
    weight = constant(value)
    return weight.array() if weight is not None and weight.nbytes <= SMALL_CONSTANT else None


def is_weight(value: Value) -> bool:
    """Whether a value is constant, or dequantized from a constant: runtimes unfold these once, when they load them."""
    writer = value.owner
    return constant(writer.x if isinstance(writer, Dequantize) else value) is not None


def is_splat(value: Value | None, number: float) -> bool:
    """Say whether a value is a constant whose elements are all ``number``.

    Whole numbers are meant exactly, fractions up to :data:`SPLAT_TOLERANCE`.
    """
    weight = constant(value)
    if weight is None or not (weight.type.dtype.is_float or weight.type.dtype.is_int) or not weight.nbytes:
        return False
    if weight.is_splat or weight.nbytes <= SMALL_CONSTANT:
        array = weight.array()
        first, tolerance = array.flat[0], 0.0 if number.is_integer() else SPLAT_TOLERANCE
        close = abs(float(first) - number) <= tolerance * abs(number)
        return bool(close and (array.size == 1 or (array == first).all()))
    return False


def is_same(a: Value | None, b: Value | None) -> bool:
    """Whether two values are one, or constants of the same type and elements, as exporters write one over and over."""
    if a is b:
        return True
    first, second = constant(a), constant(b)
    if first is None or second is None or first.type != second.type:
        return False
    if first is second:
        return True
    return first.nbytes <= SMALL_CONSTANT and first.array().tobytes() == second.array().tobytes()
