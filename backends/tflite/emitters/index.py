"""Rows for operations that pick elements by computed positions, and order them."""

from __future__ import annotations

import numpy as np

from ....compiler.constants import elements
from ....compiler.fold import constant
from ....compiler.ops import dynamic
from ....compiler.ops import index as ir
from ....compiler.ops.shape import BroadcastTo, Reshape, Tile
from ....compiler.types import DType
from ....compiler.value_ranges import nonnegative
from ....compiler.weights import Weight
from ..table import Call, Dims, condition, emits, int_scalar, options
from ..versions import slice_version
from .common import MOVABLE, by_type

_INDEX = "i32 i64"


@condition("indices known not to be negative")
def _counted_up(op: ir.Gather | ir.GatherElements | ir.GatherNd) -> str | None:
    return None if not op.wraps or nonnegative(op.indices) else "indices that may count back from the end"


@emits(
    ir.Gather,
    "GATHER",
    dtypes={"x": MOVABLE, "indices": _INDEX},
    ranks=range(1, 9),
    when=(_counted_up,),
    kernel="gather.cc",
)
def gather(op: ir.Gather) -> Call:
    """GATHER: slices along one axis, at positions that are an operand."""
    return Call((op.x, op.indices), options("GatherOptions", axis=op.axis), by_type(op.x, bool=3, i8=2))


@emits(
    ir.Gather,
    "GATHER",
    dtypes={"x": "string", "indices": _INDEX},
    ranks=range(1, 2),
    when=(_counted_up,),
    kernel="gather.cc",
)
def gather_strings(op: ir.Gather) -> Call:
    """GATHER of strings: the kernel takes vectors of them only."""
    return Call((op.x, op.indices), options("GatherOptions", axis=0))


@condition("along the last axis, in rows one by one")
def _row_by_row(op: ir.GatherElements) -> str | None:
    x, indices = op.x.type.shape, op.indices.type.shape
    return None if op.axis == len(x) - 1 > 0 and x[:-1] == indices[:-1] else "another axis, or not all rows"


@emits(
    ir.GatherElements,
    "GATHER",
    dtypes={"x": MOVABLE, "indices": _INDEX},
    ranks=range(2, 9),
    when=(_row_by_row, _counted_up),
    kernel="gather.cc",
)
def gather_in_rows(op: ir.GatherElements) -> Call:
    """All axes but the last one are common to data and indices."""
    return Call((op.x, op.indices), options("GatherOptions", axis=op.axis, batchDims=op.axis), 5)


@condition("no batch axes")
def _no_batch(op: ir.GatherNd) -> str | None:
    return None if op.batch_dims == 0 else "batch axes"


@emits(
    ir.GatherNd,
    "GATHER_ND",
    dtypes={"x": MOVABLE, "indices": _INDEX},
    ranks=range(1, 9),
    when=(_no_batch, _counted_up),
    kernel="gather_nd.cc",
)
def gather_nd(op: ir.GatherNd) -> Call:
    """GATHER_ND: elements or slices at coordinates that are an operand."""
    return Call((op.x, op.indices), None, by_type(op.x, bool=5))


@condition("sums in zeros")
def _adds_to_zeros(op: ir.ScatterNd) -> str | None:
    repeated = op.x
    while isinstance(repeated.owner, BroadcastTo | Tile | Reshape):
        repeated = repeated.owner.x
    weight = constant(repeated)
    zero = weight is not None and weight.type.dtype is not DType.STRING and not weight.array().any()
    return None if zero and op.reduction == "add" else "more than sums of updates in a tensor of zeros"


@emits(
    ir.ScatterNd,
    "SCATTER_ND",
    dtypes={"x": "f32 i8 i32 i64 u8", "indices": "i32"},
    ranks=range(1, 9),
    when=(_adds_to_zeros,),
    kernel="scatter_nd.cc",
)
def scatter_nd(op: ir.ScatterNd) -> Call:
    """Updates at the same place are added; the zeros are the kernel's own, so they need not be in the file."""
    return Call((op.indices, op.updates, Dims(op.x.type.shape)))


@condition("constant values")
def _known_values(op: ir.OneHot) -> str | None:
    return None if elements(op.values) is not None else "values that are computed"


@condition("indices known not to be negative")
def _positions(op: ir.OneHot) -> str | None:
    return None if not op.wraps or nonnegative(op.indices) else "indices that may count back from the end"


