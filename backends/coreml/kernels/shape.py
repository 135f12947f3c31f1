"""Rows for operations that move, cut and join data."""

from __future__ import annotations

from ....compiler.constants import elements
from ....compiler.dims import Sym, is_static, static
from ....compiler.ops import shape as ir
from ....compiler.ops.dynamic import DynamicSlice
from ....compiler.types import TensorType
from ...common.shapes import added_units, cuts_of, only_units, remaining, unsqueezes, within
from ..table import ANY, FLOATS, Call, Dims, Nested, condition, emits, number, sizes
from .common import repeated

AXES = range(1, 6)


@emits(ir.Transpose, "transpose", dtypes=ANY, ranks=AXES)
def transpose(op: ir.Transpose) -> Call:
    """The axes in another order, by any permutation of them."""
    return Call({"x": op.x, "perm": op.perm})


@condition("few axes")
def _few_axes(op: ir.Reshape) -> str | None:
    return None if len(op.shape) in range(6) else f"{len(op.shape)} axes"


@condition("no axes that remain")
def _to_number(op: ir.Reshape) -> str | None:
    return None if op.x.type.rank and not op.shape else "axes that remain"


@emits(ir.Reshape, "squeeze", dtypes=ANY, when=(_to_number,))
def squeeze_all(op: ir.Reshape) -> Call:
    """A tensor of one element reshaped to a scalar without axes."""
    return Call({"x": op.x, "axes": tuple(range(op.x.type.rank))})


@emits(ir.Reshape, "expand_dims", dtypes=ANY, when=(_few_axes, only_units, unsqueezes))
def expand_dims(op: ir.Reshape) -> Call:
    """Axes of size one added, for which no size is computed at run time."""
    return Call({"x": op.x, "axes": added_units(op.x.type.shape, op.shape)})


@emits(ir.Reshape, "squeeze", dtypes=ANY, when=(_few_axes, only_units))
def squeeze(op: ir.Reshape) -> Call:
    """Axes of size one removed, for which no size is computed at run time."""
    return Call({"x": op.x, "axes": added_units(op.shape, op.x.type.shape)})


@emits(ir.Reshape, "reshape", dtypes=ANY, when=(_few_axes,))
def reshape(op: ir.Reshape) -> Call:
    """One size may be what remains; others that are open are computed, since coremltools takes 0 for no elements."""
    shape = (d if s == 0 else s for d, s in zip(op.shape, remaining(op), strict=True))
    return Call({"x": op.x, "shape": sizes(*shape)})


@condition("sizes that grow")
def _grows(op: ir.BroadcastTo) -> str | None:
    return None if isinstance(repeated(op.x, op.shape), Nested) else "the same sizes"


@emits(ir.BroadcastTo, "tile", dtypes=ANY, when=(_grows,))
def broadcast(op: ir.BroadcastTo) -> Call:
    """Repetition along axes of size one, which are added before; or these alone."""
    found = repeated(op.x, op.shape)
    assert isinstance(found, Nested)
    return Call(found.arguments, found.operator)


@emits(ir.BroadcastTo, "identity", dtypes=ANY)
def same_sizes(op: ir.BroadcastTo) -> Call:
    """Broadcasting to the same sizes, which leaves the tensor as it is."""
    return Call({"x": repeated(op.x, op.shape)})


@emits(ir.Tile, "tile", dtypes=ANY, ranks=AXES)
def tile(op: ir.Tile) -> Call:
    """The whole tensor repeated along each axis, by known numbers of times."""
    return Call({"x": op.x, "reps": sizes(*op.repeats)})


@emits(ir.Concat, "concat", dtypes={"xs": ANY}, ranks=AXES)
def concat(op: ir.Concat) -> Call:
    """Any number of tensors, one after the other along an axis."""
    return Call({"values": op.xs, "axis": op.axis, "interleave": False})


@condition("known sizes")
def _known_sizes(op: ir.Split) -> str | None:
    return None if is_static(op.sizes) else "sizes that are open"


@emits(ir.Split, "split", dtypes=ANY, ranks=AXES, when=(_known_sizes,))
def split(op: ir.Split) -> Call:
    """Parts of stated sizes, one after the other along an axis."""
    return Call({"x": op.x, "split_sizes": static(op.sizes), "axis": op.axis})


@condition("steps forwards")
def _forwards(op: ir.Slice) -> str | None:
    return None if all(step > 0 for step in op.steps) else "steps backwards"


MOST, LEAST = 2**31 - 1, -(2**31)
"""The stops of a slice that goes to the end, and of one that goes back to the beginning."""


@condition("computed starts, known sizes and steps of one")
def _from_computed(op: ir.Slice) -> str | None:
    """Then coremltools knows the result's sizes, too."""
    is_so = is_static(op.sizes) and not is_static(op.starts) and all(step == 1 for step in op.steps)
    return None if is_so else "known starts, sizes that are open, or other steps"


