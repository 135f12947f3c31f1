"""Products of numbers with weights of 8 bits: kernels round the numbers as they come, and give numbers.

In the IR such a kernel is *round_dynamic, operation on a dequantized weight*.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...compiler.dims import Dim, static
from ...compiler.fold import constant
from ...compiler.ir import Value
from ...compiler.ops.linear import Linear
from ...compiler.ops.quantize import Dequantize, RoundDynamic
from ...compiler.ops.window import Conv, ConvTranspose
from ...compiler.types import Array, DType
from ..common.table import condition
from .calls import Call, Stored
from .quantization import blocks_stated, integers_of, is_consistent, stated

LARGEST = 7
"""The largest integer of 4 bits; the smallest is as large, but in blocks, where it is one larger."""

BLOCK = 16
"""Blocks have a multiple of so many weights: the kernel computes nonsense with much smaller ones."""

ROWS = 4
"""With fewer outputs, the kernel without XNNPACK gives zeros for weights in blocks."""


def _why_not(op: Linear | Conv | ConvTranspose, dims: Sequence[int]) -> str | None:
    """Return why a kernel does not round what an operation multiplies."""
    x, w = op.x.owner, op.w.owner
    if not isinstance(x, RoundDynamic) or x.x.type.dtype is not DType.F32:
        return "numbers that are not rounded"
    if _wide(op.x.type.shape, x.dims) != _wide(op.x.type.shape, dims):
        return f"numbers that are rounded by ranges along {list(x.dims)}, not {list(dims)}"
    if not isinstance(w, Dequantize) or constant(w.x) is None or w.x.type.dtype is not DType.I8:
        return "a weight that is not a constant of i8"
    if isinstance(op, Linear) and blocks_stated(w) is not None:
        return _why_no_blocks(w)
    found = stated(w)
    if found is None or any(found.zeros) or not is_consistent(w):
        return "a weight with other than constant scales and zero points of 0"
    if len(found.scales) > 1 and found.axis != 0:
        return "scales of a weight along another axis than its outputs"
    return None


def _why_no_blocks(w: Dequantize) -> str | None:
    """Return why a kernel does not take a weight whose scales are those of blocks."""
    weight, scales = constant(w.x), blocks_stated(w)
    assert weight is not None and scales is not None
    rows, columns = static(weight.type.shape)
    if rows < ROWS or columns // scales.type.shape[-1] % BLOCK:
        return f"blocks of other than multiples of {BLOCK} weights, or fewer than {ROWS} outputs"
    integers = weight.array()
    if integers.min(initial=0) < -LARGEST - 1 or integers.max(initial=0) > LARGEST:
        return "integers of more than 4 bits in blocks"
    return None


def takes_blocks(op: Linear, size: int) -> bool:
    """Whether a kernel takes the weight of a layer in blocks of a ``size``: rows consist of whole ones."""
    rows, columns = op.w.type.shape
    is_known = isinstance(rows, int) and isinstance(columns, int) and rows >= ROWS
    return is_known and size > 0 and size % BLOCK == 0 and columns % size == 0


def _wide(shape: Sequence[Dim], dims: Sequence[int]) -> set[int]:
    """Return the dims of more than one element."""
    return {d % len(shape) for d in dims if shape[d] != 1}


def rows(op: Linear) -> tuple[int, ...] | None:
    """The features of a row have one range."""
    return (op.x.type.rank - 1,) if op.is_along_last and op.x.type.rank > 1 else None


def samples(op: Conv) -> tuple[int, ...] | None:
    """A sample has one range; kernels with groups are slow."""
    return tuple(range(1, op.x.type.rank)) if op.groups == 1 and op.channels_last else None


@condition("numbers that are rounded row by row, a weight of i8")
def by_rows(op: Linear) -> str | None:
    """Whether a kernel rounds every row of features by a scale of its own."""
    return _why_not(op, [op.x.type.rank - 1])


@condition("numbers that are rounded sample by sample, a weight of i8")
def by_samples(op: Conv | ConvTranspose) -> str | None:
    """Whether a kernel rounds every sample by a scale of its own."""
    return _why_not(op, range(1, op.x.type.rank))


def rounding(op: Linear | Conv, given: Call, version: int, version4: int) -> Call:
    """Call a kernel on numbers as they are, and on a weight's integers; ``version4`` takes those of 4 bits."""
    x, w = op.x.owner, op.w.owner
    assert isinstance(x, RoundDynamic) and isinstance(w, Dequantize)
    small = _in_4_bits(w)
    version = version if small is None else max(version, version4)
    return Call((x.x, small or integers_of(w), *given.inputs[2:]), given.options, version)


def _in_4_bits(w: Dequantize) -> Stored | None:
    """Return a weight of integers that fit 4 bits: with one scale per output or block, that fill whole bytes."""
    weight, found, blocks = constant(w.x), stated(w), blocks_stated(w)
    assert weight is not None
    if blocks is not None:
        return Stored(weight.derive(weight.type.with_dtype(DType.I4), _same), None, blocks)
    assert found is not None
    integers = weight.array()
    if len(found.scales) != len(integers) or integers[0].size % 2 or np.abs(integers).max(initial=0) > LARGEST:
        return None
    return Stored(weight.derive(weight.type.with_dtype(DType.I4), _same), found)


def _same(integers: Array) -> Array:
    return integers


def is_per_channel(w: Value) -> bool:
    """Whether a weight has one scale per output."""
    return isinstance(w.owner, Dequantize) and w.owner.scale.type.size != 1


def is_in_blocks(w: Value) -> bool:
    """Whether every block along the rows of a weight has a scale of its own."""
    return isinstance(w.owner, Dequantize) and blocks_stated(w.owner) is not None


@condition("a scale per block, read only by kernels that round")
def is_block_weight(op: Dequantize) -> str | None:
    """Whether a weight with scales of blocks is read by kernels that take it; no kernel gives its numbers."""
    if blocks_stated(op) is None:
        return "scales of no blocks"
    why = (by_rows(user) if isinstance(user, Linear) else f"{user.spec.name} reads it" for user in op.result.users)
    return next((reason for reason in why if reason is not None), None if op.result.uses else "nobody reads it")


@condition("read only by kernels that round")
def is_part(op: RoundDynamic) -> str | None:
    """Whether the kernels that read numbers round them."""
    for user in op.result.users:
        fits = by_rows if isinstance(user, Linear) else by_samples if isinstance(user, Conv | ConvTranspose) else None
        why = f"{user.spec.name} reads it" if fits is None else fits(user)
        if why is not None:
            return why
    return None if op.result.uses else "nobody reads it"
