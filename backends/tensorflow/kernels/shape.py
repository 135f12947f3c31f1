"""Rows for operations that move, cut and join data."""

from __future__ import annotations

from collections.abc import Sequence

from ....compiler.broadcasting import folds
from ....compiler.constants import elements
from ....compiler.dims import Dim, Shape, Sym, at_least
from ....compiler.ops import shape as ir
from ....compiler.types import DType
from ...common.unit_axes import inserted_axis, removed_axes
from ..table import Call, Condition, Dims, condition, emits, ints, scalar
from .common import BROADCAST_RANK

MAX_PAD_RANK, MAX_MIRROR_RANK, MAX_SLICE_RANK = 6, 5, 8


def wide(values: Sequence[Dim]) -> DType:
    """Return the type of integers that holds sizes: 32 bits unless a known one needs more."""
    return DType.I64 if any(isinstance(v, int) and not -(1 << 31) <= v < 1 << 31 for v in values) else DType.I32


def vector(values: Sequence[Dim]) -> Dims:
    """Return sizes as an operand: a vector, constant or computed."""
    return Dims(tuple(values), dtype=wide(values))


@emits(ir.Transpose, "Transpose")
def transpose(op: ir.Transpose) -> Call:
    """Transpose: any permutation of any number of axes."""
    return Call((op.x, ints(*op.perm)))


def _unknown(shape: Shape) -> int:
    return sum(isinstance(d, Sym) for d in shape)


@condition("at most one unknown size")
def _one_unknown(op: ir.Reshape) -> str | None:
    shape = op.shape
    return None if _unknown(shape) <= 1 and (0 not in shape or not _unknown(shape)) else "several unknown sizes"


@emits(ir.Reshape, "Reshape", when=(_one_unknown,))
def reshape(op: ir.Reshape) -> Call:
    """A constant shape, in which -1 stands for the unknown size."""
    return Call((op.x, ints(*(d if isinstance(d, int) else -1 for d in op.shape))))


@condition("one new axis of size 1")
def _inserts(op: ir.Reshape) -> str | None:
    return None if inserted_axis(op) is not None else "more than a new axis of size one"


@emits(ir.Reshape, "ExpandDims", when=(_inserts,))
def expand_dims(op: ir.Reshape) -> Call:
    """No shape has to be computed for several unknown sizes."""
    axis = inserted_axis(op)
    assert axis is not None
    return Call((op.x, scalar(axis, DType.I32)))


@condition("only axes of size 1 vanish")
def _removes(op: ir.Reshape) -> str | None:
    return None if removed_axes(op) is not None else "more than axes of size one vanish"


@emits(ir.Reshape, "Squeeze", when=(_removes,))
def squeeze(op: ir.Reshape) -> Call:
    """No shape has to be computed for several unknown sizes."""
    axes = removed_axes(op)
    assert axes is not None
    return Call((op.x,), {"squeeze_dims": axes})


@emits(ir.Reshape, "Reshape")
def reshape_computed(op: ir.Reshape) -> Call:
    """Reshape to a shape that the graph computes from open sizes."""
    return Call((op.x, vector(op.shape)))


@condition(f"axes that are repeated in at most {BROADCAST_RANK} groups")
def _few_groups(op: ir.BroadcastTo) -> str | None:
    is_few = len(op.shape) <= BROADCAST_RANK or len(folds([op.x.type.shape, op.shape])) <= BROADCAST_RANK
    return None if is_few else f"axes that are repeated in more than {BROADCAST_RANK} groups"


@emits(ir.BroadcastTo, "BroadcastTo", when=(_few_groups,))
def broadcast_to(op: ir.BroadcastTo) -> Call:
    """BroadcastTo: to a shape that may be computed."""
    return Call((op.x, vector(op.shape)))


@emits(ir.Concat, "ConcatV2", ranks=range(1, 64))
def concat(op: ir.Concat) -> Call:
    """ConcatV2: any number of tensors along one axis."""
    return Call((*op.xs, scalar(op.axis, DType.I32)))


@condition("equal parts")
def _equal_parts(op: ir.Split) -> str | None:
    is_whole = op.x.type.shape[op.axis] == op.sizes[0] * len(op.sizes)
    return None if len(set(op.sizes)) == 1 and is_whole else "parts of different sizes"


@emits(ir.Split, "Split", ranks=range(1, 64), when=(_equal_parts,))
def split(op: ir.Split) -> Call:
    """Split: into parts of equal size along one axis."""
    return Call((scalar(op.axis, DType.I32), op.x))


@emits(ir.Split, "SplitV", ranks=range(1, 64))
def split_v(op: ir.Split) -> Call:
    """SplitV: into parts whose sizes are an operand."""
    return Call((op.x, vector(op.sizes), scalar(op.axis, DType.I32)))


@condition("steps of 1")
def _steps_of_one(op: ir.Slice) -> str | None:
    return None if all(s == 1 for s in op.steps) else "steps other than one"


@condition("positive steps")
def _forward(op: ir.Slice) -> str | None:
    return None if all(s > 0 for s in op.steps) else "steps backwards"