@emits(
    ir.OneHot,
    "ONE_HOT",
    dtypes={"indices": _INDEX, "values": "f32 i8 i32 i64 u8 bool"},
    ranks=range(8),
    when=(_known_values, _positions),
    kernel="one_hot.cc",
)
def one_hot(op: ir.OneHot) -> Call:
    """ONE_HOT: two values, of which one is at the position only."""
    values = elements(op.values)
    assert values is not None
    off, on = (Weight.of(np.asarray(v)) for v in values)
    return Call(
        (op.indices, Dims((op.depth,), ()), on, off),
        options("OneHotOptions", axis=-1 if op.axis == op.indices.type.rank else op.axis),
    )


@condition("the first of equal elements, without the axis")
def _first_without_axis(op: ir.ArgMax | ir.ArgMin) -> str | None:
    return "the last of equal elements, or the axis kept" if op.last or op.keepdims else None


for _op, _builtin in ((ir.ArgMax, "ARG_MAX"), (ir.ArgMin, "ARG_MIN")):

    def _call(op: ir.ArgMax | ir.ArgMin) -> Call:
        table = "ArgMaxOptions" if isinstance(op, ir.ArgMax) else "ArgMinOptions"
        return Call((op.x, int_scalar(op.axis)), options(table, outputType=op.dtype), by_type(op.x, bool=3, i8=2))

    emits(
        _op,
        _builtin,
        dtypes={"x": "f32 i8 u8 i32 bool", "dtype": "i32 i64"},
        ranks=range(1, 9),
        when=(_first_without_axis,),
        kernel="arg_min_max.cc",
    )(_call)


@condition("the largest, along the last axis")
def _largest_along_last(op: ir.TopK) -> str | None:
    return None if op.largest and op.axis == op.x.type.rank - 1 else "the smallest, or another axis than the last"


@emits(
    ir.TopK,
    "TOPK_V2",
    dtypes={"x": "f32 i8 i32 i64 u8", "dtype": "i32"},
    ranks=range(1, 9),
    when=(_largest_along_last,),
    kernel="topk_v2.cc",
)
def top_k(op: ir.TopK) -> Call:
    """TOPK_V2: the largest elements, sorted; equal ones stay in order."""
    return Call((op.x, Dims((op.k,), ())), None, by_type(op.x, i8=2))


@emits(ir.CumSum, "CUMSUM", dtypes="f32 i32 i64", ranks=range(1, 9), kernel="cumsum.cc")
def cum_sum(op: ir.CumSum) -> Call:
    """Either direction, with or without the element itself."""
    return Call((op.x, int_scalar(op.axis)), options("CumsumOptions", exclusive=op.exclusive, reverse=op.reverse))


@emits(
    ir.ReverseSequence,
    "REVERSE_SEQUENCE",
    dtypes={"x": "f32 i16 i32 i64 u8", "lengths": _INDEX},
    ranks=range(2, 9),
    kernel="reverse_sequence.cc",
)
def reverse_sequence(op: ir.ReverseSequence) -> Call:
    """REVERSE_SEQUENCE: the axes of time and batch must be different."""
    return Call((op.x, op.lengths), options("ReverseSequenceOptions", seqDim=op.axis, batchDim=op.batch))


@condition("one row for each")
def _in_rows(op: ir.NonZero) -> str | None:
    return None if op.rows and op.x.type.rank else "positions in columns, or of a single number"


@emits(
    ir.NonZero,
    "WHERE",
    dtypes={"x": "bool f32 i8 i32 i64 u8 u32", "dtype": "i64"},
    ranks=range(1, 9),
    when=(_in_rows,),
    kernel="where.cc",
)
def non_zero(op: ir.NonZero) -> Call:
    """WHERE: the positions of elements that are not zero, as many as there are."""
    return Call((op.x,), None, 1 if op.x.type.dtype is DType.BOOL else 2)


@emits(dynamic.DynamicSlice, "SLICE", dtypes={"x": MOVABLE, "starts": _INDEX}, ranks=range(1, 9), kernel="slice.cc")
def dynamic_slice(op: dynamic.DynamicSlice) -> Call:
    """SLICE: starts are an operand that is computed when the network runs."""
    return Call((op.x, op.starts, Dims(op.sizes, dtype=op.starts.type.dtype)), None, slice_version(op.x.type))


@emits(
    dynamic.DynamicUpdateSlice,
    "DYNAMIC_UPDATE_SLICE",
    dtypes={"x": "bool i8 i32 i64 f32", "starts": _INDEX},
    kernel="dynamic_update_slice.cc",
)
def dynamic_update_slice(op: dynamic.DynamicUpdateSlice) -> Call:
    """DYNAMIC_UPDATE_SLICE: starts are an operand that is computed when the network runs."""
    return Call((op.x, op.update, op.starts), None, by_type(op.starts, i64=2))
