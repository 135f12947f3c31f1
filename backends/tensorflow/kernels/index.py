"""Rows for operations that pick elements by computed positions, put them there, and order them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....compiler.constants import elements
from ....compiler.dims import at_least
from ....compiler.ops import dynamic
from ....compiler.ops import index as ir
from ....compiler.types import DType
from ....compiler.value_ranges import nonnegative
from ....compiler.weights import Weight
from ..table import Call, Condition, Dims, condition, emits, scalar
from .common import last_axis, precise

COORDINATES = 7
"""More of them kernels don't take."""

INDEX = (DType.I32, DType.I64)


@condition("indices known not to be negative")
def _counted_up(op: ir.Gather | ir.GatherElements | ir.GatherNd) -> str | None:
    return None if not op.wraps or nonnegative(op.indices) else "indices that may count back from the end"


@condition("indices of 32 or 64 bits with a sign")
def _usual(op: Any) -> str | None:
    """Others are few kernels' or none's."""
    return None if op.indices.type.dtype in INDEX else f"indices of {op.indices.type.dtype}"


@emits(ir.Gather, "GatherV2", when=(_usual, _counted_up))
def gather(op: ir.Gather) -> Call:
    """GatherV2: slices along one axis, at positions that are an operand."""
    return Call((op.x, op.indices, scalar(op.axis, DType.I32)), {"batch_dims": 0})


@condition("along the last axis, in rows one by one")
def _row_by_row(op: ir.GatherElements) -> str | None:
    x, indices = op.x.type.shape, op.indices.type.shape
    return None if op.axis == len(x) - 1 > 0 and x[:-1] == indices[:-1] else "another axis, or not all rows"


@emits(ir.GatherElements, "GatherV2", when=(_usual, _row_by_row, _counted_up))
def gather_in_rows(op: ir.GatherElements) -> Call:
    """All axes but the last one are common to data and indices."""
    return Call((op.x, op.indices, scalar(op.axis, DType.I32)), {"batch_dims": op.axis})


@condition("no batch axes")
def _no_batch(op: ir.GatherNd) -> str | None:
    return None if op.batch_dims == 0 else "batch axes"


@condition(f"1 to {COORDINATES} coordinates")
def _coordinates(op: ir.GatherNd | ir.ScatterNd) -> str | None:
    count = op.indices.type.shape[-1]
    return None if isinstance(count, int) and 1 <= count <= COORDINATES else f"{count} coordinates"


@emits(ir.GatherNd, "GatherNd", when=(_usual, _no_batch, _coordinates, _counted_up))
def gather_nd(op: ir.GatherNd) -> Call:
    """GatherNd: elements or slices at coordinates that are an operand."""
    return Call((op.x, op.indices))


@condition("coordinates known not to be negative")
def _positive_coordinates(op: ir.ScatterNd) -> str | None:
    return None if nonnegative(op.indices) else "coordinates that may count back from the end"


def _reduction(name: str) -> Condition:
    return Condition(f"reduction {name}", lambda op: None if op.reduction == name else f"the reduction {op.reduction}")


for _name, _operator in (
    ("none", "TensorScatterUpdate"),
    ("add", "TensorScatterAdd"),
    ("max", "TensorScatterMax"),
    ("min", "TensorScatterMin"),
):
    emits(ir.ScatterNd, _operator, when=(_reduction(_name), _usual, _coordinates, _positive_coordinates))(
        lambda op: Call((op.x, op.indices, op.updates))
    )


@condition("constant values")
def _known_values(op: ir.OneHot) -> str | None:
    return None if elements(op.values) is not None else "values that are computed"


@condition("indices known not to be negative")
def _positions(op: ir.OneHot) -> str | None:
    return None if not op.wraps or nonnegative(op.indices) else "indices that may count back from the end"


@emits(ir.OneHot, "OneHot", when=(_usual, _known_values, _positions))
def one_hot(op: ir.OneHot) -> Call:
    """OneHot: two values, of which one is at the position only."""
    values = elements(op.values)
    assert values is not None
    off, on = (Weight.of(np.asarray(v)) for v in values)
    axis = -1 if op.axis == op.indices.type.rank else op.axis
    return Call((op.indices, Dims((op.depth,), (), DType.I32), on, off), {"axis": axis})


