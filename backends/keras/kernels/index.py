"""Rows for operations that pick elements by computed positions, put them there, and order them."""

from __future__ import annotations

from typing import Any

from ....compiler.dims import is_static, static
from ....compiler.fold import constant
from ....compiler.ops import dynamic
from ....compiler.ops import index as ir
from ....compiler.types import DType
from ....compiler.value_ranges import nonnegative
from ....formats.keras.build import NAMES
from ..table import ANY, FLOATS, NUMBERS, Call, Condition, Nested, condition, emits
from .common import dtype_of, precise, weight_of

INDEX = (DType.I32, DType.I64)


@condition("indices of 32 or 64 bits with a sign")
def _usual(op: Any) -> str | None:
    return None if op.indices.type.dtype in INDEX else f"indices of {op.indices.type.dtype}"


@condition("rows of a constant matrix of floats, by computed indices")
def _embedding(op: ir.Gather) -> str | None:
    is_known = op.axis == 0 and op.x.type.rank == len(("row", "feature")) and constant(op.x) is not None
    return None if is_known and constant(op.indices) is None else "other data than a constant matrix"


@emits(ir.Gather, "layers.Embedding", dtypes=FLOATS, when=(_usual, _embedding))
def embedding(op: ir.Gather) -> Call:
    """Rows of a matrix, which is a weight; indices may count back from the end."""
    rows, features = op.x.type.shape
    assert isinstance(rows, int) and isinstance(features, int)
    settings = {"input_dim": rows, "output_dim": features, **dtype_of(op)}
    return Call((op.indices,), settings, (weight_of(op.x),))


@emits(ir.Gather, "ops.take", dtypes=ANY, when=(_usual,))
def take(op: ir.Gather) -> Call:
    """``ops.take`` of slices along one axis; indices may count back from the end."""
    return Call((op.x, op.indices), {"axis": op.axis})


@condition("as many indices as elements along the other axes")
def _alike(op: ir.GatherElements) -> str | None:
    pairs = enumerate(zip(op.x.type.shape, op.indices.type.shape, strict=True))
    return None if all(axis == op.axis or a == b for axis, (a, b) in pairs) else "fewer indices than elements"


@emits(ir.GatherElements, "ops.take_along_axis", dtypes=ANY, when=(_usual, _alike))
def take_along_axis(op: ir.GatherElements) -> Call:
    """``ops.take_along_axis``: every element by an index of its own along one axis."""
    return Call((op.x, op.indices), {"axis": op.axis})


@condition("coordinates known not to be negative")
def _positive_coordinates(op: ir.ScatterNd) -> str | None:
    return None if nonnegative(op.indices) else "coordinates that may count back from the end"


@condition("a known number of coordinates")
def _coordinates(op: ir.ScatterNd) -> str | None:
    return None if isinstance(op.indices.type.shape[-1], int) else "an open number of coordinates"


def _reduction(name: str) -> Condition:
    return Condition(f"reduction {name}", lambda op: None if op.reduction == name else f"the reduction {op.reduction}")


@emits(
    ir.ScatterNd,
    "ops.scatter_update",
    dtypes=ANY,
    when=(_reduction("none"), _coordinates, _usual, _positive_coordinates),
)
def scatter_update(op: ir.ScatterNd) -> Call:
    """``ops.scatter_update``: slices replace those at coordinates, of which none may count back from the end."""
    return Call((op.x, op.indices, op.updates))


for _name in ("add", "max", "min"):
    emits(
        ir.ScatterNd,
        "ops.scatter_update",
        dtypes=f"{FLOATS} i32 i64",
        when=(_reduction(_name), _coordinates, _usual, _positive_coordinates),
    )(lambda op: Call((op.x, op.indices, op.updates), {"reduction": op.reduction}))


@condition("the first of equal elements")
def _first(op: ir.ArgMax | ir.ArgMin) -> str | None:
    return "the last of equal elements" if op.last else None


