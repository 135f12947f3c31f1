"""Rows for operations that pick elements by computed positions, and order them."""

from __future__ import annotations

from typing import Any

from ....compiler.ops import index as ir
from ....compiler.value_ranges import nonnegative
from ..table import ANY, NUMBERS, SMALL, Call, Nested, condition, emits

MOVED = f"{NUMBERS} {SMALL}"
"""Element types of what is picked: no truth values."""

DATA = {"x": MOVED, "indices": "i32"}

AXES = range(1, 6)


@condition("a result of few axes")
def _few_axes(op: ir.Gather) -> str | None:
    return None if op.result.type.rank in range(6) else f"a result of {op.result.type.rank} axes"


@emits(ir.Gather, "gather", dtypes=DATA, ranks=AXES, when=(_few_axes,))
def gather(op: ir.Gather) -> Call:
    """Whole slices along one axis; positions may count from the end."""
    return Call({"x": op.x, "indices": op.indices, "axis": op.axis, "batch_dims": 0})


@condition("as many positions along the other axes as there is data")
def _aligned(op: ir.GatherElements) -> str | None:
    pairs = enumerate(zip(op.x.type.shape, op.indices.type.shape, strict=True))
    return None if all(a == b for axis, (a, b) in pairs if axis != op.axis) else "fewer positions along another axis"


@condition("positions that are known not to be negative")
def _counts_up(op: Any) -> str | None:
    return None if nonnegative(op.indices) else "positions that may count from the end"


@emits(ir.GatherElements, "gather_along_axis", dtypes=DATA, ranks=AXES, when=(_aligned, _counts_up))
def gather_elements(op: ir.GatherElements) -> Call:
    """Single elements, each at its own position along one axis."""
    return Call({"x": op.x, "indices": op.indices, "axis": op.axis})


@emits(ir.GatherNd, "gather_nd", dtypes=DATA, ranks=AXES, when=(_counts_up,))
def gather_nd(op: ir.GatherNd) -> Call:
    """Slices at coordinates, for each batch its own if there are batches."""
    return Call({"x": op.x, "indices": op.indices, "batch_dims": op.batch_dims})


MODES = {"none": "update", "add": "add", "mul": "mul", "max": "max", "min": "min"}
"""How updates are combined, in MIL's words."""


@emits(ir.ScatterNd, "scatter_nd", dtypes=DATA, ranks=AXES, when=(_counts_up,))
def scatter_nd(op: ir.ScatterNd) -> Call:
    """Slices written, added or compared at coordinates, one after the other."""
    return Call({"data": op.x, "indices": op.indices, "updates": op.updates, "mode": MODES[op.reduction]})


@condition("a row of positions")
def _in_a_row(op: ir.Scatter) -> str | None:
    return None if op.indices.type.rank == 1 else "positions along several axes"


@emits(ir.Scatter, "scatter", dtypes=DATA, ranks=AXES, when=(_in_a_row, _counts_up))
def scatter(op: ir.Scatter) -> Call:
    """Slices written, added or compared at positions along one axis."""
    operands = {"data": op.x, "indices": op.indices, "updates": op.updates}
    return Call({**operands, "axis": op.axis, "mode": MODES[op.reduction]})


@condition("as many updates along the other axes as there is data")
def _covers(op: ir.ScatterElements) -> str | None:
    pairs = enumerate(zip(op.x.type.shape, op.indices.type.shape, strict=True))
    return None if all(a == b for axis, (a, b) in pairs if axis != op.axis) else "fewer updates along another axis"


@emits(ir.ScatterElements, "scatter_along_axis", dtypes=DATA, ranks=AXES, when=(_covers, _counts_up))
def scatter_elements(op: ir.ScatterElements) -> Call:
    """Single elements, each to its own position along one axis."""
    operands = {"data": op.x, "indices": op.indices, "updates": op.updates}
    return Call({**operands, "axis": op.axis, "mode": MODES[op.reduction]})


@condition("the first of equal elements")
def _first(op: ir.ArgMax | ir.ArgMin) -> str | None:
    return "the last of equal elements" if op.last else None


def _arg(op: ir.ArgMax | ir.ArgMin) -> Call:
    return Call({"x": op.x, "axis": op.axis, "keep_dims": op.keepdims})


ORDERED = {"x": NUMBERS, "dtype": "i32"}

emits(ir.ArgMax, "reduce_argmax", dtypes=ORDERED, ranks=AXES, when=(_first,))(_arg)
emits(ir.ArgMin, "reduce_argmin", dtypes=ORDERED, ranks=AXES, when=(_first,))(_arg)


@condition("a known number of elements")
def _known_number(op: ir.TopK) -> str | None:
    return None if isinstance(op.k, int) else "an open number of elements"


@emits(ir.TopK, "topk", dtypes=ORDERED, ranks=AXES, when=(_known_number,))
def top_k(op: ir.TopK) -> Call:
    """The largest elements along an axis and their positions, in descending order."""
    assert isinstance(op.k, int)
    return Call({"x": op.x, "k": op.k, "axis": op.axis, "ascending": not op.largest})


@emits(ir.CumSum, "cumsum", dtypes=NUMBERS, ranks=AXES)
def cum_sum(op: ir.CumSum) -> Call:
    """Running sums along one axis, exclusive or reversed if asked for."""
    return Call({"x": op.x, "axis": op.axis, "exclusive": op.exclusive, "reverse": op.reverse})


@emits(ir.ReverseSequence, "reverse_sequence", dtypes={"x": ANY, "lengths": "i32"}, ranks=AXES)
def reverse_sequence(op: ir.ReverseSequence) -> Call:
    """The first elements of each sequence reversed, along any axis."""
    return Call({"x": op.x, "lengths": op.lengths, "seq_axis": op.axis, "batch_axis": op.batch})


FOUND = {"x": f"bool {NUMBERS}", "dtype": "i32"}


@condition("rows of positions")
def _in_rows(op: ir.NonZero) -> str | None:
    return None if op.rows else "columns of positions"


@emits(ir.NonZero, "non_zero", dtypes=FOUND, ranks=AXES, when=(_in_rows,))
def non_zero(op: ir.NonZero) -> Call:
    """Coordinates of the elements that are not zero, one row for each."""
    return Call({"x": op.x})


@emits(ir.NonZero, "transpose", dtypes=FOUND, ranks=AXES)
def non_zero_in_columns(op: ir.NonZero) -> Call:
    """Coordinates of the elements that are not zero, one column for each."""
    type = op.result.type.with_shape(op.result.type.shape[::-1])
    return Call({"x": Nested("non_zero", type, {"x": op.x}), "perm": (1, 0)})


@condition("all above a diagonal that is above the main one, or below one that is below it")
def _band(op: ir.Trilu) -> str | None:
    return None if (op.k <= 0 if op.upper else op.k >= 0) else f"the diagonal {op.k}"


@emits(ir.Trilu, "band_part", dtypes=f"bool {NUMBERS}", ranks=range(2, 6), when=(_band,))
def trilu(op: ir.Trilu) -> Call:
    """A triangle of each matrix, as a band that reaches to one corner."""
    lower, upper = (-op.k, -1) if op.upper else (-1, op.k)
    return Call({"x": op.x, "lower": lower, "upper": upper})
