"""Rows for operations that move, cut and join data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....compiler.dims import is_by_data
from ....compiler.ops import shape as ir
from ....compiler.ops.dynamic import DynamicSlice
from ....compiler.types import DType, TensorType
from ....compiler.weights import Weight
from ...common.shapes import added_units, cuts_of, new_sizes, only_units, remaining, unsqueezes, within_where_known
from ..table import ANY, INTEGERS, Call, Dims, Nested, condition, emits, ints, scalar
from .common import elements, number

MOST, LEAST = 2**31 - 1, -(2**31)
"""What stands for "to the end" and "to the beginning"."""


@emits(ir.Transpose, "Transpose", dtypes=ANY)
def transpose(op: ir.Transpose) -> Call:
    """Transpose by any permutation of the axes, which is an operand."""
    return Call((op.x, ints(*op.perm)))


@condition("no axes that remain")
def _to_number(op: ir.Reshape) -> str | None:
    return None if op.x.type.rank and not op.shape else "axes that remain"


@emits(ir.Reshape, "Squeeze", dtypes=ANY, when=(_to_number,))
def squeeze_all(op: ir.Reshape) -> Call:
    """A matrix product before a reshape to no axes ends the runtime's process."""
    return Call((op.x, ints(*range(op.x.type.rank))))


@emits(ir.Reshape, "Unsqueeze", dtypes=ANY, when=(only_units, unsqueezes))
def unsqueeze(op: ir.Reshape) -> Call:
    """Axes of size one added, for which no size is computed at run time."""
    return Call((op.x, ints(*added_units(op.x.type.shape, op.shape))))


@emits(ir.Reshape, "Squeeze", dtypes=ANY, when=(only_units,))
def squeeze(op: ir.Reshape) -> Call:
    """Axes of size one removed, for which no size is computed at run time."""
    return Call((op.x, ints(*added_units(op.shape, op.x.type.shape))))


@emits(ir.Reshape, "Reshape", dtypes=ANY)
def reshape(op: ir.Reshape) -> Call:
    """One size may be what remains, and named ones that stay at their place need not be computed."""
    if 0 in op.shape:
        return Call((op.x, Dims(op.shape)), {"special_zero": False})
    shape = remaining(op)
    return Call((op.x, Dims(shape)), {"special_zero": 0 in shape})


@emits(ir.BroadcastTo, "Broadcast", dtypes=ANY)
def broadcast(op: ir.BroadcastTo) -> Call:
    """Broadcast in mode ``bidirectional``: where the operand has a size already, the target may be 1."""
    return Call((op.x, Dims(new_sizes(op))), {"mode": "bidirectional"})


@emits(ir.Concat, "Concat", dtypes={"xs": ANY})
def concat(op: ir.Concat) -> Call:
    """Concat of any number of tensors along one axis."""
    return Call(op.operands, {"axis": op.axis})


@condition("equal parts")
def _equal_parts(op: ir.Split) -> str | None:
    return None if len({*op.sizes}) == 1 else f"parts of {list(op.sizes)}"


@emits(ir.Split, "Split", dtypes=ANY, when=(_equal_parts,))
def split_evenly(op: ir.Split) -> Call:
    """Equal parts, whose size need not be known."""
    return Call((op.x, scalar(op.axis, DType.I64)), {"num_splits": len(op.sizes)})


@emits(ir.Split, "VariadicSplit", dtypes=ANY)
def split(op: ir.Split) -> Call:
    """VariadicSplit along one axis, into parts whose sizes are an operand."""
    return Call((op.x, scalar(op.axis, DType.I64), Dims(op.sizes)))


@emits(ir.Slice, "Slice", dtypes=ANY)
def slice_(op: ir.Slice) -> Call:
    """Only the axes that are cut; positions near the end count from there."""
    starts, ends, steps, axes = cuts_of(op, (LEAST, MOST))
    return Call((op.x, Dims(starts), Dims(ends), ints(*steps), ints(*axes)))


@condition("some axes")
def _some(op: ir.Reverse) -> str | None:
    return None if op.dims else "no axes"


