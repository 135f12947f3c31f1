"""Rows for operations that pick elements by computed positions, and order them."""

from __future__ import annotations

from typing import Any

from ....compiler.ops import index as ir
from ....compiler.types import DType, TensorType
from ....compiler.value_ranges import nonnegative
from ..table import Call, Dims, Nested, condition, emits, ints, scalar


@condition("positions counted in i64")
def _counts_in_i64(op: Any) -> str | None:
    return None if op.dtype is DType.I64 else f"positions counted in {op.dtype}"


@emits(ir.Gather, "Gather")
def gather(op: ir.Gather) -> Call:
    """Gather: whole slices along one axis, at computed positions."""
    return Call(op.operands, {"axis": op.axis} if op.axis else {})


@emits(ir.GatherElements, "GatherElements")
def gather_elements(op: ir.GatherElements) -> Call:
    """Single elements, each at its own position along one axis."""
    return Call(op.operands, {"axis": op.axis})


@emits(ir.GatherNd, "GatherND")
def gather_nd(op: ir.GatherNd) -> Call:
    """GatherND: elements or slices at coordinates, with or without batch axes."""
    return Call(op.operands, {"batch_dims": op.batch_dims} if op.batch_dims else {})


SCATTERED = {"none": 1, "add": 16, "mul": 16, "max": 18, "min": 18}
"""How updates are combined, and since which opset that can be said."""


NOT_COMBINED = (DType.BOOL, DType.F16, DType.BF16)
"""Types that onnxruntime does not combine, which the standard allows."""


@condition("numbers of 32 bits or integers, where they are combined")
def _combines_numbers(op: Any) -> str | None:
    refused = op.x.type.dtype in NOT_COMBINED and op.reduction != "none"
    return f"{op.x.type.dtype} combined by {op.reduction}" if refused else None


@emits(ir.ScatterNd, "ScatterND", when=(_combines_numbers,))
def scatter_nd(op: ir.ScatterNd) -> Call:
    """ScatterND: writes slices at coordinates, or combines them with what is there."""
    attributes = {} if op.reduction == "none" else {"reduction": op.reduction}
    return Call(op.operands, attributes, since=SCATTERED[op.reduction])


@emits(ir.ScatterElements, "ScatterElements", when=(_combines_numbers,))
def scatter_elements(op: ir.ScatterElements) -> Call:
    """Single elements, each to its own position along one axis."""
    attributes: dict[str, int | str] = {"axis": op.axis}
    if op.reduction != "none":
        attributes["reduction"] = op.reduction
    return Call(op.operands, attributes, since=SCATTERED[op.reduction])


@emits(ir.OneHot, "OneHot")
def one_hot(op: ir.OneHot) -> Call:
    """OneHot: any two values; negative indices that don't count from the end are moved out of range."""
    type, indices = op.indices.type, op.indices
    if not op.wraps and not nonnegative(op.indices):
        negative = Nested("Less", type.with_dtype(DType.BOOL), (op.indices, scalar(0, type.dtype)))
        outside = scalar(DType.I32.bounds[0], type.dtype)
        indices = Nested("Where", type, (negative, outside, op.indices))
    return Call((indices, Dims((op.depth,), ()), op.values), {"axis": op.axis})


def _extreme(op: ir.ArgMax | ir.ArgMin) -> Call:
    attributes = {"axis": op.axis, "keepdims": int(op.keepdims)}
    return Call((op.x,), attributes | ({"select_last_index": 1} if op.last else {}))


emits(ir.ArgMax, "ArgMax", when=(_counts_in_i64,))(_extreme)
emits(ir.ArgMin, "ArgMin", when=(_counts_in_i64,))(_extreme)


@emits(ir.TopK, "TopK", when=(_counts_in_i64,))
def top_k(op: ir.TopK) -> Call:
    """TopK: the largest or smallest elements along an axis, sorted."""
    attributes = {"axis": op.axis}
    return Call((op.x, Dims((op.k,))), attributes if op.largest else attributes | {"largest": 0})


def _running(op: ir.CumSum | ir.CumProd) -> Call:
    flags = {"exclusive": op.exclusive, "reverse": op.reverse}
    return Call((op.x, scalar(op.axis, DType.I64)), {name: 1 for name, is_set in flags.items() if is_set})


emits(ir.CumSum, "CumSum")(_running)
emits(ir.CumProd, "CumProd")(_running)


@condition("time and batch as the first two axes")
def _first_two(op: ir.ReverseSequence) -> str | None:
    return None if {op.axis, op.batch} == {0, 1} else f"time along axis {op.axis} and batch along axis {op.batch}"


@emits(ir.ReverseSequence, "ReverseSequence", when=(_first_two,))
def reverse_sequence(op: ir.ReverseSequence) -> Call:
    """ReverseSequence: the lengths of the sequences are of i64."""
    return Call(op.operands, {"time_axis": op.axis, "batch_axis": op.batch})


@condition("columns of positions")
def _in_columns(op: ir.NonZero) -> str | None:
    return None if not op.rows and op.x.type.rank else "rows of positions, or no axes"


@emits(ir.NonZero, "NonZero", when=(_in_columns, _counts_in_i64))
def non_zero(op: ir.NonZero) -> Call:
    """NonZero: the positions of elements that are not zero, one column each."""
    return Call((op.x,))


@emits(ir.Unique, "Unique")
def unique(op: ir.Unique) -> Call:
    """Unique: different elements of the whole tensor, or slices along an axis."""
    attributes = {"sorted": int(op.sorted)}
    return Call((op.x,), attributes if op.axis is None else attributes | {"axis": op.axis})


@emits(ir.Trilu, "Trilu")
def trilu(op: ir.Trilu) -> Call:
    """Trilu: keeps a triangle of matrices, from any diagonal on."""
    diagonal = (scalar(op.k, DType.I64),) if op.k else ()
    return Call((op.x, *diagonal), {} if op.upper else {"upper": 0})


@condition("slices along the first axis")
def _rows(op: ir.Scatter) -> str | None:
    return None if op.axis == 0 else f"slices along axis {op.axis}"


@emits(ir.Scatter, "ScatterND", when=(_rows, _combines_numbers))
def scatter(op: ir.Scatter) -> Call:
    """ScatterElements along the first axis: rows at computed positions."""
    count = op.indices.type.shape[0]
    places = Nested("Unsqueeze", TensorType(op.indices.type.dtype, (count, 1)), (op.indices, ints(1)))
    attributes = {} if op.reduction == "none" else {"reduction": op.reduction}
    return Call((op.x, places, op.updates), attributes, since=SCATTERED[op.reduction])
