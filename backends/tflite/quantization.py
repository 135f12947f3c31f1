"""Scales in files: tensors of integers state what numbers they stand for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ...compiler.fold import constant
from ...compiler.ir import Op, Value
from ...compiler.ops.quantize import Dequantize, Quantize
from ...compiler.ops.spatial import Resize
from ...compiler.ops.window import MaxPool
from ...compiler.scales import blocks_of
from ...compiler.traits import Moves, ops_with
from ...compiler.types import DType
from ...compiler.weights import Weight
from ...formats.tflite.model import Quantization
from .calls import Stored

QUANTIZED = (DType.I8, DType.U8, DType.I16)
"""Element types whose tensors can state scales."""

SAME_SCALE = (*ops_with(Moves), MaxPool, Resize)
"""What may give integers that stand for numbers as those that it reads do: it moves or compares them."""


def keeps_scales(op: Op | None) -> bool:
    """Whether an operation on integers gives those that the same operation on numbers stands for."""
    return isinstance(op, SAME_SCALE) and (not isinstance(op, Resize) or op.mode == "nearest")


def stated(op: Quantize | Dequantize) -> Quantization | None:
    """Return what an operation says about its integers.

    None if that is computed, differs along several axes, or is no positive number: with others, the largest integer is
    not the largest number.
    """
    scale, zero = constant(op.scale), constant(op.zero)
    if scale is None or zero is None or scale.type.dtype is not DType.F32:
        return None
    rank, shape = op.x.type.rank, scale.type.shape
    axes = [rank - len(shape) + i for i, d in enumerate(shape) if d != 1]
    if len(axes) > 1 or zero.type.size not in (1, scale.type.size):
        return None
    scales = tuple(map(float, scale.array().reshape(-1)))
    if not all(0 < s < math.inf for s in scales):
        return None
    zeros = tuple(map(int, zero.array().reshape(-1)))
    return Quantization(scales, zeros * (len(scales) // len(zeros)), axes[0] if axes else 0)


def blocks_stated(op: Dequantize) -> Weight | None:
    """Return the scales of blocks ``[rows, blocks]`` of a constant matrix, f16; None if its scales are others.

    None, too, if zero points are not 0, or f16 does not hold the scales.
    """
    weight, scale, zero = constant(op.x), constant(op.scale), constant(op.zero)
    if weight is None or scale is None or zero is None or scale.type.shape != weight.type.shape or scale.type.rank != 2:
        return None
    found = blocks_of(scale.array())
    if found is None or zero.array().any() or not (found.astype(np.float16) == found).all() or not (found > 0).all():
        return None
    return Weight.of(found.astype(np.float16))


def quantization_of(value: Value) -> Quantization | None:
    """Return what integers stand for: as their writer says, else as a reader does.

    Integers that are only moved stand for what the others stand for that they come from or become.
    """
    own = next(_statements(value), None)
    if own is not None:
        return stated(own)
    moved = [found for found in moved_group(value) if found is not value]
    said = [stated(op) for found in moved for op in _statements(found)]
    return said[0] if said and said[0] is not None and len(said[0].scales) == 1 else None


def _statements(integers: Value) -> Iterator[Quantize | Dequantize]:
    """Yield what says which numbers integers stand for, the writer first."""
    if isinstance(integers.owner, Quantize):
        yield integers.owner
    yield from (use.op for use in integers.uses if isinstance(use.op, Dequantize))


def moved_group(value: Value) -> dict[Value, None]:
    """All integers that stand for numbers by the same scale because they are moved into each other."""
    found, work = {value: None}, [value]
    while work:
        current = work.pop()
        for op in (current.owner, *current.users):
            new = [v for v in _moved(op) if v.type.dtype is current.type.dtype and v not in found]
            found.update(dict.fromkeys(new))
            work += new
    return found


def _moved(op: Op | None) -> list[Value]:
    return [*data_operands(op), *op.results] if op is not None and keeps_scales(op) else []


def data_operands(op: Op) -> list[Value]:
    """The operands of a move that are moved: those of the result's type, neither positions nor conditions."""
    return [v for v in op.operands if v is not None and v.type.dtype is op.results[0].type.dtype]


def is_consistent(op: Quantize | Dequantize) -> bool:
    """Whether all users of the same integers agree on their scale, or each can have a constant of its own."""
    return stated(op) is not None and (_is_constant(op) or _agrees(op))


def integers_of(op: Dequantize) -> Value | Stored:
    """Return what a builtin reads that takes the integers: equal constants of different scales are stored apart."""
    weight = constant(op.x)
    return op.x if weight is None or _agrees(op) else Stored(weight, stated(op))


def is_stored_weight(numbers: Value) -> bool:
    """Whether numbers are what constants of integers stand for, which runtimes unfold once."""
    return isinstance(numbers.owner, Dequantize) and _is_constant(numbers.owner)


def _is_constant(op: Quantize | Dequantize) -> bool:
    return isinstance(op, Dequantize) and constant(op.x) is not None


def _agrees(op: Quantize | Dequantize) -> bool:
    """Whether all that is said of the integers is the same."""
    own = stated(op)
    if own is None:
        return False
    integers = op.result if isinstance(op, Quantize) else op.x
    group = moved_group(integers)
    if len(own.scales) > 1:
        group = {integers: None}
    return all(stated(other) == own for value in group for other in _statements(value))


def unfolding(op: Dequantize, axis: int) -> tuple[Quantization | None, int]:
    """Return the scales of a constant whose scales differ along another ``axis`` once it is permuted, and the version.

    Numbers of 16 bits have none.
    """
    if op.x.type.dtype.is_float:
        return None, 3
    found = stated(op)
    if found is None or len(found.scales) == 1:
        return found, 2
    return replace(found, axis=axis), 5