@emits(ir.Reverse, "Slice", dtypes=ANY, when=(_some,))
def reverse(op: ir.Reverse) -> Call:
    """Slice with steps of -1, from the last element of each reversed axis to its first."""
    count = len(op.dims)
    return Call((op.x, ints(*[-1] * count), ints(*[LEAST] * count), ints(*[-1] * count), ints(*op.dims)))


MODES = ("constant", "reflect", "edge", "symmetric")


@condition("mode constant, reflect, edge or symmetric")
def _known_mode(op: ir.Pad) -> str | None:
    return None if op.mode in MODES else f"mode {op.mode}"


@emits(ir.Pad, "Pad", dtypes=ANY, when=(_known_mode, within_where_known))
def pad(op: ir.Pad) -> Call:
    """Pad with a number, or by repeating or mirroring what the tensor has."""
    widths = Dims(op.low), Dims(op.high)
    filling = (number(op.value, op.x),) if op.mode == "constant" else ()
    return Call((op.x, *widths, *filling), {"pad_mode": op.mode})


@condition("repeats that no data decides about")
def _told_by_shapes(op: ir.Tile) -> str | None:
    """The kernel leaves parts of its result unwritten where it learns the repeats when it runs."""
    return "repeats that data decides about" if any(map(is_by_data, op.repeats)) else None


@emits(ir.Tile, "Tile", dtypes=ANY, when=(_told_by_shapes,))
def tile(op: ir.Tile) -> Call:
    """Tile: the whole tensor repeated along each axis, by numbers that are an operand."""
    return Call((op.x, Dims(op.repeats)))


@condition("all axes")
def _whole(op: ir.ShapeOf) -> str | None:
    return None if op.dims == tuple(range(op.x.type.rank)) else "some sizes"


@emits(ir.ShapeOf, "ShapeOf", dtypes={"x": ANY, "dtype": INTEGERS}, when=(_whole,))
def shape_of(op: ir.ShapeOf) -> Call:
    """ShapeOf: all sizes of the operand as a vector of i32 or i64."""
    return Call((op.x,), {"output_type": op.dtype})


@emits(ir.ShapeOf, "Gather", dtypes={"x": ANY, "dtype": INTEGERS})
def sizes_of(op: ir.ShapeOf) -> Call:
    """ShapeOf, and Gather of those sizes that are asked for."""
    type = TensorType(op.dtype, (op.x.type.rank,))
    whole = Nested("ShapeOf", type, (op.x,), {"output_type": op.dtype})
    return Call((whole, ints(*op.dims), scalar(0, DType.I64)), {"batch_dims": 0})


@condition("constant start and step")
def _known_steps(op: ir.Range) -> str | None:
    known = elements(op.start) is not None and elements(op.step) is not None
    return None if known else "ends that are computed"


@emits(ir.Range, "Range", dtypes=INTEGERS, when=(_known_steps,))
def range_(op: ir.Range) -> Call:
    """Range with known start and step, whose end is computed from a size when the network runs."""
    start, step = elements(op.start), elements(op.step)
    assert start is not None and step is not None
    dtype = op.start.type.dtype
    limit = op.size * int(step) + int(start)
    inputs = (Weight.of(np.asarray(start)), Dims((limit,), (), dtype), Weight.of(np.asarray(step)))
    return Call(inputs, {"output_type": dtype})


@emits(DynamicSlice, "Slice", dtypes={"x": ANY, "starts": INTEGERS})
def dynamic_slice(op: DynamicSlice) -> Call:
    """Slice from starts that are an operand, over known or named sizes, with steps of 1."""
    starts = op.starts.type
    ends = Nested("Add", starts, (op.starts, Dims(op.sizes, None, starts.dtype)))
    steps, axes = ([1] * len(op.sizes), range(len(op.sizes)))
    return Call((op.x, op.starts, ends, _counts(steps, starts.dtype), _counts(axes, starts.dtype)))


def _counts(values: Sequence[int], dtype: DType) -> Weight:
    return Weight.of(np.asarray(values, dtype.numpy))
