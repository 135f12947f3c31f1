"""Rows for operations that move, cut and join data."""

from __future__ import annotations

import math

import numpy as np

from ....compiler.constants import elements
from ....compiler.dims import Dim, Shape, Sym, at_least
from ....compiler.ops import shape as ir
from ....compiler.types import DType
from ....compiler.weights import Weight
from ...common.unit_axes import inserted_axis, removed_axes
from ..quantization import QUANTIZED, quantization_of
from ..table import FAST_RANKS, Call, Condition, Dims, Stored, condition, emits, int_scalar, ints, options
from ..versions import slice_version
from .common import MOVABLE, by_type

_ANY = "bool i8 i16 i32 i64 u8 u16 u32 f16 f32 f64"


@emits(ir.Transpose, "TRANSPOSE", dtypes=f"{MOVABLE} i16", ranks=FAST_RANKS, kernel="transpose.cc")
def transpose(op: ir.Transpose) -> Call:
    """TRANSPOSE: the kernel takes up to six axes."""
    rank = op.x.type.rank
    version = max({5: 4, 6: 6}.get(rank, 1), by_type(op.x, bool=3, i8=2, i16=5))
    return Call((op.x, ints(*op.perm)), None, version)


def _unknown(shape: Shape) -> int:
    return sum(isinstance(d, Sym) for d in shape)


@condition("at most one unknown size")
def _one_unknown(op: ir.Reshape) -> str | None:
    shape = op.shape
    return None if _unknown(shape) <= 1 and (0 not in shape or not _unknown(shape)) else "several unknown sizes"


@emits(ir.Reshape, "RESHAPE", dtypes=_ANY, when=(_one_unknown,), kernel="reshape.cc")
def reshape(op: ir.Reshape) -> Call:
    """A constant shape, in which -1 stands for the unknown size: XNNPACK takes it."""
    return Call((op.x, ints(*(d if isinstance(d, int) else -1 for d in op.shape))))


@condition("one new axis of size 1")
def _inserts(op: ir.Reshape) -> str | None:
    return None if inserted_axis(op) is not None else "more than a new axis of size one"


@emits(ir.Reshape, "EXPAND_DIMS", dtypes=_ANY, ranks=range(8), when=(_inserts,), kernel="expand_dims.cc")
def expand_dims(op: ir.Reshape) -> Call:
    """No shape has to be computed for several unknown sizes."""
    axis = inserted_axis(op)
    assert axis is not None
    return Call((op.x, int_scalar(axis)))


@condition("only axes of size 1 vanish")
def _removes(op: ir.Reshape) -> str | None:
    return None if removed_axes(op) is not None else "more than axes of size one vanish"


@emits(ir.Reshape, "SQUEEZE", dtypes=_ANY, when=(_removes,), kernel="squeeze.cc")
def squeeze(op: ir.Reshape) -> Call:
    """No shape has to be computed for several unknown sizes."""
    axes = removed_axes(op)
    assert axes is not None
    return Call((op.x,), options("SqueezeOptions", squeezeDims=axes))


@emits(ir.Reshape, "RESHAPE", dtypes=_ANY, kernel="reshape.cc")
def reshape_computed(op: ir.Reshape) -> Call:
    """RESHAPE to a shape that the file computes from open sizes."""
    return Call((op.x, Dims(op.shape)))


@condition("where it is open how often to repeat")
def _unknown_repeats(op: ir.BroadcastTo) -> str | None:
    """TILE is a hundred times as fast, but must know how often to repeat."""
    given = (1,) * (len(op.shape) - op.x.type.rank) + op.x.type.shape
    known = all(d == e or d == 1 for d, e in zip(given, op.shape, strict=True))
    return "repeats that are known; TILE is a hundred times as fast" if known else None


@emits(ir.BroadcastTo, "BROADCAST_TO", dtypes=MOVABLE, when=(_unknown_repeats,), kernel="broadcast_to.cc")
def broadcast_to(op: ir.BroadcastTo) -> Call:
    """Where it is open whether a size is one."""
    return Call((op.x, Dims(op.shape)), None, by_type(op.x, i8=3) if op.x.type.dtype is DType.I8 else 2)


