"""What can be known of constants when a network is compiled."""

from __future__ import annotations

from .fold import constant
from .ir import Value
from .ops.quantize import Dequantize
from .types import Array

SMALL_CONSTANT = 1 << 16
"""Bytes up to which a constant's elements may decide about how an operation is run."""


def elements(value: Value | None) -> Array | None:
    """The elements of a small constant, None for what is computed or large."""
    weight = constant(value)
    return weight.array() if weight is not None and weight.nbytes <= SMALL_CONSTANT else None


def is_weight(value: Value) -> bool:
    """Whether a value is constant, or dequantized from a constant: runtimes unfold these once, when they load them."""
    writer = value.owner
    return constant(writer.x if isinstance(writer, Dequantize) else value) is not None