@condition("the first of equal elements, without the axis")
def _first_without_axis(op: ir.ArgMax | ir.ArgMin) -> str | None:
    return "the last of equal elements, or the axis kept" if op.last or op.keepdims else None


def _arg(op: ir.ArgMax | ir.ArgMin) -> Call:
    return Call((op.x, scalar(op.axis, DType.I32)))


emits(ir.ArgMax, "ArgMax", ranks=range(1, 8), when=(_first_without_axis,))(_arg)
emits(ir.ArgMin, "ArgMin", ranks=range(1, 8), when=(_first_without_axis,))(_arg)


@condition("the largest")
def _largest(op: ir.TopK) -> str | None:
    return None if op.largest else "the smallest"


@condition("positions of 32 bits")
def _short(op: ir.TopK) -> str | None:
    return None if op.dtype is DType.I32 else f"positions of {op.dtype}, which only late kernels give"


@emits(ir.TopK, "TopKV2", when=(_largest, last_axis, _short))
def top_k(op: ir.TopK) -> Call:
    """TopKV2: the largest elements, sorted; equal ones stay in order."""
    return Call((op.x, Dims((op.k,), (), DType.I32)), {"sorted": True})


def _running(op: ir.CumSum | ir.CumProd) -> Call:
    """Either direction, with or without the element itself."""
    return Call((op.x, scalar(op.axis, DType.I32)), {"exclusive": op.exclusive, "reverse": op.reverse})


emits(ir.CumSum, "Cumsum", when=(precise,))(_running)
emits(ir.CumProd, "Cumprod", when=(precise,))(_running)


@emits(ir.ReverseSequence, "ReverseSequence", ranks=range(2, 6))
def reverse_sequence(op: ir.ReverseSequence) -> Call:
    """ReverseSequence: the axes of time and batch must be different."""
    return Call((op.x, op.lengths), {"seq_dim": op.axis, "batch_dim": op.batch})


@condition("one row for each, counted in 64 bits")
def _in_rows(op: ir.NonZero) -> str | None:
    is_there = op.rows and op.x.type.rank and op.dtype is DType.I64
    return None if is_there else "positions in columns, of other types, or of a single number"


@emits(ir.NonZero, "Where", ranks=range(1, 9), when=(_in_rows,))
def non_zero(op: ir.NonZero) -> Call:
    """Where: the positions of elements that are not zero, as many as there are."""
    return Call((op.x,))


@condition("a triangle with the diagonal")
def _with_diagonal(op: ir.Trilu) -> str | None:
    return None if (op.k <= 0 if op.upper else op.k >= 0) else "a triangle beside the diagonal"


@condition("a diagonal within the matrix")
def _within(op: ir.Trilu) -> str | None:
    size = op.x.type.shape[-2 if op.upper else -1]
    return None if at_least(size, abs(op.k) + 1) else f"diagonal {op.k} of {size}"


@emits(ir.Trilu, "MatrixBandPart", when=(_with_diagonal, _within))
def triangle(op: ir.Trilu) -> Call:
    """How many diagonals stay below and above; all for a negative number."""
    below, above = (-op.k, -1) if op.upper else (-1, op.k)
    return Call((op.x, scalar(below, DType.I64), scalar(above, DType.I64)))


@condition("starts of 32 or 64 bits with a sign")
def _usual_starts(op: dynamic.DynamicSlice) -> str | None:
    return None if op.starts.type.dtype in INDEX else f"starts of {op.starts.type.dtype}"


@emits(dynamic.DynamicSlice, "Slice", ranks=range(9), when=(_usual_starts,))
def dynamic_slice(op: dynamic.DynamicSlice) -> Call:
    """Slice: starts are an operand that is computed when the network runs."""
    return Call((op.x, op.starts, Dims(op.sizes, dtype=op.starts.type.dtype)))