def _arg(function: str) -> Any:
    def call(op: ir.ArgMax | ir.ArgMin) -> Call:
        """Positions of 32 bits, then as wide as they shall be."""
        settings = {"axis": op.axis, "keepdims": op.keepdims}
        found = Nested(function, op.result.type.with_dtype(DType.I32), (op.x,), settings)
        return Call((found,), {"dtype": NAMES[op.dtype]}, function="ops.cast")

    return call


ORDERED = f"{FLOATS} i8 i16 i32 i64 u8 u16"
"""Types that are compared."""

emits(ir.ArgMax, "ops.argmax", dtypes=ORDERED, when=(_first,), ranks=range(1, 8))(_arg("ops.argmax"))
emits(ir.ArgMin, "ops.argmin", dtypes=ORDERED, when=(_first,), ranks=range(1, 8))(_arg("ops.argmin"))


@condition("the largest, a known number of them, along the last axis")
def _largest(op: ir.TopK) -> str | None:
    is_known = op.largest and isinstance(op.k, int) and op.axis == op.x.type.rank - 1
    return None if is_known else "the smallest, an open number, or another axis"


@condition("positions of 32 bits")
def _short(op: ir.TopK) -> str | None:
    return None if op.dtype is DType.I32 else f"positions of {op.dtype}"


@emits(ir.TopK, "ops.top_k", dtypes=ORDERED, when=(_largest, _short))
def top_k(op: ir.TopK) -> Call:
    """``ops.top_k``: the largest along the last axis in descending order, equal ones by position, which has 32 bits."""
    assert isinstance(op.k, int)
    return Call((op.x,), {"k": op.k, "sorted": True})


@condition("forwards, with the element itself")
def _inclusive(op: ir.CumSum | ir.CumProd) -> str | None:
    return "backwards, or without the element itself" if op.exclusive or op.reverse else None


_RUNNING: tuple[Condition, ...] = (precise, _inclusive)


def _running(op: ir.CumSum | ir.CumProd) -> Call:
    return Call((op.x,), {"axis": op.axis})


emits(ir.CumSum, "ops.cumsum", dtypes=f"{FLOATS} i32 i64", when=_RUNNING)(_running)
emits(ir.CumProd, "ops.cumprod", dtypes=f"{FLOATS} i32 i64", when=_RUNNING)(_running)


@condition("known sizes of matrices, with the diagonal in them")
def _known_matrix(op: ir.Trilu) -> str | None:
    sizes = op.x.type.shape[-2:]
    if not is_static(sizes) or 0 in op.x.type.shape:
        return "sizes that are open, or no elements"
    rows, columns = static(sizes)
    return None if -rows < op.k < columns else f"diagonal {op.k}, which is beyond the matrix"


@condition("the lower triangle")
def _lower(op: ir.Trilu) -> str | None:
    return "the upper triangle" if op.upper else None


@condition("the upper triangle")
def _upper(op: ir.Trilu) -> str | None:
    return None if op.upper else "the lower triangle"


def _triangle(op: ir.Trilu) -> Call:
    return Call((op.x,), {"k": op.k})


emits(ir.Trilu, "ops.tril", dtypes=NUMBERS, when=(_lower, _known_matrix), ranks=range(2, 64))(_triangle)
emits(ir.Trilu, "ops.triu", dtypes=NUMBERS, when=(_upper, _known_matrix), ranks=range(2, 64))(_triangle)


@condition("known sizes, starts of 32 or 64 bits")
def _known_sizes(op: dynamic.DynamicSlice) -> str | None:
    is_known = is_static(op.sizes) and op.starts.type.dtype in INDEX
    return None if is_known else "sizes that are open, or starts of another type"


@emits(dynamic.DynamicSlice, "ops.slice", dtypes=ANY, when=(_known_sizes,), ranks=range(1, 9))
def dynamic_slice(op: dynamic.DynamicSlice) -> Call:
    """``ops.slice``: known sizes from starts on that are an operand."""
    return Call((op.x, op.starts), {"shape": tuple(int(d) for d in op.sizes if isinstance(d, int))})