@emits(ir.Concat, "CONCATENATION", dtypes={"xs": f"{MOVABLE} i16 u32"}, ranks=FAST_RANKS[1:], kernel="concatenation.cc")
def concat(op: ir.Concat) -> Call:
    """Any number of parts: one operator is faster than a tree of those that XNNPACK takes."""
    return Call(op.xs, options("ConcatenationOptions", axis=op.axis), by_type(op.xs[0], i8=2, i16=3, u32=4))


@condition("equal parts, at most 4")
def _equal_parts(op: ir.Split) -> str | None:
    count = len(op.sizes)
    if len(set(op.sizes)) > 1 or op.x.type.shape[op.axis] != op.sizes[0] * count:
        return "parts of different sizes"
    return None if count <= MAX_PARTS else f"more than {MAX_PARTS} parts, which XNNPACK does not take"


MAX_PARTS = 4


@emits(ir.Split, "SPLIT", dtypes="i8 i16 i32 i64 u8 f32", ranks=FAST_RANKS[1:], when=(_equal_parts,), kernel="split.cc")
def split(op: ir.Split) -> Call:
    """SPLIT: into parts of equal size along one axis."""
    given = options("SplitOptions", numSplits=len(op.sizes))
    return Call((int_scalar(op.axis), op.x), given, by_type(op.x, i32=3, i8=2, i16=4))


@condition("steps of 1")
def _steps_of_one(op: ir.Slice) -> str | None:
    return None if all(s == 1 for s in op.steps) else "steps other than one"


@condition("positive steps")
def _forward(op: ir.Slice) -> str | None:
    return None if all(s > 0 for s in op.steps) else "steps backwards"


@emits(ir.Slice, "SLICE", dtypes=f"{MOVABLE} i16", when=(_steps_of_one,), kernel="slice.cc")
def slice_(op: ir.Slice) -> Call:
    """SLICE: a start and a size along each axis."""
    return Call((op.x, Dims(op.starts), Dims(op.sizes)), None, slice_version(op.x.type))


@emits(
    ir.Slice, "STRIDED_SLICE", dtypes=f"{MOVABLE} i16", ranks=range(1, 9), when=(_forward,), kernel="strided_slice.cc"
)
def strided_slice(op: ir.Slice) -> Call:
    """STRIDED_SLICE: for steps that are larger than one."""
    ends = tuple(a + (n - 1) * s + 1 if n != 0 else a for a, n, s in zip(op.starts, op.sizes, op.steps, strict=True))
    version = 4 if op.x.type.rank > 4 else by_type(op.x, bool=3, i8=2)
    return Call((op.x, Dims(op.starts), Dims(ends), ints(*op.steps)), options("StridedSliceOptions"), version)


def _mode(*modes: str) -> Condition:
    return Condition(f"mode {' or '.join(modes)}", lambda op: None if op.mode in modes else f"mode {op.mode}")


@condition("filled with 0, integers with their zero point")
def _zeros(op: ir.Pad) -> str | None:
    own = quantization_of(op.result) if op.x.type.dtype in QUANTIZED else None
    zero = 0 if own is None else own.zeros[0]
    is_zero = op.value == zero and (zero != 0 or math.copysign(1, op.value) > 0)
    return None if is_zero else "a filling other than zero"


def _widths(op: ir.Pad) -> Dims:
    pairs = [w for pair in zip(op.low, op.high, strict=True) for w in pair]
    return Dims(tuple(pairs), (op.x.type.rank, 2))


def _pad_version(op: ir.Pad) -> int:
    return by_type(op.x, bool=5, i8=2, i16=3) if op.x.type.rank <= 4 or op.x.type.dtype is DType.BOOL else 4


@emits(ir.Pad, "PAD", dtypes=f"{MOVABLE} i16", ranks=range(1, 6), when=(_mode("constant"), _zeros), kernel="pad.cc")
def pad(op: ir.Pad) -> Call:
    """Zeros; XNNPACK fuses them into the convolution that follows."""
    return Call((op.x, _widths(op)), None, _pad_version(op))


