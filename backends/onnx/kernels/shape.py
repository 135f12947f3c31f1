"""Rows for operations that move, cut and join data."""

from __future__ import annotations

import numpy as np

from ....compiler.dims import is_by_data, is_static
from ....compiler.ops import shape as ir
from ....compiler.ops.dynamic import DynamicSlice
from ....compiler.types import DType, TensorType
from ....compiler.weights import Weight
from ...common.shapes import added_units, cuts_of, new_sizes, only_units, remaining, unsqueezes, within_where_known
from ..table import Call, Dims, Nested, condition, emits, ints, scalar
from .common import elements

MOST, LEAST = 2**63 - 1, -(2**63)
"""What stands for "to the end" and "to the beginning"."""


@emits(ir.Transpose, "Transpose")
def transpose(op: ir.Transpose) -> Call:
    """Transpose: any permutation of any number of axes."""
    return Call((op.x,), {"perm": op.perm})


@emits(ir.Reshape, "Unsqueeze", when=(only_units, unsqueezes))
def unsqueeze(op: ir.Reshape) -> Call:
    """Unsqueeze for reshapes that add axes, so that no size is computed."""
    return Call((op.x, ints(*added_units(op.x.type.shape, op.shape))))


@emits(ir.Reshape, "Squeeze", when=(only_units,))
def squeeze(op: ir.Reshape) -> Call:
    """Squeeze for reshapes that remove axes, so that no size is computed."""
    return Call((op.x, ints(*added_units(op.shape, op.x.type.shape))))


ZEROS_ARE_ZEROS = 14
"""The opset from which on a reshape can tell a size of zero from one that stays."""


@emits(ir.Reshape, "Reshape")
def reshape(op: ir.Reshape) -> Call:
    """One size may be what remains, and named ones that stay at their place need not be computed; some may be zero."""
    if 0 in op.shape or any(map(is_by_data, remaining(op))):
        return Call((op.x, Dims(op.shape)), {"allowzero": 1}, since=ZEROS_ARE_ZEROS)
    return Call((op.x, Dims(remaining(op))))


@emits(ir.BroadcastTo, "Expand")
def expand(op: ir.BroadcastTo) -> Call:
    """Expand: a size that the operand already has may be stated as one."""
    return Call((op.x, Dims(new_sizes(op))))


@emits(ir.Concat, "Concat")
def concat(op: ir.Concat) -> Call:
    """Concat: any number of tensors along one axis."""
    return Call(op.operands, {"axis": op.axis})


@emits(ir.Split, "Split")
def split(op: ir.Split) -> Call:
    """Split: into parts whose sizes are an operand; of equal parts whose size is open, only how many there are."""
    count = len(op.sizes)
    if len({*op.sizes}) == 1 and not is_static(op.sizes):
        return Call((op.x,), {"num_outputs": count} | ({"axis": op.axis} if op.axis else {}))
    return Call((op.x, Dims(op.sizes)), {"axis": op.axis} if op.axis else {})


@emits(ir.Slice, "Slice")
def slice_(op: ir.Slice) -> Call:
    """Only the axes that are cut; positions near the end count from there."""
    starts, ends, steps, axes = cuts_of(op, (LEAST, MOST))
    inputs = [op.x, Dims(starts), Dims(ends), ints(*axes)]
    return Call((*inputs, *([ints(*steps)] if any(s != 1 for s in steps) else [])))


@emits(ir.Reverse, "Slice")
def reverse(op: ir.Reverse) -> Call:
    """Slice with steps of minus one along the axes that are reversed."""
    count = len(op.dims)
    ends = [ints(*[n] * count) for n in (-1, LEAST)]
    return Call((op.x, *ends, ints(*op.dims), ints(*[-1] * count)))


MODES = {"constant": 1, "reflect": 1, "edge": 1, "wrap": 19}
"""Modes of paddings, and since which opset they are there."""


@condition("mode constant, reflect, edge or wrap")
def _known_mode(op: ir.Pad) -> str | None:
    return None if op.mode in MODES else f"mode {op.mode}"


@emits(ir.Pad, "Pad", when=(_known_mode, within_where_known))
def pad(op: ir.Pad) -> Call:
    """Filled with a number, or with what is there."""
    widths = Dims((*op.low, *op.high))
    attributes = {} if op.mode == "constant" else {"mode": op.mode}
    filling = (scalar(op.value, op.x.type.dtype),) if op.mode == "constant" and op.value else ()
    return Call((op.x, widths, *filling), attributes, since=MODES[op.mode])


@emits(ir.Tile, "Tile")
def tile(op: ir.Tile) -> Call:
    """Tile: repeats the whole tensor along each axis."""
    return Call((op.x, Dims(op.repeats)))


@condition("all axes, in i64")
def _whole(op: ir.ShapeOf) -> str | None:
    is_whole = op.dims == tuple(range(op.x.type.rank)) and op.dtype is DType.I64
    return None if is_whole else "some sizes, or another element type than i64"


@emits(ir.ShapeOf, "Shape", when=(_whole,))
def shape_of(op: ir.ShapeOf) -> Call:
    """All sizes of the operand as a vector."""
    return Call((op.x,))


@condition("in i64")
def _in_i64(op: ir.ShapeOf) -> str | None:
    return None if op.dtype is DType.I64 else f"sizes in {op.dtype}"


@condition("neighbouring axes")
def _neighbours(op: ir.ShapeOf) -> str | None:
    run = tuple(range(op.dims[0], op.dims[0] + len(op.dims))) if op.dims else ()
    return None if op.dims == run and op.dims else "axes that are no neighbours"


@emits(ir.ShapeOf, "Shape", when=(_in_i64, _neighbours))
def part_of_shape(op: ir.ShapeOf) -> Call:
    """Shape from one axis to another: some neighbouring sizes."""
    return Call((op.x,), {"start": op.dims[0], "end": op.dims[-1] + 1})


@emits(ir.ShapeOf, "Gather", when=(_in_i64,))
def sizes_of(op: ir.ShapeOf) -> Call:
    """Gather from the whole shape, for sizes that are no neighbours."""
    whole = Nested("Shape", TensorType(DType.I64, (op.x.type.rank,)), (op.x,))
    return Call((whole, ints(*op.dims)))


@condition("constant start and step")
def _known_steps(op: ir.Range) -> str | None:
    known = elements(op.start) is not None and elements(op.step) is not None
    return None if known and op.start.type.dtype.is_int else "ends that are computed, or fractions"


@emits(ir.Range, "Range", when=(_known_steps,))
def range_(op: ir.Range) -> Call:
    """A size that is known only when the network runs."""
    start, step = elements(op.start), elements(op.step)
    assert start is not None and step is not None
    limit = op.size * int(step) + int(start)
    return Call((Weight.of(np.asarray(start)), Dims((limit,), (), op.start.type.dtype), Weight.of(np.asarray(step))))


@emits(DynamicSlice, "Slice")
def dynamic_slice(op: DynamicSlice) -> Call:
    """From computed starts to as many positions after them."""
    starts = op.starts.type
    ends = Nested("Add", starts, (op.starts, Dims(op.sizes, None, starts.dtype)))
    return Call((op.x, op.starts, ends))
