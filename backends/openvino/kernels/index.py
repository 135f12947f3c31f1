"""Rows for operations that pick elements by computed positions, and order them."""

from __future__ import annotations

from functools import partial
from typing import Any

from ....compiler.fold import constant
from ....compiler.ops import index as ir
from ....compiler.types import Array, DType, TensorType
from ....compiler.value_ranges import nonnegative
from ..table import ANY, NUMBERS, Call, Dims, Nested, condition, emits, ints, scalar
from .common import EXACT

MOVED = f"bool i8 u8 {NUMBERS}"
"""Element types of what is picked."""

PLACES = "i32 i64"
"""Element types of positions."""

DATA = {"x": MOVED, "indices": PLACES}


@emits(ir.Gather, "Gather", dtypes=DATA)
def gather(op: ir.Gather) -> Call:
    """Gather: whole slices along one axis, an operand; negative indices count from the end."""
    return Call((op.x, op.indices, scalar(op.axis, DType.I64)), {"batch_dims": 0})


@condition("as many positions along the other axes as there is data")
def _aligned(op: ir.GatherElements) -> str | None:
    pairs = enumerate(zip(op.x.type.shape, op.indices.type.shape, strict=True))
    return None if all(a == b for axis, (a, b) in pairs if axis != op.axis) else "fewer positions along another axis"


@emits(ir.GatherElements, "GatherElements", dtypes=DATA, when=(_aligned,))
def gather_elements(op: ir.GatherElements) -> Call:
    """GatherElements: single elements, each at its own position along one axis."""
    return Call((op.x, op.indices), {"axis": op.axis})


@emits(ir.GatherNd, "GatherND", dtypes=DATA)
def gather_nd(op: ir.GatherNd) -> Call:
    """GatherND: elements or slices at coordinates, with or without leading axes in common (``batch_dims``)."""
    return Call((op.x, op.indices), {"batch_dims": op.batch_dims})


REDUCTIONS = {"none": "none", "add": "sum", "mul": "prod", "max": "max", "min": "min"}
"""How updates are combined, in OpenVINO's words."""


@condition("positions that are known not to be negative")
def _counts_up(op: ir.Scatter | ir.ScatterNd) -> str | None:
    return None if nonnegative(op.indices) else "positions that may count from the end"


@emits(ir.ScatterNd, "ScatterNDUpdate", dtypes=DATA, when=(_counts_up,))
def scatter_nd(op: ir.ScatterNd) -> Call:
    """ScatterNDUpdate: slices at coordinates, replaced or combined with what is there."""
    return Call((op.x, op.indices, op.updates), {"reduction": REDUCTIONS[op.reduction]})


@emits(ir.ScatterElements, "ScatterElementsUpdate", dtypes=DATA)
def scatter_elements(op: ir.ScatterElements) -> Call:
    """ScatterElementsUpdate: single elements replaced or combined, each at its own position along one axis."""
    attributes = {"reduction": REDUCTIONS[op.reduction], "use_init_val": True}
    return Call((op.x, op.indices, op.updates, scalar(op.axis, DType.I64)), attributes)


@condition("updates that replace")
def _replaces(op: ir.Scatter) -> str | None:
    return None if op.reduction == "none" else f"updates combined by {op.reduction}"


@emits(ir.Scatter, "ScatterUpdate", dtypes=DATA, when=(_replaces, _counts_up))
def scatter(op: ir.Scatter) -> Call:
    """ScatterUpdate: slices at positions along one axis are replaced by others."""
    return Call((op.x, op.indices, op.updates, scalar(op.axis, DType.I64)))


@condition("slices along the first axis")
def _rows(op: ir.Scatter) -> str | None:
    return None if op.axis == 0 else f"slices along axis {op.axis}"


@emits(ir.Scatter, "ScatterNDUpdate", dtypes=DATA, when=(_rows, _counts_up))
def scatter_rows(op: ir.Scatter) -> Call:
    """ScatterNDUpdate for a scatter along the first axis whose updates are combined with the rows that are there."""
    count = op.indices.type.shape[0]
    places = Nested("Reshape", TensorType(op.indices.type.dtype, (count, 1)), (op.indices, Dims((count, 1))), EXACT)
    return Call((op.x, places, op.updates), {"reduction": REDUCTIONS[op.reduction]})


@condition("two values that are constants")
def _known_values(op: ir.OneHot) -> str | None:
    return None if constant(op.values) is not None else "values that are computed"


@emits(ir.OneHot, "OneHot", dtypes={"indices": PLACES, "values": MOVED}, when=(_known_values,))
def one_hot(op: ir.OneHot) -> Call:
    """OneHot with any two constant values; a negative index counts from the end, or gives a row without a one."""
    values = constant(op.values)
    assert values is not None
    type = TensorType(op.values.type.dtype, ())
    off, on = (values.derive(type, partial(_element, place=i)) for i in range(2))
    mode = "normalize" if op.wraps else "ignore_negative"
    depth = Dims((op.depth,), ())
    return Call((op.indices, depth, on, off), {"axis": op.axis, "negative_indices_mode": mode})


def _element(array: Array, *, place: int) -> Array:
    return array[place]


@emits(ir.TopK, "TopK", dtypes={"x": NUMBERS, "dtype": PLACES})
def top_k(op: ir.TopK) -> Call:
    """TopK, sorted by value and stable: of equal elements the first one comes first."""
    mode = "max" if op.largest else "min"
    attributes = {"axis": op.axis, "mode": mode, "sort": "value", "index_element_type": op.dtype, "stable": True}
    return Call((op.x, Dims((op.k,), ())), attributes)


@emits(ir.CumSum, "CumSum", dtypes=NUMBERS)
def cum_sum(op: ir.CumSum) -> Call:
    """CumSum along one axis, forward or backward, with or without the element itself."""
    return Call((op.x, scalar(op.axis, DType.I64)), {"exclusive": op.exclusive, "reverse": op.reverse})


@emits(ir.ReverseSequence, "ReverseSequence", dtypes={"x": MOVED, "lengths": PLACES})
def reverse_sequence(op: ir.ReverseSequence) -> Call:
    """ReverseSequence: along one axis, as many leading elements as ``lengths`` says are reversed in each entry."""
    return Call((op.x, op.lengths), {"seq_axis": op.axis, "batch_axis": op.batch})


@condition("columns of positions")
def _in_columns(op: ir.NonZero) -> str | None:
    return None if not op.rows and op.x.type.rank else "rows of positions, or no axes"


@emits(ir.NonZero, "NonZero", dtypes={"x": ANY, "dtype": PLACES}, when=(_in_columns,))
def non_zero(op: ir.NonZero) -> Call:
    """NonZero: a matrix with one column of coordinates for each element that is not zero."""
    return Call((op.x,), {"output_type": op.dtype})


@emits(ir.Unique, "Unique", dtypes=NUMBERS)
def unique(op: ir.Unique) -> Call:
    """Unique elements of the flattened tensor, or unique slices along an axis, sorted or in order of appearance."""
    attributes: dict[str, Any] = {
        "sorted": op.sorted,
        "index_element_type": DType.I64,
        "count_element_type": DType.I64,
    }
    return Call((op.x,) if op.axis is None else (op.x, ints(op.axis)), attributes)