@emits(ir.Slice, "slice_by_size", dtypes=ANY, ranks=AXES, when=(_from_computed,))
def slice_from_computed(op: ir.Slice) -> Call:
    """As many positions as are asked for, from computed ones on."""
    return Call({"x": op.x, "begin": sizes(*op.starts), "size": sizes(*op.sizes)})


@emits(ir.Slice, "slice_by_index", dtypes=ANY, ranks=AXES, when=(_forwards,))
def slice_(op: ir.Slice) -> Call:
    """From starts to ends with steps; what reaches to the end says so."""
    starts, ends, steps, axes = cuts_of(op, (LEAST, MOST))
    rank = op.x.type.rank
    cut = {axis: place for place, axis in enumerate(axes)}
    begin = tuple(starts[cut[a]] if a in cut else 0 for a in range(rank))
    is_whole = tuple(a not in cut or ends[cut[a]] == MOST for a in range(rank))
    end = tuple(0 if whole else ends[cut[a]] for a, whole in enumerate(is_whole))
    stride = tuple(steps[cut[a]] if a in cut else 1 for a in range(rank))
    return Call({"x": op.x, "begin": sizes(*begin), "end": sizes(*end), "stride": stride, "end_mask": is_whole})


@emits(DynamicSlice, "slice_by_size", dtypes={"x": ANY, "starts": "i32"}, ranks=AXES)
def dynamic_slice(op: DynamicSlice) -> Call:
    """Known sizes cut from starts that are computed at run time."""
    return Call({"x": op.x, "begin": op.starts, "size": sizes(*op.sizes)})


@condition("some axes")
def _some(op: ir.Reverse) -> str | None:
    return None if op.dims else "no axes"


@emits(ir.Reverse, "reverse", dtypes=ANY, ranks=AXES, when=(_some,))
def reverse(op: ir.Reverse) -> Call:
    """The elements in reversed order, along any of the axes."""
    return Call({"x": op.x, "axes": op.dims})


MODES = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}
"""What is added, in MIL's words."""


@condition("mode constant, reflect or edge")
def _known_mode(op: ir.Pad) -> str | None:
    return None if op.mode in MODES else f"mode {op.mode}"


@condition("what is there shown along the last two axes only, by known numbers")
def _last_axes(op: ir.Pad) -> str | None:
    widths = (*op.low[:-2], *op.high[:-2])
    fits = op.mode == "constant" or (all(w == 0 for w in widths) and is_static((*op.low, *op.high)))
    return None if fits else f"mode {op.mode} along other axes than the last two, or open widths"


@condition("widths that are not negative")
def _adds(op: ir.Pad) -> str | None:
    return None if all(isinstance(w, Sym) or w >= 0 for w in (*op.low, *op.high)) else "widths that cut"


@emits(ir.Pad, "pad", dtypes=FLOATS, ranks=AXES, when=(_known_mode, within, _last_axes, _adds))
def pad(op: ir.Pad) -> Call:
    """Filled with a number, or with what is there."""
    widths = [w for pair in zip(op.low, op.high, strict=True) for w in pair]
    first = 0 if op.mode == "constant" else max(2 * (op.x.type.rank - 2), 0)
    filling = {"constant_val": number(op.value, op.x)} if op.mode == "constant" else {}
    return Call({"x": op.x, "pad": sizes(*widths[first:]), "mode": MODES[op.mode], **filling})


@condition("all sizes")
def _whole(op: ir.ShapeOf) -> str | None:
    return None if op.dims == tuple(range(op.x.type.rank)) else "some sizes"


@emits(ir.ShapeOf, "shape", dtypes={"x": ANY, "dtype": "i32"}, ranks=AXES, when=(_whole,))
def shape_of(op: ir.ShapeOf) -> Call:
    """All sizes of the operand as a vector."""
    return Call({"x": op.x})


@emits(ir.ShapeOf, "gather", dtypes={"x": ANY, "dtype": "i32"}, ranks=AXES)
def sizes_of(op: ir.ShapeOf) -> Call:
    """Sizes of some axes, picked from the shape of the tensor."""
    whole = Nested("shape", TensorType(op.dtype, (op.x.type.rank,)), {"x": op.x})
    return Call({"x": whole, "indices": sizes(*op.dims), "axis": 0, "batch_dims": 0})


@condition("constant start and step")
def _known_steps(op: ir.Range) -> str | None:
    known = elements(op.start) is not None and elements(op.step) is not None
    return None if known else "ends that are computed"


@emits(ir.Range, "range_1d", dtypes="i32", when=(_known_steps,))
def range_(op: ir.Range) -> Call:
    """As many numbers as a size that is known only when the network runs."""
    start, step = elements(op.start), elements(op.step)
    assert start is not None and step is not None
    end = op.size * int(step) + int(start)
    return Call({"start": int(start), "end": Dims((end,), (), op.start.type.dtype), "step": int(step)})