@emits(ir.Pad, "PADV2", dtypes=f"{MOVABLE} i16", ranks=range(1, 6), when=(_mode("constant"),), kernel="pad.cc")
def pad_v2(op: ir.Pad) -> Call:
    """PADV2: a padding with a constant of any value."""
    filling = Weight.of(np.asarray(op.value).astype(op.x.type.dtype.numpy))
    own = quantization_of(op.result) if op.x.type.dtype in QUANTIZED else None
    stored = filling if own is None else Stored(filling, own)
    return Call((op.x, _widths(op), stored), None, _pad_version(op))


@condition("paddings smaller than the data")
def _within(op: ir.Pad) -> str | None:
    """A mirror shows no more than the whole; the kernel reads beyond it without a check."""
    edge = 1 if op.mode == "reflect" else 0
    widths: list[tuple[Dim, Dim]] = list(zip(op.low, op.high, strict=True))
    for size, pair in zip(op.x.type.shape, widths, strict=True):
        if any(w != 0 and not at_least(size - edge, w) for w in pair):
            return f"paddings {pair[0]} and {pair[1]} that reach beyond {size} mirrored positions"
    return None


@emits(
    ir.Pad,
    "MIRROR_PAD",
    dtypes=MOVABLE,
    ranks=range(1, 7),
    when=(_mode("reflect", "symmetric"), _within),
    kernel="mirror_pad.cc",
)
def mirror_pad(op: ir.Pad) -> Call:
    """MIRROR_PAD: a padding that mirrors, with or without the edge."""
    return Call((op.x, _widths(op)), options("MirrorPadOptions", mode=op.mode.upper()), by_type(op.x, i8=2))


@emits(ir.Tile, "TILE", dtypes=MOVABLE, ranks=range(1, 9), kernel="tile.cc")
def tile(op: ir.Tile) -> Call:
    """TILE: repeats the whole tensor along each axis."""
    return Call((op.x, Dims(op.repeats)), None, by_type(op.x, i8=3))


@condition("one axis")
def _one_axis(op: ir.Reverse) -> str | None:
    return None if len(op.dims) == 1 else "several axes, which old runtimes get wrong"


@condition("no other axis that may be empty")
def _something(op: ir.Reverse) -> str | None:
    """The kernel crashes beside an axis without positions."""
    others = (d for a, d in enumerate(op.x.type.shape) if a not in op.dims)
    return None if all(at_least(d, 1) for d in others) else "another axis may be empty, where the kernel crashes"


@emits(ir.Reverse, "REVERSE_V2", dtypes=MOVABLE, ranks=range(1, 9), when=(_one_axis, _something), kernel="reverse.cc")
def reverse(op: ir.Reverse) -> Call:
    """REVERSE_V2: reverses the order of elements along one axis."""
    return Call((op.x, ints(*op.dims)), None, by_type(op.x, i8=3, bool=2))


@condition("all axes")
def _all_axes(op: ir.ShapeOf) -> str | None:
    return None if op.dims == tuple(range(op.x.type.rank)) else "some axes of the shape"


@emits(
    ir.ShapeOf, "SHAPE", dtypes={"x": _ANY, "dtype": "i32 i64"}, ranks=range(1, 9), when=(_all_axes,), kernel="shape.cc"
)
def shape_of(op: ir.ShapeOf) -> Call:
    """All sizes of the operand as a vector."""
    return Call((op.x,), options("ShapeOptions", outType=op.dtype))


@condition("constant start and step")
def _known_steps(op: ir.Range) -> str | None:
    return None if elements(op.start) is not None and elements(op.step) is not None else "ends that are computed"


@emits(ir.Range, "RANGE", dtypes="i32 i64", when=(_known_steps,), kernel="range.cc")
def range_(op: ir.Range) -> Call:
    """A size that is known only when the network runs."""
    start, step = elements(op.start), elements(op.step)
    assert start is not None and step is not None
    limit = op.size * int(step) + int(start)
    dtype = op.start.type.dtype
    return Call((op.start, Dims((limit,), (), dtype), op.step), None, by_type(op.start, i64=2))