@emits(ir.Slice, "Slice", ranks=range(MAX_SLICE_RANK + 1), when=(_steps_of_one,))
def slice_(op: ir.Slice) -> Call:
    """Start and size along each axis; -1 stands for what is left, so that it need not be computed."""
    fields = zip(op.starts, op.sizes, op.x.type.shape, strict=True)
    sizes = tuple(-1 if isinstance(size, Sym) and start + size == whole else size for start, size, whole in fields)
    dtype = wide((*op.starts, *sizes))
    return Call((op.x, Dims(op.starts, dtype=dtype), Dims(sizes, dtype=dtype)))


@emits(ir.Slice, "StridedSlice", ranks=range(1, MAX_SLICE_RANK + 1), when=(_forward,))
def strided_slice(op: ir.Slice) -> Call:
    """StridedSlice: for steps that are larger than one."""
    ends = tuple(a + (n - 1) * s + 1 if n != 0 else a for a, n, s in zip(op.starts, op.sizes, op.steps, strict=True))
    dtype = wide((*op.starts, *ends, *op.steps))
    inputs = (op.x, *(Dims(values, dtype=dtype) for values in (op.starts, ends, op.steps)))
    masks = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
    return Call(inputs, dict.fromkeys(masks, 0))


def _mode(*modes: str) -> Condition:
    return Condition(f"mode {' or '.join(modes)}", lambda op: None if op.mode in modes else f"mode {op.mode}")


@condition("filled with 0")
def _zeros(op: ir.Pad) -> str | None:
    return None if op.value == 0 else "a filling other than zero"


def _widths(op: ir.Pad) -> Dims:
    pairs = tuple(w for pair in zip(op.low, op.high, strict=True) for w in pair)
    return Dims(pairs, (op.x.type.rank, 2), wide(pairs))


@emits(ir.Pad, "Pad", ranks=range(1, MAX_PAD_RANK + 1), when=(_mode("constant"), _zeros))
def pad(op: ir.Pad) -> Call:
    """Pad: a padding with zeros before and after each axis."""
    return Call((op.x, _widths(op)))


@emits(ir.Pad, "PadV2", ranks=range(1, MAX_PAD_RANK + 1), when=(_mode("constant"),))
def pad_v2(op: ir.Pad) -> Call:
    """PadV2: a padding with a constant of any value."""
    return Call((op.x, _widths(op), scalar(op.value, op.x.type.dtype)))


@condition("paddings smaller than the data")
def _within(op: ir.Pad) -> str | None:
    """A mirror shows no more than the whole."""
    edge = 1 if op.mode == "reflect" else 0
    widths: list[tuple[Dim, Dim]] = list(zip(op.low, op.high, strict=True))
    for size, pair in zip(op.x.type.shape, widths, strict=True):
        if any(w != 0 and not at_least(size - edge, w) for w in pair):
            return f"paddings {pair[0]} and {pair[1]} that reach beyond {size} mirrored positions"
    return None


@emits(ir.Pad, "MirrorPad", ranks=range(1, MAX_MIRROR_RANK + 1), when=(_mode("reflect", "symmetric"), _within))
def mirror_pad(op: ir.Pad) -> Call:
    """MirrorPad: a padding that mirrors, with or without the edge."""
    return Call((op.x, _widths(op)), {"mode": op.mode.upper()})


@condition("no u16, which the kernel leaves out")
def _repeated(op: ir.Tile) -> str | None:
    return "elements of u16" if op.x.type.dtype is DType.U16 else None


@emits(ir.Tile, "Tile", when=(_repeated,))
def tile(op: ir.Tile) -> Call:
    """Tile: repeats the whole tensor along each axis."""
    return Call((op.x, vector(op.repeats)))


@emits(ir.Reverse, "ReverseV2", ranks=range(1, 9))
def reverse(op: ir.Reverse) -> Call:
    """ReverseV2: reverses the order of elements along several axes."""
    return Call((op.x, ints(*op.dims)))


@condition("all axes")
def _all_axes(op: ir.ShapeOf) -> str | None:
    return None if op.dims == tuple(range(op.x.type.rank)) else "some axes of the shape"


@emits(ir.ShapeOf, "Shape", when=(_all_axes,))
def shape_of(op: ir.ShapeOf) -> Call:
    """All sizes of the operand as a vector."""
    return Call((op.x,))


@condition("constant start and step of integers")
def _known_steps(op: ir.Range) -> str | None:
    is_known = elements(op.start) is not None and elements(op.step) is not None
    return None if is_known and op.start.type.dtype.is_int else "fractions, or ends that are computed"


@emits(ir.Range, "Range", when=(_known_steps,))
def range_(op: ir.Range) -> Call:
    """A size that may be known only when the network runs."""
    start, step = elements(op.start), elements(op.step)
    assert start is not None and step is not None
    limit = op.size * int(step) + int(start)
    return Call((op.start, Dims((limit,), (), op.start.type.dtype), op.step))
